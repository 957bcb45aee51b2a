"""What all functions share is compiled beside the first call, which does not wait for it."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from runtime.backends.native import elf, objects, toolchain
from runtime.backends.native.ahead import Ahead

pytestmark = pytest.mark.skipif(
    not toolchain.available() or objects.offsets() is None, reason="no compiler, or another layout of objects"
)
PROGRAM = "; quick\ndefine i64 @ag_run(ptr %in, ptr %out) {{\n  ret i64 {}\n}}"


def texts_of(*numbers):
    return lambda: [PROGRAM.format(n) for n in numbers]


@pytest.fixture
def emitted(monkeypatch):
    """The texts that are compiled, and by which thread."""
    found = []
    emit = toolchain.emit
    monkeypatch.setattr(toolchain, "emit", lambda text: (found.append((text, threading.current_thread())), emit(text))[1])
    return found


def test_what_is_not_on_hand_is_made_by_another_thread_and_once(emitted):
    ahead, texts = Ahead(), texts_of(7001, 7002)
    assert not ahead.ready(texts)
    ahead.wait()
    assert ahead.ready(texts)
    assert [text for text, _ in emitted] == texts()
    assert threading.current_thread() not in [thread for _, thread in emitted]
    assert toolchain.compile_text(texts()[0], {}).address("ag_run")
    assert len(emitted) == 2
    assert Ahead().ready(texts_of(7001)) and len(emitted) == 2  # on disk


def test_several_are_made_in_turn(emitted):
    ahead, first, second = Ahead(), texts_of(7101), texts_of(7102)
    ahead.ready(first), ahead.ready(second)
    ahead.wait()
    assert ahead.ready(first) and ahead.ready(second)
    assert len(emitted) == 2


def test_nothing_waits_for_a_text_that_cannot_be_compiled():
    ahead = Ahead()

    def wrong():
        return ["no text"]

    assert not ahead.ready(wrong)
    ahead.wait()
    assert ahead.ready(wrong)
    with pytest.raises(RuntimeError):
        toolchain.compile_text(wrong()[0], {})


def test_the_end_waits_for_what_has_begun_and_nothing_begins_after_it(emitted):
    ahead, begun = Ahead(), texts_of(7202, 7203)
    ahead.ready(begun)
    ahead.end()
    assert ahead.ready(begun) and len(emitted) == 2
    assert not ahead.ready(texts_of(7201))
    assert len(emitted) == 2


def test_a_process_that_ends_at_once_leaves_all_to_the_next(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import sys\n" + SCRIPT.partition("early =")[0] + 'print(first, "llvmlite" in sys.modules)\n')
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3]), "AUTOGRAPH_CACHE": str(tmp_path / "cache")}
    for loaded in (True, not elf.can_load()):
        made = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True)
        assert made.stdout.split() == ["2.0", str(loaded)], made.stderr


SCRIPT = """
import autograph as ag
from runtime.backends.native.ahead import AHEAD

f = ag.function(lambda x: x + 1, jit_compile=True)
x = ag.constant(1.0)
first = float(f(x))
early = len(f._fast.entries)
between = float(f(x))
AHEAD.wait()
for _ in range(3):
    last = float(f(x))
print(first, between, last, early, len(f._fast.entries))
"""


@pytest.mark.parametrize("off", [False, True])
def test_a_first_call_on_a_new_machine(tmp_path, off):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    here = str(Path(__file__).parents[3])
    environment = os.environ | {"PYTHONPATH": here, "AUTOGRAPH_CACHE": "off" if off else str(tmp_path / "cache")}
    for early in (0, 0 if off else 1):  # the second process finds all on disk
        made = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True)
        assert made.stdout.split() == ["2.0", "2.0", "2.0", str(early), "1"], made.stderr
        assert not made.stderr
