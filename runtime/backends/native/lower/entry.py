"""A graph as one LLVM module: the entry point that reads inputs from slots and writes outputs to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runtime.backends.native import pool
from runtime.backends.native.errors import Unsupported
from runtime.backends.native.forms import is_held, is_rows
from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.crossings import Held, converted, hold, move
from runtime.backends.native.lower.exprs import Deferred
from runtime.backends.native.lower.function import FunctionLowering
from runtime.backends.native.lower.held_lists import ListRep, copied, length_of, new_list, reserve
from runtime.backends.native.lower.low_bits import wrapping
from runtime.backends.native.lower.memory import Array, Buffer
from runtime.backends.native.lower.module import Lowered, Module
from runtime.backends.native.lower.records import addressed
from runtime.backends.native.lower.row_lists import rows_are_native, taken_inside
from runtime.backends.native.lower.scalars import Scalar
from runtime.backends.native.lower.types import MEMORY, SIZE, code_of
from runtime.ir.graph import Graph, Value
from runtime.passes.complex_parts import split_complex
from runtime.typesys.shapes import Dim
from runtime.typesys.spec import ListType

__all__ = ["lower"]

LARGE = 50  # nodes from which on loops of the same text are compiled once


def lower(graph: Graph) -> Lowered:
    """The LLVM IR of a graph.

    Raises:
      Unsupported: something has no native rule; it is named, with its place in the user's source.
    """
    module = Module()
    graph, module.records = addressed(split_complex(graph))
    module.rows = not module.records and rows_are_native(graph)
    if module.rows:
        graph = taken_inside(graph)
    module.shares = sum(1 for _ in graph.walk()) > LARGE
    work = _Entry(graph, module)
    work.write()
    out = Lowered(module.text(), [v.type for v in graph.inputs], [v.type for v in graph.outputs])
    out.out_dims = work.out_dims
    out.constants = module.constants
    out.symbols = module.symbols
    out.big = work.ctx.big
    out.frame = work.ctx.memory.frame
    out.islands = module.islands
    out.calls = bool(module.called)
    out.pays = not module.islands or _weight(graph, None) >= _CROSSING * _weight(graph, {i.node for i in module.islands})
    out.needs_environment = module.needs_environment
    return out


_ARENA = "  %arena = alloca {ptr, i64}", "  store {ptr, i64} zeroinitializer, ptr %arena"
_CROSSING = 8  # operations of the NumPy plan that take as long as an island's crossing
_TURNS = 10  # what a loop is taken to go round


def _weight(graph: Graph, among: set[Any] | None, turns: int = 1) -> int:
    """How many operations run, all or some, where loops go round a few times."""
    total = 0
    for node in graph.nodes:
        total += turns * ((among is None and node.op.name != "constant") or (among is not None and node in among))
        inner = turns * _TURNS if node.op.name in ("for_loop", "while_loop") else turns
        total += sum(_weight(r, among, inner) for r in node.regions)
    return total


class _Entry:
    """Writes `ag_run`."""

    def __init__(self, graph: Graph, module: Module) -> None:
        self.graph = graph
        self.module = module
        self.ctx = FunctionLowering(module, graph.functions)
        self.known: dict[Operand, tuple[int, int]] = {}  # sizes that come with inputs
        self.out_dims: list[Any] = [None] * len(graph.outputs)
        self.out_slots: list[int] = []
        self.heads: list[str] = []
        self.constants_at = 0

    def write(self) -> None:
        ctx, code = self.ctx, self.ctx.code
        code.promised.update({"%in": "ptr", "%limit": "i64", "%held.next": "i64", "%arena": "ptr"})
        code.once = True
        code.begin("start")
        reps = self._inputs()
        slot = 0
        for k, value in enumerate(self.graph.outputs):
            self.out_slots.append(slot)
            if is_held(value.type):
                slot += 1
                continue
            if isinstance(value.type, ListType):
                slot += 2
                continue
            slot += 1 + len(ctx.type(value).shape or ())
            if ctx.type(value).shape != () and value not in ctx.outs:
                ctx.bindable.add(value)
                ctx.outs[value] = lambda c, sizes, k=k: self._made(k, c, sizes)  # type: ignore[misc]
        ctx.low = wrapping(self.graph)
        for k, value in enumerate(self.graph.inputs):
            reps[k] = converted(ctx, reps[k], value.type, value.type) if is_rows(value.type) else reps[k]
        ctx.region(self.graph, reps)
        self._outputs()
        code.do("store i64 0, ptr %status")
        code.jump("cleanup")
        code.begin(ctx.failure)
        code.do("store i64 1, ptr %status")
        code.jump("cleanup")
        code.begin("cleanup")
        if self.module.records:
            code.do("call void @ag_arena_back(ptr %arena, ptr null, i64 0)")
        for s in ctx.slots:
            code.do(f"call void @ag_drop(ptr {s})")
        for rep in ctx.rows:
            code.do(f"call void @ag_rows_drop(ptr {rep.slot}, i64 {rep.depth - 1})")
        ctx.memory.lay_out()
        frame = ctx.memory.frame
        if frame:
            back = f"ag_frame_back(ptr @{pool.KEPT}, " if frame < pool.LARGE else "ag_give("
            code.do(f"call void @{back}ptr %frame)")
        result = code.op("load i64, ptr %status")
        code.do(f"ret i64 {result}")
        if self.module.lower_called is not None:
            ctx.big |= self.module.lower_called(self.module, ctx.functions, self.constants_at)
        lines = [
            "define i64 @ag_run(ptr %in, ptr %out) {",
            "entry:",
            "  %status = alloca i64",
            *(_ARENA if self.module.records else ()),
            *code.prologue,
        ]
        if frame:
            take = f"ag_frame(ptr @{pool.KEPT}, " if frame < pool.LARGE else "ag_take("
            lines.append(f"  %frame = call ptr @{take}i64 {frame})")
        else:
            lines.append("  %frame = getelementptr i8, ptr null, i64 0")
        lines += self.module.passed(self.constants_at)
        if self.module.called:
            lines += [
                f"  %held.next = add i64 0, {ctx.registers}",
                "  %stack = call ptr @llvm.stacksave.p0()",
                "  %stack.at = ptrtoint ptr %stack to i64",
                "  %stack.place = getelementptr i64, ptr %environment, i64 1",
                "  %stack.bytes = load i64, ptr %stack.place",
                "  %limit = sub i64 %stack.at, %stack.bytes",
            ]
        lines += [*self.heads, *ctx.memory.definitions()]
        if frame:
            lines += ["  %empty = icmp eq ptr %frame, null", "  br i1 %empty, label %nothing, label %start"]
            lines += ["nothing:", "  ret i64 2"]
        else:
            lines.append("  br label %start")
        self.module.functions.append("\n".join([*lines, *code.lines, "}"]))

    def _inputs(self) -> list[Any]:
        ctx, code = self.ctx, self.ctx.code
        reps: list[Any] = []
        slot = 0

        def read(type: str, hint: str) -> str:
            nonlocal slot
            place = code.op(f"getelementptr i64, ptr %in, i64 {slot}")
            slot += 1
            return code.op(f"load {type}, ptr {place}", hint)

        for k, value in enumerate(self.graph.inputs):
            if is_held(value.type):
                slot += 1
                self.module.needs_environment = True
                reps.append(hold(ctx))  # Python puts them into the first registers
                continue
            if isinstance(value.type, ListType):
                given = new_list(ctx, value.type.element)
                code.do(f"store ptr {read('ptr', 'x')}, ptr {given.slot}")
                code.do(f"store i64 {read('i64', 'n')}, ptr {given.length}")
                reps.append(given)
                continue
            t = ctx.type(value)
            kind = code_of(t.dtype)
            if t.shape == ():
                raw = read(MEMORY[kind], "x")
                reps.append(Scalar(code.op(f"icmp ne i8 {raw}, 0") if kind == "b1" else raw, kind))
                continue
            ptr = read("ptr", "x")
            ctx.arguments.add(ptr)
            sizes: list[Operand] = []
            for axis, size in enumerate(t.shape or ()):
                if not isinstance(size, Dim):
                    slot += 1
                    sizes.append(size)
                    continue
                n = read("i64", "n")
                if size in ctx.dims:
                    code.require(code.op(f"icmp eq i64 {n}, {ctx.dims[size]}"), ctx.failure)
                    sizes.append(ctx.dims[size])
                else:
                    ctx.dims[size] = n
                    self.known[n] = (k, axis)
                    sizes.append(n)
            shape = tuple(sizes)
            reps.append(
                ctx.dense(Array(ptr, kind, shape, code.strides(shape), frozenset((Buffer(ptr, None),))))
            )
        self.constants_at = slot
        return reps

    def _made(self, k: int, code: str, sizes: tuple[Operand, ...]) -> Array | None:
        """Memory that the caller makes for an output, if its sizes are known when it is called."""
        ctx = self.ctx
        want = code_of(ctx.type(self.graph.outputs[k]).dtype)
        if code != want or not all(isinstance(n, int) or n in self.known for n in sizes):
            return None
        self.out_dims[k] = tuple(n if isinstance(n, int) else self.known[n] for n in sizes)
        ptr, buffer = self._pointer(k), Buffer(f"out{k}", None)
        count = ctx.code.product(sizes)
        if isinstance(count, int):
            ctx.memory.lent.append((buffer, ptr, count * SIZE[code]))
        return Array(ptr, code, sizes, ctx.code.strides(sizes), frozenset((buffer,)))

    def _pointer(self, k: int) -> str:
        name = f"%out{k}.ptr"
        if not any(line.startswith(f"  {name} = ") for line in self.heads):
            self.heads.append(f"  %out{k}.place = getelementptr i64, ptr %out, i64 {self.out_slots[k]}")
            self.heads.append(f"  {name} = load ptr, ptr %out{k}.place")
        return name

    def _place(self, slot: int) -> str:
        return self.ctx.code.op(f"getelementptr i64, ptr %out, i64 {slot}")

    def _outputs(self) -> None:
        ctx, code = self.ctx, self.ctx.code
        for value in self.graph.outputs:  # first what waits, straight into its place
            rep = ctx.env[value]
            if isinstance(rep, Deferred) and rep.sizes and not rep.done and ctx.view_of_memory(rep) is None:
                if value in ctx.outs and rep not in ctx.targets:
                    ctx.targets[rep] = value
                ctx.materialize(rep)
        lists = [ctx.env[value] for value in self.graph.outputs]
        handed_over = {rep.slot: k for k, rep in enumerate(lists) if isinstance(rep, ListRep)}  # by the last that has it
        for k, value in enumerate(self.graph.outputs):
            rep = converted(ctx, ctx.env[value], value.type, value.type)
            if is_held(value.type) and not isinstance(rep, Held):  # Python makes lists of lists
                rep, given = hold(ctx), rep
                move(ctx, rep, given, value.type)
            if isinstance(rep, Held):
                code.do(f"store i64 {rep.register}, ptr {self._place(self.out_slots[k])}")
                continue
            if isinstance(rep, ListRep):
                self._deliver_list(self.out_slots[k], copied(ctx, rep) if handed_over.get(rep.slot, k) > k else rep)
                continue
            t = ctx.type(value)
            kind = code_of(t.dtype)
            if t.shape == ():
                x = ctx.ops.cast(ctx.scalar(value), kind)
                whole = x.reg if kind != "b1" else code.op(f"zext i1 {x.reg} to i8")
                code.do(f"store {MEMORY[kind]} {whole}, ptr {self._place(self.out_slots[k])}")
                continue
            if not isinstance(rep, Deferred):
                raise Unsupported([("a result that is no tensor", None)])
            if rep.array is not None and rep.array.ptr == f"%out{k}.ptr":
                continue
            self._deliver(k, value, kind)

    def _deliver_list(self, slot: int, rep: ListRep) -> None:
        """Hand a list's memory over to the caller."""
        ctx, code = self.ctx, self.ctx.code
        if rep.element is None:
            code.do(f"store {{i64, i64}} zeroinitializer, ptr {self._place(slot)}")
            return
        n = length_of(ctx, rep)
        ptr = reserve(ctx, rep, n, given_away=True)  # its own, if it was borrowed
        code.do(f"store {{ptr, i64}} zeroinitializer, ptr {rep.slot}")
        code.do(f"store ptr {ptr}, ptr {self._place(slot)}")
        code.do(f"store i64 {n}, ptr {self._place(slot + 1)}")

    def _copied(self, array: Array, kind: str, sizes: tuple[Operand, ...], size: Operand) -> str:
        """A copy of an array in memory of its own."""
        ctx, code = self.ctx, self.ctx.code
        ptr = code.op(f"call ptr @ag_take(i64 {size})")
        code.require(code.op(f"icmp ne ptr {ptr}, null"), ctx.failure)
        ctx.copy(array, Array(ptr, kind, sizes, code.strides(sizes), frozenset()))
        return ptr

    def _handed_over(self, array: Array, copy: Callable[[], str]) -> str:
        """The memory of an array, where a slot owns it that nobody needs any more; else a copy."""
        ctx, code = self.ctx, self.ctx.code
        slots = [b.name for b in array.buffers if b.name in ctx.slots]
        lists = [r for r in map(ctx.env.get, self.graph.outputs) if isinstance(r, ListRep)]
        needed = any(r.slot in slots or r.buffers & array.buffers for r in lists)
        if len(slots) != 1 or needed or array.offset != 0 or not ctx.is_contiguous(array):
            return copy()
        held = code.op(f"load ptr, ptr {slots[0]}")
        place = code.op(f"getelementptr i64, ptr {slots[0]}, i64 1")
        owned = code.op(f"icmp ne i64 {code.op(f'load i64, ptr {place}')}, 0")
        same = code.op(f"icmp eq ptr {held}, {array.ptr}")
        give, other, after = code.label("give"), code.label("copy"), code.label("given")
        code.branch(code.op(f"and i1 {owned}, {same}"), give, other)
        code.begin(give)
        code.do(f"store {{ptr, i64}} zeroinitializer, ptr {slots[0]}")
        code.jump(after)
        code.begin(other)
        with code.scope():
            copied = copy()
        last = code.block
        code.jump(after)
        code.begin(after)
        return code.op(f"phi ptr [ {held}, %{give} ], [ {copied}, %{last} ]", "p")

    def _deliver(self, k: int, value: Value, kind: str) -> None:
        """Bring an output that lies elsewhere to where the caller looks for it."""
        ctx, code = self.ctx, self.ctx.code
        sizes = ctx.sizes(value)
        array = ctx.array(value)
        if array.code != kind:
            raise Unsupported([("a result of another type", None)])
        made = self._made(k, kind, sizes)
        if made is not None:
            live = [b for b in array.buffers if b.size != 0]
            if (
                len(live) == 1
                and live[0] in ctx.memory.buffers
                and live[0].external is None
                and array.offset == 0
                and ctx.is_contiguous(array)
                and live[0].size == code.product(sizes) * SIZE[kind]  # type: ignore[operator]
            ):
                live[0].external = made.ptr
            else:
                ctx.copy(array, made)
            return
        count = code.product(sizes)
        size = code.mul(count, SIZE[kind])
        ptr = self._handed_over(array, lambda: self._copied(array, kind, sizes, size))
        slot = self.out_slots[k]
        code.do(f"store ptr {ptr}, ptr {self._place(slot)}")
        for axis, n in enumerate(sizes):
            code.do(f"store i64 {n}, ptr {self._place(slot + 1 + axis)}")
