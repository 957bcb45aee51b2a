"""Printing: whatever is printed reads back as the same tree."""

import ast
import sys
from pathlib import Path

import pytest

from autograph.source import parse as module
from autograph.source.parse import parse, parse_ast, same, to_ast, unparse

STATEMENTS = [
    "x[1:2, ..., None]", "x[(1, 2)]", "x[1:2, *a]", "x[:, None][()]", "x = y = 1, 2", "x: int = 3", "(x): int", "x.y: int",
    "f'{a!r:>{b}} {{}} {c=} ' 'tail'", "f'{x[\"a\"]}'", "f'''{a\n}'''", "(n := 3)", "f(n := 3, *a, k=1, **b)",
    "a if b else c", "lambda: x", "lambda a, /, b=1, *c, d, e=2, **f: (yield)", "(lambda x: x)(1)",
    "-1 ** 2", "(-1) ** 2", "(-1).real", "1 .real", "1e400", "2j", "b'x'", "'a\\n\"\\''", "not (a and b) or c",
    "a < b is not c not in d", "await x", "[*a, *b]", "{**a, 'b': 1}", "{1, 2}", "()", "(1,)", "return",
    "[x async for x in y if x if y]", "{k: v for k, v in x}", "del a, b[0], c.d", "assert a, 'b'", "raise", "raise A from B",
    "import a.b as c, d", "from . import x", "from ..a import (b as c, d)", "global a, b", "nonlocal a", "pass", "a @= b",
    "if a:\n    pass\nelif b:\n    pass\nelse:\n    pass", "while a:\n    break\nelse:\n    continue",
    "for a, *b in c:\n    pass\nelse:\n    pass", "async def f():\n    async for x in y:\n        async with a as b:\n            await c",
    "with a as (b, c), d:\n    pass", "try:\n    pass\nexcept A as b:\n    pass\nexcept (A, B):\n    pass\nelse:\n    pass\nfinally:\n    pass",
    "try:\n    pass\nexcept* A as b:\n    x[1:2, None]\nexcept* B:\n    pass",
    "match a:\n    case [1, *r] if r:\n        x[1:2, None]\n    case {'k': -1, **kw}:\n        pass\n"
    "    case C(a, b=1) | None as q:\n        pass\n    case a.b | 'x' | 1+2j:\n        pass\n    case _:\n        pass",
    "match a, *b:\n    case (1, 2) | []:\n        pass",
    "@d\n@e(1)\nclass A(B, *C, metaclass=M, **k):\n    '''Doc\n    more.'''\n    x: int = 1\n    def m(self): ...",
    "@d\ndef f(a: int, b: str = 'x', /, *c: int, d: int = 3, **e) -> int:\n    '''One.\n\n    Two \"\"\"three\"\"\" \\\\ four.\n    '''\n    return a",
    "def f():\n    yield\n    x = yield from y\n    'not a docstring\\n'\n    return *a, b",
]  # fmt: skip
if sys.version_info >= (3, 12):
    STATEMENTS += [
        "type A[T: int, *Ts, **P] = list[T]", "def f[T](x: T) -> T:\n    x[1:2, None]", "class A[T](B[T]):\n    pass",
        "f'{x['a']}'",
    ]  # fmt: skip
if sys.version_info >= (3, 13):
    STATEMENTS += ["type A[T = int] = T"]


@pytest.mark.parametrize("text", STATEMENTS)
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
    assert unparse(parse(text)) == text
    assert unparse(parse("f(lambda: x, not a)").body[0].value) == "f(lambda: x, not a)"


def test_only_the_smallest_statement_that_differs_is_printed_by_the_library(monkeypatch) -> None:
    tree = to_ast(parse("if a:\n    try:\n        b\n    except* C:\n        d\n    e"))
    printed_by_library = []
    original = module._standard_text
    monkeypatch.setattr(
        module, "_standard_text", lambda s, depth: printed_by_library.append(type(s).__name__) or original(s, depth)
    )
    assert same(ast.parse(unparse(tree)), tree)
    assert set(printed_by_library) == {"TryStar"}


def test_positions_are_complete() -> None:
    tree = parse("x = 1\ny = f(2)")
    tree.body[1].value.args[0].lineno = None
    tree.body[0].end_lineno = 0
    compile(to_ast(tree), "f.py", "exec")
