"""Finding the source of functions."""

import linecache
import os
import subprocess
import sys
import warnings

import pytest

import autograph.operators
from autograph.errors.catalogue import SourceUnavailableError
from autograph.load.conversion import convert_function
from autograph.source.printing import unparse
from autograph.source.reader import read_function


def text_of(f):
    return unparse(read_function(f).node)


def run(text, name="<given>"):
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    space: dict = {}
    exec(compile(text, name, "exec"), space)
    return space


def same(f):
    return f


def test_lambdas_of_one_line() -> None:
    fs = [lambda x: x + 1, lambda x: x + 2, lambda: lambda: 3, (lambda: lambda: 3)()]
    texts = ["lambda x: x + 1", "lambda x: x + 2", "lambda: lambda: 3", "lambda: 3"]
    assert [text_of(f) for f in fs] == texts
    gs = [lambda: (yield), lambda a=(lambda: 1): a, (lambda a=(lambda: 1): a)()]
    assert [text_of(g) for g in gs] == ["lambda: (yield)", "lambda a=lambda: 1: a", "lambda: 1"]


def test_lambdas_without_columns(tmp_path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from autograph.source.reader import read_function\n"
        "from autograph.source.printing import unparse\n"
        "fs = [lambda x: x + 1, lambda x: x + 2, lambda: 2, lambda: 1 + 1, lambda x: x + 1]\n"
        "for f in fs:\n"
        "    try:\n        print(unparse(read_function(f).node))\n"
        "    except Exception as e:\n        print(e.id)\n"
    )
    command = [sys.executable, "-X", "no_debug_ranges", str(script)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    shown = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
    assert shown.split("\n")[:5] == [
        "lambda x: x + 1", "lambda x: x + 2", "ambiguous-lambda", "ambiguous-lambda", "lambda x: x + 1",
    ]  # fmt: skip


def test_lambdas_over_several_lines() -> None:
    fs = [
        lambda x: (x
            * 3), lambda x: (
            x and 4),
    ]  # fmt: skip
    assert [text_of(f) for f in fs] == ["lambda x: x * 3", "lambda x: x and 4"]


def test_lines_and_columns_are_the_files() -> None:
    source = read_function(test_lambdas_of_one_line)
    node = source.node
    assert source.file == __file__
    assert source.lines[node.lineno - 1].startswith("def test_lambdas_of_one_line")
    assert (node.lineno, node.col_offset) == (test_lambdas_of_one_line.__code__.co_firstlineno, 0)


def test_classes_decorators_and_free_variables() -> None:
    class Outer:
        class _Inner:
            @same
            @same
            def __m(self, __q):
                return linecache, same, run_me

            f = lambda self, __q: self.__x

    run_me = 1
    source = read_function(Outer._Inner._Inner__m)
    assert source.class_name == "_Inner"
    assert source.free_variables == ("run_me",)
    assert len(source.node.decorator_list) == 2
    assert read_function(Outer._Inner.f).class_name == "_Inner"
    assert read_function(Outer._Inner().f).node.args.args[1].id == "__q"


def test_text_run_by_exec_with_a_linecache_entry() -> None:
    assert text_of(run("def f():\n    return 1\n")["f"]) == "def f():\n    return 1"
    # The same name with another text, as when a notebook cell is run again.
    assert text_of(run("\ndef f():\n    return 2\n")["f"]) == "def f():\n    return 2"


def test_no_source() -> None:
    space: dict = {}
    exec(compile("def f(): return 1", "<nowhere>", "exec"), space)
    with pytest.raises(SourceUnavailableError) as raised:
        read_function(space["f"])
    assert "'f' is not available" in str(raised.value)
    assert '"<nowhere>", line 1' in str(raised.value)


def test_changed_file() -> None:
    f = run("def f(a): return 1\n", "<changed>")["f"]
    run("\ndef g(): return 1\n", "<changed>")
    with pytest.raises(SourceUnavailableError, match="changed"):
        read_function(f)
    linecache.cache["<changed>"] = (1, None, ["def (\n"], "<changed>")
    with pytest.raises(SourceUnavailableError, match="does not parse"):
        read_function(f)


def test_readings_are_independent() -> None:
    read_function(same).node.body.clear()
    assert text_of(same) == "def same(f):\n    return f"


def test_what_python_warned_of_is_not_warned_of_again(tmp_path) -> None:
    text = 'def f(x):\n    y = "\\d"\n    try:\n        return x is 3, y\n    finally:\n        return None\n'
    path = tmp_path / "warned.py"
    path.write_text(text)
    space: dict = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(text, str(path), "exec"), space)
    before = list(warnings.filters)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert convert_function(space["f"], autograph.operators)(1) is None
    assert warnings.filters == before
