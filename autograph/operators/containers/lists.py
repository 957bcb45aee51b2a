"""Python lists in a trace. A list whose length comes to depend on a tensor keeps its identity: its content becomes a
`ListValue` kept by the trace, and the Python list holds one poison object that refuses any use behind our back.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from autograph.errors.refusals import refusal
from autograph.operators.state.aliases import count_note
from autograph.operators.state.places import ROOM, overfull
from autograph.operators.values import quick
from autograph.operators.values.descriptors import (
    Joiner,
    Leaf,
    Sequence,
    Struct,
    describe,
    list_types,
    loosen,
    value_types,
)
from autograph.operators.values.listvalue import (
    ListContents,
    ListValue,
    RunTuple,
    Splice,
    expect_lists,
    has_splices,
    list_of,
)
from autograph.operators.values.packing import pack, pack_list, unpack
from runtime.ir.graph import Value
from runtime.ops.registry import get
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import STATE, Trace, current
from runtime.typesys.dtypes import as_dtype
from runtime.typesys.spec import ListType

__all__ = [
    "ListPlace",
    "as_list_value",
    "content_of",
    "demanded",
    "dynamic_of",
    "get_element",
    "length",
    "make_dynamic",
    "note_list",
    "owned",
    "put_content",
    "scalar_index",
    "set_element",
]


class ListPlace:
    """The content of a list object."""

    __slots__ = ("_last", "owner", "trace")

    def __init__(self, trace: Trace, owner: list[Any]) -> None:
        self.trace = trace
        self.owner = owner
        self._last: Any = None

    @property
    def key(self) -> Any:
        return ("list", id(self.owner))

    def read(self) -> Any:
        last, owner = self._last, self.owner
        if type(last) is ListContents and len(last.items) == len(owner) and all(map(_same, last.items, owner)):
            return last
        if len(owner) == 1 and type(owner[0]) is Splice:
            return owner[0].value
        self._last = ListContents(tuple(owner))
        return self._last

    def remembered(self, original: Any) -> list[tuple[Any, ...]]:
        """The items of contents that the list had before, as they are noted here."""
        noted = (original, self._last)
        return [x.items for x in noted if type(x) is ListContents]

    def write(self, value: Any) -> None:
        if type(value) is ListContents:
            self.owner[:] = value.items
            self._last = value
            return
        dynamic = dynamic_of(value)
        if dynamic is None:
            self.owner[:] = value
        else:
            expect_lists(self.trace)
            for hook in before_staged_hooks:
                hook(self.trace, self.owner)
            self.owner[:] = [Splice(dynamic)]

    def __repr__(self) -> str:
        return "a list"


before_staged_hooks: list[Any] = []  # what others do before the content of a list becomes another one, staged


def note_list(trace: Trace, owner: list[Any]) -> None:
    """Note in the journal that a list is about to be changed."""
    if trace.journal:
        if "heap" in trace.notes and trace.notes["heap"].of(owner) is not None:
            return  # its content is part of a store
        table = trace.journal[-1]
        key = ("list", id(owner))
        if key not in table:
            count_note(trace)
            place = ListPlace(trace, owner)
            table[key] = (place, place.read())
            if len(table) > trace.notes.get("room", ROOM):
                overfull(trace)
        if "lists" not in trace.notes:
            trace.journal.noted.add(id(owner))


def owned(x: Any) -> Any:
    """A container that generated code has made: as long as the trace meets no tensor, changes of it need no note."""
    if quick.calm and (trace := current()) is not None:
        trace.journal.noted.add(id(x))
    return x


def _same(a: Any, b: Any) -> bool:
    return a is b


def dynamic_of(x: Any) -> ListValue | None:
    """The staged content of a Python list or tuple, if it has one."""
    if type(x) is ListValue:
        return x
    if type(x) is ListContents:
        x = x.items
    elif type(x) is RunTuple:
        x = list_of(x)
    elif type(x) is not list:
        return None
    trace = current()
    if trace is None or "lists" not in trace.notes or not has_splices(x):
        return None
    if "sharing" in trace.notes:
        trace.notes["sharing"].flush(x)
    return content_of(x)


def content_of(x: list[Any] | tuple[Any, ...]) -> ListValue:
    """The staged content of a Python list that has one, without what has changed in its elements since."""
    return x[0].value if len(x) == 1 else _joined(x)  # type: ignore[no-any-return]


def put_in(items: Any) -> None:
    """Where lists are references: those among the items of a list become some."""
    trace = STATE.trace
    if trace is not None and "heap" in trace.notes:
        for item in items:
            if type(item) is not Splice:
                trace.notes["heap"].put_in(item)


def _joined(x: list[Any] | tuple[Any, ...]) -> ListValue:
    """The content of a list that Python put together of staged and other items."""
    put_in(x)
    contents = ListContents(tuple(x))
    d = describe(contents)
    assert isinstance(d, Sequence)
    return ListValue(d.element, pack_list(contents, d))


def as_list_value(x: Any) -> ListValue:
    """A Python sequence, or a list with staged content, as a `ListValue`.

    Raises:
      OperatorNotAllowedInGraphError: its elements have no common type.
    """
    dynamic = dynamic_of(x)
    if dynamic is not None:
        return dynamic
    joiner = Joiner()
    element = None
    put_in(x)
    for item in x:
        element = joiner.element(element, loosen(describe(item)))
    d = Sequence(element)
    return ListValue(element, pack_list(list(x), d))


def make_dynamic(x: list[Any]) -> ListValue:
    """Make the content of a Python list staged (its identity stays)."""
    value = as_list_value(x)
    put_content(x, value)
    return value


def put_content(x: list[Any], value: ListValue) -> None:
    """Give a Python list another staged content."""
    trace = STATE.trace
    assert trace is not None
    if "heap" in trace.notes and trace.notes["heap"].of(x) is not None:
        trace.notes["heap"].write(x, value)
        return
    place = ListPlace(trace, x)
    trace.record(place)
    place.write(value)


def emit(
    name: str, inputs: list[Value], attrs: dict[str, Any] | None = None, types: tuple[Any, ...] | None = None
) -> list[Value]:
    trace = STATE.trace
    assert trace is not None
    return trace.builder.emit(get(name), inputs, attrs or {}, types).outputs


def index_value(x: Any) -> Value:
    trace = STATE.trace
    assert trace is not None
    return trace.operand(x)


def scalar_index(index: Tensor) -> Tensor:
    """An index of a list; a truth is 0 or 1, as in Python."""
    kind = index.type
    if kind.dtype.is_bool:
        return op.cast(index, dtype=as_dtype("int64"))  # type: ignore[no-any-return]
    if not kind.dtype.is_integer:
        raise TypeError(f"list indices must be integers or slices, not a {kind.dtype.name} tensor")
    return index


def length(value: ListValue) -> Tensor:
    """`len`, as a staged weak integer."""
    return Tensor(emit("list_len", [value.values[0]])[0])


def element_of(value: ListValue) -> Any:
    if value.element is None:
        raise refusal("empty-list")
    return value.element


def get_element(value: ListValue, index: Any) -> Any:
    """`list[index]` for a staged index.

    Raises:
      IndexError: nothing was ever put into the list.
    """
    element = value.element
    if element is None:
        raise IndexError("list index out of range")
    i = index_value(index)
    types = value_types(element)
    taken = [emit("list_get", [v, i], None, (t,))[0] for v, t in zip(value.values, types, strict=False)]
    return unpack(element, iter(taken))


def get_slice(value: ListValue, index: slice) -> ListValue:
    """`list[a:b:c]`."""
    parts = [None if p is None else p for p in (index.start, index.stop, index.step)]
    spec = tuple(p is not None for p in parts)
    bounds = [index_value(p) for p in parts if p is not None]
    return ListValue(value.element, [emit("list_slice", [v, *bounds], {"spec": spec}, (v.type,))[0] for v in value.values])


def widened(value: ListValue, item: Any) -> tuple[ListValue, list[Value]]:
    """The list with an element type that `item` fits, and the item packed for it."""
    put_in((item,))
    joiner = Joiner()
    element = joiner.element(value.element, loosen(describe(item)))
    assert element is not None
    d = Sequence(element)
    leaves = pack(item, element) or [index_value(0)]
    return ListValue(element, pack_list(value, d)), leaves


def appended(value: ListValue, item: Any) -> ListValue:
    """The list with one more element."""
    wide, leaves = widened(value, item)
    types = list_types(Sequence(wide.element))
    columns = zip(wide.values, leaves, types, strict=True)
    return ListValue(wide.element, [emit("list_append", [v, leaf], None, (t,))[0] for v, leaf, t in columns])


def demanded(value: ListValue) -> ListValue:
    """The list, after an operation that may find no such place: it raises although nobody reads the list."""
    emit("demand", value.values[:1], None, ())
    return value


def set_element(value: ListValue, index: Any, item: Any) -> ListValue:
    """The list with another element at a staged index."""
    wide, leaves = widened(value, item)
    i = index_value(index)
    types = list_types(Sequence(wide.element))
    columns = zip(wide.values, leaves, types, strict=True)
    return ListValue(wide.element, [emit("list_set", [v, i, leaf], None, (t,))[0] for v, leaf, t in columns])


def concatenated(a: Any, b: Any) -> ListValue:
    """`a + b` of two lists of which one is staged."""
    x, y = as_list_value(a), as_list_value(b)
    joiner = Joiner()
    element = joiner.element(x.element, y.element)
    d = Sequence(element)
    types = list_types(d)
    columns = zip(pack_list(x, d), pack_list(y, d), types, strict=True)
    return ListValue(element, [emit("list_concat", [v, w], None, (t,))[0] for v, w, t in columns])


def stacked(value: ListValue, axis: int = 0, rows: bool = False) -> Any:
    """The elements of a staged list as one tensor with a new axis; with `rows`, lists and tuples of equal numbers, too."""
    element = element_of(value)
    columns = zip(value.values, value_types(element), strict=False)
    if rows:
        tensors = [_table(v) if isinstance(t, ListType) else _column(v, t) for v, t in columns]
        out = _side_by_side(element, iter(tensors), 1)
    else:
        out = unpack(_stacked_descriptor(element), iter([_column(v, t) for v, t in columns]))
    return out if axis == 0 else op.moveaxis(out, 0, axis)


def _column(values: Value, kind: Any) -> Value:
    return emit("list_stack", [values], {"element": kind})[0]


def _table(values: Value) -> Value:
    return emit("list_table", [values], {"kind": values.type})[0]


def _side_by_side(element: Any, columns: Iterator[Any], axis: int) -> Any:
    """The columns of a list's elements as one tensor: of numbers themselves; of rows of equal numbers, side by side."""
    if isinstance(element, Sequence) and element.element is not None:
        return _side_by_side(element.element, columns, axis + 1)
    if isinstance(element, Struct) and element.kind in (list, tuple) and element.children:
        types, *others = map(value_types, element.children)
        if all(t == types for t in others):
            return op.stack_arrays(*[_side_by_side(child, columns, axis) for child in element.children], axis=axis)
    return unpack(_stacked_descriptor(element), columns)


def typed(value: ListValue) -> ListValue:
    """A staged list of bare numbers, in rows or not, as one of NumPy's numbers of 64 bits; any other as it is."""
    element = element_of(value)
    strong = _strong(element)
    if strong == element:
        return value
    kinds = zip(value.values, value_types(element), value_types(strong), strict=True)
    return ListValue(strong, [v if k == s else emit("list_cast", [v], {"type": s})[0] for v, k, s in kinds])


def _strong(element: Any) -> Any:
    if isinstance(element, Leaf) and element.type.weak:
        return Leaf(element.type.strong())
    if isinstance(element, Sequence) and element.element is not None:
        return Sequence(_strong(element.element))
    if isinstance(element, Struct) and element.kind in (list, tuple):
        return Struct(element.kind, element.keys, tuple(map(_strong, element.children)))
    return element


def concatenated_tensors(value: ListValue, axis: int = 0) -> Any:
    """The elements of a staged list joined along an axis they have."""
    element = element_of(value)
    _stacked_descriptor(element)
    return Tensor(emit("list_concat_tensors", [value.values[0]], {"axis": axis})[0])


def _stacked_descriptor(element: Any) -> Any:
    if not isinstance(element, Leaf):
        raise refusal("stack-of-structures", element=element)
    return element
