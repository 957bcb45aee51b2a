"""while_loop and for_loop as blocks of one function: scalars in registers, arrays in slots that stay where they are.

A carried array has a slot of memory. An iteration that makes the new value element by element from the old one writes
into the slot itself; else it writes into a second slot, and the two change places.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.crossings import Held, converted, copied_held, move
from runtime.backends.native.lower.exprs import (
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
from runtime.backends.native.lower.held_lists import (
    ListRep,
    assign,
    copied,
    is_mine,
    length_of,
    new_list,
    reserve,
)
from runtime.backends.native.lower.memory import Array, Buffer
from runtime.backends.native.lower.rules.ahead import bound_numbers, proved_ahead
from runtime.backends.native.lower.rules.blocks import in_blocks
from runtime.backends.native.lower.rules.branches import is_lent, settled
from runtime.backends.native.lower.rules.growing import Growing
from runtime.backends.native.lower.rules.kernels import pack_weights
from runtime.backends.native.lower.rules.late import Late
from runtime.backends.native.lower.rules.list_memory import as_number, plans_memory
from runtime.backends.native.lower.rules.logic import places_of_items
from runtime.backends.native.lower.rules.turns import (
    Stretch,
    bound_chosen_sums,
    bound_sums,
    bound_sums_before,
    counter,
    either,
    has_items,
    leave_at_break,
    mark_of,
    note_limits,
    note_ranges,
    polls,
    unbroken,
)
from runtime.backends.native.lower.scalars import Scalar
from runtime.backends.native.lower.types import code_of
from runtime.backends.native.lower.values import reads
from runtime.ir.graph import Graph, Node, Value
from runtime.typesys.spec import ListType, ValueType

__all__: list[str] = []


class _Slot:
    """Memory of a carried array, and a second piece that takes turns with it if need be."""

    def __init__(self, ctx: FunctionLowering, init: Value, code: str, sizes: tuple[Operand, ...], node: Node) -> None:
        self.code = code
        self.sizes = sizes
        rep = ctx.env[init]
        if self._takes_over(ctx, init, rep, node):
            self.one = rep.array
        else:
            self.one = ctx.begin_anew(_result_of(node, init), self.code, self.sizes)
            if isinstance(rep, Deferred) and not rep.done and rep.reduce is None and not rep.must:
                ctx.fill(self.one, ctx.expr(init))
            else:
                ctx.copy(ctx.array(init), self.one)
        self._made = len(ctx.code.lines)
        self.two = ctx.allocate(self.code, self.sizes)
        self.buffers = self.one.buffers | self.two.buffers
        ctx.memory.touch(self.buffers)  # both live from before the loop to its end
        # In a turn the one is certainly not the other.
        self.now, free = ctx.code.fresh("slot"), ctx.code.fresh("free")
        self.array = Array(
            self.now, self.code, self.sizes, self.one.strides, frozenset((Buffer(self.now, None, carried=True),))
        )
        self.spare = frozenset((Buffer(free, None, carried=True),))
        self.rep = ctx.dense(self.array)
        self.free = ""
        self.swapped = ""
        self.used = False  # whether something is made in the second piece
        self.taken = ""  # where another slot's value lies that this one has in the next turn, as it is

    def _takes_over(self, ctx: FunctionLowering, init: Value, rep: Any, node: Node) -> bool:
        """Whether the loop may go on in the memory of the first value: nobody else, inside or after it, looks there."""
        if not is_lent(ctx, init, rep, node) or rep.code != self.code or rep.sizes != self.sizes or rep.array.offset != 0:
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
        if not self.used:
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
        self.swapped, self.used = self.free, True
        return Array(self.free, self.code, self.sizes, self.one.strides, self.spare)

    def made(self, code: str, sizes: tuple[Operand, ...]) -> Array | None:
        """The memory for a new value that is made before the body's end."""
        return self.other() if code == self.code and sizes == self.sizes and not self.swapped else None

    def after(self, ctx: FunctionLowering) -> Deferred:
        """The value after the loop."""
        if self.swapped or self.taken:
            return ctx.dense(Array(self.now, self.code, self.sizes, self.one.strides, self.buffers))
        return ctx.dense(self.one)  # known to be where it was: an outer loop need not move it


def _result_of(node: Node, init: Value) -> Value:
    """What a loop makes of a carried value."""
    first = 1 if node.op.name == "for_loop" else 0
    return node.outputs[node.inputs.index(init, first) - first]


