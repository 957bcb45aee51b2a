"""`if`, `while` and `for` become calls of hooks; their bodies become functions.

One converter for the three, as which variables a statement hands on is found on the tree as it
is before any of them has become functions.

The variables a body binds are shared with the function around it (`nonlocal`) where another part
of the program may read them: after the statement, in the next round of a loop, or in the body
itself before it binds them. All others are locals of the body. The shared ones are the names the
hook is told.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import gast

from autograph.analysis.activity import Activity
from autograph.analysis.facts import Facts
from autograph.analysis.liveness import Liveness, Names
from autograph.analysis.names import mangled
from autograph.convert.converter import Context, Converter, Example, holds
from autograph.convert.guards import only_asked
from autograph.convert.jumps import SUSPENDING, has_jump, is_flag_break
from autograph.convert.naming import bound_names
from autograph.convert.taking_apart import sizes_of_item
from autograph.convert.template import load
from autograph.source.parse import Node, walk


class _Frame:
    """One function of the generated code, the user's own or a body, while it is made.

    shared: the variables it binds but that belong to a function around it
    inner:  the variables that are its own, but bound by functions in it
    """

    def __init__(self, shared: Iterable[str]) -> None:
        self.shared = frozenset(shared)
        self.inner: dict[str, None] = {}
        self.globals: dict[str, None] = {}
        self.nonlocals: dict[str, None] = {}


class ControlFlow(Converter):
    """if c: y = a, else: y = b  ->  ag__.if_stmt(c, if_body, else_body, ('y',)); loops likewise"""

    eliminates = (gast.If, gast.While, gast.For)
    expects_gone = (gast.Continue, gast.Break)
    examples = (
        Example(
            """\
def f(c, a, b):
    if c:
        y = a
    else:
        y = b
    return y
""",
            """\
def f(c, a, b):
    y: ag__.local
    def if_body():
        nonlocal y
        y = a
    def else_body():
        nonlocal y
        y = b
    ag__.if_stmt(c, if_body, else_body, ('y',))
    return y
""",
        ),
        Example(
            """\
def f(n):
    i = 0
    while i < n:
        step = i + 1
        i = step
    return i
""",
            """\
def f(n):
    i = 0
    def loop_test():
        return i < n
    def loop_body():
        nonlocal i
        step = i + 1
        i = step
    ag__.while_stmt(loop_test, loop_body, ('i',))
    return i
""",
        ),
        Example(
            """\
def f(pairs):
    s = 0
    for a, b in pairs:
        s += a * b
    return s
""",
            """\
def f(pairs):
    s = 0
    def loop_body(item):
        nonlocal s
        a, b = ag__.unpack(item, 2)
        s += a * b
    ag__.for_stmt(pairs, loop_body, ('s',))
    return s
