"""The eager recording: operations as they ran, keyed by the identity of the arrays, and the pass back over them.

A tensor is a box whose content may be replaced, so nothing here knows boxes: a record holds the arrays ("payloads") of
its time. Only what depends on a watched payload is recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from runtime.ops.registry import Op
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import STATE
from runtime.typesys.spec import type_of_payload

__all__ = ["Backward", "Recording", "is_inexact", "ones"]

Backward = Callable[[list[Any]], Sequence[Any]]

_INEXACT = frozenset("fc")


def is_inexact(payload: Any) -> bool:
    """Whether a payload is floating or complex: what cotangents exist for."""
    kind = type(payload)
    if kind is float or kind is complex:
        return True
    dtype = getattr(payload, "dtype", None)
    return dtype is not None and dtype.kind in _INEXACT


def ones(payload: Any) -> Any:
    """The cotangent that a target starts with."""
    if isinstance(payload, np.ndarray):
        return np.ones_like(payload)
    return type(payload)(1)


class Recording:
    """What ran since a payload was watched."""

    __slots__ = ("records", "tracked")

    def __init__(self) -> None:
        self.tracked: dict[int, Any] = {}  # id(payload) -> payload: watched, or derived from watched
        self.records: list[tuple[Op | None, Any, Sequence[Any], Sequence[Any]]] = []

    def watch(self, payload: Any) -> None:
        """Record what is computed from this array from now on."""
        self.tracked[id(payload)] = payload

    def record(
        self, operation: Op, attrs: dict[str, Any], inputs: Sequence[Any], outputs: Sequence[Any]
    ) -> None:
        """Note one operation, if a tracked payload went in and a cotangent can come back."""
        tracked = self.tracked
        for payload in inputs:
            if id(payload) in tracked:
                break
        else:
            return
        if operation.rules.vjp is None:
            return
        for payload in outputs:
            if is_inexact(payload):
                tracked[id(payload)] = payload
        self.records.append((operation, attrs, inputs, outputs))

    def record_call(self, backward: Backward, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        """Note something that brings its own way back: (cotangents of the outputs) -> cotangents of the inputs."""
        tracked = self.tracked
        if any(id(p) in tracked for p in inputs):
            tracked.update((id(p), p) for p in outputs if is_inexact(p))
            self.records.append((None, backward, inputs, outputs))

    def gradient(self, seeds: Iterable[tuple[Any, Tensor]], sources: Iterable[Any]) -> dict[int, Tensor]:
        """Cotangents by id of the source payload, from (target payload, cotangent) pairs."""
        tracked = self.tracked
        wanted = {id(p) for p in sources if id(p) in tracked and is_inexact(p)}
        live = set(wanted)
        path = []
        for record in self.records:
            for payload in record[2]:
                if id(payload) in live:
                    path.append(record)
                    for output in record[3]:
                        if id(output) in tracked:
                            live.add(id(output))
                    break
        sums = _Sums(live)
        for payload, dy in seeds:
            sums.add(payload, dy)
        pop, get, add = sums.values.pop, sums.values.get, sums.add
        while path:
            operation, attrs, inputs, outputs = path.pop()
            if len(outputs) == 1:
                key = id(outputs[0])
                dys = [get(key) if key in wanted else pop(key, None)]
                if dys[0] is None:
                    continue
            else:
                dys = [get(id(p)) if id(p) in wanted else pop(id(p), None) for p in outputs]
                if all(dy is None for dy in dys):
                    continue
            if operation is None:
                dxs = attrs(dys)
            else:
                boxes = [Tensor(p) for p in inputs]
                if operation.choosy:
                    attrs = {**attrs, "needs": [id(p) in live for p in inputs]}
                if operation.outputs == 1:
                    dxs = operation.rules.vjp(op, dys[0], Tensor(outputs[0]), *boxes, **attrs)
                else:
                    if not operation.sparse_cotangents:
                        dys = [_zeros(p) if dy is None else dy for dy, p in zip(dys, outputs, strict=True)]
                    dxs = operation.rules.vjp(op, tuple(dys), tuple(map(Tensor, outputs)), *boxes, **attrs)
            for payload, dx in zip(inputs, dxs, strict=True):
                if dx is not None and id(payload) in live:
                    add(payload, dx)
        return {key: sums.values[key] for key in wanted if key in sums.values}


class _Sums:
    """Cotangents by id of the payload: the first as it comes, with the second a new array, to which later ones add."""

    __slots__ = ("live", "owned", "values")

    def __init__(self, live: set[int]) -> None:
        self.live = live
        self.values: dict[int, Tensor] = {}
        self.owned: set[int] = set()

    def add(self, payload: Any, dx: Tensor) -> None:
        key = id(payload)
        if key not in self.live:
            return
        have = self.values.get(key)
        if have is None:
            self.values[key] = dx
        elif STATE.tapes or STATE.trace is not None:
            self.values[key] = op.add(have, dx)
        elif key in self.owned:
            np.add(have._value, dx._value, out=have._value)
        else:
            total = have._value + dx._value
            self.values[key] = Tensor(total)
            if isinstance(total, np.ndarray) and total.ndim:
                self.owned.add(key)


def _zeros(payload: Any) -> Tensor | None:
    """A zero cotangent for an output of several that got none; none at all for integers."""
    if not is_inexact(payload):
        return None
    kind = type_of_payload(payload)
    return Tensor(0.0 if kind.weak else np.zeros_like(payload))
