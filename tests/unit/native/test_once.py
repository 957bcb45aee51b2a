"""Code that all functions share is made once, whoever asks for it at the same time."""

import os
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

from runtime.backends.native.once import once


def test_threads_get_the_same_thing() -> None:
    calls: list[str] = []

    @once
    def made(name: str) -> list[str]:
        calls.append(name)
        time.sleep(0.05)
        return [name]

    found: list[list[str]] = []
    threads = [threading.Thread(target=lambda: found.append(made("a"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == ["a"]
    assert all(x is found[0] for x in found) and made("a") is found[0]
    assert made("b") == ["b"]


def test_what_fails_is_tried_again() -> None:
    calls: list[int] = []

    @once
    def made() -> int:
        calls.append(0)
        if len(calls) == 1:
            raise RuntimeError("not yet")
        return 3

    for _ in range(3):
        try:
            found = made()
        except RuntimeError:
            found = None
    assert (len(calls), found) == (2, 3)


_FIRST_CALLS = textwrap.dedent("""
    import sys
    import threading

    import autograph as ag

    sys.setswitchinterval(1e-4)
    wrong = []

    def f(x, n):
        s = x
        for i in range(n):
            s = ag.sin(s) + ag.exp(-s)
            if ag.reduce_sum(s) > 2.5:
                s = s - ag.cos(x)
        return s

    def g(x, n):
        s = x
        while ag.reduce_sum(s) < n:
            s = s * 1.5 + ag.tanh(s)
        return s

    def work(k):
        x = ag.constant([0.1 * k + 0.1 * i for i in range(3 + 40 * k)])
        n = ag.constant(3 + k)
        for h in (f, g):
            native = ag.function(h, jit_compile=True)
            got = [native(x, n).numpy() for _ in range(20)]
            if abs(got[-1] - h(x, n).numpy()).max() > 1e-3:
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print("wrong:", wrong)
""")


def test_threads_that_call_native_code_first(tmp_path: Path) -> None:
    """Each made what all share, and what only the others had was given back: the next call ran into it."""
    (tmp_path / "first_calls.py").write_text(_FIRST_CALLS)
    for turn in range(3):
        environment = {**os.environ, "AUTOGRAPH_CACHE": str(tmp_path / f"cache{turn}")}
        done = subprocess.run(
            [sys.executable, str(tmp_path / "first_calls.py")], env=environment, capture_output=True, text=True, timeout=300
        )
        assert (done.returncode, done.stdout) == (0, "wrong: []\n"), done.stderr
