"""Reading graphs back from the text that `runtime.ir.text` writes: a recursive descent over the tokens of each line."""

from __future__ import annotations

import ast
import binascii
import re
from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn, TypeVar

import numpy as np

from runtime.ir.graph import Graph, Location, Value
from runtime.ir.text import known_classes
from runtime.ops.registry import get
from runtime.typesys.dtypes import as_dtype
from runtime.typesys.errors import InvalidArgumentError, UnimplementedError
from runtime.typesys.shapes import Dim
from runtime.typesys.spec import ListType, TensorType, ValueType

__all__ = ["GraphTextError", "parse_graph", "parse_literal", "parse_type"]

T = TypeVar("T")


class GraphTextError(InvalidArgumentError):
    """Text that is no graph; the message gives its line."""


_TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>b?'(?:[^'\\]|\\.)*'|b?"(?:[^"\\]|\\.)*")
    | (?P<comment>\#.*)
    | (?P<object>(?<!list)<[^>]*>)
    | (?P<number>-?(?:nan|inf)\b|-?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|-?\.\d+)
    | (?P<value>%\d+)
    | (?P<name>[^\W\d]\w*(?:\.\d+)?)
    | (?P<mark>\.\.\.|[-()\[\]{}<>,:;=*@$?])
    )""",
    re.VERBOSE,
)
_END = ("end", "")
_WORDS = {"None": None, "True": True, "False": False}
_SUFFIX = re.compile(r"\.\d+$")


def parse_graph(text: str) -> Graph:
    """The graph a text describes, with the table of its functions.

    Raises:
      GraphTextError: the text is no graph, or holds a Python object (`<...>`) that only the original has.
    """
    lines = []
    for number, raw in enumerate(text.splitlines(), 1):
        if raw.strip() and not raw.lstrip().startswith("#"):
            indent = len(raw) - len(raw.lstrip(" "))
            lines.append(_Line(raw, number, indent))
    if not lines:
        raise GraphTextError("no graph in the text")
    return _Module(lines).parse()


def parse_type(text: str, sizes: dict[str, Dim] | None = None) -> ValueType:
    """The type `text` describes, as `float32[n,3]`; `sizes` holds the unknown sizes named so far."""
    line = _Line(text, 1, 0, {} if sizes is None else sizes)
    found = line.type()
    line.expect("")
    return found


def parse_literal(text: str) -> Any:
    """The attribute value that `text` describes."""
    line = _Line(text, 1, 0, {})
    found = line.literal()
    line.expect("")
    return found


class _Line:
    """The tokens of one line, and what can be read from them."""

    def __init__(self, text: str, number: int, indent: int, sizes: dict[str, Dim] | None = None) -> None:
        self.number = number
        self.indent = indent
        self.location: Location | None = None
        self.sizes: dict[str, Dim] = {} if sizes is None else sizes
        self.tokens: list[tuple[str, str]] = []
        self.at = 0
        position, text = 0, text.rstrip()
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None or match.lastgroup is None:
                self.fail(f"unexpected {text[position:position + 20].strip()!r}")
            if match.lastgroup == "comment":
                place = re.fullmatch(r"#\s*(.*):(\d+)", match["comment"])
                self.location = Location(place[1], int(place[2])) if place else None
            else:
                self.tokens.append((match.lastgroup, match[match.lastgroup]))
            position = match.end()

    def fail(self, message: str) -> NoReturn:
        raise GraphTextError(f"line {self.number}: {message}")

    @property
    def token(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else _END

    def take(self, kind: str) -> str:
        have, text = self.token
        if have != kind:
            self.fail(f"expected a {kind}, not {text or 'the end of the line'!r}")
        self.at += 1
        return text

    def accept(self, text: str) -> bool:
        if self.token[0] in ("mark", "name") and self.token[1] == text:
            self.at += 1
            return True
        return False

    def expect(self, text: str) -> None:
        """Take this mark or word; the empty one is the end of the line."""
        if (self.token == _END) if not text else self.accept(text):
            return
        self.fail(f"expected {text or 'the end of the line'!r}, not {self.token[1] or 'the end of the line'!r}")

    def many(self, read: Callable[[], T], *ends: str) -> list[T]:
        """Items separated by commas up to (and without) one of the marks."""
        found: list[T] = []
        while self.token[1] not in ends:
            found.append(read())
            if not self.accept(",") and self.token[1] not in ends:
                self.fail(f"expected ',' or {' or '.join(map(repr, ends))}, not {self.token[1]!r}")
        return found

    def name(self) -> str:
        """The text of a value's name."""
        kind = self.token[0]
        return self.take("value" if kind == "value" else "name")

    def word(self) -> str:
        """A name, quoted or bare."""
        return ast.literal_eval(self.take("string")) if self.token[0] == "string" else self.take("name")

    def type(self) -> ValueType:
        word = self.take("name")
        if word == "list":
            self.expect("<")
            element = None if self.token[1] == ">" else self.type()
            self.expect(">")
            return ListType(element)
        if word == "record":
            return ListType(None, record=True)
        try:
            dtype = as_dtype(word)
        except TypeError as error:
            self.fail(str(error))
        weak = self.accept("*")
        self.expect("[")
        if self.accept("?"):
            self.expect("]")
            return TensorType(dtype, None, weak)
        shape = self.many(self.size, "]")
        self.expect("]")
        return TensorType(dtype, tuple(shape), weak)

    def size(self) -> int | Dim:
        if self.token[0] == "number":
            return int(self.take("number"))
        name = self.take("name")
        return self.sizes.setdefault(name, Dim(name))

    def literal(self) -> Any:
        kind, text = self.token
        self.at += 1
        if kind == "string":
            return ast.literal_eval(text)
        if kind == "number":
            return _number(text)
        if kind == "object":
            self.fail(f"the Python object {text} has no text: only the original graph holds it")
        if kind == "name":
            return self._named(text)
        if text == "...":
            return ...
        if text == "$":
            return self.size()
        if text == "(":
            items = self.many(self.literal, ")")
            self.expect(")")
            return tuple(items)
        if text == "[":
            items = self.many(self.literal, "]")
            self.expect("]")
            return items
        if text == "{":
            pairs = self.many(self._pair, "}")
            self.expect("}")
            return dict(pairs)
        return self.fail(f"expected a value, not {text or 'the end of the line'!r}")

    def _pair(self) -> tuple[Any, Any]:
        key = self.literal()
        self.expect(":")
        return key, self.literal()

    def _named(self, word: str) -> Any:
        """What a bare word means: a constant, a slice, a number or array of a dtype, a type, a dtype, an exception."""
        if word in _WORDS:
            return _WORDS[word]
        if word in ("complex", "slice") and self.accept("("):
            parts = self.many(self.literal, ")")
            self.expect(")")
            return complex(*parts) if word == "complex" else slice(*parts)
        if word in ("array", "scalar") and self.token[0] == "name":
            kind = self.type()
            assert isinstance(kind, TensorType)
            made = self.payload(kind)
            return np.asarray(made) if word == "array" else made
        if word == "bytes" and self.token[0] == "string":
            return _Bytes(binascii.a2b_base64(ast.literal_eval(self.take("string"))))
        if self.token[1] in ("[", "*", "<"):
            self.at -= 1
            return self.type()
        if word in (classes := known_classes()):
            return classes[word]
        try:
            return as_dtype(word)
        except TypeError:
            self.fail(f"unknown word {word!r}")

    def payload(self, kind: TensorType) -> Any:
        """The value of a constant of a type: a bare number if it is weak, else an array or a NumPy scalar."""
        made = self.literal()
        if kind.weak:
            return made
        if kind.shape is None or not all(isinstance(d, int) for d in kind.shape):
            self.fail("a constant has known sizes")
        if isinstance(made, _Bytes):
            array = np.frombuffer(made.data, kind.dtype.dtype).copy()
        else:
            array = np.array(made, kind.dtype.dtype)
        return array.reshape(kind.shape)[()]  # type: ignore[arg-type]


