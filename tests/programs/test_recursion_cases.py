"""Recursion, one thing at a time: what becomes a function of the graph, depth, decorated functions, tapes, refusals."""

import numpy as np
import pytest

import autograph as ag
from tests.programs.test_recursion import LEFT, RIGHT, V, W, fib, is_even, power, tree_network


def functions_of(function, *args):
    return list(ag.function(function).get_concrete_function(*args).graph.functions)


def test_one_function_for_all_calls():
    assert functions_of(fib, ag.constant(3)) == ["fib"]
    assert functions_of(is_even, ag.constant(3)) == ["is_even"]


def test_depth_known_to_python_is_unrolled():
    def go(x, n):
        if n == 0:
            return x
        if x > 1.0:
            return go(x - 1.0, n - 1)
        return x

    assert functions_of(lambda x: go(x, 3), ag.constant(2.0)) == []


def visited_in_order(edges):
    """Vertices, those that others lead to last; None where some lead back to themselves."""
    state, order = [0] * len(edges), []

    def visit(u):
        if state[u] == 1:
            return False
        if state[u] == 2:
            return True
        state[u] = 1
        for v in range(len(edges)):
            if edges[u][v] and not visit(v):
                return False
        state[u] = 2
        order.insert(0, u)
        return True

    for u in range(len(edges)):
        if not visit(u):
            return None
    return order


def test_a_search_through_few_vertices_is_one_function():
    """Each call, with its own number, was a function inside all others: a sixth of a second for two, seven for three."""
    line, ring = np.array([[0, 1, 1], [0, 0, 1], [0, 0, 0]]), np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]])
    assert len(functions_of(visited_in_order, ag.constant(line))) <= 2  # for the first call, and those in the loop
    for edges in (line, line.T.copy(), ring):
        found = ag.function(visited_in_order)(ag.constant(edges))
        assert (None if found is None else [int(u) for u in found]) == visited_in_order(edges)


def test_ten_thousand_calls_deep():
    @ag.function
    def count(n):
        return 0 if n == 0 else 1 + count(n - 1)

    assert int(count(ag.constant(10_000))) == 10_000
    assert int(ag.function(lambda n: is_even(n))(ag.constant(10_001))) == 0


def test_decorated_function_that_calls_itself():
    @ag.function
    def steps(n, done=0):
        if n == 1:
            return done
        return steps(n // 2, done + 1) if n % 2 == 0 else steps(3 * n + 1, done + 1)

    assert int(steps(ag.constant(97))) == 118
    assert int(steps(ag.constant(27), 5)) == 116


class Scaled:
    def __init__(self, w):
        self.w = w

    @ag.function
    def down(self, x, n):
        return x if n == 0 else self.w * self.down(x, n - 1)


def test_decorated_method_with_a_variable():
    scaled = Scaled(ag.Variable(3.0))
    with ag.GradientTape() as tape:
        y = scaled.down(ag.constant(2.0), ag.constant(4))
    assert float(y) == 162.0
    assert float(tape.gradient(y, scaled.w)) == 216.0
    scaled.w.assign(2.0)
    assert float(scaled.down(ag.constant(2.0), ag.constant(3))) == 16.0


def test_variable_written_in_recursion():
    total = ag.Variable(0.0)

    @ag.function
    def add(x, n):
        total.assign_add(x)
        if n > 0:
            add(x * 2.0, n - 1)

    add(ag.constant(1.0), ag.constant(3))
    assert float(total) == 15.0
    add(ag.constant(1.0), ag.constant(0))
    assert float(total) == 16.0


@pytest.mark.parametrize("n", [0, 1, 4])
def test_second_derivative(n):
    staged = ag.function(power)
    x = ag.constant(1.3)
    with ag.GradientTape() as outer:
        outer.watch(x)
        with ag.GradientTape() as inner:
            inner.watch(x)
            y = staged(x, ag.constant(n))
        dx = inner.gradient(y, x, unconnected_gradients="zero")
    ddx = outer.gradient(dx, x, unconnected_gradients="zero")
    np.testing.assert_allclose(float(dx), n * 1.3 ** (n - 1), rtol=1e-5)
    np.testing.assert_allclose(float(ddx), n * (n - 1) * 1.3 ** (n - 2), rtol=1e-5)


def test_tape_inside_recursion():
    @ag.function
    def descend(x, n):
        if n == 0:
            return x
        with ag.GradientTape() as tape:
            tape.watch(x)
            y = (x - 3.0) ** 2
        return descend(x - 0.25 * tape.gradient(y, x), n - 1)

    assert float(descend(ag.constant(1.0), ag.constant(4))) == 3.0 - 2.0 / 16


def test_weights_of_a_tree_network():
    w = ag.Variable(W)

    @ag.function
    def encode(leaves, root):
        return ag.reduce_sum(tree_network(w, leaves, ag.constant(LEFT), ag.constant(RIGHT), root))

    with ag.GradientTape() as tape:
        loss = encode(ag.constant(V), ag.constant(0))
    got = tape.gradient(loss, w).numpy()

    def at(change):
        return float(np.sum(tree_network(W + change, V, LEFT, RIGHT, 0)))

    for k in range(9):
        step = np.zeros(9)
        step[k] = 1e-6
        step = step.reshape(3, 3)
        assert abs(got.reshape(-1)[k] - (at(step) - at(-step)) / 2e-6) < 1e-6


def test_without_an_end_python_raises():
    @ag.function
    def forever(n):
        return forever(n + 1) * 2 if n > 0 else forever(n - 1) + 1

    with pytest.raises(RecursionError):
        forever(ag.constant(1))


def test_a_function_that_only_ends_by_raising():
    @ag.function
    def search(n):
        if n == 0:
            raise KeyError("nothing")
        else:
            return search(n - 1) * 2

    with pytest.raises(KeyError):
        search(ag.constant(3))


def test_new_functions_as_arguments_are_refused():
    def go(n, after):
        return after(n) if n == 0 else go(n - 1, lambda v: after(v) * n)

    with pytest.raises(ag.errors.OperatorNotAllowedInGraphError, match="'after'"):
        ag.function(lambda n: go(n, lambda v: v))(ag.constant(3))


def test_changing_a_list_of_its_own_is_refused():
    def go(n, done):
        if n == 0:
            return n
        done.append(n)
        return go(n - 1, [n, n])

    with pytest.raises(ag.errors.OperatorNotAllowedInGraphError, match="changes a list"):
        ag.function(lambda n: go(n, [n, n]))(ag.constant(3))
