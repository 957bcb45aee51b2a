"""The same elements in another order: transposed, reversed, rolled."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from runtime.ops.kinds import axis_number, normalize_axes, normalize_axis
from runtime.ops.registry import Op, function
from runtime.typesys.dtypes import as_dtype
from runtime.typesys.errors import InvalidArgumentError, ShapeError
from runtime.typesys.shapes import Dim
from runtime.typesys.spec import TensorType


def _x(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).uniform(-2, 2, shape)


def _rank_of(op: Any, x: Any, what: str) -> int:
    rank = op.type_of(x).rank
    if rank is None:
        raise ShapeError(f"{what} needs a tensor of known rank; use ensure_shape", op=what)
    return int(rank)


class Transpose(Op):
    """The axes in another order: axis `i` of the result is axis `perm[i]` of `x`.

    >>> ag.transpose([[1, 2], [3, 4]]).numpy()
    array([[1, 3],
           [2, 4]], dtype=int32)

    Source of the semantics: TensorFlow's `tf.transpose`.
    """

    view = True
    public = "transpose"

    def call(op: Any, a: Any, perm: Any = None, conjugate: bool = False, name: str = "transpose") -> Any:
        if perm is None:
            out = op.transpose_all(a)
        else:
            rank = len(perm) if isinstance(perm, (tuple, list)) else None
            axes = tuple(axis_number(p) for p in (perm if rank is not None else np.atleast_1d(perm)))
            a = op.strong(a)
            if sorted(p % len(axes) for p in axes) != list(range(len(axes))) or any(
                not -len(axes) <= p < len(axes) for p in axes
            ):
                listed = f"the axes 0 to {len(axes) - 1}"
                raise InvalidArgumentError(f"perm {axes} is not a permutation of {listed}", op="transpose")
            have = op.type_of(a).rank
            if have is not None and have != len(axes):
                raise InvalidArgumentError(f"perm {axes} does not fit a tensor of rank {have}", op="transpose")
            out = op.transpose(a, perm=tuple(p % len(axes) for p in axes))
        return op.conj(out) if conjugate else out

    def infer(self, x: TensorType, *, perm: Any) -> TensorType:
        if x.shape is None:
            return TensorType(x.dtype, None if perm is None else tuple(Dim() for _ in perm))
        if perm is None:
            return TensorType(x.dtype, x.shape[::-1])
        if len(perm) != len(x.shape):
            raise InvalidArgumentError(f"perm {perm} does not fit a tensor of rank {len(x.shape)}", op="transpose")
        return TensorType(x.dtype, tuple(x.shape[p] for p in perm))

    def source(self, args: list[str], attrs: Any) -> str:
        perm = attrs["perm"]
        reverse = perm is None or perm == tuple(range(len(perm)))[::-1]
        return (
            f"np.transpose({args[0]})"
            if perm is None
            else f"{args[0]}.T"
            if reverse
            else f"{args[0]}.transpose({', '.join(map(str, perm))})"
        )

    @staticmethod
    def kernel(x: Any, *, perm: Any) -> Any:
        return np.transpose(x, perm)

    def vjp(op: Any, dy: Any, y: Any, x: Any, *, perm: Any) -> Any:
        return (op.transpose(dy, perm=None if perm is None else tuple(map(int, np.argsort(perm)))),)

    def samples(self) -> Iterable[Any]:
        yield (_x(2, 3),), {"perm": (1, 0)}
        yield (_x(2, 3, 4),), {"perm": (2, 0, 1)}


@function()
def transpose_all(op: Any, x: Any) -> Any:
    """The axes in reverse order; a vector as it is."""
    x = op.strong(x)
    rank = op.type_of(x).rank
    if rank is None:
        return op.transpose(x, perm=None)
    return x if rank < 2 else op.transpose(x, perm=tuple(range(rank))[::-1])


@function(method="transpose")
def transpose_method(op: Any, x: Any, *order: Any) -> Any:
    """NumPy's `x.transpose()`, `x.transpose(1, 0)` or `x.transpose((1, 0))`."""
    axes = order[0] if len(order) == 1 and not isinstance(order[0], int) else order
    return Transpose.call(op, x, axes or None)


@function("linalg.matrix_transpose", "linalg.adjoint")
def matrix_transpose(op: Any, a: Any, name: Any = None, conjugate: bool = False) -> Any:
    """The last two axes exchanged.

    >>> ag.linalg.matrix_transpose([[1, 2], [3, 4]]).numpy()
    array([[1, 3],
           [2, 4]], dtype=int32)

    Source of the semantics: TensorFlow's `tf.linalg.adjoint`.
    """
    return op.swapaxes(a, -1, -2)


