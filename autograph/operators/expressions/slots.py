"""Methods of lists and dictionaries, called by name or by their class, and what `operator` has: they do as syntax does.

    xs.__setitem__(0, x); list.append(xs, x); operator.add(xs, ys)    ->    xs[0] = x; xs.append(x); xs + ys

A class derived from one of Python's calls these in its own methods (`super().__setitem__(k, v)`): what they change is noted.
"""

from __future__ import annotations

import builtins
import operator
from collections.abc import Callable
from typing import Any

from autograph.operators.containers.contents import in_place, note_contents
from autograph.operators.containers.sharing import sync
from autograph.operators.expressions.comparisons import eq, gt, gt_e, lt, lt_e, not_eq
from autograph.operators.expressions.membership import in_
from autograph.operators.functions.calls import callee
from autograph.operators.items.items import del_item, get_item, set_item
from autograph.operators.state.dict_places import note_all, note_item, note_order
from autograph.operators.state.stand_ins import STAND_INS, stand_in
from autograph.operators.statements.branches import not_
from runtime.tensor.trace import Trace, current

__all__: list[str] = []


def _contains(x: Any, item: Any) -> Any:
    return in_(item, x)


def _add(a: Any, b: Any) -> Any:
    return a + b


def _mul(a: Any, b: Any) -> Any:
    return a * b


def _iadd(a: Any, b: Any) -> Any:
    a += in_place(a, b)
    return a


def _imul(a: Any, b: Any) -> Any:
    a *= in_place(a, b)
    return a


def _by_name(name: str) -> Callable[..., Any]:
    """A method, as if it were called on its object."""
    return lambda x, *args, **kwargs: callee(getattr(x, name))(*args, **kwargs)


def _of_builtin(f: Any) -> Callable[..., Any]:
    return lambda x: callee(f)(x)


_COMPARING: dict[str, Any] = {"eq": eq, "ne": not_eq, "lt": lt, "le": lt_e, "gt": gt, "ge": gt_e}
_READS: dict[str, Any] = {
    "__getitem__": get_item,
    "__contains__": _contains,
    "__len__": _of_builtin(builtins.len),
    "__iter__": _of_builtin(builtins.iter),
    "__reversed__": _of_builtin(builtins.reversed),
    "__add__": _add,
    "__mul__": _mul,
    "__rmul__": _mul,
} | {f"__{name}__": form for name, form in _COMPARING.items()}
_WRITES: dict[str, Any] = {"__setitem__": set_item, "__delitem__": del_item, "__iadd__": _iadd, "__imul__": _imul}
_CHANGING = ("append", "clear", "extend", "insert", "pop", "popitem", "reverse", "setdefault", "update")
_READING = ("copy", "get", "items", "keys", "values")


def _note_list(trace: Trace, x: Any, args: tuple[Any, ...]) -> None:
    note_contents(trace, x)


def _note_item(trace: Trace, x: Any, args: tuple[Any, ...]) -> None:
    note_item(trace, x, args[0])


def _note_key(trace: Trace, x: Any, args: tuple[Any, ...]) -> None:
    note_item(trace, x, args[0])
    note_order(trace, x)


def _note_all(trace: Trace, x: Any, args: tuple[Any, ...]) -> None:
    if trace.journal:
        note_all(trace, x)
        note_order(trace, x)


def _stand_in(owner: type, name: str, form: Callable[..., Any], note: Any) -> None:
    """Let a method of a class be `form` for its instances; what it writes in those of classes derived from it is noted."""
    original = getattr(owner, name)

    def call(x: Any, /, *args: Any, **kwargs: Any) -> Any:
        if type(x) is owner:
            return form(x, *args, **kwargs)
        trace = current()
        if note is None or trace is None or not isinstance(x, owner):
            return original(x, *args, **kwargs)
        note(trace, x, args)
        result = original(x, *args, **kwargs)
        sync(trace)
        return result

    STAND_INS[original] = call


_NOTES: dict[type, dict[str, Any]] = {dict: {"__setitem__": _note_item, "__delitem__": _note_key}, list: {}}
for _owner, _changed in ((list, _note_list), (dict, _note_all)):
    for _name, _form in (_READS | _WRITES).items():
        if _name in vars(_owner):
            _note = _NOTES[_owner].get(_name, _changed)
            _stand_in(_owner, _name, _form, _note if _name in _WRITES else None)
    for _name in (*_CHANGING, *_READING):
        if _name in vars(_owner):
            _stand_in(_owner, _name, _by_name(_name), _changed if _name in _CHANGING else None)


def _set_item(x: Any, index: Any, value: Any) -> None:
    set_item(x, index, value)


def _count_of(x: Any, item: Any) -> Any:
    return callee(x.count)(item) if type(x) in (list, tuple) else operator.countOf(x, item)


def _index_of(x: Any, item: Any) -> Any:
    return callee(x.index)(item) if type(x) in (list, tuple) else operator.indexOf(x, item)


def _length_hint(x: Any, default: int = 0) -> Any:
    return callee(len)(x) if hasattr(type(x), "__len__") else operator.length_hint(x, default)


_FORMS: dict[str, Any] = {
    "add": _add,
    "concat": _add,
    "contains": _contains,
    "countOf": _count_of,
    "delitem": del_item,
    "getitem": get_item,
    "iadd": _iadd,
    "iconcat": _iadd,
    "imul": _imul,
    "indexOf": _index_of,
    "length_hint": _length_hint,
    "mul": _mul,
    "not_": not_,
    "setitem": _set_item,
    "truth": _of_builtin(bool),
} | _COMPARING
for _name, _form in _FORMS.items():
    stand_in(getattr(operator, _name))(_form)
