"""cond, while_loop and for_loop as blocks of one function: scalars in registers, arrays in slots that stay where they are.

A carried array has a slot of memory. An iteration that makes the new value element by element from the old one writes
into the slot itself; else it writes into a second slot, and the two change places.
"""

from __future__ import annotations

from typing import Any

from runtime.backends.native.errors import Unsupported
from runtime.backends.native.forms import is_held
from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.exprs import (
    Const,
    Deferred,
    Gather,
    Load,
    Map,
    Resolver,
    identity,
    parts_of,
    reductions_in,
)
from runtime.backends.native.lower.function import FunctionLowering, rule
from runtime.backends.native.lower.memory import Array, Buffer
from runtime.backends.native.lower.rules.blocks import in_blocks
from runtime.backends.native.lower.rules.growing import Growing
from runtime.backends.native.lower.rules.islands import Held, converted, copied_held, hold, move
from runtime.backends.native.lower.rules.kernels import pack_weights
from runtime.backends.native.lower.rules.lists import (
    ListRep,
    assign,
    copied,
    is_mine,
    length_of,
    new_list,
    reserve,
)
from runtime.backends.native.lower.rules.logic import as_choice, as_logic, is_choice, is_logic
from runtime.backends.native.lower.rules.turns import (
    Stretch,
    counter,
    either,
    has_items,
    leave_at_break,
    mark_of,
    note_limits,
    note_ranges,
    note_said,
    polls,
)
from runtime.backends.native.lower.scalars import Scalar
from runtime.backends.native.lower.signs import Range, around
from runtime.backends.native.lower.types import LLVM, SIZE, code_of
from runtime.backends.native.lower.values import reads
from runtime.ir.graph import Graph, Node, Value
from runtime.typesys.spec import ListType, ValueType

__all__: list[str] = []



def settled(ctx: FunctionLowering, value: Value) -> Any:
    """What a region is given for a value: nothing that is computed only when asked for."""
    rep = ctx.env[value]
    if not isinstance(rep, Deferred):
        return rep
    if not rep.sizes:
        return ctx.scalar(value)
    if isinstance(rep.expr, Const) and rep.reduce is None and not rep.done:
        return rep
    return ctx.dense(ctx.array(value))


# cond


@rule("cond")
def cond(ctx: FunctionLowering, node: Node) -> None:
    """One of two regions."""
    code = ctx.code
    pred, *inputs = node.inputs
    test = ctx.ops.cast(ctx.scalar(pred), "b1")
    if is_logic(node) and as_logic(ctx, node, test):
        return
    if code.depth and is_choice(node):
        as_choice(ctx, node, test)
        return
    given = [settled(ctx, v) for v in inputs]
    for v, rep in zip(inputs, given, strict=True):
        if isinstance(rep, ListRep) and not is_mine(ctx, v, node):
            given = [copied(ctx, r) if r is rep else r for r in given]
    then, orelse, after = code.label("then"), code.label("else"), code.label("fi")
    targets = _list_targets(ctx, node, given)
    lent = {b for v, r in zip(inputs, given, strict=True) if _is_lent(ctx, v, r, node) for b in r.array.buffers}
    made: set[Buffer] = set()
    code.branch(str(test.reg), then, orelse)
    ends, results = [], []
    between: list[list[Range | None]] = []  # what is known of the results in each
    for label, graph, holds in zip((then, orelse), node.regions, (True, False), strict=True):
        code.begin(label)

        def branch(graph: Graph = graph, holds: bool = holds) -> list[Any]:
            note_said(ctx, node, holds, given)
            reps = _branch(ctx, graph, given, targets, lent, made)
            between.append([code.range_of(rep.reg) if isinstance(rep, Scalar) else None for rep in reps])
            return reps

        results.append(ctx.inside(branch))
        ends.append(code.block)
        code.jump(after)
    code.begin(after)
    ctx.writable |= made
    joined = [
        target if target is not None else _joined(ctx, out, a, b, ends, around([one, other]))
        for out, a, b, target, one, other in zip(node.outputs, *results, targets, *between, strict=True)
    ]
    for out, rep in zip(node.outputs, joined, strict=True):  # sizes are computed from here on: after all phis
        ctx.define(out, _strided(ctx, rep) if isinstance(rep, Array) else rep)


_CHANGES_FIRST = frozenset(
    ("list_append", "list_set", "list_insert", "list_accumulate_at", "list_pop", "list_cast")
)


