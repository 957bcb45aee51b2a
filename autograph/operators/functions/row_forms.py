"""What Python does with two lists of which only the run knows how long they are: converted as the user's functions are.

    rows[i] < rows[j]    ->    a loop to the first items that differ
"""

from __future__ import annotations

from typing import Any

__all__: list[str] = []

__name__ = "python_forms.rows"  # functions of this package's own modules are called as they are


def ordered(compare: Any, strict: Any, a: Any, b: Any) -> Any:
    """`compare(a, b)`: the first items that differ decide, by `strict`; where there are none, how long they are."""
    i = 0
    while i < len(a) and i < len(b) and a[i] == b[i]:
        i += 1
    if i < len(a) and i < len(b):
        return strict(a[i], b[i])
    return compare(len(a), len(b))
