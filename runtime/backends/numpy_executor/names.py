"""Names in generated source: the user's for variables where known, and one namespace of what the code calls."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from runtime.ops.catalogue import OPERATIONS
from runtime.ops.registry import Op
from runtime.typesys.dtypes import DType
from runtime.typesys.late import pattern

__all__ = ["Globals", "Locals"]

_FIXED = frozenset(keyword.kwlist) | frozenset(dir(builtins)) | frozenset(dir(np)) | {"np", "K", "item"}
_GENERATED = pattern(r"[kt]\d+|op_\w*|\w*_attr\d*|f_\w*|part_\d+")
_DOTTED = pattern(r"\bnp((?:\.\w+)+)")


class Globals:
    """What generated code finds by name: ufuncs, kernels, constants. `header` is the source that documents them."""

    def __init__(self) -> None:
        self.namespace: dict[str, Any] = {"np": np}
        self.notes: dict[str, str] = {}
        self._by_id: dict[int, tuple[str, Any]] = {}
        self._by_path: dict[str, str] = {}
        self._numbers: dict[tuple[str, str], str] = {}
        self._constants = 0
        self.parts: list[Any] = []  # regions written as functions of their own

    def bind(self, name: str, value: Any, note: str) -> str:
        """`name` (or one like it, if another value has it) for `value`."""
        known = self._by_id.get(id(value))
        if known is not None:
            return known[0]
        base, k = name, 2
        while name in self.namespace:
            name, k = f"{base}_{k}", k + 1
        self.namespace[name] = value
        self.notes[name] = note
        self._by_id[id(value)] = (name, value)
        return name

    def constant(self, value: Any) -> str:
        """A name for an array or other object: k1, k2 ..."""
        known = self._by_id.get(id(value))
        if known is not None:
            return known[0]
        self._constants += 1
        return self.bind(f"k{self._constants}", value, describe(value))

    def number(self, value: float, dtype: DType) -> str:
        """A name for a number as an array without axes."""
        key = repr(value), dtype.name
        if key not in self._numbers:
            self._constants += 1
            array = np.array(value, dtype.dtype)
            array.setflags(write=False)
            self._numbers[key] = self.bind(f"k{self._constants}", array, f"{value!r} as {dtype.name}")
        return self._numbers[key]

    def attribute(self, op: str, key: str, value: Any) -> str:
        """A name for an attribute that has no literal."""
        if type(value) is DType:
            return self.bind(f"op_{value.name}", value, f"as_dtype({value.name!r})")
        return self.bind(f"{op}_{key}_attr", value, describe(value))

    def numpy(self, path: str) -> str:
        """A name for `np.<path>`; `add.reduce` is a new object each time it is asked for, so by path."""
        if path not in self._by_path:
            value: Any = np
            for part in path.split("."):
                value = getattr(value, part)
            self._by_path[path] = self.bind(path.replace(".", "_"), value, f"np.{path}")
        return self._by_path[path]

    def kernel(self, op: Op) -> str:
        return self.bind(f"op_{op.name}", op.run, f"kernel of {op.name}")

    def shorten(self, template: str, op: Op) -> str:
        """A template with `np.a.b` as `a_b` and `K` as the operation's kernel, all bound."""

        def local(match: re.Match[str]) -> str:
            return self.numpy(match[1][1:])

        template = _DOTTED.sub(local, template)
        if re.search(r"\bK[(.]", template):
            name = self.bind(f"op_{op.name}", op.rules.kernel, f"kernel of {op.name}")
            template = re.sub(r"\bK(?=[(.])", name, template)
        return template

    def header(self) -> list[str]:
        """One line per name, as comments where the value has no source."""
        lines = []
        for name, note in self.notes.items():
            lines.append(f"{name} = {note}" if note.startswith("np.") else f"# {name}: {note}")
        return lines


def describe(value: Any) -> str:
    """A short text for a bound object."""
    if isinstance(value, np.ndarray):
        return f"constant {value.dtype}{list(value.shape)}"
    text = f"{type(value).__name__} {value!r}"
    return text if len(text) <= 60 and "\n" not in text else f"{type(value).__name__} object"


class Locals:
    """Variable names of one generated function."""

    def __init__(self) -> None:
        self._used: set[str] = set()
        self._temporaries = 0

    def fresh(self, wanted: str | None, fits: Callable[[str], bool] | None = None) -> str:
        """The wanted name or one like it; t1, t2 ... if none is wanted."""
        if not wanted or not (wanted.isidentifier() and wanted.isascii()):
            self._temporaries += 1
            return f"t{self._temporaries}"
        if wanted in _FIXED or wanted in OPERATIONS or _GENERATED.fullmatch(wanted):
            wanted += "_"
        name, k = wanted, 2
        while name in self._used:
            name, k = f"{wanted}_{k}", k + 1
        self._used.add(name)
        return name
