"""What is known in a loop of the integers that it carries; and the question, now and then, whether a signal ends it."""

from __future__ import annotations

from typing import Any

from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.function import FunctionLowering
from runtime.backends.native.lower.rules.late import Late
from runtime.backends.native.lower.scalars import Scalar
from runtime.backends.native.lower.signs import (
    Carried,
    Range,
    carried,
    changes,
    flags_of,
    limits,
    ordered,
    said,
)
from runtime.backends.native.lower.widen import ONE_BY_ONE
from runtime.ir.graph import Graph, Node, Value
from runtime.typesys.late import pattern
from runtime.typesys.spec import TensorType

__all__ = [
    "TURNS_BETWEEN_POLLS",
    "Stretch",
    "bound_chosen_sums",
    "bound_sums",
    "bound_sums_before",
    "counter",
    "either",
    "has_items",
    "leave_at_break",
    "mark_of",
    "note_limits",
    "note_ranges",
    "note_said",
    "polls",
    "unbroken",
]

MOST_TURNS = 2**56  # of any loop: more than a processor does in years
TURNS_BETWEEN_POLLS = 65536  # a power of two
MOST_UNPOLLED = 2**20  # turns of a loop inside another that asks
_HALF = 2**62  # how large sums may be at the beginning of a stretch
_MOST_SUM = 2**45  # what a turn of a stretch may add to those
_MOST_SUMMED_TURNS = 2**45 - 2**17  # of loops that have such sums: hours or days
_MOST_BOUNDED_TURNS = 2**40  # of loops whose sums are tested before them
_MOST_BOUNDED_SUM = 2**20  # what a turn of those may add
_SMALL = 2**5  # what a turn may add so that a number stays within 62 bits


def note_ranges(ctx: FunctionLowering, node: Node, numbers: dict[int, tuple[Scalar, Scalar]]) -> Carried:
    """Note between what carried numbers stay, given before the loop and in it."""
    code = ctx.code
    known = carried(node, [_range_of(ctx, ctx.env[v]) for v in node.inputs], ctx.module.carried)
    found = known.ranges
    grown = changes(node)
    for k, (before, now) in numbers.items():
        if k not in found:
            continue
        low, high = found[k]
        begin, change = code.range_of(before.reg), grown.get(k)
        if begin is not None and change is not None and -_SMALL <= change[0] <= change[1] <= _SMALL:
            ends = begin[0] + MOST_TURNS * min(change[0], 0), begin[1] + MOST_TURNS * max(change[1], 0)
            if -(2**62) < ends[0] <= ends[1] < 2**62:
                low, high = max(low, ends[0]), min(high, ends[1])
        code.ranges[now.reg] = low, high
    return known


def note_limits(ctx: FunctionLowering, node: Node, given: list[Any]) -> None:
    """Note in a loop's body what its test has said of numbers."""
    if node.op.name != "while_loop" or not any(isinstance(rep, Scalar) for rep in given):
        return
    for k, (low, high) in limits(node.regions[0], [_range_of(ctx, rep) for rep in given]).items():
        if isinstance(given[k], Scalar):
            ctx.code.narrow(given[k].reg, low, high)


def note_said(ctx: FunctionLowering, node: Node, holds: bool, given: list[Any]) -> None:
    """Note in a branch what the condition has said of numbers that it is given."""
    reps = dict(zip(node.inputs[1:], given, strict=True))
    if not any(isinstance(rep, Scalar) and rep.code[0] == "i" for rep in given):
        return

    def known(value: Value) -> Range | None:
        return _range_of(ctx, ctx.env[value]) if value in ctx.env else None

    for value, (low, high) in said(node.inputs[0], known, holds).items():
        rep = reps.get(value)
        if isinstance(rep, Scalar):
            ctx.code.narrow(rep.reg, low, high)
    for pair in ordered(node.inputs[0], holds):
        one, other = (ctx.env.get(v) for v in pair)
        if isinstance(one, Scalar) and isinstance(other, Scalar) and one.code == other.code == "i64":
            ctx.code.order(one.reg, other.reg)


def _range_of(ctx: FunctionLowering, rep: Any) -> Range | None:
    return ctx.code.range_of(rep.reg) if isinstance(rep, Scalar) and rep.code[0] == "i" else None


