"""The text of a graph: short, readable, stable; `runtime.ir.parse` reads it back.

    graph power(x: float32[n,3], limit: int64*[]):
      %0: int64*[] = constant(0)
      i: int64*[], y: float32[n,3] = while_loop(%0, x; limit)
        test(i, y, limit):
          %0: bool*[] = less(i, limit)
          return %0
        body(i, y, limit):
          ...
      return y

    function fact(n: int64[]):           named functions follow; `call` names one: `call @fact(n)`

A value stands under the user's name, `.1`, `.2` ... where the name is taken, or as `%0`, `%1` ... where there is none.
Types stand where values are defined; a region's input has that of what is passed to it, unless it says another.
`*` after an element type marks weak values (bare Python numbers). `;` separates carried values from invariants.
"""

from __future__ import annotations

import binascii
import builtins
import math
import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from runtime.ir.graph import Graph, Node, Value
from runtime.ir.walk import reachable_functions
from runtime.typesys import errors
from runtime.typesys.dtypes import DType
from runtime.typesys.late import pattern
from runtime.typesys.shapes import Dim
from runtime.typesys.spec import ListType, TensorType

__all__ = ["REGION_NAMES", "Sizes", "attribute_text", "constant_text", "graph_text", "operands", "type_text"]

REGION_NAMES = {"cond": ("then", "else"), "while_loop": ("test", "body"), "for_loop": ("body",)}
_INLINE_LIMIT = 32  # arrays of more elements are written as bytes
_AUTOMATIC = pattern(r"n\d+$")
_NAME = pattern(r"[^\W\d]\w*$")


class Sizes:
    """Names of unknown sizes in one text: the user's, or n0, n1 ... in the order in which they appear."""

    def __init__(self) -> None:
        self._names: dict[Dim, str] = {}
        self._taken: set[str] = set()
        self._automatic = 0

    def name(self, size: Dim) -> str:
        known = self._names.get(size)
        if known is None:
            known = size.name
            if _AUTOMATIC.match(known) or not _NAME.match(known):
                known = f"n{self._automatic}"
                self._automatic += 1
            base, k = known, 1
            while known in self._taken:
                known, k = f"{base}_{k}", k + 1
            self._taken.add(known)
            self._names[size] = known
        return known


def graph_text(graph: Graph, *, locations: bool = False, short: bool = False) -> str:
    """A graph and the functions it calls, as text.

    Args:
      locations: add the user's file and line of each node as a trailing comment.
      short: describe large constants instead of giving their bytes; such a text cannot be parsed.
    """
    sizes = Sizes()
    blocks = [_Writer(sizes, locations, short).function("graph", graph.name, graph)]
    blocks += [
        _Writer(sizes, locations, short).function("function", name, graph.functions[name])
        for name in reachable_functions(graph)
    ]
    return "\n".join(blocks)


