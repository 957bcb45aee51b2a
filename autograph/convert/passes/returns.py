"""`return` inside branches and loops becomes one `return` at the end."""

from collections.abc import Sequence

import gast

from autograph.convert.converter import Example, holds
from autograph.convert.jumps import (
    SUSPENDING,
    TRIES,
    ReturnLowering,
    blocks_of,
    ends,
    has_jump,
    is_true,
    jumps,
    jumps_in_finally,
)
from autograph.convert.late_returns import LateReturns
from autograph.convert.template import copy_tree
from autograph.source.parse import Node, walk

STAGED = (gast.If, gast.For, gast.While, gast.Match)


class Returns(ReturnLowering):
    """if c: return a + rest  ->  if c: return_value = a, else: rest; one return at the end

    A function is left alone whose returns stand under no branch and no loop; so are generators and
    coroutines, functions with a `return` in a `finally`, and those where a `finally` may take one back.
    """

    expects_gone = (gast.Continue,)
    examples = (
        Example(
            """\
def f(x):
    if x > 0:
        return a
    y = g(x)
    return y
""",
            """\
def f(x):
    if x > 0:
        return_value = a
    else:
        y = g(x)
        return_value = y
    return return_value
""",
        ),
        Example(
            """\
def f(xs):
    for x in xs:
        if x > 0:
            return x
    return g(xs)
""",
            """\
def f(xs):
    did_return = False
    return_value = ag__.undefined
    for x in xs:
        if x > 0:
            return_value = x
            did_return = True
            break
    if not did_return:
        return_value = g(xs)
    return return_value
""",
        ),
        Example(
            """\
def f(d):
    while g(d):
        d['n'] += 1
        if d['n'] > 9:
            return d
    return None
""",
            """\
def f(d):
    did_return = False
    while g(d):
        d['n'] += 1
        if d['n'] > 9:
            did_return = True
            break
    if did_return:
        return_value = d
    else:
        return_value = None
    return return_value
""",
        ),
    )
    late: LateReturns | None = None

    def visit_FunctionDef(self, node: Node) -> Node:
        """Lower the returns of one function, after those of the functions in it."""
        self.generic_visit(node)
        staged = (*STAGED, gast.Try, gast.TryStar, gast.With) if self.context.stage_tries else STAGED
        if not _under_construct(node.body, staged) or holds(node.body, *SUSPENDING):
            return node
        if jumps_in_finally(node.body, gast.Return) or _may_be_swallowed(node.body):
            return node
        self._lower_function(node)
        return node

    def _lower_function(self, node: Node) -> None:
        self.valued = any(not _is_none(jump.value) for jump in jumps(node.body, (gast.Return,)))
        self.value = self.names.helper("return_value")
        flag = self.names.flag("did_return")
        docstring = 1 if _is_docstring(node.body[0]) else 0
        start, body = node.body[:docstring], list(node.body[docstring:])
        if self.valued and not ends(body):
            body += self.quote("return None", node)
        body = self.lower(body, flag)
        if self.valued:
            body += self.quote("return value", node, value=self.value)
        first = next(i for i, statement in enumerate(body) if _mentions(statement, {flag, self.value}))
        initial = self.quote("flag = False", node, flag=flag)
        if self.valued:
            initial += self.quote("value = ag__.undefined", node, value=self.value)
        node.body = start + body[:first] + initial + body[first:]
        # The flag's start stays while it may be read: a loop whose breaks all set it will test it.
        self.drop_unread(node, frozenset({flag}), is_true)
        self.drop_unread(node, frozenset({self.value}))
        if not any(_uses_flag(inner, flag) for inner in walk(node)):
            self.drop_unread(node, frozenset({flag}))

    def visit_AsyncFunctionDef(self, node: Node) -> Node:
        """Left as it is, but for the functions in it."""
        return self.generic_visit(node)

    def replacement(self, jump: Node, flag: str) -> list[Node]:
        """Store the value, set the flag."""
        made = self.quote("flag = True", jump, flag=flag)
        if not self.valued:
            return made
        number = 0 if self.late is None else self.late.number(jump.value)
        if self.late is not None and number:
            which = gast.copy_location(gast.Constant(number, None), jump)
            return made if self.late.alone else self.quote("which = n", jump, which=self._which(), n=which) + made
        return self.quote("value = returned", jump, value=self.value, returned=jump.value) + made

    def lower_statement(self, statement: Node, rest: list[Node], flag: str) -> list[Node]:
        """A constant returned after a loop is stored before it, and needs no guard."""
        late = LateReturns.of(statement) if self.valued else None
        if late is not None:
            return self._lower_late(statement, rest, flag, late)
        if self.valued and len(rest) == 1 and isinstance(rest[0], gast.Return) and _is_literal(rest[0].value):
            store = self.quote("value = literal", statement, value=self.value, literal=rest[0].value)
            done = self.quote("flag = True", rest[0], flag=flag)
            return store + self._lower_parts(statement, flag) + done
        return super().lower_statement(statement, rest, flag)

    def _lower_late(self, loop: Node, rest: list[Node], flag: str, late: LateReturns) -> list[Node]:
        """A loop of which some returned values are stored when it has ended."""
        self.late = late
        made = self._lower_parts(loop, flag)
        self.late = None
        stores = [self.quote("value = late", loop, value=self.value, late=copy_tree(value)) for value in late.values]
        stored = stores.pop()
        if not late.alone:
            numbered = [*enumerate(stores, 1), (len(late.values), stored)]
            stored = []
            for number, store in reversed(numbered):
                n = gast.copy_location(gast.Constant(number, None), loop)
                parts = {"which": self._which(), "n": n, "store": store}
                if stored:
                    stored = self.quote("if which == n: store\nelse: others", loop, **parts, others=stored)
                else:
                    stored = self.quote("if which == n: store", loop, **parts)
            zero = gast.copy_location(gast.Constant(0, None), loop)
            made = self.quote("which = n", loop, which=self._which(), n=zero) + made
        rest = self.lower(rest, flag)
        if not rest:
            return made + self.quote("if flag: stored", loop, flag=flag, stored=stored)
        return made + self.quote("if flag: stored\nelse: rest", loop, flag=flag, stored=stored, rest=rest)

    def _which(self) -> str:
        """The variable that tells which of several values a loop returns."""
        return self.names.helper("returned")


def _may_be_swallowed(block: Sequence[Node]) -> bool:
    """Whether a `break` or `continue` in a `finally` may take back a return of its `try`."""
    for statement in block:
        if isinstance(statement, TRIES) and has_jump(statement.finalbody, gast.Break, gast.Continue):
            handled = [inner for handler in statement.handlers for inner in handler.body]
            if has_jump([*statement.body, *handled, *statement.orelse], gast.Return):
                return True
        if any(_may_be_swallowed(part) for part in blocks_of(statement)):
            return True
    return False


def _under_construct(block: Sequence[Node], staged: tuple[type, ...]) -> bool:
    """Whether a return stands somewhere under a branch or a loop."""
    for statement in block:
        if isinstance(statement, staged):
            if has_jump([statement], gast.Return):
                return True
        elif any(_under_construct(part, staged) for part in blocks_of(statement)):
            return True
    return False


def _mentions(statement: Node, names: set[str]) -> bool:
    return any(isinstance(node, gast.Name) and node.id in names for node in walk(statement))


def _uses_flag(node: Node, flag: str) -> bool:
    """Whether a node reads the flag or sets it true."""
    if isinstance(node, gast.Assign) and isinstance(node.targets[0], gast.Name):
        return node.targets[0].id == flag and is_true(node.value)
    return isinstance(node, gast.Name) and node.id == flag and isinstance(node.ctx, gast.Load)


def _is_none(value: Node | None) -> bool:
    return value is None or (isinstance(value, gast.Constant) and value.value is None)


def _is_literal(value: Node | None) -> bool:
    return value is None or isinstance(value, gast.Constant)


def _is_docstring(statement: Node) -> bool:
    if not isinstance(statement, gast.Expr) or not isinstance(statement.value, gast.Constant):
        return False
    return isinstance(statement.value.value, str)
