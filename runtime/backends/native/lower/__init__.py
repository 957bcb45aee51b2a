"""From a graph to the text of an LLVM module."""

from runtime.backends.native.lower.entry import lower

__all__ = ["lower"]