class _Writer:
    def __init__(self, sizes: Sizes, locations: bool, short: bool) -> None:
        self.sizes = sizes
        self.locations = locations
        self.short = short
        self.lines: list[str] = []

    def function(self, word: str, name: str, graph: Graph) -> str:
        names = _Names()
        inputs = ", ".join(self.definition(v, names) for v in graph.inputs)
        self.lines.append(f"{word} {_quoted(name)}({inputs}):")
        self.body(graph, names, 1)
        return "\n".join(self.lines) + "\n"

    def body(self, graph: Graph, names: _Names, depth: int) -> None:
        for node in graph.nodes:
            self.node(node, names, depth)
        self.line(depth, f"return {', '.join(names[v] for v in graph.outputs)}".rstrip())

    def line(self, depth: int, text: str) -> None:
        self.lines.append("  " * depth + text)

    def definition(self, value: Value, names: _Names) -> str:
        return f"{names.define(value)}: {type_text(value.type, self.sizes)}"

    def node(self, node: Node, names: _Names, depth: int) -> None:
        inputs = operands(node, [names[v] for v in node.inputs])
        attributes = self.attributes(node)
        name = node.op.name
        if name == "call":
            name = f"call @{_quoted(node.attrs['function'])}"
        given = inputs + (", " if inputs and attributes else "") + attributes
        outputs = ", ".join(self.definition(v, names) for v in node.outputs)
        location = f"  # {node.location}" if self.locations and node.location is not None else ""
        self.line(depth, f"{outputs}{' = ' if outputs else ''}{name}({given}){location}")
        known = REGION_NAMES.get(node.op.name, ())
        for k, region in enumerate(node.regions):
            self.region(node, region, known[k] if k < len(known) else "region", depth + 1)

    def region(self, node: Node, region: Graph, word: str, depth: int) -> None:
        names = _Names()
        lead = len(node.inputs) - len(region.inputs)
        parts = []
        for k, value in enumerate(region.inputs):
            passed = node.inputs[k + lead].type if 0 <= k + lead < len(node.inputs) else None
            parts.append(names.define(value) if passed == value.type else self.definition(value, names))
        self.line(depth, f"{word}({', '.join(parts)}):")
        self.body(region, names, depth + 1)

    def attributes(self, node: Node) -> str:
        if node.op.name == "constant":
            value = node.attrs["value"]
            given = constant_text(value, self.short)
            return given if _as_typed(value, node.attrs["type"]) else f"value={attribute_text(value, self.sizes)}"
        hidden = ("carried", "function") if node.op.name in ("while_loop", "for_loop", "call") else ()
        typed = node.op.name == "placeholder"  # its attribute is the type that is printed with the definition
        parts = (f"{k}={attribute_text(v, self.sizes)}" for k, v in node.attrs.items() if k not in hidden)
        return "" if typed else ", ".join(parts)


def _as_typed(value: Any, type: TensorType) -> bool:
    """Whether the payload of a constant is what its type alone makes of its text."""
    if isinstance(value, (np.ndarray, np.generic)):
        return not type.weak and value.dtype == type.dtype.dtype and value.shape == type.shape
    return type.weak


class _Names:
    """Names of the values of one region."""

    def __init__(self) -> None:
        self._names: dict[Value, str] = {}
        self._taken: dict[str, int] = {}
        self._unnamed = 0

    def define(self, value: Value) -> str:
        if not value.name:
            name = f"%{self._unnamed}"
            self._unnamed += 1
        else:
            base = re.sub(r"\W", "_", value.name)
            base = base if _NAME.match(base) else f"_{base}"
            count = self._taken.get(base, 0)
            self._taken[base] = count + 1
            name = f"{base}.{count}" if count else base
        self._names[value] = name
        return name

    def __getitem__(self, value: Value) -> str:
        return self._names.get(value) or f"<a value of another region: {value!r}>"


def operands(node: Node, names: list[str]) -> str:
    """The operands in parentheses: what is carried and what is invariant, separated by a semicolon."""
    split = {"cond": 1, "while_loop": 0, "for_loop": 1}.get(node.op.name)
    if split is None:
        return ", ".join(names)
    split += node.attrs.get("carried", 0)
    rest = ", ".join(names[split:])
    return ", ".join(names[:split]) + (f"; {rest}" if rest else "")


def type_text(type: Any, sizes: Sizes) -> str:
    """`float32[n,3]`, `int64*[]` (weak), `float32[?]` (unknown rank), `list<float32[3]>`, `record`."""
    if isinstance(type, ListType):
        return "record" if type.record else f"list<{'' if type.element is None else type_text(type.element, sizes)}>"
    assert isinstance(type, TensorType), type
    shape = "?" if type.shape is None else ",".join(sizes.name(d) if isinstance(d, Dim) else str(d) for d in type.shape)
    return f"{type.dtype.name}{'*' if type.weak else ''}[{shape}]"


