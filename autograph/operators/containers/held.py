"""What containers hold at one time, who else holds them, and giving one the content of another."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from sys import getrefcount
from typing import Any

from autograph.operators.containers.lists import ListPlace, as_list_value, dynamic_of, note_list, put_content
from autograph.operators.state.aliases import HEAP, followed_no_further, hints_of
from autograph.operators.state.births import births_of, has_frozen, owner_of
from autograph.operators.state.dict_places import note_item
from autograph.operators.state.places import UNBOUND, note_attribute
from autograph.operators.values.choice import Choice, choice_of, usable_of
from autograph.operators.values.descriptors import is_mutable, mutable_parts, own_alternatives, structure_of
from autograph.operators.values.forms import Descriptor, Leaf, OneOf, Sequence, Struct
from autograph.operators.values.listvalue import ListValue, Splice
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import Trace, current

__all__ = [
    "Held",
    "changeable_parts",
    "held_by",
    "may_change",
    "overwrite",
    "refuse_alternatives",
    "refuse_parts_of_others",
    "spliced_into",
    "unchanged",
    "unseen",
    "unseen_but",
]


def changeable_parts(x: Any) -> Iterator[Any]:
    """What can be changed in `x`: lists, dictionaries, instances and tensors with axes, itself included."""
    if isinstance(x, Tensor):
        if type(x) is Tensor and x.type.shape != ():
            yield x
        return
    if type(x) is Choice:
        for alternative in own_alternatives(x):
            yield from changeable_parts(alternative)
        return
    mutable = is_mutable(x)
    if type(x) is list and (trace := current()) is not None and "heap" in trace.notes:
        return  # lists are references: nobody has to follow them
    if mutable:
        yield x
    parts = structure_of(x, instances=mutable)
    for part in () if parts is None else parts[1]:
        yield from changeable_parts(part)


Held = list[tuple[Any, tuple[Any, ...]]]


def held_by(x: Any) -> Held:
    """What each part of `x` holds now."""
    return [(part, _content(part)) for part in changeable_parts(x)]


def _content(part: Any) -> tuple[Any, ...]:
    if type(part) is Tensor:
        trace = current()
        return (part._value if trace is None else trace.overrides.get(id(part), part._value),)
    if type(part) is list:
        return tuple(e.value if type(e) is Splice else e for e in part)
    if type(part) is dict:
        return tuple(e for pair in part.items() for e in pair)
    parts = structure_of(part, instances=True)
    return () if parts is None else parts[1]


def unchanged(held: Held) -> bool:
    """Whether the parts still hold what was noted."""
    for part, before in held:
        now = _content(part)
        if len(now) != len(before) or any(a is not b for a, b in zip(now, before, strict=True)):
            return False
    return True


def unseen(held: Held, is_root: bool) -> bool:
    """Whether only notes hold the parts of an object; `is_root` says that the first is the object itself."""
    inner = _inner(held)
    for i in range(len(held)):
        if i == 0 or not isinstance(held[i][0], Tensor):
            others = getrefcount(held[i][0]) - _ONE - inner.get(id(held[i][0]), 0) - (is_root and i == 0)
            if (others > 0 and others > _noted(held[i][0])) or _is_spliced_elsewhere(held[i][0]):
                return False
    return True


def unseen_but(held: Held, ours: dict[int, int]) -> bool:
    """Whether the parts of an object are held by each other and as often as `ours` says, by nobody else."""
    inner: dict[int, int] = {}
    for i in range(len(held)):
        for e in held[i][1]:
            inner[id(e)] = inner.get(id(e), 0) + 1
    e = None
    for i in range(len(held)):
        if i == 0 or not isinstance(held[i][0], Tensor):
            key = id(held[i][0])
            others = getrefcount(held[i][0]) - (_ONE - 1) - ours.get(key, 0) - inner.get(key, 0)
            if (others > 0 and others > _noted(held[i][0])) or _is_spliced_elsewhere(held[i][0]):
                return False
    return True


def _is_spliced_elsewhere(part: Any) -> bool:
    """Whether Python has put the staged content of a list, whose elements can be changed, into other lists, too."""
    if type(part) is not list:
        return False
    values = [e.value for e in part if type(e) is Splice]
    return any(True for value in values for _ in spliced_into(value, part))


def spliced_into(value: ListValue, but: list[Any]) -> Iterator[list[Any]]:
    """The Python lists that hold `value` now, except `but`: Python made them, so one has to look for them."""
    if value.element is None or not may_change(value.element):
        return
    splices = [s for s in (r() for r in value.splices) if s is not None]
    ours = frozenset(map(id, splices))
    left = sum(getrefcount(splices[i]) - _ONE for i in range(len(splices))) - _times(but, ours)
    known = {id(splices), id(but)}
    for found in _candidates(splices):
        for x in found:
            if type(x) in (list, tuple) and id(x) not in known:
                known.add(id(x))
                held = _times(x, ours)
                left -= held
                if type(x) is list and held:
                    yield x
        if left <= 0:
            return
    if has_frozen():
        raise followed_no_further()  # the collector passes over what is frozen


def _candidates(splices: list[Splice]) -> Iterator[list[Any]]:
    """What may hold splices: at last whatever does, which takes long where the process is large."""
    yield []  # nobody else may hold them
    trace = current()
    assert trace is not None
    places = (place for table in trace.journal for place, _ in list(table.values()))
    yield [place.owner for place in places if type(place) is ListPlace]
    for generation in (0, 1):
        yield [x for x in gc.get_objects(generation=generation) if type(x) in (list, tuple) and len(x) <= _SHORT]
    yield gc.get_referrers(*splices)


_SHORT = 10_000  # items of a young list that are looked through: of a longer one, the collector is quicker


def _times(x: list[Any] | tuple[Any, ...], ids: frozenset[int]) -> int:
    """How often a list holds one of some objects. (Another thread may be making it: the collector passes over items that
    are not there yet, an iterator does not.)"""
    return sum(id(e) in ids for e in gc.get_referents(x))


def may_change(d: Descriptor) -> bool:
    """Whether what is described can be changed."""
    if isinstance(d, Leaf):
        return d.type.shape != ()
    if isinstance(d, Struct):
        return not issubclass(d.kind, tuple) or any(map(may_change, d.children))
    return isinstance(d, Sequence) or (isinstance(d, OneOf) and any(map(may_change, d.alternatives)))


def refuse_parts_of_others(trace: Trace, value: Any) -> None:
    """A region leaves lists that Python has put together of staged parts: which elements are whose is known in it only."""
    if "heap" in trace.notes:
        return
    for part in mutable_parts(value):
        if type(part) is not list or not any(type(e) is Splice and _holds_changeable(e.value) for e in part):
            continue
        if len(part) > 1 or any(True for _ in spliced_into(part[0].value, part)):
            raise followed_no_further()


def refuse_alternatives(trace: Trace, result: Any, value: Any, noted: bool = False) -> None:
    """A list becomes one of several alternatives: no account is kept of what those are.

    `noted` says that relations of all parts are noted: where the other alternatives are None or not set, what is used is
    the one list itself.
    """
    if HEAP not in hints_of(trace) and trace.notes.get("restarts"):
        for choice in map(choice_of, (result, value)):
            if choice is None or (noted and len(usable_of(choice)) == 1):
                continue
            if any(type(part) is list for a in choice._alternatives for part in mutable_parts(a)):
                raise followed_no_further()


def _holds_changeable(value: ListValue) -> bool:
    return value.element is not None and may_change(value.element)


def _inner(held: Held) -> dict[int, int]:
    """By id: how often the parts, and what is noted of them, hold an object."""
    inner: dict[int, int] = {}
    for _, content in held:
        for e in content:
            inner[id(e)] = inner.get(id(e), 0) + 2
    return inner


def _noted(x: Any) -> int:
    """How often the trace's own notes hold an object."""
    trace = current()
    assert trace is not None
    count: int = births_of(trace).holds(x)
    before: dict[int, tuple[Any, ...]] = {}  # what lists held: they do again only where what is traced now is undone
    for table in trace.journal:
        for place, original in list(table.values()):
            count += int(owner_of(place) is x)
            if type(place) is ListPlace:
                before.update({id(items): items for items in place.remembered(original)})
    return count + sum(e is x for items in before.values() for e in items)


