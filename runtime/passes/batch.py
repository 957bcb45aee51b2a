"""Products of what the index alone decides move out of loops, as one product for all steps.

    for i: p = x[i] @ W        ->   P = x[:count] @ W;  for i: p = P[i]

So do elementwise work and gathers between the read and the product (`table[tokens[i]] @ W`). It pays where a step has
few rows; the rows of all steps make one product that BLAS runs near its peak. While-loops that count are for_loops by
then (`runtime.passes.counted`). What is multiplied from the other side (`W @ v[i]`) is multiplied transposed.

In what stays inside, `y @ W^T` for an invariant W multiplies a transposed copy made once before the loop: BLAS is
slower on a few rows times a transposed matrix, by more than the copy costs after a few steps. So it is on a W whose rows
begin at the same place of the cache. (Native code puts weights into an order of its own, and copies nothing for that.)
"""

from __future__ import annotations

import math

from runtime.ir.graph import Graph, Node, Value
from runtime.ir.walk import substitute
from runtime.ops.movement import ALIASED
from runtime.passes.joined import part_products
from runtime.passes.loops import Loop, lengths_before
from runtime.passes.rewrite import UNKNOWN, constant_of, graphs, is_scalar, put, static_sizes
from runtime.passes.series import MOST_ROWS, Series, series_of
from runtime.typesys.shapes import Dim

__all__ = ["batch_products"]

SMALL = 256  # elements of a step, on which an operation's call costs more than its work
FEWEST_STEPS = 4  # from which a transposed copy pays
FEWEST_ALIASED = 8  # and one whose rows lie apart
FEW_ROWS = 64  # of products that such a copy is of use to


def batch_products(graph: Graph) -> Graph:
    """`for i: p = x[i] @ W` -> `P = x @ W; for i: p = P[i]`, for what the loop does not change."""
    for each in graphs(graph):
        _batch(each)
    return graph


def _batch(graph: Graph) -> None:
    nodes, graph.nodes = graph.nodes, []
    lengths: dict[Dim, Value] = {}
    for node in nodes:
        for region in node.regions:
            _batch(region)
        if node.op.name == "for_loop" and constant_of(node.inputs[0]) != 1:
            part_products(Loop(node, graph, lengths))
            _biases(Loop(node, graph, lengths))
            loop = Loop(node, graph, lengths)
            _turned_choices(loop)
            _move(loop)
            _copied(loop)
        graph.nodes.append(node)
        lengths_before(node, lengths)


def _biases(loop: Loop) -> None:
    """`(x[i] @ W + y) + b` -> `(x[i] @ W + b) + y`: what is added to all rows alike goes with the product."""
    table: dict[Value, Value] = {}
    for node in list(loop.body.nodes):
        node.inputs = [table.get(v, v) for v in node.inputs]
        if node.op.name != "add":
            continue
        for inner, bias in (node.inputs, node.inputs[::-1]):
            made = inner.node
            if made is None or made.op.name != "add" or loop.uses[inner] != 1 or bias not in loop.outside:
                continue
            if (bias.tensor_type.rank or 0) > (inner.tensor_type.rank or 0) or inner.type != node.outputs[0].type:
                continue
            product = next((v for v in made.inputs if _is_product(loop, v) and v.type == inner.type), None)
            if product is None:
                continue
            rest = next((v for v in made.inputs if v is not product), product)
            mine, loop.body.nodes = loop.body.nodes, []
            biased = put(loop.body, "add", product, bias)
            at = mine.index(made)
            loop.body.nodes = [*mine[:at], *loop.body.nodes, *mine[at:]]
            loop.uses[biased] = 1
            made.inputs = [biased, rest]
            inner.name = inner.name or node.outputs[0].name
            loop.uses[inner] = loop.uses.get(node.outputs[0], 0)
            table[node.outputs[0]] = inner
            loop.body.nodes.remove(node)
            break
    loop.body.outputs = [table.get(v, v) for v in loop.body.outputs]


def _is_product(loop: Loop, value: Value) -> bool:
    """Whether a value is a product, used once, that will move."""
    series = series_of(loop, value)
    return series is not None and series.product and loop.uses[value] == 1


