"""A graph to a native executable: lowered to LLVM IR, compiled, its symbols found."""

from __future__ import annotations

from collections.abc import Callable, Collection
from importlib import import_module
from typing import Any

from runtime.backends.native import pool, toolchain
from runtime.backends.native.errors import Unsupported
from runtime.backends.native.executable import NativeExecutable
from runtime.backends.native.lower import lower
from runtime.ir.graph import Graph

__all__ = ["compile_native", "symbols_of"]

# Where functions that generated code calls are: names begin so; the module's `symbol` gives their addresses, or None.
_HOMES = {
    "ag_parallel": "threads",
    "ag_poll": "interrupts",
    "ag_gemm_": "gemm",
    "ag_pack_": "gemm",
    "ag_bordered_": "lower.bordered",
    "ag_dots_": "dots",
    "ag_little_": "lower.little",
    "ag_order_": "lower.sorters",
    "ag_pooled_": "lower.pooled",
    "ag_sort_": "lower.sorters",
    "ag_swept_": "lower.swept",
    "ag_tiles_": "lower.tiles",
    "ag_top_": "lower.sorters",
    "cblas_": "blas",
    "": "math_calls",
}


def symbols_of(names: Collection[str]) -> dict[str, int]:
    """Addresses of the functions that generated code calls by these names; what has them is loaded when one is called.

    Raises:
      Unsupported: one of them is not to be had here.
    """
    found: dict[str, int] = {}
    for name in names:
        home = next(home for prefix, home in _HOMES.items() if name.startswith(prefix))
        address = import_module(f"runtime.backends.native.{home}").symbol(name)
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
