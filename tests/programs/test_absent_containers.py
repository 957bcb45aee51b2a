"""Dictionaries and objects that are there on some paths only: None before, a key or attribute that is set late."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import autograph as ag
from tests.programs.harness import Programs

PROGRAMS = Programs()


class Total:
    """A running total."""

    def __init__(self, total: Any = 0.0) -> None:
        self.total = total


@PROGRAMS.add((2.0, 3), (2.0, 0))
def written_where_it_is(x, n):
    state = None
    if n > 2:
        state = {"m": x}
    if state is not None:
        state["m"] += x
    return state


@PROGRAMS.add((2.0, 3), (2.0, 1), gradients=False)
def two_kinds_of_lists_in_one_tuple(x, n):
    counts, values, rows = [n, 2], [x], [[n], [3, n]]
    if n > 2:
        return None
    counts[0] += 1
    return counts, values, rows, [np.ones(2) * x]


@PROGRAMS.add((2.0, 3), (2.0, 1), (2.0, 7), gradients=False)
def keys_set_on_the_way_to_one_of_two_results(x, n):
    d = {"a": x}
    if n > 2:
        d["c"] = x
    if n > 6:
        return x
    return d


@PROGRAMS.add((2.0, 3), (2.0, 1), (2.0, 7), gradients=False)
def keys_set_by_the_handler_of_one_of_two_errors(x, n):
    d = {"a": x}
    try:
        d["a"] += [1.0, 2.0][n % 4]
        if n == 7:
            raise ValueError
    except IndexError:
        d["c"] = x
    except Exception:
        return x
    return d


@PROGRAMS.add((2.0, 3), (2.0, 0))
def an_alias_that_may_be_none(x, n):
    state, seen = {"m": x}, None
    if n > 2:
        seen = state
    if seen is None:
        seen = {"m": 5.0 * x}
    seen["m"] += 1.0
    return state, seen


@PROGRAMS.add((2.0, 3), (2.0, 0))
def made_where_it_is_missing(x, n):
    state = {}
    if n > 2:
        state["a"] = {"m": x}
    slot = state.get("a")
    if slot is None:
        slot = state["a"] = {"m": 5.0 * x}
    slot["m"] += 1.0
    return state["a"]["m"]


@PROGRAMS.add((2.0, 3), (2.0, 0), (2.0, 1))
def slots_made_in_the_first_turn(x, n):
    state = {"a": None, "b": None}
    for i in range(n):
        for name in ("a", "b"):
            slot = state[name]
            if slot is None:
                slot = state[name] = {"m": 0.0 * x}
            slot["m"] = 0.5 * slot["m"] + i * x
    return state


@PROGRAMS.add((2.0, 3), (2.0, 0), (2.0, 1))
def an_object_made_in_the_first_turn(x, n):
    kept = None
    for i in range(n):
        total = kept
        if total is None:
            total = Total(x)
            kept = total
        total.total += i * x
    return -1.0 if kept is None else kept.total


@PROGRAMS.add((2.0, 3), (2.0, 0))
def an_object_on_one_path(x, n):
    kept = None
    if n > 2:
        kept = Total(x)
    if kept is None:
        kept = other = Total(3.0 * x)
    else:
        other = kept
    other.total += 1.0
    return kept.total


@PROGRAMS.add((2.0, 3), (2.0, 0), (2.0, 1))
def moments_by_setdefault(x, n):
    state = {}
    for i in range(n):
        slot = state.setdefault("w", {"m": 0.0, "v": 0.0})
        slot["m"] = 0.9 * slot["m"] + i * x
        slot["v"] += slot["m"] ** 2
    return state


@PROGRAMS.add((2.0, 3), (2.0, 0))
def a_list_by_setdefault(x, n):
    state = {}
    for i in range(n):
        state.setdefault("w", []).append(i * x)
    return state


@PROGRAMS.add((2.0, 3), (2.0, 0))
def popped_with_a_default(x, n):
    state = {}
    for i in range(n):
        state["w"] = state.pop("w", 0.0) + i * x
    return state


@PROGRAMS.add((3,), (0,))
def popped_where_it_is_not(n):
    state = {"a": 1}
    if n > 2:
        state["w"] = n
    try:
        return state.pop("w"), len(state)
    except KeyError:
        return -1, len(state)


@PROGRAMS.add((3,), (0,))
def deleted_where_it_is_not(n):
    state = {}
    if n > 2:
        state["w"] = n
    try:
        del state["w"]
    except KeyError:
        return -1
    return len(state)


@PROGRAMS.add((2.0, 3), (2.0, 0), (2.0, 1))
def attributes_asked_for(x, n):
    total = Total(x)
    for i in range(n):
        if not hasattr(total, "last"):
            total.last = 0.0
        total.last += i * x
        total.logged = getattr(total, "logged", 0.0) + total.last
    return total.last if hasattr(total, "last") else -1.0, getattr(total, "logged", -2.0)


@PROGRAMS.add((2.0, 3), (2.0, 0), (2.0, 1))
def an_empty_list_or_none(x, n):
    state = {}
    for i in range(n):
        items = state.get("w")
        if not items:
            items = []
            state["w"] = items
        items.append(i * x)
    return state


test_eager, test_staged, test_gradients = PROGRAMS.tests()


def test_a_slot_caught_missing() -> None:
    def cached(n):
        state = {}
        for i in range(n):
            try:
                slot = state["w"]
            except KeyError:
                slot = state["w"] = {"m": 0.0}
            slot["m"] += i
        return state["w"]["m"]

    staged = ag.function(cached)
    assert [float(staged(ag.constant(n))) for n in (1, 2, 5)] == [cached(n) for n in (1, 2, 5)]


def test_what_is_taken_out_of_a_list_outside_is_changed_once():
    queue = [{"n": 1}]

    @ag.function
    def take():
        first = queue.pop()
        first["n"] = first["n"] + 1
        held = {"first": first, "parts": [1]}
        held["parts"] = [*held["parts"], 2]
        return held["first"]["n"]

    assert int(take()) == 2
    assert queue == []


@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_tuples_with_lists_returned_early(n):
    def program(n, x):
        log = []
        for i in range(n):
            if i * x > 1.5:
                return x, None, log
            log.append(i)
            try:
                if i == 1:
                    raise ValueError
            except ValueError:
                if x > 2:
                    return i, x * 2, []
        return n, x, [*log, 7], {"k": log}

    for x in (0.5, 1.0, 3.0):
        want = program(n, x)
        got = ag.function(program)(ag.constant(n), ag.constant(x, dtype=ag.float64))
        plain = ag.nest.map_structure(lambda v: v.numpy().item() if isinstance(v, ag.Tensor) else v, got)
        assert plain == want


def test_attributes_asked_for_in_another_thread():
    seen = []

    class Held:
        there = 1

    def ask():
        seen.append((hasattr(Held, "there"), hasattr(Held, "gone"), getattr(Held, "gone", 3)))

    @ag.function
    def f(x):
        ask()
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
        return x

    f(ag.constant(1))
    assert set(seen) == {(True, False, 3)}
    assert len(seen) >= 2
