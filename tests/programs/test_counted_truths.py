"""Truths that Python itself finds are numbers: `not a`, `bool(a)`, `any`, `all`, `in` and equal lists count 0 or 1, where
NumPy joins its truths."""

import autograph as ag
from tests.programs.harness import Programs

PROGRAMS = Programs()
CASES = (2.0, 1.0), (-1.0, 2.0), (1.0, -3.0), (1.7, 2.3)


@PROGRAMS.add(*CASES)
def classes(x, y):
    return bool(x > 0) + bool(y > 0), bool(x > 0) * bool(y > 0) * 2.5, sum(bool(v > 0) for v in (x, y))


@PROGRAMS.add(*CASES)
def negations(x, y):
    return (not x > 0) + (not y > 0), (not x > 0) - (not y > 0), -(not x > 0), (not x) + (not not y)


@PROGRAMS.add(*CASES)
def quantifiers(x, y):
    return any([x > 0, y > 2]) + all([y > 0]), any(v > 1 for v in (x, y)) + any(v < 0 for v in (x, y))


@PROGRAMS.add(*CASES)
def membership(x, y):
    return (x in (1.0, 2.0)) + (y in [1.0]), (x not in (1.0, 2.0)) + (y not in {1.0: 2})


@PROGRAMS.add(*CASES)
def sequences(x, y):
    return ([x, y] == [2.0, 1.0]) + ((x, 1) == (2.0, 1)) + ((x, y) < (y, x)), ([x] != [y]) + ([x] != [1.0])


@PROGRAMS.add(*CASES)
def carried_by_a_loop(x, y):
    votes, flag = 0, not x > 0
    for v in (x, y, x - y):
        flag = not v > 0
        votes += flag + (not v > 1)
    return votes, flag + flag


@PROGRAMS.add(*CASES)
def grown_in_a_list(x, y):
    flags = []
    for v in (x, y):
        if v > -2:
            flags.append(not v > 0)
    return sum(flags), len(flags)


@PROGRAMS.add((1.9, 1.0), (-1.0, 2.0), (1.1, -3.0))
def as_conditions(x, y):
    done = not x > 0
    if not done and not y > 0:
        return x
    while not done and bool(x < 5):
        x = x * 2
        done = not x < 4
    return x if bool(done) else y


test_eager, test_staged, test_gradients = PROGRAMS.tests()
test_natively = PROGRAMS.natively()


def test_converted_outside_of_a_trace() -> None:
    @ag.autograph.to_graph
    def count(x):
        return (x in (1.0, 2.0)) + (x in (1.0,))

    assert count(ag.constant(1.0)) == 2


def test_conditions_need_no_numbers() -> None:
    """Who only tests what `not` finds, tests what it was made of: the graph has no step for the number."""

    @ag.function
    def f(x):
        if not x > 0:
            x = x * 2
        return x if bool(x < 5) else -x

    graph = f.get_concrete_function(ag.TensorSpec([], "float64")).graph
    assert "to_python" not in str(f.inspect(ag.TensorSpec([], "float64")).plan)
    assert graph is not None
