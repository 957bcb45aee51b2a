"""`jit_compile`: the plan, native code, or the plan until native code is made."""

import os
import subprocess
import sys
import textwrap
import warnings

import numpy as np
import pytest

import autograph as ag
from autograph.staging import native_code
from runtime.backends.native import compile as native_compile
from runtime.backends.native import toolchain
from runtime.backends.native.errors import Unsupported
from runtime.backends.native.executable import NativeExecutable
from tests.architecture.sources import ROOT
from tests.unit.native.lowered import ADD_ONE, lowered, tensor

needs_llvm = pytest.mark.skipif(not toolchain.available(), reason="llvmlite is not installed")


@pytest.fixture
def made(monkeypatch):
    """Code generation that knows x + 1 of a float32; the graphs it was asked for."""
    asked = []

    def lower(graph):
        asked.append(graph)
        if [node.op.name for node in graph.nodes] != ["constant", "add"]:
            raise Unsupported([(node.op.name, node.location) for node in graph.nodes])
        return lowered(ADD_ONE, [tensor("float32")], [tensor("float32")], [None])

    monkeypatch.setattr(native_compile, "lower", lower)
    return asked


def add_one(x):
    return x + 1


def at_once(monkeypatch):
    """Native code is made after the first call, and found as fast as the plan by the second."""
    monkeypatch.setattr(native_code, "NATIVE_BY_DEFAULT", True)
    monkeypatch.setattr(native_code, "TRIED_CALLS", 1)
    monkeypatch.setattr(native_code, "CONTEST", 1)
    monkeypatch.setattr(native_code, "perf_counter", lambda: 0.0)


@needs_llvm
def test_true_runs_native_code_from_the_first_call(made):
    f = ag.function(add_one, jit_compile=True)
    assert float(f(ag.constant(2.5))) == 3.5
    assert type(f.get_concrete_function(ag.constant(2.5)).executable) is NativeExecutable


def test_false_never_does(made, monkeypatch):
    at_once(monkeypatch)
    f = ag.function(add_one, jit_compile=False)
    assert float(f(ag.constant(2.5))) == 3.5
    native_code.BACKGROUND.wait()
    assert not made


@needs_llvm
def test_none_runs_the_plan_until_native_code_is_made(made, monkeypatch):
    at_once(monkeypatch)
    f = ag.function(add_one)
    assert float(f(ag.constant(2.5))) == 3.5
    native_code.BACKGROUND.wait()
    assert float(f(ag.constant(3.5))) == 4.5
    assert type(f.get_concrete_function(ag.constant(2.5)).executable) is NativeExecutable
    assert float(f(ag.constant(3.5))) == 4.5


@needs_llvm
def test_none_goes_back_to_the_plan_where_that_is_faster(made, monkeypatch):
    at_once(monkeypatch)
    times = iter([0.0, 1.0, 0.0, 3.0])  # one call of the plan, one of native code
    monkeypatch.setattr(native_code, "perf_counter", lambda: next(times))
    f = ag.function(add_one)
    f(ag.constant(2.5))
    native_code.BACKGROUND.wait()
    assert float(f(ag.constant(3.5))) == 4.5
    assert type(f.get_concrete_function(ag.constant(2.5)).executable) is not NativeExecutable
    assert len(made) == 1


def test_few_calls_make_no_native_code(made):
    f = ag.function(add_one)
    for _ in range(3):
        f(ag.constant(2.5))
    native_code.BACKGROUND.wait()
    assert not made


@needs_llvm
def test_none_stays_with_the_plan_where_there_is_no_rule(made, monkeypatch):
    at_once(monkeypatch)
    f = ag.function(lambda x: x * 3)
    assert float(f(ag.constant(2.5))) == 7.5
    native_code.BACKGROUND.wait()
    assert len(made) == 1
    assert type(f.get_concrete_function(ag.constant(2.5)).executable) is not NativeExecutable


