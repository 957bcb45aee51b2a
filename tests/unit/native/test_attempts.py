"""`try` around operations of the graph: what is attempted runs on the NumPy plan, in the midst of native code."""

import numpy as np
import pytest

import autograph as ag
from runtime.backends.native import toolchain
from tests.unit.native.both import check

pytestmark = pytest.mark.skipif(not toolchain.available(), reason="llvmlite is not installed")


def halve(x):
    try:
        assert x > 0
        y = x / 2
    except AssertionError:
        y = x
    return y


@pytest.mark.parametrize("x", [2.0, -2.0])
def test_asked_for(x, monkeypatch):
    check(halve, np.float32(x), monkeypatch=monkeypatch, islands={"attempt"})


def added(x, n):
    total = ag.constant(0.0)
    for i in range(n):
        try:
            total += x[i]
            ag.print("at", i)
            if total > 3.0:
                raise ValueError("much")
        except IndexError:
            total -= 100.0
        except ValueError:
            total = total * 0.5
    return total


def test_in_a_loop(monkeypatch, capsys):
    check(added, np.arange(4, dtype=np.float32), np.int64(6), monkeypatch=monkeypatch, calls=1)
    assert capsys.readouterr().err == "at 0\nat 1\nat 2\nat 3\n" * 2


def gathered(x, n):
    out = []
    try:
        for k in ag.range(n):
            out.append(x[k])
    except IndexError:
        out.append(x[0] * 0.0 - 1.0)
    return ag.stack(out)


@pytest.mark.parametrize("n", [2, 5])
def test_lists_keep_what_was_put_in_before_it_failed(n, monkeypatch):
    check(gathered, np.arange(3, dtype=np.float32), np.int64(n), monkeypatch=monkeypatch)


def prints_then_fails(x, i):
    try:
        ag.print("tried")
        y = x[0] * 2.0
    except IndexError:
        y = x[0]
    return y + x[i]


def test_what_an_attempt_printed_is_not_printed_again_by_the_plan(capsys):
    f = ag.function(prints_then_fails, jit_compile=True)
    with pytest.raises(IndexError):
        f(ag.constant([1.0, 2.0]), ag.constant(7))
    assert capsys.readouterr().err == "tried\n"


def not_caught(x, i):
    try:
        y = x[i]
    except ValueError:
        y = x[0]
    return y


def test_what_is_not_caught_is_raised():
    with pytest.raises(IndexError):
        ag.function(not_caught, jit_compile=True)(ag.constant([1.0, 2.0]), ag.constant(7))


def test_by_default(monkeypatch):
    from autograph.staging import native_code

    monkeypatch.setattr(native_code, "TRIED_CALLS", 1)
    f = ag.function(halve)
    assert [float(f(ag.constant(x))) for x in (2.0, -2.0)] == [1.0, -2.0]
    native_code.BACKGROUND.wait()
    assert [float(f(ag.constant(x))) for x in (2.0, -2.0)] == [1.0, -2.0]
