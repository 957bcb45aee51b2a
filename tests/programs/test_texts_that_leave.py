"""Texts of staged tensors that code which is not converted would read: refused by name, and described in logs."""

import io
import json
import logging
import os
import re

import pytest

import autograph as ag
from autograph.errors import OperatorNotAllowedInGraphError

SEVEN = ag.constant(7)


def opened(x, folder):
    with open(f"{folder}/{x}.txt", "w") as file:
        file.write("it was made")


def written(x, folder):
    with open(folder / "log.txt", "w") as file:
        file.write("first\n")
        file.write(f"step {x}\n")


CASES = {
    "open": opened,
    "write": written,
    "mkdir": lambda x, folder: os.mkdir(f"{folder}/{x}"),
    "exists": lambda x, _: os.path.exists(f"{x}"),
    "findall": lambda x, _: re.findall("[0-9]", f"w {x}"),
    "dumps": lambda x, _: json.dumps(f"w {x}"),
}


@pytest.mark.parametrize("name", CASES)
def test_refused(name, tmp_path):
    @ag.function
    def f(x):
        CASES[name](x, tmp_path)
        return x

    with pytest.raises(OperatorNotAllowedInGraphError, match=r"is looked into \(by .*\[characters-of-tensor\]"):
        f(SEVEN)
    assert {path.name for path in tmp_path.iterdir()} <= {"log.txt"}


def test_functions_met_before_the_first_text(tmp_path):
    @ag.function
    def f(x):
        found = json.dumps("a") + json.dumps("b")
        print(f"made {x}", found)
        json.dumps(f"c {x}")
        return x

    with pytest.raises(OperatorNotAllowedInGraphError, match="by dumps"):
        f(SEVEN)


def test_a_log_names_the_tensor_and_the_line(caplog):
    log = logging.getLogger("of a trace")

    @ag.function
    def f(x):
        log.warning(f"one {x}")  # noqa: G004 (the case)
        log.warning("two %s of %d", x, 3)
        log.warning("three")
        return x

    f(SEVEN)
    first = f.python_function.__code__.co_firstlineno + 2
    assert [(r.getMessage(), r.lineno, r.filename) for r in caplog.records] == [
        ("one <Tensor staged int32[]>", first, os.path.basename(__file__)),
        ("two <Tensor staged int32[]> of 3", first + 1, os.path.basename(__file__)),
        ("three", first + 2, os.path.basename(__file__)),
    ]


def test_what_may_hold_a_text_still_does(capsys):
    @ag.function
    def f(x):
        kept = io.StringIO()
        kept.write(f"a {x}")
        parts = [f"b {x}", "c"]
        print(kept.getvalue(), " ".join(parts), isinstance(parts[0], str))
        if x < 0:
            raise ValueError(f"negative: {x}")
        return x

    f(SEVEN)
    assert capsys.readouterr().out == "a 7 b 7 c True\n"
    with pytest.raises(ValueError, match="negative: -7"):
        f(-SEVEN)
