"""Gradients without a tape: `gradients`, `hessians`, `custom_gradient`, forward-mode `jvp`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from runtime.grad.activity import differentiable
from runtime.grad.jacobian import jacobian
from runtime.grad.records import is_inexact
from runtime.grad.regions import conform, cotangent_type, current_trace, ones
from runtime.grad.reverse import staged_gradient
from runtime.grad.structure import flatten, pack
from runtime.grad.tape import GradientTape, UnconnectedGradients
from runtime.ir.graph import Graph, Node, Value
from runtime.ops.registry import get
from runtime.tensor import trace as trace_module
from runtime.tensor.dispatch import convert, distinct, op
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import STATE
from runtime.typesys.errors import ShapeError, boundary

__all__ = ["custom_gradient", "gradients", "hessians", "jvp"]


def gradients(
    ys: Any,
    xs: Any,
    grad_ys: Any = None,
    name: str | None = None,
    colocate_gradients_with_ops: bool = False,
    gate_gradients: bool = False,
    aggregation_method: Any = None,
    stop_gradients: Any = None,
    unconnected_gradients: UnconnectedGradients | str = UnconnectedGradients.NONE,
) -> list[Any]:
    """Derivatives of (the sum of) `ys` with respect to each of `xs`, inside a traced function.

    Args:
      ys: tensor or list of tensors.
      xs: tensor or list of tensors.
      grad_ys: what each derivative is multiplied with; ones if None.
      stop_gradients: tensors to take for constants.

    Returns:
      A list with a tensor, or None, per x.

    Raises:
      RuntimeError: no function is being traced.

    >>> @ag.function
    ... def slope(x):
    ...     return ag.gradients(x * x, x)[0]
    >>> slope(ag.constant(3.0)).numpy()
    np.float32(6.0)

    Source of the semantics: TensorFlow's `tf.gradients`.
    """
    trace = STATE.trace
    if trace is None:
        raise RuntimeError(
            "tf.gradients is not supported when eager execution is enabled. Use tf.GradientTape instead."
        )
    zero = UnconnectedGradients(getattr(unconnected_gradients, "value", unconnected_gradients))
    targets, sources = flatten(ys), flatten(xs)
    given = [None] * len(targets) if grad_ys is None else flatten(grad_ys)
    seeds = []
    for y, dy in zip(targets, given, strict=True):
        value = trace.operand(y)
        if differentiable(value.type):
            seeds.append((value, convert(dy) if dy is not None else ones(value.tensor_type, value)))
    stopped = {trace.operand(s) for s in flatten([] if stop_gradients is None else stop_gradients)}

    def recorded(node: Node) -> bool:
        return stopped.isdisjoint(node.outputs)

    results = staged_gradient(trace, seeds, [trace.operand(x) for x in sources], recorded)
    if zero is UnconnectedGradients.ZERO:
        return [op.zeros_like(x) if dx is None else dx for x, dx in zip(sources, results, strict=True)]
    return results


def hessians(ys: Any, xs: Any, **options: Any) -> list[Any]:
    """Second derivatives of (the sum of) `ys`, inside a traced function: for each x one of shape x.shape + x.shape.

    Raises:
      RuntimeError: no function is being traced.

    >>> @ag.function
    ... def curvature(x):
    ...     return ag.hessians(x**3, x)[0]
    >>> curvature(ag.constant(2.0)).numpy()
    array(12., dtype=float32)

    Source of the semantics: TensorFlow's `tf.hessians`.
    """

    def gradient(target: Any, sources: list[Any], seed: Any, unconnected: Any) -> list[Any]:
        return gradients(target, sources, seed, unconnected_gradients=unconnected)

    results = []
    for x, dx in zip(flatten(xs), gradients(ys, xs, **options), strict=True):
        results.append(None if dx is None else jacobian(gradient, dx, x, UnconnectedGradients.ZERO))
    return results


def jvp(f: Callable[..., Any], primals: Any, tangents: Any) -> tuple[Any, Any]:
    """`f(*primals)` and its derivative in the direction `tangents` (forward mode), eager or staged.

    Args:
      f: a function of tensors that returns a tensor or a nested structure of them.
      primals: list or tuple of arguments.
      tangents: as many tensors of the same shapes; None for a zero.

    Returns:
      (outputs, tangents of the outputs), each in the structure of f's result.

    >>> x = Tensor(np.array([1.0, 2.0]))
    >>> y, dy = jvp(lambda x: x * x, [x], [Tensor(np.array([1.0, 0.0]))])
    >>> y.tolist(), dy.tolist()
    ([1.0, 4.0], [2.0, 0.0])
    """
    primals = [x if isinstance(x, Tensor) else convert(x) for x in primals]
    if len(tangents) != len(primals):
        raise ValueError(f"{len(tangents)} tangents were given for {len(primals)} primals.")
    moving = [k for k, t in enumerate(tangents) if t is not None]
    with GradientTape(persistent=True, watch_accessed_variables=False) as outer:
        with GradientTape(persistent=True, watch_accessed_variables=False) as inner:
            inner.watch([primals[k] for k in moving])
            result = trace_module.converted(f)(*primals)
        leaves = flatten(result)
        dys = [op.zeros_like(y) for y in leaves]
        outer.watch(
            dys
        )  # the cotangents of the inputs are linear in these: their own cotangents are the tangents
        pulled = [
            inner.derivatives(y, [primals[k] for k in moving], dy) for y, dy in zip(leaves, dys, strict=True)
        ]
    results = []
    for y, dy, dxs in zip(leaves, dys, pulled, strict=True):
        pairs = [
            (dx, convert(tangents[k], dx.dtype)) for dx, k in zip(dxs, moving, strict=True) if dx is not None
        ]
        moved = outer.derivatives([dx for dx, _ in pairs], dy, [t for _, t in pairs])[0] if pairs else None
        results.append(op.zeros_like(y) if moved is None else moved)
    return result, pack(result, results)


def custom_gradient(f: Callable[..., Any] | None = None) -> Any:
    """Decorator: the function says its own gradient; eager and staged, and differentiable itself.

    Args:
      f: returns (result, grad): result a tensor or a nested structure of them, `grad(*cotangents of the results)` one
        cotangent (or None) per argument. If `f` reads trainable variables, `grad` must take `variables=` and return
        (cotangents of arguments, cotangents of variables).

    >>> @custom_gradient
    ... def clip(x):
    ...     return x, lambda dy: dy * 0.5
    >>> x = Tensor(np.array([3.0]))
    >>> with GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = clip(x)
    >>> tape.gradient(y, x).tolist()
    [0.5]
    """
    if f is None:
        return custom_gradient
    if not callable(f):
        raise TypeError(f"custom_gradient decorates a function, not {f!r}")

    @boundary
    @functools.wraps(f)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        args = pack(args, [_tensor(leaf) for leaf in flatten(args)])
        tapes, reads = STATE.tapes, _Reads()
        STATE.tapes = (reads,) if tapes or STATE.trace is not None else ()
        try:
            both = trace_module.converted(f)(*args, **kwargs)
        finally:
            STATE.tapes = tapes
        if not (isinstance(both, tuple) and len(both) == 2 and callable(both[1])):
            name = getattr(f, "__name__", repr(f))
            raise TypeError(f"a function with custom_gradient returns (result, gradient function); {name}() does not")
        result, grad = both
        sources = [leaf for leaf in flatten(args) if isinstance(leaf, Tensor)]
        variables = [v for v in reads.variables.values() if not any(v is s for s in sources)]
        pull = _Pull(grad, flatten(args), variables)
        results = [_tensor(leaf) for leaf in flatten(result)]
        if STATE.trace is not None:
            return pack(result, _staged(results, [*sources, *variables], pull))
        return pack(result, _eager(results, [*sources, *variables], pull))

    return wrapped


class _Reads:
    """Stands in for the tapes while a function with its own gradient runs: only the variables read are noted."""

    def __init__(self) -> None:
        self.variables: dict[int, Any] = {}

    def record(self, *_: Any) -> None:
        """Operations are not recorded."""

    record_call = record

    def tracks(self, payload: Any) -> bool:
        """Nothing is derived from watched."""
        return False

    def variable_read(self, variable: Any, payload: Any) -> None:
        """Note a trainable variable."""
        self.variables[id(variable)] = variable


class _Pull:
    """The user's `grad`, as (cotangents of results) -> cotangents of tensor arguments and variables."""

    def __init__(self, grad: Callable[..., Any], arguments: list[Any], variables: list[Any]) -> None:
        self.grad = grad
        self.arguments = arguments
        self.variables = variables
        if variables and not _takes_variables(grad):
            raise TypeError(
                "If using @custom_gradient with a function that uses variables, "
                "then grad_fn must accept a 'variables' keyword argument."
            )

    def __call__(self, dys: list[Any]) -> list[Any]:
        grad = trace_module.converted(self.grad)
        if self.variables:
            dxs, dvs = grad(*dys, variables=self.variables)
        else:
            dxs, dvs = grad(*dys), []
        flat = flatten(dxs) if isinstance(dxs, (list, tuple, dict)) else [dxs]
        if len(flat) != len(self.arguments):
            raise ValueError(
                f"custom_gradient function expected to return {len(self.arguments)} gradients, "
                f"but returned {len(flat)} instead."
            )
        for i, (dx, x) in enumerate(zip(flat, self.arguments, strict=True)):
            if isinstance(dx, Tensor) and isinstance(x, Tensor) and not dx.shape.is_compatible_with(x.shape):
                raise ShapeError(
                    f"the gradient function of a custom_gradient gave shape {dx.shape} for argument {i}, whose shape is "
                    f"{x.shape}"
                )
        wanted = [dx for dx, x in zip(flat, self.arguments, strict=True) if isinstance(x, Tensor)]
        return [*wanted, *dvs]