def _origin(graph: Graph, value: Value) -> int | None:
    """The input of a region whose memory a list of it lies in, as lists are changed in place."""
    while value.node is not None:
        node = value.node
        if node.op.name in _CHANGES_FIRST and value.index == 0:
            value = node.inputs[0]
            continue
        if node.op.name == "cond":
            inner = {_origin(g, g.outputs[value.index]) for g in node.regions}
            source = inner.pop() if len(inner) == 1 else None
            if source is None:
                return None
            value = node.inputs[1 + source]
        elif node.op.name in ("for_loop", "while_loop"):
            value = node.inputs[value.index + (node.op.name == "for_loop")]
        else:
            return None
    return value.index if value.graph is graph else None


def _list_targets(ctx: FunctionLowering, node: Node, given: list[Any]) -> list[Any]:
    """For outputs that are lists: the list that both regions change, or that one does and nothing else keeps (the other
    region's takes its place: a turn that leaves a list alone copies nothing), or a new one."""
    out: list[Any] = []
    origins = [{_origin(g, g.outputs[v.index]) for g in node.regions} for v in node.outputs]
    for value in node.outputs:
        if is_held(value.type):
            out.append(hold(ctx))
            continue
        if not isinstance(value.type, ListType):
            out.append(None)
            continue
        places = origins[value.index] - {None}
        place = places.pop() if len(places) == 1 else None
        shared = sum(place in each for each in origins) > 1
        if shared and None in origins[value.index]:
            place = None
        rep = None if place is None else given[place]
        fits = isinstance(rep, ListRep) and rep.element is not None and not any(rep is t for t in out)
        out.append(rep if fits else new_list(ctx, value.type.element))
    return out


def _is_lent(ctx: FunctionLowering, value: Value, given: Any, node: Node) -> bool:
    """Whether the regions of a node may write into what they are given: nobody looks at the old elements again."""
    return (
        isinstance(given, Deferred)
        and given.array is not None
        and ctx.uses.last.get(value) is node
        and node.inputs.count(value) == 1
        and ctx.may_overwrite(given.array, node)
    )


def _branch(
    ctx: FunctionLowering, graph: Graph, given: list[Any], targets: list[Any], lent: set[Buffer], made: set[Buffer]
) -> list[Any]:
    """Lower one of the regions of a `cond`, which may write into what it is lent; what it allocates is added to `made`."""
    ctx.writable |= lent
    ctx.lists |= {rep for rep in given if isinstance(rep, ListRep)}
    ctx.region(graph, given)
    out: list[Any] = [None] * len(targets)
    for k, (value, target) in enumerate(zip(graph.outputs, targets, strict=True)):
        if target is None:  # before lists lose what they hold
            out[k] = ctx.scalar(value) if ctx.type(value).shape == () else ctx.contiguous(value)
    waiting = [ctx.env[value] for value, target in zip(graph.outputs, targets, strict=True) if target is not None]
    for value, target in zip(graph.outputs, targets, strict=True):
        if target is None:
            continue
        source = waiting.pop(0)
        if isinstance(target, Held):
            move(ctx, target, source, value.type)
            continue
        rep = converted(ctx, source, value.type, ListType(target.element))
        if rep is not target:
            assign(ctx, target, rep, moved=not any(rep is x for x in (*given, *waiting)))
    made |= ctx.writable - lent
    return out


def _joined(
    ctx: FunctionLowering, out: Value, a: Any, b: Any, ends: list[str], between: Range | None
) -> Any:
    code = ctx.code

    def phi(type: str, x: Operand, y: Operand) -> Operand:
        if x == y:
            return x
        return code.op(f"phi {type} [ {x}, %{ends[0]} ], [ {y}, %{ends[1]} ]")

    if isinstance(a, Scalar):
        kind = code_of(ctx.type(out).dtype)
        if a.code != kind or b.code != kind:
            raise Unsupported([("branches of different types", None)])
        joined = Scalar(phi(LLVM[kind], a.reg, b.reg), kind)
        if between is not None and a.reg != b.reg:
            code.ranges[joined.reg] = between
        return joined
    sizes = tuple(phi("i64", x, y) for x, y in zip(a.sizes, b.sizes, strict=True))
    ptr = str(phi("ptr", a.ptr, b.ptr))
    offset = phi("i64", a.offset, b.offset)
    return Array(ptr, a.code, sizes, (), a.buffers | b.buffers, offset)


