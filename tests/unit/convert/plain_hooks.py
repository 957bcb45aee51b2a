"""Hooks with Python's own meaning: a function converted with these must behave as the original."""

import builtins
import functools
import operator
from itertools import chain
from types import CellType, FunctionType, MethodType
from typing import Any

from autograph.operators.state.plain import TRUTHS as TRUTHS
from autograph.operators.statements.matching import (  # noqa: F401  they are Python's own meaning
    match_argument,
    match_class,
    match_mapping,
    match_rest,
    match_sequence,
    match_star,
)
from autograph.operators.values import quick

slice = builtins.slice
local = object
undefined = None
truth_of = bool

_INPLACE = {
    "+=": operator.iadd, "-=": operator.isub, "*=": operator.imul, "/=": operator.itruediv,
    "//=": operator.ifloordiv, "%=": operator.imod, "**=": operator.ipow, "@=": operator.imatmul,
    "&=": operator.iand, "|=": operator.ior, "^=": operator.ixor, "<<=": operator.ilshift,
    ">>=": operator.irshift,
}  # fmt: skip


def callee(f: Any) -> Any:
    return f


def if_stmt(test: Any, body: Any, orelse: Any, names: Any) -> None:
    assert set(names) <= _writable(body) | (_writable(orelse) if orelse else set())
    if test:
        body()
    elif orelse is not None:
        orelse()


def while_stmt(test: Any, body: Any, names: Any) -> None:
    assert set(names) <= _writable(body) | _writable(test)
    while test():
        body()


def for_stmt(iterable: Any, body: Any, names: Any, go_on: Any = None) -> None:
    assert set(names) <= _writable(body)
    for item in iterable:
        body(item)
        if go_on is not None and not go_on():
            break


def _writable(body: FunctionType) -> set[str]:
    """The names a body shares with its function (the unbound cells too) or takes from its module."""
    cells: tuple[CellType, ...] = body.__closure__ or ()
    assert len(cells) == len(body.__code__.co_freevars)
    return set(body.__code__.co_freevars) | set(body.__code__.co_names)


def if_exp(test: Any, yes: Any, no: Any) -> Any:
    return yes() if test else no()


def and_(value: Any, *later: Any) -> Any:
    for operand in later:
        if not value:
            return value
        value = operand()
    return value


def or_(value: Any, *later: Any) -> Any:
    for operand in later:
        if value:
            return value
        value = operand()
    return value


not_ = operator.not_
is_ = operator.is_
is_not = operator.is_not


def in_(a: Any, b: Any) -> bool:
    return a in b


def not_in(a: Any, b: Any) -> bool:
    return a not in b


def unpack(x: Any, before: int, after: int | None = None) -> Any:
    return x


def spread(x: Any, function: Any = None, before: int = 0) -> Any:
    return x


def joined(x: Any) -> Any:
    return x


def text(made: str) -> str:
    return made


def percent(form: str, values: Any) -> str:
    return form % values


def try_stmt(body: Any, handlers: Any, orelse: Any, names: Any) -> None:
    try:
        body()
    except BaseException as error:
        for kind, handler in handlers:
            if isinstance(error, kind()):
                handler(error)
                return
        raise
    if orelse is not None:
        orelse()


eq = operator.eq
not_eq = operator.ne
lt, lt_e, gt, gt_e = operator.lt, operator.le, operator.gt, operator.ge



def get_item(x, *indices):
    return functools.reduce(operator.getitem, indices, x)


del_item = operator.delitem
set_attr = setattr
del_attr = delattr


def _place(x: Any, indices: Any) -> Any:
    for index in indices:
        x = x[index]
    return x


def node(x: Any) -> Any:
    return x


def dict_of(*pairs: Any) -> dict[Any, Any]:
    return {k: v for part in pairs for k, v in (part[0].items() if len(part) == 1 else [part])}


def set_of(*items: Any) -> set[Any]:
    return set(items)


def set_item(x: Any, *rest: Any) -> None:
    *outer, index, value = rest
    _place(x, outer)[index] = value


def aug_item(x: Any, *rest: Any) -> None:
    *outer, index, op, value = rest
    place = _place(x, outer)
    place[index] = _INPLACE[op](place[index], value)


def in_place(x: Any, value: Any) -> Any:
    return value


def aug_attr(o: Any, name: str, op: str, value: Any) -> None:
    setattr(o, name, _INPLACE[op](getattr(o, name), value))


def assert_stmt(test: Any, message: Any = None) -> None:
    if not test:
        raise AssertionError(*([message()] if message else []))


def unused(value: Any) -> Any:
    return value


def raised(error: Any, *cause: Any) -> Any:
    """What `raise error` raises, and `raise error from cause`."""
    try:
        if cause:
            raise error from cause[0]
        return error
    except BaseException as made:  # noqa: BLE001
        return made


def _steps(element: Any, iterable: Any, condition: Any) -> Any:
    return (element(item) for item in iterable if condition is None or condition(item))


def list_comp(element: Any, iterable: Any, condition: Any = None, flat: bool = False) -> list[Any]:
    steps = _steps(element, iterable, condition)
    return [*chain.from_iterable(steps)] if flat else [*steps]


def set_comp(element: Any, iterable: Any, condition: Any = None, flat: bool = False) -> set[Any]:
    return set(list_comp(element, iterable, condition, flat))


def dict_comp(element: Any, iterable: Any, condition: Any = None, flat: bool = False) -> dict[Any, Any]:
    return dict(list_comp(element, iterable, condition, flat))


def generator_exp(element: Any, iterable: Any, condition: Any = None, flat: bool = False) -> Any:
    steps = _steps(element, iter(iterable), condition)
    return chain.from_iterable(steps) if flat else steps


kind = type
globals().update({name: getattr(builtins, name) for name in quick.OWN_NAMES})  # what generated code compares names with
ALTERNATIVES = FRESH = HOLDERS = INDEXED = INDICES = KEYS = frozenset[Any]()
METHODS = NUMBERS = POSING = READ = RESTS = ROWS = STANDING_IN = born = met = noted = frozenset[Any]()
METHOD = MethodType
at_once: dict[int, Any] = {}
watched: dict[int, Any] = {}
calm = False


def owned(x: Any) -> Any:
    return x


def passing(x: Any) -> bool:
    return True


def row(x: Any, tested: bool = False) -> Any:
    """What a `for` statement goes over."""
    return iter(x) if tested else x


turns = row


def ask(test: Any) -> bool:
    """The truth of a loop's test."""
    return bool(test())
