"""Arrays and tensors that share their elements: rows, slices, transposes and reshaped ones that are written."""

import numpy as np
import pytest

import autograph as ag
from tests.programs.harness import Programs, central_differences, compare, gradients, tensors, values

PROGRAMS = Programs()  # those that fill NumPy's own arrays, when they run eagerly: these record no gradients
X = np.array([1.5, 2.5, -3.0, 4.0, 5.25])
Y = np.array([-0.5, 3.5, 2.0, 1.25, 6.0])
BOTH = ((X, 3), (Y, 2))


@PROGRAMS.add(*BOTH, gradients=False)
def rows_in_place(x, n):
    a = np.zeros((4, 5))
    for i in range(n):
        row = a[i]
        row += x
        row[1] = 7.0
        row *= 2
    return a


@PROGRAMS.add(*BOTH, gradients=False)
def a_row_from_before(x, n):
    a = np.zeros((3, 5))
    row = a[1]
    for i in range(n):
        row[i] = x[i]
        a[1, 4] += 1
    a[1, 3] = x[0]
    return a, row


@PROGRAMS.add(*BOTH, gradients=False)
def loops_over_rows(x, n):
    a = np.zeros((2, 3))
    for row in a:
        for j in range(n):
            row[j] += x[j]
    for i, row in enumerate(a):
        row[2] = x[i]
    return a


@PROGRAMS.add(*BOTH, gradients=False)
def one_array_by_two_names(x, n):
    a = np.zeros(5)
    b = a
    for _ in range(n):
        a += x
    if n > 2:
        b += 1
    b[0] = 9.0
    return a, b


@PROGRAMS.add(*BOTH, gradients=False)
def another_array_on_some_paths(x, n):
    a = np.zeros(5)
    b = a
    for i in range(n):
        if x[i] > 1:
            a += x
        else:
            a = a * 2
    a -= 1
    return a, b


@PROGRAMS.add(*BOTH, gradients=False)
def turned(x, n):
    m = np.zeros((3, 3))
    d, f = m.T, m.ravel()
    d[0] = x[:3]
    d[0, 1] += n
    f[4:6] = 7
    g = m.reshape(9)
    g += 1
    m.T[2, 0] = x[3]
    m.swapaxes(0, 1)[1][2] = 5.0
    return m, d, f, g


@PROGRAMS.add(*BOTH, gradients=False)
def views_of_views(x, n):
    m = np.zeros((4, 4))
    corner = m[:2, :2]
    corner += x[0]
    row = corner[0]
    row *= n
    m[0, 0] = 100.0
    return m, corner, row


@PROGRAMS.add(*BOTH, gradients=False)
def given_to_functions(x, n):
    def add(v):
        v += x
        v /= 2

    class Total:
        def __init__(self):
            self.of = np.zeros(5)

        def add(self, more):
            self.of += more

    a, total = np.zeros((2, 5)), Total()
    kept, held = total.of, [np.zeros(5), np.ones(5)]
    add(a[1])
    for _ in range(n):
        total.add(x)
    for one in held:
        one -= x
    held[0] *= 2
    return a, total.of, kept, held


@PROGRAMS.add(*BOTH, gradients=False)
def kept_apart(x, n):
    a = np.zeros(5)
    before = a
    for _ in range(n):
        new = before * 0.5 + x
        before = new
    a += 1
    y = np.sqrt(np.abs(x))
    z = y
    z += 1
    copied = np.copy(a)
    copied += 5
    picked = a[[0, 1]]
    picked += 5
    return before, a, y, z, copied, picked


@PROGRAMS.add(*BOTH)
def numbers_are_no_views(x, n):
    a = np.ones(3) * x[:3]
    first = a[0]
    first += 1
    a[0] = 8.0
    return a, first


@PROGRAMS.add(*BOTH)
def items_of_rows_of_arguments(x, n):
    m = np.reshape(np.concatenate([x, x + 1]), (2, 5))
    row = m[1]
    row[0] = 3.0
    m[1, 2] = 4.0
    for i in range(n):
        part = m[0]
        part[i] = row[i]
    return m, row


@PROGRAMS.add(*BOTH, gradients=False)
def while_with_rows(x, n):
    m = np.zeros((3, 3))
    i = 0
    while i < n:
        row = m[i]
        for j in range(i + 1):
            row[j] = x[j] * i
        i += 1
    return m


@PROGRAMS.add(*BOTH, gradients=False)
def by_functions(x, n):
    y, z = np.empty_like(x), np.zeros(5)
    np.multiply(x, 2, out=y)
    np.sin(y, out=y)
    rooted = np.sqrt(x, where=x > 2.25, out=np.zeros(5))
    row = z[1:4]
    np.add(row, x[:3], out=row)
    np.add.at(z, [0, 0, 1], x[:3])
    np.add.at(z, np.array([1, 1]) + n, 1.5)
    np.subtract.at(z, 4, x[0])
    return y, z, rooted, row, np.maximum(x, 0, out=y)


@PROGRAMS.add((0.5, 3), (-0.25, 0))
def scalars_of_numpys_functions(y, n):
    b = np.tanh(y)
    before = b
    b -= 1.0
    c = y
    for _ in range(n):
        c, b = b, np.tanh(c)
    c -= 1.0
    return before, b, c, y


test_eager, test_staged, test_gradients = PROGRAMS.tests()


@pytest.mark.parametrize("name", [n for n, p in PROGRAMS.table.items() if not p.gradients])
def test_gradients_in_a_graph(name: str) -> None:
    program = PROGRAMS.table[name]
    staged = ag.function(program.function)
    inside = ag.function(lambda *arguments: gradients(program.function, arguments))
    for case in program.cases:
        want = central_differences(program.function, case)
        for got in (gradients(staged, tensors(case)), inside(*tensors(case))):
            for g, w in zip(got, want, strict=True):
                compare(g.numpy(), w, 1e-4)


def test_whole_numbers_keep_their_type() -> None:
    def total(x):
        a = np.zeros(5, dtype=int)
        a += x
        return a

    with pytest.raises(TypeError, match="Cannot cast"):
        ag.function(total)(ag.constant(X))


def test_arrays_keep_their_shape() -> None:
    def total(x):
        a = np.zeros(5)
        a += x[:, None]
        return a

    with pytest.raises(ValueError, match="non-broadcastable output operand"):
        ag.function(total)(ag.constant(X))


def test_tensors_are_made_anew() -> None:
    def changed(x):
        y = x
        y += 1
        row = x[1:]
        row += 1
        return x, y, row

    want = X, X + 1, X[1:] + 1
    for f in (changed, ag.function(changed)):
        for got, wanted in zip(values(f(*tensors((X,)))), want, strict=True):
            np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("name", ["rows_in_place", "turned", "while_with_rows", "one_array_by_two_names"])
def test_native(name: str) -> None:
    function = PROGRAMS.table[name].function
    compiled = ag.function(function, jit_compile=True)
    for case in BOTH:
        got, want = values(compiled(*tensors(case))), function(*case)
        for g, w in zip(*((r if isinstance(r, tuple) else (r,)) for r in (got, want)), strict=True):
            np.testing.assert_allclose(g, w)
