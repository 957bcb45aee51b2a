"""Tensors made whole: operators and methods from the registry, shape, items, NumPy's protocols."""

from __future__ import annotations

from typing import Any

from runtime.tensor.dispatch import attach_methods
from runtime.tensor.items import attach_items
from runtime.tensor.shape import attach_shape
from runtime.tensor.tensor import Tensor
from runtime.typesys.errors import boundary

__all__: list[str] = []


def _array_ufunc(self: Tensor, *args: Any, **kwargs: Any) -> Any:
    """NumPy's ufunc protocol."""
    return _protocol("array_ufunc")(self, *args, **kwargs)


def _array_function(self: Tensor, *args: Any, **kwargs: Any) -> Any:
    """NumPy's function protocol."""
    return _protocol("array_function")(self, *args, **kwargs)


def _protocol(name: str) -> Any:
    """A protocol from the table over all of NumPy, which is loaded, and takes our place, at the first call."""
    from runtime.tensor import numpy_protocol

    numpy_protocol.attach()
    return getattr(numpy_protocol, name)


def _attach_protocols() -> None:
    Tensor.__array_ufunc__ = boundary(_array_ufunc)  # type: ignore[attr-defined]
    Tensor.__array_function__ = boundary(_array_function)  # type: ignore[attr-defined]


attach_methods()
attach_shape()
attach_items()
_attach_protocols()
