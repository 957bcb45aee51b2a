"""Truth of conditions: Python's, or a staged boolean scalar."""

from __future__ import annotations

import functools
import weakref
from operator import index
from types import FunctionType
from typing import Any

from autograph.errors.refusals import refusal
from autograph.operators.containers.lists import dynamic_of, length
from autograph.operators.state.places import UNBOUND
from autograph.operators.state.plain import CERTAIN, TRUTHS
from autograph.operators.values.choice import Choice, choice_of, options_of, tell, told_by, truth_among
from autograph.operators.values.listvalue import ListValue, RunTuple
from autograph.operators.values.maybe import has_maybe_keys, is_maybe, is_set
from autograph.operators.values.quick import is_object
from runtime.ir.graph import Value
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import STATE
from runtime.typesys.errors import InvalidArgumentError
from runtime.typesys.shapes import num_elements

__all__ = ["as_found", "as_truth", "is_staged_condition", "truth_of"]


def truth_of(x: Any) -> Any:
    """`bool(x)`, or a staged tensor of dtype bool and shape () where it depends on one.

    Raises:
      InvalidArgumentError: a tensor of more than one element, as NumPy's ValueError.
    """
    kind = type(x)
    if kind in CERTAIN:
        return bool(x)
    if kind is dict:
        return _truth_of_dict(x) if has_maybe_keys(x) else bool(x)
    if kind is list or kind is RunTuple:
        dynamic = dynamic_of(x)
        return bool(x) if dynamic is None else op.not_equal(length(dynamic), 0)
    known = _pythons.get(id(kind))
    if known is not None and known() is kind:
        return bool(x)
    if is_object(kind):
        return _truth_of_object(x, kind)
    choice = choice_of(x)
    if choice is not None:
        return _truth_of_choice(choice)
    if isinstance(x, Tensor):
        if STATE.trace is None:
            return bool(x)
        dtype, shape = x.type.dtype, x.type.shape
        if shape is None or any(not isinstance(d, int) for d in shape):
            said = refusal("truth-of-many", shape="{shape}")
            before, after = said.message.split("{shape}")
            text = (before, (0, ""), f"{after} [{said.id}]\nInstead: {said.hint}")
            op.assert_(op.equal(op.size(x), 1), op.shape(x), template=text, exception=InvalidArgumentError)
            x = op.reshape(x, shape=())
        elif shape != ():
            if num_elements(shape) != 1:
                raise refusal("truth-of-many", shape=shape)
            x = op.reshape(x, shape=())
        return as_found(x) if dtype.is_bool else op.not_equal(x, 0)
    if type(x) is ListValue:
        return op.not_equal(length(x), 0)
    staged_truth = getattr(type(x), "__staged_bool__", None)
    if staged_truth is not None:
        return staged_truth(x)
    return _truth_of_object(x, kind)


def as_truth(x: Any) -> Any:
    """What Python itself finds, a number of Python's: `bool(a) + bool(b)` counts, where NumPy's truths are joined."""
    if type(x) is not Tensor:
        return x
    if type(x._value) is not Value:
        return bool(x) if STATE.trace is None else x
    kind = x.type
    return x if kind.weak or not kind.dtype.is_bool or kind.shape != () else tell(op.to_python(x, kind="bool"), *told_by(x))


def as_found(x: Tensor) -> Tensor:
    """The truth that a number of Python's was made of: who tests it needs no number."""
    node = x._value.node if type(x._value) is Value else None
    if node is None or node.op.name != "to_python" or not node.inputs[0].tensor_type.dtype.is_bool:
        return x
    return Tensor(node.inputs[0])


def _truth_of_dict(x: dict[Any, Any]) -> Any:
    """Whether any of its keys is there."""
    if not all(map(is_maybe, x.values())):
        return True
    return functools.reduce(op.logical_or, map(is_set, x.values()))


def _truth_of_object(x: Any, kind: type) -> Any:
    """What its methods tell, or Python."""
    for name in ("__bool__", "__len__"):
        if type(getattr(kind, name, None)) is FunctionType:
            method = special_hook(x, name)
            return bool(x) if method is None else _truth_from(name, method())
    if "<locals>" not in kind.__qualname__:
        TRUTHS.add(kind)
    key = id(kind)
    _pythons[key] = weakref.ref(kind, lambda _: _pythons.pop(key, None))
    return bool(x)


special_hook: Any = None  # finds the converted special methods of an object of a user's class; put here by `calls`
_pythons: dict[int, Any] = {}  # by their id: types whose truth no user's code decides


def _truth_from(name: str, result: Any) -> Any:
    """The truth that `__bool__` or `__len__` told, checked as Python checks it."""
    if type(result) is bool or (type(result) is int and result >= 0 and name == "__len__"):
        return bool(result)
    truth = truth_of(result)
    if is_staged_condition(truth):
        return truth
    if name == "__bool__" and type(result) is not bool:
        raise TypeError(f"__bool__ should return bool, returned {type(result).__name__}")
    if name == "__len__" and index(result) < 0:
        raise ValueError("__len__() should return >= 0")
    return truth


def _truth_of_choice(choice: Choice) -> Any:
    options = options_of(choice)
    bound = [(i, alternative) for i, alternative in options if alternative is not UNBOUND]
    return truth_among(choice, bound, truth_of, len(options), lambda a: type(a) is list or is_object(type(a)))


def is_staged_condition(x: Any) -> bool:
    """Whether a truth is only known at run time."""
    return isinstance(x, Tensor) and (type(x) is not Tensor or type(x._value) is Value or STATE.trace is not None)
