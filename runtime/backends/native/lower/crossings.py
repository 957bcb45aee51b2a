"""Calls of Python from native code, and values that Python keeps (see runtime side, islands.py).

Values that native code has no form for are `Held`: Python keeps them in numbered registers of the call. A carried or
joined one has a register of its own that values are moved into; a register is written anew each time round, so that a
loop keeps no more than its last values.
"""

from __future__ import annotations

from typing import Any

from runtime.backends.native.forms import is_rows
from runtime.backends.native.islands import Form, Island
from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.exprs import Deferred
from runtime.backends.native.lower.function import FunctionLowering
from runtime.backends.native.lower.held_lists import ListRep, new_list
from runtime.backends.native.lower.memory import Array, Buffer
from runtime.backends.native.lower.scalars import Scalar
from runtime.backends.native.lower.types import MEMORY, code_of
from runtime.ir.graph import Node
from runtime.typesys.spec import ListType, TensorType, ValueType

__all__ = ["Held", "call_python", "converted", "copied_held", "hold", "move", "register_of"]


class Held:
    """A value that Python keeps: the number of its register, counted from the function's first."""

    __slots__ = ("register",)

    def __init__(self, register: int) -> None:
        self.register = register


def hold(ctx: FunctionLowering) -> Held:
    """A new register."""
    ctx.registers += 1
    return Held(ctx.registers - 1)


def register_of(ctx: FunctionLowering, rep: Held) -> Operand:
    """A register's number among all of the call's."""
    if rep.register in ctx.foreign:
        return ctx.foreign[rep.register]
    if ctx.first_register is None:
        return rep.register
    return ctx.code.op(f"add i64 {ctx.first_register}, {rep.register}")


def _form(rep: Any, t: ValueType) -> Form:
    if isinstance(rep, Held):
        return Form("held", t)
    if isinstance(rep, ListRep):
        return Form("rows" if rep.depth else "list", ListType(rep.element))
    return Form("scalar" if isinstance(rep, Scalar) else "array", t)


def _form_of(ctx: FunctionLowering, t: ValueType) -> Form:
    if ctx.is_held(t):
        return Form("held", t)
    if isinstance(t, ListType):
        return Form("rows" if is_rows(t) else "list", t)
    return Form("scalar" if t.shape == () else "array", t)


def call_python(
    ctx: FunctionLowering,
    name: str,
    run: Any,
    given: list[tuple[Any, ValueType]],
    types: list[ValueType],
    node: Node | None = None,
    effect: bool = False,
    single: bool = True,
    into: Held | None = None,
    calls: str | None = None,
) -> list[Any]:
    """Call Python on values in memory; the representations of what it gives (the only one in register `into`)."""
    code = ctx.code
    ins, outs = [_form(rep, t) for rep, t in given], [_form_of(ctx, t) for t in types]
    if into is not None:
        outs = [Form("held", types[0])]
    number = ctx.module.island(Island(name, run, ins, outs, node, effect, single, calls))
    ctx.big = True
    words = [_alloca(ctx, sum(f.slots for f in forms)) for forms in (ins, outs)]
    k = 0
    for form, (rep, t) in zip(ins, given, strict=True):
        _put(ctx, words[0], k, rep, t)
        k += form.slots
    results: list[Any] = []
    k = 0
    for form, t in zip(outs, types, strict=True):
        results.append(_target(ctx, words[1], k, form, t, into))
        k += form.slots
    place = code.op(f"load ptr, ptr {ctx.module.environment}")
    status = code.op(f"call i64 {place}(i64 {number}, ptr {words[0]}, ptr {words[1]})")
    code.require(code.op(f"icmp eq i64 {status}, 0"), ctx.failure)
    k = 0
    for j, (form, t) in enumerate(zip(outs, types, strict=True)):
        results[j] = _taken(ctx, words[1], k, form, t, results[j])
        k += form.slots
    return results


def _alloca(ctx: FunctionLowering, slots: int) -> str:
    return ctx.code.alloca(f"[{max(slots, 1)} x i64]", "words")


def _store(ctx: FunctionLowering, words: str, k: int, type: str, x: Operand) -> None:
    ctx.code.do(f"store {type} {x}, ptr {_at(ctx, words, k)}")


def _at(ctx: FunctionLowering, words: str, k: int) -> str:
    return ctx.code.op(f"getelementptr i64, ptr {words}, i64 {k}", "p") if k else words


