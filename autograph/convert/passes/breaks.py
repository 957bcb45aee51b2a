"""`break` becomes a flag that the loop tests; `else` of a loop becomes an `if` after it."""

from collections.abc import Iterator, Sequence

import gast

from autograph.convert.converter import Example, holds
from autograph.convert.jumps import (
    FUNCTIONS,
    LOOPS,
    JumpConverter,
    blocks_of,
    has_jump,
    is_true,
    stays_python,
)
from autograph.source.parse import Node, walk


class Breaks(JumpConverter):
    """while c: ... break ...  ->  did_break = False; while not did_break and c: ...

    A `for` loop ends with `if did_break: break`, from which the converter of loops makes the
    fourth argument of `ag__.for_stmt`. A loop whose every `break` came from a `return` tests
    `did_return` and has no flag of its own.
    """

    eliminates = (gast.Break,)
    expects_gone = (gast.Continue,)
    jump = gast.Break
    examples = (
        Example(
            """\
def f(x):
    while True:
        x = g(x)
        if x > 3:
            break
        print(x)
    return x
""",
            """\
def f(x):
    did_break = False
    while not did_break:
        x = g(x)
        if x > 3:
            did_break = True
        else:
            print(x)
    return x
""",
        ),
        Example(
            """\
def f(xs):
    for x in xs:
        if x > 3:
            break
    else:
        print("none")
""",
            """\
def f(xs):
    did_break = False
    for x in xs:
        if x > 3:
            did_break = True
        if did_break:
            break
    if not did_break:
        print("none")
""",
        ),
    )

    def convert(self, tree: Node) -> Node:
        """Convert a whole function or lambda."""
        self._kept: set[int] = set()
        self._level = 0
        self._tested: set[str] = set()  # flags of `for` loops: their start stays, as a staged loop tests them first
        return super().convert(tree)

    def keeps(self, node: Node) -> bool:
        """A `break` of a loop that stays Python is left, and the one at the end of a lowered `for`."""
        return id(node) in self._kept

    def visit_FunctionDef(self, node: Node) -> Node:
        """Loops count their nesting in each function anew."""
        level, self._level = self._level, 0
        self.generic_visit(node)
        self._level = level
        if isinstance(node, FUNCTIONS):
            flags = self.names.flags_of("did_break") | self.names.flags_of("did_return")
            self.drop_unread(node, flags - self._tested)
            self.drop_unread(node, flags & self._tested, is_true)
        return node

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_For(self, node: Node) -> Node | list[Node]:
        """Lower the inner loops, then this one."""
        self._level += 1
        self.generic_visit(node)
        self._level -= 1
        if stays_python(node):
            self._kept.update(id(jump) for jump in walk(node) if isinstance(jump, gast.Break))
            return node
        if isinstance(node, gast.While) and holds(node.test, gast.NamedExpr):
            self._move_test(node)
        orelse, node.orelse = node.orelse, []
        if not has_jump(node.body, gast.Break):
            return [node, *orelse]
        self._shared = self._shared_flag(node.body)
        flag = self._shared or self.names.flag("did_break", self._level)
        node.body = self.lower(node.body, flag)
        if isinstance(node, gast.For):
            leave = self.quote("if flag: break", node, flag=flag)
            self._kept.add(id(leave[0].body[0]))
            self._tested.add(flag)
            node.body += leave
        elif is_true(node.test):
            node.test = self.quote_expression("not flag", node.test, flag=flag)
        else:
            node.test = self.quote_expression("not flag and test", node.test, flag=flag, test=node.test)
        made = [] if self._shared else self.quote("flag = False", node, flag=flag)
        made.append(node)
        if orelse:
            made += self.quote("if not flag: orelse", orelse[0], flag=flag, orelse=orelse)
        return made

    visit_While = visit_For
    visit_AsyncFor = visit_For

    def _move_test(self, node: Node) -> None:
        """A test that binds a name runs in the body, so that the body sees the name.

        while (n := f()): B, else: E  ->  while True: if (n := f()): B, else: E; break
        """
        leave = node.orelse + self.quote("break", node)
        node.body = self.quote(
            "if test: body\nelse: leave", node, test=node.test, body=node.body, leave=leave
        )
        node.test = self.quote_expression("True", node)
        node.orelse = []

    def replacement(self, jump: Node, flag: str) -> list[Node]:
        """A break that comes from a return has its flag set already."""
        return [] if self._shared else super().replacement(jump, flag)

    def _shared_flag(self, body: Sequence[Node]) -> str | None:
        """The flag of returns that all breaks of a loop have set before them, if there is one."""
        flags = set(self._flags_of_breaks(body, None))
        return flags.pop() if len(flags) == 1 else None

    def _flags_of_breaks(self, block: Sequence[Node], known: str | None) -> Iterator[str | None]:
        for statement in block:
            if isinstance(statement, gast.Break):
                yield known
            known = None
            if isinstance(statement, gast.If):
                yield from self._flags_of_breaks(statement.body, self._flag_of_returns(statement.test))
                yield from self._flags_of_breaks(statement.orelse, None)
            elif isinstance(statement, LOOPS):
                yield from self._flags_of_breaks(statement.orelse, None)
            elif isinstance(statement, gast.Assign):
                known = self._flag_of_returns(statement.targets[0]) if is_true(statement.value) else None
            else:
                for part in blocks_of(statement):
                    yield from self._flags_of_breaks(part, None)

    def _flag_of_returns(self, node: Node) -> str | None:
        is_flag = isinstance(node, gast.Name) and node.id in self.names.flags_of("did_return")
        return str(node.id) if is_flag else None
