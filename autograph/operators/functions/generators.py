"""Generators over tensors, in a trace: a loop over one becomes the generator's own loops, with the body at each yield.

A generator that a trace makes remembers how it was called. Where a loop goes over it before it has begun, and what it
was given holds tensors, the loop's body is called from the generator's code turned inside out; else it runs as Python's.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dis import Instruction, get_instructions
from functools import lru_cache
from inspect import GEN_CREATED, getgeneratorstate
from types import CodeType, FunctionType, GeneratorType
from typing import Any
from weakref import WeakKeyDictionary

from autograph.errors.refusals import refusal
from autograph.operators.containers import advances
from autograph.operators.containers.lists import dynamic_of
from autograph.operators.containers.sharing import sync
from autograph.operators.functions import generator_forms
from autograph.operators.functions.own_iterators import has_own_next, steps
from autograph.operators.state.aliases import TraceAgain, tensorless
from autograph.operators.state.births import births_of, note_birth
from autograph.operators.state.dict_places import put_back
from autograph.operators.state.places import note_attribute, watch
from autograph.operators.state.plain import PLAIN
from autograph.operators.statements import truth
from autograph.operators.statements.branches import if_stmt, not_
from autograph.operators.statements.truth import truth_of
from autograph.operators.values import specials
from autograph.operators.values.specials import leads_to_tensor, named_by, undispatched
from runtime.tensor.dispatch import op
from runtime.tensor.trace import STATE, Trace, current
from runtime.typesys.errors import OperatorNotAllowedInGraphError

__all__ = [
    "GENERATOR",
    "Emitting",
    "asked",
    "asked_by_iter",
    "emitting",
    "for_manager",
    "generator_maker",
    "made_of",
    "managing_form",
    "may_be_shared",
    "refuse_spent",
    "stands_for",
    "tried_by_python",
]

GENERATOR = 0x20  # the flag of a generator function's code

Body = Callable[[Any], None]
Test = Callable[[], Any] | None


class Emitting:
    """An iterable that calls a loop's body for each item.

    It notes that it gives its items `once`, unless what it takes them from does; or it gives them `again`. Of an iterator
    of the user's `own`, whoever makes another iterator of it makes one that asks it.
    """

    __slots__ = ("__weakref__", "_is_running", "_run", "again", "is_over", "once", "own", "spent")

    def __init__(
        self, run: Callable[[Body, Test], None], once: bool = True, again: bool = False, own: Any = None
    ) -> None:
        self._run = run
        self.own = own
        self.once = once
        self.again = again
        self.is_over: Any = False  # all items were taken
        self.spent: Any = False  # some items were taken: nobody may go on
        self._is_running = False
        if once and STATE.trace is not None:
            note_birth(STATE.trace, self)

    def run(self, body: Body, test: Test) -> None:
        """Call `body` for each item, going on while `test()` is true."""
        refuse_spent(self)
        if not self.once:
            self._run(body, test)
        elif self.is_over is not True:
            if self._is_running:  # the body asks for items, too: they would come from the start
                raise advances.taken_in_part()
            taken, self._is_running = self.is_over, True
            try:
                if_stmt(not_(taken), lambda: self._run(body, test), None, ())
            finally:
                self._is_running = False
            _note_state(self, "is_over" if test is None else "spent")

    def __staged_bool__(self) -> bool:
        return True  # as of all iterators

    def __iter__(self) -> Any:
        items = gather(self)
        if dynamic_of(items) is not None:  # Python would take what stands for several items as one
            raise refusal("generator-items")
        if self.once:
            _note_state(self, "spent")  # whoever asked may stop before the end
        return iter(items)

    def __next__(self) -> Any:
        raise refusal("unknown-length", what="iteration by Python")  # where a method `__iter__` has returned it

    def send(self, value: Any) -> Any:
        """What a generator takes, this cannot."""
        raise refusal("generator-items")

    throw = send


def _note_state(emitting: Emitting, name: str) -> None:
    trace = STATE.trace
    if trace is not None and not births_of(trace).here(emitting, trace):
        note_attribute(trace, emitting, name)
    setattr(emitting, name, True)
    sync(trace)


keys_of: Callable[[dict[Any, Any]], Any] = lambda d: None  # of a dictionary with keys that are there on some paths only
emitted: Callable[[Any], Emitting | None] = lambda x: None  # of what has a staged length; put here, too, by who can tell
over: Any = None  # `for_stmt`, put here by its module
gather: Callable[[Any], list[Any]] = list  # the items as a list; put here by the module that can stage it


_DEPTH = 2  # of branches and loops, each within the last, in which a generator goes over itself


class _Made:
    """How a generator was called."""

    __slots__ = ("args", "emitting", "function", "kwargs", "region", "spent")

    def __init__(self, function: FunctionType, args: Any, kwargs: Any) -> None:
        self.function, self.args, self.kwargs = function, args, kwargs
        self.region = None if STATE.trace is None else STATE.trace.builder.region
        self.spent = False  # a loop that may have stopped before the end went over it
        self.emitting: Emitting | None = None  # who goes on with it goes on with this

    def form(self, generator: GeneratorType[Any, Any, Any], may_stop: bool) -> Emitting | None:
        """The emitting form, in which the generator is used up; None if there is none."""
        made, args, kwargs = self.function, self.args, self.kwargs  # what is made here does not hold this
        turned = _turned(made, may_stop)
        if turned is None:
            return None
        generator.close()

        def run(body: Body, test: Test) -> None:
            function = turned if test is None else _turned(made, True)
            trace = STATE.trace
            assert trace is not None
            assert function is not None
            running = trace.notes.setdefault("emitting", {})
            code, region = made.__code__, trace.builder.region
            known = running.get(code)
            before, depth, is_first = known or (region, 0, True)
            depth += region is not before
            try:
                if depth > _DEPTH and not is_first:
                    # It goes over itself where the run says so: its body is written once, in a function.
                    if "print" in code.co_names:  # which would come before what the loop does
                        what = "in the body of the loop that goes over it"
                        raise refusal("endless-recursion", function=made.__name__, what=what)
                    running[code] = region, depth, True
                    items = specials.callee(generator_forms.items_of)(made, args, kwargs)
                else:
                    running[code] = region, depth, False
                    watch(trace, function)
                    function(_Emit(body, test), *args, **kwargs)
                    return
            finally:
                running.pop(code)
                if known is not None:
                    running[code] = known
            over(items, body, (), test)

        self.emitting = Emitting(run)
        return self.emitting


_made: WeakKeyDictionary[Any, _Made] = WeakKeyDictionary()


def generator_maker(function: FunctionType) -> Callable[..., Any]:
    """What converted code calls for a converted generator function."""

    def make(*args: Any, **kwargs: Any) -> Any:
        generator = function(*args, **kwargs)
        if type(generator) is not GeneratorType:
            return generator
        _made[generator] = _Made(function, args, kwargs)
        trace = STATE.trace
        if trace is None or not advances.by_place(trace) or trace.notes.get(_MANAGING):
            return generator
        return _by_place(generator)

    return make


def for_manager(maker: Callable[..., Any]) -> Callable[..., Any]:
    """What makes the generator of a `with` statement: Python's own, since the statement throws into it."""

    def make(*args: Any, **kwargs: Any) -> Any:
        trace = STATE.trace
        if trace is None:
            return maker(*args, **kwargs)
        before, trace.notes[_MANAGING] = trace.notes.get(_MANAGING), True
        try:
            return maker(*args, **kwargs)
        finally:
            trace.notes[_MANAGING] = before

    return make