@function("swapaxes", method="swapaxes")
def swapaxes(op: Any, x: Any, axis1: int, axis2: int) -> Any:
    """Two axes exchanged.

    >>> ag.swapaxes(ag.zeros((2, 3, 4)), 0, 2).shape
    TensorShape([4, 3, 2])

    As NumPy's.
    """
    x = op.strong(x)
    order = list(range(_rank_of(op, x, "swapaxes")))
    a, b = normalize_axis(int(axis1), len(order), "swapaxes"), normalize_axis(int(axis2), len(order), "swapaxes")
    order[a], order[b] = b, a
    return op.transpose(x, perm=tuple(order))


@function("moveaxis")
def moveaxis(op: Any, x: Any, source: Any, destination: Any) -> Any:
    """Axes moved to other places, the others kept in order.

    >>> ag.moveaxis(ag.zeros((2, 3, 4)), 0, -1).shape
    TensorShape([3, 4, 2])

    As NumPy's.
    """
    x = op.strong(x)
    rank = _rank_of(op, x, "moveaxis")
    from_axes = normalize_axes(source, rank, "moveaxis")
    to_axes = normalize_axes(destination, rank, "moveaxis")
    order = [a for a in range(rank) if a not in from_axes]
    for to, axis in sorted(zip(to_axes, from_axes, strict=True)):
        order.insert(to, axis)
    return op.transpose(x, perm=tuple(order))


class Reverse(Op):
    """The order of the elements reversed along the axes.

    >>> ag.reverse([[1, 2], [3, 4]], [1]).numpy()
    array([[2, 1],
           [4, 3]], dtype=int32)

    Source of the semantics: TensorFlow's `tf.flip`.
    """

    public = "reverse", "flip"
    view = True
    numpy = "np.flip({0}, {axis})"

    def call(op: Any, tensor: Any, axis: Any = None, name: Any = None) -> Any:
        x = op.strong(tensor)
        axis = axis if axis is None or isinstance(axis, (int, tuple, list)) else np.asarray(axis).tolist()
        return op.reverse(x, axis=normalize_axes(axis, _rank_of(op, x, "reverse"), "reverse"))

    def infer(self, x: TensorType, *, axis: Any) -> TensorType:
        return TensorType(x.dtype, x.shape)

    vjp = lambda op, dy, y, x, *, axis: (op.reverse(dy, axis=axis),)

    def samples(self) -> Iterable[Any]:
        yield (_x(2, 3),), {"axis": (0,)}
        yield (_x(2, 3),), {"axis": (0, 1)}


class Roll(Op):
    """The elements moved on by `shift` places along the axes, what falls off the end entering at the start.

    >>> ag.roll([1, 2, 3], 1, 0).numpy()
    array([3, 1, 2], dtype=int32)

    Source of the semantics: TensorFlow's `tf.roll`.
    """

    public = "roll"

    def call(op: Any, input: Any, shift: Any, axis: Any = None, name: Any = None) -> Any:
        if axis is not None:
            axis = tuple(map(axis_number, axis)) if isinstance(axis, (tuple, list)) else axis_number(axis)
        known = op.static_value(shift) if not isinstance(shift, (tuple, list)) else shift
        if known is not None and not isinstance(known, (tuple, list)):
            known = np.asarray(known).tolist()
        if known is None or (isinstance(known, (tuple, list)) and not all(isinstance(s, int) for s in known)):
            return op.roll(input, op.cast(op.convert(shift), dtype=as_dtype("int64")), shift=None, axis=axis)
        return op.roll(input, shift=tuple(known) if isinstance(known, list) else known, axis=axis)

    def source(self, args: list[str], attrs: Any) -> str:
        shift = attrs["shift"] if attrs["shift"] is not None else args[1]
        return f"np.roll({args[0]}, {shift}, {attrs['axis']})"

    @staticmethod
    def kernel(x: Any, *moved: Any, shift: Any, axis: Any) -> Any:
        return np.roll(x, moved[0] if moved else shift, axis)

    def infer(self, x: TensorType, *moved: TensorType, shift: Any, axis: Any) -> TensorType:
        return TensorType(x.dtype, x.shape)

    def vjp(op: Any, dy: Any, y: Any, x: Any, *moved: Any, shift: Any, axis: Any) -> Any:
        if moved:
            return op.roll(dy, op.neg(moved[0]), shift=None, axis=axis), None
        return (op.roll(dy, shift=tuple(-s for s in shift) if isinstance(shift, tuple) else -shift, axis=axis),)

    def samples(self) -> Iterable[Any]:
        yield (_x(4, 3),), {"shift": 1, "axis": 0}
        yield (_x(4, 3),), {"shift": (2, -1), "axis": (0, 1)}
        yield (_x(4, 3), np.int64(3)), {"shift": None, "axis": 1}
