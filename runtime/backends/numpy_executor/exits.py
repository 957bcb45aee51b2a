"""Where a flag that ends a loop may be printed as `break`.

`break` and `return` are lowered to flags which the loop's test reads. If the test is false whenever the flag is set,
and the flag is set by the last statement of the body, that statement can leave the loop there and then.
"""

from __future__ import annotations

from runtime.ir.graph import Graph, Node, Value

__all__ = ["Exits", "exits_of", "skippable"]


class Exits:
    """Carried value `slot` is such a flag; `sites` are the (conditional, branch) pairs that set it."""

    __slots__ = ("sites", "slot")

    def __init__(self, slot: int, sites: list[tuple[Node, int]]) -> None:
        self.slot = slot
        self.sites = sites


def exits_of(loop: Node) -> Exits | None:
    """The exits of a `while_loop`, by its first flag that allows them."""
    test, body = loop.regions
    for slot in range(loop.carried):
        if _known(loop.inputs[slot], {}) is False and _known(test.outputs[0], {test.inputs[slot]: True}) is False:
            sites: list[tuple[Node, int]] = []
            if _collect(body.outputs[slot], {body.inputs[slot]}, sites) and sites:
                return Exits(slot, sites)
    return None


def _collect(flag: Value, unset: set[Value], sites: list[tuple[Node, int]]) -> bool:
    """Note the branches that set the flag; whether every other path leaves it unset."""
    last = flag.node
    if last is None or last.op.name != "cond":
        return False
    for side, branch in enumerate(last.regions):
        inner = {v for v, outer in zip(branch.inputs, last.inputs[1:], strict=True) if outer in unset}
        out = branch.outputs[flag.index]
        value = _known(out, {})
        if value is True:
            sites.append((last, side))
        elif value is None and out not in inner and not _collect(out, inner, sites):
            return False
    return True


def skippable(graph: Graph, after: Node) -> bool:
    """Whether everything after a node is plain and without effects."""
    rest = graph.nodes[graph.nodes.index(after) + 1 :]
    return all(node.op.effect is None and not node.regions and node.op.name != "call" for node in rest)


def _known(value: Value, facts: dict[Value, bool]) -> bool | None:
    """The truth of a value under some facts, where it follows."""
    return _Truths(facts).of(value)


class _Truths:
    """What follows of some facts; each value is looked at once, however many ways lead to it."""

    def __init__(self, facts: dict[Value, bool]) -> None:
        self._found: dict[Value, bool | None] = dict(facts)
        self._outer: dict[Value, Value] = {}  # inputs of branches, by what they stand for

    def of(self, value: Value) -> bool | None:
        """The truth of a value, None where it does not follow."""
        if value not in self._found:
            self._found[value] = self._derived(value)
        return self._found[value]

    def _derived(self, value: Value) -> bool | None:
        node = value.node
        if node is None:
            return self.of(self._outer[value]) if value in self._outer else None
        name = node.op.name
        if name == "constant":
            return node.attrs["value"] if type(node.attrs["value"]) is bool else None
        if name == "logical_not":
            inner = self.of(node.inputs[0])
            return None if inner is None else not inner
        if name in ("logical_and", "logical_or"):
            sides = {self.of(v) for v in node.inputs}
            deciding = name == "logical_or"
            return deciding if deciding in sides else None if None in sides else not deciding
        if name == "cond":
            chosen = self.of(node.inputs[0])
            branches = node.regions if chosen is None else [node.regions[0 if chosen else 1]]
            results = set()
            for branch in branches:
                self._outer.update(zip(branch.inputs, node.inputs[1:], strict=True))
                results.add(self.of(branch.outputs[value.index]))
            return results.pop() if len(results) == 1 else None
        return None
