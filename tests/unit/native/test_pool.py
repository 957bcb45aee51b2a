"""Memory that native code keeps: reused, bounded, on boundaries, safe under threads, owned by the arrays it is in."""

import ctypes
import gc
import threading

import numpy as np
import pytest

import autograph as ag
from runtime.backends.native import objects, pool, toolchain

pytestmark = pytest.mark.skipif(
    not toolchain.available() or objects.offsets() is None, reason="no compiler, or another layout of objects"
)


@pytest.fixture(autouse=True)
def nothing_kept():
    gc.collect()
    pool.empty()


def native(f):
    return ag.function(f, jit_compile=True)


@native
def rows(x, n):
    out = []
    for i in ag.range(n):
        out.append(x * ag.cast(i, x.dtype))
    return ag.stack(out)


def test_a_block_that_is_given_back_is_taken_again():
    give = pool.giver()
    for size in (1, 63, pool.LARGE - 1, pool.LARGE, 10_000_000):
        one = pool.take(size)
        ctypes.memset(one, 1, size)
        give(one)
        two = pool.take(size)
        assert one % 64 == two % 64 == 0
        assert one == two or size < pool.LARGE
        give(two)


def test_a_block_is_not_taken_for_much_less_or_more():
    give = pool.giver()
    block = pool.take(1_000_000)
    give(block)
    less, more = pool.take(100_000), pool.take(2_000_000)
    assert block not in (less, more) and pool.kept() >= 1_000_000
    give(less), give(more), give(0)


def test_what_is_kept_is_bounded():
    give = pool.giver()
    for _ in range(3):
        blocks = [pool.take(pool.BOUND // 16) for _ in range(40)]
        assert len(set(blocks)) == 40
        for block in blocks:
            give(block)
        assert 0 < pool.kept() <= pool.BOUND
    give(pool.take(2 * pool.BOUND))
    assert pool.kept() <= pool.BOUND
    small = [pool.take(pool.LARGE) for _ in range(200)]
    for block in small:
        give(block)
    pool.empty()
    assert pool.kept() == 0


def test_there_is_no_such_memory():
    for size in (1 << 60, (1 << 63) - 1):
        with pytest.raises(MemoryError):
            pool.take(size)


def test_threads_never_have_the_same_block():
    give, wrong = pool.giver(), []

    def work(mark):
        random = np.random.default_rng(mark)
        for _ in range(2000):
            sizes = random.integers(pool.LARGE, 3 * pool.LARGE, 3)
            words = [ctypes.c_int64.from_address(pool.take(int(n))) for n in sizes]
            for k, word in enumerate(words):
                word.value = 10 * mark + k
            wrong.extend(k for k, word in enumerate(words) if word.value != 10 * mark + k)
            for word in words:
                give(ctypes.addressof(word))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong and 0 < pool.kept() <= 18 * 3 * pool.LARGE


def test_results_of_later_calls_do_not_change_earlier_ones():
    x = ag.constant(np.ones(5000, np.float32))
    kept = [rows(x, ag.constant(n))._value for n in (20, 20, 30, 20)]
    for y, n in zip(kept, (20, 20, 30, 20), strict=True):
        np.testing.assert_array_equal(y, np.arange(n, dtype=np.float32)[:, None].repeat(5000, 1))


def test_arrays_own_what_they_were_given():
    y = rows(ag.constant(np.ones(5000)), ag.constant(20))._value
    assert y.flags.owndata and y.flags.writeable and y.ctypes.data % 64 == 0
    z = ag.function(lambda x: x + 1, jit_compile=True)(ag.constant(np.zeros(50_000)))._value
    assert z.flags.owndata and z.ctypes.data % 64 == 0
    z.resize(100_000, refcheck=False)
    assert z[:50_000].all() and not z[50_000:].any()
    z.resize(3, refcheck=False)
    assert z.tolist() == [1, 1, 1]


def test_arrays_outlive_the_code_that_made_them():
    f = native(lambda x: (x + 1, x * 2))
    y, z = (t._value for t in f(ag.constant(np.arange(50_000.0))))
    del f
    gc.collect()
    pool.empty()
    np.testing.assert_array_equal(y, np.arange(50_000) + 1)
    np.testing.assert_array_equal(z, np.arange(50_000) * 2)
    del y, z
    assert pool.kept() >= 800_000


def test_what_is_kept_goes_with_the_code():
    f = native(lambda x: ag.reduce_sum(ag.sort(x * 2) + ag.reverse(x, [0])))
    f(ag.constant(np.arange(100_000.0)))
    pool.giver()(pool.take(100_000))
    assert pool.kept() > 0
    del f
    gc.collect()
    assert pool.kept() == 0


def test_the_same_memory_twice_among_the_results():
    @native
    def f(x, n):
        out = []
        for i in ag.range(n):
            out.append(x + ag.cast(i, x.dtype))
        whole = ag.stack(out)
        return whole, whole, whole + 1, out

    x = np.arange(3000.0)
    a, b, c, parts = f(ag.constant(x), ag.constant(8))
    want = x + np.arange(8.0)[:, None]
    a._value[0] = -1
    np.testing.assert_array_equal(b.numpy(), want)
    np.testing.assert_array_equal(c.numpy(), want + 1)
    np.testing.assert_array_equal(np.stack([p.numpy() for p in parts]), want)


def test_a_call_touches_no_new_pages():
    resource = pytest.importorskip("resource")
    x = ag.constant(np.ones(25_000, np.float32))
    for _ in range(5):
        rows(x, ag.constant(400))  # 40 MB
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(5):
        rows(x, ag.constant(400))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before < 1000  # it was 50,000


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [1, 3, 4, 7, 300, 20_000])
@pytest.mark.parametrize("turns", [0, 1, 5, 200])
def test_a_queue_lets_its_block_begin_later(size, turns, dtype):
    def queue(x, n):
        waiting, out = [x, x * 2, x * 3, x * 4, x * 5, x * 6, x * 7, x * 8], x * 0
        for i in ag.range(n):
            waiting.append(waiting.pop(0) * 0.5 + waiting[-1] * 0.5)
            if i % 3 == 0:
                out = out * 0.5 + waiting.pop(0)
                waiting.append(x * ag.cast(i, x.dtype))
        return out, ag.stack(waiting)

    x = np.linspace(0.3, 0.9, size).astype(dtype)
    for got, wanted in zip(native(queue)(x, turns), ag.function(queue, jit_compile=False)(x, turns), strict=True):
        np.testing.assert_allclose(got.numpy(), wanted.numpy(), rtol=1e-5)


def test_a_block_that_begins_later_is_given_back_whole():
    @native
    def queue(x, n):
        waiting = [x, x * 2, x * 3]
        for _ in ag.range(n):
            waiting.append(waiting.pop(0) * 0.5)
        return ag.reduce_sum(waiting[0])

    x = np.ones(pool.LARGE // 8)
    counts = []
    for _ in range(4):
        queue(x, 50)
        counts.append(pool.kept())
    assert counts[1:] == [counts[1]] * 3
