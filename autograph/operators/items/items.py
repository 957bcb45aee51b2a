"""Subscripts in converted code: x[i], x[i] = v, x[i] += v, and deleting them.

Writes to Python objects are noted in the journal, so that a staged region's effect on them is seen and carried.
"""

from __future__ import annotations

import functools
import operator
from array import array
from builtins import len  # what another module makes of the name is nothing to the hooks
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import MutableMapping
from typing import Any

from numpy import ndarray

from autograph.errors.refusals import refusal
from autograph.operators.containers import list_methods
from autograph.operators.containers.contents import in_place, note_contents, note_within
from autograph.operators.containers.counterparts import counted, placed, sliced, taken
from autograph.operators.containers.held import changeable_parts, may_change
from autograph.operators.containers.like_rows import PLACES, item_of_row, store_in_row, table_of
from autograph.operators.containers.list_methods import ListMethod
from autograph.operators.containers.lists import (
    as_list_value,
    concatenated,
    demanded,
    dynamic_of,
    get_element,
    get_slice,
    length,
    make_dynamic,
    note_list,
    put_content,
    scalar_index,
    set_element,
    stacked,
)
from autograph.operators.containers.relations import Detached
from autograph.operators.containers.sharing import sharing_of, sync
from autograph.operators.functions import keyed
from autograph.operators.functions.array_functions import JOINERS, joined
from autograph.operators.functions.calls import special
from autograph.operators.functions.python_forms import holds_staged
from autograph.operators.items.for_loops import for_stmt
from autograph.operators.items.maybe_keys import present
from autograph.operators.state.aliases import followed_no_further, write_through
from autograph.operators.state.dict_places import note_item, note_order
from autograph.operators.state.places import UNBOUND
from autograph.operators.state.plain import NUMBERS, PLAIN
from autograph.operators.state.plain_arrays import check_write
from autograph.operators.state.regions import current_trace
from autograph.operators.statements.asserts import raised
from autograph.operators.statements.branches import if_exp, if_stmt, staged_cond
from autograph.operators.statements.iterables import StagedRange, StagedZip, any_iterable, item_of_range
from autograph.operators.statements.rolling import CannotRoll
from autograph.operators.statements.staged_texts import StagedText, check_text
from autograph.operators.values import quick
from autograph.operators.values.choice import (
    CHOICES,
    Choice,
    MaybeTensor,
    bound,
    choice_of,
    is_mixed,
    resolve,
    select,
    select_of,
    without_unbound,
)
from autograph.operators.values.listvalue import ListValue, RunTuple, list_of, new_list, run_tuple
from autograph.operators.values.maybe import is_maybe
from autograph.operators.values.quick import is_object, meet_tuple
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import STATE, current

__all__ = ["aug_item", "del_item", "get_item", "set_item", "updated"]

_IN_PLACE: dict[str, Any] = {
    "+=": operator.iadd,
    "-=": operator.isub,
    "*=": operator.imul,
    "/=": operator.itruediv,
    "//=": operator.ifloordiv,
    "%=": operator.imod,
    "**=": operator.ipow,
    "@=": operator.imatmul,
    "&=": operator.iand,
    "|=": operator.ior,
    "^=": operator.ixor,
    "<<=": operator.ilshift,
    ">>=": operator.irshift,
}
_PLAINLY: dict[str, Any] = {sign: getattr(operator, f.__name__[1:], None) for sign, f in _IN_PLACE.items()}
_PLAINLY |= {"&=": operator.and_, "|=": operator.or_}


