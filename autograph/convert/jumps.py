"""What the converters of `return`, `break` and `continue` share.

A jump out of code that is to become a function is lowered in two ways. Where it ends a branch of
an `if`, what follows the `if` moves into the other branch, and no trace of the jump is left.
Elsewhere it sets a flag, and what follows is guarded by `if not flag:`.
"""

from collections.abc import Callable, Iterator, Sequence

import gast

from autograph.analysis.facts import Facts
from autograph.analysis.liveness import Liveness
from autograph.convert.converter import HOOKS, Converter, holds
from autograph.convert.naming import Names
from autograph.source.parse import Node

FUNCTIONS = (gast.FunctionDef, gast.AsyncFunctionDef)
LOOPS = (gast.For, gast.While, gast.AsyncFor)
TRIES = (gast.Try, gast.TryStar)
WITHS = (gast.With, gast.AsyncWith)
SCOPES = (*FUNCTIONS, gast.ClassDef, gast.Lambda)
SUSPENDING = (gast.Yield, gast.YieldFrom, gast.Await, gast.AsyncFor, gast.AsyncWith)
"""What only works in the function's own frame: code that holds it can't become a function."""


def blocks_of(statement: Node) -> Iterator[list[Node]]:
    """The blocks of statements in a compound statement that belong to the same function."""
    if isinstance(statement, SCOPES):
        return
    for field in ("body", "orelse", "finalbody"):
        block = getattr(statement, field, None)
        if isinstance(block, list):
            yield block
    for part in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
        yield part.body


def jumps(block: Sequence[Node], kinds: tuple[type, ...]) -> Iterator[Node]:
    """The jumps of these kinds that leave `block`; a `break` leaves its own loop only."""
    for statement in block:
        if isinstance(statement, kinds):
            yield statement
        elif isinstance(statement, LOOPS):
            inner = tuple(kind for kind in kinds if kind is gast.Return)
            if inner:
                yield from jumps(statement.body, inner)
            yield from jumps(statement.orelse, kinds)
        else:
            for part in blocks_of(statement):
                yield from jumps(part, kinds)


def has_jump(block: Sequence[Node], *kinds: type) -> bool:
    """Whether a jump of these kinds leaves `block`."""
    return next(jumps(block, kinds), None) is not None


def jumps_in_finally(block: Sequence[Node], *kinds: type) -> bool:
    """Whether such a jump leaves `block` from a `finally`, where it swallows the exception in flight."""
    for statement in block:
        if isinstance(statement, TRIES) and has_jump(statement.finalbody, *kinds):
            return True
        inner = tuple(k for k in kinds if k is gast.Return) if isinstance(statement, LOOPS) else kinds
        if inner and any(jumps_in_finally(part, *inner) for part in blocks_of(statement)):
            return True
    return False


def ends(block: Sequence[Node]) -> bool:
    """Whether control certainly does not reach the end of `block`."""
    return any(_ends(statement) for statement in block)


def _ends(node: Node) -> bool:
    if isinstance(node, (gast.Return, gast.Raise, gast.Break, gast.Continue)):
        return True
    if isinstance(node, gast.If):
        return ends(node.body) and ends(node.orelse)
    if isinstance(node, gast.While):
        return is_true(node.test) and not has_jump(node.body, gast.Break)
    if isinstance(node, TRIES):
        handled = all(ends(handler.body) for handler in node.handlers)
        return ends(node.finalbody) or (ends([*node.body, *node.orelse]) and handled)
    return False


def is_true(test: Node) -> bool:
    """Whether a test is a literal that is true."""
    return isinstance(test, gast.Constant) and bool(test.value)


def is_flag_test(names: Names, test: Node) -> bool:
    """Whether a test reads one generated flag."""
    return isinstance(test, gast.Name) and test.id in names.flags.values()


def is_flag_break(names: Names, statement: Node) -> bool:
    """Whether a statement is `if flag: break`: how a lowered `for` says when it ends early."""
    return (
        isinstance(statement, gast.If)
        and is_flag_test(names, statement.test)
        and len(statement.body) == 1
        and isinstance(statement.body[0], gast.Break)
        and not statement.orelse
    )


def is_plain(value: Node) -> bool:
    """Whether a value is a constant or `ag__.undefined`: computing it does nothing else."""
    if isinstance(value, gast.Attribute):
        return isinstance(value.value, gast.Name) and value.value.id == HOOKS
    return isinstance(value, gast.Constant)


