"""`ag.SparseTensor` and `ag.RaggedTensor`: tensors kept as parts. Loops carry them, functions take and return them.

Only what programs over them need: they are made, taken apart, gone over and made dense. No operation takes one directly.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from autograph.api.declare import public
from autograph.operators.statements.iterables import StagedIterable
from runtime.tensor.dispatch import convert, op
from runtime.tensor.shape import TensorShape
from runtime.tensor.tensor import Tensor, is_staged
from runtime.typesys.dtypes import as_dtype
from runtime.typesys.errors import InvalidArgumentError, OutOfRangeError

__all__ = ["RaggedTensor", "SparseTensor"]

_INT64 = as_dtype("int64")


def _integers(x: Any) -> Tensor:
    tensor = x if isinstance(x, Tensor) else convert(x)
    return tensor if tensor.dtype == _INT64 and not tensor.type.weak else op.cast(tensor, dtype=_INT64)


_settle = object.__setattr__  # a part of a new one: they never change


@public("SparseTensor", "sparse.SparseTensor")
@dataclass(eq=False, repr=False, frozen=True)
class SparseTensor:
    """A tensor of which only some elements are kept: the others are zero.

    Args:
      indices: [n, rank] integers, where the elements are.
      values: [n] elements.
      dense_shape: [rank] sizes.

    Raises:
      InvalidArgumentError: the parts have wrong ranks or lengths.

    >>> import autograph as ag
    >>> s = ag.SparseTensor(indices=[[0, 0], [1, 2]], values=[1, 2], dense_shape=[2, 3])
    >>> ag.sparse.to_dense(s).numpy().tolist()
    [[1, 0, 0], [0, 0, 2]]

    Source of the semantics: TensorFlow's `tf.sparse.SparseTensor`.
    """

    indices: Any
    values: Any
    dense_shape: Any

    def __post_init__(self) -> None:
        _settle(self, "indices", _integers(self.indices))
        _settle(self, "dense_shape", _integers(self.dense_shape))
        _settle(self, "values", self.values if isinstance(self.values, Tensor) else convert(self.values))
        for part, rank in (("indices", 2), ("values", 1), ("dense_shape", 1)):
            shape = getattr(self, part).type.shape
            if shape is not None and len(shape) != rank:
                raise InvalidArgumentError(f"{part} of a SparseTensor must have rank {rank}, not shape {shape}")
        counts = [t.type.shape and t.type.shape[0] for t in (self.indices, self.values)]
        if all(isinstance(c, int) for c in counts) and counts[0] != counts[1]:
            raise InvalidArgumentError(f"a SparseTensor has {counts[0]} indices and {counts[1]} values")

    @property
    def dtype(self) -> Any:
        """dtype of the values."""
        return self.values.dtype

    @property
    def shape(self) -> TensorShape:
        """The sizes of the axes, where they are known."""
        if is_staged(self.dense_shape):
            count = self.dense_shape.type.shape and self.dense_shape.type.shape[0]
            return TensorShape([None] * count if isinstance(count, int) else None)
        return TensorShape(self.dense_shape.numpy().tolist())

    def get_shape(self) -> TensorShape:
        """The sizes of the axes, where they are known."""
        return self.shape

    def with_values(self, new_values: Any) -> SparseTensor:
        """Other values at the same places."""
        return SparseTensor(self.indices, new_values, self.dense_shape)

    def __repr__(self) -> str:
        return f"SparseTensor(indices={self.indices!r}, values={self.values!r}, dense_shape={self.dense_shape!r})"


@public("sparse.to_dense")
def to_dense(sp_input: SparseTensor, default_value: Any = None, validate_indices: bool = True, name: Any = None) -> Tensor:
    """The tensor with all its elements; `default_value` (0) where none is kept.

    >>> ag.sparse.to_dense(ag.sparse.from_dense([0, 3]), default_value=-1).numpy().tolist()
    [-1, 3]
    """
    rest = op.cast(convert(default_value or 0), dtype=sp_input.dtype)
    full = op.fill_with(sp_input.dense_shape, rest)
    return op.tensor_scatter_nd_update(full, sp_input.indices, sp_input.values)  # type: ignore[no-any-return]


@public("sparse.from_dense")
def from_dense(tensor: Any, name: Any = None) -> SparseTensor:
    """The elements that are not zero.

    >>> ag.sparse.from_dense(ag.constant([0, 3, 0])).indices.numpy().tolist()
    [[1]]
    """
    dense = tensor if isinstance(tensor, Tensor) else convert(tensor)
    places = op.nonzero(op.not_equal(dense, 0))
    return SparseTensor(places, op.gather_nd(dense, places), op.shape(dense))


@public("sparse.expand_dims")
def expand_dims(sp_input: SparseTensor, axis: int | None = None, name: Any = None) -> SparseTensor:
    """A new axis of size 1; the last, by default.

    >>> ag.sparse.expand_dims(ag.sparse.from_dense([1, 2])).shape
    TensorShape([2, 1])
    """
    where = -1 if axis is None else int(axis)
    if where == -1:
        cut: Any = op.dim_size(sp_input.indices, axis=1)
    else:
        cut = where if where >= 0 else op.add(op.dim_size(sp_input.indices, axis=1), where + 1)
    before, after = sp_input.indices[:, :cut], sp_input.indices[:, cut:]
    column = op.zeros_like(sp_input.indices[:, :1])
    sizes, one = sp_input.dense_shape, op.ones_like(sp_input.dense_shape[:1])
    return SparseTensor(
        op.concat([before, column, after], 1), sp_input.values, op.concat([sizes[:cut], one, sizes[cut:]], 0)
    )


@public("RaggedTensor")
@dataclass(eq=False, repr=False, frozen=True)
class RaggedTensor:
    """Rows of different lengths, one after the other in `values`.

    Args:
      values: the elements of all rows.
      row_splits: [rows + 1] where each row starts, and where the last ends.

    >>> import autograph as ag
    >>> r = ag.ragged.constant([[1, 2], [], [3]])
    >>> r.row_lengths().numpy().tolist(), [row.numpy().tolist() for row in r]
    ([2, 0, 1], [[1, 2], [], [3]])

    Source of the semantics: TensorFlow's `tf.RaggedTensor`, of one ragged axis.
    """

    values: Any
    row_splits: Any

    def __post_init__(self) -> None:
        _settle(self, "values", self.values if isinstance(self.values, Tensor) else convert(self.values))
        _settle(self, "row_splits", _integers(self.row_splits))

    @staticmethod
    def from_row_splits(values: Any, row_splits: Any, name: Any = None, validate: bool = True) -> RaggedTensor:
        """Rows by where they start."""
        return RaggedTensor(values, row_splits)

    @staticmethod
    def from_row_lengths(values: Any, row_lengths: Any, name: Any = None, validate: bool = True) -> RaggedTensor:
        """Rows by their lengths."""
        lengths: Any = _integers(row_lengths)
        return RaggedTensor(values, op.concat([op.zeros_like(lengths[:1]), op.cumsum(lengths)], 0))

    @property
    def dtype(self) -> Any:
        """dtype of the values."""
        return self.values.dtype

    @property
    def flat_values(self) -> Tensor:
        """The elements of all rows."""
        return self.values  # type: ignore[no-any-return]

    @property
    def shape(self) -> TensorShape:
        """The sizes of the axes; None for the ragged one."""
        count = self.row_splits.type.shape[0]
        return TensorShape([count - 1 if isinstance(count, int) else None, None, *self.values.shape[1:]])

    def nrows(self, out_type: Any = None, name: Any = None) -> Any:
        """Number of rows."""
        return op.sub(op.dim_size(self.row_splits, axis=0), 1)

    def row_lengths(self, axis: int = 1, name: Any = None) -> Tensor:
        """The length of each row."""
        splits: Any = self.row_splits
        return splits[1:] - splits[:-1]  # type: ignore[no-any-return]

    def to_list(self) -> list[Any]:
        """The rows as nested Python lists."""
        return [row.numpy().tolist() for row in self]

    def to_tensor(self, default_value: Any = 0, name: Any = None) -> Tensor:
        """One tensor, rows padded at their ends to the longest."""
        lengths = self.row_lengths()
        columns = op.range(op.max(lengths))
        inside = op.less(op.expand_dims(columns, axis=0), op.expand_dims(lengths, axis=1))
        places = op.nonzero(inside)
        full = op.fill_with(op.shape(inside), op.cast(convert(default_value), dtype=self.dtype))
        return op.tensor_scatter_nd_update(full, places, self.values)  # type: ignore[no-any-return]

    def _row(self, index: Any) -> Tensor:
        splits = self.row_splits
        return op.get_item(self.values, slice(op.get_item(splits, index), op.get_item(splits, index + 1)))  # type: ignore[no-any-return]

    def __getitem__(self, index: Any) -> Tensor:
        if isinstance(index, (slice, tuple)):
            raise InvalidArgumentError("a RaggedTensor gives one row at a time: loop over it, or use to_tensor()")
        count = self.row_splits.type.shape[0]
        if isinstance(index, int) and isinstance(count, int):
            if not -count < index < count - 1:
                raise OutOfRangeError(f"row {index} is out of bounds for {count - 1} rows")
            index = index % (count - 1)
        return self._row(index)

    def __len__(self) -> int:
        return int(self.nrows())

    def __iter__(self) -> Iterator[Tensor]:
        return (self._row(i) for i in range(len(self)))

    def __staged_iterable__(self) -> StagedIterable:
        return _Rows(self)

    def __repr__(self) -> str:
        return f"<RaggedTensor {self.values!r} split at {self.row_splits!r}>"


class _Rows(StagedIterable):
    def __init__(self, ragged: RaggedTensor) -> None:
        self.ragged = ragged

    def count(self) -> Any:
        known = self.ragged.shape[0]
        return known if isinstance(known, int) else self.ragged.nrows()

    def item(self, index: Any) -> Any:
        return self.ragged._row(index)


@public("ragged.constant")
def ragged_constant(pylist: Any, dtype: Any = None, name: Any = None, **options: Any) -> RaggedTensor:
    """A RaggedTensor of a list of lists of numbers.

    >>> ag.ragged.constant([[1], [2, 3]]).shape
    TensorShape([2, None])

    Raises:
      InvalidArgumentError: the lists are nested deeper, or not nested.
    """
    rows = list(pylist)
    if not all(isinstance(row, (list, tuple)) for row in rows):
        raise InvalidArgumentError("ragged.constant() needs a list of lists; for one list, use ag.constant()")
    values = [x for row in rows for x in row]
    if any(isinstance(x, (list, tuple)) for x in values):
        raise InvalidArgumentError("one axis can be ragged here: keep deeper rows in a Python list of RaggedTensors")
    splits = [0]
    for row in rows:
        splits.append(splits[-1] + len(row))
    return RaggedTensor(convert(values, None if dtype is None else as_dtype(dtype)), splits)