def _put(ctx: FunctionLowering, words: str, k: int, rep: Any, t: ValueType) -> None:
    code = ctx.code
    if isinstance(rep, Held):
        _store(ctx, words, k, "i64", register_of(ctx, rep))
    elif isinstance(rep, Scalar):
        assert isinstance(t, TensorType)
        x = ctx.ops.cast(rep, code_of(t.dtype))
        whole = code.op(f"zext i1 {x.reg} to i8") if x.code == "b1" else x.reg
        _store(ctx, words, k, MEMORY[x.code], whole)
    elif isinstance(rep, ListRep):
        ctx.memory.touch(rep.buffers)
        _store(ctx, words, k, "ptr", code.op(f"load ptr, ptr {rep.slot}"))
        _store(ctx, words, k + 1, "i64", code.op(f"load i64, ptr {rep.length}"))
    else:
        assert isinstance(rep, Array)
        ctx.memory.touch(rep.buffers)
        ptr = rep.ptr
        if rep.offset != 0:
            ptr = code.op(f"getelementptr {MEMORY[rep.code]}, ptr {ptr}, i64 {rep.offset}")
        _store(ctx, words, k, "ptr", ptr)
        for axis, n in enumerate(rep.sizes):
            _store(ctx, words, k + 1 + axis, "i64", n)


def _target(ctx: FunctionLowering, words: str, k: int, form: Form, t: ValueType, into: Held | None) -> Any:
    """Where a result is to go."""
    if form.kind == "held":
        rep = into or hold(ctx)
        _store(ctx, words, k, "i64", register_of(ctx, rep))
        return rep
    if form.kind in ("list", "rows"):
        assert isinstance(t, ListType)
        made = new_list(ctx, t.element)
        _store(ctx, words, k, "ptr", made.slot)
        return made
    if form.kind == "array":
        slot = ctx.slot()
        _store(ctx, words, k, "ptr", slot)
        return slot
    return None


def _taken(ctx: FunctionLowering, words: str, k: int, form: Form, t: ValueType, target: Any) -> Any:
    code = ctx.code
    if form.kind == "held":
        return target
    if form.kind in ("list", "rows"):
        code.do(f"store i64 {code.op(f'load i64, ptr {_at(ctx, words, k + 1)}')}, ptr {target.length}")
        return target
    assert isinstance(t, TensorType)
    kind = code_of(t.dtype)
    if form.kind == "scalar":
        x = code.op(f"load {MEMORY[kind]}, ptr {_at(ctx, words, k)}")
        return Scalar(code.op(f"icmp ne i8 {x}, 0") if kind == "b1" else x, kind)
    sizes: tuple[Operand, ...] = tuple(
        n if isinstance(n, int) else code.op(f"load i64, ptr {_at(ctx, words, k + 1 + axis)}", "n")
        for axis, n in enumerate(t.shape or ())
    )
    buffer = Buffer(target, None)
    ctx.writable.add(buffer)
    ptr = code.op(f"load ptr, ptr {target}")
    array = Array(ptr, kind, sizes, code.strides(sizes), frozenset((buffer,)))
    ctx.memory.touch(array.buffers)
    return ctx.dense(array)


# Values between forms and registers


def _same(x: Any) -> Any:
    return x


def _shallow(x: Any) -> Any:
    return list(x) if isinstance(x, list) else x


def move(ctx: FunctionLowering, target: Held, rep: Any, t: ValueType) -> None:
    """Put a value into a register."""
    if rep is not target:
        if isinstance(rep, Deferred):
            rep = _memory(ctx, rep)
        call_python(ctx, "move", _same, [(rep, t)], [t], into=target)


def copied_held(ctx: FunctionLowering, rep: Any, t: ValueType) -> Held:
    """A value in a register of its own; a list there may be changed."""
    target = hold(ctx)
    if isinstance(rep, Deferred):
        rep = _memory(ctx, rep)
    call_python(ctx, "copy", _shallow, [(rep, t)], [t], into=target)
    return target


def converted(ctx: FunctionLowering, rep: Any, have: ValueType, want: ValueType) -> Any:
    """A value in the form that values of another type, which it is of too, have."""
    if isinstance(rep, Held) == ctx.is_held(want):
        return rep
    if isinstance(rep, Deferred):
        rep = _memory(ctx, rep)
    (made,) = call_python(ctx, "convert", _same, [(rep, have)], [want])
    return made


def _memory(ctx: FunctionLowering, rep: Deferred) -> Any:
    if not rep.sizes:
        ctx.materialize(rep)
        return rep.scalar
    array = ctx.view_of_memory(rep)
    if array is None:
        ctx.materialize(rep)
        array = rep.array
    assert array is not None
    return array if ctx.is_contiguous(array) else ctx.copy(array)
