"""Arguments as their specs describe them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograph.errors.refusals import refusal
from autograph.staging.signature import containers, is_array_leaf, rebuild
from runtime.grad.structure import flatten
from runtime.tensor.dispatch import convert
from runtime.tensor.tensor import Tensor
from runtime.typesys.dtypes import DType
from runtime.typesys.errors import DTypeError, OpError
from runtime.typesys.spec import TensorSpec

__all__ = ["Taken", "checked_signature", "fit", "held", "leaves_of", "specs_of", "taken", "write_back"]


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


def fit(spec: Any, arg: Any, name: str, arrays: list[tuple[Any, Tensor, Any]] | None = None) -> Any:
    """An argument as a tensor of its spec (structures of specs take the same structure). What arrays have become is added
    to `arrays`: (array, tensor, what that holds)."""
    if isinstance(spec, (list, tuple)) and not isinstance(arg, TensorSpec):
        if not isinstance(arg, (list, tuple)) or len(arg) != len(spec):
            raise refusal("input-signature", name=name, spec=spec, given=repr(arg))
        made = [fit(s, a, name, arrays) for s, a in zip(spec, arg, strict=True)]
        kind: Any = type(arg)
        return kind._make(made) if hasattr(arg, "_fields") else kind(made)
    if isinstance(spec, dict):
        if not isinstance(arg, dict) or set(arg) != set(spec):
            raise refusal("input-signature", name=name, spec=spec, given=repr(arg))
        return {k: fit(spec[k], arg[k], name, arrays) for k in spec}
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
    if arrays is not None and isinstance(arg, np.ndarray):
        arrays.append((arg, tensor, tensor._value))
    return tensor


def write_back(arrays: list[tuple[Any, Tensor, Any]]) -> None:
    """Put what a call has written to the tensors of fitted arrays into the arrays."""
    for array, tensor, before in arrays:
        if tensor._value is not before:
            array[...] = tensor._value


def held(spec: Any, arg: Any) -> Iterator[Any]:
    """The caller's own containers, for those of a fitted argument: in the order of the spec's, of which the trace knows."""
    if isinstance(spec, (list, tuple)):
        if not isinstance(spec, tuple):
            yield list(arg) if isinstance(arg, tuple) else arg  # what is put into a tuple is put nowhere
        for s, a in zip(spec, arg, strict=True):
            yield from held(s, a)
    elif isinstance(spec, dict):
        yield arg
        for key, s in spec.items():
            yield from held(s, arg[key])
    elif not isinstance(spec, TensorSpec):
        yield from containers(arg)


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


@dataclass(frozen=True, slots=True)
class Taken:
    """What a trace takes of one parameter: the tensors in it, or the one that it is; or the number it was made for."""

    name: str
    specs: tuple[TensorSpec, ...]
    whole: bool
    number: Any = ...


def taken(args: tuple[Any, ...], kwargs: dict[str, Any], names: list[str]) -> list[Taken]:
    """What a trace for these arguments takes, parameter by parameter; nothing of the arguments is kept."""
    named = [*((names[i] if i < len(names) else f"arg{i}", a) for i, a in enumerate(args)), *kwargs.items()]
    return [
        Taken(
            name,
            tuple(specs_of((a,), {}, [name])),
            is_array_leaf(a) or isinstance(a, TensorSpec),
            a if type(a) in _NUMBERS else ...,
        )
        for name, a in named
    ]


_NUMBERS = (bool, int, float, complex, str)


def leaves_of(entries: list[Taken], args: tuple[Any, ...], kwargs: dict[str, Any], function: str) -> list[Any]:
    """The tensors and arrays of a call that goes to one trace. Arguments of which it takes no tensor may be left out.

    Raises:
      TypeError: tensors are missing, or there is an argument too many.
      InvalidArgumentError: one is of another type than that which was traced.
    """
    given = _given(entries, args, kwargs, function)
    leaves: list[Any] = []
    for entry in entries:
        found: list[Any] = []
        if entry.name in given:
            value = given[entry.name]
            if entry.number is not ... and value != entry.number:
                raise TypeError(
                    f"{function} was traced for {entry.name}={entry.number!r}, but was called with {value!r}: leave it out, "
                    "or call the function itself, which is traced again for it"
                )
            if entry.whole and not is_array_leaf(value) and not isinstance(value, TensorSpec):
                value = _converted(entry, value, function)
            rebuild(value, found.append)
        if any(isinstance(x, TensorSpec) for x in found):
            raise refusal("spec-as-argument", name=function)
        leaves += found
        if len(found) == len(entry.specs):
            for spec, leaf in zip(entry.specs, found, strict=True):
                _must_fit(entry, spec, leaf, function)
    count = sum(len(entry.specs) for entry in entries)
    if len(leaves) != count:
        missing = [entry.name for entry in entries if entry.specs and entry.name not in given]
        which = f": {', '.join(map(repr, missing))} is missing" if len(missing) == 1 else ""
        raise TypeError(f"{function} takes {count} tensors, but {len(leaves)} were given{which}")
    return leaves


def _given(entries: list[Taken], args: tuple[Any, ...], kwargs: dict[str, Any], function: str) -> dict[str, Any]:
    """A call's arguments by the names of the parameters."""
    needed = [entry.name for entry in entries if entry.specs]
    names = [entry.name for entry in entries]
    for order in (names, needed):
        given = dict(zip(order, args, strict=False))
        if len(args) <= len(order) and not given.keys() & kwargs.keys() and {*needed} <= {*given, *kwargs} <= {*names}:
            return given | kwargs
    if len(args) > len(names):
        raise TypeError(f"{function}() takes {len(names)} arguments but {len(args)} were given")
    given = dict(zip(names, args, strict=False))
    for name in kwargs:
        if name in given or name not in names:
            what = "multiple values for argument" if name in given else "an unexpected keyword argument"
            raise TypeError(f"{function}() got {what} {name!r}")
    return given | kwargs


def _converted(entry: Taken, value: Any, function: str) -> Any:
    """A number or list where the trace takes a tensor."""
    try:
        return convert(value, entry.specs[0].dtype)
    except (ValueError, DTypeError):
        raise _other_type(entry, entry.specs[0], repr(value), function) from None


def _must_fit(entry: Taken, spec: TensorSpec, leaf: Any, function: str) -> None:
    if not spec.is_compatible_with(leaf):
        given = f"a tensor of dtype {np.dtype(leaf.dtype).name} and shape {tuple(leaf.shape)}"
        raise _other_type(entry, spec, given, function)


def _other_type(entry: Taken, spec: TensorSpec, given: str, function: str) -> OpError:
    shape = "any shape" if spec.shape is None else f"shape {tuple(spec.shape)}"
    what = {"argument": entry.name, "dtype": spec.dtype.name, "shape": shape}
    return refusal("concrete-signature", name=function, given=given, **what)