def goes_unevenly(node: Node) -> bool:
    """Whether a loop writes items at places that are not a fixed distance apart: vectors would only make it slower, and of
    turns written in a row, LLVM would give each an address of its own that the loop around goes on with."""
    body = node.regions[-1]
    if not any(n.op.name in ("index_update", "list_set") for n in body.walk()):
        return False
    if node.op.name == "for_loop":  # turns of a range times its step
        steps = {v for v in body.inputs[1 + node.carried :] if _is_number(v)}
        return any(n.op.name == "mul" and body.inputs[0] in n.inputs and steps & {*n.inputs} for n in body.nodes)
    for k in range(node.carried):
        step = body.outputs[k].node
        if step is not None and step.op.name in ("add", "sub") and body.inputs[k] in step.inputs:
            other = step.inputs[0] if step.inputs[1] is body.inputs[k] else step.inputs[1]
            if _is_found(other):
                return True
    return False


def _is_found(value: Value) -> bool:
    """Whether an integer is no constant."""
    return _is_number(value) and (value.node is None or value.node.op.name != "constant")


def mark_of(ctx: FunctionLowering, node: Node) -> str:
    """What stands at the branch back to a loop's beginning."""
    if goes_unevenly(node):
        return f", !llvm.loop {ctx.module.as_written()}"
    if ctx.module.shares and _sums_up(node):  # elsewhere LLVM unrolls what it likes
        return f", !llvm.loop {ctx.module.four_at_a_time()}"
    if ctx.code.depth and _only_counts(node):
        return f", !llvm.loop {ctx.module.four_at_a_time()}"
    return ONE_BY_ONE if _is_of_numbers(node) else ""


def has_items(body: Graph) -> bool:
    """Whether a loop's body, its branches included, reads or writes single items of arrays or lists."""
    return any(n.op.name in _OF_ITEMS and _is_item(n) for n in body.walk())


_OF_ITEMS = frozenset(("index", "index_update", "list_get", "list_set"))


def _is_item(node: Node) -> bool:
    kind = (node.outputs[0] if node.op.name in ("index", "list_get") else node.inputs[1 + (node.op.name == "list_set")]).type
    return isinstance(kind, TensorType) and kind.shape == ()


def _is_of_numbers(node: Node) -> bool:
    """Whether the turns of an innermost loop read and write numbers only, in registers, each after the one before."""
    nodes = [n for region in node.regions for n in region.walk()]
    if any(n.op.name.endswith("_loop") for n in nodes):
        return False
    if not all(_is_a_number(v) for n in nodes for v in (*n.inputs, *n.outputs)):
        return False
    if node.op.name == "while_loop":
        return True
    body = node.regions[-1]  # sums of integers may be vectors, those of floating-point numbers have an order
    carried = zip(body.inputs[1 : 1 + node.carried], body.outputs, strict=False)
    return any(now is not after and now.type.dtype.kind == "f" for now, after in carried if _is_a_number(now))  # type: ignore[union-attr]


def _is_a_number(value: Value) -> bool:
    return isinstance(value.type, TensorType) and value.type.shape == ()


_MOST_COUNTED = 12  # nodes of a turn of a `while` of which four are written in a row, each with its test


def _only_counts(node: Node) -> bool:
    """Whether an inner `while` is a few operations on numbers, whose turns nobody can count before."""
    nodes = [n for n in node.regions[-1].walk() if n.op.name != "constant"]
    if node.op.name != "while_loop" or len(nodes) > _MOST_COUNTED or any(n.op.name.endswith("_loop") for n in nodes):
        return False
    if any(n.op.name in _DIVIDES and _by_unknown(n) for n in nodes):
        return False  # it takes longer than all the rest of a turn
    if has_items(node.regions[0]):  # a search, which mostly ends soon
        return False
    return all(_is_a_number(v) for n in nodes for v in (*n.inputs, *n.outputs))


_DIVIDES = frozenset(("floordiv", "mod", "truncatemod", "divmod"))


def _by_unknown(node: Node) -> bool:
    """Whether integers are divided by one that is not known before."""
    return _is_found(node.inputs[1])


