"""Item assignment to tensors and its aliases."""

import numpy as np

from tests.programs.harness import Programs

PROGRAMS = Programs()
V = np.array([3.11, -1.23, 4.37, 1.41, -5.59])
W = np.array([-2.17, 7.29, 1.31, -8.43, 2.57])
A = np.array([[1.02, -2.13, 3.24], [0.5, 4.33, -1.21]])
B = np.array([[7.04, 2.35, -3.01], [9.1, 0.17, 6.29]])


@PROGRAMS.add((V, 2.0), (W, 3.0))
def assign_one(xs, y):
    xs[1] = y
    xs[-1] += y
    return xs * 2


@PROGRAMS.add((V, 3), (W, 5))
def assign_in_loop(xs, n):
    out = xs * 0
    for i in range(n):
        out[i] = xs[i] * i
    return out


@PROGRAMS.add((V, 2.0), (W, -1.0))
def assign_in_branch(xs, y):
    if y > 0:
        xs[0] = y
    else:
        xs[1] = xs[2]
    return xs


@PROGRAMS.add((V, 2.0), (W, -1.0))
def alias_sees_it(xs, y):
    a = xs * 1
    b = a
    b[0] = y
    return a, b


@PROGRAMS.add((V, 2.0), (W, -1.0))
def alias_in_branch_and_loop(xs, y):
    a = xs * 1
    b = a
    for i in range(3):
        if y > 0:
            b[i] = y
        a[i + 1] -= 1.0
    return a, b


@PROGRAMS.add((V, 2.0), (W, -1.0))
def arithmetic_makes_a_new_one(xs, y):
    a = xs
    a = a + 0
    a[0] = y
    return xs[0], a[0]


@PROGRAMS.add((A, 2.0), (B, -1.0))
def chained_subscripts(m, y):
    m[0][1] = y
    m[1][2] += y
    m[1, 0] *= 2
    return m


@PROGRAMS.add((A, 1), (B, 0))
def chained_in_loop(m, k):
    for j in range(3):
        m[k][j] = m[1 - k][j] * 2
    return m


@PROGRAMS.add((A, 2.0), (B, -1.0))
def slices_assigned(m, y):
    m[:, 0] = y
    m[1, 1:] = m[0, 1:] * 2
    return m


@PROGRAMS.add((V, 2), (W, 3))
def swap_items(xs, k):
    xs[0], xs[k] = xs[k], xs[0]
    return xs


def fill(out, y, n):
    for i in range(n):
        out[i] = y * i


@PROGRAMS.add((V, 2.0, 3), (W, -1.0, 5))
def changed_by_callee(xs, y, n):
    fill(xs, y, n)
    return xs[0] + xs[1]


@PROGRAMS.add((V, 2.0), (W, -1.0))
def both_arguments(xs, y):
    xs[1] = y
    ys = xs
    ys[2] = y * 3
    return ys[1] + xs[2]


@PROGRAMS.add((V, 2.0), (W, -1.0))
def tensor_in_a_list(xs, y):
    rows = [xs * 1, xs * 2]
    rows[0][1] = y
    for row in rows:
        row[0] = 7.0
    return rows


@PROGRAMS.add((V, 2.0), (W, -1.0))
def tensor_in_an_attribute(xs, y):
    class Box:
        pass

    box = Box()
    box.data = xs * 1
    view = box.data
    for i in range(2):
        box.data[i] = y
        box.data[2] += y
    return view


@PROGRAMS.add((V, 2.0), (W, -1.0))
def tensor_in_a_dictionary(xs, y):
    d = {"x": xs * 1}
    if y > 0:
        d["x"][0] = y
    d["x"][1] += y
    return d


@PROGRAMS.add(V, W)
def where_by_hand(xs):
    out = xs * 1
    for i, x in enumerate(xs):
        if x < 0:
            out[i] = 0.0
    return out


@PROGRAMS.add(V, W)
def mask_assignment(xs):
    out = xs * 1
    out[xs < 0] = 0.0
    return out


@PROGRAMS.add((V, 3), (W, 1))
def item_rebinding_and_writing(xs, n):
    a = xs * 1
    for i in range(n):
        a[i] = -1.0
        if i == 1:
            a = a * 2
    return a


@PROGRAMS.add((V, 2), (W, 4))
def counting_into_bins(xs, n):
    bins = np.zeros(3) + xs[:3] * 0
    for x in xs:
        if x < -1:
            bins[0] += 1
        elif x < 2:
            bins[1] += 1
        else:
            bins[2] += 1
    return bins


@PROGRAMS.add((V, 1), (W, 3))
def while_shifting(xs, k):
    x = xs[k]
    while k > 0 and xs[k - 1] > x:
        xs[k] = xs[k - 1]
        k -= 1
    xs[k] = x
    return xs


@PROGRAMS.add((V, 2.0), (W, -1.0))
def closure_writes_items(xs, y):
    out = xs * 1

    def put(i, v):
        out[i] = v

    for i in range(2):
        if y > 0:
            put(i, y)
    return out


test_eager, test_staged, test_gradients = PROGRAMS.tests()
