"""Tensors that native code makes and frees: references, weak references, subclasses, long chains, the collector."""

import gc
import sys
import threading
import weakref

import numpy as np
import pytest

import autograph as ag
from runtime.backends.native import boxes, objects, toolchain
from runtime.tensor.tensor import Tensor

pytestmark = pytest.mark.skipif(
    not toolchain.available() or objects.offsets() is None or hasattr(sys, "gettotalrefcount"),
    reason="no compiler, or another layout of objects",
)


@ag.function(jit_compile=True)
def halved(x):
    return x / 2


@pytest.fixture(autouse=True)
def installed():
    halved(ag.constant(1.0))
    assert boxes._code(Tensor) is not None


def test_contents_are_freed_at_once():
    class Seen(np.ndarray):
        pass

    for payload in (np.zeros(3), np.zeros(3).view(Seen), np.float32(2), object()):
        count = sys.getrefcount(payload)
        boxes_made = [Tensor(payload) for _ in range(200)]
        assert sys.getrefcount(payload) == count + 200
        del boxes_made
        assert sys.getrefcount(payload) == count
    x = ag.constant(3.0)
    count = sys.getrefcount(x), sys.getrefcount(x._value)
    for _ in range(300):
        y = halved(x)
        assert float(y) == 1.5
    del y
    assert (sys.getrefcount(x), sys.getrefcount(x._value)) == count


def test_weak_references_die_with_their_tensor():
    for _ in range(3):
        called = []
        y = halved(ag.constant(1.0))
        r = weakref.ref(y, called.append)
        assert r() is y
        del y
        assert r() is None and called == [r]
        assert weakref.getweakrefcount(halved(ag.constant(1.0))) == 0


def test_kept_tensors_are_as_new():
    fresh = [halved(ag.constant(1.0)) for _ in range(10)]
    del fresh
    for _ in range(200):
        y = halved(ag.constant(1.0))
        assert not hasattr(y, "_parent") and gc.is_tracked(y) and type(y) is Tensor
        del y


def test_subclasses():
    log = []

    class Plain(Tensor):
        pass

    class Slots(Tensor):
        __slots__ = ("more",)

        def __del__(self):
            log.append("gone")

    payload, more = np.zeros(3), object()
    counts = sys.getrefcount(payload), sys.getrefcount(more), sys.getrefcount(Plain)
    for k in range(200):
        p, s = Plain(payload), Slots(payload)
        p.attribute, s.more = more, more
        p._parent = s
        r = weakref.ref(p), weakref.ref(s)
        del p, s
        assert r[0]() is None and r[1]() is None and len(log) == k + 1
    assert (sys.getrefcount(payload), sys.getrefcount(more), sys.getrefcount(Plain)) == counts
    v = ag.Variable([1.0, 2.0])
    r = weakref.ref(v)
    del v
    gc.collect()
    assert r() is None


@pytest.mark.parametrize("link", ["_parent", "_value"])
def test_long_chains(link):
    ends = []
    for kind in (Tensor, type("Sub", (Tensor,), {})):
        end = kind(np.zeros(1))
        r = weakref.ref(end)
        ends.append(r)
        chain = end
        del end
        for k in range(60_000):
            longer = kind(np.zeros(1) if link == "_parent" else None)
            setattr(longer, link, chain if k % 3 else [chain])
            chain = longer
        del chain, longer
        assert r() is None


def test_cycles_are_collected():
    for _ in range(5):
        a, b = halved(ag.constant(1.0)), halved(ag.constant(1.0))
        a._parent, b._parent = b, a
        r = weakref.ref(a)
        del a, b
        gc.collect()
        assert r() is None
    c = Tensor(None)
    c._value = [c]
    r = weakref.ref(c)
    del c
    gc.collect()
    assert r() is None


def test_tensors_made_while_tensors_die():
    class Makes:
        def __del__(self):
            made.append(halved(ag.constant(8.0)))

    class Owner(np.ndarray):
        __del__ = Makes.__del__

    made = []
    for _ in range(100):
        t = Tensor(Makes())
        del t
        array = np.zeros(1).view(Owner)
        t = Tensor(array)
        del array, t
    assert len(made) == 200 and all(float(m) == 4.0 for m in made)


def test_memory_stays():
    def work():
        for k in range(2000):
            y = halved(ag.constant(float(k)))
            z = halved(y)
            del y
            z._parent = halved(z)
            del z

    work()
    gc.collect()
    before = sys.getallocatedblocks()
    work()
    gc.collect()
    assert abs(sys.getallocatedblocks() - before) < 300


def test_threads():
    wrong = []

    def work(k):
        x = ag.constant(float(k))
        for _ in range(3000):
            many = [halved(x) for _ in range(k)]
            many[-1]._parent = many[0]
            if any(float(m) != k / 2 for m in many):
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(1, 5)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong
