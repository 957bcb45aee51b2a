"""Matrix products of every rank, with transposed operands passed to BLAS as they lie in memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from runtime.ops.broadcasting import sum_to_shape
from runtime.ops.einsum import contract
from runtime.ops.kinds import require_numbers
from runtime.ops.registry import Op, function
from runtime.typesys.dtypes import promote
from runtime.typesys.errors import ShapeError
from runtime.typesys.shapes import Shape, Size, broadcast, same_size
from runtime.typesys.spec import TensorType


def _x(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).uniform(-2, 2, shape)


class Matmul(Op):
    """Matrix product of the last two axes, the others broadcast; vectors as NumPy's `@` takes them.

    >>> ag.matmul([[1, 2]], [[3], [4]]).numpy()
    array([[11]], dtype=int32)
    """

    public = "matmul", "linalg.matmul"
    method = "__matmul__", "__rmatmul__"
    choosy = True

    def call(
        op: Any,
        a: Any,
        b: Any,
        transpose_a: bool = False,
        transpose_b: bool = False,
        adjoint_a: bool = False,
        adjoint_b: bool = False,
        a_is_sparse: bool = False,
        b_is_sparse: bool = False,
        output_type: Any = None,
        name: Any = None,
    ) -> Any:
        if adjoint_a:
            a, transpose_a = op.conj(a), True
        if adjoint_b:
            b, transpose_b = op.conj(b), True
        out = _product(op, a, b, transpose_a, transpose_b)
        return out if output_type is None else op.cast(out, dtype=output_type)

    def infer(
        self, a: TensorType, b: TensorType, *, transpose_a: bool = False, transpose_b: bool = False
    ) -> TensorType:
        for operand in (a, b):
            require_numbers(operand, "matmul")
        dtype = promote((a.dtype, a.weak), (b.dtype, b.weak))[0]
        return TensorType(dtype, _product_shape(a.shape, b.shape, transpose_a, transpose_b))

    def source(self, args: list[str], attrs: Any) -> str:
        a = f"{args[0]}.mT" if attrs.get("transpose_a") else args[0]
        b = f"{args[1]}.mT" if attrs.get("transpose_b") else args[1]
        return f"np.matmul({a}, {b})"

    @staticmethod
    def kernel(a: Any, b: Any, *, transpose_a: bool = False, transpose_b: bool = False) -> Any:
        return np.matmul(np.asarray(a).mT if transpose_a else a, np.asarray(b).mT if transpose_b else b)

    def vjp(
        op: Any,
        dy: Any,
        y: Any,
        a: Any,
        b: Any,
        *,
        transpose_a: bool = False,
        transpose_b: bool = False,
        needs: Any = (True, True),
    ) -> Any:
        ra, rb = op.type_of(a).rank, op.type_of(b).rank
        a_, b_ = _conj(op, a), _conj(op, b)
        if ra is None or rb is None:
            return op.matmul_grad(dy, a_, b_, of=0, ta=transpose_a, tb=transpose_b), op.matmul_grad(
                dy, a_, b_, of=1, ta=transpose_a, tb=transpose_b
            )
        if ra == 1 and rb == 1:
            da, db = op.mul(dy, b_), op.mul(dy, a_)
        elif ra == 1:  # (k) @ (..., k, n) -> (..., n)
            column, row = op.expand_dims(a_, axis=1), op.expand_dims(dy, axis=rb - 2)
            da = (
                op.matmul(b_, dy, transpose_a=transpose_b)
                if rb == 2
                else op.squeeze(op.matmul(row, b_, transpose_b=not transpose_b), axis=(rb - 2,))
            )
            db = op.mul(column, row)
            db = op.matrix_transpose(db) if transpose_b else db
        elif rb == 1:  # (..., m, k) @ (k) -> (..., m)
            da = op.mul(op.expand_dims(dy, axis=ra - 1), b_)
            da = op.matrix_transpose(da) if transpose_a else da
            db = (
                op.matmul(a_, dy, transpose_a=not transpose_a)
                if ra == 2
                else op.squeeze(
                    op.matmul(a_, op.expand_dims(dy, axis=ra - 1), transpose_a=not transpose_a), axis=(ra - 1,)
                )
            )
        else:
            da, db = _matrix_grads(op, dy, a_, b_, transpose_a, transpose_b, rb == 2 and ra > 2, needs)
        return None if da is None else op.sum_to(da, a), None if db is None else op.sum_to(db, b)

    def samples(self) -> Iterable[Any]:
        for code in "fd":
            for sa, sb in [
                ((2, 3), (3, 4)),
                ((3,), (3,)),
                ((3,), (3, 4)),
                ((2, 3), (3,)),
                ((5, 2, 3), (3, 4)),
                ((5, 2, 3), (5, 3, 4)),
                ((2, 3), (5, 3, 4)),
                ((1, 2, 3), (5, 3, 4)),
                ((3,), (5, 3, 4)),
                ((5, 2, 3), (3,)),
            ]:
                yield (_x(*sa).astype(code), _x(*sb).astype(code)), {}
        yield (_x(3, 2), _x(3, 4)), {"transpose_a": True}
        yield (_x(2, 3), _x(4, 3)), {"transpose_b": True}
        yield (_x(5, 3, 2), _x(4, 3)), {"transpose_a": True, "transpose_b": True}
        yield (_x(5, 2, 3), _x(4, 3)), {"transpose_b": True}


def _conj(op: Any, x: Any) -> Any:
    return op.conj(x) if op.type_of(x).dtype.is_complex else x


def _product(op: Any, a: Any, b: Any, transpose_a: bool, transpose_b: bool) -> Any:
    """matmul with the attributes left out where they are False, so that equal products look equal."""
    if not (transpose_a or transpose_b):
        return op.matmul(a, b)
    flags = {k: True for k, v in (("transpose_a", transpose_a), ("transpose_b", transpose_b)) if v}
    return op.matmul(a, b, **flags)


def _matrix_grads(op: Any, dy: Any, a: Any, b: Any, ta: bool, tb: bool, shared: bool, needs: Any) -> tuple[Any, Any]:
    """Cotangents of op(a) @ op(b) for matrices (broadcasting not yet undone); `shared`: one b for all of a."""
    da = db = None
    if needs[0]:
        da = _product(op, b, dy, tb, True) if ta else _product(op, dy, b, False, not tb)
    if needs[1]:
        if shared and not ta and 0 not in (op.type_of(a).shape[-1], op.type_of(dy).shape[-1]):
            a, dy = op.collapse_lead(a), op.collapse_lead(dy)  # one product over all rows, not one for each and a sum
        db = _product(op, dy, a, True, ta) if tb else _product(op, a, dy, not ta, False)
    return da, db


@function()
def collapse_lead(op: Any, x: Any) -> Any:
    """All axes but the last as one."""
    last = op.type_of(x).shape[-1]
    if isinstance(last, int):
        return op.reshape(x, shape=(-1, last))
    return op.reshape(x, op.dim_size(x, axis=op.type_of(x).rank - 1), shape=(-1, last))


class MatmulGrad(Op):
    """A cotangent of a matrix product of unknown rank."""

    def infer(self, dy: TensorType, a: TensorType, b: TensorType, *, of: int, ta: bool, tb: bool) -> TensorType:
        return TensorType(dy.dtype, (a, b)[of].shape)

    @staticmethod
    def kernel(dy: Any, a: Any, b: Any, *, of: int, ta: bool, tb: bool) -> Any:
        matrix_a = a[None] if np.ndim(a) == 1 else np.swapaxes(a, -1, -2) if ta else a
        matrix_b = b[:, None] if np.ndim(b) == 1 else np.swapaxes(b, -1, -2) if tb else b
        if np.ndim(b) == 1:
            dy = np.expand_dims(dy, -1)
        if np.ndim(a) == 1:
            dy = np.expand_dims(dy, -2)
        if of == 0:
            da = dy @ np.swapaxes(matrix_b, -1, -2)
            if np.ndim(a) == 1:
                return sum_to_shape(da[..., 0, :], a.shape)
            return sum_to_shape(np.swapaxes(da, -1, -2) if ta else da, a.shape)
        db = np.swapaxes(matrix_a, -1, -2) @ dy
        if np.ndim(b) == 1:
            return sum_to_shape(db[..., 0], b.shape)
        return sum_to_shape(np.swapaxes(db, -1, -2) if tb else db, b.shape)


def _product_shape(a: Shape, b: Shape, ta: bool, tb: bool) -> Shape:
    if a is None or b is None:
        return None
    if not a or not b:
        raise ShapeError(f"matmul needs at least one axis on each side, not shapes {a} and {b}", op="matmul")
    rows, inner_a = ((), a[-1]) if len(a) == 1 else ((a[-1],), a[-2]) if ta else ((a[-2],), a[-1])
    inner_b, columns = (b[-1], ()) if len(b) == 1 else (b[-1], (b[-2],)) if tb else (b[-2], (b[-1],))
    if isinstance(inner_a, int) and isinstance(inner_b, int) and inner_a != inner_b:
        fits = len(b) > 1 and b[-2 if tb else -1] == inner_a
        hint = f"; transpose_b={not tb} would fit" if fits else ""
        message = f"matmul of shapes {a} and {b}: the inner sizes {inner_a} and {inner_b} differ{hint}"
        raise ShapeError(message, op="matmul")
    try:
        lead: tuple[Size, ...] = broadcast(a[:-2], b[:-2]) or ()
    except ShapeError:
        message = f"matmul of shapes {a} and {b}: the axes before the last two, {a[:-2]} and {b[:-2]}, do not broadcast"
        raise ShapeError(message, op="matmul") from None
    return (*lead, *rows, *columns)


@function("linalg.matvec")
def matvec(op: Any, a: Any, b: Any, transpose_a: bool = False, adjoint_a: bool = False, name: Any = None) -> Any:
    """Matrix times vector over the last axes: (..., m, n) and (..., n) give (..., m).

    >>> ag.linalg.matvec([[1, 2], [3, 4]], [1, 1]).numpy()
    array([3, 7], dtype=int32)

    Source of the semantics: TensorFlow's `tf.linalg.matvec`.
    """
    b = op.strong(b)
    column = op.expand_dims(b, axis=-1) if op.type_of(b).rank is None else op.expand_dims(b, axis=op.type_of(b).rank)
    out = Matmul.call(op, a, column, transpose_a=transpose_a, adjoint_a=adjoint_a)
    rank = op.type_of(out).rank
    return op.squeeze(out, axis=(-1 if rank is None else rank - 1,))


_UNPAIRED = "the product of tensors of unknown sizes: sizes ", (0, ""), " and ", (1, ""), " of paired axes differ"


@function("tensordot", "linalg.tensordot")
def tensordot(op: Any, a: Any, b: Any, axes: Any = 2, name: Any = None) -> Any:
    """Sum of products over pairs of axes: the last `axes` of a with the first of b, or the lists given.

    >>> ag.tensordot([[1, 2]], [[3], [4]], 1).numpy().tolist()
    [[11]]
    """
    a, b = op.strong(a), op.strong(b)
    ra, rb = op.type_of(a).rank, op.type_of(b).rank
    if isinstance(axes, int):
        left, right = list(range(ra - axes, ra)), list(range(axes))
    else:
        left, right = ([x] if isinstance(x, int) else [int(i) for i in x] for x in axes)
    letters = iter("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    names_a = [next(letters) for _ in range(ra)]
    names_b = [next(letters) for _ in range(rb)]
    for i, j in zip(left, right, strict=True):
        size_a, size_b = (op.type_of(x).shape[at] for x, at in ((a, i), (b, j)))
        if isinstance(size_a, int) and isinstance(size_b, int) and size_a != size_b:
            message = f"the product of tensors of shapes {op.type_of(a).shape} and {op.type_of(b).shape}"
            raise ShapeError(f"{message}: sizes {size_a} and {size_b} of paired axes differ", op="tensordot")
        if not same_size(size_a, size_b):  # a size of 1 would broadcast
            if len(left) == 1 and ra <= 2 and rb <= 2:
                return _product(op, a, b, ra == 2 and i % 2 == 0, rb == 2 and j % 2 == 1)
            sizes = op.dim_size(a, axis=i % ra), op.dim_size(b, axis=j % rb)
            op.assert_(op.equal(*sizes), *sizes, template=_UNPAIRED, exception=ShapeError)
        names_b[j] = names_a[i]
    paired_a, paired_b = {i % ra for i in left}, {j % rb for j in right}
    out = [n for i, n in enumerate(names_a) if i not in paired_a] + [
        n for j, n in enumerate(names_b) if j not in paired_b
    ]
    return contract(op, f"{''.join(names_a)},{''.join(names_b)}->{''.join(out)}", [a, b])


@function()
def sum_all(op: Any, x: Any) -> Any:
    """The sum of all elements."""
    return op.reduce_sum(x, axis=None, keepdims=False)


@function("outer", "linalg.outer")
def outer(op: Any, a: Any, b: Any) -> Any:
    """The products of all elements of a with all of b, as NumPy's `outer`.

    >>> ag.outer([1, 2], [3, 4]).numpy()
    array([[3, 4],
           [6, 8]], dtype=int32)
    """
    return op.mul(op.expand_dims(op.flatten(a), axis=1), op.expand_dims(op.flatten(b), axis=0))


@function("linalg.cross", "cross")
def cross(op: Any, a: Any, b: Any, name: Any = None) -> Any:
    """Cross products of vectors of three along the last axis.

    >>> ag.linalg.cross([1.0, 0.0, 0.0], [0.0, 1.0, 0.0]).numpy()
    array([0., 0., 1.], dtype=float32)

    Source of the semantics: TensorFlow's `tf.cross`.
    """
    a, b = op.strong(a), op.strong(b)
    (a0, a1, a2), (b0, b1, b2) = ([op.get_item(v, (Ellipsis, i)) for i in range(3)] for v in (a, b))
    parts = [
        op.sub(op.mul(p, q), op.mul(r, s)) for p, q, r, s in ((a1, b2, a2, b1), (a2, b0, a0, b2), (a0, b1, a1, b0))
    ]
    return op.stack(parts, axis=-1)


@function("dot", method="dot")
def dot(op: Any, a: Any, b: Any) -> Any:
    """NumPy's `dot`: products with scalars, else the last axis of a with the last but one (or only) of b.

    >>> ag.dot([1.0, 2.0], [3.0, 4.0]).numpy()
    np.float32(11.0)
    """
    a, b = op.strong(a), op.strong(b)
    ra, rb = op.type_of(a).rank, op.type_of(b).rank
    if ra == 0 or rb == 0:
        return op.mul(a, b)
    if ra <= 2 and rb <= 2:
        return Matmul.call(op, a, b)
    return op.tensordot(a, b, [[ra - 1], [max(rb - 2, 0)]])
