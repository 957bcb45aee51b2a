"""Checking gradients against central differences, to first and second order, for any function of tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from runtime.grad.tape import GradientTape
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor

__all__ = ["check_gradients", "gradients", "numeric_gradients"]

Function = Callable[..., Any]


def numeric_gradients(fn: Function, args: Sequence[Any], eps: float = 1e-6) -> list[np.ndarray[Any, Any]]:
    """Central differences of a function of float64 arrays that returns one number, with respect to each array.

    >>> numeric_gradients(lambda x: float((x**2).sum()), [np.array([1.0, 3.0])])[0].round(6)
    array([2., 6.])
    """
    points = [np.array(a, np.float64) for a in args]
    slopes = []
    for point in points:
        slope = np.zeros_like(point)
        for index in np.ndindex(*point.shape):
            here = point[index]
            point[index] = here + eps
            above = fn(*points)
            point[index] = here - eps
            below = fn(*points)
            point[index] = here
            slope[index] = (above - below) / (2 * eps)
        slopes.append(slope)
    return slopes


def gradients(fn: Function, args: Sequence[Tensor]) -> list[Tensor]:
    """The derivatives of `fn(*args)`, a scalar tensor, by the tape; zeros where there is no dependence.

    >>> [g.tolist() for g in gradients(lambda x: op.sum(op.square(x)), [Tensor(np.array([1.0, 3.0]))])]
    [[2.0, 6.0]]
    """
    with GradientTape() as tape:
        for arg in args:
            tape.watch(arg)
        result = fn(*args)
    found = tape.derivatives(result, list(args))
    return [Tensor(np.zeros_like(a.numpy())) if g is None else g for g, a in zip(found, args, strict=True)]


def check_gradients(
    fn: Function,
    *args: Any,
    order: int = 2,
    eps: float = 1e-6,
    rtol: float = 1e-5,
    atol: float = 1e-6,
    seed: int = 0,
) -> None:
    """Compare the gradients of `fn` at `args` with central differences of it, and (order 2) theirs likewise.

    Args:
      fn: a function of float64 tensors that returns a tensor or a sequence of them.
      args: where to check: arrays or numbers.
      order: 1, or 2 for second derivatives too (central differences of the first ones).
      eps, rtol, atol: the step, and how far the two may be apart.
      seed: of the random weights with which outputs, and first derivatives, are summed to one number.

    Raises:
      AssertionError: they differ, or a gradient has another shape than its argument; the message says where.
      ValueError: the function returns no floating tensor.

    >>> check_gradients(lambda x, y: x * y, [1.0, 2.0], 3.0)
    """
    points = [np.array(a, np.float64) for a in args]
    weighted = _weighted(fn, seed)
    _compare(weighted, points, eps, rtol, atol, "first")
    if order > 1:

        def slopes(*tensors: Any) -> list[Any]:
            return gradients(weighted, tensors)

        _compare(_weighted(slopes, seed + 1), points, eps, rtol, atol, "second")


def _weighted(fn: Function, seed: int) -> Function:
    """`fn` with all its floating outputs summed to one scalar with random weights (the same ones every time)."""

    def total(*tensors: Any) -> Tensor:
        rng = np.random.default_rng(seed)
        outputs = fn(*tensors)
        sums = []
        for out in outputs if isinstance(outputs, (list, tuple)) else [outputs]:
            if out.dtype.is_floating:
                weights = rng.uniform(0.5, 1.5, out.type.shape)
                sums.append(op.sum(op.mul(out, Tensor(weights))))
        if not sums:
            raise ValueError("the function returns no floating tensor")
        result = sums[0]
        for more in sums[1:]:
            result = op.add(result, more)
        return result

    return total


def _compare(fn: Function, points: list[Any], eps: float, rtol: float, atol: float, which: str) -> None:
    tensors = [Tensor(p.copy()) for p in points]
    by_rule = [g.numpy() for g in gradients(fn, tensors)]
    by_difference = numeric_gradients(
        lambda *arrays: float(fn(*(Tensor(a.copy()) for a in arrays))), points, eps
    )
    for i, (rule, difference) in enumerate(zip(by_rule, by_difference, strict=True)):
        if np.shape(rule) != np.shape(difference):
            shapes = f"{np.shape(rule)}, the argument {np.shape(difference)}"
            raise AssertionError(f"the {which} derivative of argument {i} has shape {shapes}")
        np.testing.assert_allclose(
            rule,
            difference,
            rtol=rtol,
            atol=atol,
            err_msg=f"{which} derivative, argument {i}",
            equal_nan=False,
        )
