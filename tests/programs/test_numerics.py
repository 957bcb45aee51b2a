"""Numerical programs in NumPy's style: arrays of arguments, places listed by the run, matrices without an inverse, searches
that stop by a `break`."""

import numpy as np
import pytest

import autograph as ag
from tests.programs.harness import Programs

PROGRAMS = Programs()
V = np.array([1.0, 3.0, 2.0, 5.0])
W = np.array([4.0, 0.5, 1.0, 2.5])
GAINS = np.array([10.0, 20.0, 30.0, 40.0])


@PROGRAMS.add((V, 2), (W, 3), gradients=False)
def arrays_of_arguments(xs, n):
    a = np.array(xs)
    b = np.asarray(xs, dtype=float)
    a[0] = 7.0
    a += 1.0
    c = np.array(xs, ndmin=2) + np.ascontiguousarray(xs)
    return a * b, c, np.array(n) + 1, np.array(xs[1:]).sum(), np.array(xs, dtype=int)


@PROGRAMS.add((V,), (W,), gradients=False)
def pivoted(a):
    """An array of what may be a list, as such programs begin; rows change places."""
    a = np.array(np.outer(a, a) + np.diag(a))
    order = np.arange(len(a))
    for k in range(3):
        p = k + np.argmax(np.abs(a[k:, k]))
        if p != k:
            a[[k, p]] = a[[p, k]]
            order[[k, p]] = order[[p, k]]
        a[k + 1 :, k] /= a[k, k]
        a[k + 1 :, k + 1 :] -= np.outer(a[k + 1 :, k], a[k, k + 1 :])
    return a, order


@PROGRAMS.add((V, 1.5), (W, 2.0), (W, 9.0), gradients=False)
def places_in_a_list(xs, bound):
    above = [i for i in range(len(xs)) if xs[i] > bound]
    below = []
    for i in range(len(xs)):
        if xs[i] <= bound:
            below.append(i)
    ys = xs.copy()
    ys[above] = 0.0
    ys[below] += 1.0
    table = np.outer(xs, xs)
    table[:, below] = -1.0
    return ys, table, xs[below], GAINS[below] * 2, table[above, 0], len(above)


@PROGRAMS.add((V, 1.5), (W, 2.0))
def places_and_gradients(xs, bound):
    above = [i for i in range(len(xs)) if xs[i] > bound]
    return (xs[above] ** 2).sum() + (GAINS[above] * xs[above]).mean()


@PROGRAMS.add((V, 3), (W, 6), (W, 1))
def numbers_between(xs, n):
    a, step = np.linspace(0, xs[0], n + 1, retstep=True)
    return a, step, np.linspace(-1, 2, n), np.linspace(xs[0], xs[1], num=n, endpoint=False), np.logspace(0, 1, n)


@PROGRAMS.add((np.outer(V, W), 2), (np.outer(V, V), 5), (np.outer(W, W), 0))
def margins(image, r):
    """Widths that are arguments."""
    return (
        np.pad(image, r, mode="edge"),
        np.pad(image, ((r, 1), (0, r)), mode="reflect"),
        np.pad(image, (1, r), mode="symmetric"),
        np.pad(image, r, constant_values=2.0),
    )


@PROGRAMS.add((V, V % 2), (W, W * 0))
def by_several_keys(xs, ys):
    order = np.lexsort((xs, ys))
    return order, xs[order]


@PROGRAMS.add((V, 2), (W, 0), gradients=False)
def written_after_numpy_made_them(xs, n):
    """Arrays of what the trace knows, made by any of NumPy's functions, and by operators of such."""
    nearest = np.tile(np.arange(4), (4, 1))
    columns, rows = np.meshgrid(np.arange(4), np.arange(4))
    squares = np.power([1.0, 2.0, 3.0, 4.0], 2)
    halves = np.arange(4.0) / 2
    for i in range(4):
        if xs[i] > n:
            nearest[i, 0] = nearest[i, 1] + 5
            rows[i, i] += 9
            squares[i] -= xs[i]
            halves[i] = xs[i]
    return nearest, columns, rows, squares, halves


@PROGRAMS.add((V, 1.5), (W, 0.7), gradients=False)
def of_lists_that_the_run_made(xs, bound):
    """NumPy's functions of them, rows in them, and places and values of an array."""
    above, where, points = [], [], []
    for i in range(len(xs)):
        if xs[i] > bound:
            above.append(xs[i])
            where.append(i)
            points.append([xs[i], xs[i] * 2])
    out = np.zeros(len(xs))
    out[where] = above
    table = np.array(points)
    return out, np.median(above), np.std(above), np.sqrt(above), np.dot(above, above), table, np.mean(points, axis=0)


