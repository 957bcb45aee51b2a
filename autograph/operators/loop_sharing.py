"""Containers that a staged loop's names share: what a turn leaves as one list is two in the next, each made of its values.

No account is kept of which they are by then: a change of one while the other is there is refused.
"""

from __future__ import annotations

from typing import Any

from autograph.operators.births import unheld
from autograph.operators.descriptors import Static, is_mutable, mutable_parts
from autograph.operators.relations import Detached, Shares
from autograph.operators.sharing import sharing_of
from runtime.tensor.trace import Trace

__all__ = ["LoopSharing"]


class LoopSharing:
    """Which places of one loop share a container: by numbers of places, or (below 0) with one that it does not carry."""

    def __init__(self) -> None:
        self.pairs: dict[tuple[int, int], tuple[Any, bool | None]] = {}  # (place, other) -> (what is not carried, `_kind`)

    def grow(self, trace: Trace, types: list[Any], body: Any, finals: list[Any]) -> bool:
        """After a trace of the body: whether more is shared than was known."""
        known = len(self.pairs)
        found: list[tuple[int, Any, bool | None]] = []
        first: dict[int, int] = {}
        outside: dict[int, tuple[int, Any]] = {}
        inside = {id(part) for p in body.parameters for part in mutable_parts(p)}
        own: dict[int, list[Any]] = {}
        for r in body.shared:
            own.setdefault(id(r.near), []).append(r)
        r = None
        for i, (final, d) in enumerate(zip(finals, types, strict=True)):
            if isinstance(d, Static) and final is d.value:
                continue
            for part in mutable_parts(final):
                j = first.setdefault(id(part), i)
                if j != i:
                    self.pairs[i, j] = (None, True)
                for relation in own.get(id(part), ()):
                    self._by_relation(i, relation, finals, found)
                relation = None
                if id(part) in own:
                    continue
                if id(part) not in inside:
                    outside[id(part)] = i, part
        if outside:
            candidates = [part for _, part in outside.values()]
            part = final = None
            records = [candidates, outside, finals, body.finals, body.places, [body.result], body.shared, own]
            born = unheld(trace, candidates, records)
            for key, (i, part) in outside.items():
                if key not in born:
                    found.append((i, part, True))
        for position, (i, far, whole) in enumerate(found):
            self.pairs[i, -1 - position] = (far, whole)
        return len(self.pairs) > known

    def _by_relation(self, i: int, relation: Any, finals: list[Any], found: list[Any]) -> None:
        far = relation.far
        j = next((j for j, final in enumerate(finals) if any(part is far for part in mutable_parts(final))), None)
        if j is None or not is_mutable(far):
            found.append((i, far, _kind(relation)))
        elif j != i:
            self.pairs[i, j] = (None, _kind(relation))

    def note(self, trace: Trace, values: list[Any]) -> None:
        """The places hold `values` now: a turn's parameters, or what the loop leaves."""
        for (i, j), (far, whole) in self.pairs.items():
            other = values[j] if far is None else far
            if values[i] is not other and is_mutable(values[i]) and is_mutable(other):
                made = Shares(trace, values[i], other) if whole is None else Detached(trace, values[i], other, whole)
                sharing_of(trace).add(made)


def _kind(relation: Any) -> bool | None:
    """Whether a relation is of all of its far object; None where it is of their elements."""
    return None if type(relation) is Shares else relation.watches_far()
