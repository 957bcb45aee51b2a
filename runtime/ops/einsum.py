"""Sums of products by Einstein's notation, pairs of operands as one matrix product."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np

from runtime.ops.registry import Op, function
from runtime.typesys.dtypes import promote
from runtime.typesys.errors import InvalidArgumentError, ShapeError
from runtime.typesys.shapes import Dim, Size
from runtime.typesys.spec import TensorType

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _x(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).uniform(-2, 2, shape)


def _explicit(equation: str, ranks: list[int]) -> str:
    """The equation without spaces and ellipses, its output written out.

    Raises:
      InvalidArgumentError: terms and operands do not fit.
    """
    if not isinstance(equation, str):
        raise InvalidArgumentError(f"einsum takes its equation first, such as 'ij,jk->ik', not {type(equation).__name__}")
    equation = equation.replace(" ", "")
    left, arrow, right = equation.partition("->")
    terms = left.split(",")
    if len(terms) != len(ranks):
        raise InvalidArgumentError(f"einsum {equation!r} has {len(terms)} terms for {len(ranks)} operands", op="einsum")
    free = [c for c in _LETTERS if c not in equation]
    widths = [r - len(t.replace("...", "")) if "..." in t else 0 for t, r in zip(terms, ranks, strict=True)]
    dots = "".join(free[: max(widths, default=0)])
    out = []
    for term, width, rank in zip(terms, widths, ranks, strict=True):
        full = term.replace("...", dots[len(dots) - width :])
        if len(full) != rank or width < 0:
            raise InvalidArgumentError(
                f"einsum {equation!r}: term {term!r} does not fit a tensor of rank {rank}", op="einsum"
            )
        out.append(full)
    if not arrow:
        letters = left.replace(",", "").replace(".", "")
        right = "..." * bool(dots) + "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    right = right.replace("...", dots)
    for letter in right:
        if right.count(letter) > 1 or (letter not in left and letter not in dots):
            why = "twice" if right.count(letter) > 1 else "which no operand has"
            raise InvalidArgumentError(f"einsum {equation!r}: its output has {letter!r} {why}", op="einsum")
    return f"{','.join(out)}->{right}"


class Einsum(Op):
    """A sum of products of the operands' elements over all letters that the output does not name."""

    view = True  # of one operand: a transposition or a diagonal

    def infer(self, *types: TensorType, equation: str) -> TensorType:
        dtype = promote(*((t.dtype, t.weak) for t in types))[0]
        left, right = equation.split("->")
        sizes: dict[str, Size] = {}
        for term, kind in zip(left.split(","), types, strict=True):
            if kind.shape is None:
                return TensorType(dtype, tuple(Dim() for _ in right))
            for letter, size in zip(term, kind.shape, strict=True):
                known = sizes.get(letter)
                if known is None or not isinstance(known, int) or known == 1:
                    sizes[letter] = (
                        size if known is None or known == 1 or (isinstance(size, int) and size != 1) else known
                    )
                elif isinstance(size, int) and size not in (1, known):
                    raise ShapeError(f"einsum {equation!r}: {letter!r} is both {known} and {size}", op="einsum")
        return TensorType(dtype, tuple(sizes[c] for c in right))

    @staticmethod
    def kernel(*xs: Any, equation: str) -> Any:
        if len(xs) == 2 and all(x.ndim for x in xs):
            plan = _pair_plan(equation)
            if plan is not None:
                out = _pair(plan, *xs)
                if out is not None:
                    return out
        return np.einsum(equation, *xs, optimize=len(xs) > 2)

    def vjp(op: Any, dy: Any, y: Any, *xs: Any, equation: str) -> Any:
        left, right = equation.split("->")
        terms = left.split(",")
        grads = []
        for i, (x, term) in enumerate(zip(xs, terms, strict=True)):
            others = [j for j in range(len(xs)) if j != i]
            seen = set(right).union(*(terms[j] for j in others)) if others else set(right)
            letters = "".join(dict.fromkeys(term))
            kept = "".join(c for c in letters if c in seen)
            operands = [op.conj(xs[j]) if op.type_of(xs[j]).dtype.is_complex else xs[j] for j in others]
            part = op.einsum(dy, *operands, equation=f"{','.join([right, *(terms[j] for j in others)])}->{kept}")
            grads.append(op.sum_to(op.einsum_spread(part, x, equation=f"{kept}->{term}"), x))
        return tuple(grads)

    def samples(self) -> Iterable[Any]:
        cases: list[tuple[str, list[tuple[int, ...]]]] = [
            ("ij,jk->ik", [(2, 3), (3, 4)]),
            ("bij,bkj->bik", [(2, 2, 3), (2, 4, 3)]),
            ("bhqd,bhkd->bhqk", [(2, 2, 3, 2), (2, 2, 4, 2)]),
            ("ij->ji", [(2, 3)]),
            ("ij->", [(2, 3)]),
            ("ii->i", [(3, 3)]),
            ("ii->", [(3, 3)]),
            ("i,j->ij", [(3,), (2,)]),
            ("ij,ij->", [(2, 3), (2, 3)]),
            ("ij,j,k->ik", [(2, 3), (3,), (4,)]),
            ("ijk,j->ki", [(2, 3, 4), (3,)]),
            ("ij,kl->jl", [(2, 3), (4, 2)]),
            ("ij,i->i", [(2, 3), (2,)]),
        ]
        for equation, shapes in cases:
            yield tuple(_x(*s) for s in shapes), {"equation": equation}