GOOD, INDEFINITE, SINGULAR = np.array([[[2.0, 1.0], [1.0, 3.0]], [[1.0, 2.0], [2.0, 1.0]], [[1.0, 1.0], [1.0, 1.0]]])


@PROGRAMS.add((GOOD,), (INDEFINITE,), (SINGULAR,), gradients=False)
def without_an_inverse(a):
    jitter = 1e-6
    while True:
        try:
            factor = np.linalg.cholesky(a + jitter * np.eye(2))
            break
        except np.linalg.LinAlgError:
            jitter *= 10
    try:
        inverse = np.linalg.inv(a)
    except np.linalg.LinAlgError as error:
        print("no inverse:", error)
        inverse = np.zeros_like(a)
    try:
        x = np.linalg.solve(a, np.ones(2))
    except ValueError as error:
        x = np.zeros(2)
        print(type(error).__name__)
    return factor, jitter, inverse, x


test_eager, test_staged, test_gradients = PROGRAMS.tests()
test_natively = PROGRAMS.natively()


@pytest.mark.parametrize("jit_compile", [True, False])
def test_gradients_go_through_arrays_of_arguments(jit_compile):
    @ag.function(jit_compile=jit_compile)
    def program(xs):
        return (np.array(xs) * np.asarray(xs)).sum() + np.array([xs[0], 1.0]).sum()

    with ag.GradientTape() as tape:
        tape.watch(xs := ag.constant(V))
        total = program(xs)
    np.testing.assert_allclose(tape.gradient(total, xs), 2 * V + [1.0, 0.0, 0.0, 0.0])


def test_an_array_of_an_array_is_a_copy_or_the_same():
    def program(xs):
        ys = np.asarray(xs)
        ys[1] = -1.0
        zs = np.array(xs)
        zs[2] = -2.0
        return xs, ys, zs

    for got, want in zip(ag.function(program)(ag.constant(V)), program(V.copy()), strict=True):
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("jit_compile", [None, True, False])
def test_a_matrix_without_an_inverse_is_numpys_error(jit_compile):
    invert = ag.function(lambda a: np.linalg.inv(a), jit_compile=jit_compile)
    with pytest.raises(np.linalg.LinAlgError, match="^Singular matrix") as caught:
        invert(ag.ones([2, 2]))
    assert isinstance(caught.value, ag.errors.InvalidArgumentError)
    solve = ag.function(lambda a, b: np.linalg.solve(a, b), jit_compile=jit_compile)
    with pytest.raises(np.linalg.LinAlgError, match="^Singular matrix"):  # the plan runs it on b[:, None]
        solve(ag.ones([2, 2]), ag.ones([2]))


def secant(lo, hi, target):
    def f(x):
        return x**3 - x - target

    a, b = lo, hi
    fa, fb = f(a), f(b)
    bisected = True
    for i in range(100):
        if fb == 0 or abs(b - a) < 1e-12:
            break
        s = b - fb * (b - a) / (fb - fa)
        if not min(a, b) < s < max(a, b) or (bisected and abs(s - b) < 1e-3):
            s, bisected = (a + b) / 2, True
        else:
            bisected = False
        fs = f(s)
        if fa * fs < 0:
            b, fb = s, fs
        else:
            a, fa = s, fs
    return b, i


def test_a_long_loop_that_calls_a_function_beside_it_is_one_loop():
    """It was unrolled: a hundred turns, each in the branch of the one before."""
    staged = ag.function(secant, jit_compile=False)
    args = [ag.constant(x, ag.float64) for x in (0.0, 2.0, 3.0)]
    found, turns = staged(*args)
    assert (found.numpy(), turns.numpy()) == pytest.approx(secant(0.0, 2.0, 3.0))
    assert sum(1 for _ in staged.get_concrete_function(*args).graph.walk()) < 200


@pytest.mark.parametrize("jit_compile", [True, False])
@pytest.mark.parametrize("program", [lambda x: 1 if x > 0 else 2, lambda x: not x, lambda x: max(x, 0.0)])
def test_the_truth_of_many_of_a_number_that_only_the_run_knows(program, jit_compile):
    """It said that a tensor cannot be reshaped to ()."""
    staged = ag.function(program, input_signature=[ag.TensorSpec([None], ag.float64)], jit_compile=jit_compile)
    staged(V[:1])
    with pytest.raises(ag.errors.InvalidArgumentError, match=r"shape \[4\] is ambiguous(?s:.*)ag.reduce_any"):
        staged(V)
