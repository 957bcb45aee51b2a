"""Loops whose turns go element by element, taken block by block: all turns of one block of elements, then the next block.

The state of a block stays in vector registers from its first turn to its last: it is kept in small arrays on the stack,
whose loops over lanes become single vectors, and LLVM makes registers of those. A block ends early where no element of
it can change any more. Threads share the blocks.
"""

from __future__ import annotations

from typing import Any

from runtime.backends.native.errors import Unsupported
from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.exprs import (
    Affine,
    Const,
    Deferred,
    Expr,
    Gather,
    Load,
    Map,
    Resolver,
    identity,
)
from runtime.backends.native.lower.function import FunctionLowering
from runtime.backends.native.lower.lanes import Turns, turns_of
from runtime.backends.native.lower.memory import Array, Buffer
from runtime.backends.native.lower.nests import GRAIN, HEAVIER, LIGHT, THREADED, Nest
from runtime.backends.native.lower.parts import apart, call_shared, share
from runtime.backends.native.lower.roots import Root
from runtime.backends.native.lower.rules.elementwise import cost_of
from runtime.backends.native.lower.rules.turns import TURNS_BETWEEN_POLLS
from runtime.backends.native.lower.scalars import Scalar
from runtime.backends.native.lower.types import MEMORY, SIZE, code_of
from runtime.ir.graph import Graph, Node, Value
from runtime.ops.kinds import Elementwise
from runtime.typesys.spec import TensorType

__all__ = ["in_blocks"]

VECTOR = 64  # bytes
FEW = 8  # elements that are a block by themselves
TURNS = 32  # that a loop is taken to make where nothing is known
NEAR = 1 << 16  # bytes of the stack within which the thread that called is


def in_blocks(ctx: FunctionLowering, node: Node) -> bool:
    """Lower a loop so, if it can be."""
    start = 1 if node.op.name == "for_loop" else 0
    inits = node.inputs[start : start + node.carried]
    arrays = [v for v in inits if type(v.type) is TensorType and v.type.shape]
    if not arrays or any(not isinstance(ctx.env[v], Deferred) for v in arrays):
        return False
    sizes = ctx.sizes(arrays[0])
    changing = ctx.unsteady.intersection(arrays[0].tensor_type.shape or ())
    if changing or any(ctx.sizes(v) != sizes for v in arrays):
        return False
    count = ctx.code.product(sizes)
    if count == 0:
        return False
    try:
        weight = _weight(node.regions[-1])
        width = _width(node.regions[-1], weight, count)
        turns = turns_of(node, width)
        if turns is None or (turns.broken and any(_is_number(v) and ctx.uses.count.get(v) for v in node.outputs)):
            return False
        _Blocks(ctx, node, turns, sizes, count, width, weight).write()
    except Unsupported:  # a type or an operation without a native form
        return False
    return True


def _is_number(value: Value) -> bool:
    return value.tensor_type.shape == ()


def _weight(body: Graph) -> int:
    """Rough cost of a turn of an element, in thirtieths of a nanosecond (see nests.py)."""
    nodes = [n for n in body.nodes if n.op.name != "constant"]
    return 8 + sum(cost_of(n.op.numpy or n.op.name) if isinstance(n.op, Elementwise) else 1 for n in nodes)


def _width(body: Graph, weight: int, count: Operand) -> int:
    """How many elements a block has."""
    arrays = [v.type for n in body.nodes for v in n.outputs if type(v.type) is TensorType and v.type.shape]
    widest = max([4, *(SIZE[code_of(t.dtype)] for t in arrays)])
    vectors = 4 if weight < LIGHT else 2 if weight < HEAVIER else 1
    width = vectors * VECTOR // widest
    if isinstance(count, int) and count < width:
        return count if count <= FEW else 1 << (count - 1).bit_length()
    return width


class _Lanes(Nest):
    """A loop over the elements of a block, to become vectors as long as it."""

    alone = True
    widens = False  # LLVM keeps a block's vectors in registers from loop to loop where it makes them itself

    def _shared(self) -> None:
        self._registers()
        self._level(0, [])

    def _claims(self, depth: int) -> list[str]:
        module = self.host.module
        return [self._claim] if self.sizes[0] <= FEW else [self._claim, module.in_one_go()]  # type: ignore[operator]


