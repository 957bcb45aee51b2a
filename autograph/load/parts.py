"""Parts of the code that is compiled in the place of hooks' calls."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, TypeAlias, TypeGuard

from autograph.source.parse import children, walk

__all__ = [
    "BASE",
    "HOOKS",
    "INDEX",
    "VALUE",
    "Visit",
    "bind",
    "call_of",
    "copied",
    "given_up",
    "hook_of",
    "is_atom",
    "is_atomic",
    "is_in",
    "is_member",
    "is_of",
    "is_slice",
    "load",
    "loaded",
    "located",
    "may_call",
    "mentions",
    "not_of",
    "quickly",
    "subscript",
]  # fmt: skip

HOOKS = "ag__"
BASE, INDEX, VALUE = "ag__base", "ag__index", "ag__value"  # for operands that are computed
Visit: TypeAlias = Callable[[Any], Any]
"""Shortens a part of the code."""


def load(name: str) -> ast.expr:
    """A name that is read."""
    return ast.Name(name, ast.Load())


def bind(name: str, value: ast.expr) -> ast.expr:
    """A value that gets a name where it is evaluated."""
    return ast.NamedExpr(ast.Name(name, ast.Store()), value)


def given_up(name: str = BASE) -> ast.expr:
    """What the name for an operand holds, which it then holds no more."""
    both = ast.Tuple([load(name), bind(name, ast.Constant(None))], ast.Load())
    return ast.Subscript(both, ast.Constant(0), ast.Load())


def hook_of(call: ast.Call) -> str:
    """The name of the hook that a call calls, or an empty string."""
    f = call.func
    return f.attr if isinstance(f, ast.Attribute) and isinstance(f.value, ast.Name) and f.value.id == HOOKS else ""


def call_of(hook: str, *args: ast.expr) -> ast.Call:
    """A call of a hook."""
    return ast.Call(ast.Attribute(ast.Name(HOOKS, ast.Load()), hook, ast.Load()), list(args), [])


def is_atom(x: ast.expr) -> bool:
    """Whether an operand is a name or a number, and asked for twice is the same."""
    if isinstance(x, ast.UnaryOp) and isinstance(x.op, ast.USub):
        x = x.operand
        return isinstance(x, ast.Constant)
    return isinstance(x, (ast.Name, ast.Constant)) and getattr(x, "value", None) is not ...


def is_atomic(call: ast.Call) -> bool:
    """Whether a function is given nothing but names and numbers."""
    return all(map(is_atom, call.args)) and all(k.arg is not None and is_atom(k.value) for k in call.keywords)


def is_of(x: ast.expr, types: str) -> ast.expr:
    """Whether the type of an operand is in a table."""
    return ast.Compare(call_of("kind", x), [ast.In()], [ast.Attribute(load(HOOKS), types, ast.Load())])


def not_of(x: ast.expr, types: str) -> ast.expr:
    """Whether the type of an operand is not in a table."""
    return ast.Compare(call_of("kind", x), [ast.NotIn()], [ast.Attribute(load(HOOKS), types, ast.Load())])


def is_member(kind: str, table: str) -> ast.expr:
    """Whether a type is in a table."""
    kinds = ast.Attribute(load(HOOKS), table, ast.Load())
    return ast.Compare(ast.Attribute(load(HOOKS), kind, ast.Load()), [ast.In()], [kinds])


def is_in(x: ast.expr, table: str) -> ast.expr:
    """Whether the id of an operand is in a table."""
    return ast.Compare(call_of("id", x), [ast.In()], [ast.Attribute(load(HOOKS), table, ast.Load())])


def quickly(checks: list[ast.expr], short: ast.expr, long: ast.expr) -> ast.expr:
    """`short` where all is as it mostly is."""
    if not checks:
        return copied(short)  # type: ignore[no-any-return]
    test = checks[0] if len(checks) == 1 else ast.BoolOp(ast.And(), checks)
    return ast.IfExp(copied(test), copied(short), copied(long))


def is_slice(index: ast.expr) -> TypeGuard[ast.Call]:
    """Whether an index is a slice: the conversion calls it by that name only where it is the built-in one."""
    if not isinstance(index, ast.Call) or index.keywords:
        return False
    return hook_of(index) == "slice" or (isinstance(index.func, ast.Name) and index.func.id == "slice")


def loaded(x: ast.expr, at: ast.expr) -> ast.expr:
    """An item that is read."""
    return ast.Subscript(x, at, ast.Load())


def subscript(index: ast.expr) -> tuple[ast.expr, list[ast.expr]] | None:
    """A subscript of names and numbers, and what is to be checked of them."""
    parts, at = [index], index
    if isinstance(index, ast.Tuple):
        parts = index.elts
    elif isinstance(index, ast.Call):
        if not is_slice(index):
            return None
        parts = list(index.args)
        bounds = [None if isinstance(p, ast.Constant) and p.value is None else p for p in parts]
        at = ast.Slice(*(bounds if len(bounds) > 1 else [None, *bounds]))  # type: ignore[assignment]
    if not all(map(is_atom, parts)):
        return None
    return at, [is_of(p, "INDICES") for p in parts if isinstance(p, ast.Name)]


def may_call(x: ast.expr) -> bool:
    """Whether evaluating it may run code of the user's, or gives a name to something."""
    return any(isinstance(node, (ast.Call, ast.Attribute, ast.NamedExpr)) for node in walk(x))


def mentions(x: ast.expr, name: str) -> bool:
    """Whether a name is in it."""
    return any(isinstance(node, ast.Name) and node.id == name for node in walk(x))


def located(origin: ast.AST, made: Any) -> Any:
    """New nodes get the place of the call that they stand for; those that were moved have their own."""
    pending = [made]
    while pending:
        node = pending.pop()
        if "lineno" in node._attributes and not hasattr(node, "lineno"):
            ast.copy_location(node, origin)
        elif node is not made and hasattr(node, "lineno"):
            continue
        pending += children(node)
    return made


def copied(node: Any) -> Any:
    """A tree, or a list of them, that shares nothing with the first but contexts; `copy.deepcopy` takes much longer."""
    if type(node) is list:
        return [copied(part) for part in node]
    if not isinstance(node, ast.AST) or isinstance(node, ast.expr_context):
        return node
    kind = type(node)
    made = kind.__new__(kind)
    parts = made.__dict__
    for name, value in node.__dict__.items():
        parts[name] = copied(value) if type(value) is list or isinstance(value, ast.AST) else value
    return made