class EinsumSpread(Op):
    """`x` where a term of an einsum takes it from: letters it lacks are broadcast, repeated ones on diagonals."""

    def infer(self, x: TensorType, like: TensorType, *, equation: str) -> TensorType:
        return TensorType(x.dtype, like.shape)

    @staticmethod
    def kernel(x: Any, like: Any, *, equation: str) -> Any:
        kept, term = equation.split("->")
        shape = np.shape(like)
        letters = "".join(dict.fromkeys(term))
        place = np.transpose(x, [kept.index(c) for c in letters if c in kept])
        place = np.expand_dims(place, tuple(i for i, c in enumerate(letters) if c not in kept))
        sizes = [
            max(n for n, t in zip(shape, term, strict=True) if t == c) if c not in kept else x.shape[kept.index(c)]
            for c in letters
        ]
        place = np.broadcast_to(place, sizes)
        if len(letters) == len(term):
            return place
        out = np.zeros([sizes[letters.index(c)] for c in term], x.dtype)
        np.einsum(f"{term}->{letters}", out)[...] = place
        return out

    view = True

    def vjp(op: Any, dy: Any, y: Any, x: Any, like: Any, *, equation: str) -> Any:
        kept, term = equation.split("->")
        return op.einsum(dy, equation=f"{term}->{kept}"), None

    def samples(self) -> Iterable[Any]:
        yield (_x(3), _x(2, 3)), {"equation": "j->ij"}
        yield (_x(3), _x(3, 3)), {"equation": "i->ii"}


@lru_cache(maxsize=512)
def _pair_plan(equation: str) -> Any:
    """How two operands become one matrix product: letters matched, alone, summed; None where they do not."""
    left, right = equation.split("->")
    a, b = left.split(",")
    if len(set(a)) != len(a) or len(set(b)) != len(b):
        return None
    only_a = [c for c in a if c not in b and c not in right]
    only_b = [c for c in b if c not in a and c not in right]
    batch = [c for c in right if c in a and c in b]
    rows = [c for c in right if c in a and c not in b]
    columns = [c for c in right if c in b and c not in a]
    summed = [c for c in a if c in b and c not in right]
    if not summed:
        return None
    a_left = [c for c in a if c not in only_a]
    b_left = [c for c in b if c not in only_b]
    return (
        tuple(a.index(c) for c in only_a),
        tuple(b.index(c) for c in only_b),
        tuple(a_left.index(c) for c in [*batch, *rows, *summed]),
        tuple(b_left.index(c) for c in [*batch, *summed, *columns]),
        len(batch),
        len(rows),
        len(summed),
        tuple([*batch, *rows, *columns].index(c) for c in right),
    )


def _pair(plan: Any, a: Any, b: Any) -> Any:
    sum_a, sum_b, order_a, order_b, batch, rows, summed, out_order = plan
    a = np.transpose(np.add.reduce(a, sum_a) if sum_a else a, order_a)
    b = np.transpose(np.add.reduce(b, sum_b) if sum_b else b, order_b)
    lead, inner = a.shape[:batch], a.shape[batch + rows :]
    if lead != b.shape[:batch] or inner != b.shape[batch : batch + summed]:
        return None  # sizes of 1 broadcast: leave it to NumPy, which also words the errors
    size = math.prod(inner)
    outer_a, outer_b = a.shape[batch : batch + rows], b.shape[batch + summed :]
    out = np.matmul(np.reshape(a, (*lead, math.prod(outer_a), size)), np.reshape(b, (*lead, size, math.prod(outer_b))))
    return np.transpose(np.reshape(out, (*lead, *outer_a, *outer_b)), out_order)[()]


