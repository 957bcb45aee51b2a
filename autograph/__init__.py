"""Ordinary Python in, graphs out: TensorFlow 2's names over NumPy."""

import os as _os
import sys as _sys

from autograph import errors
from autograph.api import namespaces as _namespaces
from autograph.api import staged_lists as _staged_lists
from autograph.api.conversion import autograph, config
from autograph.api.effects import Assert, numpy_function, py_function
from autograph.api.effects import print_ as print
from autograph.staging.function import Function, function
from runtime.grad.functional import custom_gradient, gradients, hessians, recompute_grad
from runtime.grad.tape import GradientTape, UnconnectedGradients
from runtime.ir import build as _build
from runtime.tensor.module import Module
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import init_scope
from runtime.tensor.variable import Variable, name_scope
from runtime.typesys.dtypes import DType, as_dtype
from runtime.typesys.spec import TensorSpec

__version__ = "0.1.0"

_build.internal_folders.append(_os.path.dirname(_os.path.abspath(__file__)) + _os.sep)
newaxis = None
_DTYPES = "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 complex64 complex128"
for _name in _DTYPES.split():
    globals()[_name] = as_dtype(_name)
double, half, string = as_dtype("float64"), as_dtype("float16"), as_dtype("string")
_names = _namespaces.build(_sys.modules[__name__])
_staged_lists.register(_sys.modules[__name__])

__all__ = [
    "Assert",
    "DType",
    "Function",
    "GradientTape",
    "Module",
    "Tensor",
    "TensorSpec",
    "UnconnectedGradients",
    "Variable",
    "as_dtype",
    "autograph",
    "config",
    "custom_gradient",
    "errors",
    "function",
    "gradients",
    "hessians",
    "init_scope",
    "name_scope",
    "numpy_function",
    "print",
    "py_function",
    "recompute_grad",
]
