"""Dictionaries with keys that were set on some paths only: their views, and what is read from them."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

from autograph.operators.containers.sharing import sync
from autograph.operators.functions import calls, generators, noted_methods
from autograph.operators.functions.generators import Body, Emitting, Test
from autograph.operators.state.dict_places import note_item
from autograph.operators.state.places import UNBOUND, read_by_name, watch
from autograph.operators.state.regions import current_trace
from autograph.operators.state.stand_ins import stand_in
from autograph.operators.statements.branches import and_, if_exp, if_stmt
from autograph.operators.values.choice import Choice, choice_of, select, without_unbound
from autograph.operators.values.maybe import has_maybe_keys, is_maybe, is_set
from runtime.tensor.dispatch import op
from runtime.tensor.trace import STATE, current

__all__ = ["dict_get", "present", "view"]


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
def _hasattr(owner: Any, name: Any, /) -> Any:
    """`hasattr`: an attribute may have been set on some paths only."""
    if type(name) is Choice:
        return select(name, lambda taken: _hasattr(owner, taken))
    if not hasattr(owner, name):
        return False
    trace = current()  # none in another thread, while this one traces
    return is_set(getattr(owner, name)) if trace is not None and "choices" in trace.notes else True


@stand_in(builtins.getattr)
def _getattr(owner: Any, name: Any, /, *default: Any) -> Any:
    """`getattr` with a default, likewise."""
    if type(name) is Choice:
        return select(name, lambda taken: _getattr(owner, taken, *default))
    trace = current()
    noted = trace is not None and "runs_again" in trace.notes
    value = read_by_name(owner, name, *default) if noted else getattr(owner, name, *default)
    if not default or not is_maybe(value):
        return value
    return if_exp(is_set(value), lambda: without_unbound(value), lambda: default[0])


calls.dict_reads, noted_methods.dict_writes = _read, _write
generators.keys_of = lambda d: view(d, lambda key, _: key) if has_maybe_keys(d) else None