def constant_text(value: Any, short: bool = False) -> str:
    """The payload of a constant; its type says the rest."""
    if not isinstance(value, (np.ndarray, np.generic)):
        return attribute_text(value)
    array = np.asarray(value)
    plain = array.dtype.kind != "O" or all(isinstance(e, (str, bytes)) for e in array.flat)
    if plain and array.size <= _INLINE_LIMIT:
        text = _elements(array)
        if text is not None:
            return text
    if short or array.dtype.kind not in "biufc":
        return f"<{array.size} elements>"
    return f"bytes '{binascii.b2a_base64(np.ascontiguousarray(array).tobytes(), newline=False).decode()}'"


def _elements(array: Any) -> str | None:
    """Nested lists of numbers, or None where they would not come back bit for bit (NaNs with a payload)."""
    if array.dtype.kind in "fc":
        nan = np.isnan(array)
        if nan.any() and array[nan].tobytes() != np.full(int(nan.sum()), np.nan, array.dtype).tobytes():
            return None

    def show(x: Any) -> str:
        if isinstance(x, np.ndarray) and x.ndim:
            return f"[{', '.join(map(show, x))}]"
        x = x[()] if isinstance(x, np.ndarray) else x
        return attribute_text(x) if isinstance(x, (str, bytes)) else _number(x)

    return show(array)


def _number(x: Any) -> str:
    """The shortest text that reads back as the same number of its dtype."""
    if isinstance(x, (bool, np.bool_)):
        return str(bool(x))
    if isinstance(x, (complex, np.complexfloating)):
        return f"complex({_number(x.real)}, {_number(x.imag)})"
    return str(x)


def attribute_text(value: Any, sizes: Sizes | None = None) -> str:
    """An attribute's value: a literal, a bare element type or type, an unknown size with `$`, others as `<...>`."""

    def show(x: Any) -> str:
        return attribute_text(x, sizes)

    if value is None or value is Ellipsis or isinstance(value, (bool, str, bytes)):
        return "..." if value is Ellipsis else repr(value)
    if type(value) in (int, float, complex):
        if type(value) is complex or (type(value) is float and math.isnan(value) and math.copysign(1, value) < 0):
            return _number(value) if type(value) is complex else "-nan"
        return repr(value)
    if isinstance(value, Dim):
        return f"${(sizes or Sizes()).name(value)}"
    if isinstance(value, DType):
        return value.name
    if isinstance(value, (TensorType, ListType)):
        return type_text(value, sizes or Sizes())
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "biufc":
        array = np.asarray(value)
        word = "array" if isinstance(value, np.ndarray) else "scalar"
        shape = ",".join(map(str, array.shape))
        return f"{word} {array.dtype.name}[{shape}] {constant_text(value)}"
    if type(value) is tuple:
        return f"({', '.join(map(show, value))}{',' if len(value) == 1 else ''})"
    if type(value) is list:
        return f"[{', '.join(map(show, value))}]"
    if type(value) is dict:
        return f"{{{', '.join(f'{show(k)}: {show(v)}' for k, v in value.items())}}}"
    if type(value) is slice:
        return f"slice({', '.join(map(show, (value.start, value.stop, value.step)))})"
    if isinstance(value, type) and known_classes().get(value.__name__) is value:
        return value.__name__
    return f"<{_description(value)}>"


def known_classes() -> dict[str, type]:
    """Exceptions that attributes may name."""
    found = dict(_classes(vars(builtins).items()))
    found.update(_classes((n, getattr(errors, n)) for n in errors.__all__))
    return found


def _classes(items: Iterable[tuple[str, Any]]) -> Iterable[tuple[str, type]]:
    return ((n, c) for n, c in items if isinstance(c, type) and issubclass(c, BaseException))


def _description(value: Any) -> str:
    name = getattr(value, "__qualname__", None) or getattr(value, "name", None)
    text = f"{type(value).__name__} {name}" if isinstance(name, str) else type(value).__name__
    return re.sub("[<>]", "", text)


def _quoted(name: str) -> str:
    return name if _NAME.match(name) else repr(name)
