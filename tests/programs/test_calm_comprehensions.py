"""Comprehensions and writes that Python does itself as long as a trace meets no tensor; the same where one comes late."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

import autograph as ag
from tests.programs.test_few_hooks import calls_in_a_trace

THERE = ag.Variable(2.0, dtype=ag.float64)


def warm() -> list[int]:
    """Enough comprehensions for a trace to rely on it that it meets no tensor."""
    return [len([y for y in range(x)]) for x in range(20)]


def forms() -> Any:
    names, pairs = ["ann", "bob", "cid"], [(1, 2), (3, 4), (5, 1)]
    grid = [[(x, y) for x in range(4) if x != y] for y in range(4)]
    flat = [a * b for row in grid for a, b in row if a < b]
    nested = {(i, j): v for i, row in enumerate(grid) for j, (v, _) in enumerate(row) if v}
    by = {n[0]: [len(m) for m in names if m > n] for n in names}
    total = sum(v for (i, j), v in nested.items() if i < j)
    lazy = (x for row in grid for x, _ in row)
    first = next(lazy), next(lazy)
    return (
        grid, flat, nested, by, total, first, list(lazy), {a % 2 for a, _ in pairs},
        [n.upper() + str(i) for i, n in enumerate(names, 1)], [a + b for a, b in zip(flat, flat[1:], strict=False)],
        max(len(n) for n in names if len(n) > 2), "".join(c for n in names for c in n if c != "n"),
        [x for x in reversed(names)], [[*r] for r in zip(*pairs, strict=True)], [(a, d) for a, *d in pairs],
    )  # fmt: skip


def shared_iterators() -> Any:
    numbers = iter(range(10))
    found = [[x, next(numbers)] for x in numbers if x < 6]
    pairs = zip(numbers, "abc", strict=False)
    left = [b for _, b in pairs]
    squares = (x * x for x in range(5))
    return found, left, [s for s in squares if s < 5], list(squares), list(numbers)


class Point:
    __slots__ = ("__weakref__", "following", "x")

    def __init__(self, x: Any) -> None:
        self.x = x
        self.following: Any = None


def kept_alive() -> Any:
    """What a comprehension goes over dies when Python lets it go."""
    points = [Point(k) for k in range(3)]
    gone = weakref.ref(points[0])
    found = [p.x for p in points]
    p = None
    del points
    return found, gone() is None, p


class Row:
    def __init__(self, items: Any) -> None:
        self.items = list(items)
        self.log: list[Any] = []
        self.by: dict[Any, Any] = {}

    def __getitem__(self, at: Any) -> Any:
        return self.items[at[0]][at[1]] if isinstance(at, tuple) else self.items[at]

    def __setitem__(self, at: Any, value: Any) -> None:
        self.items[at[0]][at[1]] = value
        self.log.append(at)
        self.by[at] = value

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Any:
        return iter(self.items)

    def __mul__(self, other: Any) -> Any:
        out = [0] * (len(self) + len(other) - 1)
        for i, a in enumerate(self):
            for j, b in enumerate(other):
                out[i + j] += a * b
        return Row(out)


def items_of_items() -> Any:
    table = Row([[0] * 4 for _ in range(4)])
    for i in range(4):
        for j in range(4):
            table[i, j] = i * j
            table[i, j] += table[i - 1, j - 1]
    shelf: dict[str, Any] = {"a": [[1, 2], [3, 4]], "b": {"c": [5]}}
    for k in range(2):
        shelf["a"][int(k)][len(shelf) - 1] += k
        shelf["b"]["c"][k - k] = shelf["a"][k][1]
    product = Row([1, 2]) * Row([3, 4, 5])
    return table.items, table.log, table.by, shelf, product.items, tuple(product), list(product)


class Ordered(dict):  # type: ignore[type-arg]
    """A dictionary with a list of its keys, linked by weak references as that of `collections` is."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Point(None)
        self.last = weakref.proxy(self.root)
        self.links: dict[Any, Point] = {}

    def __setitem__(self, key: Any, value: Any) -> None:
        if key not in self:
            self.links[key] = link = Point(key)
            self.last.following = link
            self.last = weakref.proxy(link)
        dict.__setitem__(self, key, value)

    def keys_in_order(self) -> list[Any]:
        found, at = [], self.root.following
        while at is not None:
            found.append(at.x)
            at = at.following
        return found


def through_proxies() -> Any:
    found = Ordered()
    for k in range(30):
        found[k * 7 % 11] = k
    return dict(found), found.keys_in_order()


class Watcher:
    def __init__(self, **given: Any) -> None:
        self.__dict__.update(given)
        self.seen: dict[str, Any] = {}

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        if name != "seen":
            self.seen[name] = value


@dataclass
class Item:
    name: str
    tags: list[str] = field(default_factory=list)


def objects() -> Any:
    watcher, items = Watcher(a=1), [Item(str(k)) for k in range(20)]
    for k, item in enumerate(items):
        watcher.x = k
        watcher.y = watcher.x + watcher.a
        item.tags.append("new")
    return watcher.seen, watcher.__dict__, items


