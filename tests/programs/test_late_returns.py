"""Dictionaries and lists that a loop changes and returns, and those that a `try` leaves by chance."""

import numpy as np

from tests.programs.harness import Programs

PROGRAMS = Programs()
ROWS = ((np.array([1.0, 2.0, -1.0]),), (np.array([1.0, 2.0, 0.5]),), (np.array([1.0, 20.0, 3.0]),))


@PROGRAMS.add(*ROWS)
def the_dictionary_of_a_loop(xs):
    d = {"s": 0.5, "n": 0}
    for x in xs:
        if x > 5:
            return d
        d["s"] = d["s"] + x
        d["n"] += 1
    return d


@PROGRAMS.add(*ROWS)
def one_of_several(xs):
    d = {"s": 0.25, "n": 0}
    log = []
    for x in xs:
        if x < 0:
            return None
        d["s"] += x
        d["n"] += 1
        log.append(x * 2)
        if d["s"] > 10:
            return d
        if len(log) > 2:
            return log
    return d["s"]


@PROGRAMS.add(*ROWS)
def out_of_an_inner_loop(xs):
    d = {"s": 0.25, "n": 0}
    i = 0
    while i < len(xs):
        j = 0
        while j < 3:
            d["n"] += 1
            d["s"] += xs[i] * j
            if d["s"] > 6:
                return d, i
            j += 1
        else:
            d["n"] += 10
        i += 1
    d["s"] = d["s"] * 2
    return d, i


@PROGRAMS.add(*ROWS)
def in_the_else_of_a_loop(xs):
    d = {"s": 0.25}
    for x in xs:
        d["s"] = d["s"] + x
        if x > 5:
            return d
    else:
        return {"s": d["s"] * 2}


@PROGRAMS.add(*ROWS)
def of_a_called_function(xs):
    def fill(d):
        for x in xs:
            if x > 5:
                return d
            d["s"] = d["s"] + x
        return d

    a = {"s": 1.0}
    b = fill(a)
    b["s"] += 3.0
    return a["s"] * 2 + b["s"]


@PROGRAMS.add(*ROWS)
def changed_as_a_try_ends(xs):
    d = {"s": 0.25, "n": 0}
    try:
        for x in xs:
            d["s"] += x
            if d["s"] > 2.5:
                return d
    finally:
        d["n"] = 5
    d["n"] += 1
    return d


@PROGRAMS.add(*ROWS)
def bound_by_chance_in_a_try(xs):
    d = {"s": 0.25, "n": 0}
    did = False
    try:
        if xs[0] > xs[1]:
            kept = d
            did = True
    finally:
        d["n"] = 5
    if not did:
        kept = d
    return kept


@PROGRAMS.add(*ROWS)
def one_or_none_of_a_try(xs):
    d = {"s": 0.25, "n": 0}
    try:
        for x in xs:
            d["s"] += x
        kept = None
        if xs[1] > 5:
            kept = d
    finally:
        d["n"] = 5
    return kept


@PROGRAMS.add(*ROWS)
def a_known_number_from_a_loop(xs):
    while xs[1] > 5:
        return 5.0
    xs = xs + 1
    return xs[0]


@PROGRAMS.add(*ROWS)
def a_known_text_from_a_loop(xs):
    guard = 0
    while guard < 3 and not xs[1] > 5:
        guard += 1
        if len(xs) > 1:
            return "low", guard
    for i in range(3):
        if xs[i] > 2:
            break
        guard += 1
    return "high", guard


test_eager, test_staged, test_gradients = PROGRAMS.tests()
