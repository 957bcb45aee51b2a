"""What `zip(*rows)` gives where only the run knows how long the rows are, written to be converted as the user's code is."""

from __future__ import annotations

from typing import Any

__all__ = ["columns"]

__name__ = "python_forms.builtins"  # functions of this package's own modules are called as they are


def columns(rows: Any) -> Any:
    """The lists of the rows' first items, second items, and so on: as many as the shortest row has."""
    count: Any = len(rows[0]) if len(rows) > 0 else 0
    for row in rows:
        count = min(count, len(row))
    return [[row[i] for row in rows] for i in range(count)]
