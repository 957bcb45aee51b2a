"""Generators that give their next item where only the run knows whether, and how often, they are asked."""

import contextlib
import itertools

import pytest

import autograph as ag
from tests.programs.harness import Programs
from tests.programs.iterating import fibonacci, up_to

PROGRAMS = Programs()


def powers(x):
    """Of two."""
    while True:
        yield x
        x = x * 2


def primes():
    n = 2
    while True:
        prime, d = True, 2
        while d * d <= n:
            if n % d == 0:
                prime = False
                break
            d += 1
        if prime:
            yield n
        n += 1


def in_twos(xs):
    for x in xs:
        if x > 2:
            yield x
            yield -x
        else:
            yield 0


def running(xs):
    total = 0
    for x in xs:
        total = total + x
        yield total
        total = total * 2


def hailstones(n):
    while True:
        yield n
        if n == 1:
            break
        n = n // 2 if n % 2 == 0 else 3 * n + 1


def three(x):
    yield x
    if x > 2:
        yield x * 10
    yield x + 1


def letters(text):
    for c in text:
        if c != " ":
            yield c


def gcd_steps(a, b):
    while b:
        a, b = b, a % b
        yield a


@PROGRAMS.add((5,), (0,))
def in_a_loop(n):
    numbers, total = fibonacci(), 0
    for _ in range(n):
        total += next(numbers)
    return total


@PROGRAMS.add((5,), (-1,))
def in_a_branch(n):
    numbers, first = fibonacci(), 0
    if n > 0:
        first = next(numbers)
    return first * 100 + next(numbers)


@PROGRAMS.add((3.0,), (-3.0,))
def of_tensors(x):
    doubled = powers(x)
    if x > 0:
        next(doubled)
    return next(doubled)


@PROGRAMS.add((4,), (0,))
def to_its_end(n):
    numbers, total = up_to(n), 0
    while True:
        v = next(numbers, None)
        if v is None:
            break
        total += v
    return total


@PROGRAMS.add((3,), (6,), (0,))
def past_its_end(n):
    numbers, total = up_to(4), 0
    for _ in range(n):
        total = total * 10 + next(numbers, 9)
    return total


@PROGRAMS.add((5,), (0,))
def with_others(n):
    total = 0
    for i, v in zip(range(n), fibonacci()):
        total += i * v
    return total


@PROGRAMS.add((4,), (1,))
def by_a_function(n):
    numbers = fibonacci()

    def take(k):
        total = 0
        for _ in range(k):
            total += next(numbers)
        return total

    return take(n) * 100 + take(2)


@PROGRAMS.add((4,), (1,))
def after_a_break(n):
    ids, numbers, total = itertools.count(1), up_to(10), 0
    for v in numbers:
        if v > n:
            break
        total += v * next(ids)
    return total * 100 + next(numbers)


@PROGRAMS.add((4,), (1,))
def of_a_test_in_a_loop(n):
    found, total = primes(), 0
    for _ in range(n):
        total = total * 10 + next(found)
    return total


@PROGRAMS.add((3,), (1,))
def primes_below(n):
    found, total = primes(), 0
    for v in found:
        if v > n * 3:
            break
        total += v
    return total * 100 + next(found)


@PROGRAMS.add((3,), (1,))
def two_for_a_turn(n):
    numbers, total = in_twos([n, 3, 1, 5]), 0
    while total < 4:
        total += next(numbers, 100) + 1
    return total * 100 + next(numbers, 7)


@PROGRAMS.add((3,), (1,))
def bound_between(n):
    sums, total = running([n, n + 1, 3]), 0
    if n > 1:
        total = next(sums) + next(sums)
    return total * 1000 + next(sums)


@PROGRAMS.add((7,), (1,))
def ended_after_a_yield(n):
    numbers, steps = hailstones(n), 0
    while next(numbers, 1) != 1:
        steps += 1
    return steps * 10 + next(numbers, 5)


@PROGRAMS.add((5,), (2,), (-1,))
def without_a_loop(n):
    numbers, total = three(n), 0
    if n > 0:
        total = next(numbers)
    return total * 1000 + next(numbers) * 10 + next(numbers, 4)


