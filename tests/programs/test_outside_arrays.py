"""NumPy arrays outside of a staged function that it writes: each call leaves in them what Python would."""

from functools import partial

import numpy as np
import pytest

import autograph as ag


def values(x):
    """What a result or state holds, as Python's numbers."""
    if isinstance(x, (list, tuple)):
        return [values(part) for part in x]
    if isinstance(x, dict):
        return {key: values(part) for key, part in x.items()}
    x = x.numpy() if isinstance(x, ag.Tensor) else x
    return x.tolist() if isinstance(x, (np.ndarray, np.generic)) else x


def item():
    buf = np.zeros(3)

    def f(i, x):
        buf[i] = x
        return buf.sum()

    return f, lambda: buf


def loop():
    buf = np.zeros(3)

    def f(n, x):
        for i in range(n):
            buf[i] += x * i
        np.multiply(buf, 2, out=buf)
        return buf * 2

    return f, lambda: buf


def whole():
    buf = np.zeros(3)

    def f(n, x):
        nonlocal buf
        buf += x
        buf[n] -= 1
        return buf.max()

    return f, lambda: buf


class Ring:
    def __init__(self):
        self.buf = np.zeros(4)
        self.count = 0

    def push(self, x):
        self.buf[self.count % 4] = x
        self.count += 1

    def mean(self):
        return self.buf.mean()


def ring():
    state = Ring()

    def f(n, x):
        state.push(x)
        if n > 1:
            state.push(x * n)
        return state.mean()

    return f, lambda: (state.buf, state.count)


def views():
    m = np.zeros((3, 4))
    row, column = m[1], m[:, 2]

    def f(n, x):
        row[0] = x
        column[:] += x
        for i in range(n):
            m[i % 3] += row
        return m.sum() + column[1]

    return f, lambda: (m, row, column)


def view_made_inside():
    m = np.arange(6.0).reshape(2, 3)

    def f(n, x):
        row = m[1]
        row[n] = x
        m.T[0] += 1
        return row[0]

    return f, lambda: m


class Slots:
    __slots__ = ("buf", "pair")


def alias_in_a_tuple():
    state = Slots()
    state.buf = np.zeros((2, 2))
    state.pair = (state.buf, 3)

    def f(n, x):
        if x > 1:
            state.buf[0, 0] = x
        else:
            state.buf[n] = x
        return state.pair[0] * 1

    return f, lambda: state.buf


def dictionary():
    d = {"w": np.ones(3), "b": np.zeros(2, np.float32), "n": np.zeros(3, int)}

    def f(n, x):
        d["w"] -= x * d["w"]
        d["b"][:] = x
        d["n"][n] = x * 10
        return d["w"].sum() + d["b"].sum()

    return f, lambda: d


def several():
    buffers = [np.zeros(2), np.ones(2)]

    def f(n, x):
        for b in buffers:
            b[0] = x
        buffers[1][1] += x * n
        return buffers[0][0]

    return f, lambda: buffers


def swapped():
    state = Ring()
    state.old, state.new = np.zeros(3), np.zeros(3)
    first = state.old

    def f(n, x):
        state.new[:] = state.old + x
        state.new[n] *= 2
        state.old, state.new = state.new, state.old
        return state.old.sum()

    return f, lambda: (state.old, state.new, first)


def bound_anew():
    state = Ring()
    before = state.buf

    def f(n, x):
        state.buf += x
        state.buf = state.buf * 2
        state.buf[n] = x
        return state.buf.sum()

    return f, lambda: (state.buf, before)


def only_python_numbers():
    buf = np.zeros(3)

    def f(n, x):
        buf[0] = 1.0
        buf[1] += 2.0
        buf[1:].fill(5.0)
        np.add.at(buf, [2, 2], 1.0)
        return x + buf[1] + n

    return f, lambda: buf


def by_functions():
    buf = np.array([3.0, 1.0, 2.0])

    def f(n, x):
        np.copyto(buf, buf * 2)
        np.put(buf, [0, 2], x)
        np.putmask(buf, buf > 4, x)
        if n > 1:
            buf.sort()
        np.add.at(buf, [0, 0], x)
        return buf[n]

    return f, lambda: buf


def union_find():
    parent = np.arange(8)

    def find(i):
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    def union(a, b):
        roots = find(a), find(int(b))
        if roots[0] != roots[1]:
            parent[roots[0]] = roots[1]
        return find(a)

    return union, lambda: parent


def memo():
    known = np.zeros(30)
    known[1] = 1.0

    def fib(n):
        if n < 2:
            return n * 1.0
        if known[n] > 0:
            return known[n]
        known[n] = fib(n - 1) + fib(n - 2)
        return known[n]

    return lambda n, x: fib(n + 3) + x, lambda: known


def caught():
    buf = np.zeros(3)

    def f(n, x):
        try:
            buf[n + 2] = x
        except IndexError:
            buf[0] += x
        return buf.sum()

    return f, lambda: buf


def raise_by_one(b):
    b += 1


