"""Containers that several names, lists or dictionaries hold: what is written through one is seen through the others."""

import numpy as np
import pytest

import autograph as ag


def plain(x):
    if isinstance(x, (list, tuple)):
        return [plain(e) for e in x]
    if isinstance(x, dict):
        return {k: plain(e) for k, e in x.items()}
    return np.asarray(x).tolist() if isinstance(x, (ag.Tensor, np.generic)) else x


def a_row_of_a_grown_list(n):
    rows = []
    for i in range(n):
        rows.append([i])
    rows[0].append(5)
    return rows


def an_item_of_a_row_of_what_was_sliced(n):
    rows = []
    for i in range(n):
        rows.append([i])
    rows = rows[:3]
    rows[-1][0] = 5
    return rows


def two_rows_in_a_turn(n):
    rows = [[0] * 3 for _ in range(3)]
    for i in range(n):
        r = rows[i % 3]
        r[i % 3] += i
        other = rows[(i + 1) % 3]
        other[0] = r[i % 3]
        r[1] -= other[0]
    return rows


def two_that_may_be_one(n):
    adjacent = [[] for _ in range(4)]
    for i in range(n):
        a, b = adjacent[i % 4], adjacent[i * 2 % 4]
        a.append(i)
        b.append(10 * i)
        a.append(len(b))
    return adjacent


def of_a_dictionary(n):
    groups = {0: [], 1: []}
    for i in range(n):
        a = groups[i % 2]
        a.append(i)
        b = groups[(i + 1) % 2]
        b.append(-i)
        a.append(len(b))
    return groups


def swapped_by_a_test(n):
    a, b = [1], [2]
    c = a
    if n > 2:
        a, b = b, a
    a.append(7)
    b[0] = 9
    c.append(8)
    return a, b, c


def chosen_of_what_was_chosen(n):
    x, y, z = [1], [2], [3]
    d = x if n > 2 else y
    d = d if n < 4 else z
    d.append(5)
    x.append(6)
    z[0] = 7
    y[0] = 8
    return x, y, z, d


def rows_of_a_chosen_one(n):
    x, y = [[1], [2]], [[3], [4]]
    d = x if n > 2 else y
    d[0].append(n)
    q = d[n % 2]
    q.append(7)
    x[0].append(8)
    y[1].append(9)
    return x, y, d, q


def pairs_of_lists(n):
    pairs = [([1], [2]), ([3], [4])]
    a, b = pairs[n % 2]
    a.append(n)
    b.append(n + 1)
    pairs[0][0].append(5)
    return pairs, a, b


def pivots(n):
    m = [[1, 2], [3, 4], [5, 6]]
    p = 0
    for r in range(1, 3):
        if m[r][0] > m[p][0] + n - 4:
            p = r
    m[0], m[p] = m[p], m[0]
    for r in range(1, 3):
        k = m[r][0]
        for c in range(2):
            m[r][c] -= k * m[0][c]
    return m


def one_or_another_in_a_loop(n):
    a = [0, 1, 2]
    b = a
    if n < 2:
        b = [1, 2]
    for i in range(n):
        b.append(i)
        a[0] = b[-1]
    while len(b) > 2:
        b.pop(0)
    return a, b


def merged(n):
    a, b, out = [], [], []
    for i in range(n):
        a.append(i * 2)
        b.append(i * 3)
    while a and b:
        out.append(a.pop(0) if a[0] < b[0] else b.pop(0))
    out += a
    out += b
    return out


def rows_of(n):
    rows = []
    for i in range(n):
        rows.append([i])
    return rows


def a_slice(n):
    rows = rows_of(n)
    b = rows[:]
    b[0].append(7)
    c = rows[1:]
    c[0][0] = 8
    rows[-1].append(9)
    d = rows[::-1]
    d[0].append(10)
    return rows, b, c, d


def copies(n):
    rows = rows_of(n)
    b, c = rows.copy(), list(rows)
    rows[1][0] = 9
    c[0].append(8)
    return rows, b, c


def joined_by_python(n):
    rows = rows_of(n)
    x = [5]
    b, c = rows + [x], [*rows, [6]]
    b[1][0] = 9
    c[-1].append(3)
    x.append(4)
    c[0].append(2)
    return rows, b, c, x


