"""Calls of named functions, which may call themselves: each is an LLVM function of its own.

Scalars go and come in registers, arrays by pointer and sizes. An array's result is written into memory that the caller
has made where its sizes are known before, else into a {pointer, capacity} pair of the caller's, which grows. Lists are
handed over; one that the caller still needs is lent, and copied when it is written to. Every function returns a status
first: 0, or why the whole call of native code is given up. Before the stack ends it is 3, and the caller of native code
starts again on a thread with a larger one.
"""

from __future__ import annotations

from typing import Any

from runtime.backends.native.errors import Unsupported
from runtime.backends.native.forms import is_held
from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.crossings import Held, converted, copied_held, hold, move, register_of
from runtime.backends.native.lower.exprs import Deferred
from runtime.backends.native.lower.function import FunctionLowering, rule
from runtime.backends.native.lower.held_lists import ListRep, copied, is_mine, length_of, new_list, reserve
from runtime.backends.native.lower.low_bits import wrapping
from runtime.backends.native.lower.memory import Array, Buffer
from runtime.backends.native.lower.module import Module
from runtime.backends.native.lower.rules.branches import settled
from runtime.backends.native.lower.scalars import Scalar
from runtime.backends.native.lower.types import LLVM, SIZE, code_of
from runtime.ir.graph import Graph, Node, Value
from runtime.typesys.shapes import Dim, is_static
from runtime.typesys.spec import ListType, TensorType, ValueType

STACK_FRAME = 4096  # bytes of working memory that a function has on the stack; more is taken from pool.ll


def _is_scalar(t: ValueType) -> bool:
    return isinstance(t, TensorType) and t.shape == () and not is_held(t)


def _known(shape: Any) -> tuple[Operand, ...] | None:
    """The sizes, where all are known."""
    return tuple(shape) if is_static(shape) else None


def _struct(graph: Graph) -> str:
    """What a function returns: its status and its scalars."""
    scalars = [LLVM[code_of(v.tensor_type.dtype)] for v in graph.outputs if _is_scalar(v.type)]
    return f"{{{', '.join(['i64', *scalars])}}}"


@rule("call")
def call(ctx: FunctionLowering, node: Node) -> None:
    """A named function on values."""
    code = ctx.code
    graph = ctx.functions[node.attrs["function"]]
    number = ctx.module.function(node.attrs["function"], lower_functions)
    ctx.big = True
    words: list[str] = ["ptr %in", f"i64 {ctx.limit}", f"i64 {ctx.next_register}"]
    if ctx.module.records:
        words.append(f"ptr {ctx.arena}")
    read: set[Buffer] = set()
    for value, formal in zip(node.inputs, graph.inputs, strict=True):
        words += _argument(ctx, node, value, formal.type, read)
    made: list[Any] = []
    for value, formal in zip(node.outputs, graph.outputs, strict=True):
        target, more = _target(ctx, value, formal.type)
        made.append(target)
        words += more
    struct = _struct(graph)
    # A tail call would become a jump, and recursion without an end a loop that nothing stops.
    result = code.op(f"notail call fastcc {struct} @ag_function{number}({', '.join(words)})")
    ctx.memory.touch(frozenset(read))  # no result lies where an argument is, which may be read after that was written
    status = code.op(f"extractvalue {struct} {result}, 0")
    fine = code.label("fine")
    code.do(f"store i64 {status}, ptr %status")
    code.do(f"br i1 {code.op(f'icmp eq i64 {status}, 0')}, label %{fine}, label %cleanup, !prof !0")
    code.begin(fine)
    place = 1
    for value, formal, target in zip(node.outputs, graph.outputs, made, strict=True):
        rep: Any = target
        if _is_scalar(formal.type):
            kind = code_of(formal.tensor_type.dtype)
            rep = Scalar(code.op(f"extractvalue {struct} {result}, {place}"), kind)
            place += 1
        elif isinstance(target, _Pair):
            rep = target.array(ctx)
        if isinstance(rep, Array):
            ctx.memory.touch(rep.buffers)
            rep = ctx.dense(rep)
        rep = converted(ctx, rep, formal.type, value.type)
        if isinstance(rep, Scalar):
            rep = ctx.ops.cast(rep, code_of(value.tensor_type.dtype))
        ctx.define(value, rep)


