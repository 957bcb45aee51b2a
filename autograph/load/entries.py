"""What `to_graph` gives: the function as it stands, of which calls inside traces go to its converted form.

    def f(x, *rest, k):     ->  def f(x, *rest, k):
        return g(x, k)              if ag__.tracing:
                                        return ag__converted(x, *rest, k=k)
                                    return g(x, k)

So it runs at Python's own speed, in one frame, where nothing is traced. Both share the cells of the original.
"""

from __future__ import annotations

import ast
import types
from typing import Any

from autograph.load.parts import HOOKS, load, located

__all__ = ["CONVERTED", "ask_first", "converted_form", "has_entry"]

CONVERTED = "ag__converted"
_GOES_ON_LATER = 0x20 | 0x80 | 0x100 | 0x200  # generators and coroutines: in a trace, perhaps, that began after the call


_SEE_NAMES = frozenset("dir eval exec f_locals locals vars".split())


def has_entry(code: types.CodeType) -> bool:
    """Whether a function may ask first: it runs while it is called, and does not look at its names (two are ours)."""
    return not code.co_flags & _GOES_ON_LATER and _SEE_NAMES.isdisjoint(code.co_names)


def converted_form(function: types.FunctionType) -> types.FunctionType | None:
    """What an entry calls inside traces; None for other functions."""
    names = function.__code__.co_freevars
    if CONVERTED not in names or function.__closure__ is None:
        return None
    return function.__closure__[names.index(CONVERTED)].cell_contents  # type: ignore[no-any-return]


def ask_first(definition: Any) -> None:
    """Let a function or lambda ask first whether anything is traced, in place.

    The question stands where the first statement does: what follows a program line by line sees no line more.
    """
    traces = ast.Attribute(load(HOOKS), "tracing", ast.Load())
    passed = _passed_on(definition.args)
    if isinstance(definition, ast.Lambda):
        definition.body = located(definition.body, ast.IfExp(traces, passed, definition.body))
        return
    at = 1 if len(definition.body) > 1 and ast.get_docstring(definition, clean=False) is not None else 0
    definition.body.insert(at, located(definition.body[at], ast.If(traces, [ast.Return(passed)], [])))


def _passed_on(arguments: ast.arguments) -> ast.expr:
    """The call of the converted form with what the function was given."""
    given: list[ast.expr] = [load(a.arg) for a in (*arguments.posonlyargs, *arguments.args)]
    if arguments.vararg is not None:
        given.append(ast.Starred(load(arguments.vararg.arg), ast.Load()))
    named = [ast.keyword(a.arg, load(a.arg)) for a in arguments.kwonlyargs]
    if arguments.kwarg is not None:
        named.append(ast.keyword(None, load(arguments.kwarg.arg)))
    return ast.Call(load(CONVERTED), given, named)