@needs_llvm
def test_true_names_what_has_no_rule_by_line(made):
    @ag.function(jit_compile=True)
    def f(x):
        y = x * 3
        return ag.sin(y)

    with pytest.raises(ag.errors.UnimplementedError) as caught:
        f(ag.constant(1.0))
    text = str(caught.value)
    line = f.python_function.__code__.co_firstlineno
    assert caught.value.id == "no-native-code"
    assert f"{__file__}:{line + 2}: mul" in text and f"{__file__}:{line + 3}: sin" in text


@needs_llvm
def test_gradients_run_as_the_function_does(made):
    f = ag.function(add_one, jit_compile=True)
    x = ag.constant(2.5)
    with ag.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    assert float(y) == 3.5
    with pytest.raises(ag.errors.UnimplementedError, match="no-native-code"):
        tape.gradient(y, x)  # its graph has no rule here


@needs_llvm
def test_a_variable_is_not_overwritten_behind_the_users_back(monkeypatch):
    """The plan may overwrite a variable's array; native code never does, and neither does the plan behind it."""
    refused = "define i64 @ag_run(ptr %in, ptr %out) {\n  ret i64 1\n}"

    def lower(graph):
        return lowered(refused, [v.type for v in graph.inputs], [v.type for v in graph.outputs],
                       [(3,) if v.type.shape else None for v in graph.outputs])

    monkeypatch.setattr(native_compile, "lower", lower)
    v = ag.Variable([1.0, 2.0, 3.0])

    @ag.function(jit_compile=True)
    def step():
        v.assign_add([1.0, 1.0, 1.0])

    held = v._value
    before = held.copy()
    step()
    np.testing.assert_array_equal(held, before)
    np.testing.assert_array_equal(v.numpy(), before + 1)


def test_without_a_compiler_the_plan_runs_with_one_warning(tmp_path):
    code = """
        import sys, warnings
        sys.modules["llvmlite"] = None
        import autograph as ag
        f = ag.function(lambda x: x + 1, jit_compile=True)
        g = ag.function(lambda x: x * 2, jit_compile=True)
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            print(float(f(ag.constant(2.5))), float(g(ag.constant(2.5))))
        print(len(seen), seen[0].category.__name__, "autograph[native]" in str(seen[0].message))
    """
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(code))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False, env=environment)
    assert run.stdout.split("\n")[:2] == ["3.5 5.0", "1 RuntimeWarning True"], run.stderr


@needs_llvm
def test_a_fault_of_ours_is_said_and_the_plan_goes_on(monkeypatch):
    at_once(monkeypatch)
    monkeypatch.setattr(native_compile, "lower", lambda graph: lowered("nonsense", [], [], []))
    seen = []
    monkeypatch.setattr(warnings, "warn", lambda text, *a, **k: seen.append(text))
    f = ag.function(add_one)
    assert float(f(ag.constant(2.5))) == 3.5
    native_code.BACKGROUND.wait()
    assert len(seen) == 1 and "could not be made" in seen[0]
    assert float(f(ag.constant(2.5))) == 3.5


@needs_llvm
def test_a_function_that_is_gone_is_not_compiled(made):
    class Owner:
        pass

    work = []
    owner = Owner()
    background = native_code._Background()
    background._thread = object()  # it does not start
    background._process = native_code.os.getpid()
    background.put(owner, work.append)
    del owner
    background._run()
    assert not work


@needs_llvm
def test_none_stays_with_the_plan_where_most_would_run_in_python(monkeypatch):
    monkeypatch.setattr(native_code, "NATIVE_BY_DEFAULT", True)
    f = ag.function(lambda x: ag.sort(x))
    x = ag.constant([2.0, 1.0])
    for _ in range(3):
        assert f(x).numpy().tolist() == [1.0, 2.0]
        native_code.BACKGROUND.wait()
    assert type(f.get_concrete_function(x).executable) is not NativeExecutable
