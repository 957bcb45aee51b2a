"""Places outside a function that are inputs and outputs of its graph, and how they enter and leave."""

from __future__ import annotations

from typing import Any

from autograph.operators.containers.lists import ListPlace
from autograph.operators.state.places import UNBOUND
from autograph.operators.values.descriptors import Descriptor, Joiner, Leaf, Sequence, Static, Struct, loosen
from autograph.staging.outside_forms import FormPlace
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import Place

__all__ = ["StateEntry", "enters_wider", "entry_type", "holds_variable", "is_counter", "is_unbound"]


class StateEntry:
    """A place outside the function that it reads and writes through the graph."""

    __slots__ = ("after", "arrays", "before", "place")

    def __init__(self, place: Place, before: Descriptor) -> None:
        self.place = place
        self.before = before  # how it enters
        self.after: Descriptor | None = None  # how it leaves
        self.arrays: Any = None  # the NumPy array from outside that it is left with, or those in a list by index


def entry_type(before: Descriptor, after: Descriptor) -> Descriptor:
    """How a place of state enters: as it is, numbers as symbols; a list that changes its length as a list of any length."""
    loose = loosen(before)
    joined = Joiner()(loose, loosen(after))
    return (
        joined
        if isinstance(joined, Sequence) or (isinstance(loose, Static) and isinstance(joined, Struct))
        else loose
    )


def enters_wider(entry: StateEntry, after: Descriptor) -> bool:
    """Whether what a list or form is left with has changed how it has to enter."""
    before, joined = entry.before, entry.before
    if isinstance(entry.place, FormPlace):
        joined = entry.place.joined(before, after)
    elif isinstance(entry.place, ListPlace) and not isinstance(before, Sequence):
        wider = entry_type(before, after)
        joined = wider if isinstance(wider, Sequence) else before
    entry.before = joined
    return joined is not before


def is_unbound(d: Descriptor | None) -> bool:
    """Whether a place holds nothing."""
    return isinstance(d, Static) and d.value is UNBOUND


def holds_variable(d: Descriptor) -> bool:
    """Whether variables, which a first call makes, were put into a list, dictionary or tuple."""
    if isinstance(d, Struct):
        return any(map(holds_variable, d.children))
    return isinstance(d, Static) and isinstance(d.value, Tensor)


def is_counter(before: Descriptor, after: Descriptor) -> bool:
    """Whether a Python number was replaced by another: a count, which every call must go on counting."""
    old, new = loosen(before), loosen(after)
    if not isinstance(old, Leaf) or not isinstance(new, Leaf) or old.type.dtype.is_bool or new.type.dtype.is_bool:
        return False
    return before != after
