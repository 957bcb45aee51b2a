"""Instances of dataclasses from outside, of which the run picks one: what is set of it is set of the caller's."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import autograph as ag


@dataclass
class Account:
    owner: Any
    balance: Any


@dataclass(frozen=True)
class Point:
    x: Any
    y: Any


def picked(accounts, i):
    accounts[i].balance -= 30.0
    return [a.balance for a in accounts]


def in_a_loop(accounts, i):
    for k in range(3):
        a, b = accounts[(i + k) % 3], accounts[i]
        a.balance -= 1.0
        b.balance += 5.0
    return accounts[0].balance


def chosen(accounts, i):
    p, q, _ = accounts
    x = p if i > 0 else q
    x.balance *= 2.0
    return p.balance, q.balance, x is p, x is q


def by_turns(accounts, i):
    x = accounts[0]
    while i > 0:
        x.balance -= 30.0
        x = accounts[1]
        i -= 1
    return x.balance


def changed_and_returned(accounts, i):
    if i > 0:
        accounts[0].balance = accounts[0].balance + i
    return accounts[0]


def chosen_and_returned(accounts, i):
    return accounts[1] if i > 0 else accounts[2]


def made_anew(accounts, i):
    a = accounts[0]
    while i > 0:
        a = Account(a.owner, a.balance * 2.0)
        i -= 1
    return a.balance


PROGRAMS = (picked, in_a_loop, chosen, by_turns, changed_and_returned, chosen_and_returned, made_anew)


def plain(x):
    if isinstance(x, (list, tuple)):
        return [plain(part) for part in x]
    return plain([x.owner, x.balance]) if isinstance(x, Account) else float(x)


@pytest.mark.parametrize("make", [float, lambda x: ag.constant(np.float64(x))], ids=["numbers", "tensors"])
@pytest.mark.parametrize("native", [False, True], ids=["plan", "native"])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_as_in_python(program, native, make):
    staged = ag.function(program, jit_compile=native)
    for i in (1, 0, 2):
        ours = [Account(make(k), make(100.0 + k)) for k in range(3)]
        theirs = [Account(float(k), 100.0 + k) for k in range(3)]
        assert plain(staged(ours, ag.constant(i))) == plain(program(theirs, i))
        assert plain(ours) == plain(theirs)


def test_frozen_ones_are_what_they_hold():
    @ag.function
    def far(points, i):
        p = points[i]
        for q in points:
            if q.x * q.x > p.x * p.x:
                p = q
        return p.x + p.y

    points = [Point(float(k), 1.0) for k in range(100)]
    assert float(far(points, ag.constant(3))) == 100.0
