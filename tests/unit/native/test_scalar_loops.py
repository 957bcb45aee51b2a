"""Loops over numbers and single items: Python's results, at the ends of 64 bits, of stretches of turns, and of breaks."""

import numpy as np
import pytest

import autograph as ag
from runtime.backends.native import toolchain
from tests.unit.native.both import native, same

pytestmark = [
    pytest.mark.skipif(not toolchain.available(), reason="llvmlite is not installed"),
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
]
LONG = 65536 * 2 + 17  # turns that begin a new stretch, twice


def tripled(k, n):
    """Two sides of which one may leave 64 bits."""
    for _ in range(n):
        if k % 2 == 0:
            k = k // 2
        else:
            k = 3 * k + 1
    return k


def multiplied(k, n):
    for _ in range(n):
        if k < 2**62:
            k = 5 * k - 3
        else:
            k = k - 2**61
    return k


def negative(k, n):
    for _ in range(n):
        if k > 0:
            k = -7 * k + 2
        elif k > -(2**60):
            k = k * 11 + 5
        else:
            k = k // 1000
    return k


@pytest.mark.parametrize("f", [tripled, multiplied, negative])
def test_choices_between_numbers_that_may_leave_64_bits(f):
    made = ag.function(f, jit_compile=True)
    starts = [0, 1, 7, 27, -5, 2**62, 2**62 - 1, 2**63 - 1, 2**63 - 2, (2**63 - 2**32) // 3, (2**63 - 2**32) // 3 + 1]
    starts += [(2**63 - 1) // 3, (2**63 - 1) // 3 + 1, -(2**63), -(2**63) + 1, (2**63 - 2**32) // 5 + 1, (2**63) // 5]
    for k in starts:
        for n in (1, 2, 3, 100):
            want = f(k, n)
            if -(2**63) <= want < 2**63:
                assert int(made(np.int64(k), np.int64(n))) == want, (k, n)


def test_the_side_that_is_not_chosen_asks_for_nothing():
    def f(k, n):
        for _ in range(n):
            if k > 0:
                k = 3 * k - 20
            else:
                k = k + 1000
        return k

    made, executable = native(f, np.int64(7), np.int64(5))
    executable.plan = None
    for k in (7, -5000, -(2**40), 10):
        assert int(made(np.int64(k), np.int64(5))) == f(k, 5)


def backwards(n):
    total, k = 0, 5 * n
    while k > n or total == 1:
        k -= 4
        total ^= k & 15
    return total, k


def strides(n):
    x = np.zeros(50)
    total, i = 0, 0
    while i < n:
        x[i % 50] = x[(i * 7 + 3) % 50] * 0.5 + i % 13
        total += i & 5
        i += 1
    return x, total, i


def reversed_each_turn(n):
    """The carried array changes places with another piece of memory."""
    x = np.arange(5.0)
    for i in range(n):
        x = x[::-1] + (i & 1)
    return x


def until(n):
    i, found = 0, -1
    while True:
        if i * i > 2 * n:
            found = i
            break
        i += 1
    return i, found


def sum_until(n):
    total, last = 0, -1
    for i in range(n):
        if i % 77777 == 77776:
            continue
        total += i % 3
        last = i
        if total > n - 5:
            break
    return total, last


@pytest.mark.parametrize("f", [strides, backwards, reversed_each_turn, until, sum_until])
@pytest.mark.parametrize("n", [0, 1, 2, 65535, 65536, 65537, LONG])
def test_stretches_of_turns(f, n):
    made, executable = native(f, np.int64(n))
    executable.plan = None  # it must not be needed
    same(made(np.int64(n)), f(np.int64(n)), 1e-12)


def first_pair(x, sought):
    """Breaks, a return within loops, and what they leave."""
    seen = 0
    for i in range(len(x)):
        for j in range(i + 1, len(x)):
            seen += 1
            if x[i] + x[j] == sought:
                return i, j, seen
            if x[j] < 0:
                break
    return -1, -1, seen


def flags_and_more(x, sought):
    ok, where, kept = True, -1, 0
    i = 0
    while ok and i < len(x):
        if x[i] == sought:
            ok = False
            where = i
            kept = i * 2
        elif x[i] < 0 and i > 3:
            break
        i += 1
    return ok, where, kept, i


def sieve(n):
    flags = np.ones(n + 1, dtype=np.bool_)
    i = 2
    while i * i <= n:
        if flags[i]:
            j = i * i
            while j <= n:
                flags[j] = False
                j += i
        i += 1
    return flags


def insertion(x):
    a = x.copy()
    for i in range(1, len(a)):
        key = a[i]
        j = i - 1
        while j >= 0 and a[j] > key:
            a[j + 1] = a[j]
            j -= 1
        a[j + 1] = key
    return a


X = np.array([5, 3, 8, -1, 4, 7, 2, 9, -6, 1, 0])


@pytest.mark.parametrize("f", [first_pair, flags_and_more])
@pytest.mark.parametrize("sought", [11, 5, -1, 9, 8, 7, 0, 100, 4])
def test_what_breaks_leave(f, sought):
    made, executable = native(f, X, np.int64(sought))
    executable.plan = None
    assert [int(y) for y in made(X, np.int64(sought))] == [int(y) for y in f(X, sought)]


def test_sorting_and_sieving():
    same(ag.function(insertion, jit_compile=True)(X), np.sort(X))
    for n in (3, 4, 25, 100, 961):
        same(ag.function(sieve, jit_compile=True)(np.int64(n)), sieve(n))


def test_an_index_below_a_moving_size_is_still_checked():
    def beyond(n, m):
        x = np.ones(n + 1)
        j, total = 0, 0.0
        while j <= m:
            total += x[j]
            j += 3
        return total

    made = ag.function(beyond, jit_compile=True)
    assert float(made(np.int64(9), np.int64(9))) == 4
    with pytest.raises(IndexError):
        made(np.int64(9), np.int64(12))


def test_known_ends_need_no_tests():
    """Neither an index that a loop's test keeps within an array, nor what counts within loops."""
    text = ag.function(insertion, jit_compile=True).get_concrete_function(np.arange(100.0)).executable.lowered.text
    assert "label %failed" not in text

    def bits(n):
        total = 0
        for i in range(n):
            k = i
            while k > 0:
                total += k & 1
                k >>= 1
        return total

    made, executable = native(bits, np.int64(1000))
    assert "with.overflow" not in executable.lowered.text
    assert int(made(np.int64(1000))) == bits(1000)


def test_numbers_from_floats():
    def whole(x):
        return int(x)

    made = ag.function(whole, jit_compile=True)
    for x in (0.0, -0.9, 0.9, -7.5, 1e15, 2.0**62, -(2.0**63), 2.0**63 - 1024, -(2.0**63) + 1024):
        assert int(made(np.float64(x))) == int(x)
    for x, error in ((np.nan, ValueError), (np.inf, OverflowError), (-np.inf, OverflowError)):
        with pytest.raises(error):
            made(np.float64(x))


def bits_of(xs):
    total = 0
    for i in range(len(xs)):
        v = xs[i]
        while v != 0:
            v &= v - 1
            total += 1
    return total


def test_bits_that_are_cleared_one_by_one():
    xs = np.array([0, 1, -1, 2**63 - 1, -(2**63), 5, -7, 2**40 + 3])
    assert int(ag.function(bits_of, jit_compile=True)(xs)) == bits_of(xs)


def distances(s, t, order):
    n, m = len(s), len(t)
    d = np.zeros((n + 1, m + 1), dtype=np.int64)
    for i in range(n + 1):
        d[i, 0] = i
    for j in range(m + 1):
        d[0, j] = j
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            cost = 0 if s[i - 1] == t[j - 1] else 1
            up, left, both = d[i - 1, j] + 1, d[i, j - 1] + 1, d[i - 1, j - 1] + cost
            if order == 0:
                d[i, j] = min(up, left, both)
            elif order == 1:
                d[i, j] = min(left, up, both)
            elif order == 2:
                d[i, j] = max(min(left, up), both, -left)
            else:
                d[i, j] = min(both, max(left, up), up, left)
    return d


@pytest.mark.parametrize("order", range(4))
def test_minima_of_what_the_turn_before_wrote(order):
    rng = np.random.default_rng(order)
    for n, m in ((1, 1), (3, 2), (17, 29)):
        s, t = rng.integers(0, 3, n), rng.integers(0, 3, m)
        made = ag.function(lambda s, t: distances(s, t, order), jit_compile=True)(s, t)
        same(made, distances(s, t, order), 0)


def two_alike(n, steps):
    a = np.zeros(n, dtype=np.int64)
    b = np.zeros(n, dtype=np.int64)
    a[n - 1] = 1
    for t in range(steps):
        for i in range(n):
            b[i] = a[i - 1] + 3 * a[i] + t
        for i in range(n):
            a[i] = b[i] % 1000
    return a, b


def one_of_two_grows(n, steps):
    a = np.zeros(n, dtype=np.int64)
    b = np.zeros(n, dtype=np.int64)
    for t in range(steps):
        b = np.append(b, a[t % n] + t)
        a[t % n] += 1
    return a, b


def test_arrays_made_alike_before_a_loop():
    made, executable = native(two_alike, np.int64(5), np.int64(3))
    assert executable.lowered.text.count("call ptr @ag_reserve") <= 4  # of the arrays themselves, none in a turn
    for n, steps in ((5, 3), (1, 2), (40, 0), (17, 30)):
        same(made(np.int64(n), np.int64(steps)), two_alike(n, steps), 0)
        same(ag.function(one_of_two_grows, jit_compile=True)(np.int64(n), np.int64(steps)), one_of_two_grows(n, steps), 0)


def first_divisor(n, m):
    d, last, steps = 2, 0, 0
    while d * d <= n:
        if n % d == 0:
            last = d
            break
        if d > m:
            steps = -steps
            break
        d += 1
        steps += 1
    return d, last, steps


def paired(n, m):
    for k in range(n):
        for j in range(m):
            if (k * j) % 7 == 6 or k + j > 20:
                m = m + 1
                break
            n += 1
        else:
            n -= 2
    return n, m, k, j


@pytest.mark.parametrize("f", [first_divisor, paired])
def test_what_turns_make_that_no_break_ends(f):
    made = ag.function(f, jit_compile=True)
    for n in (2, 3, 4, 5, 25, 91, 97, 121, 7919):
        for m in (1, 3, 50):
            if f is first_divisor or n < 30:
                assert tuple(map(int, made(np.int64(n), np.int64(m)))) == f(n, m), (n, m)


def table(w, v, most):
    best = np.zeros((len(w) + 1, most + 1), dtype=np.int64)
    for i in range(1, len(w) + 1):
        for c in range(most + 1):
            best[i, c] = best[i - 1, c]
            if w[i - 1] <= c:
                best[i, c] = max(best[i, c], best[i - 1, c - w[i - 1]] + v[i - 1])
    return best


def test_loads_of_arguments_are_of_what_nobody_writes():
    w, v = np.array([3, 1, 4, 1, 5, 9]), np.array([2, 7, 1, 8, 2, 8])
    made, executable = native(table, w, v, np.int64(11))
    same(made(w, v, np.int64(11)), table(w, v, 11), 0)
    assert "!invariant.load" in executable.lowered.text

    def changed(w):
        total = 0
        for i in range(len(w)):
            w[i] = w[i] + total
            total += w[i]
        return w, total

    made, given, plain = ag.function(changed, jit_compile=True), ag.constant(w), w.copy()
    for _ in range(3):  # a tensor that a call changes is another's argument
        same(made(given), changed(plain), 0)
        same(given, plain, 0)


def test_python_may_write_what_it_is_shown():
    def shown(w):
        total = 0
        for i in ag.range(4):
            ag.numpy_function(lambda a: a, [w], ag.int64)
            total += w[i]
        return total

    made = ag.function(shown, jit_compile=True)
    executable = made.get_concrete_function(ag.TensorSpec([6], ag.int64)).executable
    assert executable.lowered.islands and "!invariant.load" not in executable.lowered.text


def distance_in_two_rows(a, b):
    """A row waits for what the turn before wrote into it, and reads another at the same places."""
    before = np.arange(len(b) + 1)
    now = np.zeros(len(b) + 1, dtype=np.int64)
    for i in range(1, len(a) + 1):
        now[0] = i
        for j in range(1, len(b) + 1):
            cost = 0 if a[i - 1] == b[j - 1] else 1
            now[j] = min(before[j] + 1, now[j - 1] + 1, before[j - 1] + cost)
        for j in range(len(b) + 1):
            before[j] = now[j]
    return before


def test_a_minimum_waits_only_for_the_row_that_is_written():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 3, 30), rng.integers(0, 3, 40)
    f = ag.function(distance_in_two_rows, jit_compile=True)
    np.testing.assert_array_equal(f(a, b), distance_in_two_rows(a, b))


def divisors(n):
    """Sums that a choice adds to, by a quotient whose rest is asked for."""
    found, total = 0, 0
    for i in range(2, n):
        s, d = 1, 2
        while d * d <= i:
            if i % d == 0:
                s += d
                if d != i // d:
                    s += i // d
            d += 1
        if s == i:
            found += 1
        total += s
    return found, total


def divided_where_it_may_be(a, b):
    """Rests by zero are zero in NumPy's integers; a quotient is chosen where the divisor is none."""
    s = 0
    for i in range(len(a)):
        if a[i] % b[i] == 0:
            s += 3
            if b[i] > 0:
                s += int(a[i] // b[i])
    return s


def reversed_bits(n):
    t, both = 0, 0
    for i in range(n):
        x, r = i, 0
        for _ in range(16):
            r = (r << 1) | (x & 1)
            x >>= 1
        y, q = i, 0
        for _ in range(32):
            q = q * 2 + y % 2
            y //= 2
        t += r
        both ^= q
    return t, both


def summed_up(start, step, n):
    """Sums of bounded numbers, which leave 64 bits at last where they begin near their end."""
    s, t = start, -start
    for i in range(n):
        s += (i & 7) * step
        t -= i % 3
    return s, t


def chosen_sums(k, n):
    i = 0
    while i < n:
        if i % 3 == 0:
            k += 2**40
        else:
            k -= i
        i += 1
    return k


@pytest.mark.parametrize(
    ("f", "args"),
    [(divisors, (700,)), (reversed_bits, (300,)), (reversed_bits, (0,)), (chosen_sums, (0, LONG)), (chosen_sums, (-5, 7))]
    + [(summed_up, (k, 5, n)) for k in (0, 2**62, -(2**62), -(2**63) + 9) for n in (0, 3, LONG)]
    + [(summed_up, (2**63 - 9, -5, 3)), (summed_up, (2**63 - 2**24, 5, LONG))]
    + [(chosen_sums, (k, 3000)) for k in (2**62, 2**63 - 2**45, -(2**62) - 5)],
)
def test_sums_of_what_is_bounded(f, args):
    got = ag.function(f, jit_compile=True)(*map(np.int64, args))
    np.testing.assert_array_equal(np.asarray(got), np.asarray(f(*args)))


def test_a_quotient_that_is_not_chosen_divides_by_nothing():
    a = np.array([6, 7, 0, -9, 8, 5])
    b = np.array([3, 0, 0, -3, 2, 4])
    f = ag.function(divided_where_it_may_be, jit_compile=True)
    with np.errstate(all="ignore"):
        assert int(f(a, b)) == divided_where_it_may_be(a, b)


def test_sums_of_bits_ask_for_no_overflow():
    text = ag.function(reversed_bits, jit_compile=True).inspect(np.int64(9)).llvm
    assert "with.overflow" not in text.split("define i64 @ag_run")[1]


def nearest(x, y, used):
    best, place = 1e18, -1
    for j in range(len(x)):
        if not used[j]:
            d = x[j] * x[j] + y[j] * y[j]
            if d < best:
                best = d
                place = j
    return best, place


def extremes(x):
    low = high = x[0]
    at = 0
    for i in range(len(x)):
        if x[i] <= low:
            low = x[i]
        if high < x[i]:
            high = x[i]
            at = i
    return low, high, at


def test_the_least_and_the_greatest_so_far():
    rng = np.random.default_rng(5)
    x, y, used = rng.normal(size=200), rng.normal(size=200), rng.random(200) < 0.5
    for args in ((x, y, used), (x, y, used | True), (np.where(used, x, np.nan), y, ~used), (x * 0, y * 0, ~used)):
        np.testing.assert_array_equal(ag.function(nearest, jit_compile=True)(*args), nearest(*args))
    for z in (x, -np.abs(x), np.sort(x), np.where(used, np.nan, x), x * 0, -np.arange(200.0)):
        np.testing.assert_array_equal(ag.function(extremes, jit_compile=True)(z), extremes(z))
    assert ", !prof !1" in ag.function(nearest, jit_compile=True).inspect(x, y, used).llvm  # a branch, not a choice


def pairs(a, target):
    i, j, seen = 0, len(a) - 1, 0
    while i < j:
        s = a[i] + a[j]
        seen ^= s
        if s < target:
            i += 1
        else:
            j -= 1
    return seen, i, j


def bounced(x, v, steps):
    x, v = x.copy(), v.copy()
    hits = 0
    for _ in range(steps):
        for i in range(len(x)):
            x[i] += v[i]
            if x[i] > 1.0:
                x[i] = 2.0 - x[i]
                v[i] = -v[i]
                hits += 1
            elif x[i] < 0.0:
                x[i] = -x[i]
                v[i] = -v[i]
                hits += 1
    return x, v, hits


def test_llvm_chooses_between_numbers_that_leave_nothing():
    a = np.sort(np.random.default_rng(3).integers(0, 900, 300))
    for target in (-1, 0, 500, 900, 4000):
        assert ag.function(pairs, jit_compile=True)(a, np.int64(target)) == pairs(a, target)
    text = ag.function(pairs, jit_compile=True).inspect(a, np.int64(7)).llvm
    assert "select" not in text.split("\nloop")[-1]


def test_sums_of_a_few_turns_ask_before_them():
    rng = np.random.default_rng(4)
    x, v = rng.random(20), rng.normal(size=20)
    f = ag.function(bounced, jit_compile=True)
    for got, want in zip(f(x, v, np.int64(50)), bounced(x, v, 50), strict=True):
        np.testing.assert_array_equal(got, want)
    around, inside = f.inspect(x, v, np.int64(50)).llvm.split("\nbody")[-2:]
    assert "with.overflow" in around
    assert "with.overflow" not in inside
