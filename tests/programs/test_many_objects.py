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
