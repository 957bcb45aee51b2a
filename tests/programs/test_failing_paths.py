"""What only fails where a path is taken: an empty list, a dictionary without the key, a division of Python's numbers."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest

import autograph as ag
from tests.programs.harness import Programs, Py

PROGRAMS = Programs()
V = np.array([0.5, -1.0, 2.0])
CODE = np.array([[0, 3], [0, 4], [1, 0], [0, 2]])


@PROGRAMS.add((CODE,), (CODE[:1],), traces=2)
def stack_machine(code):
    stack, at = [], 0
    while at < len(code):
        op, value = code[at]
        at += 1
        if op == 0:
            stack.append(value)
        elif op == 1:
            stack.append(stack.pop() + stack.pop())
        else:
            raise ValueError("bad op")
    return stack, at


@PROGRAMS.add((2.0, 3, Py(True)), (2.0, 0, Py(False)), traces=2)
def unbound_locals_caught(x, n, flag):
    u = x
    if flag:
        del u
    try:
        for i in range(n):
            if flag:
                last = i
            try:
                x += u * last
            except UnboundLocalError:
                x += 0.5
        total = u + x
    except Exception as error:
        try:
            total = u
        except UnboundLocalError:
            total = -x
        text = type(error).__name__
    else:
        text = "none"

    def reads():
        try:
            return later
        except UnboundLocalError:
            return "local"
        except NameError:
            return "free"

    found = reads()
    later = 1.0
    return total, text, found, reads()


@PROGRAMS.add((2.0, 3), (2.0, 0))
def caught_beside_what_the_turn_makes(x, n):
    total = x
    for _ in range(n):
        xs = [x]
        try:
            if total is None:
                unset = 1.0
            total += unset
        except UnboundLocalError as error:
            total += len(type(error).__name__)
        try:
            total += xs[3]
        except IndexError as error:
            total += len(type(error).__name__)
        if total > 30.0:
            xs[0] = x * 2.0
        total += xs[0]
    return total


@PROGRAMS.add((CODE, 1), (CODE, 9), gradients=False)
def an_exception_of_the_library(x, n):
    found = 0
    try:
        found += x[n][0]
    except ag.errors.OutOfRangeError:
        found -= 5
    except IndexError:  # of the array that Python has
        found -= 5
    return found


class Held:
    def __init__(self, x):
        self.xs = [x]

    @property
    def mean(self):
        return sum(self.xs) / len(self.xs)


@PROGRAMS.add((0.5, 2, V), gradients=False)
def a_try_that_turns_out_to_be_pythons(x, n, v):
    vs, held, total = [v, v * 0.5], Held(x), x
    try:
        vs = vs[:3] + [np.tanh(v)]
        total = sum([x for h in held.xs if held.mean < h])
        if x <= np.tanh(x):
            return n
    except Exception:
        total = -x
    return vs, held.xs, total + x


@PROGRAMS.add((2.0, 3), (2.0, 0), gradients=False)
def one_exception_or_another(x, n):
    print("given", n)
    if n > 2:
        raise KeyError("k")
    raise ValueError("v")


@PROGRAMS.add((2.0, 3), (2.0, 0), (2.0, 1), gradients=False)
def another_exception_of_a_finally(x, n):
    try:
        if n < 1:
            raise IndexError
        x += 1.0
    finally:
        print(x)
        if n > 2:
            raise KeyError("k")
        raise ZeroDivisionError


@PROGRAMS.add((-9,), (-1,))
def paths_not_taken(x):
    xs, table = [], {}
    if x > 0:
        x += xs[0]
    if x > 5:
        x += table["k"]
    if x > 7:
        x = 1 // 0
    return x


@PROGRAMS.add((0.0, 1.0, 3), (0.0, 2.0, 1))
def romberg(a, b, n):
    rows = []
    for i in range(n):
        h = (b - a) / 2**i
        if i == 0:
            row = [h / 2 * (a**4 + b**4)]
        else:
            row = [rows[i - 1][0] / 2 + h * sum((a + (2 * k - 1) * h) ** 4 for k in range(1, 2 ** (i - 1) + 1))]
            for j in range(1, i + 1):
                row.append(row[j - 1] + (row[j - 1] - rows[i - 1][j - 1]) / (4**j - 1))
        rows.append(row)
    return rows[-1][-1]


@PROGRAMS.add((np.array([[5, 6], [1, 2], [2, 4]]),), (np.zeros((0, 2), np.int64),), traces=2)
def merged_intervals(intervals):
    out = []
    for start, end in sorted(intervals, key=lambda pair: pair[0]):
        if out and start <= out[-1][1]:
            out[-1][1] = max(out[-1][1], end)
        else:
            out.append([start, end])
    return out


test_eager, test_staged, test_gradients = PROGRAMS.tests()


@pytest.mark.parametrize(("value", "error"), [(1, IndexError), (-1, KeyError), (-3, ZeroDivisionError), (-9, None)])
@pytest.mark.parametrize("native", [False, True])
def test_taken_they_fail_as_in_python(value: int, error: type[Exception] | None, native: bool) -> None:
    def failing(x):
        if x > 0:
            [].pop()
        if x > -2:
            x += {}["k"]
        if x > -5:
            x = 1 // 0
        return x

    staged = ag.function(failing, jit_compile=native)
    if error is None:
        assert int(staged(ag.constant(value))) == value
        return
    with pytest.raises(error) as caught:
        staged(ag.constant(value))
    with pytest.raises(error) as wanted:
        failing(value)
    assert caught.value.args == wanted.value.args


@pytest.mark.parametrize("jit_compile", [False, True])
def test_exceptions_of_the_library_are_caught_with_the_words_they_have_eagerly(jit_compile):
    def f(x, n):
        found = []
        try:
            found.append(x[n])
        except (KeyError, ag.errors.OutOfRangeError) as error:
            print("index:", error)
        try:
            found.append(ag.reduce_sum(x[:n] + x[1:]))
        except ag.errors.InvalidArgumentError as error:
            print("shapes:", error)
        try:
            found.append(ag.reduce_sum(ag.reshape(x, [n, 2])))
        except ag.errors.OpError:
            print("reshape")
        try:
            if n > 4:
                raise ValueError("could not be broadcast")
        except ValueError as error:
            print(type(error).__name__, error)
        return len(found)

    staged, x = ag.function(f, jit_compile=jit_compile), ag.constant([1.0, 2.0, 3.0])
    for n in (0, 2, 3, 7):
        said = []
        for g in (f, staged):
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                count = int(g(x, ag.constant(n)))
            said.append((count, printed.getvalue()))
        assert said[0] == said[1]
    assert "index 7" in said[1][1] and "could not be" in said[1][1]
