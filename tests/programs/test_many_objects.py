"""Many objects made in a trace that meets no tensor, or meets one late: as in Python, and with few hooks."""

from __future__ import annotations

import weakref
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest

import autograph as ag
from tests.programs.test_few_hooks import calls_in_a_trace


class Node:
    def __init__(self, value: Any, following: Any = None) -> None:
        self.value = value
        self.following = following


class Slotted:
    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class Empty:
    pass


KEPT: list[Any] = []
COUNTS: dict[str, int] = {"calls": 0}


def chain(n: int = 60) -> Any:
    head = None
    for k in range(n):
        head = Node(k, head)
        head.value += Slotted(k).value
        empty = Empty()
        empty.value = head.value  # type: ignore[attr-defined]
    total, at = 0, head
    while at is not None:
        total += at.value
        at = at.following
    return total


def grouped() -> Any:
    groups: Any = defaultdict(list)
    names: Any = defaultdict(set)
    for k in range(50):
        groups[k % 20].append(k)
        names[k, 1].add(k % 3)
    inner: Any = defaultdict(dict)
    for k in range(20):
        inner[k]["x"] = k
    return dict(groups), dict(names), dict(inner)


def zipped() -> Any:
    a, b, found = [1, 2, 3], (4, 5, 6), []
    for k in range(30):
        found.append([x * y + k for x, y in zip(a, b)])
        found.append([x * y for x, y in zip(a, range(2)) if x > 1])
        for x, y in zip(a, b, strict=True):
            found[-1].append(x - y)
    pairs = zip(a, b)
    first = [x for x, _ in pairs]
    return found, first, [x for x, _ in pairs], list(zip())


@pytest.mark.parametrize("program", [chain, grouped, zipped])
def test_as_in_python(program: Callable[[], Any]) -> None:
    assert ag.function(program)() == program()
    calls_in_a_trace(program)


def test_little_is_noted_of_them() -> None:
    called = calls_in_a_trace(chain, tensors=False)
    assert called.count("note_birth") + called.count("set_attr") + called.count("gone") == 0
    called = calls_in_a_trace(grouped, tensors=False)
    assert called.count("note_list") == 0
    called = calls_in_a_trace(zipped, tensors=False)
    assert called.count("emitting") + called.count("staged_iterable") <= 6


def chain_then(x: Any) -> Any:
    before = chain(), len(grouped()[0])
    first, second = Node(1.0), Node(2.0)
    if x > 1.0:
        first.value, second.following = second.value * x, first
    else:
        first.value = Node(x * 3.0).value
    made = [Node(x * k) for k in (1.0, 2.0)]
    return before[0], before[1], first.value, made[1].value


THERE = ag.Variable(2.0, dtype=ag.float64)


def test_a_tensor_that_comes_late() -> None:
    @ag.function
    def by_variable() -> Any:
        return chain_then(THERE.read_value())

    for value in (2.0, 0.5):
        THERE.assign(value)
        assert [float(v) for v in by_variable()] == list(chain_then(value))
        assert [float(v) for v in ag.function(chain_then)(ag.constant(value, ag.float64))] == list(chain_then(value))


def test_what_outlives_the_trace_is_as_python_leaves_it() -> None:
    class Keeper:
        def __init__(self) -> None:
            self.head: Any = None
            self.made = 0

        def keep(self, n: int) -> int:
            for k in range(n):
                self.head = Node(k, self.head)
                self.made += 1
            self.head.value = -1
            return self.made

    plain, traced = Keeper(), Keeper()
    plain.keep(40)
    assert ag.function(traced.keep)(40) == plain.made == traced.made
    a, b = plain.head, traced.head
    while a is not None:
        assert (type(b), b.value) == (Node, a.value)
        a, b = a.following, b.following


def test_objects_from_outside_are_not_taken_for_new_ones() -> None:
    """What dies gives its place in memory to another: an object that was there before is still one from outside."""
    outside = [Node(k) for k in range(50)]
    late = ag.Variable(1.0, dtype=ag.float64)

    @ag.function
    def program() -> Any:
        for k, node in enumerate(outside):
            Node(k)
            node.value += Node(1).value
        return late.read_value() * 2.0

    for turn in (1, 2, 3):
        assert float(program()) == 2.0
        assert [node.value for node in outside] == [k + turn for k in range(50)]


def test_they_die_as_in_python() -> None:
    def program() -> list[bool]:
        seen = []
        for k in range(40):
            node = Node(k)
            gone = weakref.ref(node)
            node = Node(k)
            seen.append(gone() is None)
        return seen

    assert all(program())
    assert all(ag.function(program)())