_MOST_SUMMED = 24  # nodes of a turn of which four are written in a row


def _sums_up(node: Node) -> bool:
    """Whether an innermost loop of few operations without branches makes a floating-point number of the one before."""
    body = node.regions[-1]
    if node.op.name != "for_loop" or len(body.nodes) > _MOST_SUMMED or any(n.regions for n in body.nodes):
        return False
    kinds = [v.type for v in body.inputs[1 : 1 + node.carried]]
    numbers = [t for t in kinds if isinstance(t, TensorType) and t.shape == () and t.dtype.kind == "f"]
    made = [v.type for n in body.nodes if n.op.name != "index_update" for v in n.outputs]
    return bool(numbers) and all(isinstance(t, TensorType) and t.shape == () for t in made)


def _is_number(value: Value) -> bool:
    return isinstance(value.type, TensorType) and value.type.shape == () and value.type.dtype.kind == "i"


def polls(ctx: FunctionLowering, loop: Carried) -> bool:
    """Whether a loop asks for signals. A counted or short one inside another does not."""
    if ctx.code.depth:
        return loop.turns >= MOST_UNPOLLED and not loop.counted
    return loop.turns >= TURNS_BETWEEN_POLLS


def counter(node: Node, numbers: dict[int, tuple[Scalar, Scalar]]) -> tuple[str, int] | None:
    """A number that a loop carries anyway, which tells its turns; and by what each changes it."""
    for k, (low, high) in changes(node).items():
        if k in numbers and numbers[k][1].code == "i64" and low == high != 0:
            return str(numbers[k][1].reg), low
    return None


def bound_sums(
    ctx: FunctionLowering, node: Node, stretch: Stretch, numbers: dict[int, tuple[Scalar, Scalar]], turn: str | None
) -> None:
    """At the beginning of a stretch: go on only with sums that its turns cannot take out of 64 bits: they need no tests.

    `turn` is the number of a counted loop's turn.
    """
    code = ctx.code
    inputs = [_range_of(ctx, ctx.env[v]) for v in node.inputs]
    if turn is not None:
        count = inputs[0] or (0, MOST_TURNS)
        inputs[0] = min(count[0], _MOST_SUMMED_TURNS), min(count[1], _MOST_SUMMED_TURNS + TURNS_BETWEEN_POLLS)
    sums = {}
    for k, (low, high) in carried(node, inputs, ctx.module.carried).sums.items():
        between = code.range_of(numbers[k][1].reg) if k in numbers else (0, 0)
        if -_MOST_SUM <= low <= high <= _MOST_SUM and (between is None or between[0] < -_HALF or between[1] > _HALF):
            sums[k] = low, high
    for k, (low, high) in sums.items():
        now = str(numbers[k][1].reg)
        moved = code.op(f"add i64 {stretch.firsts[now]}, {_HALF}")
        code.require(code.op(f"icmp ule i64 {moved}, {2 * _HALF}"), ctx.failure)
        ends = -_HALF + TURNS_BETWEEN_POLLS * min(low, 0), _HALF + TURNS_BETWEEN_POLLS * max(high, 0)
        known = code.ranges.get(now, ends)
        code.ranges[now] = max(known[0], ends[0]), min(known[1], ends[1])
    if sums and turn is not None and code.ranges[turn][1] > _MOST_SUMMED_TURNS + TURNS_BETWEEN_POLLS:
        code.require(code.op(f"icmp sle i64 {stretch.firsts[turn]}, {_MOST_SUMMED_TURNS}"), ctx.failure)
        code.ranges[turn] = 0, _MOST_SUMMED_TURNS + TURNS_BETWEEN_POLLS


