"""Short ways through generated code where a condition is Python's: what is compiled has them, what is shown does not.

A hook call costs what many Python statements cost: functions for both sides of a branch, cells, calls. So a branch is
compiled as

    if (ag__test := c) is True or ag__test is not False and (ag__test := ag__.truth_of(ag__test)) is True:
        <the statements of if_body>
    elif ag__test is False:
        <the statements of else_body>
    else:
        def if_body(): ...
        def else_body(): ...
        ag__.if_stmt(ag__test, if_body, else_body, ('y',))

and `ag__.and_(a, lambda: b)` as `b if (ag__test := a) is True else ag__test if ag__test is False else ag__.and_(...)`;
`or_`, `not_` and `if_exp` likewise. The hooks get what is not a Python bool. Inside them code is as shown, so that the
size grows with the depth of nesting only.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

__all__ = ["shorten"]

HOOKS = "ag__"
_TEST = "ag__test"  # one name serves all: it is read before anything else can be evaluated
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_OTHER_SCOPES = (ast.ClassDef, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


def shorten(definition: ast.AST) -> None:
    """Put the short ways into a generated function or lambda, in place."""
    _Shorten().enter(definition)


class _Shorten(ast.NodeTransformer):
    def enter(self, function: Any) -> None:
        """The body of a function; defaults and decorators belong to the scope outside."""
        if isinstance(function, ast.Lambda):
            function.body = self.visit(function.body)
        else:
            function.body = self._block(function.body, function)

    def visit(self, node: Any) -> Any:
        """Everything in the scope of the function; inner functions are functions again."""
        if isinstance(node, _FUNCTIONS):
            self.enter(node)
            return node
        if isinstance(node, _OTHER_SCOPES):
            for inner in _functions_in(node):
                self.enter(inner)
            return node
        if isinstance(node, ast.Call):
            short = self._expression(node)
            if short is not None:
                return short
        return self.generic_visit(node)

    # Expressions

    def _expression(self, call: ast.Call) -> ast.expr | None:
        hook = _hook(call)
        if hook == "not_":
            first = self.visit(call.args[0])
            return _located(call, _choice(_bind(first), ast.Constant(False), ast.Constant(True), _recall(call)))
        if hook == "if_exp":
            kept = _recall(copy.deepcopy(call))
            first, body, other = self.visit(call.args[0]), *(self.visit(_body(a)) for a in call.args[1:])
            return _located(call, _choice(_bind(first), body, other, kept))
        if hook in ("and_", "or_") and len(call.args) > 1:
            kept = _recall(copy.deepcopy(call))
            rest = call.args[1:]
            following: ast.expr = _body(rest[0])
            if len(rest) > 1:
                following = ast.copy_location(ast.Call(call.func, [following, *rest[1:]], []), call)
            first, following = self.visit(call.args[0]), self.visit(following)
            sides = (following, _test()) if hook == "and_" else (_test(), following)
            return _located(call, _choice(_bind(first), *sides, kept))
        return None

    # Statements

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Blocks of statements are visited as blocks."""
        for field, value in ast.iter_fields(node):
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                setattr(node, field, self._block(value, self._function))
            elif isinstance(value, list):
                value[:] = [self.visit(item) if isinstance(item, ast.AST) else item for item in value]
            elif isinstance(value, ast.AST):
                setattr(node, field, self.visit(value))
        return node

    _function: Any = None

    def _block(self, statements: list[ast.stmt], function: Any) -> list[ast.stmt]:
        outer, self._function = self._function, function
        made: list[ast.stmt] = []
        for statement in statements:
            call = statement.value if isinstance(statement, ast.Expr) else None
            if isinstance(call, ast.Call) and _hook(call) == "if_stmt":
                self._branch(statement, call, made)
            else:
                made.append(statement)
        result: list[ast.stmt] = []
        for statement in made:
            result.append(statement if getattr(statement, "is_short", False) else self.visit(statement))
        self._function = outer
        return result

    def _branch(self, statement: ast.stmt, call: ast.Call, before: list[ast.stmt]) -> None:
        """Replace the definitions at the end of `before` and the call."""
        names = [a.id for a in call.args[1:3] if isinstance(a, ast.Name)]
        sides = before[len(before) - len(names) :]
        bodies = {side.name: side for side in sides if isinstance(side, ast.FunctionDef)}
        if list(bodies) != names or not all(_fits(side, self._function) for side in bodies.values()):
            before.append(statement)
            return
        del before[len(before) - len(names) :]
        blocks: list[list[ast.stmt]] = [[], []]
        for i, a in enumerate(call.args[1:3]):
            if isinstance(a, ast.Name):
                self._function.moved = _bound(self._function) | _bound(bodies[a.id])
                blocks[i] = self._block(_inlined(copy.deepcopy(bodies[a.id]), self._function), self._function)
        kept = ast.copy_location(ast.Expr(_recall(copy.deepcopy(call))), statement)
        known = _is(_bind(self.visit(call.args[0])), True)
        asked = ast.NamedExpr(ast.Name(_TEST, ast.Store()), _call("truth_of", _test()))
        test = ast.BoolOp(ast.Or(), [known, ast.BoolOp(ast.And(), [_is_not_false(), _is(asked, True)])])
        otherwise = ast.If(_is(_test(), False), blocks[1] or [ast.Pass()], [*sides, kept])
        made = _located(call, ast.If(test, blocks[0] or [ast.Pass()], [otherwise]))
        made.is_short = True  # type: ignore[attr-defined]
        before.append(made)