class Shelf:
    """A container of the user's, all of whose special methods are Python code."""

    def __init__(self, items: list[Any]) -> None:
        self.items = items
        self.seen: set[Any] = set()
        self.log: list[str] = []

    def __len__(self) -> int:
        self.log.append("len")
        return len(self.items)

    def __contains__(self, item: Any) -> Any:
        self.seen.add(7)
        return item if item in self.items else 0

    def __iter__(self) -> Any:
        self.log.append("iter")
        for item in self.items:
            yield item
        self.log.append("end")

    def add(self, item: Any) -> None:
        self.items.append(item)


class Countdown:
    """An iterator of the user's own."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.asked = 0

    def __iter__(self) -> Any:
        self.asked += 1
        return self

    def __next__(self) -> int:
        if self.n == 0:
            raise StopIteration
        self.n -= 1
        return self.n


def contained() -> Any:
    rows = [Node(k) for k in range(30)]
    shelf, found = Shelf([1, 2, 3]), []
    for k in range(20):
        found.append([k in shelf, k not in shelf, len(shelf)])
        found.append([x for x in (1, 2) if x in shelf])
        for x in shelf:
            if x == 2:
                continue
            if x > 2 and k > 3:
                break
            found[-1].append(x)
        else:
            shelf.add(k)
    return found, shelf.log, shelf.seen, len(rows)


def own_iterators() -> Any:
    found, rows = [], [Node(k) for k in range(30)]
    for k in range(5):
        down = Countdown(4)
        for x in down:
            if x == k:
                break
            found.append(x)
        found += [down.asked, down.n]
        for x in down:
            found.append(x)
        found.append(down.asked)
    return found, len(rows)


def in_order() -> Any:
    rows, found = [Node(k * 7 % 30) for k in range(30)], []
    for k in range(5):
        found.append([r.value for r in sorted(rows, key=lambda r: r.value % 10)])  # noqa: C414
        found.append([r.value for r in sorted(rows, key=lambda r: (r.value % 3, -r.value), reverse=True)])
        found.append(sorted({3, 1, k}) + sorted(d for d in (2, 1)) + sorted("cab"))
    return found


def computed_containers() -> Any:
    rows, log = [Node([]) for _ in range(30)], []

    class Noisy:
        @property
        def append(self) -> Any:
            log.append("looked up")
            return log.append

    shelf: dict[str, Any] = {"a": Noisy(), "b": [], "c": set()}
    for k in range(5):
        rows[k].value.append(k)
        rows[k].value.append(len(rows[k].value))
        shelf["a"].append(k)
        shelf["b"].append(k)
        shelf["c"].add(k)
        shelf["b"].clear() if k == 2 else shelf["b"].reverse()
    try:
        rows[0].nothing.append(1)
    except AttributeError as error:
        log.append(str(error))
    return [r.value for r in rows], log, shelf["b"], shelf["c"]


@pytest.mark.parametrize("program", [contained, in_order, computed_containers])
def test_containers_of_the_users(program: Callable[[], Any]) -> None:
    assert ag.function(program)() == program()
    calls_in_a_trace(program)


def test_iterators_are_asked_for_once() -> None:
    assert ag.function(own_iterators)() == own_iterators()
    calls_in_a_trace(own_iterators, tensors=False)


def test_a_user_s_container_is_asked_without_hooks() -> None:
    called = calls_in_a_trace(contained, tensors=False)
    assert called.count("special") + called.count("emitting") <= 6


def sorted_late(x: Any) -> Any:
    rows = [Node(k) for k in range(30)]
    shelf = Shelf([1.0, 2.0])
    before = [r.value for r in sorted(rows, key=lambda r: -r.value)][0], len(shelf), sum(v for v in shelf)
    log: list[Any] = []

    def key(v: Any) -> Any:
        log.append(v)
        return -v * x

    total = 0.0
    for v in shelf:
        if v * x > 3.0:
            break
        total += v * x
    shelf.items.append(x)
    return before, sorted([1.0, 3.0, 2.0], key=key), len(log), total, 2.0 in shelf.items, [v * 1.0 for v in shelf][-1]


@pytest.mark.parametrize("value", [2.0, -1.5])
def test_tensors_that_come_late_in_containers(value: float) -> None:
    THERE.assign(value)

    @ag.function
    def by_variable() -> Any:
        return sorted_late(THERE.read_value())

    before, order, *rest = sorted_late(value)
    for found in (by_variable(), ag.function(sorted_late)(ag.constant(value, ag.float64))):
        assert tuple(found[0]) == before
        assert [float(v) for v in found[1]] == order
        assert [float(v) for v in found[2:]] == [float(v) for v in rest]
