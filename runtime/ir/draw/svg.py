"""A scene as SVG, with nothing taken from outside the file."""

from __future__ import annotations

from html import escape

from runtime.ir.draw.scene import BAR, DETAIL, PAD, ROW_GAP, TITLE, Block, Box, Edge, Scene
from runtime.ir.graph import Graph

__all__ = ["STYLE", "draw_svg", "edge_path", "svg_of"]

MARGIN = 24.0
# family: (fill, border, text)
COLOURS = {
    "input": ("#e6f4f1", "#2a9d8f", "#14534b"),
    "return": ("#33415c", "#33415c", "#ffffff"),
    "math": ("#e8f0fe", "#5b8def", "#1c3f94"),
    "logic": ("#f3e8fd", "#a06cd5", "#5a2a94"),
    "reduce": ("#fff4d6", "#e0a100", "#7a5600"),
    "linear": ("#fde7ea", "#e05a6f", "#8c1c2f"),
    "move": ("#e9f7e4", "#6aaf4f", "#2f6318"),
    "make": ("#f1f3f5", "#adb5bd", "#495057"),
    "list": ("#fbeee0", "#c98a4b", "#734a1b"),
    "effect": ("#ffe8dc", "#f3722c", "#8f3a0a"),
    "call": ("#e4e7ff", "#5c63d8", "#2a2f8f"),
    "other": ("#f1f3f5", "#868e96", "#343a40"),
}

STYLE = (
    "text{font-family:ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;dominant-baseline:central}"
    f".t{{font-size:{TITLE}px;font-weight:600}}.d{{font-size:{DETAIL}px;opacity:.8}}"
    ".e{fill:none;stroke:#7b8794;stroke-width:1.4}.e.head{marker-end:url(#arrow)}"
    ".frame{fill:#fbfcfe;stroke:#4a5568;stroke-width:1.4}.bar{fill:#e2e8f0}.bar+text{fill:#1a202c}"
    ".region{fill:#ffffff;stroke:#cbd5e0;stroke-width:1;stroke-dasharray:4 3}"
    ".tab{font-size:11px;font-weight:600;fill:#64748b}.page{fill:#ffffff;stroke:#cbd5e0}"
    ".constant rect{stroke-dasharray:5 3}"
    + "".join(
        f".{name} rect{{fill:{fill};stroke:{line};stroke-width:1.3}}.{name}>text{{fill:{ink}}}"
        for name, (fill, line, ink) in COLOURS.items()
    )
)


def draw_svg(graph: Graph) -> str:
    """A picture of a graph and the functions it calls, as an SVG document."""
    return svg_of(Scene(graph))


def svg_of(scene: Scene) -> str:
    """The SVG of a scene laid out."""
    width, height = scene.width + 2 * MARGIN, scene.height + 2 * MARGIN
    arrow = (
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 .8L7.5 4L0 7.2z" fill="#7b8794"/></marker></defs>'
    )
    size = f'width="{width:.0f}" height="{height:.0f}"'
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {width:.0f} {height:.0f}">',
        f"<style>{STYLE}</style>",
        arrow,
        f'<rect class="backdrop" {size} fill="#f7f9fc"/>',
        f'<g class="world" transform="translate({MARGIN},{MARGIN})">',
    ]
    for block in scene.blocks:
        _block(block, out, "page", 10)
    out.append("</g></svg>\n")
    return "\n".join(out)


def _block(block: Block, out: list[str], kind: str, radius: float) -> None:
    out.append(f'<g class="block" transform="translate({block.x:.1f},{block.y:.1f})">')
    out.append(f'<rect class="{kind}" width="{block.width:.1f}" height="{block.height:.1f}" rx="{radius}"/>')
    out.append(f'<text class="tab" x="{PAD}" y="{BAR / 2:.0f}">{escape(block.title)}</text>')
    out += [f'<path class="e head" d="{edge_path(block, edge)}"/>' for edge in block.edges if edge.start >= 0]
    for box in block.boxes:
        _box(box, out)
    out.append("</g>")


def _box(box: Box, out: list[str]) -> None:
    family = f"{box.family} constant" if box.constant else box.family
    hover = f"<title>{escape(box.hover)}</title>" if box.hover else ""
    out.append(f'<g class="box {family}" transform="translate({box.x:.1f},{box.y:.1f})">{hover}')
    if box.blocks:
        w, h = f"{box.width:.1f}", f"{box.height:.1f}"
        out.append(f'<rect class="frame" width="{w}" height="{h}" rx="10"/>')
        bar = f"M0 {BAR - 4}V10a10 10 0 0 1 10-10H{box.width - 10:.1f}a10 10 0 0 1 10 10V{BAR - 4}z"
        out.append(f'<path class="bar" d="{bar}"/>')
        title = f'{escape(box.title)}<tspan class="d" dx="12" font-weight="400">{escape(box.detail)}</tspan>'
        out.append(f'<text class="t" x="{PAD}" y="{(BAR - 4) / 2:.0f}">{title}</text>')
        for block in box.blocks:
            _block(block, out, "region", 8)
    else:
        radius = box.height / 2 if box.family in ("input", "return") else 8
        out.append(f'<rect width="{box.width:.1f}" height="{box.height:.1f}" rx="{radius:.0f}"/>')
        middle = f'x="{box.width / 2:.1f}" text-anchor="middle"'
        y = 16.5 if box.detail else box.height / 2
        out.append(f'<text class="t" {middle} y="{y}">{escape(box.title)}</text>')
        if box.detail:
            out.append(f'<text class="d" {middle} y="34">{escape(box.detail)}</text>')
    out.append("</g>")


def edge_path(block: Block, edge: Edge) -> str:
    """Straight down through rows, curved between them."""
    x = edge.source.x + edge.start
    y = edge.source.y + edge.source.height
    parts = [f"M{x:.1f} {y:.1f}"]
    row = edge.source.row
    stops = [*enumerate(edge.xs, row + 1), (edge.target.row, edge.target.x + edge.end)]
    top = y
    for target_row, target_x in stops:
        top = block.row_top(target_row)
        bottom = top - ROW_GAP
        bend = ROW_GAP * 0.55
        curve = f"{x:.1f} {bottom + bend:.1f} {target_x:.1f} {top - bend:.1f} {target_x:.1f} {top:.1f}"
        parts.append(f"V{bottom:.1f}C{curve}")
        x = target_x
    if edge.target.y > top + 0.05:
        parts.append(f"V{edge.target.y:.1f}")
    return "".join(parts)


