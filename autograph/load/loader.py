"""A rewritten syntax tree becomes a function that stands in for the original.

The tree is compiled under the user's own file name and positions, inside a factory function whose
parameters are the free variables (and inside a class of the original's name, so that the compiler
mangles private names). The factory never runs: its code object is taken out and bound to the
original's globals and to the original's own closure cells, which are therefore shared.
"""

import __future__

import ast
import sys
import types
from collections.abc import Collection, Iterator
from typing import Any

from autograph.load.cache import register_converted
from autograph.load.entries import CONVERTED, ask_first
from autograph.load.helpers import settle
from autograph.load.parts import HOOKS
from autograph.load.shortcuts import shorten
from autograph.source.parse import Node, compile_quietly, complete_positions, to_ast

_FUTURE_FLAGS = 0
for _name in __future__.all_feature_names:
    _FUTURE_FLAGS |= getattr(__future__, _name).compiler_flag
_ITERABLE_COROUTINE = 0x100  # set by types.coroutine on the original's code


def compile_function(
    tree: Node, original: types.CodeType, class_name: str | None = None, helpers: Collection[str] = (),
    shortcuts: bool = True,
) -> types.CodeType:
    """The code object of a rewritten function or lambda (a gast tree); `helpers` names its helper functions.

    It has the original's file, qualified name and first line; `ag__` is one of its free variables.
    It and the functions defined in it are registered: `is_converted` knows them.
    """
    definition = to_ast(tree)
    if shortcuts:
        shorten(definition)
    code = settle(_compiled(definition, original, class_name, (HOOKS,)), original, helpers)
    register_converted(code)
    return code


def compile_entry(tree: Node, original: types.CodeType, class_name: str | None = None) -> types.CodeType:
    """The code object of a function as it stands, that leaves calls inside traces to another (`load.entries`)."""
    definition = to_ast(tree)
    ask_first(definition)
    return settle(_compiled(definition, original, class_name, (HOOKS, CONVERTED)), original, ())


def _compiled(definition: Any, original: types.CodeType, class_name: str | None, cells: tuple[str, ...]) -> types.CodeType:
    """The code object of a definition in the original's place; `cells` are free variables that the original has not."""
    _keep_only_the_body(definition, original.co_firstlineno)
    factory = _factory(definition, original, class_name, cells)
    flags = original.co_flags & _FUTURE_FLAGS
    module = compile_quietly(factory, original.co_filename, flags)
    code = _innermost(module, original.co_name, depth=2 if class_name else 1)
    return code.replace(co_flags=code.co_flags | (original.co_flags & _ITERABLE_COROUTINE))


def make_function(
    code: types.CodeType, original: types.FunctionType, hooks: object, converted: types.FunctionType | None = None
) -> types.FunctionType:
    """A function over `code` that has all else from `original`: globals, cells, defaults, annotations, ...

    `hooks` is what generated code sees as `ag__`, `converted` what that of an entry calls inside traces.
    """
    cells = dict(zip(original.__code__.co_freevars, original.__closure__ or (), strict=True))
    cells[HOOKS], cells[CONVERTED] = types.CellType(hooks), types.CellType(converted)
    closure = tuple(cells[name] for name in code.co_freevars)
    made = types.FunctionType(code, original.__globals__, original.__name__, original.__defaults__, closure)
    made.__kwdefaults__ = original.__kwdefaults__
    made.__qualname__ = original.__qualname__
    made.__module__ = original.__module__
    made.__doc__ = original.__doc__
    if sys.version_info >= (3, 14) and original.__annotate__ is not None:
        made.__annotate__ = original.__annotate__  # evaluated when they are asked for: names may not be there yet
    else:
        made.__annotations__ = original.__annotations__
    if sys.version_info >= (3, 12):
        made.__type_params__ = original.__type_params__
    made.__dict__.update(original.__dict__)
    return made


def _keep_only_the_body(definition: Any, first_line: int) -> None:
    """Drop what runs when a function is defined, not when it is called: the original has its results."""
    arguments = definition.args
    arguments.defaults = []
    arguments.kw_defaults = [None] * len(arguments.kwonlyargs)
    if isinstance(definition, ast.Lambda):
        return
    plain = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    for argument in (*plain, arguments.vararg, arguments.kwarg):
        if argument is not None:
            argument.annotation = None
    definition.returns = None
    definition.decorator_list = []
    if first_line < definition.lineno:
        # A code object begins at its first decorator's line: put a constant where that was.
        placeholder = ast.copy_location(ast.Constant(None), definition)
        placeholder.lineno = placeholder.end_lineno = first_line
        placeholder.end_col_offset = placeholder.col_offset
        definition.decorator_list = [placeholder]
    if hasattr(definition, "type_params"):
        definition.type_params = []


def _factory(
    definition: Any, original: types.CodeType, class_name: str | None, cells: tuple[str, ...]
) -> ast.Module:
    """`def factory(free variables): [class C:] def ...`, all of it at the definition's line."""
    inner: ast.stmt = definition if isinstance(definition, ast.stmt) else ast.Expr(definition)
    binds = class_name or getattr(definition, "name", None)
    if class_name:
        inner = ast.ClassDef(name=class_name, bases=[], keywords=[], body=[inner], decorator_list=[])
        if hasattr(definition, "type_params"):
            inner.type_params = []  # type: ignore[attr-defined]
    body = [inner]
    if binds and binds not in original.co_freevars:
        # What the factory would bind is a global for the function, not a free variable.
        body.insert(0, ast.Global([binds]))
    parameters = [ast.arg(name) for name in dict.fromkeys((*original.co_freevars, *cells))]
    factory = ast.FunctionDef(
        name="factory",
        args=ast.arguments(posonlyargs=[], args=parameters, kwonlyargs=[], kw_defaults=[], defaults=[]),
        body=body,
        decorator_list=[],
    )
    if hasattr(ast, "type_param"):
        factory.type_params = []  # type: ignore[attr-defined]
    module = ast.Module([factory], [])
    ast.copy_location(factory, definition)
    ast.copy_location(inner, definition)
    complete_positions(module, definition.lineno, definition.col_offset)
    return module


def _innermost(code: types.CodeType, name: str, depth: int) -> types.CodeType:
    """The function's code object inside the factory's (and the class's)."""
    for _ in range(depth):
        code = next(_inner_codes(code))
    found = next(_inner_codes(code))
    assert found.co_name == name, (found.co_name, name)
    return found


def _inner_codes(code: types.CodeType) -> Iterator[types.CodeType]:
    return (constant for constant in code.co_consts if isinstance(constant, types.CodeType))
