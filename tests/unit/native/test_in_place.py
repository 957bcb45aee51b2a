"""Arrays that loops and branches write to stay where they are, and nobody sees a write that is not theirs."""

import re

import numpy as np
import pytest

import autograph as ag
from autograph.staging import native_code
from runtime.backends.native import toolchain

pytestmark = pytest.mark.skipif(not toolchain.available(), reason="no compiler")

X = np.array([3.0, 1.0, 2.0, 5.0, 4.0])


def both(fn, *args):
    """The results of native code and of the plan, which must be equal; native code must not have given up."""
    made = []
    original = native_code.LazyPlan.__call__
    native_code.LazyPlan.__call__ = lambda self, *a: made.append(self) or original(self, *a)
    try:
        results = [
            ag.nest.map_structure(np.asarray, ag.function(fn, jit_compile=c)(*map(ag.constant, args))) for c in (True, False)
        ]
    finally:
        native_code.LazyPlan.__call__ = original
    assert not made, "native code gave the call back"
    ag.nest.map_structure(np.testing.assert_array_equal, *results)
    return results[0]


def text_of(fn, *args):
    f = ag.function(fn, jit_compile=True)
    f(*map(ag.constant, args))
    return f.inspect(*map(ag.constant, args)).llvm


def bubble(x):
    n = x.shape[0]
    for i in ag.range(n):
        for j in ag.range(n - 1 - i):
            if x[j] > x[j + 1]:
                x[j], x[j + 1] = x[j + 1], x[j]
    return x


def test_a_sort():
    np.testing.assert_array_equal(both(bubble, X), np.sort(X))


def test_nothing_is_copied_at_each_step():
    def run(x):
        for k in ag.range(3):
            for i in ag.range(4000):
                if x[i] > 0.5:
                    x[i] = x[i] - 0.5
        return x

    # One loop brings the argument to memory of its own, one the result to the caller.
    assert text_of(run, np.ones(4000)).count("!llvm.loop !") <= 2


def test_an_array_that_is_read_after_a_branch_is_not_written_in_it():
    def run(x, c):
        y = x * 1.0
        z = y
        if c > 0:
            y = y + 0.0
            y[0] = 9.0
        return y, z, y + z

    for c in (1, -1):
        both(run, X, c)


def test_a_view_sees_the_old_elements():
    def run(x, c):
        y = x * 1.0
        back = y[::-1]
        if c > 0:
            y[0] = 9.0
        for _ in ag.range(c):
            y[1] = back[1] + y[1]
        return y, back

    for c in (2, 0):
        both(run, X, c)


def test_an_invariant_that_is_a_view_of_what_a_loop_carries():
    def run(x, n):
        y = x * 1.0
        first = y[0:2]
        for i in ag.range(n):
            y[0] = y[0] + 1.0
            y[2] = first[0] + y[2]
        return y

    both(run, X, 3)


def test_two_carried_arrays_that_begin_as_one():
    def run(x, n):
        y = x * 1.0
        z = y
        z = ag.reshape(z, [5])
        for i in ag.range(n):
            y[i] = z[i] * 2.0
            z[i] = y[0]
        return y, z

    both(run, X, 4)


def test_branches_that_give_back_different_arrays():
    def run(x, n):
        y, z = x * 1.0, x * 2.0
        for i in ag.range(n):
            if y[i] > 2.0:
                y, z = z, y
            else:
                y[i] = z[i] + 1.0
        return y, z

    both(run, X, 5)


def test_inner_loops_of_unknown_length():
    def sieve(n):
        flags = ag.ones([n + 1], ag.int32)
        i = 2
        while i * i <= n:
            if flags[i] == 1:
                j = i * i
                while j <= n:
                    flags[j] = 0
                    j = j + i
            i = i + 1
        return flags

    flags = both(sieve, np.int64(50))
    assert [k for k in range(2, 51) if flags[k]] == [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47]


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.int64])
def test_integers_that_wrap_around_still_do(dtype):
    def run(x, n):
        total = x[0]
        for i in ag.range(n):
            total = total * x[1] + x[2]
        return total, total // x[2], total % x[2]

    both(run, np.array([100, 7, 3], dtype), np.int32(30))


