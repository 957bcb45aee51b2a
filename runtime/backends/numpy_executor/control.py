"""`cond`, `while_loop` and `for_loop` as Python statements, their regions written inline."""

from __future__ import annotations

import itertools

from runtime.backends.numpy_executor.blocks import Block
from runtime.backends.numpy_executor.exits import Exits, exits_of
from runtime.backends.numpy_executor.text import Expr, join
from runtime.backends.numpy_executor.writer import FunctionWriter, statement
from runtime.ir.graph import Graph, Node, Value
from runtime.typesys.spec import TensorType

__all__: list[str] = []

SMALL = 6  # nodes up to which a branch may be part of an expression
_BLOCKS = ("while_loop", "for_loop", "call")


def negated(expr: Expr) -> Expr:
    if expr.text in ("True", "False"):
        return Expr("False" if expr.text == "True" else "True")
    return join(["not ", expr] if expr.atom else ["not (", expr, ")"])


@statement("cond")
def cond(writer: FunctionWriter, block: Block, node: Node, position: int) -> None:
    """`if`: both regions put their results into the same variables."""
    [pred] = writer.take(block, node.inputs[:1])
    waiting = dict(block.pending)
    sites = writer.exits.get(node, set())
    if not sites and not any(v in waiting for v in node.inputs):
        expr = _as_expression(writer, block, node, pred)
        if expr is not None and writer.keep(block, node.outputs[0], expr, position):
            return
    writer.flush(block)
    inputs = writer.named(block, node.inputs[1:])
    names = [_result_name(writer, block, node, k, position) for k in range(len(node.outputs))]
    head = len(writer.lines)
    writer.indent += 1
    branches = []
    for side, region in enumerate(node.regions):
        writer.region(region, inputs, names)
        if side in sites:
            if _is_pass(writer.lines[head:]):
                writer.lines.pop()
            writer.lines.append((writer.indent, writer.exit))
        branches.append(writer.lines[head:])
        del writer.lines[head:]
    then, orelse = branches
    writer.indent -= 1
    if not _is_pass(then) or _is_pass(orelse):
        writer.emit(join(["if ", pred, ":"]))
        writer.lines += then
        if not _is_pass(orelse):
            if len(orelse) > 0 and orelse[0][1].text.startswith("if ") and _one_statement(orelse):
                writer.lines += [(orelse[0][0] - 1, join(["el", orelse[0][1]])), *((d - 1, e) for d, e in orelse[1:])]
            else:
                writer.emit(Expr("else:"))
                writer.lines += orelse
    else:
        writer.emit(join(["if ", negated(pred), ":"]))
        writer.lines += orelse
    if sites or any(inner in writer.ends for region in node.regions for inner in region.nodes):
        writer.ends[node] = len(writer.lines)
    _bind_results(block, node, names)


def _as_expression(writer: FunctionWriter, block: Block, node: Node, pred: Expr) -> Expr | None:
    """The source of a conditional with one scalar result and small branches: `a and b`, `a if c else b`; else None."""
    if len(node.outputs) != 1 or not _is_scalar(node.outputs[0]):
        return None
    inputs = [block.env[v] for v in node.inputs[1:]]
    sides = []
    for region in node.regions:
        inside = list(itertools.islice(region.walk(), SMALL + 1))
        if len(inside) > SMALL or not all(map(_is_small, inside)):
            return None
        head = len(writer.lines)
        inner = type(block)(region, inputs, [], set(), writer.plan)
        writer.nodes(inner)
        [side] = writer.take(inner, region.outputs)
        if inner.pending or len(writer.lines) > head:
            del writer.lines[head:]
            return None
        sides.append(side)
    then, orelse = sides
    if pred.text in ("True", "False"):
        return then if pred.text == "True" else orelse
    if writer.is_weak(node.inputs[0]):
        if orelse.text == "False":
            return join([_operand(pred), " and ", _operand(then)])
        if then.text == "True":
            return join([_operand(pred), " or ", _operand(orelse)])
        if then.text == "False":
            return negated(pred) if orelse.text == "True" else join([negated(pred), " and ", _operand(orelse)])
        if orelse.text == "True":
            return join([negated(pred), " or ", _operand(then)])
    return join([_operand(then), " if ", _operand(pred), " else ", _operand(orelse)])


