"""if statements, conditional expressions and boolean operators: Python's, or `cond` nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograph.operators.containers.counterparts import became_of, joined, relate, same_if, taken_of
from autograph.operators.containers.relations import SameIf
from autograph.operators.containers.sharing import sharing_of, sync
from autograph.operators.state.aliases import link
from autograph.operators.state.places import (
    UNBOUND,
    UNDEFINED,
    label_of,
    name_places,
    note_unset,
    unset_by_branch,
)
from autograph.operators.state.plain import CERTAIN
from autograph.operators.state.regions import (
    NewReferences,
    PathEnds,
    Traced,
    close,
    current_trace,
    inside,
    replayed,
    run_region,
)
from autograph.operators.statements.truth import as_found, as_truth, is_staged_condition, truth_of
from autograph.operators.values import choice as choice_module
from autograph.operators.values import specials
from autograph.operators.values.descriptors import (
    Descriptor,
    Joiner,
    Leaf,
    Static,
    describe,
    mutable_parts,
    value_types,
)
from autograph.operators.values.listvalue import ListContents, ListValue
from autograph.operators.values.packing import pack, unpack
from runtime.ir.graph import Value
from runtime.ops.registry import get
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import Place, Trace
from runtime.typesys.spec import TensorType

_BOOL = TensorType("bool", ())

__all__ = ["and_", "if_exp", "if_stmt", "not_", "or_"]


def if_stmt(test: Any, body: Callable[[], None], orelse: Callable[[], None] | None, names: tuple[str, ...]) -> None:
    """`if test: body else: orelse`, where both bind `names` of the enclosing function through their closures."""
    if test is True:
        body()
        return
    kind = type(test)
    if kind is bool or kind in CERTAIN or (test := truth_of(test)) is False or not is_staged_condition(test):
        if test:
            body()
        elif orelse is not None:
            orelse()
        return
    cells = name_places(names, body, orelse)
    staged_cond(current_trace(), test, body, orelse or _nothing, cells)


def _nothing() -> None:
    return None


def staged_cond(
    trace: Trace, test: Tensor, then: Callable[[], Any], orelse: Callable[[], Any], cells: list[Place]
) -> Any:
    """A `cond` node of two traced thunks: joins their effects on places, and returns the join of their results."""
    sync(trace)
    a, b = _sides(trace, choice_module.knowing(test, True, then), choice_module.knowing(test, False, orelse), cells)
    if a.ended and b.ended:
        _emit(trace, test, a, b, [])
        raise PathEnds
    joiner = Joiner()
    plan: list[tuple[Place | None, Any, Any, Descriptor]] = []
    places = {**a.places, **b.places}
    for changed in places.values():
        before = changed.read()
        left, right = _left(a, a.final(changed, before)), _left(b, b.final(changed, before))
        plan.append((changed, left, right, _join(joiner, (a, left), (b, right))))
    results = [UNDEFINED if r.ended else _left(r, r.result) for r in (a, b)]
    plan.append((None, results[0], results[1], _join(joiner, (a, results[0]), (b, results[1]))))
    flags = [*_flags(a, plan, 1), *_flags(b, plan, 2)]
    plan += [row for _, row, _ in flags]
    outputs = iter(_emit(trace, test, a, b, plan))
    if not (a.ended or b.ended) and all(left is right for _, left, right, _ in plan):
        trace.builder.emit(get("demand"), [trace.operand(test)], {}, ())  # `if v[5] > 0: pass` raises
    result = None
    made = []
    for place, left, right, d in plan:
        if place is None:
            result = left if isinstance(d, Static) and left is right else unpack(d, outputs)
            link(trace, result, left, right, test)
            made.append((result, left, right))
            continue
        missing = "else" if right is UNBOUND else "main" if left is UNBOUND else None
        name = label_of(place) if missing is None else label_of(place, unset_by_branch(missing, place.read() is not UNBOUND))
        value = left if left is right else unpack(d, outputs, name)
        if value is UNDEFINED:
            continue
        if left is not right:
            link(trace, value, left, right, test)
            made.append((value, left, right))
        if isinstance(place, Flag):
            place.value = value
            continue
        trace.record(place)
        place.write(value)
        if value is UNBOUND:
            note_unset(trace, place, "'{0}' must also be initialized after the `if`: both of its branches delete it")
    _keep_account(trace, test, (a, b), made, flags)
    return result


def _left(side: Traced, value: Any) -> Any:
    """What a branch leaves: what its test tells of a value is known after it, too."""
    return value if type(value) not in choice_module.CHOICES else choice_module.left_in(side.region.graph, value)


def _sides(trace: Trace, then: Callable[[], Any], orelse: Callable[[], Any], cells: list[Place]) -> tuple[Traced, Traced]:
    """Both regions; lists that one of them leaves in the place of others are references before, where such are kept."""
    heap = trace.notes.get("heap")
    while True:
        try:
            a, b = run_region(trace, then, cells), run_region(trace, orelse, cells)
        except NewReferences as new:
            if heap is None or not heap.put_in(tuple(new.found)):
                raise
            continue
        if heap is None or not heap.put_in(tuple(place.read() for place in {**a.places, **b.places}.values())):
            return a, b


def _keep_account(
    trace: Trace, test: Tensor, sides: tuple[Traced, Traced], made: list[tuple[Any, Any, Any]], flags: list[Any]
) -> None:
    """Which containers the new values are on which path."""
    if "sharing" in trace.notes and sharing_of(trace).busy:
        return
    otherwise: Any = None
    closed = []
    for value, left, right in made:
        if left is not right and (type(value) is choice_module.Choice or any(True for _ in mutable_parts(value))):
            otherwise = op.logical_not(test) if otherwise is None else otherwise
            closed += joined(trace, value, left, test, sides[0].shared)
            closed += joined(trace, value, right, otherwise, sides[1].shared)
    relate(trace, closed)
    for relation, (flag, *_), side in flags:
        near = relation.near
        value = next(value for value, *both in made if any(x is near for x in taken_of(both[side - 1])))
        same_if(trace, became_of(value, near), relation.far, flag.value)
    if "sharing" in trace.notes:
        sharing_of(trace).note_all()


class Flag:
    """Whether what a side leaves is an object from outside: an output of the `cond`, and no place of the user's."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: Any = False

    key = name = ""


