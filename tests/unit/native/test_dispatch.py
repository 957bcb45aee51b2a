"""The entry of CPython's fast-call convention: what it takes, what it leaves to others, what it owns."""

import ctypes
import gc
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

from runtime.backends.native import dispatch, objects, pool, toolchain
from runtime.backends.native.dispatch import TENSOR, TENSORS, Source
from runtime.backends.native.layout import Layout
from runtime.tensor.tensor import Tensor
from runtime.typesys.shapes import Dim
from runtime.typesys.spec import ListType
from tests.unit.native.lowered import ADD_ONE, ROWS, SUM, WEAK, executable, lowered, tensor, weak

pytestmark = pytest.mark.skipif(
    not toolchain.available() or objects.offsets() is None, reason="no compiler, or another layout of objects"
)

COPY = """
define i64 @ag_run(ptr %in, ptr %out) {
  %x = load i64, ptr %in
  store i64 %x, ptr %out
  ret i64 0
}
"""
def payloads(text, inputs, outputs, out_dims, big=False):
    layout = Layout(lowered(text, inputs, outputs, out_dims))
    return dispatch.payload_entry(layout, toolchain.compile_text(text, pool.addresses()), big)


def tensors(text, inputs, outputs, out_dims, sources, mode=TENSOR, big=False):
    layout = Layout(lowered(text, inputs, outputs, out_dims))
    return dispatch.entry(layout, toolchain.compile_text(text, {}), big, mode, sources, Tensor)


def summing(big=False):
    n = Dim()
    return payloads(SUM, [tensor("int64", n)] * 2, [tensor("int64", n)], [((0, 0),)], big)


@pytest.mark.parametrize("dtype", "bool int8 uint16 int32 uint64 float16 float32 float64 complex64".split())
def test_scalars_of_every_size(dtype):
    run = payloads(COPY, [tensor(dtype)], [tensor(dtype)], [None])
    value = np.array(-3 if np.dtype(dtype).kind in "ifc" else 1, dtype)
    for x in (value[()], value):
        (y,) = run(x)
        assert y == value and type(y) is value.dtype.type
    assert run(3) is None and run(np.zeros(1, dtype)) is None and run("x") is None and run(None) is None
    assert run() is None and run(value, value) is None


@pytest.mark.parametrize("big", [dispatch.KEPT, dispatch.RELEASED, dispatch.ASKED_FOR])
def test_arrays(big):
    run = summing(big)
    x = np.arange(5)
    (y,) = run(x, x)
    assert y.tolist() == [0, 2, 4, 6, 8] and y.flags.owndata and y.dtype == np.int64
    assert run(np.zeros(0, int), np.zeros(0, int))[0].shape == (0,)
    assert run(x[::2], x[::2]) is None  # not contiguous
    assert run(x, x[:4]) is None  # one size, two lengths
    assert run(x.astype(np.int32), x) is None and run(x.astype(">i8"), x) is None
    assert run(x[None], x) is None
    assert run(np.ma.masked_array(x), x) is None
    raw = np.zeros(17, np.uint8)[1:].view(np.int64)
    assert run(raw, raw) is None  # not aligned
    assert run(-1 - x, x) is False  # refused by the code


def test_sizes_that_are_fixed():
    run = payloads(SUM, [tensor("int64", 3)] * 2, [tensor("int64", 3)], [(3,)])
    assert run(np.arange(3), np.arange(3))[0].tolist() == [0, 2, 4]
    assert run(np.arange(4), np.arange(4)) is None


def test_weak_numbers():
    kinds = [weak("int64"), weak("float64"), weak("bool")]
    run = payloads(WEAK, kinds, kinds, [None] * 3)
    got = run(-(2**63), 0.25, True)
    assert got == [-(2**63) + 1, 0.5, False] and [type(x) for x in got] == [int, float, bool]
    assert run(2**63, 0.25, True) is None and run(2**63 - 1, 0.25, True) is False
    assert run(True, 0.25, True) is None and run(1, 1, True) is None and run(1, 0.5, 1) is None


