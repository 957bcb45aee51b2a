"""Lists of values in a graph: Python lists, updated functionally (in place where a plan owns them).

Elements have one type, the join of what was put in; indices may be negative and raise IndexError as Python's do.
The cotangent of a list is a list of the same length.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from runtime.ops.registry import Op
from runtime.typesys.errors import DTypeError
from runtime.typesys.join import join_all, join_types
from runtime.typesys.shapes import Dim, concat_dim, is_static, require_scalar, unequal_parts
from runtime.typesys.spec import ListType, TensorType, ValueType

INDEX = TensorType("int64", (), weak=True)
TRUTH = TensorType("bool", (), weak=True)
# What a literal of the kind becomes.
_HARD = {"b": "bool", "i": "int32", "u": "int32", "f": "float32", "c": "complex128"}


def _element(kind: ListType, op: str) -> ValueType:
    if kind.element is None:
        raise DTypeError("the list is known to be empty: it has no element to take", op=op)
    return kind.element


def _with(kind: ListType, value: ValueType) -> ListType:
    return ListType(join_types(kind.element, value))


class ListNew(Op):
    """An empty list; attribute `element` is the type of its elements."""

    def infer(self, *, element: ValueType | None = None) -> ListType:
        return ListType(element)

    def source(self, args: list[str], attrs: Any) -> str:
        return "[]"

    @staticmethod
    def kernel(*, element: ValueType | None = None) -> list[Any]:
        return []


class ListFrom(Op):
    """A list of the given elements."""

    aliases = True

    def infer(self, *elements: ValueType, element: ValueType | None = None) -> ListType:
        return ListType(join_all(list(elements)) if element is None else element)

    def source(self, args: list[str], attrs: Any) -> str:
        return f"[{', '.join(args)}]"

    @staticmethod
    def kernel(*elements: Any, element: Any = None) -> list[Any]:
        return list(elements)

    vjp = lambda op, dy, y, *elements, element=None: tuple(op.list_get(dy, k) for k in range(len(elements)))


class ListAppend(Op):
    """The list with one more element."""

    aliases = True
    numpy = "[*{0}, {1}]"
    consumes = (0,)
    in_place = "{0}.append({1})"

    def infer(self, x: ListType, value: ValueType) -> ListType:
        return _with(x, value)

    vjp = lambda op, dy, y, x, value: op.list_pop(dy, -1)


class ListConcat(Op):
    """All elements of one list, then all of another."""

    aliases = True
    numpy = "{0} + {1}"
    consumes = (0,)
    in_place = "{0}.extend({1})"

    def infer(self, x: ListType, y: ListType) -> ListType:
        return ListType(join_types(x.element, y.element))

    vjp = lambda op, dz, z, x, y: (
        op.list_slice(dz, op.list_len(x), spec=(False, True, False)),
        op.list_slice(dz, op.list_len(x), spec=(True, False, False)),
    )


class ListPop(Op):
    """(the list without the element at an index, that element)."""

    outputs = 2
    aliases = True
    consumes = (0,)
    in_place = "{0}.pop({1})"

    def infer(self, x: ListType, index: TensorType) -> tuple[ListType, ValueType]:
        require_scalar(index.shape, self.name)
        return x, _element(x, self.name)

    @staticmethod
    def kernel(x: list[Any], index: Any) -> tuple[list[Any], Any]:
        rest = list(x)
        value = rest.pop(index)
        return rest, value

    def vjp(op: Any, dy: Any, y: Any, x: Any, index: Any) -> Any:
        rest = op.list_zeros_like(y[0]) if dy[0] is None else dy[0]
        value = op.list_get(op.list_zeros_like(x), index) if dy[1] is None else dy[1]
        return op.list_insert(rest, op.list_place(x, index), value), None


class ListInsert(Op):
    """The list with an element put before an index (past either end: at that end)."""

    aliases = True
    consumes = (0,)
    in_place = "{0}.insert({1}, {2})"

    def infer(self, x: ListType, index: TensorType, value: ValueType) -> ListType:
        require_scalar(index.shape, self.name)
        return _with(x, value)

    @staticmethod
    def kernel(x: list[Any], index: Any, value: Any) -> list[Any]:
        out = list(x)
        out.insert(index, value)
        return out

    def vjp(op: Any, dy: Any, y: Any, x: Any, index: Any, value: Any) -> Any:
        rest, taken = op.list_pop(dy, op.list_insert_place(x, index))
        return rest, None, taken


class ListPlace(Op):
    """An index as a non-negative number.

    Raises:
      IndexError: it is out of range.
    """

    def infer(self, x: ListType, index: TensorType) -> TensorType:
        require_scalar(index.shape, self.name)
        return INDEX

    @staticmethod
    def kernel(x: list[Any], index: Any) -> int:
        return range(len(x))[index]


class ListInsertPlace(Op):
    """Where `insert` puts an element: the index, counted from the front and kept within the list."""

    def infer(self, x: ListType, index: TensorType) -> TensorType:
        require_scalar(index.shape, self.name)
        return INDEX

    @staticmethod
    def kernel(x: list[Any], index: Any) -> int:
        return slice(index, None).indices(len(x))[0]


class ListGet(Op):
    """The element at an index."""

    aliases = True
    numpy = "{0}[{1}]"

    def infer(self, x: ListType, index: TensorType) -> ValueType:
        require_scalar(index.shape, self.name)
        return _element(x, self.name)

    def vjp(op: Any, dy: Any, y: Any, x: Any, index: Any) -> Any:
        zeros = op.list_zeros_like(x)
        if isinstance(op.type_of(x).element, ListType):
            return op.list_set(zeros, index, dy), None
        return op.list_accumulate_at(zeros, index, dy), None


class ListSet(Op):
    """The list with another element at an index."""

    aliases = True
    consumes = (0,)
    in_place = "{0}[{1}] = {2}"

    def infer(self, x: ListType, index: TensorType, value: ValueType) -> ListType:
        require_scalar(index.shape, self.name)
        return _with(x, value)

    @staticmethod
    def kernel(x: list[Any], index: Any, value: Any) -> list[Any]:
        out = list(x)
        out[index] = value
        return out

    def vjp(op: Any, dy: Any, y: Any, x: Any, index: Any, value: Any) -> Any:
        taken = op.list_get(dy, index)
        element = op.type_of(x).element
        if isinstance(element, TensorType) and is_static(element.shape):
            nothing = op.zeros_like(taken)  # which needs no list: a loop would keep that for every turn
        else:
            nothing = op.list_get(op.list_zeros_like(x), index)
        return op.list_set(dy, index, nothing), None, taken


class ListAccumulateAt(Op):
    """The list with a value added to the element at an index. (Not of lists: `+` of those is another thing.)"""

    aliases = True
    consumes = (0,)

    def infer(self, x: ListType, index: TensorType, value: TensorType) -> ListType:
        require_scalar(index.shape, self.name)
        if not isinstance(value, TensorType):
            raise DTypeError("only tensors can be added to an element", op=self.name)
        return x

    def in_place_source(self, args: list[str], attrs: Any) -> str:
        x, index, value = args
        return f"{x}[{index}] = {x}[{index}] + {value}"

    @staticmethod
    def kernel(x: list[Any], index: Any, value: Any) -> list[Any]:
        out = list(x)
        out[index] = out[index] + value
        return out

    vjp = lambda op, dy, y, x, index, value: (dy, None, op.list_get(dy, index))


class ListSlice(Op):
    """`x[start:stop:step]`; `spec` says which of the three are given, as further inputs."""

    aliases = True

    def infer(self, x: ListType, *bounds: TensorType, spec: tuple[bool, bool, bool]) -> ListType:
        for bound in bounds:
            require_scalar(bound.shape, self.name)
        return x

    def source(self, args: list[str], attrs: Any) -> str:
        given = iter(args[1:])
        start, stop, step = (next(given) if has else "" for has in attrs["spec"])
        return f"{args[0]}[{start}:{stop}:{step}]" if step else f"{args[0]}[{start}:{stop}]"

    @staticmethod
    def kernel(x: list[Any], *bounds: Any, spec: tuple[bool, bool, bool]) -> list[Any]:
        return x[_slice(bounds, spec)]

    vjp = lambda op, dy, y, x, *bounds, spec: (op.list_unslice(dy, x, *bounds, spec=spec), *[None] * len(bounds))


class ListUnslice(Op):
    """Zeros like `x` with the elements of `dy` where a slice took them: the cotangent of `list_slice`."""

    aliases = True

    def infer(self, dy: ListType, x: ListType, *bounds: TensorType, spec: tuple[bool, bool, bool]) -> ListType:
        for bound in bounds:
            require_scalar(bound.shape, self.name)
        return ListType(x.element if dy.element is None else dy.element)

    @staticmethod
    def kernel(dy: list[Any], x: list[Any], *bounds: Any, spec: tuple[bool, bool, bool]) -> list[Any]:
        out = _zeros_like(x)
        for place, value in zip(range(len(x))[_slice(bounds, spec)], dy, strict=True):
            out[place] = value
        return out

    def vjp(op: Any, ddx: Any, dx: Any, dy: Any, x: Any, *bounds: Any, spec: Any) -> Any:
        return op.list_slice(ddx, *bounds, spec=spec), None, *[None] * len(bounds)


def _slice(bounds: tuple[Any, ...], spec: tuple[bool, bool, bool]) -> slice:
    given = iter(bounds)
    return slice(*(next(given) if has else None for has in spec))


class ListLen(Op):
    """Number of elements."""

    numpy = "len({0})"

    def infer(self, x: ListType) -> TensorType:
        return INDEX


class ListReverse(Op):
    """The elements from last to first."""

    aliases = True
    numpy = "{0}[::-1]"
    consumes = (0,)
    in_place = "{0}.reverse()"

    def infer(self, x: ListType) -> ListType:
        return x

    vjp = lambda op, dy, y, x: (op.list_reverse(dy),)


class ListRepeat(Op):
    """The list `count` times over; a negative count is 0."""

    aliases = True
    numpy = "{0} * int({1})"  # an array of no axes, as an argument may be, would multiply the items

    def infer(self, x: ListType, count: TensorType) -> ListType:
        require_scalar(count.shape, self.name)
        return x

    vjp = lambda op, dy, y, x, count: (op.list_fold(dy, x), None)


class ListFold(Op):
    """The sum of the runs of `x`'s length that make up `dy`: the cotangent of `list_repeat`."""

    def infer(self, dy: ListType, x: ListType) -> ListType:
        return ListType(x.element if dy.element is None else dy.element)

    @staticmethod
    def kernel(dy: list[Any], x: list[Any]) -> list[Any]:
        out = _zeros_like(x)
        for k, value in enumerate(dy):
            out[k % len(x)] = _add(out[k % len(x)], value)
        return out

    def vjp(op: Any, ddx: Any, dx: Any, dy: Any, x: Any) -> Any:
        return op.list_cycle_like(ddx, dy), None


