"""Stand-ins for `any` and `all`: of what they go through nothing more is evaluated where it is decided."""

from __future__ import annotations

import builtins
import dis
from collections.abc import Iterator
from functools import lru_cache
from types import CodeType, FunctionType, GeneratorType, ModuleType
from typing import Any

from autograph.errors.refusals import refusal
from autograph.operators.containers.advances import by_place, guarding, note_spent
from autograph.operators.functions.generators import Emitting, asked, emitting
from autograph.operators.functions.unconverted import runs_as_it_is
from autograph.operators.items.for_loops import staged_for
from autograph.operators.state.places import name_places
from autograph.operators.state.regions import current_trace
from autograph.operators.state.stand_ins import stand_in
from autograph.operators.statements.branches import not_, staged_cond
from autograph.operators.statements.iterables import staged_iterable
from autograph.operators.statements.truth import as_truth, is_staged_condition, truth_of
from autograph.operators.values import quick
from autograph.operators.values.specials import leads_to_tensor
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.typesys.dtypes import as_dtype

__all__ = ["any_"]


@stand_in(builtins.any)
def any_(iterable: Any) -> Any:
    """`any`."""
    return as_truth(_quantify(iterable, stop_on=True))


@stand_in(builtins.all)
def all_(iterable: Any) -> Any:
    """`all`."""
    return as_truth(_quantify(iterable, stop_on=False))


def _quantify(iterable: Any, stop_on: bool) -> Any:
    if quick.calm and type(iterable) in _PYTHONS:
        return (builtins.any if stop_on else builtins.all)(iterable)
    iterable = asked(iterable)
    staged: Any = emitting(iterable) or staged_iterable(iterable)
    if staged is None and hasattr(type(iterable), "__staged_turns__") and by_place(current_trace()):
        staged = iterable.rest() if leads_to_tensor(iterable.source_items) else None
    if staged is None:
        return _over_python(iter(iterable), stop_on, iterable)
    if isinstance(iterable, Tensor) and len(iterable.type.shape or ()) == 1:
        return (op.any if stop_on else op.all)(op.cast(iterable, dtype=as_dtype("bool")))
    found: Any = not stop_on

    def body(item: Any) -> None:
        nonlocal found
        found = truth_of(item)

    def go_on() -> Any:
        return found if not stop_on else not_(found)

    if type(staged) is Emitting:
        staged.run(body, go_on)
    else:
        staged_for(current_trace(), staged, body, name_places(("found",), body), go_on)
    return found


def _over_python(items: Iterator[Any], stop_on: bool, iterable: Any, guarded: bool = False) -> Any:
    """Items that Python gives: where making one may change something, each under the test of those before.

    `guarded`: a test before is the run's."""
    result: Any = not stop_on
    while True:
        if guarded:
            with guarding(current_trace()):
                item = next(items, _END)
        else:
            item = next(items, _END)
        if item is _END:
            return result
        if type(item) is bool:
            if item is stop_on:
                return stop_on
            continue
        test = truth_of(item)
        if not is_staged_condition(test):
            if bool(test) is stop_on:
                return stop_on
            continue
        if not guarded:  # of what is left only the run knows how many are looked at
            guarded = True
            note_spent(current_trace(), items)
        if _may_change(iterable):
            return _decided(test, items, stop_on, iterable)
        result = test if not isinstance(result, Tensor) else (op.logical_or if stop_on else op.logical_and)(result, test)


_END = object()


def _decided(test: Any, items: Iterator[Any], stop_on: bool, iterable: Any) -> Any:
    """The truth where `test` is the last that was asked for."""
    if type(items) is GeneratorType and _binds(items):
        raise refusal("generator-items")
    taken = False

    def rest() -> Any:
        nonlocal taken
        if taken:  # a region is traced again, and the items are gone
            raise refusal("generator-items")
        taken = True
        return _over_python(items, stop_on, iterable, guarded=True)

    then, otherwise = (lambda: True, rest) if stop_on else (rest, lambda: False)
    return staged_cond(current_trace(), test, then, otherwise, [])


def _may_change(iterable: Any) -> bool:
    """Whether making the items may change something, or bind a name."""
    if type(iterable) in _HOLDING:
        return False
    if type(iterable) is not GeneratorType or iterable.gi_frame is None:
        return True
    if _binds(iterable.gi_code):
        return True
    made = iterable.gi_frame.f_locals
    functions = [made.get(name) for name in ("element", "condition")]
    if not any(type(f) is FunctionType for f in functions):
        return True
    return any(type(f) is FunctionType and _calls_user_code(f) for f in functions)


_HOLDING = frozenset((list, tuple, set, frozenset, dict, str, range))
_PYTHONS = _HOLDING | {GeneratorType}
_STORES = ("STORE_DEREF", "STORE_GLOBAL")


@lru_cache(512)
def _binds(code: CodeType) -> bool:
    """Whether the code of a generator expression binds a name of the function around it."""
    return any(i.opname in _STORES for i in dis.get_instructions(code))


def _calls_user_code(f: FunctionType) -> bool:
    """Whether a converted function calls anything but functions that change nothing."""
    code = f.__code__
    if "callee" not in code.co_names:
        return False
    if not _CHANGING.isdisjoint(code.co_names):
        return True
    cells = dict(zip(code.co_freevars, f.__closure__ or (), strict=True))
    for name in {*code.co_names, *cells} - {"callee", "ag__"}:
        if name in cells:
            try:
                value = cells[name].cell_contents
            except ValueError:
                return True
        elif name in f.__globals__ or hasattr(builtins, name):
            value = f.__globals__.get(name, getattr(builtins, name, None))
        else:
            continue  # an attribute of one of the others
        if not _is_harmless(value):
            return True
    return False


def _is_harmless(value: Any) -> bool:
    """Whether what is called by this name, or on it by a method that is not one of `_CHANGING`, changes nothing."""
    if type(value) is FunctionType:
        return runs_as_it_is(value)
    of = value if callable(value) else type(value)
    return isinstance(value, (Tensor, ModuleType)) or of.__module__ == "builtins"


_CHANGING = frozenset(
    "print next setattr delattr random append add pop popleft appendleft update remove insert extend setdefault discard "
    "clear assign assign_add assign_sub write".split()
)
