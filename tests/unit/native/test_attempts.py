"""`try` around operations of the graph runs on the NumPy plan, and says so where native code was asked for."""

import pytest

import autograph as ag
from runtime.typesys.errors import UnimplementedError


def halve(x):
    try:
        assert x > 0
        y = x / 2
    except AssertionError:
        y = x
    return y


def test_asked_for():
    with pytest.raises(UnimplementedError, match="attempt"):
        ag.function(halve, jit_compile=True)(ag.constant(2.0))


def test_by_default(monkeypatch):
    from autograph.staging import native_code

    monkeypatch.setattr(native_code, "TRIED_CALLS", 1)
    f = ag.function(halve)
    assert [float(f(ag.constant(x))) for x in (2.0, -2.0)] == [1.0, -2.0]
    native_code.BACKGROUND.wait()
    assert [float(f(ag.constant(x))) for x in (2.0, -2.0)] == [1.0, -2.0]
