"""Methods of Python's lists and dictionaries, and functions of theirs, that are called through what notes their writes."""

from __future__ import annotations

from typing import Any

from autograph.operators.containers.list_methods import ListMethod
from autograph.operators.containers.lists import note_list
from autograph.operators.containers.sharing import sync
from autograph.operators.state.dict_places import note_all, note_item, note_order
from autograph.operators.state.plain import PLAIN
from autograph.operators.state.stand_ins import STAND_INS
from autograph.operators.values.maybe import is_maybe, merged
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import current

__all__ = ["DICT_READS", "DICT_WRITES", "by_python", "dict_method", "next_plainly", "on_heap", "plainly"]

DICT_READS = frozenset(("get", "keys", "values", "items"))
DICT_WRITES = frozenset(("update", "setdefault", "pop", "popitem", "clear", "move_to_end"))
_KEYED_WRITES = frozenset(("setdefault", "pop"))
dict_writes: Any = None  # these of a dictionary with keys that were set on some paths only; put here by the module that can


def plainly(f: Any, *args: Any) -> Any:
    """A method of a list that is noted already."""
    for a in args:
        if type(a) not in PLAIN and type(a) is not list:
            return ListMethod(f.__self__, f.__name__)(*args)
    return f(*args)


def on_heap(f: Any, heap: Any, /, *args: Any, **kwargs: Any) -> Any:
    """A function of `heapq` in C as long as there is no tensor: that it changes its list is noted."""
    trace = current()
    if trace is not None and type(heap) is list and id(heap) not in trace.journal.noted:
        note_list(trace, heap)
    return f(heap, *args, **kwargs)


def next_plainly(iterator: Any, *default: Any) -> Any:
    """`next` as long as there is no tensor: of what has one in the graph, that."""
    staged = hasattr(type(iterator), "__staged_next__")
    return STAND_INS[next](iterator, *default) if staged else next(iterator, *default)


def dict_method(f: Any, name: str, /, *args: Any, **kwargs: Any) -> Any:
    """A dictionary's method; what it may write is noted in the journal."""
    trace, owner = current(), f.__self__
    if trace is not None:
        writes = name in _KEYED_WRITES and "choices" in trace.notes and not isinstance(args[0], Tensor)
        if writes and is_maybe(owner.get(args[0])):
            return dict_writes(name, owner, *args)
        if name == "update":
            # The argument may be an iterator, which can be read once.
            args, kwargs = (merged(owner, dict(*args, **kwargs)),), {}
        for key in args[:1] if name in ("setdefault", "pop") else args[0] if name == "update" else owner:
            note_item(trace, owner, key)
        note_order(trace, owner)
    result = f(*args, **kwargs)
    sync(trace)
    return result


def by_python(method: Any, /, *args: Any, **kwargs: Any) -> Any:
    """A dictionary's method that Python's own library has written in Python; what it wrote is noted."""
    trace = current()
    if trace is not None and trace.journal:
        note_all(trace, method.__self__)
    return method(*args, **kwargs)
