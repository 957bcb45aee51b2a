"""The command line, as a person or a script meets it."""

import os
import pathlib
import subprocess
import sys
import textwrap

import pytest

from autograph.cli import output as output_module
from autograph.cli.main import main

ROOT = pathlib.Path(__file__).parents[3]
GOLDENS = ROOT / "tests" / "goldens" / "cli"

MODEL = '''\
"""Functions to convert and to trace."""

import autograph as ag

LIMIT = 10


class Cell:
    def step(self, x):
        if x > 0:
            return x
        return -x


@ag.function
def newton(x, steps):
    y = x
    for _ in ag.range(steps):
        if ag.reduce_max(ag.abs(y * y - x)) < 1e-6:
            break
        y = (y + x / y) / 2
    return y


def collatz(n):
    count = 0
    while n > 1:
        if n % 2 == 0:
            n = n // 2
        else:
            n = 3 * n + 1
        count += 1
    return count


def broken(x):
    y = x + 1
    return y.no_such_method()


def scaled(x, *, factor=2.0):
    return x * factor
'''


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "model.py").write_text(MODEL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = dict(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - set(before):
        if name in ("model", "noisy", "exits", "raises"):
            del sys.modules[name]


def run(capsys, *arguments):
    """(exit status, stdout, stderr)"""
    status = main(arguments)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def refused(capsys, *arguments):
    """The message of a command that ends with status 2 and prints nothing else."""
    status, out, err = run(capsys, *arguments)
    assert status == 2
    assert out == ""
    assert "Traceback" not in err
    assert err.startswith("autograph: ")
    return err


def golden(name, text):
    """Compare with a file; write it where UPDATE_GOLDENS is set."""
    path = GOLDENS / name
    if os.environ.get("UPDATE_GOLDENS"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert text == path.read_text()


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("convert.txt", ["convert", "model.py"]),
        ("convert_function.txt", ["convert", "model.py", "--function", "collatz"]),
        ("convert_method.txt", ["convert", "model.py", "--function", "step"]),
        ("convert.diff", ["convert", "model.py", "--function", "newton", "--diff"]),
        ("graph.txt", ["graph", "model.py:collatz", "--arg", "int64[]"]),
        ("graph_optimized.txt", ["graph", "model.py:newton", "--arg", "float32[batch]", "--arg", "5", "--optimized"]),
        ("graph_plan.txt", ["graph", "model.py:collatz", "--arg", "int64[]", "--plan"]),
    ],
)
def test_goldens(folder, capsys, name, arguments):
    status, out, err = run(capsys, *arguments)
    assert (status, err) == (0, "")
    golden(name, out)


def test_convert_only_reads_the_file(folder, capsys):
    (folder / "evil.py").write_text("raise SystemExit('it ran')\ndef f(x):\n    return x\n")
    status, out, _ = run(capsys, "convert", "evil.py")
    assert status == 0
    assert out == "def f(x):\n    return x\n"


def test_convert_writes_a_file(folder, capsys):
    status, out, err = run(capsys, "convert", "model.py", "--output", "out.py")
    assert (status, out, err) == (0, "", "")
    compile((folder / "out.py").read_text(), "out.py", "exec")
    assert not list(folder.glob("*.tmp"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["convert", "nowhere.py"], ["nowhere.py: No such file or directory"]),
        (["convert", "."], ["Is a directory"]),
        (["convert", "model.py", "--function", "nope"],
         ["no function 'nope'", "Cell.step, newton, collatz, broken, scaled"]),
        (["convert", "model.py", "--output", "no/where.py"], ["no/where.py: No such file"]),
        (["graph", "model.py"], ["expected FILE:FUNCTION"]),
        (["graph", "nowhere.py:f"], ["nowhere.py: No such file"]),
        (["graph", "model.py:nope"], ["no function 'nope'", "newton, collatz, broken, scaled"]),
        (["graph", "model.py:LIMIT"], ["LIMIT is a int, not a function"]),
        (["graph", "model.py:collatz"], ["collatz(n) does not fit", "missing a required argument: 'n'"]),
        (["graph", "model.py:collatz", "--arg", "1", "--arg", "2"], ["too many positional arguments"]),
        (["graph", "model.py:Cell.step", "--arg", "1"], ["Cell.step is a method: write a function that makes the instance"]),
        (["graph", "model.py:collatz", "--arg", "int64[]", "-o", "x.png"], ["graphs are drawn to .svg or .html files"]),
        (["graph", "model.py:collatz", "--arg", "int64[3]"], ["while n > 1", "[truth-of-many]", "Instead: ag."]),
        (["graph", "model.py:collatz", "--arg", "float99[3]"], ["'float99' is no element type"]),
        (["graph", "model.py:collatz", "--arg", "float32[a+b]"], ["'a+b' is no size"]),
        (["graph", "model.py:collatz", "--arg", "hello"], ["expected dtype[sizes]", "Python literal"]),
        (["graph", "model.py:collatz", "--arg", "int64[]", "--plan", "-o", "x.svg"], ["a plan is text"]),
        (["graph", "model.py:broken", "--arg", "float32[3]"],
         ["model.py:38:12: AttributeError", "no_such_method", "return y.no_such_method()\n    ", "^"]),
        (["frobnicate"], ["invalid choice: 'frobnicate'"]),
        ([], ["required: COMMAND"]),
        (["graph", "model.py:collatz", "--plan", "--optimized"], ["does not go with"]),
    ],
)  # fmt: skip
def test_one_short_message(folder, capsys, arguments, words):
    message = refused(capsys, *arguments)
    for each in words:
        assert each in message, message
    assert len(message.splitlines()) <= 3 + ("Instead: " in message)


