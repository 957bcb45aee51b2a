"""The one list of passes over graphs, and running it."""

from __future__ import annotations

from runtime.ir.graph import Graph
from runtime.passes.algebra import simplify
from runtime.passes.batch import batch_products
from runtime.passes.counted import count_loops
from runtime.passes.cse import share_common
from runtime.passes.dce import eliminate_dead_code
from runtime.passes.demands import settle_demands
from runtime.passes.fold import fold_constants
from runtime.passes.inline import inline_calls
from runtime.passes.invariant import move_invariants
from runtime.passes.list_sums import add_in_place
from runtime.passes.manager import Pass, run_passes
from runtime.passes.progressions import count_progressions
from runtime.passes.recursion_sums import collect_recursive_sums
from runtime.passes.sink import sink_sums
from runtime.passes.stacks import flatten_stacks
from runtime.passes.unrolled import join_products
from runtime.passes.widths import know_widths

__all__ = ["PASSES", "Pass", "optimize"]

PASSES: tuple[Pass, ...] = (
    settle_demands,       # xs[i] that nobody reads
    eliminate_dead_code,  # less for the others to look at
    inline_calls,         # small functions, so that what follows sees through them
    fold_constants,       # constants, branches and loops that they decide
    know_widths,          # x[i:i + 8] has 8 rows
    add_in_place,         # cotangents of lists and of branches
    simplify,             # x * 1
    move_invariants,      # loops: what never changes
    fold_constants,       # constants that loops carried
    count_progressions,   # range(3, 9)[i] is i + 3
    share_common,         # one of equal nodes
    eliminate_dead_code,  # what follows asks who uses a value
    collect_recursive_sums,  # dW += a.T @ b for all calls after the outermost
    count_loops,          # while-loops that count are for-loops
    batch_products,       # x[i] @ W for all i before the loop
    join_products,        # x[0] @ W, x[1] @ W, ... at once, where Python unrolled the loop
    sink_sums,            # dW += a.T @ b for all steps after the loop
    flatten_stacks,       # what loops in loops save in one list of all turns
    share_common,
    eliminate_dead_code,
)  # fmt: skip


def optimize(graph: Graph) -> Graph:
    """Run all passes over `graph`, in place: the caller passes a copy (`runtime.ir.walk.clone`). Returns it."""
    return run_passes(graph, PASSES)
