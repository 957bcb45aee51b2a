"""Generators as functions that give the next item: between two calls, their names are where the generator stood.

    def powers(x):                    def powers(x):
        while True:                       stage = 0
            yield x                       def following():
            x = x * 2         ->              nonlocal stage, x
                                              if stage == 1:
                                                  x = x * 2
                                              stage = 1
                                              return x
                                          return following

So a branch or loop that only the run takes may ask for the next item. The generator is a sequence of statements and loops
after plain assignments; its yields stand there and in the loops' bodies, or in branches of that. A `break` after a yield
leaves the loop, too.
"""

import gast

from autograph.analysis.activity import use_of
from autograph.convert.converter import holds
from autograph.convert.jumps import ends, has_jump
from autograph.convert.naming import Names
from autograph.convert.template import copy_tree, load, quote, quote_expression
from autograph.source.parse import Node, walk

__all__ = ["resuming"]

_YIELDS = (gast.Yield, gast.YieldFrom)
_FORM = """
stage, ended = 0, False
def following():
    nonlocal kept
    if not ended:
        body
        ended = True
    raise StopIteration
return following
unbound
"""
_ENDLESS = """
stage = 0
def following():
    nonlocal kept
    body
return following
unbound
"""


def resuming(function: Node, names: Names) -> Node | None:
    """The function (changed in place), which returns what gives the next item; None where it has no such form.

    >>> from autograph.source.parse import parse
    >>> from autograph.source.printing import unparse
    >>> tree = parse("def f(n):\\n    for i in n:\\n        if i > 2:\\n            yield i\\n            print(i)").body[0]
    >>> print(unparse(resuming(tree, Names(tree))))
    def f(n):
        items = iter(n)
        stage, ended = 0, False
        def following():
            nonlocal ended, i, stage
            if not ended:
                if stage == 1:
                    print(i)
                for i in items:
                    if i > 2:
                        stage = 1
                        return i
                ended = True
            raise StopIteration
        return following
        i = None
    """
    if not isinstance(function, gast.FunctionDef):
        return None
    block = function.body[1:] if gast.get_docstring(function, clean=False) else function.body
    plain = next((k for k, statement in enumerate(block) if not _is_plain(statement)), len(block))
    start, rest = block[:plain], block[plain:]
    if use_of(start).captures or not rest:
        return None
    ended, returns = names.fresh("ended"), has_jump(rest, gast.Return)
    if returns:
        rest = _Ending(ended).block(copy_tree(rest))
    stage, origin = names.fresh("stage"), rest[0]
    parts: list[tuple[_Stages, list[Node]]] = []
    bound: set[str] = set()  # by the parts so far
    for part in _parts(rest):
        loop = part[0] if len(part) == 1 and isinstance(part[0], (gast.While, gast.For)) else None
        stages = _Stages(stage, sum([len(made.after) for made, _ in parts]))
        turn = stages.turned(part if loop is None else loop.body)
        head = [] if loop is None else [loop.test if isinstance(loop, gast.While) else loop.iter]
        outside = [*head, *turn, *(s for after in stages.after for s in after)]
        if (loop is not None and loop.orelse) or holds(outside, *_YIELDS):
            return None  # one is in a place that is no statement of the loop's
        if isinstance(loop, gast.For):
            if not _is_early(loop.iter) or (parts and not (_is_lazy(loop.iter) and bound.isdisjoint(use_of(head).reads))):
                return None
            items = names.fresh("items")
            start += quote("items = iter(head)", loop, items=items, head=loop.iter)
            loop.iter = load(items, loop)
        body = stages.choice(turn, origin) if loop is None else stages.body(loop, turn)
        if body is None:
            return None
        bound.update(name for block in (body, *stages.after) for name in use_of(block).binds)
        parts.append((stages, body))
    place, body, after = "", parts[0][1], [rest for stages, _ in parts for rest in stages.after]
    if len(parts) > 1:
        place = names.fresh("part")
        start += quote("place = 0", origin, place=place)
        body = [s for number, (_, one) in enumerate(parts) for s in _as_part(one, place, number, origin)]
    use = use_of(body)
    if use.globals or use.nonlocals or use.rebinds:
        return None
    names_after = {*use.exposed, *use.captures, *(name for rest in after for name in use_of(rest).exposed)}
    kept = {*use.binds, *use.deletes} & names_after
    endless = len(parts) == 1 and isinstance(loop, gast.While) and _is_true(loop.test) and ends(body) and not returns
    following = names.fresh("following")
    unbound = [s for name in sorted(kept - {stage, place}) for s in quote("name = None", origin, name=name)]
    holes = {"stage": stage, "following": following, "body": body, "unbound": unbound or quote("pass", origin)}
    if not endless:
        holes["ended"] = ended
        kept.add(ended)
    made = quote((_ENDLESS if endless else _FORM).strip(), origin, kept=tuple(sorted(kept | {stage})), **holes)
    function.body = start + (made if unbound else made[:-1])
    return function


