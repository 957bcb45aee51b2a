"""Branches: names bound on some paths, None, widening types, conditional expressions, boolean operators, match, strings."""

import numpy as np

from tests.programs.harness import Programs

PROGRAMS = Programs()
V = np.array([3.11, -1.23, 4.37, 1.41, -5.59])
W = np.array([-2.17, 7.29, 1.31, -8.43, 2.57])


@PROGRAMS.add(1.5, -0.5, -5.0)
def elif_chain(x):
    if x > 1:
        y = x * 2
    elif x > -1:
        y = x * 3
    else:
        y = x * x
    return y


@PROGRAMS.add(1.5, -0.5)
def bound_in_one_branch(x):
    if x > 0:
        y = x * 2
    if x > 0:
        return y
    return x


@PROGRAMS.add(1.5, -0.5)
def unbound_on_a_path(x):
    if x > 0:
        y = x * 2
    return y + 1


@PROGRAMS.add((V, 2.0), (W, 100.0))
def best_is_none(xs, limit):
    best = None
    for x in xs:
        if x < limit and (best is None or x > best):
            best = x
    return best


@PROGRAMS.add((V, 2.0), (W, -100.0))
def none_or_pair(xs, limit):
    found = None
    for i, x in enumerate(xs):
        if x < limit:
            found = (i, x)
            break
    if found is not None:
        i, x = found
        return x * i
    return limit


@PROGRAMS.add((1.5, 2), (-0.5, 3))
def none_or_value_returned(x, n):
    if x > 0:
        return x * n


@PROGRAMS.add((1.5, True), (2.5, False))
def int_in_one_branch_float_in_other(x, c):
    if c:
        y = 1
    else:
        y = x
    return y * 1.0


@PROGRAMS.add((1.5, 2.5), (2.5, 1.5))
def swap_in_branch(a, b):
    if a < b:
        a, b = b, a
    return a - 2 * b


@PROGRAMS.add(0.5, 1.5, -3.0)
def chained_comparison(x):
    if 0 < x < 1:
        return x
    if -1 <= x <= 2 != 7:
        return x * 10
    return -x


@PROGRAMS.add((0.5, 3), (1.5, 0), (-2.0, 1))
def python_and_tensor_mix(x, n):
    flag = True
    if flag and x > 0 and n:
        r = x
    elif not flag or (x > 1 or n == 1):
        r = x * 2
    else:
        r = -x
    return r


@PROGRAMS.add((0.5, 0.0), (1.5, 2.0), (0.0, -4.0), gradients=False)
def or_gives_operand(x, y):
    return (x or y) + (x and y) * 10


@PROGRAMS.add((2.0, 0.0), (3.0, 1.5), gradients=False)
def short_circuit_guards(x, y):
    if y != 0 and x / y > 1:
        return x / y
    return x


@PROGRAMS.add(1.5, -0.5)
def nested_conditional_expressions(x):
    return x * 2 if x > 1 else x * 3 if x > 0 else -x


@PROGRAMS.add((2, 1.5), (1, 1.5), (5, 1.5))
def match_numbers(n, x):
    match n:
        case 1:
            return x
        case 2 | 3:
            return x * 10
        case k if k > 4:
            return x * k
    return -x


@PROGRAMS.add(1.5, -0.5)
def string_chosen(x):
    kind = "positive" if x > 0 else "negative"
    scale = 1.0
    if kind == "negative":
        scale = 10.0
    return x * scale


@PROGRAMS.add(1.5, -0.5)
def string_returned(x):
    if x > 0:
        return "up"
    return "down"


@PROGRAMS.add(1.5, -0.5)
def tuple_or_tuple(x):
    if x > 0:
        r = x, 1
    else:
        r = 2.0, x > -1
    a, b = r
    return a, b * 1


@PROGRAMS.add((V, True), (W, False))
def shapes_differ(xs, c):
    if c:
        y = xs[:2]
    else:
        y = xs
    return y * 2, y.shape[0] * 1


@PROGRAMS.add((V, 1), (W, 2))
def ranks_differ(xs, n):
    y = xs
    if n > 1:
        y = np.sum(xs)
    return np.sum(y * 2)


@PROGRAMS.add(1.5, -0.5)
def flag_and_value(x):
    ok = False
    y = 0.0
    if x > 0:
        ok, y = True, x
    if not ok:
        y = -x
    return y, ok


@PROGRAMS.add((1.5, 0), (-0.5, 1), (2.5, 2))
def try_in_branches(x, n):
    try:
        if n == 0:
            y = x
        elif n == 1:
            return x * 100
        else:
            y = x * 2
    finally:
        z = x + n
    return y + z


@PROGRAMS.add((1.5, 3), (0.5, 0))
def deep_returns(x, n):
    if n > 0:
        if x > 1:
            for i in range(n):
                if i == 2:
                    return x * i
                x += 1
            return x
        else:
            return -x
    y = x * 7
    if y > 3:
        return y
    return 0.0


@PROGRAMS.add(1.5, -0.5)
def is_comparisons(x):
    a = x if x > 0 else None
    b = None
    n = 0
    if a is None and b is None:
        n += 1
    if a is not b:
        n += 2
    return n


@PROGRAMS.add((1.5, True), (-0.5, False))
def bool_arithmetic(x, c):
    hits = (x > 0) + c * 2 + (not c)
    return hits * 1


@PROGRAMS.add(1.5, -0.5)
def del_and_rebind(x):
    y = x
    if x > 0:
        del y
        y = x * 5
    return y


@PROGRAMS.add((1.5, 2.0), (-0.5, 3.0))
def walrus_in_branch(x, y):
    if (z := x * y) > 1:
        return z
    return z - y


@PROGRAMS.add((1.5, 2), (-0.5, 3))
def with_block(x, n):
    class Scope:
        def __enter__(self):
            return 2.0

        def __exit__(self, *_):
            return False

    with Scope() as two:
        if x > 0:
            x = x * two
        for _ in range(n):
            x = x + two
    return x


@PROGRAMS.add((3.0, 2.0), (3.0, -1.0))
def none_default(x, y):
    def f(x, scale=None):
        if scale is None:
            scale = 1.0
        return x * scale

    if y > 0:
        return f(x, y)
    return f(x)


test_eager, test_staged, test_gradients = PROGRAMS.tests()
