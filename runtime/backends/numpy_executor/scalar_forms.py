"""Where an operation on scalars is written as Python's own operator, which costs a tenth of NumPy's call.

    logical_and(a, b) -> a & b        add(i, 1) -> i + 1
"""

from __future__ import annotations

from typing import Any

import numpy as np

from runtime.backends.numpy_executor.text import operator_template
from runtime.ir.graph import Node
from runtime.ops.registry import compile_template
from runtime.typesys.dtypes import DType
from runtime.typesys.spec import TensorType

__all__ = ["BOOLEAN", "all_truths", "is_number", "item", "python_fits", "scalar_operator"]


def is_number(dtype: DType) -> bool:
    """Whether a cast to it can be spelled as a call of NumPy's scalar type."""
    return dtype.kind in "iuf" and dtype.dtype.isnative and dtype.name in np.sctypeDict


def item(x: Any) -> Any:
    """A Python number of a NumPy one."""
    return x.item() if hasattr(x, "dtype") else x


# On scalars these mean the same, at a tenth of the price.
BOOLEAN = {"logical_and": "{0} & {1}", "logical_or": "{0} | {1}", "logical_xor": "{0} ^ {1}"}


def all_truths(node: Node) -> bool:
    """Whether all operands are truth values without axes."""
    return all(type(v.type) is TensorType and v.type.shape == () and v.type.dtype.is_bool for v in node.inputs)


_SAMPLES = {"b": True, "i": 1, "u": 1, "f": 1.0, "c": 1 + 0j}
_CLASSES = {"b": bool, "i": int, "u": int, "f": float, "c": complex}
_fits: dict[Any, bool] = {}


def python_fits(node: Node) -> bool:
    """Whether the template for Python numbers gives the type that the operation's rule says (True + True does not)."""
    out = node.outputs[0].tensor_type
    if not out.weak or node.op.outputs != 1:
        return False
    kinds = tuple(v.tensor_type.dtype.kind for v in node.inputs)
    key = node.op.name, kinds, out.dtype.kind
    if key not in _fits:
        run = compile_template(node.op.python or "", node.op.rules.kernel)
        try:
            _fits[key] = type(run(*(_SAMPLES[k] for k in kinds), **node.attrs)) is _CLASSES[out.dtype.kind]
        except (KeyError, TypeError, ValueError, ArithmeticError):  # a string has no sample
            _fits[key] = False
    return _fits[key]


def scalar_operator(node: Node) -> bool:
    """Whether all operands are scalars and the template is one operator."""
    return operator_template(node.op.python) and all(
        type(v.type) is TensorType and v.type.shape == () for v in (*node.inputs, *node.outputs)
    )
