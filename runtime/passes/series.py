"""Values of a loop's body that the index alone decides: series.

A series is what an invariant holds at the index, the index itself, and gathers, elementwise work and products with
invariants on such. For all steps it is one array with the steps along its first axis, in the order of the index, or,
where the loop reads from the end (`x[count - 1 - i]`, or values taken off the end of a list), in the order of the steps
backwards: step i sees row i or row count - 1 - i. (Of `x[3 + i]`, whose first rows are read before the loop, it holds the
others.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runtime.ir.graph import Node, Value
from runtime.ir.safety import may_raise
from runtime.ops.kinds import Elementwise
from runtime.passes.loops import Loop
from runtime.passes.rewrite import INDEX, constant_of, number, put
from runtime.typesys.shapes import num_elements, same_size
from runtime.typesys.spec import TensorType

__all__ = ["MOST_BYTES", "MOST_ROWS", "Series", "is_worth_it", "series_of"]

MOST_ROWS = 512  # of a step's product: more are near BLAS's peak alone, and the product of all steps leaves the cache
MOST_BYTES = 256 << 20
_ALL = (None, None, None)  # of an index: a whole axis


class Series:
    """A value of the body for all steps; the array is made when it is asked for, at the end of the graph around.

    backwards  step i sees row count - 1 - i
    cheap      the array is a view of what there is already
    product    a matrix product is part of it
    """

    __slots__ = ("_build", "_made", "backwards", "cheap", "product")

    def __init__(
        self, build: Callable[[], Value], backwards: bool, cheap: bool = False, product: bool = False
    ) -> None:
        self._build = build
        self._made: Value | None = None
        self.backwards = backwards
        self.cheap = cheap
        self.product = product

    def array(self) -> Value:
        """The array, made once."""
        if self._made is None:
            self._made = self._build()
        return self._made


def series_of(loop: Loop, value: Value) -> Series | None:
    """A value of the body as a series, if it is one (invariants are not)."""
    if value not in loop.series:
        loop.series[value] = _find(loop, value)
    return loop.series[value]


def _find(loop: Loop, value: Value) -> Series | None:
    node = value.node
    if node is None or node.regions or not isinstance(value.type, TensorType) or value.type.shape is None:
        return None
    rule = _RULES.get(node.op.name)
    if rule is not None:
        return rule(loop, node)
    if isinstance(node.op, Elementwise) and not may_raise(node):
        return _elementwise(loop, node)
    return None


def _read(loop: Loop, node: Node) -> Series | None:
    """`x[i]` and `x[3 + i]` of an invariant, or `x[:, i]` (batches whose second axis is time)."""
    x, *parts = node.inputs
    spec, rank = node.attrs["spec"], x.tensor_type.rank
    if not parts:
        return _part(loop, node)
    if x not in loop.outside or len(parts) != 1 or "?" not in spec or rank is None:
        return None
    axis = spec.index("?")
    if any(e != _ALL for e in spec[:axis]) or any(e not in ("...", _ALL) for e in spec[axis + 1 :]):
        return None
    backwards = loop.direction(parts[0])
    first = loop.offset(parts[0], (x.tensor_type.shape or ())[axis]) if backwards is None else 0
    if first is None:
        return None
    whole, perm = loop.outside[x], (axis, *range(axis), *range(axis + 1, rank))

    def build() -> Value:
        return loop.rows(whole if axis == 0 else put(loop.graph, "transpose", whole, perm=perm), first)

    return Series(build, bool(backwards), cheap=True)


def _part(loop: Loop, node: Node) -> Series | None:
    """`y[:, None]`, `y[2:4]` of a series y: the same of all its rows."""
    x, out = series_of(loop, node.inputs[0]), node.outputs[0].tensor_type
    if x is None or out.shape is None or may_raise(node):
        return None
    spec = (_ALL, *node.attrs["spec"])
    return Series(lambda: put(loop.graph, "index", x.array(), spec=spec), x.backwards, x.cheap, x.product)


def _taken(loop: Loop, node: Node) -> Series | None:
    """What is taken off the end of a list that the loop carries for that only: the rows of an array, from the last."""
    taken = loop.popped(node)
    whole = None if taken is None else _stacked(taken)
    if whole is None or not loop.has_steps(whole):
        return None
    if node.outputs[1].type != whole.tensor_type.with_shape((whole.tensor_type.shape or ())[1:]):
        return None
    return Series(lambda: whole, True, cheap=True)


def _stacked(node: Node) -> Value | None:
    """The array whose rows a list is made of."""
    while node.op.name == "list_cast" and node.inputs[0].type == node.outputs[0].type:
        if node.inputs[0].node is None:
            return None
        node = node.inputs[0].node
    return node.inputs[0] if node.op.name == "list_unstack" else None


def _gathered(loop: Loop, node: Node) -> Series | None:
    """Rows of a table by indices that are a series; it may raise, so nothing may have happened before it."""
    table, indices = node.inputs
    rows = series_of(loop, indices)
    if rows is None or node.attrs.get("axis", 0) != 0 or table not in loop.outside or loop.acts:
        return None
    return Series(lambda: put(loop.graph, "gather", loop.outside[table], rows.array(), axis=0), rows.backwards)


def _expanded(loop: Loop, node: Node) -> Series | None:
    series, axis = series_of(loop, node.inputs[0]), node.attrs["axis"]
    if series is None or axis < 0:
        return None
    return Series(
        lambda: put(loop.graph, "expand_dims", series.array(), axis=axis + 1),
        series.backwards, series.cheap, series.product,
    )  # fmt: skip


def _cast(loop: Loop, node: Node) -> Series | None:
    """The index as a typed integer; other casts are elementwise."""
    if node.inputs[0].type != INDEX:
        return None if may_raise(node) else _elementwise(loop, node)
    backwards, dtype = loop.direction(node.inputs[0]), node.attrs["dtype"]
    if backwards is None:
        return None

    def build() -> Value:
        count = constant_of(loop.count)
        bounds = number(loop.graph, 0), loop.count, number(loop.graph, 1)
        return put(loop.graph, "arange", *bounds, dtype=dtype, length=count if type(count) is int else None)

    return Series(build, backwards)


def _elementwise(loop: Loop, node: Node) -> Series | None:
    out = node.outputs[0].tensor_type
    given = [series_of(loop, v) for v in node.inputs]
    found = [s for s in given if s is not None]
    if out.rank is None or out.weak or not found or len({s.backwards for s in found}) > 1:
        return None
    if any(not isinstance(v.type, TensorType) or v.type.shape is None for v in node.inputs):
        return None
    if any(s is None and not loop.is_fixed(v) for s, v in zip(given, node.inputs, strict=True)):
        return None
    rank = out.rank

    def build() -> Value:
        inputs = []
        for series, v in zip(given, node.inputs, strict=True):
            array = loop.outer(v) if series is None else series.array()
            if series is not None:
                for _ in range(rank - (v.tensor_type.rank or 0)):
                    array = put(loop.graph, "expand_dims", array, axis=1)
            inputs.append(array)
        return put(loop.graph, node.op.name, *inputs, **node.attrs)

    return Series(build, found[0].backwards, product=any(s.product for s in found))


def _product(loop: Loop, node: Node) -> Series | None:
    """A product with an invariant matrix: of all steps' rows at once. From the other side it is transposed."""
    a, b = node.inputs
    if not _surely_fits(node) or not is_worth_it(loop, node):
        return None
    ta, tb = bool(node.attrs.get("transpose_a")), bool(node.attrs.get("transpose_b"))
    left, right, ranks = series_of(loop, a), series_of(loop, b), (a.tensor_type.rank, b.tensor_type.rank)
    if left is not None and b in loop.outside and ranks[1] == 2 and (ranks[0] == 1 or not ta):
        multiply, rows = (_rows if ranks[0] == 2 else _row), left
        return Series(lambda: multiply(loop, rows.array(), b, node, tb), rows.backwards, product=True)
    column = ranks == (2, 2) and (b.tensor_type.shape or ())[-1] == 1 and not tb
    if right is not None and a in loop.outside and (ranks == (2, 1) or column):
        multiply, columns = (_column if column else _row), right
        return Series(lambda: multiply(loop, columns.array(), a, node, not ta), columns.backwards, product=True)
    return None