class ListCycleLike(Op):
    """The elements of `x` over and over, as many as `like` has: the cotangent of `list_fold`."""

    aliases = True

    def infer(self, x: ListType, like: ListType) -> ListType:
        return x

    @staticmethod
    def kernel(x: list[Any], like: list[Any]) -> list[Any]:
        return [x[k % len(x)] for k in range(len(like))]

    vjp = lambda op, dy, y, x, like: (op.list_fold(dy, x), None)


class ListIndex(Op):
    """Index of the first element equal to a value.

    Raises:
      ValueError: there is none.
    """

    def infer(self, x: ListType, value: ValueType) -> TensorType:
        return INDEX

    @staticmethod
    def kernel(x: list[Any], value: Any) -> int:
        for k, one in enumerate(x):
            if _equal(one, value):
                return k
        raise ValueError(f"{value} is not in list")


class ListContains(Op):
    """Whether some element equals a value."""

    def infer(self, x: ListType, value: ValueType) -> TensorType:
        return TRUTH

    @staticmethod
    def kernel(x: list[Any], value: Any) -> bool:
        return any(_equal(one, value) for one in x)


class ListCount(Op):
    """How many elements equal a value."""

    def infer(self, x: ListType, value: ValueType) -> TensorType:
        return INDEX

    @staticmethod
    def kernel(x: list[Any], value: Any) -> int:
        return sum(_equal(one, value) for one in x)


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_equal, a, b))
    return bool(np.shape(a) == np.shape(b) and np.all(a == b))


