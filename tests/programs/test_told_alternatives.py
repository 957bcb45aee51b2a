"""What a branch's test tells of a value of several structures holds in the branch; patterns are such tests."""

import numpy as np

import autograph as ag
from tests.programs.harness import Programs, values

PROGRAMS = Programs()


def one_of_three(x):
    if x > 0.5:
        return None
    if x > 0:
        return x * 2
    return x, 1


@PROGRAMS.add(0.7, 0.2, -1.0)
def in_a_chain(x):
    found = one_of_three(x)
    count = 0
    if isinstance(found, tuple):
        y, count = found
    elif found is None:
        y = -0.5
    else:
        y = np.tanh(found)
    return y, count


@PROGRAMS.add(0.7, 0.2, -1.0)
def by_its_opposite(x):
    found = one_of_three(x)
    if found is not None:
        if not isinstance(found, tuple):
            return found * 3.0
        first, second = found
        return first * second
    return x


@PROGRAMS.add((0.7, 1), (0.2, 1), (0.2, 0), (-1.0, 1), (-1.0, 0))
def with_more_of_a_test(x, n):
    found = one_of_three(x)
    if isinstance(found, tuple) and n > 0:
        first, second = found
        return first * second
    if found is None or isinstance(found, tuple):
        return x * 5.0
    return found - 1.0


@PROGRAMS.add((0.7, 3), (0.2, 3), (-1.0, 3))
def in_a_loop(x, n):
    total = 0.0
    for k in range(n):
        found = one_of_three(x - k * 0.3)
        if isinstance(found, tuple):
            first, second = found
            total += first * second
        elif found is not None:
            total += found
    return total


@PROGRAMS.add(0.7, 0.2, -1.0)
def by_its_truth(x):
    found = (x, 2.0) if x > 0.5 else () if x > 0 else None
    if found:
        first, second = found
        return first * second
    if found is None:
        return x
    return x + len(found)


@PROGRAMS.add(0.7, 0.2, -1.0)
def asked_in_a_conditional_expression(x):
    found = one_of_three(x)
    y = found[0] if isinstance(found, tuple) else 4.0 if found is None else found
    return y * 2.0


@PROGRAMS.add(0.7, 0.2, -1.0)
def patterns_of_a_result(x):
    match one_of_three(x):
        case (first, count):
            return first * 3.0 + count
        case None:
            return -x
        case number:
            return number + 1.0


@PROGRAMS.add(0.7, -1.0)
def patterns_of_a_mapping(x):
    match {"a": x} if x > 0 else [x, 1.0, 2.0]:
        case {"a": value, **others}:
            return value * 2.0 + len(others)
        case [first, *rest]:
            return first * 5.0 + sum(rest)


@PROGRAMS.add((1.0, 0), (1.0, 1), (1.0, 2), (1.0, 3), (1.0, 4))
def patterns_of_a_list_that_grew(x, n):
    items = []
    for k in range(n):
        items.append(x + k)
    match items:
        case []:
            return -x
        case [only]:
            return only + 5.0
        case [first, second]:
            return first * second
        case [first, *middle, last]:
            return first + last * 100.0 + sum(middle) * 1000.0


def decoded(op, x):
    if op == 0:
        return "push", x
    if op == 1:
        return "add", x, 2.0
    if op == 2:
        return {"kind": "mul", "by": x, "note": 1}
    if op == 3:
        return {"kind": "say", "by": "text"}
    return None


@PROGRAMS.add(
    (np.array([0, 1, 2, 3, 9, 1]), np.array([1.5, 2.5, 3.5, 4.5, 5.5, 0.5])),
    (np.array([3, 0, 1, 1, 2, 2]), np.array([1.0, 2.0, 3.0, -1.0, 0.5, 1.5])),
)
def rests_of_one_of_several(ops, xs):
    total, said = 1.0, 0
    for op, x in zip(ops, xs):
        match decoded(op, x):
            case ("push", v):
                total = v
            case ("add", v, w) if v > 2:
                total += v * w
            case ("add", *rest):
                total += rest[0] * len(rest)
            case {"kind": "mul", "by": v, **rest}:
                total *= v + len(rest)
            case {"by": word, **rest}:
                said += len(word) + len(rest)
            case _:
                total += 100.0
    return total, said


test_eager, test_staged, test_gradients = PROGRAMS.tests()


def one_of_four(x, n):
    log = []
    if n > 1:
        return {"r": x}
    if n > 0:
        return x
    log.append(x)
    return x, log


def test_dictionaries_and_lists_among_alternatives_of_alternatives():
    staged = ag.function(one_of_four)
    for n in (0, 1, 2):
        assert values(staged(ag.constant(2.0), ag.constant(n))) == one_of_four(2.0, n)