def _is_small(node: Node) -> bool:
    return node.op.effect is None and node.op.name not in _BLOCKS and len(node.outputs) == 1


def _is_scalar(value: Value) -> bool:
    kind = value.type
    return type(kind) is TensorType and kind.shape == ()


def _operand(expr: Expr) -> Expr:
    """An operand of `and`, `or` or a conditional expression, in parentheses if it may be one of these itself."""
    loose = any(word in expr.text for word in (" and ", " or ", " if "))
    return join(["(", expr, ")"]) if loose and not expr.atom else expr


def _is_pass(lines: list[tuple[int, Expr]]) -> bool:
    return len(lines) == 1 and lines[0][1].text == "pass"


def _one_statement(lines: list[tuple[int, Expr]]) -> bool:
    """Whether the lines are one `if` with its branches."""
    first = lines[0][0]
    return all(d > first or e.text.startswith(("elif ", "else:")) for d, e in lines[1:])


def _result_name(writer: FunctionWriter, block: Block, node: Node, k: int, position: int) -> str:
    """The variable of a conditional's result: where it should end, or that of a value it may replace."""
    value = node.outputs[k]
    taken = {block.env[v].text for v in node.outputs[:k] if v in block.env}
    wish = block.wish.get(value)
    if wish is not None and wish not in taken and block.is_free(wish, position):
        return _reserve(block, value, wish)
    for region in node.regions:
        out = region.outputs[k]
        if out.graph is region and out.node is None:
            name = block.env[node.inputs[1 + region.inputs.index(out)]].text
            if name in block.rebindable and name not in taken and block.is_free(name, position):
                return _reserve(block, value, name)
    hint = block.name_hint(value) or node.regions[0].outputs[k].name or node.regions[1].outputs[k].name
    return _reserve(block, value, writer.locals.fresh(hint))


def _reserve(block: Block, value: Value, name: str) -> str:
    block.env[value] = Expr(name)
    return name


@statement("while_loop")
def while_loop(writer: FunctionWriter, block: Block, node: Node, position: int) -> None:
    """`while condition:` if the condition is one expression, else `while True:` with a `break`."""
    writer.flush(block)
    names = _slot_names(writer, block, node, position, 0)
    _start_slots(writer, block, node, names, 0)
    after = writer.scratch(node)
    inputs = [*map(Expr, names), *writer.named(block, node.inputs[node.carried :])]
    with writer.loop():
        _write_while(writer, block, node, names, inputs, after)
    _bind_results(block, node, names)


def _write_while(
    writer: FunctionWriter, block: Block, node: Node, names: list[str], inputs: list[Expr], after: str | None
) -> None:
    """The loop's lines."""
    test, body = node.regions
    head = len(writer.lines)
    exits = exits_of(node)
    needed = [block.uses.get(v, 0) > 0 for v in node.outputs]
    inside = _body(writer, body, inputs, names, needed, exits)
    if after is not None:
        inside.append((writer.indent + 1, Expr(after)))
    if exits is not None and not writer.lost & {n for n, _ in exits.sites}:
        inputs[exits.slot] = Expr("False")  # whoever sets it leaves the loop
    writer.indent += 1
    inner = type(block)(test, inputs, [], set(), writer.plan)
    writer.nodes(inner)
    [condition] = writer.take(inner, test.outputs)
    writer.flush(inner)
    writer.indent -= 1
    if len(writer.lines) == head:
        writer.emit(join(["while ", condition, ":"]))
    else:
        writer.lines.insert(head, (writer.indent, Expr("while True:")))
        writer.indent += 1
        writer.emit(join(["if ", negated(condition), ":"]))
        writer.lines.append((writer.indent + 1, Expr("break")))
        writer.indent -= 1
    writer.lines += inside


def _body(
    writer: FunctionWriter, body: Graph, inputs: list[Expr], names: list[str], needed: list[bool], exits: Exits | None
) -> list[tuple[int, Expr]]:
    """The lines of a loop's body."""
    if exits is not None:
        for cond_node, side in exits.sites:
            writer.exits.setdefault(cond_node, set()).add(side)
    head = len(writer.lines)
    writer.indent += 1
    writer.region(body, inputs, names, needed)
    writer.indent -= 1
    inside = [(depth, Expr("break") if expr is writer.exit else expr) for depth, expr in writer.lines[head:]]
    del writer.lines[head:]
    return inside


@statement("for_loop")
def for_loop(writer: FunctionWriter, block: Block, node: Node, position: int) -> None:
    """`for i in range(count):`."""
    [count] = writer.take(block, node.inputs[:1])
    writer.flush(block)
    names = _slot_names(writer, block, node, position, 1)
    if count.names & set(names):
        # A carried variable takes the place of what the count is computed from: compute it first.
        before = writer.locals.fresh(None)
        writer.emit(join([f"{before} = ", count]))
        count = Expr(before)
    _start_slots(writer, block, node, names, 1)
    after = writer.scratch(node)
    body = node.regions[0]
    index = body.inputs[0]
    used = index in body.outputs or any(index in inner.inputs for inner in body.nodes)
    variable = writer.locals.fresh(index.name or "i") if used else "_"
    with writer.loop():
        writer.emit(join([f"for {variable} in range(", count, "):"]))
        writer.indent += 1
        kind = index.tensor_type
        if used and not kind.weak:
            scalar = kind.dtype.dtype.type
            writer.emit(Expr(f"{variable} = {writer.globals.numpy(scalar.__name__)}({variable})"))
        inputs = [Expr(variable), *map(Expr, names), *writer.named(block, node.inputs[1 + node.carried :])]
        writer.region(body, inputs, names)
        if after is not None:
            writer.emit(Expr(after))
        writer.indent -= 1
    _bind_results(block, node, names)


def _bind_results(block: Block, node: Node, names: list[str]) -> None:
    for value, name in zip(node.outputs, names, strict=True):
        block.bind(value, Expr(name))
        block.rebindable.add(name)


def _slot_names(writer: FunctionWriter, block: Block, node: Node, position: int, lead: int) -> list[str]:
    """Variables of the carried values."""
    inits = node.inputs[lead : lead + node.carried]
    body = node.regions[-1]
    names: list[str] = []
    for k, (init, expr) in enumerate(zip(inits, writer.named(block, inits), strict=True)):
        value, inner = node.outputs[k], body.inputs[lead + k]
        options = [block.wish.get(value), expr.text if expr.text in block.rebindable else None]
        for name in options:
            if name is not None and name not in names and _may_carry(block, node, name, lead + k, position):
                names.append(name)
                break
        else:
            names.append(writer.locals.fresh(block.name_hint(value) or inner.name or body.outputs[k].name or init.name))
    return names


def _start_slots(writer: FunctionWriter, block: Block, node: Node, names: list[str], lead: int) -> None:
    """Set the variables of the carried values to the initial values."""
    copies = writer.plan.copies.get(node, frozenset())
    exprs = writer.named(block, node.inputs[lead : lead + node.carried])
    for k, (name, expr) in enumerate(zip(names, exprs, strict=True)):
        if k in copies:
            writer.emit(join([f"{name} = ", expr, ".copy()"]))
        elif name != expr.text:
            writer.emit(join([f"{name} = ", expr]))


def _may_carry(block: Block, node: Node, name: str, index: int, position: int) -> bool:
    """Whether the variable may be the loop's own: nothing else reads what it holds now, in the loop or after it."""
    return all(
        block.last_use.get(v, -1) <= position and all(v is not w or j == index for j, w in enumerate(node.inputs))
        for v in block.holders.get(name, ())
    )
