"""Payloads into native code and out again."""

import threading

import numpy as np
import pytest

from runtime.backends.native import toolchain
from runtime.backends.native.errors import Unsupported
from runtime.backends.native.layout import Layout
from runtime.typesys.shapes import Dim
from runtime.typesys.spec import ListType
from tests.unit.native.lowered import ADD_ONE, ROWS, SUM, WEAK, executable, lowered, tensor, weak

pytestmark = pytest.mark.skipif(not toolchain.available(), reason="llvmlite is not installed")


class Plan:
    """Stands for the NumPy plan: counts its calls."""

    source = "the plan"
    name = "planned"

    def __init__(self, function):
        self.function = function
        self.calls = 0

    def __call__(self, *arrays):
        self.calls += 1
        return self.function(*arrays)


def summing(big=False):
    n = Dim()
    plan = Plan(lambda a, b: [a + b])
    kinds = [tensor("int64", n), tensor("int64", n)]
    return executable(SUM, kinds, [tensor("int64", n)], [((0, 0),)], plan, big=big), plan


@pytest.mark.parametrize("x", [np.float32(2.5), np.array(2.5, np.float32)], ids=["scalar", "0-d array"])
def test_scalars(x):
    run = executable(ADD_ONE, [tensor("float32")], [tensor("float32")], [None], Plan(None))
    (y,) = run(x)
    assert y == 3.5 and y.dtype == np.float32 and y.ndim == 0
    assert run.fresh == {0} and run.source == "the plan" and run.name == "planned"


def views():
    base = np.arange(24, dtype=np.int64)
    raw = np.zeros(8 * 6 + 1, np.uint8)
    unaligned = raw[1:].view(np.int64)
    unaligned[:] = np.arange(6)
    frozen = np.arange(6)
    frozen.flags.writeable = False
    return {
        "contiguous": np.arange(6), "strided": base[::4], "backwards": base[5::-1], "unaligned": unaligned,
        "read-only": frozen, "empty": np.zeros(0, np.int64), "one": base[3:4], "broadcast": np.broadcast_to(np.int64(3), 6),
        "column": base.reshape(6, 4)[:, 1], "other byte order": np.arange(6).astype(">i8"), "big": np.arange(100_000),
    }


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("name", views())
def test_arrays_of_every_kind(name, big):
    run, _ = summing(big)
    x = views()[name]
    before = np.array(x)
    (y,) = run(x, x)
    np.testing.assert_array_equal(np.asarray(y), before * 2)
    np.testing.assert_array_equal(np.asarray(x), before)


def test_what_native_code_refuses_runs_on_the_plan():
    run, plan = summing()
    assert run(np.array([-1, 2]), np.array([3, 4]))[0].tolist() == [2, 6] and plan.calls == 1
    assert run(np.array([1, 2]), np.array([3, 4]))[0].tolist() == [4, 6] and plan.calls == 1


@pytest.mark.parametrize(
    "arguments",
    [
        (np.arange(3), np.arange(4)),
        (np.arange(3.0), np.arange(3.0)),
        (np.arange(3, dtype=np.int32), np.arange(3, dtype=np.int32)),
        (np.zeros((3, 1), int), np.zeros((3, 1), int)),
        (5, 6),
        (np.arange(3),),
    ],
    ids=["unequal sizes", "floats", "int32", "rank", "numbers", "too few"],
)
def test_what_the_code_was_not_made_for_runs_on_the_plan(arguments):
    run, plan = summing()
    plan.function = lambda *a: ["plan"]
    assert run(*arguments) == ["plan"] and plan.calls == 1


def test_weak_numbers():
    plan = Plan(lambda n, x, b: [n + 1, x * 2, not b])
    kinds = [weak("int64"), weak("float64"), weak("bool")]
    run = executable(WEAK, kinds, kinds, [None] * 3, plan)
    got = run(41, 1.5, False)
    assert got == [42, 3.0, True] and [type(v) for v in got] == [int, float, bool] and plan.calls == 0
    assert run(2**63 - 1, 0.0, True) == [2**63, 0.0, False] and plan.calls == 1  # outgrows 64 bits inside
    assert run(2**70, 0.0, True) == [2**70 + 1, 0.0, False] and plan.calls == 2  # and before
    assert run(-(2**63), float("inf"), True) == [-(2**63) + 1, float("inf"), False] and plan.calls == 2


@pytest.mark.parametrize("n", [0, 1, 5, 10_000])
def test_arrays_made_by_native_code(n):
    run = executable(ROWS, [tensor("int64")], [tensor("int64", Dim(), 2)], [None], Plan(None))
    results = [run(np.int64(n))[0] for _ in range(3)]
    for r in results:
        assert r.shape == (n, 2) and r.flags.writeable
        np.testing.assert_array_equal(r, np.arange(n)[:, None].repeat(2, 1))


def test_slots():
    n, m = Dim(), Dim()
    layout = Layout(lowered("", [tensor("float32", n, 3), weak("int64"), tensor("int64", m, n)],
                            [tensor("float32", m), tensor("float32"), tensor("float32", Dim(), n)],
                            [((2, 0),), None, None]))
    assert [(i.slot, i.dims) for i in layout.inputs] == [(0, (-1, 3)), (3, ()), (4, (-1, -3))]
    assert [(o.slot, o.sizes) for o in layout.outputs] == [(0, [(None, 5)]), (2, None), (3, None)]
    assert (layout.in_slots, layout.out_slots) == (7, 6)


STRANGE = [tensor("O"), ListType(tensor("float32", Dim())), weak("complex128"), tensor("complex128")]


@pytest.mark.parametrize("kind", STRANGE, ids=["strings", "list", "weak", "scalar"])
def test_types_that_do_not_cross(kind):
    with pytest.raises(Unsupported, match="crosses"):
        Layout(lowered("", [kind], [], []))


def test_many_threads():
    run, plan = summing(big=True)
    wrong = []

    def work(k):
        for i in range(200):
            x = np.full(50 + k, i)
            if (run(x, x)[0] != 2 * i).any():
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong and plan.calls == 0
