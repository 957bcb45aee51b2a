"""Short ways through generated code where a condition is Python's: what is compiled has them, what is shown does not.

A hook call costs what many Python statements cost: functions for both sides of a branch, cells, calls. So a branch is
compiled as

    if (ag__test := c) is True or ag__test is not False and (ag__test := <its truth>) is True:
        <the statements of if_body>
    elif ag__test is False:
        <the statements of else_body>
    else:
        def if_body(): ...
        def else_body(): ...
        ag__.if_stmt(ag__test, if_body, else_body, ('y',))

and `ag__.and_(a, lambda: b)` as `b if (ag__test := a) is True else ag__test if ag__test is False else ag__.and_(...)`;
`or_`, `not_` and `if_exp` likewise. The truth of what is plain is Python's; the hooks get all else. Inside them code is
as shown, so that the size grows with the depth of nesting only. Loops go round in place while nothing is staged:

    ag__items = xs
    ag__items = ag__items if ag__.kind(ag__items) in ag__.ROWS else ag__.row(ag__items)
    for x in ag__items:
        <the statements of loop_body>
    if ag__.kind(ag__items) in ag__.RESTS and ag__items:
        def loop_body(x): ...
        ag__.for_rest(ag__items, loop_body, ('y',))
    ag__items = None

    ag__left, ag__mark = 4, None
    while (ag__test := c) is True or ...:
        <the statements of loop_body>
        ag__left -= 1
        if not ag__left:
            ag__left, ag__mark = ag__.look(ag__mark)
            if not ag__left:  # its turns stage: the hook goes on, which may make the rest one loop
                ag__test = True
                break
    if ag__test is not False:
        def loop_test(): ...
        def loop_body(): ...
        ag__.while_rest(ag__test, loop_test, loop_body, ('y',), (ag__left, ag__mark) != (4, None))

A test that may write is asked by a hook, `ag__.ask(ag__asked)`, so that it can be undone, unless the trace is
`ag__.calm`; one that reads attributes, where its objects are of classes that may run code for that. `ag__asked` is its
`loop_test`. The functions of these are shortened, too, but for their own loops.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, TypeAlias

from autograph.load.at_once import expression_at_once
from autograph.load.comprehensions_at_once import comprehension_at_once
from autograph.load.fresh import VIEWS, Fresh, fresh_names, scope_of
from autograph.load.parts import HOOKS, call_of, copied, hook_of, is_of, load, located, quickly
from autograph.load.turns import bound_from_within, goes_over_range, without_questions
from autograph.load.writes_at_once import writing_at_once
from autograph.source.parse import children, walk

__all__ = ["shorten"]

_TEST = "ag__test"  # one name serves all: it is read before anything else can be evaluated
_DEEPEST = 12  # branches inside each other that have short ways: each keeps all that is inside it for the hook
_TURNS = 4  # of a `while` before it is asked for the first time whether they stage
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_OTHER_SCOPES = (ast.ClassDef, *_COMPREHENSIONS)
_Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


def shorten(definition: ast.AST) -> None:
    """Put the short ways into a generated function or lambda, in place."""
    _Shorten().enter(definition)


class _Shorten(ast.NodeTransformer):
    def enter(self, function: Any) -> None:
        """The body of a function; defaults and decorators belong to the scope outside."""
        outer = self._fresh
        if isinstance(function, ast.Lambda):
            self._fresh = Fresh()
            function.body = self.visit(function.body)
        else:
            self._fresh = fresh_names(function)
            function.body = self._block(function.body, function)
        self._fresh = outer

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
            short = (
                self._expression(node)
                or (comprehension_at_once(node, self.visit, self._left) if self._goes_through else None)
                or expression_at_once(node, self.visit, self._fresh)
            )
            if short is not None:
                return short
        return self.generic_visit(node)

    # Expressions

    def _left(self, function: Any) -> Any:
        """A function that is left to a hook: shortened, but for comprehensions."""
        outer, self._goes_through = self._goes_through, False
        made = self.visit(copied(function))
        self._goes_through = outer
        return made

    def _expression(self, call: ast.Call) -> ast.expr | None:
        hook = hook_of(call)
        if hook == "not_":
            first = self.visit(call.args[0])
            return located(call, quickly([is_of(_bind(first), "TRUTHS")], ast.UnaryOp(ast.Not(), _test()), _recall(call)))
        if hook == "if_exp":
            kept = _recall(copied(call))
            first, body, other = self.visit(call.args[0]), *(self.visit(_body(a)) for a in call.args[1:])
            return located(call, _choice(_bind(first), body, other, kept))
        if hook in ("and_", "or_") and len(call.args) > 1:
            kept = _recall(copied(call))
            rest = call.args[1:]
            following: ast.expr = _body(rest[0])
            if len(rest) > 1:
                following = ast.copy_location(ast.Call(call.func, [following, *rest[1:]], []), call)
            first, following = self.visit(call.args[0]), self.visit(following)
            sides = (following, _test()) if hook == "and_" else (_test(), following)
            return located(call, _choice(_bind(first), *sides, kept))
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
    _fresh = Fresh()
    _depth = 0  # of branches in place inside each other
    _goes_through = True  # comprehensions, as Python does
    _replaced: tuple[str, ...] = ("if_stmt", "for_stmt", "while_stmt")  # statements that have short ways

    def _block(self, statements: list[ast.stmt], function: Any) -> list[ast.stmt]:
        outer, self._function = self._function, function
        made: list[ast.stmt] = []
        for statement in statements:
            call = statement.value if isinstance(statement, ast.Expr) else None
            hook = hook_of(call) if isinstance(call, ast.Call) else ""
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
            if getattr(statement, "is_short", False):
                result.append(statement)
            else:
                result += writing_at_once(statement, self.visit, self._fresh) or [self.visit(statement)]
        self._function = outer
        return result

    def _branch(self, statement: ast.stmt, call: ast.Call, before: list[ast.stmt]) -> None:
        """Replace the definitions at the end of `before` and the call."""
        names = [a.id for a in call.args[1:3] if isinstance(a, ast.Name)]
        sides = before[len(before) - len(names) :]
        bodies = {side.name: side for side in sides if isinstance(side, ast.FunctionDef)}
        fitting = list(bodies) == names and self._depth < _DEEPEST
        if not fitting or not all(_fits(side, self._function) for side in bodies.values()):
            before.append(statement)
            return
        del before[len(before) - len(names) :]
        self._depth += 1
        blocks: list[list[ast.stmt]] = [[], []]
        for i, a in enumerate(call.args[1:3]):
            if isinstance(a, ast.Name):
                self._function.moved = _bound(self._function) | _bound(bodies[a.id])
                blocks[i] = self._block(_inlined(copied(bodies[a.id]), self._function), self._function)
        self._depth -= 1
        kept = ast.copy_location(ast.Expr(_recall(copied(call))), statement)
        known = _is(_bind(self.visit(call.args[0])), True)
        test = ast.BoolOp(ast.Or(), [known, ast.BoolOp(ast.And(), [_is_not_false(), _is(_asked(), True)])])
        otherwise = ast.If(_is(_test(), False), blocks[1] or [ast.Pass()], [*sides, kept])
        made = located(call, ast.If(test, blocks[0] or [ast.Pass()], [otherwise]))
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
        target, statements = _target(body, _inlined(copied(body), self._function))
        inside = self._block(statements, self._function)
        is_counted = goes_over_range(call.args[0])
        tests = [self._kept([a])[0] for a in call.args[3:]]
        if call.args[3:]:
            inside.append(self._go_on(call.args[3], items))
        if is_counted and target not in self._elsewhere_bound():
            inside = without_questions(target, inside)
        rest = call_of("for_rest", load(items), *call.args[1:3], *tests)
        tested = [ast.Constant(True) for _ in tests]
        is_asked, source = _makes_iterator(call.args[0]), self.visit(call.args[0])
        taken = [_assign(items, call_of("turns" if is_counted else "row", source, *tested) if is_asked else source)]
        if not is_asked:
            plain = call_of("iter", load(items)) if tests else load(items)
            taken.append(_assign(items, quickly([is_of(load(items), "ROWS")], plain, call_of("row", load(items), *tested))))
        made: list[ast.stmt] = [
            *taken,
            ast.For(ast.Name(target, ast.Store()), load(items), inside, []),
            ast.If(_has_rest(items), [*kept, ast.Expr(rest)], []),
            _assign(items, ast.Constant(None)),
        ]
        for new in made:
            located(call, new)
            new.is_short = True  # type: ignore[attr-defined]
        before.extend(made)

    def _elsewhere_bound(self) -> frozenset[str]:
        """Names of the function that may get another value while something else runs."""
        known: frozenset[str] | None = getattr(self._function, "elsewhere_bound", None)
        if known is None:
            known = self._function.elsewhere_bound = bound_from_within(self._function)
        return known

    def _go_on(self, test: Any, items: str) -> ast.stmt:
        """What follows the statements of a loop with a test: go on, leave it, or leave the rest to the hook."""
        leave = ast.If(_is(_asked(), False), [_assign(items, ast.Constant(None)), ast.Break()], [])
        hand_over = ast.If(
            ast.Compare(_test(), [ast.IsNot()], [ast.Constant(True)]),
            [_assign(items, call_of("guarded", load(items))), ast.Break()],
            [],
        )
        known = self.visit(copied(_body(test)))
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
        inside = self._block(_inlined(copied(body), self._function), self._function)
        first: list[ast.stmt] = []
        owners = _owners_read(returned.value)
        condition = _bind(self.visit(copied(returned.value)))
        truth = ast.BoolOp(ast.And(), [_is_not_false(), _is(_asked(), True)])
        goes_on: ast.expr = ast.BoolOp(ast.Or(), [_is(condition, True), truth])
        hooked = call.args
        if owners is None or owners:  # what it does is undone where the hook goes on: it is asked by one
            own = self._new_name("ag__asked")  # a loop inside gives its name to another test
            first += [kept.pop(0), _assign(own, call.args[0])]
            hooked = [load(own), *call.args[1:]]
            read = [load(name) for name in owners or ()]
            asked = _is(_bind(call_of("ask", load(own), *read)), True)
            otherwise = quickly([is_of(x, "SIMPLE") for x in read], copied(goes_on), asked) if read else asked
            goes_on = quickly([ast.Attribute(load(HOOKS), "calm", ast.Load())], goes_on, otherwise)
        left, mark = self._new_name("ag__left"), self._new_name("ag__mark")
        both = ast.Tuple([ast.Name(left, ast.Store()), ast.Name(mark, ast.Store())], ast.Store())
        ends = ast.UnaryOp(ast.Not(), load(left))
        look = ast.Assign([both], call_of("look", load(mark)))
        hand_over = ast.If(ends, [_assign(_TEST, ast.Constant(True)), ast.Break()], [])
        inside.append(ast.AugAssign(ast.Name(left, ast.Store()), ast.Sub(), ast.Constant(1)))
        inside.append(ast.If(copied(ends), [look, hand_over], []))
        begin = ast.Tuple([ast.Constant(_TURNS), ast.Constant(None)], ast.Load())
        now = ast.Tuple([load(left), load(mark)], ast.Load())
        begun = ast.Compare(now, [ast.NotEq()], [copied(begin)])
        made: list[ast.stmt] = [
            *first,
            ast.Assign([copied(both)], begin),
            ast.While(goes_on, inside, []),
            ast.If(_is_not_false(), [*kept, ast.Expr(call_of("while_rest", _test(), *hooked, begun))], []),
        ]
        for new in made:
            located(call, new)
            new.is_short = True  # type: ignore[attr-defined]
        before.extend(made)

    def _kept(self, nodes: list[Any]) -> list[Any]:
        """The same for the hook: shortened, but for loops."""
        outer, self._replaced = self._replaced, ("if_stmt",)
        made = [self._left(node) for node in nodes]
        self._replaced = outer
        return made

    def _new_name(self, base: str) -> str:
        """A name that this function does not use yet."""
        number = self._function.numbers = getattr(self._function, "numbers", 0) + 1
        return f"{base}_{number}"


_HARMLESS = frozenset("len abs min max sum any all isinstance ord int float str bool round hasattr".split())


def _owners_read(test: ast.expr) -> list[str] | None:
    """The names of the objects whose attributes a test reads, which a property may write to; None where it may write
    anyhow, or to objects that only the test names: `any(p.moves for p in ps)`."""
    found: dict[str, None] = {}
    own: set[str] = set()
    for node in walk(test):
        if isinstance(node, ast.NamedExpr):
            return None
        if isinstance(node, ast.arg):
            own.add(node.arg)
        if isinstance(node, ast.Attribute):
            if not isinstance(node.value, ast.Name):
                return None
            if node.value.id != HOOKS:
                found[node.value.id] = None
        elif isinstance(node, ast.Call) and hook_of(node) == "callee":
            function = node.args[0]
            if not isinstance(function, ast.Name) or function.id not in _HARMLESS:
                return None
        elif isinstance(node, ast.comprehension):
            own.update(n.id for n in walk(node.target) if isinstance(n, ast.Name))
    return None if own & found.keys() else list(found)


def _target(body: ast.FunctionDef, statements: list[ast.stmt]) -> tuple[str, list[ast.stmt]]:
    """The name that a loop gives its items, and its statements without what only gives them another."""
    name, first = body.args.args[0].arg, statements[0] if statements else None
    if (
        isinstance(first, ast.Assign)
        and isinstance(first.value, ast.Name)
        and first.value.id == name
        and len(first.targets) == 1
        and isinstance(first.targets[0], ast.Name)
        and not any(isinstance(n, ast.Name) and n.id == name for rest in statements[1:] for n in walk(rest))
    ):
        return first.targets[0].id, statements[1:] or [ast.Pass()]
    return name, statements or [ast.Pass()]


def _makes_iterator(items: ast.expr) -> bool:
    """Whether what a loop goes over may be an iterator that nobody holds, so that a long one can be rolled."""
    if not isinstance(items, ast.Call) or hook_of(items) == "get_item":
        return False
    function = items.func.args[0] if isinstance(items.func, ast.Call) and hook_of(items.func) == "callee" else None
    return not (isinstance(function, ast.Attribute) and function.attr in VIEWS)


def _assign(name: str, value: ast.expr) -> ast.stmt:
    return ast.Assign([ast.Name(name, ast.Store())], value)


def _has_rest(items: str) -> ast.expr:
    kind = call_of("kind", load(items))
    known = ast.Compare(kind, [ast.In()], [ast.Attribute(load(HOOKS), "RESTS", ast.Load())])
    return ast.BoolOp(ast.And(), [known, load(items)])


def _body(operand: ast.expr) -> ast.expr:
    assert isinstance(operand, ast.Lambda)
    return operand.body


def _test() -> ast.expr:
    return ast.Name(_TEST, ast.Load())


def _bind(value: ast.expr) -> ast.expr:
    return ast.NamedExpr(ast.Name(_TEST, ast.Store()), value)


def _recall(call: ast.Call) -> ast.Call:
    """The same call of the hook, with the operand that was evaluated."""
    return ast.copy_location(ast.Call(call.func, [_test(), *call.args[1:]], []), call)


def _is(value: ast.expr, constant: bool) -> ast.expr:
    return ast.Compare(value, [ast.Is()], [ast.Constant(constant)])


def _is_not_false() -> ast.expr:
    return ast.Compare(_test(), [ast.IsNot()], [ast.Constant(False)])


def _choice(test: ast.expr, yes: ast.expr, no: ast.expr, other: ast.expr) -> ast.expr:
    plain = is_of(_test(), "TRUTHS")
    is_true = ast.BoolOp(ast.Or(), [_is(test, True), ast.BoolOp(ast.And(), [_is_not_false(), plain, _test()])])
    is_false = ast.BoolOp(ast.Or(), [_is(_test(), False), copied(plain)])
    return ast.IfExp(is_true, yes, ast.IfExp(is_false, no, other))


def _asked() -> ast.expr:
    """The truth of a test that is none yet, under the name of the test."""
    truth = ast.UnaryOp(ast.Not(), ast.UnaryOp(ast.Not(), _test()))
    return _bind(quickly([is_of(_test(), "TRUTHS")], truth, call_of("truth_of", _test())))


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
    for node in scope_of(function.body):
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
            free = free - {a.arg for a in walk(node.args) if isinstance(a, ast.arg)}
        elif isinstance(node, _COMPREHENSIONS):  # what its first loop goes over is outside of it
            pending.append((node.generators[0].iter, free))
            targets = (n for g in node.generators for n in walk(g.target))
            free = free - {n.id for n in targets if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
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
    """The outermost functions below a class or comprehension, but for those in what a comprehension goes over: Python lets
    nothing get a name there."""
    for child in node.ifs if isinstance(node, ast.comprehension) else children(node):
        if isinstance(child, _FUNCTIONS):
            yield child
        else:
            yield from _functions_in(child)