@PROGRAMS.add((3,), (-1,))
def letters_in_turn(n):
    found, text = letters("a b c d"), ""
    for c in found:
        text += c
        if n > 0:
            text += next(found)
    return text


@PROGRAMS.add((48, 36), (7, 5))
def remainders(a, b):
    steps, total = gcd_steps(a, b), 0
    while (r := next(steps, None)) is not None:
        total = total * 100 + r
    return total


class Source:
    def __init__(self, it):
        self.it = it


@PROGRAMS.add((1,), (-1,))
def in_an_attribute(n):
    source, total = Source(letters("1 2 3")), 0
    if n > 0:
        total = sum(int(c) for c in source.it)
    return total * 100 + len(list(source.it))


@PROGRAMS.add((1,), (-1,))
def in_a_dictionary(n):
    table, total = {"it": letters("1 2 3")}, 0
    if n > 0:
        total = len(list(table["it"]))
    return total * 100 + len(list(table["it"]))


@PROGRAMS.add((1,), (-1,))
def beside_another(n):
    a, b = itertools.tee([1, 2, 3])
    total = 0
    if n > 0:
        total = sum(a)
    return total * 100 + len(list(a)) * 10 + len(list(b))


@contextlib.contextmanager
def logged(log):
    log.append(1)
    try:
        yield 5
    finally:
        log.append(2)


@PROGRAMS.add((1,), (-1,))
def within_a_with(n):
    found, log, total = letters("1 2 3"), [], 0
    with logged(log) as five:
        if n > 0:
            total = int(next(found)) + five
    return total * 100 + len(list(found)) * 10 + len(log)


@PROGRAMS.add((1,), (-1,))
def beside_one_that_is_sent_to(n):
    def added():
        total = 0
        while True:
            v = yield total
            if v is None:
                return
            total += v

    sums, total = added(), 0
    next(sums)
    for k in range(3):
        total = sums.send(k)
    found = letters("1 2")
    if n > 0:
        total += int(next(found))
    return total * 10 + len(list(found))


class Counter:
    def __init__(self):
        self.total = 0

    def stream(self, xs):
        for x in xs:
            self.total += x
            yield self.total


@PROGRAMS.add((2,), (9,))
def that_changes_an_object(n):
    counter, total = Counter(), 0
    for t in counter.stream([1, 2, 3, 4]):
        if t > n:
            break
        total += t
    return total * 100 + counter.total


@PROGRAMS.add((2,), (9,))
def that_changes_a_name(n):
    count = total = 0

    def stream(xs):
        nonlocal count
        for x in xs:
            count += x
            yield count

    for t in stream([1, 2, 3, 4]):
        if t > n:
            break
        total += t
    return total * 100 + count


@PROGRAMS.add((6,), (1,))
def as_many_as_the_run_says(n):
    return sum(itertools.islice(up_to(9), n)) * 100 + sum(itertools.islice(fibonacci(), n))


@PROGRAMS.add((2,), (-1,))
def closed_in_a_branch(n):
    numbers = up_to(5)
    first = next(numbers)
    if n > 0:
        first += next(numbers) + numbers.send(None)
        numbers.close()
    return first * 100 + sum(numbers)


def twice(n):
    for i in range(n):
        yield i
    for i in range(n):
        yield i * 10


def in_parts(xs):
    odd = 0
    yield -1
    for x in xs:
        if x % 2:
            odd += 1
            yield x
        else:
            yield odd
    yield odd * 7
    while odd > 0:
        odd -= 1
        yield odd * 100
    last = odd - 7
    yield last


@PROGRAMS.add((4, 2), (4, 9))
def two_loops_after_a_zip(n, k):
    numbers, s = twice(n), 0
    for i, x in zip(range(k), numbers):
        s += i * x
    return s, sum(numbers)


