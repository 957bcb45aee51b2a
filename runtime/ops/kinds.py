"""Kinds of operations: shared type rules, sample inputs for the conformance tests, and helpers of vjp rules.

A kind is an abstract `Op`; a family file then needs one short class, or one line, per operation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from runtime.ops.registry import Op
from runtime.typesys.dtypes import DType, as_dtype, promote, resolve_ufunc
from runtime.typesys.errors import DTypeError, InvalidArgumentError
from runtime.typesys.shapes import Shape, broadcast_many, whole_number
from runtime.typesys.spec import TensorType

__all__ = [
    "Binary",
    "Compare",
    "Elementwise",
    "Reduction",
    "Unary",
    "conj",
    "known_axes",
    "no_gradient",
    "normalize_axes",
    "normalize_axis",
    "reduced_shape",
    "require_numbers",
    "widened",
]


def no_gradient(op: Any, dy: Any, y: Any, *inputs: Any, **attrs: Any) -> tuple[None, ...]:
    """The vjp of operations that are constant almost everywhere: no cotangent for any input."""
    return (None,) * len(inputs)


def conj(op: Any, x: Any) -> Any:
    """The conjugate, without an operation where `x` is real: what cotangents of complex operands are multiplied by."""
    return op.conj(x) if op.type_of(x).dtype.is_complex else x


def require_numbers(x: TensorType, op: str) -> None:
    """Refuse strings, which NumPy would add up and repeat as Python does.

    Raises:
      DTypeError: `x` holds strings.
    """
    if x.dtype.kind == "O":
        raise DTypeError(f"{op} is not defined for {x.dtype}{_way_out([x])}", op=op)


def _way_out(types: Sequence[TensorType]) -> str:
    """What to do about operands that an operation does not take."""
    kinds = {t.dtype.kind for t in types}
    if kinds == {"b"}:
        return ": logical_and, logical_or, logical_xor and logical_not are; for numbers, say cast(x, 'int32')"
    if kinds & set("OUS"):
        return ": strings take part in no arithmetic"
    if kinds & set("fc"):
        return ": cast to an integer or boolean dtype first, or compare first, as in (x > 0) & (y > 0)"
    return ": cast first"


class Elementwise(Op, abstract=True):
    """Same meaning on every element; operands broadcast. dtypes as NumPy's ufunc resolves them.

    `domain` bounds the sample values (low, high), `dtypes` the element types the samples use.
    """

    arity: ClassVar[int] = 1
    parameters: ClassVar[tuple[str, ...]] = ("x",)  # the inputs' public names
    domain: ClassVar[tuple[float, float]] = (-2.0, 2.0)
    dtypes: ClassVar[str] = "fd"

    def infer(self, *types: TensorType, **attrs: Any) -> TensorType:
        shape = types[0].shape if len(types) == 1 else broadcast_many(t.shape for t in types)
        weak = all(t.weak for t in types)
        return TensorType(self.result_dtype(*types, **attrs), shape, weak)

    def result_dtype(self, *types: TensorType, **attrs: Any) -> Any:
        if self.is_ufunc:
            try:
                return resolve_ufunc(self.numpy, tuple((t.dtype, t.weak) for t in types))[0]
            except TypeError:
                kinds = " and ".join(str(t.dtype) for t in types)
                raise DTypeError(f"{self.name} is not defined for {kinds}{_way_out(types)}", op=self.name) from None
        return promote(*((t.dtype, t.weak) for t in types))[0]

    def samples(self) -> Iterable[tuple[tuple[Any, ...], Mapping[str, Any]]]:
        rng = np.random.default_rng(len(self.name))
        low, high = self.domain
        shapes: list[list[tuple[int, ...]]] = [[(3, 4)] * self.arity, [()] * self.arity]
        if self.arity > 1:
            shapes += [[(3, 1)] + [(4,)] * (self.arity - 1), [()] + [(2, 3)] * (self.arity - 1)]
        for code in self.dtypes:
            for group in shapes:
                if np.dtype(code).kind in "iu":
                    yield tuple(rng.integers(int(low), int(high) + 1, s).astype(code) for s in group), {}
                elif code == "?":
                    yield tuple(rng.integers(0, 2, s).astype(bool) for s in group), {}
                else:
                    yield tuple(rng.uniform(low, high, s).astype(code) for s in group), {}


class Unary(Elementwise, abstract=True):
    """f(x), elementwise."""


class Binary(Elementwise, abstract=True):
    """f(x, y), elementwise with broadcasting; cotangents are summed back to the operands' shapes by `op.sum_to`."""

    arity = 2
    parameters = ("x", "y")


