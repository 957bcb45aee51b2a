"""Iterators of the user's own: a loop over one asks its `__next__` at each turn, as long as the loop goes on.

    for x in countdown: body    ->    while more: try: x = countdown.__next__()  except StopIteration: more = False
                                                  else: body

So only the run may know when the iterator ends, or how many items a loop takes that it may leave.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

from autograph.operators.state.places import watch
from autograph.operators.state.regions import current_trace
from autograph.operators.statements import truth
from autograph.operators.statements.branches import and_
from autograph.operators.statements.tries import try_stmt
from autograph.operators.statements.while_loops import while_stmt
from autograph.operators.values.specials import leads_to_tensor

__all__ = ["has_own_next", "next_or", "steps"]


def has_own_next(x: Any) -> bool:
    """Whether a class of the user's says what the next item is."""
    return type(getattr(type(x), "__next__", None)) is FunctionType and truth.special_hook(x, "__next__") is not None


def steps(iterator: Any) -> Callable[[Any, Any], None] | None:
    """What calls a body for each item of such an iterator, as long as a test says so; None for what Python asks."""
    if not has_own_next(iterator):
        return None
    return lambda body, test: _step(iterator, truth.special_hook(iterator, "__next__"), body, test)


def next_or(iterator: Any, default: Any) -> Any:
    """`next(iterator, default)` of an iterator of the user's own."""
    following = truth.special_hook(iterator, "__next__")
    item: Any = None

    def take() -> None:
        nonlocal item
        item = following()

    def ended(_: Any = None) -> None:
        nonlocal item
        item = default

    _take(iterator, take, ended, None, ("item",))
    return item


def _take(
    iterator: Any,
    take: Callable[[], None],
    ended: Callable[[Any], None],
    given: Callable[[], None] | None,
    names: tuple[str, ...],
) -> None:
    if leads_to_tensor([iterator]):
        try_stmt(take, ((lambda: StopIteration, ended),), given, names)
        return
    try:
        take()
    except StopIteration:
        ended(None)
    else:
        if given is not None:
            given()


def _step(iterator: Any, following: Callable[[], Any], body: Callable[[Any], None], test: Callable[[], Any] | None) -> None:
    more: Any = True
    item: Any = None

    def take() -> None:
        nonlocal item
        item = following()

    def ended(_: Any = None) -> None:
        nonlocal more
        more = False

    def given() -> None:
        trace = current_trace()
        if type(body) is FunctionType:
            watch(trace, body)
        body(item)

    def turn() -> None:
        watch(current_trace(), take)  # where nothing fails in the run, it is called as it is
        _take(iterator, take, ended, given, ("item", "more"))

    def go_on() -> Any:
        return more if test is None else and_(more, test)

    while_stmt(go_on, turn, ("more",))
