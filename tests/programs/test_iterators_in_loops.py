"""Iterators of Python's that give items in loops and branches that the run decides: they stand where Python's stand."""

import itertools

from tests.programs.harness import Programs

PROGRAMS = Programs()


@PROGRAMS.add((5,), (0,))
def numbers_from_a_count(n):
    ids, total, i = itertools.count(3, 2), 0, 0
    while i < n:
        total += next(ids)
        i += 1
    return total, next(ids)


@PROGRAMS.add((5,), (0,), (4,))
def numbers_in_turns(n):
    turns, found, i = itertools.cycle([1, 2, 3]), 0, 0
    while i < n:
        found = found * 10 + next(turns)
        i += 1
    return found, next(turns)


@PROGRAMS.add((5,), (0,), (3,))
def letters_in_turns(n):
    names, text = itertools.cycle("ab"), ""
    for _ in range(n):
        text += next(names)
    return text


@PROGRAMS.add((3,), (0,))
def pairs_of_an_enumerate(n):
    pairs, total, i = enumerate([5, 6, 7, 8]), 0, 0
    while i < n:
        k, v = next(pairs)
        total += k * v
        i += 1
    return total, list(pairs)


@PROGRAMS.add((3,), (0,))
def items_of_several(n):
    joined, back = zip([1, 2, 3, 4], (5, 6, 7, 8)), reversed([1, 2, 3, 4])
    same, doubled = itertools.repeat(2), map(abs, [-1, 2, -3])
    total, i = 0, 0
    while i < n:
        a, b = next(joined)
        total += a * b + next(back) * next(same) + next(doubled)
        i += 1
    return total, next(back), next(joined)


@PROGRAMS.add((5,), (0,), (2,))
def some_get_a_number(n):
    ids, given = itertools.count(), []
    for i in range(n):
        if i % 2 == 0:
            given.append(next(ids))
    return given, next(ids)


@PROGRAMS.add((3,), (-3,))
def one_branch_takes(n):
    ids = itertools.count(10)
    first = next(ids)
    if n > 0:
        first += next(ids)
    return first, next(ids)


@PROGRAMS.add((255, 16), (10, 2), (0, 7))
def digits_of_any_base(n, base):
    text = ""
    while n:
        n, rest = divmod(n, base)
        text = "0123456789abcdef"[rest] + text
    return text or "0"


test_eager, test_staged, _ = PROGRAMS.tests()
test_natively = PROGRAMS.natively()

