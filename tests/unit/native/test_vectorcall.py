"""Calls that Python makes through the function in vectorcall.ll: which they are, and that they leave nothing behind."""

import copy
import gc
import inspect
import pickle
import sys
import threading
import types
import weakref

import numpy as np
import pytest

import autograph as ag
from autograph.staging.function import Function
from runtime.backends.native import objects, toolchain

pytestmark = pytest.mark.skipif(
    not toolchain.available() or objects.offsets() is None, reason="no compiler, or another layout of objects"
)

X = ag.constant([1.0, 2.0])


def frames(work):
    """Names of the Python functions that run meanwhile."""
    seen = []
    sys.setprofile(lambda frame, event, arg: event == "call" and seen.append(frame.f_code.co_name))
    try:
        work()
    finally:
        sys.setprofile(None)
    return [name for name in seen if name != "<lambda>"]


def fresh(text):
    """The same text in an object of its own."""
    return str(text.encode(), "ascii")


@ag.function(jit_compile=True)
def doubled(x):
    return x * 2


class Scaled:
    def __init__(self, by):
        self.by = by

    @ag.function(jit_compile=True)
    def __call__(self, x):
        return x * self.by

    @ag.function(jit_compile=True)
    def moved(self, x, by=1.0):
        return x * self.by + by


def test_no_python_runs_from_the_second_call_on():
    doubled(X)
    assert frames(lambda: doubled(X)) == []
    assert "__call__" in frames(lambda: doubled(ag.constant([1.0])))
    assert frames(lambda: doubled(X)) == []


def test_what_entries_do_not_do_is_done_by_python():
    for _ in range(2):
        np.testing.assert_array_equal(doubled(x=X), [2, 4])
        np.testing.assert_array_equal(doubled(*[X]), [2, 4])
        np.testing.assert_array_equal(doubled(**{"x": X}), [2, 4])
        np.testing.assert_array_equal(doubled(np.float32(1.5)), 3)
        for wrong in (lambda: doubled(), lambda: doubled(X, X), lambda: doubled(X, y=X), lambda: doubled(X, x=X)):
            with pytest.raises(TypeError, match="; it is "):
                wrong()
    assert list(map(float, map(doubled, [ag.constant(1.0), ag.constant(2.0)]))) == [2, 4]


def test_guards_and_errors():
    f = ag.function(lambda x: x - 1, jit_compile=True)
    f(X)
    (entry, *_), = f._fast.entries

    def fails(*args, error=RuntimeError):
        raise error("on purpose")

    f._fast.entries = ((fails, None, None),)
    with pytest.raises(RuntimeError, match="on purpose"):
        f(X)
    f._fast.entries = ((entry, lambda: fails(error=KeyboardInterrupt), None),)
    with pytest.raises(KeyboardInterrupt, match="on purpose"):
        f(X)
    # What cannot be read any more has changed.
    f._fast.entries = ((fails, fails, None), (lambda *a: (a, "second"), None, None))
    assert f(X) == ((X,), "second")
    f._fast.entries = (
        (fails, lambda: "what", None), (lambda *a: None, None, None), (lambda *a: (a, "third"), lambda: None, None),
    )
    assert f(X) == ((X,), "third")
    f._fast.entries = ((entry, lambda: "what", None),)
    np.testing.assert_array_equal(f(X), [0, 1])


RATE, WEIGHT, SIZES, OTHER = 0.5, ag.constant([1.0, 1.0]), [3.0], types.ModuleType("other")
OTHER.rate = 2.0


def scaled(x):
    return x * RATE


