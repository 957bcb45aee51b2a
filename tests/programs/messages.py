"""What tests of error messages share: wrong programs, each with the line, the reason and the way out it must show."""

import traceback

import pytest


def collector():
    """A list of cases, and the decorator that adds a program to it."""
    cases = []

    def wrong(line, reason, way_out=""):
        """The user's line that the traceback ends with, words of the reason, words of what to do (if it is not plain)."""

        def register(program):
            cases.append((program, line, reason, way_out))
            return program

        return register

    return cases, wrong


def check(program, line, reason, way_out, file):
    """Run a wrong program of `file` and look at what its user sees."""
    with pytest.raises(Exception) as raised:  # noqa: PT011 (each case says what its message holds)
        program()
    entries = traceback.extract_tb(raised.value.__traceback__)
    users = [entry for entry in entries if entry.filename == file]
    assert line in users[-1].line
    text = "".join(traceback.format_exception_only(raised.value))  # with its notes
    assert reason in text
    assert way_out in text
    in_a_graph = [entry for entry in users if entry.name == "f"]
    if in_a_graph:  # there, nothing of ours is shown
        assert entries[-1].filename == file, [entry.filename for entry in entries]