def _parts(block: list[Node]) -> list[list[Node]]:
    """A generator's statements: its loops with yields, and what stands before, between and after them."""
    parts: list[list[Node]] = []
    is_open = False
    for statement in block:
        is_loop = isinstance(statement, (gast.While, gast.For)) and holds(statement, *_YIELDS)
        if is_open and not is_loop:
            parts[-1].append(statement)
        else:
            parts.append([statement])
        is_open = not is_loop
    return parts


def _as_part(body: list[Node], place: str, number: int, origin: Node) -> list[Node]:
    """What gives the next item as long as the generator stands in one of its parts."""
    return quote(f"if place == {number}:\n    body\n    place = {number + 1}", origin, place=place, body=body)


class _Ending(gast.NodeTransformer):
    """return  ->  ended = True; raise StopIteration"""

    def __init__(self, ended: str) -> None:
        self.ended = ended

    def block(self, statements: list[Node]) -> list[Node]:
        """Statements of the generator's own, in place."""
        return list(self.visit(gast.Module(statements, [])).body)

    def visit_Return(self, node: Node) -> list[Node]:
        """What it returns is nobody's, but in `yield from`."""
        said = node.value or gast.copy_location(gast.Constant(None, None), node)
        return quote("value\nended = True\nraise StopIteration", node, ended=self.ended, value=said)

    def visit_FunctionDef(self, node: Node) -> Node:
        """Returns of its own."""
        return node

    visit_AsyncFunctionDef = visit_ClassDef = visit_Lambda = visit_FunctionDef