def _argument(ctx: FunctionLowering, node: Node, value: Value, want: ValueType, read: set[Buffer]) -> list[str]:
    """An argument as LLVM arguments; the memory that an array is in is added to what the call reads."""
    code = ctx.code
    rep = settled(ctx, value)
    if isinstance(rep, Deferred):
        rep = ctx.contiguous(value)
    if isinstance(rep, Held) != is_held(want):
        rep = converted(ctx, ctx.dense(rep) if isinstance(rep, Array) else rep, value.type, want)
        rep = rep.array if isinstance(rep, Deferred) else rep
    if isinstance(rep, Held):
        return [f"i64 {register_of(ctx, rep)}"]
    if isinstance(rep, ListRep):
        n = length_of(ctx, rep)
        if rep.element is not None and is_mine(ctx, value, node):
            return [f"ptr {rep.slot}", f"i64 {n}"]
        lent = code.alloca("{ptr, i64}", "lent")
        code.do(f"store {{ptr, i64}} zeroinitializer, ptr {lent}")
        code.do(f"store ptr {code.op(f'load ptr, ptr {rep.slot}')}, ptr {lent}")
        return [f"ptr {lent}", f"i64 {n}"]
    assert isinstance(want, TensorType)
    kind = code_of(want.dtype)
    if isinstance(rep, Scalar):
        if want.shape != ():
            raise Unsupported([("an argument of another rank", None)])
        x = ctx.narrowed(rep, kind, ctx.type(value).weak and not want.weak)
        return [f"{x.type} {x.reg}"]
    assert isinstance(rep, Array)
    if rep.code != kind or len(rep.sizes) != len(want.shape or ()):
        raise Unsupported([("an argument of another type", None)])
    ctx.memory.touch(rep.buffers)
    read |= rep.buffers
    ptr = rep.ptr
    if rep.offset != 0:
        ptr = code.op(f"getelementptr {LLVM[kind] if kind != 'b1' else 'i8'}, ptr {ptr}, i64 {rep.offset}")
    return [f"ptr {ptr}", *(f"i64 {n}" for n in rep.sizes)]


class _Pair:
    """A result whose sizes the call tells."""

    def __init__(self, slot: str, words: str, code: str, shape: tuple[Any, ...]) -> None:
        self.slot = slot
        self.words = words
        self.code = code
        self.shape = shape

    def array(self, ctx: FunctionLowering) -> Array:
        """What is in it after the call."""
        code = ctx.code
        sizes: list[Operand] = []
        for axis, n in enumerate(self.shape):
            place = code.op(f"getelementptr i64, ptr {self.words}, i64 {axis}")
            sizes.append(n if isinstance(n, int) else code.op(f"load i64, ptr {place}", "n"))
        shape = tuple(sizes)
        buffer = Buffer(self.slot, None)
        ctx.writable.add(buffer)
        ptr = code.op(f"load ptr, ptr {self.slot}")
        return Array(ptr, self.code, shape, code.strides(shape), frozenset((buffer,)))


def _target(ctx: FunctionLowering, value: Value, t: ValueType) -> tuple[Any, list[str]]:
    """Where a result goes, and what is passed for it."""
    if _is_scalar(t):
        return None, []
    if is_held(t):
        rep = hold(ctx)
        return rep, [f"i64 {register_of(ctx, rep)}"]
    if isinstance(t, ListType):
        made = new_list(ctx, t.element)
        return made, [f"ptr {made.slot}", f"ptr {made.length}"]
    assert isinstance(t, TensorType)
    kind, shape = code_of(t.dtype), t.shape or ()
    sizes = _known(shape)
    if sizes is not None:
        array = ctx.allocate(kind, sizes, value)
        ctx.memory.touch(array.buffers)
        return array, [f"ptr {array.ptr}"]
    words = ctx.code.alloca(f"[{len(shape)} x i64]", "words")
    slot = ctx.slot()
    return _Pair(slot, words, kind, tuple(shape)), [f"ptr {slot}", f"ptr {words}"]


# Functions


def lower_functions(module: Module, functions: dict[str, Graph], constants_at: int) -> bool:
    """Lower every function that is called; whether there is one."""
    done: list[_Function] = []
    while len(done) < len(module.called):
        done.append(_Function(module, functions, list(module.called)[len(done)], constants_at))
        done[-1].lower()
    for work in done:  # how many constants there are is known now
        work.write()
    return bool(done)


