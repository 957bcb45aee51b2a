"""The fields of dataclasses and of classes of `attrs`."""

from __future__ import annotations

import dataclasses

__all__ = ["fields_of", "is_frozen"]


def fields_of(cls: type) -> tuple[str, ...] | None:
    """The names of the fields of a dataclass, or of a class of `attrs`."""
    if dataclasses.is_dataclass(cls):
        return tuple(f.name for f in dataclasses.fields(cls))
    attributes = getattr(cls, "__attrs_attrs__", None)
    return None if attributes is None else tuple(a.name for a in attributes)


def is_frozen(cls: type) -> bool:
    """Whether the fields of a class are never set: its instances are what they hold, as tuples are."""
    if dataclasses.is_dataclass(cls):
        return bool(cls.__dataclass_params__.frozen)  # type: ignore[attr-defined]
    return getattr(cls.__setattr__, "__name__", "") == "_frozen_setattrs"  # as `attrs` calls it
