"""Each pass alone: text in, text out."""

import textwrap

import pytest

from runtime.ir.parse import parse_graph
from runtime.ir.text import graph_text
from runtime.ir.verify import verify
from runtime.passes.algebra import simplify
from runtime.passes.cse import share_common
from runtime.passes.dce import eliminate_dead_code
from runtime.passes.fold import fold_constants
from runtime.passes.inline import inline_calls
from runtime.passes.invariant import move_invariants
from runtime.passes.manager import run_passes
from runtime.passes.pipeline import PASSES, optimize


def after(text, *passes):
    graph = verify(parse_graph(textwrap.dedent(text)))
    return graph_text(run_passes(graph, [*passes, eliminate_dead_code], check=True))


def check(before, expected, *passes):
    assert after(before, *passes) == textwrap.dedent(expected).lstrip()


def expression(line, inputs="x: float32[n,3], k: int32[3], b: bool[], w: float64*[], j: int64*[]", *passes):
    """What `r = ...` becomes, on one line: the last definition, or what is returned."""
    text = after(f"graph f({inputs}):\n{textwrap.indent(textwrap.dedent(line).strip(), '  ')}\n  return r\n", *passes)
    lines = text.splitlines()[1:]
    return "; ".join(each.strip() for each in lines)


# Constant folding


def test_fold_keeps_python_numbers_bare():
    assert (
        expression(
            """
            %0: int64*[] = constant(2)
            %1: float64*[] = constant(0.5)
            r: float64*[] = add(%0, %1)
            """,
            "",
            fold_constants,
        )
        == "r: float64*[] = constant(2.5); return r"
    )


def test_fold_uses_numpy_for_typed_values():
    assert (
        expression(
            """
            %0: int8[2] = constant([100, 1])
            r: int8[2] = add(%0, %0)
            """,
            "",
            fold_constants,
        )
        == "r: int8[2] = constant([-56, 2]); return r"
    )


@pytest.mark.parametrize(
    "line",
    [
        "%0: int64*[] = constant(0)\nr: float64*[] = div(%0, %0)",  # raises
        "%0: float64[] = constant(0.0)\nr: float64[] = div(%0, %0)",  # warns
        "%0: int64*[] = constant(9223372036854775807)\nr: int64*[] = add(%0, %0)",  # leaves 64 bits
        "r: float64[100,100] = zeros(shape=(100, 100), dtype=float64)",  # large: made when needed
    ],
)
def test_fold_leaves_what_must_happen_at_run_time(line):
    assert "constant" in line or "zeros" in line
    assert expression(line, "", fold_constants).count("= constant") == line.count("constant")


def test_fold_decides_branches():
    check(
        """
        graph f(x: float32[]):
          %0: int64*[] = constant(3)
          %1: bool*[] = less(%0, %0)
          r: float32[] = cond(%1; x)
            then(x):
              return x
            else(x):
              %0: float32[] = neg(x)
              return %0
          s: float32[] = neg(r)
          return s
        """,
        """
        graph f(x: float32[]):
          %0: float32[] = neg(x)
          s: float32[] = neg(%0)
          return s
        """,
        fold_constants,
    )


def test_fold_decides_loops_that_do_not_run_or_run_once():
    check(
        """
        graph f(x: float32[]):
          zero: int64*[] = constant(0)
          one: int64*[] = constant(1)
          a: float32[] = for_loop(zero, x)
            body(i: int64*[], y):
              %0: float32[] = neg(y)
              return %0
          b: float32[] = for_loop(one, a)
            body(i: int64*[], y):
              %0: float32[] = add(y, i)
              return %0
          i: int64*[], c: float32[] = while_loop(one, b; zero)
            test(i, c, n):
              %0: bool*[] = less(i, n)
              return %0
            body(i, c, n):
              return i, c
          return c
        """,
        """
        graph f(x: float32[]):
          %0: int64*[] = constant(0)
          %1: float32[] = add(x, %0)
          return %1
        """,
        fold_constants,
    )


def test_fold_defines_constants_inside_regions():
    check(
        """
        graph f(x: float32[], b: bool[]):
          two: int64*[] = constant(2)
          r: float32[] = cond(b; x, two)
            then(x, two):
              %0: int64*[] = add(two, two)
              %1: float32[] = mul(x, %0)
              return %1
            else(x, two):
              return x
          return r
        """,
        """
        graph f(x: float32[], b: bool[]):
          r: float32[] = cond(b; x)
            then(x):
              %0: int64*[] = constant(4)
              %1: float32[] = mul(x, %0)
              return %1
            else(x):
              return x
          return r
        """,
        fold_constants,
    )


# Algebra


