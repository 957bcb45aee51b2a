"""The plan of a graph: what an executor does beyond running nodes in order.

    reuse   node -> index of the input whose buffer (or list) its first output takes over
    copies  loop node -> the carried values that are copied once before it, so that the loop owns them
    frees   node -> values whose memory nobody needs after it
    scratch memory that a loop's turns use again
    fresh   indices of graph outputs that alias no input, constant or other output

Nodes stand in program order, and a plan keeps it.
"""

from __future__ import annotations

from runtime.ir.graph import Graph, Node, Value
from runtime.plan.lifetimes import Lifetimes
from runtime.plan.scratch import Scratch, find_scratch
from runtime.plan.storage import StorageMap

__all__ = ["Plan", "make_plan"]


class Plan:
    """Decisions about one function's graph and the regions in it. `str(plan)` shows them."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.reuse: dict[Node, int] = {}
        self.handed: dict[Node, frozenset[int]] = {}
        self.copies: dict[Node, frozenset[int]] = {}
        self.frees: dict[Node, list[Value]] = {}
        self.fresh: frozenset[int] = frozenset()
        self.scratch = Scratch()

    def __str__(self) -> str:
        names: dict[Value, str] = {}

        def name(value: Value) -> str:
            return names.setdefault(value, f"%{value.name or ''}{len(names)}")

        def lines(graph: Graph, pad: str) -> list[str]:
            out = [f"{pad}({', '.join(map(name, graph.inputs))})"]
            for node in graph.nodes:
                notes = []
                if node in self.reuse:
                    notes.append(f"in place of {name(node.inputs[self.reuse[node]])}")
                if node in self.handed:
                    notes.append(f"hands over {', '.join(name(node.inputs[k]) for k in sorted(self.handed[node]))}")
                if self.copies.get(node):
                    notes.append(f"owns copies of carried {sorted(self.copies[node])}")
                if node in self.scratch.buffers:
                    notes.append(f"makes {len(self.scratch.buffers[node])} buffers")
                if node in self.scratch.into:
                    notes.append(f"into buffer {self.scratch.into[node]}")
                if node in self.frees:
                    notes.append(f"frees {', '.join(map(name, self.frees[node]))}")
                text = f"{node.op.name}({', '.join(map(name, node.inputs))})"
                left = ", ".join(map(name, node.outputs))
                out.append(f"{pad}  {left} = {text}" + (f"  # {'; '.join(notes)}" if notes else ""))
                for region in node.regions:
                    out += lines(region, pad + "    ")
            return [*out, f"{pad}  return {', '.join(map(name, graph.outputs))}"]

        return "\n".join(lines(self.graph, ""))


def make_plan(graph: Graph, donated: frozenset[int] = frozenset()) -> Plan:
    """Plan one function. Arrays passed for inputs in `donated` may be overwritten.

    A loop that could overwrite a carried value from its second turn on, but does not own the initial one, starts from
    a copy of it. What that makes possible is found by first assuming that every loop copies everything.
    """
    lifetimes = Lifetimes(graph, StorageMap(graph, donated, lambda loop, k: True))
    copies = _wanted(lifetimes, {(n, k) for n in graph.walk() if _is_loop(n) for k in range(n.carried)})
    lifetimes = Lifetimes(graph, StorageMap(graph, donated, lambda loop, k: (loop, k) in copies))
    copies = copies - lifetimes.exclusive
    while True:
        current = frozenset(copies)
        final = Lifetimes(graph, StorageMap(graph, donated, lambda loop, k, at=current: (loop, k) in at))  # type: ignore[misc]
        needed = _wanted(final, copies)
        if needed == copies:
            break
        copies = needed
    plan = Plan(graph)
    plan.reuse, plan.handed, plan.frees = final.reuse, final.handed, final.frees
    for node, k in copies:
        plan.copies[node] = plan.copies.get(node, frozenset()) | {k}
    plan.fresh = _fresh(graph, final.storages)
    plan.scratch = find_scratch(graph, final.storages, final.reuse)
    return plan


def _is_loop(node: Node) -> bool:
    return node.op.name in ("while_loop", "for_loop")


def _wanted(lifetimes: Lifetimes, among: set[tuple[Node, int]]) -> set[tuple[Node, int]]:
    """The carried values whose memory is overwritten inside their loop."""
    return {
        (node, k) for node, k in among if lifetimes.storages.of(node.outputs[k]) in lifetimes.consumed.get(node, ())
    }


def _fresh(graph: Graph, storages: StorageMap) -> frozenset[int]:
    roots = [storages.of(v) for v in graph.outputs]
    return frozenset(
        k for k, root in enumerate(roots)
        if root is None or (root.owned and sum(root in storages.reach(v) for v in graph.outputs) == 1)
    )  # fmt: skip
