"""`finally` that an exception passes which only the run raises: it runs once on every way out, as in Python."""

import numpy as np
import pytest

import autograph as ag

X = np.array([1.0, 2.0, 3.0])


def in_a_try(x, i):
    log = 0
    try:
        try:
            y = x[i]
        finally:
            log += 1
    except IndexError:
        log += 10
        y = x[0]
    return y, log


def raised_by_name(x, i):
    log = []
    try:
        try:
            if x[0] > i:
                raise ValueError("small")
        finally:
            log.append(1)
    except ValueError:
        log.append(2)
    return len(log)


def in_a_loop(x, i):
    log = 0
    try:
        for k in range(3):
            try:
                if k == i:
                    continue
                log += 100 * x[i + k]
            finally:
                log += 1
    except IndexError:
        log += 10
    return log


def left_by_return(x, i):
    log = []

    def inner():
        try:
            return x[i]
        finally:
            log.append(1)

    try:
        return inner(), len(log)
    except IndexError:
        log.append(2)
    return 0.0, len(log)


def with_handlers(x, i):
    n = 0
    try:
        try:
            n += x[i]
        except ValueError:
            n += 100
        else:
            n += 1000
        finally:
            n += 1
    except IndexError:
        n += 10
    finally:
        n += 10000
    return n


class Reader:
    def __init__(self):
        self.depth = self.calls = 0

    def get(self, x, i):
        self.depth += 1
        try:
            return x[i]
        finally:
            self.depth -= 1
            self.calls += 1


def in_a_method(x, i):
    reader = Reader()
    try:
        y = reader.get(x, i)
    except IndexError:
        y = reader.get(x, 0) * 10
    return y, reader.depth, reader.calls


def list_left_twice(x, i):
    log = []

    def run(k):
        try:
            if k < 2:
                log.append(1)
                return x[k + 1], log
        finally:
            log.append(3)
        return x[0], log

    y, found = run(i)
    log.append(7)
    return y + 10 * len(found) + 100 * found[-1]


def list_left_by_a_try(x, i):
    log = []

    def run(k):
        try:
            if k > 1:
                log.append(1)
                return x[k - 1], log
        except IndexError:
            log.append(5)
        log.append(3)
        return x[0], log

    y, found = run(i)
    log.append(7)
    return y + 10 * len(found) + 100 * found[-1]


PROGRAMS = [
    list_left_twice, list_left_by_a_try, in_a_try, raised_by_name, in_a_loop, left_by_return, with_handlers, in_a_method,
]  # fmt: skip


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("f", PROGRAMS)
def test_as_in_python(f, jit):
    staged = ag.function(f, jit_compile=jit)
    for i in (0, 1, 2, 7):
        ag.nest.map_structure(np.testing.assert_allclose, staged(ag.constant(X), ag.constant(i)), f(X, i))


def test_what_ends_the_call_passes_it_too(capfd):
    @ag.function
    def f(x, i):
        try:
            return x[i]
        finally:
            print("left")

    f(ag.constant(X), ag.constant(1))
    with pytest.raises(IndexError):
        f(ag.constant(X), ag.constant(5))
    assert capfd.readouterr().out == "left\nleft\n"


def test_a_refusal_of_the_trace_runs_it():
    opened = []

    @ag.function
    def f(x):
        opened.append(1)
        try:
            return {x[0]: x[1]}[x[0] + 1] + x[5]
        finally:
            opened.pop()

    with pytest.raises(Exception):  # noqa: B017 (whichever it is)
        f(ag.constant(X))
    assert opened == []


def jumps_over_a_turn(x, i):
    log = 0
    for k in range(4):
        try:
            if x[0] > i:
                return log
            if x[1] > i:
                raise ValueError
            log += 1
        except Exception:
            log += 10
            continue
        finally:
            if k + i > 3:
                break
            log += 100
        log += 1000
    return log


def returns_in_the_end(x, i):
    try:
        try:
            if x[0] > i:
                return 1.0, log  # noqa: F821 (this is the point)
        except ValueError:
            try:
                i = i + 1
            finally:
                return x[i]  # noqa: B012
    except Exception:
        if i > 0:
            return None
    finally:
        if i > 2:
            return x[0]  # noqa: B012
    return 3.0


def goes_on_after_all(x, i):
    total = 0.0
    for k in range(3):
        for item in x:
            try:
                if item > i:
                    break
                total = total + item / (i - k + 0.5)
                if k == i:
                    raise KeyError
            finally:
                if k > i:
                    continue  # noqa: B012
                total = total + 100
    return total


@pytest.mark.parametrize("f", [jumps_over_a_turn, returns_in_the_end, goes_on_after_all])
def test_finally_that_jumps(f):
    staged = ag.function(f)
    for i in (-1, 0, 1, 2, 3, 4):
        try:
            want = f(X, np.int64(i))
        except Exception as error:
            with pytest.raises(type(error)):
                staged(ag.constant(X), ag.constant(i))
            continue
        got = staged(ag.constant(X), ag.constant(i))
        assert (got is None) == (want is None)
        if want is not None:
            np.testing.assert_allclose(got, want)


def test_finally_that_jumps_takes_no_refusal_back():
    @ag.function
    def f(x):
        y = 1.0
        for _ in range(2):
            try:
                y = x.numpy()
            finally:
                break  # noqa: B012
        return y

    with pytest.raises(ag.errors.OperatorNotAllowedInGraphError):
        f(ag.constant(X))
