"""Trees to text.

Statements are printed with astunparse, the expressions in them with whichever of astunparse
and `ast.unparse` is shorter. What was printed is parsed back and compared with the tree; the
smallest statement that differs is printed again by `ast.unparse`.
"""

import ast
import io
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

import astunparse

from autograph.source.parse import Node, same, to_ast

Ahead: TypeAlias = Callable[[ast.stmt], Iterable[str]]


def unparse(node: Node, ahead: Ahead | None = None) -> str:
    """Source text of a gast or ast tree (module, statement or expression), without a final newline.

    `ahead(statement)` may give lines of comment to print ahead of a statement (an `ast.stmt`, with
    its position), such as the comments that the user's file has there.

    >>> from autograph.source.parse import parse
    >>> print(unparse(parse("def f(x, /):\\n    return lambda: (x[1:2, ..., None])")))
    def f(x, /):
        return lambda: x[1:2, ..., None]
    """
    tree = to_ast(node) if _is_gast(node) else node
    if isinstance(tree, ast.expr):
        return _expression(tree)
    statements = tree.body if isinstance(tree, ast.Module) else [tree]
    by_standard: set[int] = set()
    printed = _print(statements, by_standard)
    if not _reads_back(statements, printed):
        for statement in statements:
            _find_misprinted(statement, by_standard)
    elif ahead is None:
        return printed
    return _print(statements, by_standard, ahead)


def _is_gast(node: Node) -> bool:
    return type(node).__module__.startswith("gast")


def _reads_back(statements: list[ast.stmt], printed: str) -> bool:
    try:
        return same(ast.parse(printed).body, statements)
    except (SyntaxError, ValueError):
        return False


def _find_misprinted(statement: ast.stmt, by_standard: set[int]) -> None:
    """Add the ids of the smallest statements in `statement` that astunparse prints wrongly."""
    if _prints_well(statement, by_standard):
        return
    for block in _blocks(statement):
        for child in block:
            _find_misprinted(child, by_standard)
    if not _prints_well(statement, by_standard):
        by_standard.add(id(statement))


def _prints_well(statement: ast.stmt, by_standard: set[int]) -> bool:
    return _reads_back([statement], _print([statement], by_standard))


def _blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """The lists of statements directly inside a statement, those of its handlers and cases included."""
    for name in ("body", "orelse", "finalbody"):
        block = getattr(node, name, None)
        if isinstance(block, list):
            yield block
    for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
        yield part.body


def _print(statements: list[ast.stmt], by_standard: set[int], ahead: Ahead | None = None) -> str:
    out = io.StringIO()
    try:
        _Printer(statements, out, by_standard, ahead)
    except (AttributeError, TypeError, AssertionError):
        # A node that astunparse does not know: nothing is printed, so that nothing reads back
        # and the search for the smallest such statement begins.
        return "<unprintable>"
    return out.getvalue().strip("\n")


def _expression(node: ast.expr) -> str:
    """An expression by the shorter of the two printers; astunparse's where they tie."""
    standard = ast.unparse(node)
    try:
        out = io.StringIO()
        _PlainPrinter(node, out)
        plain = out.getvalue().strip()
        if len(plain) <= len(standard) and same(ast.parse(plain, mode="eval").body, node):
            return plain
    except (AttributeError, TypeError, AssertionError, SyntaxError, ValueError):
        pass  # astunparse can't print it: the standard library's text stands
    return standard


def _standard_text(statement: ast.stmt, depth: int) -> list[str]:
    """A statement by `ast.unparse` as it reads `depth` blocks deep (so that docstrings keep their text)."""
    wrapped: ast.stmt = statement
    for _ in range(depth):
        wrapped = ast.If(ast.Constant(True), [wrapped], [])
    return ast.unparse(ast.Module([wrapped], [])).strip("\n").split("\n")[depth:]


class _PlainPrinter(astunparse.Unparser):
    """astunparse for one expression, without its outermost parentheses."""

    def _Constant(self, tree: ast.Constant) -> None:
        # repr() is what Python itself prints; the `u` of u"..." means nothing.
        if tree.value is Ellipsis:
            self.write("...")
        else:
            self._write_constant(tree.value)

    def _JoinedStr(self, tree: ast.JoinedStr) -> None:
        self.write(ast.unparse(tree))

    def _Attribute(self, tree: ast.Attribute) -> None:
        # astunparse asks for names of `ast` that new Pythons warn of, and newer ones lack.
        self.dispatch(tree.value)
        is_integer = isinstance(tree.value, ast.Constant) and isinstance(tree.value.value, int)
        self.write(f" .{tree.attr}" if is_integer else f".{tree.attr}")

    def _Slice(self, tree: ast.Slice) -> None:
        if isinstance(tree.lower, ast.Tuple) or isinstance(tree.upper, ast.Tuple):
            raise TypeError("a tuple in a slice")
        super()._Slice(tree)


