"""Values of different structure on different paths as indices, in arrays, under `iter` and as what a cache is asked for."""

import functools

import numpy as np
import pytest

import autograph as ag
from tests.programs.harness import Programs, compare, values

PROGRAMS = Programs()
X, M = np.array([1.0, 2.0, 3.0]), np.arange(12.0).reshape(3, 4)


@PROGRAMS.add((X, M, 1), (X, M, 0))
def indices(xs, m, n):
    place = 1 if n > 0 else (0,)
    part = 1 if n > 0 else slice(0, 2)
    some = [0, 2] if n > 0 else 1
    return xs[place], m[0, part].sum(), m[part, 1].sum(), m[some].sum(), m[part].sum()


@PROGRAMS.add((X, 1), (X, 0))
def written_places(xs, n):
    part = 1 if n > 0 else slice(0, 2)
    xs[part] = 7.0
    xs[part] += xs[2]
    return xs


@PROGRAMS.add((X, 1), (X, 0))
def arrays(xs, n):
    row = [1.0, 2.0] if n > 0 else [3.0, 4.0, 5.0]
    number = 1.0 if n > 0 else [1.0, 2.0]
    return np.array([row, row]).sum() + xs[0], np.sum(number), np.array(number).sum(), np.asarray([row]).max()


@PROGRAMS.add((X, 1), (X, 0))
def iterators(xs, n):
    it = iter(xs if n > 0 else (1.0, 2.0))
    total = next(it)
    for x in it:
        total = total + x
    return total


@PROGRAMS.add((1,), (0,))
def iterators_over_what_python_holds(n):
    numbers = iter(range(3) if n > 0 else [5, 6])
    texts = iter({"a": 1, "b": 2} if n > 0 else "xyz")
    out = []
    for x in numbers:
        if x == 1:
            break
        out.append(x)
    return out, list(numbers), next(texts), [c for c in texts]


@functools.lru_cache(maxsize=None)
def best(values, start=0):
    if start >= len(values):
        return 0
    return max(values[start] + best(values, start + 2), best(values, start + 1))


@PROGRAMS.add((np.array([5, 1, 7, 3]), 1), (np.array([1, 9, 1, 1]), 0))
def caches(xs, n):
    @functools.lru_cache
    def length(x):
        return len(x)

    lengths = length((1, 2) if n > 0 else (1,)), length("a" if n > 0 else "bcd")
    return best(tuple(x for x in xs if x > 2)), best((1, 2)), lengths


test_eager, test_staged, test_gradients = PROGRAMS.tests()
test_natively = PROGRAMS.natively()


def test_what_cannot_be_a_tensor_is_named() -> None:
    @ag.function
    def f(xs, n):
        y = {"a": 1} if n > 0 else [1, 2]
        return ag.convert_to_tensor([y, y])

    with pytest.raises(Exception) as raised:  # noqa: PT011 (what its message does not hold is the point)
        f(ag.constant(X), ag.constant(1))
    assert "Choice" not in str(raised.value)


class Both:
    def __init__(self):
        self.a, self.b = 1.0, 2.0

    def up(self, x):
        return x + self.a

    def down(self, x):
        return x - self.b


@pytest.mark.parametrize("jit_compile", [False, True])
def test_names_of_attributes(jit_compile) -> None:
    def f(xs, n):
        both = Both()
        name, method = ("a", "up") if n > 0 else ("b", "down")
        before = getattr(both, name)
        setattr(both, name, 5.0)
        return before, both.a, both.b, getattr(both, method)(xs[0]), hasattr(both, "a" if n > 0 else "c")

    staged = ag.function(f, jit_compile=jit_compile)
    for n in (1, 0):
        compare(values(staged(ag.constant(X), ag.constant(n))), f(X, n))


@pytest.mark.parametrize("jit_compile", [False, True])
def test_reduce_of_nothing(jit_compile) -> None:
    @ag.function(jit_compile=jit_compile)
    def f(xs):
        return functools.reduce(lambda a, b: a * b, [x for x in xs if x > 1])

    assert f(ag.constant(X)).numpy() == 6.0
    with pytest.raises(TypeError, match="of empty iterable with no initial value"):
        f(ag.constant(-X))
