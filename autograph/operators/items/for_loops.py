"""for statements: Python's, or `for_loop` / `while_loop` nodes over staged iterables."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from autograph.errors.refusals import refusal
from autograph.operators.containers.advances import (
    by_place,
    guarding,
    live,
    note_advance,
    note_spent,
    taken_in_part,
)
from autograph.operators.containers.lists import ListPlace, dynamic_of
from autograph.operators.functions import generators
from autograph.operators.functions.calls import special
from autograph.operators.functions.generators import asked, emitting, may_be_shared, tried_by_python
from autograph.operators.functions.own_iterators import steps
from autograph.operators.state.places import name_places, note_unset, unset_by_loop
from autograph.operators.state.plain import PLAIN
from autograph.operators.state.regions import Traced, close, current_trace
from autograph.operators.statements.branches import staged_cond
from autograph.operators.statements.endless_iterators import Endless, endless
from autograph.operators.statements.iterables import (
    OverList,
    StagedEnumerate,
    StagedIterable,
    StagedRange,
    StagedStream,
    staged_iterable,
)
from autograph.operators.statements.loop_nodes import (
    attempts,
    emit_while,
    finish,
    fixed_point,
    pack_outputs,
    with_parameters,
)
from autograph.operators.statements.loop_state import INDEX, LoopState, Slot
from autograph.operators.statements.rolling import (
    COUNTING,
    CannotRoll,
    Counted,
    Long,
    Roll,
    is_long,
    long_of,
    rolled,
    rolled_rest,
)
from autograph.operators.statements.seen_loops import seen_before
from autograph.operators.statements.trials import Trial
from autograph.operators.statements.truth import is_staged_condition, truth_of
from autograph.operators.statements.while_loops import both
from autograph.operators.values.choice import is_mixed, require_usable, tag_of, usable_of
from autograph.operators.values.descriptors import Leaf
from autograph.operators.values.listvalue import Splice
from runtime.ir.graph import Graph
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import STATE, Place, Trace, current
from runtime.typesys.errors import OpError
from runtime.typesys.spec import TensorType

__all__ = ["for_stmt", "list_rest", "long_range", "rest_guarded", "rest_of_long"]

_BOOL = TensorType("bool", ())
MOST_TURNS = 256
"""Of a loop that is written out if it can be no node."""


def for_stmt(
    iterable: Any, body: Callable[[Any], None], names: tuple[str, ...], test: Callable[[], Any] | None = None
) -> None:
    """`for item in iterable: body(item)`, going on while `test()` is true (it reads the flag that `break` sets)."""
    if (type(iterable) not in PLAIN or type(iterable) is dict) and current() is not None:
        if is_mixed(iterable):
            _over_each(current_trace(), iterable, body, names, test)
            return
        staged = staged_iterable(iterable)
        if staged is not None:
            staged_for(current_trace(), staged, body, name_places(names, body), test)
            return
        iterable = asked(iterable)
        emitted = emitting(iterable, may_stop=test is not None)
        if emitted is None:
            method = special(iterable, "__iter__")
            if method is not None:
                iterable = method()
                emitted = emitting(iterable)
        if emitted is not None:
            emitted.run(body, test)
            return
    elif type(iterable) is range and STATE.trace is not None and is_long(iterable):
        long_range(STATE.trace, iterable, body, names, test)
        return
    elif type(iterable) in COUNTING and STATE.trace is not None and (items := long_of(iterable)) is not None:
        long_range(STATE.trace, items, body, names, test)
        return
    if STATE.trace is not None and hasattr(type(iterable), "__next__"):
        note_advance(STATE.trace, iterable)
    if type(iterable) is list and STATE.trace is not None:
        list_rest(STATE.trace, iterable, 0, body, names, test)
        return
    if test is None:
        for item in iterable:
            body(item)
        return
    if may_be_shared(iterable):
        form = tried_by_python(iterable, body, test)
        if form is not None:
            form.run(body, test)
        return
    known = None if STATE.trace is None else endless(STATE.trace, iterable)
    iterator = iter(iterable if known is None else known)
    for item in iterator:
        body(item)
        go_on = test()
        if go_on is True:
            continue
        go_on = truth_of(go_on)
        if is_staged_condition(go_on):
            rest_guarded(current_trace(), iterator, body, name_places(names, body), test)
            return
        if not go_on:
            return


def _over_each(
    trace: Trace, choice: Any, body: Callable[[Any], None], names: tuple[str, ...], test: Callable[[], Any] | None
) -> None:
    """A loop over one of several iterables: a loop over each, on its own path."""
    require_usable(choice)
    _over_these(trace, choice, usable_of(choice), body, names, test)


def _over_these(
    trace: Trace,
    choice: Any,
    options: list[tuple[int, Any]],
    body: Callable[[Any], None],
    names: tuple[str, ...],
    test: Callable[[], Any] | None,
) -> None:
    """The same, where it is one of `options`. No closure that names itself: the cycle would hold what the body's names hold,
    as somebody outside of a loop around does."""
    (index, iterable), *others = options
    if not others:
        for_stmt(iterable, body, names, test)
        return
    staged_cond(
        trace,
        op.equal(tag_of(choice), index),
        lambda: for_stmt(iterable, body, names, test),
        lambda: _over_these(trace, choice, others, body, names, test),
        name_places(names, body),
    )


def list_rest(
    trace: Trace,
    items: list[Any],
    i: int,
    body: Callable[[Any], None],
    names: tuple[str, ...],
    test: Callable[[], Any] | None,
    go_on: Any = True,
) -> None:
    """`for item in items[i:]: body(item)` over a Python list, whose length a turn may make depend on the run."""
    known = len(items)
    while True:
        if len(items) != known or (items and (type(items[0]) is Splice or type(items[-1]) is Splice)):
            known = len(items)
            value = dynamic_of(items)
            if value is not None:
                rest = OverList(value, items, start=i)
                staged_for(trace, rest, body, name_places(names, body), test)
                return
        if i >= known:
            return
        item = items[i]
        i += 1
        if is_staged_condition(go_on):
            staged_cond(trace, go_on, lambda item=item: body(item), _nothing, name_places(names, body))  # type: ignore[misc]
        else:
            body(item)
        if test is not None:
            go_on = truth_of(test())
            if go_on is False:
                return


def _nothing() -> None:
    return None


def rest_of_long(
    trace: Trace, rest: Long, body: Callable[[Any], None], names: tuple[str, ...], test: Callable[[], Any] | None
) -> None:
    """Go on with a long range after a turn that ended with a staged `break`."""
    stage, guarded = _ways(trace, body, test)
    rolled_rest(trace, rest, name_places(names, body), stage, guarded)


def long_range(
    trace: Trace, items: Long, body: Callable[[Any], None], names: tuple[str, ...], test: Callable[[], Any] | None
) -> None:
    """`for item in items: body(item)` over a long range."""
    stage, guarded = _ways(trace, body, test)
    rolled(trace, items, body, names, test, stage, guarded)


def _ways(trace: Trace, body: Callable[[Any], None], test: Callable[[], Any] | None) -> tuple[Any, Any]:
    def stage(roll: Roll, cells: list[Place]) -> None:
        _staged_for(trace, _staged(roll.items), body, cells, test, loosened=False, roll=roll)

    def guarded(rest: Any, cells: list[Place]) -> None:
        assert test is not None
        rest_guarded(trace, rest, body, cells, test)

    return stage, guarded


def _staged(items: Long) -> StagedIterable:
    if isinstance(items, Counted):
        return StagedEnumerate(_staged(items.items), items.start)
    return StagedRange(items.start, items.stop, items.step)


def rest_guarded(
    trace: Trace, iterator: Any, body: Callable[[Any], None], cells: list[Place], test: Callable[[], Any]
) -> None:
    """A Python loop whose `break` depends on a tensor: each further iteration is taken only if no break came before."""
    turns = getattr(type(iterator), "__staged_turns__", None)
    if type(iterator) is Endless or (turns is not None and (live(trace) or not iterator.is_known())):
        staged_for(trace, iterator.rest(), body, cells, test)
        return
    run = steps(iterator)
    if run is not None:
        run(body, test)
        return
    go_on = truth_of(test())
    for take, item in _guarded_turns(trace, iterator) if turns is None else turns(iterator):
        if not is_staged_condition(go_on):
            if not go_on:
                return
            take()
            body(item)
        else:

            def turn(take: Callable[[], None] = take, item: Any = item) -> None:
                take()
                body(item)

            staged_cond(trace, go_on, turn, _nothing, cells)
        go_on = truth_of(test())


def _guarded_turns(trace: Trace, iterator: Any) -> Iterator[tuple[Callable[[], None], Any]]:
    """All items of an iterator of Python's, which is used up: only the run knows how many of them are taken."""
    note_spent(trace, iterator)
    for taken in itertools.count():
        with guarding(trace):
            item = next(iterator, _END)
        if item is _END:
            return
        if taken >= _ENDLESS or (taken >= MOST_TURNS and "restarts" in trace.notes and not by_place(trace)):
            raise taken_in_part(refusal("endless-iterator"))
        yield _nothing, item


_ENDLESS = 10_000  # turns


_END = object()


def staged_for(
    trace: Trace, items: StagedIterable, body: Callable[[Any], None], cells: list[Place], test: Callable[[], Any] | None
) -> None:
    """A `for_loop` node; a `while_loop` with a counter where a break depends on a tensor; one over a stream."""
    if isinstance(items, StagedStream):
        handle = items.open()
        attempts(lambda loosened: _staged_stream(trace, items, handle, body, cells, test, loosened))
        items.close(handle)
        return
    for left in (iterators := items.lefts()):
        left.begin()
    try:
        _staged_for_items(trace, items, body, cells, test)
    finally:
        for left in iterators:
            left.end()
    for left in iterators:
        left.require_unchanged(trace)


def _staged_for_items(
    trace: Trace, items: StagedIterable, body: Callable[[Any], None], cells: list[Place], test: Callable[[], Any] | None
) -> None:
    count = items.count()
    if not isinstance(count, int) or not 0 < count <= MOST_TURNS:
        attempts(lambda loosened: _staged_for(trace, items, body, cells, test, loosened))
        return
    trial = Trial(trace)
    trace.journal.append(trial.written)
    try:
        attempts(lambda loosened: _staged_for(trace, items, body, cells, test, loosened))
    except OpError as error:
        trace.journal.pop()
        if not error.id or error.id == "shape-invariant":  # what the user has said does not hold in any way of running
            trial.keep(trace)
            raise
        trial.discard(trace)
        try:
            _turn_by_turn(trace, items, body, cells, test)
        except Exception:  # noqa: BLE001 (the graph loop's error says more)
            raise error from None
        return
    except BaseException:
        trace.journal.pop()
        trial.keep(trace)
        raise
    trace.journal.pop()
    trial.keep(trace)


def _turn_by_turn(
    trace: Trace, items: StagedIterable, body: Callable[[Any], None], cells: list[Place], test: Callable[[], Any] | None
) -> None:
    """Every turn by itself, as Python takes them: for a loop of a known number of turns that no node can be.

    What a turn leaves may be of another structure each time (a tuple nested deeper), or decide about Python's objects.
    """
    iterator = iter(items)
    for item in iterator:
        body(item)
        go_on = True if test is None else truth_of(test())
        if is_staged_condition(go_on):
            assert test is not None
            if items.lefts():
                raise refusal("generator-items")
            rest_guarded(trace, iterator, body, cells, test)
            return
        if not go_on:
            return


def _staged_for(
    trace: Trace,
    items: StagedIterable,
    body: Callable[[Any], None],
    cells: list[Place],
    test: Callable[[], Any] | None,
    loosened: bool,
    roll: Roll | None = None,
) -> None:
    count = items.count()
    if isinstance(count, int) and count == 0:
        for cell in cells:
            note_unset(trace, cell, unset_by_loop("{0}"))
        items.moved(0, True)
        return
    breaks = None if test is None or roll is not None else seen_before(trace)
    simple = breaks is not None and not items.lists() and not items.lefts()
    if simple and breaks is not None and breaks.by_tensor:
        _staged_for_with_break(trace, items, body, cells, test or _always, loosened)
        return
    runs = isinstance(count, int) and (test is None or truth_of(test()) is True)
    state = LoopState(cells, loosened, runs, body)
    state.exact = roll is not None or (isinstance(count, int) and count <= MOST_TURNS)
    if roll is not None:
        roll.states.append(state)
    staged_tests: list[Any] = []

    def attempt(state: LoopState) -> list[Traced]:
        graph = Graph(functions=trace.graph.functions)
        index = graph.add_input(INDEX, "i")

        def step() -> None:
            body(items.item(Tensor(index)))
            if test is not None and not staged_tests:
                after = truth_of(test())
                if after is not True:
                    staged_tests.append(after)

        regions = [with_parameters(trace, state, graph, step, ends=True)]
        if staged_tests and simple:
            raise _BreaksByTensor
        return regions

    try:
        regions, finals = fixed_point(trace, state, attempt)
    except _BreaksByTensor:
        assert breaks is not None
        breaks.by_tensor = True
        _staged_for_with_break(trace, items, body, cells, test or _always, loosened)
        return
    changing: list[Any] = [x for x in items.lists() if not x.is_live and _is_resized(x.owner, state, finals, regions[0])]
    changing += [x for x in items.lefts() if x.is_shared]
    if changing:
        for x in changing:
            x.is_live = True
        _staged_for_with_break(trace, items, body, cells, test or _always, loosened)
        return
    if staged_tests:
        assert test is not None
        if roll is not None and not roll.may_stop:
            raise CannotRoll  # when it ends, it is known while tracing
        _staged_for_with_break(trace, items, body, cells, test, loosened)
        return
    pack_outputs(trace, state, regions[0], finals)
    outers = close(trace, [regions[0].region])
    if roll is not None:
        roll.check(state, finals, regions[0].parameters, regions[0].region.graph)
    finish(trace, state, "for_loop", [trace.operand(count)], outers, (regions[0].region.graph,), finals)
    items.moved(count, True)
    if roll is not None:
        roll.settle(trace)


