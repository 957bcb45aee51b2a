"""Plans against the obvious executor: hand-made graphs."""

from __future__ import annotations

import numpy as np
import pytest

import autograph as ag
from runtime.backends.numpy_executor.executor import compile_graph
from runtime.typesys.spec import TensorType
from tests.unit.executor.build import FLOAT, INT, F, array
from tests.unit.executor.interpret import interpret, same


def check(graph, *arrays, donated=frozenset()):
    """The plan gives what the interpreter gives and leaves its inputs alone; the source."""
    wanted = interpret(graph, *arrays)
    executable = compile_graph(graph)
    kept = [a.copy() if isinstance(a, np.ndarray) else a for a in arrays]
    for _ in range(2):
        got = executable(*arrays)
        same(got, wanted)
        for a, b in zip(arrays, kept, strict=True):
            same(a, b)
    if donated:
        given = [a.copy() if isinstance(a, np.ndarray) else a for a in arrays]
        same(compile_graph(graph, frozenset(donated))(*given), wanted)
        for k, (a, b) in enumerate(zip(given, kept, strict=True)):
            if k not in donated:
                same(a, b)
    return executable.source


X = np.arange(6, dtype=np.float32).reshape(2, 3)


def test_straight_line():
    f = F("line")
    x, y = f.input(array(2, 3), "x"), f.input(array(2, 3), "y")
    t = f.mul(x, y)
    check(f.returns(f.sub(f.add(t, x), y), t), X, X + 1, donated={0})


def test_the_plan_of_a_loop_reads_well():
    f = F("train")
    w, g = f.input(array(3), "w"), f.input(array(3), "g")
    n = f.input(INT, "n")
    out = f.for_loop(n, [w], lambda i, w: f.sub(w, f.mul(g, 0.5)), "w")
    source = check(f.returns(*out), np.ones(3, "f"), np.ones(3, "f"), 3, donated={0})
    assert source == """\
# k1: 0.5 as float32
multiply = np.multiply
subtract = np.subtract

def run_train(w, g, n):
    for _ in range(n):
        t1 = multiply(g, k1)
        subtract(w, t1, t1)
        w = t1
    return [w]
"""


def test_weak_while():
    f = F("count")
    n = f.input(INT, "n")
    i, s = f.while_loop([0, 0], lambda i, s: f.less(i, n), lambda i, s: [f.add(i, 1), f.add(s, f.mul(i, i))], "i s")
    source = check(f.returns(s, i), 10)
    assert "while i < n:\n        s = s + (i * i)\n" in source or "while i < n:" in source


def test_swap():
    f = F("swap")
    a, b = f.input(array(3), "a"), f.input(array(3), "b")
    out = f.for_loop(5, [a, b], lambda i, x, y: [y, f.add(x, y)], "x y")
    check(f.returns(*out), np.ones(3, "f"), np.arange(3, dtype="f"), donated={0, 1})
    g = F("rotate")
    a, b, c = (g.input(INT, n) for n in "abc")
    out = g.for_loop(4, [a, b, c], lambda i, x, y, z: [y, z, x], "x y z")
    check(g.returns(*out), 1, 2, 3)


def test_branches_pass_and_change():
    f = F("branches")
    x, p = f.input(array(2, 3), "x"), f.input(INT, "p")

    def body(i, y):
        return f.cond(f.less(i, p), lambda: [f.mul(y, 2.0)], lambda: [y])

    out = f.for_loop(6, [x], body, "y")
    check(f.returns(*out, x), X, 3, donated={0})
    check(f.returns(*out, x), X, 0)


def test_no_trip_returns_the_input_untouched():
    f = F("none")
    x, n = f.input(array(2, 3), "x"), f.input(INT, "n")
    [y] = f.for_loop(n, [x], lambda i, y: [f.add(y, 1.0)], "y")
    z = f.add(y, 1.0)
    check(f.returns(z), X, 0)
    check(f.returns(z, x), X, 2, donated={0})


def test_views_keep_their_base_alive():
    f = F("views")
    x = f.input(array(2, 3), "x")
    t = f.add(x, 1.0)
    v = f.real(t)
    u = f.mul(t, 2.0)
    check(f.returns(f.add(v, u)), X)


def test_recursion():
    functions: dict = {}
    g = F("fact", functions)
    n = g.input(INT, "n")
    out = g.cond(g.less(n, 2), lambda: [1], lambda: [g.mul(n, g.call("fact", [g.sub(n, 1)], [INT])[0])])
    functions["fact"] = g.returns(*out)
    f = F("main", functions)
    m = f.input(INT, "m")
    check(f.returns(*f.call("fact", [m], [INT])), 10)
    g2 = F("depth", functions)
    n = g2.input(INT, "n")
    out = g2.cond(g2.less(n, 1), lambda: [0], lambda: [g2.add(g2.call("depth", [g2.sub(n, 1)], [INT])[0], 1)])
    functions["depth"] = g2.returns(*out)
    f = F("main", functions)
    m = f.input(INT, "m")
    deep = compile_graph(f.returns(*f.call("depth", [m], [INT])))
    assert deep(100_000) == [100_000]


def test_errors_know_the_users_line():
    f = F("bad")
    x, y = f.input(array(2, 3), "x"), f.input(array(2, 3), "y")
    t = f.add(x, y)
    z = f.mul(t, x)
    run = compile_graph(f.returns(f.sub(z, x)))
    with pytest.raises(ValueError) as caught:
        run(np.ones((2, 3), "f"), np.ones((4, 5), "f"))
    assert caught.value.__autograph_location__ is t.node.location