def test_places_that_hold_what_they_held_are_not_asked_about(monkeypatch):
    here, shift = sys.modules[__name__], 1.0

    @ag.function(jit_compile=True)
    def f(x):
        return scaled(x) + WEIGHT * OTHER.rate + shift

    def now():
        got = f(X).numpy().tolist()
        assert got == [x * RATE + float(WEIGHT[0]) * OTHER.rate + shift for x in (1.0, 2.0)]
        return f.experimental_get_tracing_count()

    assert [now(), now(), now()] == [1, 1, 1] and frames(lambda: f(X)) == []
    monkeypatch.setattr(here, "RATE", float(str(RATE)))
    assert now() == 1 and "changed" in frames(lambda: f(X))
    monkeypatch.setattr(here, "RATE", 0.25)
    assert now() == 2 and now() == 2
    monkeypatch.setattr(OTHER, "rate", 3.0)
    assert now() == 3 and now() == 3
    shift = 2.0
    assert now() == 4 and now() == 4 and frames(lambda: f(X)) == []
    for k in range(2, 5):  # the old one goes, and its address may be the new one's
        monkeypatch.setattr(here, "WEIGHT", ag.constant([float(k)] * 2))
        gc.collect()
        now()
    monkeypatch.setattr(here, "scaled", lambda x: x * RATE)
    now()
    monkeypatch.delattr(here, "RATE")
    with pytest.raises(NameError, match="RATE"):
        f(X)


def test_places_in_objects_and_in_containers():
    class Holder:
        __slots__ = ("__weakref__", "by", "inner")

    class Model:
        def __init__(self):
            self.by, self.inner = 2.0, Holder()
            self.inner.by = 3.0

        @ag.function(jit_compile=True)
        def scale(self, x):
            return x * self.by * self.inner.by * SIZES[0]

        @ag.function(jit_compile=True)
        def plain(self, x):
            return x * self.by * self.inner.by

    m = Model()

    def now():
        for _ in range(2):
            assert m.scale(X).numpy().tolist() == [x * m.by * m.inner.by * SIZES[0] for x in (1.0, 2.0)]
            assert m.plain(X).numpy().tolist() == [x * m.by * m.inner.by for x in (1.0, 2.0)]

    now()
    assert frames(lambda: m.plain(X)) == [] and frames(lambda: m.scale(X)) == []
    m.by = 5.0
    now()
    m.inner.by = 7.0
    now()
    SIZES[0] = 11.0
    now()
    m.inner = Holder()
    m.inner.by = 13.0
    now()
    del m.inner.by
    with pytest.raises(AttributeError):
        m.plain(X)
    m.inner.by = 1.0
    now()
    gone = weakref.ref(m.inner)
    m.inner = Holder()
    m.inner.by = 17.0
    now()
    gc.collect()
    assert gone() is None


TABLE = [[1.0, 2.0], [3.0, 4.0, 5.0]]
RATES = {"a": 1.0, "deep": {"b": 2.0}, "row": (6.0, [7.0])}


def test_places_in_lists_and_dictionaries_that_are_read_as_a_whole(monkeypatch):
    here = sys.modules[__name__]

    def weighed(x):
        total = x * 0
        for k, row in enumerate(TABLE):
            for j, w in enumerate(row):
                total = total + x * (w * (10 * k + j + 1))
        for k, key in enumerate(RATES):
            total = total + (RATES[key] * (k + 1) if isinstance(RATES[key], float) else k)
        return total + RATES["deep"]["b"] + RATES["row"][0] * RATES["row"][1][-1]

    f = ag.function(weighed, jit_compile=True)

    def now(traces):
        """The function is right, and at its second call asks nobody."""
        for _ in range(2):
            assert f(X).numpy().tolist() == weighed(X).numpy().tolist()
        assert f.experimental_get_tracing_count() == traces
        return frames(lambda: f(X)) == []

    assert now(1)
    TABLE[1][1] = 4.5
    assert now(2)
    TABLE[1].append(8.0)
    assert now(3)
    del TABLE[1][-1]
    now(3)  # the second trace fits again
    TABLE.append([9.0])
    assert now(4)
    TABLE[0] = [1.0, 2.0]  # another list that holds the same
    now(4)
    RATES["deep"]["b"] = 3.0
    assert now(5)
    RATES["row"][1][0] = 8.0
    assert now(6)
    RATES["row"][1].insert(0, 8.0)
    assert now(7)
    RATES["a"] = RATES.pop("a")  # another order
    assert now(8)
    monkeypatch.setattr(here, "TABLE", ((1.0, 2.0), [3.0]))
    assert now(9)
    TABLE[1][0] = 5.0
    assert now(10)


def test_places_keep_no_tensors_alive():
    class Big:
        pass

    held = [X * 2, 1.0, Big()]
    f = ag.function(lambda x: x * held[1], jit_compile=True)
    for _ in range(3):
        f(X)
    kept = [weakref.ref(held[0]), weakref.ref(held[2])]
    del held[2], held[0]
    held.insert(0, 2.0)
    gc.collect()
    assert [k() for k in kept] == [None, None] and f(X).numpy().tolist() == [1.0, 2.0]


