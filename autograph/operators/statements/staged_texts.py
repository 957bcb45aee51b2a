"""Texts of which only the run knows all: Python strings with a token for each tensor in them.

A token stands for a slot, the value of a tensor in some format. `print`, `assert` and `raise` fill the slots when the graph
runs. Where a text is looked into, carried out of a branch or compared, it becomes a string of the graph:

    f"n = {n}"            "n = \ue0000\ue001"                       text(n, template)
    f"n = {n}".upper()    "\ue0001\ue001"                           text_call(text(n, template), call="upper")
"""

from __future__ import annotations

import re
import sys
from functools import partial
from types import BuiltinMethodType
from typing import Any, NoReturn

from autograph.errors.refusals import refusal
from autograph.load.at_once import JOINING
from autograph.operators.containers.lists import as_list_value, dynamic_of
from autograph.operators.state.plain import NUMBERS
from autograph.operators.state.stand_ins import STAND_INS
from autograph.operators.statements.iterables import OverList, StagedIterable
from autograph.operators.statements.rolling import CannotRoll
from autograph.operators.values import packing
from autograph.operators.values.choice import is_mixed
from autograph.operators.values.descriptors import TEXT, OneOf, Sequence, Words, is_text
from autograph.operators.values.listvalue import ListValue, RunTuple, list_of, new_list
from runtime.ir.build import user_location
from runtime.ir.graph import Location, Value
from runtime.ops.registry import get
from runtime.ops.strings import CALLS
from runtime.tensor import dispatch
from runtime.tensor import tensor as tensor_module
from runtime.tensor import trace as trace_module
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor, is_staged
from runtime.tensor.trace import STATE, Trace, current
from runtime.typesys.dtypes import as_dtype
from runtime.typesys.late import pattern

__all__ = [
    "FORMATTING",
    "TOKEN",
    "StagedText",
    "call_of_text",
    "check_text",
    "method_of_text",
    "percent",
    "place_of",
    "refuse_text",
    "slot",
    "staged_text",
    "template_of",
    "text",
    "text_in",
]

TOKEN = pattern("\ue000(\\d+)\ue001")


class StagedText(str):
    """A text of which only the run knows all."""

    __slots__ = ()

    def __add__(self, other: Any) -> Any:
        return StagedText(str.__add__(self, other)) if isinstance(other, str) else NotImplemented

    def __radd__(self, other: Any) -> Any:
        return StagedText(str.__add__(other, self)) if isinstance(other, str) else NotImplemented

    def __mul__(self, count: Any) -> Any:
        return StagedText(str.__mul__(self, count)) if type(count) is int else call_of_text("mul", self, count)

    __rmul__ = __mul__

    def __mod__(self, values: Any) -> str:
        return percent(str.__str__(self), values)

    def __rmod__(self, other: str) -> str:
        return percent(other, self)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return call_of_text("slice", self, index.start, index.stop, index.step)
        return call_of_text("item", self, index)

    def __str__(self) -> str:
        return self

    def __repr__(self) -> str:
        return StagedText(_ESCAPED.sub("\ue000\\1\ue001", str.__repr__(self)))

    def __format__(self, spec: str) -> str:
        trace = STATE.trace
        return slot(trace, self.__staged_text__(), spec) if spec and trace is not None else self

    def __staged_text__(self) -> Value:
        """The string, as a value of the graph."""
        trace = STATE.trace
        assert trace is not None
        template, values = template_of(self)
        if template == ((0, ""),) and values[0].type == TEXT:
            return values[0]
        return trace.builder.emit(get("text"), values, {"template": template}).outputs[0]

    def __staged_bool__(self) -> Any:
        return call_of_text("truth", self)

    def __staged_iterable__(self) -> StagedIterable:
        return OverList(as_list_value(call_of_text("list", self)))

    def __reduce__(self) -> Any:
        return str, (str.__str__(self),)


_ESCAPED = pattern(r"\\ue000(\d+)\\ue001")
_KEPT = frozenset("__new__ __init__ __getattribute__ __sizeof__ __doc__".split()) | vars(StagedText).keys() | JOINING


def _method(name: str, call: str) -> Any:
    def method(self: str, *args: Any, **keywords: Any) -> Any:
        if keywords:
            refuse_text(f"by {name}() with keywords")
        return call_of_text(call, self, *args)

    return method


def _refused(name: str) -> Any:
    def method(self: str, *_: Any, **__: Any) -> Any:
        refuse_text({"__contains__": "in", "__len__": "by len()"}.get(name, name))

    return method


def _hash(self: str) -> int:
    """A key of a dictionary or set: traced again with one that stands for it, else refused."""
    tensor_module.hash_hook()
    refuse_text("a key")


def _joining(name: str) -> Any:
    def method(self: str, *args: Any, **keywords: Any) -> str:
        return method_of_text(getattr(super(StagedText, self), name), *args, **keywords)

    return method


