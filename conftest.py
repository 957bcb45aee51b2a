"""What every doctest may use without importing it: `ag` and `np`, as the documentation does."""

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def _names_of_doctests(request: pytest.FixtureRequest) -> None:
    if isinstance(request.node, pytest.DoctestItem):
        import autograph

        namespace = request.getfixturevalue("doctest_namespace")
        namespace["ag"], namespace["np"] = autograph, np
