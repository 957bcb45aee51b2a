"""A graph to a native executable: lowered to LLVM IR, compiled, its symbols found."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any

from runtime.backends.native import blas, toolchain
from runtime.backends.native.errors import Unsupported
from runtime.backends.native.executable import NativeExecutable
from runtime.backends.native.layout import Lowered
from runtime.ir.graph import Graph

__all__ = ["compile_native", "lower", "symbols_of"]


def lower(graph: Graph) -> Lowered:
    """The LLVM IR of an optimised graph.

    Raises:
      Unsupported: it has operations without a native rule; all are listed.
    """
    try:
        rules = importlib.import_module("runtime.backends.native.lower")
    except ModuleNotFoundError:
        raise Unsupported([(node.op.name, node.location) for node in graph.walk()]) from None
    made: Lowered = rules.lower(graph)
    return made


def symbols_of(names: Sequence[str]) -> dict[str, int]:
    """Addresses of the functions that generated code calls by these names.

    Raises:
      Unsupported: one of them is not to be had here.
    """
    found: dict[str, int] = {}
    for name in names:
        address = blas.symbol(name) if name.startswith("cblas_") else None
        if address is None:
            raise Unsupported([(f"matrix products: no library here has {name}", None)])
        found[name] = address
    return found


def compile_native(graph: Graph, plan: Callable[..., list[Any]]) -> NativeExecutable:
    """Compile an optimised graph; `plan` is what runs where native code cannot.

    Raises:
      Unsupported: the graph has operations without a native rule.
      NoCompilerError: there is no compiler.
    """
    toolchain.require()
    lowered = lower(graph)
    return NativeExecutable(lowered, toolchain.compile_text(lowered.text, symbols_of(lowered.symbols)), plan)