def get_item(x: Any, index: Any, *more: Any) -> Any:
    """`x[index]`; `x[i]...[j]`, given as (x, i, ..., j)."""
    if more:
        return _item_of_item(x, index, *more)
    kind, by = type(x), type(index)
    if by in NUMBERS or (
        by is slice and type(index.start) in NUMBERS and type(index.stop) in NUMBERS and type(index.step) in NUMBERS
    ):
        if kind is list or kind is tuple:
            trace = current()
            if trace is None or "lists" not in trace.notes:
                return x[index]
        elif kind in PLAIN:
            return present(x[index], index) if kind is dict else x[index]
        elif kind is defaultdict:
            value = x.get(index, UNBOUND)
            if value is not UNBOUND and not is_maybe(value):
                return value
            if value is UNBOUND and quick.calm and x.default_factory in _EMPTY:
                return _new_item(x, index)
    elif kind is dict and by is tuple and not keyed.is_key(index):
        return present(x[index], index)
    if by in _OF_PYTHON and (method := quick.method_of(kind, "__getitem__")) is not None:
        return method(x, index)
    return _item(x, index, kind, by)


def _item_of_item(x: Any, index: Any, then: Any, *more: Any) -> Any:
    """`x[index][then]...`: no account is kept of which row it was, where a row holds numbers."""
    table = table_of(current(), x) if type(index) is Tensor and type(then) in PLACES else None
    item = get_item(get_item(x, index), then) if table is None else item_of_row(table, scalar_index(index), then)
    return get_item(item, *more) if more else item


def _item(x: Any, index: Any, kind: type, by: type) -> Any:
    """The same, where it is not Python's alone."""
    if current() is None or (isinstance(x, Tensor) and kind is not MaybeTensor):
        if by is Choice:
            return select(index, lambda taken: get_item(x, taken))
        if by is tuple and Choice in map(type, index):
            k = [*map(type, index)].index(Choice)
            return select(index[k], lambda taken: get_item(x, (*index[:k], taken, *index[k + 1 :])))
        return x[index if by in NUMBERS else _in_numbers(index)]  # type: ignore[index]
    if by in _OF_PYTHON and is_object(kind):
        method = special(x, "__getitem__")
        return x[index] if method is None else method(index)
    if by in NUMBERS and meet_tuple(kind):
        return x[index]
    if choice_of(x) is not None:
        return select(x, lambda value: get_item(value, index))
    if type(index) is MaybeTensor or choice_of(index) is not None:
        if type(index) is Choice:
            return _by_choice(x, index)
        index = resolve(index)
    if kind is RunTuple:
        found = get_item(list_of(x), index)
        return run_tuple(found) if isinstance(index, slice) else found
    if type(x) is list or isinstance(x, tuple):
        dynamic = dynamic_of(x)
        if isinstance(index, slice):
            if dynamic is not None or any(isinstance(p, Tensor) for p in (index.start, index.stop, index.step)):
                part = get_slice(as_list_value(x), index)
                if type(x) is not list:
                    return run_tuple(new_list(part))
                made = new_list(part)
                return sliced(current_trace(), made, x, index) if dynamic is not None else made
            return x[index]
        if dynamic is not None:
            return _element_of(x, dynamic, index)
        if isinstance(index, Tensor):
            return _element_of(x, as_list_value(x), scalar_index(index))
        return x[index]
    if type(kind.__module__) is str and kind.__module__.startswith("numpy") and (made := _of_numpy(x, index)) is not None:
        return made
    if isinstance(index, Tensor):
        if isinstance(x, range):
            return item_of_range(x, index)
        if type(x) is StagedText:
            return x[index]
        if isinstance(x, (str, bytes)):
            return get_item(list(x), index)
        if isinstance(x, (dict, MutableMapping)):
            return _dict_by_tensor(x, index)
    x = keyed.readable(x, index)
    if kind is defaultdict and index not in x:
        note_item(current_trace(), x, index)  # which is about to come
    method = special(x, "__getitem__")
    value = x[index] if method is None else method(index)
    if isinstance(x, dict) and type(value) in CHOICES and is_maybe(value):
        return _or_missing(x, index, value)
    return value


