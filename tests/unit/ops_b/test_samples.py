"""Every sample of this family of operations: type rule, printed source, and gradients against central differences."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

import runtime.tensor.methods  # noqa: F401
from runtime.grad.tape import GradientTape
from runtime.ops.registry import OPS
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.typesys.shapes import Dim
from runtime.typesys.spec import TensorType, type_of_payload

MODULES = [
    "creation",
    "diagonals",
    "einsum",
    "gather",
    "index",
    "joining",
    "linalg",
    "matmul",
    "movement",
    "nn",
    "normalization",
    "padding",
    "sampling",
    "segments",
    "sorting",
]


def cases():
    for module in MODULES:
        try:
            importlib.import_module(f"runtime.ops.{module}")
        except ModuleNotFoundError:
            continue
    for name, operation in sorted(OPS.items()):
        if type(operation).__module__.rsplit(".", 1)[1] in MODULES:
            for number, (inputs, attrs) in enumerate(operation.samples()):
                yield pytest.param(operation, inputs, attrs, id=f"{name}-{number}")


CASES = list(cases())


def outputs_of(operation, result):
    return (result,) if operation.outputs == 1 else tuple(result)


@pytest.mark.parametrize(("operation", "inputs", "attrs"), CASES)
def test_type_rule_says_what_the_kernel_gives(operation, inputs, attrs):
    results = outputs_of(operation, operation.run(*inputs, **attrs))
    for unknown in (False, True):
        kinds = [type_of_payload(i) for i in inputs]
        if unknown:
            kinds = [TensorType(k.dtype, tuple(Dim() for _ in k.shape), k.weak) for k in kinds]
        types = operation.infer(*kinds, **attrs)
        for result, kind in zip(results, outputs_of(operation, types), strict=True):
            have = type_of_payload(result)
            assert have.dtype == kind.dtype
            if kind.shape is not None:
                assert len(have.shape) == len(kind.shape)
                assert all(not isinstance(k, int) or k == h for k, h in zip(kind.shape, have.shape, strict=True)), (
                    have,
                    kind,
                )


@pytest.mark.parametrize(("operation", "inputs", "attrs"), CASES)
def test_source_computes_what_the_kernel_does(operation, inputs, attrs):
    if getattr(operation, "source", None) is None:
        pytest.skip("no source")
    text = operation.source([f"a{i}" for i in range(len(inputs))], attrs)
    if text is None:
        pytest.skip("no source")
    names = {f"a{i}": v for i, v in enumerate(inputs)}
    got = eval(text, {"np": np, "K": operation.rules.kernel, **names})
    want = operation.run(*inputs, **attrs)
    np.testing.assert_array_equal(got, want)
    assert np.asarray(got).dtype == np.asarray(want).dtype


def loss(operation, values, attrs, weights):
    results = outputs_of(operation, operation.run(*values, **attrs))
    return sum(float(np.sum(np.asarray(r) * w)) for r, w in zip(results, weights, strict=True) if w is not None)


@pytest.mark.parametrize(("operation", "inputs", "attrs"), CASES)
def test_gradient_is_the_central_difference(operation, inputs, attrs):
    if operation.rules.vjp is None:
        pytest.skip("no gradient")
    rng = np.random.default_rng(1)
    results = outputs_of(operation, operation.run(*inputs, **attrs))
    weights = [
        rng.uniform(0.5, 1.5, np.shape(r)).astype(np.asarray(r).dtype) if np.asarray(r).dtype.kind == "f" else None
        for r in results
    ]
    if all(w is None for w in weights):
        pytest.skip("integers")
    floats = [
        i for i, v in enumerate(inputs) if np.asarray(v).dtype == np.float64 and isinstance(v, (np.ndarray, np.generic))
    ]
    if not floats:
        pytest.skip("no differentiable input")
    boxes = [Tensor(np.array(v)) if i in floats else v for i, v in enumerate(inputs)]

    def run(boxes):
        out = outputs_of(operation, getattr(op, operation.name)(*boxes, **attrs))
        total = None
        for o, w in zip(out, weights, strict=True):
            if w is not None:
                part = op.sum_all(op.mul(o, w))
                total = part if total is None else op.add(total, part)
        return total

    with GradientTape(persistent=True) as outer:
        for i in floats:
            outer.watch(boxes[i])
        with GradientTape() as tape:
            for i in floats:
                tape.watch(boxes[i])
            total = run(boxes)
        grads = tape.gradient(total, [boxes[i] for i in floats])
        seconds = [
            op.sum_all(op.mul(g, np.cos(np.arange(g.numpy().size)).reshape(g.shape))) for g in grads if g is not None
        ]
        combined = op.add_n(seconds) if len(seconds) > 1 else seconds[0] if seconds else None
    eps = 1e-6
    for i, grad in zip(floats, grads, strict=True):
        numeric = np.zeros(np.shape(inputs[i]))
        for at in np.ndindex(numeric.shape):
            sides = []
            for sign in (1, -1):
                moved = [np.array(v) if j == i else v for j, v in enumerate(inputs)]
                moved[i][at] += sign * eps
                sides.append(loss(operation, moved, attrs, weights))
            numeric[at] = (sides[0] - sides[1]) / (2 * eps)
        got = np.zeros(numeric.shape) if grad is None else grad.numpy()
        np.testing.assert_allclose(got, numeric, rtol=2e-4, atol=2e-6)
    if seconds and operation.name not in (
        "cholesky",
    ):  # second order: the gradients' own gradient, by differences of gradients
        second = outer.gradient(combined, [boxes[i] for i in floats])

        def grad_sum(values):
            moved = [Tensor(np.array(v)) if j in floats else v for j, v in enumerate(values)]
            with GradientTape() as t:
                for j in floats:
                    t.watch(moved[j])
                y = run(moved)
            gs = t.gradient(y, [moved[j] for j in floats])
            return sum(
                float(np.sum(g.numpy() * np.cos(np.arange(g.numpy().size)).reshape(g.shape)))
                for g in gs
                if g is not None
            )

        i, got = floats[0], second[0]
        numeric = np.zeros(np.shape(inputs[i]))
        for at in list(np.ndindex(numeric.shape))[:4]:
            sides = []
            for sign in (1, -1):
                moved = [np.array(v) if j == i else v for j, v in enumerate(inputs)]
                moved[i][at] += sign * 1e-5
                sides.append(grad_sum(moved))
            numeric[at] = (sides[0] - sides[1]) / 2e-5
            have = 0.0 if got is None else got.numpy()[at]
            np.testing.assert_allclose(have, numeric[at], rtol=1e-3, atol=1e-5)
