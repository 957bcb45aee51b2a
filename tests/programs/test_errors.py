"""Errors in staged code: the user's file, line and type, whether they come while tracing or while running."""

import linecache
import os
import pickle
import subprocess
import sys
import textwrap
import traceback

import numpy as np
import pytest

import autograph as ag

HERE = os.path.abspath(__file__)
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
INTERNAL = tuple(os.path.join(ROOT, folder) + os.sep for folder in ("autograph", "runtime"))
ONE = ag.constant(np.float64(1.0))
V = ag.constant(np.array([1.0, 2.0, 3.0]))


def fails(function, *arguments):
    """The error of a staged call; its traceback has no internal frame, and its innermost line is the marked one."""
    staged = ag.function(function)
    with pytest.raises(Exception) as caught:  # noqa: PT011
        staged(*arguments)
    error = caught.value
    frames = traceback.extract_tb(error.__traceback__)
    files = [f.filename for f in frames]
    assert not [f for f in files if f.startswith(INTERNAL)], files
    assert frames[-1].filename == HERE, frames
    assert "# here" in linecache.getline(HERE, frames[-1].lineno), frames[-1]
    return error


class OwnError(Exception):
    def __init__(self, code, reason):
        super().__init__(code, reason)
        self.code = code


def test_raised_while_tracing_in_nested_branches_and_loops():
    def f(x, n):
        for i in range(n):
            if x > 0:
                while x < 10:
                    x = x + i
                    missing.attribute  # noqa: B018, F821 # here
        return x

    error = fails(f, ONE, ag.constant(2))
    assert type(error) is NameError


def test_raised_while_tracing_in_a_called_function():
    def helper(x):
        if x > 0:
            return {}["key"]  # here
        return x

    def f(x):
        return helper(x) + 1

    assert type(fails(f, ONE)) is KeyError


def test_own_exception_keeps_type_and_attributes():
    def f(x):
        if x.shape == ():
            raise OwnError(7, "why")  # here
        return x

    error = fails(f, ONE)
    assert type(error) is OwnError
    assert error.code == 7


def test_own_exception_under_a_tensor_condition():
    def f(x):
        if x > 0:
            raise OwnError(7, "why")  # here
        return x

    error = fails(f, ONE)
    assert type(error) is OwnError
    assert error.args == (7, "why")
    assert float(ag.function(f)(-ONE)) == -1.0


def test_message_with_a_tensor_in_it():
    def f(x):
        for i in range(ag.constant(3)):
            if x * i > 1:
                raise ValueError(f"{i} is too much for {x}")  # here
        return x

    assert str(fails(f, ONE)) == "2 is too much for 1.0"


def test_shape_mismatch_while_tracing():
    def f(x, y):
        if y > 0:
            return x @ ag.ones([4, 2])  # here
        return x

    assert isinstance(fails(f, ag.ones([2, 3]), ONE), (ValueError, ag.errors.InvalidArgumentError))


def test_index_out_of_range_at_run_time():
    def f(x, i):
        if x[0] > 0:
            y = x[i]  # here
        else:
            y = x[0]
        return y * 2

    assert isinstance(fails(f, V, ag.constant(7)), IndexError)
    assert float(ag.function(f)(V, ag.constant(1))) == 4.0


def test_list_index_out_of_range_at_run_time():
    def f(x, n):
        items = []
        for i in range(n):
            items.append(x * i)
        return items[5]  # here

    assert isinstance(fails(f, ONE, ag.constant(3)), IndexError)


def test_pop_from_an_empty_list_at_run_time():
    def f(x, n):
        items = [x]
        for _ in range(n):
            items.pop()  # here
        return len(items)

    assert isinstance(fails(f, ONE, ag.constant(3)), IndexError)


def test_division_of_python_integers_by_zero():
    def f(x, n):
        k = 0
        for i in range(n):
            k = 10 // (2 - int(i))  # here
        return x * k

    assert isinstance(fails(f, ONE, ag.constant(4)), ZeroDivisionError)


def test_assertion_with_a_message():
    def f(x, n):
        for i in range(n):
            assert x > i, f"{x} is not above {i}"  # here
        return x

    error = fails(f, ONE, ag.constant(4))
    assert repr(error) == "AssertionError('1.0 is not above 1')"
    assert isinstance(error, AssertionError)
    assert isinstance(error, ag.errors.InvalidArgumentError)  # what TensorFlow's programs wait for
    assert repr(pickle.loads(pickle.dumps(error))) == repr(error)


def test_assertion_is_no_value_error_for_a_staged_except():
    @ag.function
    def f(x):
        try:
            assert x > 1
        except ValueError:
            return 1
        except AssertionError:
            return 2
        return 0

    assert [int(f(ag.constant(x))) for x in (0, 5)] == [2, 0]