def twice_over(n):
    rows = rows_of(n)
    d = rows * 2
    d[0].append(8)
    d[-1].append(6)
    rows[0][0] = 3
    return rows, d


def extended(n):
    rows = rows_of(n)
    b = [[0]]
    b.extend(rows)
    b[1].append(8)
    rows[1].append(9)
    return rows, b


def elements_replaced_in_a_copy(n):
    rows = rows_of(n)
    b = rows[:]
    b[0] = [100]
    c = rows + [[3]]
    return rows, b, c


def the_last_name_of_a_list(n):
    rows = rows_of(n)
    rows = rows + [[3]]
    rows[0].append(4)
    rows = rows[1:]
    rows[0].append(5)
    return rows


def in_a_loop_over_a_slice(n):
    rows = rows_of(n)
    for row in rows[1:]:
        row.append(1)
    return rows


def in_a_branch_and_a_loop(n):
    rows = rows_of(n)
    b = rows[:]
    if n > 2:
        b[0].append(9)
    for i in range(n):
        b[i].append(i)
    return rows, b


def an_item_of_before(n):
    x = [1]
    rows = [x]
    for i in range(n):
        rows.append([i])
    x.append(5)
    rows[0].append(6)
    return rows, x


def one_element_twice(n):
    rows = rows_of(n)
    rows[0] = rows[1]
    rows[0].append(7)
    rows.insert(0, rows[-1])
    rows[0].append(1)
    rows.append(rows[1])
    rows[-1].append(2)
    return rows


def one_object_many_times(n):
    rows = [[]] * 3
    for i in range(n):
        rows.append([i])
    rows[0].append(4)
    return rows


def two_swapped(n):
    rows = rows_of(n)
    a, b = rows[0], rows[1]
    rows[0], rows[1] = rows[1], rows[0]
    a.append(5)
    rows[0].append(6)
    return rows, a, b


def taken_out_and_put_back(n):
    rows = rows_of(n)
    row = rows.pop()
    row.append(3)
    rows.append(row)
    row.append(4)
    return rows


def passed_to_a_function(n):
    def change(a, b):
        a[0].append(1)
        b[0][0] = 5

    rows = rows_of(n)
    change(rows, rows[:])
    return rows


def of_an_object(n):
    class Holder:
        pass

    holder = Holder()
    holder.rows = rows_of(n)
    holder.copy = holder.rows[:]
    holder.copy[0].append(8)
    return holder.rows, holder.copy


def some_in_another_list(n):
    rows = rows_of(n)
    b = [rows[0], rows[1]]
    b[0].append(5)
    rows[1].append(6)
    return rows, b


def copied_by_value(n):
    rows = rows_of(n)
    c = [row[:] for row in rows]
    c[1].append(5)
    return rows, c


def grown_while_gone_over(n):
    xs, total = [1, 2, 3], 0
    for x in xs:
        total += x
        if total > 100:
            break
        if x * 2 < n + 6:
            xs.append(x * 2)
    return xs, total


def a_queue_of_one(n):
    xs = [n]
    for x in xs:
        if x < 20:
            xs.append(x * 2)
    return xs


def numbered_while_it_grows(n):
    xs = []
    for i in range(n):
        xs.append(i)
    for i, x in enumerate(xs):
        if len(xs) < 10:
            xs.append(x + 1)
        xs[i] = x * 2
    return xs


def shortened_while_gone_over(n):
    xs = [3, 1, n]
    for x in xs:
        if x > 2:
            xs.pop()
    return xs


def sorted_rows(n):
    rows = rows_of(n)
    b = sorted(rows, key=lambda row: -row[0])
    b[0].append(9)
    return rows


def reversed_rows(n):
    rows = rows_of(n)
    b = list(reversed(rows))
    b[0].append(9)
    return rows


def kept_rows(n):
    rows = rows_of(n)
    b = [row for row in rows if row[0] > 0]
    b[0].append(8)
    return rows, b


def collected_in_a_loop(n):
    rows, b = rows_of(n), []
    for i in range(n):
        if i % 2 == 0:
            b.append(rows[i])
    rows[0].append(5)
    return rows, b


