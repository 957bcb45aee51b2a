"""Loops inside loops: how often a body is traced grows with the depth, not with a power of it."""

import linecache
from typing import Any

import numpy as np
import pytest

import autograph as ag


def nested(depth: int, inside: str) -> Any:
    """A function of so many loops inside each other, each with a statement; it notes when its innermost is traced."""
    lines = ["def f(n, x, seen):", "    s = 0.0"]
    for k in range(depth):
        lines += ["    " * (k + 1) + f"for i{k} in range(n):", "    " * (k + 2) + inside]
    lines += ["    " * (depth + 1) + "seen()", "    " * (depth + 1) + "s = s + x", "    return s"]
    text, namespace = "\n".join(lines), dict[str, Any]()
    linecache.cache[f"<{inside} {depth}>"] = (len(text), None, text.splitlines(True), f"<{inside} {depth}>")
    exec(compile(text, f"<{inside} {depth}>", "exec"), namespace)
    return namespace["f"]


@pytest.mark.parametrize("inside", ["if s > 6.5: break", "if s > 6.5: return -s"])
def test_loops_that_a_tensor_ends(inside: str) -> None:
    counts = []
    for depth in (2, 4):
        traced: list[int] = []
        seen = ag.autograph.do_not_convert(lambda traced=traced: traced.append(1))
        f = nested(depth, inside)
        staged = ag.function(lambda n, x, f=f, seen=seen: f(n, x, seen))
        for x in (1.0, 0.25):
            assert float(staged(ag.constant(2), ag.constant(x))) == f(2, x, lambda: None)
        counts.append(len(traced))
    assert counts[1] <= 3 * counts[0]  # it was six times: each loop was traced in two forms


def test_a_loop_that_ends_by_a_tensor_once_and_by_python_another_time() -> None:
    def first_over(xs, limit, n):
        found = -1.0
        for i in range(n):
            if xs[i] > limit:
                found = xs[i]
                break
        return found

    def both(xs, k):
        total = 0.0
        while total < k:
            for limit in (xs[0], 2.0):
                total = total + first_over(xs, limit, k)
            total = total + first_over([1.0, 3.0, 5.0], 2.0, 3)
        return total

    xs = np.array([1.5, 2.5, 3.5, 4.5])
    assert float(ag.function(both)(ag.constant(xs), ag.constant(4))) == both(xs, 4)


def appended(n, depth, seen):
    out = []

    def level(k, at):
        for i in range(n):
            if k == depth:
                seen()
                out.append(at + i)
            else:
                level(k + 1, at + i)

    level(1, 0)
    return out


def lists_of_turns_2(n, seen):
    rows = []
    for i in range(n):
        row = []
        for j in range(n):
            seen()
            row.append(i * j)
        rows.append(sum(row))
    return rows


def lists_of_turns_4(n, seen):
    rows = []
    for i in range(n):
        row = []
        for j in range(n):
            cell = []
            for k in range(n):
                part = []
                for m in range(n):
                    seen()
                    part.append(i * j + k * m)
                cell.append(sum(part))
            row.append(sum(cell))
        rows.append(sum(row))
    return rows


def dictionaries_of_turns_2(n, seen):
    out = []
    for i in range(n):
        a = {"total": 0, "all": []}
        for j in range(n):
            seen()
            a["total"] += i + j
            a["all"].append(j)
        out.append(a["total"] + len(a["all"]))
    return out


def dictionaries_of_turns_4(n, seen):
    out = []
    for i in range(n):
        a = {"total": 0}
        for j in range(n):
            b = {"total": 0}
            for k in range(n):
                c = {"total": 0, "all": []}
                for m in range(n):
                    seen()
                    c["total"] += i + j + k + m
                    c["all"].append(m)
                b["total"] += c["total"] + len(c["all"])
            a["total"] += b["total"]
        out.append(a["total"])
    return out


@pytest.mark.parametrize(
    ("shallow", "deep"),
    [
        (lambda n, seen: appended(n, 2, seen), lambda n, seen: appended(n, 4, seen)),
        (lists_of_turns_2, lists_of_turns_4),
        (dictionaries_of_turns_2, dictionaries_of_turns_4),
    ],
)
def test_loops_that_change_lists_and_dictionaries(shallow: Any, deep: Any) -> None:
    # each attempt at a loop made two or three at the one inside it: they begin with what was found before
    counts = []
    for f in (shallow, deep):
        traced: list[int] = []
        seen = ag.autograph.do_not_convert(lambda traced=traced: traced.append(1))
        staged = ag.function(lambda n, f=f, seen=seen: f(n, seen), jit_compile=False)
        got = ag.nest.map_structure(int, staged(ag.constant(3)))
        assert got == f(3, lambda: None)
        counts.append(len(traced))
    assert counts[1] <= counts[0] + 5


def test_types_of_one_turn_in_python_are_not_those_of_the_next() -> None:
    # the same lines, with a float first: what was found then is not for the turn with an integer
    def both(n):
        found = []
        for i in range(n):
            for v in (0.5, 2):
                t = 0 * v
                for j in range(n):
                    t = t + v * j
                found.append(t * 1.0)
            last = t // 1
        return found, last

    found, last = ag.function(both, jit_compile=False)(ag.constant(3))
    assert [float(x) for x in found] == both(3)[0]
    assert last.dtype.is_integer and int(last) == both(3)[1]
