"""Tensors made whole: operators and methods from the registry, shape, items. Import this to use tensors."""

from __future__ import annotations

from runtime.tensor import generator
from runtime.tensor.dispatch import attach_methods
from runtime.tensor.items import attach_items
from runtime.tensor.shape import attach_shape

__all__ = ["generator"]  # loaded for the functions of `random` that it registers

attach_methods()
attach_shape()
attach_items()