def _always() -> bool:
    return True


class _BreaksByTensor(BaseException):
    """A turn has shown that a tensor decides about a `break`: the loop is to be traced as one that asks."""


def _is_resized(owner: Any, state: LoopState, finals: list[Any], body: Traced) -> bool:
    """Whether a turn of a loop may leave a list with another length."""
    for place, final, parameter in zip(state.places, finals, body.parameters, strict=True):
        if isinstance(place, ListPlace) and place.owner is owner:
            before, after = dynamic_of(parameter), dynamic_of(final)
            if before is None or after is None:
                return True
            value = after.values[0]
            while value.node is not None and value.node.op.name == "list_set":
                value = value.node.inputs[0]
            return value is not before.values[0]
    return False


def _staged_for_with_break(
    trace: Trace,
    items: StagedIterable,
    body: Callable[[Any], None],
    cells: list[Place],
    test: Callable[[], Any],
    loosened: bool,
) -> None:
    counter = Slot("i", 0)
    is_live = any(x.is_live for x in [*items.lists(), *items.lefts()])
    count = items.count()
    first = truth_of(test())
    runs = isinstance(count, int) and first is True
    state = LoopState([counter, *cells], loosened, runs, body)
    state.exact = isinstance(count, int) and count <= MOST_TURNS
    state.types[0] = Leaf(INDEX)

    def step() -> None:
        index = counter.read()
        body(items.item(index))
        counter.write(op.add(index, 1))

    def attempt(state: LoopState) -> list[Traced]:
        def turn(thunk: Callable[[], Any], ends: bool) -> Traced:
            return with_parameters(trace, state, Graph(functions=trace.graph.functions), thunk, ends=ends)

        go_on = turn(
            lambda: both(items.more(counter.read()) if is_live else op.less(counter.read(), count), truth_of(test())), False
        )
        return [go_on, turn(step, True)]

    regions, finals = fixed_point(trace, state, attempt)
    shared = [x for x in items.lefts() if x.is_shared and not x.is_live]
    if shared:
        for x in shared:
            x.is_live = True
        _staged_for_with_break(trace, items, body, cells, test, loosened)
        return
    emit_while(trace, state, regions[0], regions[0].result, regions[1], finals)
    items.moved(counter.read(), truth_of(test()))


def _staged_stream(
    trace: Trace,
    items: StagedStream,
    handle: Any,
    body: Callable[[Any], None],
    cells: list[Place],
    test: Callable[[], Any] | None,
    loosened: bool,
) -> None:
    more = Slot("more", True)
    state = LoopState([more, *cells], loosened, runs=False)
    state.types[0] = Leaf(_BOOL)

    def step() -> None:
        there, item = items.pull(handle)
        staged_cond(trace, there, lambda: body(item()), lambda: None, cells)
        more.write(there)

    def attempt(state: LoopState) -> list[Traced]:
        def go_on() -> Any:
            return more.read() if test is None else both(more.read(), truth_of(test()))

        return [
            with_parameters(trace, state, Graph(functions=trace.graph.functions), thunk) for thunk in (go_on, step)
        ]

    regions, finals = fixed_point(trace, state, attempt)
    emit_while(trace, state, regions[0], regions[0].result, regions[1], finals)


generators.over = for_stmt