_MANAGING = "makes a generator for `with`"
buffered: Callable[[Any, Any], Any] = lambda iterator, cells: iterator  # `iterators` puts its own


def _by_place(generator: GeneratorType[Any, Any, Any]) -> Any:
    """What stands for a generator, so that the graph knows where it stands: a branch or loop may go on with it."""
    made = _made[generator]
    resuming = _resuming(made.function)
    if resuming is not None:
        trace = STATE.trace
        assert trace is not None
        watch(trace, resuming)
        return specials.callee(generator_forms.Resumed)(resuming(*made.args, **made.kwargs))
    if leads_to_tensor(made_of(generator)):
        form = made.form(generator, may_stop=False)
        return generator if form is None else form
    return buffered(generator, made.function.__closure__ or ())


def emitting(x: Any, may_stop: bool = False, alone: bool = True) -> Emitting | None:
    """The emitting form of an iterable; None where Python iterates.

    A consumer that may stop must be the only one who holds the generator, by one parameter, if it is to be `alone`: nobody
    may go on with it. Else who goes on with it makes the trace begin again.
    """
    kind = type(x)
    if kind is Emitting:
        refuse_spent(x)
        return x
    if kind is dict:
        return keys_of(x)
    if kind is list or kind in PLAIN or (trace := current()) is None:
        return None
    if "spent" in trace.notes or "gone" in trace.notes:
        advances.refuse_spent(trace, x)
    if kind is not GeneratorType:
        x = x if has_own_next(x) else _of_object(x)
        if x is None or type(x) is Emitting:
            return x
        run = steps(x)
        if run is not None:
            return None if tensorless(trace) or not leads_to_tensor([x]) else Emitting(run, once=False, own=x)
    made = _made.get(x)
    if made is None:
        return None
    if made.spent:
        raise advances.taken_in_part()
    if made.emitting is not None:
        refuse_spent(made.emitting)
        return made.emitting
    if getgeneratorstate(x) != GEN_CREATED:
        return None
    if may_stop and alone and sys.getrefcount(x) > _REFERENCES:
        return None
    if tensorless(trace) or not leads_to_tensor(made_of(x)):
        return None
    return made.form(x, may_stop)


