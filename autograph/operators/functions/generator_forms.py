"""What goes over a generator that goes over itself: its items are a list that a recursive function returns."""

from __future__ import annotations

from typing import Any

__all__: list[str] = []

__name__ = "python_forms.generators"  # functions of this package's own modules are called as they are


def items_of(generator: Any, args: Any, kwargs: Any) -> list[Any]:
    """The items of a generator, called so."""
    items = []
    for item in generator(*args, **kwargs):
        items.append(item)  # noqa: PERF402 (this is what is converted)
    return items