def _base() -> int:
    probe = [(object(),)]
    return getrefcount(probe[0][0])


_ONE = _base()


def overwrite(x: Any, new: Any) -> None:
    """Give `x` the content of `new`, a structure of the same kind, keeping what it is."""
    trace = current()
    assert trace is not None
    if isinstance(x, Tensor):
        trace.write(x, trace.operand(new))
    elif type(new) is Choice:
        raise followed_no_further()
    elif type(x) is list:
        dynamic = dynamic_of(new)
        if dynamic is not None or dynamic_of(x) is not None or len(x) != len(new):
            put_content(x, as_list_value(new) if dynamic is None else dynamic)
            return
        note_list(trace, x)
        for i, (old, item) in enumerate(zip(x, new, strict=True)):
            x[i] = _kept(old, item)
    elif type(x) is dict:
        for key in list(x):
            note_item(trace, x, key)
            if new.get(key, UNBOUND) is UNBOUND:
                del x[key]
            else:
                x[key] = _kept(x[key], new[key])
        for key, item in new.items():
            if key not in x and item is not UNBOUND:
                note_item(trace, x, key)
                x[key] = item
    elif isinstance(x, tuple):
        for old, item in zip(x, new, strict=True):
            if old is not item and any(True for _ in changeable_parts(old)):
                overwrite(old, item)
    else:
        names, items = structure_of(new, instances=True) or ((), ())
        for name, item in zip(names, items, strict=True):
            note_attribute(trace, x, name)
            setattr(x, name, _kept(getattr(x, name, None), item))


def _kept(old: Any, new: Any) -> Any:
    """`old` with the content of `new` where it is a container of the same kind; else `new`."""
    if old is not new and is_mutable(old) and type(old) is type(new):
        overwrite(old, new)
        return old
    return new
