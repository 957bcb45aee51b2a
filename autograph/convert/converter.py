"""The base of all converters, what they are told, and which parts of a function they leave alone.

A converter is one class in one file of `passes/`:

    class Ternary(Converter):
        \"\"\"a if c else b  ->  ag__.if_exp(c, lambda: a, lambda: b)\"\"\"
        eliminates = (gast.IfExp,)
        examples = (Example("y = a if c else b", "y = ag__.if_exp(c, lambda: a, lambda: b)"),)

        def visit_IfExp(self, node): ...

Untouched everywhere: annotations, decorators (but their calls), default values, `match` patterns, type parameters
and what stands directly in class bodies (the functions there are converted).
"""

from collections.abc import Callable, Container, Iterator, Sequence
from typing import Any, NamedTuple

import gast

from autograph.convert.naming import Names
from autograph.convert.template import Filling, quote, quote_expression
from autograph.source.parse import Node, children

HOOKS = "ag__"
"""The name by which generated code reaches the operators."""


class Example(NamedTuple):
    """What a converter does: source text before and after. Shown to readers, run as tests."""

    before: str
    after: str


class Context:
    """What converters know of the function at hand.

    names:        its names, and fresh ones
    file:         its file, as the user's code object has it
    source_lines: the lines of that file
    facts:        analyses of the tree, asked for by class; forgotten after each converter
    class_name:   the class whose body it stands in, for private names, or None
    global_names: the names its module defines, and the functions around it
    stage_tries:  whether `try` with `except` becomes a call of a hook, too
    """

    def __init__(
        self,
        function: Node,
        file: str,
        *,
        source_lines: Sequence[str] = (),
        facts: Any = None,
        class_name: str | None = None,
        global_names: Container[str] = (),
        stage_tries: bool = False,
    ) -> None:
        self.names = Names(function)
        self.names.used.add(HOOKS)
        self.file = file
        self.source_lines = source_lines
        self.facts = facts
        self.class_name = class_name
        self.global_names = global_names
        self.stage_tries = stage_tries

    def is_builtin(self, name: str) -> bool:
        """Whether `name` still means Python's builtin: neither the function nor what is around it binds it."""
        return name not in self.names.bound and name not in self.global_names


class Converter(gast.NodeTransformer):
    """One step of the conversion.

    begins:       node types without which it has nothing to do, and is not run; none: it always is
    eliminates:   node types that are gone after this converter (checked after each run)
    expects_gone: node types an earlier converter must have eliminated (checked once, by the list)
    examples:     before and after
    """

    begins: tuple[type, ...] = ()
    eliminates: tuple[type, ...] = ()
    expects_gone: tuple[type, ...] = ()
    examples: tuple[Example, ...] = ()

    def __init__(self, context: Context) -> None:
        self.context = context
        self.names = context.names
        self._methods: dict[type, Callable[[Node], Any]] = {}  # by the type of node

    def convert(self, tree: Node) -> Node:
        """Convert a whole function or lambda; the result replaces it."""
        return self.visit(tree)

    def visit(self, node: Node) -> Any:
        """What the method for the type of a node makes of it."""
        kind = type(node)
        method = self._methods.get(kind)
        if method is None:
            method = self._methods[kind] = getattr(self, f"visit_{kind.__name__}", self.generic_visit)
        return method(node)

    def visit_Constant(self, node: Node) -> Node:
        """A literal has no parts; the base looks for methods of its former names."""
        return node

    def keeps(self, node: Node) -> bool:
        """Whether this node, of a type in `eliminates`, is left as it is on purpose."""
        del node
        return False

    def quote(self, text: str, origin: Node, **holes: Filling) -> list[Node]:
        """Statements from a template: see `autograph.convert.template`."""
        return quote(text, origin, **holes)

    def quote_expression(self, text: str, origin: Node, **holes: Filling) -> Node:
        """An expression from a template: see `autograph.convert.template`."""
        return quote_expression(text, origin, **holes)

    def visit_block(self, statements: Sequence[Node]) -> list[Node]:
        """Convert each statement; one may become several, or none (`pass` if nothing is left)."""
        made: list[Node] = []
        for statement in statements:
            result = self.visit(statement)
            if isinstance(result, list):
                made.extend(result)
            elif result is not None:
                made.append(result)
        if statements and not made:
            made = self.quote("pass", statements[0])
        return made

    def generic_visit(self, node: Node) -> Node:
        """Convert the parts of a node that are the user's running code."""
        if isinstance(node, gast.ClassDef):
            for function in class_functions(node.body):
                self.visit(function)  # changed in place: a method stays where its class has it
            return node
        for field, value in _converted_fields(node):
            if isinstance(value, gast.AST):
                setattr(node, field, self.visit(value))
            elif _is_block(value):
                setattr(node, field, self.visit_block(value))
            else:
                setattr(node, field, [self.visit(v) if isinstance(v, gast.AST) else v for v in value])
        return node


