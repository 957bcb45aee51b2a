"""`autograph explain`: every kind of construct, told apart without running the file."""

import os
import pathlib
import subprocess
import sys

import pytest

from autograph.cli.main import main
from autograph.convert.explain import PYTHON, REFUSED, STAGED, explain_source
from autograph.errors.catalogue import REFUSALS

ROOT = pathlib.Path(__file__).parents[3]
GOLDENS = ROOT / "tests" / "goldens" / "cli"
PROGRAM = GOLDENS / "explained.py"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "explained.py").write_text("raise SystemExit('it was run')\n" + PROGRAM.read_text())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(name, text):
    path = GOLDENS / name
    if os.environ.get("UPDATE_GOLDENS"):
        path.write_text(text)
    assert text == path.read_text()


def run(capsys, *arguments):
    status = main(["explain", *arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_a_file_is_explained_without_running_it(folder, capsys):
    status, out, err = run(capsys, "explained.py")
    assert (status, err) == (0, "")
    check("explain.txt", out)


def test_one_function(folder, capsys):
    status, out, _ = run(capsys, "explained.py", "--function", "Model.call")
    assert status == 0
    check("explain_function.txt", out)
    assert run(capsys, "explained.py", "--function", "inner")[1].startswith("explained.py:39: Model.call.inner\n")


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("none.py", "x = 1\n", "there are no functions in this file"),
        ("broken.py", "def f(:\n", "broken.py:1:7: invalid syntax\n    def f(:\n          ^"),
        ("null.py", "def f(): return '\0'\n", "null"),
    ],
)
def test_what_cannot_be_explained(folder, capsys, name, text, says):
    (folder / name).write_text(text)
    status, out, err = run(capsys, name)
    assert (status, out) == (2, "")
    assert says in err
    assert "Traceback" not in err


def test_wrong_names(folder, capsys):
    assert run(capsys, "nowhere.py")[::2] == (2, "autograph: nowhere.py: No such file or directory\n")
    status, _, err = run(capsys, "explained.py", "--function", "nothing")
    assert status == 2
    assert "there is no function 'nothing'; there are: train" in err


def test_findings_are_told_once_with_all_their_lines():
    [report] = explain_source("def f(x):\n    if x: g()\n    if x: h()\n    if True: i()\n    return x.numpy(), x.numpy()\n")
    kinds = [(f.kind, f.syntax, f.text, f.lines) for f in report.findings]
    assert kinds == [
        (STAGED, "if", "x", (2, 3)),
        (PYTHON, "if", "True", (4,)),
        (REFUSED, "call", "x.numpy()", (5,)),
    ]
    assert REFUSALS["tensor-value"].hint in report.findings[2].reason


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("@ag.function\ndef f(n):\n    yield n", [(REFUSED, "generator", "f", (2,))]),
        ("def f(n):\n    if n: yield n", [(STAGED, "if", "n", (2,))]),
        ("def f(n):\n    try: yield n\n    except ValueError: pass", [(PYTHON, "yield", "n", (2,))]),
        ("@contextmanager\ndef f(n):\n    if n: yield n", [(PYTHON, "if", "n", (3,)), (PYTHON, "yield", "n", (3,))]),
        ("f = lambda n: 1 if n else 2", [(STAGED, "if-else", "n", (1,))]),
        ("def f(n):\n    try: g(n)\n    except (A, B): pass\n    except: pass", [(STAGED, "try", "except (A, B)", (2,))]),
        ("async def f(x):\n    if x: return x", [(PYTHON, "if", "x", (2,))]),
        ("def f(x, n):\n    math.comb(x, n)\n    math.pow(x, n)", [(REFUSED, "call", "math.comb(x, n)", (2,))]),
        ("def f(x):\n    a, *b = x\n    x.item(), b.sort()\n    return [*x], {*x}", [(REFUSED, "unpacking", "{*x}", (4,))]),
        ("def f(x):\n    np.sum(x, where=m)\n    np.ravel(x, order=k)", [(REFUSED, "call", "np.ravel(x, order=k)", (3,))]),
    ],
)
def test_what_is_refused_is_and_nothing_else(text, found):
    [report] = explain_source(text)
    assert [(f.kind, f.syntax, f.text, f.lines) for f in report.findings] == found


def test_every_construct_of_the_examples_is_explained():
    for path in sorted((ROOT / "examples").glob("*.py")):
        assert explain_source(path.read_text(), path.name)


def test_colours_on_a_terminal(folder):
    pytest.importorskip("rich")
    script = 'import pty, sys; pty.spawn([sys.executable, "-m", "autograph", "explain", "explained.py"])'
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}
    env.pop("NO_COLOR", None)
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, env=env, capture_output=True, text=True, timeout=120)
    assert "\x1b[" in done.stdout
    assert "stays Python" in done.stdout
