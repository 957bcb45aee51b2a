"""`is True`, `is False`, and `case True` of what only the run knows: comparisons of Python's numbers give these two objects.

Staged only: a tensor that has its value is an object of its own, which Python's `is` tells from both.
"""

import numpy as np

from tests.programs.harness import Programs

PROGRAMS = Programs()


@PROGRAMS.add((2.0, -1.0), (-2.0, -1.0), (1.0, 3.0), (-0.5, 4.0), gradients=False)
def signs(x, y):
    match (x > 0, y > 0):
        case (True, True):
            return x * y
        case (True, False):
            return x
        case (False, True):
            return y
        case _:
            return -x


@PROGRAMS.add(3, 4, 12, gradients=False)
def of_numbers(n):
    match n % 2 == 0:
        case True if n > 10:
            return "large"
        case True:
            return "even"
        case False:
            return "odd"


@PROGRAMS.add((np.array([1.0, 2.0, 3.0]), 3), (np.array([1.0, -2.0, 3.0]), 2), gradients=False)
def by_is(xs, n):
    found = None
    for x in xs:
        if any(e < x for e in xs[:n]):
            found = n > 2
            break
    if found is None:
        return 0
    if found is True:
        return 1
    return 2 if found is not False else 3


@PROGRAMS.add((np.array([1.0, 2.0]), 3), (np.array([5.0, 2.0]), 3), (np.array([5.0, 7.0]), 3), gradients=False)
def flags_of_a_loop(xs, limit):
    flags = [x > limit for x in [float(xs[0]), float(xs[1])]]
    text = ""
    for flag in flags:
        match flag:
            case True | None:
                text += "+"
            case False:
                text += "-"
    return text, limit is True, (limit, 1) is False


_, test_staged, _ = PROGRAMS.tests()
test_natively = PROGRAMS.natively()
