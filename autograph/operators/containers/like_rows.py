"""Rows of one type in a Python list, of which a number of the run's picks one: as items of one list of the graph.

    rows[i][j]           ->    list_get(list_get(table, i), j)
    rows[i][j] = v       ->    table = list_set(table, i, list_set(list_get(table, i), j, v))
                               rows[0], rows[1], ... hold list_get(table, 0), list_get(table, 1), ...

Each row stays the list that it is: who else holds it sees what it holds now. As long as all hold what the table gave them,
the table is there for the next pick.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograph.operators.containers.lists import (
    dynamic_of,
    emit,
    get_element,
    index_value,
    put_content,
    set_element,
)
from autograph.operators.state.nesting import is_open, outwards
from autograph.operators.state.regions import inside
from autograph.operators.values.descriptors import Leaf, Sequence, value_types
from autograph.operators.values.listvalue import ListValue, Splice
from autograph.operators.values.packing import pack_list
from runtime.ir.build import Region
from runtime.ir.graph import Node, Value
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import Trace
from runtime.typesys.dtypes import dtype_of_python
from runtime.typesys.spec import TensorType

__all__ = ["PLACES", "item_of_row", "store_in_row", "table_of"]

_FEW = 3  # rows up to which each is asked by itself
_NUMBERS = (bool, int, float)
PLACES = (int, Tensor)
"""Types of what an item of a row is picked by."""
_KNOWN = "like rows"  # a note: tables, by the ids of lists that had such rows


class _Table:
    """A list of the graph that holds what rows hold."""

    __slots__ = ("content", "held", "node", "place")

    def __init__(self, held: tuple[Any, ...], content: ListValue) -> None:
        self.held = held
        self.content = content
        node = content.values[0].node
        assert node is not None
        self.node: Node = node
        self.place = len(content.values[0].graph.nodes) - 1  # nodes of a trial are dropped again

    def is_there(self, trace: Trace, held: tuple[Any, ...]) -> bool:
        """Whether it holds what rows hold that hold `held`, and can be asked here."""
        graph = self.content.values[0].graph
        if len(held) != len(self.held) or not is_open(trace, graph):
            return False
        if self.place >= len(graph.nodes) or graph.nodes[self.place] is not self.node:
            return False
        return all(map(_same, held, self.held))


def _same(a: Any, b: Any) -> bool:
    if type(a) is tuple:
        return type(b) is tuple and len(a) == len(b) and all(x is y for x, y in zip(a, b, strict=True))
    return a is b


def table_of(trace: Trace | None, x: Any) -> ListValue | None:
    """What a list of several lists of bare numbers of one type holds, as one list of the graph; None for any other."""
    if trace is None or type(x) is not list or len(x) <= _FEW or "heap" in trace.notes:
        return None
    types: set[TensorType] = set()
    held: list[Any] = []
    for row in x:
        if type(row) is not list:
            return None
        content = _held(trace, row, types)
        if content is None or len(types) > 1:
            return None
        held.append(content)
    if not types:
        return None
    known = trace.notes.setdefault(_KNOWN, {})
    table: _Table | None = known.get(id(x))
    if table is None or not table.is_there(trace, tuple(held)):
        element = Sequence(Leaf(types.pop()))
        with inside(trace, _region_of(trace, held)):
            table = _Table(tuple(held), ListValue(element, pack_list(list(x), Sequence(element))))
        known[id(x)] = table
    return table.content


def _region_of(trace: Trace, held: list[Any]) -> Region:
    """The outermost region in which all is known that rows hold: a loop's turns need not ask for it again."""
    regions = list(outwards(trace.builder.region))
    depths = {region.graph: depth for depth, region in enumerate(regions)}
    values = (v for part in held for v in (part if type(part) is tuple else part.values) if type(v) is Value)
    return regions[min((depths.get(v.graph, 0) for v in values), default=-1)]


def _held(trace: Trace, row: list[Any], types: set[TensorType]) -> Any:
    """What a row holds: its list of the graph, or a tuple of numbers and graph values; None if it is no row of numbers.
    (Neither the row nor the tensors in it: who holds those is counted.)"""
    if len(row) == 1 and type(row[0]) is Splice:
        content = dynamic_of(row)
        assert content is not None
        if content.element is not None:
            if not isinstance(content.element, Leaf) or content.element.type.shape != ():
                return None
            types.add(content.element.type)
        return content
    held: list[Value | int | float] = []
    for item in row:
        if type(item) is Tensor:
            if item.type.shape != ():
                return None
            types.add(item.type)
            held.append(trace.value_of(item))
        elif type(item) in _NUMBERS:
            types.add(_TYPES[type(item)])
            held.append(item)
        else:
            return None
    return tuple(held)


_TYPES = {kind: TensorType(dtype_of_python(kind(0)), (), weak=True) for kind in _NUMBERS}


def _row(table: ListValue, index: Any) -> ListValue:
    assert isinstance(table.element, Sequence)
    (kind,) = value_types(table.element)
    return ListValue(table.element.element, emit("list_get", [table.values[0], index_value(index)], None, (kind,)))


def item_of_row(table: ListValue, index: Any, item: Any) -> Any:
    """`rows[index][item]`."""
    return get_element(_row(table, index), item)


def store_in_row(
    trace: Trace | None, x: Any, index: Tensor, item: Any, new: Callable[[Callable[[], Any]], Any]
) -> Callable[[Any], Any] | None:
    """`x[index][item] = new(old)`, where `old` gives what is there; None if that is done.

    If it cannot be done so, what gives the new value is returned.
    """
    table = table_of(trace, x)
    if trace is None or table is None or not index.type.dtype.is_integer or len(set(map(id, x))) < len(x):
        return new
    row = _row(table, index)
    value = new(lambda: get_element(row, item))
    if type(value) in _NUMBERS or (type(value) is Tensor and value.type.shape == ()):
        _give(trace, x, set_element(table, index, set_element(row, item, value)))
        return None
    return lambda _: value


def _give(trace: Trace, x: list[Any], table: ListValue) -> None:
    """Rows hold what a table holds."""
    known = _Table((), table)
    held = []
    for k, row in enumerate(x):
        content = _row(table, k)
        put_content(row, content)
        held.append(content)
    known.held = tuple(held)
    trace.notes[_KNOWN][id(x)] = known
