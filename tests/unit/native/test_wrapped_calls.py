"""Short calls with keywords, structures, variables and the same tensor twice: as the general way, which runs first."""

from collections import namedtuple
from dataclasses import dataclass

import numpy as np
import pytest

import autograph as ag
from runtime.backends.native import objects, toolchain

pytestmark = pytest.mark.skipif(
    not toolchain.available() or objects.offsets() is None, reason="no compiler, or another layout of objects"
)

Pair = namedtuple("Pair", "a b")
X, Y = ag.constant([1.0, 2.0]), ag.constant([10.0, 20.0])


@dataclass
class Both:
    first: object
    second: object


def jit(fn):
    return ag.function(fn, jit_compile=True)


def entries(f):
    return len(f._fast.entries) + len(f._fast_by_name.entries)


@pytest.mark.parametrize(
    "make",
    [
        lambda x, y: {"s": x + y, "d": x - y},
        lambda x, y: [x + y, {"k": (x, y * 2), "none": None}],
        lambda x, y: Pair(x + y, x * y),
        lambda x, y: Both(x + y, x * y),
        lambda x, y: (x + y, "text", 3, None, []),
    ],
)
def test_results(make):
    f = jit(lambda x, y: make(x, y))
    want = repr(make(X, Y))
    for _ in range(3):
        got = f(X, Y)
        assert repr(got) == want and type(got) is type(make(X, Y))
    assert entries(f) == 1
    if isinstance(got, list):
        assert f(X, Y) is not f(X, Y)


def test_keywords_defaults_and_their_order():
    f = jit(lambda a, b=Y, *, c=2.0: a - b * c)
    for _ in range(3):
        np.testing.assert_array_equal(f(X), [-19, -38])
        np.testing.assert_array_equal(f(X, c=3.0), [-29, -58])
        np.testing.assert_array_equal(f(c=3.0, a=X), [-29, -58])
        np.testing.assert_array_equal(f(b=X, a=Y), [8, 16])
        np.testing.assert_array_equal(f(X, b=ag.constant([0.0, 1.0]), c=1.0), [1, 1])
    assert len(f._fast_by_name.entries) >= 2
    for wrong in ({"d": 1}, {"a": X}, {"b": X}):
        with pytest.raises(TypeError, match="; it is "):
            f(*([X] if "a" in wrong else []), **wrong)
    with pytest.raises(TypeError, match="; it is "):
        f(X, Y, 2.0)  # c is keyword-only, and an entry of all three must not take it


def test_arguments_in_structures():
    f = jit(lambda p: p["w"] * p["b"][0] + p["b"][1])
    for _ in range(3):
        np.testing.assert_array_equal(f({"w": X, "b": (Y, 1)}), [11, 41])
        np.testing.assert_array_equal(f({"b": (Y, 1), "w": X}), [11, 41])
        np.testing.assert_array_equal(f({"w": X, "b": (Y, 2)}), [12, 42])
        np.testing.assert_array_equal(f({"w": X, "b": [X, Y]}), [11, 24])
    assert entries(f) >= 3
    with pytest.raises(KeyError):
        f({"w": X})
    g = jit(lambda p: p.a - p.b)
    for _ in range(2):
        np.testing.assert_array_equal(g(Pair(Y, X)), [9, 18])
        with pytest.raises(AttributeError):
            g((Y, X))


def test_the_same_tensor_twice_is_known_as_such():
    f = jit(lambda x, y: (x if x is y else x + 100.0) + y)
    for _ in range(3):
        np.testing.assert_array_equal(f(X, X), [2, 4])
        np.testing.assert_array_equal(f(X, Y), [111, 122])
        np.testing.assert_array_equal(f(X, ag.constant([1.0, 2.0])), [102, 104])
    array = np.ones(2, np.float32)
    for _ in range(3):
        np.testing.assert_array_equal(f(array, array), [2, 2])
        np.testing.assert_array_equal(f(array, X), [102, 103])
        np.testing.assert_array_equal(f(X, array), [102, 103])


def test_scalars_of_numpy():
    f = jit(lambda x, n: x * n)
    for _ in range(3):
        np.testing.assert_array_equal(f(X, np.float32(3)), [3, 6])
        np.testing.assert_array_equal(f(X, np.int64(4)), [4, 8])
        np.testing.assert_array_equal(f(X, np.float64(0.5)), [0.5, 1])
        assert f(X, np.float32(2)).dtype == ag.float32


def test_variables_and_no_result():
    v, n = ag.Variable([0.0, 0.0]), ag.Variable(0)

    @jit
    def step(x):
        v.assign_add(x)
        n.assign_add(1)

    for k in range(1, 5):
        assert step(X) is None
        np.testing.assert_array_equal(v, [k, 2 * k])
        assert int(n) == k and n.dtype == ag.int32 and type(n._value) is np.ndarray
    assert entries(step) == 1
    with ag.GradientTape() as tape:
        tape.watch(v)
        step(X)
        loss = ag.reduce_sum(v * 2.0)
    np.testing.assert_array_equal(tape.gradient(loss, v), [2, 2])
    step(X)
    assert int(n) == 6


def test_a_changed_argument_is_changed():
    @jit
    def put(x):
        x[0] = 7.0
        return x + 1.0

    for _ in range(3):
        x = ag.constant([1.0, 2.0])
        np.testing.assert_array_equal(put(x), [8, 3])
        np.testing.assert_array_equal(x, [7, 2])
    assert entries(put) == 0


def test_methods_with_keywords_and_dictionaries():
    class Model:
        def __init__(self):
            self.w = ag.Variable([2.0, 3.0])

        @ag.function(jit_compile=True)
        def __call__(self, x, *, training=False):
            if training:
                self.w.assign(self.w + 1.0)
            return {"y": x * self.w}

    one, two = Model(), Model()
    for k in range(3):
        np.testing.assert_array_equal(one(X, training=True)["y"], [3 + k, 2 * (4 + k)])
        np.testing.assert_array_equal(two(X, training=False)["y"], [2, 6])
        np.testing.assert_array_equal(two(X)["y"], [2, 6])