def _new_item(x: defaultdict[Any, Any], index: Any) -> Any:
    """`x[index]` of a key that is not there: it is, with an empty container that is changed without a note."""
    trace = current()
    if trace is not None:
        note_item(trace, x, index)
    value = x[index]
    if trace is not None:
        trace.journal.noted.add(id(value))
    return value


_EMPTY = frozenset((list, dict, set))


def _of_numpy(x: Any, index: Any) -> Any:
    """`x[index]` of NumPy's where tensors are in the index: of an array, `np.r_` or `np.c_`; None of anything else."""
    if type(x) in JOINERS:
        items = index if type(index) is tuple else (index,)
        return joined(x, items) if holds_staged(items) else None
    return op.get_item(op.identity(x), _in_numbers(index)) if hasattr(x, "__array_ufunc__") and _has_tensors(index) else None


def _by_choice(x: Any, index: Choice) -> Any:
    """`x[index]` of an index that is another on some paths; KeyError on those where a dictionary does not have it."""
    keys = index._alternatives
    form = special(x, "__getitem__") if type(x) in keyed.OF_FORMS else None
    if form is not None:
        return form(index)
    keyed.grouped(x, index)
    known = type(x) is dict and all(type(key) in PLAIN for key in keys)
    absent = tuple((i, KeyError, key) for i, key in enumerate(keys) if known and key not in x)
    if not absent or len(absent) == len(keys):
        return select(index, lambda taken: get_item(x, taken))
    op.require_alternative(index._tag, index=-1, errors=absent)
    there = [(i, key) for i, key in enumerate(keys) if key in x]
    return select_of(index, there, lambda taken: get_item(x, taken))


def _in_numbers(index: Any) -> Any:
    """An index, or what is put there, with tensors for the lists in it of which only the run knows how long they are."""
    if type(index) is tuple:
        return tuple(map(_in_numbers, index)) if list in map(type, index) else index
    dynamic = dynamic_of(index) if type(index) is list else None
    return index if dynamic is None else stacked(dynamic, rows=True)


def _has_tensors(index: Any) -> bool:
    """Whether an index, or a part or bound of it, is a tensor."""
    if isinstance(index, slice):
        index = index.start, index.stop, index.step
    if dynamic_of(index) is not None:
        return True
    return any(map(_has_tensors, index)) if isinstance(index, (tuple, list)) else isinstance(index, Tensor)


_OF_PYTHON = NUMBERS | {tuple, slice}  # types of indices that stand for nothing else


def _or_missing(x: Any, index: Any, value: Any) -> Any:
    """A value of a `Counter` or `defaultdict`; where its key is not there, what they give for a missing one."""
    missing = getattr(type(x), "__missing__", None)
    if missing is None:
        return present(value, index)
    choice = choice_of(value)
    assert choice is not None
    trace = current_trace()
    absent = op.equal(choice._tag, choice._alternatives.index(UNBOUND))
    note_item(trace, x, index)
    default = missing(x, index)
    made = staged_cond(trace, absent, lambda: default, lambda: without_unbound(value), [])
    if dict.__contains__(x, index):
        x[index] = made if dict.__getitem__(x, index) is default else value
    return made


def _element_of(x: Any, content: ListValue, index: Any) -> Any:
    """`x[index]` of what only the run knows; where it can be changed, that it is the list's is noted."""
    element = get_element(content, index)
    return taken(current_trace(), x, index, element)


def _dict_by_tensor(x: Any, index: Tensor) -> Any:
    """d[k] for a staged k: a comparison with each key."""
    if hasattr(type(x), "__missing__"):
        keyed.ask(x, writes=type(x) is not Counter)  # it has something for keys that are not there
    keys = None if type(x) is Counter else _number_keys(x)
    return get_item(keyed.form_of(x), index) if keys is None else _pick(x, index, keys)


