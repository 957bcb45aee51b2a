"""NumPy's functions of arrays and lists of which only the run knows how long they are, by NumPy on the same numbers."""

import numpy as np
import pytest

import autograph as ag

X = np.array([3.0, 1.0, 2.0, 1.0])
M = np.arange(12.0).reshape(3, 4) + 1
JOINING = {
    "concatenate": np.concatenate,
    "flat": lambda rows: np.concatenate(rows, axis=None),
    "last": lambda rows: np.concatenate(rows, axis=-1),
    "vstack": np.vstack,
    "hstack": np.hstack,
    "dstack": np.dstack,
    "column_stack": np.column_stack,
    "stack": np.stack,
    "stack_behind": lambda rows: np.stack(rows, axis=1),
    "array": np.array,
    "sum": lambda rows: np.sum(rows, axis=0),
}
ROWS = {
    "vectors": lambda v: v * 2,
    "pairs": lambda v: [v, v * 2],
    "matrices": lambda v: np.outer(v, v),
    "lists": lambda v: [w + 1 for w in v],
    "pairs_of_numbers": lambda v: [v[0], v[1] * 2],
    "pairs_of_known": lambda v: (1, 2),
}


def same(got, want):
    got, want = (list(x) if isinstance(x, (list, tuple)) else [x] for x in (got, want))
    assert len(got) == len(want)
    for g, w in zip(got, want, strict=True):
        g, w = np.asarray(g), np.asarray(w)
        assert (g.shape, g.dtype) == (w.shape, w.dtype)
        np.testing.assert_allclose(g, w, rtol=1e-9, atol=1e-12)


def of_any_size(f, *arrays, jit):
    kinds = [ag.TensorSpec([None] * a.ndim, a.dtype) for a in arrays]
    return ag.function(f, input_signature=kinds, jit_compile=jit)


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("row", ROWS)
def test_lists_of_rows(row, jit):
    make = ROWS[row]
    for name, join in JOINING.items():

        def joined(m, join=join):
            rows = []
            for v in m:
                if v[0] > 2:
                    rows.append(make(v))
            return join(rows)

        staged = of_any_size(joined, M, jit=jit)
        for m in (M, M[:, :2], M[1:2]):
            if name == "flat" or row != "pairs" or name != "column_stack":
                same(staged(ag.constant(m)), joined(m))


@pytest.mark.parametrize("jit", [False, True])
def test_tables_of_lists(jit):
    def tables(x):
        table = np.array([[a * b for b in x] for a in x])
        rows = []
        for a in x:
            row = []
            for b in x:
                row.append([a, b - a])
            rows.append(row)
        uneven = []
        for a in x:
            if a > 1:
                uneven.append([b for b in x if b < a])
        return table, np.array(rows), np.concatenate(uneven), np.hstack(uneven), np.max(table)

    staged = of_any_size(tables, X, jit=jit)
    for x in (X, X[:3], np.array([2.0, 0.5])):
        same(staged(ag.constant(x)), tables(x))

    def total(x):
        return np.sum(np.array([[a * b**2 for b in x] for a in x]))

    x = ag.constant(X)
    with ag.GradientTape() as tape:
        tape.watch(x)
        y = of_any_size(total, X, jit=jit)(x)
    np.testing.assert_allclose(tape.gradient(y, x), np.sum(X**2) + 2 * X * np.sum(X))


def test_rows_of_unequal_lengths_are_no_array():
    @ag.function
    def table(x):
        return np.array([[w for w in x if w >= v] for v in x])

    @ag.function
    def halves(x):
        return np.array([[w for w in x if w >= v] for v in x[::2]]), np.vstack([[w for w in x if w >= 2.0], x[:2]])

    np.testing.assert_array_equal(halves(ag.constant([1.0, 2.0, 1.0, 3.0]))[0], [[1, 2, 1, 3], [1, 2, 1, 3]])
    np.testing.assert_array_equal(halves(ag.constant([1.0, 2.0, 1.0, 3.0]))[1], [[2, 3], [1, 2]])
    with pytest.raises(ValueError, match="shape"):
        table(ag.constant(X))


