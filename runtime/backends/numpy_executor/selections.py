"""How `where` is written: as Python's own choice of a number, by rows, by bits, or as NumPy's own.

NumPy gives an array without axes for numbers, on which each operation after it takes ten times as long as on a number.
NumPy takes elements one by one, and guesses wrongly what a mixed condition says of the next. A condition that holds for
whole rows chooses among rows, each a single item of as many bytes; any other that is mixed, on arrays that are not small,
becomes a mask of bits. All of them copy bits, so all give the same.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from runtime.backends.numpy_executor.names import Globals
from runtime.backends.numpy_executor.numbers import has_numbers, keeps
from runtime.ir.graph import Node, Value
from runtime.passes.rewrite import UNKNOWN, constant_of
from runtime.typesys.shapes import num_elements, same_size
from runtime.typesys.spec import TensorType

__all__ = ["choice"]

ROW = 32  # bytes from which on a row is worth being one item
SMALL = 512  # elements up to which NumPy's own takes less time than what is needed to look at rows as items
FEW = 4096  # elements up to which NumPy's own loop takes less time than several passes
_SAMPLED = 512  # of so many elements of a condition, 64 are looked at
_BITS = {size: np.dtype(f"i{size}") for size in (1, 2, 4, 8)}


def choice(node: Node, target: int | None, names: Globals, memory: str | None = None) -> str:
    """The source template of a `where`: a new array (in `memory`), or one that is written into operand `target`."""
    condition, out = node.inputs[0].tensor_type, node.outputs[0].tensor_type
    if target is None and memory is None and (source := _of_numbers(node, condition, out, names)) is not None:
        return source
    for way in (_by_rows, _by_bits):
        source = way(node, target, condition, out, names)
        if source is not None:
            return f"{source[:-1]}, {memory})" if target is None and memory else source
    if target is None and memory:
        return f"{names.bind('choose', choose, 'where, into memory')}({{0}}, {{1}}, {{2}}, {memory})"
    x, y = (_operand(node, k, out, names) for k in (1, 2))
    if target is None:
        return names.shorten(f"np.where({{0}}, {x}, {y})", node.op)
    if target == 2:
        return names.shorten(f"np.copyto({{2}}, {x}, where={{0}})", node.op)
    return names.shorten(f"np.copyto({{1}}, {y}, where=np.logical_not({{0}}))", node.op)


def _of_numbers(node: Node, condition: TensorType, out: TensorType, names: Globals) -> str | None:
    """The choice of one of two numbers; both are computed before."""
    if condition.shape != () or out.shape != () or out.dtype.kind not in "biufc":
        return None
    operands = []
    for k in (1, 2):
        kind, number = node.inputs[k].tensor_type, constant_of(node.inputs[k])
        if kind.dtype == out.dtype and not kind.weak:
            operands.append(f"{{{k}}}")
        elif number is not UNKNOWN and type(number) in (int, float) and has_numbers(out.dtype) and keeps(number, out.dtype):
            operands.append(names.constant(out.dtype.dtype.type(number)))
        elif kind.weak and kind.dtype.kind in "if" and out.dtype.name in ("int64", "float64"):
            operands.append(f"{names.numpy(out.dtype.name)}({{{k}}})")
        else:
            return None
    return f"({operands[0]} if {{0}} else {operands[1]})"


def _operand(node: Node, k: int, out: TensorType, names: Globals) -> str:
    """The source of an operand of `where`; of a number as an array without axes, which takes less time."""
    number = constant_of(node.inputs[k])
    if number is UNKNOWN or type(number) not in (int, float) or not out.shape or not has_numbers(out.dtype):
        return f"{{{k}}}"
    if keeps(number, out.dtype):
        return names.number(number, out.dtype)
    if type(number) is int and -(1 << 63) <= number < 1 << 63:  # `where` takes its bits, `copyto` would refuse it
        return names.constant(np.array(number).astype(out.dtype.dtype))
    return f"{{{k}}}"


def _plain(kind: TensorType) -> bool:
    """Whether a type's elements are bits that may be copied as they are."""
    return not kind.weak and bool(kind.shape) and kind.dtype.kind in "biufc" and kind.dtype.dtype.isnative


def _constant(value: Value, dtype: np.dtype[Any]) -> Any:
    """A constant scalar operand as a scalar of the result's type; None for other operands."""
    found = constant_of(value)
    if found is UNKNOWN or np.ndim(found) != 0:
        return None
    try:
        with np.errstate(all="raise"):
            return np.full((), found, dtype)[()]
    except (OverflowError, FloatingPointError):  # NumPy's own complains when it runs
        return None


# Rows


def _by_rows(node: Node, target: int | None, condition: TensorType, out: TensorType, names: Globals) -> str | None:
    if not _plain(out) or not condition.shape or condition.shape[-1] != 1:
        return None
    length = (out.shape or ())[-1]
    if not isinstance(length, int) or length < 4 or length * out.dtype.size < ROW:
        return None
    size = num_elements(out.shape)
    if size is not None and size < SMALL:
        return None
    operands = []
    for k in (1, 2):
        kind = node.inputs[k].tensor_type
        if not kind.weak and kind.shape and kind.shape[-1] == length and kind.dtype == out.dtype:
            operands.append(f"{{{k}}}")
            continue
        scalar = _constant(node.inputs[k], out.dtype.dtype)
        if scalar is None:
            return None
        operands.append(names.constant(np.full(length, scalar)))
    row = names.bind(f"row{length * out.dtype.size}", _row(length * out.dtype.size), "the type of a row")
    x, y = operands
    if target is None:
        return f"{names.bind('choose_rows', choose_rows, 'where, by rows')}({{0}}, {x}, {y}, {row})"
    put = names.bind("put_rows", put_rows, "where, by rows, into one of both")
    return f"{put}({y}, {x}, {{0}}, {row})" if target == 2 else f"{put}({x}, {y}, ~{{0}}, {row})"


