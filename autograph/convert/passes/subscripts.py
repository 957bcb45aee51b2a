"""Reading, writing, updating and deleting items."""

import gast

from autograph.convert.converter import Example
from autograph.convert.targets import TargetConverter
from autograph.convert.template import constant
from autograph.source.parse import Node


class Subscripts(TargetConverter):
    """x[i][j] -> ag__.get_item(x, i, j);  x[i][j] = v -> ag__.set_item(x, i, j, v);  x[i] += v -> ag__.aug_item(…)

    A write gets the whole chain of subscripts, so that it can be written back along it. A slice
    becomes a call of `slice`; where the program gave that name to something else, of `ag__.slice`.
    """

    begins = (gast.Subscript,)
    kind = gast.Subscript
    eliminates = (gast.Subscript, gast.Slice)
    examples = (
        Example("y = x[i][0]", "y = ag__.get_item(x, i, 0)"),
        Example("y = x[i][f()]", "y = ag__.get_item(ag__.get_item(x, i), f())"),
        Example(
            "y = x[1:n, ..., None, ::2, :]",
            "y = ag__.get_item(x, (slice(1, n), ..., None, slice(None, None, 2), slice(None)))",
        ),
        Example("x[i] = v", "ag__.set_item(x, i, v)"),
        Example("x[i][j, k] = f(v)", "value = f(v)\nag__.set_item(x, i, (j, k), value)"),
        Example("def g(x, i, v):\n    x[i] = f(v)", "def g(x, i, v):\n    ag__.set_item(x, i, f(v))"),
        Example("x[f()] = g()", "value = g()\nag__.set_item(x, f(), value)"),
        Example("x[i] += v", "ag__.aug_item(x, i, '+=', v)"),
        Example("x[i][j] *= v + 1", "ag__.aug_item(x, i, j, '*=', v + 1)"),
        Example(
            "def g(x, i):\n    x[i][h()] += f(x)",
            "def g(x, i):\n    index = h()\n    updated = ag__.get_item(x, i, index)\n"
            "    updated += ag__.in_place(updated, f(x))\n    ag__.set_item(x, i, index, updated)",
        ),
        Example(
            "del x[i], y, x[0][1:]",
            "ag__.del_item(x, i)\ndel y\nag__.del_item(ag__.get_item(x, 0), slice(1, None))",
        ),
        Example(
            "a, x[i], i = v",
            "a, item, i_1 = v\nag__.set_item(x, i, item)\ni = i_1",
        ),
        Example("a = x[0] = f(b)", "value = f(b)\na = value\nag__.set_item(x, 0, value)"),
        Example("for x[0] in y:\n    f(x)", "for item in y:\n    ag__.set_item(x, 0, item)\n    f(x)"),
        Example("with a as x[0]:\n    f(x)", "with a as item:\n    ag__.set_item(x, 0, item)\n    f(x)"),
    )

    def visit_Subscript(self, node: Node) -> Node:
        """An item that is read."""
        if not isinstance(node.ctx, gast.Load):
            return self.generic_visit(node)  # the target of a comprehension
        origin, indices = node, [node.slice]
        while isinstance(node.value, gast.Subscript) and _is_plain(indices[0]) and not _is_fixed(node.value.slice):
            node = node.value
            indices.insert(0, node.slice)
        value, indices = self.visit(node.value), [self._index(index) for index in indices]
        return self.quote_expression("ag__.get_item(x, i)", origin, x=value, i=indices)

    def keeps(self, node: Node) -> bool:
        """Targets of comprehensions stay, with the slices in them."""
        return id(node) in self._kept

    def write(self, target: Node, value: Node, origin: Node) -> list[Node]:
        """x[i][j] = v"""
        base, *indices = self._converted_parts(target)
        return self.quote("ag__.set_item(x, i, v)", origin, x=base, i=indices, v=value)

    def update(self, target: Node, op: str, value: Node, origin: Node) -> list[Node]:
        """x[i][j] += v"""
        base, *indices = self._converted_parts(target)
        text = "ag__.aug_item(x, i, op, v)"
        return self.quote(text, origin, x=base, i=indices, op=constant(op, origin), v=value)

    def delete(self, target: Node, origin: Node) -> list[Node]:
        """del x[i]"""
        value, index = self.visit(target.value), self._index(target.slice)
        value.ctx = gast.Load()
        return self.quote("ag__.del_item(x, i)", origin, x=value, i=index)

    def parts(self, target: Node) -> list[Node]:
        """The base and the indices, outermost first."""
        indices: list[Node] = []
        while isinstance(target, gast.Subscript):
            indices.insert(0, target.slice)
            target = target.value
        return [target, *indices]

    def fix_parts(self, target: Node) -> list[Node]:
        """Name what is not a plain name or literal, the base first."""
        before: list[Node] = []
        chain: list[Node] = [target]
        while isinstance(chain[-1].value, gast.Subscript):
            chain.append(chain[-1].value)
        chain[-1].value = self.fixed(chain[-1].value, "base", before)
        for link in reversed(chain):
            link.slice = self.fixed(self._index(link.slice), "index", before)
        return before

    def _converted_parts(self, target: Node) -> list[Node]:
        base, *indices = self.parts(target)
        return [self.visit(base), *(self._index(index) for index in indices)]

    def _index(self, node: Node) -> Node:
        """An index as an expression: slices become calls, also inside a tuple."""
        if isinstance(node, gast.Slice):
            return self._slice(node)
        if isinstance(node, gast.Tuple):
            node.elts = [self._index(element) for element in node.elts]
            return node
        return self.visit(node)

    def _slice(self, node: Node) -> Node:
        none = constant(None, node)
        lower, upper, step = (self.visit(p) if p else none for p in (node.lower, node.upper, node.step))
        if node.step is not None:
            arguments = [lower, upper, step]
        elif node.lower is not None:
            arguments = [lower, upper]
        else:
            arguments = [none, upper] if node.upper is not None else [none]
        text = "slice(arguments)" if self.context.is_builtin("slice") else "ag__.slice(arguments)"
        return self.quote_expression(text, node, arguments=arguments)


def _is_plain(index: Node) -> bool:
    """Whether an index may be worked out before what it is the index of: names, numbers and what operators make of them."""
    if isinstance(index, gast.BinOp):
        return _is_plain(index.left) and _is_plain(index.right)
    return isinstance(index, (gast.Name, gast.Constant)) or (isinstance(index, gast.UnaryOp) and _is_plain(index.operand))


def _is_fixed(index: Node) -> bool:
    """Whether an index picks the same at each time, or several."""
    return isinstance(index, (gast.Constant, gast.Slice, gast.Tuple))
