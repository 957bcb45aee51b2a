"""Which of LLVM's passes a program is given: by the loops that are left to it."""

import re

import numpy as np
import pytest

import autograph as ag
from runtime.backends.native.lower.module import _left
from runtime.backends.native.lower.processor import vector_bytes

pytest.importorskip("llvmlite")
pytestmark = pytest.mark.skipif(vector_bytes() < 32, reason="no vectors are written here")


def compiled(program, *args):
    """The text of a program, whose results are those of the plan."""
    args = [ag.constant(a) for a in args]
    staged = ag.function(program, jit_compile=True)
    np.testing.assert_allclose(staged(*args), ag.function(program, jit_compile=False)(*args), rtol=1e-5)
    return staged.inspect(*args).llvm


def recurrent(xs, w):
    h = ag.zeros([4, 16])
    for x in xs:
        h = ag.tanh(x + h @ w)
    return h


def until_small(x):
    while ag.reduce_max(ag.abs(x)) > 0.1:
        x = x * 0.5 + ag.sin(x) * 0.01
    return x


def collatz(n):
    steps = 0
    while n != 1:
        if n % 2 == 0:
            n = n // 2
        else:
            n = 3 * n + 1
        steps += 1
    return steps


def primes(n):
    count = 0
    for i in range(2, n):
        prime, by = True, 2
        while by * by <= i:
            if i % by == 0:
                prime = False
            by += 1
        if prime:
            count += 1
    return count


def longest(n):
    best = 0
    for i in range(1, n):
        steps = collatz(i)
        if steps > best:
            best = steps
    return best


def slope_of_root(a):
    with ag.GradientTape() as tape:
        tape.watch(a)
        x = a
        while abs(x * x - a) > 1e-6:
            x = x - (x * x - a) / (2 * x)
    return tape.gradient(x, a)


def first_negative(x):
    i = 0
    while x[i] >= 0.0:
        i += 1
    return i


def short_rows(x):
    return ag.reduce_sum(x, axis=1)


def noise(*shape):
    return np.random.default_rng(0).standard_normal(shape, np.float32)


@pytest.mark.parametrize(
    ("program", "args", "head"),
    [
        (recurrent, (noise(5, 4, 16), noise(16, 16)), "; written"),
        (until_small, (noise(100),), "; written"),
        (collatz, (np.int32(27),), "; one by one"),
        (primes, (np.int32(60),), "; one by one"),
        (longest, (np.int64(60),), "; one by one"),
        (slope_of_root, (np.float64(7.0),), "; one by one"),
        (first_negative, (np.array([1, 2, -3, 4], np.float32),), ""),
        (short_rows, (noise(50, 5),), ""),
    ],
)
def test_passes_by_what_is_left(program, args, head):
    text = compiled(program, *args)
    assert re.match(r"(; written|; one by one|)", text).group() == head


INNER = "head:\n  %v = mul i64 1, 2\n  br label %head{mark}\n"
AROUND = "define void @f() {{\nentry:\n  br label %outer\nouter:\n{inside}  br label %outer\n}}"


@pytest.mark.parametrize(
    ("inside", "head"),
    [
        (INNER.format(mark=", !llvm.loop !3 ; of a nest"), "; written"),
        (INNER.format(mark=" ; one by one"), "; one by one"),
        (INNER.format(mark=""), ""),
        (INNER.format(mark="").replace("mul", "add"), "; one by one"),
        ("  call void @cblas_sgemm(i32 1)\n", "; calls"),
        (INNER.format(mark=", !llvm.loop !3 ; of a nest") + "  call void @cblas_sgemm(i32 1)\n", "; written"),
        ("  call void @llvm.memset.p0.i64(ptr %x, i8 0, i64 8, i1 false)\n", ""),
    ],
)
def test_loops_around_others_are_not_left(inside, head):
    assert _left(AROUND.format(inside=inside)) == head


def test_a_number_of_all_elements_is_spread_before_the_loop():
    def program(x, a):
        return x * a + 1.0

    text = compiled(program, np.linspace(0, 1, 1000, dtype=np.float32), np.float32(3.0))
    before, loop = re.search(r"@ag_run(.*?)\nhead\d+:(.*?) ; of a nest", text, re.DOTALL).groups()
    assert "poison, float %" in before
    assert "poison, float %" not in loop


def test_turns_that_divide_are_not_written_in_a_row():
    assert "llvm.loop.unroll.count" not in compiled(primes, np.int32(60))


def around_each(s):
    best = 0
    for i in range(len(s)):
        low, high = i, i + 1
        while low >= 0 and high < len(s) and s[low] == s[high]:
            low -= 1
            high += 1
        best = max(best, high - low)
    return best


def test_searches_are_not_written_in_a_row():
    assert "llvm.loop.unroll.count" not in compiled(around_each, np.zeros(50, np.uint8))


def test_the_gradient_of_a_loop_begins_with_lists_that_are_empty():
    text = compiled(slope_of_root, np.float64(7.0))
    assert text.count("call ptr @ag_grow(") == 3  # one for each number that is saved
    assert "@llvm.memcpy" not in text


def unrolled(xs, n, w):
    h = ag.zeros([4, 16])
    for t in range(8):
        z = ag.tanh(xs[t] + h @ w)
        h = ag.where((t < n)[:, None], z, h)
    return h


def test_turns_that_differ_in_offsets_are_one_function():
    text = compiled(unrolled, noise(8, 4, 16), np.array([8, 3, 5, 1]), noise(16, 16))
    assert text.count("define internal void @nest") <= 3
    assert len(set(re.findall(r"call void @nest\d+\(i64 \d+, i64 (\d), ", text))) >= 6


def sums_of_sums(n):
    total = 0
    while n > 0:
        m = n
        while m > 0:
            total += m
            m -= 1
        n -= 1
    return total


def test_a_loop_around_one_that_became_a_formula_is_not_unrolled():
    staged = ag.function(sums_of_sums, jit_compile=True)
    n = ag.constant(np.int64(50))
    assert int(staged(n)) == sums_of_sums(50)
    made = staged.inspect(n)
    assert "llvm.loop.unroll.count" in made.llvm
    assert made.llvm_optimized.count("lshr i65") == 1  # four while the mark was looked for in the text
