"""What operations say of aliasing is true: plans overwrite what they believe to be fresh."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from runtime.ops.registry import OPS, load_all

load_all()


def arrays(value: Any) -> Iterator[np.ndarray]:
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from arrays(one)


def repeats(array: np.ndarray) -> bool:
    """Whether elements are shown more than once, as in a broadcast view."""
    return any(n > 1 and step == 0 for n, step in zip(array.shape, array.strides, strict=True))


@pytest.mark.parametrize("name", sorted(OPS))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_results_share_memory_only_where_declared(name: str) -> None:
    op = OPS[name]
    declared = op.view or op.aliases
    for inputs, attrs in op.samples():
        first, second = ([*arrays(op.run(*inputs, **attrs))] for _ in range(2))
        for out in first:
            for k, given in enumerate(inputs):
                if not (declared and k == 0):
                    for array in arrays(given):
                        assert not np.shares_memory(out, array), f"{attrs}: shares memory with input {k}"
            if not declared:
                assert not any(np.shares_memory(out, other) for other in second), f"{attrs}: gives one array twice"
                assert out.flags.writeable
                assert not repeats(out)
