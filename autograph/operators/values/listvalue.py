"""`ListValue`: a Python list whose length is only known at run time, as graph lists (one per leaf of its elements)."""

from __future__ import annotations

import weakref
from typing import Any

from autograph.errors.refusals import refusal
from autograph.operators.state.plain import NUMBERS
from runtime.ir.graph import Value
from runtime.tensor import tensor as tensor_module
from runtime.tensor import trace as trace_module
from runtime.tensor.trace import STATE, Trace, current

__all__ = [
    "Contents", "ListContents", "ListValue", "RunTuple", "Splice", "expect_lists", "has_splices", "list_of", "new_list",
    "run_tuple",
]  # fmt: skip


class ListValue:
    """Content of a staged list: the element's descriptor (None while it is known to be empty) and its graph lists."""

    __slots__ = ("element", "splices", "values")

    def __init__(self, element: Any, values: list[Value]) -> None:
        self.element = element
        self.values = values
        self.splices: list[weakref.ref[Splice]] = []  # what stands for it in Python lists

    def stands_in(self, splice: Splice) -> None:
        """Note what stands for it. What is put back and taken away again leaves many references to the dead."""
        if len(self.splices) > _SOME:
            self.splices[:] = [r for r in self.splices if r() is not None]
        self.splices.append(weakref.ref(splice))

    def __repr__(self) -> str:
        return f"<staged list of {self.element}>"


_SOME = 3


class ListContents:
    """The elements of a Python list at one time."""

    __slots__ = ("items",)

    def __init__(self, items: tuple[Any, ...]) -> None:
        self.items = items  # no list: those that hold splices are looked for (see `held`)

    def __repr__(self) -> str:
        return f"<contents {list(self.items)}>"


class Contents:
    """The content of another container at one time: its class, and its items (a frozenset, bytes, an array or a tuple)."""

    __slots__ = ("items", "kind")

    def __init__(self, kind: type, items: Any) -> None:
        self.kind = kind
        self.items = items

    def same(self, other: Contents) -> bool:
        """Whether both are the same objects in the same places."""
        a, b = self.items, other.items
        if self.kind is not other.kind or len(a) != len(b):
            return False
        if type(a) is tuple:
            return all(x is y or (type(x) in NUMBERS and type(x) is type(y) and x == y) for x, y in zip(a, b, strict=True))
        return a.tobytes() == b.tobytes() if hasattr(a, "tobytes") else bool(a == b)

    def __repr__(self) -> str:
        return f"<contents of a {self.kind.__name__}>"


class Splice:
    """Stands in a Python list for items known only at run time, as they were when it was put there.

    Python copies and joins lists without asking anyone; a splice goes along, and still says what it stands for. It
    refuses any use as an item.
    """

    __slots__ = ("__weakref__", "_source", "_value")

    def __init__(self, value: Any, source: Any = None) -> None:
        self._value = value
        self._source = source  # what knows the content now, of the list that this is the content of (see `heap`)
        if source is None:
            value.stands_in(self)

    @property
    def value(self) -> Any:
        """The content, a `ListValue`."""
        return self._value if self._source is None else self._source.content()

    def fix(self, value: ListValue) -> None:
        """From now on it stands for `value`."""
        self._value, self._source = value, None
        value.stands_in(self)

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise refusal("list-in-python")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)  # protocols that are only asked for: inspect, copy, pickle
        return self._refuse()

    __add__ = __radd__ = __mul__ = __rmul__ = __sub__ = __rsub__ = __array__ = __float__ = (
        __int__
    ) = __bool__ = _refuse
    __eq__ = __lt__ = __gt__ = __le__ = __ge__ = __iter__ = __len__ = __getitem__ = __call__ = __index__ = _refuse
    __hash__ = _refuse  # type: ignore[assignment]

    def __repr__(self) -> str:
        return "<content known at run time>"


def new_list(value: ListValue) -> list[Any]:
    """A new Python list object with staged content."""
    assert STATE.trace is not None
    expect_lists(STATE.trace)
    return [Splice(value)]


class RunTuple(tuple[Any, ...]):
    """A tuple of which only the run knows how many items it has: they are those of a list, which nobody else has.

    So what is known of lists holds for it: whose its items are, and what becomes of them. `list_of` gives the list.
    """

    __slots__ = ()
    __python_class__: type = tuple

    def _refuse(self, *_: Any) -> Any:
        raise refusal("list-in-python")

    __iter__ = __len__ = __getitem__ = _refuse  # type: ignore[assignment]

    def __hash__(self) -> int:
        tensor_module.hash_hook()
        raise refusal("number-as-key")

    def __add__(self, other: Any) -> Any:
        return run_tuple(list_of(self) + _listed(other)) if isinstance(other, tuple) else NotImplemented

    def __radd__(self, other: Any) -> Any:
        return run_tuple(_listed(other) + list_of(self)) if isinstance(other, tuple) else NotImplemented

    def __mul__(self, count: Any) -> Any:
        return run_tuple(list_of(self) * count) if type(count) is int else NotImplemented

    __rmul__ = __mul__

    def __repr__(self) -> str:
        return "<tuple known at run time>"


def run_tuple(items: list[Any]) -> RunTuple:
    """A tuple of the items of a new list with staged content."""
    return RunTuple((items,))


def list_of(x: RunTuple) -> list[Any]:
    """The list that has the items of a tuple."""
    return tuple.__getitem__(x, 0)  # type: ignore[no-any-return]


def _listed(x: tuple[Any, ...]) -> list[Any]:
    return list_of(x) if type(x) is RunTuple else list(x)


def expect_lists(trace: Trace) -> None:
    """From now on lists may have staged content."""
    if "lists" not in trace.notes:
        trace.notes["lists"] = True
        trace.journal.forget()
        trace.calls.clear()
        trace_module.unusual(trace)


def has_splices(x: Any) -> bool:
    """Whether a Python list or tuple has staged content."""
    trace = current()
    return trace is not None and "lists" in trace.notes and any(type(e) is Splice for e in x)
