"""`GradientTape`: records what is computed from watched tensors, eagerly or in the graph being traced."""

from __future__ import annotations

import enum
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from runtime.grad.jacobian import batch_jacobian, jacobian
from runtime.grad.records import Backward, Recording, is_inexact, ones
from runtime.grad.regions import ones as staged_ones
from runtime.grad.staged import StagedRecording
from runtime.grad.structure import flatten, pack
from runtime.ir.build import user_location
from runtime.ir.graph import Value
from runtime.ops.registry import Op
from runtime.tensor.dispatch import convert, op
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import STATE
from runtime.typesys.errors import ShapeError, boundary

__all__ = ["GradientTape", "UnconnectedGradients"]


_WARNED: dict[Any, Any] = {}  # what Python's warnings keep to say a thing once for each line


class UnconnectedGradients(enum.Enum):
    """What the gradient is for a source that the target does not depend on: None, or zeros.

    >>> x, y = ag.Variable(1.0), ag.Variable(2.0)
    >>> with ag.GradientTape() as tape:
    ...     z = x * 3
    >>> float(tape.gradient(z, y, unconnected_gradients=ag.UnconnectedGradients.ZERO))
    0.0

    Source of the semantics: TensorFlow's `tf.UnconnectedGradients`.
    """

    NONE = "none"
    ZERO = "zero"


