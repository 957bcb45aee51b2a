"""Recursion whose depth depends on tensors: which calls of a function, made while it is being traced, become `call` nodes.

Recursion that ends by itself while tracing (its depth depends on Python values) is unrolled as Python runs it. A call
of a function that is being traced, made in a region opened since, is noted with its arguments; when such a call comes
again with arguments of the same types, it would go on for ever: the first of them starts again as a named function.
Arguments that change without end (a counter, a growing shape) are joined after a few nested calls.
"""

from __future__ import annotations

import dis
import sys
from functools import lru_cache, partial
from types import CellType, CodeType, FrameType, FunctionType, MethodType
from typing import Any

from autograph.errors.refusals import refusal
from autograph.operators.functions.named import Call, Named, Restart
from autograph.operators.state.dict_places import put_back
from autograph.operators.state.places import watch
from autograph.operators.state.regions import run_region
from autograph.operators.values.descriptors import (
    Descriptor,
    Joiner,
    OneOf,
    Static,
    Struct,
    canonical,
    describe,
    leaf_type,
    structure_of,
)
from autograph.operators.values.forms import same_static
from runtime.ir.graph import Graph
from runtime.tensor.trace import Place, Trace
from runtime.typesys.errors import OperatorNotAllowedInGraphError, OpError

__all__ = ["recursive"]

NESTED = 3  # nested calls with changing arguments that are unrolled before these are joined
CYCLE = 2  # nested calls between two with the same arguments, before all are joined
UNROLLED = 50  # nested calls in one region that are taken to end by themselves
ENDLESS = 100  # nested calls, each under a tensor condition of its own and none like another, that are taken to be endless
_SUSPENDED = 0x20 | 0x80 | 0x100 | 0x200  # generators and coroutines: calling them runs nothing
_REFUSALS = (OperatorNotAllowedInGraphError, OpError, TypeError, ValueError)
_REGION = run_region.__code__


def recursive(trace: Trace, f: FunctionType) -> Any:
    """What to call for `f`, a converted function: itself, or a recorder of the call if it may be recursive.

    It may be if `f` is on Python's stack and a region was opened after its innermost call began; or if it called itself
    many times in one region, which may be a path that is never taken.
    """
    code = f.__code__
    if trace.builder.region.parent is None or code.co_flags & _SUSPENDED:
        return f
    frame: FrameType | None = sys._getframe(2)
    calls = 0
    while frame is not None:
        running = frame.f_code
        if running is _REGION:
            if calls:
                return partial(_enter, trace, f) if calls >= UNROLLED else f
            while frame is not None:
                if frame.f_code is code:
                    return partial(_enter, trace, f)
                frame = frame.f_back
            return f
        if running is code:
            calls += 1
        frame = frame.f_back
    return f


class Entry:
    """A call of a function under way that may be recursive."""

    __slots__ = ("call", "graph", "named", "opened", "rigid", "types")

    def __init__(self, call: Call, graph: Graph) -> None:
        self.call = call
        self.graph = graph  # of the region in which it was called
        self.types = [argument_type(a) for a in call.values]  # objects by identity,
        self.opened = [opened(t) for t in self.types]  # and by their parts
        self.named: Named | None = None  # once it is traced as a named function
        self.rigid = False  # its numbers are needed as Python numbers


def _entries(trace: Trace) -> list[Entry]:
    """The calls under way, outermost first."""
    return trace.notes.setdefault("recursion", [])  # type: ignore[no-any-return]


def _enter(trace: Trace, f: FunctionType, /, *args: Any, **kwargs: Any) -> Any:
    """Call `f`: inline, or by a `call` node of the named function that it is being traced as."""
    call = Call(f, args, kwargs)
    entries = _entries(trace)
    call.values = [_representative(entries, x) for x in call.values]
    region = trace.builder.region.graph
    entry = Entry(call, region)
    if sum(e.call.f.__code__ is f.__code__ for e in entries) >= ENDLESS:
        raise RecursionError
    mine = [e for e in entries if e.call.form == call.form and same_function(e.call.f, f)]
    for other in reversed(mine):
        if other.named is not None:
            joined = join(other.named.types, entry.types)
            if joined is not None and canonical(joined) == canonical(other.named.types):
                _join_cycle(mine, other)
                return other.named.call(trace, call)
        elif other.graph is not region and _repeats(other, entry):
            _join_cycle(mine, other)
            raise Restart(other, join(other.types, entry.types) or entry.types)
    _join_changing(mine, entry)
    return _run(trace, entry)


def _repeats(a: Entry, b: Entry) -> bool:
    return canonical(a.types) == canonical(b.types) or canonical(a.opened) == canonical(b.opened)


