"""Tensors made whole: operators and methods from the registry, shape, items, NumPy's protocols."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from runtime.tensor.dispatch import attach_methods
from runtime.tensor.items import attach_items
from runtime.tensor.shape import attach_shape
from runtime.tensor.tensor import Tensor
from runtime.typesys.errors import boundary, outward

__all__: list[str] = []


def _array_ufunc(self: Tensor, *args: Any, **kwargs: Any) -> Any:
    """NumPy's ufunc protocol."""
    return _protocol("array_ufunc")(self, *args, **kwargs)


def _array_function(self: Tensor, *args: Any, **kwargs: Any) -> Any:
    """NumPy's function protocol."""
    return _protocol("array_function")(self, *args, **kwargs)


def _protocol(name: str) -> Any:
    """A protocol from the table over all of NumPy, which is loaded, and takes our place, at the first call."""
    from runtime.tensor import numpy_protocol

    numpy_protocol.attach()
    return getattr(numpy_protocol, name)


_NUMPYS = ("argsort", "diagonal", "nonzero", "searchsorted", "take", "trace")
"""Methods that are NumPy's functions of the same names."""


def _numpys(name: str) -> Callable[..., Any]:
    def method(self: Tensor, *args: Any, **kwargs: Any) -> Any:
        return getattr(np, name)(self, *args, **kwargs)

    method.__name__, method.__qualname__ = name, f"Tensor.{name}"
    method.__doc__ = f"`np.{name}` of the tensor."
    return boundary(method)  # type: ignore[no-any-return]


def _attach_numpys() -> None:
    for name in _NUMPYS:
        setattr(Tensor, name, _numpys(name))


def _attach_protocols() -> None:
    Tensor.__array_ufunc__ = boundary(_array_ufunc)  # type: ignore[attr-defined]
    Tensor.__array_function__ = boundary(_array_function)  # type: ignore[attr-defined]


_INSTEAD = {
    "backward": "with ag.GradientTape() as tape: ..., then tape.gradient(loss, variables)",
    "append": "ag.concat([x, [item]], axis=0), or append to a list and take ag.stack(xs)",
    "byte": "ag.cast(x, ag.uint8)",
    "contiguous": "nothing: tensors need it nowhere",
    "cpu": "nothing: tensors are in the processor's memory",
    "cuda": "nothing: the processor is the only device",
    "detach": "ag.stop_gradient(x)",
    "double": "ag.cast(x, ag.float64)",
    "dim": "x.ndim",
    "eval": "x.numpy(), or print(x): tensors have their values at once",
    "extend": "ag.concat([x, items], axis=0), or extend a list and take ag.stack(xs)",
    "float": "ag.cast(x, ag.float32)",
    "grad": "tape.gradient(loss, x) of an ag.GradientTape",
    "int": "ag.cast(x, ag.int32)",
    "long": "ag.cast(x, ag.int64)",
    "permute": "ag.transpose(x, axes)",
    "requires_grad": "ag.Variable(x), or tape.watch(x) of an ag.GradientTape",
    "run": "call an ag.function: there are no sessions",
    "to": "ag.cast(x, dtype): there is one device",
    "type": "ag.cast(x, dtype), or x.dtype",
    "unsqueeze": "ag.expand_dims(x, axis)",
    "view": "ag.reshape(x, shape)",
}
"""What PyTorch's or TensorFlow 1's tensors, or lists, have, and what to write here."""
_INSTEAD |= {
    name: f"ag.{name}(x)" + (", or x @ y" if name == "matmul" else "")
    for name in (
        "cast cos exp expand_dims gather matmul norm pad reduce_all reduce_any reduce_max reduce_mean reduce_min "
        "reduce_prod reduce_sum sigmoid sign sin split sqrt square stack stop_gradient tanh tile unstack where".split()
    )
} | {"log": "ag.math.log(x)"} | {name: f"ag.nn.{name}(x)" for name in ("relu", "softmax", "softplus")}


class _Absent:
    """An attribute that is not there, and says what to write."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: Any) -> Any:
        name = self.name
        error = AttributeError(f"{owner.__name__!r} object has no attribute {name!r}\nInstead: {_INSTEAD[name]}")
        try:
            raise error
        except AttributeError:
            outward[0](error)
            raise


def _attach_absent() -> None:
    for name in _INSTEAD:
        if name not in Tensor.__dict__:
            setattr(Tensor, name, _Absent(name))


attach_methods()
attach_shape()
attach_items()
_attach_numpys()
_attach_protocols()
_attach_absent()
