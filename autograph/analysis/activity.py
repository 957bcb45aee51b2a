"""What a piece of a function does with variables: reads, binds, deletes, captures.

Scopes are Python's: a lambda, comprehension, nested function or class keeps its own names to
itself; a walrus inside a comprehension binds outside it; a class body runs where it stands, but
its methods do not see its names.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import gast

from autograph.analysis.facts import Analysis, Facts
from autograph.source.parse import Node, children

FUNCTIONS = (gast.FunctionDef, gast.AsyncFunctionDef)
COMPREHENSIONS = (gast.ListComp, gast.SetComp, gast.DictComp, gast.GeneratorExp)


class Use(NamedTuple):
    """How a statement, expression or block uses variables; names in order of first appearance.

    reads:     read while it runs
    exposed:   of those, the ones that may be read before it has bound them itself
    binds:     may be bound (assigned, imported, defined, caught, matched, ...)
    sure:      bound or deleted whenever it runs to its end
    deletes:   may be unbound by `del` or at the end of `except ... as`
    captures:  used, now or later, by a function defined in it
    rebinds:   of the captured, those the function declares `nonlocal`: a call may change them
    globals:   declared `global` in it
    nonlocals: declared `nonlocal` in it
    """

    reads: tuple[str, ...]
    exposed: tuple[str, ...]
    binds: tuple[str, ...]
    sure: tuple[str, ...]
    deletes: tuple[str, ...]
    captures: tuple[str, ...]
    rebinds: tuple[str, ...]
    globals: tuple[str, ...]
    nonlocals: tuple[str, ...]


class Activity(Analysis):
    """The uses of variables in one function.

    parameters: its parameters
    globals, nonlocals: the names it declares so, anywhere
    locals:     its own variables, parameters included
    captured:   its variables that nested functions use, now or later
    rebound:    of those, the ones nested functions bind
    """

    def __init__(self, function: Node, facts: Facts) -> None:
        super().__init__(function, facts)
        self._uses: dict[int, Use] = {}
        body = function.body if isinstance(function.body, list) else [function.body]
        whole = self.of(body)
        self.parameters = frozenset(parameter_names(function.args))
        self.globals = frozenset(whole.globals)
        self.nonlocals = frozenset(whole.nonlocals)
        self.locals = (self.parameters | set(whole.binds)) - self.globals - self.nonlocals
        self.captured = self.locals & set(whole.captures)
        self.rebound = self.locals & set(whole.rebinds)

    def of(self, part: Node | Sequence[Node]) -> Use:
        """How `part`, a statement, an expression or a list of them, uses variables."""
        if isinstance(part, gast.AST):
            known = self._uses.get(id(part))
            if known is None:
                known = self._uses[id(part)] = use_of([part])
            return known
        return use_of(part)


def use_of(parts: Iterable[Node]) -> Use:
    """How nodes that run one after the other use variables.

    >>> from autograph.source.parse import parse
    >>> use = use_of(parse("x = y + [y for y in z]\\nprint(x, lambda: (w, x))\\ndel x").body)
    >>> use.reads, use.exposed, use.binds, use.captures
    (('y', 'z', 'print', 'x'), ('y', 'z', 'print'), ('x',), ('w', 'x'))
    """
    collector = _Collector()
    for part in parts:
        collector.visit(part)
    return collector.use()


def parameter_names(arguments: Node) -> list[str]:
    """The names of the parameters in a gast `arguments` node."""
    every = [
        *arguments.posonlyargs,
        *arguments.args,
        arguments.vararg,
        *arguments.kwonlyargs,
        arguments.kwarg,
    ]
    return [argument.id for argument in every if argument is not None]


_VISITS: dict[type, Callable[[Any, Node], None]] = {}  # methods of the collector by the type of node


class _Collector(gast.NodeVisitor):
    """Walk in the order of evaluation; `bound` is what is certainly bound by now."""

    def __init__(self) -> None:
        # Dictionaries as ordered sets.
        self.reads: dict[str, None] = {}
        self.exposed: dict[str, None] = {}
        self.binds: dict[str, None] = {}
        self.deletes: dict[str, None] = {}
        self.captures: dict[str, None] = {}
        self.rebinds: dict[str, None] = {}
        self.globals: dict[str, None] = {}
        self.nonlocals: dict[str, None] = {}
        self.bound: set[str] = set()

    def use(self) -> Use:
        return Use(
            tuple(self.reads),
            tuple(self.exposed),
            tuple(self.binds),
            tuple(sorted(self.bound)),
            tuple(self.deletes),
            tuple(self.captures),
            tuple(self.rebinds),
            tuple(self.globals),
            tuple(self.nonlocals),
        )

    def visit(self, node: Node) -> None:
        kind = type(node)
        method = _VISITS.get(kind)
        if method is None:
            method = _VISITS[kind] = getattr(_Collector, f"visit_{kind.__name__}", _Collector.generic_visit)
        method(self, node)

    def generic_visit(self, node: Node) -> None:
        for child in children(node):
            self.visit(child)

    def visit_Constant(self, node: Node) -> None:
        """A literal uses no names."""

    # The three things that happen to a name.

    def read(self, name: str) -> None:
        self.reads[name] = None
        if name not in self.bound:
            self.exposed[name] = None

    def bind(self, name: str) -> None:
        self.binds[name] = None
        self.bound.add(name)

    def delete(self, name: str) -> None:
        self.deletes[name] = None
        self.bound.add(name)

    def all(self, nodes: Iterable[Node | None]) -> None:
        for node in nodes:
            if node is not None:
                self.visit(node)

    def perhaps(self, nodes: Iterable[Node | None]) -> set[str]:
        """Visit what may not run, or not to its end; says what it binds if it does."""
        before = set(self.bound)
        self.all(nodes)
        after, self.bound = self.bound, before
        return after

    # Expressions, where the order or the scope is not that of the fields.

    def visit_Name(self, node: Node) -> None:
        if isinstance(node.ctx, gast.Store):
            self.bind(node.id)
        elif isinstance(node.ctx, gast.Del):
            self.read(node.id)
            self.delete(node.id)
        elif isinstance(node.ctx, gast.Load):
            self.read(node.id)

    def visit_NamedExpr(self, node: Node) -> None:
        self.visit(node.value)
        self.visit(node.target)

    def visit_BoolOp(self, node: Node) -> None:
        self.visit(node.values[0])
        self.perhaps(node.values[1:])

    def visit_IfExp(self, node: Node) -> None:
        self.visit(node.test)
        self.bound = self.perhaps([node.body]) & self.perhaps([node.orelse])

    def visit_Compare(self, node: Node) -> None:
        self.all([node.left, node.comparators[0]])
        self.perhaps(node.comparators[1:])

    def visit_Dict(self, node: Node) -> None:
        for key, value in zip(node.keys, node.values, strict=True):
            self.all([key, value])

    def visit_Lambda(self, node: Node) -> None:
        self.all([*node.args.defaults, *node.args.kw_defaults])
        self.function(node, [node.body])

    def comprehension(self, node: Node) -> None:
        first = node.generators[0]
        self.visit(first.iter)
        inner = _Collector()
        inner.bound = set(self.bound)
        targets = _Collector()
        for generator in node.generators:
            if generator is not first:
                inner.visit(generator.iter)
            targets.visit(generator.target)
            inner.visit(generator.target)
            inner.all(generator.ifs)
        inner.all([node.key, node.value] if isinstance(node, gast.DictComp) else [node.elt])
        own = targets.binds
        lazy = isinstance(node, gast.GeneratorExp)
        for name in inner.reads:
            if name not in own:
                self.read(name)
                if lazy:
                    self.captures[name] = None
        for name in inner.binds:
            if name not in own:  # a walrus; whether it runs is not known
                self.binds[name] = None
                if lazy:
                    self.captures[name] = self.rebinds[name] = None
        self.captures.update((name, None) for name in inner.captures if name not in own)
        self.rebinds.update((name, None) for name in inner.rebinds if name not in own)

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = comprehension

    # Functions and classes.

    def function(self, node: Node, body: Sequence[Node]) -> None:
        inner = _Collector()
        inner.all(body)
        own = {*parameter_names(node.args), *inner.binds, *inner.deletes, *inner.globals}
        own.update(parameter.name for parameter in getattr(node, "type_params", None) or ())
        own -= set(inner.nonlocals)
        for name in (*inner.reads, *inner.captures, *inner.nonlocals):
            if name not in own:
                self.captures[name] = None
        for name in (*inner.rebinds, *inner.nonlocals):
            if name not in own:
                self.rebinds[name] = None

    def visit_FunctionDef(self, node: Node) -> None:
        arguments = node.args
        self.all([*node.decorator_list, *arguments.defaults, *arguments.kw_defaults, node.returns])
        every = [
            *arguments.posonlyargs,
            *arguments.args,
            *arguments.kwonlyargs,
            arguments.vararg,
            arguments.kwarg,
        ]
        self.all(argument.annotation for argument in every if argument is not None)
        self.function(node, node.body)
        self.bind(node.name)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node: Node) -> None:
        self.all([*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)])
        inner = _Collector()
        inner.all(node.body)
        for name in (*inner.exposed, *inner.reads):  # a name bound in only some paths is looked up outside
            self.read(name)
        self.captures.update(inner.captures)
        self.rebinds.update(inner.rebinds)
        for name in inner.nonlocals:
            self.binds[name] = self.captures[name] = None
        self.bind(node.name)

    def visit_TypeAlias(self, node: Node) -> None:
        inner = _Collector()
        inner.visit(node.value)
        self.captures.update(inner.reads)
        self.visit(node.name)

    # Statements.

    def visit_Assign(self, node: Node) -> None:
        self.visit(node.value)
        self.all(node.targets)

    def visit_AugAssign(self, node: Node) -> None:
        if isinstance(node.target, gast.Name):
            self.read(node.target.id)
        self.visit(node.value)
        self.visit(node.target)

    def visit_AnnAssign(self, node: Node) -> None:
        # In a function, annotations of variables are not evaluated.
        self.all([node.value])
        if node.value is not None or not isinstance(node.target, gast.Name):
            self.visit(node.target)

    def visit_alias(self, node: Node) -> None:
        if node.name != "*":
            self.bind((node.asname or node.name).split(".")[0])

    def visit_Global(self, node: Node) -> None:
        self.globals.update(dict.fromkeys(node.names))

    def visit_Nonlocal(self, node: Node) -> None:
        self.nonlocals.update(dict.fromkeys(node.names))

    def visit_If(self, node: Node) -> None:
        self.visit(node.test)
        self.bound = self.perhaps(node.body) & self.perhaps(node.orelse)

    def visit_While(self, node: Node) -> None:
        self.visit(node.test)
        self.perhaps(node.body)
        self.perhaps(node.orelse)

    def visit_For(self, node: Node) -> None:
        self.visit(node.iter)
        self.perhaps([node.target, *node.body])
        self.perhaps(node.orelse)

    visit_AsyncFor = visit_For

    def visit_With(self, node: Node) -> None:
        for item in node.items:
            self.all([item.context_expr, item.optional_vars])
        self.perhaps(node.body)

    visit_AsyncWith = visit_With

    def visit_Try(self, node: Node) -> None:
        self.perhaps([*node.body, *node.orelse])
        for handler in node.handlers:
            self.perhaps([handler])
        self.all(node.finalbody)

    visit_TryStar = visit_Try

    def visit_ExceptHandler(self, node: Node) -> None:
        self.all([node.type, node.name, *node.body])
        if node.name is not None:
            self.delete(node.name.id)

    def visit_Match(self, node: Node) -> None:
        self.visit(node.subject)
        for case in node.cases:
            self.perhaps([case.pattern, case.guard, *case.body])

    def visit_MatchAs(self, node: Node) -> None:
        self.all([node.pattern])
        if node.name:
            self.bind(node.name)

    def visit_MatchStar(self, node: Node) -> None:
        if node.name:
            self.bind(node.name)

    def visit_MatchMapping(self, node: Node) -> None:
        self.all([*node.keys, *node.patterns])
        if node.rest:
            self.bind(node.rest)
