"""What is said of a public name that is not there: the nearest that is, or what stands in its place."""

from __future__ import annotations

import difflib

import numpy as np

__all__ = ["MissingNameError"]

_VERSION_1 = "TensorFlow 1's sessions and placeholders have no place here: call an ag.function with tensors"
_KERAS = "Keras is no part of this package: make layers of ag.Module and ag.Variable, and train them with ag.GradientTape"
_TRAIN = "optimisers are no part of this package: `v.assign_sub(rate * gradient)` with the gradients of ag.GradientTape"
_INSTEAD = {
    "keras": _KERAS,
    "layers": _KERAS,
    "estimator": _KERAS,
    "train": _TRAIN,
    "optimizers": _TRAIN,
    "compat": _VERSION_1,
    "Session": _VERSION_1,
    "placeholder": _VERSION_1,
    "get_variable": "ag.Variable makes a variable; keep it in an attribute or a global name",
    "global_variables_initializer": "variables have their initial values from the start",
    "to_float": "ag.cast(x, ag.float32)",
    "to_int32": "ag.cast(x, ag.int32)",
    "array": "ag.constant makes a tensor, np.array an array",
    "tensor": "ag.constant makes a tensor",
    "dot": "ag.matmul, or x @ y; ag.tensordot for other axes",
    "astype": "ag.cast(x, dtype)",
    "sum": "ag.reduce_sum",
    "mean": "ag.reduce_mean",
    "max": "ag.reduce_max, or ag.maximum of two",
    "min": "ag.reduce_min, or ag.minimum of two",
    "jit": "ag.function(f, jit_compile=True)",
    "grad": "ag.GradientTape, or ag.gradients",
}
_OUTSIDE = frozenset(
    "audio autodiff experimental feature_column graph_util image io lite lookup mlir profiler quantization ragged raw_ops "
    "saved_model sets signal sparse strings summary sysconfig test tpu types version xla".split()
)
"""Namespaces of TensorFlow's that have no counterpart here, or only single functions of one."""


class MissingNameError(AttributeError):
    """A name that a namespace does not have; what could be meant is found when the text is asked for."""

    def __init__(self, module: str, name: str, known: list[str]) -> None:
        super().__init__(module, name)
        self._module, self._missing, self._known = module, name, known

    def __str__(self) -> str:
        text = f"module {self._module!r} has no attribute {self._missing!r}"
        advice = _advice(self._missing, self._known)
        return f"{text}\n{advice}" if advice else text


MissingNameError.__name__ = MissingNameError.__qualname__ = "AttributeError"
MissingNameError.__module__ = "builtins"


def _advice(name: str, known: list[str]) -> str:
    if name in _INSTEAD:
        return f"Instead: {_INSTEAD[name]}"
    lower = {k.lower(): k for k in known}
    near = difflib.get_close_matches(name.lower(), lower, n=1, cutoff=0.75)
    if near:
        return f"Did you mean {lower[near[0]]!r}?"
    if name in _OUTSIDE:
        return f"TensorFlow's {name!r} is no part of this package: it has tensors, functions, gradients and datasets"
    if hasattr(np, name):
        return f"Instead: np.{name}, which takes tensors, too, if it has a counterpart for them"
    return ""
