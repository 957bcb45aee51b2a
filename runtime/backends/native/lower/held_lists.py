"""Lists of tensors of one known shape: elements one after another in memory that grows."""

from __future__ import annotations

from typing import Any

from runtime.backends.native.errors import Unsupported
from runtime.backends.native.forms import is_rows, leaf_of
from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.elements import store
from runtime.backends.native.lower.exprs import Map
from runtime.backends.native.lower.function import FunctionLowering
from runtime.backends.native.lower.memory import Array, Buffer
from runtime.backends.native.lower.types import SIZE, code_of
from runtime.ir.graph import Node, Value
from runtime.typesys.shapes import is_static
from runtime.typesys.spec import ListType, TensorType

__all__ = [
    "ListRep", "assign", "copied", "data_of", "element_at", "is_mine", "known_element", "length_of", "mine", "new_list",
    "put", "put_rows", "reserve", "row_at",
]


ROW = 24  # bytes of a list in a list of lists: {pointer, capacity, length}


class ListRep:
    """A list: registers that point to its length and to its {pointer, capacity}; capacity 0 means that it is borrowed.

    The elements of a list of lists are such lists (row_lists.ll): a row is where it is in the list's block (`within`).
    """

    def __init__(self, element: TensorType | ListType | None, length: str, slot: str, within: bool = False) -> None:
        self.element = element
        self.length = length
        self.slot = slot
        self.within = within
        self.buffers = frozenset((Buffer(slot, None),))  # its own memory, and what it may be borrowed from
        self.known: int | None = None  # its length, where that is known now
        self.planned: Array | None = None  # memory that nobody else has, borrowed from the function's frame

    @property
    def code(self) -> str:
        """The code of the elements' type."""
        if isinstance(self.element, ListType):
            raise Unsupported([("a list of lists", None)])
        assert self.element is not None
        return code_of(self.element.dtype)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The elements' shape."""
        if isinstance(self.element, ListType):
            return ()
        assert self.element is not None
        assert self.element.shape is not None
        return self.element.shape  # type: ignore[return-value]

    @property
    def count(self) -> int:
        """Numbers in an element."""
        total = 1
        for n in self.sizes:
            total *= n
        return total

    @property
    def bytes(self) -> int:
        """How large an element is, so that none is nothing."""
        return ROW if self.depth else SIZE[self.code] * max(self.count, 1)

    @property
    def depth(self) -> int:
        """How many levels of lists are in it."""
        levels, element = 0, self.element
        while isinstance(element, ListType):
            levels, element = levels + 1, element.element  # type: ignore[assignment]
        return levels

    @property
    def item(self) -> int:
        """Bytes of the numbers that are in it in the end."""
        leaf = leaf_of(self.element)
        return SIZE[code_of(leaf.dtype)] if leaf is not None else 1


def known_element(kind: Any) -> TensorType | ListType | None:
    """The type of a list's elements: None while it has had none."""
    if kind is None:
        return None
    if is_rows(ListType(kind)):
        return kind  # type: ignore[no-any-return]
    if type(kind) is not TensorType or not is_static(kind.shape):
        raise Unsupported([(f"a list of {kind}", None)])
    code_of(kind.dtype)
    return kind


def new_list(ctx: FunctionLowering, element: Any) -> ListRep:
    """An empty list."""
    if isinstance(element, ListType):
        return _new_rows(ctx, element)
    rep = ListRep(known_element(element), ctx.code.alloca("i64", "length"), ctx.slot())
    ctx.code.do(f"store i64 0, ptr {rep.length}")
    ctx.lists.add(rep)
    return rep


def _new_rows(ctx: FunctionLowering, element: ListType) -> ListRep:
    """An empty list of lists."""
    code = ctx.code
    slot = code.alloca("{ptr, i64, i64}", "rows")
    length = code.fresh("length")
    code.prologue.append(f"  store {{ptr, i64, i64}} zeroinitializer, ptr {slot}")
    code.prologue.append(f"  {length} = getelementptr i64, ptr {slot}, i64 2")
    rep = ListRep(known_element(element), length, slot)
    ctx.rows.append(rep)
    if code.depth:  # a turn before may have filled it
        code.do(f"call void @ag_rows_drop(ptr {slot}, i64 {rep.depth - 1})")
    ctx.lists.add(rep)
    return rep


def row_at(ctx: FunctionLowering, rep: ListRep, i: Operand) -> ListRep:
    """A row of a list of lists, where it is."""
    assert isinstance(rep.element, ListType)
    place = ctx.code.op(f"mul i64 {i}, {ROW}")
    slot = ctx.code.op(f"getelementptr i8, ptr {data_of(ctx, rep)}, i64 {place}", "row")
    length = ctx.code.op(f"getelementptr i64, ptr {slot}, i64 2", "length")
    return ListRep(rep.element.element, length, slot, within=True)  # type: ignore[arg-type]


def put_rows(ctx: FunctionLowering, target: str, source: ListRep) -> None:
    """Make a list at an address hold what a list holds, which stays as it is."""
    item = source.item
    n, data = length_of(ctx, source), data_of(ctx, source)
    done = ctx.code.op(f"call i1 @ag_row_put(ptr {target}, ptr {data}, i64 {n}, i64 {item}, i64 {source.depth})")
    ctx.code.require(done, ctx.failure)


def length_of(ctx: FunctionLowering, rep: ListRep) -> str:
    """How many elements it has now."""
    ctx.memory.touch(rep.buffers)
    return ctx.code.op(f"load i64, ptr {rep.length}", "n")


def data_of(ctx: FunctionLowering, rep: ListRep) -> str:
    """Where the elements are now."""
    ctx.memory.touch(rep.buffers)
    return ctx.code.op(f"load ptr, ptr {rep.slot}", "p")


def reserve(ctx: FunctionLowering, rep: ListRep, count: Operand, given_away: bool = False) -> str:
    """Memory of its own for a number of elements; those it has are kept. What is given away is not of the frame."""
    code = ctx.code
    ctx.big = True
    size = rep.bytes
    need = code.op(f"mul i64 {count}, {size}")
    used = code.op(f"mul i64 {length_of(ctx, rep)}, {size}")
    # Not by a call where there is room, and that is not left to the inliner: of programs with many lists it makes
    # several times as much code as they are.
    have = code.op(f"load i64, ptr {code.op(f'getelementptr i64, ptr {rep.slot}, i64 1')}")
    old = code.op(f"load ptr, ptr {rep.slot}")
    if rep.planned is not None and not given_away:
        bytes_ = code.product(rep.planned.sizes) * SIZE[rep.code]  # type: ignore[operator]
        there = code.op(f"icmp eq ptr {old}, {rep.planned.ptr}")
        have = code.op(f"select i1 {there}, i64 {bytes_}, i64 {have}")
    room = code.op(f"icmp ult i64 {code.op(f'sub i64 {need}, 1')}, {have}")
    short, on, before = code.label("short"), code.label("room"), code.block
    code.do(f"br i1 {room}, label %{on}, label %{short}, !prof !0")
    code.begin(short)
    grow = "ag_grow_row" if rep.within else "ag_grow"
    new = code.op(f"call ptr @{grow}(ptr {rep.slot}, i64 {need}, i64 {used})")
    code.require(code.op(f"icmp ne ptr {new}, null"), ctx.failure)
    last = code.block
    code.jump(on)
    code.begin(on)
    return code.op(f"phi ptr [ {old}, %{before} ], [ {new}, %{last} ]")


def element_at(ctx: FunctionLowering, rep: ListRep, ptr: str, i: Operand) -> Array:
    """The memory of an element."""
    offset = ctx.code.op(f"mul i64 {i}, {rep.count}", "n")
    return Array(ptr, rep.code, rep.sizes, ctx.code.strides(rep.sizes), rep.buffers, offset)


