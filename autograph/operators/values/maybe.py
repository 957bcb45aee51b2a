"""Values that are unbound on some paths, and dictionaries that hold such: their keys were set on some paths only."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from autograph.operators.state import regions
from autograph.operators.state.places import UNBOUND
from autograph.operators.values import choice as choice_module
from autograph.operators.values.choice import CHOICES, choice_of, is_read, without_unbound
from autograph.operators.values.listvalue import ListContents
from runtime.tensor.dispatch import op
from runtime.tensor.trace import STATE

__all__ = ["has_maybe_keys", "is_maybe", "is_set", "length", "merged", "otherwise"]


def has_maybe_keys(d: dict[Any, Any]) -> bool:
    """Whether some key of a dictionary was set on some paths only."""
    trace = STATE.trace
    return trace is not None and "choices" in trace.notes and any(map(is_maybe, d.values()))


def is_maybe(x: Any) -> bool:
    """Whether an item is unbound on some paths: it is not there. (A name that is unbound could not be put there.)"""
    if type(x) not in CHOICES or not any(a is UNBOUND for a in choice_of(x)._alternatives):  # type: ignore[union-attr]
        return False
    return not is_read(x)


def _read_items(values: list[Any]) -> None:
    """A name that nothing is bound to, of which a dictionary was written that a path leaves behind, raises there: after the
    paths have met it would be an item that is not there."""
    pending, seen = values, set()
    while pending:
        x = pending.pop()
        if type(x) is ListContents:
            x = x.items
        if type(x) is dict:
            held = list(x.values())
        elif type(x) in (list, tuple) and not _HOLDERS.isdisjoint(map(type, x)):
            held = list(x)
        else:
            continue
        if id(x) not in seen:
            seen.add(id(x))
            pending += held
            for item in held if type(x) is dict else ():
                is_read(item)


regions.read_items = _read_items
_HOLDERS = frozenset((dict, list, tuple))


def is_set(x: Any) -> Any:
    """Whether a value is bound on the path taken: True, or a staged truth."""
    if not is_maybe(x):
        return True
    choice = choice_of(x)
    assert choice is not None
    result: Any = False
    for i, alternative in enumerate(choice._alternatives):
        if alternative is not UNBOUND:
            hit = op.equal(choice._tag, i)
            result = hit if result is False else op.logical_or(result, hit)
    return result


def merged(d: dict[Any, Any], more: dict[Any, Any]) -> dict[Any, Any]:
    """What `d.update(more)` puts into `d`: what it has at keys that are not there in `more` on the path taken stays."""
    if not has_maybe_keys(more):
        return more
    return {k: otherwise(v, partial(d.get, k)) if is_maybe(v) and k in d else v for k, v in more.items()}


def otherwise(value: Any, other: Callable[[], Any]) -> Any:
    """A value that is unbound on some paths; on these `other()`."""
    return choice_module.branch_hook(is_set(value), lambda: without_unbound(value), other)


def length(d: dict[Any, Any]) -> Any:
    """`len(d)`."""
    count: Any = 0
    for value in d.values():
        count = op.add(count, op.to_python(is_set(value), kind="int")) if is_maybe(value) else op.add(count, 1)
    return count
