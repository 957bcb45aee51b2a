"""Items of tensors: `x[i]`, `x[i] = v` and chains of them, eager and staged.

`x[i] = v` puts a new value into the box of `x`, writing into the array itself where nobody else holds it. The result of
`x[0]` remembers where it came from: what is written to it goes on to `x`, as through NumPy's views (see `views`). It keeps
`x` alive only if that is a temporary, which is told from a named tensor by its reference count; the values of that are
measured when this module is loaded.
"""

from __future__ import annotations

import operator
import sys
import weakref
from typing import Any

import numpy as np

from runtime.ir.graph import Value
from runtime.ops.index import indexed_shape, put_misfit
from runtime.ops.registry import function, get
from runtime.tensor.dispatch import convert, harden, op
from runtime.tensor.known import static_value
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import STATE, note_write
from runtime.tensor.views import attach_views, carry, note_view, put
from runtime.typesys.errors import DTypeError, OpError, OutOfRangeError, boundary, leaked_tensor, outward

__all__ = ["add_at", "attach_items", "normalize_index", "write_item", "write_part"]

_refs = sys.getrefcount


def normalize_index(index: Any) -> tuple[tuple[Any, ...], list[Any]]:
    """(spec, parts) of a Python index, as `runtime.ops.index` describes them.

    Raises:
      DTypeError: something that is no index.
    """
    entries: list[Any] = []
    parts: list[Any] = []
    for entry in index if type(index) is tuple else (index,):
        if type(entry) is int or entry is None:
            entries.append(entry)
        elif entry is Ellipsis:
            entries.append("...")
        elif isinstance(entry, slice):
            entries.append(tuple(_bound(b, parts) for b in (entry.start, entry.stop, entry.step)))
        else:
            entries.append(_part(entry, parts))
    return tuple(entries), parts


def _bound(bound: Any, parts: list[Any]) -> Any:
    if bound is None or type(bound) is int:
        return bound
    known = static_value(bound)
    if known is not None:
        try:
            return operator.index(known)
        except TypeError:
            instead = "; n // 2 is one where n / 2 is not, and so is int(n)" if isinstance(known, float) else ""
            raise DTypeError(f"a bound of a slice must be an integer, not {known}{instead}", op="index") from None
    kind = bound.type
    if not kind.dtype.is_integer or kind.shape not in ((), None):
        raise DTypeError(f"a bound of a slice must be an integer, not {kind}", op="index")
    parts.append(bound)
    return "?"


def _part(entry: Any, parts: list[Any]) -> Any:
    if isinstance(entry, np.integer):
        return int(entry)
    if isinstance(entry, Tensor):
        known = static_value(entry)
        if type(known) is int or isinstance(known, np.integer):
            return int(known)
        parts.append(entry)
        return "?"
    if isinstance(entry, (list, range)):
        entry = _array_of(entry)
    elif isinstance(entry, tuple):
        entry = _array_of(list(entry))
    elif not isinstance(entry, (np.ndarray, bool, np.bool_)):
        if hasattr(entry, "__index__"):
            return entry.__index__()
        entry = convert(entry)
    parts.append(entry)
    return "?"


def _array_of(entry: Any) -> Any:
    if isinstance(entry, list) and _holds_tensor(entry):
        return convert(entry)
    array = np.asarray(entry)
    return array.astype(np.intp) if array.size == 0 else array


def _holds_tensor(entry: Any) -> bool:
    return any(isinstance(e, Tensor) or (isinstance(e, (list, tuple)) and _holds_tensor(e)) for e in entry)


def _plain(entry: Any) -> Any:
    """An index entry with eager tensors replaced by what they hold."""
    if isinstance(entry, Tensor):
        return entry._value
    if type(entry) is slice:
        return slice(_plain(entry.start), _plain(entry.stop), _plain(entry.step))
    if type(entry) is list:
        return _array_of([_plain(e) for e in entry])
    return entry


def _plain_index(index: Any) -> Any:
    return tuple(map(_plain, index)) if type(index) is tuple else _plain(index)


def _index_error(error: Exception, x: Any, index: Any) -> Exception:
    """The error of an index that NumPy refused, in the words of the type rule where it sees what is wrong."""
    try:
        spec, parts = normalize_index(index)
        indexed_shape(op.type_of(x).shape, tuple(map(op.type_of, parts)), spec)
    except OpError as typed:
        return typed
    if isinstance(error, IndexError):
        text = str(error)
        return (DTypeError if "only integers" in text or "must be of integer" in text else OutOfRangeError)(
            text, op="index"
        )
    return error