def settles(ctx: FunctionLowering, value: Value) -> bool:
    """Whether a value may live in the memory of the list that it is put into: the list is not changed again here."""
    takers = [
        n for n in ctx.uses.order if n is not None and n.op.name == "list_append" and n.inputs[1] is value
    ]
    if len(takers) != 1 or value in ctx.outs:
        return False
    changed = takers[0].outputs[0]
    return not any(n is not None and changed in n.inputs for n in ctx.uses.order)


def put(ctx: FunctionLowering, rep: ListRep, target: Array, value: Value) -> None:
    """Write a value into an element's memory."""
    kind = rep.code
    if not rep.sizes:
        assert isinstance(rep.element, TensorType)
        weak = ctx.type(value).weak and not rep.element.weak
        ctx.memory.touch(target.buffers)
        store(ctx.code, target.ptr, target.offset, ctx.narrowed(ctx.scalar(value), kind, weak))
        return
    if ctx.sizes(value) != rep.sizes:
        raise Unsupported([("an element of another shape", None)])
    held = ctx.env[value]
    if not held.done and held.code == kind and held.expr is not None and settles(ctx, value):
        ctx.materialize(held, target)
    elif held.done or held.code != kind or held.must:
        ctx.array(value)
        ctx.fill(target, Map(lambda x: ctx.ops.cast(x, kind), kind, (ctx.expr(value),), 1))
    else:
        ctx.fill(target, ctx.expr(value))


def assign(ctx: FunctionLowering, target: ListRep, source: ListRep, moved: bool = False) -> None:
    """Make a list hold what another holds; the other is not used again if it was moved."""
    code = ctx.code
    count = length_of(ctx, source)
    target.known = None
    if moved:
        held = code.op(f"load {{ptr, i64}}, ptr {source.slot}")
        old = code.op(f"load {{ptr, i64}}, ptr {target.slot}")
        code.do(f"store {{ptr, i64}} {held}, ptr {target.slot}")
        code.do(f"store {{ptr, i64}} {old}, ptr {source.slot}")
        target.buffers |= source.buffers
        if source.depth:  # what is to be given back of it now
            code.do(f"store i64 {length_of(ctx, target)}, ptr {source.length}")
    elif target.element is not None and source.depth:
        put_rows(ctx, target.slot, source)
    elif target.element is not None and source.element is not None:
        code.do(f"store i64 0, ptr {target.length}")
        ptr = reserve(ctx, target, count)
        size = code.op(f"mul i64 {count}, {SIZE[target.code] * target.count}")
        code.do(
            f"call void @llvm.memcpy.p0.p0.i64(ptr {ptr}, ptr {data_of(ctx, source)}, i64 {size}, i1 false)"
        )
    code.do(f"store i64 {count}, ptr {target.length}")


def copied(ctx: FunctionLowering, rep: ListRep, element: Any = None) -> ListRep:
    """Another list of the same elements."""
    out = new_list(ctx, rep.element if rep.element is not None else element)
    leaf = leaf_of(out.element)
    if rep.element is not None and leaf is not None and rep.depth == 0 and code_of(leaf.dtype) != rep.code:
        raise Unsupported([("a list whose elements change type", None)])
    if rep.element is not None:
        assign(ctx, out, rep)
    return out


def is_mine(ctx: FunctionLowering, value: Value, node: Node) -> bool:
    """Whether a node may change a list: the region made it or carries it, and nobody uses it afterwards."""
    last = ctx.uses.last.get(value) is node and node.inputs.count(value) == 1
    return last and ctx.env[value] in ctx.lists


def mine(ctx: FunctionLowering, node: Node, element: Any = None) -> ListRep:
    """The list of a node's first input, to be changed: itself where nobody uses the old one again."""
    value = node.inputs[0]
    rep = ctx.env[value]
    assert isinstance(rep, ListRep)
    if not is_mine(ctx, value, node):
        return copied(ctx, rep, element)
    rep.known = None
    if rep.element is None and element is not None:
        rep.element = known_element(element)
    return rep
