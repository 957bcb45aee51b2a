"""Errors of a plan, worded as they are eagerly: by the type rules of the operands, else by what NumPy's text tells."""

from __future__ import annotations

import ast
import re
from types import FrameType
from typing import Any

import numpy as np

from runtime.ir.graph import Node
from runtime.typesys.errors import InvalidArgumentError, OpError, OutOfRangeError, ShapeError
from runtime.typesys.shapes import broadcast_many
from runtime.typesys.spec import type_of_payload

__all__ = ["as_eager", "said_by_types"]

_NUMBERS = (np.ndarray, np.generic, bool, int, float, complex)


def said_by_types(node: Node, text: str, frame: FrameType, error: Exception) -> OpError | None:
    """The error of the node's type rule for the operands it had; None where the rule sees nothing wrong, or they are gone.

    `text` is what the plan ran for the node: the names in it that hold numbers are its operands, if they are as many.
    """
    refused: str = getattr(error, "id", "")
    if refused or node.regions or not isinstance(error, (ValueError, TypeError, IndexError)):
        return None
    operands = _operands(text, frame)
    if len(operands) != len(node.inputs):
        return None
    try:
        types: Any = list(map(type_of_payload, operands))
        node.op.infer(*types, **node.attrs)
    except OpError as said:
        return said
    except (TypeError, ValueError, LookupError, AttributeError):  # names that were not the operands: NumPy's words stay
        return None
    return None


def _operands(text: str, frame: FrameType) -> list[Any]:
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except SyntaxError:
        return []
    out = {id(n) for call in ast.walk(tree) if isinstance(call, ast.Call) for k in call.keywords for n in ast.walk(k)}
    names = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in out]
    names.sort(key=lambda n: n.col_offset)
    known = [frame.f_locals.get(n.id, frame.f_globals.get(n.id)) for n in names]
    return [x for x in known if isinstance(x, _NUMBERS)]


# What NumPy says of shapes that do not fit, with the two sizes of a matrix product.
_SHAPES = re.compile(
    r"(could not be broadcast|could not broadcast input array|cannot reshape array|input array dimensions"
    r"|all input arrays must have the same shape|to squeeze out"
    r"|mismatch in its core dimension(?:.*size (\d+) is different from (\d+))?)"
)
_OF_SIZES = {
    "negative dimensions are not allowed": "negative sizes are not allowed",
    "Maximum allowed size exceeded": "range: its delta is 0, or it has too many numbers",
}
_OPERANDS = re.compile(r"\(([\d,]*)\)")


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
