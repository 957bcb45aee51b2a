"""Dictionaries, sets and deques from outside of which only the run knows what they hold: forms while a function is traced.

    seen.add(x)    ->    each call makes lists of what is in `seen`, and puts back what it leaves in them

A form is a class over lists, which also stands for what the function makes itself (`keyed_forms`, `deque_form`).
"""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from typing import Any

from autograph.errors.refusals import refusal
from autograph.operators.functions.calls import callee
from autograph.operators.functions.deque_form import Deque
from autograph.operators.functions.keyed_forms import Counts, Defaulting, Keyed, KeyedSet, Ordered
from autograph.operators.values.descriptors import (
    Descriptor,
    Joiner,
    Leaf,
    OneOf,
    Sequence,
    Static,
    Struct,
    Words,
    canonical,
    describe,
    loosen,
)
from autograph.staging.dependence import is_plain
from runtime.tensor.tensor import Tensor

__all__ = ["FormPlace", "has_form"]

_FORMS: dict[type, Any] = {
    dict: Keyed, set: KeyedSet, Counter: Counts, defaultdict: Defaulting, OrderedDict: Ordered, deque: Deque,
}  # fmt: skip


def has_form(container: Any) -> bool:
    """Whether a container can be a form: all that it holds is numbers, tensors, texts, and tuples of those."""
    if type(container) not in _FORMS:
        return False
    return all(_is_carried(Sequence(_element(part))) for part in _parts(container))


class FormPlace:
    """What is in a container from outside: lists of its keys and values, or of its items."""

    __slots__ = ("_names", "form", "owner")

    def __init__(self, owner: Any) -> None:
        self.owner = owner
        self.form: Any = None  # what stands for it while the function is traced
        self._names = ("items",) if type(owner) is deque else ("names",) if type(owner) is set else ("names", "held")

    @property
    def key(self) -> Any:
        return ("form", id(self.owner))

    def enter(self) -> Any:
        """Make the form."""
        kind = type(self.owner)
        made = _FORMS[kind]
        if kind is deque:
            self.form = callee(made)((), self.owner.maxlen)
        else:
            self.form = callee(made)(self.owner.default_factory) if kind is defaultdict else callee(made)()
        return self.form

    def read(self) -> tuple[Any, ...]:
        if self.form is None:
            return _parts(self.owner)
        return tuple(getattr(self.form, name) for name in self._names)

    def write(self, value: Any) -> None:
        if self.form is not None:
            for name, part in zip(self._names, value, strict=True):
                object.__setattr__(self.form, name, part)
        elif type(self.owner) is deque:
            self.owner.clear()
            self.owner.extend(value[0])
        else:
            keys = list(map(_as_key, value[0]))
            self.owner.clear()
            if type(self.owner) is set:
                self.owner.update(keys)
            else:
                for key, held in zip(keys, value[1], strict=True):
                    self.owner[key] = held

    def described(self) -> Descriptor:
        """How what it holds now enters: as lists of any length."""
        return Struct(tuple, (), tuple(Sequence(_element(part)) for part in self.read()))

    def joined(self, before: Descriptor, after: Descriptor) -> Descriptor:
        """How it has to enter, so that what it is left with may enter at the next call.

        Raises:
          OperatorNotAllowedInGraphError: that is more than numbers, tensors and texts.
        """
        made = Joiner()(before, loosen(after))
        if not _is_carried(made):
            raise refusal("tensor-key") if len(self._names) > 1 else refusal(
                "container-in-graph", what=type(self.owner).__name__
            )
        return before if canonical([made]) == canonical([before]) else made

    def __repr__(self) -> str:
        return f"a {type(self.owner).__name__}"


def _parts(container: Any) -> tuple[Any, ...]:
    if isinstance(container, dict):
        return list(container), list(container.values())
    return (list(container),)


def _element(items: list[Any]) -> Descriptor | None:
    joiner, element = Joiner(), None
    for item in items:
        element = joiner.element(element, loosen(describe(item)))
    return element


def _is_carried(d: Descriptor | None) -> bool:
    """Whether a descriptor is of values without identity."""
    if isinstance(d, Sequence):
        return d.element is None or (not isinstance(d.element, Sequence) and _is_carried(d.element))
    if isinstance(d, Struct):
        return issubclass(d.kind, tuple) and all(map(_is_carried, d.children))
    if isinstance(d, OneOf):
        return all(map(_is_carried, d.alternatives))
    return isinstance(d, (Leaf, Words)) or (isinstance(d, Static) and is_plain(d.value))


def _as_key(key: Any) -> Any:
    """A key as Python's dictionaries have it: numbers in the place of tensors."""
    if type(key) is tuple:
        return tuple(map(_as_key, key))
    return key._value.item() if isinstance(key, Tensor) and hasattr(key._value, "item") else key
