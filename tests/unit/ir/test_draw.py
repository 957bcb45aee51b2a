"""Pictures of graphs: well formed, nothing overlaps, no edge crosses a box, nothing is loaded from outside."""

import importlib.util
import pathlib
import re
import xml.etree.ElementTree as ET

import pytest

from runtime.ir.draw import draw_html, draw_svg
from runtime.ir.draw.layers import SEPARATION
from runtime.ir.draw.scene import ROW_GAP, Scene
from runtime.ir.parse import parse_graph

_path = pathlib.Path(__file__).parent.parent / "passes" / "random_graphs.py"
_spec = importlib.util.spec_from_file_location("random_graphs", _path)
random_graphs = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(random_graphs)

GRAPH = """\
graph train(x: float32[n,3], steps: int64*[]):
  %0: float32[3] = constant([1.0, 2.0, 3.0])
  w: float32[3] = for_loop(steps, %0; x)  # model.py:3
    body(i: int64*[], w, x):
      y: float32[n,3] = mul(x, w)
      s: float32[] = reduce_sum(y, axis=None, keepdims=False)
      %0: float64*[] = constant(0.5)
      more: bool[] = less(s, %0)
      v: float32[3] = cond(more; w)
        then(w):
          %0: float32[3] = neg(w)
          return %0
        else(w):
          print_(w, template=('a < ', (0, '')), stream='stdout')
          return w
      return v
  return w
"""


def blocks_of(block):
    yield block
    for box in block.boxes:
        for inner in box.blocks:
            yield from blocks_of(inner)


def graphs():
    yield parse_graph(GRAPH)
    for seed in range(6):
        yield random_graphs.random_graph(seed)[0]


@pytest.mark.parametrize("graph", list(graphs()), ids=lambda g: g.name)
def test_nothing_overlaps(graph):
    scene = Scene(graph)
    for top in scene.blocks:
        for block in blocks_of(top):
            for box in block.boxes:
                assert 0 <= box.x
                assert box.x + box.width <= block.width
                assert box.y + box.height <= block.height
                for other in block.boxes:
                    apart_x = box.x + box.width <= other.x or other.x + other.width <= box.x
                    apart_y = box.y + box.height <= other.y or other.y + other.height <= box.y
                    assert box is other or apart_x or apart_y, (box.title, other.title)
                for inner in box.blocks:
                    assert inner.x + inner.width <= box.width
                    assert inner.y + inner.height <= box.height


@pytest.mark.parametrize("graph", list(graphs()), ids=lambda g: g.name)
def test_edges_go_down_and_cross_no_box(graph):
    for top in Scene(graph).blocks:
        for block in blocks_of(top):
            for edge in block.edges:
                assert edge.source.row < edge.target.row
                assert len(edge.xs) == edge.target.row - edge.source.row - 1
                for row, x in enumerate(edge.xs, edge.source.row + 1):
                    for box in block.boxes:
                        assert box.row != row or not box.x < x < box.x + box.width, (box.title, x)


def test_the_svg_says_what_the_graph_is():
    svg = draw_svg(parse_graph(GRAPH))
    ET.fromstring(svg)
    texts = re.findall(r"<text[^>]*>(.*?)</text>", svg)
    joined = " ".join(texts)
    for words in ("graph train", "for_loop", "body", "cond", "then", "else", "mul", "float32[n,3]", "less(·, 0.5)",
                  "y: float32[n,3]", "print &#x27;a &lt; {}&#x27;", "return w"):  # fmt: skip
        assert words in joined, words
    assert "constant" not in joined  # folded into its users
    assert "model.py:3" in svg


def test_the_page_stands_alone():
    page = draw_html(parse_graph(GRAPH))
    addresses = set(re.findall(r"https?://[^\s\"']+", page))
    assert addresses <= {"http://www.w3.org/2000/svg"}
    assert "{{" not in page
    assert "<script src" not in page
    assert "<link" not in page


def test_named_functions_are_drawn_below():
    graph = parse_graph(
        "graph f(n: int64[]):\n  r: int64[] = call @g(n)\n  return r\n\nfunction g(n: int64[]):\n  return n\n"
    )
    scene = Scene(graph)
    assert [b.title for b in scene.blocks] == ["graph f", "function g"]
    assert scene.blocks[1].y > scene.blocks[0].height


def test_constants_of_layout_agree_with_the_page():
    page = draw_html(parse_graph(GRAPH))
    assert f"ROW_GAP = {ROW_GAP}" in page
    assert SEPARATION > 0