def _takes_variables(grad: Callable[..., Any]) -> bool:
    import inspect

    parameters = inspect.signature(grad).parameters.values()
    return any(p.name == "variables" or p.kind is p.VAR_KEYWORD for p in parameters)


def _tensor(x: Any) -> Any:
    return convert(x) if isinstance(x, (int, float, complex, np.ndarray, np.generic)) else x


def _eager(results: list[Any], sources: list[Any], pull: _Pull) -> list[Any]:
    tapes = STATE.tapes
    if not tapes:
        return results
    inputs = [s._value for s in sources]
    outputs = [
        distinct(y._value, [y._value]) for y in results
    ]  # objects of their own: other tapes know those of f
    for tape in tapes:
        for variable, payload in zip(sources, inputs, strict=True):
            if getattr(variable, "trainable", False):
                tape.variable_read(variable, payload)

    def backward(dys: list[Any]) -> list[Any]:
        full = [op.zeros_like(Tensor(y)) if dy is None else dy for dy, y in zip(dys, outputs, strict=True)]
        dxs = pull(full)
        return [
            dx if dx is None or isinstance(dx, Tensor) else convert(dx, x.dtype)
            for dx, x in zip(dxs, sources, strict=True)
        ]

    for tape in tapes:
        tape.record_call(backward, inputs, outputs)
    return [Tensor(p) if is_inexact(p) else y for p, y in zip(outputs, results, strict=True)]