class _Blocks:
    """Writes the loop over blocks. What a loop is given has one number: of the node's inputs, its test's and its body's."""

    def __init__(
        self,
        ctx: FunctionLowering,
        node: Node,
        turns: Turns,
        sizes: tuple[Operand, ...],
        count: Operand,
        width: int,
        weight: int,
    ) -> None:
        self.ctx = ctx
        self.code = ctx.code
        self.node = node
        self.turns = turns
        self.sizes = sizes
        self.count = count
        self.width = width
        self.weight = weight
        self.counted = node.op.name == "for_loop"
        self.start = 1 if self.counted else 0
        self.arrays = [self.start + k for k in turns.arrays]
        self.numbers = [self.start + k for k in range(node.carried) if k not in turns.arrays]
        self.whole = isinstance(count, int) and count >= width  # the last block ends where the array does
        self.blocks = self.code.parts(count, width)
        self.most: Operand = 0  # turns, of counted loops
        self.first: dict[int, Scalar] = {}  # numbers, before the loop
        self.sources: dict[int, Scalar | Array] = {}  # all else that is given and looked at
        self.results: dict[int, Array] = {}
        self.longest = ""  # memory of the number of turns that the block takes which takes most
        self.stopped = ""  # memory of whether something failed

    def write(self) -> None:
        """Write it.

        Raises:
          Unsupported: something in it has no native form; then nothing has been written.
        """
        ctx, code = self.ctx, self.code
        self._try()
        self._prepare()
        touched = (*self.sources.values(), *self.results.values())
        buffers = frozenset(b for a in touched if isinstance(a, Array) for b in a.buffers)
        ctx.memory.touch(buffers)
        self._all()
        ctx.memory.touch(buffers)
        for j, made in self.results.items():
            whole = Array(made.ptr, made.code, self.sizes, code.strides(self.sizes), made.buffers)
            ctx.define(self.node.outputs[j - self.start], ctx.dense(whole))
        if any(ctx.uses.count.get(self.node.outputs[j - self.start]) for j in self.numbers):
            self._count_again()

    def _try(self) -> None:
        """Lower a turn and forget it: what has no native form shows now."""
        ctx, code = self.ctx, self.code
        for value in self.node.inputs[self.start :]:
            have = ctx.sizes(value)
            own = self.sizes[len(self.sizes) - len(have) :]
            if len(have) > len(self.sizes) or any(a not in (1, b) for a, b in zip(have, own, strict=True)):
                raise Unsupported([("an array that may not be as large as the state", None)])
        kept = code.lines, code.prologue, code.block, ctx.strict
        code.lines, code.prologue, ctx.strict = [], [], True
        try:
            for graph in filter(None, (self.turns.test, self.turns.body)):
                given = {}
                for j, value in enumerate(graph.inputs):
                    any_number = Scalar("undef", kind_of(value))
                    given[j] = any_number if value.tensor_type.shape == () else self._everywhere(any_number)
                ctx.inside(lambda graph=graph, given=given: self._region(graph, code.fresh("turn"), given))  # type: ignore[misc]
        finally:
            code.lines, code.prologue, code.block, ctx.strict = kept

    # Before the loop

    def _prepare(self) -> None:
        """Bring what the loop is given where the blocks find it."""
        ctx, code = self.ctx, self.code
        body, test = self.turns.body, self.turns.test
        looked_at = {v for n in body.nodes for v in n.inputs} | set(body.outputs)
        if test is not None:
            looked_at |= {v for n in test.nodes for v in n.inputs} | set(test.outputs)
        if self.counted:
            self.most = ctx.number(self.node.inputs[0])
        for j in range(self.start, len(body.inputs)):
            value = self.node.inputs[j]
            inner = {body.inputs[j]} if test is None else {body.inputs[j], test.inputs[j]}
            if j in self.numbers:
                self.first[j] = ctx.ops.cast(ctx.scalar(value), kind_of(body.inputs[j]))
            elif j in self.arrays or inner & looked_at:
                self.sources[j] = self._elements(value) if value.tensor_type.shape else ctx.scalar(value)
        for j in self.arrays:
            if self.whole:
                self.results[j] = ctx.allocate(kind_of(body.inputs[j]), self.sizes, self.node.outputs[j - self.start])
            else:
                self.results[j] = ctx.allocate(kind_of(body.inputs[j]), (code.mul(self.blocks, self.width),))

    def _elements(self, value: Value) -> Scalar | Array:
        """An array as one axis in memory, or the number that all its elements are."""
        ctx = self.ctx
        rep = ctx.env[value]
        if isinstance(rep, Deferred) and isinstance(rep.expr, Const) and rep.reduce is None and not rep.done:
            return rep.expr.scalar
        have = ctx.sizes(value)
        if have == self.sizes:
            array = ctx.contiguous(value)
        else:
            ctx.array(value)  # it may be a reduction
            array = ctx.allocate(code_of(ctx.type(value).dtype), self.sizes)
            ctx.fill(array, ctx.viewed(value, ctx.onto(have, self.sizes)))
        return Array(array.ptr, array.code, (self.count,), (1,), array.buffers, array.offset)

    def _all(self) -> None:
        """The blocks, by threads where that is worth while."""
        code, module = self.code, self.ctx.module
        self.longest, self.stopped = code.alloca("i64"), code.alloca("i64")
        code.do(f"store i64 0, ptr {self.longest}")
        turns = min(self.most, TURNS) if isinstance(self.most, int) and self.counted else TURNS
        each = self.width * self.weight * max(turns, 1)
        if isinstance(self.count, int):
            threads = self.blocks != 1 and self.count * self.weight * max(turns, 1) >= THREADED
        else:
            threads = code.depth == 0
        if not threads and not module.shares:
            self._over(0, self.blocks, "")
            return
        code.do(f"store i64 0, ptr {self.stopped}")
        failure = self.ctx.failure
        first, end = ("%lo", "%hi") if threads else (0, self.blocks)

        def write() -> None:
            stop, leave = code.label("stop"), code.label("leave")
            self.ctx.failure = self.ctx.checked.failure = stop
            self._over(first, end, leave)
            code.jump(leave)
            code.begin(stop)
            code.do(f"store atomic i64 1, ptr {self.stopped} monotonic, align 8")
            code.jump(leave)
            code.begin(leave)

        part = apart(code, write)
        self.ctx.failure = self.ctx.checked.failure = failure
        if threads:
            share(code, module, part, self.blocks, max(GRAIN // each, 1))
        else:  # in large programs, as nests are
            call_shared(code, module, part)
        code.require(code.op(f"icmp eq i64 {code.op(f'load i64, ptr {self.stopped}')}, 0"), failure)

    # The blocks

    def _over(self, first: Operand, end: Operand, leave: str) -> None:
        """Blocks from one to before another; with a place to leave for, they are a thread's."""
        code = self.code
        with code.counted(first, end) as number:
            base = code.mul(number, self.width)
            if self.whole:
                assert isinstance(self.count, int)
                base = code.at_most(base, self.count - self.width)
            self._block(base, leave)

    def _block(self, base: Operand, leave: str) -> None:
        """All turns of a block."""
        ctx, code = self.ctx, self.code
        local: dict[int, Any] = {}  # what is given, of this block
        for j, source in self.sources.items():
            value = self.turns.body.inputs[j]
            if isinstance(source, Scalar) and j not in self.arrays:
                local[j] = self._everywhere(source) if value.tensor_type.shape else source
                continue
            mine = self._place(kind_of(value))
            self._lanes([Root(self._read(source, base), mine, (1,))])
            local[j] = ctx.dense(mine)
        head, inside, after = code.label("loop"), code.label("body"), code.label("after")
        before = code.block
        code.jump(head)
        code.begin(head)
        turn, following = code.fresh("turn"), code.fresh("following")
        numbers = {j: Scalar(code.fresh("carried"), x.code) for j, x in self.first.items()}
        place = self._open(numbers)
        given = {**local, **numbers}
        code.branch(self._goes_on(turn, given), inside, after)
        code.begin(inside)
        code.depth += 1
        finals, live = ctx.inside(lambda: self._turn(turn, given))
        code.depth -= 1
        if live is not None:
            on = code.label("on")
            code.branch(live, on, after)
            code.begin(on)
        self._poll(turn, leave)
        self._close(place, head, before, turn, following, numbers, finals)
        code.begin(after)
        for j, target in self.results.items():
            to = Array(target.ptr, target.code, (self.width,), (1,), target.buffers, code.add(target.offset, base))
            self._lanes([Root(self._read(local[j].array, 0), to, (1,))])
        if self.turns.ends:
            code.do(f"atomicrmw max ptr {self.longest}, i64 {turn} monotonic")

    def _open(self, numbers: dict[int, Scalar]) -> int:
        """Room for the lines that define the numbers of a turn, and its own."""
        code = self.code
        for x in numbers.values():
            code.promised[str(x.reg)] = x.type
        code.lines += [""] * (len(numbers) + 1)
        return len(code.lines) - len(numbers) - 1

    def _close(
        self,
        place: int,
        head: str,
        before: str,
        turn: str,
        following: str,
        numbers: dict[int, Scalar],
        finals: dict[int, Scalar],
    ) -> None:
        """Go back to the next turn."""
        code = self.code
        code.do(f"{following} = add nuw nsw i64 {turn}, 1")
        last = code.block
        code.jump(head)
        code.lines[place] = f"  {turn} = phi i64 [ 0, %{before} ], [ {following}, %{last} ]"
        for line, (j, x) in enumerate(numbers.items(), place + 1):
            first = self.first[j].reg
            code.lines[line] = f"  {x.reg} = phi {x.type} [ {first}, %{before} ], [ {finals[j].reg}, %{last} ]"

    def _place(self, kind: str) -> Array:
        """Memory for the elements of a block, of which LLVM makes registers."""
        name = self.code.alloca(f"[{self.width} x {MEMORY[kind]}]", "lanes", 64)
        return Array(name, kind, (self.width,), (1,), frozenset((Buffer(name, None),)))

    def _everywhere(self, x: Scalar) -> Deferred:
        return Deferred(Const(x), x.code, (self.width,))

    def _read(self, source: Scalar | Array, base: Operand) -> Expr:
        """The elements of a block of some source."""
        if isinstance(source, Scalar):
            return Const(source)
        code = self.code
        if self.whole or source.sizes == (self.width,):
            return Load(source.ptr, source.code, code.add(source.offset, base), (1,), source.buffers)
        ops, last = self.ctx.ops, Scalar(code.sub(self.count, 1), "i64")
        at = Map(lambda i: ops.minimum(i, last), "i64", (Affine(base, (1,)),), 1)
        return Gather(source.ptr, source.code, source.offset, (0,), ((at, 1),), source.buffers)

    def _lanes(self, roots: list[Root]) -> None:
        _Lanes(self.ctx, (self.width,), roots).emit()

    # A turn

    def _goes_on(self, turn: str, given: dict[int, Any]) -> str:
        """Whether a turn follows, as far as numbers say."""
        test = self.turns.test
        if test is None:
            return self.code.op(f"icmp slt i64 {turn}, {self.most}")
        return str(self.ctx.inside(lambda: self._region(test, turn, given).cast(test.outputs[0], "b1")).reg)

    def _region(self, graph: Graph, turn: str, given: dict[int, Any]) -> _Region:
        """Lower the test or the body; what is not looked at needs no meaning."""
        nothing = Scalar("undef", "i64")
        reps = [given.get(j, nothing) for j in range(len(graph.inputs))]
        if self.counted:
            self.code.ranges[turn] = 0, 2**56
            reps[0] = Scalar(turn, "i64")
        self.ctx.region(graph, reps)
        return _Region(self.ctx)

    def _turn(self, turn: str, given: dict[int, Any]) -> tuple[dict[int, Scalar], str | None]:
        """The body: numbers after it, and whether elements may change yet."""
        ctx, code, body = self.ctx, self.code, self.turns.body
        region = self._region(body, turn, given)
        finals = self._finals(region)
        roots = []
        for j in self.arrays:
            rep = ctx.env[body.outputs[j - self.start]]
            if rep is not given[j]:
                mine = given[j].array
                expr = region.expr(body.outputs[j - self.start])
                roots.append(Root(expr, mine, (1,)))
        if self.turns.live is None:
            if roots:
                self._lanes(roots)
            return finals, None
        answer = Array(code.alloca("i8"), "b1", (), (), frozenset())
        roots.append(Root(region.expr(body.outputs[-1]), answer, (0,), "any" if self.turns.live else "all"))
        self._lanes(roots)
        seen = code.op(f"load i8, ptr {answer.ptr}")
        live = code.op(f"icmp {'ne' if self.turns.live else 'eq'} i8 {seen}, 0")
        if not self.turns.first:
            live = code.op(f"or i1 {live}, {code.op(f'icmp eq i64 {turn}, 0')}")
        return finals, live

    def _finals(self, region: _Region) -> dict[int, Scalar]:
        """The numbers after a turn."""
        return {j: region.cast(self.turns.body.outputs[j - self.start], x.code) for j, x in self.first.items()}

    def _poll(self, turn: str, leave: str) -> None:
        """Ask now and then whether a signal ends the loop: only who called may, and the others look whether it did."""
        code = self.code
        if self.counted and code.depth:
            return
        self.ctx.module.declare("declare i64 @ag_poll()", "ag_poll")
        ask, on = code.label("ask"), code.label("on")
        turns = code.op(f"and i64 {turn}, {TURNS_BETWEEN_POLLS - 1}")
        quiet = code.op(f"icmp ne i64 {turns}, {TURNS_BETWEEN_POLLS - 1}")
        code.do(f"br i1 {quiet}, label %{on}, label %{ask}, !prof !0")
        code.begin(ask)
        if leave:
            look, me = code.label("look"), code.label("me")
            stopped = code.op(f"load atomic i64, ptr {self.stopped} monotonic, align 8")
            code.branch(code.op(f"icmp ne i64 {stopped}, 0"), leave, look)
            code.begin(look)
            here = code.op(f"ptrtoint ptr {code.alloca('i64')} to i64")
            there = code.op(f"ptrtoint ptr {self.stopped} to i64")
            away = code.op(f"sub i64 {code.op(f'add i64 {there}, {NEAR}')}, {here}")
            code.branch(code.op(f"icmp ult i64 {away}, {2 * NEAR}"), me, on)
            code.begin(me)
        code.require(code.op(f"icmp eq i64 {code.op('call i64 @ag_poll()')}, 0"), self.ctx.failure)
        code.jump(on)
        code.begin(on)

    # After the loop

    def _count_again(self) -> None:
        """What numbers come to: the loop once more without its arrays, as many turns as the longest block took."""
        ctx, code = self.ctx, self.code
        most: Operand | None = self.most if self.counted else None
        if self.turns.ends:
            most = code.op(f"load i64, ptr {self.longest}")
        head, inside, after = code.label("loop"), code.label("body"), code.label("after")
        turn, following = code.fresh("turn"), code.fresh("following")
        numbers = {j: Scalar(code.fresh("carried"), x.code) for j, x in self.first.items()}
        before = code.block
        code.jump(head)
        code.begin(head)
        place = self._open(numbers)
        given: dict[int, Any] = {j: x for j, x in self.sources.items() if isinstance(x, Scalar)} | numbers
        for j, value in enumerate(self.turns.body.inputs):
            if value.tensor_type.shape:
                given[j] = self._everywhere(Scalar("undef", kind_of(value)))
        going = self._goes_on(turn, given) if most is None else code.op(f"icmp slt i64 {turn}, {most}")
        code.branch(going, inside, after)
        code.begin(inside)
        finals = ctx.inside(lambda: self._finals(self._region(self.turns.body, turn, given)))
        self._close(place, head, before, turn, following, numbers, finals)
        code.begin(after)
        for j, x in numbers.items():
            ctx.define(self.node.outputs[j - self.start], x)


class _Region:
    """Values of a region that was lowered."""

    def __init__(self, ctx: FunctionLowering) -> None:
        self.ctx = ctx
        self._resolver = Resolver(ctx.code, 1)

    def cast(self, value: Value, kind: str) -> Scalar:
        """A number, as another type."""
        return self.ctx.ops.cast(self.ctx.scalar(value), kind)

    def expr(self, value: Value) -> Expr:
        """The elements of a value."""
        return self._resolver(self.ctx.expr(value), identity(1))


def kind_of(value: Value) -> str:
    """The code of the elements of a value."""
    return code_of(value.tensor_type.dtype)
