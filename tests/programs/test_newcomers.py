"""What a trace has made itself and others hold: its content is Python's, and no state of the function."""

import dataclasses
import enum
import functools
import gc
import heapq
import threading
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

import autograph as ag
from autograph.operators.state.births import has_frozen
from autograph.staging.newcomers import Newcomers


class Quoter(dict):
    """Keeps what it was made with."""

    def __init__(self, safe: str) -> None:
        self.safe = safe
        self.seen: list[str] = []

    def __missing__(self, key: str) -> str:
        self.seen.append(key)
        value = self[key] = key if key in self.safe else "?"
        return value


@functools.lru_cache
def quoter(safe: str) -> Quoter:
    return Quoter(safe)


table: dict[str, int] | None = None


def test_objects_in_a_cache_stay_complete_where_a_function_is_traced_again() -> None:
    def quoted(text: str) -> str:
        global table
        if table is None:  # becomes state of the function: it is traced again
            table = {"a": 1}
        q = quoter("abc")
        return "".join([q[c] for c in text]) + q.safe + str(len(table))

    made = ag.function(quoted)
    assert made("cab!") == "cab?abc1"
    assert made("cab!") == "cab?abc1"
    assert quoter("abc").seen == ["c", "a", "b", "!"]


kept: list[Any] = []


def test_what_a_frame_keeps_alive_takes_one_trace() -> None:
    turns = []

    def failing() -> int:
        turns.append(1)
        seen = []
        try:
            seen.append(1)
            raise ValueError(seen)
        except ValueError as error:
            kept[:] = [error]  # its frame holds `seen`
        return len(seen)

    assert ag.function(failing)() == 1
    assert len(turns) <= 2


def test_what_was_there_before_is_state() -> None:
    log: list[Any] = []

    @ag.function
    def f(x: Any) -> Any:
        log.append(x)
        return x + len(log)

    assert [int(f(ag.constant(1))) for _ in range(3)] == [2, 3, 4]
    assert [int(x) for x in log] == [1, 1, 1]


def test_new_objects_are_known() -> None:
    before: list[Any] = [[]]
    newcomers = Newcomers(yields=True)
    try:
        made: list[Any] = [[]]
        found = newcomers.surely()
        assert id(made) in found and id(made[0]) in found
        assert id(before) not in found and id(before[0]) not in found
        newcomers.collect()
        assert id(made) in newcomers.surely()
    finally:
        newcomers.close()
    assert not has_frozen()


@pytest.mark.parametrize("again", [gc.collect, gc.unfreeze])
def test_no_object_is_known_to_be_new_after_a_look_at_all(again: Any) -> None:
    before: list[Any] = [[]]
    newcomers = Newcomers(yields=True)
    try:
        again()
        assert id(before) not in newcomers.surely()
    finally:
        newcomers.close()
    assert not has_frozen()


