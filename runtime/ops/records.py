"""Records: any values as one, passed on as they are: what a call of a function keeps for its gradient."""

from __future__ import annotations

from typing import Any

from runtime.ops.registry import Op
from runtime.typesys.spec import ListType, TensorType, ValueType

RECORD = ListType(None, record=True)
"""The type of a record: a list about whose items nothing is said."""


class PackRecord(Op):
    """Values as one."""

    aliases = True

    def infer(self, *values: ValueType) -> ListType:
        return RECORD

    def source(self, args: list[str], attrs: Any) -> str:
        return f"[{', '.join(args)}]"

    @staticmethod
    def kernel(*values: Any) -> list[Any]:
        return list(values)


    def vjp(op: Any, dy: Any, y: Any, *values: Any) -> Any:
        """A cotangent of a record is a record of cotangents."""
        kinds = [op.type_of(v) for v in values]
        dxs = op.unpack_record(dy, types=tuple(map(_cotangent, kinds)))
        dxs = dxs if isinstance(dxs, (tuple, list)) else (dxs,)
        return tuple(dx if _has_cotangent(kind) else None for dx, kind in zip(dxs, kinds, strict=True))


class UnpackRecord(Op):
    """The values of a record, of the given types."""

    aliases = True
    outputs = None

    def infer(self, record: ListType, *, types: tuple[ValueType, ...]) -> tuple[ValueType, ...]:
        return types

    @staticmethod
    def kernel(record: list[Any], *, types: tuple[ValueType, ...]) -> tuple[Any, ...]:
        return tuple(record)

    def vjp(op: Any, dys: Any, ys: Any, record: Any, *, types: tuple[ValueType, ...]) -> Any:
        """Zeros where there is none: a record has as many items as the other."""
        return (op.pack_record(*(_zeros(op, y) if dy is None else dy for dy, y in zip(dys, ys, strict=True))),)


def _has_cotangent(kind: ValueType | None) -> bool:
    if isinstance(kind, ListType):
        return kind.element is None or _has_cotangent(kind.element)
    return kind is not None and kind.dtype.is_inexact


def _cotangent(kind: ValueType) -> ValueType:
    return TensorType(kind.dtype, kind.shape) if isinstance(kind, TensorType) and kind.dtype.is_inexact else kind


def _zeros(op: Any, y: Any) -> Any:
    return op.list_zeros_like(y) if isinstance(op.type_of(y), ListType) else op.zeros_like(y)
