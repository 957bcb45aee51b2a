"""What is drawn of a graph: blocks of boxes joined by edges; boxes of control nodes hold blocks of their own.

Constants are text in the boxes that use them. Every box knows its size before the layout; `runtime.ir.draw.layers`
finds rows and horizontal places, `Block.place` the vertical ones.
"""

from __future__ import annotations

import linecache
import os
from typing import Any

from runtime.ir.draw.layers import arrange
from runtime.ir.graph import Graph, Location, Node, Value
from runtime.ir.text import REGION_NAMES, Sizes, attribute_text, constant_text
from runtime.ir.walk import reachable_functions
from runtime.typesys.shapes import Dim
from runtime.typesys.spec import ListType, TensorType

__all__ = ["Block", "Box", "Edge", "Scene"]

CHARACTER = 0.61  # width of a monospaced character, in font sizes
TITLE, DETAIL = 13, 11  # font sizes
PAD, BAR, GAP, ROW_GAP = 14, 30, 18, 46
_LONGEST = 34

_FAMILIES = {
    "arithmetic": "math", "elementwise": "math", "special": "math", "rounding": "math", "activations": "math",
    "bitwise": "math", "nn": "math", "compare": "logic", "reduce": "reduce", "cumulative": "reduce", "counting": "reduce",
    "pooling": "reduce", "segments": "reduce", "matmul": "linear", "einsum": "linear", "convolution": "linear",
    "decompositions": "linear", "linalg": "linear",
    "movement": "move", "orders": "move", "index": "move", "gather": "move", "joining": "move", "broadcasting": "move",
    "padding": "move", "diagonals": "move", "sorting": "move", "windows": "move",
    "creation": "make", "cast": "make", "control": "make", "lists": "list",
    "effects": "effect", "choices": "effect", "sampling": "effect",
}  # fmt: skip


class Box:
    """A drawn thing: an input, a node, or what is returned. `blocks` are the regions of a control node."""

    __slots__ = ("blocks", "constant", "detail", "family", "height", "hover", "row", "title", "width", "x", "y")

    def __init__(self, title: str, detail: str = "", family: str = "other", hover: str = "") -> None:
        self.title = title
        self.detail = detail
        self.family = family
        self.hover = hover
        self.blocks: list[Block] = []
        self.constant = False  # an input that is the same in every iteration
        self.width = max(_text_width(title, TITLE), _text_width(detail, DETAIL)) + 2 * PAD
        self.height = 48.0 if detail else 32.0
        self.row = 0
        self.x = self.y = 0.0

    def hold(self, blocks: list[Block]) -> None:
        """Become the frame of a control node's regions."""
        self.blocks = blocks
        inside = sum(b.width for b in blocks) + GAP * (len(blocks) - 1)
        heading = _text_width(self.title, TITLE) + _text_width(self.detail, DETAIL) + 3 * PAD
        self.width = max(inside + 2 * GAP, heading + 24)
        self.height = BAR + max(b.height for b in blocks) + GAP
        x = (self.width - inside) / 2
        for block in blocks:
            block.x, block.y = x, float(BAR)
            x += block.width + GAP

    def port(self, k: int, count: int) -> float:
        """Horizontal offset of the k-th of `count` edges at one side."""
        step = min(self.width / (count + 1), 44.0)
        return self.width / 2 + (k - (count - 1) / 2) * step


class Edge:
    """From an output port of a box to an input port of another; `xs` are its places in the rows between."""

    __slots__ = ("source", "start", "target", "end", "xs")

    def __init__(self, source: Box, start: float, target: Box, end: float) -> None:
        self.source = source
        self.start = start
        self.target = target
        self.end = end
        self.xs: list[float] = []


class Block:
    """A graph or region: boxes in rows, edges between them."""

    __slots__ = ("boxes", "edges", "height", "rows", "title", "width", "x", "y")

    def __init__(self, title: str, boxes: list[Box], edges: list[Edge]) -> None:
        self.title = title
        self.boxes = boxes
        self.edges = edges
        self.x = self.y = 0.0
        count, width = arrange(boxes, edges)
        shift = max(0.0, (_text_width(title, DETAIL) + 2 * PAD - width) / 2) + PAD
        for box in boxes:
            box.x += shift
        for edge in edges:
            edge.xs = [x + shift for x in edge.xs]
        self.width = width + 2 * shift
        self.rows = [0.0] * count
        self.height = 0.0
        self.place()

    def place(self) -> None:
        """Give the boxes their vertical places, from the heights of the rows."""
        self.rows = [max((b.height for b in self.boxes if b.row == r), default=0.0) for r in range(len(self.rows))]
        for box in self.boxes:
            box.y = self.row_top(box.row) + (self.rows[box.row] - box.height) / 2
        self.height = self.row_top(len(self.rows)) - ROW_GAP + PAD

    def row_top(self, row: int) -> float:
        return BAR + sum(self.rows[:row]) + ROW_GAP * row


