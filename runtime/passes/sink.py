"""Sums of products that a loop builds up become one product after it.

    for i: dW = dW + a_i^T @ b_i     ->   for i: save a_i and b_i;   dW = dW + A^T @ B,   over the rows of all steps
    for i: db = db + sum(b_i)        ->   for i: save b_i;           db = db + sum(B)
    for i: dx[i] = dx[i] + b_i @ W   ->   for i: save b_i;           dx = dx + B @ W,         rows in their places

These are the gradients of a recurrent network's weights, biases and inputs. What is an invariant's
row (`x[i]`) or taken off a list that was filled before is at hand already; other operands are appended to a list.
It pays where the saved rows are small beside the sum.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from runtime.ir.graph import Graph, Node, Value
from runtime.ir.walk import renewed
from runtime.passes.loops import Loop, lengths_before, steps_of_lists
from runtime.passes.rewrite import constant_of, graphs, put, static_sizes
from runtime.passes.series import MOST_BYTES, MOST_ROWS, series_of
from runtime.typesys.shapes import Dim
from runtime.typesys.spec import ListType, TensorType

__all__ = ["Term", "factors", "is_zero", "sink_sums"]


def sink_sums(graph: Graph) -> Graph:
    """`for i: dW = dW + a_i^T @ b_i` -> `dW = dW + A^T @ B` after the loop, over all rows of all steps."""
    for each in graphs(graph):
        _sink(each)
    return graph


def _sink(graph: Graph) -> None:
    lengths: dict[Dim, Value] = {}
    for node, table in renewed(graph):
        for region in node.regions:
            _sink(region)
        if node.op.name == "for_loop" and constant_of(node.inputs[0]) != 1:
            saved = _Saved(Loop(node, graph, lengths))
            sums = saved.sums()
            graph.nodes.append(node)
            for k, terms in sums:
                table[node.outputs[k]] = saved.total(k, terms)
        else:
            graph.nodes.append(node)
        lengths_before(node, lengths)


def is_zero(value: Value) -> bool:
    """Whether a value is all zeros (of either sign: a sum that starts from it starts from its first term)."""
    node = value.node
    if node is None:
        return False
    if node.op.name in ("zeros", "zeros_like"):
        return True
    known = node.attrs.get("value") if node.op.name == "constant" else None
    return known is not None and not np.any(known)


class Term(NamedTuple):
    """One term of a sum: the rows of its operands over all steps are multiplied ("matmul"; "outer" where an operand is
    one row), summed ("reduce_sum"), multiplied by an invariant and put in their places ("rows"), or added at the places that
    the other operands name, by `spec` ("place").
    """

    kind: str
    operands: tuple[Value, ...]
    weights: Value | None = None  # rows put in their places: the outer matrix they are multiplied by,
    transposed: bool = False  # whether that is transposed,
    backwards: bool = False  # and whether step i puts its row at count - 1 - i
    spec: tuple[Any, ...] = ()

    def width(self, value: Value) -> int:
        """The length of a row of an operand."""
        sizes = static_sizes(value) or ()
        return math.prod(sizes) if self.kind == "outer" else sizes[-1]


class _Saved:
    """A loop, and the arrays of what its steps computed, made after it."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.backwards = False  # the order of the arrays: that of the index, or from the last step to the first
        self.lists: dict[Value, int] = {}  # values of the body -> the carried list that collects them
        self.arrays: dict[Value, Value] = {}
        self.dropped: set[Node] = set()  # additions of terms that moved
        self.placing: dict[int, Node] = {}  # carried value -> the node that puts a row into it
        body = loop.body
        for k in steps_of_lists(loop.node):
            append = body.outputs[k].node
            assert append is not None
            if append.inputs[1].type == append.outputs[0].type.element:  # type: ignore[union-attr]
                self.lists.setdefault(append.inputs[1], k)

    # What may move

    def sums(self) -> list[tuple[int, list[Term]]]:
        """Take sums of products out of the body: (which carried value, its terms)."""
        trees = [(k, tree) for k in range(self.loop.node.carried) if (tree := self._leaves(k)) is not None]
        chosen: dict[Value, Term] = {}
        for _, leaves in trees:
            chosen.update((v, term) for v in leaves if (term := self._product(v)) is not None)
        rows = {v for term in chosen.values() for v in term.operands}
        for _, leaves in trees:
            chosen.update((v, term) for v in leaves if (term := self._row_sum(v, rows)) is not None)
        places = [(k, v, term) for k in range(self.loop.node.carried) for v, term in self._placed(k)]
        chosen.update((v, term) for _, v, term in places)
        if not chosen:
            return []
        self.backwards = any(t.backwards or any(map(self._is_backwards, t.operands)) for t in chosen.values())
        found = []
        for k, _, term in places:
            self.loop.body.outputs[k] = self.loop.body.inputs[1 + k]
            found.append((k, [term]))
        for k, leaves in trees:
            terms = [chosen[v] for v in leaves if v in chosen]
            if terms:
                left = self._without(self.loop.body.outputs[k], chosen)
                assert left is not None
                self.loop.body.outputs[k] = left
                found.append((k, terms))
        gone = {v.node for v in chosen} | self.dropped | {self.placing[k] for k, _, _ in places}
        self.loop.body.nodes = [n for n in self.loop.body.nodes if n not in gone]
        for term in chosen.values():
            for value in term.operands:
                self._keep(value)
        return found

    def _placed(self, k: int) -> list[tuple[Value, Term]]:
        """A product with an invariant that is added, at every step, to a row of its own of a carried array."""
        loop, uses = self.loop, self.loop.uses
        before, node = loop.body.inputs[1 + k], loop.body.outputs[k].node
        if node is None or node.op.name != "index_add" or node.inputs[0] is not before or node.attrs["spec"] != ("?",):
            return []
        row = node.inputs[1]
        product, back = row.node, loop.direction(node.inputs[2])
        if uses[before] != 1 or uses[node.outputs[0]] != 1 or uses[row] != 1 or back is None:
            return []
        if product is None or product.op.name != "matmul" or product.attrs.get("transpose_a"):
            return []
        a, b = product.inputs
        sizes, out = static_sizes(a), static_sizes(row)
        if b not in loop.outside or not sizes or not out or len(sizes) != 2 or len(out) != 2 or 0 in (*sizes, *out):
            return []
        if loop.is_fixed(a) or sizes[0] > MOST_ROWS or (not self._at_hand(a) and math.prod(sizes) > 4 * math.prod(out)):
            return []
        if b.tensor_type.rank != 2 or row.tensor_type.dtype != before.tensor_type.dtype:
            return []
        self.placing[k] = node
        turned = bool(product.attrs.get("transpose_b"))
        return [(row, Term("rows", (a,), loop.outside[b], turned, back))]

    def _leaves(self, k: int) -> list[Value] | None:
        """What is added up to the next value of a carried sum, which is used for nothing else; None if it is no sum."""
        before, after = self.loop.body.inputs[1 + k], self.loop.body.outputs[k]
        kind = before.type
        if after is before or self.loop.uses.get(before, 0) != 1:
            return None
        if not isinstance(kind, TensorType) or not kind.dtype.is_inexact:
            return None
        leaves: list[Value] = []
        waiting = [after]
        while waiting:
            value = waiting.pop()
            if value.type != kind:
                return None
            if value.node is not None and value.node.op.name == "add" and self.loop.uses[value] == 1:
                waiting += value.node.inputs[::-1]
            else:
                leaves.append(value)
        return leaves if before in leaves and len(leaves) > 1 else None

    def _without(self, value: Value, gone: Mapping[Value, object]) -> Value | None:
        """A sum without some of its terms; None if none are left."""
        if value in gone:
            return None
        node = value.node
        if node is None or node.op.name != "add" or self.loop.uses[value] != 1:
            return value
        left = [v for v in (self._without(x, gone) for x in node.inputs) if v is not None]
        if len(left) == 2:
            node.inputs = left
            return value
        self.dropped.add(node)
        return left[0] if left else None

    def _product(self, value: Value) -> Term | None:
        """A term that is a product of two things of which the steps' rows can be had, if saving them pays."""
        node = value.node
        if node is None or self.loop.uses[value] != 1:
            return None
        term = factors(node)
        operands = () if term is None else term.operands
        sizes = [static_sizes(v) for v in operands]
        if not operands or any(not s or 0 in s or self.loop.is_fixed(v) for s, v in zip(sizes, operands, strict=True)):
            return None
        new = sum(math.prod(s or ()) for s, v in zip(sizes, operands, strict=True) if not self._at_hand(v))
        count, whole = constant_of(self.loop.count), static_sizes(value)
        if whole is None or new > 4 * math.prod(whole) or (type(count) is int and count * new * 8 > MOST_BYTES):
            return None
        return term

    def _row_sum(self, value: Value, rows: set[Value]) -> Term | None:
        """A term that sums the rows of what is saved already."""
        node = value.node
        if value in rows and len(static_sizes(value) or ()) == 1:
            return None
        if node is None or node.op.name != "reduce_sum" or self.loop.uses[value] != 1 or node.attrs.get("keepdims"):
            return None
        (x,) = node.inputs
        if node.attrs.get("axis") not in (0, (0,)) or len(static_sizes(x) or ()) != 2:
            return None
        return Term("reduce_sum", (x,)) if x in rows or (self._at_hand(x) and not self.loop.is_fixed(x)) else None

    def _at_hand(self, value: Value) -> bool:
        """Whether nothing has to be saved for a value to be there after the loop."""
        series = series_of(self.loop, value)
        return (series is not None and series.cheap) or self._taken(value) is not None or value in self.lists

    def _taken(self, value: Value) -> Value | None:
        """The outer list that a value is taken off the end of, one a step."""
        node = value.node
        if node is None or node.op.name != "list_pop" or value is not node.outputs[1]:
            return None
        made = self.loop.popped(node)
        if made is None or made.op.name != "for_loop" or not self.loop.same_count(made.inputs[0]):
            return None
        start = self.loop.node.inputs[node.inputs[0].index]
        full = start.index in steps_of_lists(made) and start.type == ListType(value.type)
        return start if full else None

    def _is_backwards(self, value: Value) -> bool:
        series = series_of(self.loop, value)
        return self._taken(value) is not None or (series is not None and series.cheap and series.backwards)

    def _keep(self, value: Value) -> None:
        """Make the loop collect a value, unless it is there after the loop."""
        if self._at_hand(value):
            return
        loop, kind = self.loop, ListType(value.type)
        start = put(loop.graph, "list_new", element=value.type)
        before = loop.carry(start)
        loop.body.outputs.append(put(loop.body, "list_append", before, value))
        assert start.type == kind
        self.lists[value] = loop.node.carried - 1

    # After the loop

    def total(self, k: int, terms: list[Term]) -> Value:
        """A carried sum with the terms that were taken out of it."""
        graph, node = self.loop.graph, self.loop.node
        body = self.loop.body
        alone = body.outputs[k] is body.inputs[1 + k] and is_zero(node.inputs[1 + k])
        total = None if alone else node.outputs[k]
        for term in terms:
            flat = [put(graph, "reshape", self.array(v), shape=(-1, term.width(v))) for v in term.operands]
            if term.kind == "rows":
                return self._rows(node.outputs[k], term, flat[0], alone)
            if term.kind in ("matmul", "outer"):
                made = put(graph, "matmul", *flat, transpose_a=True)
            else:
                made = put(graph, "reduce_sum", *flat, axis=0, keepdims=False)
            total = made if total is None else put(graph, "add", total, made)
        assert total is not None
        return total

    def _rows(self, start: Value, term: Term, rows: Value, alone: bool) -> Value:
        """An array with the products of all steps added to its first rows."""
        graph, kind = self.loop.graph, start.tensor_type
        assert term.weights is not None
        made = put(graph, "matmul", rows, term.weights, **({"transpose_b": True} if term.transposed else {}))
        height = (static_sizes(term.operands[0]) or ())[0]
        made = put(graph, "reshape", made, shape=(-1, height, made.tensor_type.shape[-1]))  # type: ignore[index]
        if term.backwards != self.backwards:
            made = put(graph, "reverse", made, axis=(0,))
        if alone and self.loop.has_steps(start):
            made.type = kind
            return made
        return put(graph, "index_add", start, made, self.loop.count, spec=((None, "?", None),))

    def array(self, value: Value) -> Value:
        """A value of all steps, in the order that all have."""
        if value not in self.arrays:
            self.arrays[value] = self._array(value)
        return self.arrays[value]

    def _array(self, value: Value) -> Value:
        graph, loop = self.loop.graph, self.loop
        taken, series = self._taken(value), series_of(loop, value)
        if taken is not None:
            made, backwards = self._filled(taken, value)
        elif series is not None and series.cheap:
            made, backwards = series.array(), series.backwards
        else:
            collected = loop.node.outputs[self.lists[value]]
            if self.backwards:
                collected = put(graph, "list_reverse", collected)
            return put(graph, "list_stack", collected, element=value.type)
        if backwards == self.backwards:
            return made
        return put(graph, "reverse", made, axis=(0,))


    def _filled(self, taken: Value, value: Value) -> tuple[Value, bool]:
        """The array of a list that an earlier loop filled: what it has read the elements from, if that is still there."""
        graph, made = self.loop.graph, taken.node
        assert made is not None
        before = Loop(made, graph, self.loop.lengths)
        append = before.body.outputs[taken.index].node
        series = None if append is None else series_of(before, append.inputs[1])
        if series is not None and series.cheap and not series.product:
            return series.array(), not series.backwards
        return put(graph, "list_stack", taken, element=value.type), True


def factors(node: Node) -> Term | None:
    """(a, b) of `a^T @ b` of matrices, or of the outer product of vectors."""
    ranks = [len(static_sizes(v) or ()) for v in node.inputs]
    if node.op.name == "matmul" and ranks == [2, 2]:
        ta, tb = bool(node.attrs.get("transpose_a")), bool(node.attrs.get("transpose_b"))
        a, b = (static_sizes(v) or () for v in node.inputs)
        one = a[0 if ta else 1] == 1  # columns or rows of one element: an outer product, however they lie
        if ta and not tb:
            return Term("matmul", tuple(node.inputs))
        return Term("outer", tuple(node.inputs)) if one and b[1 if tb else 0] == 1 else None
    if node.op.name == "mul" and ranks == [2, 2]:
        made = [v.node for v in node.inputs]
        if all(n is not None and n.op.name == "expand_dims" and n.inputs[0].tensor_type.rank == 1 for n in made):
            column, row = (n for n in made if n is not None)
            if (column.attrs["axis"], row.attrs["axis"]) == (1, 0):
                return Term("outer", (column.inputs[0], row.inputs[0]))
    return None