FUNCTIONS = {
    "polyval": lambda x: np.polyval(x, 2.0) + np.polyval(x, x),
    "polyfit": lambda x: np.polyfit(x, x * 2 + 1, 1),
    "tri": lambda x: np.tri(len(x), len(x) + 1, -1) + np.tri(len(x), len(x) + 1, dtype=int),
    "indices": lambda x: np.indices((len(x), 2)),
    "sparse_indices": lambda x: np.indices((len(x), 3), sparse=True)[1] * 1.0,
    "triu_indices": lambda x: np.outer(x, x)[np.triu_indices(len(x), 1)],
    "tril_indices": lambda x: np.outer(x, x)[np.tril_indices(len(x))],
    "diag_indices": lambda x: np.outer(x, x)[np.diag_indices(len(x))],
    "fromfunction": lambda x: np.fromfunction(lambda i, j: i + 2 * j, (len(x), 2)),
    "c_": lambda x: np.c_[x, x * 2, np.outer(x, x)],
    "r_": lambda x: np.r_[x, 1.0, 0:3, [x[0], 2.0], x],
    "vectorize": lambda x: np.vectorize(lambda v, w: v * 2 if v > w else 0.0)(x, 1.5),
    "vectorize_table": lambda x: np.vectorize(lambda v: v + 1)(np.outer(x, x)),
    "ndenumerate": lambda x: np.array([i * 10 + j + v for (i, j), v in np.ndenumerate(np.outer(x, x))]),
    "accumulate": lambda x: (np.add.accumulate(x), np.multiply.accumulate(x), np.maximum.accumulate(-x)),
    "accumulate_rows": lambda x: np.minimum.accumulate(np.outer(x, -x), axis=1),
    "accumulate_truths": lambda x: (np.logical_or.accumulate(x < 3), np.logical_and.accumulate(x > 1)),
    "apply_along_axis": lambda x: np.apply_along_axis(lambda r: r[::-1] / r.sum(), 0, np.outer(x, x)),
    "apply_to_numbers": lambda x: np.apply_along_axis(np.max, 1, np.outer(x, x + 1)),
    "convolve": lambda x: np.convolve(x, x[:2], "same") + x,
    "convolve_full": lambda x: (np.convolve(x, x), np.convolve(x[:2], x, "valid")),
    "tolist": lambda x: sum(a * b for a, b in zip(x.tolist(), np.outer(x, x).tolist()[1], strict=True)),
    "array_split": lambda x: np.array_split(x, 3),
    "matrix_rank": lambda x: np.linalg.matrix_rank(np.outer(x, x)),
    "lstsq": lambda x: np.linalg.lstsq(np.stack([x, x**2], 1), x * 3, rcond=None)[0],
    "rfft": lambda x: np.abs(np.fft.rfft(x)),
    "irfft": lambda x: np.fft.irfft(np.fft.rfft(x), len(x)),
    "fftshift": lambda x: np.fft.fftshift(x),
    "unique": lambda x: np.unique(x, return_index=True, return_inverse=True, return_counts=True),
    "nanmedian": lambda x: np.nanmedian(np.where(x > 2, np.nan, x)),
}


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name, jit):
    f = FUNCTIONS[name]
    staged = of_any_size(f, X, jit=jit)
    for x in (X, X[:3], np.array([0.5, 4.0])):
        same(staged(ag.constant(x)), f(x))


@pytest.mark.parametrize("name", ["polyval", "accumulate", "convolve", "rfft", "r_", "apply_along_axis"])
def test_gradients(name):
    def f(x):
        found = FUNCTIONS[name](x)
        parts = found if isinstance(found, tuple) else (found,)
        return sum(np.sum(np.cos(p) * np.arange(1.0, p.shape[0] + 1)) for p in parts if p.ndim == 1) + np.sum(parts[0] ** 2)

    at = np.array([0.3, -1.2, 0.7, 2.0, 0.1])
    x = ag.constant(at)
    with ag.GradientTape() as tape:
        tape.watch(x)
        y = of_any_size(f, at, jit=False)(x)
    found = tape.gradient(y, x)
    for k in range(at.size):
        step = np.zeros(at.size)
        step[k] = 1e-6
        np.testing.assert_allclose(found[k], (f(at + step) - f(at - step)) / 2e-6, rtol=1e-5, atol=1e-6)