def test_entries_may_go_while_they_are_tried():
    f = ag.function(lambda x: x - 1, jit_compile=True)
    f(X)
    (entry, *_), = f._fast.entries

    def empties():
        f._fast.entries = ()
        gc.collect()

    f._fast.entries = ((entry, empties, None),)
    del entry
    np.testing.assert_array_equal(f(X), [0, 1])
    np.testing.assert_array_equal(f(X), [0, 1])


def test_arguments_by_name_and_defaults():
    @ag.function(jit_compile=True)
    def f(a, /, b, c=X, *, d=3.0):
        return a + 10 * b + 100 * c + 1000 * d

    one, two = ag.constant([1.0, 1.0]), ag.constant([2.0, 2.0])
    calls = [
        lambda: f(one, two), lambda: f(one, b=two), lambda: f(one, two, one), lambda: f(one, two, d=1.0),
        lambda: f(one, d=1.0, c=one, b=two), lambda: f(one, two, X), lambda: f(X, two), lambda: f(one, X, c=X),
        lambda: f(one, **{fresh("b"): two}), lambda: f(one, two, d=ag.constant(3.0)), lambda: f(one, two, d=1.5 + 1.5),
    ]
    want = [c().numpy().tolist() for c in calls]
    assert want[0] == [3121, 3221] and want[4] == [1121, 1121] and want[3] == [1121, 1221]
    for _ in range(3):
        assert [c().numpy().tolist() for c in calls] == want
    assert not any("__call__" in frames(c) for c in calls[:3])
    wrong = [
        lambda: f(a=one, b=two), lambda: f(one), lambda: f(one, two, one, one), lambda: f(one, two, b=two),
        lambda: f(one, two, e=two), lambda: f(one, d=1.0), lambda: f(), lambda: f(b=two),
    ]
    for _ in range(2):
        for call in wrong:
            with pytest.raises(TypeError, match="; it is "):
                call()


def test_numbers_and_texts_of_equal_value():
    @ag.function(jit_compile=True)
    def f(x, n, how="add"):
        return x + n if how == "add" else x - n

    n = 10**6
    for k in range(3):
        assert f(X, n + k - k).numpy().tolist() == [1000001, 1000002]
        assert f(X, float(str(0.25)), fresh("sub")).numpy().tolist() == [0.75, 1.75]
    count = f.experimental_get_tracing_count()
    f(X, n, "add")
    assert count == 2 and "__call__" not in frames(lambda: f(X, int("1000000"), fresh("add")))
    assert f(X, 1).numpy().tolist() == [2, 3] and f(X, 1.0).numpy().tolist() == [2, 3]
    f(X, True)
    g = ag.function(lambda z: ag.math.atan2(0.0, z), jit_compile=True)
    for _ in range(3):
        assert float(g(0.0)) == 0.0 and float(g(-0.0)) == pytest.approx(np.pi)
        assert np.isnan(float(g(float("nan")))) and float(g(0.0)) == 0.0
    assert f.experimental_get_tracing_count() == count + 3


@pytest.mark.parametrize("code", "? b h i l q B H I L Q e f d".split())
def test_scalars_of_numpy(code):
    dtype = np.dtype(code)
    values = [0, 1] if code == "?" else [0.0, -0.0, 1.5, np.inf, -np.inf, 1e-7]
    if dtype.kind in "iu":
        values = [0, 1, 7, np.iinfo(dtype).max, np.iinfo(dtype).min]
    f, g = (ag.function(lambda x: (x, x * 1, X + x), jit_compile=native) for native in (True, False))
    for _ in range(2):
        for value in values:
            got, want = f(dtype.type(value)), g(dtype.type(value))
            assert [(repr(y), y.dtype) for y in got] == [(repr(y), y.dtype) for y in want]
            assert [y.numpy().tobytes() for y in got] == [y.numpy().tobytes() for y in want]
    if code not in "eqQ":  # those are bare numbers in Python first
        assert frames(lambda: f(dtype.type(1))) == []
    assert [type(y) for y in f(dtype.type(1))] == [ag.Tensor] * 3