""",
        ),
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.facts = context.facts or Facts()
        self._class_name = context.class_name
        self._frames: list[_Frame] = []
        self._kept: set[int] = set()
        self._liveness: Liveness
        self._activity: Activity

    def keeps(self, node: Node) -> bool:
        """A statement that suspends or jumps out, and one whose test is a literal, stays Python."""
        return id(node) in self._kept

    def visit_FunctionDef(self, node: Node) -> Node:
        """One function of the user's."""
        outer = self._frames, getattr(self, "_liveness", None), getattr(self, "_activity", None)
        self._liveness = self.facts.get(Liveness, node)
        self._activity = self.facts.get(Activity, node)
        # What the function declares global or nonlocal belongs to others.
        frame = _Frame(self._activity.globals | self._activity.nonlocals)
        self._frames = [frame]
        node.body = self.visit_block(node.body)
        self._declare(node, frame)
        self._frames, self._liveness, self._activity = outer  # type: ignore[assignment]
        return node

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node: Node) -> Node:
        """Private names inside belong to this class."""
        outside, self._class_name = self._class_name, node.name
        self.generic_visit(node)
        self._class_name = outside
        return node

    def visit_If(self, node: Node) -> Node | list[Node]:
        """A branch."""
        node.test = only_asked(node.test)
        if is_static(node.test) or not self._can_be_functions(node, node.body, node.orelse):
            return self._keep(node)
        after = self._liveness.after(node)
        shared = self._shared(node.body, after)
        shared_else = self._shared(node.orelse, after)
        names = tuple(dict.fromkeys((*shared, *shared_else)))
        if_name, else_name = self.names.helper("if_body"), self.names.helper("else_body")
        made = self._function(node, if_name, None, node.body, shared)
        other: str | None = None
        if node.orelse:
            made += self._function(node, else_name, None, node.orelse, shared_else)
            other = else_name
        test = self.visit(node.test)
        return made + self.quote(
            "ag__.if_stmt(test, body, other, names)",
            node.test,  # a traceback points there, not at the whole statement
            test=test,
            body=if_name,
            other=other,
            names=self._told(names),
        )

    def visit_While(self, node: Node) -> Node | list[Node]:
        """A loop with a test; one whose test is true in the text may yet end by an exception that only the run knows."""
        node.test = only_asked(node.test)
        never = is_static(node.test) and not (isinstance(node.test, gast.Constant) and node.test.value)
        if never or not self._can_be_functions(node, node.body, node.orelse):
            return self._keep(node)
        shared = self._shared(node.body, self._liveness.head(node))
        test_name, body_name = self.names.helper("loop_test"), self.names.helper("loop_body")
        test = self.visit(node.test)
        made = self.quote("def name(): return test", node.test, name=test_name, test=test)
        made += self._function(node, body_name, None, node.body, shared)
        return made + self.quote(
            "ag__.while_stmt(test, body, names)",
            node.test,
            test=test_name,
            body=body_name,
            names=self._told(shared),
        )

    def visit_For(self, node: Node) -> Node | list[Node]:
        """A loop over items."""
        leave = node.body[-1] if is_flag_break(self.names, node.body[-1]) else None
        body = node.body[:-1] if leave is not None else node.body
        if not self._can_be_functions(node, body, node.orelse):
            return self._keep(node)
        live = self._liveness.head(node)
        if leave is not None:  # read after the body, in a function of its own
            live = live | {leave.test.id}
        shared = self._shared([node.target, *body], live)
        target, assigned = node.target, []
        if isinstance(target, gast.Name) and target.id not in shared:
            item = target.id
        else:
            item = self.names.helper("item")
            sizes = sizes_of_item(target, node.iter)
            text = "target = item" if sizes is None else "target = ag__.unpack(item, sizes)"
            assigned = self.quote(text, target, target=target, item=item, sizes=sizes or [])
        name = self.names.helper("loop_body")
        made = self._function(node, name, item, assigned + body, shared)
        text = "ag__.for_stmt(items, body, names)"
        flag = ""
        if leave is not None:
            text, flag = "ag__.for_stmt(items, body, names, lambda: not flag)", leave.test.id
        items = self.visit(node.iter)
        return made + self.quote(text, node.iter, items=items, body=name, names=self._told(shared), flag=flag)

    def visit_Try(self, node: Node) -> Node | list[Node]:
        """Where tensors may be about, `try` with `except`; its `finally` stays Python."""
        handlers, orelse = node.handlers, node.orelse
        blocks = [node.body, orelse, *(handler.body for handler in handlers)]
        if not self.context.stage_tries or not handlers or not self._can_be_functions(node, *blocks):
            return self.generic_visit(node)
        live = self._liveness.after(node) | _names_read([*handlers, *orelse, *node.finalbody])
        shared = [self._shared(block, live) for block in blocks]
        names = tuple(dict.fromkeys(name for part in shared for name in part))
        try_name, else_name = self.names.helper("try_body"), self.names.helper("else_body")
        made = self._function(node, try_name, None, node.body, shared[0])
        other: str | None = None
        if orelse:
            made += self._function(orelse[0], else_name, None, orelse, shared[1])
            other = else_name
        pairs = []
        for number, (handler, changed) in enumerate(zip(handlers, shared[2:], strict=True)):
            name = self.names.helper("except_body" if number == 0 else f"except_body_{number + 1}")
            error = handler.name.id if handler.name is not None else None
            body = handler.body
            if error is None or error in changed:
                item = self.names.helper("error")
                body = [*self.quote("name = error", handler, name=error, error=item), *body] if error else body
                error = item
            made += self._function(handler, name, error, body, changed)
            kind = self.visit(handler.type) if handler.type is not None else load("BaseException", handler)
            pairs.append(self.quote_expression("(lambda: kind, name)", handler, kind=kind, name=name))
        call = self.quote(
            "ag__.try_stmt(body, (pairs,), other, names)", node, body=try_name, pairs=pairs, other=other,
            names=self._told(names),
        )  # fmt: skip
        if not node.finalbody:
            return made + call
        node.body, node.handlers, node.orelse = made + call, [], []
        node.finalbody = self.visit_block(node.finalbody)
        return node

    def visit_With(self, node: Node) -> Node | list[Node]:
        """As `try`: its manager sees what fails in the body, and may take it back."""
        target = node.items[0].optional_vars
        simple = target is None or all(isinstance(t, (gast.Name, gast.Tuple, gast.expr_context)) for t in walk(target))
        if not self.context.stage_tries or not simple or not self._can_be_functions(node, node.body):
            return self.generic_visit(node)
        (item,) = node.items  # several were nested before
        after = self._liveness.after(node)
        shared = self._shared(node.body, after)
        made, names, entering = [], shared, None
        if target is not None:  # before the body, so that what is entered is the same object in all that follows
            bound = tuple(dict.fromkeys(n.id for n in walk(target) if isinstance(n, gast.Name)))
            names = tuple(dict.fromkeys((*bound, *shared)))
            entered, entering = self.names.helper("entered"), self.names.helper("entering")
            assigned = self.quote("target = entered", target, target=target, entered=entered)
            made += self._function(node, entering, entered, assigned, bound)
        name = self.names.helper("with_body")
        made += self._function(node, name, None, node.body, shared)
        manager = self.visit(item.context_expr)
        return made + self.quote(
            "ag__.with_stmt(manager, entering, body, names)",
            item.context_expr, manager=manager, entering=entering, body=name, names=self._told(names),
        )  # fmt: skip

    def visit_Global(self, node: Node) -> Node | None:
        """Declarations move out of bodies, to the top of the user's function."""
        if len(self._frames) == 1:
            return node
        self._frames[0].globals.update(dict.fromkeys(node.names))
        return None

    def visit_Nonlocal(self, node: Node) -> Node | None:
        """As `global`."""
        if len(self._frames) == 1:
            return node
        self._frames[0].nonlocals.update(dict.fromkeys(node.names))
        return None

    def visit_AnnAssign(self, node: Node) -> Node | None:
        """An annotated variable may not be nonlocal; Python never evaluates the annotation."""
        self.generic_visit(node)
        inside = len(self._frames) > 1
        if (
            not inside
            or not isinstance(node.target, gast.Name)
            or node.target.id not in self._frames[-1].shared
        ):
            return node
        if node.value is None:
            return None
        return self.quote("target = value", node, target=node.target, value=node.value)[0]

    def _told(self, names: Iterable[str]) -> tuple[str, ...]:
        """Names as the hook finds them in code objects."""
        return tuple(mangled(name, self._class_name) for name in names)

    def _shared(self, body: Sequence[Node], live: Names) -> tuple[str, ...]:
        """The variables `body` binds that others may read: `live` is what is live after it."""
        if not body:
            return ()
        use = self._activity.of(body)
        # What the body reads before it has bound it comes from outside: it can't be the body's own.
        wanted = live | set(use.exposed)
        changed = dict.fromkeys((*use.binds, *use.deletes))
        if any(isinstance(node, gast.Call) for part in body for node in walk(part)):
            # A call may run a nested function that binds variables of this one.
            changed.update(dict.fromkeys(sorted(self._activity.rebound)))
        return tuple(name for name in changed if name in wanted)

    def _function(
        self, origin: Node, name: str, parameter: str | None, body: Sequence[Node], shared: tuple[str, ...]
    ) -> list[Node]:
        """The function that `body` becomes."""
        for variable in shared:
            self._owner_is_told(variable)
        with self._frame(shared) as frame:
            statements = self.visit_block(body) or self.quote("pass", origin)
        everywhere = self._activity.globals
        text = "def name(parameter):" if parameter else "def name():"
        made = self.quote(
            text + "\n    global others\n    nonlocal names\n    body",
            origin,
            name=name,
            parameter=parameter,
            others=tuple(variable for variable in shared if variable in everywhere),
            names=tuple(variable for variable in shared if variable not in everywhere),
            body=statements,
        )
        self._declare(made[0], frame)
        return made

    @contextmanager
    def _frame(self, shared: Iterable[str]) -> Iterator[_Frame]:
        frame = _Frame(shared)
        self._frames.append(frame)
        yield frame
        self._frames.pop()

    def _owner_is_told(self, variable: str) -> None:
        """The innermost function that doesn't share a variable with those around it owns it."""
        for frame in reversed(self._frames):
            if variable not in frame.shared:
                frame.inner[variable] = None
                return

    def _declare(self, function: Node, frame: _Frame) -> None:
        """Declarations at the top: what bodies declared, and locals that only bodies bind."""
        first = function.body[0]
        made: list[Node] = []
        if frame.globals:
            made += self.quote("global names", first, names=tuple(frame.globals))
        if frame.nonlocals:
            made += self.quote("nonlocal names", first, names=tuple(frame.nonlocals))
        if frame.inner:
            bound = bound_names(function)
            missing = [variable for variable in frame.inner if variable not in bound]
            made += [node for name in missing for node in self.quote("name: ag__.local", first, name=name)]
        at = 1 if _is_docstring(first) and made else 0
        function.body[at:at] = made

    def _can_be_functions(self, node: Node, *blocks: Sequence[Node]) -> bool:
        """Whether the blocks of a statement neither suspend the function nor jump out."""
        if holds(node, *SUSPENDING):
            return False
        return not any(has_jump(block, gast.Return, gast.Break, gast.Continue) for block in blocks)

    def _keep(self, node: Node) -> Node:
        """Leave a statement Python; what is in it is converted."""
        self._kept.add(id(node))
        return self.generic_visit(node)


def _names_read(parts: Sequence[Node]) -> frozenset[str]:
    names = (node for part in parts for node in walk(part) if isinstance(node, gast.Name))
    return frozenset(name.id for name in names if isinstance(name.ctx, gast.Load))


def is_static(test: Node) -> bool:
    """Whether a test is decided by the text: a literal, `TYPE_CHECKING`, `__debug__`."""
    if isinstance(test, gast.Attribute):
        return test.attr == "TYPE_CHECKING"
    if isinstance(test, gast.Name):
        return test.id in {"TYPE_CHECKING", "__debug__"}
    return isinstance(test, gast.Constant)


def _is_docstring(statement: Node) -> bool:
    if not isinstance(statement, gast.Expr) or not isinstance(statement.value, gast.Constant):
        return False
    return isinstance(statement.value.value, str)