@pytest.mark.parametrize(
    ("line", "result"),
    [
        ("%0: int64*[] = constant(0)\nr: int32[3] = add(k, %0)", "return k"),
        ("%0: int64*[] = constant(0)\nr: float32[n,3] = add(x, %0)", None),  # -0.0 + 0 is 0.0
        ("%0: float64*[] = constant(-0.0)\nr: float32[n,3] = add(%0, x)", "return x"),
        ("%0: float64*[] = constant(0.0)\nr: float32[n,3] = sub(x, %0)", "return x"),
        ("%0: int64*[] = constant(1)\nr: float32[n,3] = mul(%0, x)", "return x"),
        ("%0: float64[] = constant(1.0)\nr: float64[n,3] = mul(x, %0)", None),  # another dtype
        ("%0: float32[1,1,1] = constant([[[1.0]]])\nr: float32[1,n,3] = mul(x, %0)", None),  # another shape
        ("%0: int64*[] = constant(0)\nr: float64*[] = mul(w, %0)", None),  # inf * 0
        ("%0: int64*[] = constant(0)\nr: int64*[] = mul(j, %0)", "r: int64*[] = constant(0); return r"),
        ("%0: int64*[] = constant(1)\nr: float32[n,3] = div(x, %0)", "return x"),
        ("%0: int64*[] = constant(1)\nr: float64[3] = div(k, %0)", None),
        ("%0: int64*[] = constant(2)\nr: float32[n,3] = pow(x, %0)", "r: float32[n,3] = square(x); return r"),
        ("%0: int64*[] = constant(2)\nr: float64*[] = pow(w, %0)", None),  # C's pow
        ("%0: float32[n,3] = neg(x)\nr: float32[n,3] = neg(%0)", "return x"),
        ("%0: bool[] = logical_not(b)\nr: bool[] = logical_not(%0)", "return b"),
        ("%0: bool[n,3] = equal(x, x)\nr: bool[n,3] = logical_not(%0)",
         "r: bool[n,3] = not_equal(x, x); return r"),
        ("%0: bool[n,3] = less(x, x)\nr: bool[n,3] = logical_not(%0)", None),  # NaN
        ("%0: bool*[] = less(j, j)\nr: bool*[] = logical_not(%0)", "r: bool*[] = greater_equal(j, j); return r"),
        ("%0: float32[3,n] = transpose(x, perm=(1, 0))\nr: float32[n,3] = transpose(%0, perm=None)", "return x"),
        ("%0: float32[n,1,3] = reshape(x, shape=($n, 1, 3))\nr: float32[m] = reshape(%0, shape=(-1,))",
         "r: float32[m] = reshape(x, shape=(-1,)); return r"),
        ("r: float32[n,3] = cast(x, dtype=float32)", "return x"),
        ("r: float64[] = cast(w, dtype=float64)", None),  # a bare number becomes typed
        ("r: float32[n,3] = identity(x)", "return x"),
        ("r: float32[n,3] = sum_to_like(x, x)", "return x"),
        ("r: float32[n,3] = maximum(x, x)", "return x"),
        ("%0: bool*[] = constant(True)\nr: bool[] = logical_and(b, %0)", "return b"),
        ("r: float32[n,3] = where(b, x, x)", "return x"),
    ],
)  # fmt: skip
def test_algebra(line, result):
    found = expression(line, "x: float32[n,3], k: int32[3], b: bool[], w: float64*[], j: int64*[]", simplify)
    if result is None:
        assert found == expression(line)
    else:
        assert found == result


# Common subexpressions


def test_equal_nodes_are_one():
    check(
        """
        graph f(x: float32[], n: int64*[]):
          a: float32[] = exp(x)
          b: float32[] = exp(x)
          c: float32[] = add(a, b)
          %0: int64*[] = constant(1)
          %1: bool*[] = constant(True)
          d: float32[] = mul(c, %0)
          e: float32[] = mul(d, %1)
          return e
        """,
        """
        graph f(x: float32[], n: int64*[]):
          a: float32[] = exp(x)
          c: float32[] = add(a, a)
          %0: int64*[] = constant(1)
          %1: bool*[] = constant(True)
          d: float32[] = mul(c, %0)
          e: float32[] = mul(d, %1)
          return e
        """,
        share_common,
    )


def test_regions_reuse_what_their_surroundings_computed():
    check(
        """
        graph f(x: float32[], n: int64*[], b: bool[]):
          a: float32[] = exp(x)
          s: float32[] = for_loop(n, a; x, b)
            body(i, s, x, b):
              r: float32[] = cond(b; x, s)
                then(x, s):
                  %0: float32[] = exp(x)
                  return %0
                else(x, s):
                  return s
              t: float32[] = add(s, r)
              return t
          return s
        """,
        """
        graph f(x: float32[], n: int64*[], b: bool[]):
          a: float32[] = exp(x)
          s: float32[] = for_loop(n, a; b, a)
            body(i, s, b, a):
              r: float32[] = cond(b; s, a)
                then(s, a):
                  return a
                else(s, a):
                  return s
              t: float32[] = add(s, r)
              return t
          return s
        """,
        share_common,
    )


def test_effects_are_never_shared():
    text = """
        graph f(x: float32[]):
          print_(x, template=('x', (0, '')), stream='stdout')
          print_(x, template=('x', (0, '')), stream='stdout')
          return x
        """
    check(text, text, share_common)