class Compare(Binary, abstract=True):
    """f(x, y) -> bool."""

    dtypes = "fdl"
    vjp = no_gradient

    def result_dtype(self, *types: TensorType, **attrs: Any) -> Any:
        return as_dtype(np.dtype(bool))


def axis_number(axis: Any) -> int:
    """An axis as an int.

    Raises:
      InvalidArgumentError: it is none.
    """
    return whole_number(axis, "an axis")


def normalize_axis(axis: int, rank: int, op: str = "") -> int:
    """A non-negative axis.

    Raises:
      InvalidArgumentError: the axis is outside [-rank, rank).
    """
    if not -rank <= axis < rank:
        axes = "axis 0, which is -1, too" if rank == 1 else f"axes 0 to {rank - 1}, or {-rank} to -1"
        have = f": it has {axes}" if rank else ", which has no axes"
        raise InvalidArgumentError(f"axis {axis} is out of bounds for a tensor of rank {rank}{have}", op=op)
    return axis + rank if axis < 0 else axis


def normalize_axes(axis: Any, rank: int, op: str = "") -> tuple[int, ...]:
    """All axes (None), one, or several, as a tuple of non-negative ones."""
    if axis is None:
        return tuple(range(rank))
    if isinstance(axis, (tuple, list)):
        axes = tuple(normalize_axis(axis_number(a), rank, op) for a in axis)
        if len(set(axes)) != len(axes):
            raise InvalidArgumentError(f"axis {axis} names an axis twice", op=op)
        return axes
    return (normalize_axis(axis_number(axis), rank, op),)


def reduced_shape(shape: Shape, axis: Any, keepdims: bool, op: str = "") -> Shape:
    """The shape after a reduction over `axis`."""
    if shape is None:
        return () if axis is None and not keepdims else None
    axes = normalize_axes(axis, len(shape), op)
    if keepdims:
        return tuple(1 if i in axes else d for i, d in enumerate(shape))
    return tuple(d for i, d in enumerate(shape) if i not in axes)


class Reduction(Op, abstract=True):
    """Attributes `axis` (None, int or tuple) and `keepdims`. dtype follows NumPy unless `result_dtype` says other."""

    dtypes: ClassVar[str] = "fd"

    def infer(self, x: TensorType, *, axis: Any = None, keepdims: bool = False) -> TensorType:
        require_numbers(x, self.name)
        return TensorType(self.result_dtype(x), reduced_shape(x.shape, axis, keepdims, self.name), x.weak)

    def result_dtype(self, x: TensorType) -> Any:
        return x.dtype

    def samples(self) -> Iterable[tuple[tuple[Any, ...], Mapping[str, Any]]]:
        rng = np.random.default_rng(len(self.name))
        for code in self.dtypes:
            x: Any = rng.uniform(-2, 2, (3, 4, 2))
            x = (x > 0) if code == "?" else (x * 4).astype(code)
            for axis in (None, 0, -1, (0, 2)):
                for keepdims in (False, True):
                    yield (x,), {"axis": axis, "keepdims": keepdims}


_WIDE = {"b": "int64", "i": "int64", "u": "uint64"}


def widened(dtype: DType) -> DType:
    """The dtype of sums and products: integers narrower than 64 bits and bools become 64 bits wide, as NumPy's."""
    wide = _WIDE.get(dtype.kind)
    return dtype if wide is None or dtype.size == 8 else as_dtype(wide)


def known_axes(op: Any, axis: Any) -> Any:
    """An axis argument (number, sequence, known tensor) as None, an int or a tuple of ints.

    Raises:
      InvalidArgumentError: it is staged, so only the run would tell; or it is no axis.
    """
    if axis is None or type(axis) is int:
        return axis
    if isinstance(axis, (str, bytes, float, bool, dict, set)):
        raise InvalidArgumentError(f"an axis is an integer, or a list of them, not {axis!r}")
    if isinstance(axis, (list, tuple)):
        axes = tuple(known_axes(op, a) for a in axis)
        return axes[0] if len(axes) == 1 else axes
    known = op.static_value(axis)
    if known is None:
        raise InvalidArgumentError("the axes of a reduction must be known when the function is traced")
    axes = np.asarray(known).tolist()
    if not isinstance(axes, (int, list)):
        raise InvalidArgumentError(f"an axis is an integer, or a list of them, not {axis!r}")
    return known_axes(op, axes)
