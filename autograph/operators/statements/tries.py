"""try statements whose body may fail when the graph runs: Python's, or an `attempt` node and conditionals on its outcome.

The body becomes a function of the graph. Before each operation in it that may fail, what changed of the places that the
body writes is noted, so that a handler finds them as they were when the exception was raised.
"""

from __future__ import annotations

import dis
from collections.abc import Callable, Sequence
from typing import Any

from autograph.errors.refusals import refusal
from autograph.operators.containers.counterparts import Closed, became, detached, relate, same_if
from autograph.operators.containers.lists import ListPlace
from autograph.operators.containers.relations import Detached, SameIf
from autograph.operators.containers.sharing import sharing_of
from autograph.operators.state.aliases import followed_no_further
from autograph.operators.state.births import unheld
from autograph.operators.state.places import UNBOUND, UNDEFINED, name_places, names_of
from autograph.operators.state.regions import (
    NewReferences,
    Traced,
    as_python_says,
    inside,
    is_ours,
    replayed,
    run_region,
)
from autograph.operators.statements.asserts import Again, raised
from autograph.operators.statements.branches import staged_cond
from autograph.operators.statements.loop_state import Slot as OwnPlace
from autograph.operators.statements.raised_kinds import flat, raised_in
from autograph.operators.statements.staged_texts import slot, staged_text, text
from autograph.operators.statements.trials import Trial
from autograph.operators.values.choice import alternatives_of
from autograph.operators.values.descriptors import (
    Descriptor,
    Joiner,
    OneOf,
    Undefined,
    canonical,
    describe,
    loosen,
    mutable_parts,
    value_types,
)
from autograph.operators.values.packing import alternative_for, pack, unpack
from runtime.ir.build import Region
from runtime.ir.graph import Graph, Value
from runtime.ir.safety import may_fail
from runtime.ops.attempts import Kind, Known, Sited
from runtime.ops.effects import Slot, Text, exception_of
from runtime.ops.registry import Op, get
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import STATE, Place, Trace
from runtime.typesys.spec import TensorType

__all__ = ["EVERYTHING", "try_stmt"]

Handler = tuple[Callable[[], Any], Callable[[Any], None]]
_TAG = TensorType("int64", (), weak=True)
_PASSES = 12
_UNSURE = object()

EVERYTHING = (BaseException,)
"""What the handler made of a `finally` catches: also what ends a path of the trace."""


def try_stmt(
    body: Callable[[], None],
    handlers: tuple[Handler, ...],
    orelse: Callable[[], None] | None,
    names: tuple[str, ...],
    binding: Callable[..., Any] | None = None,
) -> None:
    """`try: body()`, `except type(): handler(error)` for each of the handlers, `else: orelse()`.

    `binding` is the function that binds the names, where it is none of these.
    """
    trace = STATE.trace
    if trace is None:
        _by_python(body, handlers, orelse)
        return
    cells = name_places(names, body, orelse, binding, *(h for _, h in handlers)) if names else []
    staged = _Try(trace, body, cells, any(_uses_first(handler) for _, handler in handlers))
    trial = Trial(trace)
    trace.journal.try_out(trial.written)  # lists become references on the way
    try:
        traced = staged.settled()
    except BaseException:
        trace.journal.tried()
        trial.keep(trace)
        raise
    trace.journal.tried()
    if traced is None:
        trial.discard(trace)
        _by_python(body if staged.lost is None else staged.unstaged, handlers, orelse)
        return
    trial.keep(trace)
    kinds: list[tuple[Kind, Any, int | None]] = []
    made: dict[Sited, dict[str, Any]] = {}  # attributes of the nodes that raise
    for types, handler in handlers:
        asks = _uses_first(handler)
        for kind in flat(types()):
            found = raised_in(trace, staged.carried, traced.region.graph, kind, made) if asks else [(kind, None)]
            kinds += [(k, handler, length) for k, length in found]
    tag = staged.emit(traced, tuple(kind for kind, *_ in kinds))

    def done() -> None:
        staged.settle()
        if orelse is not None and not traced.ended:  # nobody comes to the `else` of a body that always raises
            orelse()

    everything = [*cells, *(p for p in staged.places if type(p) is not OwnPlace and all(p is not c for c in cells))]

    def noted(kind: Sited) -> BaseException:
        return staged.remade(kind.site, made[kind])

    choose(trace, tag, 0, [done, *(_handling(kind, noted, staged.name, *how) for kind, *how in kinds)], everything)
    staged.forget()


