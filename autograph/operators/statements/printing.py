"""Text of staged tensors. Formatting one while tracing gives a token; print, assert and raise turn the tokens in their
text into slots of a template that is filled when the graph runs.
"""

from __future__ import annotations

import builtins
import re
import sys
from types import BuiltinMethodType
from typing import Any, NoReturn

from autograph.errors.refusals import refusal
from autograph.load.at_once import JOINING
from autograph.operators.containers.lists import as_list_value, concatenated, dynamic_of, get_slice, length
from autograph.operators.state.plain import NUMBERS
from autograph.operators.state.stand_ins import stand_in
from autograph.operators.statements.list_texts import each_form, list_form, pairs_form
from autograph.operators.statements.rolling import CannotRoll
from autograph.operators.values.choice import choice_of, resolve
from autograph.operators.values.listvalue import ListValue, Splice
from runtime.ir.build import user_location
from runtime.ir.graph import Location, Value
from runtime.ops.registry import get
from runtime.ops.shown import Form
from runtime.tensor import tensor as tensor_module
from runtime.tensor import trace as trace_module
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor, is_staged
from runtime.tensor.trace import STATE, Trace, current
from runtime.typesys.dtypes import as_dtype

__all__ = [
    "TOKEN",
    "StagedText",
    "check_text",
    "emit_print",
    "keys_text",
    "method_of_text",
    "pairs_text",
    "percent",
    "place_of",
    "print_",
    "refuse_text",
    "template_of",
    "text",
    "text_in",
    "text_of",
]

TOKEN = re.compile("\ue000(\\d+)\ue001")


class StagedText(str):
    """A text of which only the run knows all: it can be put into others, printed and raised, not looked into."""

    __slots__ = ()

    def __add__(self, other: str) -> str:
        return StagedText(str.__add__(self, other))

    def __radd__(self, other: str) -> str:
        return StagedText(str.__add__(other, self))

    def __mod__(self, values: Any) -> str:
        return percent(str.__str__(self), values)

    def __rmod__(self, other: str) -> str:
        return percent(other, self)

    def __str__(self) -> str:
        return self

    def __repr__(self) -> str:
        return StagedText(_ESCAPED.sub("\ue000\\1\ue001", str.__repr__(self)))

    def __format__(self, spec: str) -> str:
        return self if not spec else refuse_text("format")

    def __reduce__(self) -> Any:
        return str, (str.__str__(self),)


_ESCAPED = re.compile(r"\\ue000(\d+)\\ue001")
_TEXTS = frozenset("__mul__ __rmul__ format format_map join strip lstrip rstrip".split())
"""What of `str` makes texts without a look at the characters."""
_KEPT = frozenset("__new__ __init__ __getattribute__ __sizeof__ __doc__".split()) | vars(StagedText).keys() | _TEXTS


def _refused(name: str) -> Any:
    what = {"__eq__": "==", "__ne__": "!=", "__hash__": "a key", "__contains__": "in"}.get(name, name)

    def method(self: str, *_: Any, **__: Any) -> Any:
        refuse_text(what)

    return method


def _joining(name: str) -> Any:
    plain = getattr(str, name)

    def method(self: str, *args: Any, **keywords: Any) -> str:
        return text(plain(self, *args, **keywords))

    return method


for _name in vars(str).keys() - _KEPT:
    setattr(StagedText, _name, _refused(_name))
for _name in _TEXTS:
    setattr(StagedText, _name, _joining(_name))


def text(made: str) -> str:
    """A text put together of several parts: one that is not looked into, if one of them is known only to the run."""
    trace = STATE.trace
    if trace is None or "texts" not in trace.notes or TOKEN.search(made) is None:
        return made
    return StagedText(made)