@lru_cache(maxsize=256)
def _row(size: int) -> np.dtype[Any]:
    return np.dtype((np.void, size))


def choose(condition: Any, x: Any, y: Any, out: Any) -> Any:
    """x where the condition holds, y elsewhere, written into `out`."""
    np.copyto(out, y)
    np.copyto(out, x, where=condition)
    return out


def choose_rows(condition: Any, x: Any, y: Any, row: Any, out: Any = None) -> Any:
    """x where the condition holds, y elsewhere; the condition's last axis has size 1."""
    if out is not None:
        np.copyto(out, y)
        put_rows(out, x, condition, row)
        return out
    try:
        return np.where(condition, x.view(row), y.view(row)).view(x.dtype)
    except ValueError:  # rows that are no blocks of memory
        return np.where(condition, x, y)


def put_rows(target: Any, source: Any, condition: Any, row: Any) -> None:
    """Write the source's rows over the target's where the condition holds; the condition's last axis has size 1."""
    try:
        into, items = target.view(row), source.view(row)
    except ValueError:
        into, items = target, source
    np.copyto(into, items, where=condition)


# Bits


def _by_bits(node: Node, target: int | None, condition: TensorType, out: TensorType, names: Globals) -> str | None:
    bits = _BITS.get(out.dtype.size)
    if bits is None or not _plain(out) or condition.weak or not condition.shape:
        return None
    size = num_elements(out.shape)
    if size is not None and size < FEW:
        return None
    operands, full = [], []
    for k in (1, 2):
        kind = node.inputs[k].tensor_type
        if not kind.weak and kind.shape is not None and kind.dtype == out.dtype:
            operands.append(f"{{{k}}}")
            full.append(_same_shape(kind, out))
            continue
        scalar = _constant(node.inputs[k], out.dtype.dtype)
        if scalar is None:
            return None
        zero = not scalar.view(bits)
        operands.append("None" if zero else names.constant(scalar))
        full.append(False)
    if not any(full):
        return None
    x, y = operands
    if target is None:
        return f"{names.bind('choose_bits', choose_bits, 'where, by bits')}({{0}}, {x}, {y})"
    if not full[target - 1]:
        return None
    put = names.bind("put_bits", put_bits, "where, by bits, into one of both")
    return f"{put}({{0}}, {x}, {y}, {target == 1})"


def _same_shape(a: TensorType, b: TensorType) -> bool:
    return len(a.shape or ()) == len(b.shape or ()) and all(map(same_size, a.shape or (), b.shape or ()))


def choose_bits(condition: Any, x: Any, y: Any, out: Any = None) -> Any:
    """x where the condition holds, y elsewhere; None for zeros. An operand has the result's shape."""
    some = y if x is None else x
    if out is None:
        if some.size < FEW and condition.size < FEW:
            zero = some.dtype.type(0)
            return np.where(condition, zero if x is None else x, zero if y is None else y)
        shaped = y is None or np.shape(some) == np.shape(y) or np.shape(some) == np.broadcast(some, y).shape
        out = np.empty_like(some if shaped else y)
    if not _mixed(condition):
        return choose(condition, 0 if x is None else x, 0 if y is None else y, out)
    bits = _BITS[out.itemsize]
    into = out.view(bits)
    if x is None:
        np.bitwise_and(y.view(bits), _mask(condition, False), into)
    elif y is None:
        np.bitwise_and(x.view(bits), _mask(condition, True), into)
    else:
        base = y.view(bits)
        np.bitwise_xor(x.view(bits), base, into)
        np.bitwise_and(into, _mask(condition, True), into)
        np.bitwise_xor(into, base, into)
    return out


def put_bits(condition: Any, x: Any, y: Any, first: bool) -> None:
    """The same, written into x (`first`) or into y."""
    target, other = (x, y) if first else (y, x)
    if target.size < FEW or not _mixed(condition):
        np.copyto(target, 0 if other is None else other, where=np.logical_not(condition) if first else condition)
        return
    bits = _BITS[target.itemsize]
    into = target.view(bits)
    if other is None:
        np.bitwise_and(into, _mask(condition, first), into)
        return
    change = np.bitwise_xor(into, other.view(bits))
    np.bitwise_and(change, _mask(condition, not first), change)
    np.bitwise_xor(into, change, into)


def _mixed(condition: Any) -> bool:
    """Whether the condition changes so often, from one element to the next, that NumPy's way with runs takes longer."""
    if condition.size < _SAMPLED or not condition.flags.c_contiguous:
        return True
    some = condition.reshape(-1)[: condition.size // _SAMPLED * _SAMPLED].reshape(-1, _SAMPLED)[:, :64]
    return bool(np.count_nonzero(some[:, 1:] != some[:, :-1]) * 50 > some.size)


def _mask(condition: Any, holds: bool) -> Any:
    """All bits where the condition holds (or does not), as integers of a byte, which extend to wider ones."""
    return np.negative(condition.view(np.int8)) if holds else np.subtract(condition.view(np.int8), 1)