def bound_sums_before(
    ctx: FunctionLowering, node: Node, known: Carried, numbers: dict[int, tuple[Scalar, Scalar]], count: Operand
) -> None:
    """Before a loop that does not ask for signals: go on only with sums that all its turns cannot take out of 64 bits."""
    code = ctx.code
    if known.turns > _MOST_BOUNDED_TURNS and not known.counted:
        return
    bounded = False
    for k, (low, high) in known.sums.items():
        if k not in numbers or not -_MOST_BOUNDED_SUM <= low <= high <= _MOST_BOUNDED_SUM:
            continue
        first, now = numbers[k]
        between = code.range_of(now.reg)
        if first.code != "i64" or (between is not None and -_HALF <= between[0] <= between[1] <= _HALF):
            continue
        if known.turns > _MOST_BOUNDED_TURNS and not bounded:
            if node.op.name != "for_loop":
                return
            code.require(code.op(f"icmp sle i64 {count}, {_MOST_BOUNDED_TURNS}"), ctx.failure)
            bounded = True
        start = code.range_of(first.reg)
        positive = start is not None and start[0] >= 0
        if start is None or not -_HALF // 2 <= start[0] <= start[1] <= _HALF // 2:
            moved = first.reg if positive else code.op(f"add i64 {first.reg}, {_HALF // 2}")
            code.require(code.op(f"icmp ule i64 {moved}, {_HALF // 2 if positive else _HALF}"), ctx.failure)
        else:
            positive = start[0] >= 0
        ends = 0 if positive and low >= 0 else -_HALF, _HALF
        code.ranges[now.reg] = ends if between is None else (max(between[0], ends[0]), min(between[1], ends[1]))


def bound_chosen_sums(ctx: FunctionLowering, node: Node, known: Carried, numbers: dict[int, tuple[Scalar, Scalar]]) -> None:
    """In a turn: go on only with sums that it cannot take out of 64 bits, where it chooses what to add: one test instead of
    one for each sum, and of which is chosen."""
    code, body = ctx.code, node.regions[-1]
    for k, (low, high) in known.sums.items():
        made = body.outputs[k].node
        if k not in numbers or made is None or made.op.name != "cond" or not -(2**60) <= low <= high <= 2**60:
            continue
        now = numbers[k][1].reg
        between = code.range_of(now)
        if between is not None and -_HALF <= between[0] <= between[1] <= _HALF:
            continue
        positive = between is not None and between[0] >= 0
        moved = now if positive else code.op(f"add i64 {now}, {_HALF}")
        code.require(code.op(f"icmp ule i64 {moved}, {_HALF if positive else 2 * _HALF}"), ctx.failure)
        code.narrow(now, -_HALF, _HALF)


def _ask(ctx: FunctionLowering) -> None:
    code = ctx.code
    ctx.module.declare("declare i64 @ag_poll()", "ag_poll")
    code.require(code.op(f"icmp eq i64 {code.op('call i64 @ag_poll()')}, 0"), ctx.failure)


class Stretch:
    """A loop around another, which goes on for so many turns until signals are asked for: so it has no call in it,
    and one more register that counts at most.

    `carried` has, for each register of the inner loop, its type and what it is at first. Its turns are `count` in all,
    counted by `turn`, or as many as it takes: then `turn` is any number that each turn changes by `step`.
    """

    def __init__(
        self, ctx: FunctionLowering, carried: dict[str, tuple[str, str]], turn: str, step: int, count: Operand | None
    ) -> None:
        code = ctx.code
        self._ctx = ctx
        self._again, self.end = code.label("again"), code.label("end")
        self._before = code.block
        self._carried = carried
        self._turn, self._count = turn, count
        self.firsts = {name: code.fresh("from") for name in carried}
        """What the inner loop's registers are at its beginning."""
        code.jump(self._again)
        code.begin(self._again)
        self._opened = len(code.lines)
        for name, (type, _) in carried.items():
            code.promised[self.firsts[name]] = type
            code.lines.append("")
        known = code.range_of(turn)
        self._grows = step > 0 and known is not None and known[1] < 2**62  # and does not wrap around
        limit = code.op(f"add {'nsw ' if self._grows else ''}i64 {self.firsts[turn]}, {step * TURNS_BETWEEN_POLLS}")
        self.last = limit if count is None else str(code.at_most(limit, count))
        """The turn that the inner loop ends before."""

    def leave_at_last(self) -> None:
        """In a turn of an inner loop without a count: leave it where signals are to be asked for."""
        code = self._ctx.code
        go = code.label("go")
        less = "slt" if self._grows else "ne"
        code.do(f"br i1 {code.op(f'icmp {less} i64 {self._turn}, {self.last}')}, label %{go}, label %{self.end}, !prof !0")
        code.begin(go)

    def close(self, after: str, late: Late) -> None:
        """After the inner loop: ask, and go round again, unless all turns are done."""
        code = self._ctx.code
        code.begin(self.end)
        late.ask()
        if self._count is not None:
            ask = code.label("ask")
            code.branch(code.op(f"icmp slt i64 {self._turn}, {self._count}"), ask, after)
            code.begin(ask)
        _ask(self._ctx)
        for line, (name, (type, first)) in enumerate(self._carried.items(), self._opened):
            code.lines[line] = f"  {self.firsts[name]} = phi {type} [ {first}, %{self._before} ], [ {name}, %{code.block} ]"
        code.jump(self._again)


