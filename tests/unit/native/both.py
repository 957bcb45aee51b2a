"""A function run natively and on the NumPy plan, values and gradients compared."""

import functools

import numpy as np

import autograph as ag
from runtime.backends.native.executable import NativeExecutable


def same(a, b, tolerance=1e-5):
    """Equal in structure, dtype, shape, and to a tolerance in value."""
    if isinstance(a, (list, tuple)):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            same(x, y, tolerance)
        return
    x, y = np.asarray(a), np.asarray(b)
    assert x.dtype == y.dtype
    assert x.shape == y.shape
    np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance)


@functools.lru_cache(maxsize=None)
def compiled(f, *specs):
    """A function compiled for any sizes, without islands, which must stay native."""
    made = ag.function(f, jit_compile=True, input_signature=[ag.TensorSpec(shape, dtype) for shape, dtype in specs])
    executable = made.get_concrete_function().executable
    assert type(executable) is NativeExecutable
    assert not executable.lowered.islands

    def plan(*arrays):
        raise AssertionError("native code gave up")

    executable.plan = plan
    return made


def native(f, *args):
    """The function compiled, and its executable for these arguments; it must run without the plan's help."""
    compiled = ag.function(f, jit_compile=True)
    executable = compiled.get_concrete_function(*args).executable
    assert type(executable) is NativeExecutable
    return compiled, executable


def forbid_plan(executable, monkeypatch):
    """Let the test fail where native code gives up."""

    def plan(*arrays):
        raise AssertionError("native code gave up")

    monkeypatch.setattr(executable, "plan", plan)


def check(f, *args, monkeypatch, islands=None, calls=2):
    """Native results equal the plan's, which native code does not ask for; the names of its islands are as said."""
    args = tuple(ag.constant(a) if isinstance(a, (np.ndarray, np.generic)) else a for a in args)
    compiled, executable = native(f, *args)
    forbid_plan(executable, monkeypatch)
    want = ag.function(f, jit_compile=False)(*args)
    for _ in range(calls):  # the second is from the entry made by the first, with memory that was used before
        same(compiled(*args), want)
    if islands is not None:
        assert {i.name for i in executable.lowered.islands if i.node is not None} == set(islands)
    return executable


def check_gradient(f, x):
    """The gradient of the sum of f's results equals the plan's."""

    def gradient(x):
        with ag.GradientTape() as tape:
            tape.watch(x)
            y = ag.reduce_sum(f(x))
        return tape.gradient(y, x)

    x = ag.constant(x)
    compiled, _ = native(gradient, x)
    same(compiled(x), ag.function(gradient, jit_compile=False)(x))
