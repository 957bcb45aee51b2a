"""Builds `ag.math`, `ag.nn`, ... from the public names that operations and functions declare: there is no second list."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from runtime.ops.registry import FUNCTIONS, OPS, Op, PublicFunction, load_all
from runtime.tensor import numpy_protocol
from runtime.tensor.dispatch import apply, convert, op
from runtime.tensor.methods import PUBLIC_CLASSES
from runtime.tensor.tensor import Tensor

__all__ = ["build"]

_NUMBERS = (bool, int, float, complex, np.generic, list, tuple, np.ndarray)


def build(root: types.ModuleType) -> list[str]:
    """Put every public function where its dotted name says; returns the names at the root."""
    load_all()
    numpy_protocol.attach()
    names = []
    for operation in OPS.values():
        public = (operation.public,) if isinstance(operation.public, str) else operation.public
        if public:
            names += _place(root, public, _public_operation(operation))
    for entry in FUNCTIONS.values():
        if entry.public:
            names += _place(root, entry.public, _public_function(entry))
    for dotted, cls in PUBLIC_CLASSES.items():
        names += _place(root, (dotted,), cls)
    return names


def _place(root: types.ModuleType, public: tuple[str, ...], fn: Any) -> list[str]:
    top = []
    for dotted in public:
        *path, name = dotted.split(".")
        owner = root
        for part in path:
            inner = owner.__dict__.get(part)
            if inner is None:
                inner = types.ModuleType(f"{owner.__name__}.{part}", f"Functions of `{part}`, under TensorFlow's names.")
                setattr(owner, part, inner)
                if owner is root:
                    top.append(part)
            owner = inner
        setattr(owner, name, fn)
        if owner is root:
            top.append(name)
    return top


def _literals(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Arguments none of which is a typed tensor, as tensors under the rules for literals."""
    return tuple(convert(a) if isinstance(a, (Tensor, *_NUMBERS)) else a for a in args)


def _is_bare(x: Any) -> bool:
    """Whether an argument has no element type of its own: a bare number, a literal, a weak tensor."""
    if isinstance(x, Tensor):
        return x.type.weak
    return not isinstance(x, np.ndarray)


def _public_operation(operation: Op) -> Callable[..., Any]:
    custom = operation.rules.call
    if custom is not None:
        return _finish(lambda *args, **kwargs: custom(op, *args, **kwargs), operation, custom)
    keywords = ("x", "y", "z")

    def public(*args: Any, name: str | None = None, **attrs: Any) -> Any:
        if attrs:
            args = (*args, *(attrs.pop(k) for k in keywords[len(args) :] if k in attrs))
        if all(map(_is_bare, args)):
            args = _literals(args)
        return apply(operation, args, attrs)

    return _finish(public, operation, None)


def _public_function(entry: PublicFunction) -> Callable[..., Any]:
    fn, count = entry.fn, entry.tensors
    if not count:
        return _finish(lambda *args, **kwargs: fn(op, *args, **kwargs), fn, fn)
    parameters = list(inspect.signature(fn).parameters)[1 : count + 1]

    def public(*args: Any, **kwargs: Any) -> Any:
        given = args[:count]
        if kwargs:
            named = {p: kwargs[p] for p in parameters if p in kwargs}
            if all(map(_is_bare, (*given, *named.values()))):
                kwargs.update({p: convert(v) for p, v in named.items() if isinstance(v, (Tensor, *_NUMBERS))})
                args = (*_literals(given), *args[count:])
        elif all(map(_is_bare, given)):
            args = (*_literals(given), *args[count:])
        return fn(op, *args, **kwargs)

    return _finish(public, fn, fn)


def _finish(public: Callable[..., Any], source: Any, signature_of: Any) -> Callable[..., Any]:
    public.__doc__ = source.__doc__ if not isinstance(source, Op) else type(source).__doc__
    public.__name__ = public.__qualname__ = getattr(source, "__name__", None) or source.name
    public.__module__ = "autograph"
    if signature_of is not None:
        functools.update_wrapper(public, signature_of, assigned=(), updated=())
        del public.__wrapped__  # type: ignore[attr-defined]
    return public
