"""Calls of functions that have native code, without Python between the call and the code.

An entry is a C function made for one trace, or a few lines of Python around it (wrapped_calls.py). It takes the arguments
as the user passes them, gives the function's result, and None where they are not what the trace is for: then the general
way goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograph.operators.values.descriptors import Leaf, Struct
from autograph.staging.concrete import ConcreteFunction
from autograph.staging.wrapped_calls import Arguments, is_constant, wrapped
from runtime.tensor.tensor import Tensor

__all__ = ["MAX_ENTRIES", "FastCalls"]

MAX_ENTRIES = 8
"""Signatures of one function that are tried in turn, the newest first."""

Entry = tuple[Callable[..., Any], Callable[[], Any] | None, tuple[Any, ...] | None]


class FastCalls:
    """The entries of a function, which vectorcall.ll reads.

    entries  triples: a C function; where the trace depends on state of Python's, the test that gives None if it fits, and
             where that can be, the places that it need not be asked about while they hold what they held
    order    names and defaults of the function's parameters, where the entries take all of them
    """

    __slots__ = ("_keys", "entries", "order")

    def __init__(self) -> None:
        self.entries: tuple[Entry, ...] = ()
        self._keys: tuple[Any, ...] = ()
        self.order: tuple[tuple[Any, ...], ...] = ((), (), ())

    def add(
        self, key: Any, concrete: ConcreteFunction, passed: tuple[Any, ...], bound: tuple[Any, ...], pinned: list[Any]
    ) -> bool:
        """Make the entry for calls like this one; False where there can be none.

        Args:
          key: the signature.
          concrete: its trace, which has native code.
          passed: the arguments of the call.
          bound: those after defaults were filled in.
          pinned: those among them that the signature tells apart by identity; it is forgotten when one dies.
        """
        made = _entry(concrete, passed, bound, set(map(id, pinned)))
        if made is None:
            return False
        self.entries = ((made, concrete.changed, concrete.places), *self.entries)[:MAX_ENTRIES]
        self._keys = (key, *self._keys)[:MAX_ENTRIES]
        return True

    def forget(self, key: Any) -> None:
        """A trace is gone, and so are its entries."""
        if key in self._keys:
            kept = [(e, k) for e, k in zip(self.entries, self._keys, strict=True) if k != key]
            self.entries, self._keys = tuple(e for e, _ in kept), tuple(k for _, k in kept)


def _entry(
    concrete: ConcreteFunction, passed: tuple[Any, ...], bound: tuple[Any, ...], pinned: set[int]
) -> Callable[..., Any] | None:
    from runtime.backends.native.dispatch import BARE, TENSOR, TENSORS, Source
    from runtime.backends.native.executable import NativeExecutable

    native, traced = concrete.compiled.run, concrete.traced
    if type(native) is not NativeExecutable or not all(is_constant(x, pinned) for x in bound[len(passed) :]):
        return None
    arguments = Arguments(Source, BARE, passed, pinned)
    sources = arguments.sources + [Source(thing, boxed=isinstance(thing, Tensor)) for thing in traced.captured]
    if not arguments.fits or sum(not s.constant for s in sources) != len(concrete.graph.inputs):
        return None
    result = traced.result
    if arguments.plain and not traced.written:
        if type(result) is Leaf:
            return native.entry(TENSOR, sources, Tensor)
        if type(result) is Struct and result.kind is tuple and all(type(c) is Leaf for c in result.children):
            return native.entry(TENSORS, sources, Tensor)
    entry = native.entry(TENSORS, sources, Tensor)
    return None if entry is None else wrapped(entry, arguments, result, traced.written)