def _turned_choices(loop: Loop) -> None:
    """`where(c[i], x, 0)` -> `where(~c[i], 0, x)`, for a c that will move: NumPy writes the number into x where ~c holds."""
    made: dict[Value, Value] = {}
    nodes, loop.body.nodes = loop.body.nodes, []
    last = {v: node for node in nodes for v in node.inputs}
    for node in nodes:
        if node.op.name == "where" and last[node.inputs[1]] is node and _is_number_into(loop, node):
            condition = node.inputs[0]
            if condition not in made:
                made[condition] = put(loop.body, "logical_not", condition)
                loop.uses[made[condition]] = 1
            node.inputs = [made[condition], *node.inputs[:0:-1]]
        loop.body.nodes.append(node)


def _is_number_into(loop: Loop, node: Node) -> bool:
    """Whether a `where` puts a number into an array that the body has made, by a condition that will move."""
    condition, x, y = node.inputs
    series = series_of(loop, condition)
    if series is None or series.cheap or constant_of(y) is UNKNOWN or not is_scalar(y):
        return False
    if x.node is None or x.node.op.view or x in loop.body.outputs or x.type != node.outputs[0].type:
        return False
    return _pays(condition, series)


def _move(loop: Loop) -> None:
    """Compute the series that are worth it before the loop, the largest; steps read them."""
    body = loop.body
    worth = {v: s for n in body.nodes for v in n.outputs if (s := series_of(loop, v)) is not None and _pays(v, s)}
    wanted = {v for n in body.nodes if not any(v in worth for v in n.outputs) for v in n.inputs} | set(body.outputs)
    table: dict[Value, Value] = {}
    kept: list[Node] = []
    for node in body.nodes:
        out = next((v for v in node.outputs if v in worth and v in wanted), None)
        if out is None:
            kept.append(node)
        else:
            table[out] = _read(loop, worth[out], out, kept)
    if table:
        body.nodes = kept
        substitute(body, table)


def _pays(value: Value, series: Series) -> bool:
    if series.product:
        return True
    sizes = static_sizes(value)
    return not series.cheap and bool(sizes) and math.prod(sizes or ()) <= SMALL


def _read(loop: Loop, series: Series, old: Value, nodes: list[Node]) -> Value:
    """The row of a series that a step sees, in the place of a value that is known as well; it goes behind `nodes`."""
    at = loop.position(series.backwards, nodes)
    inner = loop.pass_in(series.array())
    waiting, loop.body.nodes = loop.body.nodes, nodes
    new = put(loop.body, "index", inner, at, spec=("?",))
    loop.body.nodes = waiting
    new.name, new.type = old.name, old.type
    return new


def _copied(loop: Loop) -> None:
    """`y @ W^T` of a few rows y and an invariant W -> `y @ V`, where V is W^T copied before the loop; and `y @ W` likewise
    for a W whose rows begin at the same place of the cache."""
    count = constant_of(loop.count)
    if type(count) is int and count < FEWEST_STEPS:
        return
    made: dict[Value, Value] = {}
    for node in loop.body.nodes:
        if node.op.name != "matmul" or node.inputs[1] not in loop.outside:
            continue
        weights = loop.outside[node.inputs[1]]
        sizes, rows = static_sizes(weights), static_sizes(node.inputs[0])
        if sizes is None or len(sizes) != 2 or rows is None or len(rows) != 2 or rows[0] > MOST_ROWS:
            continue
        if not node.attrs.get("transpose_b"):
            if _is_aliased(weights, sizes, rows[0]) and (type(count) is not int or count >= FEWEST_ALIASED):
                node.inputs[1] = loop.pass_in(_copy(loop, weights))
            continue
        if weights not in made:
            turned = put(loop.graph, "transpose", weights, perm=(1, 0))
            made[weights] = loop.pass_in(put(loop.graph, "contiguous", turned))
        node.inputs[1] = made[weights]
        node.attrs = {k: v for k, v in node.attrs.items() if k != "transpose_b"}


def _is_aliased(weights: Value, sizes: tuple[int, ...], rows: int) -> bool:
    """Whether BLAS is slower on a matrix for where its rows begin: one of single precision, times a few rows."""
    node, kind = weights.node, weights.tensor_type.dtype
    if kind.name != "float32" or not 1 < rows <= FEW_ROWS or (node is not None and node.op.name == "contiguous"):
        return False
    return bool(sizes[1]) and sizes[1] * kind.size % ALIASED == 0 and math.prod(sizes) >= 1 << 16


def _copy(loop: Loop, weights: Value) -> Value:
    """A copy of an outer matrix, made once."""
    for node in loop.graph.nodes:
        if node.op.name == "contiguous" and node.inputs[0] is weights:
            return node.outputs[0]
    return put(loop.graph, "contiguous", weights)
