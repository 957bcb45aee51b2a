"""A scene as one HTML page: drag to move, wheel to zoom, click a title bar to fold its regions away."""

from __future__ import annotations

import json
from html import escape
from importlib.resources import files
from itertools import count
from typing import Any

from runtime.ir.draw.scene import Block, Scene
from runtime.ir.draw.svg import COLOURS, svg_of
from runtime.ir.graph import Graph

__all__ = ["draw_html"]

_LEGEND = {
    "input": "input", "math": "elementwise", "logic": "comparison", "reduce": "reduction", "linear": "matrix product",
    "move": "movement", "list": "list", "effect": "effect", "call": "call", "make": "creation, cast",
}  # fmt: skip


def draw_html(graph: Graph) -> str:
    """A picture of a graph to look around in, as one HTML page that loads nothing."""
    scene = Scene(graph)
    title = escape(f"graph {graph.name}".strip())
    legend = "".join(
        f'<i style="background:{COLOURS[key][0]};border-color:{COLOURS[key][1]}"></i>{text} '
        for key, text in _LEGEND.items()
    )
    numbers = count()
    data = json.dumps([_data(block, numbers) for block in scene.blocks], separators=(",", ":"))
    template = files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    parts = {"TITLE": title, "LEGEND": legend, "SVG": svg_of(scene), "DATA": data.replace("</", "<\\/")}
    for key, text in parts.items():
        template = template.replace(f"{{{{{key}}}}}", text)
    return template


def _data(block: Block, numbers: Any) -> dict[str, Any]:
    """What the page needs to lay a block out again when boxes in it change their height.

    Boxes and edges stand in the order in which the SVG has them.
    """
    place = {id(box): k for k, box in enumerate(block.boxes)}
    return {
        "n": next(numbers),
        "w": round(block.width, 1),
        "rows": len(block.rows),
        "boxes": [
            {"x": round(b.x, 1), "w": round(b.width, 1), "h": round(b.height, 1), "row": b.row,
             "blocks": [_data(inner, numbers) for inner in b.blocks]}
            for b in block.boxes
        ],
        "edges": [
            {"s": place[id(e.source)], "a": round(e.start, 1), "t": place[id(e.target)], "b": round(e.end, 1),
             "xs": [round(x, 1) for x in e.xs]}
            for e in block.edges
            if e.start >= 0
        ],
    }  # fmt: skip
