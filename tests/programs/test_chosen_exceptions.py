"""Exceptions that a name holds on some paths, raised later."""

import pytest

import autograph as ag


def kept_and_raised(x):
    err = None
    if x > 1:
        err = ValueError("big")
    if err is not None:
        raise err
    return x


def one_of_several(x):
    err = ValueError("small") if x < 0 else KeyError("k") if x > 5 else None
    if err:
        raise err
    return x


def tried_three_times(x):
    last = None
    for k in range(3):
        try:
            if x > k:
                raise ArithmeticError(f"too big at {k}")
            return x + k
        except ArithmeticError as error:
            last = error
    raise last


def none_is_raised(x):
    err = None
    if x > 1:
        err = ValueError("big")
    raise err


def caught_again(x):
    err = KeyError("a") if x > 1 else IndexError("b")
    try:
        raise err
    except KeyError:
        return 1
    except LookupError:
        return 2


def outcome(f, x):
    try:
        return int(f(x))
    except Exception as error:
        return type(error).__name__, error.args


@pytest.mark.parametrize("f", [kept_and_raised, one_of_several, tried_three_times, none_is_raised, caught_again])
@pytest.mark.parametrize("jit", [False, True])
def test_as_python(f, jit):
    staged = ag.function(f, jit_compile=jit)
    for x in (2, -2, 0, 9, 1):
        assert outcome(staged, ag.constant(x)) == outcome(f, x)
