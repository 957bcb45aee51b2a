"""What generated code does at once: rows of lists, attributes in tests of loops, and the same with tensors among them."""

import numpy as np

import autograph as ag


class Machine:
    """Counts down; `left` writes each time it is read."""

    def __init__(self, n):
        self.n, self.asked = n, 0

    @property
    def left(self):
        self.asked += 1
        return self.n


def rows(x):
    table = [[0, 1.5], [2, 3]]
    cube = {"a": [[1], [2]]}
    for i in range(2):
        table[i][i - 1] += 2
        table[i][1] *= x if i else 3
        cube["a"][i][0] = table[i][0 + i]
    pairs = {(i, i + 1): i for i in range(3)}
    pairs[1, 2] += 5
    return table, cube["a"], pairs[0 + 1, 1 + 1], (1, 2) in pairs, (2, 2) in pairs


def turns(x):
    machine = Machine(3)
    while machine.n > 0:
        machine.n -= 1
    machine.n = 3
    while machine.left > 0:
        machine.n -= 1
    while machine.n < x:
        machine.n += 1
    return machine.n, machine.asked


def test_rows():
    staged = ag.function(rows)(ag.constant(4.0))
    expected = rows(np.float32(4.0))
    assert [[float(v) for v in row] for row in staged[0]] == [[float(v) for v in row] for row in expected[0]]
    assert [float(row[0]) for row in staged[1]] == [float(row[0]) for row in expected[1]]
    assert (int(staged[2]), bool(staged[3]), bool(staged[4])) == expected[2:]


def test_tests_of_loops():
    assert tuple(int(v) for v in ag.function(turns)(ag.constant(2.5))) == turns(2.5) == (3, 4)


def test_tuples_of_tensors_are_seen_in_lists():
    @ag.function
    def last(x):
        return sorted([(x[0], 0), (x[1], 1)])[0][0]

    assert float(last(ag.constant([2.0, 1.0]))) == 1.0
