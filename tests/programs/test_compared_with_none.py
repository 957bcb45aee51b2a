"""What is None on some paths is equal to nothing else there."""

import numpy as np

from tests.programs.harness import Programs

PROGRAMS = Programs()


@PROGRAMS.add(np.array([1, 2, 2, 3]), np.array([0, 0, 0, 0]))
def runs_of_equal_items(xs):
    previous = None
    runs, repeats = 0, 0
    for x in xs:
        if x != previous:
            runs += 1
        if previous == x:
            repeats += 1
        previous = x
    return runs, repeats


@PROGRAMS.add(np.array([98, 98, 99]), np.array([98, 100, 100]), np.array([1, 99, 99]))
def codes_of_letters(codes):
    groups = {"b": 1, "c": 2}
    out, previous = "", None
    for c in codes:
        digit = groups.get(chr(c), 0)
        if digit and digit != previous:
            out += str(digit)
        previous = digit
    return (out + "00")[:3]


@PROGRAMS.add((1.0, 2.0), (-1.0, 2.0), (1.0, -2.0), (-1.0, -2.0), (3.0, 3.0))
def both_may_be_absent(a, b):
    x = a if a > 0 else None
    y = b if b > 0 else None
    return x == y, x != y, x == None, None != y, x == 1.0, 2.0 != y, (x, 1) == (y, 1)  # noqa: E711


@PROGRAMS.add((np.array([1.0, 2.0]), 1), (np.array([1.0, 2.0]), 0))
def equal_elements_where_there_is_an_array(v, n):
    last = None
    if n > 0:
        last = v * 2
    return 0 if last is None else (last == np.array([2.0, 3.0])).sum()


test_eager, test_staged, test_gradients = PROGRAMS.tests()
test_natively = PROGRAMS.natively()
