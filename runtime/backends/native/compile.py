"""A graph to a native executable: lowered to LLVM IR, compiled, its symbols found."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from runtime.backends.native import blas, dots, gemm, interrupts, math_calls, pool, threads, toolchain
from runtime.backends.native.errors import Unsupported
from runtime.backends.native.executable import NativeExecutable
from runtime.backends.native.lower import little, lower, sorters
from runtime.ir.graph import Graph

__all__ = ["compile_native", "symbols_of"]


def symbols_of(names: Collection[str]) -> dict[str, int]:
    """Addresses of the functions that generated code calls by these names.

    Raises:
      Unsupported: one of them is not to be had here.
    """
    found: dict[str, int] = {}
    for name in names:
        if name == "ag_parallel":
            found[name] = threads.parallel_address()
            continue
        if name.startswith(("ag_gemm_", "ag_pack_")):
            found[name] = gemm.addresses(name[-3:])[name]
            continue
        if name.startswith("ag_dots_"):
            kind, columns = name.split("_")[2:]
            found[name] = dots.address(kind, int(columns))
            continue
        if name.startswith("ag_little_"):
            found[name] = little.address(name[-3:])
            continue
        if name.startswith(sorters.PREFIXES):
            found[name] = sorters.address(name)
            continue
        if name == "ag_poll":
            found[name] = interrupts.addresses()[name]
            continue
        address = blas.symbol(name) if name.startswith("cblas_") else math_calls.address(name)
        if address is None:
            raise Unsupported([(f"matrix products: no library here has {name}", None)])
        found[name] = address
    return found


def compile_native(graph: Graph, plan: Callable[..., list[Any]], if_it_pays: bool = False) -> NativeExecutable:
    """Compile an optimised graph; `plan` is what runs where native code cannot.

    With `if_it_pays`, what all programs share is compiled, too, where it is not on disk; else beside the first call.

    Raises:
      Unsupported: the graph has something that cannot be lowered; or, `if_it_pays`, too much of it would run in Python.
      NoCompilerError: there is no compiler.
    """
    toolchain.require_installed()
    lowered = lower(graph)
    if if_it_pays and not lowered.pays:
        raise Unsupported([(i.name, i.node.location) for i in lowered.islands if i.node is not None])
    symbols = symbols_of(lowered.symbols)
    if f"@{pool.KEPT} =" not in lowered.text:
        return NativeExecutable(lowered, toolchain.compile_text(lowered.text, symbols), plan, if_it_pays)
    loaded = toolchain.compile_text(lowered.text, symbols | pool.addresses(), ("ag_run", pool.KEPT))
    loaded.before_it_goes(pool.forgetter(loaded))
    return NativeExecutable(lowered, loaded, plan, if_it_pays)
