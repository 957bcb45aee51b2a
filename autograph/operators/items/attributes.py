"""Attributes in converted code: o.a = v, o.a += v, and deleting them; `setattr` and `delattr` do the same."""

from __future__ import annotations

import builtins
from types import FunctionType
from typing import Any
from weakref import CallableProxyType, ProxyType

from autograph.operators.containers.sharing import sync
from autograph.operators.functions.calls import callee
from autograph.operators.functions.unconverted import is_unconverted_module
from autograph.operators.items.items import updated
from autograph.operators.state.places import SET_PAST, note_attribute
from autograph.operators.state.stand_ins import stand_in
from autograph.operators.values import quick
from autograph.operators.values.choice import CHOICES, Choice, bound, select
from autograph.operators.values.links import Linked, row_of
from runtime.tensor.trace import STATE, Trace, current

__all__ = ["aug_attr", "del_attr", "set_attr"]


@stand_in(builtins.setattr)
def set_attr(owner: Any, name: Any, value: Any, /) -> None:
    """`owner.name = value`."""
    if type(value) in CHOICES:
        value = bound(value)
    trace = current()
    if type(name) is Choice:  # of `setattr`
        select(name, lambda taken: set_attr(owner, taken, value))
        return
    if trace is not None and trace.journal:
        if id(owner) in trace.journal.born:
            setattr(owner, name, value)
            return
        if ("attribute", id(owner), name) in trace.journal[-1]:
            setattr(owner, name, value)
            if "sharing" in trace.notes:
                sync(trace)
            return
    kind = type(owner)
    if kind in _PROXIES and (meant := _meant(owner)) is not owner:
        set_attr(meant, name, value)
        return
    if kind is Choice:
        select(owner, lambda taken: set_attr(taken, name, value))
        return
    if trace is None or not _is_set_simply(kind):
        if issubclass(kind, Linked) and name in row_of(owner)[1].columns:
            setattr(owner, name, value)
            return
        if trace is not None and (setter := _method(kind, name, *_SETTING)) is not None:
            setter(owner, value)
            return
    if trace is not None and trace.journal:
        births = trace.notes.get("births")
        if births is None or not births.here(owner, trace):
            note_attribute(trace, owner, name)
        elif "classes" in trace.notes and "lists" not in trace.notes:  # its properties are converted where they are
            trace.journal.born.add(id(owner))
    try:
        setattr(owner, name, value)
    except AttributeError:
        if trace is not None and trace.journal:  # nothing was changed that could be taken back
            trace.journal[-1].pop(("attribute", id(owner), name), None)
        raise
    if trace is not None and "sharing" in trace.notes:
        sync(trace)


_PROXIES = frozenset((ProxyType, CallableProxyType))


def _meant(proxy: Any) -> Any:
    """The object that a weak proxy stands for, which is what is written to; itself where it does not tell."""
    found = getattr(proxy.__init__, "__self__", None)
    return found if type(found) is proxy.__class__ else proxy


def _is_set_simply(kind: type) -> bool:
    """Whether setting an attribute of an instance of a class runs no code of the user's."""
    if kind not in quick.SIMPLE:
        if not kind.__flags__ & _BY_A_STATEMENT:
            return True
        quick.meet_simple(kind)
    return kind in quick.SIMPLE and kind.__setattr__ is _SET


_BY_A_STATEMENT = 1 << 9  # the flag of a class that is not built in


def _method(kind: type, name: str, general: str, special: str, part: str) -> Any:
    """What Python runs to set or delete an attribute, where that is the user's: it notes itself what it changes."""
    own = getattr(kind, general)
    if type(own) is FunctionType and not is_unconverted_module(own.__module__):
        made = callee(own)
        return lambda owner, *value: made(owner, name, *value)
    descriptor = next((vars(c)[name] for c in kind.__mro__ if name in vars(c)), None)
    if type(descriptor) is property:
        accessor = getattr(descriptor, part)
        return None if accessor is None else callee(accessor)
    method = getattr(type(descriptor), special, None)
    if type(method) is not FunctionType or is_unconverted_module(method.__module__):
        return None
    made = callee(method)
    return lambda owner, *value: made(descriptor, owner, *value)


_SET: Any = object.__setattr__
_SETTING = "__setattr__", "__set__", "fset"
_DELETING = "__delattr__", "__delete__", "fdel"


def aug_attr(owner: Any, name: str, sign: str, value: Any) -> None:
    """`owner.name op= value`."""
    set_attr(owner, name, updated(sign, getattr(owner, name), value))


@stand_in(builtins.delattr)
def del_attr(owner: Any, name: str, /) -> None:
    """`del owner.name`."""
    trace = STATE.trace
    if trace is not None and trace.journal and id(owner) in trace.journal.born:
        delattr(owner, name)
        return
    if trace is not None:
        if type(owner) in _PROXIES and (meant := _meant(owner)) is not owner:
            del_attr(meant, name)
            return
        deleter = _method(type(owner), name, *_DELETING)
        if deleter is not None:
            deleter(owner)
            return
        note_attribute(trace, owner, name)
    delattr(owner, name)
    sync(trace)


@stand_in(object.__setattr__)
def _set_past(owner: Any, name: str, value: Any, /) -> None:
    """`object.__setattr__(owner, name, value)`, past a `__setattr__` of the class."""
    trace = STATE.trace
    if trace is not None and id(owner) in trace.journal.born:
        SET_PAST.add(type(owner))
        object.__setattr__(owner, name, value)
        return
    _note(trace, owner, name)
    object.__setattr__(owner, name, value)
    sync(trace)


@stand_in(object.__delattr__)
def _delete_past(owner: Any, name: str, /) -> None:
    """`object.__delattr__(owner, name)`."""
    _note(STATE.trace, owner, name)
    object.__delattr__(owner, name)
    sync(STATE.trace)


def _note(trace: Trace | None, owner: Any, name: str) -> None:
    if trace is not None:
        SET_PAST.add(type(owner))
        note_attribute(trace, owner, name)