def _number_keys(x: Any) -> list[Any] | None:
    """The keys of a dictionary in which a staged number is looked for; None where not all are numbers."""
    if "rolling" in current_trace().notes:
        raise CannotRoll  # where the number may be Python's, it may be a new key
    keys = [k for k in x if type(k) in (int, float, bool)]
    if len(keys) != len(x) or not keys:
        keyed.ask(x, writes=False)
        return None
    return keys


def _pick(x: Any, index: Tensor, keys: list[Any]) -> Any:
    """The item of the one of `keys` that is `index`."""
    test = op.equal(index, keys[0])
    rest = functools.partial(_pick, x, index, keys[1:]) if len(keys) > 1 else functools.partial(_missing, index)
    return staged_cond(current_trace(), test, lambda: x[keys[0]], rest, [])


def _missing(index: Tensor) -> None:
    raise raised(KeyError(op.to_python(index, kind="int") if index.type.dtype.is_integer else index))


def set_item(base: Any, index: Any, value: Any, *more: Any) -> None:
    """`base[i]...[j] = value`, given as (base, i, ..., j, value): written back along the chain of copies."""
    if not more:
        if type(value) in CHOICES:
            value = bound(value)
        if type(base) is list and type(index) is int:
            trace = current()
            if trace is not None and id(base) in trace.journal.noted:
                base[index] = value
                return
        elif type(base) is dict and type(index) is tuple and NUMBERS.issuperset(map(type, index)):
            trace = current()
            if trace is not None and "sharing" not in trace.notes:
                note_item(trace, base, index)
                base[index] = value
                return
        kind = type(base)
        if type(index) in _OF_PYTHON and (method := quick.method_of(kind, "__setitem__")) is not None:
            method(base, index, value)
            if (trace := current()) is not None and "sharing" in trace.notes:
                sync(trace)
            return
        if type(index) is slice and current() is not None:
            value = list_methods.gathered(value)
        if _is_python(base, index):
            base[index] = value
            trace = current()
            if trace is not None and "sharing" in trace.notes:
                sync(trace)
            return
        is_dict = issubclass(kind, dict) and type(index) in NUMBERS
        if type(index) in _OF_PYTHON and (trace := current()) is not None and (is_object(kind) or is_dict):
            method = special(base, "__setitem__")
            if method is not None:
                method(index, value)
            else:
                if is_dict:
                    note_item(trace, base, index)
                base[index] = value
            if "sharing" in trace.notes:
                sync(trace)
            return
    elif quick.calm and type(index) in NUMBERS and type(base) not in CHOICES:
        set_item(get_item(base, index), value, *more)
        return
    *indices, value = index, value, *more
    if type(indices[-1]) is slice and current() is not None:
        value = list_methods.gathered(value)
    _store(base, indices, lambda _: value)
    sync(current())


def aug_item(base: Any, index: Any, sign: Any, value: Any, *more: Any) -> None:
    """`base[i]...[j] op= value`, given as (base, i, ..., j, 'op=', value)."""
    if not more:
        if type(base) is list and type(index) is int:
            trace = current()
            if trace is not None and id(base) in trace.journal.noted:
                base[index] = updated(sign, base[index], value)
                return
        if _is_python(base, index):
            base[index] = updated(sign, base[index], value)
            trace = current()
            if trace is not None and "sharing" in trace.notes:
                sync(trace)
            return
        if quick.calm and type(index) in _OF_PYTHON and is_object(type(base)):
            set_item(base, index, updated(sign, get_item(base, index), value))
            return
    elif quick.calm and type(index) in NUMBERS and type(base) not in CHOICES:
        aug_item(get_item(base, index), sign, value, *more)
        return
    *indices, sign, value = index, sign, value, *more
    _store(base, indices, lambda old: _updated_item(sign, old(), value))
    sync(current())


def _updated_item(sign: str, old: Any, value: Any) -> Any:
    """The same as `updated`; of a tensor's part, which is about to be stored, a new tensor."""
    return _PLAINLY[sign](old, value) if isinstance(old, Tensor) else updated(sign, old, value)


