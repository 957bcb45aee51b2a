"""Methods of Python lists in converted code: Python's own, noted in the journal, or functional updates of graph lists."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from autograph.errors.refusals import refusal
from autograph.operators.containers.counterparts import copied, placed
from autograph.operators.containers.lists import (
    appended,
    as_list_value,
    concatenated,
    demanded,
    dynamic_of,
    emit,
    index_value,
    length,
    note_list,
    put_content,
    widened,
)
from autograph.operators.containers.relations import CountOf, ElementOf
from autograph.operators.containers.sharing import sharing_of, sync
from autograph.operators.state import regions
from autograph.operators.state.aliases import followed_no_further
from autograph.operators.state.plain import PLAIN
from autograph.operators.values.descriptors import (
    Leaf,
    Reference,
    Sequence,
    Static,
    describe,
    list_types,
    mutable_parts,
    value_types,
)
from autograph.operators.values.listvalue import ListValue, RunTuple, new_list, run_tuple
from autograph.operators.values.packing import pack_list, unpack
from runtime.tensor import dispatch
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor, is_staged
from runtime.tensor.trace import Trace, current

__all__ = ["MUTATING", "ListMethod"]


class ListMethod:
    """The method of a Python list, for converted code: noted in the journal, and staged where the content is.

    An object, not a closure: nothing must keep the list alive after the call, so that lists born in a region are seen to be.
    """

    __slots__ = ("name", "owner")

    def __init__(self, owner: list[Any], name: str) -> None:
        self.owner = owner
        self.name = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        trace = current()
        assert trace is not None
        x, name = self.owner, self.name
        if "lists" not in trace.notes and (not args or _PLAIN_ARGUMENTS.issuperset(map(type, args))):
            if name in MUTATING and id(x) not in trace.journal.noted:
                note_list(trace, x)
            return getattr(x, name)(*args, **kwargs)
        if name == "extend":
            args = tuple(map(gathered, args))
        value = dynamic_of(x)
        by_staged = name in ("pop", "insert") and any(map(is_staged, args[:1]))
        by_staged = by_staged or (name == "extend" and any(isinstance(a, Tensor) or dynamic_of(a) is not None for a in args))
        if value is None and not by_staged:
            if name in MUTATING:
                note_list(trace, x)
            result = getattr(x, name)(*args, **kwargs)
            sync(trace)
            return result
        staged = _METHODS.get(name)
        if staged is None:
            raise refusal("list-method", name=name)
        if value is None:
            value = as_list_value(x)
        if "choices" in trace.notes:
            regions.read_items(list(args))
        try:
            new, result = staged(value, *args, **kwargs)
        except TypeError:
            with suppress(IndexError, ValueError):
                getattr([], name)(*args, **kwargs)  # says of its number of arguments what Python says
            raise
        if new is not value:
            put_content(x, new)
            _keep_account(trace, x, name, args, value, result)
        if name == "copy":
            copied(trace, result, x, count=length(value), step=1)
        sync(trace)
        return result


gathered: Callable[[Any], Any] = lambda x: x  # a list of what comes one by one and staged; put here by `py_builtins`


def _repeated(items: Any, count: Tensor) -> Any:
    """`items * count`: in Python all turns hold the same objects, so that those must be none that change."""
    value = as_list_value(items)
    element = value.element
    if element is not None and not isinstance(element, (Leaf, Static, Reference)):
        raise followed_no_further()
    n = index_value(count)
    made = ListValue(element, [emit("list_repeat", [v, n], None, (v.type,))[0] for v in value.values])
    return new_list(made) if type(items) is list else run_tuple(new_list(made))


for _kind in (list, tuple, RunTuple):
    dispatch.repeated[_kind] = _repeated


def _keep_account(
    trace: Trace, x: list[Any], name: str, args: tuple[Any, ...], before: ListValue, result: Any
) -> None:
    """What was put in stands for the elements; those that have moved are known no more."""
    if name == "append":
        placed(trace, x, CountOf(before), args[0])
        return
    if name == "extend":
        if dynamic_of(args[0]) is not None:
            copied(trace, x, args[0], first=length(before), count=length(as_list_value(args[0])), step=1)
        elif isinstance(args[0], (list, tuple)):
            for i, item in enumerate(args[0]):
                placed(trace, x, op.add(length(before), i), item)
        return
    sharing = sharing_of(trace)
    if name == "reverse":
        sharing.moved(x, op.sub(length(before), 1), "reverse")
    elif name not in ("pop", "insert"):
        sharing.moved(x)
    else:
        index = _from_front(args[0] if args else -1, before)
        if name == "pop" and any(True for _ in mutable_parts(result)):
            sharing.follow(result, x, index)
        sharing.moved(x, index, name)
        if name == "insert":
            sharing.place(ElementOf(trace, args[1], x, index))


def _from_front(index: Any, before: ListValue) -> Any:
    """Where `pop` or `insert` found its place."""
    if isinstance(index, Tensor):
        return op.where(op.less(index, 0), op.maximum(op.add(index, length(before)), 0), op.minimum(index, length(before)))
    return op.maximum(op.add(length(before), index), 0) if index < 0 else op.minimum(int(index), length(before))


def _append(value: ListValue, item: Any) -> tuple[ListValue, None]:
    return appended(value, item), None


def _extend(value: ListValue, items: Any) -> tuple[ListValue, None]:
    if isinstance(items, Tensor):
        items = ListValue(describe(op.get_item(items, 0)), emit("list_unstack", [index_value(items)]))
    known = type(items) is not ListValue and dynamic_of(items) is None
    return concatenated(value, list(items) if known else items), None


def _pop(value: ListValue, index: Any = -1) -> tuple[ListValue, Any]:
    element = value.element
    if element is None:
        raise IndexError("pop from empty list")
    i = index_value(index)
    lists, taken = [], []
    for v, t in zip(value.values, value_types(element) or [None], strict=False):
        rest, item = emit("list_pop", [v, i], None, (v.type, t) if t is not None else None)
        lists.append(rest)
        taken.append(item)
    return demanded(ListValue(element, lists)), unpack(element, iter(taken))


def _insert(value: ListValue, index: Any, item: Any) -> tuple[ListValue, None]:
    wide, leaves = widened(value, item)
    i = index_value(index)
    types = list_types(Sequence(wide.element))
    columns = zip(wide.values, leaves, types, strict=True)
    return ListValue(wide.element, [emit("list_insert", [v, i, leaf], None, (t,))[0] for v, leaf, t in columns]), None


def _clear(value: ListValue) -> tuple[ListValue, None]:
    d = Sequence(value.element)
    return ListValue(value.element, pack_list([], d)), None


def _copy(value: ListValue) -> tuple[ListValue, Any]:
    return value, new_list(ListValue(value.element, value.values))


def _reverse(value: ListValue) -> tuple[ListValue, None]:
    return ListValue(value.element, [emit("list_reverse", [v], None, (v.type,))[0] for v in value.values]), None


MUTATING = frozenset(("append", "extend", "insert", "pop", "remove", "clear", "sort", "reverse"))
_PLAIN_ARGUMENTS = PLAIN | {list}  # nothing staged hides in them while no list has staged content
_METHODS: dict[str, Any] = {
    "append": _append,
    "clear": _clear,
    "copy": _copy,
    "extend": _extend,
    "insert": _insert,
    "pop": _pop,
    "reverse": _reverse,
}

