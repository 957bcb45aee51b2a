"""Errors of a plan, worded as they are eagerly by the type rules of the operands."""

from __future__ import annotations

import ast
from types import FrameType
from typing import Any

import numpy as np

from runtime.ir.graph import Node
from runtime.typesys.errors import OpError
from runtime.typesys.spec import type_of_payload

__all__ = ["said_by_types"]

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
    if isinstance(tree.body, ast.Call) and any(map(_is_worked_out, tree.body.args)):
        return []  # an operand is what is done with a name, not what the name holds
    out = {id(n) for call in ast.walk(tree) if isinstance(call, ast.Call) for k in call.keywords for n in ast.walk(k)}
    names = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in out]
    names.sort(key=lambda n: n.col_offset)
    known = [frame.f_locals.get(n.id, frame.f_globals.get(n.id)) for n in names]
    return [x for x in known if isinstance(x, _NUMBERS)]


def _is_worked_out(argument: ast.expr) -> bool:
    worked = (ast.Subscript, ast.Call, ast.BinOp, ast.UnaryOp)
    return isinstance(argument, worked) and any(isinstance(n, ast.Name) for n in ast.walk(argument))
