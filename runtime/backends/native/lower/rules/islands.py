"""NumPy islands: an operation without a native rule is a call of Python from native code (crossings.py)."""

from __future__ import annotations

from functools import partial
from typing import Any

from runtime.backends.native.errors import Unsupported
from runtime.backends.native.islands import meaning
from runtime.backends.native.lower.crossings import Held, call_python
from runtime.backends.native.lower.exprs import Deferred
from runtime.backends.native.lower.function import FunctionLowering, rule
from runtime.backends.native.lower.scalars import Scalar
from runtime.ir.graph import Node, Value
from runtime.ops.attempts import Attempt
from runtime.typesys.shapes import Dim
from runtime.typesys.spec import TensorType

__all__ = ["island"]

# Their first output is a new list, which a later node may change.
_MAKE_LISTS = frozenset(
    "list_new list_from list_append list_concat list_pop list_insert list_set list_accumulate_at list_slice list_unslice "
    "list_reverse list_repeat list_fold list_cycle_like list_unstack list_zeros_like list_add list_cast".split()
)


@rule("island")
def island(ctx: FunctionLowering, node: Node) -> None:
    """Any operation without regions, by its NumPy meaning."""
    op = node.op
    if node.regions or op.name == "call":
        raise Unsupported([("no native rule", None)])
    if not node.inputs and any(_has_dim(v) for v in node.attrs.values()):
        raise Unsupported([("a size in an attribute", None)])
    reps = [_settled(ctx, v) for v in node.inputs]
    types = [v.type for v in node.inputs]
    weak = bool(types) and all(isinstance(t, TensorType) and t.weak for t in types)
    single = op.outputs == 1
    out = node.outputs[0].type if node.outputs else None
    item = single and isinstance(out, TensorType) and out.weak and op.effect is None
    first = reps[0] if reps else None
    in_place = (
        isinstance(first, Held)
        and isinstance(op.in_place, str)
        and op.consumes == (0,)
        and first in ctx.lists
        and ctx.uses.last.get(node.inputs[0]) is node
        and node.inputs.count(node.inputs[0]) == 1
    )
    for rep in reps:
        if isinstance(rep, Held) and rep is not first:  # it may be an element of something from now on
            ctx.lists.discard(rep)
    run = meaning(op, node.attrs, weak, item, in_place)
    results = call_python(
        ctx, op.name, run, list(zip(reps, types, strict=True)), [v.type for v in node.outputs], node,
        effect=op.effect in ("print", "py"), single=single,
    )
    for k, (value, rep) in enumerate(zip(node.outputs, results, strict=True)):
        if isinstance(rep, Held) and k == 0 and op.name in _MAKE_LISTS:
            ctx.lists.add(rep)
        ctx.define(value, rep)


@rule("attempt")
def attempt(ctx: FunctionLowering, node: Node) -> None:
    """A function that may fail: the NumPy plan's, which tells what was raised and how far it had come."""
    attrs = node.attrs
    run = partial(_attempted, attrs["function"], attrs["slots"], attrs["exceptions"])
    given = [(_settled(ctx, v), v.type) for v in node.inputs]
    for rep, _ in given:
        if isinstance(rep, Held):  # its results may be or hold what it is given
            ctx.lists.discard(rep)
    types = [v.type for v in node.outputs]
    results = call_python(ctx, "attempt", run, given, types, node, single=False, calls=attrs["function"])
    for value, rep in zip(node.outputs, results, strict=True):
        ctx.define(value, rep)


def _attempted(name: str, slots: int, exceptions: Any, function: Any, *values: Any) -> tuple[Any, ...]:
    return Attempt.run_function(function, name, slots, exceptions, *values)


@rule("note")
def note(ctx: FunctionLowering, node: Node) -> None:
    """Nothing: functions that are attempted run on the plan."""


def _has_dim(x: Any) -> bool:
    return isinstance(x, Dim) or (isinstance(x, (tuple, list)) and any(map(_has_dim, x)))


def _settled(ctx: FunctionLowering, value: Value) -> Any:
    """A value's representation, in memory if it is an array."""
    rep = ctx.env[value]
    if not isinstance(rep, (Deferred, Scalar)):
        return rep
    return ctx.scalar(value) if ctx.type(value).shape == () else ctx.contiguous(value)
