"""Dictionaries, tuples and lists that refer to others of their kind, as rows of tables: see `linked`.

    head = {"v": x, "next": head}    ->    vs.append(x); nexts.append(head); head = row len(vs) - 1
    head["v"]                        ->    vs[head]

Those that are written out with the same keys, or of one length, share a table.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping, MutableSequence, Sequence
from typing import Any

from autograph.errors.refusals import refusal
from autograph.operators.items import linked
from autograph.operators.values import quick
from autograph.operators.values.links import Linked, row_of
from runtime.tensor import tensor as tensor_module
from runtime.tensor.trace import STATE

__all__ = ["node"]

_HELD = object.__getattribute__


def node(keys: Any, x: Any) -> Any:
    """A dictionary, tuple or list that is written out and may refer to others like it; `keys` are the dictionary's, the
    length of the tuple, or that of the list in a tuple."""
    trace = STATE.trace
    if trace is None or (found := trace.notes.get("constructed")) is None:
        return x
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

    def __str__(self) -> str:
        return str(self._refuse())

    def __format__(self, how: str) -> str:
        return str(self._refuse())

    def __repr__(self) -> str:
        return str(self._refuse())

    def __len__(self) -> int:
        return len(row_of(self)[1].columns)

    def __eq__(self, other: object) -> Any:
        return False if other is None else self._refuse()

    def __ne__(self, other: object) -> Any:
        return True if other is None else self._refuse()

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


for _name in "lt le gt ge add radd mul rmul or ror and rand sub rsub mod contains array".split():
    setattr(_Record, f"__{_name}__", lambda self, *_: self._refuse())


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
        if isinstance(index, slice):
            return self.__python_class__(table.read(row, place) for place in range(len(self))[index])
        return table.read(row, self._place(index))

    def __iter__(self) -> Iterator[Any]:
        row, table = row_of(self)
        return iter([table.read(row, place) for place in table.columns])


class _Tuple(_Sequence):
    __slots__ = ()
    __python_class__ = tuple


class _List(_Sequence):
    __slots__ = ()
    __python_class__ = list

    def __setitem__(self, index: Any, value: Any) -> None:
        row, table = row_of(self)
        table.write(row, self._place(index), value)

    def __delitem__(self, index: Any) -> None:
        self._refuse()


def _kind_of(keys: Any) -> type:
    return _Tuple if type(keys) is int else _List if type(keys[0]) is int else _Dictionary


Sequence.register(_Tuple)  # as `match` and isinstance ask
MutableSequence.register(_List)
MutableMapping.register(_Dictionary)
linked.record_hook = _kind_of
quick.STANDING_IN.update((_Dictionary, _Tuple, _List))
quick.POSING.update((_Dictionary, _Tuple, _List))
