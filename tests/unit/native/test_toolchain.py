"""LLVM IR to machine code in memory."""

import ctypes
import gc
import os
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor

import pytest

from runtime.backends.native import llvm, toolchain
from runtime.backends.native.errors import NoCompilerError
from tests.architecture.sources import ROOT

pytestmark = pytest.mark.skipif(not toolchain.available(), reason="llvmlite is not installed")

ADD = """
define i64 @ag_run(ptr %in, ptr %out) {
  %x = load i64, ptr %in
  %y = add i64 %x, 1
  store i64 %y, ptr %out
  ret i64 0
}
"""
CALLS = """
declare double @llvm.sin.f64(double)
declare i64 @given(i64)
define i64 @ag_run(ptr %in, ptr %out) {
  %x = load double, ptr %in
  %s = call double @llvm.sin.f64(double %x)
  store double %s, ptr %out
  %r = call i64 @given(i64 41)
  ret i64 %r
}
"""


def run(loaded, *slots, kind=ctypes.c_int64, results=1):
    given, made = (kind * len(slots))(*slots), (kind * results)()
    status = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p)(loaded.address("ag_run"))(given, made)
    return status, list(made)


def test_compiles_and_runs():
    assert run(toolchain.compile_text(ADD, {}), 41) == (0, [42])


def test_symbols_given_and_of_the_process():
    callback = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(lambda n: n + 1)
    loaded = toolchain.compile_text(CALLS, {"given": ctypes.cast(callback, ctypes.c_void_p).value})
    status, (result,) = run(loaded, 1.0, kind=ctypes.c_double)
    assert status == 42 and result == pytest.approx(0.8414709848078965, abs=1e-15)


def test_an_unknown_symbol_is_an_error():
    with pytest.raises(RuntimeError, match="materialize|given"):
        toolchain.compile_text(CALLS, {})


def test_text_that_is_no_ir_is_an_error():
    with pytest.raises(RuntimeError, match="expected"):
        toolchain.compile_text("define nonsense", {})


@pytest.mark.parametrize("in_a_cycle", [False, True])
def test_code_is_freed_when_its_object_is_gone(in_a_cycle):
    class Holder:
        def __del__(self):
            results.append(run(self.loaded, 41))  # even now it can be called

    holder, results = Holder(), []
    holder.loaded = toolchain.compile_text(ADD, {})
    if in_a_cycle:
        holder.myself = holder
    gc.collect()
    before = len(toolchain._unused)
    del holder
    gc.collect()
    assert results == [(0, [42])] and len(toolchain._unused) == before + 1
    toolchain.compile_text(ADD, {})
    assert len(toolchain._unused) <= 1


def test_object_code_loads_again():
    code = toolchain.emit(ADD)
    assert run(toolchain.load(code, {}), 1) == (0, [2])
    assert run(toolchain.load(code, {}), 2) == (0, [3])


def test_what_the_code_has_kept_is_freed_before_it():
    called = []
    loaded = toolchain.compile_text(ADD, {})
    address = loaded.address("ag_run")
    loaded.before_it_goes(lambda: called.append(address))
    assert run(loaded, 41) == (0, [42]) and not called
    del loaded
    gc.collect()
    assert called == [address]


def test_compiling_leaves_llvmlites_own_modules_alone(tmp_path):
    code = """
        import sys
        from runtime.backends.native import toolchain
        toolchain.emit("define i64 @ag_run() { ret i64 0 }")
        print("llvmlite.binding" in sys.modules, "pathlib" in sys.modules)
    """
    run = subprocess.run(
        [sys.executable, "-S", "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in (str(ROOT), *sys.path) if path)},
    )
    assert run.stdout == "False False\n", run.stderr


def test_another_release_of_llvmlite_is_compared_with_its_own_declarations(monkeypatch):
    llvm._compare("0.99")
    monkeypatch.setitem(llvm._FUNCTIONS, "VerifyModule", (ctypes.c_bool, (ctypes.c_void_p,)))
    with pytest.raises(NoCompilerError, match=r"VerifyModule of llvmlite 0\.99 takes other arguments"):
        llvm._compare("0.99")


def test_threads_compile_side_by_side():
    texts = [ADD.replace("1\n", f"{n}\n") for n in range(2, 18)]
    with ThreadPoolExecutor(8) as threads:
        codes = list(threads.map(toolchain.emit, texts))
    assert [run(toolchain.load(code, {}), 40) for code in codes] == [(0, [40 + n]) for n in range(2, 18)]
