"""Every operation on its samples: against an independent reference, against its type rule, and in a generated plan."""

import itertools
import warnings

import numpy as np
import pytest
from tests.conformance.references import REFERENCES

from runtime.backends.numpy_executor.executor import compile_graph
from runtime.ops.registry import OPS, load_all
from runtime.tensor.dispatch import attach_methods, op
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import Trace
from runtime.typesys.shapes import Dim
from runtime.typesys.spec import TensorType, type_of_payload

attach_methods()
load_all()

MINE = ("activations", "arithmetic", "bitwise", "cast", "compare", "cumulative", "elementwise", "reduce", "rounding", "special")
# No meaning of their own to compare with: counts of a reduction, and pairs that ldexp undoes.
WITHOUT_REFERENCE = {"count_along", "frexp"}
SAMPLED = [(name, list(o.samples())) for name, o in sorted(OPS.items())]
CASES = [pytest.param(name, i, id=f"{name}-{i}") for name, samples in SAMPLED for i in range(len(samples))]
BY_NAME = dict(SAMPLED)


def results(name, i):
    inputs, attrs = BY_NAME[name][i]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        out = getattr(op, name)(*(Tensor(np.asarray(x)[()] if np.ndim(x) == 0 and not isinstance(x, np.generic) else x) for x in inputs), **attrs)
    return inputs, attrs, out if isinstance(out, tuple) else (out,)


def family(operation):
    return type(operation).__module__.rsplit(".", 1)[1]


def test_every_operation_of_these_families_has_a_reference_and_samples():
    mine = {n for n, o in OPS.items() if family(o) in MINE}
    assert mine - set(REFERENCES) - WITHOUT_REFERENCE == set()
    assert {n for n in mine if not BY_NAME[n]} - WITHOUT_REFERENCE == {"modf"}


@pytest.mark.parametrize(("name", "i"), [c for c in CASES if c.values[0] in REFERENCES])
def test_eager_result_equals_the_reference(name, i):
    inputs, attrs, outs = results(name, i)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = REFERENCES[name](*inputs, **attrs)
    for out, want in zip(outs, expected if isinstance(expected, tuple) else (expected,), strict=True):
        got = out.numpy()
        want = np.asarray(want).reshape(np.shape(got))
        single = any(getattr(x, "dtype", None) == np.float32 for x in inputs)
        tolerance = {"rtol": 3e-5, "atol": 1e-5} if single else {"rtol": 1e-7, "atol": 1e-9}
        if name in ("digamma", "polygamma", "nextafter"):
            tolerance = {"rtol": 2e-3 if single else 1e-5, "atol": 1e-5}
        if got.dtype.kind in "iub" and np.asarray(want).dtype.kind in "iub":
            np.testing.assert_array_equal(got, want)
        else:
            np.testing.assert_allclose(got, want, **tolerance)


@pytest.mark.parametrize(("name", "i"), CASES)
def test_type_rule_agrees_with_the_result(name, i):
    operation = OPS[name]
    inputs, attrs, outs = results(name, i)
    types = [type_of_payload(x if isinstance(x, (np.ndarray, np.generic)) else np.asarray(x)[()]) for x in inputs]
    real = [type_of_payload(o._value) for o in outs]
    if family(operation) in MINE:
        assert inferred(operation, types, attrs) == real
    for known in [types, *forgetting_sizes(types)]:
        for got, want in zip(inferred(operation, known, attrs), real, strict=True):
            assert got.dtype == want.dtype
            if got.shape is not None:
                assert len(got.shape) == len(want.shape)
                assert all(a == b for a, b in zip(got.shape, want.shape, strict=True) if isinstance(a, int))


def inferred(operation, types, attrs):
    out = operation.infer(*types, **attrs)
    return list(out) if isinstance(out, tuple) else [out]


def forgetting_sizes(types):
    """The types with one size unknown, and with all unknown."""
    for k, t in enumerate(types):
        for axis in range(len(t.shape)):
            shape = (*t.shape[:axis], Dim(), *t.shape[axis + 1 :])
            yield [t.with_shape(shape) if j == k else u for j, u in enumerate(types)]
    yield [t.with_shape(tuple(Dim() for _ in t.shape)) for t in types]


@pytest.mark.parametrize(("name", "i"), [c for c in CASES if family(OPS[c.values[0]]) in MINE])
def test_type_rule_without_a_rank(name, i):
    operation = OPS[name]
    inputs, attrs, outs = results(name, i)
    types = [type_of_payload(np.asarray(x)[()]).with_shape(None) for x in inputs]
    if name == "bitcast":
        return  # whether a wider type fits depends on the last size
    for got, want in zip(inferred(operation, types, attrs), outs, strict=True):
        assert got.dtype == want.dtype
        assert got.shape is None or got.shape == want.type.shape


@pytest.mark.parametrize(("name", "i"), CASES)
def test_the_generated_plan_equals_eager(name, i):
    inputs, attrs, outs = results(name, i)
    trace = Trace(name)
    values = [trace.graph.add_input(type_of_payload(np.asarray(x)[()])) for x in inputs]
    node = trace.builder.emit(OPS[name], values, attrs)
    trace.graph.outputs = list(node.outputs)
    run = compile_graph(trace.graph)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        staged = run(*(np.array(x)[()] for x in inputs))
    for got, want in zip(staged, outs, strict=True):
        assert type_of_payload(got) == type_of_payload(want._value), run.source
        np.testing.assert_array_equal(got, want.numpy())


NUMBERS = [True, False, 3, -2, 0.5, -1.75]
PYTHON = [n for n, o in OPS.items() if o.python is not None and "decimals" not in o.python]


@pytest.mark.parametrize("name", PYTHON)
def test_bare_numbers_have_the_type_the_rule_says(name):
    operation = OPS[name]
    count = 2 if "{1}" in operation.python else 1
    for numbers in itertools.product(NUMBERS, repeat=count):
        types = [type_of_payload(n) for n in numbers]
        try:
            expected = operation.infer(*types)
            out = operation.run_weak(*numbers)
        except (TypeError, ValueError, ZeroDivisionError):
            continue
        if name == "pow" and (isinstance(out, complex) or (isinstance(out, float) and expected.dtype.is_integer)):
            continue  # Python's own power of these leaves the type that can be known before
        assert type_of_payload(out) == expected, (numbers, out)
        assert isinstance(expected, TensorType)