def leave_at_break(ctx: FunctionLowering, node: Node, finals: list[Scalar | None], after: str) -> str | None:
    """Leave a `while_loop` at the end of the turn that has set a flag without which it does not go on; the block that does.

    Its test would say so at once; but then LLVM would carry the flag, and all that is set with it, through all turns.
    """
    set_now = [finals[k] for k in sorted(flags_of(node.regions[0])) if k < len(finals)]
    flags = [str(f.reg) for f in set_now if f is not None and str(f.reg).startswith("%")]
    if not flags:
        return None
    code = ctx.code
    broken = flags[0]
    for other in flags[1:]:
        broken = code.op(f"or i1 {broken}, {other}")
    on, block = code.label("on"), code.block
    code.branch(broken, after, on)
    code.begin(on)
    return block


_CHOSEN = pattern(r"  (%[\w.]+) = select i1 (%[\w.]+), \S+ ([^,\s]+), \S+ ([^,\s]+)$")
_BOTH = pattern(r"  (%[\w.]+) = (or|and|xor) i1 (%[\w.]+), ([^,\s]+)$")
_WORD = {True: "true", False: "false"}


def unbroken(
    ctx: FunctionLowering, node: Node, finals: list[Scalar | None], opened: int, left: str | None
) -> dict[int, str]:
    """The registers of what a turn makes of numbers where it has set no flag: of a choice by that flag, the one side.

    Else the next turn would wait for what the flag is made of. `opened` is the line that the loop begins at, `left` the
    block that a turn leaves it from which has set one.
    """
    made = {k: str(f.reg) for k, f in enumerate(finals) if f is not None}
    if left is None:
        return made
    choices: dict[str, tuple[str, str, str]] = {}
    logic: dict[str, tuple[str, str, str]] = {}
    for line in ctx.code.lines[opened:]:
        chosen, both = _CHOSEN.match(line), _BOTH.match(line)
        if chosen:
            choices[chosen.group(1)] = chosen.group(2), chosen.group(3), chosen.group(4)
        elif both:
            logic[both.group(1)] = both.group(2), both.group(3), both.group(4)
    truth: dict[str, bool] = {}
    todo = [(made[k], False) for k in flags_of(node.regions[0]) if k in made]
    while todo:
        x, holds = todo.pop()
        truth[x] = holds
        if x in logic:
            word, one, other = logic[x]
            if word == "xor":
                todo += [(one, not holds)] if other == "true" else []
            elif holds == (word == "and"):
                todo += [(one, holds), (other, holds)]
        elif x in choices:  # what a side cannot be tells the test; what both must be, the side
            test, one, other = choices[x]
            if one == _WORD[not holds]:
                todo += [(test, False), (other, holds)]
            elif other == _WORD[not holds]:
                todo += [(test, True), (one, holds)]

    for k, reg in made.items():
        while reg in choices and choices[reg][0] in truth:
            test, one, other = choices[reg]
            reg = one if truth[test] else other
        made[k] = reg
    return made


def either(ctx: FunctionLowering, now: Scalar, tested: str, final: Scalar, left: str) -> Scalar:
    """A number after a loop that ends by its test, with what it was then, or at the end of a turn."""
    result = Scalar(ctx.code.op(f"phi {now.type} [ {now.reg}, %{tested} ], [ {final.reg}, %{left} ]"), now.code)
    if now.reg in ctx.code.ranges:  # of both
        ctx.code.ranges[result.reg] = ctx.code.ranges[now.reg]
    return result
