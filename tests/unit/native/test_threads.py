"""The pool of threads: every iteration runs once, whoever calls, however many there are."""

import ctypes
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import autograph as ag
from runtime.backends.native import threads, toolchain
from runtime.backends.native.compile import symbols_of
from tests.architecture.sources import ROOT

pytestmark = pytest.mark.skipif(not toolchain.available(), reason="llvmlite is not installed")

# in: array, its size, grain, repeats. Adds 1 to every number; the innermost loop is parallel, too, if nested is not 0.
ADD = """
declare void @ag_parallel(ptr, ptr, i64, i64)
define void @add(ptr %ctx, i64 %lo, i64 %hi) {
entry:
  %a = load ptr, ptr %ctx
  br label %loop
loop:
  %i = phi i64 [%lo, %entry], [%i1, %loop]
  %p = getelementptr i64, ptr %a, i64 %i
  %x = load i64, ptr %p
  %y = add i64 %x, 1
  store i64 %y, ptr %p
  %i1 = add i64 %i, 1
  %c = icmp slt i64 %i1, %hi
  br i1 %c, label %loop, label %done
done:
  ret void
}
define void @rows(ptr %ctx, i64 %lo, i64 %hi) {
entry:
  %inner = alloca [4 x i64]
  br label %loop
loop:
  %i = phi i64 [%lo, %entry], [%i1, %loop]
  %a = load ptr, ptr %ctx
  %p = getelementptr i64, ptr %a, i64 %i
  store ptr %p, ptr %inner
  call void @ag_parallel(ptr @add, ptr %inner, i64 1, i64 0)
  %i1 = add i64 %i, 1
  %c = icmp slt i64 %i1, %hi
  br i1 %c, label %loop, label %done
done:
  ret void
}
define i64 @ag_run(ptr %in, ptr %out) {
  %np = getelementptr i64, ptr %in, i64 1
  %n = load i64, ptr %np
  %gp = getelementptr i64, ptr %in, i64 2
  %g = load i64, ptr %gp
  call void @ag_parallel(ptr @FUNCTION, ptr %in, i64 %n, i64 %g)
  ret i64 0
}
"""


def adding(function="add"):
    loaded = toolchain.compile_text(ADD.replace("FUNCTION", function), symbols_of(["ag_parallel"]))
    run = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p)(loaded.address("ag_run"))

    def call(array, grain=1):
        run((ctypes.c_int64 * 3)(array.ctypes.data, len(array), grain), None)

    call.keep = loaded
    return call


@pytest.fixture(params=[1, 2, 3, 8])
def count(request):
    ag.config.threading.set_intra_op_parallelism_threads(request.param)
    yield request.param
    ag.config.threading.set_intra_op_parallelism_threads(0)


@pytest.mark.parametrize("function", ["add", "rows"])
@pytest.mark.parametrize("grain", [0, 1, 7, 1000, 10**6])
def test_every_iteration_runs_once(count, function, grain):
    call = adding(function)
    for n in (0, 1, 2, 3, 10, 999, 20_000):
        a = np.zeros(n, np.int64)
        for _ in range(5):
            call(a, grain)
        assert (a == 5).all()


def test_after_sleep_and_often(count):
    call, a = adding(), np.zeros(100, np.int64)
    for k in range(2000):
        call(a)
        if k % 200 == 0:
            time.sleep(0.005)
    assert (a == 2000).all()


def test_several_callers_at_once(count):
    call = adding()
    arrays = [np.zeros(500 + k, np.int64) for k in range(5)]

    def work(a):
        for _ in range(300):
            call(a)

    callers = [threading.Thread(target=work, args=(a,)) for a in arrays]
    for t in callers:
        t.start()
    for t in callers:
        t.join()
    assert all((a == 300).all() for a in arrays)


def test_the_number_can_change_between_calls():
    call, a = adding(), np.zeros(5000, np.int64)
    for n in (4, 1, 3, 2, 8, 1, 2):
        ag.config.threading.set_intra_op_parallelism_threads(n)
        assert threads.count() == n
        for _ in range(10):
            call(a)
    ag.config.threading.set_intra_op_parallelism_threads(0)
    assert (a == 70).all() and threads.count() == threads.default_count()
    with pytest.raises(ValueError, match="negative"):
        ag.config.threading.set_intra_op_parallelism_threads(-1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_process_has_threads_of_its_own():
    code = """
import os, numpy as np, warnings
warnings.simplefilter("ignore")
import autograph as ag
from tests.unit.native.test_threads import adding
ag.config.threading.set_intra_op_parallelism_threads(3)
call, a = adding(), np.zeros(5000, np.int64)
call(a)
child = os.fork()
if child == 0:
    for _ in range(10): call(a)
    os._exit(0 if (a == 11).all() and len(os.listdir("/proc/self/task")) == 3 else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
call(a)
print((a == 2).all())
"""
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT, timeout=60)
    assert made.stdout.split() == ["0", "True"], made.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_signals_go_to_the_main_thread_and_the_end_is_clean():
    code = """
import os, signal, numpy as np
import autograph as ag
from tests.unit.native.test_threads import adding
ag.config.threading.set_intra_op_parallelism_threads(4)
call, a = adding(), np.zeros(500000, np.int64)
call(a)
seen = []
signal.signal(signal.SIGUSR1, lambda *_: seen.append(1))
for _ in range(20):
    os.kill(os.getpid(), signal.SIGUSR1)
    call(a)
print(len(seen) > 0)
"""
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT, timeout=60)
    assert made.stdout == "True\n" and made.returncode == 0, made.stderr


def test_where_there_are_no_threads_loops_run_alone(monkeypatch):
    monkeypatch.setattr(threads, "process_symbol", lambda name: None)
    loaded = toolchain.compile_text(threads._text(), {}, threads._EXPORTS)
    symbols = {"ag_parallel": loaded.address("ag_parallel")}
    run = toolchain.compile_text(ADD.replace("FUNCTION", "rows"), symbols)
    a = np.zeros(50, np.int64)
    call = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p)(run.address("ag_run"))
    call((ctypes.c_int64 * 3)(a.ctypes.data, 50, 1), None)
    assert (a == 1).all()


def test_the_default(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert threads.default_count() == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "0")
    assert threads.default_count() >= 1
