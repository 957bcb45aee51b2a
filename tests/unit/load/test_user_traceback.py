"""Tracebacks show the user's frames."""

import traceback

import pytest

from autograph.load import user_traceback
from autograph.load.conversion import convert_function
from autograph.load.user_traceback import hide_internal_frames, synthetic_frames
from runtime.ir.graph import Location

BOUNDARY = """
def call(f):
    try:
        return middle(f)
    except BaseException as error:
        hide(error)
        raise

def middle(f):
    try:
        return f()
    except KeyError as key:
        raise ValueError("second") from key
"""


@pytest.fixture
def call():
    file = user_traceback.__file__.replace("user_traceback", "pretended")
    space = {"hide": hide_internal_frames}
    exec(compile(BOUNDARY, file, "exec"), space)
    return space["call"]


def names(error):
    return [entry.name for entry in traceback.extract_tb(error.__traceback__)]


def user(key=False):
    if key:
        raise KeyError
    raise RuntimeError


def test_internal_frames_are_dropped(call, monkeypatch) -> None:
    monkeypatch.delenv("AUTOGRAPH_VERBOSITY", raising=False)
    with pytest.raises(RuntimeError) as raised:
        call(user)
    assert names(raised.value) == ["test_internal_frames_are_dropped", "user"]
    with pytest.raises(ValueError, match="second") as second:
        call(lambda: user(key=True))
    assert names(second.value) == ["test_internal_frames_are_dropped"]
    assert names(second.value.__cause__) == ["<lambda>", "user"]


def test_verbosity_keeps_them(call, monkeypatch) -> None:
    monkeypatch.setenv("AUTOGRAPH_VERBOSITY", "1")
    with pytest.raises(RuntimeError) as raised:
        call(user)
    assert names(raised.value)[1:] == ["call", "middle", "user"]


def test_synthetic_frame_shows_the_users_line() -> None:
    error = synthetic_frames(Location(__file__, user.__code__.co_firstlineno + 3, "user"), ValueError("late"))
    shown = "".join(traceback.format_exception(error))
    assert shown.count("File") == 1
    assert f'line {user.__code__.co_firstlineno + 3}, in user\n    raise RuntimeError\n' in shown
    synthetic_frames(Location(__file__, 1, "deeper"), error)
    assert names(error) == ["user", "deeper"]


def test_nothing_of_ours_in_a_conversion_error() -> None:
    with pytest.raises(TypeError) as raised:
        convert_function(3, None)
    hide_internal_frames(raised.value)
    assert names(raised.value) == ["test_nothing_of_ours_in_a_conversion_error"]