class ListStack(Op):
    """The elements as one tensor with a new first axis. `element`, if given, makes an empty list's shape (0, ...)."""

    def infer(self, x: ListType, *, element: Any = None) -> TensorType:
        kind = element or _element(x, self.name)
        if type(kind) is not TensorType:
            raise DTypeError(f"a list of {kind} cannot be stacked", op=self.name)
        return TensorType(
            _HARD[kind.dtype.kind] if kind.weak else kind.dtype,
            None if kind.shape is None else (Dim(), *kind.shape),
        )

    @staticmethod
    def kernel(x: list[Any], *, element: Any = None) -> Any:
        hard = _HARD[element.dtype.kind] if element is not None and element.weak else None
        if not x:
            if element is None:
                raise ValueError("cannot stack an empty list")
            sizes = [d if isinstance(d, int) else 0 for d in element.shape or ()]
            return np.zeros((0, *sizes), hard or element.dtype.dtype)
        if hard is None and not isinstance(x[0], (np.ndarray, np.generic)):
            hard = _HARD[np.result_type(*x).kind]
        try:
            return np.array(x, hard) if np.ndim(x[0]) == 0 and hard else np.stack(x)
        except ValueError:
            shapes = list(map(np.shape, x))
            if len(set(shapes)) == 1:
                raise
            raise unequal_parts(shapes) from None

    vjp = lambda op, dy, y, x, element=None: (op.list_cast(op.list_unstack(dy), type=op.type_of(x).element),)


