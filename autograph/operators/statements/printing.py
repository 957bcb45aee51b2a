"""print, and the texts of values with staged tensors in them: tokens stand for those (see `staged_texts`)."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable
from typing import Any

from autograph.operators.containers.leaving_rows import opened
from autograph.operators.containers.lists import as_list_value, concatenated, dynamic_of, get_slice, length
from autograph.operators.state.places import UNBOUND
from autograph.operators.state.stand_ins import stand_in
from autograph.operators.statements.list_texts import (
    choice_form,
    each_form,
    list_form,
    pairs_form,
    tuple_form,
)
from autograph.operators.statements.rolling import CannotRoll
from autograph.operators.statements.staged_texts import (
    FORMATTING,
    TOKEN,
    call_of_text,
    refuse_text,
    slot,
    template_of,
    text,
)
from autograph.operators.values import choice as choice_module
from autograph.operators.values.choice import Choice, choice_of, require_bound, select_any
from autograph.operators.values.descriptors import (
    Descriptor,
    OneOf,
    Sequence,
    Static,
    Struct,
    Words,
    describe,
)
from autograph.operators.values.listvalue import ListValue, RunTuple, Splice, new_list
from autograph.operators.values.packing import mapped, pack
from autograph.operators.values.specials import leads_to_tensor
from runtime.ir.graph import Value
from runtime.ops.registry import get
from runtime.ops.shown import Form
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor, is_staged
from runtime.tensor.trace import STATE, Trace

__all__ = ["emit_print", "keys_text", "pairs_text", "print_", "text_of"]

def text_of(x: Any) -> str:
    """The text of a value, with tokens for what is staged in it."""
    choice = choice_of(x)
    if choice is not None:
        return _choice_text(choice, str)
    trace = STATE.trace
    if type(x) is Tensor and is_staged(x) and trace is not None:
        return slot(trace, trace.operand(x), "")
    dynamic = dynamic_of(x)
    if dynamic is not None:
        if type(x) is RunTuple:
            value = opened(dynamic)
            return _shown(tuple_form(value), value.values)
        return _list_text(opened(dynamic))
    if type(x) in _CONTAINERS and (trace is None or ("lists" not in trace.notes and not leads_to_tensor([x]))):
        return repr(x)  # it may hold itself
    if type(x) is list:
        return f"[{', '.join(map(_item_text, x))}]"
    if type(x) is tuple:
        return f"({', '.join(map(_item_text, x))}{',' if len(x) == 1 else ''})"
    if type(x) is dict:
        return f"{{{', '.join(f'{k!r}: {_item_text(v)}' for k, v in x.items())}}}"
    return str(x)


_CONTAINERS = (list, tuple, dict)


def _item_text(x: Any) -> str:
    choice = choice_of(x)
    if choice is not None:
        return _choice_text(choice, repr)
    return text_of(x) if isinstance(x, (list, tuple, dict, Tensor)) else repr(x)


def _choice_text(choice: Choice, show: Callable[[Any], str], spec: str = "") -> str:
    """The text of the alternative taken; `show` gives that of one known while tracing."""
    bound = require_bound(choice)
    if len(bound) == 1:
        return show(bound[0][1])
    trace = STATE.trace
    if trace is not None and "rolling" in trace.notes and any(isinstance(x, Tensor) and x.type.weak for _, x in bound):
        raise CannotRoll
    d = describe(choice)
    assert isinstance(d, OneOf)
    if any(map(_shows_itself, d.alternatives)):
        made = select_any(choice, lambda value: text(show(value)))  # objects have their own
        return made if isinstance(made, str) else _choice_text(made, str)
    return _shown(choice_form(d, show, spec), pack(choice, d))


def _shows_itself(d: Descriptor) -> bool:
    """Whether an alternative is an object whose own method says what its text is, maybe with tensors in it."""
    if isinstance(d, Static):
        return type(d.value).__module__ != "builtins" and d.value is not UNBOUND
    return isinstance(d, Struct) and d.kind not in _CONTAINERS and not issubclass(d.kind, tuple)


choice_module.text_hook = _choice_text


def _list_text(value: ListValue, before: str = "[", after: str = "]") -> str:
    return _shown(list_form(value, before, after), value.values)


def _shown(form: Form, values: list[Value]) -> str:
    trace = STATE.trace
    assert trace is not None
    return slot(trace, trace.builder.emit(get("pack_record"), values, {}).outputs[0], form)


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


def _tuple_text(x: RunTuple) -> str:
    return "<tuple known at run time>" if STATE.trace is None else text_of(x)


Splice.__repr__ = _splice_text  # type: ignore[method-assign]
RunTuple.__repr__ = _tuple_text  # type: ignore[method-assign]


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
    between = _given(sep, " ")
    unknown = any(type(x) is Splice for x in args)
    text = (_joined(args, between) if unknown else between.join(map(text_of, args))) + _given(end, "\n")
    emit_print(trace, text, "stderr" if file is not None and file is sys.stderr else "stdout")


def _given(text: Any, usual: str) -> str:
    """What stands between or after the arguments; the graph may choose it."""
    choice = choice_of(text)
    if choice is not None:
        return text_of(select_any(choice, lambda one: usual if one is None else one))
    return usual if text is None else text


def _joined(args: tuple[Any, ...], between: str) -> str:
    """The texts of arguments, among them the items of lists of which only the run knows how many there are."""
    if TOKEN.search(between):
        return _joined_by_run(args, between)
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


def _joined_by_run(args: tuple[Any, ...], between: str) -> str:
    """The same where only the run knows what stands between them: it joins a list of texts."""
    words = Sequence(Words())
    texts: Any = []
    for x in args:
        if type(x) is not Splice:
            more = as_list_value([text(text_of(x))])
        elif x.value.element is None:
            continue
        else:
            more = ListValue(words.element, mapped(x.value, words, lambda item: text(text_of(item))))
        texts = concatenated(texts, more)
    made: str = call_of_text("join", between, new_list(texts))
    return made


def _each(value: ListValue, before: str, after: str) -> str:
    return _shown(each_form(value, before, after), value.values)


@stand_in(builtins.str)
def _str(*args: Any, **keywords: Any) -> str:
    """`str`: what an object's own method says may have tensors in it."""
    return text(str(*args, **keywords))


@stand_in(builtins.repr)
def _repr(x: Any) -> str:
    """`repr`: of what is staged, a text that the run puts together."""
    if STATE.trace is None:
        return repr(x)
    choice = choice_of(x)
    if choice is not None:
        return _choice_text(choice, repr)
    return text(text_of(x) if type(x) in _CONTAINERS or is_staged(x) else repr(x))


FORMATTING.update(f.__code__ for f in (text_of, _item_text, _str, _repr))  # an exception with tensors among its arguments


def _shows_staged(args: tuple[Any, ...]) -> bool:
    return any(TOKEN.search(text_of(x)) for x in args)


def emit_print(trace: Trace, text: str, stream: str) -> None:
    """A node that prints a text with tokens."""
    template, values = template_of(text)
    trace.builder.emit(get("print_"), values, {"template": template, "stream": stream}, ())
