"""Programs whose arguments have sizes that only the run knows, staged once for all of them; Python is the reference."""


import numpy as np
import pytest

import autograph as ag
from tests.programs.harness import Programs

PROGRAMS = Programs()
PAIRS = np.array([[1, 3], [8, 10], [2, 6], [15, 18], [9, 12]])
POINTS = np.array([[0.0, 1.0], [2.0, -1.0], [1.0, 5.0]])


@PROGRAMS.add((PAIRS, PAIRS[:, 0]), (PAIRS[:2], PAIRS[:2, 1]))
def nested_targets(pairs, weights):
    total, out = 0, []
    for (a, b), w in zip(pairs, weights):
        total += (b - a) * w
    for i, (a, b) in enumerate(pairs):
        out.append(a * i - b)
    (a, b), i = pairs[i], 2
    [(c, d), e] = pairs[0], weights[0]
    later = [i * x for i, (x, y) in enumerate(pairs) if y > 3]
    return total, out, [x - y for x, y in pairs], later, a + b * i, c * d + e


@PROGRAMS.add(PAIRS, PAIRS[1:3])
def merged_intervals(pairs):
    rows = sorted([list(row) for row in pairs], key=lambda row: row[0])
    out = [rows[0]]
    for start, end in rows[1:]:
        last = out[-1]
        if start <= last[1]:
            last[1] = max(last[1], end)
        else:
            out.append([start, end])
    return out, sum(b - a for a, b in out)


@PROGRAMS.add(POINTS, POINTS[1:])
def wrong_numbers(points):
    try:
        return [x + y + z for x, y, z in points]
    except ValueError as error:
        print(error)
    return [sum(point) for point in points]


@PROGRAMS.add(np.array([1, 2, 3, 2]), np.array([5]))
def merged_dictionaries(xs):
    squares, known = {}, {"first": xs[0]}
    for x in xs:
        squares = {**squares, x: x * x}
        known = {**known, "last": x, "first": x}
    both = {0: 1, **squares, 7: 2}
    values = {*xs, 7, *(x + 1 for x in xs)}
    return list(both), list(both.values()), len(squares), known, sorted(values), {**known, "n": 3}


@PROGRAMS.add(np.array([[1, 2, 3], [4, 5, 6]]), np.array([[7], [8], [9]]))
def transposed(m):
    rows = [list(row) for row in m]
    columns = [list(column) for column in zip(*rows)]
    sums = [i * sum(c) for i, c in enumerate(zip(*rows))]
    large = [sum(c) for c in zip(*[row for row in m if row[0] > 1])]
    for _ in range(2):
        rows = [list(column)[::-1] for column in zip(*rows)]
    return columns, sums, large, rows


@pytest.mark.parametrize("other", [(1, 2), [("a", 1)], 3])
def test_what_is_no_mapping(other):
    def program(x):
        return {**other, "x": x}

    for f in (program, ag.function(program), ag.autograph.to_graph(program)):
        with pytest.raises(TypeError, match="is not a mapping"):
            f(ag.constant(1))


test_at_open_sizes = PROGRAMS.at_open_sizes()