def test_counters_from_below_zero_and_negative_indices():
    def run(x, n):
        total = 0.0
        i = -5
        while i < n:
            total = total + x[i] * (i % 3) + i // 2
            i = i + 1
        return total

    both(run, X, np.int64(5))


def test_an_index_beyond_the_end_is_still_an_error():
    def run(x, n):
        for i in ag.range(n):
            x[i] = x[i] + 1.0
        return x

    f = ag.function(run, jit_compile=True)
    for n in (6, 5):
        if n == 6:
            with pytest.raises(IndexError):
                f(ag.constant(X), ag.constant(n))
        else:
            np.testing.assert_array_equal(f(ag.constant(X), ag.constant(n)), X + 1)


def test_ranges_of_known_numbers():
    def run(x):
        total = x[0] * 0.0
        for i in ag.range(1, 10, 2):
            total = total + x[i // 2] * ag.cast(i, ag.float64)
        for i in ag.range(4, -1, -1):
            total = total - x[i] * ag.cast(i, ag.float64)
        for i in ag.constant([2, 4, 3]):
            total = total * 2.0 + x[i]
        return total

    both(run, X)


def rebound_in_one_branch(x, n):
    xs, ys = [x], [x * 2]
    for i in ag.range(n):
        if i % 3 == 0:
            xs = [*xs, x + i]
        elif i % 3 == 1:
            xs, ys = [x - i], [*ys, xs[-1]]
    return ag.stack(xs), ag.stack(ys)


def swapped_in_one_branch(x, n):
    xs, ys = [x], [x * 2, x]
    for i in ag.range(n):
        if i % 3 == 0:
            xs, ys = [*ys, x * i], xs
        elif i % 3 == 1:
            xs = [*xs, *ys]
    return ag.stack(xs), ag.stack(ys)


def kept_beside(x, n):
    xs, before = [x], [x]
    for i in ag.range(n):
        if i % 2 == 0:
            before, xs = xs, [*xs, x * i]
        else:
            xs = [*xs, x]
    return ag.stack(xs), ag.stack(before)


@pytest.mark.parametrize("f", [rebound_in_one_branch, swapped_in_one_branch, kept_beside])
@pytest.mark.parametrize("n", [0, 1, 2, 3, 8])
def test_lists_that_one_branch_replaces(f, n):
    got = both(f, X, n)
    for a, b in zip(got, f(X, n), strict=True):
        np.testing.assert_array_equal(a, np.stack(b) if isinstance(b, list) else b)


def test_logits_are_not_written_over_while_labels_pick_among_them():
    """The probabilities go where the logits lie, row by row, but not before the loss has read its logit."""

    def f(h, y):
        with ag.GradientTape() as tape:
            tape.watch(h)
            loss = 0.0
            for k in ag.range(5):
                losses = ag.nn.sparse_softmax_cross_entropy_with_logits(labels=y[:, k], logits=h[k] * 2.0)
                loss += ag.reduce_sum(losses)
        return loss, tape.gradient(loss, h)

    random = np.random.default_rng(0)
    h = ag.constant(random.normal(size=(5, 8, 50)).astype(np.float32))
    y = ag.constant(random.integers(0, 50, (8, 5)).astype(np.int32))
    got, want = (ag.function(f, jit_compile=native)(h, y) for native in (True, False))
    np.testing.assert_allclose(got[0].numpy(), want[0].numpy(), rtol=1e-5)
    np.testing.assert_allclose(got[1].numpy(), want[1].numpy(), rtol=1e-4, atol=1e-6)


def one_list_twice(x, n):
    xs, ys = [x, x + 1], [x * 2]
    kept = ys
    for _ in range(2):
        if n > 1:
            ys.append(x + n)
            xs[0] = x
        else:
            xs, ys = ys, xs
    return ag.stack(ys), ag.stack(kept), ag.stack(xs)


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_a_list_that_a_branch_leaves_twice(n):
    for a, b in zip(both(one_list_twice, X, n), one_list_twice(X, n), strict=True):
        np.testing.assert_array_equal(a, b)


def exchanging(u, n):
    a, b, c = u * 1.0, u * 2.0, u * 3.0
    for k in range(n):
        for i in range(1, len(u) - 1):
            b[i] = 0.5 * (a[i - 1] + a[i + 1]) + c[k % 3]
        c[k % 3] += b[1]
        a, b, c = b, c, a
    a[0] = 7.0
    return a, b, c


def exchanging_in_turns(u, n):
    a, b, t = u * 1.0, u * 2.0, u * 0.0
    for k in range(n):
        for i in range(k + 1):
            a[i % 3] += b[(i + 1) % 3] + k
            a, b = b, a
        t = t + a * 2 - b
    return a, b, t


@pytest.mark.parametrize("f", [exchanging, exchanging_in_turns])
@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_arrays_that_change_places(f, n):
    u = np.arange(6.0)
    got = ag.function(f, jit_compile=True)(u, np.int64(n))
    for made, want in zip(got, f(u, n), strict=True):
        np.testing.assert_array_equal(made.numpy(), want)


def made_anew(u, n):
    rows, width = u.shape
    for k in range(n):
        v = np.zeros((rows, width))
        for i in range(1, rows - 1):
            for j in range(1, width - 1):
                v[i, j] = u[i - 1, j] + u[i + 1, j] - u[i, j - 1] * u[i, j + 1]
        u = v
    return u


def made_anew_and_looked_at(u, n):
    total = u[0, 0] * 0.0
    for k in range(n):
        v = np.ones((5, 6))
        v[k % 5, 2] = u[1, 1]
        for i in range(5):
            v[i, i] += u[4 - i, i + 1]
        total += v[0, 0] + u[2, 3]
        u = v
    return u, total


def two_made_anew(u, n):
    a, b = u * 1.0, u * 2.0
    for k in range(n):
        p = np.zeros((5, 6))
        q = np.zeros((5, 6))
        for i in range(5):
            p[i, 0] = b[i, 1] + k
            q[i, 1] = a[i, 0] - p[i, 0]
        a, b = q, p
    return a, b


def made_anew_in_some_turns(u, n):
    for k in range(n):
        v = np.zeros((5, 6))
        for i in range(5):
            v[i, k % 6] = u[i, (k + 1) % 6] + 1.0
        if k % 2 == 0:
            u = v
        else:
            v[0, 0] = u[4, 5]
            u = u + v
    return u


def made_of_the_last_two(u, n):
    before = u * 1.0
    for k in range(n):
        v = np.zeros((5, 6))
        for i in range(5):
            for j in range(6):
                v[i, j] = u[i, j] + before[4 - i, 5 - j]
        before, u = u, v
    return before, u


@pytest.mark.parametrize(
    "f", [made_anew, made_anew_and_looked_at, two_made_anew, made_anew_in_some_turns, made_of_the_last_two]
)
@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_arrays_that_each_turn_makes_anew(f, n):
    u = np.random.default_rng(3).normal(size=(5, 6))
    got, want = ag.function(f, jit_compile=True)(u, np.int64(n)), f(u.copy(), n)
    for made, right in zip(ag.nest.flatten(got), ag.nest.flatten(want), strict=True):
        np.testing.assert_array_equal(np.asarray(made), right)


def test_what_a_turn_makes_anew_is_not_copied():
    text = text_of(made_anew, np.ones((5, 6)), np.int64(3))
    moved = re.findall(r"%slot\d+ = phi ptr \[ (\S+), \S+ \], \[ (\S+), ", text)
    assert any(before != after for before, after in moved)  # pointers change places
