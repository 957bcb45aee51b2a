"""Staged content that Python has put into several lists: `a + b`, `[*a, x]`."""

from __future__ import annotations

from sys import getrefcount
from typing import Any

from autograph.operators.containers import lists
from autograph.operators.containers.held import may_change, spliced_into
from autograph.operators.containers.lists import length
from autograph.operators.containers.relations import ElementOf, Shares, differ
from autograph.operators.containers.sharing import sharing_of
from autograph.operators.state.aliases import followed_no_further
from autograph.operators.state.plain import NUMBERS
from autograph.operators.values.descriptors import mutable_parts
from autograph.operators.values.listvalue import ListValue, Splice
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import Trace


def _before_staged(trace: Trace, owner: list[Any]) -> None:
    """The content of `owner` becomes another one, staged: what else holds parts of the old one is known from now on."""
    if "closing" in trace.notes:
        return  # the function has ended: what was done is undone and done again, and nothing changes any more
    heap = trace.notes.get("heap")
    for i in range(len(owner)):
        kind = type(owner[i])
        if heap is not None and kind is Splice and len(owner) > 1:
            element = owner[i].value.element
            heap.mixed = heap.mixed or (element is not None and may_change(element))
        if heap is not None and (kind is list or kind is Splice):
            continue
        if kind is Splice:
            value = owner[i].value
            if getrefcount(owner[i]) > 2 or sum(r() is not None for r in value.splices) > 1:
                _spliced_elsewhere(trace, owner, value)
        elif kind is not Tensor and kind not in NUMBERS and any(True for _ in mutable_parts(owner[i])):
            relations, graphs = sharing_of(trace).relations, sharing_of(trace).open_graphs()
            if any(type(e) is Splice and e.value.values[0].graph not in graphs for e in owner[:i]):
                raise followed_no_further()
            index = _before(owner, i)
            known = [r for r in relations if type(r) is ElementOf and r.near is owner[i] and r.far is owner]
            if not any(not r.off and not differ(r.index, index) for r in known):
                sharing_of(trace).place(ElementOf(trace, owner[i], owner, index))


def _spliced_elsewhere(trace: Trace, owner: list[Any], value: ListValue) -> None:
    """Python has put (a part of) the content of `owner` into other lists, or the other way round."""
    sharing = sharing_of(trace)
    if value.element is None or value.values[0].graph not in sharing.open_graphs():
        return
    for x in spliced_into(value, owner):
        if any(type(r) is Shares and {id(r.near), id(r.far)} == {id(x), id(owner)} for r in sharing.relations):
            continue
        for i in _places(x, value):
            for k in _places(owner, value):
                places = {"first": _before(x, i), "start": _before(owner, k), "count": length(value), "step": 1}
                made = Shares(trace, x, owner, **places)
                made.found = True
                sharing.add(made)


def _places(x: list[Any], value: ListValue) -> list[int]:
    return [i for i, e in enumerate(x) if type(e) is Splice and e.value is value]


def _before(x: list[Any], i: int) -> Any:
    """How many elements of a list stand before its item `i`."""
    count: Any = 0
    for e in x[:i]:
        count = op.add(count, length(e.value)) if type(e) is Splice else count + 1
    return count


lists.before_staged_hooks.append(_before_staged)
