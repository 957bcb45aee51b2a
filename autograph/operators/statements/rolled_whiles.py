"""Rolling: a `while` over Python numbers that is long, or much code, becomes one graph loop where its turns are alike.

    i = 0
    while i < 500:         # no tensor in the test
        x = x * a[i]       ->  turns while they are little code, then one `for_loop` of those that are left
        i += 1

Its first turns run as Python runs them. When they were much code and left the loop's variables with the same types, test
and body are traced once more with the numbers as symbols. The test must need nothing but numbers that need nothing but
such numbers: these are counted on while tracing, which says how many turns are left, and what Python would have left in
them. If anything else comes up, all is undone and the loop goes on turn by turn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograph.operators.state.places import name_places
from autograph.operators.state.regions import Traced, close
from autograph.operators.statements.loop_nodes import (
    finish,
    fixed_point,
    pack_outputs,
    set_predicate,
    with_parameters,
)
from autograph.operators.statements.loop_state import INDEX, LoopState
from autograph.operators.statements.rolling import (
    FEW,
    MUCH,
    ROLL_AFTER,
    ROLLED,
    CannotRoll,
    check_lists,
    counted,
    numbers_of,
    size_of,
    tried,
    types_now,
)
from autograph.operators.statements.truth import is_staged_condition, truth_of
from autograph.operators.values.descriptors import Leaf, OneOf, Undefined, canonical, describe
from runtime.ir.graph import Graph
from runtime.tensor.trace import Trace

__all__ = ["RolledWhile"]

_HALF = ROLLED // 2
_AGAIN = 8  # times as much code as when it was tried in vain: it is tried again


class RolledWhile:
    """One `while`: its turns so far were traced one by one, those that are left may be rolled."""

    def __init__(
        self, trace: Trace, test: Callable[[], Any], body: Callable[[], None], names: tuple[str, ...]
    ) -> None:
        self.trace = trace
        self.test = test
        self.body = body
        self.cells = name_places(names, test, body)
        self.is_due = False  # whether the next turns may be rolled
        self._key = getattr(body, "__code__", body)
        self._given_up: dict[Any, int] = trace.notes.setdefault("unrolled", {})
        self._types: Any = None
        self._equal = self._staged = self._size = 0

    def none(self) -> None:
        """A turn has staged nothing."""
        self._types, self._equal, self.is_due = None, 0, False

    def one(self, mark: int) -> None:
        """A turn has added the nodes from `mark` on."""
        self._size = size_of(self.trace.builder.region.graph.nodes[mark:])
        self._staged += 1
        size = self._staged * self._size
        if (size < MUCH and self._staged < _HALF) or size < self._given_up.get(self._key, 0):
            return
        now = types_now(self.cells)
        self._equal = self._equal + 1 if now == self._types else 1
        self._types = now
        self.is_due = self._equal >= ROLL_AFTER

    def rolled(self) -> bool:
        """Whether the turns that are left are one graph loop now. The test is known to be true."""
        states: list[Any] = []
        if tried(self.trace, states, lambda: self._stage(states)):
            return True
        self._given_up[self._key] = _AGAIN * self._staged * self._size
        self.is_due = False
        return False

    def _stage(self, states: list[Any]) -> None:
        trace, test, body = self.trace, self.test, self.body
        state = LoopState(self.cells, loosened=False, runs=True, body=body)
        state.exact = True
        states.append(state)

        def attempt(state: LoopState) -> list[Traced]:
            condition = with_parameters(trace, state, Graph(functions=trace.graph.functions), lambda: truth_of(test()))
            if condition.places:
                raise CannotRoll
            graph = Graph(functions=trace.graph.functions)
            graph.add_input(INDEX, "i")
            turn = with_parameters(trace, state, graph, body, ends=True)
            if turn.ended:
                raise CannotRoll
            return [condition, turn]

        (condition, turn), finals = fixed_point(trace, state, attempt)
        if not is_staged_condition(condition.result):
            raise CannotRoll
        set_predicate(trace, condition, condition.result)
        pack_outputs(trace, state, turn, finals)
        outers = close(trace, [turn.region])
        _check_types(state)
        count, numbers = counted(
            condition.region.graph, turn.region.graph, numbers_of(state, finals, turn.parameters)
        )
        check_lists(state, finals, turn.parameters, turn.region.graph, count, count * self._size)
        if count < FEW or (count < _HALF and count * self._size < MUCH):
            raise CannotRoll
        finish(trace, state, "for_loop", [trace.operand(count)], outers, (turn.region.graph,), finals)
        for place, value in numbers:
            trace.record(place)
            place.write(value)


def _check_types(state: LoopState) -> None:
    """Refuse what would be known less of after the loop than turn by turn: a size, or which of several things it is."""
    for entry, d in zip(state.entries, state.types, strict=True):
        before = describe(entry)
        vague = isinstance(d, (OneOf, Undefined)) and not isinstance(before, (OneOf, Undefined))
        wider = isinstance(d, Leaf) and isinstance(before, Leaf) and canonical([d]) != canonical([before])
        if vague or wider:
            raise CannotRoll
