"""Where one integer belongs (an index, a size, a count), a tensor with axes is refused: in native code, too."""

import numpy as np
import pytest

import autograph as ag
from tests.programs.messages import check, collector

CASES, wrong = collector()
PAIR = ag.constant([3, 4])


def _count(n):
    s = 0
    for i in range(n):
        s += i
    return s


def _count_from(n):
    s = 0
    for i in range(0, n, 1):
        s += i
    return s


def _count_tensors(n):
    s = 0
    for i in ag.range(n):
        s += i
    return s


def _number(n):
    return [k + len(xs) for k, xs in enumerate([[1], [2]], n)]


def _take(n):
    return [1, 2, 3][n]


def _take_of_a_grown_list(n):
    xs = []
    for i in ag.range(ag.reduce_sum(n)):
        xs.append(i)
    return xs[n]


def _insert(n):
    xs = [1, 2, 3]
    xs.insert(n, 5)
    return xs


def _pop(n):
    xs = [1, 2, 3, 4, 5]
    return xs.pop(n)


def _bound(n):
    return ag.ones([5])[:n]


def _list_bound(n):
    xs = []
    for i in ag.range(ag.reduce_sum(n)):
        xs.append(i)
    return xs[:n]


def _size(n):
    return ag.zeros([n, 2])


def _size_of_numpys(n):
    return np.zeros((n, 2))


def _depth(n):
    return ag.one_hot([0, 1], n)


def _identity(n):
    return ag.eye(n)


PROGRAMS = [
    _count,
    _count_from,
    _count_tensors,
    _number,
    _take,
    _take_of_a_grown_list,
    _insert,
    _pop,
    _bound,
    _list_bound,
    _size,
    _size_of_numpys,
    _depth,
    _identity,
]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__.strip("_"))
@pytest.mark.parametrize("jit", [None, False, True], ids=["eager", "plan", "native"])
def test_a_vector_is_no_integer(program, jit):
    run = program if jit is None else ag.function(program, jit_compile=jit)
    with pytest.raises(TypeError, match="integer"):
        run(PAIR)


def test_one_element_is_a_size():
    for jit in (False, True):
        f = ag.function(lambda n: ag.zeros([n, 2]), jit_compile=jit)
        assert f(ag.constant([3])).shape == (3, 2)
    assert ag.zeros([ag.constant([3]), 2]).shape == (3, 2)


@wrong(
    "for i in range(n):", "one integer belongs here, not a tensor of shape (2,)", "index or reduce it first"
)
def count():
    @ag.function
    def f(n):
        s = 0
        for i in range(n):
            s += i
        return s

    f(PAIR)


@wrong("for i in range(n, 1, 2, 3):", "range expected at most 3 arguments, got 4")
def too_many_bounds():
    @ag.function
    def f(n):
        s = 0
        for i in range(n, 1, 2, 3):
            s += i
        return s

    f(ag.constant(3))


@wrong("xs.pop(ag.constant(1.0))", "'float32' tensor cannot be interpreted as an integer", "say int(x)")
def fraction():
    xs = [1, 2, 3]
    xs.pop(ag.constant(1.0))


@wrong("s += x - last", "cannot access local variable 'last'", "before the branch or loop")
def read_before_set_in_a_loop():
    @ag.function
    def f(xs):
        s = 0.0
        for x in xs:
            s += x - last  # noqa: F821
            last = x
        return s

    f(ag.constant([1.0, 2.0]))


@wrong(
    "return x << 2",
    "left_shift is not defined for float32 and int64",
    "cast to an integer or boolean dtype first",
)
def bits_of_a_float():
    def f(x):
        return x << 2

    f(ag.constant(3.0))


@pytest.mark.parametrize("case", CASES, ids=[c[0].__name__ for c in CASES])
def test_message(case):
    check(*case, __file__)
