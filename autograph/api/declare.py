"""What is public besides operations: objects of this folder declare their names, the runtime's are listed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runtime.typesys.errors import boundary

__all__ = ["DECLARED", "ELSEWHERE", "public"]

DECLARED: dict[str, tuple[str, str]] = {}  # public name -> (module, attribute)

# module -> its public objects, as "attribute" or "attribute=public.name,other.name"
ELSEWHERE = {
    "autograph": " ".join(
        f"{name}=dtypes.{name}"
        for name in "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 complex64 complex128 "
        "double half string".split()
    ),
    "autograph.api.dataset_iterators": "DatasetIterator=data.Iterator",
    "autograph.api.datasets": "AUTOTUNE=data.AUTOTUNE,data.experimental.AUTOTUNE "
    "INFINITE_CARDINALITY=data.INFINITE_CARDINALITY UNKNOWN_CARDINALITY=data.UNKNOWN_CARDINALITY",
    "autograph.staging.function": "Function function run_functions_eagerly=config.run_functions_eagerly "
    "functions_run_eagerly=config.functions_run_eagerly",
    "runtime.grad.functional": "custom_gradient gradients hessians jvp",
    "runtime.grad.recompute": "recompute_grad",
    "runtime.grad.tape": "GradientTape UnconnectedGradients",
    "runtime.tensor.generator": "Generator=random.Generator",
    "runtime.tensor.module": "Module",
    "runtime.tensor.shape": "TensorShape",
    "runtime.tensor.tensor": "Tensor",
    "runtime.tensor.trace": "init_scope",
    "runtime.tensor.variable": "Variable name_scope",
    "runtime.typesys.dtypes": "DType=DType,dtypes.DType as_dtype=as_dtype,dtypes.as_dtype",
    "runtime.typesys.spec": "TensorSpec",
}


def public(*names: str, raises: bool = True) -> Callable[[Any], Any]:
    """Declare a function or class of a module of this folder public, under dotted names.

    Errors leave it without frames of ours, which costs a call: not where nothing `raises`.
    """

    def declare(thing: Any) -> Any:
        for name in names:
            if name in DECLARED:
                raise ValueError(f"{name!r} is declared by {DECLARED[name]} and {thing!r}")
            DECLARED[name] = (thing.__module__, thing.__qualname__)
        return boundary(thing) if raises else thing

    return declare
