"""Containers of classes derived from dict and list that a function returns: of their class, with what the run has put in."""

import collections

import pytest

import autograph as ag
from tests.programs.harness import values


class Logged(dict):
    """It counts what is set."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __setitem__(self, k, v):
        self.count += 1
        super().__setitem__(k, v)


class Vector(list):
    scale = 2

    def total(self):
        return sum(self) * self.scale


def a_derived_dictionary(x):
    d = Logged()
    d["a"] = x
    if x > 0:
        d["b"] = x * 2
    return d


def parts_of_others(x):
    return {"v": Vector([x, x + 1]), "o": collections.OrderedDict([("z", x), ("y", [x, 1])])}


def in_another_order(x):
    d = collections.OrderedDict(p=x, q=1)
    d.move_to_end("p")
    return d


def counts(x):
    c = collections.Counter()
    c["k"] += x
    c["j"] = 2
    return c


def with_a_factory(x):
    d = collections.defaultdict(list)
    d["k"].append(x)
    d["m"]
    return d


@pytest.mark.parametrize("f", [a_derived_dictionary, parts_of_others, in_another_order, counts, with_a_factory])
@pytest.mark.parametrize("jit", [False, True])
def test_as_python(f, jit):
    staged = ag.function(f, jit_compile=jit)
    for x in (2, -2):
        made, expected = staged(ag.constant(x)), f(x)
        assert type(made) is type(expected)
        assert list(made) == list(expected)
        assert values(dict(made)) == values(dict(expected))
        assert made is not staged(ag.constant(x))


def test_they_are_what_their_classes_make_them():
    made = ag.function(a_derived_dictionary)(ag.constant(2))
    assert int(made.count) == 2
    made["c"] = 1
    assert int(made.count) == 3
    assert int(ag.function(parts_of_others)(ag.constant(2))["v"].total()) == 10
    assert ag.function(with_a_factory)(ag.constant(1))["new"] == []


def test_one_from_outside_is_itself():
    table = collections.OrderedDict(a=1)

    @ag.function
    def written(x):
        table["a"] = x
        return table

    assert written(ag.constant(2)) is table
    assert int(table["a"]) == 2


def test_of_a_called_function():
    inner = ag.function(in_another_order)

    @ag.function
    def outer(x):
        d = inner(x)
        return d["p"] + d["q"], list(d)

    total, keys = outer(ag.constant(2))
    assert (int(total), keys) == (3, ["q", "p"])


def test_gradient():
    x = ag.constant(3.0)
    with ag.GradientTape() as tape:
        tape.watch(x)
        made = ag.function(parts_of_others)(x)
        y = made["v"][0] * made["o"]["z"]
    assert float(tape.gradient(y, x)) == 6.0


def test_with_an_object_in_it():
    class Point:
        def __init__(self, x):
            self.x = x

    @ag.function
    def named(x):
        return collections.OrderedDict(p=Point(x * 2))

    assert int(named(ag.constant(2))["p"].x) == 4
