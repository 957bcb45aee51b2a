"""Instances of the user's classes: made by Python, initialised by converted code."""

from __future__ import annotations

import weakref
from collections import deque
from dataclasses import MISSING, fields, is_dataclass
from functools import partial
from operator import is_
from types import BuiltinFunctionType, CellType, FunctionType
from typing import Any

from autograph.load.cache import is_converted
from autograph.operators.functions.unconverted import is_unconverted_module
from autograph.operators.state.births import note_birth
from autograph.operators.values import quick, specials
from autograph.operators.values.descriptors import attributes_of, is_plain_class
from autograph.operators.values.specials import meet_class
from runtime.tensor.trace import Trace, current

__all__ = ["NEW", "NEW_CONTAINERS", "constructor", "new_container", "new_instance"]

NEW = object.__new__
_constructed: dict[int, tuple[Any, ...]] = {}  # by id of a class: it, its __init__ and __new__, what makes instances


def constructor(trace: Trace, cls: type) -> Any:
    """What is called for a class. One whose `__init__` is the user's: made by Python, initialised by converted code."""
    init = cls.__init__  # type: ignore[misc]
    known = _constructed.get(id(cls))
    if known is None or known[1] is not init or known[2] is not cls.__new__:
        key = id(cls)
        kept = weakref.ref(cls, lambda _: _constructed.pop(key, None))
        known = _constructed[key] = kept, init, cls.__new__, _maker(cls, init) or (_noted if is_dataclass(cls) else None)
    meet_class(trace, cls)
    make = cls if known[3] is None else partial(known[3], cls)
    return table_hook(trace, cls, make) if "tables" in trace.notes else make


table_hook: Any = None  # what makes objects that are rows of tables; put there by `items.linked`


def _noted(cls: type, /, *args: Any, **kwargs: Any) -> Any:
    made = cls(*args, **kwargs)
    trace = current()
    if trace is not None:
        _note(trace, cls, made)
    return made


def _note(trace: Trace, cls: type, made: Any) -> None:
    """Note a class of which objects may refer to others, and their attributes."""
    if (found := trace.notes.get("constructed")) is None:
        return
    known, held = found.get(cls), attributes_of(made)
    if known is not None and held is not None and tuple(held) == known:  # as most of them
        return
    if known is None:
        others = trace.notes.setdefault("other classes", set())
        if cls in others:
            return
        if not is_user_class(cls):
            others.add(cls)
            return
    if held:
        found[cls] = (*(known or ()), *(name for name in held if name not in (known or ())))


def _maker(cls: type, init: Any) -> Any:
    """What makes instances, given the class; None where it does so itself."""
    made_so: Any = cls.__new__
    if type(made_so) is BuiltinFunctionType and made_so in NEW_CONTAINERS and type(cls).__call__ is type.__call__:
        own = type(init) is FunctionType and (is_converted(init.__code__) or not is_unconverted_module(cls.__module__))
        return _construct_container if own else None
    if made_so is not NEW or type(cls).__call__ is not type.__call__ or issubclass(cls, BaseException):
        return None
    if init is object.__init__ and (quick.is_object(cls) or not is_unconverted_module(cls.__module__)):
        return new_instance
    if type(init) is not FunctionType:
        return None
    if (with_factories := _with_factories(cls, init)) is not None:
        return partial(_initialised, with_factories)
    if not is_converted(init.__code__) and (is_unconverted_module(cls.__module__) or specials.callee(init) is init):
        return None
    return _construct


def new_instance(cls: Any, /, *args: Any, **kwargs: Any) -> Any:
    """`object.__new__`; what it makes is born in the open region."""
    made: Any = NEW(cls, *args, **kwargs) if args or kwargs else NEW(cls)
    trace = current()
    if trace is not None:
        if quick.calm:
            key = id(made)
            quick.early.add(key)
            trace.journal.born.add(key)
        else:
            note_birth(trace, made)
    return made


def new_container(make: Any, cls: Any, /, *args: Any, **kwargs: Any) -> Any:
    """What `dict.__new__` and its like make for a class derived from Python's: it is new, too."""
    made: Any = make(cls, *args, **kwargs)
    trace = current()
    if trace is not None and quick.calm:
        key = id(made)
        quick.early.add(key)
        trace.journal.born.add(key)
        trace.journal.noted.add(key)
    return made


NEW_CONTAINERS = frozenset(kind.__new__ for kind in (dict, list, set, deque))


def _construct_container(cls: type, /, *args: Any, **kwargs: Any) -> Any:
    made = new_container(cls.__new__, cls)
    init = cls.__init__  # type: ignore[misc]
    result = (quick.at_once.get(id(init)) or specials.callee(init))(made, *args, **kwargs)
    if result is not None:
        raise TypeError(f"__init__() should return None, not '{type(result).__name__}'")
    return made


def _construct(cls: type, /, *args: Any, **kwargs: Any) -> Any:
    made: Any = NEW(cls)
    trace = current()
    if calm := trace is not None and quick.calm:
        key = id(made)
        quick.early.add(key)
        trace.journal.born.add(key)  # type: ignore[union-attr]
    elif trace is not None:
        note_birth(trace, made)
    init = cls.__init__  # type: ignore[misc]
    result = (quick.at_once.get(id(init)) or specials.callee(init))(made, *args, **kwargs)
    if result is not None:
        raise TypeError(f"__init__() should return None, not '{type(result).__name__}'")
    if not calm and trace is not None and (found := trace.notes.get("constructed")) is not None:
        known = found.get(cls)
        if known is None or tuple(getattr(made, "__dict__", ())) != known:  # as of few
            _note(trace, cls, made)
    return made


def _initialised(init: Any, cls: type, /, *args: Any, **kwargs: Any) -> Any:
    made: Any = NEW(cls)
    trace = current()
    if calm := trace is not None and quick.calm:
        key = id(made)
        quick.early.add(key)
        trace.journal.born.add(key)  # type: ignore[union-attr]
    elif trace is not None:
        note_birth(trace, made)
    init(made, *args, **kwargs)
    if not calm and trace is not None:
        _note(trace, cls, made)
    return made


def _with_factories(cls: type, init: FunctionType) -> FunctionType | None:
    """The `__init__` that `dataclass` wrote, with what makes its fields' values as converted code calls it; None where
    it calls nothing: a `default_factory=dict` makes a dictionary of the trace, a lambda is converted."""
    if not is_dataclass(cls) or init.__code__.co_filename != "<string>" or init.__closure__ is None:
        return None
    factories = [f.default_factory for f in fields(cls) if f.default_factory is not MISSING]
    cells = [_called_later(c) if _holds_one_of(c, factories) else c for c in init.__closure__]
    if all(map(is_, cells, init.__closure__)):
        return None
    made = FunctionType(init.__code__, init.__globals__, init.__name__, init.__defaults__, tuple(cells))
    made.__kwdefaults__ = init.__kwdefaults__  # type: ignore[assignment]
    return made


def _holds_one_of(cell: CellType, values: list[Any]) -> bool:
    try:
        held = cell.cell_contents
    except ValueError:  # it is empty
        return False
    return any(held is value for value in values)


def _called_later(cell: CellType) -> CellType:
    factory = cell.cell_contents
    return CellType(lambda: specials.callee(factory)())


def is_user_class(cls: type) -> bool:
    """Whether objects of a class are nothing but the attributes that Python itself keeps for them."""
    own = all(getattr(cls, name) is getattr(object, name) for name in ("__getattribute__", "__setattr__"))
    return own and is_plain_class(cls) and not hasattr(cls, "__getattr__")
