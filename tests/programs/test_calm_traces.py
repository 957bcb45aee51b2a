"""Traces that meet no tensor: methods, tests of loops and quantifiers run in place, and as Python where classes change."""

from __future__ import annotations

import collections
import gc
import random
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import autograph as ag
from tests.programs.test_few_hooks import calls_in_a_trace


class Cursor:
    """What reads a list of numbers, with a property, so that reading its attributes may run code."""

    def __init__(self, items: Any) -> None:
        self.items = items
        self.at = 0
        self.log: list[str] = []

    @property
    def left(self) -> int:
        return len(self.items) - self.at

    def peek(self) -> Any:
        return self.items[self.at]

    def take(self, more: Any = 0) -> Any:
        self.at += 1
        return self.items[self.at - 1] + more

    def __getitem__(self, at: int) -> Any:
        return self.items[at]

    def __setitem__(self, at: int, value: Any) -> None:
        self.items[at] = value


def methods() -> Any:
    cursor, total, k = Cursor([1, 2, 3, 4, 5, 6, 7]), 0, 1
    for _ in [1, 2, 3, 4, 5]:
        total += cursor.peek() + cursor.take(k) + cursor.take(more=k) * 0
        cursor.at -= 1
    return total


def loops_with_tests() -> Any:
    cursor, total = Cursor([1, 2, 3, 4, 5]), 0
    for k in [1, 2]:
        total += k
    while cursor.left > 1 and cursor.peek() < 5:
        total += cursor.take()
    return total


def items() -> Any:
    cursor = Cursor([1, 2, 3])
    for k in (0, 1, 2):
        cursor[k] = cursor[k] + cursor[0]
    return cursor.items


def quantified() -> Any:
    found = []
    for row in [(1, 2), (3, 4)]:
        for k in (1, 3):
            found += [any(x > k for x in row), all(x > k for x in row)]
    return found


class Bag:
    """A class whose methods have the names of a list's and a dictionary's."""

    def __init__(self) -> None:
        self.held: dict[str, list[int]] = collections.defaultdict(list)

    def add(self, key: str, x: int) -> None:
        self.held[key].append(x)

    def pop(self, key: str) -> int:
        return self.held[key].pop()

    def get(self, key: str) -> list[int]:
        return self.held[key]


def containers() -> Any:
    bag = Bag()
    for k in [1, 2, 3, 4]:
        bag.add("ab"[k % 2], k)
        bag.add("a", -k)
    return bag.pop("a"), bag.get("a"), bag.get("b"), bag.get("c"), dict(bag.held)


def comprehended() -> Any:
    rows = [[i * j % 7 for j in range(4)] for i in range(4)]
    for row in [*rows]:
        rows.append([x for x in row if x % 2])
    known = {(i, j): x for i, row in enumerate(rows) for j, x in enumerate(row) if x}
    return rows, [x for row in rows for x in row if x > 2], known, {x for x in known.values() if x % 2}


def filtered() -> Any:
    rows, found = [[i * j % 7 for j in range(4)] for i in range(4)], []
    for row in [*rows]:
        found += [x for x in row if x % 2]
    return found, [x for row in rows for x in row if x > 2]


def popped() -> Any:
    bag = Bag()
    bag.held["a"] = [1, 2, 3, 4, 5, 6]
    return [bag.pop("a") + len(bag.get("a")) for _ in (1, 2, 3)]


def texts() -> Any:
    found = []
    for name in ["ab", "cd"]:
        found.append(", ".join([name] * 2) + "-".join(c for c in name) + "{}|{}".format(name, len(found)))
        found.append(name.replace(name[0], "x" * len(found)))
    return found


def local_functions() -> Any:
    def fib(n: int) -> int:
        return n if n < 2 else fib(n - 1) + fib(n - 2)

    return fib(9)


@pytest.mark.parametrize(
    ("program", "hooks"),
    [
        (methods, ("callee",)),
        (loops_with_tests, ("callee", "ask", "loop_test")),
        (items, ("special", "is_object")),
        (filtered, ("collect", "truth_of")),
        (texts, ("method_of_text", "_join")),
        (quantified, ("emitting", "staged_iterable", "truth_of", "_calls_user_code")),
    ],
)  # fmt: skip
def test_hooks_that_are_not_called(program: Callable[[], Any], hooks: tuple[str, ...]) -> None:
    called = calls_in_a_trace(program, tensors=False)
    assert [name for name in called if name in hooks] == []