for _name in vars(str).keys() - _KEPT:
    _call = _name.strip("_")
    _looks = _call in CALLS and (not _name.startswith("_") or _call in ("eq", "ne", "lt", "le", "gt", "ge"))
    setattr(StagedText, _name, _method(_name, _call) if _looks else _refused(_name))
StagedText.__hash__ = _hash  # type: ignore[method-assign]
for _name in JOINING:
    setattr(StagedText, _name, _joining(_name))


def call_of_text(call: str, *args: Any) -> Any:
    """What Python's `str` gives, under a name of `CALLS`, when the graph runs: a text, list, number or truth."""
    trace = STATE.trace
    if trace is None:
        refuse_text(call)
    inputs: list[Value] = []
    arguments: list[tuple[Any, int | None]] = []
    for x in args:
        value = _input(trace, x, call)
        arguments.append((x, None) if value is None else (None, len(inputs)))
        if value is not None:
            inputs.append(value)
    attrs = {"call": call, "arguments": tuple(arguments)}
    out = trace.builder.emit(get("text_call"), inputs, attrs).outputs[0]
    result = CALLS[call][1]
    if result == "text":
        return slot(trace, out, "")
    return new_list(ListValue(Words(), [out])) if result == "texts" else Tensor(out)


dispatch.repeated[str] = partial(call_of_text, "mul")


def _input(trace: Trace, x: Any, call: str) -> Value | None:
    """The value of an argument that only the run knows; None for one that is known."""
    if type(x) is StagedText:
        return x.__staged_text__()
    if is_staged(x):
        return trace.operand(x)
    content = dynamic_of(x)
    if content is None:
        if type(x) is tuple and any(type(part) is StagedText or is_staged(part) for part in x):
            refuse_text(call)
        return None
    if isinstance(content.element, Words):
        return content.values[0]
    element = content.element
    if element is None or not all(map(is_text, element.alternatives if isinstance(element, OneOf) else [element])):
        refuse_text(call)
    return packing.pack_list(content, Sequence(Words()))[0]


def text(made: str) -> str:
    """A text put together of several parts: one that only the run knows all of, if one of them is."""
    trace = STATE.trace
    if trace is None or "texts" not in trace.notes or TOKEN.search(made) is None:
        return made
    return StagedText(made)


def method_of_text(method: Any, *args: Any, **keywords: Any) -> Any:
    """What a method of a plain text gives, which may be given texts that only the run knows."""
    name = method.__name__
    if name == "join" and len(args) == 1:
        return _join(method, args[0])
    if name in JOINING:
        return text(method(*args, **keywords))
    for given in args:
        if type(given) is StagedText or (type(given) is tuple and any(type(part) is StagedText for part in given)):
            return call_of_text(name, method.__self__, *args) if name in CALLS else refuse_text(name)
    return method(*args, **keywords)


def _join(method: Any, parts: Any) -> Any:
    """`separator.join(parts)`."""
    if STATE.trace is not None and type(parts) not in (str, tuple):
        parts = STAND_INS[list](parts)
        if dynamic_of(parts) is not None:
            return call_of_text("join", method.__self__, parts)
        parts = [str(part) if is_mixed(part) else part for part in parts]
    return text(method(parts))


def percent(form: str, values: Any) -> str:
    """`form % values`, where the text `form` stands in the code."""
    trace = current()
    if trace is not None:
        given = NUMBERS.issuperset(map(type, values)) if type(values) is tuple else type(values) in NUMBERS
        if given and type(form) is str and "texts" not in trace.notes:
            return form % values
        form, values = _with_numbers(form, values)
    made = text(form.__mod__(values) if type(values) is StagedText else form % values)
    if type(made) is StagedText and _PADDED.search(form):
        refuse_text("format")
    return made


def _with_numbers(form: str, values: Any) -> tuple[str, Any]:
    """The same with texts in the place of staged numbers: C formats numbers that it has."""
    given = dict(values) if type(values) is dict else list(values) if type(values) is tuple else [values]
    if not any(map(_of_the_run, given.values() if type(given) is dict else given)):
        return form, values
    place = 0

    def replaced(found: re.Match[str]) -> str:
        nonlocal place
        name, flags, width, precision, kind = found.groups()
        if kind == "%":
            return found[0]
        key: Any = place if name is None else name
        place += 1 + (width == "*") + (precision == ".*")
        known = key in given if type(given) is dict else type(key) is int and key < len(given)
        if known and kind in "sr" and "*" not in f"{width}{precision}" and _of_the_run(given[key]):
            shown = given[key] if kind == "s" or is_staged(given[key]) else repr(given[key])
            side = "<" if "-" in flags else ">"
            given[key] = format(str(shown), f"{side}{width}{precision or ''}" if width or precision else "")
            return "%s" if name is None else f"%({name})s"
        if not known or not is_staged(given[key]) or kind in "srac" or "*" in f"{width}{precision}":
            return found[0]
        number = given[key]
        if kind in "diu" and not number.dtype.is_integer:
            number = op.cast(number, dtype=as_dtype("int64"))
        sign = "+" if "+" in flags else " " if " " in flags else ""
        fill = "<" if "-" in flags else ""
        zero = "0" if "0" in flags and not fill else ""
        spec = f"{fill}{sign}{'#' if '#' in flags else ''}{zero}{width}{precision or ''}{'d' if kind in 'diu' else kind}"
        if type(given) is dict:
            given[key := f"{key} {spec}"] = format(number, spec)
            return f"%({key})s"
        given[key] = format(number, spec)
        return "%s"

    form = _CONVERSION.sub(replaced, form)
    return form, given if type(given) is dict else tuple(given) if type(values) is tuple else given[0]


