"""Loops over tensors of known length that no node can be: each turn leaves another structure, or asks what Python knows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import autograph as ag

X = np.array([3.0, 1.0, 2.0, 5.0, 4.0])


class Node:
    def __init__(self, value, following):
        self.value, self.following = value, following


@dataclass(frozen=True)
class Cell:
    head: Any
    tail: Any = None


def linked(xs):
    head = None
    for x in xs:
        head = Node(x, head)
    total, weight = 0.0, 1.0
    while head is not None:
        total += head.value * weight
        weight *= 0.5
        head = head.following
    return total


def reversed_in_place(xs):
    head = None
    for x in xs:
        head = Node(x * x, head)
    before = None
    while head is not None:
        head.following, before, head = before, head, head.following
    values = []
    while before is not None:
        values.append(before.value)
        before = before.following
    return values


def nested_pairs(xs):
    pairs = ()
    for x in xs:
        pairs = (x, pairs)
    total = 0.0
    while pairs:
        x, pairs = pairs
        total = total * 0.5 + x
    return total


def cells(xs):
    tail = None
    for i, x in enumerate(xs):
        tail = Cell(x * i, tail)
    depth, total = 0, 0.0
    while tail is not None:
        depth, total, tail = depth + 1, total + tail.head * depth, tail.tail
    return depth, total


def numbered(xs):
    found = {}
    for i, x in enumerate(xs):
        found[f"x{i}"] = x * 2
    return found


def until_large(xs):
    head, count = None, 0
    for x in xs:
        head = (x, head)
        count += 1
        if x > 100:
            break
    return count, head[0], head[1][0]


def kept_beside(xs):
    log, head = [], None
    log.append(0.0)
    for x in xs:
        log.append(x)
        head = (head, x)
    return log, head[1]


PROGRAMS = [linked, reversed_in_place, nested_pairs, cells, numbered, until_large, kept_beside]


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("f", PROGRAMS)
def test_as_in_python(f, jit):
    staged = ag.function(f, jit_compile=jit)
    for x in (X, X[::-1].copy(), X[:2]):
        got, want = staged(ag.constant(x)), f(x)
        ag.nest.map_structure(np.testing.assert_allclose, got, want)


@pytest.mark.parametrize("f", [linked, nested_pairs])
def test_gradients(f):
    @ag.function
    def slope(x):
        with ag.GradientTape() as tape:
            tape.watch(x)
            y = f(x * x)
        return tape.gradient(y, x)

    h = 1e-6
    want = [(f((X + h * e) ** 2) - f((X - h * e) ** 2)) / (2 * h) for e in np.eye(len(X))]
    np.testing.assert_allclose(slope(ag.constant(X)), want, rtol=1e-6)


def test_a_loop_that_can_be_a_node_stays_one():
    @ag.function
    def total(xs):
        s = 0.0
        for x in xs:
            s += x
        return s

    assert [n.op.name for n in total.get_concrete_function(ag.constant(X)).graph.nodes].count("for_loop") == 1


def test_unknown_lengths_are_refused_by_name():
    f = ag.function(nested_pairs, input_signature=[ag.TensorSpec([None], ag.float64)])
    with pytest.raises(ag.errors.UnimplementedError, match="unsettled-loop"):
        f(ag.constant(X))
    objects = ag.function(linked, input_signature=[ag.TensorSpec([None], ag.float64)])
    np.testing.assert_allclose(objects(ag.constant(X)), linked(X))


def test_an_error_of_the_user_comes_once():
    seen = []

    @ag.function
    def f(xs):
        head = None
        for x in xs:
            head = (x, head)
            seen.append(len(seen))
            raise KeyError("mine")
        return head

    with pytest.raises(KeyError, match="mine"):
        f(ag.constant(X))