def choose(trace: Trace, tag: Tensor, number: int, paths: list[Callable[[], None]], cells: list[Place]) -> None:
    """Take the path that the tag says."""
    if len(paths) == 1:
        paths[0]()
        return
    staged_cond(trace, op.equal(tag, number), paths[0], lambda: choose(trace, tag, number + 1, paths[1:], cells), cells)


def _by_python(body: Callable[[], None], handlers: tuple[Handler, ...], orelse: Callable[[], None] | None) -> None:
    try:
        try:
            body()
        except NameError as error:
            raise as_python_says(error)  # noqa: B904 (in no name: its traceback holds this frame, and what was born in it)
    except BaseException as error:
        ours = is_ours(error)
        handler = _handler_of(error, [h for h in handlers if h[0]() is EVERYTHING] if ours else handlers)
        if handler is None:
            raise
        handler(error)
        if ours:
            raise  # a `finally` that jumps does not take it back
    else:
        if orelse is not None:
            orelse()


def _handler_of(error: BaseException, handlers: Sequence[Handler]) -> Callable[[Any], None] | None:
    return next((handler for types, handler in handlers if isinstance(error, types())), None)


def _uses_first(function: Any) -> bool:
    """Whether a function reads its first parameter."""
    code = function.__code__
    name = code.co_varnames[0]
    return any(i.argval == name and i.opname.startswith("LOAD") for i in dis.get_instructions(code))


def _handling(
    kind: Kind, noted: Callable[[Sited], BaseException], attempt: str, handler: Callable[[Any], None], length: int | None
) -> Callable[[], None]:
    """The handler of an exception that is caught when the graph runs; `noted` makes those of which it is noted what they
    hold, and the others have no arguments, their text, or nobody knows how many (`length`)."""

    def handle() -> None:
        once_more = Again(attempt)
        if isinstance(kind, type):
            error = _caught(kind, _uses_first(handler), once_more, length)
        else:
            error = _remade(kind) if isinstance(kind, Known) else noted(kind)
            error.__dict__["__raised_again__"] = once_more
        try:
            raise error  # so that a bare `raise` in the handler finds it
        except type(error):
            try:
                handler(error)
            except BaseException as again:
                if again is not error:
                    raise
                raise raised(again) from None
        finally:
            once_more.drop()
            error.__traceback__ = None  # it would keep what was born here alive
            del error

    return handle


def _remade(kind: Known) -> BaseException:
    """An exception like the one that will be caught; the same one each time it is asked for in a trace."""
    trace = STATE.trace
    assert trace is not None
    table = trace.notes.setdefault("remade", {})
    if kind not in table:
        table[kind] = exception_of((), kind.exception, kind.arguments, (), kind.state)
    made: BaseException = table[kind]
    made.args = kind.arguments
    made.__dict__.clear()  # of what a handler has done to it
    made.__dict__.update(kind.state)
    _mark(made, kind)
    return made


def _mark(made: BaseException, kind: Known | int) -> None:
    """Let an exception that stands for one of the run be known as such where it is raised again."""
    made.__dict__["__as_made__"] = kind, made.args, dict(made.__dict__)


def _with_values(argument: Any, values: Sequence[Any]) -> Any:
    """An argument of an exception, of its slots' values."""
    if isinstance(argument, Slot):
        return values[argument.number]
    if type(argument) in (tuple, list):
        return type(argument)(_with_values(part, values) for part in argument)
    return _text_of(argument.template, values) if isinstance(argument, Text) else argument


