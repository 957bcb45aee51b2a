"""Compiled code on disk: kept, checked, bounded, shared between processes; and its loader."""

import ctypes
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from autograph.cli.main import main
from runtime.backends.native import cache as cache_module
from runtime.backends.native import elf, toolchain
from runtime.backends.native.cache import Cache
from tests.architecture.sources import ROOT

needs_llvm = pytest.mark.skipif(not toolchain.available(), reason="llvmlite is not installed")
posix = pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cache"


def test_what_is_written_is_read(folder):
    kept = Cache(folder)
    assert kept.read("a") is None
    kept.write("a", b"code")
    assert kept.read("a") == b"code" and Cache(folder).read("a") == b"code"
    assert [Path(path).name for path, _, _ in kept.entries()] == ["a.o"]


DAMAGES = [lambda b: b[:-1], lambda b: b"x" + b[1:], lambda b: b[:60] + b"?" + b[61:], lambda b: b""]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_not_used(folder, damage):
    kept = Cache(folder)
    kept.write("a", b"code" * 100)
    file = folder / "a.o"
    file.write_bytes(damage(file.read_bytes()))
    assert kept.read("a") is None and not file.exists()


@posix
def test_the_folder_must_be_the_users_alone(folder):
    Cache(folder).write("a", b"code")
    assert folder.stat().st_mode & 0o777 == 0o700 and (folder / "a.o").stat().st_mode & 0o077 == 0
    folder.chmod(0o755)
    open_to_all = Cache(folder)
    assert open_to_all.read("a") is None
    open_to_all.write("b", b"code")
    assert not (folder / "b.o").exists() and open_to_all.entries() == [] and open_to_all.clear() == 0
    folder.chmod(0o700)
    assert Cache(folder).read("a") == b"code"
    link = folder.parent / "link"
    link.symlink_to(folder)
    assert Cache(link).read("a") is None


def test_a_folder_that_cannot_be_made_is_done_without(tmp_path):
    (tmp_path / "file").write_text("")
    kept = Cache(tmp_path / "file" / "cache")
    kept.write("a", b"code")
    assert kept.read("a") is None and Cache(None).read("a") is None


def test_what_was_used_longest_ago_goes_first(folder):
    kept = Cache(folder, limit=3000)
    for k, name in enumerate("abcde"):
        kept.write(name, bytes(900))
        old = time.time() - 100_000 + k
        if (folder / f"{name}.o").exists():
            os.utime(folder / f"{name}.o", (old, old))
        assert kept.read("a") is not None  # which makes it young
    assert sorted(Path(p).stem for p, _, _ in kept.entries()) == ["a", "d", "e"]
    assert kept.clear() == 3 and kept.entries() == []


def test_what_another_process_left_half_written_goes(folder):
    kept = Cache(folder)
    left = folder / "x.new"
    left.write_bytes(b"half")
    kept.write("a", b"code")
    assert left.exists()
    os.utime(left, (1, 1))
    kept.write("b", b"code")
    assert not left.exists() and kept.read("a") == b"code"


def test_many_writers(folder):
    caches = [Cache(folder, limit=20_000) for _ in range(6)]
    wrong = []

    def work(kept, k):
        for n in range(60):
            kept.write(f"{n % 10}", bytes([n % 10]) * 1000)
            found = kept.read(f"{(n * 7 + k) % 10}")
            if found is not None and found != bytes([(n * 7 + k) % 10]) * 1000:
                wrong.append(n)

    threads = [threading.Thread(target=work, args=(c, k)) for k, c in enumerate(caches)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_where_the_folder_is(monkeypatch, tmp_path):
    monkeypatch.setenv("AUTOGRAPH_CACHE", str(tmp_path / "here"))
    assert cache_module.chosen_folder() == str(tmp_path / "here")
    for off in ("", "0", "off"):
        monkeypatch.setenv("AUTOGRAPH_CACHE", off)
        assert cache_module.chosen_folder() is None
    monkeypatch.delenv("AUTOGRAPH_CACHE")
    if sys.platform != "win32":
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        assert cache_module.chosen_folder() == str(tmp_path / "autograph" / "native")
        monkeypatch.setenv("XDG_CACHE_HOME", "relative")
        assert cache_module.chosen_folder() is None


PROGRAM = """
import sys
import autograph as ag
@ag.function(jit_compile=True)
def collatz(n):
    steps = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return steps
@ag.function(jit_compile=True)
def product(x):
    return ag.tanh(x @ x)
product(ag.ones([64, 64]))
print(int(collatz(ag.constant(97))), int(collatz(ag.constant(97))), "llvmlite" in sys.modules)
"""


@needs_llvm
@pytest.mark.skipif(not elf.can_load(), reason="another loader")
def test_a_second_process_does_not_compile(tmp_path, folder):
    script = tmp_path / "script.py"
    script.write_text(PROGRAM)
    environment = {**os.environ, "AUTOGRAPH_CACHE": str(folder), "PYTHONPATH": str(ROOT)}

    def run():
        made = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False, env=environment)
        assert not made.returncode, made.stderr
        return made.stdout.split()

    assert run() == ["118", "118", "True"]
    assert run() == ["118", "118", "False"]
    for file in folder.iterdir():
        file.write_bytes(file.read_bytes()[:-3] + b"bad")
    assert run() == ["118", "118", "True"]


