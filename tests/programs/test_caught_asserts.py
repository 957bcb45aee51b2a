"""Asserts that a handler catches when the graph runs, with their arguments.

PYTEST_DONT_REWRITE: pytest writes asserts anew, with texts of its own.
"""

from tests.programs.harness import Programs

PROGRAMS = Programs()


@PROGRAMS.add((1.0, 1, [0.5, 2.0]), (1.0, 0, [0.5, 2.0]), (-1.0, 0, [0.5, 2.0]), (12.0, 0, [0.5, 2.0]))
def told_from_one_another(x, i, xs):
    try:
        assert x > 0, "not above"
        assert x < 9, f"not below {i}"
        y = x * 2
    except AssertionError as e:
        (said,) = e.args
        print(len(e.args), said)
        y = x if said == "not above" else x * 3
    return y


@PROGRAMS.add((1.0, 1, [0.5, 2.0]), (-1.0, 0, [0.5, 2.0]), (1.0, 7, [0.5, 2.0]))
def without_words(x, i, xs):
    try:
        assert x > 0
        y = xs[i]
    except AssertionError as e:
        print(len(e.args), e.args)
        y = x * 4
    except IndexError as e:
        print(len(e.args))
        y = x * 3
    return y


test_eager, test_staged, test_gradients = PROGRAMS.tests()
