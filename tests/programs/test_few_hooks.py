"""Code without tensors inside a trace: what the hooks do again and again for it, they do not do."""

from __future__ import annotations

import functools
import gc
import sys
from collections.abc import Callable
from typing import Any

import pytest

import autograph as ag
from autograph.load.conversion import convert_function


def calls_in_a_trace(program: Callable[[], Any], tensors: bool = True) -> list[str]:
    """The names of the Python functions that are called when a program runs in a trace for the third time; one that meets
    `tensors`, too, or none."""
    gc.collect()  # as long as a trace lives in which lists or keys were the run's, hooks are asked everywhere
    made = ag.autograph.to_graph(program)
    expected = program()
    called: list[str] = []

    def note(frame: Any, event: str, _: Any) -> None:
        if event == "call":
            called.append(frame.f_code.co_name)

    @ag.autograph.do_not_convert
    def run() -> None:
        made(), made()
        before = sys.getprofile()
        called.clear()
        sys.setprofile(note)
        try:
            result = made()
        finally:
            sys.setprofile(before)
        assert result == expected

    @ag.function
    def traced() -> Any:
        run()
        return ag.constant(1.0) if tensors else 1.0

    assert float(traced()) == 1.0
    return called


def names_of_comprehensions() -> Any:
    counts: dict[int, int] = {}
    for x in range(3):
        if x != 1:
            k = x + 1
            counts[k] = k
    return counts, [k for k, n in counts.items() if n > 1], {k: 1 for k in counts}


def computed_arguments() -> Any:
    xs, total = [3, -4, 5], 0
    for i in range(len(xs) - 1):
        total += max(abs(xs[i] - xs[i + 1]), min(xs[i] * 2, i + 1)) + int(str(i + 1))
    return total, divmod(total + 1, len(xs) + 1)


def turns() -> Any:
    total = 0
    for i in range(10):
        for j in range(10):
            total += i * j
    return total


def keys_of_numbers() -> Any:
    counts: dict[Any, Any] = {}
    for x in (1, 2, 3):
        counts[x, "a"] = counts.get((x, "b"), 0) + x
    return counts


def methods_of_own_classes() -> Any:
    class Counter:
        def __init__(self) -> None:
            self.count = 0

        def add(self, n: int) -> int:
            self.count += n
            return self.count

    counter = Counter()
    return [counter.add(i) for i in (1, 2, 3, 4, 5, 6)]


def items_by_turns() -> Any:
    rows = [[i * j % 5 for j in range(4)] for i in range(4)]
    return sum_of_products(rows), [n for row in rows for n in row]


def sum_of_products(rows: list[list[int]]) -> int:
    total = 0
    for i in range(4):
        for j in range(4):
            total += rows[i][j] * rows[j][i]
    return total


class Grid:
    def __init__(self, rows: list[list[int]]) -> None:
        self.rows = rows

    def __getitem__(self, at: tuple[int, int]) -> int:
        i, j = at
        return self.rows[i][j]

    @classmethod
    def of(cls, n: int) -> Any:
        return cls([[i + j for j in range(n)] for i in range(n)])


def remembered_inside() -> Any:
    @functools.lru_cache(maxsize=None)
    def count(n: int) -> int:
        return 1 if n < 2 else count(n - 1) + count(n - 2)

    return count(12)


class Code(int):
    """A number with a name."""


def named_numbers() -> Any:
    literal, branch = Code(1), Code(2)
    known, names = {literal, Code(3)}, {branch: "branch"}
    return [x in known for x in (literal, branch)], [x in names for x in (literal, branch)]


def types_and_ids() -> Any:
    xs: list[Any] = [1, [2], {3: 4}, "5"]
    return [type(x).__name__ for x in xs], len({id(x) for x in xs})


def ends_of_lists() -> Any:
    made: list[Any] = []
    for k in range(4):
        made.extend([k, k + 1][k % 2 :])
    return made


@functools.lru_cache(maxsize=None)
def binomial(n: int, k: int) -> int:
    return 1 if k in (0, n) else binomial(n - 1, k - 1) + binomial(n - 1, k)


def remembered() -> int:
    return binomial(7, 3) + binomial(6, 2)


@pytest.mark.parametrize(
    ("program", "hooks"),
    [
        (names_of_comprehensions, ("if_stmt", "if_body")),
        (computed_arguments, ("range_", "abs_", "max_", "min_", "int_", "str_", "divmod_")),
        (turns, ("for_rest", "rest", "long_range")),
        (keys_of_numbers, ("check", "is_key")),
        (remembered, ("callee", "cached")),
        (remembered_inside, ("_other", "_holds_tensor")),
        (named_numbers, ("resolve", "gathered")),
        (types_and_ids, ("type_", "_id")),
        (ends_of_lists, ("note_list", "__call__")),
    ],
)  # fmt: skip
def test_hooks_that_are_not_called(program: Callable[[], Any], hooks: tuple[str, ...]) -> None:
    called = calls_in_a_trace(program)
    assert [name for name in called if name in hooks] == []