def test_the_command(folder, monkeypatch, capsys):
    kept = Cache(folder)
    kept.write("a", bytes(5000))
    monkeypatch.setattr("autograph.cli.cache.cache", lambda: kept)
    assert main(["cache"]) == 0
    assert capsys.readouterr().out == f"{folder}: 1 file, 4.9 KiB of at most 256.0 MiB\n"
    assert main(["cache", "--clear"]) == 0
    assert capsys.readouterr().out == f"{folder}: 1 file removed\n"
    monkeypatch.setattr("autograph.cli.cache.cache", lambda: Cache(None))
    monkeypatch.setenv("AUTOGRAPH_CACHE", "off")
    assert main(["cache"]) == 0 and "off" in capsys.readouterr().out


TABLE = """
@numbers = private constant [4 x i64] [i64 3, i64 5, i64 7, i64 9]
@counter = internal global i64 0
@text = private constant [6 x i8] c"hello\\00"
declare i64 @strlen(ptr)
declare i64 @given(i64)
define i64 @helper(i64 %x) noinline {
  %y = call i64 @given(i64 %x)
  ret i64 %y
}
define i64 @ag_run(ptr %in, ptr %out) {
  %k = load i64, ptr %in
  %p = getelementptr [4 x i64], ptr @numbers, i64 0, i64 %k
  %n = load i64, ptr %p
  %c = load i64, ptr @counter
  %c1 = add i64 %c, 1
  store i64 %c1, ptr @counter
  %l = call i64 @strlen(ptr @text)
  %h = call i64 @helper(i64 %l)
  store i64 %n, ptr %out
  %q1 = getelementptr i64, ptr %out, i64 1
  store i64 %c1, ptr %q1
  %q2 = getelementptr i64, ptr %out, i64 2
  store i64 %h, ptr %q2
  %q3 = getelementptr i64, ptr %out, i64 3
  store ptr @given, ptr %q3
  ret i64 0
}
"""


@needs_llvm
@pytest.mark.skipif(not elf.can_load(), reason="another loader")
def test_both_loaders_agree():
    callback = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(lambda n: n * 100)
    symbols = {"given": ctypes.cast(callback, ctypes.c_void_p).value}
    code = toolchain.emit(TABLE)
    for loaded in (toolchain.load(code, symbols), toolchain._load_by_llvm(code, symbols, ("ag_run",))):
        run = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p)(loaded.address("ag_run"))
        for call in (1, 2):
            given, made = (ctypes.c_int64 * 1)(call), (ctypes.c_int64 * 4)()
            assert run(given, made) == 0
            assert list(made) == [[3, 5, 7, 9][call], call, 500, symbols["given"]]


@needs_llvm
@pytest.mark.skipif(not elf.can_load(), reason="another loader")
def test_pages_are_never_writable_and_executable():
    loaded = toolchain.load(toolchain.emit(TABLE.replace("@given", "@labs")), {})
    start = loaded.address("ag_run")
    for line in Path("/proc/self/maps").read_text().splitlines():
        low, high = (int(x, 16) for x in line.split()[0].split("-"))
        if low <= start < high:
            assert line.split()[1] == "r-xp"
            return
    pytest.fail("not mapped")


def test_files_of_another_kind_are_refused():
    with pytest.raises(elf.UnknownFormatError):
        elf.load_image(b"MZ" + bytes(200), lambda name: None)