@pytest.mark.parametrize("command", [["convert", "bad.py"], ["graph", "bad.py:f"]])
def test_a_file_that_does_not_parse(folder, capsys, command):
    (folder / "bad.py").write_text("def f(x):\n    return (x +\n")
    message = refused(capsys, *command)
    assert message == "autograph: bad.py:2:12: '(' was never closed\n    return (x +\n           ^\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"x = 1\0\n", "null bytes"),
        (b"\xff\xfe\n", "bad.py"),
        (b"# -*- coding: klingon -*-\n", "unknown encoding"),
        (b"", "no functions"),
    ],
)
def test_files_that_are_no_python(folder, capsys, content, words):
    (folder / "bad.py").write_bytes(content)
    assert words in refused(capsys, "convert", "bad.py")


def test_what_the_file_raises_when_imported(folder, capsys):
    (folder / "raises.py").write_text("import autograph\n\nvalue = 1 / 0\ndef f(x):\n    return x\n")
    message = refused(capsys, "graph", "raises.py:f", "--arg", "1")
    assert "raises.py:3:9: ZeroDivisionError: division by zero (while importing the file)" in message
    (folder / "exits.py").write_text("import sys\nsys.exit(3)\n")
    assert "exits.py:2:1: SystemExit: 3" in refused(capsys, "graph", "exits.py:f")


def test_what_the_file_prints_stays_out_of_the_graph(folder, capsys):
    (folder / "noisy.py").write_text("print('hello')\ndef f(x):\n    return x\n")
    status, out, err = run(capsys, "graph", "noisy.py:f", "--arg", "float32[3]")
    assert status == 0
    assert out.startswith("graph f(x: float32[3]):")
    assert err == "hello\n"


def test_arguments_by_name_and_equal_sizes(folder, capsys):
    status, out, _ = run(capsys, "graph", "model.py:scaled", "--arg", "float32[n,n,None]", "--arg", "factor=3.0")
    assert status == 0
    assert out.startswith("graph scaled(x: float32[n,n,n0]):")
    assert "constant(3.0)" in out


@pytest.mark.parametrize("name", ["g.svg", "g.html"])
def test_drawing(folder, capsys, name):
    status, out, err = run(capsys, "graph", "model.py:newton", "--arg", "float32[n]", "--arg", "int64[]", "-o", name)
    assert (status, out, err) == (0, "", "")
    text = (folder / name).read_text(encoding="utf-8")
    assert "<svg" in text
    assert "while_loop" in text


def test_a_file_is_written_whole_or_not_at_all(folder, monkeypatch):
    target = folder / "out.py"
    target.write_text("before")
    target.chmod(0o640)
    monkeypatch.setattr(output_module.os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left")))
    with pytest.raises(output_module.CommandError, match="No space left"):
        output_module.write_file(str(target), "after")
    monkeypatch.undo()
    assert target.read_text() == "before"
    assert not list(folder.glob("*.tmp"))
    output_module.write_file(str(target), "after")
    assert target.read_text() == "after"
    assert target.stat().st_mode & 0o777 == 0o640


def process(folder, command, **kwargs):
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120, **kwargs)


def test_the_module_is_the_command(folder):
    done = process(folder, [sys.executable, "-m", "autograph", "convert", "model.py", "--function", "collatz"])
    assert done.returncode == 0
    assert done.stdout == (GOLDENS / "convert_function.txt").read_text()
    assert "\x1b" not in done.stdout
    done = process(folder, [sys.executable, "-m", "autograph", "convert", "nowhere.py"])
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "autograph: nowhere.py: No such file or directory\n"


def test_a_closed_pipe_is_quiet(folder):
    body = "\n".join(f"def f{k}(x):\n    return x + {k}\n" for k in range(3000))
    (folder / "long.py").write_text(body)
    done = process(folder, ["bash", "-c", f"'{sys.executable}' -m autograph convert long.py | head -1"])
    assert done.stdout == "def f0(x):\n"
    assert done.stderr == ""


def test_colours_on_a_terminal(folder):
    pytest.importorskip("rich")
    script = textwrap.dedent(
        """
        import pty, sys
        sys.exit(pty.spawn([sys.executable, "-m", "autograph", "convert", "model.py", "--function", "collatz"]) >> 8)
        """
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}
    env.pop("NO_COLOR", None)
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0
    assert "\x1b[" in done.stdout