class ListUnstack(Op):
    """The slices of a tensor along its first axis."""

    view = True

    def infer(self, x: TensorType) -> ListType:
        if x.shape == ():
            raise DTypeError("a scalar has no slices", op=self.name)
        return ListType(TensorType(x.dtype, None if x.shape is None else x.shape[1:]))

    numpy = "list({0})"

    vjp = lambda op, dy, y, x: (op.list_stack(dy, element=op.type_of(dy).element),)


class ListConcatTensors(Op):
    """The elements joined along an existing axis."""

    numpy = "np.concatenate({0}, axis={axis})"

    def infer(self, x: ListType, *, axis: int = 0) -> TensorType:
        kind = _element(x, self.name)
        if type(kind) is not TensorType or kind.shape == ():
            raise DTypeError(f"a list of {kind} cannot be concatenated", op=self.name)
        if kind.shape is None:
            return kind
        place = axis % len(kind.shape)
        sizes = [concat_dim([d, Dim()]) if k == place else d for k, d in enumerate(kind.shape)]
        return TensorType(kind.dtype, tuple(sizes))

    vjp = lambda op, dy, y, x, axis=0: (op.list_split_like(dy, x, axis=axis),)


class ListSplitLike(Op):
    """A tensor cut along an axis into pieces of the sizes that the elements of `like` have there."""

    view = True

    def infer(self, x: TensorType, like: ListType, *, axis: int = 0) -> ListType:
        kind = _element(like, self.name)
        return ListType(TensorType(x.dtype, kind.shape if type(kind) is TensorType else None))

    @staticmethod
    def kernel(x: Any, like: list[Any], *, axis: int = 0) -> list[Any]:
        return list(np.split(x, np.cumsum([one.shape[axis] for one in like])[:-1], axis)) if like else []

    vjp = lambda op, dy, y, x, like, axis=0: (op.list_concat_tensors(dy, axis=axis), None)


class ListCast(Op):
    """The list with its elements in the dtype of `type`, bare numbers among them where that is weak."""

    aliases = True

    def infer(self, x: ListType, *, type: ValueType | None) -> ListType:
        return ListType(type)

    @staticmethod
    def kernel(x: list[Any], *, type: ValueType | None) -> list[Any]:
        return [_cast(one, type) for one in x]

    vjp = lambda op, dy, y, x, type: (op.list_cast(dy, type=op.type_of(x).element),)


def _cast(value: Any, kind: Any) -> Any:
    if isinstance(kind, ListType):
        return [_cast(one, kind.element) for one in value]
    if kind is None:
        return value
    if kind.weak:
        python = {"b": bool, "i": int, "f": float, "c": complex}[kind.dtype.kind]
        return python(value)
    if isinstance(value, (np.ndarray, np.generic)):
        return value if value.dtype == kind.dtype.dtype else value.astype(kind.dtype.dtype)
    return kind.dtype.dtype.type(value)


class ListAdd(Op):
    """Elementwise sum of two lists of one length: of two cotangents."""

    def infer(self, x: ListType, y: ListType) -> ListType:
        return x if x == y else ListType(join_types(x.element, y.element))

    @staticmethod
    def kernel(x: list[Any], y: list[Any]) -> list[Any]:
        return _add(x, y)

    vjp = lambda op, dz, z, x, y: (dz, dz)


class ListZerosLike(Op):
    """A list of zeros of the elements' shapes and dtypes."""

    def infer(self, x: ListType) -> ListType:
        return x

    @staticmethod
    def kernel(x: list[Any]) -> list[Any]:
        return _zeros_like(x)

    vjp = lambda op, dy, y, x: (None,)


def _add(a: Any, b: Any) -> Any:
    return [_add(x, y) for x, y in zip(a, b, strict=True)] if isinstance(a, list) else a + b


def _zeros_like(x: list[Any]) -> list[Any]:
    return [_zero_like(e) for e in x]


def _zero_like(e: Any) -> Any:
    if isinstance(e, list):
        return _zeros_like(e)
    if isinstance(e, (int, float, complex)) and not isinstance(e, np.generic):
        return type(e)(0)
    return np.zeros_like(e)[()]
