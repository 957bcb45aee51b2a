"""Rolling: a `for` over a Python range that is long, or much code, becomes one graph loop where its turns are alike.

The first bodies run as Python runs them. When they left the loop's variables with the same types, the rest is traced once
more with the index as a symbol; if that fails, because the index is needed as a Python number or the body does what must
be done once for each turn, all is undone and the loop goes on being unrolled. A body that stages nothing stays Python.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import gt, length_hint
from sys import getrefcount
from types import BuiltinMethodType, FunctionType, MethodType, ModuleType
from typing import Any, TypeAlias

from autograph.errors.refusals import caution
from autograph.operators.containers.sharing import finish
from autograph.operators.state.places import name_places
from autograph.operators.statements.truth import is_staged_condition, truth_of
from autograph.operators.values.descriptors import (
    Descriptor,
    Leaf,
    Sequence,
    Static,
    canonical,
    describe,
    is_mutable,
    loosen,
    value_types,
)
from autograph.operators.values.quick import show
from runtime.ir.graph import Graph, Node, Value
from runtime.ir.walk import clone
from runtime.passes.dce import eliminate_dead_code
from runtime.tensor.trace import Calls, Place, Trace

__all__ = [
    "COUNTING",
    "FEW",
    "ROLLED",
    "ROLLED_WITH_LISTS",
    "ROLL_AFTER",
    "UNROLLED",
    "CannotRoll",
    "Counted",
    "Long",
    "Roll",
    "check_call",
    "check_lists",
    "counted",
    "is_long",
    "long_of",
    "numbers_of",
    "rolled",
    "rolled_rest",
    "size_of",
    "tried",
    "types_now",
]

FEW = 8
"""Turns of a range that are always unrolled."""
ROLLED = 64
"""Turns up to which a range is unrolled where that is little code; what is left of a longer one is rolled."""
MUCH = 128
"""Nodes that are much code: a rest of `FEW` turns or more that would be so many is rolled."""
MUCH_WITH_LISTS = 256
"""The same where the loop changes items of lists, which come out as lists of the graph."""
TOO_MUCH = 1000
"""Nodes that are too much code: a rest that would be so many is rolled although numbers in lists become tensors by that."""
ROLLED_WITH_LISTS = 256
"""The same where the loop makes a list longer, whose length would not be known any more."""
ROLL_AFTER = 2
"""Turns that must have left the loop's variables with the same types before the rest is rolled."""
UNROLLED = 1000
"""Turns that are unrolled without a word."""
_EVALUATED = 1_000_000  # turns for which Python numbers are counted on while tracing
_NUMBERS = (bool, int, float, complex)
_ONCE = frozenset(("next", "input", "open", "exec", "eval", "id", "__import__"))  # built-in functions with a memory
_PURE_MODULES = frozenset(("builtins", "math", "cmath", "operator", "_operator"))
_IMMUTABLE = (bool, int, float, complex, str, bytes, tuple, frozenset, range, slice, list, dict)  # lists are journalled


class CannotRoll(BaseException):
    """The body has to run once for each turn. Not an error: what it leaves may be code with `except Exception`."""


class Counted:
    """`enumerate` of a range: a sequence of (number, item)."""

    __slots__ = ("items", "start")

    def __init__(self, items: range, start: int) -> None:
        self.items = items
        self.start = start

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, part: slice) -> Counted:
        return Counted(self.items[part], self.start + part.indices(len(self.items))[0])

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return enumerate(self.items, self.start)


Long: TypeAlias = range | Counted
"""What may be rolled where it is long."""
_RANGES = frozenset((type(iter(range(1))), type(iter(range(1 << 80)))))  # iterators over ranges
COUNTING = _RANGES | {enumerate}
"""Types of the iterators that `long_of` knows."""


def long_of(iterator: Any) -> Long | None:
    """What an iterator over a long range will go over, if only its caller's caller holds it and so sees it go on."""
    held, inner, number = _held(iterator)
    if any(map(gt, held, _HELD)) or type(inner) not in _RANGES or length_hint(inner) <= FEW:
        return None
    _, (items,), *done = inner.__reduce__()
    if done[0]:  # before Python 3.12: how far it is
        items = items[done[0] :]
    return items if inner is iterator else Counted(items, number)