def _flags(traced: Traced, plan: list[Any], side: int) -> list[Any]:
    """(relation, row of the plan, side) of each conditional identity that a side leaves behind."""
    left = {id(x) for row in plan if row[1] is not row[2] for x in taken_of(row[side])}
    rows = []
    for r in traced.shared:
        if type(r) is SameIf and id(r.near) in left:
            sides = (r.test, False) if side == 1 else (False, r.test)
            rows.append((r, (Flag(), *sides, Leaf(_BOOL)), side))
    return rows


def _join(joiner: Joiner, one: tuple[Traced, Any], other: tuple[Traced, Any]) -> Descriptor:
    """The join of two paths' values, each as it is at the end of its region."""
    if one[1] is other[1]:
        return Static(one[1])
    if _is_bare(one[1]) and _is_bare(other[1]):  # whatever the places hold
        return joiner(describe(one[1]), describe(other[1]))
    with replayed(one[0]):
        left = describe(one[1])
    with replayed(other[0]):
        right = joiner.opened_for(describe(other[1]), left)
    with replayed(one[0]):
        left = joiner.opened_for(left, right)
    with replayed(other[0]):
        right = joiner.opened_for(right, left)
    return joiner(left, right)


def _is_bare(x: Any) -> bool:
    """Whether a value is a number, a tensor or a list of those, in which nothing can be changed but by another value."""
    return type(x) in _BARE or (type(x) is ListContents and _BARE.issuperset(map(type, x.items)))


_BARE = frozenset((bool, int, float, Tensor, ListValue))


