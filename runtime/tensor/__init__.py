"""Tensors, the trace they are staged into, and calling operations on them."""
