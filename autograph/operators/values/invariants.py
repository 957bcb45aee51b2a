"""Shapes that a staged loop's variables are said to have in every iteration: `set_loop_options(shape_invariants=...)`.

Loops here find the shapes of their variables; what a program says of them is checked, not needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from autograph.errors.refusals import refusal
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import Place, Trace

__all__ = ["checking_invariants", "note_invariant"]


@contextmanager
def checking_invariants(trace: Trace, places: list[Place]) -> Iterator[None]:
    """Trace one turn of a loop that carries `places`; afterwards, what was said of them must be true.

    Raises:
      InvalidArgumentError: a place holds a tensor of another shape, or of one that is not known to fit.
    """
    said: list[tuple[Place, Any]] = []
    outer = trace.notes.get("invariants")
    trace.notes["invariants"] = places, said
    try:
        yield
    finally:
        trace.notes["invariants"] = outer
    for place, shape in said:
        value = place.read()
        if isinstance(value, Tensor) and not _fits(value.type.shape, shape):
            have = _shown(value.type.shape)
            raise refusal("shape-invariant", name=getattr(place, "name", "it"), have=have, want=_shown(shape))


def note_invariant(trace: Trace, value: Any, shape: Any) -> None:
    """Note that the variable that holds `value` now has this shape (None for one of any rank) after each iteration."""
    noted = trace.notes.get("invariants")
    if noted is not None:
        places, said = noted
        said.extend((place, shape) for place in places if place.read() is value)


def _fits(have: Any, want: Any) -> bool:
    if want is None:
        return True
    if have is None or len(have) != len(want):
        return False
    return all(w is None or w == h for h, w in zip(have, want, strict=True))


def _shown(shape: Any) -> str:
    return "unknown" if shape is None else str(tuple(d if isinstance(d, int) else None for d in shape))