class _Stages:
    """The yields of a part, numbered from `first` on; `after` has what follows each, up to the end of the turn."""

    def __init__(self, name: str, first: int = 0) -> None:
        self.name = name
        self.first = first
        self.after: list[list[Node]] = []
        self.numbers: dict[int, int] = {}  # by id of the statement

    def turned(self, block: list[Node]) -> list[Node]:
        """A block that returns where it yields."""
        made: list[Node] = []
        for k, statement in enumerate(block):
            if isinstance(statement, gast.Expr) and isinstance(statement.value, gast.Yield):
                return made + self.given(statement, block[k + 1 :])
            if isinstance(statement, gast.If) and holds(statement, *_YIELDS):
                statement = self.branched(statement, block[k + 1 :])
            made.append(statement)
        return made

    def given(self, statement: Node, rest: list[Node]) -> list[Node]:
        """What stands for a yield, `rest` being what follows."""
        number = self.numbers.get(id(statement))
        if number is None:
            place = len(self.numbers)
            number = self.numbers[id(statement)] = self.first + place + 1
            self.after.append([])
            self.after[place] = self.turned(rest)
        item = statement.value.value or gast.copy_location(gast.Constant(None, None), statement)
        text = f"stage = {number}\nreturn item"
        return quote(text, statement, stage=self.name, item=copy_tree(item))

    def branched(self, statement: Node, rest: list[Node]) -> Node:
        """What stands for an `if` with yields, `rest` being what follows it."""
        first = len(self.after)
        made = gast.If(copy_tree(statement.test), self.turned(statement.body), self.turned(statement.orelse))
        last = len(self.after)
        for number in range(first, last):
            if not ends(self.after[number]):
                self.after[number] = self.after[number] + self.turned(rest)
        return gast.copy_location(made, statement)

    def body(self, loop: Node, turn: list[Node]) -> list[Node] | None:
        """What gives the next item."""
        once = ends(turn)  # each turn comes to a yield
        resumed = [rest for rest in self.after if rest]
        if has_jump([s for rest in resumed for s in rest], gast.Break, gast.Continue):
            return self._within(loop, turn) if isinstance(loop, gast.While) else None
        found = self.choice([], loop)
        if isinstance(loop, gast.For):
            return found + [gast.copy_location(gast.For(loop.target, loop.iter, turn, [], None), loop)]
        if once and not has_jump(turn, gast.Break, gast.Continue):
            if _is_true(loop.test):
                return found + turn
            return found + [gast.copy_location(gast.If(loop.test, turn, []), loop)]
        return found + [gast.copy_location(gast.While(loop.test, turn, []), loop)]

    def choice(self, turn: list[Node], origin: Node) -> list[Node]:
        """What follows the yield at which the generator stands, or else `turn`."""
        found = turn
        for number, rest in reversed(list(enumerate(self.after, self.first + 1))):
            if rest or turn:
                rest = copy_tree(rest) or quote("pass", origin)
                (statement,) = quote(f"if stage == {number}:\n    rest", origin, stage=self.name, rest=rest)
                statement.orelse = found
                found = [statement]
        return found

    def _within(self, loop: Node, turn: list[Node]) -> list[Node]:
        """The loop, whose first turn is what is left of the last."""
        turns = turn
        for number, rest in reversed(list(enumerate(self.after, self.first + 1))):
            left = [*quote("stage = 0", loop, stage=self.name), *copy_tree(rest)]
            text = f"if stage == {number}:\n    left\nelse:\n    turns"
            turns = quote(text, loop, stage=self.name, left=left, turns=turns)
        test = quote_expression("stage != 0 or test", loop, stage=self.name, test=loop.test)
        return [gast.copy_location(gast.While(test, turns, []), loop)]


_READING = frozenset("range reversed enumerate zip sorted list tuple iter len min max abs int".split())
_READING_METHODS = frozenset("items keys values split splitlines strip".split())


def _is_early(node: Node) -> bool:
    """Whether what a loop goes over may as well be asked for when the generator is made."""
    for call in walk(node):
        if isinstance(call, gast.Call):
            f = call.func
            known = f.id in _READING if isinstance(f, gast.Name) else getattr(f, "attr", None) in _READING_METHODS
            if not known:
                return False
    return not holds(node, gast.Await, gast.NamedExpr)


_LAZY = frozenset("range enumerate zip iter abs int".split())
_OF_NAMES = (gast.Name, gast.Constant, gast.Call, gast.BinOp, gast.UnaryOp, gast.expr_context, gast.operator, gast.unaryop)


def _is_lazy(node: Node) -> bool:
    """Whether what a later loop goes over is the same when the generator is made: nothing is looked into before."""
    calls = all(isinstance(c.func, gast.Name) and c.func.id in _LAZY for c in walk(node) if isinstance(c, gast.Call))
    return calls and all(isinstance(part, _OF_NAMES) for part in walk(node))


def _is_true(test: Node) -> bool:
    return isinstance(test, gast.Constant) and test.value is True


def _is_plain(statement: Node) -> bool:
    """Whether a statement may as well run when the generator is made: names are bound to what no call changes."""
    if not isinstance(statement, (gast.Assign, gast.AnnAssign)):
        return False
    kinds = (gast.Call, gast.Attribute, gast.Subscript, gast.Await, gast.NamedExpr, *_YIELDS)
    return not any(isinstance(node, kinds) for node in walk(statement))
