"""Containers in attributes and items that `op=` changes by what a call gives; loops whose tests bind names."""

import numpy as np

from tests.programs.harness import Programs

PROGRAMS = Programs()


class Log:
    """What was seen, in a list."""

    def __init__(self, first):
        self.items = [first]


def twice(x):
    return x * 2.0


@PROGRAMS.add((2.0, 3), (2.0, 0))
def a_list_in_an_attribute(x, n):
    log = Log(x)
    if n > 1:
        log.items += [np.sin(x)]
    return log.items


@PROGRAMS.add((2.0, 3), (2.0, 0))
def a_list_in_a_dictionary(x, n):
    d = {"a": [x]}
    same = d["a"]
    for i in range(n):
        d["a"] += [twice(x) + i]
    return d, same


@PROGRAMS.add((2.0, 3), (2.0, 0))
def a_list_in_a_list(x, n):
    rows = [[x], [1.0]]
    while n > 0:
        rows[n % 2] += [twice(x), x]
        n -= 1
    return rows


@PROGRAMS.add((2.0, 3), (2.0, 0))
def a_number_in_an_attribute(x, n):
    log = Log(x)
    log.total = x
    for _ in range(n):
        log.total *= np.tanh(log.total)
        log.items[0] += twice(log.total)
    return log.total, log.items


@PROGRAMS.add((2.0, 3), (0.1, 2), (0.01, 9))
def an_inner_loop_that_ends_the_outer_one(x, n):
    total = x
    for i in range(n):
        count = 0
        while count < 3 and (step := total * count) < 1.0:
            count += 1
            total += step + 0.25
        else:
            if count == 3:
                total += i
                continue
            break
    return total, count


@PROGRAMS.add((1.7, 3), (0.1, 2), (0.01, 9))
def an_inner_loop_left_before_its_else(x, n):
    for _ in range(n):
        count = 0
        while (count := count + 1) < 4 and (step := x * count) < 2.0:
            x += step
            if x > 0.5:
                break
        else:
            break
    return x, count


test_eager, test_staged, test_gradients = PROGRAMS.tests()