class GradientTape:
    """Records operations for automatic differentiation; a context manager.

    Trainable variables are watched when they are read, other tensors when they are passed to `watch`. A tape gives one
    gradient, unless it is `persistent`. Tapes nest: what a gradient computes inside another tape is recorded there, so
    derivatives have any order. Inside a traced function the tape works on the graph, loops and branches included.

    Args:
      persistent: whether `gradient` may be called more than once.
      watch_accessed_variables: whether trainable variables are watched without being asked for.

    >>> import numpy as np
    >>> x = Tensor(np.array([1.0, 2.0]))
    >>> with GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = x * x * x
    >>> tape.gradient(y, x).tolist()
    [3.0, 12.0]
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self._persistent = persistent
        self._watch_accessed = watch_accessed_variables
        self._variables: dict[
            int, tuple[Any, dict[int, Any]]
        ] = {}  # id(variable) -> (it, payloads read by id)
        self._recording: Recording | StagedRecording | None = None
        self._on = False
        self._used = False
        self.record: Callable[..., None] = _record_nothing

    # The context

    def __enter__(self) -> GradientTape:
        if self._on:
            raise ValueError(
                "Tape is still recording, This can happen if you try to re-enter an already-active tape."
            )
        if self._recording is None:
            self._start()
        self._resume()
        return self

    def __exit__(self, *error: object) -> None:
        if self._on:
            self._pause()

    def _start(self) -> None:
        trace = STATE.trace
        if trace is None:
            self._recording = Recording()
            self.record = self._recording.record
        else:
            self._recording = StagedRecording(trace)

    def _resume(self) -> None:
        STATE.tapes = (*STATE.tapes, self)
        self._on = True
        if isinstance(self._recording, StagedRecording):
            self._recording.resume()

    def _pause(self) -> None:
        STATE.tapes = tuple(t for t in STATE.tapes if t is not self)
        self._on = False
        if isinstance(self._recording, StagedRecording):
            self._recording.pause()

    @contextmanager
    def stop_recording(self) -> Iterator[None]:
        """What runs inside is not recorded, as if it were a constant.

        Raises:
          RuntimeError: the tape is not recording.
        """
        if not self._on:
            raise RuntimeError("Cannot stop recording: the tape is not recording.")
        self._pause()
        try:
            yield
        finally:
            self._resume()

    def reset(self) -> None:
        """Forget everything recorded and watched so far; go on recording."""
        on = self._on
        if on:
            self._pause()
        self._variables = {}
        self._used = False
        self._start()
        if on:
            self._resume()

    # What is recorded

    @boundary
    def watch(self, tensor: Any) -> None:
        """Record what is computed from a tensor (or each in a nested structure) from now on.

        Raises:
          ValueError: something in the structure is not a tensor.
        """
        if self._recording is None:
            self._start()
        for leaf in flatten(tensor):
            if not isinstance(leaf, Tensor):
                raise ValueError(
                    f"Passed in object {leaf!r} of type {type(leaf).__name__!r}, not a Tensor or Variable: make it one "
                    f"first, by ag.constant or ag.Variable"
                )
            if getattr(leaf, "trainable", None) is not None:
                self._note_variable(leaf, self._payload(leaf))
            else:
                self._recording.watch(self._unique(leaf))  # type: ignore[union-attr]

    def variable_read(self, variable: Any, payload: Any) -> None:
        """Called by the dispatcher when a trainable variable is an operand."""
        if self._watch_accessed:
            self._note_variable(variable, payload)

    def _note_variable(self, variable: Any, payload: Any) -> None:
        known = self._variables.get(id(variable))
        if known is None:
            known = self._variables[id(variable)] = (variable, {})
        if id(payload) not in known[1]:
            known[1][id(payload)] = payload
            self._recording.watch(payload)  # type: ignore[union-attr]

    def watched_variables(self) -> tuple[Any, ...]:
        """The variables watched, in the order of their first use."""
        return tuple(variable for variable, _ in self._variables.values())

    def tracks(self, payload: Any) -> bool:
        """Whether an eager payload is watched or derived from watched."""
        return isinstance(self._recording, Recording) and id(payload) in self._recording.tracked

    def record_call(self, backward: Backward, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        """Note a call that brings its own backward: (cotangents of outputs or None) -> (cotangents of inputs or None).

        Inputs and outputs are payloads; no output may be the same object as an input.
        """
        if isinstance(self._recording, Recording):
            self._recording.record_call(backward, inputs, outputs)

    # Payloads

    def _payload(self, box: Tensor) -> Any:
        """What is in a box now: an array, or the graph value where the recording is staged."""
        recording = self._recording
        if isinstance(recording, StagedRecording):
            if STATE.trace is not recording.trace:
                raise RuntimeError(
                    "A tape that recorded a function being traced can only be used inside that function."
                )
            return recording.trace.value_of(box)
        if type(box._value) is Value:
            raise RuntimeError(
                "This tape was entered outside the function that is being traced; enter one inside it."
            )
        return box._value

    def _unique(self, box: Tensor) -> Any:
        """The payload of a box, made an object of its own if it is a bare number (Python shares equal constants)."""
        payload = self._payload(box)
        if type(payload) is float or type(payload) is complex:
            payload = box._value = -(-payload)  # noqa: B002
        return payload

    # Gradients

    @boundary
    def gradient(
        self,
        target: Any,
        sources: Any,
        output_gradients: Any = None,
        unconnected_gradients: UnconnectedGradients | str = UnconnectedGradients.NONE,
    ) -> Any:
        """The derivative of (the sum of) `target` with respect to each of `sources`, in the structure of `sources`.

        Args:
          target: a tensor, or a nested structure of them.
          sources: tensors or variables, nested as you like.
          output_gradients: what each target's derivative is multiplied with; ones if None. Same structure as `target`.
          unconnected_gradients: "none" or "zero" for a source that the target does not depend on.

        Returns:
          A tensor of the source's shape and dtype per source; None where there is no dependence, or where the source
          is not floating.

        Raises:
          RuntimeError: a tape that is not persistent was used before, or nothing was recorded.
          TypeError: the target is None.
        """
        kind = UnconnectedGradients(getattr(unconnected_gradients, "value", unconnected_gradients))
        zero = kind is UnconnectedGradients.ZERO
        results = self.derivatives(target, sources, output_gradients, zero)
        for source, result in zip(flatten(sources), results, strict=True):
            if result is None:
                self._warn_of_none(source, target)
        return pack(sources, results)

    def derivatives(self, target: Any, sources: Any, output_gradients: Any = None, zero: bool = False) -> list[Any]:
        """What `gradient` gives, as a flat list, without a word where it is None."""
        self._use()
        if target is None:
            raise TypeError(
                "Argument `target` should be a tensor, a variable or a nested structure of them, but received None."
            )
        leaves = flatten(sources)
        for leaf in leaves:
            if not isinstance(leaf, Tensor):
                raise ValueError(
                    f"Sources must be tensors or variables, not {leaf!r} of type {type(leaf).__name__!r}: make it one "
                    f"before the tape, by ag.constant (and tape.watch) or ag.Variable"
                )
        reads = [self._reads(leaf) for leaf in leaves]
        sums = self._recording.gradient(  # type: ignore[union-attr]
            self._seeds(flatten(target), output_gradients), [payload for group in reads for payload in group]
        )
        results: list[Any] = []
        for leaf, group in zip(leaves, reads, strict=True):
            parts = [sums[id(p)] for p in group if id(p) in sums]
            if parts:
                total = parts[0]
                for part in parts[1:]:
                    total = op.add(total, part)
                results.append(Tensor(total._value))
            else:
                results.append(op.zeros_like(leaf) if zero else None)
        return results

    def _warn_of_none(self, source: Any, target: Any) -> None:
        """Say which source has no gradient, and why: what is done with the None fails far from here."""
        place = user_location()
        name, kind = getattr(source, "name", None), source.dtype.name
        what = f"'{name}'" if name else f"{'an' if kind[0] == 'i' else 'a'} {kind} tensor of shape {tuple(source.shape)}"
        if not is_inexact(source):
            why = f"it holds {source.dtype.name}, and only floating numbers have gradients"
            instead = "make it a floating one: ag.Variable(2.0), ag.cast(x, ag.float32)"
        elif not is_inexact(flatten(target)[0]):
            why = "the target is no floating tensor"
            instead = "compute the target without casting it to integers or booleans"
        else:
            why = "the target does not depend on it, as far as the tape has seen"
            instead = (
                "compute the target from it under the tape, without casts to integers, argmax or NumPy, and say "
                'tape.watch(x) before, if x is no Variable; or ask for zeros: unconnected_gradients="zero"'
            )
        text = f"the gradient with respect to {what} is None: {why}\nInstead: {instead}"
        if STATE.trace is not None:
            STATE.trace.notes["gradient_none"] = place, text  # what fails in the trace will say it
            if is_inexact(source):
                return
        file, line = ("<unknown>", 1) if place is None else (place.file, place.line)
        warnings.warn_explicit(text, UserWarning, file, line, registry=_WARNED)

    def _use(self) -> None:
        if self._recording is None:
            raise RuntimeError(
                "The tape recorded nothing: it was never entered. Compute under `with GradientTape() as tape:`"
            )
        if self._used and not self._persistent:
            raise RuntimeError(
                "A non-persistent GradientTape can only be used to compute one set of gradients (or jacobians): ask for all "
                "sources in one call, or say GradientTape(persistent=True)"
            )
        self._used = True
        if self._on and not self._persistent:
            self._pause()

    def _reads(self, source: Tensor) -> list[Any]:
        known = self._variables.get(id(source))
        return [self._payload(source)] if known is None else list(known[1].values())

    def _seeds(self, targets: list[Any], output_gradients: Any) -> list[tuple[Any, Tensor]]:
        given = [None] * len(targets) if output_gradients is None else flatten(output_gradients)
        if len(given) != len(targets):
            raise ValueError(f"output_gradients has {len(given)} tensors for {len(targets)} targets.")
        seeds: list[tuple[Any, Tensor]] = []
        for target, dy in zip(targets, given, strict=True):
            if not isinstance(target, Tensor):
                raise _no_target(target)
            payload = self._payload(target)
            if dy is not None:
                dy = convert(dy, target.dtype)
                if not dy.shape.is_compatible_with(target.shape):
                    raise ShapeError(f"output_gradients have shape {dy.shape}, and their target has shape {target.shape}")
                seeds.append((payload, dy))
            elif type(payload) is Value:
                if payload.tensor_type.dtype.is_inexact:
                    seeds.append((payload, staged_ones(payload.tensor_type, payload)))
            elif is_inexact(payload):
                seeds.append((payload, Tensor(ones(payload))))
        return seeds

    @boundary
    def jacobian(
        self,
        target: Tensor,
        sources: Any,
        unconnected_gradients: UnconnectedGradients | str = UnconnectedGradients.NONE,
        parallel_iterations: int | None = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """All derivatives of one tensor: for each source a tensor of shape `target.shape + source.shape`."""
        return self._several(jacobian, target, sources, unconnected_gradients)

    @boundary
    def batch_jacobian(
        self,
        target: Tensor,
        source: Tensor,
        unconnected_gradients: UnconnectedGradients | str = UnconnectedGradients.NONE,
        parallel_iterations: int | None = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """Derivatives within each example: `[b, ...] -> [b, ...target, ...source]`, where row i depends on row i only.

        Raises:
          ValueError: the first sizes differ, or a tensor has no axis.
        """
        return self._several(batch_jacobian, target, source, unconnected_gradients)

    def _several(self, compute: Callable[..., Any], target: Tensor, sources: Any, unconnected: Any) -> Any:
        """Run a computation that takes many gradients from a tape that may only be used once."""
        if not isinstance(target, Tensor):
            raise _no_target(target)
        self._use()
        persistent, self._persistent = self._persistent, True
        try:
            return compute(
                self.gradient,
                target,
                sources,
                UnconnectedGradients(getattr(unconnected, "value", unconnected)),
            )
        finally:
            self._persistent = persistent


def _no_target(target: Any) -> TypeError:
    if isinstance(target, (list, tuple)):
        return TypeError(f"A target must be a tensor, not a {type(target).__name__}: make one of its items, ag.stack(ys)")
    return TypeError(
        f"A target must be a tensor, not {target!r} of type {type(target).__name__!r}: compute it from tensors or variables "
        f"under the tape, without float(), numpy() or item()"
    )


def _record_nothing(
    operation: Op, attrs: dict[str, Any], inputs: Sequence[Any], outputs: Sequence[Any]
) -> None:
    """What a tape records while it is staged: the graph has it all."""
