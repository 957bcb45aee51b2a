"""Tables of objects that refer to others of their kind, where only the run knows which of them is which.

    class Node: value, next           values, nexts = [], []
    n = Node(x, head)          ->     values.append(x); nexts.append(head); n = row len(values) - 1
    n.next = m                 ->     nexts[n] = m

The function is traced so where following the objects themselves does not do: a chain that a loop makes longer has another
type at each turn. The lists of a table are lists of the trace as the user's are, and so is all that loops and branches do
to them.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable
from sys import getrefcount
from typing import Any

from autograph.errors.refusals import refusal
from autograph.operators.containers.sharing import sync
from autograph.operators.functions import constructors
from autograph.operators.functions.calls import callee
from autograph.operators.items.items import get_item, set_item
from autograph.operators.state.births import births_of
from autograph.operators.state.plain import NUMBERS
from autograph.operators.state.stand_ins import STAND_INS, stand_in
from autograph.operators.values import quick
from autograph.operators.values.choice import choice_of
from autograph.operators.values.descriptors import attributes_of
from autograph.operators.values.forms import Descriptor, OneOf, Sequence, Struct
from autograph.operators.values.links import Linked, link, row_of
from runtime.tensor import tensor as tensor_module
from runtime.tensor.dispatch import op
from runtime.tensor.trace import Trace, current

__all__ = ["are_one_object", "close", "stay_inside", "tables_for"]


class Table:
    """The objects of a class, or what is written out with the same keys, that a trace has made."""

    def __init__(self, kind: type, names: Iterable[Any]) -> None:
        self.kind = kind
        self.columns: dict[Any, list[Any]] = {name: [] for name in names}

    def read(self, row: Any, name: Any) -> Any:
        """`object.name`."""
        return get_item(self.columns[name], row)

    def write(self, row: Any, name: Any, value: Any) -> None:
        """`object.name = value`."""
        if name not in self.columns:
            raise refusal("shared-list")
        set_item(self.columns[name], row, value)

    def put(self, x: Any) -> Any:
        """What stands for a new object."""
        held = attributes_of(x)
        if held is None or held.keys() != self.columns.keys():
            raise refusal("shared-list")
        trace = current()
        assert trace is not None
        if getrefcount(x) > _ALONE + sum(value is x for value in held.values()) + births_of(trace).holds(x):
            raise refusal("shared-list")  # whom it has told of itself would not see what happens to the row
        made = link(self.kind, STAND_INS[len](next(iter(self.columns.values()))), self)
        for name, column in self.columns.items():
            callee(column.append)(made if held[name] is x else held[name])
        sync(current())
        return made

    def put_items(self, items: list[Any]) -> Any:
        """What stands for what was just written out."""
        made = link(self.kind, STAND_INS[len](next(iter(self.columns.values()))), self)
        for column, item in zip(self.columns.values(), items, strict=True):
            callee(column.append)(item)
        sync(current())
        return made


def _holders(x: Any) -> int:
    return getrefcount(x)


_ALONE = _holders(object())
_kinds: dict[type, type] = {}


def _kind(cls: type) -> type:
    """The class of what stands for objects of a class."""
    made = _kinds.get(cls)
    if made is None:
        own: dict[str, Any] = {"__python_class__": cls, "_refuse": classmethod(_refuse), "__qualname__": cls.__qualname__}
        if _own(cls, "__eq__") is object.__eq__:
            own |= {"__eq__": _equal, "__ne__": _differs}
        made = type(cls.__name__, (Linked, cls), {**own, "__hash__": _hash, "__module__": cls.__module__})
        _kinds[cls] = made
        quick.STANDING_IN.add(made)
        quick.POSING.add(made)
    return made


def _own(cls: Any, name: str) -> Any:
    return getattr(cls, name)


def _refuse(cls: type) -> Any:
    raise refusal("shared-list")


def _equal(a: Any, b: Any) -> Any:
    return are_one_object(a, b) if isinstance(b, Linked) else NotImplemented


def _differs(a: Any, b: Any) -> Any:
    one = _equal(a, b)
    return one if one is NotImplemented else op.logical_not(one)


def _hash(x: Any) -> int:
    tensor_module.hash_hook()
    raise refusal("number-as-key")


@stand_in(builtins.id)
def _id(x: Any) -> int:
    if type(x) not in NUMBERS:
        choice = choice_of(x)
        if isinstance(x, Linked) if choice is None else any(isinstance(one, Linked) for one in choice._alternatives):
            raise refusal("shared-list")
    return id(x)


def are_one_object(a: Any, b: Any) -> Any:
    """`a is b`, of objects in tables."""
    (row, table), (other, others) = row_of(a), row_of(b)
    return op.equal(row, other) if table is others else False


def tables_for(trace: Trace, made: dict[Any, Any], records: bool) -> None:
    """Objects of these classes, with these attributes, are rows of tables in this trace; `records` says that what is written
    out with keys is, too."""
    tables = trace.notes["tables"] = {cls: Table(_kind(cls), names) for cls, names in made.items() if isinstance(cls, type)}
    if records:
        tables.update((keys, Table(record_hook(keys), names)) for keys, names in made.items() if not isinstance(keys, type))


record_hook: Any = None  # the class of what stands for what is written out with keys; put there by `items.records`


def _made_in_table(trace: Trace, cls: type, make: Callable[..., Any]) -> Any:
    table = trace.notes["tables"].get(cls)
    if table is None:
        return make

    def construct(*args: Any, **kwargs: Any) -> Any:
        return table.put(make(*args, **kwargs))

    return construct


constructors.table_hook = _made_in_table


def close(trace: Trace) -> None:
    """The function ends: its tables are no state of it."""
    for table in trace.notes["tables"].values():
        for column in table.columns.values():
            trace.journal[-1].pop(("list", id(column)), None)


def stay_inside(trace: Trace, descriptors: Iterable[Descriptor]) -> None:
    """Refuse that a function leaves objects of tables to others: those could have them by their rows only."""
    if "tables" in trace.notes and any(map(_holds_rows, descriptors)):
        raise refusal("shared-list")


def _holds_rows(d: Descriptor | None) -> bool:
    if isinstance(d, Struct):
        return issubclass(d.kind, Linked) or any(map(_holds_rows, d.children))
    if isinstance(d, OneOf):
        return any(map(_holds_rows, d.alternatives))
    return isinstance(d, Sequence) and _holds_rows(d.element)
