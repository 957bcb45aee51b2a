"""Methods of lists that compare elements one by one: index, count, remove.

    i = xs.index(x)   ->   i = -1
                           for e in xs: if i < 0 and e == x: i = k ...
                           if i < 0: raise ValueError("x is not in list")
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

from autograph.operators.containers.list_methods import ListMethod
from autograph.operators.containers.lists import dynamic_of, note_list
from autograph.operators.expressions.comparisons import eq
from autograph.operators.items.for_loops import for_stmt
from autograph.operators.state.regions import current_trace
from autograph.operators.state.stand_ins import STAND_INS, stand_in
from autograph.operators.statements.asserts import raised
from autograph.operators.statements.branches import if_exp
from autograph.operators.values.listvalue import new_list
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.typesys.errors import OperatorNotAllowedInGraphError

__all__: list[str] = []


def _visited(xs: list[Any], body: Callable[[Any], None], names: tuple[str, ...]) -> None:
    """Call `body` with each element; it writes its own variables of these names."""
    value = dynamic_of(xs)
    if value is not None:
        for_stmt(new_list(value), body, names)
        return
    for e in xs:
        body(e)


def _equal(e: Any, x: Any) -> Any:
    if e is x:
        return True
    found = eq(e, x)
    return op.all(found) if isinstance(found, Tensor) else found


def _place(xs: list[Any], x: Any, start: Any, stop: Any, message: str) -> Any:
    """The first place between two others whose element equals `x`.

    Raises:
      ValueError: when the graph runs, where there is none.
    """
    place: Any = -1
    k: Any = 0

    def body(e: Any) -> None:
        nonlocal place, k
        here = op.logical_and(op.less(place, 0), _equal(e, x))
        if start is not None:
            here = op.logical_and(here, op.greater_equal(k, start))
        if stop is not None:
            here = op.logical_and(here, op.less(k, stop))
        place = op.where(here, k, place)
        k = k + 1

    def missing() -> None:
        raise raised(ValueError(message))

    _visited(xs, body, ("place", "k"))
    if_exp(op.less(place, 0), missing, lambda: None)
    return place


def _bound(xs: list[Any], index: Any) -> Any:
    """An end of a part as Python counts it: from the end where it is negative."""
    if index is None or (isinstance(index, int) and index >= 0):
        return index
    length = STAND_INS[builtins.len](xs)
    return op.where(op.less(index, 0), op.add(index, length), index)


def _by_python(xs: list[Any], method: str, *args: Any) -> Any:
    """What Python finds, where nothing staged is compared; else _STAGED."""
    if dynamic_of(xs) is None:
        try:
            return getattr(xs, method)(*args)
        except OperatorNotAllowedInGraphError:
            pass
    return _STAGED


_STAGED = object()


@stand_in(list.index)
def index(xs: list[Any], x: Any, start: Any = None, stop: Any = None) -> Any:
    """`xs.index(x)`."""
    ends = (0 if start is None else start,) if stop is None else (start, stop)
    found = _by_python(xs, "index", x, *ends)
    return found if found is not _STAGED else _place(xs, x, _bound(xs, start), _bound(xs, stop), f"{x} is not in list")


@stand_in(list.count)
def count(xs: list[Any], x: Any) -> Any:
    """`xs.count(x)`."""
    found: Any = _by_python(xs, "count", x)
    if found is not _STAGED:
        return found
    found = 0

    def body(e: Any) -> None:
        nonlocal found
        found = op.where(_equal(e, x), found + 1, found)

    _visited(xs, body, ("found",))
    return found


@stand_in(list.remove)
def remove(xs: list[Any], x: Any) -> None:
    """`xs.remove(x)`."""
    note_list(current_trace(), xs)
    if _by_python(xs, "remove", x) is _STAGED:
        ListMethod(xs, "pop")(_place(xs, x, None, None, "list.remove(x): x not in list"))
