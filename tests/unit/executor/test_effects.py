"""Effects keep program order, errors carry their place, executables run in several threads."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from runtime.backends.numpy_executor.executor import compile_graph
from runtime.typesys.errors import InvalidArgumentError, UnimplementedError
from tests.unit.executor.build import FLOAT, INT, F, array


def test_prints_in_order(capsys) -> None:
    f = F()
    x = f.input(array(2), "x")
    y = f.add(x, 1.0)
    f.print_(x, template=("x = ", (0, ""), "\n"))
    f.print_(f.list_from(y, x), template=((0, ""), "\n"), stream="stderr")
    f.for_loop(2, [], lambda i: f.print_(i, template=((0, "03d"), ";")) or [])
    f.print_(f.reduce_sum(y, axis=None, keepdims=False), template=((0, ".2f"),))
    compile_graph(f.returns(y))(np.ones(2, "f"))
    out = capsys.readouterr()
    assert out.out == "x = [1. 1.]\n000;001;4.00"
    assert out.err == "[[2. 2.], [1. 1.]]\n"


def test_assert_and_raise() -> None:
    f = F()
    n = f.input(INT, "n")
    f.assert_(f.less(n, 10), n, template=("too big: ", (0, "")))
    f.cond(f.less(n, 0), lambda: f.raise_(n, exception=KeyError, template=("bad ", (0, ""))) or [], lambda: [])
    f.cond(f.equal(n, 0), lambda: f.raise_(exception=ValueError, arguments=(1, "x"), template=()) or [], lambda: [])
    f.assert_(f.not_equal(n, 1), template=(), bare=True)
    run = compile_graph(f.returns(f.add(n, 1)))
    assert run(5) == [6]
    with pytest.raises(AssertionError, match="^too big: 12$") as caught:
        run(12)
    assert caught.value.__autograph_location__.line > 0
    with pytest.raises(KeyError, match="bad -1"):
        run(-1)
    with pytest.raises(ValueError) as error:
        run(0)
    assert error.value.args == (1, "x")
    with pytest.raises(AssertionError) as bare:
        run(1)
    assert bare.value.args == ()


def test_python_functions_get_read_only_arrays_and_may_keep_them() -> None:
    kept = []

    def spy(x, n):
        kept.append(x)
        with pytest.raises(ValueError):
            x[0] = 5
        return x * n, n + 1

    f = F()
    x = f.input(array(2), "x")
    t = f.mul(x, 2.0)
    y, m = f.py_function(t, 3, function=spy, types=(array(2), INT))
    z = f.add(t, y)
    run = compile_graph(f.returns(f.mul(z, 2.0), m))
    out = run(np.ones(2, "f"))
    np.testing.assert_array_equal(out[0], [16, 16])
    assert out[1] == 4
    np.testing.assert_array_equal(kept[0], [2, 2])
    g = F()
    g.py_function(function=lambda: (1, 2), types=(FLOAT,))
    with pytest.raises(InvalidArgumentError, match="2 results"):
        compile_graph(g.returns())()


def test_what_has_no_meaning_is_named() -> None:
    from runtime.ops.registry import OPS, Op

    class Meaningless(Op):
        def infer(self):
            return FLOAT

    try:
        f = F()
        with pytest.raises(UnimplementedError, match="meaningless"):
            compile_graph(f.returns(f.meaningless()))
    finally:
        del OPS["meaningless"]


def test_threads() -> None:
    f = F()
    x = f.input(array(100), "x")
    out = f.for_loop(200, [x], lambda i, y: f.add(f.mul(y, 0.5), 1.0), "y")
    run = compile_graph(f.returns(*out))
    start = [np.full(100, k, "f") for k in range(8)]
    wanted = [run(s)[0] for s in start]
    got: dict[int, list] = {}

    def work(k: int) -> None:
        got[k] = [run(start[k])[0] for _ in range(10)]

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for k in range(8):
        for one in got[k]:
            np.testing.assert_array_equal(one, wanted[k])


def test_interrupts_pass_through() -> None:
    def interrupt():
        raise KeyboardInterrupt

    f = F()
    f.py_function(function=interrupt, types=())
    with pytest.raises(KeyboardInterrupt):
        compile_graph(f.returns())()