class _Function:
    """One function of the graph's table as an LLVM function."""

    def __init__(self, module: Module, functions: dict[str, Graph], name: str, constants_at: int) -> None:
        self.module = module
        self.graph = functions[name]
        self.name = name
        self.number = module.called[name]
        self.constants_at = constants_at
        self.ctx = FunctionLowering(module, functions)
        self.ctx.first_register = "%held"
        self.ctx.limit, self.ctx.next_register = "%limit", "%held.next"
        self.parameters = ["ptr %in", "i64 %limit", "i64 %held"]
        if module.records:
            self.parameters.append("ptr %arena")
        self.ctx.code.promised.update({"%in": "ptr", "%limit": "i64", "%held": "i64", "%held.next": "i64", "%arena": "ptr"})
        self.results: list[list[str]] = []

    def _parameter(self, type: str) -> str:
        name = f"%given{len(self.parameters)}"
        self.parameters.append(f"{type} {name}")
        self.ctx.code.promised[name] = type
        return name

    def lower(self) -> None:
        ctx, code = self.ctx, self.ctx.code
        code.begin("start")
        reps = [self._input(v) for v in self.graph.inputs]
        for value in self.graph.outputs:
            self.results.append(self._result(value))
        ctx.low = wrapping(self.graph)
        ctx.region(self.graph, reps)
        scalars = self._deliver()
        code.do("store i64 0, ptr %status")
        code.jump("cleanup")
        code.begin(ctx.failure)
        code.do("store i64 1, ptr %status")
        code.jump("cleanup")
        code.begin("cleanup")
        for s in ctx.slots:
            code.do(f"call void @ag_drop(ptr {s})")
        ctx.memory.lay_out()
        if ctx.memory.frame > STACK_FRAME:
            code.do("call void @ag_give(ptr %frame)")
        struct = _struct(self.graph)
        whole = code.op(f"insertvalue {struct} undef, i64 {code.op('load i64, ptr %status')}, 0")
        for k, (type, slot) in enumerate(scalars):
            whole = code.op(f"insertvalue {struct} {whole}, {type} {code.op(f'load {type}, ptr {slot}')}, {k + 1}")
        code.do(f"ret {struct} {whole}")

    def write(self) -> None:
        """The function's text."""
        ctx, module, frame = self.ctx, self.module, self.ctx.memory.frame
        struct = _struct(self.graph)
        lines = [
            f"; {self.name}",
            f"define internal fastcc {struct} @ag_function{self.number}({', '.join(self.parameters)}) {{",
            "entry:",
            "  %status = alloca i64",
            *ctx.code.prologue,
            "  %stack = call ptr @llvm.stacksave.p0()",
            "  %stack.at = ptrtoint ptr %stack to i64",
            "  %deep = icmp ult i64 %stack.at, %limit",
            f"  %held.next = add i64 %held, {ctx.registers}",
        ]
        if frame > STACK_FRAME:
            lines.append(f"  %frame = call ptr @ag_take(i64 {frame})")
            lines.append("  %empty = icmp eq ptr %frame, null")
            lines.append("  %bad = or i1 %empty, %deep")
        else:
            lines.append(f"  %frame = alloca [{max(frame, 1)} x i8], align 16" if frame else
                         "  %frame = getelementptr i8, ptr null, i64 0")
            lines.append("  %bad = select i1 %deep, i1 true, i1 false")
        lines += [*module.passed(self.constants_at), *ctx.memory.definitions()]
        lines.append("  br i1 %bad, label %never, label %start, !prof !1")
        lines += ["never:"]
        if frame > STACK_FRAME:
            lines.append("  call void @ag_give(ptr %frame)")
        lines.append(f"  %none = insertvalue {struct} undef, i64 3, 0")
        lines.append(f"  ret {struct} %none")
        module.functions.append("\n".join([*lines, *ctx.code.lines, "}"]))

    def _input(self, value: Value) -> Any:
        ctx, code, t = self.ctx, self.ctx.code, value.type
        if is_held(t):
            given = self._parameter("i64")
            own = hold(ctx)
            ctx.foreign[own.register] = given
            return own
        if isinstance(t, ListType):
            made = new_list(ctx, t.element)
            slot, n = self._parameter("ptr"), self._parameter("i64")
            held = code.op(f"load {{ptr, i64}}, ptr {slot}")
            code.do(f"store {{ptr, i64}} {held}, ptr {made.slot}")
            code.do(f"store {{ptr, i64}} zeroinitializer, ptr {slot}")
            code.do(f"store i64 {n}, ptr {made.length}")
            return made
        t = ctx.type(value)
        kind = code_of(t.dtype)
        if t.shape == ():
            return Scalar(self._parameter(LLVM[kind]), kind)
        ptr = self._parameter("ptr")
        sizes: list[Operand] = []
        for size in t.shape or ():
            n = self._parameter("i64")
            known = size if isinstance(size, int) else ctx.dims.get(size)
            if known is not None:
                code.require(code.op(f"icmp eq i64 {n}, {known}"), ctx.failure)
            elif isinstance(size, Dim):
                ctx.dims[size] = n
            sizes.append(n if known is None else known)
        shape = tuple(sizes)
        return ctx.dense(Array(ptr, kind, shape, code.strides(shape), frozenset((Buffer(ptr, None),))))

    def _result(self, value: Value) -> list[str]:
        """Parameters of an output."""
        ctx, t = self.ctx, value.type
        if _is_scalar(t):
            return []
        if is_held(t):
            return [self._parameter("i64")]
        if isinstance(t, ListType):
            return [self._parameter("ptr"), self._parameter("ptr")]
        t = ctx.type(value)
        shape = _known(t.shape)
        if shape is None:
            return [self._parameter("ptr"), self._parameter("ptr")]
        ptr = self._parameter("ptr")
        kind = code_of(t.dtype)

        def made(code: str, sizes: tuple[Operand, ...]) -> Array | None:
            return self._array(ptr, kind, sizes) if code == kind and sizes == shape else None

        if value not in ctx.outs and value.node is not None and value.graph is self.graph:
            ctx.outs[value] = made
            ctx.bindable.add(value)
        return [ptr]

    def _array(self, ptr: str, kind: str, shape: tuple[Operand, ...]) -> Array:
        return Array(ptr, kind, shape, self.ctx.code.strides(shape), frozenset((Buffer(ptr, None),)))

    def _deliver(self) -> list[tuple[str, str]]:
        """Results to where the caller wants them; places of the scalars."""
        ctx, code = self.ctx, self.ctx.code
        scalars: list[tuple[str, str]] = []
        written: set[Value] = set()
        for value, where in zip(self.graph.outputs, self.results, strict=True):
            rep = converted(ctx, ctx.env[value], value.type, value.type)
            if isinstance(rep, Held):
                self._deliver_held(where[0], rep, value.type)
            elif isinstance(rep, ListRep):
                self._deliver_list(rep if value not in written else copied(ctx, rep), *where)
            elif _is_scalar(value.type):
                x = ctx.ops.cast(ctx.scalar(value), code_of(ctx.type(value).dtype))
                slot = code.alloca(x.type)
                code.prologue.append(f"  store {x.type} zeroinitializer, ptr {slot}")
                code.do(f"store {x}, ptr {slot}")
                scalars.append((x.type, slot))
            else:
                self._deliver_array(value, rep, where)
            written.add(value)
        return scalars

    def _deliver_held(self, target: str, rep: Held, t: ValueType) -> None:
        ctx = self.ctx
        own = hold(ctx)
        ctx.foreign[own.register] = target
        move(ctx, own, copied_held(ctx, rep, t), t)

    def _deliver_list(self, rep: ListRep, slot: str, length: str) -> None:
        ctx, code = self.ctx, self.ctx.code
        n = length_of(ctx, rep)
        code.do(f"store i64 {n}, ptr {length}")
        if rep.element is None:
            return
        reserve(ctx, rep, n, given_away=True)  # its own, if it was borrowed
        held = code.op(f"load {{ptr, i64}}, ptr {rep.slot}")
        code.do(f"call void @ag_drop(ptr {slot})")
        code.do(f"store {{ptr, i64}} {held}, ptr {slot}")
        code.do(f"store {{ptr, i64}} zeroinitializer, ptr {rep.slot}")

    def _deliver_array(self, value: Value, rep: Any, where: list[str]) -> None:
        ctx, code = self.ctx, self.ctx.code
        if not isinstance(rep, Deferred):
            raise Unsupported([("a result that is no tensor", None)])
        kind, shape = code_of(ctx.type(value).dtype), _known(ctx.type(value).shape)
        if shape is not None:
            if rep.array is None or rep.array.ptr != where[0]:
                self._copy(value, self._array(where[0], kind, shape))
            return
        slot, words = where
        sizes = ctx.sizes(value)
        for axis, n in enumerate(sizes):
            place = code.op(f"getelementptr i64, ptr {words}, i64 {axis}")
            code.do(f"store i64 {n}, ptr {place}")
        size = code.at_least(code.mul(code.product(sizes), SIZE[kind]), 1)
        array = ctx.array(value)
        ptr = code.op(f"call ptr @ag_reserve(ptr {slot}, i64 {size})")
        code.require(code.op(f"icmp ne ptr {ptr}, null"), ctx.failure)
        if array.code != kind:
            raise Unsupported([("a result of another type", None)])
        ctx.copy(array, self._array(ptr, kind, sizes))

    def _copy(self, value: Value, target: Array) -> None:
        array = self.ctx.array(value)
        if array.code != target.code or array.sizes != target.sizes:
            raise Unsupported([("a result of another type", None)])
        self.ctx.copy(array, target)
