"""Every gradient against central differences, to first and second order, through the tape."""

import numpy as np
import pytest

from runtime.backends.numpy_executor.executor import compile_graph
from runtime.grad.check import check_gradients, gradients, numeric_gradients
from runtime.ops.kinds import Elementwise, Reduction, no_gradient
from runtime.ops.registry import OPS, load_all
from runtime.tensor.dispatch import attach_methods, op
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import Trace, tracing
from runtime.typesys.shapes import Dim
from runtime.typesys.spec import TensorType, type_of_payload

attach_methods()
load_all()

# Casts and complex parts have tests of their own below; stop_gradient differs from its differences on purpose.
SKIPPED = {"cast", "saturate_cast", "complex", "real", "imag", "angle", "stop_gradient"}


def cases():
    for name, operation in sorted(OPS.items()):
        if operation.rules.vjp in (None, no_gradient) or name in SKIPPED:
            continue
        for i, (inputs, attrs) in enumerate(operation.samples()):
            arrays = [np.asarray(x) for x in inputs]
            if all(a.dtype != np.float32 for a in arrays) and any(a.dtype == np.float64 for a in arrays):
                if is_floating(operation, arrays, attrs):
                    yield pytest.param(name, inputs, attrs, id=f"{name}-{i}")


def is_floating(operation, arrays, attrs):
    out = operation.infer(*map(type_of_payload, arrays), **attrs)
    return all(a.dtype.kind != "c" for a in arrays) and any(
        t.dtype.is_floating for t in (out if isinstance(out, tuple) else (out,))
    )


@pytest.mark.parametrize(("name", "inputs", "attrs"), list(cases()))
def test_gradient_equals_central_differences(name, inputs, attrs):
    floating = [i for i, x in enumerate(inputs) if np.asarray(x).dtype == np.float64]

    def fn(*args):
        every = [Tensor(x) for x in inputs]
        for i, a in zip(floating, args, strict=True):
            every[i] = a
        return getattr(op, name)(*every, **attrs)

    check_gradients(fn, *(away_from_kinks(name, inputs[i]) for i in floating))


@pytest.mark.parametrize("rank_known", [True, False])
@pytest.mark.parametrize(("name", "inputs", "attrs"), list(cases()))
def test_gradient_rule_in_a_graph_with_unknown_sizes(name, inputs, attrs, rank_known):
    """What the rule gives eagerly, as a plan traced for inputs of unknown sizes (and, for reductions, unknown rank)."""
    operation = OPS[name]
    if operation.outputs != 1 or (not rank_known and not isinstance(operation, (Reduction, Elementwise))):
        return
    arrays = [np.asarray(x) for x in inputs]
    boxes = [Tensor(a) for a in arrays]
    y = getattr(op, name)(*boxes, **attrs)
    dy = Tensor(np.random.default_rng(0).uniform(0.5, 1.5, y.type.shape))
    eager = operation.rules.vjp(op, dy, y, *boxes, **attrs)

    trace = Trace(name)
    arrays.append(np.asarray(dy.numpy()))
    types = [TensorType(a.dtype, tuple(Dim() for _ in a.shape) if rank_known else None) for a in arrays]
    with tracing(trace):
        *staged, staged_dy = (Tensor(trace.graph.add_input(t)) for t in types)
        out = operation.rules.vjp(op, staged_dy, getattr(op, name)(*staged, **attrs), *staged, **attrs)
        kept = [(e, s) for e, s in zip(eager, out, strict=True) if e is not None]
        trace.graph.outputs = [trace.operand(s) for _, s in kept]
    results = compile_graph(trace.graph)(*arrays)
    for (want, _), got in zip(kept, results, strict=True):
        np.testing.assert_allclose(got, want.numpy(), rtol=1e-12)
        assert np.shape(got) == want.type.shape


def away_from_kinks(name, x):
    """Points where the function is smooth: no element within a difference's reach of a jump or a tie."""
    if name in (
        "abs",
        "fabs",
        "relu",
        "relu6",
        "elu",
        "mod",
        "fmod",
        "maximum",
        "minimum",
        "fmax",
        "fmin",
        "copysign",
        "modf",
    ):
        return np.where(np.abs(x) < 0.01, 0.01, x)
    if name in ("reduce_max", "reduce_min"):
        return x + np.linspace(0, 0.01, x.size).reshape(x.shape)
    return x


