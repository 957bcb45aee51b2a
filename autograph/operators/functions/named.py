"""A recursive function as a named graph: its types are a joint fixed point, its calls are `call` nodes.

    inputs    (*arguments, *state, *captured)     state: places that the function writes (attributes, lists, outer names)
    outputs   (*result, *changed arguments, *state)

The type of the result starts as "nothing yet": a path that needs the result of such a call is abandoned until other
paths have supplied it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from autograph.errors.refusals import refusal
from autograph.operators.state.places import UNDEFINED, label_of, watch
from autograph.operators.state.regions import PathEnds, Traced, inside, provisional
from autograph.operators.statements.loop_nodes import with_parameters
from autograph.operators.statements.loop_state import LoopState
from autograph.operators.values.descriptors import (
    Descriptor,
    Joiner,
    Leaf,
    OneOf,
    Sequence,
    Static,
    Struct,
    canonical,
    describe,
    is_mutable,
    loosen,
    mutable_parts,
    structure_of,
    value_types,
)
from autograph.operators.values.packing import pack, unpack
from runtime.ir.build import Region
from runtime.ir.graph import Graph, Value
from runtime.ops.registry import get
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import BoxPlace, Trace
from runtime.typesys.shapes import Dim
from runtime.typesys.spec import TensorType

__all__ = ["Call", "Named", "Restart"]

MAX_PASSES = 40
WIDEST = 64  # values in a result that may still grow


class Restart(BaseException):
    """Unwinds to a call under way, which goes on as a named function with these argument types."""

    def __init__(self, entry: Any, types: list[Descriptor], joins: bool = False) -> None:
        self.entry = entry
        self.types = types
        self.joins = joins  # Python numbers that differ from call to call became arguments


class Call:
    """A function and its arguments, in one order for all ways to write the call."""

    __slots__ = ("f", "form", "names", "values")

    def __init__(self, f: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        code = f.__code__
        if kwargs or len(args) != code.co_argcount or code.co_kwonlyargcount:
            import inspect  # heavy

            bound = inspect.signature(f).bind(*args, **kwargs)
            bound.apply_defaults()
            args, kwargs = bound.args, bound.kwargs
        self.f = f
        self.values = [*args, *kwargs.values()]
        self.form = len(args), tuple(kwargs)
        own = code.co_varnames[: code.co_argcount]
        self.names = [*own[: len(args)], *(f"*{i}" for i in range(len(args) - len(own))), *kwargs]

    def run(self, values: list[Any]) -> Any:
        """Call the function with other values for the arguments."""
        count, names = self.form
        return self.f(*values[:count], **dict(zip(names, values[count:], strict=True)))


class Named:
    """A function being traced as a named graph; `attempt` until it is true, then `finish`."""

    def __init__(self, trace: Trace, entry: Any, types: list[Descriptor], taken: set[str]) -> None:
        self.entry = entry
        self.f = entry.call.f
        self.name = _free_name(self.f.__name__, taken | set(trace.graph.functions))
        self.types = _own_sizes(types)
        self.joins = False
        self.graph = Graph()
        self.state = LoopState([], loosened=True, runs=True)
        self.result: Descriptor | None = None  # nothing yet
        self.captured: list[Value] = []  # outermost values that stand for what it uses from outside
        self.changed: list[int] = []  # inputs that are boxes it writes
        self._names = set(trace.graph.functions)
        self._returns = True
        self._settled = False
        self._passes = 0

    def widen(self, types: list[Descriptor]) -> None:
        """Take more general arguments."""
        self.types = _own_sizes(types)
        self._settled = False

    # Tracing

    def attempt(self, trace: Trace, entries: list[Any]) -> bool:
        """Trace the body once with the types known; whether nothing changed."""
        self._count()
        for name in set(trace.graph.functions) - self._names:
            del trace.graph.functions[name]  # of an attempt that was given up
        abandoned = trace.notes.get("abandoned", 0)
        with provisional(trace, not self._settled):
            traced, boxes = self._trace(trace)
        complete = trace.notes.get("abandoned", 0) == abandoned
        same = self._grow_state(traced)
        changed = [box_value.index for box, box_value in boxes if box._value is not box_value]
        same &= changed == self.changed
        self.changed = changed
        finals = [traced.final(p, v) for p, v in zip(self.state.places, traced.parameters, strict=False)]
        joiner = Joiner()
        before = canonical([*self.types, *self.state.types, self.result or Static(_NOTHING)])
        self.state.types = [
            d if final is parameter and isinstance(d, (Static, Leaf)) else joiner(d, describe(final))
            for d, parameter, final in zip(self.state.types, traced.parameters, finals, strict=False)
        ] + self.state.types[len(traced.parameters) :]
        self._returns = not traced.ended or self.result is None
        if not traced.ended:
            returned = self._describe_result(traced.result)
            wider = returned if self.result is None else joiner(self.result, returned)
            self._refuse_growing(wider)
            self.result = wider
        elif self.result is None and not any(e.named and e.named.result is None for e in entries[:-1]):
            self.result, self._returns = Static(None), False  # it raises, or runs until Python's stack ends
        same &= canonical([*self.types, *self.state.types, self.result or Static(_NOTHING)]) == before
        if same:
            self._pack(trace, traced, finals, boxes)
        same &= self._grow_captured(traced.region)
        if same and (complete or self._settled):
            self.graph = traced.region.graph
            return True
        self._settled = same  # once more, for good: what fails now fails for the user
        return False

    def _count(self) -> None:
        self._passes += 1
        if self._passes > MAX_PASSES:
            raise refusal("unsettled-recursion", function=self.f.__name__)

    def _refuse_growing(self, result: Descriptor) -> None:
        """Each attempt may nest one tuple deeper: the next takes twice as long."""
        width = len(value_types(result))
        if self.result is not None and width > WIDEST and width > 1.5 * len(value_types(self.result)):
            raise refusal("unsettled-recursion", function=self.f.__name__)

    def _trace(self, trace: Trace) -> tuple[Traced, list[tuple[Tensor, Value]]]:
        graph = Graph(self.name, trace.graph.functions)
        boxes: list[tuple[Tensor, Value]] = []

        def box(value: Value) -> Tensor:
            made = Tensor(value)
            boxes.append((made, value))
            return made

        arguments = []
        for name, d in zip(self.entry.call.names, self.types, strict=True):
            values = [graph.add_input(t) for t in value_types(d)]
            if len(values) == 1:
                values[0].name = name
            arguments.append(unpack(d, iter(values), name, box))
        containers = [(c, _content(c)) for a, d in zip(arguments, self.types, strict=True) for c in _made(a, d)]

        def body() -> Any:
            for value in self.captured:
                trace.builder.region.resolve(value)
            watch(trace, self.f)
            return self.entry.call.run(arguments)

        traced = with_parameters(trace, self.state, graph, body, tuple(c for c, _ in containers))
        for container, content in containers:
            if not _same_content(container, content):
                raise refusal("recursion-changes", function=self.f.__name__, kind=type(container).__name__)
        return traced, boxes

    def _grow_state(self, traced: Traced) -> bool:
        """Carry the places that were written; whether all were known."""
        keys = {place.key for place in self.state.places}
        same = True
        for key, place in traced.places.items():
            if key not in keys:
                self.state.add(place)
                same = False
        return same

    def _grow_captured(self, region: Region) -> bool:
        """Pass what was used from outside; whether all was known."""
        own = {region.captures[v] for v in self.captured}
        outer: dict[Value, Value] = {}
        for value, inner in region.captures.items():
            if inner not in own and (inner not in outer or _depth(region, value) < _depth(region, outer[inner])):
                outer[inner] = value
        self.captured += outer.values()
        return not outer

    def _describe_result(self, result: Any) -> Descriptor:
        if is_mutable(result) and any(isinstance(t, Static) and t.value is result for t in self.types):
            return Static(result)
        return loosen(describe(result))

    def _pack(self, trace: Trace, traced: Traced, finals: list[Any], boxes: list[tuple[Tensor, Value]]) -> None:
        """The graph's outputs."""
        with inside(trace, traced.region):
            values: list[Value] = []
            if self.result is not None and not traced.ended:
                values += pack(traced.result, self.result)
            elif self.result is not None:
                values += pack(UNDEFINED, self.result)
            content = {value.index: made._value for made, value in boxes}
            values += [content[k] for k in self.changed]
            for final, d in zip(finals, self.state.types, strict=True):
                values += pack(final, d)
            traced.region.graph.outputs = [traced.region.resolve(v) for v in values]

    def finish(self, trace: Trace) -> None:
        """Enter the graph in the table of functions."""
        trace.graph.functions[self.name] = self.graph

    # Calling

    def call(self, trace: Trace, call: Any) -> Any:
        """Emit a call with arguments that fit, and put what it writes in its places.

        Raises:
          Restart: the content of a place needs a more general type.
        """
        self._fit_state()
        if self.result is None:
            trace.notes["abandoned"] = trace.notes.get("abandoned", 0) + 1
            raise PathEnds  # until there is a type
        inputs: list[Value] = []
        for x, d in zip(call.values, self.types, strict=True):
            inputs += pack(x, d)
        for place, d in zip(self.state.places, self.state.types, strict=True):
            inputs += pack(place.read(), d)
        sizes = self._sizes_of(call)
        types = list(value_types(_with_sizes(self.result, sizes)))
        parameters = [t for d in self.types for t in value_types(d)]
        types += [value_types(_with_sizes(Leaf(parameters[k]), sizes))[0] for k in self.changed]
        state = [_with_sizes(d, sizes) for d in self.state.types]
        types += [t for d in state for t in value_types(d)]
        made = trace.builder.emit(get("call"), [*inputs, *self.captured], {"function": self.name}, tuple(types))
        if not self._returns:
            attrs = {"exception": RecursionError, "arguments": ("maximum recursion depth exceeded",), "template": ()}
            trace.builder.emit(get("raise_"), [], attrs, ())
            raise PathEnds
        outputs = iter(made.outputs)
        result = unpack(_with_sizes(self.result, sizes), outputs)
        self._write_arguments(trace, call, outputs)
        for place, d in zip(self.state.places, state, strict=True):
            value = place.read() if isinstance(d, Static) else unpack(d, outputs, label_of(place))
            trace.record(place)
            place.write(value)
        return result

    def _fit_state(self) -> None:
        joiner = Joiner()
        joined = []
        for place, d in zip(self.state.places, self.state.types, strict=True):
            now = place.read()
            joined.append(joiner(d, Static(now) if is_mutable(now) else describe(now)))
        if canonical(joined) != canonical(self.state.types):
            self.state.types = joined
            raise Restart(self.entry, self.types)

    def _sizes_of(self, call: Any) -> dict[Dim, Any]:
        """The sizes of the arguments, by their names in the function."""
        sizes: dict[Dim, Any] = {}
        for x, d in zip(call.values, self.types, strict=True):
            for formal, actual in _leaves(d, x):
                if isinstance(actual, Tensor) and formal.shape is not None and actual.type.shape is not None:
                    sizes.update((n, s) for n, s in zip(formal.shape, actual.type.shape, strict=False) if isinstance(n, Dim))
        return sizes

    def _write_arguments(self, trace: Trace, call: Any, outputs: Iterator[Value]) -> None:
        if not self.changed:
            return
        given = [x for a, d in zip(call.values, self.types, strict=True) for _, x in _leaves(d, a)]
        boxes = {id(place.box) for place in self.state.places if isinstance(place, BoxPlace)}
        for k in self.changed:
            box = given[k]
            value = next(outputs)
            if not isinstance(box, Tensor) or sum(x is box for x in given) > 1 or id(box) in boxes:
                raise refusal("recursion-writes", function=self.f.__name__)
            trace.write(box, value)


