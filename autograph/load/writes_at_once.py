"""Writes that compiled code makes at once, and generated code by a hook: where nobody has to know of them.

    x[i] = v        ->  if ag__.id(x) in ag__.noted and ag__.kind(i) in ag__.INDICES: x[i] = v
                        else: ag__.set_item(x, i, v)
    o.name = v      ->  if ag__.id(o) in ag__.born: o.name = v
                        else: ag__.set_attr(o, 'name', v)
    o.xs.append(v)  ->  ag__base = o.xs
                        if ag__.id(ag__base) in ag__.noted: ag__base.append(v)
                        else: ag__.callee(ag__base.append)(v)

Tests and operands are as in `autograph.load.at_once`.
"""

from __future__ import annotations

import ast
from typing import Any

from autograph.load.fresh import CHANGING, Fresh, is_ours
from autograph.load.parts import (
    BASE,
    INDEX,
    VALUE,
    Visit,
    bind,
    call_of,
    copied,
    given_up,
    hook_of,
    is_atomic,
    is_in,
    is_of,
    load,
    loaded,
    located,
    may_call,
    quickly,
    subscript,
)

__all__ = ["writing_at_once"]

_OWNER = "ag__owner"  # kept while an index is evaluated, which may use the others


def writing_at_once(statement: ast.stmt, visit: Visit, fresh: Fresh) -> list[ast.stmt] | None:
    """What stands for a statement that calls a hook to write; None where it stays."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not isinstance(call, ast.Call):
        return None
    hook = hook_of(call)
    made = _Writing(call, visit, fresh)
    if hook == "set_item":
        return made.item(*call.args) if len(call.args) == 3 else made.item_of_item(*call.args)
    if hook == "aug_item":
        return made.changed_item(*call.args) if len(call.args) == 4 else made.changed_item_of_item(*call.args)
    if hook == "del_item":
        return made.deleted_item(*call.args)
    if hook == "set_attr":
        return made.attribute(*call.args)
    if hook == "aug_attr":
        return made.changed_attribute(*call.args)
    if hook == "assert_stmt":
        return _assertion(call, visit)
    method = _changing_method(call)
    return None if method is None else made.change(method)


def _changing_method(call: ast.Call) -> ast.Attribute | None:
    """The method of a computed container that a call of it with names and numbers changes."""
    found = call.func.args[0] if isinstance(call.func, ast.Call) and hook_of(call.func) == "callee" else None
    if not isinstance(found, ast.Attribute) or found.attr not in _CHANGING or not is_atomic(call):
        return None
    return None if isinstance(found.value, (ast.Name, ast.Constant)) else found


_CHANGING = CHANGING | {"add", "appendleft", "discard"}


def _assertion(call: ast.Call, visit: Visit) -> list[ast.stmt]:
    """`assert x`: the hook is called with what is not True."""
    test = ast.Compare(bind(VALUE, visit(call.args[0])), [ast.IsNot()], [ast.Constant(True)])
    failed = call_of("assert_stmt", given_up(VALUE), *map(visit, call.args[1:]))
    return [located(call, ast.If(test, [ast.Expr(failed)], []))]


_MAKING = frozenset(("dict_comp", "dict_of", "list_comp"))  # hooks that make containers


class _Writing:
    """The statements for one write: operands, a test, the write, the hook."""

    def __init__(self, call: ast.Call, visit: Visit, fresh: Fresh) -> None:
        self.call = call
        self.visit = visit
        self.fresh = fresh
        self.before: list[ast.stmt] = []
        self.kept: list[str] = []

    def item(self, x: ast.expr, index: ast.expr, value: ast.expr) -> list[ast.stmt]:
        """`x[index] = value`."""
        value = self._operand(VALUE, value)
        x, at, checks, index = self._place(x, index)
        write = ast.Assign([ast.Subscript(x, at, ast.Store())], value)
        checks = [is_ours(x, self.fresh), *checks, *_gone_over(at, value)]
        return self._made(checks, [write], call_of("set_item", x, index, value))

    def item_of_item(self, x: ast.expr, *following: ast.expr) -> list[ast.stmt] | None:
        """`x[first]...[last] = value`."""
        *indices, value = following
        if not all(map(_is_computed_simply, indices)):
            return None
        value = self._operand(VALUE, value)
        x, at, checks, indices = self._way(x, indices)
        write = ast.Assign([ast.Subscript(load(BASE), at, ast.Store())], value)
        return self._made([*checks, *_gone_over(at, value)], [write], call_of("set_item", x, *indices, value))

    def changed_item_of_item(self, x: ast.expr, *following: ast.expr) -> list[ast.stmt] | None:
        """`x[first]...[last] op= value`, where the item is a number or text."""
        *indices, sign, value = following
        if not all(map(_is_computed_simply, indices)):
            return None
        value = self._operand(VALUE, value)
        x, at, checks, indices = self._way(x, indices)
        write = ast.AugAssign(ast.Subscript(load(BASE), at, ast.Store()), _operator(sign), value)
        checks.append(is_of(ast.Subscript(load(BASE), at, ast.Load()), "INDICES"))
        return self._made(checks, [write], call_of("aug_item", x, *indices, sign, value))

    def _way(self, x: ast.expr, indices: list[ast.expr]) -> tuple[ast.expr, ast.expr, list[ast.expr], list[ast.expr]]:
        """The same as `_place` for a chain of subscripts; what is written to has a name once the checks are made."""
        x = self._operand(_OWNER, x)
        checks: list[ast.expr] = []
        taken: list[ast.expr] = []
        inner, at = x, x
        for i, index in enumerate(indices):
            if subscript(index) is None:
                index = self._operand(f"{INDEX}_{i}", index)
            found = subscript(index)
            assert found is not None
            taken.append(index)
            checks += [is_in(inner, "noted") if i == len(indices) - 1 else is_of(inner, "INDEXED"), *found[1]]
            at = found[0]
            inner = bind(BASE, loaded(x if i == 0 else load(BASE), at))
        self.kept.append(BASE)
        return x, at, checks, taken

    def changed_item(self, x: ast.expr, index: ast.expr, sign: ast.expr, value: ast.expr) -> list[ast.stmt]:
        """`x[index] op= value`, where the item is a number or text."""
        value = self._operand(VALUE, value)
        x, at, checks, index = self._place(x, index)
        old = ast.Subscript(x, at, ast.Load())
        write = ast.AugAssign(ast.Subscript(x, at, ast.Store()), _operator(sign), value)
        checks = [is_ours(x, self.fresh), *checks, is_of(old, "INDICES")]
        return self._made(checks, [write], call_of("aug_item", x, index, sign, value))

    def deleted_item(self, x: ast.expr, index: ast.expr) -> list[ast.stmt]:
        """`del x[index]`."""
        x, at, checks, index = self._place(x, index)
        write = ast.Delete([ast.Subscript(x, at, ast.Del())])
        return self._made([is_ours(x, self.fresh), *checks], [write], call_of("del_item", x, index))

    def attribute(self, owner: ast.expr, name: Any, value: ast.expr) -> list[ast.stmt]:
        """`owner.name = value`; what is changed of a container that is made for it is no change that anybody sees."""
        is_made = isinstance(value, (ast.List, ast.Dict)) or (isinstance(value, ast.Call) and hook_of(value) in _MAKING)
        value = self._operand(VALUE, value)
        owner = self._operand(BASE, owner)
        write = ast.Assign([ast.Attribute(owner, name.value, ast.Store())], value)
        writes: list[ast.stmt] = [write]
        if is_made:
            writes.append(ast.Expr(call_of("owned", value)))
        return self._made([is_in(owner, "born")], writes, call_of("set_attr", owner, name, value))

    def changed_attribute(self, owner: ast.expr, name: Any, sign: ast.expr, value: ast.expr) -> list[ast.stmt]:
        """`owner.name op= value`."""
        value = self._operand(VALUE, value)
        owner = self._operand(BASE, owner)
        self.kept.append(INDEX)
        old = ast.Assign([ast.Name(INDEX, ast.Store())], ast.Attribute(owner, name.value, ast.Load()))
        noted = call_of("in_place", load(INDEX), value)
        change = ast.AugAssign(
            ast.Name(INDEX, ast.Store()), _operator(sign), quickly([is_of(load(INDEX), "INDICES")], value, noted)
        )
        write = ast.Assign([ast.Attribute(owner, name.value, ast.Store())], load(INDEX))
        hook = call_of("aug_attr", owner, name, sign, value)
        return self._made([is_in(owner, "born")], [old, change, write], hook)

    def change(self, method: ast.Attribute) -> list[ast.stmt]:
        """`owner.xs.append(value)`."""
        owner = self._operand(BASE, method.value)
        method.value = owner
        write = ast.Expr(ast.Call(copied(method), copied(self.call.args), copied(self.call.keywords)))
        return self._made([is_in(owner, "noted")], [write], self.visit(copied(self.call)))

    def _operand(self, name: str, value: ast.expr) -> ast.expr:
        """A name or constant for an operand."""
        value = self.visit(value)
        if isinstance(value, (ast.Name, ast.Constant)):
            return value
        self.before.append(ast.Assign([ast.Name(name, ast.Store())], value))
        self.kept.append(name)
        return load(name)

    def _place(self, x: ast.expr, index: ast.expr) -> tuple[ast.expr, ast.expr, list[ast.expr], ast.expr]:
        """What is written to, the subscript, what is to be checked of it, and what the hook gets for it."""
        found = subscript(index)
        if found is not None:
            return self._operand(BASE, x), *found, index
        if may_call(index) and isinstance(x, ast.Name):  # what is called may give the name to something else
            self.before.append(ast.Assign([ast.Name(_OWNER, ast.Store())], x))
            self.kept.append(_OWNER)
            x = load(_OWNER)
        else:
            x = self._operand(_OWNER, x)
        at = self._operand(INDEX, index)
        return x, at, [is_of(at, "INDICES")], at

    def _made(self, checks: list[ast.expr], write: list[ast.stmt], hook: ast.expr) -> list[ast.stmt]:
        test = checks[0] if len(checks) == 1 else ast.BoolOp(ast.And(), checks)
        made = [*self.before, ast.If(test, write, [ast.Expr(hook)])]
        if self.kept:
            made.append(ast.Assign([ast.Name(name, ast.Store()) for name in self.kept], ast.Constant(None)))
        return [located(self.call, copied(statement)) for statement in made]


_OPERATORS = {
    "+=": ast.Add, "-=": ast.Sub, "*=": ast.Mult, "/=": ast.Div, "//=": ast.FloorDiv, "%=": ast.Mod, "**=": ast.Pow,
    "@=": ast.MatMult, "&=": ast.BitAnd, "|=": ast.BitOr, "^=": ast.BitXor, "<<=": ast.LShift, ">>=": ast.RShift,
}  # fmt: skip


def _operator(sign: Any) -> ast.operator:
    return _OPERATORS[sign.value]()  # type: ignore[no-any-return]


def _gone_over(at: ast.expr, value: ast.expr) -> list[ast.expr]:
    """What is to be checked of the value: what a slice is given is gone over."""
    return [is_of(value, "INDEXED")] if isinstance(at, ast.Slice) else []


def _is_computed_simply(index: ast.expr) -> bool:
    """Whether an index is of names and numbers, or computed of such without calls: at another time it would be the same."""
    return subscript(index) is not None or not may_call(index)
