"""What NumPy does with lists and numbers that only the run knows, as Python's loops: converted as the user's are.

    np.concatenate(groups)    ->    a loop that puts each group's numbers behind those before

NumPy's functions are called as ever where it knows how many there are.
"""

from __future__ import annotations

from typing import Any

__all__: list[str] = []

__name__ = "python_forms.numpy"  # functions of this package's own modules are called as they are


def chained(lists: Any) -> Any:
    joined: list[Any] = []
    for items in lists:
        joined.extend(items)
    return joined


def applied(function: Any, rows: Any, args: Any, kwargs: Any) -> Any:
    return [function(row, *args, **kwargs) for row in rows]


def polyval(p: Any, x: Any, zero: Any) -> Any:
    found = zero
    for c in p:
        found = found * x + c
    return found