_NOTHING = object()


def _free_name(name: str, taken: set[str]) -> str:
    name = first = name.strip("<>") or "function"
    count = 1
    while name in taken:
        count += 1
        name = f"{first}_{count}"
    return name


def _depth(region: Region, value: Value) -> int:
    """How far out a value is defined: 0 for the function's own graph."""
    depth = 0
    outer: Region | None = region
    found = -1
    while outer is not None:
        if outer.graph is value.graph:
            found = depth
        depth += 1
        outer = outer.parent
    return depth - found


# Containers among the arguments


def _made(argument: Any, d: Descriptor) -> Iterator[Any]:
    """The containers that were made for an argument's parts."""
    if isinstance(d, Struct):
        if is_mutable(argument):
            yield argument
        parts = structure_of(argument, instances=True)
        assert parts is not None
        for part, child in zip(parts[1], d.children, strict=True):
            yield from _made(part, child)
    elif not isinstance(d, Static):
        yield from mutable_parts(argument)


def _content(x: Any) -> list[Any]:
    return list(x) if type(x) is list else [*x, *x.values()] if type(x) is dict else [*vars(x), *vars(x).values()]


def _same_content(x: Any, content: list[Any]) -> bool:
    now = _content(x)
    return len(now) == len(content) and all(a is b for a, b in zip(now, content, strict=True))