def updated(sign: str, old: Any, value: Any) -> Any:
    """What stands where `old` stood after `op= value`; that `old` itself may change is noted."""
    return _IN_PLACE[sign](old, in_place(old, value))


_DICTS = frozenset((dict, defaultdict, OrderedDict))


_KEYS_OF_ITEMS = frozenset((tuple, RunTuple, StagedText))


def _is_python(base: Any, index: Any) -> bool:
    """Whether `base[index] = ...` is all Python's; then it is noted in the journal."""
    kind, by = type(base), type(index)
    if kind in _DICTS:
        if by is str and current() is not None:
            check_text(current_trace(), index, "a key")
        if by not in NUMBERS and by not in _KEYS_OF_ITEMS:
            return False
        keyed.check(base, index)
        trace = current()
        if trace is not None:
            if kind is not dict and "choices" in trace.notes:
                return False  # a missing key may have a value of its own
            note_item(trace, base, index)
        return True
    if kind is list and (
        by is int
        or (by is slice and type(index.start) in NUMBERS and type(index.stop) in NUMBERS and type(index.step) in NUMBERS)
    ):
        trace = current()
        if trace is None or id(base) in trace.journal.noted:
            return True
        if "lists" in trace.notes:
            return False
        note_list(trace, base)
        return True
    return False


def _store(base: Any, indices: list[Any], new: Any) -> Any:
    """Store along a chain of subscripts; returns the changed base where the base is a copy (a tensor)."""
    if type(base) is Choice:
        select(base, lambda taken: _store(taken, indices, new))
        return
    base = resolve(base)
    if type(indices[0]) is Choice and type(base) not in keyed.OF_FORMS:
        select(indices[0], lambda taken: _store(base, [taken, *indices[1:]], new))
        return
    index = indices[0] if type(indices[0]) is Choice else resolve(indices[0])  # a form takes one of several keys
    if len(indices) == 1:
        asked = False  # where the old item was, the key is there

        def old() -> Any:
            nonlocal asked
            asked = True
            return get_item(base, index)

        _store_one(base, index, new(old), asked)
        return
    if len(indices) == 2 and type(index) is Tensor and type(indices[1]) in PLACES:
        new = store_in_row(current(), base, index, indices[1], new)
        if new is None:
            return
    inner = get_item(base, index)
    _store(inner, indices[1:], new)
    if isinstance(index, Tensor) and not isinstance(base, (list, tuple, Tensor)):
        _store_one(base, index, inner)


def _store_one(base: Any, index: Any, value: Any, is_there: bool = False) -> None:
    trace = current()
    if trace is None or isinstance(base, Tensor):
        base[_in_numbers(index)] = _in_numbers(value)
        if trace is not None and type(base) is Tensor:
            write_through(trace, base)
        return
    if type(base) is list:
        dynamic = dynamic_of(base)
        bounds = (index.start, index.stop) if isinstance(index, slice) else (index,)
        if dynamic is None and any(isinstance(i, Tensor) for i in bounds):
            dynamic = as_list_value(base)
        if dynamic is not None:
            if isinstance(index, slice):
                _store_slice(trace, base, dynamic, index, value)
                return
            index = index if not isinstance(index, Tensor) else scalar_index(index)
            put_content(base, demanded(set_element(dynamic, index, value)))
            sharing_of(trace).moved(base, counted(base, index), "set")
            placed(trace, base, index, value)
            return
        note_list(trace, base)
        base[index] = value
        return
    if isinstance(index, Tensor) and isinstance(base, (dict, MutableMapping)):
        _dict_store(base, index, value, is_there)
        return
    if isinstance(base, ndarray):
        index, value = _in_numbers(index), _in_numbers(value)
        into = check_write(trace, base, index, value)
        if into is not base:
            _store_one(into, index, value)
            return
    method = special(base, "__setitem__")
    if method is not None:
        method(index, value)
        return
    if isinstance(base, dict):
        note_item(trace, base, index)
    elif type(base) in _CHANGED_BY_ITEM:
        note_contents(trace, base)
    else:
        note_within(trace, base)
    base[index] = value


