"""Deques, sets, dictionaries of all kinds, heaps and lists outside of a function that it changes: at each call, as
in Python, also where no tensor is in them."""

import bisect
import heapq
from collections import Counter, OrderedDict, UserDict, UserList, defaultdict, deque
from itertools import count

import pytest

import autograph as ag
from tests.programs.worlds import Node, Programs, number

PROGRAMS = Programs()
program = PROGRAMS.add


def items(make):
    def setup(world, start):
        world.items = make(start)

    return setup


def table(make):
    def setup(world, start):
        world.table = make(start)

    return setup


def current(make):
    def setup(world, start):
        world.current = make(start)

    return setup


@program(items(lambda s: deque([{"n": s}, {"n": s + 1}])))
def takes_from_a_deque(world, x):
    j = world.items.popleft()
    j["n"] += 1
    return j["n"]


@program(items(lambda s: deque([{"n": s}, {"n": s + 1}])))
def turns_a_deque(world, x):
    world.items.rotate(1)
    j = world.items[0]
    j["n"] += x
    return j["n"]


@program(items(lambda s: deque([s, s + 1])))
def a_deque_as_window(world, x):
    world.items.append(x)
    world.items.popleft()
    return sum(world.items)


@program(items(lambda s: deque([s, s + 1], maxlen=3)))
def a_deque_of_limited_length(world, x):
    world.items.append(x)
    return len(world.items)


@program(items(lambda s: {s}))
def adds_to_a_set(world, x):
    world.items.add(3)
    return len(world.items)


@program(items(lambda s: {s}))
def adds_to_a_set_once(world, x):
    if 3 not in world.items:
        world.items.add(3)
        return x
    return x * 2


@program(table(lambda s: OrderedDict(a=s, b=2)))
def moves_a_key_to_the_end(world, x):
    world.table.move_to_end("a")
    world.table["a"] += x
    return world.table["a"]


@program(table(lambda s: Counter(a=s, b=2)))
def counts(world, x):
    world.table["a"] += x
    world.table["z"] += 1
    return world.table["z"]


@program(table(lambda s: defaultdict(list)))
def fills_what_is_missing(world, x):
    world.table["l"].append(x)
    return len(world.table["l"])


@program(table(lambda s: {"a": {"n": s}, "b": {"n": s + 1}}))
def takes_the_last_item(world, x):
    k, v = world.table.popitem()
    v["n"] += 1
    return v["n"]


@program(table(lambda s: {"a": {"n": s}, "b": {"n": s + 1}}))
def updates(world, x):
    world.table.update(q={"n": x})
    return len(world.table)


@program(table(lambda s: {"a": [s]}))
def sets_a_default(world, x):
    world.table.setdefault("q", []).append(x)
    return len(world.table["q"])


@program(current(lambda s: Node({"k": [s]})))
def appends_within_an_object(world, x):
    world.current.n["k"].append(x)
    return len(world.current.n["k"])


@program(current(lambda s: Node([s])))
def replaces_within_an_object(world, x):
    world.current.n = [*world.current.n, x]
    return len(world.current.n)


@program(table(lambda s: Counter(a=s, b=2)))
def counts_letters(world, x):
    world.table.update("ab")
    return world.table["a"]


@program(table(lambda s: Counter(a=s, b=2)))
def counts_a_new_one(world, x):
    world.table.update(["z"])
    return sum(world.table.values())


@program(table(lambda s: OrderedDict(a=s, b=2)))
def takes_the_first_item(world, x):
    k, v = world.table.popitem(last=False)
    return v


@program(table(lambda s: defaultdict(int, a=s, b=2)))
def takes_a_key(world, x):
    return world.table.pop("a") + x


@program(table(lambda s: {"a": s, "b":2}))
def sums_a_dictionary_that_it_writes(world, x):
    world.table["z"]=x
    return sum(world.table.values())


@program(items(lambda s: [s, s + 1]))
def a_heap(world, x):
    heapq.heappush(world.items, 3)
    return heapq.heappop(world.items)


@program(items(lambda s: [s, s + 1]))
def a_heap_of_tensors(world, x):
    heapq.heappush(world.items, x)
    return world.items[0]


@program(items(lambda s: [s, s + 1]))
def a_sorted_list(world, x):
    bisect.insort(world.items, 2)
    return len(world.items)


@program(items(lambda s: [s, s + 1]))
def a_sorted_list_of_tensors(world, x):
    bisect.insort(world.items, x)
    return len(world.items)


@program(items(lambda s: {s, s + 1}))
def takes_from_a_set(world, x):
    return world.items.pop() + x