def _strided(ctx: FunctionLowering, joined: Array) -> Deferred:
    """A joined array, in C order."""
    joined.strides = ctx.code.strides(joined.sizes)
    ctx.memory.touch(joined.buffers)
    return ctx.dense(joined)


# loops


class _Slot:
    """Memory of a carried array, and a second piece that takes turns with it if need be."""

    def __init__(self, ctx: FunctionLowering, init: Value, code: str, sizes: tuple[Operand, ...], node: Node) -> None:
        self.code = code
        self.sizes = sizes
        rep = ctx.env[init]
        if self._takes_over(ctx, init, rep, node):
            self.one = rep.array
        else:
            self.one = ctx.allocate(self.code, self.sizes)
            if isinstance(rep, Deferred) and not rep.done and rep.reduce is None and not rep.must:
                ctx.fill(self.one, ctx.expr(init))
            else:
                ctx.copy(ctx.array(init), self.one)
        self._made = len(ctx.code.lines)
        self.two = ctx.allocate(self.code, self.sizes)
        self.now = ctx.code.fresh("slot")
        self.array = Array(
            self.now, self.code, self.sizes, self.one.strides, self.one.buffers | self.two.buffers
        )
        self.rep = ctx.dense(self.array)
        ctx.memory.touch(self.array.buffers)  # both live from before the loop to its end
        self.free = ""
        self.swapped = ""
        self.taken = ""  # where another slot's value lies that this one has in the next turn, as it is

    def _takes_over(self, ctx: FunctionLowering, init: Value, rep: Any, node: Node) -> bool:
        """Whether the loop may go on in the memory of the first value: nobody else, inside or after it, looks there."""
        if not _is_lent(ctx, init, rep, node) or rep.code != self.code or rep.sizes != self.sizes or rep.array.offset != 0:
            return False
        for value in node.inputs:
            other = ctx.env[value]
            if value is not init and isinstance(other, Deferred):
                memory = reads(other) | (other.array.buffers if other.array is not None else frozenset())
                if memory & rep.array.buffers:
                    return False
        return True

    def close(self, ctx: FunctionLowering) -> str:
        """At the loop's end: where the value lies in the next turn."""
        if self.swapped:
            return self.swapped
        self._drop_second(ctx)
        return self.taken or self.one.ptr

    def _drop_second(self, ctx: FunctionLowering) -> None:
        for buffer in self.two.buffers:  # nobody needs it
            if buffer.size is None:
                lines = ctx.code.lines
                here = next(k for k in range(self._made, len(lines)) if lines[k].startswith(f"  {self.two.ptr} = "))
                lines[here] = f"  {self.two.ptr} = inttoptr i64 1 to ptr"
                ctx.slots.remove(buffer.name)
            else:
                buffer.size = 0

    def begin(self, ctx: FunctionLowering) -> None:
        """In the body's first block: where the other piece of memory is."""
        same = ctx.code.op(f"icmp eq ptr {self.now}, {self.one.ptr}")
        self.free = ctx.code.op(f"select i1 {same}, ptr {self.two.ptr}, ptr {self.one.ptr}")

    def other(self) -> Array:
        """The piece of memory that the present value is not in."""
        self.swapped = self.free
        return Array(self.free, self.code, self.sizes, self.one.strides, self.array.buffers)

    def made(self, code: str, sizes: tuple[Operand, ...]) -> Array | None:
        """The memory for a new value that is made before the body's end."""
        return self.other() if code == self.code and sizes == self.sizes else None


