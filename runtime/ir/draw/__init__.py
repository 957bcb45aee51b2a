"""Drawing graphs: `draw_svg` for documents, `draw_html` for looking around."""

from runtime.ir.draw.page import draw_html
from runtime.ir.draw.svg import draw_svg

__all__ = ["draw_html", "draw_svg"]
