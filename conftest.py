"""What every doctest may use without importing it: `ag` and `np`, as the documentation does."""

import atexit
import os
import shutil
import tempfile

import numpy as np
import pytest

if "AUTOGRAPH_CACHE" not in os.environ:  # tests neither use nor fill the user's cache
    os.environ["AUTOGRAPH_CACHE"] = tempfile.mkdtemp(prefix="autograph-tests-")
    atexit.register(shutil.rmtree, os.environ["AUTOGRAPH_CACHE"], ignore_errors=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--native`: what the tests stage is compiled, and what has no native code fails."""
    parser.addoption("--native", action="store_true", help="compile what is staged, as jit_compile=True does")


def pytest_configure(config: pytest.Config) -> None:
    """Heed `--native`; and let first calls have what second calls have."""
    from runtime.backends.native.ahead import AHEAD

    AHEAD.beside = False
    if config.getoption("--native"):
        from autograph.staging import native_code

        native_code.DEFAULT_CHOICE = True


@pytest.fixture(autouse=True)
def _names_of_doctests(request: pytest.FixtureRequest) -> None:
    if isinstance(request.node, pytest.DoctestItem):
        import autograph

        namespace = request.getfixturevalue("doctest_namespace")
        namespace["ag"], namespace["np"] = autograph, np
