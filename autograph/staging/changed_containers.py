"""Lists, dictionaries and dataclasses among the arguments that a function changes: what a call puts into them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from autograph.operators.values.descriptors import Descriptor, Struct, describe
from autograph.operators.values.packing import pack
from autograph.staging.signature import contents, parts_of, refill
from autograph.staging.transfer import from_arrays
from runtime.ir.graph import Value

__all__ = ["ChangedContainer", "changed_containers"]


class ChangedContainer:
    """A container among the arguments that the function changes."""

    __slots__ = ("_content", "_kept", "_number")

    def __init__(self, number: int, content: Descriptor, kept: list[int | None]) -> None:
        self._number = number  # in the order of `containers`
        self._content = content
        self._kept = kept  # for each part: which argument leaf it is, or ~ which container, if it is one

    def put(self, arrays: Iterator[Any], leaves: list[Any], holders: Sequence[Any]) -> None:
        """Put the results of a call into the caller's container, with the caller's own tensors and containers where they
        stayed in it."""
        made = from_arrays(self._content, arrays)
        keys: Any = range(len(self._kept)) if type(made) is list else made if type(made) is dict else parts_of(made) or ()
        for key, number in zip(list(keys), self._kept, strict=False):
            if number is None:
                continue
            own = leaves[number] if number >= 0 else holders[~number]
            if type(made) in (list, dict):
                made[key] = own
            else:
                object.__setattr__(made, key, own)
        refill(holders[self._number], made)


def changed_containers(
    holders: list[tuple[Any, tuple[Any, ...]]], numbers: dict[int, int]
) -> tuple[list[ChangedContainer], list[Value]]:
    """Those of `holders` (containers, and what each held before) that hold something else now, and their content.

    `numbers` tells, by id, which leaf or container a part is.
    """
    found: list[ChangedContainer] = []
    outputs: list[Value] = []
    for i, (holder, before) in enumerate(holders):
        now = contents(holder)
        if len(now) == len(before) and all(a is b for a, b in zip(now, before, strict=True)):
            continue
        content = describe(holder)
        count = len(content.children) if isinstance(content, Struct) else 0
        found.append(ChangedContainer(i, content, [numbers.get(id(part)) for part in now[len(now) - count :]]))
        outputs += pack(holder, content)
    return found, outputs