def in_what_others_go_over() -> Any:
    xs = [3, 1, 2]
    named = [(last := x) for x in sorted(xs, key=lambda p: [q for q in (p, 1)][0])]
    found = [lambda: x for x in sorted(xs, key=lambda p: sum(q for q in [p]))][0]()

    class Table:
        rows = [[z for z in [y]] for y in range(2)]

    inner = [b for a in [[c for c in [x]] for x in xs] for b in [d for d in a]]  # noqa: C416
    return named, last, found, Table.rows, inner, sum(y for x in xs for y in [x for _ in range(x)])


PROGRAMS = [in_what_others_go_over, forms, shared_iterators, kept_alive, items_of_items, through_proxies, objects]


@pytest.mark.parametrize("program", PROGRAMS)
def test_as_in_python(program: Callable[[], Any]) -> None:
    def after_others() -> Any:
        return warm() and program()

    assert ag.function(program)() == program()
    assert ag.function(after_others)() == program()
    calls_in_a_trace(program)


@pytest.mark.parametrize("program", PROGRAMS)
def test_where_a_tensor_comes_late(program: Callable[[], Any]) -> None:
    @ag.function
    def late() -> Any:
        before = warm() and program()
        return before == program(), [x * THERE.read_value() for x in (1.0, 2.0)], sum(x * THERE for x in (1.0, 3.0))

    for value in (2.0, 0.5):
        THERE.assign(value)
        same, scaled, total = late()
        assert bool(same)
        assert [float(x) for x in scaled] == [value, 2.0 * value]
        assert float(total) == 4.0 * value


def test_python_goes_through_them() -> None:
    called = calls_in_a_trace(lambda: warm() and (forms(), warm()), tensors=False)
    assert called.count("list_comp") + called.count("dict_comp") + called.count("generator_exp") <= 1  # over `reversed`
    called = calls_in_a_trace(lambda: warm() and (items_of_items(), 0), tensors=False)
    assert called.count("_store") + called.count("note_list") <= 8  # of the literals
    called = calls_in_a_trace(lambda: warm() and (through_proxies(), 0), tensors=False)
    assert called.count("note_attribute") + called.count("read") <= 4
    called = calls_in_a_trace(lambda: warm() and (objects(), 0), tensors=False)
    assert called.count("note_birth") + called.count("note_attribute") == 0


def test_a_tensor_in_what_is_gone_over() -> None:
    weights = [ag.constant(2.0), ag.constant(3.0)]

    def weighed(x: Any) -> Any:
        total = sum(w * x for w in weights)
        return total, [a * b for a, b in zip(weights, [x, x], strict=True)], {str(k): w + x for k, w in enumerate(weights)}

    @ag.function
    def by_variable() -> Any:
        return warm() and weighed(ag.cast(THERE, ag.float32))

    @ag.function
    def of_constants() -> Any:
        return warm() and [w * 2.0 for w in weights] + [e + 1.0 for e in ag.constant([1.0, 2.0])]

    THERE.assign(4.0)
    total, products, sums = by_variable()
    assert float(total) == 20.0
    assert [float(p) for p in products] == [8.0, 12.0]
    assert {k: float(s) for k, s in sums.items()} == {"0": 6.0, "1": 7.0}
    assert [float(x) for x in of_constants()] == [4.0, 6.0, 2.0, 3.0]


class Store:
    def __init__(self) -> None:
        self.points = [Point(k) for k in range(3)]
        self.rows: list[Any] = [[0, 0], [0, 0]]
        self.made: Any = None
        self.scale = 2

    def write(self) -> Any:
        warm()
        for k, p in enumerate(self.points):
            weakref.proxy(p).x = k * self.scale
        for k in range(2):
            self.rows[int(k)][len(self.rows) - 1] += self.scale
        self.made = Row([[k] for k in range(2)])
        self.made[0, 0] += self.scale
        self.made.log.append("end")
        return [p.x for p in self.points]


def test_what_lives_on_is_written_at_each_call() -> None:
    plain, traced = Store(), Store()
    function = ag.function(traced.write)
    for scale in (2, 2, 5):
        plain.scale = traced.scale = scale
        assert list(function()) == plain.write()
        assert [p.x for p in traced.points] == [p.x for p in plain.points]
        assert traced.rows == plain.rows
        assert (traced.made.items, traced.made.log, traced.made.by) == (plain.made.items, plain.made.log, plain.made.by)


def test_a_branch_that_writes_through_a_proxy() -> None:
    point = Point(1.0)

    @ag.function
    def branch(x: Any) -> Any:
        proxy = weakref.proxy(point)
        if x > 0.0:
            proxy.x = x * 2.0
        else:
            point.x = x * 3.0
        return point.x + proxy.x

    for value, expected in ((2.0, 4.0), (-1.0, -3.0)):
        assert float(branch(ag.constant(value))) == 2 * expected
        assert float(point.x) == expected