class _Printer(astunparse.Unparser):
    """astunparse for statements; expressions through `_expression`, blank lines as people put them."""

    def __init__(
        self, statements: list[ast.stmt], out: io.StringIO, by_standard: set[int], ahead: Ahead | None
    ) -> None:
        self.by_standard = by_standard
        self.ahead = ahead
        super().__init__(statements, out)

    def dispatch(self, tree: Node) -> None:
        """Print one node, or the statements of a list."""
        if isinstance(tree, ast.stmt) and self.ahead is not None:
            for line in self.ahead(tree):
                self.fill(line)
        if isinstance(tree, ast.stmt) and id(tree) in self.by_standard:
            for line in _standard_text(tree, self._indent):
                self.f.write("\n" + line)
        elif isinstance(tree, ast.expr):
            self.write(_expression(tree))
        else:
            super().dispatch(tree)

    def _Module(self, tree: ast.Module) -> None:
        self.dispatch(tree.body)

    def _Expr(self, tree: ast.Expr) -> None:
        text = tree.value.value if isinstance(tree.value, ast.Constant) else None
        if isinstance(text, str) and "\n" in text and "\\" not in text and '"""' not in text:
            self.fill('"""' + text + '"""')
        else:
            super()._Expr(tree)

    def _Assign(self, tree: ast.Assign) -> None:
        self.fill()
        for target in tree.targets:
            self._bare(target)
            self.write(" = ")
        self._bare(tree.value)

    def _Return(self, tree: ast.Return) -> None:
        self.fill("return")
        if tree.value is not None:
            self.write(" ")
            self._bare(tree.value)

    def _For(self, tree: ast.For) -> None:
        self._loop("for ", tree)

    def _AsyncFor(self, tree: ast.AsyncFor) -> None:
        self._loop("async for ", tree)

    def _loop(self, keyword: str, tree: ast.For | ast.AsyncFor) -> None:
        self.fill(keyword)
        self._bare(tree.target)
        self.write(" in ")
        self.dispatch(tree.iter)
        self.enter()
        self.dispatch(tree.body)
        self.leave()
        if tree.orelse:
            self.fill("else")
            self.enter()
            self.dispatch(tree.orelse)
            self.leave()

    def _bare(self, tree: ast.expr) -> None:
        """An expression where a tuple needs no parentheses."""
        if isinstance(tree, ast.Tuple) and len(tree.elts) > 1:
            self.write(", ".join(_expression(element) for element in tree.elts))
        else:
            self.dispatch(tree)

    def _Match(self, tree: Node) -> None:
        self.fill("match ")
        self.dispatch(tree.subject)
        self.enter()
        for case in tree.cases:
            self.fill("case " + ast.unparse(case.pattern))
            if case.guard:
                self.write(" if ")
                self.dispatch(case.guard)
            self.enter()
            self.dispatch(case.body)
            self.leave()
        self.leave()

    def _ClassDef(self, tree: Node) -> None:
        if getattr(tree, "type_params", None):
            raise TypeError("type parameters")
        self._blank_line()
        for decorator in tree.decorator_list:
            self.fill("@")
            self.dispatch(decorator)
        self.fill("class " + tree.name)
        arguments = [*tree.bases, *tree.keywords]
        for position, argument in enumerate(arguments):
            self.write(", " if position else "(")
            self.dispatch(argument)
        if arguments:
            self.write(")")
        self.enter()
        self.dispatch(tree.body)
        self.leave()

    def _FunctionDef(self, tree: Node) -> None:
        self._function(tree, "def ")

    def _AsyncFunctionDef(self, tree: Node) -> None:
        self._function(tree, "async def ")

    def _function(self, tree: Node, keyword: str) -> None:
        if getattr(tree, "type_params", None):
            raise TypeError("type parameters")
        self._blank_line()
        for decorator in tree.decorator_list:
            self.fill("@")
            self.dispatch(decorator)
        self.fill(keyword + tree.name + "(" + ast.unparse(tree.args) + ")")
        if tree.returns:
            self.write(" -> ")
            self.dispatch(tree.returns)
        self.enter()
        self.dispatch(tree.body)
        self.leave()

    def _blank_line(self) -> None:
        # Inside functions, hooks' helper functions follow each other closely: blank lines there
        # would double the output.
        if not self._indent and self.f.tell():
            self.write("\n\n")