def _text_of(template: tuple[Any, ...], values: Sequence[Any]) -> str:
    trace = STATE.trace
    assert trace is not None
    parts = [p if isinstance(p, str) else slot(trace, trace.operand(values[p[0]]), p[1]) for p in template]
    return text("".join(parts))


def _caught(kind: type[BaseException], is_used: bool, once_more: Again, length: int | None) -> BaseException:
    """What stands for an exception that an attempt has caught when the graph runs: its class and its text can be asked, and
    its arguments where those are its text, or none."""
    if issubclass(kind, BaseExceptionGroup):
        raise refusal("caught-later", kind=kind.__name__)  # nothing but its content tells what is done with it
    texts = [staged_text("caught_text", quoted=quoted) if is_used else "" for quoted in (False, True)]

    def refuse(self: Any, *_: Any) -> Any:
        raise refusal("caught-later", kind=kind.__name__)

    def unknown(self: Any, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        refuse(self)

    arguments = property(refuse if length is None else lambda self: (texts[0],)[:length])
    members: dict[str, Any] = {"args": arguments, "__getattr__": unknown}
    members |= {"__str__": lambda self: texts[0], "__repr__": lambda self: texts[1]}
    members["__raised_again__"] = once_more
    members["__module__"] = kind.__module__
    members |= {"__stands_in__": True, "__caught_by__": once_more.attempt}
    made: Any = type(kind.__name__, (kind,), members)
    return made.__new__(made)  # type: ignore[no-any-return]


class _Try:
    """One try statement while its body is traced."""

    def __init__(self, trace: Trace, body: Callable[[], None], cells: list[Place], asks: bool) -> None:
        self.trace = trace
        self.asks = asks  # a handler looks at what it caught
        self.carried: dict[int, tuple[OwnPlace, Descriptor]] = {}  # by site: what was raised there is made of, and its type
        self.body = body
        self.start = trace.builder.region
        self.cells = cells
        self.places: list[Place] = []  # what the body changes
        self.types: list[Descriptor] = []  # of their values at any time
        # What was noted of them last, as far as each region under way knows.
        self.last: dict[Region, list[Any]] = {}
        self.noted: dict[Any, list[Any]] = {}  # by the keys of places: what can be changed that was noted of them
        self.missed: dict[Any, Place] = {}  # cells that held something else for a while
        self.joined: list[Descriptor] = []
        self.entries: list[Any] = []  # what the cells held
        serial = trace.notes["attempts"] = trace.notes.get("attempts", 0) + 1
        self.name = f"{body.__name__}_try_{serial}"
        self.flags: list[OwnPlace] = []  # whether what the body leaves is an object that was there before
        self.same: list[tuple[SameIf, OwnPlace]] = []
        self.failed: Exception | None = None  # what keeping account of the places ran into
        self.lost: Exception | None = None  # what the body ran into where it was to be staged
        self.finals: list[Descriptor] = []  # of what the body leaves, if it does not fail

    def settled(self) -> Traced | None:
        """The body, traced with notes of all that it changes; None if it fails while it is traced, and if nothing in it may
        fail when the graph runs."""
        for _ in range(_PASSES):
            settled, traced = self._pass()
            if settled:
                return traced
        raise refusal("unsettled-loop", names=names_of(self.places))

    def _pass(self) -> tuple[bool, Traced | None]:
        """Trace the body once: whether it is settled, and if so what `settled` returns. (No name of an earlier pass holds an
        object then: who else holds it is counted.)"""
        heap = self.trace.notes.get("heap")
        try:
            traced = self._trace()
        except NewReferences as references:
            if heap is None or not heap.put_in(tuple(references.found)):
                raise
            self.places, self.types = [], []  # what was described is a reference now
            return False, None
        if traced is None:
            return True, None
        risky = [node for node in traced.region.graph.walk() if may_fail(node.op, node.inputs)]
        if not risky or (traced.ended and len(risky) == 1 and risky[0] is traced.region.graph.nodes[-1]):
            return True, None
        if heap is not None and heap.put_in(tuple(place.read() for place in traced.places.values())):
            self.places, self.types = [], []
            return False, None
        known = {place.key: place for place in self.places}
        noted = {place.key: place for place, _ in self.carried.values()}
        new = [place for key, place in {**traced.places, **self.missed, **noted}.items() if key not in known]
        before = self.types
        self.types = list(self.joined)
        for place in new:
            self.places.append(place)
            self.types.append(loosen(describe(place.read())))
        joiner = Joiner()
        with replayed(traced):
            for i, place in enumerate(self.places):
                final = traced.finals.get(place.key, UNDEFINED)
                if not traced.ended and final is not UNDEFINED:
                    self.types[i] = joiner(self.types[i], loosen(describe(final)))
        return (True, traced) if not new and canonical(self.types) == canonical(before) else (False, None)

    def _trace(self) -> Traced | None:
        trace = self.trace
        opened = trace.notes.setdefault("tries", [])
        self.last = {trace.builder.region: [place.read() for place in self.places]}
        self.joined = list(self.types)
        self.entries = [cell.read() for cell in self.cells]
        self.missed, self.noted = {}, {}
        before, trace.builder.watcher = trace.builder.watcher, self._before
        opened.append(self)
        kept = trace.notes.setdefault("kept", [])  # what is noted here does not hold an object
        kept += [self.last, self.places, self.noted, self.same]
        try:
            return run_region(trace, self._flagged, self.cells, Graph(functions=trace.graph.functions))
        except Exception as error:
            if error is self.failed:
                raise
            self.lost = error
            return None  # once more, and Python handles it
        finally:
            del kept[-4:]
            opened.pop()
            trace.builder.watcher = before

    def _flagged(self) -> None:
        """The body, and what it tells of which objects the places hold after it."""
        self.same.clear()
        self.body()
        if "sharing" not in self.trace.notes:
            return
        graph = self.trace.builder.region.graph
        held = {id(part) for place in (*self.cells, *self.places) for part in mutable_parts(place.read())}
        same = [r for r in sharing_of(self.trace).relations if type(r) is SameIf and r.graph is graph]
        found = [r for r in same if id(r.near) in held]
        self.flags += [OwnPlace("same", False) for _ in found[len(self.flags) :]]
        for r, flag in zip(found, self.flags, strict=False):
            self.trace.record(flag)
            flag.write(r.test)
            self.same.append((r, flag))

    def unstaged(self) -> None:
        """The body once more, for Python to handle what it raises: where it raises nothing now, what the run raises in it
        would pass by the handlers."""
        trace, error = self.trace, self.lost
        assert error is not None
        graph = trace.builder.region.graph
        before = set(graph.nodes)
        self.lost = None
        self.body()
        after = Graph()
        after.nodes = [node for node in graph.nodes if node not in before]
        if any(may_fail(node.op, node.inputs) for node in after.walk()):
            raise error

    def _before(self, operation: Op, inputs: list[Value], attrs: dict[str, Any]) -> None:
        """Before an operation that may fail: note what has changed since."""
        if not may_fail(operation, inputs):
            return
        trace = self.trace
        watcher, trace.builder.watcher = trace.builder.watcher, None
        try:
            opened = trace.notes["tries"]
            for each in opened:
                if attrs.get("site") and inputs and each.asks and isinstance(attrs["exception"], type):
                    if not all(isinstance(v.type, TensorType) for v in inputs):  # a text that the run chooses
                        raise refusal("caught-later", kind=attrs["exception"].__name__)
                    each.note_raised(attrs["site"], inputs)
                else:
                    each.note()
                if operation.name == "attempt":
                    each.forget_here()
        except Exception as error:
            self.failed = error  # not the body's
            raise
        finally:
            trace.builder.watcher = watcher

    def note_raised(self, site: int, inputs: list[Value]) -> None:
        """Emit, too, what an exception is made of that is about to be raised."""
        values = tuple(map(Tensor, inputs))
        if site not in self.carried:
            self.carried[site] = OwnPlace("raised", UNBOUND), loosen(describe(values))
        place, _ = self.carried[site]
        place.write(values)
        try:
            self.note()
        finally:
            place.write(UNBOUND)

    def remade(self, site: int, attrs: dict[str, Any]) -> BaseException:
        """On the path on which it was caught: an exception like the one that was raised at a site."""
        values: tuple[Any, ...] = ()
        if attrs["slots"]:
            place, d = self.carried[site]
            noted = self.types[self.places.index(place)]
            values = place.read()
            if isinstance(noted, OneOf):
                values = alternatives_of(values)[alternative_for(d, noted)]
        kind = attrs["exception"]
        if attrs["arguments"] is None:
            given = [_text_of(attrs["template"], values)]
        else:
            given = [_with_values(a, values) for a in attrs["arguments"]]
        state = attrs.get("state")
        made = kind(*given) if state is None else kind.__new__(kind, *given)
        made.args = tuple(given)
        made.__dict__.update({name: _with_values(a, values) for name, a in state or ()})
        _, made.__cause__, made.__context__, made.__suppress_context__ = self.trace.notes["sites"][site]
        _mark(made, site)
        return made  # type: ignore[no-any-return]

    def forget(self) -> None:
        """Nobody asks any more what was raised."""
        for place, _ in self.carried.values():
            place.write(UNBOUND)

    def note(self) -> None:
        """Emit what changed of the places."""
        joiner = Joiner()
        slot = 0
        last = self._last_here()
        for cell, entry in zip(self.cells, self.entries, strict=True):
            if cell.read() is not entry:
                self.missed[cell.key] = cell
        if (heap := self.trace.notes.get("heap")) is not None:  # new lists that the places hold are references first
            for place, was in zip(self.places, last, strict=True):
                if (now := place.read()) is not was:
                    heap.put_in(now)
        for i, place in enumerate(self.places):
            now, d = place.read(), self.types[i]
            width = len(value_types(d))
            if now is not last[i]:
                last[i] = now
                self._forget_around(i)
                wider = joiner(d, loosen(describe(now)))
                self.joined[i] = joiner(self.joined[i], wider)
                if type(place) is not ListPlace and any(True for _ in mutable_parts(now)):
                    self.noted.setdefault(place.key, []).append(now)
                if canonical([wider]) == canonical([d]):
                    for k, value in enumerate(pack(now, d)):
                        self.trace.builder.emit(get("note"), [value], {"slot": slot + k, "of": self.name}, ())
            slot += width

    def _last_here(self) -> list[Any]:
        """What was noted last, in the region under way."""
        region = here = self.trace.builder.region
        while region not in self.last:
            assert region.parent is not None
            region = region.parent
        return self.last.setdefault(here, list(self.last[region]))

    def _forget_around(self, i: int) -> None:
        """Around this region nobody knows whether it runs, or is traced again: there the place is noted anew."""
        region = self.trace.builder.region.parent
        while region is not None:
            if region in self.last:
                self.last[region][i] = _UNSURE
            region = region.parent

    def forget_here(self) -> None:
        """What comes next in this region runs notes of its own, of nobody knows what. (What was raised stays noted.)"""
        last = self._last_here()
        last[:] = [was if type(p) is OwnPlace else _UNSURE for p, was in zip(self.places, last, strict=True)]

    def emit(self, traced: Traced, exceptions: tuple[Kind, ...]) -> Tensor:
        """The node; the places get what the body left. Returns the tag."""
        trace, region = self.trace, traced.region
        if not traced.ended:
            self._refuse_shared(traced)
        with inside(trace, region), replayed(traced):
            outputs = []
            for place, d in zip(self.places, self.types, strict=True):
                final = UNDEFINED if traced.ended else traced.finals.get(place.key, place.read())
                self.finals.append(loosen(describe(final)))
                outputs += pack(final, d)
            region.graph.outputs = [region.resolve(v) for v in outputs]
        captured = region.captured()
        region.graph.inputs = [inner for _, inner in captured]
        for i, v in enumerate(region.graph.inputs):
            v.index = i
        trace.graph.functions[self.name] = region.graph
        region.graph.name = self.name
        entries = []
        for place, d in zip(self.places, self.types, strict=True):
            entries += pack(place.read(), d)
        types = (_TAG, *(t for d in self.types for t in value_types(d)))
        attrs = {"function": self.name, "slots": len(entries), "exceptions": exceptions}
        node = trace.builder.emit(get("attempt"), [*entries, *(outer for outer, _ in captured)], attrs, types)
        results = iter(node.outputs)
        tag = Tensor(next(results))
        closed = []
        for place, d in zip(self.places, self.types, strict=True):
            value = unpack(d, results, getattr(place, "name", ""))
            closed += self._as_before(place, value, tag)
            if type(place) is not OwnPlace:
                trace.record(place)
            place.write(UNBOUND if value is UNDEFINED else value)
            final = UNDEFINED if traced.ended else traced.finals.get(place.key, UNDEFINED)
            if type(final) is not list and any(True for _ in mutable_parts(final)):
                detached(trace, value, final, [r for r in traced.shared if all(r is not same for same, _ in self.same)])
                closed += became(trace, value, final, op.equal(tag, 0))
        relate(trace, closed)
        for relation, flag in self.same:
            made = [ours for ours, part, _ in closed if part is relation.near]
            noted = [r for r in sharing_of(trace).relations if type(r) is SameIf and r.far is relation.near]
            for ours in (*made, *(r.near for r in noted)):
                same_if(trace, ours, relation.far, flag.read())
        if "sharing" in trace.notes:
            sharing_of(trace).note_all()
        return tag

    def _as_before(self, place: Place, value: Any, tag: Tensor) -> Closed:
        """What a place holds where the body failed: the object that it held before, or one of those that were noted."""
        entry = place.read()
        if type(place) in (ListPlace, OwnPlace) or not any(True for _ in mutable_parts(value)):
            return []
        found = [x for x in (entry, *self.noted.get(place.key, ())) if any(True for _ in mutable_parts(x))]
        if len(found) == 1 and found[0] is entry:
            return became(self.trace, value, entry, op.not_equal(tag, 0))
        for x in found:
            sharing_of(self.trace).add(Detached(self.trace, value, x))
        return []

    def _refuse_shared(self, traced: Traced) -> None:
        """A list that the body leaves in two places, or that somebody else holds, is one afterwards only as a reference."""
        if "heap" in self.trace.notes:
            return
        finals = [traced.finals.get(place.key) for place in self.places if not isinstance(place, ListPlace)]
        left = [[part for part in mutable_parts(final) if type(part) is list] for final in finals]
        parts = [part for each in left for part in each]
        if not parts:
            return
        owners = {id(place.owner) for place in self.places if isinstance(place, ListPlace)}
        linked = {id(x) for r in traced.shared if type(r) is SameIf for x in (r.near, r.far)}
        if len({id(p) for p in parts}) < len(parts) or any(id(p) in owners | linked for p in parts):
            raise followed_no_further()
        held = [*self.last.values(), self.entries, finals, left, *left]
        born = unheld(self.trace, parts, [parts, traced.finals, traced.places, [traced.result], traced.shared, *held])
        if not born.issuperset(map(id, parts)):
            raise followed_no_further()

    def settle(self) -> None:
        """On the path on which nothing failed: the places hold what the body left, and nothing else is possible."""
        for place, d, final in zip(self.places, self.types, self.finals, strict=True):
            if isinstance(d, OneOf) and not isinstance(final, (OneOf, Undefined)) and type(place) is not OwnPlace:
                self.trace.record(place)
                place.write(alternatives_of(place.read())[alternative_for(final, d)])
