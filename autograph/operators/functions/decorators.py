"""The standard library's wrappers of functions (`lru_cache`, `singledispatch`, `contextmanager`) around converted code."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from types import CellType, FunctionType
from typing import Any

from autograph.operators.functions.generators import for_manager
from autograph.operators.state.numbers import is_number, python_type
from autograph.operators.state.places import UNBOUND
from autograph.operators.state.plain import NUMBERS
from autograph.operators.values.choice import CHOICES, Choice, alternatives_of, select_any
from autograph.operators.values.listvalue import RunTuple
from runtime.tensor.tensor import Tensor
from runtime.typesys.errors import OperatorNotAllowedInGraphError

__all__ = ["CACHED", "cached", "unwrapped"]

CACHED = type(functools.lru_cache(lambda: None))
Callee = Callable[[Any], Any]


def cached(f: Any, callee: Callee) -> Any:
    """What is called for a function under `lru_cache`: a call with tensors is traced each time, any other is cached."""
    return functools.partial(_call_cached, f, callee)


def _call_cached(f: Any, callee: Callee, /, *args: Any, **kwargs: Any) -> Any:
    is_plain = not kwargs and NUMBERS.issuperset(map(type, args))
    if is_plain or not _holds_tensor((*args, *kwargs.values())):
        try:
            result = f(*args, **kwargs)
        except OperatorNotAllowedInGraphError:
            pass  # it tests tensors of its closure
        else:
            if type(result) not in NUMBERS and _holds_tensor(result):
                f.cache_clear()  # a staged tensor means nothing to another trace
            return result
    return callee(f.__wrapped__)(*args, **kwargs)


def _holds_tensor(x: Any) -> bool:
    if type(x) in NUMBERS or (type(x) is tuple and NUMBERS.issuperset(map(type, x))):
        return False
    if type(x) is RunTuple or type(x) in CHOICES:
        return True
    parts = x.values() if type(x) is dict else x if isinstance(x, (tuple, list)) else None
    return isinstance(x, Tensor) if parts is None else any(map(_holds_tensor, parts))


def unwrapped(f: FunctionType, callee: Callee) -> Any:
    """A wrapper of the standard library's made anew around converted code; None where `f` is no such wrapper."""
    remake = _REMADE.get(id(f.__code__))
    return None if remake is None else remake(f, callee)


def _with_cells(f: FunctionType, **contents: Any) -> FunctionType:
    """The same function with other contents of some of its closure's cells."""
    names = f.__code__.co_freevars
    cells = tuple(
        CellType(contents[name]) if name in contents else cell for name, cell in zip(names, f.__closure__ or (), strict=True)
    )
    made = FunctionType(f.__code__, f.__globals__, f.__name__, f.__defaults__, cells)
    made.__kwdefaults__ = f.__kwdefaults__
    return made


def _cell(f: FunctionType, name: str) -> Any:
    assert f.__closure__ is not None
    return f.__closure__[f.__code__.co_freevars.index(name)].cell_contents


def _dispatching(f: FunctionType, callee: Callee) -> FunctionType:
    dispatch = _cell(f, "dispatch")
    return _with_cells(f, dispatch=lambda cls: _implementation(dispatch, cls, callee))


def _implementation(dispatch: Any, cls: type, callee: Callee) -> Any:
    """What `singledispatch` calls: of a value that is of another class on some paths, on each path its own."""
    if not issubclass(cls, (Tensor, Choice)):
        return callee(dispatch(cls))

    def chosen(x: Any, *args: Any, **kwargs: Any) -> Any:
        found = {id(f): f for f in (dispatch(_class_of(a)) for a in alternatives_of(x) if a is not UNBOUND)}
        if len(found) == 1:
            return callee(*found.values())(x, *args, **kwargs)
        return select_any(x, lambda a: callee(dispatch(_class_of(a)))(a, *args, **kwargs))

    return chosen


def _class_of(x: Any) -> type:
    return python_type(x) if is_number(x) else x.__class__  # type: ignore[no-any-return]


def _managing(f: FunctionType, callee: Callee) -> Any:
    func, manager = for_manager(callee(_cell(f, "func"))), f.__globals__["_GeneratorContextManager"]

    def helper(*args: Any, **kwargs: Any) -> Any:
        return callee(manager)(func, args, kwargs)

    return helper


def _dispatching_method(f: FunctionType, callee: Callee) -> Any:
    names = f.__code__.co_freevars
    dispatch = _cell(f, "dispatch") if "dispatch" in names else _cell(f, "self").dispatcher.dispatch
    instance, owner = _cell(f, "obj"), _cell(f, "cls")

    def method(*args: Any, **kwargs: Any) -> Any:
        if not args:
            return f(**kwargs)  # raises as Python does
        return callee(dispatch(args[0].__class__).__get__(instance, owner))(*args, **kwargs)

    return method


_REMADE: dict[int, Callable[[FunctionType, Callee], Any]] = {
    id(functools.singledispatch(lambda x: x).__code__): _dispatching,  # type: ignore[attr-defined]
    id(functools.singledispatchmethod(lambda x: x).__get__(None, object).__code__): _dispatching_method,
    id(contextlib.contextmanager(lambda: iter(())).__code__): _managing,  # type: ignore[arg-type]
}
"""By the code object of the wrapper: how to make it anew."""
