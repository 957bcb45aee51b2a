"""Buffers that a loop's turns use again, made before the loop."""

import numpy as np
import pytest

from runtime.backends.numpy_executor.executor import compile_graph
from runtime.plan import scratch
from tests.unit.executor import test_random_plans
from tests.unit.executor.build import INT, F, array
from tests.unit.executor.interpret import interpret, same

SHAPE = (64, 40)
X = np.linspace(-1, 1, 64 * 40, dtype="float32").reshape(SHAPE)


def check(graph, *arrays):
    wanted = interpret(graph, *arrays)
    run = compile_graph(graph)
    for _ in range(2):
        same(run(*arrays), wanted)
    return run.source


def looping(body, count=1):
    f = F("turns")
    x, n = f.input(array(*SHAPE), "x"), f.input(INT, "n")
    return f.returns(*f.for_loop(n, [x] * count, lambda i, *state: body(f, x, i, *state)))


def test_what_a_turn_forgets_lies_in_one_buffer():
    def body(f, x, i, state):
        return [f.add(f.mul(f.sin(state), f.cos(state)), f.mul(x, x))]

    source = check(looping(body), X, 5)
    inside = source[source.index("for ") :]
    assert "aligned(" not in inside
    assert source.count("= aligned(") <= 3


def test_a_value_made_anew_while_the_old_one_is_read_has_two():
    def body(f, x, i, state):
        new = f.sin(state)
        return [f.add(new, f.cos(f.mul(state, state)))]

    source = check(looping(body), X, 5)
    assert "buffer, buffer_2 = buffer_2, buffer" in source


@pytest.mark.parametrize(
    "body",
    [
        lambda f, x, i, a, b: [f.sin(f.add(a, b)), a],
        lambda f, x, i, a, b: [b, f.mul(f.sin(a), b)],
        lambda f, x, i, a, b: [f.add(f.sin(a), b), f.mul(a, 2.0)],
        lambda f, x, i, a, b: [f.cond(f.less(i, 2), lambda: [f.sin(a)], lambda: [b])[0], f.cos(a)],
        lambda f, x, i, a, b: [f.index(f.expand_dims(f.sin(a), axis=0), spec=(0,)), f.sub(a, b)],
    ],
    ids=["shifted", "crossed", "taken over", "chosen", "a view"],
)
def test_what_lives_longer_than_a_turn_is_not_written_over(body):
    check(looping(body, 2), X, 6)


def test_what_a_list_holds_is_not_written_over():
    f = F("kept")
    x, n = f.input(array(*SHAPE), "x"), f.input(INT, "n")
    kept = f.list_new(element=array(*SHAPE))

    def body(i, state, kept):
        new = f.sin(f.add(state, i))
        return [f.mul(new, 0.5), f.list_append(kept, new)]

    graph = f.returns(*f.for_loop(n, [x, kept], body))
    check(graph, X, 4)


def test_results_of_two_calls_are_two_arrays():
    run = compile_graph(looping(lambda f, x, i, state: [f.add(f.sin(state), f.cos(state))]))
    first = run(X, 3)[0]
    kept = first.copy()
    assert run(X, 4)[0] is not first
    same(first, kept)


@pytest.mark.parametrize("seed", range(400))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_random_graph_of_small_arrays(seed, monkeypatch):
    monkeypatch.setattr(scratch, "LEAST", 0)
    monkeypatch.setattr(scratch, "LARGE", 0)
    test_random_plans.test_a_random_graph(seed)
