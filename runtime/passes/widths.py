"""`x[i:i + 8]` has 8 rows wherever the integers say that it lies within x, as what a training step takes of its data does.

    i = k * 8 % 160; x[i:i + 8], x of 160 rows      ->  8 rows: i is a multiple of 8 from 0 to 152

What is computed from such a part is known as well then, and nothing has to be summed or broadcast to a size that is asked
for at run time. Nodes stay as they are, only their types say more.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from runtime.ir.graph import Graph, Node, Value
from runtime.passes.rewrite import UNKNOWN, constant_of, graphs
from runtime.typesys.errors import OpError
from runtime.typesys.spec import TensorType

__all__ = ["know_widths"]

LONG = 10_000  # elements of a constant of which the common step is not worth finding


def know_widths(graph: Graph) -> Graph:
    """`x[i:add(i, 8)]` of float32[?, 3] -> of float32[8, 3], where i is from 0 to 8 less than the rows of x."""
    for each in graphs(graph):
        if any(node.op.name == "index" and _open_slices(node) for node in each.walk()):
            _Widths().visit(each)
    return graph


def _open_slices(node: Node) -> list[tuple[int, int, Value, Value]]:
    """(axis of the operand, axis of the result, start, stop) of slices by one between two values of the graph."""
    found = []
    axis = at = 0
    rest = iter(node.inputs[1:])
    for entry in node.attrs["spec"]:
        if entry == "...":
            return []  # those before it would do; nobody writes such
        if entry is None:
            at += 1
        elif isinstance(entry, tuple):
            bounds = [next(rest) if b == "?" else b for b in entry]
            if entry[:2] == ("?", "?") and entry[2] in (None, 1):
                found.append((axis, at, bounds[0], bounds[1]))
            axis, at = axis + 1, at + 1
        elif entry == "?":
            part = next(rest).type
            if not isinstance(part, TensorType) or part.shape != () or part.dtype.is_bool:
                return []
            axis += 1
        else:
            axis += 1
    return found


class _Widths:
    """Goes through a function with what is known of integers; `better` are the values whose types say more now."""

    def __init__(self) -> None:
        self.integers = _Integers()
        self.better: set[Value] = set()

    def visit(self, graph: Graph) -> None:
        for node in graph.nodes:
            if node.op.name == "index":
                self.index(node)
            if node.regions:
                self.regions(node)
            elif self.better and not self.better.isdisjoint(node.inputs):
                self.again(node)

    def index(self, node: Node) -> None:
        shape = node.inputs[0].type.shape if isinstance(node.inputs[0].type, TensorType) else None
        kind = node.outputs[0].tensor_type
        if shape is None or kind.shape is None:
            return
        sizes = list(kind.shape)
        for axis, at, start, stop in _open_slices(node):
            size = shape[axis]
            if isinstance(size, int) and not isinstance(sizes[at], int):
                width = self.integers.between(start, stop)
                first, last = self.integers.of(start), self.integers.of(stop)
                if width is not None and width >= 0 and first and last and first[0] >= 0 and last[-1] <= size:
                    sizes[at] = width
        self.improve(node.outputs[0], tuple(sizes))

    def improve(self, value: Value, shape: tuple[Any, ...] | None) -> None:
        """Put known sizes in the place of unknown ones."""
        kind = value.tensor_type
        if shape is None or kind.shape is None or len(shape) != len(kind.shape):
            return
        pairs = zip(kind.shape, shape, strict=True)
        sizes = tuple(new if isinstance(new, int) and not isinstance(old, int) else old for old, new in pairs)
        if sizes != kind.shape:
            value.type = TensorType(kind.dtype, sizes, kind.weak)
            self.better.add(value)

    def again(self, node: Node) -> None:
        """Ask the rule of an operation for its results once more."""
        try:
            types = node.op.infer(*(v.type for v in node.inputs), **node.attrs)
        except (OpError, NotImplementedError):
            return  # what does not fit is said when it runs; some are typed by who builds them
        for value, kind in zip(node.outputs, types if isinstance(types, tuple) else (types,), strict=True):
            if isinstance(kind, TensorType) and isinstance(value.type, TensorType):
                self.improve(value, kind.shape)

    def regions(self, node: Node) -> None:
        """What is passed into regions is known there, too."""
        lead, carried = 0, 0
        if node.op.name == "cond":
            lead = 1
        elif node.op.name in ("for_loop", "while_loop"):
            carried = node.carried + (node.op.name == "for_loop")
        else:
            return
        for region in node.regions:
            if node.op.name == "for_loop":
                self.integers.counts(region.inputs[0], node.inputs[0])
            for inner, outer in list(zip(region.inputs, node.inputs[lead:], strict=True))[carried:]:
                self.integers.same[inner] = outer
                if outer in self.better:
                    self.improve(inner, outer.tensor_type.shape)
            self.visit(region)


_Range: TypeAlias = range | None
"""Numbers from the first to the last by a step; None: nothing is known."""


class _Integers:
    """Between what, and by what steps, integer scalars are."""

    def __init__(self) -> None:
        self.same: dict[Value, Value] = {}  # input of a region -> what is passed for it
        self._known: dict[Value, _Range] = {}
        self._wraps: set[Value] = set()

    def counts(self, index: Value, count: Value) -> None:
        """`index` is the number of a turn of `count`."""
        turns = self.of(count)
        self._known[index] = range(max(turns[-1], 1) if turns else np.iinfo(np.int64).max)

    def of(self, value: Value) -> _Range:
        """The numbers that a value may be."""
        if value not in self._known:
            self._known[value] = None  # of what is not understood
            if value in self.same:
                self._known[value] = self.of(self.same[value])
            else:
                self._known[value] = self._computed(value)
        return self._known[value]

    def _computed(self, value: Value) -> _Range:
        kind, node = value.type, value.node
        if not isinstance(kind, TensorType) or kind.shape != () or kind.dtype.kind not in "iu" or node is None:
            return None
        number = constant_of(value)
        if number is not UNKNOWN:
            return range(int(number), int(number) + 1)
        if node.op.name == "index":
            return self._element(node.inputs[0], kind)
        rule = _RULES.get(node.op.name)
        operands = [self.of(v) for v in node.inputs] if rule is not None else []
        if rule is None or not all(operands):
            return None
        found = rule(*operands)  # type: ignore[arg-type]
        if not found or kind.weak:
            return found
        limits = np.iinfo(kind.dtype.dtype)
        if limits.min <= found[0] and found[-1] <= limits.max:
            return found
        self._wraps.add(value)
        step = math.gcd(found.step, 1 << limits.bits)
        return range(limits.min + (found[0] - limits.min) % step, limits.max + 1, step)

    def _element(self, array: Value, kind: TensorType) -> _Range:
        """What an element of an array may be: one that is known, or a range, as a loop over `range(n)` reads it."""
        while array in self.same:
            array = self.same[array]
        payload = constant_of(array)
        if isinstance(payload, np.ndarray) and payload.size:
            first, last, step = int(payload.min()), int(payload.max()), 1
            if payload.size < LONG and last < 1 << 62 and first > -(1 << 62):
                step = int(np.gcd.reduce(payload.ravel().astype(np.int64) - first))
            return _stepping(first, last, step)
        if array.node is not None and array.node.op.name == "arange":
            start, limit, by = (self.of(v) for v in array.node.inputs)
            if start and by and start[0] == start[-1] and by[0] == by[-1] > 0:
                last = limit[-1] - 1 if limit else np.iinfo(kind.dtype.dtype).max
                return range(start[0], max(last, start[0]) + 1, by[0])
        return None

    def between(self, start: Value, stop: Value) -> int | None:
        """What is always added to one value to make the other; None where that is not always the same."""
        (a, first), (b, second) = self._sum(start), self._sum(stop)
        return second - first if a == b else None

    def _sum(self, value: Value) -> tuple[dict[Value, int], int]:
        """A value as a sum of multiples of others, and a number."""
        while value in self.same:
            value = self.same[value]
        known, node = self.of(value), value.node
        if known and known[0] == known[-1]:
            return {}, known[0]
        if node is None or value in self._wraps or not known:
            return {value: 1}, 0
        if node.op.name == "cast":
            return self._sum(node.inputs[0])
        if node.op.name in ("add", "sub"):
            (a, first), (b, second) = (self._sum(v) for v in node.inputs)
            sign = 1 if node.op.name == "add" else -1
            terms = {v: a.get(v, 0) + sign * b.get(v, 0) for v in (*a, *b)}
            return {v: times for v, times in terms.items() if times}, first + sign * second
        if node.op.name == "mul":
            for x, by in (node.inputs, node.inputs[::-1]):
                factor = self.of(by)
                if factor and factor[0] == factor[-1]:
                    terms, number = self._sum(x)
                    return {v: times * factor[0] for v, times in terms.items() if factor[0]}, number * factor[0]
        return {value: 1}, 0


def _stepping(first: int, last: int, step: int) -> range:
    """The numbers from `first` to `last`, which is one of them; all are one if the step is 0."""
    return range(first, last + 1, step or 1)


def _step(x: range) -> int:
    return x.step if x[0] != x[-1] else 0


def _add(a: range, b: range) -> range:
    return _stepping(a[0] + b[0], a[-1] + b[-1], math.gcd(_step(a), _step(b)))


def _sub(a: range, b: range) -> range:
    return _stepping(a[0] - b[-1], a[-1] - b[0], math.gcd(_step(a), _step(b)))


def _mul(a: range, b: range) -> range:
    corners = [x * y for x in (a[0], a[-1]) for y in (b[0], b[-1])]
    step = math.gcd(a[0] * _step(b), b[0] * _step(a), _step(a) * _step(b))
    return _stepping(min(corners), max(corners), step)


def _mod(a: range, b: range) -> _Range:
    if b[0] != b[-1] or b[0] <= 0:
        return None
    size = b[0]
    if a[0] >= 0 and a[-1] < size:
        return a
    step = math.gcd(_step(a), size)
    return _stepping(a[0] % step, size - step + a[0] % step, step)


def _floordiv(a: range, b: range) -> _Range:
    if b[0] != b[-1] or b[0] <= 0:
        return None
    size = b[0]
    return _stepping(a[0] // size, a[-1] // size, _step(a) // size if _step(a) % size == 0 else 1)


def _minimum(a: range, b: range) -> range:
    return range(min(a[0], b[0]), min(a[-1], b[-1]) + 1)


def _maximum(a: range, b: range) -> range:
    return range(max(a[0], b[0]), max(a[-1], b[-1]) + 1)


_RULES: dict[str, Callable[..., _Range]] = {
    "add": _add, "cast": lambda x: x, "floordiv": _floordiv, "identity": lambda x: x, "int_value": lambda x: x,
    "maximum": _maximum, "minimum": _minimum, "mod": _mod, "mul": _mul, "sub": _sub,
}  # fmt: skip
