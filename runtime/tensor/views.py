"""Tensors that share their elements, as NumPy's views do: what `x[i]`, `x.T` and `x.reshape(...)` give, and `x`.

A box holds a value of its own; what an item of one box is set to is carried to those that share it, both ways:

    row = x[1]; row[0] = 5    ->    x[1, 0] is 5
    row = x[1]; x[1, 0] = 5   ->    row[0] is 5

`x += y` makes a new tensor, as TensorFlow's does, unless `x` is an array: one that NumPy's functions made in a trace
(`np.zeros`), or a view of one. It is written in place then.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from runtime.ir.graph import Value
from runtime.tensor.dispatch import convert, op
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import STATE, note_write
from runtime.typesys.errors import boundary
from runtime.typesys.shapes import same_size

__all__ = [
    "Turned", "attach_views", "carry", "into_array", "is_array", "mark_array", "note_view", "put", "written", "written_hook",
]  # fmt: skip

written_hook: list[Callable[[Any, Tensor], None]] = [lambda trace, box: None]
"""Is told of boxes that were written in a trace because they share elements; the front end puts its own."""

into_array: list[Callable[[Any, Any], Any]] = [lambda trace, array: array]
"""Is asked what to write in a trace where NumPy's function is to write into an array: a tensor, or the array itself, which
cannot be; the front end puts its own."""

_ARRAY = object()  # the parent of an array that is no view
_FEW = 16


class Turned:
    """How a view was made, if by no index: `there` makes it of what it views, and `back` turns that."""

    __slots__ = ("back", "there")

    def __init__(self, there: Callable[[Tensor], Tensor], back: Callable[[Tensor, Tensor], Tensor]) -> None:
        self.there, self.back = there, back


class _Views:
    """What views a box, as far as it lives."""

    __slots__ = ("limit", "of", "views")

    def __init__(self, of: Tensor) -> None:
        key = id(of)
        self.of = weakref.ref(of, lambda _: _views.pop(key, None))
        self.views: list[weakref.ref[Tensor]] = []
        self.limit = _FEW

    def add(self, view: Tensor) -> None:
        if len(self.views) >= self.limit:
            self.views = [r for r in self.views if r() is not None]
            self.limit = 2 * len(self.views) + _FEW
        self.views.append(weakref.ref(view))


_views: dict[int, _Views] = {}  # by the id of what is viewed


def note_view(base: Tensor, view: Tensor) -> None:
    """Note that `view`, whose parent is `base`, shares its elements."""
    known = _views.get(id(base))
    if known is None or known.of() is not base:
        known = _views[id(base)] = _Views(base)
    known.add(view)


def mark_array(x: Any, of_any_rank: bool = False) -> Any:
    """`x`, as an array that `x += y` changes; what is no tensor stays as it is, and so do the scalars that NumPy's
    functions give, unless `of_any_rank` says that it is an array of no axes."""
    if type(x) is Tensor and getattr(x, "_parent", None) is None and (of_any_rank or x.type.shape != ()):
        x._parent = _ARRAY
    return x


def is_array(x: Any) -> bool:
    """Whether `x += y` changes the tensor `x` itself."""
    while type(x) is Tensor:
        parent = getattr(x, "_parent", None)
        if parent is _ARRAY:
            return True
        if parent is None or x.type.shape == ():
            return False
        x = _held(parent[0])
    return False


def _held(holder: Any) -> Any:
    return holder() if type(holder) is weakref.ref else holder


def put(box: Tensor, value: Any) -> None:
    """Put a new value into a box that shares its elements with one that was written."""
    trace = STATE.trace
    if trace is None:
        if STATE.tapes:
            note_write(box)
        box._value = value._value
        return
    trace.write(box, trace.operand(value))
    written_hook[0](trace, box)


def _is_reached(box: Tensor) -> bool:
    """Whether what is open can see and change the box: it is of this trace, and no region of it that is closed."""
    trace, value = STATE.trace, box._value
    if trace is None:
        return type(value) is not Value
    graph, region = trace.value_of(box).graph, trace.builder.region
    while region is not None:
        if region.graph is graph:
            return True
        region = region.parent  # type: ignore[assignment]
    return False


def carry(box: Tensor, write: Callable[[Tensor, Any, Tensor], None], source: Tensor | None = None) -> None:
    """After `box` was written: change what shares its elements; `write` sets items."""
    parent = getattr(box, "_parent", None)
    if type(parent) is tuple and not (STATE.trace is not None and type(box._value) is not Value):
        base = _held(parent[0])
        if base is not None and base is not source and _is_reached(base):
            where = parent[1]
            if type(where) is Turned:
                put(base, where.back(Tensor(box._value), base))
            else:
                write(base, where, Tensor(box._value))
                if STATE.trace is not None:
                    written_hook[0](STATE.trace, base)
            carry(base, write, box)
    known = _views.get(id(box))
    if known is None or known.of() is not box:
        return
    for reference in known.views:
        view = reference()
        if view is None or view is source or not _is_reached(view):
            continue
        made = getattr(view, "_parent", None)
        if type(made) is tuple and _held(made[0]) is box:
            where = made[1]
            put(view, where.there(Tensor(box._value)) if type(where) is Turned else op.get_item(Tensor(box._value), where))
            carry(view, write, box)


def written(name: str, into: Tensor, made: Any, write: Callable[[Tensor, Any, Tensor], None]) -> Tensor:
    """`into`, which holds `made` from now on, as NumPy's function `name` writes into an array.

    Raises:
      ValueError: it is of another shape.
      TypeError: its dtype is of a lower kind.
    """
    made = convert(made)
    shape, kind = made.type.shape, into.type
    if shape is not None and kind.shape is not None and shape != kind.shape:
        sizes = zip(shape[::-1], kind.shape[::-1], strict=False)
        known = [(a, b) for a, b in sizes if isinstance(a, int) and isinstance(b, int)]
        if len(shape) > len(kind.shape) or any(a not in (b, 1) for a, b in known):
            raise ValueError(
                f"non-broadcastable output operand with shape {kind.shape} doesn't match the broadcast shape {shape}"
            )
        if len(shape) < len(kind.shape) or not all(map(same_size, shape, kind.shape)):
            made = op.broadcast_to_shape(made, op.shape(into))  # which finds sizes of the run that are not those
    if made.type.dtype != kind.dtype:
        if not np.can_cast(made.type.dtype.dtype, kind.dtype.dtype, "same_kind"):
            raise TypeError(
                f"Cannot cast ufunc '{name}' output from dtype('{made.type.dtype.name}') to dtype('{kind.dtype.name}') "
                "with casting rule 'same_kind'"
            )
        made = op.cast(made, dtype=kind.dtype)
    put(into, made)
    carry(into, write)
    return into


def _changing(name: str, write: Callable[[Tensor, Any, Tensor], None]) -> Callable[..., Any]:
    def method(self: Any, other: Any) -> Any:
        return written(name, self, getattr(op, name)(self, other), write) if is_array(self) else NotImplemented

    return boundary(method)  # type: ignore[no-any-return]


_OPERATORS = {
    "add": "add", "sub": "sub", "mul": "mul", "truediv": "div", "floordiv": "floordiv", "mod": "mod", "pow": "pow",
    "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor",
}  # fmt: skip
_LONGEST = 8  # views of views that keep what they view


def _turning(there: Callable[..., Tensor], back: Callable[..., Callable[[Tensor, Tensor], Tensor]]) -> Callable[..., Any]:
    """A method that gives a view: `there(x, *args)`, and `back(*args)` turns that."""
    usual = Turned(there, back())

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        view = there(self, *args, **kwargs)
        if view is not self and type(view) is Tensor and getattr(view, "_parent", None) is None:
            turned = usual
            if args or kwargs:
                if "F" in (*args[:1], kwargs.get("order")) and len(self.type.shape or ()) > 1:
                    return view  # other elements are neighbours: NumPy copies them
                turned = Turned(lambda x: there(x, *args, **kwargs), back(*args, **kwargs))
            view._parent = (self if _depth(self) < _LONGEST else weakref.ref(self), turned)
            note_view(self, view)
        return view

    method.__name__, method.__doc__ = there.__name__, there.__doc__
    return boundary(method)  # type: ignore[no-any-return]


def _depth(x: Any) -> int:
    count = 0
    while type(parent := getattr(x, "_parent", None)) is tuple and count < _LONGEST:
        x, count = parent[0], count + 1
    return count


def _reshaped(x: Tensor, *shape: Any, **kwargs: Any) -> Tensor:
    """NumPy's `x.reshape(2, -1)` or `x.reshape((2, -1))`."""
    return op.reshape_method(x, *shape, **kwargs)  # type: ignore[no-any-return]


