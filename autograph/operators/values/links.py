"""Objects that refer to others of their kind (lists, trees, graphs of nodes) as numbers of rows in a table.

    node.next.value    ->    values[nexts[i]]        the attributes of all nodes stand in one list each

A chain of objects has no finite type; the number of a row has. See `items.linked` for the tables.
"""

from __future__ import annotations

from typing import Any

__all__ = ["Linked", "link", "row_of"]

_HELD = object.__getattribute__


class Linked:
    """Stands for an object in a table; subclasses are of the object's class, too."""

    def __getattribute__(self, name: str) -> Any:
        held = _HELD(self, "__dict__")
        if name in held["_table"].columns:
            return held["_table"].read(held["_row"], name)
        if name == "__dict__":
            _HELD(self, "_refuse")()
        return _HELD(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        held = _HELD(self, "__dict__")
        held["_table"].write(held["_row"], name, value)

    def __new__(cls, *_: Any, **__: Any) -> Any:
        cls._refuse()  # type: ignore[attr-defined]

    def __delattr__(self, name: str) -> None:
        self._refuse()  # type: ignore[attr-defined]

    def __copy__(self) -> Any:
        self._refuse()  # type: ignore[attr-defined]

    def __deepcopy__(self, memo: Any) -> Any:
        self._refuse()  # type: ignore[attr-defined]

    def __reduce_ex__(self, protocol: Any) -> Any:
        self._refuse()  # type: ignore[attr-defined]


def link(kind: type, row: Any, table: Any) -> Any:
    """What stands for the object in a row of a table."""
    made: Any = object.__new__(kind)
    held = _HELD(made, "__dict__")
    held["_row"], held["_table"] = row, table
    return made


def row_of(x: Linked) -> tuple[Any, Any]:
    """The row and the table of an object."""
    held = _HELD(x, "__dict__")
    return held["_row"], held["_table"]
