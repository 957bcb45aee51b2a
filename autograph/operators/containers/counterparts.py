"""What an operation makes and what that stands for: elements, slices, copies, what a conditional leaves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from autograph.operators.containers.held import (
    changeable_parts,
    may_change,
    refuse_parts_of_others,
)
from autograph.operators.containers.lists import as_list_value, dynamic_of, length, make_dynamic
from autograph.operators.containers.relations import CountOf, Detached, ElementOf, Relation, SameIf, Shares
from autograph.operators.containers.sharing import sharing_of
from autograph.operators.state.aliases import followed_no_further
from autograph.operators.values.choice import Choice, choice_of
from autograph.operators.values.descriptors import (
    describe,
    is_mutable,
    mutable_parts,
    own_alternatives,
    structure_of,
)
from autograph.operators.values.listvalue import RunTuple, Splice, has_splices, list_of
from autograph.operators.values.packing import alternative_of
from runtime.ir.graph import Value
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import Trace

__all__ = [
    "Closed", "became", "became_of", "copied", "counted", "detached", "joined", "placed", "relate", "same_if", "sliced",
    "taken", "taken_of",
]  # fmt: skip


def taken(trace: Trace, owner: list[Any], index: Any, element: Any) -> Any:
    """`element`, taken out of `owner` at `index`: changing it changes the list."""
    if any(True for _ in changeable_parts(element)):
        if type(owner) is list and len(owner) > 1 and has_splices(owner):
            make_dynamic(owner)  # so that what Python has put into it is known to be its elements
        if dynamic_of(owner) is not None:
            sharing_of(trace).add(ElementOf(trace, element, owner, counted(owner, index)))
        else:
            _one_of(trace, element, owner, index)
    return element


def _one_of(trace: Trace, element: Any, items: Any, index: Any) -> None:
    """`element` is the one of `items` at `index`."""
    tests: dict[int, tuple[Any, Any]] = {}
    index = op.where(op.less(index, 0), op.add(index, len(items)), index)
    for i, item in enumerate(items):
        here = op.equal(index, i)
        if id(item) in tests:
            here = op.logical_or(tests[id(item)][1], here)
        tests[id(item)] = item, here
    group = object()
    for item, here in tests.values():
        for near, far in _pairs(element, item):
            sharing_of(trace).add(SameIf(trace, near, far, here, (group, id(near))))


def _pairs(near: Any, far: Any) -> Iterator[tuple[Any, Any]]:
    """What can be changed of two structures that may be one: themselves, or the parts of tuples."""
    if type(near) is RunTuple:
        if type(far) is RunTuple:
            yield from _pairs(list_of(near), list_of(far))
        elif any(True for _ in changeable_parts(far)):
            raise followed_no_further()
    elif isinstance(near, tuple):
        if isinstance(far, tuple) and len(near) == len(far):
            for a, b in zip(near, far, strict=True):
                yield from _pairs(a, b)
    elif near is not far and all(any(True for _ in changeable_parts(x)) for x in (near, far)):
        yield near, far


def placed(trace: Trace, owner: list[Any], index: Any, item: Any) -> None:
    """`item` was put into `owner`, whose content is staged."""
    if any(True for _ in changeable_parts(item)):
        index = index if isinstance(index, CountOf) else counted(owner, index)
        sharing_of(trace).place(ElementOf(trace, item, owner, index))


def counted(owner: list[Any], index: Any) -> Any:
    """An index from the front."""
    if isinstance(index, Tensor):
        return op.where(op.less(index, 0), op.add(index, _length(owner)), index)
    return op.add(index, _length(owner)) if index < 0 else int(index)


def _length(owner: list[Any]) -> Any:
    return length(as_list_value(owner))


def joined(trace: Trace, result: Any, value: Any, test: Any, own: list[Relation]) -> Closed:
    """`result` was made by a conditional, of `value` where `test` is true: it is that object there (see `became`).

    `own` are the relations of the conditional's region.
    """
    refuse_parts_of_others(trace, value)
    themselves = taken_of(value)
    detached(trace, result, value, [r for r in own if not (type(r) is SameIf and any(r.near is x for x in themselves))])
    return became(trace, result, value, test)


def detached(trace: Trace, result: Any, value: Any, own: list[Relation]) -> None:
    """`result` was made of `value`, of whose parts `own`, relations of a region that has ended, tell what they are."""
    for part in _within(value) if own else ():
        for r in own:
            if r.near is part:
                _detach(trace, result, r)


def _within(x: Any) -> Iterator[Any]:
    """A value and all that is in it: what is noted to be an element may be a tuple, or one of several alternatives."""
    yield x
    if type(x) is Choice:
        for alternative in own_alternatives(x):
            yield from _within(alternative)
        return
    parts = structure_of(x, instances=is_mutable(x))
    for part in () if parts is None else parts[1]:
        yield from _within(part)


def copied(trace: Trace, near: Any, far: Any, **places: Any) -> Any:
    """`near` was made of elements of the list `far`, which are the same there (see `Shares`)."""
    if type(far) is list and _may_change(far):
        sharing_of(trace).add(Shares(trace, near, far, **places))
    return near


def sliced(trace: Trace, near: list[Any], far: list[Any], index: slice) -> list[Any]:
    """`near` is `far[index]`."""
    if not _may_change(far):
        return near
    count, size = _length(near), _length(far)
    start, step = index.start, index.step
    if step is None or (type(step) is int and step == 1):
        start = 0 if start is None else op.maximum(counted(far, start), 0)
        return copied(trace, near, far, start=start, count=count, step=1)
    if type(step) is int and step == -1 and start is None:
        return copied(trace, near, far, start=op.sub(size, 1), count=count, step=-1)
    return copied(trace, near, far)


def _may_change(x: list[Any]) -> bool:
    """Whether elements of a list with staged content can be changed."""
    element = as_list_value(x).element
    return element is not None and may_change(element)


def same_if(trace: Trace, near: Any, far: Any, test: Any) -> None:
    """`near` is the object `far` where `test` is true."""
    if near is not far and is_mutable(near) and is_mutable(far):
        sharing_of(trace).add(SameIf(trace, near, far, test))


def _detach(trace: Trace, x: Any, relation: Relation) -> None:
    """`x` may be what another object is by a relation of a region that has ended."""
    if type(relation) is Shares:
        sharing_of(trace).add(Shares(trace, x, relation.far))
    else:
        sharing_of(trace).add(Detached(trace, x, relation.far, relation.watches_far()))


Closed = list[tuple[Any, Any, Any]]
"""(new object, object of a region that has ended, test): they are one where the test is true."""


def became(trace: Trace, result: Any, value: Any, test: Any) -> Closed:
    """What `result` is made of is, where `test` is true, what `value` is made of. Returned are those of which the others
    are known in a region that has ended only."""
    if result is value or (type(result) is list and "heap" in trace.notes):
        return []
    if type(result) is Choice:
        return _became_alternatives(trace, result, value, test)
    closed: Closed = []
    if type(value) is Choice:  # of objects that another one of their class has made one structure
        if not _is_open(trace, value._tag):
            raise followed_no_further()
        for i, part in enumerate(value._alternatives):
            closed += became(trace, result, part, op.logical_and(test, op.equal(value._tag, i)))
        return closed
    if is_mutable(value) and is_mutable(result):
        if _is_open(trace, value):
            sharing_of(trace).add(SameIf(trace, result, value, test, ("joined", id(result))))
            return []
        closed.append((result, value, test))
    ours, theirs = structure_of(result), structure_of(value)
    if ours is not None and theirs is not None and ours[0] == theirs[0] and len(ours[1]) == len(theirs[1]):
        for a, b in zip(ours[1], theirs[1], strict=True):
            closed += became(trace, a, b, test)
    elif is_mutable(result):
        for part in mutable_parts(value):
            if part is not value and _is_open(trace, part):
                sharing_of(trace).add(Detached(trace, part, result, whole=False))
    return closed


def _became_alternatives(trace: Trace, result: Choice, value: Any, test: Any) -> Closed:
    """As `became`, where the result is one of several alternatives: the one that takes `value`, or one of its own."""
    closed: Closed = []
    choice = choice_of(value)
    known = choice is None or _is_open(trace, choice._tag)
    taken: set[int] = set()  # alternatives of the result
    for i, part in enumerate([value] if choice is None else choice._alternatives):
        references = "heap" in trace.notes
        if all(references and type(p) is list for p in mutable_parts(part)):
            continue
        if any(part is a for a in result._alternatives):
            continue
        ours = _taking(result, part)
        if type(part) is list and _is_open(trace, part):
            sharing_of(trace).add(Detached(trace, ours, part))
            continue
        if choice is None:
            here = test
        elif known:
            here = op.logical_and(test, op.equal(choice._tag, i))
        else:  # which of the value's it was, only the result tells here
            j = next(j for j, a in enumerate(result._alternatives) if a is ours)
            if j in taken:
                raise followed_no_further()
            taken.add(j)
            here = op.logical_and(test, op.equal(result._tag, j))
        closed += became(trace, ours, part, here)
    return closed


def relate(trace: Trace, closed: Closed) -> None:
    """Of new objects that are made of the same one of a region that has ended: they are one where they are that."""
    first: dict[int, tuple[Any, Any]] = {}
    for near, far, test in closed:
        known, its_test = first.setdefault(id(far), (near, test))
        if known is not near:
            both = test if test is its_test else op.logical_and(test, its_test)
            sharing_of(trace).add(SameIf(trace, near, known, both))


def taken_of(value: Any) -> list[Any]:
    """What a value may be: itself, or the alternatives that were made for a choice."""
    return own_alternatives(value) if type(value) is Choice else [value]


def became_of(result: Any, part: Any) -> Any:
    """What `part` has become, which a conditional's result may be."""
    return _taking(result, part) if type(result) is Choice else result


