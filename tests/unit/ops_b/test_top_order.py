"""The k largest by selection are those by sorting, among equal numbers and NaN too."""

import numpy as np
import pytest

from runtime.ops.sorting import SortOrder, TopOrder


@pytest.mark.parametrize("dtype", ["int32", "float32", "float64"])
@pytest.mark.parametrize("kinds", [2, 30, 10_000])
def test_selection_gives_what_sorting_gives(dtype, kinds):
    random = np.random.default_rng(kinds)
    for n, k in ((500, 1), (500, 7), (500, 40), (5001, 1), (5001, 4), (20_000, 12)):
        x = random.integers(0, kinds, (3, n)).astype(dtype)
        if dtype != "int32":
            x[1, random.integers(0, n, 20)] = np.nan
        expected = SortOrder.kernel(x, axis=-1, descending=True)[..., :k]
        np.testing.assert_array_equal(TopOrder.kernel(x, k=k), expected)
