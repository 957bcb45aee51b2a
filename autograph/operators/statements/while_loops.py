"""while statements: Python's, or `while_loop` nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograph.operators.state.places import name_places
from autograph.operators.state.regions import Traced
from autograph.operators.statements.endless import (
    ENDLESS,
    is_endless,
    refuse_begun,
    refuse_endless,
    stays_true,
)
from autograph.operators.statements.loop_nodes import (
    attempts,
    emit_while,
    fixed_point,
    set_predicate,
    with_parameters,
)
from autograph.operators.statements.loop_state import INDEX, LoopState, Slot
from autograph.operators.statements.rolled_whiles import RolledWhile
from autograph.operators.statements.trials import Trial, ask
from autograph.operators.statements.truth import truth_of
from runtime.ir.graph import Graph
from runtime.tensor.dispatch import op
from runtime.tensor.trace import STATE, Place, Trace, current
from runtime.typesys.errors import InvalidArgumentError

__all__ = ["both", "look", "while_rest", "while_stmt"]

_PATIENCE = 200  # turns of a `while True` that are traced one by one
_FEW, _MANY = 4, 64  # turns between the looks at whether they stage


def while_stmt(test: Callable[[], Any], body: Callable[[], None], names: tuple[str, ...]) -> None:
    """`while test(): body()`; staged from the iteration on in which the test depends on a staged tensor.

    Of one that never does, the turns after the first are one graph loop where that is the same."""
    trace = current()
    if trace is None:
        while truth_of(test()):
            body()
        return
    if _is_constant(test):
        _until_an_exception(trace, test, body, names)
        return
    _turn_by_turn(trace, test, body, names)


def _turn_by_turn(trace: Trace, test: Callable[[], Any], body: Callable[[], None], names: tuple[str, ...]) -> None:
    """A loop whose test has been Python's."""
    added = trace.builder.region.graph.nodes
    turns = None
    pythons = False
    while True:
        condition = ask(test)
        if condition is False:
            return
        if condition is not True:
            while_rest(condition, test, body, names, pythons)
            return
        pythons = True
        if turns is not None and turns.is_due and turns.rolled():
            return
        mark = len(added)
        body()
        if len(added) != mark:
            turns = turns or RolledWhile(trace, test, body, names)
            turns.one(mark)
        elif turns is not None:
            turns.none()


def look(mark: int | None) -> tuple[int, int]:
    """How many turns a `while` takes in place before this is asked again, and how much is staged now: none where that is
    more than `mark`, what was staged some turns before. Who stages nothing is asked seldom."""
    trace = STATE.trace
    staged = 0 if trace is None else trace.builder.emitted
    if mark is None:
        return _FEW, staged
    return (_MANY if staged == mark else 0), staged


def _until_an_exception(trace: Trace, test: Callable[[], Any], body: Callable[[], None], names: tuple[str, ...]) -> None:
    """`while True` without a `break`: turn by turn, as Python's exceptions end it. If none does, it is one that only the
    run knows, and the loop is staged from its beginning."""
    cells = name_places(names, test, body)
    entries = [cell.read() for cell in cells]
    before = trace.builder.emitted
    trial = Trial(trace)
    trace.journal.append(trial.written)
    try:
        turns = 0
        while turns < _PATIENCE or trace.builder.emitted == before:
            body()
            turns += 1
    except BaseException:
        trace.journal.pop()
        trial.keep(trace)
        raise
    trace.journal.pop()
    trial.discard(trace)
    for cell, entry in zip(cells, entries, strict=True):
        cell.write(entry)
    staged_while(trace, test, body, cells)


def _is_constant(test: Callable[[], Any]) -> bool:
    """Whether a test reads nothing (and is true: others are left to Python)."""
    code = getattr(test, "__code__", None)
    return code is not None and not code.co_freevars and not code.co_names






def while_rest(
    condition: Any, test: Callable[[], Any], body: Callable[[], None], names: tuple[str, ...], pythons: bool = False
) -> None:
    """Go on with a loop whose test gave something staged: a `Trial`, or the condition of a test without effects; or,
    if that is True, whose turns have staged something, before its next test. `pythons` says that turns were taken
    by Python."""
    trace = current()
    assert trace is not None
    if condition is True:
        _turn_by_turn(trace, test, body, names)
        return
    if type(condition) is Trial:
        condition.discard(trace)
    else:
        _discard_last(trace, test)
    staged_while(trace, test, body, name_places(names, test, body), pythons)


def _discard_last(trace: Trace, test: Callable[[], Any]) -> None:
    """Drop the nodes that a test without effects has just added: those that it adds once more."""
    nodes = trace.builder.region.graph.nodes
    end = len(nodes)
    again = ask(test)
    if type(again) is not Trial:
        return
    added = [node.op.name for node in nodes[end:]]
    again.discard(trace)
    if added and [node.op.name for node in nodes[-len(added) :]] == added:
        dropped = nodes[-len(added) :]
        del nodes[-len(added) :]
        if "heap" in trace.notes:
            trace.notes["heap"].forget_dropped(dropped)










def staged_while(
    trace: Trace, test: Callable[[], Any], body: Callable[[], None], cells: list[Place], pythons: bool = False
) -> None:
    """A `while_loop` node."""
    attempts(lambda loosened: _staged_while(trace, test, body, cells, loosened, pythons))


def _staged_while(
    trace: Trace,
    test: Callable[[], Any],
    body: Callable[[], None],
    cells: list[Place],
    loosened: bool,
    pythons: bool,
) -> None:
    state = LoopState(cells, loosened, runs=False, body=body)

    def attempt(state: LoopState) -> list[Traced]:
        graph = Graph(functions=trace.graph.functions)
        condition = with_parameters(trace, state, graph, lambda: truth_of(test()))
        if condition.places:
            raise _TestHasEffects
        graph = Graph(functions=trace.graph.functions)
        return [condition, with_parameters(trace, state, graph, body, ends=True)]

    try:
        regions, finals = fixed_point(trace, state, attempt)
    except _TestHasEffects:
        _staged_rotated(trace, test, body, cells, loosened)
        return
    condition, turn = regions
    if not turn.ended:
        refuse_endless(condition.result, turn.region.graph, state.places, state.entries, finals)
        set_predicate(trace, condition, condition.result)
        captured = {inner for _, inner in condition.region.captured()}
        own = set(condition.region.graph.inputs) - captured
        graph = turn.region.graph
        if is_endless(condition.region.graph, own, graph) or stays_true(condition, graph, finals):
            begins = truth_of(test())
            refuse_begun(begins, pythons)
            op.require_alternative(op.cast(begins, dtype=INDEX.dtype), index=0, errors=((1, InvalidArgumentError, ENDLESS),))
            return
    emit_while(trace, state, condition, condition.result, turn, finals)


class _TestHasEffects(Exception):
    """The loop's test binds names or writes places: it must run where its effects are kept."""


def _staged_rotated(
    trace: Trace, test: Callable[[], Any], body: Callable[[], None], cells: list[Place], loosened: bool
) -> None:
    """while with a test that has effects: the test runs before the loop and at the end of the body."""
    flag = Slot("test", truth_of(test()))

    def step() -> None:
        body()
        flag.write(truth_of(test()))

    state = LoopState([*cells, flag], loosened, runs=False, body=body)

    def attempt(state: LoopState) -> list[Traced]:
        condition = with_parameters(trace, state, Graph(functions=trace.graph.functions), flag.read)
        return [condition, with_parameters(trace, state, Graph(functions=trace.graph.functions), step, ends=True)]

    regions, finals = fixed_point(trace, state, attempt)
    emit_while(trace, state, regions[0], regions[0].result, regions[1], finals)




















def both(a: Any, b: Any) -> Any:
    """`a and b` of two tests without effects."""
    if a is True:
        return b
    if b is True or a is False:
        return a
    if b is False:
        return b
    return op.logical_and(a, b)