def _of_the_run(x: Any) -> bool:
    return type(x) is StagedText or is_staged(x)


_CONVERSION = pattern(r"%(?:\((.*?)\))?([-+ 0#]*)(\*|\d*)(\.(?:\*|\d*))?[hlL]?(.)")
_PADDED = pattern(r"%(\(.*?\))?[-+ 0#]*[*0-9.][*0-9.]*[sra]")


def refuse_text(what: str) -> NoReturn:
    """Refuse to look into a text with tokens."""
    raise refusal("characters-of-tensor", what=what)


def check_text(trace: Trace, text: str, what: str) -> None:
    """Refuse `what` is done with a text if it has tokens."""
    if "texts" in trace.notes and TOKEN.search(text):
        refuse_text(what)


def _token(tensor: Tensor, spec: str) -> str:
    trace = STATE.trace
    if trace is None:
        return f"<Tensor staged {tensor.type}>"
    if sys._getframe(2).f_globals.get("__name__") == "logging":  # it is written now, not when the graph runs
        return repr(tensor)
    if "rolling" in trace.notes and tensor.type.weak:
        raise CannotRoll  # where Python knows the number, it knows the text
    return slot(trace, trace.operand(tensor), spec)


def slot(trace: Trace, value: Value, spec: Any) -> str:
    """The text that is a value of the graph, in a format or (a tuple) form."""
    slots = trace.notes.get("texts")
    if slots is None:
        slots = trace.notes["texts"] = []
        trace_module.unusual(trace)
        for f in [f for f in trace.calls if type(f) is BuiltinMethodType]:  # what is called for them is another thing now
            del trace.calls[f]
    slots.append((value, spec, user_location()))
    return StagedText(f"\ue000{len(slots) - 1}\ue001")


def _text_of_string(value: Value) -> str:
    trace = STATE.trace
    assert trace is not None
    return slot(trace, value, "")


def staged_text(name: str, **attrs: Any) -> str:
    """The text that an operation of a name, without inputs, gives."""
    trace = STATE.trace
    assert trace is not None
    return slot(trace, trace.builder.emit(get(name), [], attrs).outputs[0], "")


def _repr_token(tensor: Tensor) -> str:
    """The text that converted code asks for by `repr`; who looks at the trace (a debugger, a log) gets the type."""
    frame = sys._getframe(2)
    trace = STATE.trace
    if trace is not None and ("ag__" in frame.f_code.co_freevars or frame.f_code in FORMATTING):
        return slot(trace, trace.operand(tensor), "")
    return f"<Tensor staged {tensor.type}>"


FORMATTING = {f.__code__ for f in (text, method_of_text, percent)}
"""Who asks for the text of what Python's own methods show, tensors in it among others."""
tensor_module.text_hook = _token
tensor_module.repr_hook = _repr_token
packing.text_hook = _text_of_string


def template_of(text: str) -> tuple[tuple[Any, ...], list[Value]]:
    """Text with tokens as a template: a tuple of strings and (slot number, format spec), and the values of the slots."""
    trace = STATE.trace
    parts: list[Any] = []
    values: list[Value] = []
    pieces = TOKEN.split(text)
    for i, piece in enumerate(pieces):
        if i % 2 == 0:
            if piece:
                parts.append(piece)
            continue
        assert trace is not None
        value, spec, _ = trace.notes["texts"][int(piece)]
        parts.append((len(values), spec))
        values.append(value)
    return tuple(parts), values


def text_in(x: Any) -> str | None:
    """The text with tokens that a value is, or holds, without being known for one; None where it does not."""
    if isinstance(x, str):
        return x if type(x) is not StagedText and TOKEN.search(x) is not None else None
    if isinstance(x, (list, tuple)):
        return next(filter(None, map(text_in, list_of(x) if type(x) is RunTuple else x)), None)
    if isinstance(x, dict):
        return text_in([*x, *x.values()])
    return None


def place_of(text: str) -> Location | None:
    """Where in the user's code the first token of a text was made."""
    found, trace = TOKEN.search(text), STATE.trace
    place: Location | None = None if found is None or trace is None else trace.notes["texts"][int(found[1])][2]
    return place