@function()
def get_item(op: Any, x: Any, index: Any) -> Any:
    """`x[index]` at any NumPy index, which may hold tensors.

    Raises:
      OutOfRangeError (an IndexError): an index outside its axis, or more indices than axes.
    """
    if STATE.trace is None and not STATE.tapes:
        value: Any = x._value if isinstance(x, Tensor) else np.asarray(x)
        if type(value) is not Value:
            try:
                if type(index) is not int:
                    index = _plain_index(index)
                if not isinstance(value, (np.ndarray, np.generic)):
                    value = harden(x)._value
                return Tensor(value[index])
            except (IndexError, TypeError) as error:
                raise _index_error(error, x, index) from None
    shortcut = _of_shape(x, index)
    if shortcut is not None:
        return shortcut
    spec, parts = normalize_index(index)
    try:
        return op.index(harden(x), *parts, spec=spec)
    except IndexError as error:
        raise _index_error(error, x, index) from None


def _of_shape(x: Any, index: Any) -> Any:
    """`shape(x)[i]` of a staged tensor without making the vector."""
    if type(index) is not int or not isinstance(x, Tensor):
        return None
    node = getattr(x._value, "node", None)
    if node is None or node.op.name != "shape_vector":
        return None
    of = node.inputs[0]
    shape, dtype = of.tensor_type.shape, node.attrs["dtype"]
    if shape is None or not -len(shape) <= index < len(shape):
        return None
    axis = index % len(shape)
    if isinstance(shape[axis], int):
        return convert(dtype.dtype.type(shape[axis]))
    return op.cast(op.dim_size(Tensor(of), axis=axis), dtype=dtype)


@function()
def set_item(op: Any, x: Any, index: Any, v: Any) -> None:
    """`x[index] = v`: put a new value into the box of the tensor `x`; `v` is broadcast and cast to its dtype.

    Raises:
      OutOfRangeError (an IndexError): an index outside its axis.
      ValueError: `v` does not fit the place.
    """
    del op
    write_item(x, index, v)


@function()
def set_item_chain(op: Any, x: Any, indices: Any, v: Any) -> None:
    """`x[i][j]... = v`: written back along the chain as far as NumPy's indexing gives views."""
    del op
    boxes = [x]
    for index in indices[:-1]:
        boxes.append(get_item_of(boxes[-1], index))
    write_item(boxes[-1], indices[-1], v)
    for at in range(len(indices) - 2, -1, -1):
        if not is_view_index(indices[at]):
            return
        write_item(boxes[at], indices[at], boxes[at + 1])
        boxes[at + 1] = None


def get_item_of(x: Any, index: Any) -> Tensor:
    """`x[index]`."""
    return op.get_item(x, index)


def is_view_index(index: Any) -> bool:
    """Whether NumPy gives a view for this index: integers, slices, None and Ellipsis only."""
    for entry in index if type(index) is tuple else (index,):
        if type(entry) is int or entry is None or entry is Ellipsis or type(entry) is slice:
            continue
        if isinstance(entry, Tensor):
            kind = entry.type
            if kind.shape != () or not kind.dtype.is_integer:
                return False
        elif isinstance(entry, (list, range, tuple, bool, np.bool_)) or np.ndim(entry):
            return False
    return True


def write_item(x: Tensor, index: Any, v: Any) -> None:
    """Put a new value into the box `x`; into its very array if nobody else holds that and nobody records."""
    trace = STATE.trace
    if trace is None:
        value = x._value
        if type(value) is Value:
            raise leaked_tensor(value.type)
        if not STATE.tapes:
            try:
                put = _payload(v)
                where = _plain_index(index)
                del value
                if _is_owned(x):
                    x._value[where] = put
                    return
                fresh = np.array(harden(x)._value if not isinstance(x._value, np.ndarray) else x._value)
                fresh[where] = put
            except (IndexError, TypeError) as error:
                raise _index_error(error, x, index) from None
            except ValueError as error:
                if "broadcast" not in str(error) and "sequence" not in str(error):
                    raise
                raise put_misfit(np.shape(put), np.shape(np.asarray(x._value)[where]), np.shape(x._value)) from None
            x._value = fresh
            return
    spec, parts = normalize_index(index)
    try:
        result = op.index_update(harden(x), v if not isinstance(v, (list, tuple)) else convert(v), *parts, spec=spec)
    except IndexError as error:
        raise _index_error(error, x, index) from None
    if trace is None:
        note_write(x)
        x._value = result._value
    else:
        trace.write(x, result._value)
        if parts or spec != (Ellipsis,):
            trace.builder.emit(get("demand"), [result._value], {}, ())  # although nobody may read `x` any more


