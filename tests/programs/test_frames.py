"""Code that looks at frames, and objects that do not like to be looked at: converted code shows what the user wrote."""

import sys
import types
from collections.abc import Iterator

import numpy as np

import autograph as ag
from autograph.operators.functions.calls import converted


def nested(x, c):
    def inner(y):
        if y > 0:
            for i in range(3):
                y = y + i
        return y

    while c:
        x = inner(x)
        c = False
    return x


def codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from codes(constant)


def test_helpers_have_the_name_of_the_function_they_are_part_of():
    names = {code.co_name for code in codes(converted(nested).__code__)}
    assert names == {"nested", "inner"}


def walk():
    frame = sys._getframe(0)
    found = []
    while frame is not None and len(found) < 3:
        found.append(frame.f_code.co_name)
        frame = frame.f_back
    return found


def walker(c):
    if c > 0:
        for _ in [1]:
            found = walk()
    else:
        found = walk()
    return found


def test_f_back_is_the_frame_of_the_caller():
    found = []

    def outer(x):
        nonlocal found
        found = walker(x)
        return x

    ag.function(outer)(np.float32(1.0))
    assert found == ["walk", "walker", "outer"]


def test_f_back_of_other_things_is_theirs():
    class Other:
        f_back = 5

    assert ag.function(lambda o: o.f_back + 1)(Other()) == 6


class Shy:
    """Nobody may ask it anything."""

    def __getattribute__(self, name):
        raise AssertionError(name)


def tried(x):
    try:
        return type(x)
    except ValueError:
        return None


def test_objects_are_not_asked_for_their_class():
    ag.function(lambda: (tried(Shy()), 1)[1])()


class Holder:
    def __init__(self):
        self.value = 1.0


def inverse(holder):
    try:
        if holder.value > 0:
            y = 1 / holder.value
        else:
            raise ValueError("negative")
    except ValueError:
        y = -1.0
    return y


def test_a_try_is_staged_when_what_was_plain_comes_to_hold_a_tensor():
    @ag.function
    def f(x):
        holder = Holder()
        total = inverse(holder) + inverse(holder)
        holder.value = x
        return total + inverse(holder)

    assert float(f(np.float64(2.0))) == 2.5
    assert float(f(np.float64(-2.0))) == 1.0
