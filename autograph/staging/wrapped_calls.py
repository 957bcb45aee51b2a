"""Python around a C entry, written for one trace: arguments taken apart, results put together, variables written.

An entry (fast_calls.py) knows tensors, arrays and constants, and gives a tensor or a tuple of tensors. What else a call
passes or gets is straight code of a few lines here, instead of a walk over descriptors at every call.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograph.operators.state.places import UNBOUND
from autograph.operators.values.descriptors import Leaf, Static, Struct, rebuild
from autograph.staging.signature import PLAIN
from runtime.tensor.tensor import Tensor
from runtime.tensor.variable import Variable

if TYPE_CHECKING:
    from runtime.backends.native.dispatch import Source

__all__ = ["NOTHING", "Arguments", "built", "can_be_built", "is_constant", "wrapped"]

NOTHING = object()
"""What a wrapped entry gives for None, as None says that it did nothing."""

DEEP = 50  # structures within each other that are one expression; Python takes some more

_NUMBERS_AND_TEXT = (*PLAIN, float)


def is_constant(x: Any, pinned: set[int]) -> bool:
    """Whether an argument is a value that the signature names, or an object that it tells apart by identity."""
    return type(x) in _NUMBERS_AND_TEXT or id(x) in pinned


def can_be_built(d: Any, depth: int = DEEP) -> bool:
    """Whether a result is made of tensors and of objects that are the same at each call."""
    if isinstance(d, Struct):
        return depth > 0 and all(can_be_built(child, depth - 1) for child in d.children)
    return isinstance(d, Leaf) or (isinstance(d, Static) and d.value is not UNBOUND)


class Arguments:
    """How the arguments of a call become those of an entry.

    sources  where the entry's arguments come from
    leaves   them, as expressions
    lines    what has to run before: checks, and parts of structures
    plain    whether the entry takes the call's arguments as they are
    """

    def __init__(self, make: type[Source], bare: Collection[type], passed: Sequence[Any], pinned: set[int]) -> None:
        self._make = make
        self._bare = bare
        self._pinned = pinned
        self.sources: list[Source] = []
        self.leaves: list[str] = []
        self.lines: list[str] = []
        self.names: dict[str, Any] = {}
        self.plain = True
        self._seen: dict[int, str] = {}
        self._twice: set[int] = set()
        self.count = len(passed)
        self.fits = all(self._take(f"a{k}", x) for k, x in enumerate(passed))

    def name(self, thing: Any) -> str:
        """A name by which the code reaches an object."""
        name = f"k{len(self.names)}"
        self.names[name] = thing
        return name

    def _take(self, at: str, x: Any) -> bool:
        """One argument, or one part of an argument; False where it is of a kind that only the general way knows."""
        kind = type(x)
        first = self._seen.setdefault(id(x), at) if kind is Tensor or kind is np.ndarray else at
        if first != at:  # the same one again: an entry does not take it twice, but its content
            if kind is not Tensor or id(x) in self._twice:
                return False
            self._twice.add(id(x))
            self.plain = False
            self.lines.append(f"if {at} is not {first} or type({at}) is not Tensor: return None")
            at = f"{at}._value"
            self.sources.append(self._make(boxed=False))
        elif kind is Tensor or kind is np.ndarray:
            self.sources.append(self._make(boxed=kind is Tensor))
        elif is_constant(x, self._pinned):
            self.sources.append(self._make(x, constant=True, kept=id(x) not in self._pinned))
        elif kind in self._bare:
            self.sources.append(self._make(boxed=False, bare=kind))
        elif isinstance(x, np.generic):
            self.plain = False
            self.lines.append(f"if type({at}) is not {self.name(kind)}: return None")
            at = f"{at}.item()"
            self.sources.append(self._make(boxed=False))
        elif kind in (tuple, list, dict) or (isinstance(x, tuple) and hasattr(x, "_fields")):
            return self._apart(at, x)
        else:
            return False
        self.leaves.append(at)
        return True

    def _apart(self, at: str, x: Any) -> bool:
        kind = type(x)
        self.plain = False
        same = f"tuple({at}) != {self.name(tuple(x))}" if kind is dict else f"len({at}) != {len(x)}"
        self.lines.append(f"if type({at}) is not {self.name(kind)} or {same}: return None")
        if not x:
            return True
        parts = [f"{at}_{k}" for k in range(len(x))]
        self.lines.append(f"{', '.join(parts)}, = {at}{'.values()' if kind is dict else ''}")
        return all(self._take(part, y) for part, y in zip(parts, x.values() if kind is dict else x, strict=True))


def wrapped(entry: Callable[..., Any], arguments: Arguments, result: Any, written: Sequence[Any]) -> Callable[..., Any]:
    """A function of a call's arguments that gives its result: `NOTHING` for None, None where nothing was done.

    Args:
      entry: takes the leaves of the arguments, and gives a tuple of tensors.
      arguments: how they are found.
      result: the descriptor of the result, whose tensors come first in the tuple.
      written: variables and tensors whose new values follow.
    """
    names = arguments.names = arguments.names | {
        "entry": entry, "Tensor": Tensor, "ndarray": np.ndarray, "asarray": np.asarray, "rebuild": rebuild,
    }
    body = [f"if len(args) != {arguments.count}: return None"]
    if arguments.count:
        body.append(f"{', '.join(f'a{k}' for k in range(arguments.count))}, = args")
    body += [*arguments.lines, f"made = entry({', '.join(arguments.leaves)})", "if made is None: return None"]
    number = iter(range(1 << 30))
    value = _built(result, number, arguments.name)
    for box in written:
        at, place = f"made[{next(number)}]._value", arguments.name(box)
        if isinstance(box, Variable):
            body.append(f"new = {at}")
            at = "new if type(new) is ndarray else asarray(new)"
        body.append(f"{place}._value = {at}")
    body.append(f"return {value if value != 'None' else arguments.name(NOTHING)}")
    text = "def call(*args):\n" + "".join(f"    {line}\n" for line in body)
    exec(compile(text, "<autograph call>", "exec"), names)
    made: Callable[..., Any] = names["call"]
    return made


def built(result: Any) -> tuple[Callable[[Sequence[Any]], Any], int]:
    """A function that makes a result of an executable's arrays, and how many of these it takes.

    Args:
      result: the descriptor, for which `can_be_built` holds.
    """
    if isinstance(result, Leaf):
        return _only, 1
    names: dict[str, Any] = {"Tensor": Tensor, "rebuild": rebuild}

    def name(thing: Any) -> str:
        key = f"k{len(names)}"
        names[key] = thing
        return key

    number = iter(range(1 << 30))
    text = _built(result, number, name, "Tensor(made[{}])")
    exec(compile(f"def build(made):\n    return {text}\n", "<autograph call>", "exec"), names)
    return names["build"], next(number)


def _only(made: Sequence[Any]) -> Tensor:
    return Tensor(made[0])


def _built(d: Any, number: Any, name: Callable[[Any], str], leaf: str = "made[{}]") -> str:
    if isinstance(d, Leaf):
        return leaf.format(next(number))
    if isinstance(d, Static):
        return "None" if d.value is None else name(d.value)
    parts = [_built(child, number, name, leaf) for child in d.children]
    listed = ", ".join(parts)
    if d.kind is list:
        return f"[{listed}]"
    if d.kind is tuple and not d.keys:
        return f"({listed},)" if parts else "()"
    if d.kind is dict:
        return "{" + ", ".join(f"{name(k)}: {p}" for k, p in zip(d.keys, parts, strict=True)) + "}"
    return f"rebuild({name(d.kind)}, {name(d.keys)}, [{listed}])"
