"""Sums that a recursion builds up are made after it, of the factors that its calls kept."""

import textwrap

import numpy as np
import pytest

import autograph as ag
from runtime.backends.numpy_executor.executor import compile_graph
from runtime.ir.parse import parse_graph
from runtime.ir.text import graph_text
from runtime.ir.verify import verify
from runtime.passes.manager import run_passes
from runtime.passes.recursion_sums import collect_recursive_sums


def after(text):
    graph = verify(parse_graph(textwrap.dedent(text).lstrip()))
    return graph_text(run_passes(graph, [collect_recursive_sums], check=True))


RECURSION = """
    graph f(p: bool[], a: float64[1,6], b: float64[1,6]):
      %0: float64[6,6] = call @g(p, a, b)
      return %0
    function g(p: bool[], a: float64[1,6], b: float64[1,6]):
      %0: float64[6,6] = matmul(a, b, transpose_a=True)
      %1: float64[6,6] = cond(p; p, a, b)
        then(p, a, b):
          %2: float64[6,6] = call @g(p, b, a)
          CHANGED
          return RESULT
        else(p, a, b):
          %2: float64[6,6] = zeros(shape=(6, 6), dtype=float64)
          return %2
      %3: float64[6,6] = add(%0, %1)
      return %3
"""


def test_factors_go_from_call_to_call():
    out = after(RECURSION.replace("          CHANGED\n", "").replace("RESULT", "%2"))
    main, function = out.split("function g")
    assert "matmul" not in function and "add(" not in function and function.count("list_append") == 2
    assert main.count("list_stack") == 2 and main.count("transpose_a=True") == 1


@pytest.mark.parametrize(
    ("changed", "result"),
    [
        ("%3: float64[6,6] = tanh(%2)", "%3"),  # no sum
        ("%3: float64[6,6] = add(%2, %2)", "%3"),  # it counts twice
        ("%3: float64[6,6] = zeros(shape=(6, 6), dtype=float64)", "%3"),  # the inner calls' does not count
    ],
)
def test_what_is_no_sum_over_all_calls_stays(changed, result):
    text = RECURSION.replace("CHANGED", changed).replace("RESULT", result)
    assert "list_append" not in after(text)


@pytest.mark.parametrize(("result", "products"), [("%3", 1), ("%3, %1", 2)])
def test_calls_whose_sums_are_added_up_share_the_lists(result, products):
    text = RECURSION.replace("          CHANGED\n", "").replace("RESULT", "%2")
    main = f"""
    graph f(p: bool[], a: float64[1,6], b: float64[1,6], c: float64[6,6]):
      %0: float64[6,6] = call @g(p, a, b)
      %1: float64[6,6] = call @g(p, b, a)
      %2: float64[6,6] = add(%0, c)
      %3: float64[6,6] = add(%1, %2)
      return {result}
"""
    out = after(main + text[text.index("    function g") :])
    assert out.split("function g")[0].count("transpose_a=True") == products


# Programs, by themselves and against eager gradients


def tree(left, right, node, x, w, u, b):
    if left[node] < 0:
        return ag.tanh(x[node] @ u)
    both = ag.concat([tree(left, right, left[node], x, w, u, b), tree(left, right, right[node], x, w, u, b)], 0)
    return ag.tanh(both @ w + b)


LEFT, RIGHT = np.array([1, 3, -1, -1, 5, -1, -1]), np.array([2, 4, -1, -1, 6, -1, -1])


def of_tree(root):
    def f(x, w, u, b):
        node = root + ag.cast(ag.reduce_max(x) > 9, ag.int64)  # no constant
        return ag.reduce_sum(tree(ag.constant(LEFT), ag.constant(RIGHT), node, x, w, u, b) ** 2)

    return f, [(7, 9), (18, 9), (9, 9), (9,)]


def children(node, first, count, x, w):
    total = x[node]
    for k in ag.range(count[node]):
        total = total + children(first[node] + k, first, count, x, w)
    return ag.tanh(ag.linalg.matvec(w, total))


def of_children(x, w):
    first, count = ag.constant([1, 4, 0, 6, 0, 0, 0]), ag.constant([3, 2, 0, 1, 0, 0, 0])
    return ag.reduce_sum(children(0, first, count, x, w))


def twice(n, x, w):
    if n <= 0:
        return x
    return ag.sin(twice(n - 1, ag.tanh(x @ w), w) @ w) + x @ ag.transpose(w)


def of_turns(x, w):
    total = ag.constant(0.0, ag.float64)
    for n in ag.range(4):
        if n != 2:
            total += ag.reduce_sum(twice(n, x, w) ** 2)
    return total + ag.reduce_sum(w)


def cells(n, i, j, x, table):
    if n <= 0:
        return x
    return ag.tanh(cells(n - 1, j, (i + j) % 3, x + table[i, j], table) * cells(n - 2, i, j, x, table))


