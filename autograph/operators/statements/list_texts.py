"""The texts of what only the run knows: the items of lists and dictionaries, and which alternative it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograph.errors.refusals import refusal
from autograph.operators.state.places import UNBOUND
from autograph.operators.values.descriptors import (
    Descriptor,
    Leaf,
    OneOf,
    Sequence,
    Static,
    Struct,
    Undefined,
    Words,
    list_types,
)
from autograph.operators.values.listvalue import ListValue, RunTuple
from runtime.ops.shown import Form

__all__ = ["choice_form", "each_form", "list_form", "pairs_form", "tuple_form"]

_BRACKETS = {list: ("[", "]"), tuple: ("(", ")"), dict: ("{", "}")}


def list_form(value: ListValue, before: str = "[", after: str = "]") -> Form:
    """The form of a list's text."""
    return ("rows", before, _form(value.element), len(value.values), after)


def tuple_form(value: ListValue) -> Form:
    """The form of a tuple's text."""
    return ("tuple", _form(value.element), len(value.values))


def each_form(value: ListValue, before: str, after: str) -> Form:
    """The form of a list's items, each with the texts around it."""
    return ("each", before, _shown_alone(value.element), len(value.values), after)


def _shown_alone(d: Descriptor | None) -> Form:
    """The form of what is printed by itself: of a text no quotation marks."""
    if isinstance(d, Static) and isinstance(d.value, str):
        return ("static", d.value)
    if isinstance(d, Words):
        return ("leaf", "")
    return ("one of", tuple(map(_shown_alone, d.alternatives))) if isinstance(d, OneOf) else _form(d)


def pairs_form(keys: ListValue, values: ListValue, before: str, after: str) -> Form:
    """The form of a dictionary's text."""
    columns = len(keys.values), _form(keys.element), len(values.values), _form(values.element)
    return ("pairs", before, *columns, after)


def choice_form(d: OneOf, show: Callable[[Any], str], spec: str) -> Form:
    """The form of the text of one of several alternatives; `show` gives that of one known while tracing."""
    forms: list[Form] = []
    for a in d.alternatives:
        if isinstance(a, Static):
            forms.append(("static", "" if a.value is UNBOUND else show(a.value)))
        elif isinstance(a, Leaf):
            forms.append(("leaf", spec))
        elif isinstance(a, Words):
            forms.append(("repr",) if show is repr else ("leaf", spec))
        elif spec:
            raise refusal("characters-of-tensor", what="format")
        else:
            forms.append(_form(a))
    return ("one of", tuple(forms))


def _form(d: Descriptor | None) -> Form:
    if d is None or isinstance(d, Undefined):
        return ("static", "")
    if isinstance(d, Leaf):
        return ("leaf", "")
    if isinstance(d, Words):
        return ("repr",)
    if isinstance(d, Static):
        return ("static", _known_text(d.value))
    if isinstance(d, Sequence):
        return ("rows", "[", _form(d.element), len(list_types(d)), "]")
    if isinstance(d, Struct) and d.kind is RunTuple:
        kind, _, *parts = _form(d.children[0])
        return ("tuple", *parts[:2]) if kind == "rows" else (kind, "(", *parts[:-1], ")")
    if isinstance(d, OneOf):
        return ("one of", tuple(map(_form, d.alternatives)))
    if isinstance(d, Struct) and d.kind in _BRACKETS:
        before, after = _BRACKETS[d.kind]
        names = tuple(f"{k!r}: " for k in d.keys) if d.kind is dict else ("",) * len(d.children)
        return ("struct", before, tuple(map(_form, d.children)), names, "," * (d.kind is tuple and len(names) == 1) + after)
    if isinstance(d, Struct) and issubclass(d.kind, tuple):
        names = tuple(f"{k}=" for k in d.keys)
        return ("struct", f"{d.kind.__name__}(", tuple(map(_form, d.children)), names, ")")
    raise refusal("characters-of-tensor", what="in a list of objects, or of lists that others hold")


def _known_text(x: Any) -> str:
    """The text of what the trace knows: it has tensors in it where a method of its class puts them there."""
    text = repr(x)
    if "\ue000" in text:
        raise refusal("characters-of-tensor", what="in a list of objects, or of lists that others hold")
    return text