def _hook(call: ast.Call) -> str:
    """The name of the hook that a call calls, or an empty string."""
    f = call.func
    return f.attr if isinstance(f, ast.Attribute) and isinstance(f.value, ast.Name) and f.value.id == HOOKS else ""


def _body(operand: ast.expr) -> ast.expr:
    assert isinstance(operand, ast.Lambda)
    return operand.body


def _test() -> ast.expr:
    return ast.Name(_TEST, ast.Load())


def _bind(value: ast.expr) -> ast.expr:
    return ast.NamedExpr(ast.Name(_TEST, ast.Store()), value)


def _call(hook: str, *args: ast.expr) -> ast.Call:
    return ast.Call(ast.Attribute(ast.Name(HOOKS, ast.Load()), hook, ast.Load()), list(args), [])


def _recall(call: ast.Call) -> ast.Call:
    """The same call of the hook, with the operand that was evaluated."""
    return ast.copy_location(ast.Call(call.func, [_test(), *call.args[1:]], []), call)


def _is(value: ast.expr, constant: bool) -> ast.expr:
    return ast.Compare(value, [ast.Is()], [ast.Constant(constant)])


def _is_not_false() -> ast.expr:
    return ast.Compare(_test(), [ast.IsNot()], [ast.Constant(False)])


def _choice(test: ast.expr, yes: ast.expr, no: ast.expr, other: ast.expr) -> ast.expr:
    return ast.IfExp(_is(test, True), yes, ast.IfExp(_is(_test(), False), no, other))


def _located(origin: ast.AST, made: Any) -> Any:
    """New nodes get the place of the call that they stand for; those that were moved have their own."""
    pending = [made]
    while pending:
        node = pending.pop()
        if "lineno" in node._attributes and not hasattr(node, "lineno"):
            ast.copy_location(node, origin)
        elif node is not made and hasattr(node, "lineno"):
            continue
        pending += ast.iter_child_nodes(node)
    return made


# What may be moved into the function around it


def _declared(function: _Function, kind: type[ast.Global] | type[ast.Nonlocal]) -> set[str]:
    return {name for s in function.body if isinstance(s, kind) for name in s.names}


def _fits(side: _Function, function: Any) -> bool:
    """Whether the names in a body mean the same in the function around it."""
    if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return False
    outside, nonlocals = _declared(function, ast.Global), _declared(function, ast.Nonlocal)
    if not _declared(side, ast.Global) <= outside:
        return False
    shared = _declared(side, ast.Nonlocal)
    bound = _bound(function)
    if not shared <= bound | nonlocals:
        return False
    own = _bound(side) - shared
    return not own & outside and (own <= bound | nonlocals or not _reads(function, own - bound - nonlocals, side))


def _bound(function: _Function) -> set[str]:
    """The names that a function binds itself."""
    arguments = function.args
    names: set[str] = set(getattr(function, "moved", ()))  # by bodies that became part of it
    names |= {a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    names |= {a.arg for a in (arguments.vararg, arguments.kwarg) if a is not None}
    for node in _scope(function.body):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.alias):
            names.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
            names.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            names.add(node.rest)
    return names


def _scope(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """The nodes of a function's own scope."""
    for node in nodes:
        yield node
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            continue
        yield from _scope(ast.iter_child_nodes(node))


def _reads(function: _Function, names: set[str], but: _Function) -> bool:
    """Whether a function, or one in it, mentions one of `names` elsewhere than in one of its bodies."""
    pending: list[ast.AST] = [function]
    while pending:
        node = pending.pop()
        if node is but:
            continue
        if isinstance(node, ast.Name) and node.id in names:
            return True
        pending += ast.iter_child_nodes(node)
    return False


def _inlined(side: _Function, function: _Function) -> list[ast.stmt]:
    """The statements of a body, without the declarations that made it share names with the function around it."""
    elsewhere = _declared(function, ast.Nonlocal) | _declared(function, ast.Global)
    made = []
    for statement in side.body:
        if isinstance(statement, (ast.Global, ast.Nonlocal)):
            continue
        target = statement.target if isinstance(statement, ast.AnnAssign) else None
        if isinstance(target, ast.Name) and target.id in elsewhere:
            continue
        made.append(statement)
    return made


def _functions_in(node: ast.AST) -> Iterator[ast.AST]:
    """The outermost functions below a class or comprehension."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _FUNCTIONS):
            yield child
        else:
            yield from _functions_in(child)