def test_scalars_use_python():
    f = F("scalars")
    a, b, x = f.input(array(), "a"), f.input(FLOAT, "b"), f.input(array(2, 3), "x")
    out = f.mul(f.add(a, f.mul(b, 2.0)), x)
    check(f.returns(out, f.add(f.less(b, 1.0), True)), np.float32(2), 0.25, X)


def broken(late: bool):
    """`for i in range(n): s += i; if s > 50: break`, perhaps with something after the branch."""
    f = F("broken")
    n = f.input(INT, "n")

    def test(i, s, done):
        return f.cond(done, lambda: [False], lambda: [f.less(i, n)])

    def body(i, s, done):
        t = f.add(s, i)
        out = f.cond(f.greater(t, 50), lambda: [i, t, True], lambda: [f.add(i, 1), t, done])
        return [out[0], f.add(out[1], 1), out[2]] if late else out

    return f.returns(*f.while_loop([0, 0, False], test, body, "i s did_break"))


def test_flags_become_breaks():
    assert check(broken(late=False), 100) == """\
def run_broken(n):
    i = 0
    s = 0
    did_break = False
    while i < n:
        s = s + i
        if s > 50:
            did_break = True
            break
        else:
            i = i + 1
    return [i, s, did_break]
"""
    check(broken(late=False), 4)
    late = check(broken(late=True), 100)
    assert "while not did_break and i < n:" in late, "what is added to s after the branch matters"
    assert "break" not in late.replace("did_break", "")
    check(broken(late=True), 4)


def test_what_nobody_reads_does_not_keep_a_loop_going():
    f = F("search")
    n = f.input(TensorType("int32", ()), "n")

    def test(i, s, done):
        return f.logical_and(f.less(i, n), f.logical_not(done))

    def body(i, s, done):
        t, flag = f.cond(f.greater(s, 50), lambda: [s, True], lambda: [f.add(s, i), done])
        return [f.add(i, 1), t, flag]

    source = check(f.returns(f.while_loop([0, 0, False], test, body, "i s did_break")[1]), np.int32(100))
    assert "while i < n:" in source


def test_deep_nesting():
    f = F("deep")
    x = f.input(array(3), "x")

    def nest(depth, y):
        if not depth:
            return f.mul(y, 1.5)
        return f.for_loop(1, [y], lambda i, y: [nest(depth - 1, f.add(y, x))])[0]

    check(f.returns(nest(30, x)), np.ones(3, "f"))

    g = F("chain")
    n = g.input(INT, "n")

    def chain(k):
        if k == 200:
            return [g.mul(n, -1)]
        return g.cond(g.equal(n, k), lambda: [g.add(n, 1000 - k)], lambda: chain(k + 1))

    graph = g.returns(*chain(0))
    for n in (0, 5, 150, 300):
        check(graph, n)


def test_fresh_outputs_alias_nothing():
    f = F("fresh")
    x, y = f.input(array(3), "x"), f.input(array(3), "y")
    t = f.add(x, y)
    graph = f.returns(t, x, f.neg(t), f.real(x), f.add(np.float32(1), f.reduce_sum(t, axis=None, keepdims=False)))
    assert compile_graph(graph).fresh == {0, 2, 4}


NUMBERS = [0, 1, -1, 0.1, -0.0, 3, 1e300, 1e-300, float("inf"), float("nan"), 2**40, 2**70, True]


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int32", "int8", "uint8", "int64", "bool"])
@pytest.mark.parametrize("number", NUMBERS, ids=repr)
def test_numbers_that_meet_arrays_are_numpys(number, dtype):
    """They are written as arrays without axes where that means the same."""
    x = np.array([0, 1, 3, 100], dtype)
    for name in ("add", "multiply", "subtract", "divide", "maximum", "minimum", "less", "greater_equal", "equal"):
        for turned in (False, True):
            ufunc = getattr(np, name)

            def fn(a, ufunc=ufunc, turned=turned):
                return ufunc(number, a) if turned else ufunc(a, number)

            with np.errstate(all="ignore"):
                try:
                    expected = fn(x)
                except (OverflowError, TypeError):
                    continue
                got = ag.function(jit_compile=False)(fn)(ag.constant(x)).numpy()
            assert got.dtype == expected.dtype
            np.testing.assert_array_equal(got, expected)
            np.testing.assert_array_equal(np.signbit(got * 1.0), np.signbit(expected * 1.0))


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int32", "uint8"])
def test_relu_writes_into_memory_that_is_there(dtype):
    def fn(x):
        return ag.nn.relu(x + 1), ag.nn.relu(x), ag.nn.relu(x[0])

    x = np.array([-3, -1, 0, 2, 5]).astype(dtype)
    kept = x.copy()
    staged = ag.function(jit_compile=False)(fn)
    for got, expected in zip(staged(ag.constant(x)), (np.maximum(x + 1, 0), np.maximum(x, 0), max(x[0], 0)), strict=True):
        np.testing.assert_array_equal(got.numpy(), expected)
        assert got.dtype == dtype
    np.testing.assert_array_equal(x, kept)
    assert "out=" in staged.inspect(ag.constant(x)).plan


@pytest.mark.parametrize("number", NUMBERS[:-1], ids=repr)
@pytest.mark.parametrize("dtype", ["float32", "int32", "uint8"])
def test_numbers_that_are_chosen_among_are_numpys(number, dtype):
    x = np.array([0, 1, 3, 100], dtype)

    def fn(x):
        return np.where(x > 1, x, number), np.where(x > 1, number, x + 1)

    with np.errstate(all="ignore"):
        try:
            expected = fn(x)
        except OverflowError:
            return
        for got, want in zip(ag.function(jit_compile=False)(fn)(ag.constant(x)), expected, strict=True):
            assert got.numpy().dtype == want.dtype
            np.testing.assert_array_equal(got.numpy(), want)
