"""What compiled code does at once, without a hook: writes, calls and subscripts give in a trace what they give Python."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import autograph as ag


class Box:
    def __init__(self, items: list[Any]) -> None:
        self.items = items
        self.count = 0
        self.names: dict[str, Any] = {}

    def add(self, x: Any) -> None:
        self.items.append(x)
        self.count += 1
        self.names["last"] = x


class Shadowed(Box):
    reads = 0

    @property
    def level(self) -> int:
        Shadowed.reads += 1
        return self.count

    @level.setter
    def level(self, value: int) -> None:
        self.count = value


def own_list_in_a_branch(x: Any) -> Any:
    xs = [1.0]
    xs.append(2.0)
    if x > 0:
        xs[0] = x
        xs.append(x * 2)
    else:
        xs[1] = -x
        xs.append(x - 1)
    xs[2] += 1.0
    return xs[0] + 10 * xs[1] + 100 * xs[2]


def own_list_made_anew_in_a_branch(x: Any) -> Any:
    xs = [0.0]
    if x > 0:
        xs = [x]
        xs.append(x + 1)
    else:
        xs.append(x)
    xs.append(3.0)
    return xs[0] + 10 * xs[1] + 100 * xs[2]


def own_dict_in_a_loop(x: Any) -> Any:
    seen = {"a": 0.0 * x, "b": x}
    i = 0
    while x + i < 6:
        seen["a"] += i
        seen["b"] = seen["a"] + seen["b"]
        i += 1
    seen["c"] = 1.0
    del seen["a"]
    return seen["b"] + len(seen)


def other_name(x: Any) -> Any:
    xs = [x, x]
    ys = xs
    if x > 1:
        ys[0] = x * 5
    zs = [ys]
    zs[0][1] = x * 7
    return xs[0] + 10 * xs[1]


def by_a_closure(x: Any) -> Any:
    xs = [0.0]

    def put(v: Any) -> None:
        xs[0] += v
        xs.append(v)

    xs.append(1.0)
    put(x)
    if x > 0:
        put(x * 2)
    else:
        xs.append(x)
    xs[0] += 1
    return xs[0] + 10 * xs[2] + 100 * xs[3]


def by_a_method_kept(x: Any) -> Any:
    xs: list[Any] = []
    append = xs.append
    append(x)
    if x > 0:
        append(x + 1)
    else:
        append(x - 1)
    append(5.0)
    return xs[0] + 10 * xs[1] + 100 * xs[2]


def by_a_method_of_what_was(x: Any) -> Any:
    xs: list[Any] = [x]
    append = xs.append
    xs = [7.0, x]
    append(x + 2)
    xs.append(1.0)
    return len(xs) + 10 * xs[1]


def given_list(xs: list[Any], x: Any) -> Any:
    xs[0] = x
    xs.append(1.0)
    if x > 0:
        xs[1] = x * 3
    xs[0] += 1
    return xs[0] + xs[1]


def list_given(x: Any) -> Any:
    return given_list([x, x], x)


def of_an_object(x: Any) -> Any:
    box = Box([])
    box.add(x)
    box.names["first"] = 1.0
    if x > 0:
        box.count += 10
        box.names["last"] = x * 2
    else:
        box.add(2.0 * x)
    box.count += 1
    box.items[0] += 4.0
    return box.items[0] + 10 * box.count + 100 * box.names["last"] + box.names["first"]


def of_a_property(x: Any) -> Any:
    box = Shadowed([])
    Shadowed.reads = 0
    box.level = 4
    box.level += 2
    if x > 0:
        box.level += 1
    return x + box.count + 100 * Shadowed.reads


def counted(x: Any) -> Any:
    counts: dict[Any, Any] = defaultdict(int)
    groups: dict[int, list[Any]] = {}
    for word in "a b a c a".split():
        counts[word] += 1
        groups.setdefault(counts[word], []).append(word)
    if x > 0:
        counts["a"] += x
    else:
        counts["d"] = x
    return counts["a"] + sum(len(g) for g in groups.values()) + len(groups) * 10


def many_items(x: Any) -> Any:
    table = {i: 0.0 for i in range(40)}
    table[3] = 1.0
    if x > 0:
        table[3] = x
        for i in range(30):
            table.pop(i + 5)
        table[2] = 2 * x
        table.setdefault(3, 100.0)
    else:
        table[39] = -x
    return table[3] + table[2] + table[39] + (x if 4 in table else 0.0)


def nested_index(x: Any) -> Any:
    rows = [[x, x + 1], [x + 2, x + 3]]
    where = {"at": [0, 1]}
    rows[where["at"][1]][len(where["at"]) - 1] += rows[where["at"][0]][0]
    return rows[1][1] + rows[len(rows) - 1][where["at"][len(rows) - 2]] * 10


def slices(x: Any) -> Any:
    xs = [x, 2.0, 3.0, 4.0]
    k = 2
    xs[: k + 1] = xs[k::-1]
    if x > 0:
        xs[k - 1] = x
    ys = xs[k - 1 :]
    return xs[0] + 10 * ys[0] + 100 * ys[1] + len(xs[len(ys) - 1 : k + 2])


def index_by_tensor(x: Any) -> Any:
    xs = [1.0, 2.0, 3.0]
    i = ag.cast(x, ag.int32) % 3
    xs[i] = 10.0
    return xs[0] + 2 * xs[1] + 4 * xs[2] + xs[i - 1]


def keeps_until_popped(x: Any) -> Any:
    xs = [1.0, 2.0, 3.0]
    if x > 0:
        xs.pop()
        xs.extend([x, x])
    else:
        xs.pop(0)
        xs.extend((x, x * 2))
    xs.reverse()
    return xs[0] + 10 * xs.pop() + 100 * len(xs)


def truths(x: Any) -> Any:
    xs: list[Any] = []
    total = x
    for thing in (0, 1, "", "a", None, [], [0], {}, {1: 2}, 0.0, Box([])):
        if thing:
            total = total + 1
        total = total + (2 if not thing else 0) + (4 if thing and total is not None else 0)
        xs = xs or [thing]
    if x > 0 and xs:
        total = total + 100
    return total


def memberships(x: Any) -> Any:
    box = Box([1, 2])
    box.names.update(a=1)
    letters = "abc"
    total = x
    for letter in "ad":
        total = total + (1 if letter in box.names else 2) + (4 if letter in letters else 8)
        total = total + (3 if letter not in box.names else 5) + (7 if box.items[0] in [1, x] else 9)
        total = total + (11 if len(box.items) in box.names.values() else 13) + (17 if -1 in range(3) else 19)
        total = total + (16 if letter.upper() in {"A": 1} else 32) + (64 if letter + "b" not in letters else 128)
    if x > 0:
        box.names["d"] = 1
    return total + (256 if "d" in box.names else 512)


def exceptions(x: Any) -> Any:
    xs, d = [x], {"a": x}
    found = 0
    for action in (lambda: xs[3], lambda: d["b"], lambda: [1].remove(4), lambda: d.pop("c"), lambda: xs["a"]):  # type: ignore[call-overload]
        try:
            action()
        except (IndexError, KeyError, ValueError, TypeError) as error:
            found += len(type(error).__name__)
    try:
        xs[5] = x
    except IndexError:
        found += 100
    if x > 0:
        xs[0] = x * 2
    return xs[0] + found


PROGRAMS = [
    own_list_in_a_branch, own_list_made_anew_in_a_branch, own_dict_in_a_loop, other_name, by_a_closure, by_a_method_kept,
    by_a_method_of_what_was, list_given, of_an_object, of_a_property, counted, many_items, nested_index, slices,
    index_by_tensor, keeps_until_popped, truths, memberships, exceptions,
]  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("x", [3.0, -2.0, 0.5])
def test_as_in_python(program: Callable[[Any], Any], x: float) -> None:
    expected = float(program(ag.constant(x)))
    assert float(ag.function(program)(ag.constant(x))) == pytest.approx(expected)


@pytest.mark.parametrize("program", PROGRAMS)
def test_in_a_branch_and_in_a_loop(program: Callable[[Any], Any]) -> None:
    def several(x: Any) -> Any:
        total = 0.0 * x
        if x < 2:
            total = total + program(x)
        i = 0
        while i < ag.cast(x, ag.int32):
            total = total + program(x - 2.0)
            i += 1
        return total

    for x in (1.0, 3.0):
        expected = float(several(ag.constant(x)))
        assert float(ag.function(several)(ag.constant(x))) == pytest.approx(expected)


OUTSIDE: list[Any] = [1.0, 2.0]
TABLE: dict[str, Any] = {"a": 1.0}
BOX = Box([0.0])


def writes_outside(x: Any) -> Any:
    OUTSIDE[0] = OUTSIDE[0] + x
    TABLE["a"] += x
    BOX.count += 1
    BOX.names["last"] = x
    if x > 0:
        OUTSIDE[1] = x
        TABLE["b"] = x
    else:
        TABLE["b"] = 2 * x
    return OUTSIDE[0] + TABLE["a"] + TABLE["b"]


def test_what_is_outside_is_written_at_each_call() -> None:
    results = []
    for run in (writes_outside, ag.function(writes_outside)):
        OUTSIDE[:], TABLE, BOX.count = [1.0, 2.0], globals()["TABLE"], 0
        TABLE.clear()
        TABLE["a"] = 1.0
        values = [float(run(ag.constant(x))) for x in (1.0, 2.0, -1.0)]
        results.append((values, [float(v) for v in OUTSIDE], {k: float(v) for k, v in TABLE.items()}, BOX.count))
    assert results[0] == results[1]


def generated(x: Any) -> Iterator[Any]:
    xs = [x]
    for i in range(3):
        xs.append(x * i)
        yield xs[-1] + len(xs)
        xs[0] = xs[0] + 1
    yield xs[0]


def consumed(x: Any) -> Any:
    total = 0.0 * x
    for item in generated(x):
        if item > 2:
            total = total + item
        else:
            total = total - item
    return total


@pytest.mark.parametrize("x", [3.0, -2.0])
def test_what_a_generator_makes(x: float) -> None:
    assert float(ag.function(consumed)(ag.constant(x))) == pytest.approx(float(consumed(ag.constant(x))))


def test_two_threads_trace_at_once() -> None:
    problems: list[Any] = []

    def work(k: int) -> Callable[[Any], Any]:
        outside = [0.0]

        def run(x: Any) -> Any:
            table: dict[int, Any] = {}
            for i in range(300):
                outside[0] = float(i)
                table[i % 20] = outside[0]
            if x > 0:
                table[0] = x + k
            return table[0] + table[1]

        return run

    def one(k: int) -> None:
        for i in range(10):
            got = float(ag.function(work(k))(ag.constant(1.0 + i)))
            if got != 1.0 + i + k + 281.0:
                problems.append((k, i, got))

    threads = [threading.Thread(target=one, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems


class Key:
    pass


class Table:
    def __init__(self) -> None:
        self.data: dict[Any, Any] = {}

    def put(self, key: Any, value: Any) -> None:
        self.data[key] = value

    def take(self, key: Any, *default: Any) -> Any:
        return self.data.pop(key, *default)


def test_keys_of_any_class_are_popped_from_a_dictionary_that_is_noted() -> None:
    def run(x: Any) -> Any:
        total = x
        if x > 0:
            keys = [Key(), Key(), Key()]
            table = Table()
            for k, key in enumerate(keys):
                table.put(key, x * k)
            total = x + table.take(Key(), 0.5)
            while table.data:
                total = total + table.take(keys.pop()) + 1
        return total

    assert float(ag.function(run)(ag.constant(2.0))) == run(2.0)
