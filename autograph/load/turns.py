"""What need not be asked in a loop over a `range`: its items are Python's integers.

    for i in <a range>:
        xs[i] if ag__.kind(xs) in ag__.INDEXED and ag__.kind(i) in ag__.INDICES else ag__.get_item(xs, i)
    ->
        xs[i] if ag__.kind(xs) in ag__.INDEXED else ag__.get_item(xs, i)
"""

from __future__ import annotations

import ast
from typing import Any

from autograph.load.fresh import otherwise_bound
from autograph.load.parts import hook_of
from autograph.source.parse import walk

__all__ = ["bound_from_within", "goes_over_range", "without_questions"]

_TABLES = frozenset(("INDICES", "NUMBERS"))  # which have the integers' type


def goes_over_range(items: ast.expr) -> bool:
    """Whether what a loop goes over is what `range` gives, if the name means the built-in one."""
    called = items.func if isinstance(items, ast.Call) else None
    function = called.args[0] if isinstance(called, ast.Call) and hook_of(called) == "callee" else None
    return isinstance(function, ast.Name) and function.id == "range"


def bound_from_within(function: ast.FunctionDef | ast.AsyncFunctionDef) -> frozenset[str]:
    """The names of a function that may be bound while it waits: by functions inside, or as they are not its own."""
    declared = (node for node in walk(function) if isinstance(node, (ast.Global, ast.Nonlocal)))
    return frozenset(name for node in declared for name in node.names)


def without_questions(target: str, statements: list[ast.stmt]) -> list[ast.stmt]:
    """The statements of a loop without asking whether its target is a number, where nothing else gives it a value."""
    if any(target in otherwise_bound(node) for statement in statements for node in walk(statement)):
        return statements
    known = _Known(target)
    return [known.visit(statement) for statement in statements]


_LATER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef, ast.GeneratorExp)  # the loop may have ended


class _Known(ast.NodeTransformer):
    def __init__(self, target: str) -> None:
        self._target = target

    def visit(self, node: Any) -> Any:
        """Everything that runs in the loop's turns."""
        if isinstance(node, _LATER):
            return node
        if isinstance(node, (ast.IfExp, ast.If)):
            node.test = self._without(node.test)
            if isinstance(node, ast.IfExp) and _is_true(node.test):
                return self.visit(node.body)
        return self.generic_visit(node)

    def _without(self, test: ast.expr) -> ast.expr:
        """A test without what is answered."""
        if not isinstance(test, ast.BoolOp) or not isinstance(test.op, ast.And):
            return ast.copy_location(ast.Constant(True), test) if self._is_answered(test) else test
        test.values = [value for value in test.values if not self._is_answered(value)]
        if len(test.values) > 1:
            return test
        return test.values[0] if test.values else ast.copy_location(ast.Constant(True), test)

    def _is_answered(self, test: ast.expr) -> bool:
        """`ag__.kind(i) in ag__.INDICES`."""
        if not isinstance(test, ast.Compare) or not isinstance(test.ops[0], ast.In):
            return False
        asked, table = test.left, test.comparators[0]
        if not isinstance(asked, ast.Call) or hook_of(asked) != "kind":
            return False
        named = asked.args[0]
        is_known = isinstance(named, ast.Name) and named.id == self._target
        return is_known and isinstance(table, ast.Attribute) and table.attr in _TABLES


def _is_true(test: ast.expr) -> bool:
    return isinstance(test, ast.Constant) and test.value is True
