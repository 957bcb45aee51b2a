"""Central differences, and gradients of graphs by every way there is."""

import numpy as np

from runtime.grad.reverse import gradient_graph, vjp_graph
from runtime.grad.tape import GradientTape
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from tests.unit.grad.interpret import build, run


def differences(f, arguments, index, step=1e-6):
    """d f(*arguments) / d arguments[index] for scalar f, by central differences."""
    at = np.array(arguments[index], np.float64)
    result = np.zeros_like(at)
    for i in np.ndindex(at.shape):
        values = []
        for sign in (1, -1):
            moved = at.copy()
            moved[i] += sign * step
            values.append(float(f(*arguments[:index], moved, *arguments[index + 1 :])))
        result[i] = (values[0] - values[1]) / (2 * step)
    return result


def floating(arguments):
    return [k for k, a in enumerate(arguments) if np.asarray(a).dtype.kind == "f"]


def gradient_function(fn, wrt):
    """(*arguments) -> gradients of fn (scalar) by a staged tape; zeros where there is no dependence."""

    def gradients(*boxes):
        with GradientTape() as tape:
            tape.watch([boxes[k] for k in wrt])
            y = fn(*boxes)
        return tape.gradient(y, [boxes[k] for k in wrt], unconnected_gradients="zero")

    return gradients


def check(fn, *arguments, orders=2, tolerance=1e-6):
    """Gradients of scalar fn on float64 arrays agree with differences, to second order, by the tape and by graphs."""
    graph = build(fn, *arguments)
    wrt = floating(arguments)

    def value(*values):
        return run(graph, list(values))[0]

    expected = [differences(value, arguments, k) for k in wrt]

    staged = build(gradient_function(fn, wrt), *arguments)
    for got, want in zip(run(staged, arguments), expected):
        np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)

    seed = np.float64(1.0)
    halves = vjp_graph(graph, wrt, [0])
    outs = run(halves.forward, arguments)
    saved = outs[len(graph.outputs) :]
    assert len(saved) == halves.saved
    dxs = run(halves.backward, [*(arguments[k] for k in halves.kept), *saved, *[seed] * len(halves.given)])
    by_input = dict(zip(halves.wrt, dxs))
    for k, want in zip(wrt, expected):
        np.testing.assert_allclose(by_input.get(k, 0.0) + 0 * want, want, rtol=tolerance, atol=tolerance)

    whole = gradient_graph(graph, wrt, [0])
    for got, want in zip(run(whole, [*arguments, seed]), expected):
        np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)

    if orders < 2:
        return
    weights = [np.cos(np.arange(a.size)).reshape(a.shape) for a in map(np.asarray, arguments)]

    def directional(*boxes):
        total = None
        for k, dx in zip(wrt, gradient_function(fn, wrt)(*boxes)):
            part = op.sum_to_like(op.mul(dx, op.add(boxes[k] * 0.0, _constant(weights[k]))), _constant(np.float64(0.0)))
            total = part if total is None else total + part
        return total

    check(directional, *arguments, orders=orders - 1, tolerance=max(tolerance, 1e-5))


def _constant(array):
    from runtime.tensor.trace import STATE

    return Tensor(STATE.trace.constant(array))
