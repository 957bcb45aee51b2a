"""An attempt spelled out: its function as branches on what may fail, so that all that it noted has a gradient.

    attempt @f: note(x * 2); y = t[i]; note(y)   ->   tag, y = attempt @one_operation(t, i)
                                                      cond(tag == 0): then ..., y   else tag, x * 2

Each operation that may fail becomes an attempt of itself alone; what comes after it is a branch. Loops carry the tag and
what was noted, and do nothing more once something failed. Functions that are called get a form that returns both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from runtime.grad.regions import close_regions
from runtime.ir.graph import Graph, Node, Value
from runtime.ir.safety import may_fail
from runtime.ir.walk import CALLS, reachable_functions
from runtime.ops.attempts import Kind
from runtime.ops.registry import get
from runtime.tensor.trace import Trace, tracing
from runtime.typesys.spec import TensorType, ValueType

__all__ = ["spelled_out"]

_TAG = TensorType("int64", (), weak=True)

Exceptions = tuple[Kind, ...]


class _Level(NamedTuple):
    """An attempt under way: notes are for it, and its handlers."""

    name: str
    exceptions: Exceptions
    types: tuple[ValueType, ...]


class _Form(NamedTuple):
    """What a form of a function is for."""

    function: str
    levels: tuple[str, ...]
    exceptions: Exceptions


class _Outcome(NamedTuple):
    """How a part ended: the tag (0: it did not fail), its outputs, what was noted for all levels, innermost first."""

    tag: Value
    outputs: list[Value]
    state: list[Value]

    def values(self) -> list[Value]:
        return [self.tag, *self.outputs, *self.state]


def spelled_out(node: Node, functions: dict[str, Graph]) -> str:
    """The name of a function from the inputs of an attempt to its outputs, which is entered in the table on first need."""
    name = node.attrs["function"]
    spelled = f"{name}_spelled"
    if spelled in functions:
        return spelled
    types = tuple(v.type for v in node.outputs[1:])
    trace = Trace(spelled, functions)
    functions[spelled] = trace.graph
    inputs = [trace.graph.add_input(v.type) for v in node.inputs]
    slots = node.attrs["slots"]
    level = _Level(name, node.attrs["exceptions"], types)
    with tracing(trace):
        body = functions[name]
        table = dict(zip(body.inputs, inputs[slots:], strict=True))
        part = _Spelling(trace, (level,), level.exceptions)
        end = part.graph(body, table, inputs[:slots])
        chosen = part.branch(end.tag, lambda: end.outputs, lambda: end.state, types)
        trace.graph.outputs = [trace.builder.region.resolve(v) for v in (end.tag, *chosen)]
    return spelled


class _Spelling:
    """Graphs spelled out inside some levels, into the region that is open."""

    def __init__(self, trace: Trace, levels: tuple[_Level, ...], exceptions: Exceptions) -> None:
        self.trace = trace
        self.levels = levels  # for which something may be noted
        self.types = tuple(t for level in levels for t in level.types)
        self.exceptions = exceptions  # that the tag counts, of these levels and others
        self.functions = trace.graph.functions

    # Parts

    def graph(
        self, graph: Graph, table: dict[Value, Value], state: list[Value], instead: Sequence[Value] | None = None
    ) -> _Outcome:
        """A graph's nodes; `table` says what stands for its inputs, `instead` what it returns where it fails."""
        return self._rest(graph, 0, dict(table), list(state), instead)

    def _rest(
        self, graph: Graph, at: int, table: dict[Value, Value], state: list[Value], instead: Sequence[Value] | None
    ) -> _Outcome:
        for k in range(at, len(graph.nodes)):
            node = graph.nodes[k]
            if node.op.name == "note" and self._slot(node) is not None:
                state[self._slot(node) or 0] = table[node.inputs[0]]
            elif self._is_certain(node):
                types = tuple(v.type for v in node.outputs)
                made = self._emit(node, [table[v] for v in node.inputs], dict(node.attrs), types, tuple(node.regions))
                table.update(zip(node.outputs, made, strict=True))
            else:
                end = self._failing(node, table, state)
                table.update(zip(node.outputs, end.outputs, strict=True))
                return self._go_on(graph, k + 1, table, end, instead)
        return _Outcome(self._number(0), [table[v] for v in graph.outputs], state)

    def _go_on(
        self, graph: Graph, at: int, table: dict[Value, Value], end: _Outcome, instead: Sequence[Value] | None
    ) -> _Outcome:
        """What comes after a node that may have failed."""
        types = tuple(v.type for v in graph.outputs)

        def failed() -> list[Value]:
            return [end.tag, *(self._nothing(types) if instead is None else instead), *end.state]

        def rest() -> list[Value]:
            return self._rest(graph, at, dict(table), list(end.state), instead).values()

        return self._outcome(self.branch(end.tag, rest, failed, (_TAG, *types, *self.types)), len(types))

    def _failing(self, node: Node, table: dict[Value, Value], state: list[Value]) -> _Outcome:
        """A node that may fail, or in which something is noted."""
        inputs = [table[v] for v in node.inputs]
        name = node.op.name
        if name == "cond":
            return self._cond(node, inputs, state)
        if name in ("for_loop", "while_loop"):
            return self._loop(node, inputs, state)
        if name in CALLS and self._noted_in(node):
            return (self._attempt if name == "attempt" else self._call)(node, inputs, state)
        return self._single(node, inputs, state)

    def _single(self, node: Node, inputs: list[Value], state: list[Value]) -> _Outcome:
        """An attempt of one operation alone."""
        types = tuple(v.type for v in node.outputs)
        alone = Graph("", self.functions)
        given = [alone.add_input(v.type) for v in inputs]
        copy = alone.add_node(node.op, given, dict(node.attrs), types, tuple(node.regions), node.location)
        alone.outputs = list(copy.outputs)
        count = sum(name.startswith(f"{node.op.name}_alone") for name in self.functions)
        alone.name = f"{node.op.name}_alone_{count + 1}"
        self.functions[alone.name] = alone
        attrs = {"function": alone.name, "slots": len(types), "exceptions": self.exceptions}
        made = self.trace.builder.emit(
            get("attempt"), [*self._nothing(types), *inputs], attrs, (_TAG, *types), (), node.location
        )
        return _Outcome(made.outputs[0], made.outputs[1:], state)

    def _call(self, node: Node, inputs: list[Value], state: list[Value]) -> _Outcome:
        """A call of the function's form (what was noted, its inputs) -> (tag, its outputs, what was noted).

        The form is for those levels for which the function notes something, and counts each exception once: one that calls
        itself in an attempt needs no other form at each depth.
        """
        graph = self.functions[node.attrs["function"]]
        noted_for = self._noted_in(node)
        places: list[int] = []  # in the state, of what is noted in the function
        levels: list[_Level] = []
        first = 0
        for level in self.levels:
            if level.name in noted_for:
                noted_for.discard(level.name)  # further out it is not seen
                levels.append(level)
                places += range(first, first + len(level.types))
            first += len(level.types)
        once = tuple(dict.fromkeys(self.exceptions))
        form = _Form(node.attrs["function"], tuple(level.name for level in levels), once)
        types = tuple(v.type for v in node.outputs)
        kept = tuple(self.types[i] for i in places)
        forms = self.trace.notes.setdefault("spelled forms", {})
        if form not in forms:
            base = name = f"{form.function}_in_{'_'.join(form.levels)}"
            while name in self.functions:
                name = f"{base}_{len(self.functions)}"
            forms[form] = name
            trace = Trace(name, self.functions)
            trace.notes["spelled forms"] = forms
            self.functions[name] = trace.graph
            noted = [trace.graph.add_input(t) for t in kept]
            table = {v: trace.graph.add_input(v.type, v.name) for v in graph.inputs}
            with tracing(trace):
                end = _Spelling(trace, tuple(levels), once).graph(graph, table, noted)
                trace.graph.outputs = [trace.builder.region.resolve(v) for v in end.values()]
        given = [state[i] for i in places]
        made = self._emit(node, [*given, *inputs], {"function": forms[form]}, (_TAG, *types, *kept))
        after = list(state)
        for place, value in zip(places, made[1 + len(types) :], strict=True):
            after[place] = value
        return _Outcome(self._counted(made[0], once), list(made[1 : 1 + len(types)]), after)

    def _counted(self, tag: Value, once: Exceptions) -> Value:
        """The tag that counts `once` each exception, as one that counts all."""
        for place in reversed(range(len(once))):
            if self.exceptions.index(once[place]) != place:
                is_it, then = self._test("equal", tag, place + 1), self._number(self.exceptions.index(once[place]) + 1)
                tag = self._put("where", is_it, then, tag)
        return tag

    def _attempt(self, node: Node, inputs: list[Value], state: list[Value]) -> _Outcome:
        """An attempt inside: what its handlers are for does not fail around it."""
        slots, count = node.attrs["slots"], len(node.attrs["exceptions"])
        types = tuple(v.type for v in node.outputs[1:])
        level = _Level(node.attrs["function"], node.attrs["exceptions"], types)
        body = self.functions[level.name]
        inner = _Spelling(self.trace, (level, *self.levels), (*level.exceptions, *self.exceptions))
        end = inner.graph(body, dict(zip(body.inputs, inputs[slots:], strict=True)), [*inputs[:slots], *state])
        results = self.branch(end.tag, lambda: end.outputs, lambda: end.state[:slots], types)
        own = self._test("less_equal", end.tag, count)
        zero = self._number(0)

        def outside() -> list[Value]:
            return [zero, self._put("sub", end.tag, self._number(count))]

        tags = self._choose(own, lambda: [end.tag, zero], outside, (_TAG, _TAG))
        return _Outcome(tags[1], [tags[0], *results], end.state[slots:])

    def _cond(self, node: Node, inputs: list[Value], state: list[Value]) -> _Outcome:
        types = tuple(v.type for v in node.outputs)

        def path(region: Graph) -> Callable[[], list[Value]]:
            return lambda: self.graph(region, dict(zip(region.inputs, inputs[1:], strict=True)), state).values()

        made = self._choose(inputs[0], path(node.regions[0]), path(node.regions[1]), (_TAG, *types, *self.types))
        return self._outcome(made, len(types))

    def _loop(self, node: Node, inputs: list[Value], state: list[Value]) -> _Outcome:
        """A loop that carries the tag and what was noted, whether a `while` goes on; once it failed, turns do nothing."""
        lead, count = int(node.op.name == "for_loop"), node.carried
        types = tuple(v.type for v in node.outputs)
        body, invariant = node.regions[-1], inputs[lead + count :]
        entries = inputs[lead : lead + count]
        goes_on: ValueType = _TAG if lead else node.regions[0].outputs[0].type  # what a test gives

        def with_values(graph: Graph, own: list[Value]) -> dict[Value, Value]:
            return dict(zip(graph.inputs, [*own, *invariant], strict=True))

        def tested(own: list[Value], noted: list[Value]) -> list[Value]:
            """(tag, goes on, noted): the test of a `while`."""
            test = node.regions[0]
            return self.graph(test, with_values(test, own), noted).values()

        def turn(index: list[Value], own: list[Value], noted: list[Value]) -> list[Value]:
            """(tag, [goes on], carried, noted) after one more turn."""
            end = self.graph(body, with_values(body, [*index, *own]), noted, own)
            if lead:
                return end.values()
            kinds = (_TAG, goes_on, *self.types)

            def stopped() -> list[Value]:
                return [end.tag, *self._nothing([goes_on]), *end.state]

            more = self.branch(end.tag, lambda: tested(end.outputs, end.state), stopped, kinds)
            return [more[0], more[1], *end.outputs, *more[2:]]

        if lead:
            starts = [self._number(0), *entries, *state]
            carried = (_TAG, *types, *self.types)
        else:
            first = tested(entries, state)
            starts = [*first[:2], *entries, *first[2:]]
            carried = (_TAG, goes_on, *types, *self.types)
        builder = self.trace.builder
        regions = []
        if not lead:
            region = builder.push(Graph(functions=self.functions))
            own = [region.graph.add_input(t) for t in carried]
            region.graph.outputs = [own[1]]
            builder.pop()
            regions.append(region)
        region = builder.push(Graph(functions=self.functions))
        index = [region.graph.add_input(body.inputs[0].type)] if lead else []
        own = [region.graph.add_input(t) for t in carried]
        skip = 2 - lead
        values, noted = own[skip : skip + count], own[skip + count :]
        if lead:
            found = self.branch(own[0], lambda: turn(index, values, noted), lambda: own, carried)
        else:
            found = turn(index, values, noted)
        region.graph.outputs = [region.resolve(v) for v in found]
        builder.pop()
        regions.append(region)
        outers = close_regions(regions)
        made = builder.emit(
            node.op, [*inputs[:lead], *starts, *outers], {**node.attrs, "carried": len(carried)}, carried,
            tuple(r.graph for r in regions), node.location,
        ).outputs  # fmt: skip
        return _Outcome(made[0], made[skip : skip + count], made[skip + count :])

    # What nodes are

    def _slot(self, node: Node) -> int | None:
        """Which value of the state a note is of."""
        first = 0
        for level in self.levels:
            if level.name == node.attrs["of"]:
                return first + int(node.attrs["slot"])
            first += len(level.types)
        return None

    def _is_certain(self, node: Node) -> bool:
        """Whether a node can neither fail nor note anything for these levels."""
        if node.op.name in CALLS:
            function = self.functions[node.attrs["function"]]
            inside = [function, *(self.functions[name] for name in reachable_functions(function))]
            return all(self._is_certain_itself(n) for graph in inside for n in graph.walk())
        if not self._is_certain_itself(node):
            return False
        return all(self._is_certain(inner) for region in node.regions for inner in region.nodes)

    def _noted_in(self, node: Node) -> set[str]:
        """The levels for which a function notes something; what an attempt in it notes is its own, whatever its name is."""
        mine = {level.name for level in self.levels}
        found: set[str] = set()
        pending: list[tuple[Node, frozenset[str]]] = [(node, frozenset())]
        seen = set()
        while pending:
            call, hidden = pending.pop()
            name = call.attrs["function"]
            hidden |= {name} if call.op.name == "attempt" else frozenset()
            if (name, hidden) in seen:
                continue
            seen.add((name, hidden))
            for inner in self.functions[name].walk():
                if inner.op.name == "note" and inner.attrs["of"] in mine - hidden:
                    found.add(inner.attrs["of"])
                if inner.op.name in CALLS:
                    pending.append((inner, hidden))
        return found

    def _is_certain_itself(self, node: Node) -> bool:
        if node.op.name in CALLS:
            return True
        if node.op.name == "note":
            return self._slot(node) is None
        return not may_fail(node.op, node.inputs)

    # Emitting

    def branch(
        self, tag: Value, good: Callable[[], list[Value]], bad: Callable[[], list[Value]], types: Sequence[ValueType]
    ) -> list[Value]:
        """One or the other, as nothing failed or something did."""
        return self._choose(self._test("equal", tag, 0), good, bad, types)

    def _choose(
        self, test: Value, one: Callable[[], list[Value]], other: Callable[[], list[Value]], types: Sequence[ValueType]
    ) -> list[Value]:
        builder = self.trace.builder
        regions = []
        for path in (one, other):
            region = builder.push(Graph(functions=self.functions))
            region.graph.outputs = [region.resolve(v) for v in path()]
            builder.pop()
            regions.append(region)
        outers = close_regions(regions)
        graphs = tuple(region.graph for region in regions)
        return builder.emit(get("cond"), [test, *outers], {}, tuple(types), graphs).outputs

    def _outcome(self, values: list[Value], outputs: int) -> _Outcome:
        return _Outcome(values[0], list(values[1 : 1 + outputs]), list(values[1 + outputs :]))

    def _emit(
        self, node: Node, inputs: list[Value], attrs: dict[str, object], types: tuple[ValueType, ...],
        regions: tuple[Graph, ...] = (),
    ) -> list[Value]:  # fmt: skip
        return self.trace.builder.emit(node.op, inputs, attrs, types, regions, node.location).outputs

    def _put(self, name: str, *inputs: Value, **attrs: object) -> Value:
        return self.trace.builder.emit(get(name), list(inputs), attrs).outputs[0]

    def _test(self, name: str, tag: Value, number: int) -> Value:
        return self._put(name, tag, self._number(number))

    def _number(self, number: int) -> Value:
        return self._put("constant", value=number, type=_TAG)

    def _nothing(self, types: Sequence[ValueType]) -> list[Value]:
        """Values that nobody reads."""
        return [self._put("placeholder", type=t) for t in types]