def _made_of(graph: Graph, value: Value) -> Iterator[Value]:
    """A value, and those that it is made of in one and the same memory: by loops, by items that are written."""
    while value.node is not None:
        yield value
        node = value.node
        if node.op.name in ("for_loop", "while_loop"):
            value = node.inputs[value.index + (node.op.name == "for_loop")]
        elif node.op.name in ("index_update", "index_add"):
            value = node.inputs[0]
        else:
            return
        if sum(n.inputs.count(value) for n in graph.nodes) + graph.outputs.count(value) != 1:
            return


@rule("while_loop", "for_loop")
def loop(ctx: FunctionLowering, node: Node) -> None:
    """Blocks: one with the carried registers and the test, and the body's, which goes back to it."""
    if in_blocks(ctx, node):
        return
    code = ctx.code
    counted = node.op.name == "for_loop"
    body = node.regions[-1]
    ctx.module.items |= has_items(body)
    ctx.places |= places_of_items(node)
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
    planned = _make_room(ctx, node, body, states, count) if counted else []
    head, inside, after = code.label("loop"), code.label("body"), code.label("after")
    slots = [s for s in states if isinstance(s, _Slot)]
    phis: dict[int, tuple[Scalar, Scalar]] = {}  # state -> (value before, value inside)
    for k, state in enumerate(states):
        if isinstance(state, Scalar):
            phis[k] = state, Scalar(code.fresh("carried"), state.code)
    bound_numbers(ctx, node, invariant)
    known = note_ranges(ctx, node, phis)
    asks = polls(ctx, known)
    turn = code.fresh("turn")
    code.ranges[turn] = 0, max(known.turns - 1, 0)
    outside = ctx.proved
    ctx.proved = outside | proved_ahead(ctx, node, count, turn, _given(states) + invariant)
    carried = {str(now.reg): (first.type, str(first.reg)) for first, now in phis.values()}
    carried[turn] = "i64", "0"
    carried |= {slot.now: ("ptr", slot.one.ptr) for slot in slots}
    tells, step = (None if counted else counter(node, phis)) or (turn, 1)
    stretch = Stretch(ctx, carried, tells, step, count if counted else None) if asks else None
    if stretch:
        bound_sums(ctx, node, stretch, phis, turn if counted else None)
    else:
        bound_sums_before(ctx, node, known, phis, count)
    before = code.block
    code.jump(head)
    code.begin(head)
    code.moment += 1
    moment = code.moment
    opened = len(code.lines)  # lines that are written when it is known what the registers become
    around, code.innermost = code.innermost, (opened, frozenset(carried))
    for name, (type, _) in carried.items():
        code.promised[name] = type
        code.lines.append("")
    late = Late(ctx, node, asks)
    for array in states:
        if isinstance(array, Growing):
            array.open(ctx)
    phi_reps: list[Any] = [
        phis[k][1] if k in phis else s.rep if isinstance(s, Growing) else s for k, s in enumerate(_given(states))
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
        bound_chosen_sums(ctx, node, known, phis)
        ctx.writable = {b for s in slots for b in s.array.buffers | s.spare}
        ctx.lists = {s for s in states if isinstance(s, (ListRep, Held))}
        for state, value in zip(states, body.outputs, strict=True):
            if isinstance(state, _Slot):
                state.begin(ctx)
                if body.outputs.count(value) == 1 and value.node is not None:
                    ctx.outs[value] = state.made
                    ctx.anew.update(dict.fromkeys(_made_of(body, value), state.made))
        ctx.region(body, [*own, *phi_reps, *invariant])
        return _carry(ctx, body, states, [v.type for v in body.inputs[start:]])

    code.depth += 1
    with late:
        finals = ctx.inside(run)
    code.depth -= 1
    code.innermost = around
    ctx.proved = outside
    for slot in slots:
        ctx.memory.touch(slot.buffers)
    if marked:
        code.do(f"call void @ag_arena_back(ptr {ctx.arena}, ptr {marked[0]}, i64 {marked[1]})")
    following = code.op(f"add nuw nsw i64 {turn}, 1")
    stay = all(isinstance(s, Scalar) or (isinstance(s, _Slot) and not s.swapped and not s.taken) for s in states)
    late.end_turn()
    left = leave_at_break(ctx, node, finals, after) if stay and not counted else None
    last = code.block
    code.do(f"br label %{head}{mark_of(ctx, node)}")
    following_of = unbroken(ctx, node, finals, opened, left)
    become = {str(now.reg): following_of[k] for k, (_, now) in phis.items()}
    become[turn] = following
    become |= {slot.now: slot.close(ctx) for slot in slots}
    firsts = stretch.firsts if stretch else {name: first for name, (_, first) in carried.items()}
    for line, (name, (type, _)) in enumerate(carried.items(), opened):
        code.lines[line] = f"  {name} = phi {type} [ {firsts[name]}, %{before} ], [ {become[name]}, %{last} ]"
    late.write(before, last)
    if stretch:
        stretch.close(after, late)
    code.begin(after)
    for k, (_, now) in phis.items() if left is not None else ():
        phi_reps[k] = either(ctx, now, tested, finals[k], str(left))
    late.ask_after(tested, left)
    ctx.memory.loops.append((moment, code.moment))
    code.moment += 1
    shared = frozenset[Buffer]().union(*(s.buffers for s in slots if s.taken))
    for filled in planned:
        filled.known = as_number(count)
    for out, rep, state in zip(node.outputs, phi_reps, states, strict=True):
        if isinstance(state, _Slot):
            state.buffers |= shared if state.taken else frozenset()
            rep = state.after(ctx)
        ctx.define(out, rep)
        if isinstance(rep, Deferred) and rep.array is not None:
            ctx.memory.touch(rep.array.buffers)


def _given(states: list[Any]) -> list[Any]:
    """What a body is given of arrays: where they lie now."""
    return [s.rep if isinstance(s, _Slot) else s for s in states]


MOST_ROOM = 1 << 30
"""Bytes of a list that are taken before they are needed."""


def _make_room(ctx: FunctionLowering, node: Node, body: Graph, states: list[Any], count: Operand) -> list[ListRep]:
    """Memory at once for lists that every turn puts one element more into: they would double it again and again. Those
    whose memory is planned, which then have as many elements as there are turns."""
    code = ctx.code
    planned = []
    for k, state in enumerate(states):
        grown = body.outputs[k].node
        if not isinstance(state, ListRep) or state.element is None or grown is None or grown.op.name != "list_append":
            continue
        if grown.inputs[0] is not body.inputs[1 + k]:
            continue
        if plans_memory(ctx, state, node.inputs[1 + k], node.outputs[k], count):
            planned.append(state)
            continue
        most = MOST_ROOM // state.bytes
        if type(count) is int:
            more: Operand = min(max(count, 0), most)
        else:
            more = code.op(f"call i64 @llvm.smin.i64(i64 {count}, i64 {most})")
            more = code.op(f"call i64 @llvm.smax.i64(i64 {more}, i64 0)")
        reserve(ctx, state, code.op(f"add i64 {length_of(ctx, state)}, {more}"))
    return planned


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
    if ctx.is_held(inner.type):
        return copied_held(ctx, ctx.env[init], init.type)
    if isinstance(inner.type, ListType):
        rep = converted(ctx, ctx.env[init], init.type, inner.type)
        if rep.element is None or not is_mine(ctx, init, node):
            is_new = init.node is not None and init.node.op.name == "list_new"  # nobody has changed what it gives
            rep = new_list(ctx, inner.type.element) if is_new else copied(ctx, rep, inner.type.element)
        rep.known = None
        return rep
    t = ctx.type(inner)
    if t.shape == ():
        x = ctx.scalar(init)
        return Scalar(x.reg, x.code) if x.code == code_of(t.dtype) else ctx.ops.cast(x, code_of(t.dtype))
    sizes: list[Operand | None] = []  # None: it changes
    for size, later, now in zip(t.shape or (), ctx.type(last).shape or (), ctx.sizes(init), strict=True):
        if isinstance(size, int):
            sizes.append(size)
        elif size != later or size in ctx.unsteady:
            ctx.unsteady.add(size)
            sizes.append(None)
        else:
            known = ctx.dims.setdefault(size, now)  # of two arrays made alike, the first one's size has another name
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
            assign(ctx, state, outs[k], moved=outs[k] in ctx.lists)
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
    _settle(ctx, states, outs, moves)
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


def _settle(ctx: FunctionLowering, states: list[Any], outs: list[Any], moves: list[int]) -> None:
    """Leave second pieces of memory free in which something was made, but not the next value."""
    unused = [k for k in moves if states[k].swapped]
    spare = frozenset[Buffer]().union(*(states[k].spare for k in unused))
    for k in unused:
        states[k].swapped = ""
    for k in moves:
        if outs[k].done and outs[k].array.buffers & spare:
            outs[k] = ctx.dense(ctx.copy(outs[k].array))
        elif not outs[k].done and reads(outs[k]) & spare:
            ctx.materialize(outs[k])


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