@rule("while_loop", "for_loop")
def loop(ctx: FunctionLowering, node: Node) -> None:
    """Blocks: one with the carried registers and the test, and the body's, which goes back to it."""
    if in_blocks(ctx, node):
        return
    code = ctx.code
    counted = node.op.name == "for_loop"
    body = node.regions[-1]
    ctx.module.items |= has_items(body)
    start = 1 if counted else 0
    inits = node.inputs[start : start + node.carried]
    invariant = [settled(ctx, v) for v in node.inputs[start + node.carried :]]
    outer = list(node.inputs[start + node.carried :])
    pack_weights(ctx, outer, list(body.inputs[len(body.inputs) - len(outer) :]), body)
    count = ctx.number(node.inputs[0]) if counted else 0
    states = [_state(ctx, node, v, body.inputs[start + k], body.outputs[k]) for k, v in enumerate(inits)]
    for k, state in enumerate(states):  # two lists that are one before the loop
        if isinstance(state, ListRep) and any(state is s for s in states[:k]):
            states[k] = copied(ctx, state)
    if counted:
        _make_room(ctx, body, states, count)
    head, inside, after = code.label("loop"), code.label("body"), code.label("after")
    slots = [s for s in states if isinstance(s, _Slot)]
    phis: dict[int, tuple[Scalar, Scalar]] = {}  # state -> (value before, value inside)
    for k, state in enumerate(states):
        if isinstance(state, Scalar):
            phis[k] = state, Scalar(code.fresh("carried"), state.code)
    known = note_ranges(ctx, node, phis)
    asks = polls(ctx, known)
    turn = code.fresh("turn")
    code.ranges[turn] = 0, max(known.turns - 1, 0)
    carried = {str(now.reg): (first.type, str(first.reg)) for first, now in phis.values()}
    carried[turn] = "i64", "0"
    carried |= {slot.now: ("ptr", slot.one.ptr) for slot in slots}
    tells, step = (None if counted else counter(node, phis)) or (turn, 1)
    stretch = Stretch(ctx, carried, tells, step, count if counted else None) if asks else None
    before = code.block
    code.jump(head)
    code.begin(head)
    code.moment += 1
    moment = code.moment
    opened = len(code.lines)  # lines that are written when it is known what the registers become
    for name, (type, _) in carried.items():
        code.promised[name] = type
        code.lines.append("")
    for array in states:
        if isinstance(array, Growing):
            array.open(ctx)
    phi_reps: list[Any] = [
        phis[k][1] if k in phis else s.rep if isinstance(s, (_Slot, Growing)) else s for k, s in enumerate(states)
    ]
    if counted:
        going = code.op(f"icmp slt i64 {turn}, {stretch.last if stretch else count}")
    else:
        going = ctx.inside(lambda: _test(ctx, node.regions[0], [*phi_reps, *invariant]))
    tested = code.block
    code.branch(going, inside, stretch.end if stretch and counted else after)
    code.begin(inside)
    if stretch and not counted:
        stretch.leave_at_last()
    own = [Scalar(turn, "i64")] if counted else []
    marked = _marked(ctx, node, body)

    def run() -> list[Any]:
        note_limits(ctx, node, [*phi_reps, *invariant])
        ctx.writable = {b for s in slots for b in s.array.buffers}
        ctx.lists = {s for s in states if isinstance(s, (ListRep, Held))}
        for state, value in zip(states, body.outputs, strict=True):
            if isinstance(state, _Slot):
                state.begin(ctx)
                if body.outputs.count(value) == 1 and value.node is not None:
                    ctx.outs[value] = state.made
        ctx.region(body, [*own, *phi_reps, *invariant])
        return _carry(ctx, body, states, [v.type for v in body.inputs[start:]])

    code.depth += 1
    finals = ctx.inside(run)
    code.depth -= 1
    for slot in slots:
        ctx.memory.touch(slot.array.buffers)
    if marked:
        code.do(f"call void @ag_arena_back(ptr {ctx.arena}, ptr {marked[0]}, i64 {marked[1]})")
    following = code.op(f"add nuw nsw i64 {turn}, 1")
    stay = all(isinstance(s, Scalar) or (isinstance(s, _Slot) and not s.swapped and not s.taken) for s in states)
    left = leave_at_break(ctx, node, finals, after) if stay and not counted else None
    last = code.block
    code.do(f"br label %{head}{mark_of(ctx, node)}")
    become = {str(now.reg): str(finals[k].reg) for k, (_, now) in phis.items()}
    become[turn] = following
    become |= {slot.now: slot.close(ctx) for slot in slots}
    firsts = stretch.firsts if stretch else {name: first for name, (_, first) in carried.items()}
    for line, (name, (type, _)) in enumerate(carried.items(), opened):
        code.lines[line] = f"  {name} = phi {type} [ {firsts[name]}, %{before} ], [ {become[name]}, %{last} ]"
    if stretch:
        stretch.close(after)
    code.begin(after)
    for k, (_, now) in phis.items() if left is not None else ():
        phi_reps[k] = either(ctx, now, tested, finals[k], str(left))
    ctx.memory.loops.append((moment, code.moment))
    code.moment += 1
    shared = frozenset[Buffer]().union(*(s.array.buffers for s in slots if s.taken))
    for out, rep, state in zip(node.outputs, phi_reps, states, strict=True):
        if isinstance(state, _Slot) and state.taken:
            rep = ctx.dense(Array(state.now, state.code, state.sizes, state.one.strides, shared))
        elif isinstance(state, _Slot) and not state.swapped:  # known to be where it was: an outer loop need not move it
            rep = ctx.dense(state.one)
        ctx.define(out, rep)
        if isinstance(rep, Deferred) and rep.array is not None:
            ctx.memory.touch(rep.array.buffers)