def _of_object(x: Any) -> Any:
    """A generator that an object's `__iter__` makes, not begun, or what is staged there; None of other iterables."""
    method = getattr(type(x), "__iter__", None)
    if method is None and type(getattr(type(x), "__getitem__", None)) is FunctionType and leads_to_tensor([x]):
        return specials.callee(generator_forms.Indexed)(x)
    if type(method) is not FunctionType or not _may_be_asked(undispatched(method).__code__):
        return None
    converted = truth.special_hook(x, "__iter__")
    made = None if converted is None else converted()
    return made if type(made) in (GeneratorType, Emitting) or has_own_next(made) else emitted(made)


@lru_cache(1000)
def _may_be_asked(code: CodeType) -> bool:
    """Whether a method `__iter__` changes nothing: what it returns may be looked at, and it may be asked again."""
    if code.co_flags & GENERATOR:
        return True
    return not any(map(_acts, get_instructions(code)))


def _acts(i: Instruction) -> bool:
    if i.opname == "LOAD_METHOD" or (i.opname == "LOAD_ATTR" and sys.version_info >= (3, 12) and i.arg & 1):  # type: ignore[operator]
        return i.argval not in _PURE_METHODS
    if i.opname == "LOAD_GLOBAL":
        return i.argval not in _PURE
    return i.opname.startswith(("STORE_", "DELETE_")) and not i.opname.endswith("_FAST")


_PURE = frozenset(("iter", "enumerate", "zip", "reversed", "range", "len"))
_PURE_METHODS = frozenset(("keys", "values", "items"))


def asked(x: Any) -> Any:
    """What is gone over in the place of an object whose `__iter__` acts: what that gives, asked for once as Python does."""
    if not _acts_when_asked(x):
        return x
    made = asked_by_iter(x)
    return specials.callee(generator_forms.Asked)(made) if has_own_next(made) and _acts_when_asked(made) else made


def asked_by_iter(x: Any) -> Any:
    """The same for `iter`: whoever goes over what it gives asks again."""
    converted = truth.special_hook(x, "__iter__") if _acts_when_asked(x) else None
    return x if converted is None else converted()


def _acts_when_asked(x: Any) -> bool:
    method = getattr(type(x), "__iter__", None)
    return (
        type(method) is FunctionType and STATE.trace is not None and not _may_be_asked(undispatched(method).__code__)
    )


def made_of(x: Any) -> list[Any]:
    """What a generator of this trace was made of, and what its function names."""
    made = _made[x]
    return [*named_by(made.function), made.args, made.kwargs]


_REFERENCES = 3  # of a generator that only a consumer holds: its parameter, ours, getrefcount's


def managing_form(x: Any, catching: bool) -> Callable[[Body], None] | None:
    """What runs a `with` statement's body in the place of a generator's `yield`; None where Python does.

    The generator is one of this trace that has not begun. `catching`: only if it may catch what the body raises.
    """
    from autograph.load.conversion import convert_manager  # loads gast

    made = _made.get(x)
    if made is None:
        return None
    trace, STATE.trace = STATE.trace, None  # the conversion itself is nobody's to trace
    try:
        turned = convert_manager(made.function, sys.modules["autograph.operators"], catching)
    finally:
        STATE.trace = trace
    if turned is None:
        return None
    function = turned

    def run(body: Body) -> None:
        assert trace is not None
        watch(trace, function)
        x.close()
        function(_Emit(body, None), *made.args, **made.kwargs)

    return run