def test_other_neighbours_are_no_view():
    @ag.function
    def f(m):
        m.ravel("F")[0] = 9.0
        column = m.reshape(2, 6, order="F")
        column[0, 0] = 7.0
        m.ravel()[1] = 5.0
        return m

    want = M.copy()
    want[0, 1] = 5.0
    np.testing.assert_array_equal(f(ag.constant(M)), want)


def test_deques_as_long_as_the_run_says():
    from collections import deque

    @ag.function(input_signature=[ag.TensorSpec([None], "float64")])
    def last_half(x):
        kept = deque(x, maxlen=len(x) // 2)
        kept.append(9.0)
        return np.array(list(kept))

    np.testing.assert_array_equal(last_half(ag.constant(X)), [1.0, 9.0])
    np.testing.assert_array_equal(last_half(ag.constant(X[:2])), [9.0])


def _row_grown(x, y):
    z = np.zeros((len(x), 1))
    for i in range(len(z)):
        z[i] += y
    return z


def _array_grown(x, y):
    z = np.zeros(x.shape)
    z += y
    return z


def _out_grown(x, y):
    z = np.empty_like(x)
    np.add(x, y, out=z)
    return z


MISFITS = {
    "dot": (lambda x, y: np.dot(x, y), (1,), (5,)),
    "inner": (lambda x, y: np.inner(x, y), (5,), (1,)),
    "vdot": (lambda x, y: np.vdot(x, y), (1,), (5,)),
    "dot_of_matrices": (lambda x, y: np.dot(x, y), (2, 1), (3, 2)),
    "dot_of_batches": (lambda x, y: np.dot(x, y), (2, 3, 1), (3, 2)),
    "first_axes": (lambda x, y: np.tensordot(x, y, [[0], [0]]), (1,), (3, 2)),
    "last_axes": (lambda x, y: np.tensordot(x, y, [[1], [1]]), (2, 3), (4, 1)),
    "two_axes": (lambda x, y: np.tensordot(x, y, [[1, 2], [0, 1]]), (2, 3, 1), (3, 4)),
    "a_row": (_row_grown, (2,), (2,)),
    "an_array": (_array_grown, (1,), (3,)),
    "a_matrix": (_array_grown, (1, 1), (2,)),
    "an_output": (_out_grown, (1,), (2,)),
}


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("name", MISFITS)
def test_a_size_of_one_that_does_not_fit(name, jit):
    # what broadcasts elsewhere must not here: it gave numbers, or cut some off, without a word
    f, *shapes = MISFITS[name]
    x, y = (np.arange(1.0, 1 + np.prod(s)).reshape(s) for s in shapes)
    with pytest.raises(ValueError):
        f(x.copy(), y)
    with pytest.raises(ValueError):
        of_any_size(f, x, y, jit=jit)(x, y)


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize(
    ("axes", "shapes"),
    [
        (1, [(3,), (3,)]),
        ([[0], [0]], [(3,), (3, 2)]),
        ([[0], [1]], [(3,), (2, 3)]),
        ([[1], [0]], [(2, 3), (3,)]),
        ([[0], [0]], [(3, 2), (3,)]),
        ([[0], [1]], [(3, 2), (4, 3)]),
        ([[-2], [-1]], [(3, 2), (4, 3)]),
        ([[1, 2], [0, 1]], [(2, 3, 4), (3, 4, 5)]),
    ],
)
def test_products_over_axes_of_unknown_sizes(axes, shapes, jit):
    x, y = (np.arange(1.0, 1 + np.prod(s)).reshape(s) for s in shapes)

    def product(x, y):
        return np.tensordot(x, y, axes)

    same(of_any_size(product, x, y, jit=jit)(x, y), product(x, y))


@pytest.mark.parametrize("jit", [False, True])
def test_more_than_there_are_largest(jit):
    kinds = [ag.TensorSpec([None], ag.float64), ag.TensorSpec([], ag.int32)]
    largest = ag.function(lambda x, k: ag.math.top_k(x, k)[0], input_signature=kinds, jit_compile=jit)
    assert largest(X, 2).numpy().tolist() == [3.0, 2.0]
    for k in (5, -1):  # gave all there are, and all but the last
        with pytest.raises(ag.errors.InvalidArgumentError, match=f"k={k}" if jit or k == 5 else "k"):
            largest(X, k)
