"""Texts made and looked into when the graph runs: scalars of dtype string.

`text` fills a template (see `effects`); `text_call` is what Python's `str` and its methods do, under the names of `CALLS`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any

from runtime.ops.effects import Template, fill
from runtime.ops.registry import Op
from runtime.typesys.spec import ListType, TensorType, ValueType

__all__ = ["CALLS", "TEXT"]

TEXT = TensorType("string", ())
_RESULTS: dict[str, ValueType] = {
    "text": TEXT,
    "texts": ListType(TEXT),
    "truth": TensorType("bool", ()),
    "count": TensorType("int64", (), weak=True),
    "number": TensorType("float64", (), weak=True),
}
_METHODS = {
    "text": "capitalize casefold center expandtabs ljust lower lstrip removeprefix removesuffix replace rjust rstrip strip "
    "swapcase title upper zfill",
    "texts": "rsplit split splitlines",
    "truth": "endswith isalnum isalpha isascii isdecimal isdigit isidentifier islower isnumeric isprintable isspace istitle "
    "isupper startswith",
    "count": "count find index rfind rindex",
}


def _joined(separator: str, parts: Iterable[Any]) -> str:
    return separator.join(map(str, parts))


def _slice(text: str, start: Any, stop: Any, step: Any) -> str:
    return text[start:stop:step]


CALLS: dict[str, tuple[Callable[..., Any], str]] = {
    **{name: (getattr(str, name), result) for result, names in _METHODS.items() for name in names.split()},
    **{name: (getattr(operator, name), "truth") for name in ("eq", "ne", "lt", "le", "gt", "ge", "contains")},
    "chr": (chr, "text"),
    "float": (float, "number"),
    "int": (int, "count"),
    "item": (operator.getitem, "text"),
    "join": (_joined, "text"),
    "len": (len, "count"),
    "list": (list, "texts"),
    "mul": (operator.mul, "text"),
    "ord": (ord, "count"),
    "slice": (_slice, "text"),
    "truth": (bool, "truth"),
}
"""Name -> (what is called, what it gives)."""


class MakeText(Op):
    """The text of a template."""

    name = "text"

    def infer(self, *values: ValueType, template: Template) -> TensorType:
        return TEXT

    @staticmethod
    def kernel(*values: Any, template: Template) -> str:
        return fill(template, values)

    vjp = lambda op, dy, y, *values, template: (None,) * len(values)


class TextCall(Op):
    """What `call` gives for `arguments`: (None, number of an input) or (value, None) each."""

    name = "text_call"

    def infer(self, *values: ValueType, call: str, arguments: tuple[tuple[Any, int | None], ...]) -> ValueType:
        return _RESULTS[CALLS[call][1]]

    @staticmethod
    def kernel(*values: Any, call: str, arguments: tuple[tuple[Any, int | None], ...]) -> Any:
        function, _ = CALLS[call]
        return function(*(known if k is None else _of_python(values[k]) for known, k in arguments))

    vjp = lambda op, dy, y, *values, call, arguments: (None,) * len(values)


def _of_python(x: Any) -> Any:
    """A string or number as Python has it."""
    if isinstance(x, list):
        return list(map(_of_python, x))
    return x.item() if hasattr(x, "item") else x
