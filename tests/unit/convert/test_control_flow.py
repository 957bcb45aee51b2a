"""The control-flow converters keep the meaning of programs, and hand on the right variables."""

import ast
import contextlib
from typing import Any, NamedTuple

import gast
import pytest

from autograph.convert.converter import Context, Converter
from autograph.convert.passes.breaks import Breaks
from autograph.convert.passes.continues import Continues
from autograph.convert.passes.control_flow import ControlFlow
from autograph.convert.passes.match import Match
from autograph.convert.passes.returns import Returns
from autograph.convert.pipeline import PASSES
from autograph.source.parse import Node, parse, to_ast
from autograph.source.printing import unparse
from tests.unit.convert.python_hooks import ERRORS, UNBOUND, PythonHooks, StagingHooks, World
from tests.unit.convert.random_programs import Programs

STATEMENTS: tuple[type[Converter], ...] = (Match, Continues, Returns, Breaks, ControlFlow)


class Point(NamedTuple):
    x: object
    y: object


class Plain:
    def __enter__(self) -> int:
        return 4

    def __exit__(self, *error: object) -> None:
        return None


def converted(text: str, passes: tuple[type[Converter], ...] = STATEMENTS) -> Node:
    function = parse(text).body[0]
    context = Context(function, "program.py", source_lines=text.splitlines(keepends=True))
    for converter in passes:
        function = converter(context).convert(function)
    return function


def code_of(function: Node) -> Any:
    return compile(to_ast(gast.Module([function], [])), "program.py", "exec")


def outcome(code: Any, hooks: Any, world: World, *arguments: Any, name: str = "f") -> tuple[Any, ...]:
    def tick() -> None:
        if not world.tick():
            raise RuntimeError("out of fuel")

    namespace: dict[str, Any] = {
        "ag__": hooks,
        "record": world.record,
        "tick": tick,
        "plain": Plain,
        "Point": Point,
        "suppress": contextlib.suppress,
    }
    exec(code, namespace)
    try:
        result = ("returns", described(namespace[name](*arguments)))
    except ERRORS as error:
        # A variable of the function has become one of several functions: the message may differ.
        kind = NameError if isinstance(error, NameError) else type(error)
        result = ("raises", kind.__name__)
    return (*result, [described(value) for value in world.log], described(namespace.get("e", UNBOUND)))


def described(value: Any) -> Any:
    if isinstance(value, NameError):
        return "NameError"
    return repr(value) if callable(value) or isinstance(value, Exception) else value


def check(
    text: str,
    *arguments: Any,
    passes: tuple[type[Converter], ...] = STATEMENTS,
    each_pass: bool = False,
) -> None:
    """Compare a program with what it is converted to, in Python's meaning and as tracing would run it."""
    try:
        expected = outcome(compile(text, "program.py", "exec"), None, World(), *arguments)
    except MemoryError:  # a string that doubles in a loop: no program to compare with
        return
    function = parse(text).body[0]
    context = Context(function, "program.py")
    for converter in passes:
        function = converter(context).convert(function)
        last = converter is passes[-1]
        if not last and not each_pass:
            continue
        code = code_of(function)
        for staged in (False, True) if last else (False,):
            world = World()
            actual = outcome(code, StagingHooks(world) if staged else PythonHooks(), world, *arguments)
            if actual != expected:
                print(f"after {converter.__name__}, {staged=}\n{text}\n{unparse(function)}")
            assert actual == expected


@pytest.mark.parametrize("chunk", range(8))
def test_random_programs_keep_their_meaning(chunk: int) -> None:
    for seed in range(chunk * 50, chunk * 50 + 50):
        check(Programs(seed).function(), seed % 3, 2, each_pass=seed % 5 == 0)
        check(Programs(seed, size=3).function(), seed % 3, 2, passes=PASSES)


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(1, 21))
def test_many_random_programs_keep_their_meaning(chunk: int) -> None:
    for seed in range(chunk * 1000, chunk * 1000 + 200):
        check(Programs(seed, depth=3 + seed % 2, size=2 + seed % 3).function(), seed % 3, 2)


def test_every_line_of_the_user_stays() -> None:
    for seed in range(50):
        text = Programs(seed).function()
        function = converted(text, PASSES)
        for node in ast.walk(to_ast(gast.Module([function], []))):
            if isinstance(node, ast.stmt):
                assert 1 <= node.lineno <= text.count("\n")


def test_private_names_are_told_as_the_class_has_them() -> None:
    text = "def f(n):\n    __i = 0\n    while __i < n:\n        __i += 1\n    return __i\n"
    function = parse(text).body[0]
    tree = ControlFlow(Context(function, "program.py", class_name="_Secret")).convert(function)
    assert "('_Secret__i',)" in unparse(tree)


def test_names_of_dead_variables_are_locals_of_the_body() -> None:
    text = """\
def f(xs, c):
    for x in xs:
        square = x * x
        if c:
            unused = square
        record(square)
"""
    printed = unparse(converted(text))
    assert "nonlocal" not in printed
    assert "ag__.for_stmt(xs, loop_body, ())" in printed


def test_a_nested_function_changes_what_a_call_may_change() -> None:
    text = """\
def f(n):
    total = 0
    def add(v):
        nonlocal total
        total += v
    for i in range(n):
        add(i)
    return total
"""
    assert "ag__.for_stmt(range(n), loop_body, ('total',))" in unparse(converted(text))


@pytest.mark.parametrize(
    "text",
    [
        "def f(a, b):\n    for i in range(a):\n        if i > b: break\n        yield i\n    else: yield b\n",
        "async def f(a, b):\n    while a: await b(a)\n",
        "def f(a, b):\n    try:\n        if a: return 1\n    finally:\n        if b: return 2\n",
    ],
)
def test_what_can_not_be_functions_stays_python(text: str) -> None:
    assert unparse(converted(text)) == unparse(parse(text).body[0])


def test_a_break_in_a_finally_takes_a_return_back() -> None:
    for jump in ("break", "continue"):
        text = f"""\
def f(n, m):
    for i in range(3):
        try:
            for j in range(2):
                return 2
        finally:
            if n > 1:
                {jump}
    return i
"""
        check(text, 2, 0)
        check(text, 0, 0)
