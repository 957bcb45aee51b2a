"""CPython's own tests over converted modules of the standard library: all of them with `-m slow`, a few always."""

from importlib.util import find_spec

import pytest

from benchmarks.transparency.__main__ import run
from benchmarks.transparency.modules import SUBJECTS
from benchmarks.transparency.worker import MODES

FEW = ("bisect", "colorsys", "graphlib", "reprlib", "textwrap")

pytestmark = pytest.mark.skipif(find_spec("test.support") is None, reason="this Python comes without CPython's tests")


def check(name: str) -> None:
    row = run(name)
    assert not row.problem
    assert row.tests > 0
    assert not row.refused
    for mode in MODES:
        assert not row.failures(mode)


@pytest.mark.parametrize("name", FEW)
def test_nothing_changes(name: str) -> None:
    check(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", [subject.name for subject in SUBJECTS])
def test_nothing_changes_anywhere(name: str) -> None:
    check(name)
