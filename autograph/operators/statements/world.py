"""Random numbers and clocks: what asks the world is asked at each run of the graph, in program order.

Such a call becomes a `py_function` node where it gives numbers or arrays. Which ones is found by calling it while
tracing, with the generator's state put back after: so a seed gives a staged function the numbers it gives Python. What
gives anything else (a date, a text) keeps the value it had while tracing, and says so.

A generator that is made from a seed in a trace that meets no tensor gives the same at each run: it is Python's, as long as
nobody holds it after the trace.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np

from autograph.errors.refusals import caution, refusal
from autograph.operators.containers.contents import note_contents
from autograph.operators.containers.lists import as_list_value, get_element, note_list
from autograph.operators.state.aliases import tensorless
from autograph.operators.state.births import note_birth
from autograph.operators.state.regions import current_trace
from autograph.operators.values.choice import resolve
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor, is_staged
from runtime.tensor.trace import STATE, Trace, Watched
from runtime.typesys.shapes import Dim
from runtime.typesys.spec import TensorType, type_of_payload

__all__ = ["GENERATORS", "RANDOM_MODULES", "WORLDLY", "asks_world", "runs_again", "world_stand_in"]

GENERATORS = frozenset(("Random", "SystemRandom", "RandomState", "Generator"))
RANDOM_MODULES = frozenset(("random", "numpy.random", "numpy.random.mtrand", "numpy.random._generator"))
_SETUP = frozenset(("seed", "getstate", "setstate", "get_state", "set_state", "spawn", "__reduce__", "jumped"))
_OF_ITEMS = frozenset(("choice", "choices", "sample", "shuffle"))  # they pick from a sequence
_CLOCKS = frozenset(
    name + end for name in ("time", "perf_counter", "monotonic", "process_time", "thread_time") for end in ("", "_ns")
)
_FROZEN = {
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "uuid.uuid1", "uuid.uuid4", "posix.urandom",
    "secrets.token_bytes", "secrets.token_hex", "secrets.token_urlsafe", "secrets.choice", "secrets.randbelow",
    "secrets.randbits", "time.strftime", "time.ctime", "time.localtime", "time.gmtime", "time.asctime",
}  # fmt: skip
WORLDLY = frozenset(("uuid", "secrets"))
_NUMBERS = (bool, int, float, np.generic)


def runs_again(trace: Trace, depth: int = 2) -> bool:
    """Whether what the code `depth` frames up asks for is to be asked at each run: it is part of a staged function."""
    if "runs_again" not in trace.notes:
        return False
    caller = sys._getframe(depth).f_globals.get("__name__", "")
    return caller == "__main__" or caller.partition(".")[0] not in sys.stdlib_module_names


def asks_world(f: Any) -> str:
    """How a function depends on the world: 'draws', 'seeds', 'makes' a generator, 'clock', 'sleep', 'frozen', or ''."""
    owner = getattr(f, "__self__", None)
    name = getattr(f, "__name__", "")
    if owner is not None and type(owner).__name__ in GENERATORS and type(owner).__module__ in RANDOM_MODULES:
        return "seeds" if name == "seed" else "" if name in _SETUP or name.startswith("_") else "draws"
    if type(owner) is ModuleType or owner is None:
        module = getattr(f, "__module__", None) or ""
        if module == "time":
            return "clock" if name in _CLOCKS else name if name == "sleep" else "frozen" if f"time.{name}" in _FROZEN else ""
        if module in RANDOM_MODULES:
            return "seeds" if name == "seed" else "makes" if name in GENERATORS or name == "default_rng" else ""
        return "frozen" if f"{module}.{name}" in _FROZEN else ""
    return "frozen" if isinstance(owner, type) and f"{owner.__name__}.{name}" in _FROZEN else ""


def world_stand_in(f: Any, how: str) -> Callable[..., Any]:
    """What is called in the place of a function that asks the world."""
    if how == "sleep" or how == "seeds":
        return partial(_act, f)
    if how == "makes":
        return partial(_generator, f)
    if how == "clock":
        return lambda: _staged(f, (), {}, f())
    if how == "frozen":
        return partial(_frozen, f)
    return partial(_draw, f)


def _act(f: Any, /, *args: Any, **kwargs: Any) -> None:
    """A call for its effect."""
    if _is_seeded(f):
        f(*args, **kwargs)
        return
    inputs, call = _call(f, args, kwargs)

    def act(*arrays: Any) -> None:
        call(*arrays)

    op.py_function(*inputs, function=act, types=())


def _draw(f: Any, /, *args: Any, **kwargs: Any) -> Any:
    """Random numbers."""
    if _is_seeded(f):
        for x in args:
            note_contents(current_trace(), x)  # `shuffle` writes to it
        return f(*args, **kwargs)
    if f.__name__ in _OF_ITEMS and args and _is_sequence_of_tensors(args[0]):
        return _from_items(f, *args, **kwargs)
    if f.__name__ in ("sample", "choices"):
        for count in (*args[1:], *kwargs.values()):
            if is_staged(count) and f.__self__.__class__.__module__ == "random":  # as many as only the run knows
                raise refusal("tensor-value", what=f"random.{f.__name__}()", type=count._value.type)
    with _state_kept(f.__self__):
        sample = f(*_samples(args), **{k: _samples(v) for k, v in kwargs.items()})
    if f.__name__ == "shuffle" or not _is_numeric(sample):
        return _frozen(f, *args, **kwargs)
    return _staged(f, args, kwargs, sample)


def _is_seeded(f: Any) -> bool:
    """Whether a method is that of a generator that was made from a seed in this trace, which has met no tensor."""
    trace = current_trace()
    return id(getattr(f, "__self__", None)) in trace.notes.get("seeded", ()) and tensorless(trace)


def _from_items(f: Any, items: Any, *args: Any, **kwargs: Any) -> Any:
    """Items of a list, picked by staged indices."""
    count = len(items)
    value = as_list_value(items)
    if f.__name__ != "shuffle":
        picked = _draw(f, range(count), *args, **kwargs)
        return [get_element(value, i) for i in picked] if type(picked) is list else get_element(value, picked)

    def order() -> list[int]:
        indices = list(range(count))
        f(indices, *args, **kwargs)
        return indices

    trace = STATE.trace
    assert trace is not None
    note_list(trace, items)
    items[:] = [get_element(value, i) for i in _staged(order, (), {}, list(range(count)))]
    return None


def _generator(f: Any, /, *args: Any, **kwargs: Any) -> Any:
    """A new generator: made once, and brought to its first state again wherever the graph makes it."""
    made = f(*args, **kwargs)
    if any(a is not None for a in (*args, *kwargs.values())):
        trace = current_trace()
        if f is random.Random and tensorless(trace):
            note_birth(trace, made)
            trace.notes.setdefault("seeded", Watched()).follow(made, True)
            return made
        first = _state(made)
        op.py_function(function=lambda: _restore(made, first), types=())
    return made


def _frozen(f: Any, /, *args: Any, **kwargs: Any) -> Any:
    """A value that stays as it is now."""
    trace = STATE.trace
    assert trace is not None
    owner = getattr(f, "__self__", None)
    where = owner.__name__ if isinstance(owner, (type, ModuleType)) else "random" if owner is not None else f.__module__
    name = f"{where}.{f.__name__}"
    said = trace.notes.setdefault("said", set())
    if name not in said:
        said.add(name)
        caution("frozen-value", name=name)
    return f(*args, **kwargs)


# Staging a call


def _staged(f: Any, args: tuple[Any, ...], kwargs: dict[str, Any], sample: Any) -> Any:
    """The call as a node; `sample` shows what its result is like."""
    inputs, call = _call(f, args, kwargs)
    sizes = any(isinstance(x, Tensor) and (x.dtype.is_integer or None in x.shape.as_list()) for x in inputs)
    many = isinstance(sample, (list, tuple))
    types = tuple(_type_of(x, sizes) for x in (sample if many else [sample]))

    def run(*arrays: Any) -> Any:
        result = call(*arrays)
        return result if many else [result]

    results = op.py_function(*inputs, function=run, types=types)
    return type(sample)(results) if many else results[0]


def _type_of(x: Any, open_sizes: bool) -> TensorType:
    kind = type_of_payload(x.item() if isinstance(x, np.generic) else x)
    if open_sizes and kind.shape:
        return TensorType(kind.dtype, tuple(Dim() for _ in kind.shape))
    return kind


def _call(f: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[list[Tensor], Callable[..., Any]]:
    """The tensors among the arguments, and the call given their arrays."""
    inputs: list[Tensor] = []

    def slots(x: Any) -> Any:
        x = resolve(x)
        if isinstance(x, Tensor):
            inputs.append(x)
            return _Slot(len(inputs) - 1)
        return type(x)(map(slots, x)) if type(x) in (list, tuple) else x

    positional, named = slots(tuple(args)), {k: slots(v) for k, v in kwargs.items()}

    def call(*arrays: Any) -> Any:
        def filled(x: Any) -> Any:
            if type(x) is _Slot:
                return arrays[x.number]
            return type(x)(map(filled, x)) if type(x) in (list, tuple) else x

        return f(*filled(positional), **{k: filled(v) for k, v in named.items()})

    return inputs, call


class _Slot:
    """The place of an argument that is a tensor."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number