class Scene:
    """All blocks of a picture: the graph, and below it the functions it calls."""

    def __init__(self, graph: Graph) -> None:
        self.sizes = Sizes()
        self.blocks = [self.block(graph, f"graph {graph.name}".strip(), {})]
        for name in reachable_functions(graph):
            self.blocks.append(self.block(graph.functions[name], f"function {name}", {}))
        y = 0.0
        for block in self.blocks:
            block.x, block.y = 0.0, y
            y += block.height + 2 * GAP
        self.width = max(b.width for b in self.blocks)
        self.height = y - 2 * GAP

    def block(
        self, graph: Graph, title: str, labels: dict[Value, str], results: list[str] | None = None, carried: int = -1
    ) -> Block:
        """Boxes and edges of a graph; `labels` name its unnamed inputs, `results` what it returns; the inputs from
        `carried` on are invariants of a loop.
        """
        boxes: list[Box] = []
        edges: list[Edge] = []
        ports: dict[Value, tuple[Box, float]] = {}
        constants: dict[Value, str] = {}
        names = dict(labels)
        used = {v for n in graph.nodes for v in n.inputs} | set(graph.outputs)
        for k, value in enumerate(graph.inputs):
            if value in used or not labels:
                names[value] = value.name or labels.get(value) or f"input {k}"
                box = Box(names[value], self.type(value.type), "input")
                box.constant = 0 <= carried <= k
                boxes.append(box)
                ports[value] = box, box.width / 2
        before: Box | None = None
        for node in graph.nodes:
            if node.op.name == "constant" and len(text := constant_text(node.attrs["value"], True)) <= _LONGEST:
                constants[node.outputs[0]] = text
                names[node.outputs[0]] = node.outputs[0].name or text
                continue
            box = self.node(node, constants, names)
            boxes.append(box)
            self.connect(node.inputs, box, ports, edges)
            for k, value in enumerate(node.outputs):
                names[value] = value.name or (names_of_result(node, k) if node.regions else None) or f"‹{node.op.name}›"
                ports[value] = box, box.port(k, len(node.outputs))
            if node.op.effect is not None:
                if before is not None:
                    edges.append(Edge(before, -1.0, box, -1.0))  # order only: not drawn
                before = box
        shown = results
        if shown is None:
            shown = [constants.get(v) or names[v] for v in graph.outputs]
            shown = ["" if name.startswith("‹") else name for name in shown]
        given = [f"{s} = {constants[v]}" if s and v in constants and s != constants[v] else s or constants.get(v, "")
                 for s, v in zip(shown, graph.outputs, strict=True)]  # fmt: skip
        text = ", ".join(g or "·" for g in given) if any(given) else ""
        end = Box(f"return {_short(text, 60)}".strip(), "", "return")
        boxes.append(end)
        self.connect(graph.outputs, end, ports, edges)
        return Block(title, boxes, edges)

    def connect(self, values: list[Value], box: Box, ports: dict[Value, tuple[Box, float]], edges: list[Edge]) -> None:
        drawn = [v for v in dict.fromkeys(values) if v in ports]
        for k, value in enumerate(drawn):
            source, start = ports[value]
            edges.append(Edge(source, start, box, box.port(k, len(drawn))))

    def node(self, node: Node, constants: dict[Value, str], names: dict[Value, str]) -> Box:
        """The box of a node."""
        called = [v.name or (names_of_result(node, k) if node.regions else None) for k, v in enumerate(node.outputs)]
        types = [self.type(v.type) for v in node.outputs]
        outputs = ", ".join(f"{n}: {t}" if n else t for n, t in zip(called, types, strict=True))
        name = node.op.name.rstrip("_")
        if name == "call":
            name = f"call {node.attrs['function']}"
        if not node.regions:
            title = _short(name + self.operands(node, constants), _LONGEST + 8)
            family = _FAMILIES.get(type(node.op).__module__.rpartition(".")[2], "other")
            family = "effect" if node.op.effect else "call" if node.op.name == "call" else family
            return Box(title, _short(outputs, _LONGEST + 8), family, self.hover(node, names))
        box = Box(name, _short(outputs, 70), "control", self.hover(node, names))
        box.hold([self.region(node, k, constants, names) for k in range(len(node.regions))])
        return box

    def region(self, node: Node, index: int, constants: dict[Value, str], names: dict[Value, str]) -> Block:
        region = node.regions[index]
        words = REGION_NAMES.get(node.op.name, ())
        word = words[index] if index < len(words) else "region"
        lead = len(node.inputs) - len(region.inputs)
        labels: dict[Value, str] = {}
        for k, value in enumerate(region.inputs):
            outer = node.inputs[k + lead] if k + lead >= 0 else None
            counter = node.op.name == "for_loop" and k == 0
            labels[value] = "i" if counter or outer is None else names.get(outer, constants.get(outer, ""))
        results = None
        if word in ("body", "then", "else"):
            results = [names_of_result(node, k) or v.name or "" for k, v in enumerate(region.outputs)]
        carried = node.attrs["carried"] + (node.op.name == "for_loop") if "carried" in node.attrs else -1
        return self.block(region, word, labels, results, carried)

    def operands(self, node: Node, constants: dict[Value, str]) -> str:
        """Constants among the operands, and attributes, as text: `(·, 2.0)`."""
        parts = [constants.get(v, "·") for v in node.inputs]
        text = f"({', '.join(parts)})" if any(p != "·" for p in parts) else ""
        if node.op.name == "constant":
            return f" {constant_text(node.attrs['value'], True)}"
        attributes = dict(node.attrs)
        if (template := attributes.pop("template", None)) is not None:
            words = "".join(p if isinstance(p, str) else "{}" for p in template)
            text += f" {words.strip()!r}"
        given = [
            f"{k}={attribute_text(v, self.sizes)}"
            for k, v in attributes.items()
            if v is not None and v is not False and k not in ("type", "function", "carried", "dtype", "stream")
        ]
        return text + (" " + " ".join(given) if given else "")

    def type(self, type: Any) -> str:
        """A short type: Python's names for bare numbers, no brackets for scalars."""
        if isinstance(type, ListType):
            return f"list of {'nothing' if type.element is None else self.type(type.element)}"
        assert isinstance(type, TensorType)
        if type.weak:
            return {"b": "bool", "i": "int", "f": "float", "c": "complex"}.get(type.dtype.kind, "str")
        if type.shape == ():
            return type.dtype.name
        if type.shape is None:
            return f"{type.dtype.name}[?]"
        sizes = (self.sizes.name(d) if isinstance(d, Dim) else str(d) for d in type.shape)
        return f"{type.dtype.name}[{','.join(sizes)}]"

    def hover(self, node: Node, names: dict[Value, str]) -> str:
        """The full operation, and the source line it came from."""
        attributes = [f"{k}={_short(attribute_text(v, self.sizes), 60)}" for k, v in node.attrs.items()]
        inputs = [names.get(v, "·") for v in node.inputs]
        lines = [f"{node.op.name}({', '.join([*inputs, *attributes])})"]
        return "\n".join(lines + source_of(node.location))


def names_of_result(node: Node, k: int) -> str | None:
    """The user's name for the k-th result of a control node, which its regions may know."""
    if k >= len(node.outputs):
        return None
    lead = 1 if node.op.name == "for_loop" else 0
    inner = [node.regions[-1].inputs[lead + k].name] if node.op.name in ("while_loop", "for_loop") else []
    found: list[str | None] = [node.outputs[k].name, *inner]
    found += [r.outputs[k].name for r in node.regions if k < len(r.outputs)] if node.op.name == "cond" else []
    return next((n for n in found if n), None)


def source_of(location: Location | None) -> list[str]:
    """`model.py:12` and the text of that line."""
    if location is None:
        return []
    text = linecache.getline(location.file, location.line).strip()
    place = f"{os.path.basename(location.file)}:{location.line}"
    return [f"{place}: {text}" if text else place]


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _text_width(text: str, size: float) -> float:
    return len(text) * size * CHARACTER


