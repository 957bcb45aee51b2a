"""Whether elements that a mask leaves out stay as they are: then a loop over them may end when the mask is empty.

What a turn makes of the state is looked at as terms, with the mask taken to be false: where(mask, new, old) is `old` then,
and so on through logic, sums with nothing, and comparisons that say the opposite.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from typing import Any, TypeAlias

import numpy as np

from runtime.ir.graph import Graph, Value
from runtime.typesys.spec import TensorType

__all__ = ["VARYING", "above_zero", "alike", "live_mask", "settles"]

Term: TypeAlias = tuple[Hashable, ...]
FALSE: Term = ("number", False)
TRUE: Term = ("number", True)

_MOST_MASKS = 8  # that are tried
_OPPOSITES = {  # of a comparison that holds: those of the same operands that do not
    "less": ("greater", "greater_equal", "equal"),
    "less_equal": ("greater",),
    "greater": ("less", "less_equal", "equal"),
    "greater_equal": ("less",),
    "equal": ("less", "greater", "not_equal"),
    "not_equal": ("equal",),
}
_IMPLIED = {
    "less": ("less_equal", "not_equal"),
    "greater": ("greater_equal", "not_equal"),
    "equal": ("less_equal", "greater_equal"),
}
_AND = frozenset(("logical_and", "bitwise_and"))
_OR = frozenset(("logical_or", "bitwise_or"))
_NOT = frozenset(("logical_not", "invert"))


class _Terms:
    """Terms of a graph's values, where some are known to be true or false."""

    def __init__(self, known: dict[Term, Term], above_zero: Collection[Value]) -> None:
        self.known = known
        self.above_zero = above_zero  # inputs that are no negative zero
        self._found: dict[Value, Term] = {}

    def of(self, value: Value) -> Term:
        found = self._found.get(value)
        if found is None:
            found = self._term(value)
            found = self._found[value] = self.known.get(found, found)
        return found

    def say(self, value: Value, truth: bool) -> None:
        """Take a value to be true or false."""
        self._found[value] = TRUE if truth else FALSE

    def _term(self, value: Value) -> Term:
        node = value.node
        if node is None:
            return "input", value
        name, kind = node.op.name, _dtype(value)
        if name == "constant" and value.tensor_type.shape == ():
            number = node.attrs["value"]
            return ("number", bool(number)) if kind == "bool" else ("number", kind, str(number))
        if node.regions:
            return "value", value
        args = [self.of(v) for v in node.inputs]
        same = [_dtype(v) == kind for v in node.inputs]
        simple = self._simple(name, args, same, value)
        if simple is not None:
            return simple
        attrs = tuple(sorted((k, str(v)) for k, v in node.attrs.items()))
        return (name, kind, attrs, *args)

    def _simple(self, name: str, args: list[Term], same: list[bool], value: Value) -> Term | None:
        if name in ("identity", "stop_gradient", "fence"):
            return args[0]
        if name == "cast":
            return args[0] if same[0] or (args[0] == FALSE and _dtype(value) != "bool") else None
        if name == "where":
            for test, k in ((TRUE, 1), (FALSE, 2)):
                if args[0] == test:
                    return args[k] if same[k] else None
            return args[1] if args[1] == args[2] and same[1] and same[2] else None
        if _dtype(value) == "bool":
            return _logic(name, args)
        if name == "add":
            for k, other in ((0, 1), (1, 0)):
                if same[k] and _is_zero(args[other]) and self._takes_zero(args[k], value):
                    return args[k]
        if name == "sub" and same[0] and _is_zero(args[1]):
            return args[0]
        if name in ("maximum", "minimum") and args[0] == args[1] and all(same):
            return args[0]
        return None

    def _takes_zero(self, x: Term, total: Value) -> bool:
        """Whether adding zero changes nothing: it makes a zero of a negative zero."""
        return _kind(total) in "iu" or (x[0] == "input" and x[1] in self.above_zero)


def _logic(name: str, args: list[Term]) -> Term | None:
    if name in _NOT:
        return FALSE if args[0] == TRUE else TRUE if args[0] == FALSE else None
    if name in _AND or name in _OR:
        strong, weak = (FALSE, TRUE) if name in _AND else (TRUE, FALSE)
        if strong in args:
            return strong
        for k in (0, 1):
            if args[k] == weak or args[0] == args[1]:
                return args[1 - k]
    return None


def _is_zero(term: Term) -> bool:
    return term == FALSE or (term[0] == "number" and term[-1] in ("0", "0.0", "False"))


def _dtype(value: Value) -> str:
    return value.tensor_type.dtype.name


def _kind(value: Value) -> str:
    return value.tensor_type.dtype.kind


