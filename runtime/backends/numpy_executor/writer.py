"""Graph -> lines of Python: plain nodes, names, and expressions nested where the order of evaluation allows.

A temporary with one use waits in `pending` and is put into the expression of its user if all that waits is used in the
order in which it was computed; otherwise it gets a name first. So the source computes everything in program order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from runtime.backends.numpy_executor.blocks import Block
from runtime.backends.numpy_executor.exits import skippable
from runtime.backends.numpy_executor.memory import aligned, cast_into
from runtime.backends.numpy_executor.names import Globals, Locals
from runtime.backends.numpy_executor.narrow import narrowly
from runtime.backends.numpy_executor.numbers import as_array
from runtime.backends.numpy_executor.products import product
from runtime.backends.numpy_executor.scalar_forms import (
    BOOLEAN,
    all_truths,
    is_number,
    item,
    python_fits,
    scalar_operator,
)
from runtime.backends.numpy_executor.selections import choice
from runtime.backends.numpy_executor.text import (
    Expr,
    join,
    literal,
    overlapping,
    parse_template,
)
from runtime.ir.graph import Graph, Node, Value
from runtime.ops.attempts import Attempt
from runtime.ops.registry import Op
from runtime.plan.plan import Plan
from runtime.plan.scratch import of_a_turn
from runtime.typesys.errors import UnimplementedError
from runtime.typesys.spec import TensorType

__all__ = ["FunctionWriter", "statement"]

WIDTH = 88  # expressions that would be longer than this are split by naming a part
MANY = 4  # kernels that know of overflow from which the whole function does
DEEP = 15  # Python nests at most 20 loops


_Writes = Callable[["FunctionWriter", "Block", Node, int], None]
_STATEMENTS: dict[str, _Writes] = {}


def statement(name: str) -> Callable[[_Writes], _Writes]:
    """Make a function write the nodes of an operation that are Python statements."""

    def register(writes: _Writes) -> _Writes:
        _STATEMENTS[name] = writes
        return writes

    return register


class FunctionWriter:
    """Writes one Python function."""

    def __init__(self, plan: Plan, names: Globals, functions: dict[str, str]) -> None:
        self.plan = plan
        self.globals = names
        self.functions = functions
        self.locals = Locals()
        self.lines: list[tuple[int, Expr]] = []
        self.indent = 1
        self.exit = Expr("break")
        self.exits: dict[Node, set[int]] = {}  # conditionals of which a branch leaves the loop around it
        self.ends: dict[Node, int] = {}  # conditional that leaves a loop -> number of lines after it
        self.buffers: dict[Node, str] = {}  # nodes that write into memory made before their loop
        self.loops = 0  # around what is being written
        self.quiet = False  # whether a kernel in them leaves it to the outermost to keep warnings of overflow away
        self.lost: set[Node] = set()  # those that turned out not to be the last thing done

    def write(self, graph: Graph, name: str, as_list: bool) -> list[tuple[int, Expr]]:
        """The lines of the function that runs `graph`; it returns a list, or (for calls) one value or a tuple."""
        parameters = [self.locals.fresh(v.name or f"x{k}") for k, v in enumerate(graph.inputs)]
        block = Block(graph, [Expr(p) for p in parameters], [], set(parameters), self.plan)
        with self.loop() if sum(_quiet(node.op) is not None for node in graph.nodes) >= MANY else nullcontext():
            self.nodes(block)
            out = self.take(block, graph.outputs)
            inner: list[str | Expr] = []
            for k, expr in enumerate(out):
                inner += [", ", expr] if k else [expr]
            if as_list:
                self.emit(join(["return [", *inner, "]"]))
            elif out:
                self.emit(join(["return ", *inner]))
            elif not self.lines:
                self.emit(Expr("pass"))
        return [(0, Expr(f"def {name}({', '.join(parameters)}):")), *self.lines]

    # Lines

    def emit(self, expr: Expr) -> None:
        self.lines.append((self.indent, expr))

    def assign(self, block: Block, value: Value, name: str, expr: Expr) -> None:
        """`name = expr`, after everything that waits."""
        self.flush(block)
        self.emit(join([f"{name} = ", expr]))
        block.bind(value, Expr(name))
        block.rebindable.add(name)

    def flush(self, block: Block) -> None:
        """Give names to all that waits."""
        waiting = list(block.pending.items())
        block.pending.clear()
        for value, expr in waiting:
            self.emit(join([f"{(name := self.locals.fresh(block.name_hint(value)))} = ", expr]))
            block.bind(value, Expr(name))
            block.rebindable.add(name)

    def take(self, block: Block, values: list[Value]) -> list[Expr]:
        """Sources of operands: names, literals, and waiting expressions if they wait in the order of their use."""
        wanted = [v for v in values if v in block.pending]
        if wanted and wanted != list(block.pending)[-len(wanted) :]:
            self.flush(block)
            wanted = []
        exprs = {v: block.pending.pop(v) for v in wanted}
        return [exprs[v] if v in exprs else block.env[v] for v in values]

    def named(self, block: Block, values: list[Value]) -> list[Expr]:
        """Sources of operands that must be names or literals."""
        if any(v in block.pending for v in values):
            self.flush(block)
        return [block.env[v] for v in values]

    # Nodes

    def region(self, graph: Graph, inputs: list[Expr], targets: list[str], needed: list[bool] | None = None) -> None:
        """A region inline, its outputs put into `targets`; `pass` if nothing is to be done.

        Of a loop's body, `needed` says which outputs are read after the loop: a `break` may skip the others.
        """
        if self.indent > DEEP:
            self.outlined(graph, inputs, targets)
            return
        start = len(self.lines)
        block = Block(graph, inputs, targets, set(targets), self.plan)
        self.nodes(block)
        leaving = next((n for n in reversed(graph.nodes) if n in self.ends), None)
        settled = leaving is not None and needed is not None and self.settled(block, graph, targets, needed, leaving)
        self.settle(block, graph.outputs, targets)
        if leaving is not None and self.ends[leaving] != len(self.lines) and not settled:
            self.stay(start)
        if len(self.lines) == start:
            self.emit(Expr("pass"))

    def outlined(self, graph: Graph, inputs: list[Expr], targets: list[str]) -> None:
        """A region as a function of its own, called."""
        name = f"part_{len(self.globals.parts)}"
        self.globals.parts.append([])
        place = len(self.globals.parts) - 1
        self.globals.parts[place] = FunctionWriter(self.plan, self.globals, self.functions).write(graph, name, False)
        self.lost.update(node for node in graph.walk() if node in self.exits)
        call = f"{name}({', '.join(expr.text for expr in inputs)})"
        self.emit(Expr(f"{', '.join(targets)} = {call}" if targets else call))

    @staticmethod
    def settled(block: Block, graph: Graph, targets: list[str], needed: list[bool], leaving: Node) -> bool:
        """Whether all that is needed after the loop is in its place once the conditional `leaving` is done."""
        if not skippable(graph, leaving):
            return False
        rest = set(graph.nodes[graph.nodes.index(leaving) + 1 :])
        for value, target, matters in zip(graph.outputs, targets, needed, strict=True):
            known = block.env.get(value)
            if matters and (known is None or known.text != target or value.node in rest):
                return False
        return True

    def stay(self, start: int) -> None:
        """Take back the `break`s from line `start` on: something has to be done after them."""
        if any(expr is self.exit for _, expr in self.lines[start:]):
            kept: list[tuple[int, Expr]] = []
            for depth, expr in self.lines[start:]:
                if expr is not self.exit:
                    kept.append((depth, expr))
                elif not kept or kept[-1][0] < depth:
                    kept.append((depth, Expr("pass")))
            self.lines[start:] = kept
            self.lost.update(self.exits)

    def nodes(self, block: Block) -> None:
        for position, node in enumerate(block.graph.nodes):
            if node.op.name == "constant":
                block.bind(node.outputs[0], self.constant(node.attrs["value"]))
            elif node.op.name in _STATEMENTS:
                _STATEMENTS[node.op.name](self, block, node, position)
            elif node.regions and node.op.kernel is None:
                raise UnimplementedError(f"the NumPy executor cannot run {node.op.name!r}", op=node.op.name)
            else:
                self.plain(block, node, position)
            self.free(block, node, position)

    def settle(self, block: Block, values: list[Value], targets: list[str]) -> None:
        """Assign values to targets, all at once where one target is read for another."""
        needed = [(v, t) for v, t in zip(values, targets, strict=True) if v in block.pending or block.env[v].text != t]
        exprs = self.take(block, [v for v, _ in needed])
        self.flush(block)
        names = [t for _, t in needed]
        if len(needed) == len(values) == 1 or not overlapping(names, exprs):
            for name, expr in zip(names, exprs, strict=True):
                if expr.text != name:
                    self.emit(join([f"{name} = ", expr]))
        else:
            right: list[str | Expr] = []
            for k, expr in enumerate(exprs):
                right += [", ", expr] if k else [expr]
            self.emit(join([f"{', '.join(names)} = ", *right]))

    def constant(self, value: Any) -> Expr:
        text = literal(value) if type(value) in (bool, int, float) else None
        if text is None:
            return Expr(self.globals.constant(value))
        return Expr(text, not text.startswith("-"))

    def free(self, block: Block, node: Node, position: int) -> None:
        """Forget large arrays after their last use; a name that something else lives in stays."""
        block.dying += self.plan.frees.get(node, ())
        if block.pending or not block.dying:
            return  # what waits still reads them: they are forgotten after the statement that it ends in
        dying = [block.env[v].text for v in block.dying if v in block.env and block.env[v].is_name]
        block.dying.clear()
        names = [n for n in dict.fromkeys(dying) if n in block.rebindable and block.is_free(n, position)]
        if names:
            self.emit(Expr(f"del {', '.join(names)}"))
            for name in names:
                block.holders[name] = []

    def plain(self, block: Block, node: Node, position: int) -> None:
        if node in self.plan.reuse and not node.op.is_ufunc:
            self.in_place(block, node, position)
            return
        alone = self.alone(block, node)
        if alone is not None:
            value, kernel = alone
            name = self.globals.bind(f"op_{node.op.name}_{value.index}", kernel, f"kernel of {node.op.name}, one result")
            expr = self.called(name, self.take(block, node.inputs), self.attributes(node)).of(node)
            self.assign(block, value, self.variable(block, value, position), expr)
            return
        expr = self.expression(block, node).of(node)
        if not node.outputs:
            self.flush(block)
            self.emit(expr)
        elif node.op.outputs != 1 and not (node.op.name == "call" and len(node.outputs) == 1):
            self.flush(block)
            names = [self.variable(block, v, position) for v in node.outputs]
            self.emit(join([f"{', '.join(names)}{',' if len(names) == 1 else ''} = ", expr]))
            self.bind_all(block, node, names)
        elif node in self.plan.reuse or node in self.buffers:
            self.flush(block)
            self.emit(expr)
            block.bind(node.outputs[0], Expr(self.out(block, node) or ""))
        else:
            out = node.outputs[0]
            if not self.keep(block, out, expr, position):
                if block.uses.get(out, 0) == 0:
                    self.flush(block)
                    self.emit(expr)
                else:
                    self.assign(block, out, self.variable(block, out, position), expr)

    @staticmethod
    def alone(block: Block, node: Node) -> tuple[Value, Any] | None:
        """The only result of several that is used, and what computes it alone, if something does."""
        used = [v for v in node.outputs if block.uses.get(v, 0)] if len(node.outputs) > 1 else []
        kernels = getattr(node.op.rules.kernel, "alone", {})
        return (used[0], kernels[used[0].index]) if len(used) == 1 and used[0].index in kernels else None

    def keep(self, block: Block, value: Value, expr: Expr, position: int) -> bool:
        """Let a result wait for its only user, if it may."""
        if self.waits(block, value, expr, position):
            block.pending[value] = expr
            return True
        return False

    def bind_all(self, block: Block, node: Node, names: list[str]) -> None:
        for value, name in zip(node.outputs, names, strict=True):
            block.bind(value, Expr(name))
            block.rebindable.add(name)
            if self.is_weak(value) and node.op.name != "call" and node.op.effect is None:
                self.globals.bind("item", item, "a Python number of a NumPy one")
                self.emit(Expr(f"{name} = item({name})"))

    def variable(self, block: Block, value: Value, position: int) -> str:
        """The variable for an output: the one it should end in, if that is free by then."""
        wish = block.wish.get(value)
        if wish is not None and block.is_free(wish, position):
            return wish
        return self.locals.fresh(block.name_hint(value))

    def waits(self, block: Block, value: Value, expr: Expr, position: int) -> bool:
        """Whether a result stays an expression for its only user."""
        if block.uses.get(value, 0) != 1 or value in block.kept or len(expr.text) > WIDTH:
            return False
        wish = block.wish.get(value)
        if wish is not None:
            return not block.is_free(wish, position)
        user = block.last_use[value]
        if user == len(block.graph.nodes):
            return True
        if value.name is not None:
            return False
        node = block.graph.nodes[user]
        return node.op.name not in _STATEMENTS or (node.op.name != "while_loop" and node.inputs[0] is value)

    def in_place(self, block: Block, node: Node, position: int) -> None:
        """An update in place by the operation's own template; further outputs are the value of the expression."""
        op = node.op
        place = self.plan.reuse[node]
        if op.name == "where":
            expr = self.filled(block, node, choice(node, place, self.globals)).of(node)
        else:
            source = op.in_place or op.in_place_source(_fields(node), node.attrs)
            expr = self.filled(block, node, self.globals.shorten(source, op)).of(node)
        self.flush(block)
        target = block.env[node.inputs[place]]
        rest = node.outputs[1:]
        if any(block.uses.get(v, 0) for v in rest):
            names = [self.variable(block, v, position) for v in rest]
            self.emit(join([f"{', '.join(names)} = ", expr]))
            for value, name in zip(rest, names, strict=True):
                block.bind(value, Expr(name))
                block.rebindable.add(name)
        else:
            self.emit(expr)
        block.bind(node.outputs[0], target)

    # Expressions

    @staticmethod
    def is_weak(value: Value) -> bool:
        return type(value.type) is TensorType and value.type.weak

    def expression(self, block: Block, node: Node) -> Expr:
        """The call (or operator) that computes a node."""
        op, inputs = node.op, node.inputs
        known = self.decided(block, node) if op.name in ("logical_and", "logical_not") else None
        if known is not None:
            return known
        if op.name == "call":
            return self.called(self.functions[node.attrs["function"]], self.given(block, node), {})
        if op.name == "attempt":
            return self.attempted(block, node)
        weak = bool(inputs) and all(map(self.is_weak, inputs))
        if op.name == "cast" and node in self.buffers:
            put = self.globals.bind("cast_into", cast_into, "cast, into memory")
            return self.called(put, [*self.take(block, inputs), Expr(self.buffers[node])], {})
        if op.name == "cast" and weak and is_number(node.attrs["dtype"]) and is_number(inputs[0].tensor_type.dtype):
            return self.called(self.globals.numpy(node.attrs["dtype"].dtype.type.__name__), self.take(block, inputs), {})
        if op.python is not None and (python_fits(node) if weak else scalar_operator(node)):
            return self.filled(block, node, op.python)
        if op.name in BOOLEAN and not weak and all_truths(node):
            return self.filled(block, node, BOOLEAN[op.name])
        if op.is_ufunc:
            out = self.out(block, node)
            if out is not None and op.numpy in ("maximum", "minimum"):
                out = f"out={out}"  # these are about to give a third position another meaning
            numbers = [as_array(node, k) for k in range(len(inputs))]
            operands = [
                taken if found is None else Expr(self.globals.number(*found))
                for taken, found in zip(self.take(block, inputs), numbers, strict=True)
            ]
            expr = self.called(self.globals.numpy(op.numpy or ""), operands, {}, out)
        elif op.name == "where":
            expr = self.filled(block, node, choice(node, None, self.globals, self.out(block, node)))
        elif op.numpy is not None or op.source is not None:
            source = op.numpy or op.source(_fields(node), node.attrs)
            out = self.out(block, node)
            if op.name == "matmul":
                source = product(node, source, self.globals)
            source = narrowly(node, source, self.globals)
            if out is not None:
                source = f"{source[:-1]}, {out})"  # a product
            expr = self.filled(block, node, self.globals.shorten(source, op))
        else:
            expr = self.called(self.kernel(op), self.take(block, inputs), self.attributes(node))
        if op.outputs == 1 and self.is_weak(node.outputs[0]) and op.effect is None:
            if op.is_ufunc:
                return Expr(f"{expr.text}.item()", True, expr.spans)
            return self.called(self.globals.bind("item", item, "a Python number of a NumPy one"), [expr], {})
        return expr

    def given(self, block: Block, node: Node) -> list[Expr]:
        """The arguments of a call: copies of the lists that the function may change, but the caller needs."""
        taken = self.take(block, node.inputs)
        for k in {*range(len(taken) - node.attrs.get("handed", 0), len(taken))} - self.plan.handed.get(node, frozenset()):
            spans = tuple((start + 2, end + 2, made) for start, end, made in taken[k].spans)
            taken[k] = Expr(f"[*{taken[k].text}]", True, spans)
        return taken

    def kernel(self, op: Op) -> str:
        """A name for an operation's kernel; in loops, for the one that does not look after warnings at every call."""
        quiet = _quiet(op) if self.loops else None
        if quiet is None:
            return self.globals.kernel(op)
        self.quiet = True
        return self.globals.bind(f"op_{op.name}_quiet", quiet, f"kernel of {op.name}, with warnings")

    @contextmanager
    def loop(self) -> Iterator[None]:
        """The lines of a loop, or of many such kernels, are written; overflow in it is what kernels know of, if one leaves
        that to us: to say so at every call takes as long as three operations on small arrays. (Native code does not warn
        of overflow, either.)"""
        head = len(self.lines)
        self.loops += 1
        yield
        self.loops -= 1
        if self.quiet and not self.loops:
            self.quiet = False
            inside = [(indent + 1, expr) for indent, expr in self.lines[head:]]
            errstate = self.globals.numpy("errstate")
            self.lines[head:] = [(self.indent, Expr(f"with {errstate}(over='ignore'):")), *inside]

    def attempted(self, block: Block, node: Node) -> Expr:
        """A call that tells which exception was raised."""
        run = self.globals.bind("attempt", Attempt.run_function, "which exception a function raises, and its results")
        kinds = self.globals.bind("exceptions", node.attrs["exceptions"], "what is caught")
        name = node.attrs["function"]
        lead = [Expr(self.functions[name]), Expr(repr(name)), Expr(str(node.attrs["slots"])), Expr(kinds)]
        return self.called(run, [*lead, *self.take(block, node.inputs)], {})

    def decided(self, block: Block, node: Node) -> Expr | None:
        """A test simplified by what the flags that end the loop are known to be."""
        if node.op.name == "logical_not":
            text = block.env[node.inputs[0]].text if node.inputs[0] in block.env else ""
            return Expr("False" if text == "True" else "True") if text in ("True", "False") else None
        for k, value in enumerate(node.inputs):
            expr = block.env.get(value) or block.pending.get(value)
            if expr is not None and expr.text == "True" and self.is_weak(value):
                other = node.inputs[1 - k]
                kind = other.tensor_type
                if kind.shape == () and kind.dtype.is_bool:
                    return self.take(block, node.inputs)[1 - k]
        return None

    def out(self, block: Block, node: Node) -> str | None:
        """The source of the memory that a node writes its result to; None where NumPy makes it."""
        index = self.plan.reuse.get(node)
        if index is not None:
            return block.env[node.inputs[index]].text
        if node in self.buffers:
            return self.buffers[node]
        return self.memory(node.outputs[0].tensor_type) if node in self.plan.scratch.aligned else None

    def memory(self, kind: TensorType) -> str:
        """The source of a new array that begins at a line of the cache."""
        assert kind.shape is not None
        make = self.globals.bind("aligned", aligned, "an array that begins at a line of the cache")
        dtype = self.globals.numpy(kind.dtype.dtype.type.__name__)
        return f"{make}({tuple(kind.shape)}, {dtype}, {math.prod(kind.shape) * kind.dtype.size})"  # type: ignore[arg-type]

    def scratch(self, loop: Node) -> str | None:
        """Make the buffers of a loop; the source of what is to be done after each of its turns."""
        kinds = self.plan.scratch.buffers.get(loop, ())
        names = [self.locals.fresh("buffer") for _ in kinds]
        for name, kind in zip(names, kinds, strict=True):
            self.emit(Expr(f"{name} = {self.memory(kind)}"))
        for _, node in of_a_turn(loop.regions[-1]) if names else ():
            if node in self.plan.scratch.into:
                self.buffers[node] = names[self.plan.scratch.into[node]]
        swaps = [(names[a], names[b]) for a, b in self.plan.scratch.swaps.get(loop, ())]
        left, right = (", ".join(x for pair in order for x in pair) for order in (swaps, [(b, a) for a, b in swaps]))
        return f"{left} = {right}" if swaps else None

    def filled(self, block: Block, node: Node, source: str) -> Expr:
        template = parse_template(source)
        operands = self.take(block, node.inputs) if template.ordered else self.named(block, node.inputs)
        attrs = {f: self.attribute(node, f) for f, _ in template.fields if not f.isdigit()}
        return template.fill(operands, attrs)

    @staticmethod
    def called(function: str, operands: list[Expr], attrs: dict[str, str], out: str | None = None) -> Expr:
        parts: list[str | Expr] = [f"{function}("]
        for k, operand in enumerate(operands):
            parts += [", ", operand] if k else [operand]
        keywords = [*([out] if out else []), *(f"{k}={v}" for k, v in attrs.items())]
        if keywords:
            parts.append((", " if operands else "") + ", ".join(keywords))
        expr = join([*parts, ")"])
        expr.atom = True
        return expr

    def attributes(self, node: Node) -> dict[str, str]:
        """Sources of attributes, as keywords."""
        return {key: self.attribute(node, key) for key in node.attrs}

    def attribute(self, node: Node, key: str) -> str:
        value = node.attrs[key]
        return literal(value) or self.globals.attribute(node.op.name, key, value)


def _fields(node: Node) -> list[str]:
    return [f"{{{k}}}" for k in range(len(node.inputs))]


def _quiet(op: Op) -> Any:
    """An operation's kernel that leaves it to its callers to keep warnings of overflow away."""
    return getattr(op.rules.kernel, "quiet", None)
