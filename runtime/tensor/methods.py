"""Tensors made whole: operators and methods from the registry, shape, items. Import this to use tensors."""

from __future__ import annotations

from runtime.tensor.dispatch import attach_methods
from runtime.tensor.generator import Generator
from runtime.tensor.items import attach_items
from runtime.tensor.shape import TensorShape, attach_shape

__all__ = ["PUBLIC_CLASSES"]

PUBLIC_CLASSES: dict[str, type] = {"TensorShape": TensorShape, "random.Generator": Generator}

attach_methods()
attach_shape()
attach_items()