_CHANGED_BY_ITEM = frozenset((deque, bytearray, array))


def _store_slice(trace: Any, base: list[Any], content: ListValue, index: slice, value: Any) -> None:
    """`base[a:b] = value` of a list whose content is staged."""
    by_one = index.step is None or (type(index.step) is int and index.step == 1)
    if not isinstance(value, (list, tuple)) or not (by_one or type(index.step) is int):
        raise refusal("slice-assignment")
    changeable = content.element is not None and may_change(content.element)
    if changeable or any(True for _ in changeable_parts(tuple(value))):
        if "heap" not in trace.notes:
            raise followed_no_further()
        trace.notes["heap"].mixed = True
        for part in changeable_parts(tuple(value)):
            sharing_of(trace).add(Detached(trace, part, base, whole=False))
    if not by_one:
        _store_by_steps(base, content, index, value)
        return
    start, stop = index.start, index.stop
    made = get_slice(content, slice(None, 0 if start is None else start))
    made = concatenated(made, value)
    if stop is not None:
        if start is not None:
            stop = op.maximum(op.maximum(counted(base, start), counted(base, stop)), 0)
        made = concatenated(made, get_slice(content, slice(stop, None)))
    put_content(base, made)


def _store_by_steps(base: list[Any], content: ListValue, index: slice, value: Any) -> None:
    """`base[a:b:c] = value`, one item after the other."""
    places = StagedRange(0, length(content))[index]
    given = length(as_list_value(value))

    def wrong() -> None:
        raise raised(ValueError("attempt to assign a sequence of another size to an extended slice"))

    if_stmt(op.not_equal(places.count(), given), wrong, None, ())

    def store(pair: Any) -> None:
        set_item(base, *pair)

    for_stmt(StagedZip([places, any_iterable(list(value))]), store, ())


def _dict_store(base: Any, index: Tensor, value: Any, is_there: bool) -> None:
    if not is_there or hasattr(type(base), "__missing__"):
        keyed.ask(base)
    keys = _number_keys(base)
    if keys is None:
        raise refusal("tensor-key")
    trace = current_trace()
    _pick(base, index, keys)  # refuses a new key
    for k in keys:
        note_item(trace, base, k)
        base[k] = if_exp(op.equal(index, k), lambda: value, lambda k=k: base[k])  # type: ignore[misc]


def del_item(x: Any, index: Any) -> None:
    """`del x[index]`."""
    trace = STATE.trace
    if trace is not None:
        if is_mixed(index) and type(x) not in keyed.OF_FORMS:
            select(index, lambda taken: del_item(x, taken))
            return
        if type(x) is Choice:
            select(x, lambda taken: del_item(taken, index))
            return
        if type(x) is list:
            dynamic = dynamic_of(x)
            if dynamic is None and type(index) is slice and any(isinstance(i, Tensor) for i in (index.start, index.stop)):
                dynamic = as_list_value(x)
            if dynamic is not None and isinstance(index, slice):
                if index.step is not None and not (type(index.step) is int and index.step == 1):
                    raise refusal("slice-assignment")
                _store_slice(trace, x, dynamic, index, [])
                sync(trace)
                return
            if dynamic is not None or isinstance(index, Tensor):
                make_dynamic(x)
                ListMethod(x, "pop")(index)
                return
            note_list(trace, x)
        elif isinstance(x, dict):
            keyed.check(x, index)
            note_item(trace, x, index)
            note_order(trace, x)
            if "choices" in trace.notes and not isinstance(index, Tensor) and index in x:
                present(x[index], index)
        elif type(x) in _CHANGED_BY_ITEM:
            note_contents(trace, x)
        else:
            note_within(trace, x)
    del x[index]
    sync(trace)