def test_arrays_made_by_native_code():
    run = payloads(ROWS, [tensor("int64")], [tensor("int64", Dim(), 2)], [None])
    for n in (0, 1, 4, 5000):
        (y,) = run(np.int64(n))
        assert y.flags.owndata and y.flags.writeable
        np.testing.assert_array_equal(y, np.arange(n)[:, None].repeat(2, 1))


def test_constants_of_the_code_follow_the_inputs():
    text = """
    define i64 @ag_run(ptr %in, ptr %out) {
      %x = load i64, ptr %in
      %pp = getelementptr i64, ptr %in, i64 1
      %p = load ptr, ptr %pp
      %c = load i64, ptr %p
      %y = add i64 %x, %c
      store i64 %y, ptr %out
      ret i64 0
    }"""
    layout = Layout(lowered(text, [tensor("int64")], [tensor("int64")], [None]))
    run = dispatch.payload_entry(layout, toolchain.compile_text(text, {}), False, [np.array([100])])
    gc.collect()
    assert run(np.int64(5)) == [105]


def test_lists_are_left_to_the_general_way():
    kind = ListType(tensor("int64"))
    assert payloads(COPY, [kind], [tensor("int64")], [None]) is None


def test_tensors_in_and_out():
    run = tensors(ADD_ONE, [tensor("float32")], [tensor("float32")], [None], [Source()])
    result = run(Tensor(np.float32(2.5)))
    assert type(result) is Tensor and result._value == np.float32(3.5) and result.dtype == np.float32
    assert run(np.float32(2.5)) is None and run(Tensor(2.5)) is None and run(object.__new__(Tensor)) is None

    class Other(Tensor):
        pass

    assert run(Other(np.float32(1))) is None


def test_a_tuple_of_tensors():
    kinds = [weak("int64"), weak("float64"), weak("bool")]
    run = tensors(WEAK, kinds, kinds, [None] * 3, [Source()] * 3, TENSORS)
    result = run(Tensor(1), Tensor(2.0), Tensor(False))
    assert type(result) is tuple and [t._value for t in result] == [2, 4.0, True]
    assert run(Tensor(2**63 - 1), Tensor(2.0), Tensor(False)) is None


def test_one_tensor_given_twice_is_another_signature():
    n = Dim()
    run = tensors(SUM, [tensor("int64", n)] * 2, [tensor("int64", n)], [((0, 0),)], [Source(), Source()])
    x, y = Tensor(np.arange(3)), Tensor(np.arange(3))
    assert run(x, y)._value.tolist() == [0, 2, 4] and run(x, x) is None


def test_constants_and_things_from_outside():
    box, mode = Tensor(np.arange(3)), "train"
    n = Dim()
    run = tensors(SUM, [tensor("int64", n)] * 2, [tensor("int64", n)], [((0, 0),)],
                  [Source(None, constant=True), Source(boxed=False), Source(mode, constant=True), Source(box)])
    given = np.array([10, 20, 30])
    assert run(None, given, mode)._value.tolist() == [10, 21, 32]
    box._value = np.array([5, 5, 5])
    assert run(None, given, mode)._value.tolist() == [15, 25, 35]
    assert run(0, given, mode) is None and run(None, given, "other") is None and run(None, given) is None


