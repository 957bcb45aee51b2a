"""Stand-ins for what Python makes of numbers: int, float, complex, bool, abs, round, divmod, pow; items of tensors."""

from __future__ import annotations

import builtins
from typing import Any

from autograph.operators.containers.lists import emit, index_value
from autograph.operators.state.plain import NUMBERS
from autograph.operators.state.stand_ins import stand_in
from autograph.operators.statements.staged_texts import StagedText, call_of_text
from autograph.operators.statements.truth import as_truth, truth_of
from autograph.operators.values.choice import resolve
from autograph.operators.values.descriptors import Leaf, Sequence
from autograph.operators.values.listvalue import ListValue, new_list
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor, is_staged, of_many_elements
from runtime.typesys.shapes import num_elements
from runtime.typesys.spec import ListType, TensorType

__all__ = ["float_", "int_"]


@stand_in(builtins.int)
def int_(x: Any = 0, *args: Any, **kwargs: Any) -> Any:
    """`int(x)`: of a staged scalar, a staged Python integer (64 bits)."""
    if type(x) in NUMBERS:
        return builtins.int(x, *args, **kwargs)
    x = resolve(x)
    if isinstance(x, Tensor) and not args and not kwargs:
        return op.to_python(_scalar(x, "int"), kind="int")
    if type(x) is StagedText:
        return call_of_text("int", x, *args)
    return builtins.int(x, *args, **kwargs)


@stand_in(builtins.float)
def float_(x: Any = 0.0) -> Any:
    """`float(x)`: of a staged scalar, a staged Python float."""
    x = resolve(x)
    if type(x) is StagedText:
        return call_of_text("float", x)
    return op.to_python(_scalar(x, "float"), kind="float") if isinstance(x, Tensor) else builtins.float(x)


@stand_in(builtins.complex)
def complex_(*args: Any, **kwargs: Any) -> Any:
    """`complex(real, imag)`, which is real + imag * 1j: of staged scalars, a staged Python complex number."""
    given = [resolve(x) for x in args]
    named = {name: resolve(x) for name, x in kwargs.items()}
    parts = dict(zip(("real", "imag"), given, strict=False)) | named
    if not any(isinstance(x, Tensor) for x in parts.values()) or len(args) > 2 or not parts.keys() <= {"real", "imag"}:
        return builtins.complex(*given, **named)
    (a, b), (c, d) = (_parts(parts.get(name, 0.0)) for name in ("real", "imag"))
    return op.complex(a if d is None else a - d, c if b is None else b + c)


def _parts(x: Any) -> tuple[Any, Any]:
    """The real and the imaginary part of a number, None for that of a real one."""
    if isinstance(x, Tensor) and x.dtype.is_complex:
        x = op.to_python(_scalar(x, "complex"), kind="complex")
        return op.real(x), op.imag(x)
    if isinstance(x, Tensor):
        return op.to_python(_scalar(x, "complex"), kind="float"), None
    if isinstance(x, str):
        raise TypeError("complex() can't take second arg if first is a string")
    number = builtins.complex(x)
    return number.real, number.imag if isinstance(x, builtins.complex) else None


@stand_in(builtins.ord)
def ord_(x: Any) -> Any:
    """`ord(x)`."""
    return call_of_text("ord", x) if type(x) is StagedText else builtins.ord(x)


@stand_in(builtins.chr)
def chr_(x: Any) -> Any:
    """`chr(x)`."""
    return call_of_text("chr", x) if is_staged(x) else builtins.chr(x)


@stand_in(builtins.bool)
def bool_(x: Any = False) -> Any:
    """`bool(x)`."""
    return as_truth(truth_of(x))


@stand_in(Tensor.item)
def item_(x: Any, *index: Any) -> Any:
    """`x.item()`: as `bool(x)`, `int(x)` or `float(x)`, whichever the dtype is."""
    kind = x.dtype
    if index:
        x = x[index] if len(index) > 1 or type(index[0]) is not int else op.reshape(x, shape=(-1,))[index[0]]
    if kind.is_bool:
        return truth_of(_scalar(x, "item"))
    return op.to_python(_scalar(x, "item"), kind="int") if kind.is_integer else float_(x)


@stand_in(Tensor.tolist)
def tolist_(x: Any) -> Any:
    """`x.tolist()` of a staged tensor: nested lists of staged Python numbers."""
    shape = x.type.shape
    if shape is None or x.type.dtype.kind not in _PYTHONS:
        return x.tolist()  # refuses
    if not all(isinstance(d, int) for d in shape):
        return _rows_of(x, len(shape))
    return item_(x) if not shape else [tolist_(x[i]) for i in builtins.range(shape[0])]


_PYTHONS = {"b": "bool", "i": "int64", "u": "int64", "f": "float64"}


def _rows_of(x: Tensor, depth: int) -> Any:
    leaf = TensorType(_PYTHONS[x.type.dtype.kind], (), weak=True)
    kind: Any = leaf
    element: Any = Leaf(leaf)
    for k in range(depth):
        kind, element = ListType(kind), Sequence(element) if k < depth - 1 else element
    return new_list(ListValue(element, emit("list_rows", [index_value(x)], {"kind": kind})))


def _scalar(x: Tensor, what: str) -> Tensor:
    shape = x.type.shape
    if shape == ():
        return x
    if shape is not None and all(isinstance(d, int) for d in shape) and num_elements(shape) != 1:
        raise TypeError(of_many_elements(what, shape))
    return op.reshape(x, shape=())  # type: ignore[no-any-return]


@stand_in(builtins.abs)
def abs_(x: Any) -> Any:
    """`abs`."""
    if type(x) in NUMBERS:
        return builtins.abs(x)
    return builtins.abs(resolve(x))


@stand_in(builtins.round)
def round_(x: Any, ndigits: Any = None) -> Any:
    """`round`."""
    x = resolve(x)
    if not isinstance(x, Tensor):
        return builtins.round(x, ndigits) if ndigits is not None else builtins.round(x)
    return op.round_number(x, ndigits)


@stand_in(builtins.divmod)
def divmod_(a: Any, b: Any) -> Any:
    """`divmod`."""
    a, b = resolve(a), resolve(b)
    return (a // b, a % b) if isinstance(a, Tensor) or isinstance(b, Tensor) else builtins.divmod(a, b)


@stand_in(builtins.pow)
def pow_(base: Any, exp: Any, mod: Any = None) -> Any:
    """`pow`."""
    base, exp = resolve(base), resolve(exp)
    if mod is None:
        return base**exp
    staged = any(isinstance(v, Tensor) for v in (base, exp, mod))
    return op.pow_modular(base, exp, mod) if staged else builtins.pow(base, exp, mod)
