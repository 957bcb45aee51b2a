"""Dictionaries with keys that were set on some paths only: their length, their views, and what is read from them."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

from autograph.operators.containers.sharing import sync
from autograph.operators.functions import calls, generators
from autograph.operators.functions.generators import Body, Emitting, Test
from autograph.operators.state.dict_places import note_item
from autograph.operators.state.places import UNBOUND, read_by_name, watch
from autograph.operators.state.regions import current_trace
from autograph.operators.state.stand_ins import stand_in
from autograph.operators.statements.branches import and_, if_exp, if_stmt
from autograph.operators.values.choice import CHOICES, choice_of, without_unbound
from runtime.tensor.dispatch import op
from runtime.tensor.trace import STATE, current

__all__ = ["dict_get", "has_maybe_keys", "is_maybe", "is_set", "length", "present", "view"]


def has_maybe_keys(d: Any) -> bool:
    """Whether some key of a dictionary was set on some paths only."""
    trace = STATE.trace
    return trace is not None and "choices" in trace.notes and any(map(is_maybe, d.values()))


def is_maybe(x: Any) -> bool:
    """Whether a value is unbound on some paths."""
    return type(x) in CHOICES and any(a is UNBOUND for a in choice_of(x)._alternatives)  # type: ignore[union-attr]


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


def present(value: Any, key: Any) -> Any:
    """A dictionary's value; where its key is not there on the path taken, KeyError when the graph runs."""
    if not is_maybe(value):
        return value
    choice = choice_of(value)
    assert choice is not None
    if STATE.trace is not None:
        absent = [(i, KeyError, key) for i, a in enumerate(choice._alternatives) if a is UNBOUND]
        op.require_alternative(choice._tag, index=-1, errors=tuple(absent))
    return without_unbound(value)


def length(d: dict[Any, Any]) -> Any:
    """`len(d)`."""
    count: Any = 0
    for value in d.values():
        count = op.add(count, op.to_python(is_set(value), kind="int")) if is_maybe(value) else op.add(count, 1)
    return count


def dict_get(d: dict[Any, Any], key: Any, default: Any = None) -> Any:
    """`d.get(key, default)`."""
    value = d.get(key, default)
    if not is_maybe(value):
        return value
    return if_exp(is_set(value), lambda: without_unbound(value), lambda: default)


def view(d: dict[Any, Any], item: Callable[[Any, Any], Any]) -> Emitting:
    """The items of a dictionary in their order, as `item(key, value)`."""

    def run(body: Body, test: Test) -> None:
        go_on: Any = True
        for key, value in list(d.items()):

            def step(key: Any = key, value: Any = value) -> None:
                watch(current_trace(), body)
                body(item(key, without_unbound(value) if is_maybe(value) else value))

            taken = is_set(value) if go_on is True else and_(go_on, lambda value=value: is_set(value))  # type: ignore[misc]
            if_stmt(taken, step, None, ())
            if test is not None:
                go_on = test()

    return Emitting(run, once=False, again=True)


def _read(name: str, d: dict[Any, Any], *args: Any) -> Any:
    if name == "get":
        return dict_get(d, *args)
    return view(d, {"keys": lambda k, _: k, "values": lambda _, v: v, "items": lambda k, v: (k, v)}[name])


def _write(name: str, d: dict[Any, Any], key: Any, *default: Any) -> Any:
    """`d.setdefault(key, default)` or `d.pop(key, default)` of a key that was set on some paths only."""
    value = d[key]
    note_item(current_trace(), d, key)
    if name == "pop" and not default:
        found = present(value, key)
    else:
        found = if_exp(is_set(value), lambda: without_unbound(value), lambda: default[0] if default else None)
    if name == "pop":
        del d[key]
    else:
        d[key] = found
    sync(STATE.trace)
    return found


@stand_in(builtins.hasattr)
def _hasattr(owner: Any, name: str, /) -> Any:
    """`hasattr`: an attribute may have been set on some paths only."""
    if not hasattr(owner, name):
        return False
    trace = current()  # none in another thread, while this one traces
    return is_set(getattr(owner, name)) if trace is not None and "choices" in trace.notes else True


@stand_in(builtins.getattr)
def _getattr(owner: Any, name: str, /, *default: Any) -> Any:
    """`getattr` with a default, likewise."""
    trace = current()
    noted = trace is not None and "runs_again" in trace.notes
    value = read_by_name(owner, name, *default) if noted else getattr(owner, name, *default)
    if not default or not is_maybe(value):
        return value
    return if_exp(is_set(value), lambda: without_unbound(value), lambda: default[0])


calls.dict_reads, calls.dict_writes = _read, _write
generators.keys_of = lambda d: view(d, lambda key, _: key) if has_maybe_keys(d) else None