def types_in(tree: Node) -> set[type]:
    """The types of all nodes in a tree but contexts; of attributes that are written, `Written` as well.

    >>> from autograph.source.parse import parse
    >>> sorted(t.__name__ for t in types_in(parse("x.a = 1").body[0]))
    ['Assign', 'Attribute', 'Constant', 'Name', 'Written']
    """
    found: set[type] = set()
    pending = [tree]
    while pending:
        node = pending.pop()
        kind = type(node)
        found.add(kind)
        if kind is gast.Attribute and (type(node.ctx) is not gast.Load or node.attr == "f_back"):
            found.add(Written)
        pending += children(node)
    return found


class Written:
    """Among types of nodes: an attribute that is assigned or deleted, or the frame before a frame."""


def converted_nodes(node: Node) -> Iterator[Node]:
    """`node` and everything in it that converters work on, parents first."""
    yield node
    if isinstance(node, gast.ClassDef):
        for function in class_functions(node.body):
            yield from converted_nodes(function)
        return
    for _, value in _converted_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, gast.AST):
                yield from converted_nodes(child)


def holds(node: Node | Sequence[Node], *types: type) -> bool:
    """Whether a node of these types runs as part of `node`: nested functions and classes are others' code.

    >>> from autograph.source.parse import parse
    >>> holds(parse("x = lambda: (yield)").body[0], gast.Yield)
    False
    """
    pending = list(node) if isinstance(node, (list, tuple)) else [node]
    while pending:
        item = pending.pop()
        if isinstance(item, types):
            return True
        if isinstance(item, (gast.FunctionDef, gast.AsyncFunctionDef, gast.Lambda, gast.ClassDef)):
            # What runs where it is defined: defaults, decorators, bases.
            pending.extend(_definition_time(item))
        else:
            pending.extend(children(item))
    return False


def _definition_time(node: Node) -> list[Node]:
    if isinstance(node, gast.ClassDef):
        return [*node.decorator_list, *node.bases, *node.keywords]
    defaults = [value for value in (*node.args.defaults, *node.args.kw_defaults) if value is not None]
    return [*defaults, *getattr(node, "decorator_list", ())]


_LEFT_ALONE: dict[type, tuple[str, ...]] = {
    gast.FunctionDef: ("args", "decorator_list", "returns", "type_params"),
    gast.AsyncFunctionDef: ("args", "decorator_list", "returns", "type_params"),
    gast.Lambda: ("args",),
    gast.AnnAssign: ("annotation",),
    gast.match_case: ("pattern",),
}
if hasattr(gast, "TypeAlias"):
    _LEFT_ALONE[gast.TypeAlias] = ("name", "type_params", "value")


def _converted_fields(node: Node) -> list[tuple[str, Node]]:
    """The fields of a node that hold running code of the user's, as (name, node or list)."""
    alone = _LEFT_ALONE.get(type(node), ("ctx",))
    parts = node.__dict__
    return [
        (field, value) for field in node._fields
        if isinstance(value := parts.get(field), (gast.AST, list)) and field not in alone
    ]


def class_functions(statements: Sequence[Node]) -> Iterator[Node]:
    """The functions and classes a class body defines, those inside its `if` and `with` statements too."""
    for statement in statements:
        if isinstance(statement, (gast.FunctionDef, gast.AsyncFunctionDef, gast.ClassDef)):
            yield statement
            continue
        for field in ("body", "orelse", "finalbody"):
            yield from class_functions(getattr(statement, field, ()))
        for part in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
            yield from class_functions(part.body)


def _is_block(value: list[Node]) -> bool:
    return bool(value) and isinstance(value[0], gast.stmt)