def test_unbound_name_at_run_time():
    def f(x):
        if x > 2:
            y = x
        return y * 2  # here

    error = fails(f, ONE)
    assert isinstance(error, UnboundLocalError)
    assert "'y'" in str(error)


def test_unbound_name_returned_at_run_time():
    @ag.function
    def f(x):
        if x > 2:
            y = x
        return y

    with pytest.raises(UnboundLocalError, match="'y'"):
        f(ONE)
    assert float(f(ONE * 3)) == 3.0


def test_none_used_as_a_number_at_run_time():
    def f(x):
        best = None
        if x > 2:
            best = x
        return best + 1  # here

    assert isinstance(fails(f, ONE), TypeError)


def test_error_in_a_branch_that_is_not_taken_does_no_harm():
    def f(x, i):
        if i < 3:
            return x[i]
        return x[0] * 10

    staged = ag.function(f)
    assert float(staged(V, ag.constant(7))) == 10.0
    assert float(staged(V, ag.constant(2))) == 3.0


def test_finally_and_except_around_an_error_of_the_trace():
    def f(x):
        try:
            y = {}["missing"]
        except KeyError:
            y = x * 2
        finally:
            y = y + 1
        return y

    assert float(ag.function(f)(ONE)) == 3.0


def test_after_an_error_the_function_works():
    @ag.function
    def f(x, n):
        items = [x]
        return items[n] + 1

    with pytest.raises(IndexError):
        f(ONE, ag.constant(3))
    assert float(f(ONE, ag.constant(0))) == 2.0


def test_state_is_as_before_when_tracing_fails():
    class Box:
        value = 1.0

    box = Box()

    @ag.function
    def f(x):
        if x > 0:
            box.value = x * 2
        raise OwnError(1, "no")

    with pytest.raises(OwnError):
        f(ONE)
    assert box.value == 1.0


PROGRAM = """\
import autograph as ag

@ag.function
def f(x, n):
    s = x
    for i in range(n):
        if s > 2:
            s = s * 0.5
        else:
            s = s + i
    return s

def unused(x):
    return x

print("result", float(f(ag.constant(1.0), ag.constant(5))))
"""


def run(tmp_path, *arguments, stdin=""):
    file = tmp_path / "program.py"
    file.write_text(PROGRAM)
    environment = {**os.environ, "PYTHONPATH": ROOT}
    done = subprocess.run(
        [sys.executable, *arguments, str(file)],
        input=textwrap.dedent(stdin),
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=environment,
    )
    return done.stdout + done.stderr


def test_pdb_stops_at_lines_of_converted_functions(tmp_path):
    out = run(tmp_path, "-m", "pdb", stdin="b 8\nb 10\nc\np s\nw\nc\nclear 1\nclear 2\nc\nq\n")
    assert "program.py(8)" in out
    assert "-> s = s * 0.5" in out
    assert "-> s = s + i" in out
    assert "Tensor staged" in out
    assert "result 6.0" in out, out


DEBUGGED = """\
import autograph as ag

class Sum:
    def __init__(self):
        self.total = ag.constant(0.0)

    def add(self, x):
        self.total = self.total + x
        y = x * 2
        if y > 3:
            y = y - self.total
        return y

total = Sum()

@ag.function
def f(x, n):
    i = 0
    kept = []
    while i < n:
        x = total.add(x)
        kept.append(x)
        if x > 5:
            break
        i = i + 1
    best = None
    for v in kept:
        if best is None or v > best:
            best = v
    return x, best

x, best = f(ag.constant(1.0), ag.constant(5))
print("result", float(x), float(best), float(total.total))
"""


def test_looking_at_variables_changes_no_result(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "PROGRAM", DEBUGGED)
    commands = "b 11\nb 28\nc\np y\np locals()\nup\np locals()\nc\np best\nclear 1\nc\np best\nw\nclear 2\nc\nq\n"
    out = run(tmp_path, "-m", "pdb", stdin=commands)
    assert "Tensor staged" in out, out
    assert "result -4.0 2.0 4.0" in out, out


def test_breakpoints_in_the_text_change_no_result(tmp_path, monkeypatch):
    text = DEBUGGED.replace("            break\n", "            breakpoint()\n            break\n")
    monkeypatch.setitem(globals(), "PROGRAM", text)
    out = run(tmp_path, stdin="p x\np locals()\nw\nup\np locals()\n" + "c\n" * 20)
    assert "Tensor staged" in out, out
    assert "result -4.0 2.0 4.0" in out, out


def test_coverage_counts_lines_of_converted_functions(tmp_path):
    coverage = pytest.importorskip("coverage")
    out = run(tmp_path, "-m", "coverage", "run", "--include=*program.py")
    assert "result 6.0" in out, out
    data = coverage.CoverageData(str(tmp_path / ".coverage"))
    data.read()
    (file,) = data.measured_files()
    lines = set(data.lines(file))
    assert {5, 6, 7, 8, 10, 11} <= lines
    assert 14 not in lines