@pytest.mark.parametrize("big", [dispatch.KEPT, dispatch.RELEASED, dispatch.ASKED_FOR])
def test_nothing_is_leaked(big):
    n = Dim()
    kinds = [tensor("int64", n)] * 2
    run = summing(big)
    boxed = tensors(SUM, kinds, [tensor("int64", n)], [((0, 0),)], [Source(), Source()], big=big)
    rows = payloads(ROWS, [tensor("int64")], [tensor("int64", Dim(), 2)], [None], big)
    x, y, odd = np.arange(1000), np.arange(1000), np.arange(999)
    s, t = Tensor(x), Tensor(y)

    def everything():
        run(x, y), run(-1 - x, y), run(x, odd), run(x), boxed(s, t), boxed(s, s), boxed(s, 3), rows(np.int64(1000))

    everything()
    gc.collect()
    tracemalloc.start()
    counts = [sys.getrefcount(v) for v in (x, y, odd, s, t, x.dtype, Tensor)]
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(300):
        everything()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    after = [sys.getrefcount(v) for v in (x, y, odd, s, t, x.dtype, Tensor)]
    assert all(abs(a - b) <= 2 for a, b in zip(counts, after, strict=True)) and grown < 20_000


REPLACES = """
declare void @replace()
define i64 @ag_run(ptr %in, ptr %out) {
  %p = load ptr, ptr %in
  call void @replace()
  %x = load i64, ptr %p
  store i64 %x, ptr %out
  ret i64 0
}
"""


def test_an_input_that_is_replaced_meanwhile_stays():
    box = Tensor(np.full(1000, 7))

    def replace():
        box._value = None
        for _ in range(50):
            np.full(1000, -1)

    callback = ctypes.CFUNCTYPE(None)(replace)
    symbols = {"replace": ctypes.cast(callback, ctypes.c_void_p).value}
    layout = Layout(lowered(REPLACES, [tensor("int64", 1000)], [tensor("int64")], [None]))
    loaded = toolchain.compile_text(REPLACES, symbols)
    run = dispatch.entry(layout, loaded, dispatch.ASKED_FOR, TENSOR, [Source()], Tensor)
    assert run(box)._value == 7


def test_code_lives_as_long_as_its_entry():
    run = summing()
    gc.collect()
    assert run(np.arange(3), np.arange(3))[0].tolist() == [0, 2, 4]


def test_things_are_not_kept_where_the_caller_forgets_them():
    class Thing:
        pass

    thing = Thing()
    count = sys.getrefcount(thing)
    run = tensors(COPY, [tensor("int64")], [tensor("int64")], [None], [Source(thing, constant=True, kept=False), Source()])
    assert sys.getrefcount(thing) == count
    assert run(thing, Tensor(np.int64(4)))._value == 4


def test_where_objects_are_laid_out_otherwise_calls_go_through_ctypes(monkeypatch):
    wrong = {**objects.offsets(), "DESCR": objects.offsets()["DESCR"] - 8}
    assert not objects._hold(wrong)
    monkeypatch.setattr(dispatch, "_method", lambda: None)
    n = Dim()
    run = executable(SUM, [tensor("int64", n)] * 2, [tensor("int64", n)], [((0, 0),)], None)
    assert run._entry is None and run(np.arange(3), np.arange(3))[0].tolist() == [0, 2, 4]


def test_slots_are_found():
    class Odd:
        __slots__ = ("a", "b", "__weakref__")

    a, b = objects.slot_offset(Odd, "a"), objects.slot_offset(Odd, "b")
    assert {a, b} == {16, 24} and objects.slot_offset(Tensor, "_value") is not None


@pytest.mark.parametrize("count", [0, 40])
def test_many_inputs(count):
    kinds = [tensor("int64")] * count
    text = COPY if count else "define i64 @ag_run(ptr %in, ptr %out) {\n  store i64 7, ptr %out\n  ret i64 0\n}"
    run = payloads(text, kinds, [tensor("int64")], [None])
    assert run(*[np.int64(7 + k) for k in range(count)]) == [7]


def test_threads_may_be_inside_together():
    code = """
import threading, numpy as np
from tests.unit.native.test_dispatch import summing
run = summing(True)
def work():
    for k in range(2000):
        x = np.full(64, k)
        assert run(x, x)[0][5] == 2 * k
ts = [threading.Thread(target=work) for _ in range(6)]
[t.start() for t in ts]; [t.join() for t in ts]; print("done")
"""
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert made.stdout == "done\n", made.stderr