def test_items_of_ranges_are_numbers() -> None:
    names = convert_function(sum_of_products, sys.modules["autograph.operators"]).__code__.co_names
    assert "INDEXED" in names and "INDICES" not in names
    assert items_by_turns() == ag.function(items_by_turns)()


def range_of_the_user(x: Any) -> Any:
    def range(n: int) -> Any:
        return [x + 1.0, x, 3.0][:n]

    total, xs = 0.0, {3.0: 10.0}
    for i in range(3):
        total += i if i < 2.0 else xs.get(3.0, i)
    return total


def bound_by_what_is_called(x: Any) -> Any:
    i = 0
    found = []

    def change() -> None:
        nonlocal i
        i = x

    for i in range(3):
        if i == 1:
            change()
        found.append(abs(i) + max(i, 1.0))
    return found[0] + found[1] * 10.0 + found[2] * 100.0


def bound_in_its_turns(x: Any) -> Any:
    total = 0.0
    for i in range(4):
        if i == 2:
            i = x
        total += abs(i) if i < 1.5 else max(i, 2.5)
    return total


def extended_by_tensors(x: Any) -> Any:
    made: list[Any] = []
    other = [x, x + 1.0, 2.0]
    for k in range(3):
        made.extend(other[k:])
    made.extend([y for y in other if y > 1.0])
    return sum(made) + len(made)


@pytest.mark.parametrize(
    "program", [range_of_the_user, bound_by_what_is_called, bound_in_its_turns, extended_by_tensors]
)  # fmt: skip
@pytest.mark.parametrize("x", [-2.0, 0.25, 3.0])
def test_tensors_among_the_numbers(program: Callable[[Any], Any], x: float) -> None:
    assert float(ag.function(program)(ag.constant(x, ag.float64))) == pytest.approx(program(x))


def test_owners_are_asked_before_arguments() -> None:
    log: list[str] = []

    def items() -> list[int]:
        log.append("asked")
        return [1]

    def program() -> None:
        made = [] if log else None
        made.extend(items())  # type: ignore[union-attr]

    with pytest.raises(AttributeError, match="extend"):
        ag.function(program)()
    assert log == []


def test_what_classes_have_is_looked_up_once() -> None:
    def of_class() -> int:
        return sum(len(Grid.of(1).rows) for _ in range(6))

    def items() -> list[int]:
        class Local:
            def __init__(self, items: list[int]) -> None:
                self.items = items

            def __getitem__(self, at: int) -> int:
                return -self.items[at]

        local = Local([1, 2, 3])
        return [local[k] for k in (0, 1, 2, 2, 1, 0)]

    assert calls_in_a_trace(of_class).count("_found") <= 2
    called = calls_in_a_trace(items)
    assert called.count("__getitem__") == 6
    assert called.count("is_converted") <= 2


def test_a_method_is_looked_up_once() -> None:
    called = calls_in_a_trace(methods_of_own_classes)
    assert called.count("_found") <= 2


def given_in_order(x: Any) -> Any:
    log: list[Any] = []

    def take(n: Any) -> Any:
        log.append(n)
        return n

    return max(take(2.0), take(x), take(1.0)) + abs(take(x) - max(take(x) + 1.0, take(0.5))) + len(log), log[1] + log[-2]


def computed_of_tensors(x: Any) -> Any:
    return abs(x - 2.0) + max(x + 1.0, abs(x) * 2.0) + round(x * 2.0) + int(x + 0.5) + float(min(x * 3.0, 1.0))


def renamed_by_what_is_called(x: Any) -> Any:
    n = 1.0

    def change() -> Any:
        nonlocal n
        n = x + 5.0
        return n

    first = max(n, change())
    return first + max(change(), n) + min(abs(n - 1.0), n)


@pytest.mark.parametrize("program", [given_in_order, computed_of_tensors, renamed_by_what_is_called])
@pytest.mark.parametrize("x", [-2.0, 0.25, 3.0])
def test_with_tensors_as_in_python(program: Callable[[Any], Any], x: float) -> None:
    given = ag.function(program)(ag.constant(x, ag.float64))
    expected = program(x)
    for a, b in zip(*(v if isinstance(v, tuple) else (v,) for v in (given, expected)), strict=True):
        assert float(a) == float(b)


def test_keys_of_tensors_are_found_in_tuples() -> None:
    def program(x: Any) -> Any:
        counts: dict[Any, Any] = {}
        for k in (1, 2):
            counts[k, "a"] = k
        counts[x, "a"] = 7
        return counts[1, "a"] + counts[2, "a"]

    assert [int(ag.function(program)(ag.constant(x))) for x in (1, 2)] == [program(1), program(2)]
