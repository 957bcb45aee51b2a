"""The one list of converters, and running it.

Order: first what rewrites statements as plain Python (functions, match, walrus; continue, break and
return become flags), then control flow, then expressions. Control flow comes before the
expressions, so that analyses see plain names instead of lambdas; what it generates (`not
did_break`, targets of loops, calls) is then converted like the user's own code.
"""

from collections.abc import Callable, Container, Iterator, Sequence
from typing import TypeAlias

import gast

from autograph.analysis.facts import Facts
from autograph.convert.converter import Context, Converter, converted_nodes, types_in
from autograph.convert.naming import bound_names
from autograph.convert.passes.asserts import Asserts
from autograph.convert.passes.attributes import Attributes
from autograph.convert.passes.breaks import Breaks
from autograph.convert.passes.calls import Calls
from autograph.convert.passes.comprehensions import Comprehensions
from autograph.convert.passes.continues import Continues
from autograph.convert.passes.control_flow import ControlFlow
from autograph.convert.passes.displays import Displays
from autograph.convert.passes.endings import Endings
from autograph.convert.passes.finals import Finals
from autograph.convert.passes.functions import Functions
from autograph.convert.passes.in_place import InPlace
from autograph.convert.passes.logic import Logic
from autograph.convert.passes.match import Match
from autograph.convert.passes.returns import Returns
from autograph.convert.passes.stars import Stars
from autograph.convert.passes.subscripts import Subscripts
from autograph.convert.passes.ternary import Ternary
from autograph.convert.passes.texts import Texts
from autograph.convert.passes.unpacking import Unpacking
from autograph.convert.passes.unused import Unused
from autograph.convert.passes.walrus import Walrus
from autograph.convert.template import copy_tree
from autograph.errors.catalogue import PassError
from autograph.source.parse import Node, parse

PASSES: tuple[type[Converter], ...] = (
    Functions,
    Unused,
    Match,
    Walrus,
    Unpacking,
    Finals,
    Continues,
    Returns,
    Breaks,
    InPlace,
    Endings,
    ControlFlow,
    Subscripts,
    Attributes,
    Comprehensions,
    Stars,
    Displays,
    Asserts,
    Ternary,
    Logic,
    Texts,
    Calls,
)

Dump: TypeAlias = Callable[[str, Node], None]
"""Called with a converter's name and the tree after it ran."""


def check_order(passes: Sequence[type[Converter]]) -> None:
    """Raise `PassError` where a converter expects something gone that no earlier one eliminates."""
    eliminated: set[type] = set()
    for converter in passes:
        for node_type in converter.expects_gone:
            if node_type not in eliminated:
                raise PassError.order(converter.__name__, node_type.__name__)
        eliminated.update(converter.eliminates)


def convert_tree(
    tree: Node, context: Context, passes: Sequence[type[Converter]] = PASSES, dump: Dump | None = None
) -> Node:
    """Convert one function or lambda (gast, in place): run the converters, check each one's promise."""
    types = types_in(tree)
    for converter_type in passes:
        if not converter_type.begins or not types.isdisjoint(converter_type.begins):
            converter = converter_type(context)
            tree = converter.convert(tree)
            if context.facts is not None:
                context.facts.forget()
            types = types_in(tree)
            if not types.isdisjoint(converter_type.eliminates):
                _verify(converter, tree, context)
        if dump is not None:
            dump(converter_type.__name__, tree)
    return tree


ConvertedFunction: TypeAlias = tuple[str, Node, Node]
"""Qualified name, converted function, original function."""


def convert_source(
    text: str, filename: str = "<unknown>", dump: Dump | None = None
) -> list[ConvertedFunction]:
    """Convert every function of a file, which is only read, never imported or run.

    Returns (qualified name, converted, original) for each function outside other functions,
    methods included; nested ones are inside their parents. Raises `SyntaxError` as Python does.

    >>> from autograph.source.printing import unparse
    >>> [(name, made, _)] = convert_source("class A:\\n  def f(self): return self.x[0]")
    >>> print(name, unparse(made), sep="\\n")
    A.f
    def f(self):
        return ag__.get_item(self.x, 0)
    """
    module = parse(text, filename)
    lines = text.splitlines(keepends=True)
    global_names = bound_names(gast.FunctionDef("module", _no_arguments(), module.body, [], None, None, []))
    made = []
    for name, class_name, function in _functions(module.body, "", None):
        original = copy_tree(function)
        context = new_context(function, filename, lines, class_name, global_names)
        made.append((name, convert_tree(function, context, dump=dump), original))
    return made


def new_context(
    function: Node,
    file: str,
    source_lines: Sequence[str] = (),
    class_name: str | None = None,
    global_names: Container[str] = (),
    stage_tries: bool = False,
) -> Context:
    """What converters know of a function, its analyses included."""
    return Context(
        function,
        file,
        source_lines=source_lines,
        facts=Facts(),
        class_name=class_name,
        global_names=global_names,
        stage_tries=stage_tries,
    )


def _functions(
    statements: Sequence[Node], prefix: str, class_name: str | None
) -> Iterator[tuple[str, str | None, Node]]:
    """(qualified name, class, node) of the functions among the statements of a module or class body."""
    for statement in statements:
        if isinstance(statement, (gast.FunctionDef, gast.AsyncFunctionDef)):
            yield prefix + statement.name, class_name, statement
        elif isinstance(statement, gast.ClassDef):
            yield from _functions(statement.body, f"{prefix}{statement.name}.", statement.name)
        else:
            for field in ("body", "orelse", "finalbody"):
                yield from _functions(getattr(statement, field, ()), prefix, class_name)
            for part in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
                yield from _functions(part.body, prefix, class_name)


def _verify(converter: Converter, tree: Node, context: Context) -> None:
    """Raise `PassError` where something is left that the converter says it eliminates."""
    line = None
    for node in converted_nodes(tree):
        line = getattr(node, "lineno", line)
        if isinstance(node, converter.eliminates) and not converter.keeps(node):
            source_line = "".join(context.source_lines[line - 1 : line]) if line else None
            raise PassError.left_over(
                type(converter).__name__, type(node).__name__, context.file, line, source_line
            )


def _no_arguments() -> Node:
    return gast.arguments([], [], None, [], [], None, [])


check_order(PASSES)