@PROGRAMS.add(([1, 5, 3, 8], 4), ([1, 5, 3, 8], 0), ([2, 4, 6, 8], 2), ([2, 4, 6, 8], 20))
def parts_taken_by_count(xs, k):
    numbers, first, rest = in_parts(xs), 0, 0
    for _ in range(k):
        x = next(numbers, None)
        if x is None:
            break
        first = first * 3 + x
    for x in numbers:
        rest = rest * 3 + x
    return first, rest


@PROGRAMS.add((4, 4), (4, 1), (3, 20))
def two_of_two_loops(n, k):
    a, b, s = twice(n), in_parts([1, 2, 3]), 0
    while k > 0:
        x, y = next(a, -1), next(b, -1)
        if x < y:
            s += x
            x = next(a, -1)
        s += x * y
        k -= 1
    return s, sum(a), sum(b)


def below(limit):
    k = 0
    while True:
        if k >= limit:
            return
        yield k
        k += 1


@PROGRAMS.add((5, 2), (2, 7), (0, 1))
def returns_at_a_limit(n, x):
    numbers, total = below(n), 0
    for k in numbers:
        total += k
        if k >= x:
            break
    return total, next(numbers, -1), list(numbers), next(numbers, -2)


def in_steps(x):
    if x > 3:
        return
    yield x
    if x > 1:
        return None
    for k in range(3):
        if k + x > 2:
            return
        yield k * 10
    yield x + 1


@PROGRAMS.add((5, 2), (2, 7), (0, 1), (1, 0), (-1, 5))
def returns_between(n, x):
    steps, found = in_steps(n), []
    for k in steps:
        found.append(k)
        if k > x:
            break
    return found, sum(steps), list(steps)


@PROGRAMS.add((5, 2), (-2, 7), (0, 1))
def never_comes_to_its_yield(n, x, wanted=None):
    def found():
        for k in range(abs(n) % 5):
            if wanted is None:
                return
            yield k

    items = found()
    first, total = next(items, -1), 0
    for k in items:
        total += k
        if k > x:
            break
    return first, total, list(items)


@PROGRAMS.add((5, 2), (-2, 7), (0, 1))
def counts_after_a_call(n, x):
    def found():
        total = abs(x)
        for k in range(abs(n) % 4):
            total += k
            yield total * x

    items = found()
    first = next(items, -1)
    for k in items:
        if k > 3:
            break
    return first, list(items)


@PROGRAMS.add((5, 2, [1, 2, 3]), (2, 7, [1, 4, 3]), (0, 1, [2, 9, 9]))
def looks_at_names_by_comprehensions(n, x, xs):
    table = {"a": n, "b": x}
    later = []

    def found():
        total = sum(v for k, v in table.items() if k != "a")
        for q in xs:
            total += sum([q * y for y in xs])
            later.append(lambda: total + q)
            yield total
        yield n

    items, count = found(), 0
    for k in items:
        count += k
        if k > 20:
            break
    return count, [f() for f in later], list(items)


test_eager, test_staged, _ = PROGRAMS.tests()
test_natively = PROGRAMS.natively()


def matches(x):
    import re

    found, first = re.finditer("[0-9]", "a1b2c3"), 0
    if x > 0:
        first = len(list(found))
    return first * 10 + len(list(found))


def lines(x):
    import io

    file, count = io.StringIO("a\nb\nc"), 0
    if x > 0:
        count = len(list(file))
    return count * 10 + len(list(file))


def rows(n):
    import csv
    import io

    found, total = csv.reader(io.StringIO("1,2\n3,4\n5,6")), 27
    for _ in range(n):
        total += 3 * int(next(found)[0])
    return total


def made_by_a_call(n):
    """What the call changes would be changed before the generator's first item is asked for."""
    log = []

    def made():
        log.append(1)
        return [4, 5, 6]

    def found():
        for x in made():
            yield x

    numbers, first = found(), 15 + len(log)
    if n > 0:
        first += sum(numbers)
    return first


@pytest.mark.parametrize("f", [matches, lines, rows, made_by_a_call])
def test_iterators_in_c_are_refused(f):
    assert f(1) == 30
    with pytest.raises(ag.errors.OperatorNotAllowedInGraphError, match="iterator-in-graph"):
        ag.function(f)(ag.constant(1))
