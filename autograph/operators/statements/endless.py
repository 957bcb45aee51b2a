"""Loops that never end: refused while they are traced, or where they begin when the graph runs.

Else the graph would run for ever without a word, natively even deaf to an interrupt.
"""

from __future__ import annotations

from typing import Any

from autograph.errors.refusals import refusal
from autograph.operators.state.regions import Traced
from autograph.operators.values.descriptors import Descriptor, Leaf, Struct, describe
from runtime.ir.graph import Graph, Node, Value
from runtime.ir.safety import RISKY, may_fail
from runtime.passes.rewrite import evaluate
from runtime.tensor.known import static_value
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import Place

__all__ = ["ENDLESS", "is_endless", "refuse_begun", "refuse_endless", "stays_true"]

ENDLESS = (
    "this loop never ends: its test is true, nothing in the loop makes it false, and nothing leaves the loop\n"
    "Instead: change in the loop what its test reads, or leave it by `break` or `return`"
)
"""What is said where the test is known only when the graph runs."""

_NUMBERS = frozenset((Tensor, bool, int, float))


def is_endless(test: Graph, own: set[Value], body: Graph) -> bool:
    """Whether a loop, once begun, goes on for ever: its test reads none of the values that the loop has of its `own`,
    and its body can neither raise nor be seen."""
    if _can_be_seen(test) or _can_be_seen(body):
        return False
    pending, seen = list(test.outputs), set()
    while pending:
        value = pending.pop()
        if value in own:
            return False
        if value not in seen and value.node is not None:
            pending += value.node.inputs
        seen.add(value)
    return True


def stays_true(test: Traced, body: Graph, finals: list[Any]) -> bool:
    """Whether a test is true after every turn, whatever the loop begins with: each turn leaves the same numbers in what
    it reads (`more = True`). The body can neither raise nor be seen.

    Call it with the test's output set, and before the graph of the test is closed.
    """
    if _can_be_seen(test.region.graph) or _can_be_seen(body):
        return False
    known: dict[Value, Any] = {}
    for parameter, final in zip(test.parameters, finals, strict=True):
        left = static_value(final) if type(final) in _NUMBERS else None  # by type: a choice would be asked for its own
        if type(parameter) is Tensor and type(parameter._value) is Value and left is not None:
            known[parameter._value] = left
    for node in test.region.graph.nodes:
        if node.op.name == "constant":
            known[node.outputs[0]] = node.attrs["value"]
        elif all(value in known for value in node.inputs):
            known.update(zip(node.outputs, evaluate(node, [known[value] for value in node.inputs]) or (), strict=False))
    return all(known.get(value) is not None and bool(known[value]) for value in test.region.graph.outputs)


def refuse_begun(begins: Any, pythons: bool) -> None:
    """Raise if a loop whose test stays true is known to begin.

    Raises:
      UnimplementedError: its test was Python's (`pythons`) at first.
      InvalidArgumentError: it was a tensor's.
    """
    if static_value(begins):
        what = "; the condition of while loop started as non-Tensor, then changed to Tensor" if pythons else ""
        raise refusal("endless-loop", "UnimplementedError" if pythons else "InvalidArgumentError", what=what)


def refuse_endless(test: Any, body: Graph, places: list[Place], entries: list[Any], finals: list[Any]) -> None:
    """Raise if a loop's test is true whatever happens, and its body can neither raise nor be seen.

    The text tells what an iteration does to the types of the loop's variables, which often is the slip.

    Raises:
      DTypeError: a variable becomes another dtype or structure.
      InvalidArgumentError: all keep theirs.
    """
    known = static_value(test)
    if known is None or not known or _can_be_seen(body):
        return
    error, what = "InvalidArgumentError", ""
    for place, entry, final in zip(places, entries, finals, strict=True):
        change = _change(describe(entry), describe(final))
        if change is not None:
            error, what = change[0], f"; '{getattr(place, 'name', 'it')}' {change[1]}"
            break
    raise refusal("endless-loop", error, what=what)


def _can_be_seen(graph: Graph) -> bool:
    """Whether an operation of a graph may raise, print or call Python."""
    return any(
        node.op.effect is not None or _is_risky(node) or any(map(_can_be_seen, node.regions)) for node in graph.nodes
    )


def _is_risky(node: Node) -> bool:
    return node.op.name in RISKY and may_fail(node.op, node.inputs)


def _change(before: Descriptor, after: Descriptor) -> tuple[str, str] | None:
    if isinstance(before, Leaf) and isinstance(after, Leaf):
        old, new = before.type, after.type
        if old.dtype is not new.dtype:
            return "DTypeError", f"has dtype {old.dtype} before the loop, but dtype {new.dtype} after one iteration"
        if old.shape != new.shape:
            shown = f"has shape {_shown(old.shape)} before the loop, but shape {_shown(new.shape)} after one iteration"
            return "InvalidArgumentError", shown
        return None
    if isinstance(before, Struct) or isinstance(after, Struct):
        return "DTypeError", "does not have the same nested structure before the loop and after one iteration"
    return None


def _shown(shape: Any) -> str:
    return "unknown" if shape is None else str(tuple(d if isinstance(d, int) else None for d in shape))
