"""`function`: a Python function that is traced once per signature and then run as a graph."""

from __future__ import annotations

import copy
import inspect
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import partial, update_wrapper
from types import FunctionType, MethodType
from typing import Any

from autograph.errors.refusals import refusal
from autograph.load.user_traceback import hide_internal_frames
from autograph.operators.functions.calls import callee, converted, with_tries
from autograph.operators.state.places import watch
from autograph.staging.bound import BoundFunction
from autograph.staging.concrete import ConcreteFunction
from autograph.staging.explanations import explain
from autograph.staging.fast_calls import FastCalls
from autograph.staging.fitting import checked_signature, fit, held, specs_of, taken, write_back
from autograph.staging.inspection import Inspection
from autograph.staging.newcomers import in_turn
from autograph.staging.relaxing import Relaxation
from autograph.staging.signature import (
    Parameters,
    apart,
    containers,
    encode,
    encode_all,
    rebuild,
    same_leaves,
    weak_reference,
)
from autograph.staging.storms import Storms
from autograph.staging.tracing import trace_function
from autograph.staging.wrapped_calls import NOTHING
from runtime.backends.native.callables import NativelyCallable, callable_as_method
from runtime.ir.build import internal_folders
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import BUSY, current
from runtime.typesys.errors import OpError, boundary
from runtime.typesys.spec import TensorSpec

__all__ = ["Function", "function", "functions_run_eagerly", "run_functions_eagerly"]

_eager = [False]
MAX_TRACES = 1024
"""Signatures of one function whose traces are kept."""
MAX_STATES = 16
"""Traces kept for one signature, each made for another state of what it reads."""


def run_functions_eagerly(run_eagerly: bool) -> None:
    """Run every `function` as plain Python (for debugging), or go back to graphs.

    >>> import autograph as ag
    >>> ag.config.run_functions_eagerly(True); ag.config.functions_run_eagerly()
    True
    >>> ag.config.run_functions_eagerly(False)
    """
    if _eager[0] != bool(run_eagerly):
        _eager[0] = bool(run_eagerly)
        BUSY.append(None) if run_eagerly else BUSY.pop()


def functions_run_eagerly() -> bool:
    """Whether every `function` runs as plain Python.

    >>> ag.config.functions_run_eagerly()
    False

    Source of the semantics: TensorFlow's `tf.config.functions_run_eagerly`.
    """
    return _eager[0]


def bytes_of(budget: Any) -> int:
    """A number of bytes that a loop's gradient may keep.

    Raises:
      ValueError: it is not a positive whole number.
    """
    if isinstance(budget, bool) or int(budget) != budget or budget <= 0:
        raise ValueError(f"a memory budget is a positive number of bytes, got {budget!r}")
    return int(budget)


def _suspends(fn: Any) -> bool:
    """Whether a call of a function only makes a generator or a coroutine."""
    while isinstance(fn, partial):
        fn = fn.func
    fn = fn if isinstance(fn, (FunctionType, MethodType)) else getattr(type(fn), "__call__", None)  # noqa: B004
    return bool(getattr(getattr(fn, "__code__", None), "co_flags", 0) & _SUSPENDED)


_SUSPENDED = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


def _is_ours(fn: Any) -> bool:
    """Whether a function is defined in this package."""
    return isinstance(fn, FunctionType) and fn.__code__.co_filename.startswith(tuple(internal_folders))


