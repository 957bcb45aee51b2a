"""Sums of products that a recursion builds up become one product after it.

    def f(x):                               def f(x, A, B):
      dW1 = f(x.left)                         A, B = f(x.left, A, B)
      dW2 = f(x.right)              ->        A, B = f(x.right, A, B)
      return dW1 + dW2 + a^T @ b              return A + [a], B + [b]
    dW = f(x)                               A, B = f(x, [], []);  dW = stack(A)^T @ stack(B)

The backward half of a recursive function returns its weights' gradients: an array as large as the weight, and a sum of such
arrays, at every call. The factors are small; lists of them go from call to call. So do the rows that are added to a table
at places of their own (`emb[word]`), and vectors: an array that is another sum, or that the function needs itself, stays.
All lists that one region fills get an element each where the last of them is known: their elements belong together.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from runtime.ir.graph import Graph, Node, Value
from runtime.ir.walk import reachable_functions
from runtime.passes.dce import eliminate_dead_code
from runtime.passes.rewrite import Uses, graphs, put, static_sizes
from runtime.passes.sink import Term, factors, is_zero
from runtime.typesys.spec import ListType, TensorType

__all__ = ["collect_recursive_sums"]


def collect_recursive_sums(graph: Graph) -> Graph:
    """`f(x) = f(y) + a^T @ b` -> `f` appends a and b to lists; one product follows the outermost call."""
    if not graph.functions:
        return graph
    changed = False
    watched = {n.attrs["function"] for each in graphs(graph) for n in each.walk() if n.op.name == "attempt"}
    for name in reachable_functions(graph):
        if name not in watched:
            found = _Recursion(graph.functions[name], name)
            if found.terms:
                changed = True
                found.collect()
                for each in graphs(graph):
                    if each is not found.graph:
                        found.call_from(each)
    return eliminate_dead_code(graph) if changed else graph


class _Sum(NamedTuple):
    """What is added up to a value: products and their like, results of calls, and how often what a loop carries."""

    leaves: tuple[Value, ...] = ()
    calls: tuple[Node, ...] = ()
    bases: int = 0

    def plus(self, other: _Sum) -> _Sum:
        return _Sum(self.leaves + other.leaves, self.calls + other.calls, self.bases + other.bases)


class _Recursion:
    """A function that calls itself, and those of its results that are sums over all calls: `terms`, by their numbers."""

    def __init__(self, graph: Graph, name: str) -> None:
        self.graph = graph
        self.name = name
        self.terms: dict[int, list[Term]] = {}
        calls = {n for n in graph.walk() if self.is_call(n)}
        if not calls or any(r.nodes and n.op.name not in ("cond", "for_loop") and self.calls_in(r)
                            for n in graph.walk() for r in n.regions):  # fmt: skip
            return
        uses = Uses()
        sums: dict[int, _Sum] = {}
        for k, value in enumerate(graph.outputs):
            found = self.read(value, k, uses) if _is_inexact(value) else None
            if found is not None and found.leaves and len(found.calls) == len(calls) == len({*found.calls}):
                sums[k] = found
        products = {v: term for s in sums.values() for v in s.leaves if (term := _product(v, uses)) is not None}
        rows = {v for term in products.values() for v in term.operands}
        for k, found in sums.items():
            terms = [products.get(v) or _row_sum(v, rows) for v in found.leaves]
            if all(terms):
                self.terms[k] = [term for term in terms if term is not None]
        if not any(term.kind != "reduce_sum" for terms in self.terms.values() for term in terms):
            self.terms = {}  # vectors alone are as soon added as kept
        operands = dict.fromkeys(v for terms in self.terms.values() for term in terms for v in term.operands)
        self.slots = {value: slot for slot, value in enumerate(operands)}
        self.kinds = [ListType(value.type) for value in operands]

    # What is added up

    def is_call(self, node: Node) -> bool:
        """Whether a node calls the function."""
        return node.op.name == "call" and node.attrs["function"] == self.name

    def calls_in(self, region: Graph) -> bool:
        """Whether the function is called in a region."""
        return any(map(self.is_call, region.walk()))

    def read(self, value: Value, k: int, uses: Uses, base: Value | None = None, kind: object = None) -> _Sum | None:
        """A value as a sum that has results `k` of calls among its terms; None where it is used for anything else."""
        kind = kind or value.type
        if value is base:
            return _Sum(bases=1)
        if is_zero(value):
            return _Sum()
        node = value.node
        if node is None or value.type != kind or uses(value) != 1:
            return None
        if self.is_call(node):
            return _Sum(calls=(node,)) if value.index == k else None
        if node.op.name == "add":
            return _all([self.read(v, k, uses, base, kind) for v in node.inputs])
        if node.op.name == "index_add":
            if _product(value, uses) is None:
                return None
            return _all([self.read(node.inputs[0], k, uses, base, kind), _Sum(leaves=(value,))])
        if node.op.name == "cond":
            return _all([self.read(r.outputs[value.index], k, uses, None, kind) for r in node.regions])
        if node.op.name == "for_loop":
            body, at = node.regions[0], 1 + value.index
            start = self.read(node.inputs[at], k, uses, base, kind)
            step = self.read(body.outputs[value.index], k, uses, body.inputs[at], kind)
            if start is None or step is None or step.bases != 1 or uses(body.inputs[at]) != 1:
                return None
            return start.plus(step._replace(bases=0))
        return _Sum(leaves=(value,))

    # The function

    def collect(self) -> None:
        """Let the function carry the lists, and return them in the place of the sums."""
        places: dict[Graph, list[Value]] = {}
        for value in self.slots:
            places.setdefault(value.graph, []).append(value)
        state = [self.graph.add_input(kind) for kind in self.kinds]
        state = self.thread(self.graph, state, places)
        self.graph.outputs = [v for k, v in enumerate(self.graph.outputs) if k not in self.terms] + state

    def thread(self, region: Graph, state: list[Value], places: dict[Graph, list[Value]]) -> list[Value]:
        """Pass the lists through a region's calls and appends; what they are at its end."""
        nodes, region.nodes = region.nodes, []
        waiting = list(places.get(region, ()))
        last = max((nodes.index(v.node) for v in waiting if v.node in nodes), default=-1)
        for place, node in enumerate([None, *nodes], -1):
            if node is not None:
                region.nodes.append(node)
                if self.is_call(node):
                    state, gone = self.extend(node, state)
                    for value in gone.values():  # only dead additions ask for them
                        kind = value.tensor_type
                        zeros = put(region, "zeros", shape=kind.shape, dtype=kind.dtype).node
                        assert zeros is not None
                        value.node, value.index, zeros.outputs = zeros, 0, [value]
                elif any(self.calls_in(r) or any(p in places for p in _regions(r)) for r in node.regions):
                    state = self._through(node, state, places)
            if waiting and place == last:
                for value in waiting:
                    slot = self.slots[value]
                    state[slot] = put(region, "list_append", state[slot], value)
                waiting = []
        return state

    def extend(self, call: Node, state: list[Value]) -> tuple[list[Value], dict[int, Value]]:
        """Give a call the lists: what it returns them as, and the sums that it returns no more."""
        gone = {k: call.outputs[k] for k in self.terms}
        call.inputs = [*call.inputs, *state]
        call.attrs = {**call.attrs, "handed": len(state)}
        call.outputs = [v for v in call.outputs if v.index not in gone]
        made = [Value(kind, gone[next(iter(gone))].graph, call) for kind in self.kinds]
        call.outputs += made
        for index, value in enumerate(call.outputs):
            value.index = index
        return made, gone

    def _through(self, node: Node, state: list[Value], places: dict[Graph, list[Value]]) -> list[Value]:
        """Pass the lists through the regions of a cond or of a for_loop."""
        at = len(node.inputs) if node.op.name == "cond" else 1 + node.carried
        for region in node.regions:
            own = at - 1 if node.op.name == "cond" else at
            inner = [Value(kind, region) for kind in self.kinds]
            region.inputs[own:own] = inner
            for index, value in enumerate(region.inputs):
                value.index = index
            region.outputs += self.thread(region, inner, places)
        node.inputs[at:at] = state
        if node.op.name == "for_loop":
            node.attrs = {**node.attrs, "carried": node.carried + len(state)}
        return [node.add_output(kind) for kind in self.kinds]

    # Who calls it

    def call_from(self, region: Graph) -> None:
        """Let calls from elsewhere begin with empty lists, and make the sums of what they return.

        Where all results of some calls are added up, each begins with the lists of the one before.
        """
        followed = self._followed(region)
        nodes, region.nodes = region.nodes, []
        table: dict[Value, Value] = {}
        nothing: set[Value] = set()  # what is left of sums whose terms are in the lists of a later call
        state: list[Value] = []
        for node in nodes:
            node.inputs = [table.get(v, v) for v in node.inputs]
            for inner in node.regions:
                self.call_from(inner)
            if self.is_call(node):
                state = state or [put(region, "list_new", element=kind.element) for kind in self.kinds]
                region.nodes.append(node)
                state, gone = self.extend(node, state)
                if node in followed:
                    nothing.update(gone.values())
                    continue
                stacked, state = self.stacked(region, state), []
                table.update((value, self.total(region, k, stacked, value.tensor_type)) for k, value in gone.items())
            elif nothing.isdisjoint(node.inputs):
                region.nodes.append(node)
            else:
                left = [v for v in node.inputs if v not in nothing]
                if left:
                    table[node.outputs[0]] = left[0]
                else:
                    nothing.add(node.outputs[0])
        region.outputs = [table.get(v, v) for v in region.outputs]

    def _followed(self, region: Graph) -> set[Node]:
        """The calls of a region, but for the last, if all that they return for each of the sums is added up."""
        calls = [node for node in region.nodes if self.is_call(node)]
        if len(calls) < 2:
            return set()
        uses, added = Uses(), {v: n.outputs[0] for n in region.nodes if n.op.name == "add" for v in n.inputs}

        def whole(value: Value) -> Value:
            while uses(value) == 1 and value in added and added[value].type == value.type:
                value = added[value]
            return value

        for k in self.terms:
            if any(uses(call.outputs[k]) for call in calls) and len({whole(call.outputs[k]) for call in calls}) > 1:
                return set()
        return {*calls[:-1]}

    def stacked(self, region: Graph, lists: list[Value]) -> dict[Value, Value]:
        """What the lists hold, as arrays."""
        return {v: put(region, "list_stack", lists[slot], element=v.type) for v, slot in self.slots.items()}

    def total(self, region: Graph, k: int, stacked: dict[Value, Value], kind: TensorType) -> Value:
        """A sum of what the lists hold."""
        total: Value | None = None
        for term in self.terms[k]:
            if term.kind == "place":
                start = total or put(region, "zeros", shape=kind.shape, dtype=kind.dtype)
                total = put(region, "index_add", start, *(stacked[v] for v in term.operands), spec=term.spec)
                continue
            rows = [put(region, "reshape", stacked[v], shape=(-1, term.width(v))) for v in term.operands]
            if term.kind == "reduce_sum":
                made = put(region, "reduce_sum", rows[0], axis=0, keepdims=False)
            else:
                made = put(region, "matmul", *rows, transpose_a=True)
            total = made if total is None else put(region, "add", total, made)
        assert total is not None
        return total


