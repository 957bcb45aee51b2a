"""Lists that branches only look at are not copied for them; those that branches change while others keep them are."""

import numpy as np
import pytest

import autograph as ag
from runtime.backends.native import toolchain
from tests.unit.native.both import forbid_plan, native

pytestmark = pytest.mark.skipif(not toolchain.available(), reason="llvmlite is not installed")




def insertion(n, seed):
    xs = []
    for _ in range(n):
        seed = (seed * 1103515245 + 12345) % 2147483648
        xs.append(seed % 1000)
    for i in range(1, n):
        k = xs[i]
        j = i - 1
        while j >= 0 and xs[j] > k:
            xs[j + 1] = xs[j]
            j -= 1
        xs[j + 1] = k
    t = 0
    for i in range(n):
        t = (t * 31 + xs[i]) % 1000003
    return t


def test_a_test_that_reads_copies_nothing(monkeypatch):
    made, executable = native(insertion, np.int64(3), np.int64(2))
    forbid_plan(executable, monkeypatch)
    assert "memcpy" not in executable.lowered.text
    for n in (0, 1, 2, 50):
        assert int(made(np.int64(n), np.int64(7))) == insertion(n, 7)


def kept_beside(n, seed):
    xs = []
    for i in range(n):
        xs.append(i * seed)
    total = 0
    for i in range(n):
        ys = xs
        if i % 2 == 0:
            ys = xs[:]
            ys[i] = 100
        total += sum(ys) + xs[i]
    return total


def one_of_two(n, seed):
    xs = []
    ys = []
    for i in range(n):
        xs.append(i)
        ys.append(seed - i)
    total = 0
    for i in range(n):
        zs = xs if (i * seed) % 3 == 0 else ys
        total = total * 3 + zs[i] - xs[n - 1 - i]
    if seed > 3:
        zs = xs
    else:
        zs = ys
    zs.append(5)
    return total % 1000003, len(xs), len(ys), len(zs)


def changed_in_one(n, seed):
    xs = []
    for i in range(n):
        xs.append(i)
    for i in range(n):
        if xs[i] % 2 == seed % 2:
            xs[i] = xs[i] + xs[n - 1 - i]
            if xs[i] > 5 and xs[0] >= 0:
                xs.append(xs[i])
    t = 0
    for x in xs:
        t = (t * 7 + x) % 1000003
    return t


@pytest.mark.parametrize("f", [kept_beside, one_of_two, changed_in_one])
def test_branches_see_the_lists_that_python_sees(f):
    made, _ = native(f, np.int64(3), np.int64(2))
    for n in (1, 2, 9):
        for seed in (2, 3, 4):
            want, got = f(n, seed), made(np.int64(n), np.int64(seed))
            assert np.array_equal(np.asarray(want), np.asarray(got)), (n, seed)


def checksum(data):
    table = [0] * 256
    for i in range(256):
        c = i
        for _ in range(8):
            c = (c >> 1) ^ 0xEDB88320 if c & 1 else c >> 1
        table[i] = c
    c = 0xFFFFFFFF
    for b in data:
        c = table[(c ^ b) & 0xFF] ^ (c >> 8)
    return c ^ 0xFFFFFFFF


def table_in_two_loops(data):
    steps = [1, 5, 2]
    total = 0
    for b in data:
        k = b % 3
        while k < 60:
            k += steps[k % 3] + len(steps)
        total += k
    return total


def counted_anew(data):
    total = 0
    for b in data:
        seen = [0, 0, 0, 0]
        seen[b % 4] += 1
        seen[(b + total) % 4] += 2
        total = total * 3 % 1009 + seen[0] + 2 * seen[3]
    return total


@pytest.mark.parametrize("f", [checksum, table_in_two_loops, counted_anew])
def test_lists_of_constants(f):
    data = np.random.default_rng(3).integers(0, 256, 300)
    made, executable = native(f, data)
    assert not executable.lowered.islands
    assert int(made(data)) == int(f(data)) == int(ag.function(f, jit_compile=False)(data))
    loops = [n for n in made.inspect(data).optimized_graph.nodes if n.op.name == "for_loop"]
    made_inside = any(n.op.name == "list_from" for loop in loops for n in loop.regions[-1].walk())
    assert made_inside is (f is counted_anew)