def _held(iterator: Any) -> tuple[tuple[int, int], Any, int]:
    """How often an iterator, and the one that it counts, are held; the inner one, and the number that comes next."""
    if type(iterator) is not enumerate:
        return (getrefcount(iterator), 0), iterator, 0
    state: Any = iterator.__reduce__()
    inner, number = state[1]
    del state  # it holds the inner one, too
    return (getrefcount(iterator), getrefcount(inner)), inner, number


def _held_by_caller(iterator: Any) -> tuple[int, int]:
    return _held_by_one(iterator)


def _held_by_one(iterator: Any) -> tuple[int, int]:
    return _held(iterator)[0]


_HELD = _held_by_caller(enumerate(iter(range(1))))


class Roll:
    """What the staged form of a rolled loop has to keep: Python numbers stay Python numbers where they can."""

    def __init__(self, items: Long, may_stop: bool, size: int = 0) -> None:
        self.items = items
        self.may_stop = may_stop  # its `break` is known to depend on a tensor
        self.size = size  # nodes, were it written out
        self.states: list[Any] = []  # what the loop carries, in each way that was tried
        self._numbers: list[tuple[Place, Any]] = []

    def check(self, state: Any, finals: list[Any], parameters: list[Any], graph: Graph) -> None:
        """Refuse what unrolling does better; find the numbers the loop leaves. The region is closed by now."""
        numbers = numbers_of(state, finals, parameters)
        check_lists(state, finals, parameters, graph, len(self.items), self.size)
        self._numbers = list(_evaluated(graph, numbers, self.items))

    def settle(self, trace: Trace) -> None:
        """Give the places that hold Python numbers what Python would have left there."""
        for place, value in self._numbers:
            trace.record(place)
            place.write(value)


def numbers_of(state: Any, finals: list[Any], parameters: list[Any]) -> dict[int, tuple[Place, Any]]:
    """The places with Python numbers that a loop's turns change, by the output of its body that is the new one."""
    numbers: dict[int, tuple[Place, Any]] = {}
    at = 0
    for place, entry, d, final, parameter in zip(state.places, state.entries, state.types, finals, parameters, strict=True):
        here, at = at, at + len(value_types(d))
        if isinstance(d, Static) or final is parameter:
            continue
        if type(entry) in _NUMBERS and isinstance(d, Leaf):
            numbers[here] = (place, entry)
    return numbers


def check_lists(
    state: Any, finals: list[Any], parameters: list[Any], graph: Graph, turns: int, size: int
) -> None:
    """Refuse to roll a loop of `turns` turns, `size` nodes together, for which less would be known of what it changes.

    Raises:
      CannotRoll: it changes a text, or is too short for one that changes numbers in lists, or the length of lists.
    """
    changed = [
        (d, type(entry))
        for d, entry, f, p in zip(state.types, state.entries, finals, parameters, strict=True)
        if not isinstance(d, Static) and f is not p
    ]
    if any(kind is str or (size < TOO_MUCH and _holds_numbers(d)) for d, kind in changed):
        raise CannotRoll
    if turns > ROLLED_WITH_LISTS or not any(isinstance(d, Sequence) for d, _ in changed):
        return
    if size < MUCH_WITH_LISTS or not _RESIZING.isdisjoint(n.op.name for n in graph.walk()):
        raise CannotRoll


_RESIZING = frozenset(f"list_{name}" for name in "append concat pop insert slice repeat".split())


def is_long(x: Long) -> bool:
    """Whether a range has more turns than are always unrolled."""
    return bool(x[FEW:])