def _join_cycle(mine: list[Entry], first: Entry) -> None:
    """Start again where a function came back to the arguments of `first` by several others that join with them.

    A search through a graph does: `visit(0)` calls `visit(1)`, that `visit(2)`, and each may call the others. As functions
    of their own each would be traced in all others.
    """
    since = mine[mine.index(first) + 1 :]
    if len(since) < CYCLE or any(e.rigid for e in mine):
        return
    own = first.named.types if first.named else first.types
    types: list[Descriptor] | None = own
    for entry in since:
        types = types and join(entry.named.types if entry.named else entry.types, types)
    if types is not None and canonical(types) != canonical(own):
        raise Restart(first, types, joins=True)


def _join_changing(mine: list[Entry], entry: Entry) -> None:
    """Start again where the nested calls of a function began to differ in what joins, if there are several."""
    joined = entry.types
    similar: list[Entry] = []
    for other in reversed(mine):
        more = join(other.named.types if other.named else other.types, joined)
        if more is None:
            break
        joined = more
        similar.append(other)
    if not similar:
        return
    inner = similar[0]
    if inner.named is not None and not any(map(_fixes_number, inner.named.types, entry.types)):
        raise Restart(inner, join(inner.named.types, entry.types) or entry.types)
    if len(similar) >= NESTED and not any(e.rigid for e in mine):
        raise Restart(similar[-1], joined, joins=True)


def _fixes_number(a: Descriptor, b: Descriptor) -> bool:
    """Whether two argument types differ in a Python number of the first."""
    if isinstance(a, Struct) and isinstance(b, Struct):
        return any(map(_fixes_number, a.children, b.children))
    return isinstance(a, Static) and not (isinstance(b, Static) and same_static(a.value, b.value))


def _run(trace: Trace, entry: Entry) -> Any:
    """Trace a call inline; from the moment it turns out to recur, as a named function."""
    try:
        return _traced(trace, entry)
    finally:
        entry.named = None  # no cycle: who holds an object says whether it was born here


def _traced(trace: Trace, entry: Entry) -> Any:
    entries = _entries(trace)
    named: Named | None = None
    refused: list[Exception] = []  # emptied when done: tracebacks hold frames, and these what was born in them
    depth = len(entries)
    while True:
        entries.append(entry)
        try:
            if named is None:
                result = _inline(trace, entry)
                refused.clear()
                return result
            if named.attempt(trace, entries):
                break
        except Restart as restart:
            if restart.entry is not entry:
                raise
            if named is None:
                named = entry.named = Named(trace, entry, restart.types, {e.named.name for e in entries[:depth] if e.named})
            else:
                named.widen(restart.types)
            named.joins |= restart.joins
        except _REFUSALS as error:
            if refused:
                raise refused.pop() from None
            if named is None or not named.joins:
                raise
            refused.append(error)  # perhaps a number is needed as such: then the recursion has to end by itself
            named = entry.named = None
            entry.rigid = True
        except RecursionError as error:
            named = None
            reason = refused.pop() if refused else getattr(error, "reason", None) or _endless(entries[:depth], entry)
            if depth or reason is None:
                error.reason = reason  # type: ignore[attr-defined]
                raise
            raise reason from None
        finally:
            del entries[depth:]
    refused.clear()
    named.finish(trace)
    return named.call(trace, entry.call)


def _inline(trace: Trace, entry: Entry) -> Any:
    """The call as Python runs it; undone if the entry starts again."""
    region = trace.builder.region.graph
    mark = len(region.nodes)
    table: dict[Any, tuple[Place, Any]] = {}
    trace.journal.append(table)
    try:
        watch(trace, entry.call.f)
        result = entry.call.run(entry.call.values)
    except Restart as restart:
        if restart.entry is entry:
            put_back(table)
            table.clear()
            del region.nodes[mark:]
        raise
    finally:
        trace.journal.pop()
        for key, known in table.items() if trace.journal else ():
            trace.journal[-1].setdefault(key, known)
    return result


def _endless(entries: list[Entry], after: Entry) -> Exception | None:
    """The refusal of a recursion that does not end while tracing."""
    first, then = [e for e in (*entries, after, after) if e.call.f.__code__ is after.call.f.__code__][:2]
    if first is after:
        return None
    differing = [
        f"{name!r} (first {_short(a)}, then {_short(b)})"
        for name, a, b in zip(after.call.names, first.types, then.types, strict=False)
        if canonical([a]) != canonical([b])
    ]
    what = f"in argument {', '.join(differing)}" if differing else "in what it closes over"
    return refusal("endless-recursion", function=after.call.f.__name__, what=what)


