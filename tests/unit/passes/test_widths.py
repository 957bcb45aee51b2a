"""Parts of arrays whose bounds the integers tell: the sizes are known, and right."""

import numpy as np
import pytest

import autograph as ag
from runtime.ir.walk import clone
from runtime.passes.pipeline import optimize
from runtime.passes.widths import know_widths


def shapes_of_slices(fn, *args):
    """The shapes of all slices in the graph of `fn`, when the pass has looked at it."""
    graph = know_widths(clone(ag.function(fn).get_concrete_function(*args).graph))
    nodes = [n for n in graph.walk() if n.op.name == "index" and any(isinstance(e, tuple) for e in n.attrs["spec"])]
    return [n.outputs[0].tensor_type.shape for n in nodes]


def taken(start, width):
    """A function that adds up rows from `start(i)` on."""

    def fn(x, turns):
        total = ag.zeros([3])
        for i in ag.range(turns):
            at = start(i)
            total = total + ag.reduce_sum(x[at : at + width], axis=0) * ag.cast(i + 1, "float32")
        return total

    return fn


X = np.random.default_rng(0).standard_normal((40, 3)).astype("float32")
KNOWN = {
    "modulo the rows": (lambda i: i * 8 % 40, 8),
    "modulo, steps with a common factor": (lambda i: i * 12 % 40, 4),
    "modulo, then times": (lambda i: i % 5 * 8, 8),
    "floor division": (lambda i: i * 16 // 4 % 40, 4),
    "moved": (lambda i: i % 30 + 2, 5),
    "limited": (lambda i: ag.minimum(i % 9 * 7, 33), 7),
    "negative modulo": (lambda i: (0 - i * 8) % 40, 8),
}
UNKNOWN = {
    "over the end": (lambda i: i * 7 % 40, 8),
    "no factor in common": (lambda i: i * 3 % 40, 2),
    "before the start": (lambda i: i % 5 - 2, 3),
    "no bound": (lambda i: i, 8),
}


@pytest.mark.parametrize(("start", "width"), KNOWN.values(), ids=KNOWN)
def test_a_part_within_the_array_has_a_known_size(start, width):
    fn = taken(start, width)
    turns = ag.constant(23)
    assert shapes_of_slices(fn, ag.constant(X), turns) == [(width, 3)]
    check(fn, start, width)


@pytest.mark.parametrize(("start", "width"), UNKNOWN.values(), ids=UNKNOWN)
def test_a_part_that_may_leave_the_array_has_not(start, width):
    fn = taken(start, width)
    assert not isinstance(shapes_of_slices(fn, ag.constant(X), ag.constant(23))[0][0], int)
    check(fn, start, width)


def check(fn, start, width):
    expected = np.zeros(3, "float32")
    for i in range(23):
        at = int(np.asarray(start(np.int64(i))))
        expected = expected + X[at : at + width].sum(0) * np.float32(i + 1)
    for native in (False, True):
        got = ag.function(jit_compile=native)(fn)(ag.constant(X), ag.constant(23))
        np.testing.assert_allclose(got.numpy(), expected, rtol=1e-4, atol=1e-4)


def test_two_bounds_that_are_computed_apart():
    def fn(x):
        total = ag.zeros([])
        for i in ag.range(5):
            total = total + ag.reduce_sum(x[i * 8 : (i + 1) * 8])
        return total

    assert shapes_of_slices(fn, ag.constant(X)) == [(8, 3)]
    np.testing.assert_allclose(ag.function(jit_compile=False)(fn)(ag.constant(X)).numpy(), X.sum(), rtol=1e-4)


def test_integers_that_wrap_keep_what_their_step_says():
    """i * 2**28 leaves int32, but stays a multiple of 8; times 3, nothing says where it is."""

    def fn(x, turns):
        total = ag.zeros([3])
        for i in ag.range(turns):
            at = ag.cast(i, "int32") * 2**28 % 40
            total = total + ag.reduce_sum(x[at : at + 8], axis=0)
        return total

    assert shapes_of_slices(fn, ag.constant(X), ag.constant(20)) == [(8, 3)]
    with np.errstate(over="ignore"):
        starts = [int(np.int32(np.int64(i * 2**28).astype(np.int32)) % 40) for i in range(20)]
    expected = sum(X[at : at + 8].sum(0) for at in starts)
    with np.errstate(over="ignore"):
        got = ag.function(jit_compile=False)(fn)(ag.constant(X), ag.constant(20))
    np.testing.assert_allclose(got.numpy(), expected, rtol=1e-4, atol=1e-4)


def test_in_branches_and_loops_within():
    def fn(x, y, n):
        total = ag.zeros([3])
        for i in ag.range(10):
            for j in ag.range(4):
                at = i % 4 * 10 + j * 2
                if n > j:
                    total = total + ag.reduce_sum(x[at : at + 2] * y[j : j + 1], axis=0)
        return total

    assert shapes_of_slices(fn, ag.constant(X), ag.constant(X[:4]), ag.constant(2)) == [(2, 3), (1, 3)]
    expected = sum(
        (X[i % 4 * 10 + j * 2 : i % 4 * 10 + j * 2 + 2] * X[j : j + 1]).sum(0) for i in range(10) for j in range(2)
    )
    for native in (False, True):
        got = ag.function(jit_compile=native)(fn)(ag.constant(X), ag.constant(X[:4]), ag.constant(2))
        np.testing.assert_allclose(got.numpy(), expected, rtol=1e-4, atol=1e-4)


def test_a_training_step_asks_for_no_sizes():
    def train(x, y):
        w = ag.zeros([3, 2])
        for i in ag.range(30):
            at = i * 8 % x.shape[0]
            with ag.GradientTape() as tape:
                tape.watch(w)
                logits = x[at : at + 8] @ w
                loss = ag.reduce_mean(
                    ag.nn.sparse_softmax_cross_entropy_with_logits(labels=y[at : at + 8], logits=logits)
                )
            w = w - 0.1 * tape.gradient(loss, w)
        return w

    y = ag.constant(np.arange(40) % 2)
    graph = ag.function(train).get_concrete_function(ag.constant(X), y).graph
    names = {n.op.name for n in optimize(clone(graph)).walk()}
    assert not names & {"sum_to_like", "broadcast_like", "count_along"}
    plan, native = (ag.function(jit_compile=j)(train)(ag.constant(X), y).numpy() for j in (False, True))
    np.testing.assert_allclose(plan, native, rtol=1e-5)
