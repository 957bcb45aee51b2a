"""zip(strict=True) of lengths that only the run knows: Python's error, when and only when Python raises it."""

import numpy as np
import pytest

import autograph as ag

SPEC = ag.TensorSpec([None], ag.float32)


def products(x, y):
    total = 0.0
    for u, v in zip(x, y, strict=True):
        total = total + u * v
    return total


def stopping(x, y):
    total = 0.0
    for u, v in zip(x, y, strict=True):
        if v > 2.5:
            break
        total = total + u
    return total


def doubled(x):
    for e in x:
        yield e * 2


def of_generator(x, y):
    total = 0.0
    for u, v in zip(doubled(x), y, strict=True):
        total = total + u * v
    return total


def by_generator(x, y):
    total = 0.0
    for u, v in zip(x, doubled(y), strict=True):
        total = total + u * v
    return total


def collected(x, y):
    return sum([u * v for u, v in zip(x, y, strict=True)])


def outcome(f, *args):
    try:
        return float(f(*args))
    except ValueError as error:
        return str(error).splitlines()[0]


def vector(n):
    return np.arange(n, dtype=np.float32)


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("signature", [None, [SPEC, SPEC]])
@pytest.mark.parametrize("f", [products, stopping, of_generator, by_generator, collected])
def test_two(f, signature, jit_compile):
    staged = ag.function(f, input_signature=signature, jit_compile=jit_compile)
    for n, m in ((3, 3), (2, 4), (4, 2), (0, 0), (0, 2), (5, 6)):
        want = outcome(f, vector(n), vector(m))
        assert outcome(staged, ag.constant(vector(n)), ag.constant(vector(m))) == want


@pytest.mark.parametrize("lengths", [(2, 2, 2), (2, 3, 2), (2, 2, 3), (3, 2, 2), (2, 2, 1), (5, 4, 3), (3, 4, 5), (3, 3, 4)])
def test_three(lengths):
    def f(n, m, k):
        total = 0
        for i, j, l in zip(range(n), range(m), range(k), strict=True):
            total = total + i * j + l
        return total

    want = outcome(f, *lengths)
    assert outcome(ag.function(f), *map(ag.constant, lengths)) == want
    assert outcome(ag.function(f, jit_compile=True), *map(ag.constant, lengths)) == want