def _leaves(d: Descriptor, x: Any) -> Iterator[tuple[TensorType, Any]]:
    """For each graph value of a descriptor: its type, and the tensor or number it comes from (None where unclear)."""
    if isinstance(d, Leaf):
        yield d.type, x
    elif isinstance(d, Struct):
        parts = structure_of(x, instances=True)
        assert parts is not None
        children = parts[1]
        if parts[0] != d.keys:
            named = dict(zip(*parts, strict=True))
            children = tuple(named.get(k) for k in d.keys)
        for child, part in zip(d.children, children, strict=True):
            yield from _leaves(child, part)
    else:
        for t in value_types(d):
            yield t, None


# Names of sizes: a function has its own


def _with_sizes(d: Descriptor, sizes: dict[Dim, Any]) -> Descriptor:
    """A descriptor with the sizes of one call; those not known get new names, which are entered."""
    return _mapped(d, lambda name: sizes.setdefault(name, Dim()))


def _own_sizes(types: list[Descriptor]) -> list[Descriptor]:
    """Types with new names of sizes, equal where they were."""
    sizes: dict[Dim, Any] = {}
    return [_with_sizes(d, sizes) for d in types]


def _mapped(d: Any, size: Callable[[Dim], Any]) -> Any:
    if isinstance(d, Leaf):
        shape = d.type.shape
        if shape is None or not any(isinstance(s, Dim) for s in shape):
            return d
        new = tuple(size(s) if isinstance(s, Dim) else s for s in shape)
        return Leaf(TensorType(d.type.dtype, new, d.type.weak))
    if isinstance(d, Struct):
        return Struct(d.kind, d.keys, tuple(_mapped(c, size) for c in d.children))
    if isinstance(d, Sequence):
        return Sequence(None if d.element is None else _mapped(d.element, size))
    if isinstance(d, OneOf):
        return OneOf(tuple(_mapped(a, size) for a in d.alternatives))
    return d