def _is_worth(items: Long, turn: int, size: int) -> bool:
    """Whether to roll what comes after a turn, which would be so many nodes."""
    if items[ROLLED:]:
        return bool(items[turn + 1 + ROLLED // 2 :])
    return len(items) - turn - 1 >= FEW and size >= MUCH


def size_of(added: list[Node]) -> int:
    """How many nodes these are with those in them."""
    return sum(1 + sum(1 for r in n.regions for _ in r.walk()) for n in added)


def rolled(
    trace: Trace,
    items: Long,
    body: Callable[[Any], None],
    names: tuple[str, ...],
    test: Callable[[], Any] | None,
    stage: Callable[[Roll, list[Place]], None],
    guarded: Callable[[Iterator[Any], list[Place]], None],
) -> None:
    """`for item in items: body(item)` over a long range. `stage` makes the graph loop of the rest, `guarded` goes on turn
    by turn where a `break` depends on a tensor."""
    nodes = trace.builder.region.graph.nodes
    given_up: dict[Any, int] = trace.notes.setdefault("unrolled", {})  # sizes below which a body is not rolled
    cells: list[Place] | None = None
    before, equal, staged = None, 0, 0
    for turn, item in enumerate(items):
        mark = len(nodes)
        body(item)
        if cells is None:
            cells = name_places(names, body)
        if test is not None:
            go_on = test()
            go_on = go_on if go_on is True else truth_of(go_on)
            if is_staged_condition(go_on):
                rolled_rest(trace, items[turn + 1 :], cells, stage, guarded)
                return
            if not go_on:
                return
        if len(nodes) == mark:
            before, equal = None, 0
            continue
        staged += 1
        if staged == UNROLLED:
            caution("unrolled-loop", count=staged)
        size = (len(items) - turn - 1) * size_of(nodes[mark:])
        if size < given_up.get(_key(body), 0):
            continue
        now = types_now(cells)
        equal, before = (equal + 1 if now == before else 1), now
        if equal >= ROLL_AFTER and _is_worth(items, turn, size):
            roll = Roll(items[turn + 1 :], False, size)
            if tried(trace, roll.states, lambda roll=roll: stage(roll, cells)):  # type: ignore[misc]
                return
            given_up[_key(body)] = next((limit for limit in (MUCH_WITH_LISTS, TOO_MUCH) if size < limit), sys.maxsize)


def rolled_rest(
    trace: Trace,
    rest: Long,
    cells: list[Place],
    stage: Callable[[Roll, list[Place]], None],
    guarded: Callable[[Iterator[Any], list[Place]], None],
) -> None:
    """What is left of a long range after a turn that ended with a staged `break`."""
    roll = Roll(rest, may_stop=True)
    if not is_long(rest) or not tried(trace, roll.states, lambda: stage(roll, cells)):
        guarded(iter(rest), cells)


def _key(body: Any) -> Any:
    return getattr(body, "__code__", body)


def types_now(cells: list[Place]) -> Any:
    """The types of a loop's variables, to be compared with those after another turn."""
    return canonical([_type_of(cell.read()) for cell in cells])


def _type_of(x: Any) -> Descriptor:
    """A variable's type; of a list, which the loop may make longer, only that it is one."""
    return Static(type(x)) if is_mutable(x) else loosen(describe(x))


def tried(trace: Trace, states: list[Any], stage: Callable[[], None]) -> bool:
    """Make the graph loop; whether there is one. If not, all is as it was: `states` are what was carried so far."""
    graph = trace.builder.region.graph
    finish(trace)  # what rows that were changed say of their lists is not the loop's, and stays where it is given up
    mark = len(graph.nodes)  # what the places hold is not held here: who alone holds a tensor, is counted
    with _rolling(trace):
        try:
            stage()
            return True
        except (CannotRoll, Exception):  # noqa: BLE001 (the user's own error comes again, at its own turn)
            del graph.nodes[mark:]
            for state in states:
                state.restore()
            return False


class _Forgetful(Calls):
    """Remembers no call: each is looked at."""

    def __setitem__(self, key: Any, value: Any) -> None:
        """Nothing."""


@contextmanager
def _rolling(trace: Trace) -> Iterator[None]:
    outer = trace.notes.get("rolling")
    trace.notes["rolling"] = True
    calls, trace.calls = trace.calls, _Forgetful()
    show()
    try:
        yield
    finally:
        trace.calls = calls
        if "lists" in trace.notes:
            calls.clear()
        if outer is None:
            del trace.notes["rolling"]
        show()


def check_call(f: Any) -> None:
    """Refuse to roll a body that calls what is not converted and may give something else at each call."""
    kind = type(f)
    if kind is MethodType:
        f = f.__func__
        kind = type(f)
    if kind is FunctionType:
        module = f.__module__ or ""
        if module.partition(".")[0] not in ("numpy", "autograph", "runtime"):
            raise CannotRoll
    elif kind is BuiltinMethodType:
        owner = f.__self__
        if isinstance(owner, ModuleType):
            if f.__name__ in _ONCE or (f.__module__ not in _PURE_MODULES and not f.__module__.startswith("numpy")):
                raise CannotRoll
        elif type(owner) not in _IMMUTABLE and not isinstance(owner, type) and f.__name__ != "copy":
            raise CannotRoll


def _holds_numbers(d: Descriptor) -> bool:
    """Whether a structure or list holds Python numbers, which would come out as tensors."""
    if isinstance(d, Leaf):
        return False
    types = value_types(d)
    return any(getattr(t, "weak", False) or getattr(getattr(t, "element", None), "weak", False) for t in types)


# Python numbers that the loop changes, whatever tensors hold


def _evaluated(graph: Graph, numbers: dict[int, tuple[Place, Any]], items: Long) -> Iterator[tuple[Place, Any]]:
    """(place, value after the loop) for each number that depends on such numbers only.

    `graph` is the body: its inputs are the index, the carried values, and what it uses from outside.
    """
    needs = _evaluable(graph, numbers)
    order = sorted(needs)
    if not order:
        return
    last_only = all(needs[k] <= {0} for k in order)
    if len(items) > _EVALUATED and not last_only:
        raise CannotRoll
    run = _part(graph, order)
    values = [numbers[k][1] for k in order]
    payloads: list[Any] = [None] * len(graph.inputs)
    for index in [len(items) - 1] if last_only else range(len(items)):
        payloads[0] = index
        for k, value in zip(order, values, strict=True):
            payloads[k + 1] = value
        values = run(*payloads)
    for k, value in zip(order, values, strict=True):
        yield numbers[k][0], value


def counted(test: Graph, graph: Graph, numbers: dict[int, tuple[Place, Any]]) -> tuple[int, list[tuple[Place, Any]]]:
    """How many turns a loop takes whose test needs such numbers only, and (place, value after it) for each of them.

    `test` has the inputs of `graph`, the body, but the index.
    """
    order = sorted(_evaluable(graph, numbers))
    needs = _inputs_of(test, test.outputs[0])
    if needs is None or not needs <= set(order):
        raise CannotRoll
    goes_on, run = _part(test, [0]), _part(graph, order)
    values = [numbers[k][1] for k in order]
    payloads: list[Any] = [None] * len(graph.inputs)
    known: list[Any] = [None] * len(test.inputs)
    turns = 0
    while True:
        for k, value in zip(order, values, strict=True):
            known[k] = payloads[k + 1] = value
        if not goes_on(*known)[0]:
            return turns, [(numbers[k][0], value) for k, value in zip(order, values, strict=True)]
        if turns == _EVALUATED:
            raise CannotRoll
        values = run(*payloads)
        turns += 1


def _part(graph: Graph, outputs: list[int]) -> Callable[..., list[Any]]:
    """What computes some outputs of a graph."""
    from runtime.backends.numpy_executor.executor import compile_graph

    part = clone(graph)
    part.outputs = [part.outputs[k] for k in outputs]
    return compile_graph(eliminate_dead_code(part, without_demands=True))


def _evaluable(graph: Graph, numbers: dict[int, Any]) -> dict[int, set[int]]:
    """The numbers that depend on such numbers and the index only, with the inputs that each needs."""
    known = set(numbers)
    while True:
        needs = {k: inputs for k in known if (inputs := _inputs_of(graph, graph.outputs[k])) is not None}
        kept = {k for k, inputs in needs.items() if inputs <= {0, *(n + 1 for n in known)}}
        if kept == known:
            return needs
        known = kept


def _inputs_of(graph: Graph, value: Value) -> set[int] | None:
    """Numbers of the inputs that a value depends on; None where it depends on an effect."""
    inputs = {v: i for i, v in enumerate(graph.inputs)}
    found: set[int] = set()
    pending, seen = [value], set()
    while pending:
        v = pending.pop()
        if v in inputs:
            found.add(inputs[v])
            continue
        node: Node | None = v.node
        if node is None or node in seen:
            continue
        seen.add(node)
        if node.op.effect is not None or node.op.name == "call" or any(n.op.effect for r in node.regions for n in r.walk()):
            return None
        pending += node.inputs
    return found
