"""What may be computed without being asked for: whether a node may raise, and whether it is cheap."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from runtime.ir.graph import Node, Value
from runtime.ops.kinds import Elementwise
from runtime.ops.registry import Op
from runtime.typesys.shapes import Dim, is_static, num_elements, same_size
from runtime.typesys.spec import TensorType

__all__ = ["RISKY", "is_cheap", "may_fail", "may_raise", "surely_broadcast"]

RISKY = frozenset(
    "assert_ attempt call cholesky fold gather gather_nd index index_update inv list_get list_index list_pop list_set "
    "list_stack list_table list_concat_tensors matmul note numpy_function pow_modular py_function raise_ "
    "require_alternative reshape solve stack concat to_python broadcast_to einsum squeeze".split()
)
"""Operations that may raise when the graph runs."""

# With Python numbers these raise (division by zero, overflow of powers) where arrays would warn.
_RAISE_ON_NUMBERS = frozenset({"div", "floordiv", "mod", "fmod", "pow", "left_shift", "right_shift", "reciprocal"})
# With integer arrays these raise (negative powers).
_RAISE_ON_INTEGERS = frozenset({"pow"})
_TOTAL = frozenset({"identity", "stop_gradient", "constant", "placeholder", "real", "imag"})
_TOTAL_IF_STATIC = frozenset(
    {"reshape", "transpose", "expand_dims", "squeeze", "broadcast_to", "broadcast_like", "sum_to_like", "reshape_like",
     "reduce_sum", "reduce_mean", "reduce_prod", "reduce_any", "reduce_all", "matmul", "concatenate", "reverse", "tile"}
)  # fmt: skip
_CHEAP_ELEMENTS = 4096


def may_fail(op: Op, inputs: list[Value]) -> bool:
    """Whether an operation is one of those that raise when the graph runs, with operands of these types."""
    if op.name in RISKY:
        return op.name != "to_python" or not _is_truth(inputs[0])
    if not isinstance(op, Elementwise):
        return False
    types = [v.type for v in inputs]
    tensors = [t for t in types if isinstance(t, TensorType)]
    return len(tensors) < len(types) or _elementwise_raises(op.name, tensors, _fitting(inputs))


def _is_truth(x: Value) -> bool:
    return isinstance(x.type, TensorType) and x.type.dtype.is_bool and x.type.shape == ()


def may_raise(node: Node) -> bool:
    """Whether running a pure node could raise: only what is known to be total returns False."""
    op = node.op
    types = [v.type for v in (*node.inputs, *node.outputs)]
    tensors = [t for t in types if isinstance(t, TensorType) and t.dtype.kind in "biufc"]
    if len(tensors) < len(types) or op.effect is not None or node.regions:
        return True
    if op.name in _TOTAL or (op.name == "to_python" and _is_truth(node.inputs[0])):
        return False
    if op.name == "cast":
        have, want = tensors
        return have.dtype.kind in "fc" and want.dtype.kind in "iu" and have.weak  # nan and inf, of Python's numbers
    if isinstance(op, Elementwise):
        return _elementwise_raises(op.name, tensors[: len(node.inputs)], _fitting(node.inputs))
    if op.name == "index" and len(node.inputs) == 1 and tensors[0].shape is not None:
        spec = node.attrs["spec"]  # slices know no bounds, and where there are not too many of them, new axes neither
        return not all(e is None or (isinstance(e, tuple) and e[2] != 0) for e in spec)
    return op.name not in _TOTAL_IF_STATIC or not all(is_static(t.shape) for t in tensors)


def _fitting(inputs: list[Value]) -> bool:
    """Whether Python's integers among operands are known, and fit the arrays' integer types."""
    bare = [v.node for v in inputs if getattr(v.type, "weak", False) and v.tensor_type.dtype.kind == "i"]
    strong = [v.tensor_type.dtype.dtype for v in inputs if not getattr(v.type, "weak", False)]
    limits = [np.iinfo(d) for d in strong if d.kind in "iu"]
    known = [n.attrs["value"] if n is not None and n.op.name == "constant" else None for n in bare]
    return all(type(k) is int and all(i.min <= k <= i.max for i in limits) for k in known)


def _elementwise_raises(name: str, operands: list[TensorType], fitting: bool) -> bool:
    if all(t.weak for t in operands):
        return name in _RAISE_ON_NUMBERS
    strong = [t for t in operands if not t.weak]
    if name in _RAISE_ON_INTEGERS and all(t.dtype.kind in "biu" for t in operands):
        return True
    narrow = any(t.dtype.kind in "iu" and t.dtype.name != "int64" for t in strong)
    if narrow and not fitting and any(t.weak and t.dtype.kind == "i" for t in operands):
        return True  # a Python number may be out of bounds for the array's dtype
    pairs = pairwise(sorted(strong, key=_rank))
    return len(strong) > 2 or not all(surely_broadcast(a.shape, b.shape) for a, b in pairs)


def _rank(t: TensorType) -> int:
    return -1 if t.shape is None else len(t.shape)


def surely_broadcast(a: Any, b: Any) -> bool:
    """Whether arrays of these shapes are broadcast without an error, whatever their open sizes are."""
    if a is None or b is None:
        return False
    return all(same_size(x, y) or x == 1 or y == 1 for x, y in zip(reversed(a), reversed(b), strict=False))


def is_cheap(node: Node) -> bool:
    """Whether computing a node for nothing costs little: views, and elementwise work."""
    if node.op.view or isinstance(node.op, Elementwise):
        return True
    if node.op.name == "matmul":
        return False
    sizes = [_size(v.type) for v in (*node.inputs, *node.outputs)]
    return all(s is not None and s <= _CHEAP_ELEMENTS for s in sizes)


def _size(type: Any) -> int | None:
    if not isinstance(type, TensorType) or type.shape is None or any(isinstance(d, Dim) for d in type.shape):
        return None
    return num_elements(type.shape)