def test_local_functions_are_looked_up_once() -> None:
    assert calls_in_a_trace(local_functions).count("callee") <= 2


def hidden_by_an_attribute() -> Any:
    found = []
    for k in range(4):
        cursor: Any = Cursor([1, 2, 3])
        if k == 2:
            cursor.take = lambda more=0: 100 + more
        found.append(cursor.take(k))
    return found


def another_object_s() -> Any:
    first, second = Cursor([1, 2, 3]), Cursor([10, 20, 30])
    found = [first.take(), second.take()]
    first.take = second.take  # type: ignore[method-assign]
    return [*found, first.take(), first.take(), first.at, second.at]


def changed_class() -> Any:
    class Local(Cursor):
        def take(self, more: Any = 0) -> Any:
            return -1

    cursor = Local([1, 2, 3])
    found = []
    for k in range(4):
        if k == 2:
            Local.take = lambda self, more=0: self.at + 50  # type: ignore[method-assign, assignment]
        found.append(cursor.take())
    del Local.take
    return [*found, cursor.take()]


def changed_items() -> Any:
    class Local(Cursor):
        def __getitem__(self, at: int) -> Any:
            return -at

    cursor = Local([1, 2, 3])
    found = [cursor[1], cursor[2]]
    Local.__getitem__ = lambda self, at: at + 50  # type: ignore[method-assign, assignment]
    found.append(cursor[1])
    del Local.__getitem__
    return [*found, cursor[1]]


def asked_by_attributes() -> Any:
    class Odd:
        def __init__(self) -> None:
            self.asked = 0

        def __getattr__(self, name: str) -> Any:
            self.asked += 1
            return Cursor([self.asked, 7]).take

    odd = Odd()
    return [odd.take(1), odd.take(), odd.anything(2), odd.asked]


def arguments_that_are_evaluated_later() -> Any:
    log: list[str] = []

    class Owner:
        def take(self, x: Any, y: Any) -> Any:
            log.append(f"take {x} {y}")
            return self

        @property
        def own(self) -> Any:
            log.append("own")
            return self

    def given(x: Any) -> Any:
        log.append(f"given {x}")
        return x

    owner = Owner()
    owner.own.take(given(1), y=given(2)).take(3, y=4).own.take(*[5, 6])
    return log


def missing() -> Any:
    cursor, found = Cursor([1]), []
    for name in ("items", "at"):
        try:
            cursor.put(name)  # type: ignore[attr-defined]
        except AttributeError as error:
            found.append(str(error))
        try:
            cursor.take(1, 2)  # type: ignore[call-arg]
        except TypeError as error:
            found.append(str(error))
    return found


@pytest.mark.parametrize(
    "program",
    [
        hidden_by_an_attribute, another_object_s, changed_class, changed_items, asked_by_attributes,
        arguments_that_are_evaluated_later, missing, containers, comprehended, popped,
    ],
)  # fmt: skip
def test_as_in_python(program: Callable[[], Any]) -> None:
    assert ag.function(program)() == program()
    calls_in_a_trace(program)


def test_nobody_else_holds_an_object_whose_method_was_called() -> None:
    seen: list[bool] = []

    def program() -> None:
        cursor = Cursor([1, 2, 3])
        gone = weakref.ref(cursor)
        cursor.take()
        cursor.take(len(cursor.items))
        while cursor.left > 0:
            cursor.take()
        cursor = Cursor([])
        seen.append(gone() is None)

    calls = calls_in_a_trace(program)
    assert calls and all(seen)


def read_until(x: Any) -> Any:
    cursor, total = Cursor([1.0, 2.0, 3.0, 4.0]), 0.0
    while cursor.left > 2:
        total += cursor.take()
    cursor.items = [x * v for v in cursor.items]
    while cursor.left > 0 and cursor.take() < 7.0:
        total += cursor.peek() if cursor.left > 0 else 0.5
    return total, cursor.at