def _emit(
    trace: Trace, test: Tensor, a: Traced, b: Traced, plan: list[tuple[Place | None, Any, Any, Descriptor]]
) -> list[Value]:
    columns: list[list[Value]] = []
    for traced, side in ((a, 1), (b, 2)):
        with inside(trace, traced.region), replayed(traced):
            values: list[Value] = []
            for row in plan:
                if row[1] is not row[2]:
                    values += pack(row[side], row[3])
            traced.region.graph.outputs = [trace.builder.region.resolve(v) for v in values]
            columns.append(traced.region.graph.outputs)
    types = [t for row in plan if row[1] is not row[2] for t in value_types(row[3])]
    predicate = trace.operand(test)
    outers = close(trace, [a.region, b.region])
    node = trace.builder.emit(get("cond"), [predicate, *outers], {}, tuple(types), (a.region.graph, b.region.graph))
    return node.outputs


def _both(test: Tensor, body: Callable[[], Any], orelse: Callable[[], Any]) -> Any:
    return staged_cond(current_trace(), test, body, orelse, [])


choice_module.branch_hook = _both


def if_exp(test: Any, body: Callable[[], Any], orelse: Callable[[], Any]) -> Any:
    """`body() if test else orelse()`."""
    kind = type(test)
    if kind is bool or kind in CERTAIN or (test := truth_of(test)) is False or not is_staged_condition(test):
        return body() if test else orelse()
    bound = choice_module.bound
    return staged_cond(current_trace(), test, lambda: bound(body()), lambda: bound(orelse()), [])


def and_(first: Any, *rest: Callable[[], Any]) -> Any:
    """`first and rest[0]() and ...`: later operands are evaluated only where Python would."""
    for position, operand in enumerate(rest):
        kind = type(first)
        if kind is bool or kind in CERTAIN:
            if not first:
                return first
        else:
            test = truth_of(first)
            if is_staged_condition(test):
                return _staged_and(test, first, rest[position:])
            if not test:
                return first
        first = operand()
    return first


def _staged_and(test: Tensor, first: Any, rest: tuple[Callable[[], Any], ...]) -> Any:
    told, truths = list(choice_module.told_by(test)), [True]
    later, now = _telling(told, truths, lambda: and_(rest[0](), *rest[1:])), _found(first, truths)
    result = staged_cond(current_trace(), test, later, lambda: now, [])
    result = choice_module.tell(result, *((choice, yes, choice_module.tags_of(choice)) for choice, yes, _ in told))
    return as_truth(result) if all(truths) else result


def _staged_or(test: Tensor, first: Any, rest: tuple[Callable[[], Any], ...]) -> Any:
    told, truths = list(choice_module.told_by(test)), [True]
    later, now = _telling(told, truths, lambda: or_(rest[0](), *rest[1:])), _found(first, truths)
    result = staged_cond(current_trace(), test, lambda: now, later, [])
    result = choice_module.tell(result, *((choice, choice_module.tags_of(choice), no) for choice, _, no in told))
    return as_truth(result) if all(truths) else result


def _telling(told: list[choice_module.Fact], truths: list[bool], operand: Callable[[], Any]) -> Callable[[], Any]:
    """`operand`, which adds what its truth tells of choices, and whether it is one that Python finds."""

    def telling() -> Any:
        value = operand()
        if type(value) is Tensor:
            told.extend(choice_module.told_by(value))
        return _found(value, truths)

    return telling


def _found(value: Any, truths: list[bool]) -> Any:
    """An operand; of a truth that Python finds what it was made of: most of them are tested, and nothing else."""
    found = as_found(value) if type(value) is Tensor else value
    truths.append(found is not value or type(value) is bool)
    return found


def or_(first: Any, *rest: Callable[[], Any]) -> Any:
    """`first or rest[0]() or ...`: later operands are evaluated only where Python would."""
    for position, operand in enumerate(rest):
        kind = type(first)
        if kind is bool or kind in CERTAIN:
            if first:
                return first
        else:
            test = truth_of(first)
            if is_staged_condition(test):
                return _staged_or(test, first, rest[position:])
            if test:
                return first
        first = operand()
    return first


def not_(x: Any) -> Any:
    """`not x`."""
    if type(x) in CERTAIN:
        return not x
    test = truth_of(x)
    if not is_staged_condition(test):
        return not test
    facts = choice_module.told_by(test)
    return as_truth(choice_module.tell(op.logical_not(test), *((choice, no, yes) for choice, yes, no in facts)))


specials.negation = not_