def _taking(result: Choice, part: Any) -> Any:
    """The alternative that `part` has become."""
    found = [a for a in own_alternatives(result) if type(a) is type(part)]
    if len(found) > 1:
        form = structure_of(part, instances=True)
        alike = [a for a in found if _form_of(structure_of(a, instances=True)) == _form_of(form)]
        found = alike or found
    if len(found) == 1:
        return found[0]
    place = alternative_of(describe(part), result._descriptor)
    if place is None:  # keys of it have been set on some paths since
        raise followed_no_further()
    return result._alternatives[place]


def _form_of(structure: Any) -> Any:
    """What tells structures of one class apart: their keys and how many parts they have."""
    return None if structure is None else (structure[0], len(structure[1]))


def _is_open(trace: Trace, x: Any) -> bool:
    """Whether all that a structure holds is known here, not only in a region that has ended."""
    graphs = sharing_of(trace).open_graphs()
    return all(v.graph in graphs for v in _values(trace, x))


def _values(trace: Trace, x: Any) -> Iterator[Value]:
    choice = choice_of(x)
    if choice is not None:  # asked for as a tensor, one that may be missing would leave a check in the graph
        for part in (choice._tag, *choice._alternatives):
            yield from _values(trace, part)
    elif isinstance(x, Tensor):
        yield trace.value_of(x)
    elif type(x) is list and "heap" in trace.notes:
        return
    elif type(x) is Splice:
        yield from x.value.values
    else:
        parts = structure_of(x, instances=is_mutable(x))
        for part in () if parts is None else parts[1]:
            yield from _values(trace, part)