def method_of_text(method: Any, *args: Any, **keywords: Any) -> Any:
    """What a method of a plain text gives: `format` and `join` take texts of tensors into another, others look into them."""
    if method.__name__ in JOINING:
        return text(method(*args, **keywords))
    for given in args:
        if type(given) is StagedText or (type(given) is tuple and any(type(part) is StagedText for part in given)):
            refuse_text(method.__name__)
    return method(*args, **keywords)


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
    if not any(is_staged(x) for x in (given.values() if type(given) is dict else given)):
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
        if known and kind == "r" and is_staged(given[key]):
            given[key] = text_of(given[key])
            return f"{found[0][:-1]}s"
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


_CONVERSION = re.compile(r"%(?:\((.*?)\))?([-+ 0#]*)(\*|\d*)(\.(?:\*|\d*))?[hlL]?(.)")
_PADDED = re.compile(r"%(\(.*?\))?[-+ 0#]*[*0-9.][*0-9.]*[sra]")


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
    return _slot(trace, trace.operand(tensor), spec)


def _slot(trace: Trace, value: Value, spec: Any) -> str:
    slots = trace.notes.get("texts")
    if slots is None:
        slots = trace.notes["texts"] = []
        trace_module.unusual(trace)
        for f in [f for f in trace.calls if type(f) is BuiltinMethodType]:  # what is called for them is another thing now
            del trace.calls[f]
    slots.append((value, spec, user_location()))
    return StagedText(f"\ue000{len(slots) - 1}\ue001")


tensor_module.text_hook = _token


def _repr_token(tensor: Tensor) -> str:
    """The text that converted code asks for by `repr`; who looks at the trace (a debugger, a log) gets the type."""
    frame = sys._getframe(2)
    trace = STATE.trace
    if trace is not None and ("ag__" in frame.f_code.co_freevars or frame.f_code in _FORMATTING):
        return _slot(trace, trace.operand(tensor), "")
    return f"<Tensor staged {tensor.type}>"


_FORMATTING = frozenset(f.__code__ for f in (text, method_of_text, percent))
tensor_module.repr_hook = _repr_token


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
    """The text with tokens that a value is, or holds; None where it does not."""
    if isinstance(x, str):
        return x if TOKEN.search(x) is not None else None
    if isinstance(x, (list, tuple)):
        return next(filter(None, map(text_in, x)), None)
    if isinstance(x, dict):
        return text_in([*x, *x.values()])
    return None


def place_of(text: str) -> Location | None:
    """Where in the user's code the first token of a text was made."""
    found, trace = TOKEN.search(text), STATE.trace
    place: Location | None = None if found is None or trace is None else trace.notes["texts"][int(found[1])][2]
    return place


def text_of(x: Any) -> str:
    """The text of a value, with tokens for what is staged in it."""
    if choice_of(x) is not None:
        x = resolve(x)
    trace = STATE.trace
    if type(x) is Tensor and is_staged(x) and trace is not None:
        return _slot(trace, trace.operand(x), "")
    dynamic = dynamic_of(x)
    if dynamic is not None:
        return _list_text(dynamic)
    if type(x) is list:
        return f"[{', '.join(map(_item_text, x))}]"
    if type(x) is tuple:
        return f"({', '.join(map(_item_text, x))}{',' if len(x) == 1 else ''})"
    if type(x) is dict:
        return f"{{{', '.join(f'{k!r}: {_item_text(v)}' for k, v in x.items())}}}"
    return str(x)


def _item_text(x: Any) -> str:
    return text_of(x) if isinstance(x, (list, tuple, dict, Tensor)) or choice_of(x) is not None else repr(x)


def _list_text(value: ListValue, before: str = "[", after: str = "]") -> str:
    return _shown(list_form(value, before, after), value.values)


def _shown(form: Form, values: list[Value]) -> str:
    trace = STATE.trace
    assert trace is not None
    return _slot(trace, trace.builder.emit(get("pack_record"), values, {}).outputs[0], form)


def keys_text(items: list[Any], before: str, after: str) -> str:
    """The text of what has a list of keys."""
    dynamic = dynamic_of(items)
    return f"{before}{', '.join(map(_item_text, items))}{after}" if dynamic is None else _list_text(dynamic, before, after)