def _payload(v: Any) -> Any:
    if isinstance(v, Tensor):
        return v._value
    if isinstance(v, (list, tuple)) and _holds_tensor(v):
        return convert(v)._value
    return v


def _is_owned(box: Tensor) -> bool:
    """Whether the box alone holds its array, whole and writable."""
    value = box._value
    return type(value) is np.ndarray and value.base is None and value.flags.writeable and _refs(value) == _OWNED


class _Counts:
    """Stands for a Tensor while the reference counts are measured."""

    def __init__(self) -> None:
        self._value = np.zeros(1)

    def __getitem__(self, index: Any, *_: Any) -> _Counts:
        seen.append(_refs(self))
        return _Counts()

    def __setitem__(self, index: Any, value: Any) -> None:
        seen.append(_refs(self))


seen: list[int] = []


def _owned_count() -> int:
    box = _Counts()
    value = box._value
    return _refs(value)


def _measure() -> tuple[int, int]:
    """Reference counts that `__getitem__` and `__setitem__` see in a temporary (-1 if it looks as a named box does)."""
    gets: list[set[int]] = [set(), set()]
    sets: list[set[int]] = [set(), set()]
    named = _Counts()
    for _ in range(40):  # the interpreter specialises hot code: the counts must stay what they are
        seen.clear()
        named[0][1][2] = 3
        named[0] = 1
        held = named[0]
        held[1] = 2
        gets[0].update((seen[0], seen[4]))
        gets[1].add(seen[1])
        sets[0].update((seen[3], seen[5]))
        sets[1].add(seen[2])
    seen.clear()
    return tuple(t.pop() if len(t) == 1 and not t & n else -1 for n, t in (gets, sets))  # type: ignore[return-value]


_OWNED = _owned_count()
_TEMPORARY_GET, _TEMPORARY_SET = _measure()


def _getitem(self: Any, index: Any, *_: Any) -> Tensor:
    """`x[index]`, at every index form of NumPy."""  # *_ keeps the interpreter from inlining the call: it moves counts
    try:
        result: Any = get_item_of(self, index)
    except BaseException as error:
        outward[0](error)
        raise
    result._parent = (self if _refs(self) == _TEMPORARY_GET else weakref.ref(self), index)
    value = result._value
    shares = value.tensor_type.shape != () if type(value) is Value else type(value) is np.ndarray
    if shares and (type(index) is int or is_view_index(index)):
        note_view(self, result)
    return result


def _setitem(self: Tensor, index: Any, value: Any) -> None:
    """`x[index] = value`: a new value in this box, seen by every alias and view of it, and by what it views."""
    try:
        write_item(self, index, value)
        carry(self, write_part)
    except BaseException as error:
        outward[0](error)
        raise


@boundary
def _delitem(self: Tensor, index: Any) -> None:
    """`del x[index]`: as of a NumPy array."""
    raise TypeError(
        "a tensor's items cannot be deleted: it would have another shape\n"
        "Instead: keep the others, x[mask] or ag.concat((x[:i], x[i + 1:]), 0), or delete from a list"
    )


def add_at(x: Tensor, index: Any, v: Any) -> None:
    """`np.add.at(x, index, v)`: add to the items at an index, as often as they are named there."""
    spec, parts = normalize_index(index)
    x_ = harden(x)
    places = op.index(x_, *parts, spec=spec)
    v = op.cast(op.broadcast_to_shape(convert(v), op.shape(places)), dtype=x.dtype)
    put(x, op.add(x_, op.index_grad(v, x_, *parts, spec=spec)))
    carry(x, write_part)


def write_part(base: Tensor, where: Any, part: Tensor) -> None:
    """Put what a view holds now where it came from, if that is a place."""
    if is_view_index(where):
        write_item(base, where, part)


def attach_items() -> None:
    """Give Tensor its items."""
    for name, method in {"__getitem__": _getitem, "__setitem__": _setitem, "__delitem__": _delitem}.items():
        setattr(Tensor, name, method)
    attach_views(write_part)