def popped_from_one_of_two(n):
    rows = rows_of(n)
    b = rows[:]
    row = rows.pop(0)
    row.append(3)
    return rows, b


def copied_in_a_branch(n):
    rows, b = rows_of(n), []
    if n > 2:
        b = rows[:]
    rows[0].append(5)
    return rows, b


def one_row_in_each_turn(n):
    row, rows = [5], []
    for _ in range(n):
        rows.append(row)
    row.append(3)
    return rows


def of_a_comprehension(n):
    row = []
    rows = [row for _ in range(n)]
    row.append(1)
    return rows


def three_deep(n):
    rows = []
    for i in range(n):
        rows.append([[i]])
    c = [row[:] for row in rows]
    c[1][0].append(5)
    return rows, c


def rows_swapped_in_turns(n):
    m = []
    for i in range(n):
        m.append([i, i])
    for i in range(n - 1):
        m[i], m[i + 1] = m[i + 1], m[i]
        m[0][0] += i
    return m


def rows_joined_twice(n):
    rows, more = rows_of(n), [[9]]
    for _ in range(2):
        more = rows + rows[:1]
    rows[0].append(n)
    return rows, more


def swapped_in_turns_and_changed(n):
    rows, pair = [[4], [5, 6], [7]], ([1], [2])
    for i in range(n):
        rows[0], rows[1] = rows[1], rows[0]
        pair = (pair[1], pair[0])
        rows[0].append(i)
        pair[0].append(i)
    rows[1].append(n)
    return rows, pair


def swapped_while_a_copy_holds_them(n):
    rows = [[4], [5, 6]]
    more = rows[:]
    for _ in range(n - 1):
        rows[0], rows[1] = rows[1], rows[0]
    more[0].append(n)
    return rows, more


def swapped_while_a_name_holds_one(n):
    rows = [[4], [5, 6]]
    row = rows[0]
    for _ in range(n - 1):
        rows[0], rows[1] = rows[1], rows[0]
    row.append(n)
    return rows


def changed_in_turns_while_a_copy_holds_them(n):
    rows = [[4], [5, 6]]
    more = rows[:]
    for _ in range(n - 1):
        rows[0], rows[1] = rows[1], rows[0]
        rows[0].append(n)
    return rows, more


def items_of_a_tuple_swapped(n):
    pair = ([1], [2])
    row = pair[0]
    for i in range(n):
        pair = (pair[1], pair[0])
        pair[0].append(i)
    return pair, row


def left_by_a_break(n):
    rows, best = [[1], [2], [3]], None
    for row in rows:
        if row[0] >= n:
            best = row
            break
    if best is not None:
        best.append(99)
    return rows


def last_of_a_loop(n):
    it, last = [0], None
    first = it
    for i in range(n):
        it.append(i)
        last = it
        if i > 1:
            it = [i]
    first.append(50)
    return it, first, last


def compared(n):
    rows = [[1], [1]]
    r, s, t = rows[n % 2], rows[(n + 1) % 2], rows[n % 2]
    return [r is s, r is t, r is not t, r == s]


def backtracked(n):
    best, path = [], []
    for i in range(n + 3):
        if i % 3 == 0:
            path = []
        path.append(i)
        if len(path) > len(best):
            best = path
    best.append(-1)
    return best, path


def slices_assigned(n):
    xs = []
    for i in range(n + 2):
        xs.append(i)
    ys = xs
    xs[1:2] = [7, 8]
    xs[:1] = []
    xs[-1:] = [9, 9]
    xs[5:2] = (3,)
    xs[n:] = [1]
    zs = [1, 2, 3]
    zs[1:n] = [5]
    return xs, ys, zs


def one_row_repeated(n):
    rows = [[]] * n
    rows[0].append(1)
    return rows


HELPERS = [plain, rows_of]
PROGRAMS = [f for f in list(globals().values()) if getattr(f, "__module__", "") == __name__ and f not in HELPERS]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("n", [2, 3, 5])
def test_as_python(program, n):
    assert plain(ag.function(program)(ag.constant(n))) == plain(program(n))