def of_cells(x, table):
    return ag.reduce_sum(cells(ag.constant(7), ag.constant(1), ag.constant(2), x, table))


def parts(n, x, w, b):
    if n <= 0:
        return x
    y = ag.tanh(ag.linalg.matvec(w, parts(n - 1, x, w, b)) + b[2:10])
    return y * ag.reduce_sum(b[3:6]) + parts(n - 2, x, w, b) * b[n]


def of_parts(x, w, b):
    return ag.reduce_sum(parts(5 + ag.cast(x[0] > 9, ag.int64), x, w, b))


PROGRAMS = {
    "tree": of_tree(0),
    "leaf": of_tree(2),
    "children": (of_children, [(7, 8), (8, 8)]),
    "turns": (of_turns, [(2, 12), (12, 12)]),
    "parts": (of_parts, [(8,), (8, 8), (12,)]),
    "cells": (of_cells, [(6,), (3, 3, 6)]),
}


def arrays(shapes):
    random = np.random.default_rng(3)
    return [ag.constant(random.standard_normal(shape) * 0.4) for shape in shapes]


def gradients(f):
    def g(*xs):
        with ag.GradientTape() as tape:
            tape.watch(xs)
            y = f(*xs)
        return [ag.convert_to_tensor(d) for d in tape.gradient(y, xs, unconnected_gradients="zero")]

    return g


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("program", PROGRAMS)
def test_gradients_are_those_of_eager_execution(program, native):
    f, shapes = PROGRAMS[program]
    xs = arrays(shapes)
    staged = ag.function(gradients(f), jit_compile=native)
    for got, want in zip(staged(*xs), gradients(f)(*xs), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-14)
    assert "list<float64" in graph_text(staged.inspect(*xs).optimized_graph)


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("program", ["tree", "children"])
def test_second_order(program, native):
    f, shapes = PROGRAMS[program]

    def slope(*xs):
        return sum(ag.reduce_sum(d * d) for d in gradients(f)(*xs))

    xs = arrays(shapes)
    staged = ag.function(gradients(slope), jit_compile=native)(*xs)
    for got, want in zip(staged, gradients(slope)(*xs), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-12)
    for k, (x, got) in enumerate(zip(xs, staged, strict=True)):
        step = np.zeros(x.shape)
        step.flat[3] = 1e-5
        above, below = ([*xs[:k], x + sign * step, *xs[k + 1 :]] for sign in (1, -1))
        np.testing.assert_allclose(np.asarray(got).flat[3], (slope(*above) - slope(*below)) / 2e-5, rtol=1e-5, atol=1e-7)


HANDED = """
    graph f(n: int64[], x: float64[2], L: list<float64[2]>):
      %0: list<float64[2]> = list_new(element=float64[2])
      %1: list<float64[2]>, %2: list<float64[2]> = call @g(n, x, FIRST, SECOND, handed=2)
      %5: int64*[] = list_len(KEPT)
      return %1, %2, %5
    function g(n: int64[], x: float64[2], A: list<float64[2]>, B: list<float64[2]>):
      %0: int64*[] = constant(0)
      %1: bool[] = greater(n, %0)
      %2: list<float64[2]>, %3: list<float64[2]> = cond(%1; n, x, A, B)
        then(n, x, A, B):
          %4: list<float64[2]> = list_append(A, x)
          %5: float64[2] = sin(x)
          %6: list<float64[2]> = list_append(B, %5)
          %7: int64*[] = constant(1)
          %8: int64[] = sub(n, %7)
          %9: list<float64[2]>, %10: list<float64[2]> = call @g(%8, %5, %4, %6, handed=2)
          return %9, %10
        else(n, x, A, B):
          return A, B
      return %2, %3
"""


@pytest.mark.parametrize(("first", "second", "kept"), [("%0", "L", "%0"), ("%0", "%0", "%0"), ("L", "L", "L")])
def test_plans_hand_lists_over_and_copy_those_that_are_needed(first, second, kept):
    text = HANDED.replace("FIRST", first).replace("SECOND", second).replace("KEPT", kept)
    executable = compile_graph(verify(parse_graph(textwrap.dedent(text).lstrip())))
    given = [np.ones(2)]
    a, b, n = executable(np.int64(3), np.array([0.5, 2.0]), given)
    x = np.array([0.5, 2.0])
    rows = [x, np.sin(x), np.sin(np.sin(x)), np.sin(np.sin(np.sin(x)))]
    np.testing.assert_array_equal(a, [*(given if first == "L" else []), *rows[:3]])
    np.testing.assert_array_equal(b, [*(given if second == "L" else []), *rows[1:]])
    assert (len(given), n) == (1, len(given) if kept == "L" else 0)
    inner = next(line for line in executable.source.splitlines() if "= f_g(" in line and "x0" not in line)
    assert "[*" not in inner
