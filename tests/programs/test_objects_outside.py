"""Objects, dictionaries and lists outside of a function that it takes from one place and puts into another, as in Python:
results, contents, and who is the same object."""

import pytest

import autograph as ag
from tests.programs.worlds import Node, Programs, World, number


def shown(x):
    if isinstance(x, dict):
        return {k: shown(v) for k, v in x.items()}
    return [shown(v) for v in x] if isinstance(x, (list, tuple)) else repr(number(x))


PROGRAMS = Programs()
program = PROGRAMS.add


def items(make, count=2):
    def setup(world, start):
        world.items = [make(start + i) for i in range(count)]

    return setup


def table(**makers):
    def setup(world, start):
        world.table = {key: make(start) for key, make in makers.items()}

    return setup


def counted(n):
    return {"n": n}


@program(items(int, 4))
def pops_of_a_list_that_is_replaced(world, x):
    return world.items.pop()


@program(items(int))
def appends_to_a_list_that_is_replaced(world, x):
    world.items.append(x)
    return len(world.items)


@program(table(n=int))
def counts_in_a_dictionary_that_is_replaced(world, x):
    world.table["n"] += 1
    return world.table["n"]


@program(items(counted))
def changes_what_a_list_holds(world, x):
    first = world.items[0]
    first["n"] += 1
    return first["n"]


@program(items(counted))
def changes_what_it_takes(world, x):
    last = world.items.pop()
    last["n"] += 1
    return last["n"]


@program(items(Node))
def changes_an_object_that_it_takes(world, x):
    last = world.items.pop()
    last.n += 1
    return last.n


@program(items(counted))
def puts_first_last(world, x):
    first = world.items.pop(0)
    first["n"] += x
    world.items.append(first)
    return first["n"]


@program(items(lambda n: [n]))
def appends_to_a_row(world, x):
    world.items[0].append(x)
    return len(world.items[0])


@program(items(counted))
def swaps(world, x):
    world.items[0], world.items[1] = world.items[1], world.items[0]
    return world.items[0]["n"]


@program(items(lambda n: {"n": -n}))
def sorts(world, x):
    world.items.sort(key=lambda row: row["n"])
    return world.items[0]["n"]


@program(table(k=lambda n: [n]))
def takes_from_a_dictionary(world, x):
    row = world.table.pop("k")
    row[0] += x
    return row[0]


@program(table(a=lambda n: [n], b=lambda n: [n + 1]))
def swaps_in_a_dictionary(world, x):
    world.table["a"], world.table["b"] = world.table["b"], world.table["a"]
    return world.table["a"][0]


@program(items(counted))
def points_at_one(world, x):
    world.current = world.items[1]
    world.current["n"] += 1
    return world.current["n"]


@program(items(Node))
def moves_an_object(world, x):
    world.current = world.items.pop()
    world.current.n += 1
    return world.current.n


@program(items(counted, 4))
def keeps_the_tail(world, x):
    world.items = world.items[1:]
    return world.items[0]["n"]


@program(items(counted))
def adds_a_dictionary(world, x):
    world.items.append({"n": x})
    return len(world.items)


@program(items(Node))
def adds_an_object(world, x):
    world.items.append(Node(x))
    return sum(node.n for node in world.items)


@program(items(counted, 3))
def empties_a_queue(world, x):
    total = 0
    while world.items:
        job = world.items.pop(0)
        total += job["n"] * x
    return total


def held(world):
    return [world.items, *world.items, world.table, *world.table.values(), world.current]


def look(world):
    """Contents, and which objects of before are where."""
    before = held(world)

    def seen():
        now = [x for x in held(world) if isinstance(x, (list, dict, Node))]
        places = [next((i for i, old in enumerate(before) if old is x), None) for x in now]
        return shown(held(world)), shown(before), places

    return seen


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("jit", [False, True])
def test_as_python(name, jit):
    function, _ = PROGRAMS[name]
    staged = PROGRAMS.play(name, ag.function(function, jit_compile=jit), ag.constant, 2, look)
    assert staged == PROGRAMS.play(name, function, int, 2, look)


def test_an_unchanged_world_is_traced_once():
    world = World()
    world.items = [{"n": 1}, {"n": 2}]

    @ag.function
    def turn():
        world.items.append(world.items.pop(0))
        return world.items[0]["n"]

    assert [int(turn()) for _ in range(6)] == [2, 1, 2, 1, 2, 1]
    assert turn.experimental_get_tracing_count() == 2  # one for each order


def rotated(rows, x):
    rows.append(rows.pop(0))
    return rows[0]["n"]


def taken_and_changed(rows, x):
    last = rows.pop()
    last["n"] += x
    return last["n"]


def one_more(rows, x):
    rows.append({"n": x})
    return len(rows)


def without_first(rows, x):
    del rows[0]
    rows[0]["n"] += x
    return rows[0]["n"]


@pytest.mark.parametrize("function", [rotated, taken_and_changed, one_more, without_first])
def test_arguments_keep_their_objects(function):
    found = []
    for f, argument in ((function, int), (ag.function(function), ag.constant)):
        rows = [{"n": 3}, {"n": 4}]
        before = list(rows)
        result = number(f(rows, argument(5)))
        places = [next((i for i, old in enumerate(before) if old is row), None) for row in rows]
        found.append((result, shown(rows), shown(before), places))
    assert found[0] == found[1]


def test_lists_outside_of_numbers_and_none():
    world = World()

    def add(x):
        world.items.append(x)
        if x > 1:
            world.items.append(None)
        return sum(1 if p is None else p for p in world.items)

    found = []
    for f, argument in ((add, float), (ag.function(add), ag.constant)):
        world.items = [None, 3.5]
        found.append([(float(f(argument(x))), len(world.items)) for x in (0.0, 1.0, 2.0, 3.0)])
    assert found[0] == found[1]