class _Bytes:
    """The elements of an array, not yet in its shape."""

    def __init__(self, data: bytes) -> None:
        self.data = data


def _number(text: str) -> int | float:
    if text == "-nan":
        return -float("nan")
    try:
        return int(text)
    except ValueError:
        return float(text)


class _Module:
    """All lines of a text."""

    def __init__(self, lines: list[_Line]) -> None:
        self.lines = lines
        self.at = 0
        self.sizes: dict[str, Dim] = {}
        for line in lines:
            line.sizes = self.sizes
        self.functions: dict[str, Graph] = {}

    def parse(self) -> Graph:
        main = self.function("graph")
        while self.at < len(self.lines):
            self.function("function")
        return main

    def next(self, indent: int) -> _Line | None:
        """The next line if it stands at this indent."""
        if self.at < len(self.lines) and self.lines[self.at].indent == indent:
            self.at += 1
            return self.lines[self.at - 1]
        return None

    def function(self, word: str) -> Graph:
        line = self.next(0)
        if line is None:
            self.lines[self.at].fail("unexpected indent")
        line.expect(word)
        name = line.word()
        graph = Graph(name, self.functions)
        if word == "function":
            self.functions[name] = graph
        values = self.inputs(line, graph, ())
        self.body(graph, values, line, 2)
        return graph

    def inputs(self, line: _Line, graph: Graph, passed: tuple[ValueType, ...]) -> dict[str, Value]:
        """The inputs between parentheses; those without a type have that of what is passed."""
        values: dict[str, Value] = {}

        def read() -> None:
            name = line.name()
            if line.accept(":"):
                kind = line.type()
            elif len(graph.inputs) < len(passed):
                kind = passed[len(graph.inputs)]
            else:
                line.fail(f"no type for input {name}")
            values[name] = graph.add_input(kind, _user_name(name))

        line.expect("(")
        line.many(read, ")")
        line.expect(")")
        line.expect(":")
        line.expect("")
        return values

    def body(self, graph: Graph, values: dict[str, Value], header: _Line, indent: int) -> None:
        while True:
            line = self.next(indent)
            if line is None:
                header.fail("its body does not end with 'return'")
            if line.tokens and line.tokens[0] == ("name", "return"):
                line.at = 1
                graph.outputs = line.many(partial(self.value, line, values), "")
                return
            self.node(line, graph, values, indent)

    @staticmethod
    def value(line: _Line, values: dict[str, Value]) -> Value:
        name = line.name()
        if name not in values:
            line.fail(f"{name} is not defined")
        return values[name]

    def node(self, line: _Line, graph: Graph, values: dict[str, Value], indent: int) -> None:
        definitions: list[tuple[str, ValueType]] = []

        def define() -> tuple[str, ValueType]:
            name = line.name()
            line.expect(":")
            return name, line.type()

        if ("mark", "=") in line.tokens and line.tokens[1] == ("mark", ":"):
            definitions = line.many(define, "=")
            line.expect("=")
        word = line.take("name")
        types = tuple(kind for _, kind in definitions)
        attrs: dict[str, Any] = {}
        if word == "call":
            line.expect("@")
            attrs["function"] = line.word()
        line.expect("(")
        inputs: list[Value] = []
        if word == "constant":
            self.constant(line, attrs, types)
        elif word == "placeholder":
            attrs["type"] = types[0] if types else line.fail("a placeholder has a type")
        else:
            self.arguments(line, word, values, inputs, attrs)
        line.expect(")")
        line.expect("")
        try:
            op = get(word)
        except UnimplementedError as error:
            line.fail(str(error))
        node = graph.add_node(op, inputs, attrs, types, (), line.location)
        node.regions = self.regions(node.inputs, indent + 2)
        for (name, _), value in zip(definitions, node.outputs, strict=True):
            value.name = _user_name(name)
            values[name] = value

    @staticmethod
    def constant(line: _Line, attrs: dict[str, Any], types: tuple[ValueType, ...]) -> None:
        if len(types) != 1 or not isinstance(types[0], TensorType):
            line.fail("a constant has one type")
        if line.accept("value"):
            line.expect("=")
            attrs["value"] = line.literal()
        else:
            attrs["value"] = line.payload(types[0])
        attrs["type"] = types[0]

    def arguments(
        self, line: _Line, word: str, values: dict[str, Value], inputs: list[Value], attrs: dict[str, Any]
    ) -> None:
        """Operands, a semicolon before the invariants, attributes."""
        carried: int | None = None

        def read() -> None:
            nonlocal carried
            following = line.tokens[line.at + 1] if line.at + 1 < len(line.tokens) else _END
            if following == ("mark", "="):
                name = line.take("name")
                line.expect("=")
                attrs[name] = line.literal()
                return
            inputs.append(self.value(line, values))
            if line.accept(";"):
                carried = len(inputs)
                line.at -= 1  # the semicolon stands for a comma
                line.tokens[line.at] = ("mark", ",")

        if line.accept(";"):
            carried = 0
        line.many(read, ")")
        if word in ("while_loop", "for_loop"):
            attrs["carried"] = (len(inputs) if carried is None else carried) - (word == "for_loop")

    def regions(self, inputs: list[Value], indent: int) -> list[Graph]:
        found: list[Graph] = []
        while (line := self.next(indent)) is not None:
            line.name()
            region = Graph(functions=self.functions)
            count = self.count_inputs(line)
            passed = tuple(v.type for v in inputs[len(inputs) - count :]) if count <= len(inputs) else ()
            values = self.inputs(line, region, passed)
            self.body(region, values, line, indent + 2)
            found.append(region)
        return found

    @staticmethod
    def count_inputs(line: _Line) -> int:
        """How many inputs a region's header lists (commas outside brackets)."""
        depth = commas = 0
        for kind, text in line.tokens[1:]:
            if kind == "mark":
                depth += (text in "([<") - (text in ")]>")
                commas += text == "," and depth == 1
        return 0 if len(line.tokens) <= 4 and line.tokens[2][1] == ")" else commas + 1


def _user_name(name: str) -> str | None:
    return None if name.startswith("%") else _SUFFIX.sub("", name)
