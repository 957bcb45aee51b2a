"""Dictionaries, tuples and lists that refer to others of their kind, as rows of tables: see `linked`.

    head = {"v": x, "next": head}    ->    vs.append(x); nexts.append(head); head = row len(vs) - 1
    head["v"]                        ->    vs[head]

Those that are written out with the same keys, or of one length, share a table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping, MutableSequence, Sequence
from functools import partial
from typing import Any

from autograph.errors.refusals import refusal
from autograph.operators.containers.leaving_rows import opened
from autograph.operators.containers.lists import as_list_value
from autograph.operators.items import linked
from autograph.operators.state.plain import NUMBERS
from autograph.operators.statements.asserts import raised
from autograph.operators.statements.branches import if_exp
from autograph.operators.statements.printing import text_of
from autograph.operators.values import quick
from autograph.operators.values.forms import Leaf
from autograph.operators.values.links import Linked, row_of
from runtime.tensor import tensor as tensor_module
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import STATE

__all__ = ["node"]

_HELD = object.__getattribute__


def node(x: Any) -> Any:
    """A dictionary, tuple or list that is written out and may refer to others like it, or be a row of a list."""
    trace = STATE.trace
    if trace is None or (found := trace.notes.get("constructed")) is None:
        return x
    keys: Any = tuple(x) if type(x) is dict else len(x) if type(x) is tuple else (len(x),)
    if "tables" in trace.notes:
        table = trace.notes["tables"].get(keys)
        if table is not None:
            return table.put_items(list(x.values()) if type(x) is dict else list(x))
    if keys not in found:
        found[keys] = keys if type(x) is dict else range(len(x))
    return x


class _Record(Linked):
    """Stands for one of them."""

    __slots__ = ()
    __getattribute__ = _HELD

    @classmethod
    def _refuse(cls, *_: Any) -> Any:
        raise refusal("shared-list")

    def _opened(self) -> Any:
        """What it stands for, as it is now."""
        new = opened(self)
        return self._refuse() if new is self else new

    def __str__(self) -> str:
        return text_of(self._opened())

    __repr__ = __str__

    def __format__(self, how: str) -> str:
        return str(self) if how == "" else str(self._refuse())

    def __len__(self) -> int:
        return len(row_of(self)[1].columns)

    def __eq__(self, other: object) -> Any:
        return False if other is None else equal_hook(self._opened(), other)

    def __ne__(self, other: object) -> Any:
        return True if other is None else unequal_hook(self._opened(), other)

    def __hash__(self) -> int:
        tensor_module.hash_hook()
        raise refusal("number-as-key")

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{self.__python_class__.__name__!r} object has no attribute {name!r}")

    def __getattr__(self, name: str) -> Any:
        if hasattr(self.__python_class__, name) and not name.startswith("__"):
            self._refuse()
        raise AttributeError(f"{self.__python_class__.__name__!r} object has no attribute {name!r}")

    __python_class__: type = object


equal_hook: Any = None  # compare by items; put there by `expressions.comparisons`
unequal_hook: Any = None

for _name in "mul rmul or ror and rand mod contains array".split():
    setattr(_Record, f"__{_name}__", lambda self, *_: self._refuse())


def _unlike_numbers(self: Any, other: Any) -> Any:
    """What nothing built in does with a number: only the run may know that this one is none."""
    if type(other) in NUMBERS or (isinstance(other, Tensor) and other.type.shape == ()):
        raise TypeError(f"unsupported operand types: {self.__python_class__.__name__!r} and a number")
    self._refuse()


for _name in "lt le gt ge add radd sub rsub".split():
    setattr(_Record, f"__{_name}__", _unlike_numbers)


class _Dictionary(_Record):
    __slots__ = ()
    __python_class__ = dict

    def __getitem__(self, key: Any) -> Any:
        row, table = row_of(self)
        if key not in table.columns:
            raise KeyError(key)
        return table.read(row, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        row, table = row_of(self)
        table.write(row, key, value)

    def __delitem__(self, key: Any) -> None:
        self._refuse()

    def __contains__(self, key: Any) -> bool:
        return key in row_of(self)[1].columns

    def __iter__(self) -> Iterator[Any]:
        return iter(tuple(row_of(self)[1].columns))

    def get(self, key: Any, default: Any = None) -> Any:
        """As of a dictionary."""
        held = row_of(self)[1].columns
        return self[key] if key in held else default

    def keys(self) -> list[Any]:
        """As of a dictionary; in a list, as are those below."""
        return list(self)

    def values(self) -> list[Any]:
        """What is there now."""
        return [self[key] for key in self]

    def items(self) -> list[Any]:
        """Both."""
        return [(key, self[key]) for key in self]

    def copy(self) -> dict[Any, Any]:
        """A dictionary that no table knows."""
        return dict(self.items())

    def update(self, other: Any = (), /, **more: Any) -> None:
        """As of a dictionary."""
        for key, value in dict(other, **more).items():
            self[key] = value


class _Sequence(_Record):
    __slots__ = ()

    def _place(self, index: Any) -> int:
        if type(index) is not int:
            self._refuse()
        count = len(self)
        if not -count <= index < count:
            raise IndexError(f"{self.__python_class__.__name__} index out of range")
        return index % count  # type: ignore[no-any-return]

    def __getitem__(self, index: Any) -> Any:
        row, table = row_of(self)
        if isinstance(index, Tensor):
            leading = list(filter(partial(_leads, table), table.columns))
            return self._at(index, leading or list(table.columns), partial(table.read, row))
        if isinstance(index, slice):
            return self.__python_class__(table.read(row, place) for place in range(len(self))[index])
        return table.read(row, self._place(index))

    def __iter__(self) -> Iterator[Any]:
        row, table = row_of(self)
        return iter([table.read(row, place) for place in table.columns])

    def _at(self, index: Tensor, places: list[int], use: Callable[[int], Any]) -> Any:
        """`use(index)`, for the one of `places` that it is."""

        def missing() -> Any:
            # It may be a place of what is none of these: numbers among what leads to others have no type in common.
            raise raised(IndexError(f"{self.__python_class__.__name__} index out of range, or of an item of another kind"))

        def among(left: list[int]) -> Any:
            if not left:
                return missing()
            return if_exp(op.equal(position, left[0]), lambda: use(left[0]), lambda: among(left[1:]))

        count = len(self)
        position = op.where(op.less(index, 0), op.add(index, count), index)
        return among(places)


class _Tuple(_Sequence):
    __slots__ = ()
    __python_class__ = tuple


class _List(_Sequence):
    __slots__ = ()
    __python_class__ = list

    def __setitem__(self, index: Any, value: Any) -> None:
        row, table = row_of(self)
        if not isinstance(index, Tensor):
            table.write(row, self._place(index), value)
            return
        leads = not (type(value) in NUMBERS or isinstance(value, Tensor))
        places = [place for place in table.columns if _leads(table, place) == leads]
        self._at(index, places or list(table.columns), lambda place: table.write(row, place, value))

    def __delitem__(self, index: Any) -> None:
        self._refuse()


def _leads(table: Any, place: int) -> bool:
    """Whether what stands at a place is more than numbers: rows, or None."""
    return not isinstance(as_list_value(table.columns[place]).element, Leaf)


def _kind_of(keys: Any) -> type:
    return _Tuple if type(keys) is int else _List if type(keys[0]) is int else _Dictionary


Sequence.register(_Tuple)  # as `match` and isinstance ask
MutableSequence.register(_List)
MutableMapping.register(_Dictionary)
linked.record_hook = _kind_of
quick.ALTERNATIVES |= {_Dictionary, _Tuple, _List}  # `isinstance` is asked what they stand for
quick.STANDING_IN.update((_Dictionary, _Tuple, _List))
quick.POSING.update((_Dictionary, _Tuple, _List))
