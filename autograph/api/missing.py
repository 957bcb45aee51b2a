"""What is said of a public name that is not there: the nearest that is, or what stands in its place."""

from __future__ import annotations

import difflib

import numpy as np

__all__ = ["MissingNameError"]

_VERSION_1 = "TensorFlow 1's sessions and placeholders have no place here: call an ag.function with tensors"
_KERAS = "Keras is no part of this package: make layers of ag.Module and ag.Variable, and train them with ag.GradientTape"
_TRAIN = (
    "optimisers and checkpoints are no part of this package: `v.assign_sub(rate * gradient)` with the gradients of "
    "ag.GradientTape; np.savez(path, w=w.numpy()) keeps the values of variables"
)
_INSTEAD = {
    "keras": _KERAS,
    "layers": _KERAS,
    "estimator": _KERAS,
    "train": _TRAIN,
    "optimizers": _TRAIN,
    "compat": _VERSION_1,
    "contrib": _VERSION_1,
    "InteractiveSession": _VERSION_1,
    "ConfigProto": _VERSION_1,
    "Graph": _VERSION_1,
    "get_default_graph": _VERSION_1,
    "variable_scope": _VERSION_1,
    "enable_eager_execution": "operations run at once from the start, outside of ag.function",
    "disable_v2_behavior": _VERSION_1,
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
    "mul": "ag.multiply",
    "sub": "ag.subtract",
    "div": "ag.divide, or x / y",
    "neg": "ag.negative",
    "select": "ag.where",
    "pack": "ag.stack",
    "unpack": "ag.unstack",
    "batch_matmul": "ag.matmul",
    "random_normal": "ag.random.normal",
    "random_uniform": "ag.random.uniform",
    "truncated_normal": "ag.random.truncated_normal",
    "set_random_seed": "ag.random.set_seed",
    "manual_seed": "ag.random.set_seed",
    "matrix_inverse": "ag.linalg.inv",
    "matrix_determinant": "ag.linalg.det",
    "Print": "ag.print",
    "from_numpy": "ag.constant makes a tensor of an array",
    "no_grad": "nothing is recorded outside of ag.GradientTape; in it, tape.stop_recording()",
    "vmap": "ag.vectorized_map, or ag.map_fn",
    "jit": "ag.function(f, jit_compile=True)",
    "grad": "ag.GradientTape, or ag.gradients",
}
_OUTSIDE = frozenset(
    "audio autodiff experimental feature_column graph_util image io lite lookup mlir profiler quantization ragged raw_ops "
    "saved_model sets signal sparse strings summary sysconfig test tpu types version xla".split()
)
"""Namespaces of TensorFlow's that have no counterpart here, or only single functions of one."""


class MissingNameError(AttributeError):
    """A name that a namespace does not have; what could be meant is found when the text is asked for.

    `elsewhere` is the dotted name under which another namespace has it.
    """

    def __init__(self, module: str, name: str, known: list[str], elsewhere: str = "") -> None:
        super().__init__(module, name)
        self._module, self._missing, self._known, self._elsewhere = module, name, known, elsewhere

    def __str__(self) -> str:
        text = f"module {self._module!r} has no attribute {self._missing!r}"
        advice = _advice(self._missing, self._known, self._elsewhere, "." not in self._module)
        return f"{text}\n{advice}" if advice else text


MissingNameError.__name__ = MissingNameError.__qualname__ = "AttributeError"
MissingNameError.__module__ = "builtins"


def _advice(name: str, known: list[str], elsewhere: str, top: bool) -> str:
    if elsewhere:
        return f"Did you mean {elsewhere!r}?"
    if name in _INSTEAD:
        return f"Instead: {_INSTEAD[name]}"
    if name in _OUTSIDE and top:
        return f"TensorFlow's {name!r} is no part of this package: it has tensors, functions, gradients and datasets"
    lower = {k.lower(): k for k in known}
    near = difflib.get_close_matches(name.lower(), lower, n=1, cutoff=0.75)
    if near:
        return f"Did you mean {lower[near[0]]!r}?"
    if hasattr(np, name):
        return f"Instead: np.{name}, which takes tensors, too, if it has a counterpart for them"
    return ""
