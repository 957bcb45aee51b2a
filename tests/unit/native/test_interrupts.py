"""Signals while native code runs."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

import autograph as ag
from runtime.backends.native import toolchain
from tests.architecture.sources import ROOT

pytestmark = [
    pytest.mark.skipif(not toolchain.available(), reason="llvmlite is not installed"),
    pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="timers of POSIX"),
]


@ag.function(jit_compile=True)
def forever(x):
    n = 0
    while n >= 0:
        n = n + 1 if n < 1000 else n - 1
    return x + n


@ag.function(jit_compile=True)
def nested(x, n):
    total = x
    for _ in range(n):
        i = 0
        while i < 2000000000000:
            i += 1
        total += i
    return total


class HandlerError(Exception):
    pass


@pytest.fixture
def alarm():
    def handler(*_):
        raise HandlerError

    before = signal.signal(signal.SIGALRM, handler)
    yield lambda seconds: signal.setitimer(signal.ITIMER_REAL, seconds)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("call", [lambda: forever(ag.constant(1)), lambda: nested(ag.constant(1), ag.constant(5))])
def test_a_handler_ends_a_loop(alarm, call):
    for _ in range(3):
        alarm(0.3)
        start = time.perf_counter()
        with pytest.raises(HandlerError):
            call()
        assert time.perf_counter() - start < 20


def test_a_handler_that_returns_does_not(alarm):
    seen = []
    signal.signal(signal.SIGALRM, lambda *_: seen.append(time.perf_counter()))

    @ag.function(jit_compile=True)
    def collatz_until(n):
        i, longest = 1, 0
        while i < n:
            k, steps = i, 0
            while k != 1:
                k = k // 2 if k % 2 == 0 else 3 * k + 1
                steps += 1
            if steps > longest:
                longest = steps
            i += 1
        return longest

    collatz_until(ag.constant(10, dtype=ag.int64))
    signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
    assert int(collatz_until(ag.constant(1_000_000, dtype=ag.int64))) == 524
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert len(seen) > 2


def test_control_c(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent("""
        import signal
        import autograph as ag
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's job in the background begins without
        @ag.function(jit_compile=True)
        def forever(x):
            while x > 0:
                x = x * 1.5 - x * 0.5
            return x
        print("ready", flush=True)
        try:
            forever(ag.constant(1.0))
        except KeyboardInterrupt:
            print("interrupted", flush=True)
        print(float(forever(ag.constant(-1.0))))
    """))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout.readline() == "ready\n"
    ended = threading.Timer(60, process.kill)
    ended.start()
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate()
    ended.cancel()
    assert out.split() == ["interrupted", "-1.0"]
