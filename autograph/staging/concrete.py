"""One traced graph and how it is called: inputs gathered, the executable run, outputs and effects put where they belong."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograph.errors.refusals import refusal
from autograph.load.user_traceback import hide_internal_frames, synthetic_frames
from autograph.operators.values.descriptors import Leaf, canonical, is_list, loosen
from autograph.operators.values.descriptors import Sequence as AnyLength
from autograph.staging.fitting import Taken, leaves_of
from autograph.staging.guards import Guards
from autograph.staging.moved import described, kept
from autograph.staging.native_code import Compiled, overwrites
from autograph.staging.outside_forms import FormPlace
from autograph.staging.signature import containers
from autograph.staging.tracing import TracedFunction
from autograph.staging.transfer import from_arrays, to_arrays
from autograph.staging.wrapped_calls import built, can_be_built
from runtime.ir.graph import Graph
from runtime.ir.walk import clone
from runtime.passes.pipeline import optimize
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import note_write, open_tapes
from runtime.tensor.variable import Variable
from runtime.typesys.numpy_texts import as_eager
from runtime.typesys.spec import TensorSpec

__all__ = ["ConcreteFunction"]


class ConcreteFunction:
    """A function traced for one signature.

    `graph` is what was traced, `optimized_graph` what runs, `plan` the Python source that runs it.
    """

    def __init__(
        self,
        traced: TracedFunction,
        name: str,
        specs: list[TensorSpec],
        taken: list[Taken],
        jit_compile: bool | None = None,
        guards: Guards | None = None,
    ) -> None:
        self.name = name
        self.traced = traced
        self.graph: Graph = traced.graph
        self._specs = specs
        self._taken = taken
        self._jit_compile = jit_compile
        self._compiled: Compiled | None = None
        self._gradient: Any = None
        self._lock = threading.Lock()
        self._optimized: Graph | None = None
        self.guards = guards
        self.always_fits = guards is None and not (traced.state or traced.moved or traced.spots)
        # How many more entries may be made: calls of one signature pass tensors or arrays.
        self.wants_entry = self.wants_entry_by_name = 3 if jit_compile is not False and _can_have_entry(traced) else 0
        self._state_key = canonical([e.before for e in traced.state]) if traced.state else None
        boxes = {id(b): i for i, b in enumerate(traced.captured)}
        lead = len(traced.graph.inputs) - len(traced.captured)
        self._donated = {lead + boxes[id(b)]: b for b in traced.written if id(b) in boxes}
        self._build = built(traced.result) if can_be_built(traced.result) else None
        self._single = isinstance(traced.result, Leaf) and not (
            traced.state
            or traced.changed_arguments
            or traced.changed_containers
            or traced.written
            or traced.written_arrays
            or traced.constant_writes
            or traced.moved
            or traced.captured
        )

    @property
    def optimized_graph(self) -> Graph:
        """The graph after the passes."""
        if self._optimized is None:
            self._optimized = optimize(clone(self.graph))
        return self._optimized

    @property
    def compiled(self) -> Compiled:
        """The optimised graph with what runs it."""
        if self._compiled is None:
            with self._lock:
                if self._compiled is None:
                    self._compiled = Compiled(self.optimized_graph, self._jit_compile, self.donated)
        return self._compiled

    @property
    def executable(self) -> Any:
        """What runs now: the NumPy plan or native code. `executable.source` is the plan."""
        return self.compiled.run

    @property
    def donated(self) -> frozenset[int]:
        """Inputs whose arrays the plan may overwrite: variables that are written."""
        return frozenset(self._donated)

    @property
    def plan(self) -> str:
        """The Python source that runs."""
        return self.executable.source

    @property
    def inputs(self) -> list[TensorSpec]:
        """Specs of the arguments that are tensors."""
        return self._specs

    @property
    def structured_input_signature(self) -> tuple[Any, ...]:
        """The arguments' specs, as TensorFlow gives them."""
        return tuple(self._specs), {}

    @property
    def structured_outputs(self) -> Any:
        """The result with specs for tensors."""

        def spec(d: Any) -> Any:
            return TensorSpec(
                None if d.type.shape is None else [s if isinstance(s, int) else None for s in d.type.shape],
                d.type.dtype,
            )

        d = self.traced.result
        return spec(d) if isinstance(d, Leaf) else d

    @property
    def captured_inputs(self) -> list[Any]:
        """Tensors, variables and arrays from outside that each call reads."""
        return self.traced.captured

    @property
    def variables(self) -> tuple[Variable, ...]:
        """Variables that each call reads or writes."""
        return tuple(c for c in self.traced.captured if isinstance(c, Variable))

    @property
    def trainable_variables(self) -> tuple[Variable, ...]:
        """Those that tapes watch by themselves."""
        return tuple(v for v in self.variables if v.trainable)

    @property
    def is_native(self) -> bool:
        """Whether native code runs by now."""
        return self._compiled is not None and self._compiled.is_native

    @property
    def changed(self) -> Callable[[], Any] | None:
        """A function that gives None where the trace still fits; None where it always does."""
        if self.always_fits:
            return None
        single = self.guards.single if self.guards is not None and self._only_guards else None
        return single or (lambda: None if self.fits_state() else "state")

    @property
    def places(self) -> tuple[Any, ...] | None:
        """Places which, while they hold what they held, say that the trace still fits (see `Guards`)."""
        return self.guards.places if self.guards is not None and self._only_guards else None

    @property
    def _only_guards(self) -> bool:
        """Whether nothing else tells that the trace fits."""
        return not (self.traced.state or self.traced.moved or self.traced.spots)

    def fits_state(self) -> bool:
        """Whether the places outside that this trace reads still hold what it was made for: values, or their types."""
        if self.guards is not None and self.guards.changed() is not None:
            return False
        if not all(moved.fits() for moved in self.traced.moved) or not all(s.stands() for s in self.traced.spots):
            return False
        if self._state_key is None:
            return True
        now = []
        for entry in self.traced.state:
            if isinstance(entry.place, FormPlace):
                now.append(entry.place.joined(entry.before, entry.place.described()))
                continue
            held = described(entry.place.read())
            now.append(loosen(entry.before if isinstance(entry.before, AnyLength) and is_list(held) else held))
        return bool(canonical(now) == self._state_key)

    def call_flat(self, leaves: list[Any], holders: Sequence[Any] = ()) -> Any:
        """Call with the argument leaves (tensors or arrays), and the arguments' containers where it changes any."""
        payloads = [x._value if type(x) is Tensor else _payload(x) for x in leaves]
        if self._single and not open_tapes():
            try:
                return Tensor((self._compiled or self.compiled).run(*payloads)[0])
            except Exception as error:  # noqa: BLE001 (raised again, placed)
                raise (placed := _placed(error)) from placed.__cause__
        return self._call(leaves, payloads, holders)

    def _call(self, leaves: list[Any], payloads: list[Any], holders: Sequence[Any]) -> Any:
        traced = self.traced
        for entry in traced.state:
            payloads += to_arrays(entry.place.read(), entry.before)
        taped = open_tapes()
        if taped:
            for box in traced.captured:
                if isinstance(box, Variable) and box.trainable:
                    for tape in taped:
                        tape.variable_read(box, box._value)
        lead = len(payloads)
        run = (self._compiled or self.compiled).run
        if self._donated and not taped and overwrites(run):
            for box in self._donated.values():
                if sys.getrefcount(box._value) > _EXCLUSIVE and isinstance(box._value, np.ndarray):
                    box._value = box._value.copy()
        payloads += [box._value if isinstance(box, Tensor) else box for box in traced.captured]
        into = self._written_into(leaves) if traced.written_arrays or traced.changed_arguments else []
        if into and taped:  # what is kept for the gradient is what they hold now
            payloads = [x.copy() if any(x is array for array in into) else x for x in payloads]
        try:
            outputs = self._differentiable(payloads) if taped else run(*payloads)
        except Exception as error:  # noqa: BLE001 (raised again, placed)
            raise (placed := _placed(error)) from placed.__cause__
        del payloads[lead:]
        if into:
            outputs = [_apart(x, into) for x in outputs]
        return self._deliver(leaves, holders, outputs)

    def _written_into(self, leaves: list[Any]) -> list[Any]:
        """The arrays of the caller's that a call writes into.

        Raises:
          OperatorNotAllowedInGraphError: another one that the call reads shares the memory of one: the trace does not know.
        """
        traced = self.traced
        mine = [leaf for i in traced.changed_arguments if isinstance(leaf := leaves[i], np.ndarray)]
        into = [*mine, *traced.written_arrays]
        if not into:
            return into
        others = [x for x in leaves if isinstance(x, np.ndarray)]
        twice = any(_share(x, y) for x in others for y in traced.written_arrays)
        twice = twice or any(x is not y and _share(x, y) for x in others for y in mine)
        if twice or any(_share(x, y) for x in traced.captured if isinstance(x, np.ndarray) for y in mine):
            raise refusal("array-write")
        return into

    def _differentiable(self, payloads: list[Any]) -> list[Any]:
        """Run forward, saving what backward needs, and put one record on the tapes."""
        if self._gradient is None:
            with self._lock:
                if self._gradient is None:
                    self._gradient = self._taped_graph()
        return self._gradient.run(payloads)  # type: ignore[no-any-return]

    def _taped_graph(self) -> Any:
        from runtime.grad.staged_calls import TapedGraph

        written = [k for k, box in enumerate(reversed(self.traced.written), 1) if isinstance(box, Variable)]
        count = len(self.graph.outputs)
        return TapedGraph(self.optimized_graph, self._compile_copy, [count - k for k in written])

    def _compile_copy(self, graph: Graph) -> Compiled:
        """A graph of a gradient, run as the function itself is."""
        return Compiled(optimize(clone(graph)), self._jit_compile)

    def _deliver(self, leaves: list[Any], holders: Sequence[Any], outputs: list[Any]) -> Any:
        traced = self.traced
        if self._build is None:
            arrays = iter(outputs)
            result = from_arrays(traced.result, arrays)
        else:
            build, count = self._build
            result = build(outputs)
            arrays = iter(outputs[count:])
        for i in traced.changed_arguments:
            leaf, new = leaves[i], next(arrays)
            if isinstance(leaf, Tensor):
                note_write(leaf)
                leaf._value = new
            elif isinstance(leaf, np.ndarray):
                leaf[...] = new
        for changed in traced.changed_containers:
            changed.put(arrays, leaves, holders)
        for entry in traced.state:
            assert entry.after is not None
            numbers = not _is_tensor_place(entry.before, entry.place)
            left = kept(entry.place.read(), from_arrays(entry.after, arrays, numbers, of_place=True))
            if type(entry.arrays) is dict:
                for i, array in entry.arrays.items():
                    left[i] = array
            entry.place.write(left if entry.arrays is None or type(entry.arrays) is dict else entry.arrays)
        for array in traced.written_arrays:
            array[...] = next(arrays)
        for box in traced.written:
            new = next(arrays)
            note_write(box)
            box._value = np.asarray(new) if isinstance(box, Variable) and not isinstance(new, np.ndarray) else new
        for place, value in traced.constant_writes:
            place.write(value)
        for moved in traced.moved:
            moved.write()
        return result

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call with tensors for the tensor arguments; the others may be left out."""
        try:
            leaves = leaves_of(self._taken, args, kwargs, self.name)
            changes = self.traced.changed_containers
            holders = [c for a in (*args, *kwargs.values()) for c in containers(a)] if changes else ()
            return self.call_flat(leaves, holders)
        except BaseException as error:
            hide_internal_frames(error)
            raise

    def pretty_printed_signature(self, verbose: bool = True) -> str:
        """Name, arguments and result in one line."""
        args = ", ".join(f"{s.name or 'input'}: {_type_text(s)}" for s in self._specs)
        return f"{self.name}({args}) -> {self.traced.result!r}"

    def __repr__(self) -> str:
        return f"<ConcreteFunction {self.pretty_printed_signature()}>"


_share = np.may_share_memory


def _apart(x: Any, into: list[Any]) -> Any:
    """What a call gives, in memory of its own where it has that of an array that is about to be written."""
    if isinstance(x, list):
        return [_apart(part, into) for part in x]
    shared = isinstance(x, np.ndarray) and any(_share(x, array) for array in into)
    return x.copy() if shared else x


def _type_text(spec: TensorSpec) -> str:
    shape = "?" if spec.shape is None else ",".join("None" if d is None else str(d) for d in spec.shape)
    return f"{spec.dtype.name}[{shape}]"


def _is_tensor_place(before: Any, place: Any) -> bool:
    """Whether a place held a tensor (so a weak result stays one) rather than a Python number."""
    return isinstance(place.read(), Tensor)


def _payload(x: Any) -> Any:
    if isinstance(x, Tensor):
        return x._value
    return x.item() if isinstance(x, np.generic) else x


class _Probe:
    __slots__ = ("_value",)
    _value: Any


def _baseline() -> int:
    probe = _Probe()
    probe._value = np.zeros(1)
    return sys.getrefcount(probe._value)


_EXCLUSIVE = _baseline()


def _placed(error: Exception) -> Exception:
    """The error, given a traceback entry at the user's line of the node that raised it."""
    location = getattr(error, "__autograph_location__", None)
    error = as_eager(error)
    if location is not None:
        synthetic_frames(location, error)
    return error


def _can_have_entry(traced: TracedFunction) -> bool:
    """Whether a trace only computes tensors, for its result and for variables, of its arguments and of what it reads."""
    return can_be_built(traced.result) and not (
        traced.state
        or traced.created  # a second call must not make them again: it is traced, and refused
        or traced.changed_arguments
        or traced.changed_containers
        or traced.written_arrays
        or traced.constant_writes
        or traced.moved
    )
