"""Products of the rows of one array with one matrix, in a loop that Python has unrolled: one product for all rows.

    p0 = x[0] @ W; p1 = x[1] @ W; ...   ->   P = x @ W; p0 = P[0]; p1 = P[1]; ...

What is added to all of them alike (`x[0] @ W + h @ U + b`) goes with the product, as it does where the loop is staged
(`runtime.passes.batch`).
"""

from __future__ import annotations

import math
from typing import NamedTuple

from runtime.ir.graph import Graph, Node, Value
from runtime.ir.walk import substitute
from runtime.passes.rewrite import Uses, graphs, put, static_sizes
from runtime.passes.series import MOST_BYTES, MOST_ROWS
from runtime.typesys.spec import TensorType

__all__ = ["join_products"]

FEWEST = 4  # products that pay


class _Sum(NamedTuple):
    """`(product + other) + bias`."""

    inner: Node
    outer: Node
    other: Value
    bias: Value


def join_products(graph: Graph) -> Graph:
    """`x[0] @ W; x[1] @ W; ...` -> `P = x @ W; P[0]; P[1]; ...`"""
    for each in graphs(graph):
        _join(each)
    return graph


def _join(graph: Graph) -> None:
    found: dict[tuple[Value, Value], list[Node]] = {}
    for node in graph.nodes:
        for region in node.regions:
            _join(region)
        if (x := _whole(node)) is not None:
            found.setdefault((x, node.inputs[1]), []).append(node)
    for (x, matrix), products in found.items():
        sizes = static_sizes(x) or ()
        if len(products) >= FEWEST and 2 * len({_row(node) for node in products}) > sizes[0]:
            _replace(graph, x, matrix, products)


def _whole(node: Node) -> Value | None:
    """The array of which a node multiplies a known row, or a known matrix of rows, with a matrix."""
    if node.op.name != "matmul" or node.attrs.get("transpose_a") or node.attrs.get("transpose_b"):
        return None
    read, matrix = node.inputs[0].node, static_sizes(node.inputs[1])
    if read is None or read.op.name != "index" or len(read.inputs) != 1 or not matrix or len(matrix) != 2:
        return None
    [x] = read.inputs
    first, *rest = read.attrs["spec"]
    sizes = static_sizes(x)
    if type(first) is not int or rest or sizes is None or len(sizes) not in (2, 3) or 0 in (*sizes, *matrix):
        return None
    kind: TensorType = x.tensor_type
    if kind.dtype.kind not in "fc" or kind.dtype != node.inputs[1].tensor_type.dtype or sizes[-1] != matrix[0]:
        return None
    rows = 1 if len(sizes) == 2 else sizes[1]
    small = rows <= MOST_ROWS and sizes[0] * rows * matrix[1] * kind.dtype.size <= MOST_BYTES
    return x if small and -sizes[0] <= first < sizes[0] else None


def _row(node: Node) -> int:
    """The row that a product is of."""
    read = node.inputs[0].node
    assert read is not None
    sizes = static_sizes(read.inputs[0]) or (1,)
    return int(read.attrs["spec"][0]) % sizes[0]


def _replace(graph: Graph, x: Value, matrix: Value, products: list[Node]) -> None:
    """All products as one, before the first of them; each reads its rows of it."""
    at = graph.nodes.index(products[0])
    sums = _biases(graph, products, at)
    behind, graph.nodes = graph.nodes[at:], graph.nodes[:at]
    *lead, inner = static_sizes(x) or ()
    columns = (static_sizes(matrix) or ())[-1]
    whole = put(graph, "reshape", x, shape=(math.prod(lead), inner)) if len(lead) > 1 else x
    whole = put(graph, "matmul", whole, matrix)
    if len(lead) > 1:
        whole = put(graph, "reshape", whole, shape=(*lead, columns))
    if sums is not None:
        whole = put(graph, "add", whole, sums[0].bias)
    table: dict[Value, Value] = {}
    mine = set(products)
    last = {} if sums is None else {each.outer: each for each in sums}
    for node in behind:
        if node in mine:
            new = put(graph, "index", whole, spec=(_row(node),))
            new.name = node.outputs[0].name
            table[node.outputs[0]] = new
        elif node in last:
            table[node.outputs[0]] = last[node].inner.outputs[0]
        else:
            graph.nodes.append(node)
    substitute(graph, table)


def _biases(graph: Graph, products: list[Node], at: int) -> list[_Sum] | None:
    """What is added to all products alike, if something is that is there before the first of them."""
    uses = Uses()
    users: dict[Value, Node] = {}
    for node in graph.nodes:
        for value in node.inputs:
            users[value] = node
    before = set(graph.nodes[:at])
    out: list[_Sum] = []
    for product in products:
        inner = _adds(product, users, uses)
        outer = None if inner is None else _adds(inner, users, uses)
        if inner is None or outer is None:
            return None
        made, done = inner.outputs[0], outer.outputs[0]
        bias = next((v for v in outer.inputs if v is not made), made)
        other = next((v for v in inner.inputs if v is not product.outputs[0]), made)
        if not product.outputs[0].type == made.type == done.type or bias.tensor_type.dtype != made.tensor_type.dtype:
            return None
        if len(static_sizes(bias) or (1, 1)) != 1 or (bias.node is not None and bias.node not in before):
            return None
        if any(each.inner is inner or each.bias is not bias for each in out):
            return None
        out.append(_Sum(inner, outer, other, bias))
    return out


def _adds(node: Node, users: dict[Value, Node], uses: Uses) -> Node | None:
    """The sum that is the only user of a node's result."""
    [value] = node.outputs
    user = users.get(value)
    return user if uses(value) == 1 and user is not None and user.op.name == "add" else None
