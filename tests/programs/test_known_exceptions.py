"""Exceptions that are raised and caught when the graph runs, and whose text and attributes a handler reads all the same."""

import numpy as np
import pytest

import autograph as ag
from tests.programs.harness import Programs

PROGRAMS = Programs()


class Fault(Exception):
    def __init__(self, code, text=""):
        super().__init__(text)
        self.code = code


@PROGRAMS.add((1.0,), (2.5,), (-9.0,))
def text_of_two(x):
    try:
        if x > 2:
            raise ValueError("big")
        if x < 0:
            raise ValueError("small")
        bad = False
    except ValueError as e:
        print("caught", e, type(e).__name__, e.args)
        bad = True
    return bad, x


@PROGRAMS.add((1.0,), (2.5,), (-9.0,))
def attributes(x):
    def check(v):
        if v > 2:
            raise Fault(3, "three")
        if v < 0:
            raise Fault(code=4)
        return v

    try:
        r = check(x) * 2
    except Fault as e:
        r = e.code * 1.0
    return r


@PROGRAMS.add((1.0,), (-9.0,))
def raised_from_the_one_caught(x):
    try:
        if x < 0:
            raise KeyError("inner")
    except KeyError as e:
        raise RuntimeError("outer") from e
    return x


@PROGRAMS.add((1.0,), (-9.0,))
def through_an_inner_try(x):
    log = []
    try:
        try:
            if x < 0:
                raise ValueError("inner")
            log.append(1)
        except KeyError:
            log.append(2)
        log.append(3)
    except ValueError as e:
        log.append(4)
        print(str(e))
    return log


@PROGRAMS.add((np.ones(2),), (np.ones(3),), traces=2)
def fails_while_traced(x):
    try:
        return x + np.ones(2)
    except ValueError:
        return x * 0


@PROGRAMS.add((1.0, 1, [0.5, 2.0]), (1.0, 5, [0.5, 2.0]), (-1.0, 0, [0.5, 2.0]))
def arguments_of_what_operations_raise(x, i, xs):
    try:
        if x < 0:
            raise ValueError
        y = xs[i] * 2
    except ValueError as e:
        print(e.args, len(e.args))
        y = x
    except (KeyError, IndexError) as e:
        print(len(e.args), e.args[0], e.args)
        y = x * 3
    return y


@PROGRAMS.add((1.0, 1, [0.5, 2.0]), (1.0, 5, [0.5, 2.0]), (-1.0, 0, [0.5, 2.0]))
def arguments_of_any_exception(x, i, xs):
    ys = []
    try:
        if x < 0:
            raise ValueError("not above")
        ys = [xs[i] * 2]
    except Exception as e:
        (said,) = e.args
        print(type(e).__name__, said)
        ys.append(x if said == "not above" else x * 3)
    return ys


test_eager, test_staged, test_gradients = PROGRAMS.tests()


@pytest.mark.parametrize("jit_compile", [False, True])
def test_attributes_of_what_leaves_the_function(jit_compile):
    def f(x):
        if x > 2:
            raise Fault(7, "seven")
        return x

    with pytest.raises(Fault, match="seven") as caught:
        ag.function(f, jit_compile=jit_compile)(ag.constant(3.0))
    assert caught.value.code == 7


def test_what_depends_on_the_run_is_refused():
    def f(x, i):
        try:
            return x[i]
        except ag.errors.OutOfRangeError as e:
            return x * len(e.fields)

    with pytest.raises(ag.errors.OperatorNotAllowedInGraphError, match="caught-later"):
        ag.function(f)(ag.constant([3.0]), ag.constant(1))


class Stop(Exception):
    pass


def caused_by_own(x):
    try:
        if x > 2:
            raise Fault(7, f"{x:.1f} is too much")
    except Fault as e:
        if e.code == 7:
            raise Stop("stopped") from e
    return x


def caused_by_an_operation(x):
    try:
        y = [1.0, 2.0][int(x)]
    except IndexError as e:
        raise Stop(f"no place {x}") from e
    return y


def caused_twice(x):
    if x > 2:
        first = KeyError("first", 1)
        second = Fault(3, "second")
        second.__cause__ = first
        raise Stop from second
    return x


def caused_by_nothing(x):
    try:
        if x > 2:
            raise Fault(7)
    except Fault:
        raise Stop("stopped") from None
    return x


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("f", [caused_by_own, caused_by_an_operation, caused_twice, caused_by_nothing])
def test_what_an_exception_is_raised_from(f, jit):
    # the cause was lost where a tensor decides whether it is raised
    def chain(error):
        return [] if error is None else [(type(error), str(error), getattr(error, "code", 0)), *chain(error.__cause__)]

    with pytest.raises(Stop) as plain:
        f(3.0)
    with pytest.raises(Stop) as staged:
        ag.function(f, jit_compile=jit)(ag.constant(3.0, ag.float64))
    assert chain(staged.value) == chain(plain.value)
    assert staged.value.__suppress_context__
    assert float(ag.function(f, jit_compile=jit)(ag.constant(1.0, ag.float64))) == f(1.0)