class Function(NativelyCallable):
    """A Python function, method or lambda with the graphs traced from it, one for each signature.

    >>> f = ag.function(lambda x: x * 2)
    >>> f(ag.constant(3)).numpy(), f.experimental_get_tracing_count()
    (np.int32(6), 1)
    """

    __slots__ = ("__dict__", "__weakref__", "_fast", "_fast_by_name")

    def __init__(
        self,
        python_function: Callable[..., Any],
        input_signature: Any = None,
        name: str | None = None,
        convert_code: bool = True,
        reduce_retracing: bool = False,
        jit_compile: bool | None = None,
        memory_budget: int | None = None,
    ) -> None:
        self._python_function = python_function
        self._name = name or str(getattr(python_function, "__name__", type(python_function).__name__))
        self.input_signature = None if input_signature is None else checked_signature(input_signature, self._name)
        self._convert = convert_code
        self._reduce_retracing = reduce_retracing
        if jit_compile not in (None, True, False):
            raise TypeError(f"jit_compile is True, False or None (the library chooses), not {jit_compile!r}")
        self._jit_compile = jit_compile
        self._memory_budget = None if memory_budget is None else bytes_of(memory_budget)
        self._traces: OrderedDict[Any, list[ConcreteFunction]] = OrderedDict()
        self._pins: dict[Any, list[Any]] = {}
        self._relaxation = Relaxation()
        self._lock = threading.RLock()
        self._parameters_made: Parameters | None = None
        self._converted: Any = None
        self._count = 0
        self._fast = FastCalls()
        self._fast_by_name = FastCalls()  # of all arguments in order, keyword-only ones too
        self._storms = Storms(self._name)
        # Calling a generator or coroutine function runs nothing: its body runs later, outside any trace of the call.
        self._suspends = _suspends(python_function)
        update_wrapper(self, python_function)

    @property
    def python_function(self) -> Callable[..., Any]:
        """The function as it was written."""
        return self._python_function

    @property
    def _parameters(self) -> Parameters:
        if self._parameters_made is None:
            self._parameters_made = Parameters(self._python_function)
        return self._parameters_made

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if _eager[0] or (self._suspends and current() is None):
            try:
                return self._unstaged()(*args, **kwargs)
            except BaseException as error:
                hide_internal_frames(error)
                raise
        if (trace := current()) is not None:
            inline = self._inline()
            if self._convert:
                inline = callee(inline)  # it may call itself
            else:
                watch(trace, inline)
            if self._memory_budget is None:
                return inline(*args, **kwargs)
            notes = trace.notes
            around, notes["memory_budget"] = notes.get("memory_budget"), self._memory_budget
            try:
                return inline(*args, **kwargs)
            finally:
                notes["memory_budget"] = around
        try:
            by_name, passed = bool(kwargs), args
            args, kwargs = self._parameters.bind(args, kwargs)
            leaves: list[Any] = []
            pinned: list[Any] = []
            given = args
            arrays: list[Any] | None = None
            if self.input_signature is None:
                key: Any = encode_all(args, kwargs, leaves, pinned)
            else:
                args, key = self._conform(args, leaves, pinned, arrays := [])
            if len(leaves) > 1 and len(set(map(id, leaves))) < len(leaves):
                key = key, same_leaves(leaves)
            for concrete in self._traces.get(key, ()):
                if concrete.always_fits or concrete.fits_state():
                    break
            else:
                if any(isinstance(leaf, TensorSpec) for leaf in leaves):
                    raise refusal("spec-as-argument", name=self._name)
                concrete = self._traced(key, args, kwargs, leaves, pinned)
            changed = concrete.traced.changed_containers
            result = concrete.call_flat(leaves, [*self._holders(given, kwargs)] if changed else ())
            if arrays and concrete.traced.changed_arguments:
                write_back(arrays)
            if changed:
                return result
            if concrete.is_native and not BUSY and (concrete.wants_entry_by_name if by_name else concrete.wants_entry):
                self._add_entry(key, concrete, passed, (args, kwargs), by_name, pinned)
            return result
        except BaseException as error:
            hide_internal_frames(error)
            explain(error)
            raise

    def _add_entry(
        self, key: Any, concrete: ConcreteFunction, passed: tuple[Any, ...], bound: Any, by_name: bool, pinned: list[Any]
    ) -> None:
        """Make the short way for calls like this one, where there can be one."""
        from runtime.backends.native.vectorcall import ready, take_over

        if not ready(self, "_fast", "_fast_by_name", Tensor):
            return
        args, kwargs = bound
        if by_name:
            concrete.wants_entry_by_name -= 1
        else:
            concrete.wants_entry -= 1
        if by_name or kwargs or not self._fast.add(key, concrete, passed, args, pinned):
            ordered = self._parameters.in_order(args, kwargs)
            if ordered is None or not self._fast_by_name.add(key, concrete, ordered, ordered, pinned):
                return
            self._fast_by_name.order = self._parameters.order(NOTHING)
        if type(self) is Function:  # a class made of it may call in a way of its own
            take_over(self, "_fast", "_fast_by_name", NOTHING)

    def _unstaged(self) -> Callable[..., Any]:
        """The function as it was written, where it runs as that; a coroutine does, a generator only if all do."""
        if self._convert and not _eager[0] and inspect.isgeneratorfunction(self._python_function):
            raise self._refused_as_graph()
        return self._python_function

    def _refused_as_graph(self) -> OpError:
        """The refusal of a function whose calls only make a generator or a coroutine."""
        if inspect.iscoroutinefunction(self._python_function):
            return refusal("coroutine-function", name=self._name)
        return refusal("generator-function", name=self._name)

    def _inline(self) -> Callable[..., Any]:
        """What a call inside another trace runs: the converted function, as part of that trace."""
        if self._converted is None:
            fn = self._python_function
            if not self._convert or _is_ours(fn):
                self._converted = fn  # `function(ag.matmul)`: this package's own code knows of staged tensors
            elif isinstance(fn, MethodType):
                self._converted = MethodType(with_tries(converted(fn.__func__)), fn.__self__)  # type: ignore[arg-type]
            elif isinstance(fn, FunctionType):
                self._converted = with_tries(converted(fn))
            else:
                self._converted = lambda *args, **kwargs: callee(fn)(*args, **kwargs)
        return self._converted  # type: ignore[no-any-return]

    def _conform(
        self, args: tuple[Any, ...], leaves: list[Any], pinned: list[Any], arrays: list[Any]
    ) -> tuple[tuple[Any, ...], Any]:
        """Arguments as tensors of the input signature, and the key of the one trace that serves them all. Arrays that have
        become tensors are added to `arrays`."""
        assert self.input_signature is not None
        signature = self.input_signature
        first, last = self._parameters.described(len(signature), args)
        fitted = tuple(fit(spec, arg, self._name, arrays) for spec, arg in zip(signature, args[first:last], strict=True))
        before = tuple([encode(a, leaves, pinned) for a in args[:first]])
        for arg in fitted:
            rebuild(arg, leaves.append)
        after = tuple([encode(a, leaves, pinned) for a in args[last:]])
        return (*args[:first], *fitted, *args[last:]), (before, tuple([encode(s, [], []) for s in signature]), after)

    def _holders(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[Any]:
        """The caller's containers among the arguments, in the order of the trace."""
        signature: tuple[Any, ...] = self.input_signature or ()
        first, last = self._parameters.described(len(signature), args) if signature else (len(args), len(args))
        for arg in args[:first]:
            yield from containers(arg)
        for spec, arg in zip(signature, args[first:last], strict=True):
            yield from held(spec, arg)
        for arg in (*args[last:], *kwargs.values()):
            yield from containers(arg)

    def _traced(self, key: Any, args: Any, kwargs: Any, leaves: list[Any], pinned: list[Any]) -> ConcreteFunction:
        with self._lock:
            for concrete in self._traces.get(key, ()):
                if concrete.fits_state():
                    return concrete
            what = next((c.guards.changed() for c in self._traces.get(key, ()) if c.guards is not None), None)
            if self.input_signature is not None:
                start, end = self._parameters.described(len(self.input_signature), args)
                args = (*args[:start], *self.input_signature, *args[end:])
            if self._reduce_retracing:
                args, kwargs, general = self._relaxation.generalised(args, kwargs)
                if general is not None:
                    for concrete in self._traces.get(general, ()):
                        if concrete.fits_state():
                            self._traces.setdefault(key, []).insert(0, concrete)
                            return concrete
                    self._traces.setdefault(general, [])
            else:
                general = None
            names = self._parameters.names
            if what is not None:
                self._storms.state(what)
            elif key not in self._traces:
                self._storms.arguments(names, tuple([encode(a, [], []) for a in args]))
            first = self._count == 0
            self._count += 1
            try:
                inline, budget = self._inline(), self._memory_budget
                with in_turn():
                    traced = trace_function(inline, args, kwargs, self._name, names, first, budget, self._python_function)
            except BaseException:
                self._count -= 1
                raise
            assert traced.reading is not None
            guards = traced.reading(self._python_function, dict(zip(names, args, strict=False)) | kwargs)
            traced.reading, traced.originals = None, {}  # they hold what was made by the trace
            specs = specs_of(args, kwargs, names)
            concrete = ConcreteFunction(traced, self._name, specs, taken(args, kwargs, names), self._jit_compile, guards)
            if traced.created:  # the next call must find them made: it is traced anew, and refused if it makes others
                return concrete
            known = self._traces.setdefault(key, [])
            known.insert(0, concrete)
            del known[MAX_STATES:]
            if general is not None:
                self._traces[general].insert(0, concrete)
                del self._traces[general][MAX_STATES:]
            self._pins[key] = [weak_reference(x, lambda _, key=key: self._forget(key)) for x in pinned]  # type: ignore[misc]
            while len(self._traces) > MAX_TRACES:
                self._forget(next(iter(self._traces)))
            return concrete

    def _forget(self, key: Any) -> None:
        """An object that a trace was made for is gone: so is the trace."""
        self._traces.pop(key, None)
        self._fast.forget(key)
        self._fast_by_name.forget(key)
        self._pins.pop(key, None)

    def get_concrete_function(self, *args: Any, **kwargs: Any) -> ConcreteFunction:
        """The traced function for a signature, given as tensors, TensorSpecs or Python values; traced if it is new."""
        try:
            if self.input_signature is not None and not args and not kwargs:
                args = self.input_signature
            if self._suspends and self._convert:
                raise self._refused_as_graph()
            args, kwargs = self._parameters.bind(args, kwargs)
            leaves: list[Any] = []
            pinned: list[Any] = []
            if self.input_signature is not None:
                args, key = self._conform(args, leaves, pinned, [])
            else:
                key = encode_all(args, kwargs, leaves, pinned)
                args, kwargs = apart(args, kwargs)
            return self._traced(key, args, kwargs, leaves, pinned)
        except BaseException as error:
            hide_internal_frames(error)
            raise

    def inspect(self, *args: Any, **kwargs: Any) -> Inspection:
        """What was made of the function for a signature, given as for `get_concrete_function`; of the last without one.

        >>> f = ag.function(lambda x: ag.sqrt(x) + 1)
        >>> f.inspect(ag.TensorSpec([100], ag.float32)).peak.bytes
        400
        """
        if args or kwargs or self.input_signature is not None or not self._traces:
            try:
                concrete = self.get_concrete_function(*args, **kwargs)
            except BaseException as error:
                hide_internal_frames(error)
                raise
            return Inspection(concrete, self._python_function)
        return Inspection(next(reversed(self._traces.values()))[0], self._python_function)

    def experimental_get_tracing_count(self) -> int:
        """How many times the function was traced."""
        return self._count

    def pretty_printed_concrete_signatures(self, verbose: bool = True) -> str:
        """One line for each traced signature."""
        return "\n".join(c.pretty_printed_signature() for group in self._traces.values() for c in group)

    pretty_printed_signature = pretty_printed_concrete_signatures

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else BoundFunction(self, instance)

    def __getattr__(self, name: str) -> Any:
        if name == "__signature__":
            return inspect.signature(self._python_function)
        if name in _OF_FUNCTIONS:  # so that `inspect` and its like see what they see of the function
            return getattr(self._python_function, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)

    def __reduce__(self) -> Any:
        """By name where a decorator has put it in the function's place, as functions are; else by the function."""
        return self.__qualname__ if self._stands_in_place() else (function, (self._python_function, *self._options()))

    def __copy__(self) -> Function:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Function:
        """Itself, as functions copy to themselves; of a bound method, one that is bound to the copy."""
        inner = copy.deepcopy(self._python_function, memo)
        return self if inner is self._python_function else function(inner, *self._options())

    def _options(self) -> tuple[Any, ...]:
        """What `function` takes after the function itself."""
        given = self.input_signature, self._convert, self._jit_compile, self._reduce_retracing
        return *given, None, None, None, None, None, None, self._name

    def _stands_in_place(self) -> bool:
        found: Any = sys.modules.get(self.__module__)
        for part in self.__qualname__.split("."):
            found = inspect.getattr_static(found, part, None)
        return (found.__func__ if isinstance(found, staticmethod) else found) is self

    def __repr__(self) -> str:
        return f"<autograph.function {self._name}>"


callable_as_method(Function)
_OF_FUNCTIONS = frozenset(("__code__", "__defaults__", "__kwdefaults__", "__globals__", "__closure__", "__type_params__"))


@boundary
def function(
    func: Callable[..., Any] | None = None,
    input_signature: Any = None,
    autograph: bool = True,
    jit_compile: bool | None = None,
    reduce_retracing: bool = False,
    experimental_implements: str | None = None,
    experimental_autograph_options: Any = None,
    experimental_attributes: Any = None,
    experimental_relax_shapes: bool | None = None,
    experimental_compile: bool | None = None,
    experimental_follow_type_hints: bool | None = None,
    name: str | None = None,
    experimental_memory_budget: int | None = None,
) -> Any:
    """Make a graph of a Python function, one for each signature it is called with.

    Args:
      func: the function; without it, a decorator is returned.
      input_signature: a sequence of `TensorSpec`: one trace serves every call.
      autograph: rewrite the source so that Python control flow on tensors is staged.
      jit_compile: True: run as native code, which the first call waits for; False: run the NumPy plan; None: let the
        library choose. The gradients of the function run as it does.
      reduce_retracing: leave sizes open that differed between calls; `experimental_relax_shapes` is its old name.
      experimental_implements, experimental_autograph_options, experimental_attributes, experimental_follow_type_hints:
        accepted as TensorFlow's callers give them, and not needed.
      experimental_memory_budget: bytes that the gradient of each loop in the function may keep: see
        `autograph.experimental.set_loop_options`, which says it for one loop.

    Raises:
      UnimplementedError: `jit_compile=True` and operations without native code; each with its line. Without the
        `native` extra there is a warning, once, and the plan runs.

    >>> import autograph as ag
    >>> @ag.function
    ... def collatz(n):
    ...     steps = 0
    ...     while n != 1:
    ...         n = n // 2 if n % 2 == 0 else 3 * n + 1
    ...         steps += 1
    ...     return steps
    >>> int(collatz(ag.constant(97)))
    118

    Source of the semantics: TensorFlow's `tf.function`.
    """

    def decorate(fn: Callable[..., Any]) -> Function:
        if isinstance(fn, Function):
            fn = fn.python_function
        if not callable(fn):
            raise TypeError(f"function needs a callable, not {fn!r}; options have names: function(jit_compile=True)")
        return Function(
            fn,
            input_signature,
            name,
            autograph,
            reduce_retracing or bool(experimental_relax_shapes),
            experimental_compile if jit_compile is None else jit_compile,
            experimental_memory_budget,
        )

    return boundary(decorate) if func is None else decorate(func)