def test_results_of_python_numbers_alone():
    @ag.function(jit_compile=True)
    def steps(n):
        count = 0
        while n != 1:
            n = n // 2 if n % 2 == 0 else 3 * n + 1
            count += 1
        return count, [n]

    for _ in range(3):
        assert steps(97) == (118, [1]) and steps(5) == (5, [1])
    assert steps(97)[1] is not steps(97)[1] and "__call__" not in frames(lambda: steps(97))


def test_a_result_of_none():
    v = ag.Variable([0.0, 0.0])

    @ag.function(jit_compile=True)
    def put(x):
        v.assign(x)

    assert [put(X) for _ in range(4)] == [None] * 4
    np.testing.assert_array_equal(v, [1, 2])


def test_a_subclass_with_a_call_of_its_own():
    class Counting(Function):
        calls = 0

        def __call__(self, *args, **kwargs):
            self.calls += 1
            return super().__call__(*args, **kwargs)

    class Plain(Function):
        pass

    f, g = Counting(lambda x: x + 1, jit_compile=True), Plain(lambda x: x + 1, jit_compile=True)
    for n in range(4):
        np.testing.assert_array_equal(f(X), [2, 3])
        np.testing.assert_array_equal(g(X), [2, 3])
        assert f.calls == n + 1


def test_methods():
    a, b = Scaled(2.0), Scaled(3.0)
    for _ in range(3):
        np.testing.assert_array_equal(a.moved(X), [3, 5])
        np.testing.assert_array_equal(b.moved(X, by=2.0), [5, 8])
        np.testing.assert_array_equal(b.moved(X, 0.0), [3, 6])
        np.testing.assert_array_equal(Scaled.moved(a, X), [3, 5])
        np.testing.assert_array_equal(a(X), [2, 4])
        np.testing.assert_array_equal(getattr(b, "moved")(X), [4, 7])  # noqa: B009
    assert "__call__" not in frames(lambda: a.moved(X))
    bound = a.moved
    assert bound.__self__ is a and bound == a.moved and bound != b.moved
    a.moved = lambda x: "the instance's own"
    assert a.moved(X) == "the instance's own"
    del a.moved
    a.by = 5.0
    np.testing.assert_array_equal(a.moved(X), [6, 11])
    gone = weakref.ref(b)
    del b
    gc.collect()
    assert gone() is None


def test_it_is_still_what_a_function_is():
    doubled(X)
    assert str(inspect.signature(doubled)) == "(x)" and callable(doubled) and doubled.__name__ == "doubled"
    assert pickle.loads(pickle.dumps(doubled)) is doubled and copy.copy(doubled) is doubled
    doubled.note = "attributes stay"
    assert doubled.__dict__["note"] == "attributes stay"
    f = ag.function(lambda x: x, jit_compile=True)
    f(X)
    f(X)
    gone = weakref.ref(f)
    del f
    gc.collect()
    assert gone() is None


def test_references_are_exact():
    f = ag.function(lambda x, y: (x * y, x + 1), jit_compile=True)
    g = ag.function(lambda x, by: x * by, jit_compile=True)
    one, x = ag.constant(1.0), ag.constant([1.0, 2.0])

    def calls():
        for _ in range(1000):
            f(one, x)
            g(x, 3)
            g(one, 3)
            g(one, by=3)
            doubled(np.float32(2.0))

    calls()
    things = [one, x, one._value, x._value, f, g, f._fast.entries, g._fast.entries, g._fast.entries[0][0], doubled]
    for _ in range(2):
        calls()
        gc.collect()
        before = [sys.getrefcount(t) for t in things], sys.getallocatedblocks()
        none = sys.getrefcount(None)
        calls()
        gc.collect()
        after = [sys.getrefcount(t) for t in things], sys.getallocatedblocks()
    assert before[0] == after[0]
    assert abs(after[1] - before[1]) < 200 and abs(sys.getrefcount(None) - none) < 200


def test_threads():
    f = ag.function(lambda x: x * 3 + 1, jit_compile=True)
    wrong = []

    def work(k):
        x = ag.constant(float(k)) if k % 2 else ag.constant([float(k)] * k)
        for _ in range(2000):
            if not np.all(f(x).numpy() == 3 * k + 1):
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(1, 7)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong
