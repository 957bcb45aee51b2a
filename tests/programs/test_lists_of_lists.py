"""Lists taken out of lists that grew in staged loops: what is done to the one is seen in the other."""

import pytest

import autograph as ag


def appended_to_an_earlier_one(n):
    rows = []
    for i in range(n):
        rows.append([i])
        rows[0].append(10 * i)
    return sum(sum(row) for row in rows)


def bound_to_a_name(n):
    rows = []
    for i in range(n):
        rows.append([i, 1])
    row = rows[0]
    row.append(5)
    row[0] = 7
    row += [2]
    return sum(rows[0]) + len(row)


def changed_in_turn(n):
    rows = []
    for i in range(n):
        rows.append([i])
    for row in rows:
        row.append(3)
    return sum(len(row) for row in rows) + rows[1][1]


def three_deep(n):
    cubes = []
    for i in range(n):
        cubes.append([[i]])
    cubes[1][0].append(4)
    cubes[0].append([9])
    return sum(len(line) for square in cubes for line in square) + cubes[1][0][1]


def popped(n):
    rows = []
    for i in range(n):
        rows.append([i, 2 * i])
    taken = rows[2].pop()
    return taken + len(rows[2])


def filled_after_it_was_put_in(n):
    grid = []
    for i in range(n):
        row = []
        grid.append(row)
        for j in range(i + 1):
            row.append(i * j)
    return sum(sum(row) for row in grid) + len(grid[2])


def of_tensors(n):
    xs = []
    for i in range(n):
        xs.append(ag.ones(2) * i)
    x = xs[1]
    x[0] = 7.0
    return xs[1][0] + x[1]


def a_record(n):
    people = []
    for i in range(n):
        people.append({"age": i, "marks": [i]})
        people[0]["age"] += 10
        people[i]["marks"].append(3)
    last = people[-1]
    last["age"] = 50
    return sum(p["age"] + len(p["marks"]) for p in people)


def chosen(n):
    a, b = [1, 2], [3, 4]
    c = a if n > 3 else b
    c.append(5)
    c[0] = 9
    b[1] = 7
    return sum(a) + 10 * len(a) + 100 * sum(b) + 1000 * sum(c)


def the_other_way(n):
    a, b = {"x": 1}, {"x": 2}
    c = a
    if n > 3:
        c = b
    b["x"] = 7
    a["x"] = 5
    return c["x"]


def while_it_is_gone_over(n):
    sums = []
    for i in range(n):
        sums.append(i)
    for i, s in enumerate(sums):
        if i + 1 < n:
            sums[i + 1] = sums[i + 1] + s
    return sums[-1]


def comprehensions(n):
    triangle = [[i * j for j in range(i + 1)] for i in range(n)]
    flat = [v for row in triangle for v in row if v > 1]
    odd = sum(i * j for i in range(n) if i % 2 for j in range(i))
    picked = sum(i + j for i in [1, 2, 3] if i < n for j in (10, 20))
    return sum(flat) + 100 * len(flat) + odd + 1000 * picked


def returned_before_a_finally(n):
    log = []

    def run(x):
        try:
            if x > 3:
                log.append(1)
                return x, log
        finally:
            log.append(3)
        return x, log

    x, found = run(n)
    return x + 10 * len(found) + 100 * found[-1]


def of_a_length_of_the_run(n):
    rows = []
    for i in range(n):
        rows.append(i)
    best = [0.0] * (len(rows) + 1)
    for i in range(len(rows)):
        best[i + 1] = best[i] + rows[i]
    zeros = len(rows) * [0]
    return best[-1] + len(best) + 10 * len(zeros)


def in_a_branch(n):
    rows = []
    for i in range(n):
        rows.append([i])
        if i > 1:
            rows[1].append(i)
    return len(rows[1]) + rows[1][-1]


def by_a_tensor(n):
    rows = []
    for i in range(n):
        rows.append([i])
        rows[i // 2].append(1)
    return sum(len(row) for row in rows) + len(rows[1])


def a_row_of_before_an_insertion(n):
    rows = []
    for i in range(n):
        rows.append([i])
    row = rows[0]
    rows.insert(0, [n])
    row.append(1)
    rows.pop(0)
    row.append(2)
    return 10 * len(rows[0]) + rows[0][-1]


def changed_again_and_again(n):
    rows = [[] for _ in range(n)]
    for k in range(60):
        rows[(n + k * k) % n].append(k)
        rows[(n + k) % n].append(1)
    return sum(rows[n - 1]) + len(rows[0])


PROGRAMS = [f for name, f in list(globals().items()) if callable(f) and getattr(f, "__module__", "") == __name__]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_as_python(program):
    assert int(ag.function(program)(ag.constant(4))) == program(4)


def test_an_alias_that_only_the_run_knows():
    def program(n):
        rows = []
        for i in range(n):
            rows.append([i])
        kept = [row for row in rows if row[0] > 1]
        kept[0].append(1)
        return len(rows[2])

    assert int(ag.function(program)(ag.constant(4))) == program(4)
