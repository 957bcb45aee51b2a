"""Containers of classes derived from dict and list in what a function returns: taken apart, and made anew at each call.

    return OrderedDict(a=x)    ->    the class, the keys and attributes stay; a, and what else is in it, comes from the run
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

from autograph.operators.state.places import UNBOUND
from autograph.operators.values.choice import choice_of
from runtime.tensor.tensor import is_staged
from runtime.tensor.trace import STATE, Trace

__all__ = ["Shell", "filled", "is_shell", "leaving", "taken_apart"]


class Shell(NamedTuple):
    """A container without what is in it: the last of the names are those of its attributes."""

    kind: type
    factory: Any
    attributes: int


def taken_apart(x: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]] | None:
    """(the shell and names, what they name) of a container that holds something staged; None of anything else."""
    outside = None if STATE.trace is None else STATE.trace.notes.get("leaving")
    if outside is None or not isinstance(x, (dict, list)) or id(x) in outside or not _holds_staged(x, set()):
        return None
    names = _keys(x) if isinstance(x, dict) else ()
    items = tuple(dict.__getitem__(x, k) for k in names) if isinstance(x, dict) else tuple(list.__iter__(x))
    attributes = getattr(x, "__dict__", {})
    shell = Shell(type(x), x.default_factory if isinstance(x, defaultdict) else None, len(attributes))
    return (shell, *names, *attributes), (*items, *attributes.values())


@contextmanager
def leaving(trace: Trace, outside: set[int]) -> Iterator[None]:
    """Within: what a function returns is taken apart, but what it found `outside` (ids) and has written to."""
    trace.notes["leaving"] = outside
    try:
        yield
    finally:
        del trace.notes["leaving"]


def _keys(x: dict[Any, Any]) -> tuple[Any, ...]:
    return tuple(OrderedDict.keys(x)) if isinstance(x, OrderedDict) else tuple(dict.keys(x))


def _holds_staged(x: Any, seen: set[int]) -> bool:
    if is_staged(x) or choice_of(x) is not None:
        return True
    if id(x) in seen:
        return False
    seen.add(id(x))
    held = list(dict.values(x)) if isinstance(x, dict) else list(x) if isinstance(x, (list, tuple)) else []
    if not isinstance(x, (type, FunctionType, ModuleType)):
        held += getattr(x, "__dict__", {}).values()
    return any(_holds_staged(part, seen) for part in held)


def is_shell(keys: tuple[Any, ...]) -> bool:
    """Whether the keys of a structure are those of a container taken apart."""
    return bool(keys) and type(keys[0]) is Shell


def filled(keys: tuple[Any, ...], children: list[Any]) -> Any:
    """A container as it was before it was taken apart, with other things in it."""
    shell, *names = keys
    count = len(children) - shell.attributes
    made = shell.kind.__new__(shell.kind)
    if isinstance(made, list):
        list.extend(made, children[:count])
    else:
        if isinstance(made, defaultdict):
            made.default_factory = shell.factory
        own: Any = OrderedDict if isinstance(made, OrderedDict) else dict
        for name, child in zip(names, children[:count], strict=False):
            if child is not UNBOUND:
                own.__setitem__(made, name, child)
    for name, child in zip(names[len(names) - shell.attributes :], children[count:], strict=True):
        if child is not UNBOUND:
            made.__dict__[name] = child
    return made