def _samples(x: Any) -> Any:
    """An argument to find out with what the result is like: ones where the graph has a tensor."""
    x = resolve(x)
    if isinstance(x, Tensor):
        shape = x.type.shape
        sizes = () if shape is None else [s if isinstance(s, int) else 1 for s in shape]
        made: Any = np.ones(sizes, x.dtype.as_numpy_dtype)
        return made if made.shape else made.item()
    return type(x)(map(_samples, x)) if type(x) in (list, tuple) else x


def _is_numeric(x: Any) -> bool:
    """Whether a result is a number, an array of numbers, or a list of numbers, that a graph can hold."""
    if isinstance(x, (list, tuple)):
        return type(x) in (list, tuple) and all(isinstance(e, _NUMBERS) and _is_numeric(e) for e in x)
    if isinstance(x, np.ndarray):
        return x.dtype.kind in "biufc"
    return isinstance(x, _NUMBERS) and (not isinstance(x, int) or -(2**63) <= x < 2**63)


def _is_sequence_of_tensors(x: Any) -> bool:
    """Whether items are picked by index: a list that holds tensors, or numbers to be shuffled."""
    if type(x) not in (list, tuple) or not len(x):
        return False
    return all(isinstance(e, (Tensor, np.ndarray, *_NUMBERS)) for e in x)


# The state of generators


def _state(generator: Any) -> Any:
    if hasattr(generator, "getstate"):
        return None if type(generator).__name__ == "SystemRandom" else generator.getstate()
    return generator.get_state() if hasattr(generator, "get_state") else generator.bit_generator.state


def _restore(generator: Any, state: Any) -> None:
    if hasattr(generator, "setstate"):
        if state is not None:
            generator.setstate(state)
    elif hasattr(generator, "set_state"):
        generator.set_state(state)
    else:
        generator.bit_generator.state = state


@contextmanager
def _state_kept(generator: Any) -> Iterator[None]:
    state = _state(generator)
    try:
        yield
    finally:
        _restore(generator, state)
