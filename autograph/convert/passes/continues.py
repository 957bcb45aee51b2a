"""`continue` becomes branches, or a flag where it can't."""

import gast

from autograph.convert.converter import Example
from autograph.convert.jumps import FUNCTIONS, JumpConverter, has_jump, stays_python
from autograph.source.parse import Node, walk


class Continues(JumpConverter):
    """if c: continue + rest  ->  if c: pass, else: rest"""

    begins = (gast.Continue,)
    eliminates = (gast.Continue,)
    jump = gast.Continue
    examples = (
        Example(
            """\
def f(xs):
    for x in xs:
        if x < 0:
            continue
        print(x)
""",
            """\
def f(xs):
    for x in xs:
        if x < 0:
            pass
        else:
            print(x)
""",
        ),
        Example(
            """\
def f(xs):
    for x in xs:
        with lock:
            if x < 0:
                continue
        print(x)
""",
            """\
def f(xs):
    for x in xs:
        skip = False
        with lock:
            if x < 0:
                skip = True
        if not skip:
            print(x)
""",
        ),
    )

    def convert(self, tree: Node) -> Node:
        """Convert a whole function or lambda."""
        self._kept: set[int] = set()
        self._level = 0
        return super().convert(tree)

    def keeps(self, node: Node) -> bool:
        """A `continue` of a loop that stays Python is left."""
        return id(node) in self._kept

    def visit_FunctionDef(self, node: Node) -> Node:
        """Loops count their nesting in each function anew."""
        level, self._level = self._level, 0
        self.generic_visit(node)
        self._level = level
        if isinstance(node, FUNCTIONS):
            self.drop_unread(node, self.names.flags_of("skip"))
        return node

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_For(self, node: Node) -> Node:
        """Lower the inner loops, then this one."""
        self._level += 1
        self.generic_visit(node)
        self._level -= 1
        if not has_jump(node.body, gast.Continue):
            return node
        if stays_python(node):
            self._kept.update(id(jump) for jump in walk(node) if isinstance(jump, gast.Continue))
            return node
        flag = self.names.flag("skip", self._level)
        first = node.body[0]
        node.body = self.quote("flag = False", first, flag=flag) + self.lower(node.body, flag)
        return node

    visit_While = visit_For
    visit_AsyncFor = visit_For