MOST_ROOM = 1 << 30
"""Bytes of a list that are taken before they are needed."""


def _make_room(ctx: FunctionLowering, body: Graph, states: list[Any], count: Operand) -> None:
    """Memory at once for lists that every turn puts one element more into: they would double it again and again."""
    code = ctx.code
    for k, state in enumerate(states):
        grown = body.outputs[k].node
        if not isinstance(state, ListRep) or state.element is None or grown is None or grown.op.name != "list_append":
            continue
        if grown.inputs[0] is not body.inputs[1 + k]:
            continue
        most = MOST_ROOM // max(SIZE[state.code] * state.count, 1)
        if type(count) is int:
            turns: Operand = min(max(count, 0), most)
        else:
            turns = code.op(f"call i64 @llvm.smin.i64(i64 {count}, i64 {most})")
            turns = code.op(f"call i64 @llvm.smax.i64(i64 {turns}, i64 0)")
        reserve(ctx, state, code.op(f"add i64 {length_of(ctx, state)}, {turns}"))


def _marked(ctx: FunctionLowering, node: Node, body: Graph) -> tuple[str, str] | None:
    """How much of the call's memory is in use before a turn, if what the turn takes of it ends with it."""
    start = 1 if node.op.name == "for_loop" else 0  # its index
    carried = body.inputs[start : start + node.carried]
    if not ctx.module.records or any(v in ctx.module.records for v in carried):
        return None
    if not any(n.op.name in ("call", "pack_record") for n in body.walk()):
        return None
    place = ctx.code.op(f"getelementptr i64, ptr {ctx.arena}, i64 1")
    return ctx.code.op(f"load ptr, ptr {ctx.arena}"), ctx.code.op(f"load i64, ptr {place}")


def _state(ctx: FunctionLowering, node: Node, init: Value, inner: Value, last: Value) -> Any:
    """What holds a carried value: `inner` at the beginning of a turn, `last` at its end."""
    if is_held(inner.type):
        return copied_held(ctx, ctx.env[init], init.type)
    if isinstance(inner.type, ListType):
        rep = converted(ctx, ctx.env[init], init.type, inner.type)
        if rep.element is None or not is_mine(ctx, init, node):
            rep = copied(ctx, rep, inner.type.element)
        return rep
    t = ctx.type(inner)
    if t.shape == ():
        x = ctx.scalar(init)
        return Scalar(x.reg, x.code) if x.code == code_of(t.dtype) else ctx.ops.cast(x, code_of(t.dtype))
    sizes: list[Operand | None] = []  # None: it changes
    for size, later, now in zip(t.shape or (), ctx.type(last).shape or (), ctx.sizes(init), strict=True):
        if isinstance(size, int):
            sizes.append(size)
        elif size != later or size in ctx.unsteady or size not in ctx.dims:
            ctx.unsteady.add(size)
            sizes.append(None)
        else:
            known = ctx.dims[size]
            if known != now:  # taken off a list, whose elements say their own sizes
                ctx.code.require(ctx.code.op(f"icmp eq i64 {known}, {now}"), ctx.failure)
            sizes.append(known)
    kind = code_of(t.dtype)
    if any(n is None for n in sizes):
        return Growing(ctx, init, kind, sizes)
    return _Slot(ctx, init, kind, tuple(n for n in sizes if n is not None), node)


def _test(ctx: FunctionLowering, graph: Graph, given: list[Any]) -> str:
    ctx.region(graph, given)
    return str(ctx.ops.cast(ctx.scalar(graph.outputs[0]), "b1").reg)


