"""try statements whose body fails when the graph runs: caught, with everything as it was when it failed."""

import contextlib
from contextlib import suppress

import numpy as np
import pytest

import autograph as ag
from tests.programs.harness import Programs

PROGRAMS = Programs()
V = np.array([3.1, -1.2, 4.3, 1.4, -5.5])
W = np.array([-2.1, 7.2, 1.3, -8.4, 2.5])


class Negative(ValueError):
    pass


def root(v):
    if v < 0:
        raise Negative(f"negative: {v}")
    return v**0.5


@PROGRAMS.add((V,), (W,))
def partial(xs):
    count = 0
    bad = 0
    s = 0.0
    for x in xs:
        try:
            count += 1
            s = s + root(x)
            count += 10
        except ValueError:
            bad += 1
    return s, count, bad


@PROGRAMS.add((V, 3), (W, 9))
def order(x, i):
    try:
        y = x[i]
        if y < 0:
            raise Negative("n")
    except Negative:
        return -1.0
    except (IndexError, KeyError):
        return -2.0
    except ValueError:
        return -3.0
    else:
        return y * 2


@PROGRAMS.add((V, 7), (W, 1))
def nested_tries(x, i):
    out = 0.0
    try:
        try:
            out = out + 1.0
            y = root(x[i])
        except IndexError:
            out = out + 10.0
            y = root(x[0])
        finally:
            out = out + 100.0
    except Negative:
        y = -5.0
    return y, out


@PROGRAMS.add((V, 7), (W, 1))
def reraise(x, i):
    def inner():
        try:
            return root(x[i])
        except Negative:
            raise
        except IndexError as e:
            raise KeyError("k") from e

    try:
        return inner()
    except KeyError:
        return -7.0
    except Negative as e:
        return -8.0


@PROGRAMS.add((V, 2), (W, 1), (W, 0))
def uncaught(x, i):
    try:
        y = root(x[i])
    except KeyError:
        y = 0.0
    return y


@PROGRAMS.add((V, 3), (W, 2))
def breaks(x, n):
    s = 0.0
    for v in x:
        try:
            if v > 4:
                break
            if v < -5:
                continue
            s = s + root(v)
        except Negative:
            s = s - 1.0
            continue
        s = s * 2
    return s


@PROGRAMS.add((V,), (W,))
def returns(x):
    for i in range(10):
        try:
            if x[i] < -5:
                return i
        except IndexError:
            return -1
    return 100


class Box:
    def __init__(self):
        self.n = 0
        self.items = []
        self.d = {}

    def put(self, v):
        self.n += 1
        self.d["last"] = v
        root(v)
        self.items.append(v)


@PROGRAMS.add((V,), (W,), gradients=False)
def attributes(x):
    b = Box()
    b.d["last"] = 0.0
    fails = 0
    for v in x:
        try:
            b.put(v)
        except Negative:
            fails += 1
    return b.n, fails, b.items, b.d["last"]


@PROGRAMS.add((3,), (5,))
def pops(n):
    xs = []
    for i in range(n):
        xs.append(i)
    t = 0
    while True:
        try:
            t = t * 10 + xs.pop()
        except IndexError:
            break
    return t


@PROGRAMS.add((7, 2), (7, 0))
def division(a, b):
    try:
        return int(a) // int(b)
    except ZeroDivisionError:
        return -1


@PROGRAMS.add((V,), (W,))
def bare(x):
    try:
        y = root(x[1])
    except BaseException:
        y = root(-x[1])
    return y


@PROGRAMS.add((V,), (W,))
def handler_raises(x):
    try:
        try:
            y = root(x[1])
        except Negative:
            y = root(x[4])
    except ValueError:
        y = 0.25
    return y


@PROGRAMS.add((V, 2.0), (W, -1.0), gradients=False)
def asserts(x, c):
    s = c
    try:
        s = s * 2
        assert c > 0, "c"
        s = s * 3
    except AssertionError:
        s = s + 0.5
    return s