def _known(mask: Value, holds: bool, above_zero: Collection[Value]) -> dict[Term, Term]:
    """What is known where a mask is true, or false: itself, what it is made of, and what that says of others."""
    plain = _Terms({}, above_zero)
    known: dict[Term, Term] = {}
    todo = [(mask, holds)]
    while todo:
        value, is_true = todo.pop()
        term = plain.of(value)
        known[term] = TRUE if is_true else FALSE
        node = value.node
        if node is None or node.regions:
            continue
        name = node.op.name
        if name in _NOT:
            todo.append((node.inputs[0], not is_true))
        elif (name in _AND and is_true) or (name in _OR and not is_true):
            todo += [(v, is_true) for v in node.inputs]
        elif is_true and name in _OPPOSITES:
            for others, answer in ((_OPPOSITES[name], FALSE), (_IMPLIED.get(name, ()), TRUE)):
                for other in others:
                    known[(other, *term[1:])] = answer
    return known


def settles(
    states: Sequence[tuple[Value, Value]], mask: Value, holds: bool, above_zero: Collection[Value], first: bool
) -> bool:
    """Whether a turn changes no element of which a mask is `holds`, nor any later one.

    Args:
      states: the values before a turn and after it.
      mask: of the same graph: one of those before the turn, or computed of them and of what stays the same.
      above_zero: states that are no negative zero.
      first: whether the mask may be so before the first turn.
    """
    known = _known(mask, holds, above_zero)
    terms = _Terms(known, above_zero)
    changed = [(before, after) for before, after in states if terms.of(after) != terms.of(before)]
    for before, after in changed:
        if before is mask and not first and _follows(after, states, dict(changed)):
            terms = _Terms(known, above_zero)
            terms.say(after, holds)  # as it was before the turn
            changed = [(b, a) for b, a in states if b is not mask and terms.of(a) != terms.of(b)]
            break
    if changed:
        return False
    return mask.node is None or not _follows_turns(mask)


def alike(pairs: Sequence[tuple[Value, Value]], mask: Value, holds: bool, above_zero: Collection[Value]) -> bool:
    """Whether the elements of two values are the same where a mask is `holds`, of all pairs."""
    terms = _Terms(_known(mask, holds, above_zero), above_zero)
    return all(terms.of(a) == terms.of(b) for a, b in pairs)


def _follows(after: Value, states: Sequence[tuple[Value, Value]], changed: Collection[Value]) -> bool:
    """Whether a value after a turn is made only of what the turn leaves as it is: of states after it, and what never
    changes. Then it was so before the turn, too, if that was not the first one.
    """
    before_of = {a: b for b, a in states}
    todo, seen = [after], set()
    while todo:
        value = todo.pop()
        if value in seen:
            continue
        seen.add(value)
        before = before_of.get(value)
        if before is not None and value is not after:
            if before in changed:
                return False
        elif value.node is not None:
            todo += value.node.inputs
        elif value.name == VARYING or any(value is b for b, _ in states):
            return False
    return True


def _follows_turns(value: Value) -> bool:
    """Whether a value depends on numbers that another turn may have others of."""
    todo, seen = [value], set()
    while todo:
        value = todo.pop()
        if value not in seen:
            seen.add(value)
            if value.node is not None:
                todo += value.node.inputs
            elif value.name == VARYING:
                return True
    return False


VARYING = "varying"
"""The name of inputs that are numbers of a turn."""


def live_mask(
    graph: Graph, states: Sequence[tuple[Value, Value]], above_zero: Collection[Value]
) -> tuple[Value, bool, bool] | None:
    """A mask of a turn, what of it says that an element changes no more, and whether it says so in the first turn, too.

    None where no mask is known to.
    """
    tried: dict[Value, None] = {}
    for node in graph.nodes:
        if node.op.name == "where":
            tried[node.inputs[0]] = None
    tried.update(dict.fromkeys(before for before, _ in states))
    for node in graph.nodes:
        tried.update(dict.fromkeys(node.outputs))
    shape = states[0][0].tensor_type.shape
    masks = [v for v in tried if _is_mask(v, shape)]
    for mask in masks[:_MOST_MASKS]:
        for holds in (False, True):
            for first in (True, False):
                if settles(states, mask, holds, above_zero, first):
                    return mask, holds, first
    return None


def above_zero(states: Sequence[tuple[Value, Value]], inits: Sequence[Value]) -> set[Value]:
    """Floating states that are no negative zero: they begin at zero or above, and only trues are counted on top."""
    return {
        before
        for (before, after), init in zip(states, inits, strict=True)
        if _begins_above_zero(init) and _counts(after, before)
    }


def _begins_above_zero(init: Value) -> bool:
    node = init.node
    if node is None:
        return False
    if node.op.name in ("zeros", "ones"):
        return True
    if node.op.name != "constant":
        return False
    return not np.signbit(np.asarray(node.attrs["value"], np.float64)).any()


def _counts(value: Value, state: Value) -> bool:
    node = value.node
    if value is state:
        return True
    if node is None:
        return False
    if node.op.name == "where":
        return all(_counts(v, state) for v in node.inputs[1:])
    if node.op.name != "add" or state not in node.inputs:
        return False
    other = node.inputs[1 - node.inputs.index(state)]
    if other.node is not None and other.node.op.name == "cast":
        other = other.node.inputs[0]
    return _kind(other) == "b" or (other.node is not None and _begins_above_zero(other))


def _is_mask(value: Value, shape: Any) -> bool:
    return isinstance(value.type, TensorType) and value.type.shape == shape and value.type.dtype.kind == "b"