# Loops


def test_what_never_changes_becomes_invariant_and_moves_out():
    check(
        """
        graph f(x: float32[n], w: float32[n], limit: int64*[]):
          zero: int64*[] = constant(0)
          i: int64*[], s: float32[n], k: float32[n] = while_loop(zero, x, w; limit)
            test(i, s, k, limit):
              %0: bool*[] = less(i, limit)
              return %0
            body(i, s, k, limit):
              %0: int64*[] = constant(1)
              %1: int64*[] = add(i, %0)
              e: float32[n] = exp(k)
              %2: float32[n] = mul(s, e)
              return %1, %2, k
          return s, k
        """,
        """
        graph f(x: float32[n], w: float32[n], limit: int64*[]):
          zero: int64*[] = constant(0)
          e: float32[n] = exp(w)
          i: int64*[], s: float32[n] = while_loop(zero, x; limit, e)
            test(i, s, limit, e):
              %0: bool*[] = less(i, limit)
              return %0
            body(i, s, limit, e):
              %0: int64*[] = constant(1)
              %1: int64*[] = add(i, %0)
              %2: float32[n] = mul(s, e)
              return %1, %2
          return s, w
        """,
        move_invariants,
    )


LOOP = """
graph f(x: int64[3], y: int64[3], n: int64*[], c: float64[4,4]):
  count: int64*[] = {count}
  s: {type} = for_loop(count, {start}; x, y, c)
    body(i, s, x, y, c):
      {before}
      v: {type} = {op}
      r: {type} = add(s, v)
      return r
  return s
"""


@pytest.mark.parametrize(
    ("op", "count", "before", "moves"),
    [
        ("mul(x, y)", "neg(n)", "", True),
        ("pow(x, y)", "neg(n)", "", False),  # may raise, and the loop may not run
        ("pow(x, y)", "constant(5)", "", True),  # raises anyway
        ("pow(x, y)", "constant(5)", "print_(s, template=('a',), stream='stdout')", False),  # but not before this
        ("matmul(c, c)", "neg(n)", "", False),  # dear, and the loop may not run
        ("matmul(c, c)", "constant(5)", "", True),
        ("neg(s)", "constant(5)", "", False),
    ],
)
def test_what_moves_out_of_loops(op, count, before, moves):
    kind, start = ("float64[4,4]", "c") if "matmul" in op else ("int64[3]", "x")
    text = LOOP.format(op=op, count=count, before=before, type=kind, start=start)
    lines = after("\n".join(line for line in text.splitlines() if line.strip()), move_invariants).splitlines()
    loop = next(k for k, line in enumerate(lines) if "for_loop" in line)
    assert any(" v:" in line for line in lines[:loop]) is moves


def test_nested_loops_move_all_the_way():
    text = after(
        """
        graph f(x: float32[n], m: int64*[]):
          s: float32[n] = for_loop(m, x; x, m)
            body(i, s, x, m):
              t: float32[n] = for_loop(m, s; x)
                body(j, t, x):
                  e: float32[n] = exp(x)
                  u: float32[n] = mul(t, e)
                  return u
              return t
          return s
        """,
        move_invariants,
    )
    assert text.splitlines()[1] == "  e: float32[n] = exp(x)"


# Calls


def test_small_functions_are_inlined_recursive_ones_called():
    check(
        """
        graph main(n: int64[]):
          a: int64[] = call @twice(n)
          b: int64[] = call @fact(a)
          return b

        function twice(x: int64[]):
          y: int64[] = add(x, x)
          return y

        function fact(n: int64[]):
          m: int64[] = call @twice(n)
          r: int64[] = call @fact(m)
          return r
        """,
        """
        graph main(n: int64[]):
          y: int64[] = add(n, n)
          b: int64[] = call @fact(y)
          return b

        function fact(n: int64[]):
          y: int64[] = add(n, n)
          r: int64[] = call @fact(y)
          return r
        """,
        inline_calls,
    )


# The list


def test_optimize_runs_all_passes():
    graph = parse_graph("graph f(x: int64[]):\n  %0: int64*[] = constant(0)\n  y: int64[] = add(x, %0)\n  return y\n")
    assert graph_text(optimize(graph)) == "graph f(x: int64[]):\n  return x\n"


def test_passes_are_near_linear():
    import sys

    def calls(count):
        lines = [f"  v{k + 1}: float64[] = add(v{k}, v{k})" for k in range(count)]
        text = "graph f(v0: float64[]):\n" + "\n".join(lines) + f"\n  return v{count}\n"
        graph, made = parse_graph(text), 0

        def count_call(frame, event, argument):
            nonlocal made
            made += event in ("call", "c_call")

        before = sys.getprofile()
        sys.setprofile(count_call)
        try:
            run_passes(graph, PASSES)
        finally:
            sys.setprofile(before)
        return made

    calls(100)
    assert calls(2000) < 12 * calls(200)