@PROGRAMS.add((V, 2.0), (W, -1.0))
def no_effect_on_pure(x, c):
    try:
        s = c * 2
    except ValueError:
        s = 0.0
    return s


@PROGRAMS.add((float("nan"),), (2.7,), gradients=False)
def to_int(x):
    try:
        return int(x)
    except ValueError:
        return 0


@PROGRAMS.add((V,), (W,))
def unbound_after(x):
    try:
        y = root(x[1])
        z = root(x[4])
    except Negative:
        pass
    return y


@PROGRAMS.add((6.5,), (-3.0,))
def recursion(x):
    def f(v):
        try:
            return root(v) + f(v - 2.0)
        except Negative:
            return 0.5

    return f(x)


def safe(v):
    try:
        return root(v)
    except Negative:
        return None


@PROGRAMS.add((V,), (W,))
def none_or_value(x):
    s = 0.0
    for v in x:
        r = safe(v)
        if r is not None:
            s = s + r
    return s


@PROGRAMS.add((V,), (W,))
def try_in_while(x):
    i = 0
    s = 0.0
    while i < 5:
        try:
            v = root(x[i])
        except Negative:
            i += 2
            continue
        else:
            s = s + v
        finally:
            s = s + 0.125
        i += 1
    return s, i


@PROGRAMS.add((V,), (W,))
def retry(x):
    i = 0
    while True:
        try:
            y = root(x[i])
            break
        except Negative:
            i += 1
    return y, i


@PROGRAMS.add((V, 1), (W, 7))
def static_error(x, n):
    try:
        y = x[9]
    except IndexError:
        y = 1.5
    try:
        z = int("abc")
    except ValueError as e:
        z = len(str(e))
    d = {"a": x}
    try:
        w = d["b"]
    except KeyError as e:
        w = e.args[0]
    return y, z, w


@PROGRAMS.add((V, 2), (W, 9))
def item(x, i):
    try:
        y = x[i]
    except IndexError:
        y = -1.0
    return y


@PROGRAMS.add((V, 2.0), (W, -9.0))
def condition(x, c):
    try:
        if c < 0:
            raise ValueError("neg")
        y = x[0] * c
    except ValueError as e:
        y = x[1] * c
    return y


@PROGRAMS.add((V, 2.0), (W, -9.0))
def in_a_loop(x, c):
    s = 0.0
    for v in x:
        try:
            if v < 0:
                raise ValueError("neg")
            s = s + v
        except ValueError:
            s = s * 2
        else:
            s = s + 1
        finally:
            s = s + 0.25
    return s


@PROGRAMS.add((V, 2.0), (W, -9.0))
def in_a_called_function(x, c):
    def check(v):
        if v < 0:
            raise ValueError("neg")
        return v * 2

    try:
        return check(c)
    except ValueError as e:
        return x[0]


@PROGRAMS.add((V, 2.0), (W, -9.0))
def only_finally(x, c):
    s = 1.0
    try:
        s = c * 2
        if c < 0:
            raise KeyError("k")
    finally:
        s = s + 1
    return s


@PROGRAMS.add((V, 2.0), (W, -9.0))
def as_name(x, c):
    s = 0.0
    for v in x:
        try:
            if v < 0:
                raise ValueError(f"neg {v}")
            if v > 4:
                raise KeyError("big")
            s = s + v
        except (KeyError, ValueError) as e:
            s = s * 2
            if isinstance(e, KeyError):
                break
    return s


@PROGRAMS.add((7, 2), (7, 0))
def assertion(a, b):
    try:
        assert b != 0, "zero"
        return a // b
    except AssertionError:
        return -1


@PROGRAMS.add((V, 2.0), (V, -3.0), (V, 0.5))
def returns_in_finally(x, c):
    y = 0
    try:
        y = c * 2
        if c > 1:
            return y
        y = y + 1
    finally:
        if c > 0:
            return y + 10  # noqa: B012
        return -y  # noqa: B012


