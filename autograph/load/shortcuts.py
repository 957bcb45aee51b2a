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
size grows with the depth of nesting only. Loops go round in place while nothing is staged:

    ag__items = ag__.row(xs)
    for x in ag__items:
        <the statements of loop_body>
    if type(ag__items) in ag__.RESTS:
        def loop_body(x): ...
        ag__.for_rest(ag__items, loop_body, ('y',))
    ag__items = None

    while (ag__test := c) is True or ...:
        <the statements of loop_body>
    if ag__test is not False:
        def loop_test(): ...
        def loop_body(): ...
        ag__.while_rest(ag__test, loop_test, loop_body, ('y',))

A test that may write is asked by a hook, `ag__.ask(loop_test)`, so that it can be undone. The functions of these are
shortened, too, but for their own loops.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from autograph.source.parse import children

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
            short = self._expression(node) or self._quick(node)
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
            kept = _recall(_copied(call))
            first, body, other = self.visit(call.args[0]), *(self.visit(_body(a)) for a in call.args[1:])
            return _located(call, _choice(_bind(first), body, other, kept))
        if hook in ("and_", "or_") and len(call.args) > 1:
            kept = _recall(_copied(call))
            rest = call.args[1:]
            following: ast.expr = _body(rest[0])
            if len(rest) > 1:
                following = ast.copy_location(ast.Call(call.func, [following, *rest[1:]], []), call)
            first, following = self.visit(call.args[0]), self.visit(following)
            sides = (following, _test()) if hook == "and_" else (_test(), following)
            return _located(call, _choice(_bind(first), *sides, kept))
        return None

    def _quick(self, call: ast.Call) -> ast.expr | None:
        """What Python does at once with values of types that nothing stands in for; operands are names and constants."""
        hook = _hook(call)
        if hook == "get_item":
            return _item(call)
        if hook in ("is_", "is_not") and all(map(_is_atom, call.args)):
            names = [a for a in call.args if isinstance(a, ast.Name)]
            same = ast.Compare(call.args[0], [ast.Is() if hook == "is_" else ast.IsNot()], [call.args[1]])
            return _located(call, _quickly([_not_of(a, "ALTERNATIVES") for a in names], same, call))
        if hook in ("in_", "not_in") and _is_atom(call.args[0]):
            x, container = call.args
            test = ast.Compare(x, [ast.In() if hook == "in_" else ast.NotIn()], [container])
            checks = [] if isinstance(x, ast.Constant) else [_of(x, "INDICES")]
            if isinstance(container, ast.Name):
                return _located(call, _quickly([*checks, _of(container, "HOLDERS")], test, call))
            items = container.elts if isinstance(container, (ast.Tuple, ast.List, ast.Set)) else [container]
            if all(isinstance(item, ast.Constant) for item in items):
                return _located(call, _quickly(checks, test, call))
            return None
        function = call.func.args[0] if isinstance(call.func, ast.Call) and _hook(call.func) == "callee" else None
        if function is None:
            return None
        first = call.args[0] if call.args else None
        if isinstance(function, ast.Name) and function.id in _CALLED and isinstance(first, ast.Name):
            if len(call.args) != 1 + (function.id == "isinstance"):
                return None
            own = ast.Compare(function, [ast.Is()], [ast.Attribute(_load(HOOKS), function.id, ast.Load())])
            which, is_of = _CALLED[function.id], _not_of if function.id == "isinstance" else _of
            call.args = [self.visit(a) for a in call.args]
            call.func = _quickly([is_of(first, which), own], function, call.func)
            return _located(call, call)
        if isinstance(function, ast.Attribute) and isinstance(function.value, (ast.Name, ast.Constant)):
            call.args = [self.visit(a) for a in call.args]
            call.keywords = [self.visit(k) for k in call.keywords]
            call.func = _quickly([_of(function.value, "METHODS")], function, call.func)
            return _located(call, call)
        return None

    # Statements

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Blocks of statements are visited as blocks."""
        parts = node.__dict__
        for field in node._fields:
            value = parts.get(field)
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                setattr(node, field, self._block(value, self._function))
            elif isinstance(value, list):
                value[:] = [self.visit(item) if isinstance(item, ast.AST) else item for item in value]
            elif isinstance(value, ast.AST) and field != "ctx":
                setattr(node, field, self.visit(value))
        return node

    _function: Any = None
    _replaced: tuple[str, ...] = ("if_stmt", "for_stmt", "while_stmt")  # statements that have short ways

    def _block(self, statements: list[ast.stmt], function: Any) -> list[ast.stmt]:
        outer, self._function = self._function, function
        made: list[ast.stmt] = []
        for statement in statements:
            call = statement.value if isinstance(statement, ast.Expr) else None
            hook = _hook(call) if isinstance(call, ast.Call) else ""
            if not isinstance(call, ast.Call) or hook not in self._replaced:
                made.append(statement)
            elif hook == "if_stmt":
                self._branch(statement, call, made)
            elif hook == "for_stmt":
                self._for(statement, call, made)
            else:
                self._while(statement, call, made)
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
                blocks[i] = self._block(_inlined(_copied(bodies[a.id]), self._function), self._function)
        kept = ast.copy_location(ast.Expr(_recall(_copied(call))), statement)
        known = _is(_bind(self.visit(call.args[0])), True)
        asked = ast.NamedExpr(ast.Name(_TEST, ast.Store()), _call("truth_of", _test()))
        test = ast.BoolOp(ast.Or(), [known, ast.BoolOp(ast.And(), [_is_not_false(), _is(asked, True)])])
        otherwise = ast.If(_is(_test(), False), blocks[1] or [ast.Pass()], [*sides, kept])
        made = _located(call, ast.If(test, blocks[0] or [ast.Pass()], [otherwise]))
        made.is_short = True  # type: ignore[attr-defined]
        before.append(made)


    def _for(self, statement: ast.stmt, call: ast.Call, before: list[ast.stmt]) -> None:
        """Replace the definition at the end of `before` and the call."""
        body = before[-1] if before else None
        if not isinstance(body, ast.FunctionDef) or not _fits(body, self._function):
            before.append(statement)
            return
        before.pop()
        self._function.moved = _bound(self._function) | _bound(body)
        items = self._new_name("ag__items")
        kept = self._kept([body])
        target, statements = _target(body, _inlined(_copied(body), self._function))
        inside = self._block(statements, self._function)
        tests = [self._kept([a])[0] for a in call.args[3:]]
        if call.args[3:]:
            inside.append(self._go_on(call.args[3], items))
        rest = _call("for_rest", _load(items), *call.args[1:3], *tests)
        made: list[ast.stmt] = [
            _assign(items, _call("row", self.visit(call.args[0]), *(ast.Constant(True) for _ in tests))),
            ast.For(ast.Name(target, ast.Store()), _load(items), inside, []),
            ast.If(_has_rest(items), [*kept, ast.Expr(rest)], []),
            _assign(items, ast.Constant(None)),
        ]
        for new in made:
            _located(call, new)
            new.is_short = True  # type: ignore[attr-defined]
        before.extend(made)

    def _go_on(self, test: Any, items: str) -> ast.stmt:
        """What follows the statements of a loop with a test: go on, leave it, or leave the rest to the hook."""
        asked = ast.NamedExpr(ast.Name(_TEST, ast.Store()), _call("truth_of", _test()))
        leave = ast.If(_is(asked, False), [_assign(items, ast.Constant(None)), ast.Break()], [])
        hand_over = ast.If(
            ast.Compare(_test(), [ast.IsNot()], [ast.Constant(True)]),
            [_assign(items, _call("guarded", _load(items))), ast.Break()],
            [],
        )
        known = self.visit(_copied(_body(test)))
        return ast.If(ast.Compare(_bind(known), [ast.IsNot()], [ast.Constant(True)]), [leave, hand_over], [])

    def _while(self, statement: ast.stmt, call: ast.Call, before: list[ast.stmt]) -> None:
        """Replace the two definitions at the end of `before` and the call."""
        sides = [side for side in before[-2:] if isinstance(side, ast.FunctionDef)]
        names = [a.id for a in call.args[:2] if isinstance(a, ast.Name)]
        if [side.name for side in sides] != names or not all(_fits(side, self._function) for side in sides):
            before.append(statement)
            return
        test, body = sides
        returned = test.body[-1]
        only_declares = all(isinstance(s, (ast.Global, ast.Nonlocal)) for s in test.body[:-1])
        if not isinstance(returned, ast.Return) or returned.value is None or not only_declares:
            before.append(statement)
            return
        if isinstance(returned.value, ast.Constant):  # `while True` without a `break`: the hook counts its turns
            before.append(statement)
            return
        del before[-2:]
        self._function.moved = _bound(self._function) | _bound(test) | _bound(body)
        kept = self._kept(sides)
        inside = self._block(_inlined(_copied(body), self._function), self._function)
        first: list[ast.stmt] = []
        if _may_write(returned.value):  # what it does is undone where the hook goes on: it is asked by one
            first.append(kept.pop(0))
            goes_on = _is(_bind(_call("ask", call.args[0])), True)
        else:
            condition = _bind(self.visit(_copied(returned.value)))
            asked = ast.NamedExpr(ast.Name(_TEST, ast.Store()), _call("truth_of", _test()))
            truth = ast.BoolOp(ast.And(), [_is_not_false(), _is(asked, True)])
            goes_on = ast.BoolOp(ast.Or(), [_is(condition, True), truth])
        made: list[ast.stmt] = [
            *first,
            ast.While(goes_on, inside or [ast.Pass()], []),
            ast.If(_is_not_false(), [*kept, ast.Expr(_call("while_rest", _test(), *call.args))], []),
        ]
        for new in made:
            _located(call, new)
            new.is_short = True  # type: ignore[attr-defined]
        before.extend(made)

    def _kept(self, nodes: list[Any]) -> list[Any]:
        """The same for the hook: shortened, but for loops."""
        outer, self._replaced = self._replaced, ("if_stmt",)
        made = [self.visit(_copied(node)) for node in nodes]
        self._replaced = outer
        return made

    def _new_name(self, base: str) -> str:
        """A name that this function does not use yet."""
        number = self._function.numbers = getattr(self._function, "numbers", 0) + 1
        return f"{base}_{number}"


_HARMLESS = frozenset("len abs min max sum any all isinstance ord int float str bool round hasattr".split())


def _may_write(test: ast.expr) -> bool:
    """Whether evaluating a test may do more than find its value."""
    for node in ast.walk(test):
        if isinstance(node, ast.NamedExpr):
            return True
        if isinstance(node, ast.Attribute) and not (isinstance(node.value, ast.Name) and node.value.id == HOOKS):
            return True  # a property
        if isinstance(node, ast.Call) and _hook(node) == "callee":
            function = node.args[0]
            if not isinstance(function, ast.Name) or function.id not in _HARMLESS:
                return True
    return False


def _target(body: ast.FunctionDef, statements: list[ast.stmt]) -> tuple[str, list[ast.stmt]]:
    """The name that a loop gives its items, and its statements without what only gives them another."""
    name, first = body.args.args[0].arg, statements[0] if statements else None
    if (
        isinstance(first, ast.Assign)
        and isinstance(first.value, ast.Name)
        and first.value.id == name
        and len(first.targets) == 1
        and isinstance(first.targets[0], ast.Name)
        and not any(isinstance(n, ast.Name) and n.id == name for rest in statements[1:] for n in ast.walk(rest))
    ):
        return first.targets[0].id, statements[1:] or [ast.Pass()]
    return name, statements or [ast.Pass()]


def _load(name: str) -> ast.expr:
    return ast.Name(name, ast.Load())


def _assign(name: str, value: ast.expr) -> ast.stmt:
    return ast.Assign([ast.Name(name, ast.Store())], value)


def _has_rest(items: str) -> ast.expr:
    kind = _call("kind", _load(items))
    return ast.Compare(kind, [ast.In()], [ast.Attribute(_load(HOOKS), "RESTS", ast.Load())])


def _hook(call: ast.Call) -> str:
    """The name of the hook that a call calls, or an empty string."""
    f = call.func
    return f.attr if isinstance(f, ast.Attribute) and isinstance(f.value, ast.Name) and f.value.id == HOOKS else ""


_CALLED = {"len": "INDEXED", "isinstance": "ALTERNATIVES", "abs": "INDICES", "ord": "INDICES", "chr": "INDICES"}


def _item(call: ast.Call) -> ast.expr | None:
    """`x[i]`, where both are names or constants, or the parts of `i` are."""
    x, index = call.args
    if not isinstance(x, ast.Name):
        return None
    parts, at = [index], index
    if isinstance(index, ast.Call):
        if _hook(index) != "slice" or index.keywords:
            return None
        parts = list(index.args)
        bounds = [None if isinstance(p, ast.Constant) and p.value is None else p for p in parts]
        at = ast.Slice(*(bounds if len(bounds) > 1 else [None, *bounds]))  # type: ignore[assignment]
    if not all(map(_is_atom, parts)):
        return None
    names = [p for p in parts if isinstance(p, ast.Name)]
    checks = [_of(x, "INDEXED"), *(_of(p, "INDICES") for p in names)]
    return _located(call, _quickly(checks, ast.Subscript(x, at, ast.Load()), call))  # type: ignore[no-any-return]


def _is_atom(x: ast.expr) -> bool:
    """Whether an operand is a name or a number, and asked for twice is the same."""
    if isinstance(x, ast.UnaryOp) and isinstance(x.op, ast.USub):
        x = x.operand
        return isinstance(x, ast.Constant)
    return isinstance(x, (ast.Name, ast.Constant)) and getattr(x, "value", None) is not ...


def _of(x: ast.expr, types: str) -> ast.expr:
    return ast.Compare(_call("kind", x), [ast.In()], [ast.Attribute(_load(HOOKS), types, ast.Load())])


def _not_of(x: ast.expr, types: str) -> ast.expr:
    return ast.Compare(_call("kind", x), [ast.NotIn()], [ast.Attribute(_load(HOOKS), types, ast.Load())])


def _quickly(checks: list[ast.expr], short: ast.expr, long: ast.expr) -> ast.expr:
    """`short` where all is as it mostly is."""
    if not checks:
        return _copied(short)
    test = checks[0] if len(checks) == 1 else ast.BoolOp(ast.And(), checks)
    return ast.IfExp(_copied(test), _copied(short), _copied(long))


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
        pending += children(node)
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
    known: set[str] | None = getattr(function, "bound", None)
    if known is None:
        known = function.bound = _bound_now(function)  # type: ignore[union-attr]
    return known | set(getattr(function, "moved", ()))  # by bodies that became part of it


def _bound_now(function: _Function) -> set[str]:
    """The names that a function binds as it stands."""
    arguments = function.args
    names = {a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
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
        yield from _scope(children(node))


def _reads(function: _Function, names: set[str], but: _Function) -> bool:
    """Whether a function, or one in it, means one of `names` elsewhere than in one of its bodies, and binds it not."""
    pending: list[tuple[ast.AST, set[str]]] = [(node, names) for node in children(function)]
    while pending:
        node, free = pending.pop()
        if node is but:
            continue
        if isinstance(node, ast.Name) and node.id in free:
            return True
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            free = free - (_bound(node) - _declared(node, ast.Nonlocal) - _declared(node, ast.Global))
        elif isinstance(node, ast.Lambda):
            free = free - {a.arg for a in ast.walk(node.args) if isinstance(a, ast.arg)}
        if free:
            pending += [(child, free) for child in children(node)]
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
    for child in children(node):
        if isinstance(child, _FUNCTIONS):
            yield child
        else:
            yield from _functions_in(child)


def _copied(node: Any) -> Any:
    """A tree, or a list of them, that shares nothing with the first but contexts; `copy.deepcopy` takes much longer."""
    if type(node) is list:
        return [_copied(part) for part in node]
    if not isinstance(node, ast.AST) or isinstance(node, ast.expr_context):
        return node
    kind = type(node)
    made = kind.__new__(kind)
    parts = made.__dict__
    for name, value in node.__dict__.items():
        parts[name] = _copied(value) if type(value) is list or isinstance(value, ast.AST) else value
    return made
