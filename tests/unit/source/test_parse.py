"""Printing: whatever is printed reads back as the same tree."""

import ast
import sys
from pathlib import Path

import pytest

from autograph.source import printing as module
from autograph.source.parse import parse, parse_ast, same, to_ast
from autograph.source.printing import unparse


def statements():
    """The texts of statements.txt, but for those that need a newer Python than this."""
    parts = Path(__file__).with_name("statements.txt").read_text("utf-8").split("\n---")
    for part in parts:
        needed, _, text = part.removeprefix("---").partition("\n")
        if sys.version_info >= tuple(int(n) for n in (needed.strip() or "3.11").split(".")):
            yield text.removesuffix("\n")


@pytest.mark.parametrize("text", list(statements()))
def test_printed_reads_back(text: str) -> None:
    for depth in range(3):
        head = "".join("    " * i + "if x:\n" for i in range(depth))
        whole = head + "\n".join("    " * depth + line for line in text.splitlines())
        try:
            tree = parse_ast(whole)
        except SyntaxError:
            continue  # a text of several lines inside quotes can't be indented
        printed = unparse(parse(whole))
        assert ast.dump(ast.parse(printed)) == ast.dump(ast.parse(ast.unparse(tree)))
        assert same(ast.parse(printed), tree)


@pytest.mark.parametrize("name", ["dataclasses", "tokenize", "contextlib", "enum", "statistics"])
def test_library_reads_back(name: str) -> None:
    text = Path(sys.modules["os"].__file__).with_name(name + ".py").read_text("utf-8")
    assert same(ast.parse(unparse(parse(text))), ast.parse(text))


def test_readable() -> None:
    text = "def f(a):\n    x = a + b * (c - 1)\n    return lambda: (x, a if b else c)"
    text += "\n    for i, (j, k) in a:\n        i, j = j, *i\n        return i, lambda: j, 2"
    assert unparse(parse(text)) == text
    assert unparse(parse("f(lambda: x, not a)").body[0].value) == "f(lambda: x, not a)"


def test_only_the_smallest_statement_that_differs_is_printed_by_the_library(monkeypatch) -> None:
    tree = to_ast(parse("if a:\n    try:\n        b\n    except* C:\n        d\n    e"))
    printed_by_library = []
    original = module._standard_text

    def watched(statement, depth):
        printed_by_library.append(type(statement).__name__)
        return original(statement, depth)

    monkeypatch.setattr(module, "_standard_text", watched)
    assert same(ast.parse(unparse(tree)), tree)
    assert set(printed_by_library) == {"TryStar"}


def test_positions_are_complete() -> None:
    tree = parse("x = 1\ny = f(2)")
    tree.body[1].value.args[0].lineno = None
    tree.body[0].end_lineno = 0
    compile(to_ast(tree), "f.py", "exec")


def test_lines_ahead_of_statements() -> None:
    tree = parse("if a:\n    x = 1\ny = 2")
    assert unparse(tree, lambda s: [f"# {s.lineno}"]) == "# 1\nif a:\n    # 2\n    x = 1\n# 3\ny = 2"
