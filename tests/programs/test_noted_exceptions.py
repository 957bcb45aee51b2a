"""What a caught exception holds that only the run knows: its arguments and attributes, its text, what it was raised from."""

import numpy as np
import pytest

import autograph as ag
from tests.programs.harness import Programs

PROGRAMS = Programs()


class Over(Exception):
    def __init__(self, limit, got):
        super().__init__(f"limit {limit} but {got}")
        self.limit = limit
        self.got = got

    @property
    def excess(self):
        return self.got - self.limit


class Bad(ValueError):
    pass


@PROGRAMS.add((np.array([1.0, 2.0, 3.0]), 4.0), (np.array([1.0, 2.0, 0.0]), 10.0), (np.array([9.0, 1.0, 1.0]), 1.0))
def gradients_of_fields(xs, limit):
    t = 0.0
    try:
        for x in xs:
            t = t + x * x
            if t > limit:
                raise Over(limit, t)
    except Over as e:
        return e.got * 3.0 - e.excess
    return t


@PROGRAMS.add((3,), (-4,), (0,), (50,))
def raised_in_several_places(n):
    def check(v):
        if v < 0:
            raise Bad("neg", v, v * 2)
        if v == 0:
            raise Bad("zero")
        if v > 40:
            raise Bad(v)
        return v

    try:
        r = check(n)
    except Bad as e:
        r = -len(e.args) * 100
        if len(e.args) == 3:
            r += e.args[1] + e.args[2]
        return r, e.args[0]
    return r, ""


@PROGRAMS.add((np.array([1, -2, 3, -4]),), (np.array([1, 2, 0, 0]),))
def in_a_loop(xs):
    bad = []
    s = 0
    for x in xs:
        try:
            if x < 0:
                raise Bad("negative", x)
            s += x
        except Bad as e:
            bad.append(e.args[1])
            s -= e.args[1] * 10
    return s, bad


@PROGRAMS.add((3,), (-4,), (0,))
def by_the_outer_one(n):
    try:
        try:
            if n < 0:
                raise Bad("x", n)
            if n == 0:
                raise KeyError(n)
            k = n
        except KeyError as e:
            k = e.args[0] + 7
    except Bad as e:
        k = e.args[1] * 3
    return k


@PROGRAMS.add((3,), (-4,))
def raised_again(n):
    def changed(v):
        try:
            if v < 0:
                raise Over(0, v)
        except Over as e:
            e.limit = 5
            raise
        return v

    def same(v):
        try:
            if v < 0:
                raise Over(0, v)
        except Over as e:
            if e.got == 100:
                return 0
            raise
        return v

    out = []
    for f in (changed, same):
        try:
            out.append(f(n))
        except Over as e:
            out += [e.limit, e.got]
    return out


@PROGRAMS.add((3,), (-4,))
def in_recursion(n):
    def down(v):
        if v < 0:
            raise Over(1, v)
        if v == 0:
            return 0
        return 1 + down(v - 2)

    try:
        return down(n)
    except Over as e:
        return e.got * 100


@PROGRAMS.add((3,), (-4,), (12,))
def texts(n):
    log = []
    try:
        if n < 0:
            raise Bad(f"neg {n}")
        if n > 10:
            raise Over(10, n)
    except Bad as e:
        log.append(str(e))
        v = 1
    except Exception as e:
        log.append(f"{type(e).__name__}: {e}")
        v = e.got
    else:
        v = n
        log.append("ok")
    finally:
        log.append("end")
    return v, log


@PROGRAMS.add((5,), (-5,), (0,))
def causes(n):
    try:
        try:
            if n < 0:
                raise ValueError("neg", n)
            elif n == 0:
                raise KeyError("zero")
        except ValueError as e:
            raise RuntimeError("wrapped") from e
    except RuntimeError as e:
        return "rt", e.__cause__.args[0], isinstance(e.__cause__, ValueError)
    except KeyError as e:
        return "key", e.args[0], e.__context__ is None
    return "ok", "", False


@PROGRAMS.add((3,), (-3,))
def contexts(n):
    try:
        try:
            if n < 0:
                raise KeyError("first")
        except KeyError:
            raise ValueError("second")  # noqa: B904
    except ValueError as e:
        return type(e.__context__).__name__
    return "none"


@PROGRAMS.add((3,), (-3,))
def notes(n):
    try:
        if n < 0:
            e = ValueError("bad")
            e.add_note("note")
            raise e
    except ValueError as e:
        return e.__notes__[0]
    return ""


@PROGRAMS.add((5,), (-5,), (0,))
def raised_again_on_a_path(n):
    log = []
    try:
        try:
            if n <= 0:
                raise ValueError("bad")
            log.append("a")
        except ValueError:
            log.append("b")
            if n < 0:
                raise
        finally:
            log.append("f")
    except ValueError as e:
        log.append(str(e))
    return log


@PROGRAMS.add((3,), (1,))
def arguments_in_structures(x):
    try:
        if x > 1:
            raise Bad("far", [x, (x * 2, "s")])
    except Bad as e:
        return e.args[1][1][0] + e.args[1][0]
    return x


@PROGRAMS.add((3, 4), (0, 2))
def remembered_by_pairs(n, m):
    """The KeyErrors that reading may raise hold keys with tensors in them, by which no two functions are told apart."""
    memo = {}

    def paths(i, j):
        if i == 0:
            return j
        if (i, j) not in memo:
            memo[i, j] = paths(i - 1, j) + paths(i - 1, j) + paths(i - 1, j)
        return memo[i, j]

    return paths(n, m), len(memo)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_raised_argument_in_a_tuple_has_its_value(jit_compile):
    """The exception held the staged tensor."""

    @ag.function(jit_compile=jit_compile)
    def program(x):
        if x > 1:
            raise KeyError((x, "s"))
        return x

    @ag.function(jit_compile=jit_compile)
    def missing(x):
        return {(i, x): i for i in range(3)}[5, x]

    for f, key in ((program, (3, "s")), (missing, (5, 3))):
        with pytest.raises(KeyError) as caught:
            f(ag.constant(3))
        assert caught.value.args == (key,)


test_eager, test_staged, test_gradients = PROGRAMS.tests()


@pytest.mark.parametrize("jit_compile", [False, True])
def test_natively(jit_compile):
    f = ag.function(gradients_of_fields, jit_compile=jit_compile)
    for xs, limit in [([1.0, 2.0, 3.0], 4.0), ([1.0, 2.0, 0.0], 10.0)]:
        np.testing.assert_allclose(f(np.array(xs), limit), gradients_of_fields(np.array(xs), limit))
