"""Rows of Python lists that numbers of the run pick, are read and written at once: one list of the graph holds all."""

import numpy as np
import pytest

import autograph as ag
from tests.programs.harness import Programs

PROGRAMS = Programs()
program = PROGRAMS.add
GRID = [[3, 1, 4, 1], [5, 9, 2, 6], [5, 3, 5, 8], [9, 7, 9, 3], [2, 3, 8, 4]]
AT = np.array([[0, 1], [4, 3], [2, -1], [-5, 0], [2, 2]])
OTHER = np.array([[1, 1], [1, 1], [3, 0]])


@program((GRID, AT), (GRID, OTHER), traces=2)
def read(grid, at):
    total = 0
    for i, j in at:
        total += grid[i][j] * grid[i - 1][0]
    return total


@program((GRID, AT), (GRID, OTHER), traces=2)
def written_in_the_argument(grid, at):
    for i, j in at:
        grid[i][j] += grid[j][i % 4]
        grid[i][0] = grid[i][j] - 1
    return grid[2], grid[3][1]


@program((5, AT), (5, OTHER), traces=2)
def counts(n, at):
    rows = [[0] * 4 for _ in range(n)]
    for i, j in at:
        rows[i][j] += 1
    return rows


@program(AT, OTHER, traces=2)
def a_row_that_somebody_holds(at):
    rows = [[k, 0, 0, k * k] for k in range(5)]
    first, last = rows[0], rows[-1]
    seen = []
    for i, j in at:
        rows[i][j] += 10
        first[1] += 1
        last[2] = rows[0][1]
        seen.append(first[0] + last[3])
    return rows, first, last, first is rows[0], seen


@program(AT, OTHER, traces=2)
def one_row_twice(at):
    row = [1, 2, 3, 4]
    rows = [row, [0, 0, 0, 0], row, [5, 5, 5, 5], [6, 6, 6, 6]]
    for i, j in at:
        rows[i][j] += 10
    return rows, row


@program(AT, OTHER, traces=2)
def rows_of_two_lists(at):
    rows = [[k, k, k, k] for k in range(5)]
    others = rows[::-1]
    for i, j in at:
        rows[i][j] += 10
        others[i][j] += others[j][0]
    return rows, others


@program(AT, OTHER, traces=2)
def a_picked_row(at):
    rows = [[k, k, k, k] for k in range(5)]
    for i, j in at:
        row = rows[i]
        rows[i][j] += 10
        row[0] += row[j]
        rows[j][0] -= row[1]
    return rows


@program((AT, 1), (AT, -1), (OTHER, 3), traces=2)
def in_branches(at, n):
    rows = [[k, k, k, k] for k in range(5)]
    if n > 0:
        rows[n][n - 1] = 100
        if n > 2:
            rows[0] = [7, 7, 7, 7]
    else:
        rows[2] = [n, n, n, n]
    i, j = at[0], at[1]
    rows[i[0]][j[1]] += n
    return rows, rows[n][0]


@program((AT, 2.5), (OTHER, 0.5), traces=2)
def numbers_become_floats(at, x):
    rows = [[0, 0, 0, 0] for _ in range(5)]
    for i, j in at:
        rows[i][j] = x * 2
    return sum(rows[0]) * 1.0, sum(rows[4]) * 1.0, rows[-2][3] / 2


@program(AT, OTHER, traces=2)
def of_other_lengths(at):
    rows = [[0], [1, 1], [2, 2, 2], [3], [4, 4]]
    total = 0
    for i, j in at:
        rows[i][0] += j
        total += len(rows[i]) * rows[i][-1]
    return rows, total


@program((np.array([[1.0, 7.0, 9.0, 2.0], [4.0, 1.0, 1.0, 8.0], [0.5, 6.0, 1.0, 3.0], [2.0, 0.25, 5.0, 1.0]]),))
def shortest_paths(w):
    n = len(w)
    d = [[w[i, j] for j in range(n)] for i in range(n)]
    for k in range(n):
        for i in range(n):
            for j in range(n):
                if d[i][k] + d[k][j] < d[i][j]:
                    d[i][j] = d[i][k] + d[k][j]
    return sum(sum(row) for row in d)


@program(
    (np.array([0.5, 1.5, -2.0]), np.array([[0, 1], [3, 3], [0, 1]])),
    (np.array([1.0, 2.0, 3.0]), np.array([[2, 0], [2, 0], [1, 1]])),
)
def weights(x, at):
    table = [[x[0] * k + x[1], x[2] * k, x[0], 1.0 * x[1]] for k in range(4)]
    for k in range(3):
        i, j = at[k]
        table[i][j] *= x[k]
    total = 0.0
    for k in range(3):
        i, j = at[k]
        total += table[i][j] * table[j][i % 3]
    return total


@program((GRID, 1), (GRID, -2))
def out_of_order(grid, n):
    calls = []

    def at(i):
        calls.append(i)
        return i

    x = grid[at(n)][at(0)] + grid[at(n + 1)][n]
    return x, calls


test_eager, test_staged, test_gradients = PROGRAMS.tests()
test_natively = PROGRAMS.natively()


def test_indices_beyond_the_end_raise():
    @ag.function
    def read(i, j):
        rows = [[1, 2], [3, 4], [5, 6], [7, 8]]
        rows[i][0] = 9
        return rows[i][j]

    assert int(read(ag.constant(-1), ag.constant(1))) == 8
    for i, j in ((4, 0), (0, 2), (-5, 0)):
        with pytest.raises(IndexError, match="list"):
            read(ag.constant(i), ag.constant(j))


def test_what_tracing_takes_grows_with_the_number_of_rows():
    def paths(grid, blocked):
        n, m = len(grid), len(grid[0])
        ways = [[0] * m for _ in range(n)]
        ways[0][0] = 1
        for i in range(n):
            for j in range(m):
                if grid[i][j] == blocked:
                    ways[i][j] = 0
                else:
                    ways[i][j] += (ways[i - 1][j] if i else 0) + (ways[i][j - 1] if j else 0)
        return ways[n - 1][m - 1]

    def nodes(n):
        grid = [[(i * j) % 5 for j in range(n)] for i in range(n)]
        concrete = ag.function(paths).get_concrete_function(grid, ag.constant(3))
        return sum(1 for _ in concrete.graph.walk())

    assert nodes(32) < 4 * nodes(16)