A = np.array([[0.5, -1.25, 2.0], [1.5, 0.25, -0.75]])
POSITIVE = np.abs(A) + 0.1
FUNCTIONS = {
    "squared_difference": (lambda x, y: op.squared_difference(x, y), A, A[0] * 0.7),
    "divide_no_nan": (lambda x, y: op.divide_no_nan(x, y), A, POSITIVE),
    "xlogy": (lambda x, y: op.xlogy(x, y), A, POSITIVE),
    "xlog1py": (lambda x, y: op.xlog1py(x, y), A, POSITIVE),
    "xdivy": (lambda x, y: op.xdivy(x, y), A, POSITIVE),
    "clip": (lambda x: op.clip_by_value(x, -1.0, 1.0), A),
    "polyval": (lambda x: op.polyval([1.0, -2.0, 0.5], x), A),
    "gelu": (lambda x: op.gelu(x), A),
    "gelu by tanh": (lambda x: op.gelu(x, approximate=True), A),
    "silu": (lambda x: op.silu(x, 1.5), A),
    "selu": (lambda x: op.selu(x), A),
    "leaky_relu": (lambda x: op.leaky_relu(x), A),
    "softsign": (lambda x: op.softsign(x), A),
    "variance": (lambda x: op.variance(x, axis=1, ddof=1), A),
    "standard deviation": (lambda x: op.standard_deviation(x, axis=0), A),
    "erfcinv": (lambda x: op.erfcinv(x), POSITIVE / 2),
    "lbeta": (lambda x: op.lbeta(x), POSITIVE),
    "x ** 3": (lambda x: x**3, A),
    "x ** 2": (lambda x: x**2, A),
    "x ** 0.5": (lambda x: x**0.5, POSITIVE),
    "2 ** x": (lambda x: 2.0**x, A),
    "x ** -2": (lambda x: x**-2, A),
    "x ** x": (lambda x: x**x, POSITIVE),
    "divmod": (lambda x: list(divmod(x, 0.7)), A),
    "product with a zero": (lambda x: op.prod(x, axis=1), np.array([[0.0, 2.0, 3.0], [0.0, 0.0, 4.0]])),
    "product of all with a zero": (lambda x: op.prod(x), np.array([[0.0, 2.0, 3.0], [1.0, 5.0, 4.0]])),
    "cumulative product with zeros": (
        lambda x: op.cumprod(x, axis=1),
        np.array([[2.0, 0.0, 3.0], [0.0, 0.0, 4.0]]),
    ),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name):
    fn, *args = FUNCTIONS[name]
    check_gradients(fn, *args, atol=1e-5)


def grad(fn, x):
    return gradients(lambda t: op.sum(fn(t)), [Tensor(np.asarray(x))])[0].tolist()


@pytest.mark.filterwarnings("error")
def test_power_at_zero_and_below_has_finite_gradients_and_no_warnings():
    x, y = Tensor(np.array([0.0, -2.0, 0.0, -1.0])), Tensor(np.array([2.0, 3.0, 0.0, 1.0]))
    dx, dy = gradients(lambda a, b: op.sum(a**b), [x, y])
    assert dx.tolist() == [0.0, 12.0, 0.0, 1.0]
    assert dy.tolist() == [0.0, 0.0, 0.0, 0.0]


def test_ties_are_shared_as_tensorflow_shares_them():
    assert grad(op.max, [1.0, 3.0, 3.0]) == [0.0, 0.5, 0.5]
    assert grad(op.min, [1.0, 1.0, 3.0]) == [0.5, 0.5, 0.0]
    assert grad(lambda x: op.maximum(x, 3.0), [3.0, 1.0]) == [1.0, 0.0]
    assert grad(op.abs, [0.0, -1.0]) == [0.0, -1.0]
    assert grad(op.relu, [0.0, 1.0]) == [0.0, 1.0]
    assert grad(lambda x: op.clip_by_value(x, -1.0, 1.0), [-1.0, 1.0, 2.0]) == [1.0, 1.0, 0.0]


def test_gradients_that_must_not_be_nan():
    assert grad(lambda x: op.divide_no_nan(1.0, x), [0.0, 2.0]) == [0.0, -0.25]
    assert grad(lambda x: op.xlogy(x, 0.0), [0.0]) == [0.0]
    assert grad(op.euclidean_norm, [0.0, 0.0]) == [0.0, 0.0]
    assert grad(op.logsumexp, [-np.inf, 0.0]) == [0.0, 1.0]
    assert grad(lambda x: op.multiply_no_nan(np.array([np.inf]), x), [0.0]) == [np.inf]


def test_complex_gradients_conjugate_as_tensorflow_does():
    z = Tensor(np.array([1.0 + 2.0j]))
    (dz,) = gradients(lambda t: op.sum(op.real(op.square(t))), [z])
    assert dz.tolist() == [2.0 - 4.0j]
    (dz,) = gradients(lambda t: op.sum(op.abs(t)), [z])
    np.testing.assert_allclose(dz.numpy(), z.numpy() / np.abs(z.numpy()))


def test_cast_passes_gradients_between_floats_only():
    assert (
        gradients(lambda x: op.sum(op.cast_to(x, "float32")), [Tensor(np.array([1.0]))])[0].dtype == "float64"
    )
    assert grad(lambda x: op.cast_to(op.cast_to(x, "int32"), "float64"), [1.5]) == [0.0]
    assert grad(op.stop_gradient, [1.5]) == [0.0]


def test_the_check_finds_a_wrong_gradient():
    def wrong(x):
        return op.add(op.square(x), op.stop_gradient(x))

    with pytest.raises(AssertionError, match="first derivative, argument 0"):
        check_gradients(wrong, [1.0, 2.0])


def test_numeric_gradients():
    (slope,) = numeric_gradients(lambda x: float(np.sin(x).sum()), [np.array([0.3, 0.6])])
    np.testing.assert_allclose(slope, np.cos([0.3, 0.6]), rtol=1e-8)
