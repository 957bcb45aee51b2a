"""Tensors, the trace they are staged into, and calling operations on them."""

from runtime.tensor import methods as methods  # a tensor without its methods and items is none
