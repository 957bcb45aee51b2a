"""A graph or region while it is written as Python: where its values are, what waits, which names are free."""

from __future__ import annotations

from runtime.backends.numpy_executor.text import Expr
from runtime.ir.graph import Graph, Node, Value
from runtime.plan.plan import Plan

__all__ = ["Block"]


class Block:
    """A graph or region being written: where its values are, and which names it may bind again.

    `wish` maps a value to the variable it should end in; `holders` the values that live in a variable.
    """

    def __init__(self, graph: Graph, inputs: list[Expr], targets: list[str], rebindable: set[str], plan: Plan) -> None:
        self.graph = graph
        self.env: dict[Value, Expr] = {}
        self.pending: dict[Value, Expr] = {}
        self.holders: dict[str, list[Value]] = {}
        self.rebindable = rebindable
        self.uses: dict[Value, int] = {}
        self.last_use: dict[Value, int] = {}
        self.wish: dict[Value, str] = {}
        self.hint: dict[Value, str | None] = {}
        self.dying: list[Value] = []  # large arrays to forget as soon as nothing waits
        self.kept: set[Value] = set()  # values that need a variable: written in place later
        for value, expr in zip(graph.inputs, inputs, strict=True):
            self.bind(value, expr)
        for position, node in enumerate(graph.nodes):
            for value in node.inputs:
                self.uses[value] = self.uses.get(value, 0) + 1
                self.last_use[value] = position
        for value in graph.outputs:
            self.uses[value] = self.uses.get(value, 0) + 1
            self.last_use[value] = len(graph.nodes)
        for value, target in zip(graph.outputs, targets, strict=False):
            if value.node is not None and value.node.op.name != "constant":
                self.wish.setdefault(value, target)
        for node in reversed(graph.nodes):
            if node.op.name in ("while_loop", "for_loop"):
                self._start_in_place(node)
            elif node.op.name == "cond":
                self._pass_in_place(node)
            index = plan.reuse.get(node)
            if index is not None:
                source, result = node.inputs[index], node.outputs[0]
                self.kept.add(source)
                if result in self.wish:
                    self.wish.setdefault(source, self.wish[result])
                self.hint[source] = source.name or self.hint.get(result) or result.name

    def _start_in_place(self, loop: Node) -> None:
        """An initial value with no other use is best computed in the loop's variable."""
        lead = 1 if loop.op.name == "for_loop" else 0
        for init, result in zip(loop.inputs[lead:], loop.outputs, strict=False):
            if init.node is not None and init.node.op.name != "constant" and self.uses[init] == 1:
                self.hint.setdefault(init, result.name or loop.regions[-1].inputs[lead + result.index].name)
                if result in self.wish:
                    self.wish.setdefault(init, self.wish[result])

    def _pass_in_place(self, cond: Node) -> None:
        """What a branch passes on is best computed in the variable of the result."""
        for k, result in enumerate(cond.outputs):
            for region in cond.regions:
                out = region.outputs[k]
                source = None if out.node is not None else cond.inputs[1 + region.inputs.index(out)]
                if source is not None and source.node is not None and source.node.op.name != "constant":
                    self.hint.setdefault(source, self.name_hint(result))
                    if result in self.wish:
                        self.wish.setdefault(source, self.wish[result])

    def bind(self, value: Value, expr: Expr) -> None:
        self.env[value] = expr
        if expr.is_name:
            self.holders.setdefault(expr.text, []).append(value)

    def name_hint(self, value: Value) -> str | None:
        return value.name or self.hint.get(value)

    def is_free(self, name: str, position: int) -> bool:
        """Whether nothing in this block reads `name` after the node at `position`."""
        return all(self.last_use.get(v, -1) <= position for v in self.holders.get(name, ()))