def _flat(x: Tensor, order: str = "C") -> Tensor:
    """NumPy's `x.ravel()`."""
    return op.flatten(x, order)  # type: ignore[no-any-return]


def _transposed(x: Tensor, *order: Any, **kwargs: Any) -> Tensor:
    """NumPy's `x.transpose()`, `x.transpose(1, 0)` or `x.transpose((1, 0))`."""
    return op.transpose_method(x, *order, **kwargs)  # type: ignore[no-any-return]


def _exchanged(x: Tensor, axis1: int, axis2: int) -> Tensor:
    """NumPy's `x.swapaxes(0, 1)`."""
    return op.swapaxes(x, axis1, axis2)  # type: ignore[no-any-return]


def _to_shape(*_: Any, **__: Any) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda view, base: op.reshape_method(view, op.shape(base))


def _to_order(*order: Any, **_: Any) -> Callable[[Tensor, Tensor], Tensor]:
    axes = order[0] if len(order) == 1 and not isinstance(order[0], int) else order
    if not axes:
        return lambda view, base: op.transpose_all(view)
    rank = len(axes)
    inverse = sorted(range(rank), key=lambda k: axes[k] % rank)
    return lambda view, base: op.transpose(view, perm=tuple(inverse))


def attach_views(write: Callable[[Tensor, Any, Tensor], None]) -> None:
    """Give Tensor the methods that make views, and the operators and methods that change arrays."""

    def fill(self: Tensor, value: Any) -> None:
        """NumPy's `x.fill(value)`."""
        write(self, Ellipsis, value)
        carry(self, write)

    def sort(self: Tensor, axis: int = -1, kind: Any = None) -> None:
        """NumPy's `x.sort()`."""
        put(self, op.sort(self, axis=axis))
        carry(self, write)

    Tensor.fill, Tensor.sort = boundary(fill), boundary(sort)  # type: ignore[attr-defined]
    for name, operation in _OPERATORS.items():
        setattr(Tensor, f"__i{name}__", _changing(operation, write))
    Tensor.reshape = _turning(_reshaped, _to_shape)  # type: ignore[attr-defined]
    Tensor.ravel = _turning(_flat, _to_shape)  # type: ignore[attr-defined]
    Tensor.flat = property(Tensor.ravel)  # type: ignore[attr-defined]
    Tensor.transpose = _turning(_transposed, _to_order)  # type: ignore[attr-defined]
    Tensor.swapaxes = _turning(_exchanged, lambda axis1=0, axis2=0: lambda view, base: op.swapaxes(view, axis1, axis2))  # type: ignore[attr-defined]
    Tensor.T = property(_turning(lambda x: op.transpose_all(x), _to_order))  # type: ignore[attr-defined]