def tried_by_python(x: Any, body: Body, test: Callable[[], Any]) -> Emitting | None:
    """Loop over a generator that others may go on with, as Python does. Where that cannot be (its next item depends on a
    staged condition, or the loop's end does), all is undone and the emitting form is returned, which uses it up."""
    trace = STATE.trace
    made = _made[x]
    assert trace is not None
    graph = trace.builder.region.graph
    mark = len(graph.nodes)
    table: dict[Any, Any] = {}
    inner = [_made[g] for g in (*made.args, *made.kwargs.values()) if may_be_shared(g)]
    fresh = tuple(map(_renewed, made.args)), {k: _renewed(v) for k, v in made.kwargs.items()}
    trace.journal.append(table)
    births = births_of(trace)
    births.tried += 1
    try:
        for function in (body, made.function, *(other.function for other in inner)):
            watch(trace, function)
        while True:
            try:
                item = next(x)
            except StopIteration:
                return None
            body(item)
            go_on = truth_of(test())
            if go_on is False:
                return None
            if go_on is not True:
                break
    except (OperatorNotAllowedInGraphError, TraceAgain) as error:
        if x.gi_frame is not None or (isinstance(error, TraceAgain) and error.hint != advances.BY_PLACE):
            raise
    finally:
        births.tried -= 1
        trace.journal.pop()
        for key, known in table.items() if trace.journal else ():
            trace.journal[-1].setdefault(key, known)
    made.args, made.kwargs = fresh  # Python has begun with those that it goes over
    for begun in inner:
        begun.spent = True
    form = made.form(x, may_stop=True)
    if form is None:
        raise advances.taken_in_part()
    put_back(table)
    del graph.nodes[mark:]
    made.spent = True
    return form


def _made_here(x: Any, trace: Trace) -> bool:
    """Whether a generator was made in the region that is open (each time that it runs, it makes another), or an iterator
    is the user's own, whose attributes say where it stands."""
    if type(x) is Emitting or has_own_next(x):
        return True
    made = _made.get(x) if type(x) is GeneratorType else None
    return made is not None and made.region is trace.builder.region


advances.made_here = _made_here


def _renewed(x: Any) -> Any:
    """Another generator like one that has not begun; anything else as it is."""
    if not may_be_shared(x):
        return x
    made = _made[x]
    keywords = {k: _renewed(v) for k, v in made.kwargs.items()}
    return generator_maker(made.function)(*map(_renewed, made.args), **keywords)


def refuse_spent(x: Any) -> None:
    """Refuse a generator that a loop, which may have stopped before the end, used up."""
    x = stands_for(x)
    made = x if type(x) is Emitting else _made.get(x) if type(x) is GeneratorType else None
    if made is not None and made.spent is not False:
        raise advances.taken_in_part()


def stands_for(x: Any) -> Any:
    """What gives the items of a generator that is used up by code turned inside out; anything else as it is."""
    made = _made.get(x) if type(x) is GeneratorType else None
    return x if made is None or made.emitting is None else made.emitting


def may_be_shared(x: Any) -> bool:
    """Whether `x` is a generator made in this trace that has not begun."""
    return type(x) is GeneratorType and x in _made and getgeneratorstate(x) == GEN_CREATED


class _Emit:
    """What the code turned inside out calls at each yield: runs the loop's body."""

    __slots__ = ("body", "test")
    __takes_anything__ = True

    def __init__(self, body: Body, test: Test) -> None:
        self.body, self.test = body, test

    def __call__(self, item: Any = None) -> Any:
        trace = STATE.trace
        assert trace is not None
        for function in (self.body, self.test):
            if type(function) is FunctionType:
                watch(trace, function)
        self.body(item)
        if self.test is None:
            return False
        go_on = truth_of(self.test())
        return not go_on if isinstance(go_on, bool) else op.logical_not(go_on)


def _resuming(function: FunctionType) -> FunctionType | None:
    """A generator function as one that returns what gives the next item, converted; None if it has no such form."""
    from autograph.load.conversion import convert_resuming  # loads gast

    trace, STATE.trace = STATE.trace, None  # the conversion itself is nobody's to trace
    try:
        return convert_resuming(function, sys.modules["autograph.operators"])
    finally:
        STATE.trace = trace


def _turned(function: FunctionType, may_stop: bool) -> FunctionType | None:
    """A generator function turned inside out and converted; None if it has no such form."""
    from autograph.load.conversion import convert_generator  # loads gast

    trace, STATE.trace = STATE.trace, None  # the conversion itself is nobody's to trace
    try:
        return convert_generator(function, sys.modules["autograph.operators"], may_stop)
    finally:
        STATE.trace = trace
