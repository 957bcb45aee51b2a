"""Functions that the standard library has in C and in Python: where tensors are staged, the Python form is converted.

`heapq` and `bisect` compare items, which C does by itself. Their Python form is in the same file, before the import that
hides it; without that import it is a module of its own, whose functions are converted as the user's are.
"""

from __future__ import annotations

import heapq
import sys
from collections.abc import Callable
from functools import lru_cache
from itertools import chain
from types import ModuleType
from typing import Any

from autograph.operators.containers.contents import note_arguments
from autograph.operators.containers.lists import dynamic_of, note_list
from autograph.operators.state.plain import ITERATORS, PLAIN
from autograph.operators.statements.truth import is_staged_condition
from autograph.operators.values.choice import choice_of
from autograph.operators.values.quick import is_object
from runtime.ir.graph import Value
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import current
from runtime.typesys.errors import OperatorNotAllowedInGraphError

__all__ = ["ACCELERATED", "holds_staged", "python_form"]

ACCELERATED = {"_heapq": "heapq", "_bisect": "bisect"}
_LOOKED_AT = 1000  # items of a list whose types are looked at,
_LOOKED_INTO = 50  # and those that are looked into


_SURE = PLAIN - {tuple} | ITERATORS | {type([].__iter__)}


def python_form(f: Any, callee: Callable[[Any], Any]) -> Callable[..., Any]:
    """What is called in the place of a function in C: itself, or its Python form where staged tensors are compared."""

    is_of_heaps = f.__module__ == "_heapq"  # the others compare before they change anything
    changes = is_of_heaps or f.__name__.startswith("insort")
    in_long_heap = _IN_LONG_HEAPS.get(f, (-1, f))

    def call(*args: Any, **kwargs: Any) -> Any:
        trace = current()
        first: Any = args[0] if args else None
        is_list = type(first) is list
        staged = False
        if trace is not None:
            if trace.builder.region.parent is not None:
                note_arguments(args, kwargs)
            elif is_list and changes:
                note_list(trace, first)
            staged = is_list and "lists" in trace.notes and dynamic_of(first) is not None
        if not staged and (not kwargs or "key" not in kwargs):
            count, before, in_long = -1, None, f
            if is_list and is_of_heaps:
                if len(first) > _COPIED:
                    count, in_long = in_long_heap
                if count < 0:
                    before = first[:]
            try:
                return in_long(*args) if len(args) == count else f(*args, **kwargs)
            except OperatorNotAllowedInGraphError:  # it compares staged tensors: once more, as Python
                if before is not None:
                    first[:] = before
        return callee(getattr(_module(ACCELERATED[f.__module__]), f.__name__))(*args, **kwargs)

    return call


# Heaps too long to be copied at each call: what a comparison that fails leaves is the heap as it was


def _push(heap: list[Any], item: Any) -> None:
    """`heappush`."""
    size = at = len(heap)
    path = []  # what moves down
    while at:
        parent = (at - 1) >> 1
        if not item < heap[parent]:
            break
        path.append(parent)
        at = parent
    _check_size(heap, size)
    heap.append(item)
    at = size
    for parent in path:
        heap[at] = heap[parent]
        at = parent
    heap[at] = item


def _put_at_top(heap: list[Any], item: Any, size: int) -> Any:
    """Exchange the least item for another, in a heap of the first `size` items; returns it."""
    length = len(heap)
    path, at, limit = [0], 0, size >> 1
    while at < limit:  # the lesser children, down to the leaf
        at = 2 * at + 1
        if at + 1 < size and not heap[at] < heap[at + 1]:
            at += 1
        path.append(at)
    last = len(path) - 1
    while last and item < heap[path[last]]:  # and up again to where the item belongs
        last -= 1
    _check_size(heap, length)
    least = heap[0]
    for i in range(last):
        heap[path[i]] = heap[path[i + 1]]
    heap[path[last]] = item
    return least


def _check_size(heap: list[Any], size: int) -> None:
    if len(heap) != size:
        raise RuntimeError("list changed size during iteration")


def _pop(heap: list[Any]) -> Any:
    """`heappop`."""
    least = _put_at_top(heap, heap[-1], len(heap) - 1)
    heap.pop()
    return least


def _replace(heap: list[Any], item: Any) -> Any:
    """`heapreplace`."""
    return _put_at_top(heap, item, len(heap))


def _push_and_pop(heap: list[Any], item: Any) -> Any:
    """`heappushpop`."""
    return _put_at_top(heap, item, len(heap)) if heap[0] < item else item


_COPIED = 500  # items of a heap that is copied: that takes less than steps in Python
_IN_LONG_HEAPS: dict[Any, tuple[int, Callable[..., Any]]] = {
    heapq.heappush: (2, _push),
    heapq.heappop: (1, _pop),
    heapq.heapreplace: (2, _replace),
    heapq.heappushpop: (2, _push_and_pop),
}
"""By function: the number of its arguments, and what is called for it."""


@lru_cache
def _module(name: str) -> ModuleType:
    import ast
    import importlib

    original = importlib.import_module(name)
    assert original.__file__ is not None
    with open(original.__file__, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    tree.body = [node for node in tree.body if not isinstance(node, ast.Try)]  # those import what is in C
    made = ModuleType(f"python_forms.{name}")
    sys.modules[made.__name__] = made
    exec(compile(tree, original.__file__, "exec"), made.__dict__)  # the standard library's own source
    for alias in ("bisect", "insort"):
        if name == "bisect":
            setattr(made, alias, getattr(made, f"{alias}_right"))
    return made


_ROWS = frozenset((list, tuple))


def holds_staged(x: Any, depth: int = 3) -> bool:
    """Whether a value is staged, or a list or tuple that holds one that is."""
    kind = type(x)
    if kind in _SURE or (kind in _ROWS and len(x) <= _LOOKED_AT and _SURE.issuperset(map(type, x))):
        return False
    if isinstance(x, Tensor):
        return type(x._value) is Value
    if choice_of(x) is not None or is_staged_condition(x) or hasattr(type(x), "__staged_text__"):
        return True
    if not isinstance(x, (list, tuple)) or not depth:
        return False
    if dynamic_of(x) is not None:
        return True
    kinds = {kind for kind in set(map(type, x[:_LOOKED_AT])) - _SURE if not is_object(kind)}
    if kinds and kinds <= _ROWS:  # of lists or tuples, mostly of numbers: the items of all of them at once
        if not set(map(type, chain.from_iterable(e for e in x[:_LOOKED_AT] if type(e) in _ROWS))) - _SURE:
            return False
    elif any(issubclass(kind, Tensor) for kind in kinds):
        return any(type(e._value) is Value for e in x if isinstance(e, Tensor))
    return bool(kinds) and any(holds_staged(e, depth - 1) for e in x[:_LOOKED_INTO])
