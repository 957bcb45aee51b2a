"""Which variables may still be read: liveness, backwards over the tree.

No graph of basic blocks is built: each statement says what is live before it from what is live
after it; loops are repeated until nothing changes. Jumps look up what is live where they lead.
Exceptions may come from anywhere in a `try` or `with` body, so what a handler reads is live
throughout. Variables that nested functions use, and `global` and `nonlocal` ones, are live
everywhere: who reads them, and when, is not known.
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import gast

from autograph.analysis.activity import Activity
from autograph.analysis.facts import Analysis, Facts
from autograph.source.parse import Node

Names: TypeAlias = frozenset[str]
NONE: Names = frozenset()


class _Targets(NamedTuple):
    """What is live where control goes by exception, `return`, `break` and `continue`."""

    exception: Names = NONE
    leave: Names = NONE
    stop: Names = NONE
    again: Names = NONE

    def through(self, names: Names) -> "_Targets":
        """All ways lead through a `finally` before which `names` are live."""
        return _Targets(names, names, names, names)

    def all(self) -> Names:
        return self.exception | self.leave | self.stop | self.again


class Liveness(Analysis):
    """The variables that may be read later, for every statement of a function, nested functions apart.

    always: the variables that are live everywhere
    """

    def __init__(self, function: Node, facts: Facts) -> None:
        super().__init__(function, facts)
        self.activity = facts.get(Activity, function)
        self.always: Names = self.activity.captured | self.activity.globals | self.activity.nonlocals
        self._before: dict[int, Names] = {}
        self._after: dict[int, Names] = {}
        self._heads: dict[int, Names] = {}
        if isinstance(function.body, list):
            self._block(function.body, NONE, _Targets())

    def before(self, statement: Node) -> Names:
        """What is live just before `statement`."""
        return self._before[id(statement)] | self.always

    def after(self, statement: Node) -> Names:
        """What is live just after `statement`, where it runs to its end."""
        return self._after[id(statement)] | self.always

    def head(self, loop: Node) -> Names:
        """What is live where each round of `loop` begins: before the test, before the next item."""
        return self._heads[id(loop)] | self.always

    def _block(self, statements: Sequence[Node], out: Names, targets: _Targets) -> Names:
        for statement in reversed(statements):
            out = out | targets.exception
            self._after[id(statement)] = out
            out = self._statement(statement, out, targets) | targets.exception
            self._before[id(statement)] = out
        return out

    def _statement(self, node: Node, out: Names, targets: _Targets) -> Names:
        name = type(node).__name__
        compound = getattr(self, f"_{name}", None)
        if compound is not None:
            return compound(node, out, targets)
        if isinstance(node, gast.Return):
            out = targets.leave
        elif isinstance(node, gast.Raise):
            out = targets.exception
        elif isinstance(node, gast.Break):
            return targets.stop
        elif isinstance(node, gast.Continue):
            return targets.again
        return self._through(node, out)

    def _through(self, node: Node | None, out: Names) -> Names:
        """Backwards through an expression, a target or a simple statement."""
        if node is None:
            return out
        use = self.activity.of(node)
        return (out - frozenset(use.sure)) | frozenset(use.exposed)

    def _If(self, node: Node, out: Names, targets: _Targets) -> Names:
        branches = self._block(node.body, out, targets) | self._block(node.orelse, out, targets)
        return self._through(node.test, branches)

    def _While(self, node: Node, out: Names, targets: _Targets) -> Names:
        end = self._block(node.orelse, out, targets)
        head = self._heads.get(id(node), NONE)
        while True:
            inner = targets._replace(stop=out, again=head)
            new = head | self._through(node.test, end | self._block(node.body, head, inner))
            self._heads[id(node)] = new
            if new == head:
                return head
            head = new

    def _For(self, node: Node, out: Names, targets: _Targets) -> Names:
        end = self._block(node.orelse, out, targets)
        head = self._heads.get(id(node), NONE) | end
        while True:
            inner = targets._replace(stop=out, again=head)
            new = head | self._through(node.target, self._block(node.body, head, inner))
            self._heads[id(node)] = new
            if new == head:
                return self._through(node.iter, head)
            head = new

    _AsyncFor = _For

    def _With(self, node: Node, out: Names, targets: _Targets) -> Names:
        # The context manager may swallow an exception: then control goes on after the statement.
        inner = targets._replace(exception=targets.exception | out)
        live = self._block(node.body, out, inner) | inner.exception
        for item in reversed(node.items):
            live = (
                self._through(item.context_expr, self._through(item.optional_vars, live)) | targets.exception
            )
        return live

    _AsyncWith = _With

    def _Try(self, node: Node, out: Names, targets: _Targets) -> Names:
        if node.finalbody:
            out = self._block(node.finalbody, out | targets.all(), targets)
            targets = targets.through(out)
        handled = targets.exception
        for handler in node.handlers:
            caught = frozenset([handler.name.id]) if handler.name is not None else NONE
            live = self._block(handler.body, out - caught, targets) - caught
            handled = handled | self._through(handler.type, live)
        end = self._block(node.orelse, out, targets)
        return self._block(node.body, end, targets._replace(exception=handled)) | handled

    _TryStar = _Try

    def _Match(self, node: Node, out: Names, targets: _Targets) -> Names:
        live = out
        for case in reversed(node.cases):
            body = self._block(case.body, out, targets)
            # A pattern that fails may have bound some of its names: they do not end what was live.
            matched = self._through(case.guard, body) - frozenset(self.activity.of(case.pattern).sure)
            live = live | matched | frozenset(self.activity.of(case.pattern).exposed)
            if case.guard is not None:
                live = live | frozenset(self.activity.of(case.guard).exposed) - frozenset(
                    self.activity.of(case.pattern).sure
                )
        return self._through(node.subject, live)
