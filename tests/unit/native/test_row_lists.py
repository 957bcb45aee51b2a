"""Lists of lists in native memory: rows are read and changed where they are, copies are made where a value needs one."""

import os
import resource
import signal
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograph as ag
from runtime.backends.native import toolchain
from tests.unit.native.both import forbid_plan, native

pytestmark = pytest.mark.skipif(not toolchain.available(), reason="llvmlite is not installed")


def edit_distance(n, m):
    d = [[0] * (m + 1) for _ in range(n + 1)]
    for i in range(n + 1):
        d[i][0] = i
    for j in range(m + 1):
        d[0][j] = j
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            cost = 0 if i % 3 == j % 4 else 1
            d[i][j] = min(d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + cost)
    return d[n][m]


def shortest_ways(n, m):
    d = [[(i * 7 + j * 5) % 11 + 0.5 for j in range(n)] for i in range(n)]
    for k in range(n):
        for i in range(n):
            for j in range(n):
                if d[i][k] + d[k][j] < d[i][j]:
                    d[i][j] = d[i][k] + d[k][j]
    return sum(d[0]) + d[n - 1][m % n]


def neighbours(n, m):
    adjacent = [[] for _ in range(n)]
    for i in range(n):
        for j in range(i + 1, n, m):
            adjacent[i].append(j)
            adjacent[j].append(i)
    distance = [-1] * n
    distance[0] = 0
    queue = [0]
    head = 0
    while head < len(queue):
        u = queue[head]
        head += 1
        for v in adjacent[u]:
            if distance[v] < 0:
                distance[v] = distance[u] + 1
                queue.append(v)
    return sum(distance) + len(adjacent[n - 1])


def pascal(n, m):
    rows = [[1]]
    for i in range(1, n):
        row = [1]
        for j in range(1, i):
            row.append((rows[i - 1][j - 1] + rows[-1][j]) % 1009)
        row.append(1)
        rows.append(row)
    total = 0
    for row in rows:
        for x in row:
            total += x * m
    return total


def life(n, m):
    board = [[(i * 5 + j * 3) % 4 == 0 for j in range(m)] for i in range(n)]
    for _ in range(3):
        following = []
        for i in range(n):
            row = []
            for j in range(m):
                count = 0
                for a in range(-1, 2):
                    for b in range(-1, 2):
                        if (a != 0 or b != 0) and board[(i + a) % n][(j + b) % m]:
                            count += 1
                row.append(count == 3 or (count == 2 and board[i][j]))
            following.append(row)
        board = following
    alive = 0
    for row in board:
        for x in row:
            if x:
                alive += 1
    return alive


def cubes(n, m):
    d = [[[0] * m for _ in range(n)] for _ in range(n)]
    for i in range(n):
        for j in range(n):
            for k in range(m):
                d[i][j][k] = d[i][j - 1][k - 1] + i * j + k
        d[i][0].append(i)
    e = d[1:]
    e.append([[100] * m])
    return d[0][0][0] * 3 + e[-1][0][0] + len(e) + len(d[n - 1][0])


def rows_and_copies(n, m):
    rows = []
    for i in range(n):
        rows.append([i] * (i % 3 + 1))
    kept = rows[0][:]
    other = [row[:] for row in rows]
    for i in range(n):
        first = rows[i][0]
        rows[i][0] = rows[i - 1][-1] + m
        rows[i].append(first)
        rows[i].insert(0, len(rows[i]))
        rows[i].reverse()
        if i % 2 == 0:
            rows[i] = rows[i - 1] + rows[i]
        other[i][0] += rows[i].pop()
    rows.insert(1, kept)
    rows.reverse()
    rows += other
    last = rows.pop(1)
    total = len(last)
    for row in rows:
        for x in row:
            total = (total * 3 + x) % 10007
    return total


def whole_then_fractions(n, m):
    c = [[0] * n for _ in range(n)]
    for i in range(n):
        for j in range(n):
            c[i][j] = c[i][j] + i * 0.5 + j * m
    return c[n - 1][0] + c[0][n - 1]


ALL = [edit_distance, shortest_ways, neighbours, pascal, life, cubes, rows_and_copies, whole_then_fractions]