def _carry(ctx: FunctionLowering, body: Graph, states: list[Any], types: list[ValueType]) -> list[Any]:
    """Put what the body gives into registers and slots."""
    outs = [
        ctx.env[v] if isinstance(s, Held) else converted(ctx, ctx.env[v], v.type, t)
        for v, s, t in zip(body.outputs, states, types, strict=False)
    ]
    finals: list[Any] = [None] * len(states)
    for k, (state, rep) in enumerate(zip(states, outs, strict=True)):
        taken = any(rep is s for s in states) or any(rep is other for other in outs[:k])
        if isinstance(rep, ListRep) and rep is not state and taken:  # lists that change places, or become one
            outs[k] = copied(ctx, rep, state.element)
    _move_held(ctx, body, states, outs)
    for k, (state, value) in enumerate(zip(states, body.outputs, strict=True)):
        if isinstance(state, Scalar):
            finals[k] = ctx.ops.cast(ctx.scalar(value), state.code)
        elif isinstance(state, ListRep) and outs[k] is not state:
            assign(ctx, state, outs[k], moved=True)
    moves = [
        k
        for k, s in enumerate(states)
        if isinstance(s, _Slot)
        and not (
            outs[k] is s.rep
            or (outs[k].done and outs[k].array.ptr in (s.now, s.swapped) and outs[k].array.offset == 0)
        )
    ]
    for k, j in _exchanged(states, outs, moves).items():
        states[k].taken = states[j].now
        moves.remove(k)
    for k in moves:
        for have, want in zip(outs[k].sizes, states[k].sizes, strict=True):
            if have != want:
                ctx.code.require(ctx.code.op(f"icmp eq i64 {have}, {want}"), ctx.failure)
    touched = {k: reads(outs[k]) | (set(outs[k].array.buffers) if outs[k].done else set()) for k in moves}
    plans: list[tuple[int, Array]] = []
    for k in moves:
        slot = states[k]
        others = any(touched[j] & slot.array.buffers for j in moves if j != k)
        if others or not _in_step(ctx, outs[k], slot):
            plans.append((k, slot.other()))
        else:
            plans.append((k, slot.array))
    made = [(s, s.fill(ctx, outs[k])) for k, s in enumerate(states) if isinstance(s, Growing) and outs[k] is not s.rep]
    for k, target in plans:
        rep = outs[k]
        if rep.done or rep.expr is None or ctx.view_of_memory(rep) is not None or rep.code != target.code:
            seen = rep.array if rep.done else ctx.view_of_memory(rep)
            if seen is None:
                ctx.fill(
                    target, Map(lambda x, c=target.code: ctx.ops.cast(x, c), target.code, (rep.as_expr(),), 1)
                )  # type: ignore[misc]
            else:
                ctx.copy(seen, target)
        else:
            ctx.materialize(rep, target)
    for array, sizes in made:
        array.turn(ctx, sizes)
    return finals


def _exchanged(states: list[Any], outs: list[Any], moves: list[int]) -> dict[int, int]:
    """Slots that only exchange what they hold, and with which: pointers change places instead of elements."""
    here = {states[j].now: j for j in moves if not states[j].swapped}
    found: dict[int, int] = {}
    for k in moves:
        array = outs[k].array if outs[k].done else None
        j = here.get(array.ptr) if array is not None and array.offset == 0 and not states[k].swapped else None
        if array is not None and j is not None:
            mine, its = states[k], states[j]
            alike = (mine.code, mine.sizes) == (its.code, its.sizes) == (array.code, array.sizes)
            if alike and array.strides == its.array.strides:
                found[k] = j
    while found and set(found) != set(found.values()):
        found = {k: j for k, j in found.items() if j in found and k in found.values()}
    return found


def _move_held(ctx: FunctionLowering, body: Graph, states: list[Any], outs: list[Any]) -> None:
    """Put what Python holds into the registers of the next time round."""
    moved = [k for k, s in enumerate(states) if isinstance(s, Held) and outs[k] is not s]
    sources = {k: outs[k] for k in moved}
    for k in moved:
        if any(outs[k] is s for s in states) or any(outs[k] is outs[j] for j in moved if j < k):
            sources[k] = copied_held(ctx, outs[k], body.outputs[k].type)
    for k in moved:
        move(ctx, states[k], sources[k], body.outputs[k].type)


def _in_step(ctx: FunctionLowering, rep: Deferred, slot: _Slot) -> bool:
    """Whether a new value reads its slot's old one, if at all, at the very element that it makes."""
    buffers = slot.array.buffers
    if rep.done:
        assert rep.array is not None
        return not rep.array.buffers & buffers
    if not reads(rep) & buffers:
        return True
    if reductions_in(rep.as_expr()):
        return False
    rank = len(rep.sizes)
    own = slot.now, 0, slot.array.strides
    for part in parts_of(Resolver(ctx.code, rank)(rep.as_expr(), identity(rank))):
        if isinstance(part, Gather) and part.buffers & buffers:
            return False
        if isinstance(part, Load) and part.buffers & buffers and (part.ptr, part.offset, part.strides) != own:
            return False
    return True