@program(items(lambda s: deque([s, s + 1])))
def extends_a_deque(world, x):
    world.items.extend([x, x])
    return world.items[0]


@program(items(lambda s: deque([s, s + 1])))
def sets_an_item_of_a_deque(world, x):
    world.items[0] = x
    return world.items[0] + world.items[1]


@program(items(lambda s: deque([s, s + 1])))
def adds_to_a_deque(world, x):
    world.items += [x]
    return len(world.items)


@program(items(lambda s: deque([s, s + 1])))
def goes_over_a_deque(world, x):
    world.items.append(x)
    t = 0
    for v in world.items:
        t += v
    return t


@program(items(lambda s: deque([s, s + 1])))
def empties_a_deque(world, x):
    n = 0
    while world.items:
        v = world.items.popleft()
        n += v
        if v > 1:
            world.items.append(v // 2)
    return n * x


@program(items(lambda s: bytearray([s, s + 1])))
def appends_bytes(world, x):
    world.items.append(3)
    return len(world.items)


@program(items(lambda s: {s, s + 1}))
def asks_a_set_in_a_loop(world, x):
    t = 0
    for i in range(3):
        if i not in world.items:
            world.items.add(i)
            t += i * x
    return t


@program(items(lambda s: [s, s + 1]))
def extends_a_list(world, x):
    world.items.extend([1, 2])
    return len(world.items)


@program(table(lambda s: OrderedDict(a=s, b=2)))
def a_cache_of_the_latest(world, x):
    k = "a"
    world.table.move_to_end(k)
    world.table["new"] = x
    if len(world.table) > 2:
        world.table.popitem(last=False)
    return len(world.table)


@program(table(lambda s: OrderedDict(a=s, b=2, c=3)))
def changes_the_order(world, x):
    world.table.move_to_end("a")
    return x


@program(table(lambda s: dict(a=s, b=2)))
def takes_and_adds(world, x):
    v = world.table.pop("a")
    world.table["c"] = v + x
    return v


@program(items(lambda s: count(s)))
def numbers_that_go_on(world, x):
    return next(world.items) + x


@program(items(lambda s: iter([s, s + 1])))
def items_until_the_end(world, x):
    return next(world.items, -10) + x


@program(items(lambda s: (i * 2 for i in range(s, s + 2))))
def a_generator_that_is_used_up(world, x):
    total = 0
    for item in world.items:
        total += item * x
    return total


@program(table(lambda s: UserDict(a=s)))
def a_dictionary_of_the_library(world, x):
    world.table["a"] = world.table.get("a", 0) + x
    return world.table["a"]


@program(items(lambda s: UserList([s])))
def a_list_of_the_library(world, x):
    world.items.append(x)
    return len(world.items)


@program(table(lambda s: {"a": s}))
def a_key_on_one_path(world, x):
    if x > 5:
        world.table["k"] = x
    return len(world.table)


@program(current(lambda s: lambda: None))
def an_attribute_that_is_not_there_yet(world, x):
    world.current.calls = getattr(world.current, "calls", 0) + 1
    return world.current.calls * x


def shown(x):
    if isinstance(x, (UserDict, UserList)):
        return shown(x.data)
    if isinstance(x, dict):
        return [(k, shown(v)) for k, v in x.items()]
    if isinstance(x, Node):
        return shown(x.n)
    if isinstance(x, set):
        return sorted(x)
    if isinstance(x, (list, tuple, deque, bytearray)):
        return [shown(v) for v in x]
    return type(x).__name__ if hasattr(x, "__next__") or callable(x) else number(x)


def look(world):
    return lambda: shown([world.items, world.table, world.current])


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("jit", [False, True])
def test_as_python(name, jit):
    function, _ = PROGRAMS[name]
    staged = PROGRAMS.play(name, ag.function(function, jit_compile=jit), ag.constant, 3, look)
    assert staged == PROGRAMS.play(name, function, int, 3, look)


def test_an_item_that_others_change_is_seen():
    prices = {"a": 1, "b": 2}

    @ag.function
    def total(x):
        prices["c"] = x
        return sum(prices.values())

    assert int(total(ag.constant(3))) == 6
    prices["a"] = 10
    assert int(total(ag.constant(3))) == 15
    prices["d"] = 100
    assert int(total(ag.constant(3))) == 115


def test_an_iterator_that_a_try_takes_from_twice_is_refused_by_name():
    items = iter([1, 2, 3])

    @ag.function
    def following(x):
        try:
            return next(items) + x
        except StopIteration:
            return -x

    with pytest.raises(ag.errors.OpError, match="iterator-in-graph"):
        following(ag.constant(1))