@pytest.mark.parametrize("f", ALL)
def test_tables_are_native(f, monkeypatch):
    made, executable = native(f, np.int64(3), np.int64(2))
    assert executable.lowered.islands == []
    forbid_plan(executable, monkeypatch)
    for n, m in ((1, 1), (2, 3), (5, 4), (9, 7)):
        assert made(np.int64(n), np.int64(m)) == pytest.approx(f(n, m))


@pytest.mark.parametrize("f", [edit_distance, shortest_ways, neighbours, cubes])
def test_no_row_is_copied_for_an_item(f):
    _, executable = native(f, np.int64(3), np.int64(2))
    text = executable.lowered.text
    inner = max(text.split("\n\n"), key=len)
    copies = [line for line in inner.splitlines() if "call i1 @ag_row_put" in line or "@llvm.memcpy" in line]
    makes = {edit_distance: 1, shortest_ways: 1, neighbours: 1, cubes: 4}  # a row, a matrix, that are appended; slices
    assert len(copies) <= makes[f], copies


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 7), st.integers(-4, 3), st.integers(-4, 3)), max_size=30))
def test_random_changes_are_python_s(changes):
    given = np.array(changes, np.int64).reshape(-1, 3)
    assert np.asarray(_changed(ag.constant(given))).tolist() == _change(given.tolist())


def _change(changes):
    rows = []
    for i in range(4):
        rows.append([i, i + 1])
    for k in range(len(changes)):
        what, i, j = changes[k][0], changes[k][1], changes[k][2]
        if what == 0:
            rows[i].append(j)
        elif what == 1:
            rows[i][0] = rows[j][-1] + 1
        elif what == 2:
            rows[i] = rows[j][:]
        elif what == 3:
            row = rows[i]
            row[-1] += rows[j][0]
            row.append(rows[j][0])
        elif what == 4 and len(rows[i]) > 1:
            rows[j][0] = rows[i].pop()
        elif what == 5:
            rows.append([j, i])
            rows[4][0] += rows[0][0]
            rows.pop(4)
        elif what == 6:
            for x in rows[j]:
                rows[i][0] += x % 5
        elif what == 7:
            rows[i][-1] = len(rows[j])
    total = 0
    for row in rows:
        for x in row:
            total = (total * 31 + x) % 1000003
    return total


_changed = ag.function(_change, jit_compile=True, input_signature=[ag.TensorSpec([None, 3], ag.int64)])


def beyond(n):
    rows = []
    for i in range(n):
        rows.append([0] * 200)
    for i in range(n):
        rows[i][i] = 1  # the line
    return rows[0][0]


def test_an_index_out_of_range_is_python_s_error_and_keeps_no_memory():
    made = ag.function(beyond, jit_compile=True)
    assert int(made(np.int64(150))) == 1

    def fail():
        with pytest.raises(IndexError, match="list assignment index out of range") as caught:
            made(np.int64(300))
        frame = [f for f in caught.traceback if os.path.basename(str(f.path)) == os.path.basename(__file__)][-1]
        assert "# the line" in str(frame.statement)

    _keeps_nothing(fail, 30)


def without_end(n):
    rows = []
    for i in range(n):
        rows.append([i] * n)
    k = n - n
    while k >= 0:
        rows[k % n].append(k)
        if len(rows[k % n]) > 2 * n:
            rows[k % n] = [k] * n
        k += 1
    return rows[0][0]


class EndError(Exception):
    pass


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="timers of POSIX")
def test_an_interrupted_loop_keeps_no_rows():
    made, _ = native(without_end, np.int64(800))

    def end(*_):
        raise EndError

    def interrupt():
        signal.setitimer(signal.ITIMER_REAL, 0.3, 0.3)
        with pytest.raises(EndError):
            made(np.int64(800))
        signal.setitimer(signal.ITIMER_REAL, 0)

    before = signal.signal(signal.SIGALRM, end)
    try:
        _keeps_nothing(interrupt, 6)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _keeps_nothing(work, times):
    for _ in range(3):
        work()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(times):
        work()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < (8 << 10) * (1024 if sys.platform == "darwin" else 1)


def test_lists_of_lists_that_come_and_go():
    def scaled(n, k):
        rows = []
        for i in range(n):
            rows.append([i] * i)
        for row in rows:
            row.append(k)
        return rows, rows[-1]

    made = ag.function(scaled, jit_compile=True)
    rows, last = made(np.int64(3), np.int64(7))
    want, want_last = scaled(3, 7)
    assert [[int(x) for x in row] for row in rows] == want
    assert [int(x) for x in last] == want_last