def test_threads_trace_in_turn() -> None:
    """What one thread freezes or thaws would be lost to the other, which would trace again, and again."""
    inside, found = [0], []

    def run(x: Any) -> Any:
        inside[0] += 1
        found.append(inside[0])
        time.sleep(0.02)
        inside[0] -= 1
        return x

    def traced() -> None:
        ag.function(ag.autograph.experimental.do_not_convert(run))(ag.constant(1.0))

    threads = [threading.Thread(target=traced) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(found) == {1}


def test_a_dictionary_from_before_is_not_new() -> None:
    cache: dict[str, list[int]] = {}  # the collector does not know it yet

    @ag.function
    def f(x: Any) -> Any:
        cache["a"] = [1, 2]
        return x + len(cache)

    assert int(f(ag.constant(1))) == 2
    cache.clear()
    assert int(f(ag.constant(1))) == 2
    assert [int(x) for x in cache["a"]] == [1, 2]


def squares(n: int) -> Iterator[Any]:
    for i in range(n):
        try:
            yield i * i
        finally:
            pass


def scaled(x: Any, n: int) -> Iterator[Any]:
    for i in range(n):
        if x > i:
            yield x * i


def test_generators_before_the_first_tensor_and_after() -> None:
    weights = ag.constant([1.0, 2.0, 3.0])

    @ag.function
    def f() -> Any:
        start = sum(squares(4)) + next(squares(3))
        total = weights[0] * 0
        for item in squares(3):
            total += item * weights[1]
        for w in scaled(weights[2], 5):
            total += w
        return total + start

    assert float(f()) == 14 + 10.0 + 3.0 * (0 + 1 + 2)


def test_lists_and_heaps_before_the_first_tensor_and_after() -> None:
    weights = ag.constant([3.0, 1.0, 2.0])

    @ag.function
    def f() -> Any:
        total, heap, left = 0.0, [5.0, 1.0], []
        for x in [1.0, 2.0]:
            heapq.heappush(heap, x)
            left.append(x)
        for i in [0, 1, 2]:  # goes on with tensors
            heapq.heappush(heap, weights[i])
            left.append(weights[i])
        for x in left:
            total += x
        while heap:
            total = total * 2 + heapq.heappop(heap)
        return total, next(iter(left))

    expected = 9.0
    for x in sorted([5.0, 1.0, 1.0, 2.0, 3.0, 1.0, 2.0]):
        expected = expected * 2 + x
    total, first = f()
    assert (float(total), float(first)) == (expected, 1.0)


class Pair(NamedTuple):
    left: Any
    right: Any


class Swapped(Pair):
    def __getitem__(self, index: Any) -> Any:
        return tuple(self)[1 - index]


@pytest.mark.parametrize("kind", [Pair, Swapped])
def test_items_of_named_tuples(kind: Any) -> None:
    def f(x: Any, i: int) -> Any:
        pairs = [kind(x, 2), kind(3, x), kind(1, 2)]
        total = 0
        for pair in pairs:
            left, right = pair
            total += pair[i] * 10 + left - right + len(pair)
        return total, x in pairs[0], int in {int, str}

    expected = f(5, 0)
    total, found, known = ag.function(f)(ag.constant(5), 0)
    assert (int(total), bool(found), known) == expected


def test_classes_that_guard_their_attributes() -> None:
    def f() -> Any:
        class Color(enum.Enum):
            RED = 1
            BLUE = 2

        @dataclasses.dataclass(order=True)
        class Point:
            x: int
            y: str = "a"

        return Color["RED"].value, [c.name for c in Color], Point(1) < Point(2), Point(3).y

    made = ag.function(f)
    assert made() == f() == (1, ["RED", "BLUE"], True, "a")
    assert made() == f()


settings: dict[str, Any] = {}
counts: dict[str, Any] = {}


def test_new_dictionaries_are_known_by_who_holds_them() -> None:
    settings.clear()  # the collector does not know it: it holds no container
    newcomers = Newcomers(yields=True)
    try:
        made: dict[str, Any] = {"own": 1}
        box = [{"inner": {}}]
        settings["of mine"] = box  # from now on the collector lists it
        asked = [settings, box[0], box[0]["inner"], made]
        found = newcomers.dictionaries(asked, ())
        assert id(box[0]) in found and id(box[0]["inner"]) in found
        assert id(settings) not in found
        assert id(made) not in found  # a variable of a running function holds it
        assert id(box[0]) not in newcomers.dictionaries(asked, {id(box)})
    finally:
        newcomers.close()


def test_a_dictionary_from_before_stays_state() -> None:
    counts.clear()

    @ag.function
    def count(key: str) -> Any:
        counts[key] = [*counts.get(key, []), key]
        counts["turns"] = counts.get("turns", 0) + 1
        return counts["turns"]

    assert [int(count("a")) for _ in range(4)] == [1, 2, 3, 4]
    assert int(counts["turns"]) == 4
