"""Loops over elements that are written in vectors: every length, types side by side, what is left over, reductions."""

import re

import numpy as np
import pytest

import autograph as ag
from runtime.backends.native.lower import wide_loops, widen
from runtime.backends.native.lower.processor import vector_bytes

pytest.importorskip("llvmlite")

PROGRAMS = {
    "types": lambda x, i: ag.cast(i, ag.float32) * x + ag.sin(x),
    "double": lambda x, i: ag.sin(ag.cast(x, ag.float64)) * 2.0 + ag.cast(i, ag.float64),
    "chosen": lambda x, i: ag.where(x > 0.2, ag.exp(x), x * 2.0),
    "bools": lambda x, i: (x > 0) & (i > 3),
    "sums": lambda x, i: (ag.reduce_sum(x * x), ag.reduce_max(x), ag.reduce_min(i), ag.reduce_any(x > 3.0)),
    "more sums": lambda x, i: (ag.reduce_all(i > -9), ag.reduce_sum(ag.cast(i, ag.int64)), ag.reduce_prod(x)),
    "index": lambda x, i: ag.cast(ag.range(ag.shape(x)[0]), ag.float32) * x,
    "gathered": lambda x, i: ag.gather(x, ag.abs(i) % ag.shape(x)[0]),
    "beyond": lambda x, i: ag.cos(x * 1e7) + ag.sin(x),
    "remainder": lambda x, i: (x * 1e3) % 0.7,
    "not a number": lambda x, i: ag.reduce_max(ag.where(x > 2.0, np.float32("nan"), x)),
    "bytes": lambda x, i: ag.cast(ag.cast(i, ag.int8) + ag.cast(1, ag.int8), ag.int32),
    "rows": lambda x, i: x - ag.reduce_mean(ag.reshape(ag.concat([x, x], 0), [2, -1]), axis=1)[0],
}


def both(program, x, i, signature=None):
    def gave_up(*arrays):
        raise AssertionError("native code gave up")

    found = []
    for native in (True, False):
        arguments = ag.constant(x), ag.constant(i)
        function = ag.function(program, jit_compile=native, input_signature=signature)
        if native:
            function.get_concrete_function(*arguments).executable.plan = gave_up
        made = function(*arguments)
        found.append([np.asarray(part) for part in (made if isinstance(made, tuple) else (made,))])
    for a, b in zip(*found, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-5)


@pytest.mark.parametrize("size", [32, 64])
@pytest.mark.parametrize("name", PROGRAMS)
def test_every_length_gives_what_the_plan_gives(name, size, monkeypatch):
    monkeypatch.setattr(wide_loops, "vector_bytes", lambda: size)
    monkeypatch.setattr(widen, "masks_bytes", lambda: size == 64)
    random = np.random.default_rng(0)
    for n in (1, 8, 15, 16, 17, 33, 40, 100, 1003):
        x, i = random.standard_normal(n).astype(np.float32), random.integers(-50, 50, n).astype(np.int32)
        both(PROGRAMS[name], x, i)


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name not in ("index", "gathered")])
def test_lengths_that_the_call_tells(name, monkeypatch):
    monkeypatch.setattr(wide_loops, "vector_bytes", lambda: 64)
    signature = [ag.TensorSpec([None], ag.float32), ag.TensorSpec([None], ag.int32)]
    random = np.random.default_rng(1)
    for n in (1, 5, 16, 63, 64, 65, 1003):
        x, i = random.standard_normal(n).astype(np.float32), random.integers(-50, 50, n).astype(np.int32)
        both(PROGRAMS[name], x, i, signature)


def test_what_lies_behind_the_last_element_is_left_alone():
    """An output of 40 elements that is a part of a larger array: `x[4:44] = ...`."""

    def program(x):
        x[4:44] = ag.exp(x[4:44])
        return x

    x = np.linspace(-1, 1, 50, dtype=np.float32)
    made = np.asarray(ag.function(program, jit_compile=True)(ag.constant(x)))
    np.testing.assert_array_equal(made[[0, 3, 44, 49]], x[[0, 3, 44, 49]])
    np.testing.assert_allclose(made[4:44], np.exp(x[4:44]), rtol=1e-6)


@pytest.mark.skipif(vector_bytes() < 32, reason="no vectors are written here")
def test_nothing_is_left_to_llvm_of_a_plain_program():
    @ag.function(jit_compile=True)
    def program(x):
        return ag.tanh(x) * 2.0 + ag.reduce_sum(x)

    text = program.inspect(ag.constant(np.ones(1000, np.float32))).llvm
    assert text.startswith("; written")
    assert re.search(r"call <\d+ x float> @ag_tanh_f32_x", text)


AT = "  %p = getelementptr inbounds {kind}, ptr %x, i64 %i"


@pytest.mark.parametrize(
    ("body", "lanes"),
    [
        ([AT.format(kind="float"), "  %v = load float, ptr %p", "  store float %v, ptr %p"], 16),
        ([AT.format(kind="double"), "  %v = load double, ptr %p", "  store double %v, ptr %p"], 8),
        (["  %j = mul nsw i64 %i, 3", AT.format(kind="i32").replace("%i", "%j"), "  store i32 1, ptr %p"], 0),
        ([AT.format(kind="i32"), "  %v = load i32, ptr %p", "  %q = sdiv i32 7, %v"], 0),
    ],
)
def test_what_is_plain(body, lanes):
    wide = widen.parse(body, "%i", frozenset(), 64)
    assert (wide.lanes if wide else 0) == lanes


def test_numbers_that_grow_evenly():
    body = [
        "  %j = mul nsw i64 %i, 3", "  %k = add nsw i64 2, %j", AT.format(kind="float").replace("%i", "%k"),
        "  %v = load float, ptr %p", "  %q = getelementptr inbounds float, ptr %y, i64 %i", "  store float %v, ptr %q",
    ]  # fmt: skip
    wide = widen.parse(body, "%i", frozenset(), 64)
    assert wide is not None
    assert wide.paces == {"%i": 1, "%j": 3, "%k": 3, "%p": 3, "%q": 1}
    assert wide.lanes == 16


def test_no_function_of_the_c_library_is_called_for_each_element():
    @ag.function(jit_compile=True)
    def f(x):
        return ag.math.exp(x) + ag.math.tanh(x) * ag.math.erf(x)

    x = ag.constant(np.linspace(-3, 3, 1000, dtype=np.float32))
    text = f.inspect(x).assembly
    assert not re.findall(r"\b(?:ldexp|exp|exp2|tanh|erf)f?\b@PLT", text)
