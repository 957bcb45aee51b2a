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