def _staged(results: list[Any], sources: list[Any], pull: _Pull) -> list[Any]:
    """A node that passes the results on and holds the traced `grad` as its region."""
    trace = current_trace()
    builder, tapes = trace.builder, STATE.tapes
    ys = [builder.region.resolve(trace.operand(y)) for y in results]
    xs = [builder.region.resolve(trace.operand(x)) for x in sources]
    region = builder.push(Graph(functions=trace.graph.functions))
    STATE.tapes = ()
    try:
        dys = []
        for y in ys:
            dy: Value = region.graph.add_input(cotangent_type(y.type)) if differentiable(y.type) else y
            dys.append(Tensor(dy) if dy is not y else op.zeros_like(Tensor(y)))
        dxs = pull(dys)
        connected = tuple(dx is not None and differentiable(x.type) for dx, x in zip(dxs, xs, strict=True))
        for dx, x, used in zip(dxs, xs, connected, strict=True):
            if used:
                value = conform(
                    dx if isinstance(dx, Tensor) else convert(dx, x.tensor_type.dtype), cotangent_type(x.type)
                )
                region.graph.outputs.append(region.resolve(value))
    finally:
        STATE.tapes = tapes
        builder.pop()
    captured = region.captured()
    attrs = {"values": len(ys), "count": len(xs), "connected": connected}
    inputs = [*ys, *xs, *(outer for outer, _ in captured)]
    node = builder.emit(get("custom_gradient"), inputs, attrs, tuple(y.type for y in ys), (region.graph,))
    return list(map(Tensor, node.outputs))
