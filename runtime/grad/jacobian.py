"""Jacobians: one gradient per element of the target, stacked; in a graph a loop over the elements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from runtime.grad.regions import close_regions, conform, cotangent_type, current_trace
from runtime.grad.structure import flatten, pack
from runtime.ir.graph import Graph, Value
from runtime.ops.registry import get
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import STATE
from runtime.typesys.shapes import num_elements, same_size
from runtime.typesys.spec import ListType, TensorType

__all__ = ["batch_jacobian", "jacobian"]


def jacobian(gradient: Callable[..., Any], target: Tensor, sources: Any, unconnected: Any) -> Any:
    """`gradient(target, sources, seed, unconnected)` for every element of `target`, as target.shape + source.shape."""
    leaves = flatten(sources)
    if STATE.trace is None:
        seeds = np.eye(num_elements(target.type.shape) or 0, dtype=target.dtype.dtype)
        rows = [
            gradient(target, leaves, Tensor(seed.reshape(target.type.shape)), unconnected) for seed in seeds
        ]
        columns = [_stack([row[k] for row in rows]) for k in range(len(leaves))]
    else:

        def row(i: Tensor) -> list[Any]:
            seed = op.cast(op.equal(op.range(op.size(target)), i), dtype=target.dtype)
            return gradient(target, leaves, op.like_shape(seed, target), unconnected)

        columns = _loop(op.size(target), row, leaves)
    return pack(sources, [_shaped(c, target, leaf) for c, leaf in zip(columns, leaves, strict=True)])


def batch_jacobian(gradient: Callable[..., Any], target: Tensor, source: Tensor, unconnected: Any) -> Any:
    """The blocks on the diagonal: [b, *target, *source] for target [b, *target] and source [b, *source]."""
    t, s = target.type.shape, source.type.shape
    if not t or not s or not same_size(t[0], s[0]):
        raise ValueError(f"Need first dimension of target shape ({t}) and source shape ({s}) to match.")
    if STATE.trace is None:
        sizes = tuple(int(d) for d in target._value.shape)
        seeds = np.eye(num_elements(t[1:]) or 0, dtype=target.dtype.dtype)
        rows = [
            gradient(target, [source], Tensor(np.broadcast_to(seed.reshape(sizes[1:]), sizes)), unconnected)
            for seed in seeds
        ]
        column = _stack([row[0] for row in rows])
    else:
        size = t[0] if isinstance(t[0], int) else op.dim_size(target, axis=0)
        ones = op.reshape_method(op.ones_like(target), [size, -1])
        count = op.dim_size(ones, axis=1)

        def row(i: Tensor) -> list[Any]:
            one = op.cast(op.equal(op.range(count), i), dtype=target.dtype)
            return gradient(target, [source], op.like_shape(op.mul(ones, one), target), unconnected)

        column = _loop(count, row, [source])[0]
    return None if column is None else _shaped(op.moveaxis(column, 0, 1), target, source, 1)


def _stack(rows: list[Any]) -> Any:
    return None if any(row is None for row in rows) or not rows else op.stack(rows, axis=0)


def _shaped(column: Any, target: Tensor, source: Tensor, shared: int = 0) -> Any:
    """Stacked rows as target.shape + source.shape, of which the first `shared` sizes are the same."""
    if column is None:
        return None
    if target.type.shape is None or source.type.shape is None:
        raise ValueError(
            f"A jacobian needs the ranks of target and source, not {target.type} and {source.type}."
        )
    return op.reshape_method(column, [*_sizes(target), *_sizes(source)[shared:]])


def _sizes(x: Tensor) -> list[Any]:
    return [d if isinstance(d, int) else op.dim_size(x, axis=k) for k, d in enumerate(x.type.shape or ())]


def _loop(count: Any, row: Callable[[Tensor], list[Any]], sources: list[Tensor]) -> list[Any]:
    """A for_loop that collects `row(i)`, one tensor (or None, always) per source, and stacks each."""
    trace = current_trace()
    builder = trace.builder
    region = builder.push(Graph(functions=trace.graph.functions))
    try:
        index = region.graph.add_input(TensorType("int64", (), weak=True))
        results = row(Tensor(index))
        kinds: list[ListType] = []
        for source, dx in zip(sources, results, strict=True):
            if dx is not None:
                kinds.append(ListType(cotangent_type(source.type)))
                before = region.graph.add_input(kinds[-1])
                value = conform(dx, cotangent_type(source.type))
                append = builder.emit(get("list_append"), [before, value], {}, (kinds[-1],))
                region.graph.outputs.append(append.outputs[0])
    finally:
        builder.pop()
    starts: list[Value] = [
        builder.emit(get("list_new"), [], {"element": k.element}, (k,)).outputs[0] for k in kinds
    ]
    outers = close_regions([region])
    inputs = [trace.operand(count), *starts, *outers]
    node = builder.emit(get("for_loop"), inputs, {"carried": len(starts)}, tuple(kinds), (region.graph,))
    lists = iter(node.outputs)
    return [
        None if dx is None else op.list_stack(Tensor(next(lists)), element=cotangent_type(source.type))
        for source, dx in zip(sources, results, strict=True)
    ]