def _short(type: Descriptor) -> str:
    text = repr(type)
    return text if len(text) <= 60 else text[:59] + "…"


# Types of arguments


class ArgumentJoiner(Joiner):
    """Joins arguments: objects stay themselves where all calls pass the same, else they travel by their parts."""

    def merge(self, a: Descriptor, b: Descriptor) -> Descriptor | None:
        if isinstance(a, Static) and isinstance(b, Static) and not same_static(a.value, b.value):
            parts = opened(a), opened(b)
            if not isinstance(parts[0], Static) and not isinstance(parts[1], Static):
                a, b = parts
        return super().merge(a, b)


def argument_type(x: Any) -> Descriptor:
    """The descriptor of an argument: what has an identity is known by it, also a function made anew at each call."""
    if isinstance(x, tuple):
        parts = structure_of(x)
        assert parts is not None
        return Struct(type(x), parts[0], tuple(map(argument_type, parts[1])))
    if isinstance(x, (FunctionType, MethodType)):
        return Static(x)
    d = describe(x)
    return Static(x) if isinstance(d, Struct) or type(x) in (list, dict) else d


def opened(d: Descriptor) -> Descriptor:
    """An argument type with its objects as structures."""
    if isinstance(d, Struct):
        return Struct(d.kind, d.keys, tuple(map(opened, d.children)))
    return describe(d.value) if isinstance(d, Static) and leaf_type(d) is None else d


def join(a: list[Descriptor], b: list[Descriptor]) -> list[Descriptor] | None:
    """The join of argument types; None if they differ in structure or in Python values that are no numbers."""
    joiner = ArgumentJoiner()
    joined = []
    for x, y in zip(a, b, strict=True):
        both = joiner(x, y)
        if not _is_plain(both, (x, y)):
            return None
        joined.append(both)
    return joined


def _is_plain(d: Descriptor, known: tuple[Descriptor, ...]) -> bool:
    """Whether no alternatives came up in a join, but for None."""
    if isinstance(d, OneOf):
        present = [a for a in d.alternatives if not (isinstance(a, Static) and a.value is None)]
        return len(present) <= 1 or d in known
    return not isinstance(d, Struct) or all(_is_plain(c, ()) for c in d.children)


# Which functions are the same


def _representative(entries: list[Entry], x: Any) -> Any:
    """Of functions that are made anew at each call, the one that came first as an argument."""
    if isinstance(x, (FunctionType, MethodType)):
        for entry in entries:
            for other in entry.call.values:
                if same_callable(other, x):
                    return other
    return x


def same_callable(a: Any, b: Any) -> bool:
    """Whether two functions or bound methods are the same but for having been made twice."""
    if isinstance(a, MethodType) and isinstance(b, MethodType):
        return a.__self__ is b.__self__ and same_callable(a.__func__, b.__func__)
    return isinstance(a, FunctionType) and isinstance(b, FunctionType) and same_function(a, b)


def same_function(a: FunctionType, b: FunctionType, compared: frozenset[tuple[int, int]] = frozenset()) -> bool:
    """Whether two functions have the same code, defaults and closure values."""
    if a is b or (id(a), id(b)) in compared:
        return True
    if a.__code__ is not b.__code__:
        return False
    compared = compared | {(id(a), id(b))}

    def same(x: Any, y: Any) -> bool:
        if isinstance(x, FunctionType) and isinstance(y, FunctionType):
            return same_function(x, y, compared)
        if isinstance(x, tuple) and isinstance(y, tuple) and type(x) is type(y):
            return len(x) == len(y) and all(map(same, x, y))
        return same_static(x, y)

    def same_cell(name: str, x: CellType, y: CellType) -> bool:
        return x is y or (name not in _rebound(a.__code__) and same(_content(x), _content(y)))

    return (
        same(a.__defaults__ or (), b.__defaults__ or ())
        and same(tuple((a.__kwdefaults__ or {}).items()), tuple((b.__kwdefaults__ or {}).items()))
        and all(map(same_cell, a.__code__.co_freevars, a.__closure__ or (), b.__closure__ or ()))
    )


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return same_function  # empty: any value equal to itself only


@lru_cache(maxsize=1000)
def _rebound(code: CodeType) -> frozenset[str]:
    """Free names that a function, or one nested in it, assigns."""
    found = {i.argval for i in dis.get_instructions(code) if i.opname in ("STORE_DEREF", "DELETE_DEREF")}
    for const in code.co_consts:
        if isinstance(const, CodeType):
            found |= _rebound(const)
    return frozenset(found & set(code.co_freevars))