def _flags(transpose_b: bool) -> dict[str, bool]:
    return {"transpose_b": True} if transpose_b else {}


def _row(loop: Loop, array: Value, weights: Value, _node: Node, tb: bool) -> Value:
    """(steps, inner) @ (inner, columns)"""
    return put(loop.graph, "matmul", array, loop.outside[weights], **_flags(tb))


def _column(loop: Loop, array: Value, weights: Value, node: Node, tb: bool) -> Value:
    """(steps, inner, 1), multiplied from the other side: a row each."""
    flat = put(loop.graph, "squeeze", array, axis=(2,))
    return put(loop.graph, "expand_dims", _row(loop, flat, weights, node, tb), axis=2)


def _rows(loop: Loop, array: Value, weights: Value, node: Node, tb: bool) -> Value:
    """(steps, rows, inner) @ (inner, columns), all rows in one product."""
    graph = loop.graph
    rows, inner = node.inputs[0].tensor_type.shape or ()
    columns = (node.outputs[0].tensor_type.shape or ())[-1]
    if not isinstance(inner, int) or not isinstance(columns, int) or inner == 0 or columns == 0:
        return put(graph, "matmul", array, loop.outside[weights], **_flags(tb))
    flat = put(graph, "reshape", array, shape=(-1, inner))
    flat = put(graph, "matmul", flat, loop.outside[weights], **_flags(tb))
    if isinstance(rows, int) and rows:
        return put(graph, "reshape", flat, shape=(-1, rows, columns))
    entries: list[Any] = list((array.tensor_type.shape or ())[:2])
    unknown = [axis for axis in (0, 1) if not isinstance(entries[axis], int)]
    sizes = [put(graph, "dim_size", array, axis=axis) for axis in unknown]
    return put(graph, "reshape", flat, *sizes, shape=(*entries, columns))


def _surely_fits(node: Node) -> bool:
    """Whether a product of matrices or vectors surely does not raise."""
    a, b = (v.tensor_type.shape for v in node.inputs)
    if not a or not b or len(a) > 2 or len(b) > 2:
        return False
    inner_a = a[0] if len(a) == 2 and node.attrs.get("transpose_a") else a[-1]
    inner_b = b[-1] if len(b) == 1 or node.attrs.get("transpose_b") else b[0]
    return same_size(inner_a, inner_b)


def is_worth_it(loop: Loop, node: Node) -> bool:
    """Whether a product has so few rows, and its results of all steps so few bytes, that it pays to make them at once."""
    kind = node.outputs[0].tensor_type
    shape = kind.shape or ()
    if len(shape) == 2 and isinstance(shape[0], int) and shape[0] > MOST_ROWS:
        return False
    count, size = constant_of(loop.count), num_elements(shape)
    return not (type(count) is int and size is not None and count * size * kind.dtype.size > MOST_BYTES)


_RULES: dict[str, Callable[[Loop, Node], Series | None]] = {
    "cast": _cast,
    "expand_dims": _expanded,
    "gather": _gathered,
    "index": _read,
    "list_pop": _taken,
    "matmul": _product,
}
