"""Calls of compiled graphs under eager tapes: forward runs once, backward is a compiled graph of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from runtime.grad.activity import differentiable
from runtime.grad.reverse import Vjp, gradient_graph, vjp_graph
from runtime.ir.graph import Graph, Value
from runtime.tensor.dispatch import distinct
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import STATE

__all__ = ["TapedGraph"]

Compile = Callable[[Graph], Callable[..., Sequence[Any]]]


class TapedGraph:
    """A graph to be called eagerly, with what tapes need of it made when a tape first asks.

    Args:
      graph: a function's graph.
      compile: makes a function of arrays of a graph; it may change the graph it is given.
      constant: indices of outputs that tapes shall take for constants (what is assigned to variables).

    Under a tape the forward half of `vjp_graph` runs and saves; `gradient` then runs the backward half. If a tape is
    recording while the gradient is taken, all of it is computed again in one graph of (inputs, cotangents), which is
    called in the same way: derivatives of any order.
    """

    def __init__(self, graph: Graph, compile: Compile, constant: Sequence[int] = ()) -> None:
        self.graph = graph
        self.compile = compile
        self.constant = frozenset(constant)
        self._plain: Callable[..., Sequence[Any]] | None = None
        self._halves: dict[tuple[int, ...], _Halves] = {}
        self._gradients: dict[tuple[tuple[int, ...], tuple[int, ...]], TapedGraph] = {}

    def run(self, payloads: Sequence[Any]) -> list[Any]:
        """The outputs for these arrays; the call is recorded on the tapes that track one of them."""
        tapes = [t for t in STATE.tapes if any(map(t.tracks, _flat(payloads)))]
        wrt = tuple(
            k
            for k, (v, p) in enumerate(zip(self.graph.inputs, payloads, strict=True))
            if differentiable(v.type) and any(t.tracks(e) for e in _flat([p]) for t in tapes)
        )
        if not wrt:
            if self._plain is None:
                self._plain = self.compile(self.graph)
            return list(self._plain(*payloads))
        halves = self._halves.get(wrt)
        if halves is None:
            halves = self._halves[wrt] = _Halves(self, wrt)
        payloads = list(payloads)
        results = list(halves.forward(*payloads))
        outputs: list[Any] = []
        known = _flat(payloads)
        for result in results[: len(self.graph.outputs)]:
            outputs.append(_distinct(result, known))
        saved = results[len(outputs) :]

        def backward(dys: list[Any]) -> list[Any]:
            return _flat(halves.pull(_gathered(iter(dys), outputs), payloads, outputs, saved), payloads)

        recorded = _flat([p if k not in self.constant else None for k, p in enumerate(outputs)], outputs)
        for tape in tapes:
            tape.record_call(backward, _flat(payloads), recorded)
        return outputs

    def gradient(self, wrt: tuple[int, ...], given: tuple[int, ...]) -> TapedGraph:
        """(inputs..., cotangents of outputs `given`) -> cotangents of inputs `wrt`, as a graph to be called."""
        known = self._gradients.get((wrt, given))
        if known is None:
            known = TapedGraph(gradient_graph(self.graph, wrt, given), self.compile)
            self._gradients[(wrt, given)] = known
        return known


class _Halves:
    """The two compiled halves of one gradient."""

    def __init__(self, owner: TapedGraph, wrt: tuple[int, ...]) -> None:
        outputs = [k for k in range(len(owner.graph.outputs)) if k not in owner.constant]
        self.owner = owner
        self.vjp: Vjp = vjp_graph(owner.graph, wrt, outputs)
        self.seeds = [self.vjp.backward.inputs[k - len(self.vjp.given)] for k in range(len(self.vjp.given))]
        self.forward = owner.compile(self.vjp.forward)
        self.backward: Callable[..., Sequence[Any]] | None = None

    def pull(self, dys: list[Any], payloads: list[Any], outputs: list[Any], saved: list[Any]) -> list[Any]:
        """Cotangents of the inputs, None for structural zeros."""
        vjp = self.vjp
        result: list[Any] = [None] * len(payloads)
        given = tuple(k for k in vjp.given if dys[k] is not None)
        if not vjp.wrt or not given:
            return result
        if STATE.tapes:
            seeds = [_typed(dys[k], outputs[k], None) for k in given]
            dxs = self.owner.gradient(vjp.wrt, given).run([*payloads, *seeds])
        else:
            if self.backward is None:
                self.backward = self.owner.compile(vjp.backward)
            seeds = [
                _typed(dys[k], outputs[k], seed)
                for k, seed in zip(vjp.given, self.seeds, strict=True)
            ]
            dxs = list(self.backward(*(payloads[k] for k in vjp.kept), *saved, *seeds))
        for k, dx in zip(vjp.wrt, dxs, strict=True):
            result[k] = _boxed(dx)
        return result


def _flat(payloads: Sequence[Any], like: Sequence[Any] | None = None) -> list[Any]:
    """Payloads with the items of lists in their place, since tapes know arrays; `like` says how long an absent list is."""
    flat: list[Any] = []
    for k, p in enumerate(payloads):
        shape = p if like is None else like[k]
        if isinstance(shape, list):
            flat += _flat([None] * len(shape) if p is None else p, shape)
        else:
            flat.append(p)
    return flat


def _gathered(items: Iterator[Any], like: Sequence[Any]) -> list[Any]:
    """The reverse of `_flat`: lists of cotangents (None where no item has one)."""
    result: list[Any] = []
    for p in like:
        if isinstance(p, list):
            mine = _gathered(items, p)
            result.append(mine if any(dy is not None for dy in mine) else None)
        else:
            result.append(next(items))
    return result


def _boxed(payload: Any) -> Any:
    return [_boxed(p) for p in payload] if isinstance(payload, list) else Tensor(payload)


def _distinct(payload: Any, known: list[Any]) -> Any:
    if isinstance(payload, list):
        return [_distinct(p, known) for p in payload]
    payload = distinct(payload, known)
    known.append(payload)
    return payload


def _typed(dy: Any, output: Any, seed: Value | None) -> Any:
    """A cotangent's payload, zeros for an absent one; a bare number in the dtype that the backward graph was made for."""
    if isinstance(output, list):
        return [_typed(e, p, None) for e, p in zip(dy or [None] * len(output), output, strict=True)]
    payload = np.zeros_like(output) if dy is None else dy._value
    if seed is None or isinstance(payload, (np.ndarray, np.generic)):
        return payload
    return seed.tensor_type.dtype.dtype.type(payload)