class JumpConverter(Converter):
    """Lower the jumps of one kind in blocks; subclasses say which, and what replaces one."""

    jump: type = gast.AST

    def replacement(self, jump: Node, flag: str) -> list[Node]:
        """What stands for the jump itself: it sets the flag."""
        return self.quote("flag = True", jump, flag=flag)

    def lower_loop(self, loop: Node, flag: str) -> list[Node]:
        """What stands for a loop the jump leaves, or in whose `else` it is."""
        loop.orelse = self.lower(loop.orelse, flag)
        return [loop]

    def lower(self, block: Sequence[Node], flag: str) -> list[Node]:
        """`block` without the jump: where it would have jumped, `flag` is set and nothing more runs."""
        made: list[Node] = []
        for position, statement in enumerate(block):
            rest = list(block[position + 1 :])
            if isinstance(statement, self.jump):
                return made + self.replacement(statement, flag)
            if not has_jump([statement], self.jump):
                made.append(statement)
                continue
            if isinstance(statement, gast.If):
                if ends(statement.body):
                    statement.orelse, rest = statement.orelse + rest, []
                elif ends(statement.orelse):
                    statement.body, rest = statement.body + rest, []
            made += self.lower_statement(statement, rest, flag)
            break
        return made

    def lower_statement(self, statement: Node, rest: list[Node], flag: str) -> list[Node]:
        """A statement that holds the jump, and what follows it in its block."""
        made = self._lower_parts(statement, flag)
        return made + self.guarded(statement, rest, flag)

    def guarded(self, statement: Node, rest: list[Node], flag: str) -> list[Node]:
        """`rest`, to run only where the flag is not set."""
        rest = self.lower(rest, flag)
        return self.quote("if not flag: rest", statement, flag=flag, rest=rest) if rest else []

    def _lower_parts(self, statement: Node, flag: str) -> list[Node]:
        if isinstance(statement, LOOPS):
            return self.lower_loop(statement, flag)
        if isinstance(statement, TRIES):
            self._lower_try(statement, flag)
            return [statement]
        for block in blocks_of(statement):
            block[:] = self.lower(block, flag) or (self.quote("pass", statement) if block else [])
        return self.tidied(statement)

    def _lower_try(self, node: Node, flag: str) -> None:
        left = has_jump(node.body, self.jump)
        reset = _may_fail_after_jump(node.body, self.jump)
        if left and node.orelse:  # a jump out of the body leaves out the `else`
            node.orelse = self.guarded(node, node.orelse, flag)
        else:
            node.orelse = self.lower(node.orelse, flag)
        node.body = self.lower(node.body, flag)
        for handler in node.handlers:
            handler.body = self.lower(handler.body, flag)
            if reset:
                handler.body[:0] = self.quote("flag = False", handler, flag=flag)

    def tidied(self, statement: Node) -> list[Node]:
        """`if flag:` with nothing left to do tests for the other branch, or vanishes."""
        if not isinstance(statement, gast.If) or not is_flag_test(self.names, statement.test):
            return [statement]
        if not _is_empty(statement.body):
            return [statement]
        if _is_empty(statement.orelse):
            return []
        return self.quote("if not test: body", statement, test=statement.test, body=statement.orelse)

    def drop_unread(
        self, function: Node, variables: frozenset[str], is_dropped: Callable[[Node], bool] = is_plain
    ) -> None:
        """Remove what sets one of these generated variables where nothing reads it afterwards.

        The line of the jump keeps a `pass`, so that coverage counts it and a breakpoint stops there.
        """
        if not variables:
            return
        liveness = Facts().get(Liveness, function)

        def unread(node: Node) -> bool:
            if not isinstance(node, gast.Assign) or not isinstance(node.targets[0], gast.Name):
                return False
            name = node.targets[0].id
            return name in variables and is_dropped(node.value) and name not in liveness.after(node)

        def sweep(block: list[Node]) -> None:
            kept: list[Node] = []
            for statement in block:
                for part in blocks_of(statement):
                    sweep(part)
                if not unread(statement):
                    kept.append(statement)
                elif is_true(statement.value) and (not kept or kept[-1].lineno != statement.lineno):
                    kept += self.quote("pass", statement)
            block[:] = kept or (self.quote("pass", block[0]) if block else [])

        sweep(function.body)


class ReturnLowering(JumpConverter):
    """Lower returns; out of a loop one is a `break`."""

    jump = gast.Return

    def lower_loop(self, loop: Node, flag: str) -> list[Node]:
        """In a loop, a return is a break after its value and flag are set."""
        loop.body = self._broken(loop.body, flag)
        loop.orelse = self.lower(loop.orelse, flag)
        return [loop]

    def _broken(self, block: Sequence[Node], flag: str) -> list[Node]:
        made: list[Node] = []
        for statement in block:
            if isinstance(statement, gast.Return):
                made += self.replacement(statement, flag) + self.quote("break", statement)
                continue
            returned = isinstance(statement, LOOPS) and has_jump(statement.body, gast.Return)
            for part in blocks_of(statement):
                part[:] = self._broken(part, flag)
            made.append(statement)
            if returned:
                made += self.quote("if flag: break", statement, flag=flag)
        return made


def stays_python(loop: Node) -> bool:
    """Whether a loop's `break` and `continue` are left alone, as it can't become a function."""
    return (
        isinstance(loop, gast.AsyncFor)
        or holds(loop, *SUSPENDING)
        or jumps_in_finally(loop.body, gast.Break, gast.Continue)
    )


def _is_empty(block: Sequence[Node]) -> bool:
    return all(isinstance(statement, gast.Pass) for statement in block)


def _may_fail_after_jump(block: Sequence[Node], jump: type) -> bool:
    """Whether code runs after a jump out of `block`: `finally`, `__exit__`. If it raises, none happened."""
    for statement in block:
        runs_after = isinstance(statement, WITHS) or (isinstance(statement, TRIES) and statement.finalbody)
        if runs_after and has_jump([statement], jump):
            return True
        if any(_may_fail_after_jump(part, jump) for part in blocks_of(statement)):
            return True
    return False