@function("einsum", "linalg.einsum")
def einsum_(op: Any, equation: str, *inputs: Any, name: Any = None, **_: Any) -> Any:
    """A sum of products by Einstein's notation; "..." stands for broadcast axes.

    >>> ag.einsum("ij,jk->ik", [[1, 2]], [[3], [4]]).numpy().tolist()
    [[11]]
    """
    operands = [op.strong(x) for x in inputs]
    ranks = [op.type_of(x).rank for x in operands]
    if None in ranks:
        raise ShapeError("einsum needs operands of known rank", op="einsum")
    return contract(op, _explicit(equation, ranks), operands)


def contract(op: Any, equation: str, operands: list[Any]) -> Any:
    """An einsum, as one matrix product, one elementwise product, a sum or a transposition where it is that.

    `equation` is written out: no ellipses, and an output.
    """
    kinds = [op.type_of(x) for x in operands]
    left, right = equation.split("->")
    terms = left.split(",")
    simple = all(len(set(term)) == len(term) for term in terms) and len({k.dtype for k in kinds}) == 1
    if simple and kinds[0].dtype.kind in "fc" and _sizes_agree(terms, kinds):
        if len(operands) == 1:
            return _gathered_up(op, operands[0], terms[0], right)
        if len(operands) == 2:
            out = _product(op, terms[0], terms[1], right, operands[0], operands[1])
            if out is not None:
                return out
    return op.einsum(*operands, equation=equation)


def _sizes_agree(terms: list[str], kinds: list[TensorType]) -> bool:
    """Whether a letter is surely the same size wherever it stands: sizes of 1 would broadcast."""
    sizes: dict[str, Size] = {}
    for term, kind in zip(terms, kinds, strict=True):
        if kind.shape is None:
            return False
        for letter, size in zip(term, kind.shape, strict=True):
            if sizes.setdefault(letter, size) != size:
                return False
    return True


def _gathered_up(op: Any, x: Any, term: str, wanted: str) -> Any:
    """`x`, whose axes are `term`, with the axes `wanted`: the others are summed."""
    gone = tuple(i for i, c in enumerate(term) if c not in wanted)
    if gone:
        x = op.reduce_sum(x, axis=gone, keepdims=False)
        term = "".join(c for c in term if c in wanted)
    return x if term == wanted else op.transpose(x, perm=tuple(term.index(c) for c in wanted))


def _product(op: Any, a: str, b: str, right: str, x: Any, y: Any) -> Any:
    """Two operands: summed where only one has a letter, then multiplied; None where sizes would have to be known."""
    x = _gathered_up(op, x, a, a := "".join(c for c in a if c in b or c in right))
    y = _gathered_up(op, y, b, b := "".join(c for c in b if c in a or c in right))
    batch = "".join(c for c in right if c in a and c in b)
    rows, columns = "".join(c for c in right if c not in b), "".join(c for c in right if c not in a)
    summed = "".join(c for c in a if c in b and c not in right)
    if not summed or not (rows or columns):  # elements beside each other
        whole = right + summed
        out = op.mul(_beside(op, x, a, whole), _beside(op, y, b, whole))
        return op.reduce_sum(out, axis=tuple(range(len(right), len(whole))), keepdims=False) if summed else out
    sizes = dict(zip(a + b, (*op.type_of(x).shape, *op.type_of(y).shape), strict=True))
    flat = [group for group in (rows, columns, summed) if len(group) != 1]
    if flat and not all(isinstance(n, int) for n in sizes.values()):
        return None
    back_to_front = a == batch + summed + rows, b == batch + columns + summed
    x = _gathered_up(op, x, a, a if back_to_front[0] else batch + rows + summed)
    y = _gathered_up(op, y, b, b if back_to_front[1] else batch + summed + columns)
    if flat:
        lead, m, n, k = ([sizes[c] for c in group] for group in (batch, rows, columns, summed))
        first, second = (math.prod(m), math.prod(k)), (math.prod(k), math.prod(n))
        x = op.reshape(x, shape=(*lead, *(first[::-1] if back_to_front[0] else first)))
        y = op.reshape(y, shape=(*lead, *(second[::-1] if back_to_front[1] else second)))
    out = op.matmul(x, y, transpose_a=back_to_front[0], transpose_b=back_to_front[1])
    if flat:
        out = op.reshape(out, shape=tuple(sizes[c] for c in batch + rows + columns))
    return _gathered_up(op, out, batch + rows + columns, right)


def _beside(op: Any, x: Any, term: str, whole: str) -> Any:
    """`x` with an axis of size 1 for each letter of `whole` that it lacks."""
    x = _gathered_up(op, x, term, "".join(c for c in whole if c in term))
    for i, letter in enumerate(whole):
        if letter not in term:
            x = op.expand_dims(x, axis=i)
    return x
