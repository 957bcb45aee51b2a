"""Products of joined rows with what never changes: each part that the index alone decides is multiplied by itself.

    for i: p = concat([x[i], h], 1) @ W   ->   V, U = W[:8], W[8:];  for i: p = x[i] @ V + h @ U

The first product then moves out of the loop (`runtime.passes.batch`), and a step joins nothing. Where a step's product
is large, that saves less than the memory for all steps' products costs.
"""

from __future__ import annotations

import math

from runtime.ir.graph import Node, Value
from runtime.ir.walk import substitute
from runtime.passes.loops import Loop
from runtime.passes.rewrite import put, static_sizes
from runtime.passes.series import is_worth_it, series_of
from runtime.typesys.spec import TensorType

__all__ = ["part_products"]

LARGE = 4096  # elements of a step's product from which it stays whole


def part_products(loop: Loop) -> None:
    """`concat([x[i], h], 1) @ W` -> `x[i] @ W[:8] + h @ W[8:]` for a `concat` that nothing else uses."""
    table: dict[Value, Value] = {}
    kept: list[Node] = []
    for node in loop.body.nodes:
        node.inputs = [table.get(v, v) for v in node.inputs]
        pieces = _pieces(loop, node)
        if pieces is None:
            kept.append(node)
            continue
        joined = node.inputs[0].node
        assert joined is not None
        kept.remove(joined)
        waiting, loop.body.nodes = loop.body.nodes, kept
        table[node.outputs[0]] = _sum(loop, node, pieces)
        loop.body.nodes = waiting
    loop.body.nodes = kept
    substitute(loop.body, table)


def _pieces(loop: Loop, node: Node) -> list[tuple[list[Value], int, int, bool]] | None:
    """What is multiplied together: (parts, first and last row of the matrix, whether the index decides it)."""
    if node.op.name != "matmul" or any(node.attrs.get(side) for side in ("transpose_a", "transpose_b")):
        return None
    rows, matrix = node.inputs
    made, sizes = rows.node, static_sizes(matrix)
    if made is None or made.op.name != "concatenate" or loop.uses[rows] != 1 or matrix not in loop.outside:
        return None
    kind, rank = rows.tensor_type, rows.tensor_type.rank
    if sizes is None or len(sizes) != 2 or rank not in (1, 2) or made.attrs["axis"] % rank != rank - 1:
        return None
    if kind.dtype.kind not in "fc" or kind.dtype != matrix.tensor_type.dtype or not is_worth_it(loop, node):
        return None
    made_sizes = static_sizes(node.outputs[0])
    if made_sizes is None or math.prod(made_sizes) >= LARGE:
        return None
    pieces: list[tuple[list[Value], int, int, bool]] = []
    start = 0
    for part in made.inputs:
        width = _width(part, kind)
        if width is None:
            return None
        decided = part in loop.outside or series_of(loop, part) is not None
        if pieces and not decided and not pieces[-1][3]:
            before, first, _, _ = pieces.pop()
            pieces.append(([*before, part], first, start + width, False))
        else:
            pieces.append(([part], start, start + width, decided))
        start += width
    others = sum(not decided for _, _, _, decided in pieces)
    return pieces if others == 1 and len(pieces) > 1 and start == sizes[0] else None


def _width(part: Value, kind: TensorType) -> int | None:
    """The columns of a part of joined rows, if they are known, some, and of the type of all."""
    mine = part.tensor_type
    if mine.dtype != kind.dtype or mine.weak or mine.rank != kind.rank:
        return None
    width = (mine.shape or (None,))[-1]
    return width if isinstance(width, int) and width > 0 else None


def _sum(loop: Loop, node: Node, pieces: list[tuple[list[Value], int, int, bool]]) -> Value:
    """The products of the pieces, those that move first, added."""
    matrix, rank = loop.outside[node.inputs[1]], node.inputs[0].tensor_type.rank or 0
    total: Value | None = None
    for parts, first, last, _ in sorted(pieces, key=lambda piece: not piece[3]):
        taken = put(loop.graph, "index", matrix, spec=((first, last, None),))
        if parts[0] in loop.outside and len(parts) == 1:
            product = loop.pass_in(put(loop.graph, "matmul", loop.outside[parts[0]], taken))
        else:
            rows = parts[0] if len(parts) == 1 else put(loop.body, "concatenate", *parts, axis=rank - 1)
            product = put(loop.body, "matmul", rows, loop.pass_in(taken))
        total = product if total is None else put(loop.body, "add", total, product)
    assert total is not None
    total.name, total.type = node.outputs[0].name, node.outputs[0].type
    return total
