"""Errors of a run, with the type and the words that they have eagerly: by what NumPy's text tells."""

from __future__ import annotations

import re

from runtime.typesys.errors import InvalidArgumentError, OutOfRangeError, ShapeError
from runtime.typesys.late import pattern
from runtime.typesys.shapes import broadcast_many

__all__ = ["as_eager"]

# What NumPy says of shapes that do not fit, with the two sizes of a matrix product.
_SHAPES = pattern(
    r"(could not be broadcast|could not broadcast input array|cannot reshape array|input array dimensions"
    r"|all input arrays must have the same shape|to squeeze out"
    r"|mismatch in its core dimension(?:.*size (\d+) is different from (\d+))?)"
)
_OF_SIZES = {
    "negative dimensions are not allowed": "negative sizes are not allowed",
    "Maximum allowed size exceeded": "range: its delta is 0, or it has too many numbers",
}
_OPERANDS = pattern(r"\(([\d,]*)\)")


def _of_shapes(said: re.Match[str], text: str) -> str:
    """What the type rules would say, where NumPy's text tells enough."""
    if said[2]:
        return f"matmul: the inner sizes {said[3]} and {said[2]} differ"
    if reshaped := re.search(r"cannot reshape array of size (\d+) into shape \((.*?),?\)", text):
        return f"cannot reshape a tensor of {reshaped[1]} elements to ({reshaped[2].replace('newaxis', '-1')})"
    if "all input arrays" in text:
        return "cannot stack tensors of different shapes; pad them to one shape first, or keep the list as it is"
    if "could not be broadcast together" in text:
        try:
            broadcast_many(tuple(map(int, filter(None, s.split(",")))) for s in _OPERANDS.findall(text))
        except ShapeError as error:
            return str(error)
    return text.strip()


def as_eager(error: Exception) -> Exception:
    """The error of a plan with the type and the words that it has eagerly."""
    said, text = getattr(error, "__autograph_said__", None), str(error)
    if said is None and type(error) is IndexError and "is out of bounds for axis" in text:
        said = OutOfRangeError(text)
    elif said is None and type(error) is ValueError:
        if text in _OF_SIZES:
            said = InvalidArgumentError(_OF_SIZES[text])
        elif found := _SHAPES.search(text):
            said = ShapeError(_of_shapes(found, text))
    return error if said is None else said.with_traceback(error.__traceback__)