def by_other_names():
    state = Ring()
    state.rows = [np.ones(2), np.arange(3.0)]
    state.grid = np.ones((2, 2))
    counts = np.arange(3)

    def f(n, x):
        b = state.buf
        b += 1
        b /= 2
        c = counts
        c //= 2
        c |= 5
        row = state.grid[0]
        row *= 3
        for r in state.rows:
            r **= 2
            r += 1
        raise_by_one(state.grid)
        if x > 1:
            b -= 4
        return b.sum() + row.sum() + c.sum() + x

    return f, lambda: (state.buf, state.rows, state.grid, counts)


def by_the_name_around():
    buf = np.arange(3.0)

    def f(n, x):
        nonlocal buf
        buf += 1
        return buf.sum() + x

    return f, lambda: buf


PROGRAMS = [
    by_other_names, by_the_name_around, item, loop, whole, ring, views, view_made_inside, alias_in_a_tuple,
    dictionary, several, swapped, bound_anew, only_python_numbers, by_functions, union_find, memo, caught,
]  # fmt: skip
CALLS = [(1, 1.5), (2, 3.0), (0, 0.5), (2, 2.0)]


@pytest.mark.parametrize("native", [False, True], ids=["plan", "native"])
@pytest.mark.parametrize("make", PROGRAMS, ids=lambda make: make.__name__)
def test_calls_leave_in_arrays_what_python_does(make, native):
    f, state = make()
    expected = [(values(f(n, x)), values(state())) for n, x in CALLS]
    f, state = make()
    staged = ag.function(f, jit_compile=native)
    got = [(values(staged(ag.constant(n), ag.constant(x, ag.float64))), values(state())) for n, x in CALLS]
    assert got == expected


@pytest.mark.parametrize("native", [False, True], ids=["plan", "native"])
def test_arrays_are_read_again_and_of_any_length(native):
    total = np.zeros(2)

    @ag.function(input_signature=[ag.TensorSpec([None], ag.float64)], jit_compile=native)
    def add(xs):
        for x in xs:
            total[0] += x
            total[1] = total[0] / 2
        return total[1]

    assert float(add(ag.constant([1.0, 2.0], ag.float64))) == 1.5
    total[0] = 10.0
    assert float(add(ag.constant([1.0, 2.0, 3.0], ag.float64))) == 8.0
    assert total.tolist() == [16.0, 8.0]
    assert add.experimental_get_tracing_count() == 1


def test_another_array_in_the_place_is_another_trace():
    state = Ring()
    push = ag.function(state.push)
    first = state.buf
    push(ag.constant(1.0))
    state.buf = np.ones(2)
    state.count = 0
    push(ag.constant(2.0))
    assert (first.tolist(), state.buf.tolist()) == ([1.0, 0.0, 0.0, 0.0], [2.0, 1.0])


def test_what_is_written_has_a_gradient_within_the_call():
    buf = np.zeros(3)

    @ag.function
    def f(x):
        buf[0] = x * 2
        for i in range(2):
            buf[i + 1] = buf[i] * x
        return buf.sum()

    x = ag.constant(3.0, ag.float64)
    with ag.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    assert buf.tolist() == [6.0, 18.0, 54.0]
    assert float(tape.gradient(y, x)) == 2 + 4 * 3 + 6 * 9


@pytest.mark.parametrize("outside", [False, True])
@pytest.mark.parametrize("native", [False, True], ids=["plan", "native"])
def test_results_are_not_what_later_calls_write(outside, native):
    buf = np.zeros(2)

    def step(b, x):
        before = b.copy()
        b[0] += x
        return before, b

    staged = ag.function(partial(step, buf) if not outside else lambda x: step(buf, x), jit_compile=native)
    if not outside:
        staged = partial(ag.function(step, jit_compile=native), buf)
    got = [staged(ag.constant(1.0)) for _ in range(3)]
    assert [values(before) for before, _ in got] == [[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]]
    assert buf.tolist() == [3.0, 0.0]


def test_the_gradient_is_of_what_the_array_was():
    buf = np.array([2.0, 3.0])

    @ag.function
    def f(b, x):
        y = (b * x).sum()
        b[0] = 100.0
        return y

    x = ag.constant(1.0, ag.float64)
    with ag.GradientTape() as tape:
        tape.watch(x)
        y = f(buf, x)
    assert float(tape.gradient(y, x)) == 5.0
    assert buf.tolist() == [100.0, 3.0]


def test_an_argument_that_is_also_outside_is_refused():
    board = np.zeros(3)

    @ag.function
    def into_argument(x, i):
        x[i] = 1.0
        return board * ag.cast(i, ag.float64)

    @ag.function
    def into_both(x, i):
        board[i] = 1.0
        return x + 1

    @ag.function
    def number_read_by_python(x, i):
        x[0] = 5.0
        return board[0] + 0

    for f in (into_argument, into_both, number_read_by_python):
        with pytest.raises(ag.errors.OperatorNotAllowedInGraphError, match="array-write"):
            f(board, ag.constant(1))
        assert board.tolist() == [0.0, 0.0, 0.0]
        f(np.zeros(3), ag.constant(1))
        board[:] = 0.0


def test_nothing_is_written_where_the_call_raises():
    buf = np.zeros(2)

    @ag.function
    def f(x):
        buf[0] = x
        if x > 1:
            raise ValueError("too large")
        return buf[0]

    with pytest.raises(ValueError, match="too large"):
        f(ag.constant(2.0))
    assert buf.tolist() == [0.0, 0.0]
    assert type(buf) is np.ndarray
