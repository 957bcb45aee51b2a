"""What is said below messages of Python's own where they leave a staged function."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

from autograph.errors.catalogue import REFUSALS
from autograph.operators.statements.staged_texts import TOKEN
from autograph.staging.signature import shown
from runtime.typesys.errors import OpError
from runtime.typesys.late import pattern

__all__ = ["explain"]


_TAKES_NO_TENSOR = pattern(r"(not|got|component:|from|type) '?Tensor\b")  # "Object of type Tensor is not JSON ..."
_OF_ARGUMENTS = pattern(r"^(\w+)\(\) (?:got an unexpected keyword|got multiple values|missing \d+ required|takes )")
_OF_OPERATORS = pattern("unsupported operand|'.*' not supported between|can only concatenate")


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
    staged = asked or "<Tensor staged " in text or TOKEN.search(text) or "\\ue000" in text
    if staged and not isinstance(error, OpError) and not hasattr(error, "__notes__"):
        if TOKEN.search(text) and len(error.args) == 1 and isinstance(error.args[0], str):
            error.args = (TOKEN.sub("<Tensor staged>", error.args[0]),)
        hint = REFUSALS["tensor-value"].hint
        error.add_note(f"A staged tensor has its value only when the graph runs.\nInstead: {hint}")


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