@PROGRAMS.add((V, 2), (V, 9), (V, -3))
def finally_swallows(x, i):
    s = 0.0
    try:
        if i < 0:
            raise KeyError("k")
        s = x[i]
    finally:
        if i > 4:
            return s + 1  # noqa: B012
        return s  # noqa: B012


@PROGRAMS.add((V, 2), (V, 9), gradients=False)
def suppressed_index(x, i):
    found = 0.0
    with contextlib.suppress(IndexError, KeyError):
        found = 1.0
        found = x[i]
    return found


@PROGRAMS.add((V, 1.0), (W, 3.0))
def suppressed_in_a_loop(x, limit):
    s = 0.0
    for v in x:
        with suppress(ValueError):
            if v > limit:
                raise ValueError("large")
            if v < -8:
                break
            s = s + v
            continue
        s = s + 100.0
    return s


@PROGRAMS.add((7,), (-7,))
def nothing_but_a_check(a):
    try:
        if a < 0:
            raise ValueError
    except ValueError:
        pass
    return a + 1


@PROGRAMS.add((5.0,), (15.0,))
def a_handler_puts_back_what_was_there(x):
    a = x
    try:
        try:
            a = a - 10.0
            if a < 0.0:
                raise Negative("too little")
        except Negative:
            a = x
            raise
    except Negative:
        a = a + 0.25
    return a


@PROGRAMS.add((np.array([1, 2, 9]), 1), (np.array([1, 2, 9]), 2), (np.array([1, 2, 9]), 7), (np.array([1, 2, 9]), -9))
def groups(xs, i):
    r = 0
    try:
        if i < -5:
            raise ExceptionGroup("many", [ValueError("v"), ExceptionGroup("in", [KeyError("k"), TypeError("t")])])
        r = xs[i]
        if r > 5:
            raise ValueError("big")
    except* ValueError as eg:
        print("values", len(eg.exceptions), eg.exceptions[0])
        r = -1
    except* (KeyError, IndexError) as eg:
        print("keys", type(eg).__name__, isinstance(eg.exceptions[0], ExceptionGroup))
        r -= 2
    except* TypeError:
        r -= 100
    else:
        r += 1000
    finally:
        print("end")
    return r


@PROGRAMS.add((np.array([1, 2]), 1), (np.array([1, 2]), 2), (np.array([1, 2]), -9))
def passed_by_groups(xs, i):
    try:
        try:
            if i < -5:
                raise KeyError("k")
            return xs[i]
        except* ValueError:
            return_value = -5
        return return_value
    except (IndexError, KeyError) as e:
        return len(type(e).__name__) if isinstance(e, KeyError) else -2


test_eager, test_staged, test_gradients = PROGRAMS.tests()


def test_python_without_tensors_keeps_its_tries():
    @ag.function
    def f(x, text):
        def number(text):
            try:
                return int(text)
            except ValueError as error:
                return len(str(error))

        return x * number(text)

    assert f(ag.constant(2), "21").numpy() == 42
    assert f(ag.constant(2), "ab").numpy() == 2 * len("invalid literal for int() with base 10: 'ab'")


def test_an_operations_own_error_is_caught_by_its_class():
    @ag.function
    def f(a, b):
        try:
            return ag.linalg.solve(a, b)
        except ag.errors.InvalidArgumentError:
            return b * 0.0

    singular = ag.constant([[1.0, 1.0], [1.0, 1.0]])
    assert f(singular, ag.constant([[1.0], [2.0]])).numpy().tolist() == [[0.0], [0.0]]


def lists_on_some_paths(x, n):
    try:
        if n > 0:
            return [x, x * n]
        if n < -3:
            raise ValueError
    except ValueError:
        return [x * 2, 1.0]
    finally:
        n += 3
    return n


@pytest.mark.parametrize("n", [0, 2, -4])
def test_lists_that_are_returned_on_some_paths(n):
    got, want = ag.function(lists_on_some_paths)(ag.constant(2.0), ag.constant(n)), lists_on_some_paths(2.0, n)
    np.testing.assert_allclose(got, want)
