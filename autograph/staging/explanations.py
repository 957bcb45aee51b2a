"""What is said below messages of Python's own where they leave a staged function."""

from __future__ import annotations

import ast
import inspect
import linecache
from itertools import islice
from types import BuiltinFunctionType, ModuleType
from typing import Any

from autograph.errors.catalogue import REFUSALS
from autograph.operators.statements.staged_texts import TOKEN
from autograph.source.parse import expression
from autograph.staging.signature import shown
from runtime.tensor.tensor import Tensor, is_staged
from runtime.typesys.errors import OpError
from runtime.typesys.late import pattern

__all__ = ["explain"]


_TAKES_NO_TENSOR = pattern(r"(not|got|component:|from|type) '?Tensor\b")  # "Object of type Tensor is not JSON ..."
_OF_ARGUMENTS = pattern(r"^(\w+)\(\) (?:got an unexpected keyword|got multiple values|missing \d+ required|takes )")
_OF_OPERATORS = pattern("unsupported operand|'.*' not supported between|can only concatenate")


_TEXT_EXPECTED = pattern(r'^can only concatenate str \(not "Tensor"\) to str$|expected str instance, Tensor found$')


def explain(error: BaseException) -> None:
    """Say more below a message of Python's own: what a staged tensor is, where it names one; what an unset name needs."""
    text = str(error)
    if type(error) is UnboundLocalError and (name := getattr(error, "name", None) or _quoted(text)):
        error.args = (f"{text}\n'{name}' is used before assignment: set it on each path that leads here, or before them",)
    if isinstance(error, RecursionError) and not hasattr(error, "__notes__"):
        error.add_note(
            "A function calls itself without end: no call comes to a case that returns without another.\nInstead: test "
            "what changes from call to call before the function calls itself (`if n > 0:`), and change it towards the end"
        )
    if type(error) is TypeError and (said := _OF_ARGUMENTS.match(text)) and not hasattr(error, "__notes__"):
        called = _called_here(error, said[1])
        if called is not None:
            error.add_note(f"It is {said[1]}{shown(inspect.signature(called))}")
    asked = isinstance(error, TypeError) and _TAKES_NO_TENSOR.search(text) is not None and not _OF_OPERATORS.match(text)
    if _TEXT_EXPECTED.search(text) and not hasattr(error, "__notes__"):
        error.add_note('Instead: f"{x}" or str(x) puts the value of a tensor x into a text')
    staged = asked or _met_no_tensor(error) or "<Tensor staged " in text or TOKEN.search(text) or "\\ue000" in text
    if staged and not isinstance(error, OpError) and not hasattr(error, "__notes__"):
        if TOKEN.search(text) and len(error.args) == 1 and isinstance(error.args[0], str):
            error.args = (TOKEN.sub("<Tensor staged>", error.args[0]),)
        hint = REFUSALS["tensor-value"].hint
        error.add_note(f"A staged tensor has its value only when the graph runs.\nInstead: {hint}")


def _met_no_tensor(error: BaseException) -> bool:
    """Whether a function in C says what it needs, where the user's line gave it a staged tensor: `struct.pack("f", x)`."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    if place is None or not (isinstance(error, (TypeError, ValueError)) or type(error).__module__ == "struct"):
        return False
    code, frame = place.tb_frame.f_code, place.tb_frame
    first, last, start, end = next(islice(code.co_positions(), place.tb_lasti // 2, None), (None,) * 4)
    if first is None or first != last or start is None:
        return False
    text = linecache.getline(code.co_filename, first, frame.f_globals).encode()[start:end].decode(errors="replace")
    names = {**frame.f_globals, **frame.f_locals}
    call = expression(text)
    if not isinstance(call, ast.Call):
        return False
    called = _value(call.func, names)
    given = (_value(argument, names) for argument in (*call.args, *(keyword.value for keyword in call.keywords)))
    return isinstance(called, BuiltinFunctionType) and any(isinstance(x, Tensor) and is_staged(x) for x in given)


def _value(node: ast.expr, names: dict[str, Any]) -> Any:
    """What a name, or a name of a module, stands for."""
    if isinstance(node, ast.Attribute):
        module = _value(node.value, names)
        return getattr(module, node.attr, None) if isinstance(module, ModuleType) else None
    return names.get(node.id) if isinstance(node, ast.Name) else None


def _called_here(error: BaseException, name: str) -> Any:
    """The public function of this name that the line calls by a module, where that is what refused its arguments."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    if place is None or name in place.tb_frame.f_globals or name in place.tb_frame.f_locals:
        return None
    modules = [m for m in place.tb_frame.f_globals.values() if isinstance(m, ModuleType) and m.__name__ == _PACKAGE]
    return getattr(modules[0], name, None) if modules else None


_PACKAGE = __name__.partition(".")[0]


def _quoted(text: str) -> str:
    return text.split("'")[1] if text.count("'") > 1 else ""