def _all(parts: list[_Sum | None]) -> _Sum | None:
    total = _Sum()
    for part in parts:
        if part is None:
            return None
        total = total.plus(part)
    return total


def _regions(region: Graph) -> Iterator[Graph]:
    """A region and those inside."""
    yield region
    for node in region.nodes:
        for inner in node.regions:
            yield from _regions(inner)


def _is_inexact(value: Value) -> bool:
    return isinstance(value.type, TensorType) and value.type.dtype.is_inexact and bool(static_sizes(value))


def _product(value: Value, uses: Uses) -> Term | None:
    """A term made of factors, or of rows, that are small beside it."""
    node = value.node
    assert node is not None
    turned = node.op.name == "transpose" and node.attrs.get("perm") in ((1, 0), [1, 0])
    made = node.inputs[0].node if turned else node
    if turned and (made is None or uses(node.inputs[0]) != 1 or made.op.name != "matmul"):
        return None
    term = None if made is None else factors(made) or _placed(made)
    if turned and term is not None:
        term = term._replace(operands=term.operands[::-1])
    if term is None:
        return None
    sizes = [static_sizes(v) for v in term.operands]
    if any(s is None or 0 in s for s in sizes):
        return None
    whole = math.prod(static_sizes(value) or (0,))
    return term if 2 * sum(math.prod(s or ()) for s in sizes) <= whole else None


def _placed(node: Node) -> Term | None:
    """A row at a place that integers name (`x[i]`, `x[i, j]`, `x[i, 2:]`), in zeros or added to a sum."""
    if node.op.name not in ("index_grad", "index_add"):
        return None
    row, parts = node.inputs[node.op.name == "index_add"], node.inputs[2:]
    spec = node.attrs["spec"]
    lead = len(parts)
    if not parts or spec[:lead] != ("?",) * lead or not all(isinstance(part, tuple) for part in spec[lead:]):
        return None
    if any(v.tensor_type.shape != () or v.tensor_type.dtype.kind not in "iu" for v in parts):
        return None
    return Term("place", (row, *parts), spec=spec)


def _row_sum(value: Value, rows: set[Value]) -> Term | None:
    """A vector, which is a row to be added up, or the sum of rows that are kept anyway."""
    if len(static_sizes(value) or ()) != 1:
        return None
    node = value.node
    assert node is not None
    if node.op.name == "reduce_sum" and node.attrs.get("axis") in (0, (0,)) and not node.attrs.get("keepdims"):
        (x,) = node.inputs
        if x in rows and len(static_sizes(x) or ()) == 2:
            return Term("reduce_sum", (x,))
    return Term("reduce_sum", (value,))
