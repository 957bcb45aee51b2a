"""Arguments as their specs describe them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograph.errors.refusals import refusal
from autograph.staging.signature import rebuild
from runtime.grad.structure import flatten
from runtime.tensor.dispatch import convert
from runtime.tensor.tensor import Tensor
from runtime.typesys.dtypes import DType
from runtime.typesys.errors import DTypeError
from runtime.typesys.spec import TensorSpec

__all__ = ["checked_signature", "fit", "specs_of"]


def checked_signature(signature: Any, name: str) -> tuple[Any, ...]:
    """An input signature as a tuple.

    Raises:
      TypeError: it is no list, or holds a dtype, a number or a name where a `TensorSpec` belongs.
    """
    if not isinstance(signature, (list, tuple)):
        raise TypeError(
            f"the input_signature of {name} is a list with a TensorSpec for each argument, not {signature!r}: write [...]"
        )
    for entry in flatten(signature):
        if isinstance(entry, (str, int, float, type, np.dtype, DType, Tensor, np.ndarray)):
            raise TypeError(
                f"the input_signature of {name} holds {entry!r} where a TensorSpec belongs, such as "
                f"ag.TensorSpec([None, 3], ag.float32)"
            )
    return tuple(signature)


def fit(spec: Any, arg: Any, name: str) -> Any:
    """An argument as a tensor of its spec (structures of specs take the same structure)."""
    if isinstance(spec, (list, tuple)) and not isinstance(arg, TensorSpec):
        if not isinstance(arg, (list, tuple)) or len(arg) != len(spec):
            raise refusal("input-signature", name=name, spec=spec, given=repr(arg))
        made = [fit(s, a, name) for s, a in zip(spec, arg, strict=True)]
        kind: Any = type(arg)
        return kind._make(made) if hasattr(arg, "_fields") else kind(made)
    if isinstance(spec, dict):
        if not isinstance(arg, dict) or set(arg) != set(spec):
            raise refusal("input-signature", name=name, spec=spec, given=repr(arg))
        return {k: fit(spec[k], arg[k], name) for k in spec}
    if not isinstance(spec, TensorSpec):
        return arg
    if isinstance(arg, TensorSpec):
        return arg
    try:
        tensor = arg if isinstance(arg, Tensor) else convert(arg, spec.dtype)
    except (ValueError, DTypeError):  # no numbers, or such as would lose their fractions
        raise refusal("input-signature", name=name, spec=spec, given=repr(arg)) from None
    if not spec.is_compatible_with(tensor):
        given = f"a tensor of dtype {tensor.dtype.name} and shape {tuple(tensor.shape)}"
        raise refusal("input-signature", name=name, spec=spec, given=given)
    return tensor


def specs_of(args: tuple[Any, ...], kwargs: dict[str, Any], names: list[str]) -> list[TensorSpec]:
    """The specs of the array leaves of a call; `names` are those of the parameters."""
    specs: list[TensorSpec] = []

    def add(label: str) -> Callable[[Any], Any]:
        def leaf(x: Any) -> Any:
            if isinstance(x, TensorSpec):
                specs.append(TensorSpec(x.shape, x.dtype, x.name or label))
            else:
                specs.append(TensorSpec(getattr(x, "shape", ()), x.dtype, label))
            return x

        return leaf

    for i, a in enumerate(args):
        rebuild(a, add(names[i] if i < len(names) else f"arg{i}"))
    for k, a in kwargs.items():
        rebuild(a, add(k))
    return specs