def counted_until(x: Any) -> Any:
    cursor, turns = Cursor([1.0, 2.0, 3.0, 4.0]), 0
    while (first := cursor.take()) < 2.0:
        turns += 1
    cursor.at, cursor.items = 0, [x, x + 1.0, x + 2.0, 100.0]
    while (value := cursor.take()) < 3.0 and cursor.left > 0:
        turns += 1
    return turns, first + value


def joined_later(x: Any) -> Any:
    found = [len(", ".join([name] * 2)) for name in ["ab", "c"]]
    for value in [1.0, x]:
        found.append(len("|".join([str(value > 2.0), "{}".format(value > 3.0)])))
    return found


def quantified_later(x: Any) -> Any:
    before = any(v > 2.0 for v in (1.0, 2.0, 3.0)), all(v > 2.0 for v in (1.0, 2.0, 3.0))
    log: list[Any] = []

    def over(v: Any) -> Any:
        log.append(v)
        return v > x

    found = any(v > x for v in [1.0, 2.0, 3.0]), all(v > x for v in (1.0, 2.0, 3.0))
    return [before[0], before[1], *found, any(over(v) for v in (0.5, 2.5)), len(log)]


OUTSIDE = ag.Variable(2.5, dtype=ag.float64)


@pytest.mark.parametrize("program", [read_until, counted_until, quantified_later, joined_later])
def test_tensors_that_come_later(program: Callable[[Any], Any]) -> None:
    """The trace has gone on as if there were none."""

    @ag.function
    def by_variable() -> Any:
        return program(OUTSIDE.read_value())

    expected = program(2.5)
    for found in (by_variable(), ag.function(program)(ag.constant(2.5, ag.float64))):
        assert [float(v) for v in found] == pytest.approx([float(v) for v in expected])


def test_functions_that_die_are_not_mixed_up() -> None:
    def program() -> Any:
        found = []
        for k in range(40):

            def add(x: int, k: int = k) -> int:
                return x + k

            def twice(x: int, add: Any = add) -> int:
                return add(add(x))

            found.append(twice(k))
            del add, twice
            if k % 10 == 0:
                gc.collect()
        return found

    assert ag.function(program)() == program()
    calls_in_a_trace(program)


def taken_while_small(x: Any) -> Any:
    cursor, turns = Cursor([x, x * 2.0, x * 3.0, x * 4.0]), 0
    while cursor.left > 0 and cursor.take() < 7.0:
        turns += 1
    return cursor.at, turns


@pytest.mark.parametrize("x", [1.0, 2.5, 9.0])
def test_a_test_that_changes_what_was_made_here_is_undone(x: float) -> None:
    """It is asked once to see whether its truth is staged, and again in the loop of the graph."""
    found = ag.function(taken_while_small)(ag.constant(x, ag.float64))
    assert tuple(int(v) for v in found) == taken_while_small(x)


class Held:
    """Somewhere to put a generator."""

    generator: Any = None


HELD = Held()


def draws() -> Any:
    generator, items = random.Random(3), list(range(40))
    generator.shuffle(items)
    picked = items[:3], generator.sample(items, 5), generator.choice(items), generator.choices(items, k=3)
    generator.seed(4)
    return picked, [generator.randint(0, 9) for _ in range(20)], round(generator.gauss(0, 1), 9)


def draws_of_a_generator_that_is_kept() -> Any:
    generator = random.Random(3)
    generator.random()
    HELD.generator = generator
    return generator.random()


def draws_before_a_tensor() -> Any:
    generator = random.Random(3)
    first = generator.random()
    return ag.constant(2.0, ag.float64) * first + generator.random()


def test_seeded_generators_are_python_s() -> None:
    drawn = ag.function(draws)
    assert [drawn(), drawn()] == [draws(), draws()]
    assert "_staged" not in calls_in_a_trace(draws, tensors=False)
    calls_in_a_trace(draws, tensors=False)


@pytest.mark.parametrize("program", [draws_of_a_generator_that_is_kept, draws_before_a_tensor])
def test_seeded_generators_begin_anew_at_each_call(program: Callable[[], Any]) -> None:
    def after_each(f: Callable[[], Any]) -> list[float]:
        HELD.generator = random.Random(7)
        return [v for _ in range(3) for v in (float(f()), HELD.generator.random())]

    assert after_each(ag.function(program)) == after_each(program)