def pairs_text(keys: list[Any], values: list[Any], before: str, after: str) -> str:
    """The text of what has a list of keys and one of values."""
    if dynamic_of(keys) is None and dynamic_of(values) is None:
        pairs = zip(keys, values, strict=True)
        return text(f"{before}{', '.join(f'{_item_text(k)}: {_item_text(v)}' for k, v in pairs)}{after}")
    a, b = as_list_value(keys), as_list_value(values)
    return _shown(pairs_form(a, b, before, after), [*a.values, *b.values])


def _splice_text(splice: Splice) -> str:
    """The text of the items that a splice stands for: Python puts it between those of the list's others."""
    trace = STATE.trace
    if trace is None:
        return "<content known at run time>"
    value = splice.value
    if "sharing" in trace.notes:
        for owner in trace.notes["sharing"].owners_of(splice):
            if len(owner) > 1:
                refuse_text("of a list whose elements may have changed")
            value = dynamic_of(owner) or value
    return _list_text(value, "", "")


Splice.__repr__ = _splice_text  # type: ignore[method-assign]


def print_(*args: Any, sep: str | None = None, end: str | None = None, file: Any = None, flush: bool = False) -> None:
    """`print`, staged in program order: while a function is traced, every print becomes part of the graph."""
    trace = STATE.trace
    stream = sys.stdout if file is None else file
    if trace is None or not any(stream is s for s in (sys.stdout, sys.stderr)):
        builtins.print(*args, sep=sep, end=end, file=file, flush=flush)
        return
    if not any(stream is s for s in trace.streams) and trace.builder.region.parent is None and not _shows_staged(args):
        # Redirected while the function is traced: whoever did it waits for the text, and takes it from no later run.
        builtins.print(*args, sep=sep, end=end, file=file, flush=flush)
        return
    between = " " if sep is None else sep
    unknown = any(type(x) is Splice for x in args)
    text = (_joined(args, between) if unknown else between.join(map(text_of, args))) + ("\n" if end is None else end)
    emit_print(trace, text, "stderr" if file is not None and file is sys.stderr else "stdout")


def _joined(args: tuple[Any, ...], between: str) -> str:
    """The texts of arguments, among them the items of lists of which only the run knows how many there are."""
    parts: list[str] = []
    first = next((i for i, x in enumerate(args) if type(x) is not Splice), None)
    if first is None:  # nothing is surely there: they are one list
        value = args[0].value
        for x in args[1:]:
            value = concatenated(value, x.value)
        count = length(value)
        head = get_slice(value, slice(None, op.minimum(count, 1)))
        tail = get_slice(value, slice(op.minimum(count, 1), None))
        return _each(head, "", "") + _each(tail, between, "")
    for i, x in enumerate(args):
        if type(x) is Splice:
            parts.append(_each(x.value, between if i > first else "", "" if i > first else between))
        else:
            parts.append((between if i > first else "") + text_of(x))
    return "".join(parts)


def _each(value: ListValue, before: str, after: str) -> str:
    return _shown(each_form(value, before, after), value.values)


@stand_in(builtins.repr)
def _repr(x: Any) -> str:
    """`repr`: of what is staged, a text that the run puts together."""
    if STATE.trace is None or not (isinstance(x, (list, tuple, dict, Tensor)) or choice_of(x) is not None):
        return repr(x)
    return text(text_of(x)) if type(x) in (list, tuple, dict) or choice_of(x) is not None or is_staged(x) else repr(x)


def _shows_staged(args: tuple[Any, ...]) -> bool:
    return any(TOKEN.search(text_of(x)) for x in args)


def emit_print(trace: Trace, text: str, stream: str) -> None:
    """A node that prints a text with tokens."""
    template, values = template_of(text)
    trace.builder.emit(get("print_"), values, {"template": template, "stream": stream}, ())
