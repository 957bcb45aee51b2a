"""Every operation on its samples: against an independent reference, against its type rule, and in a generated plan."""

import itertools
import warnings

import numpy as np
import pytest

from runtime.backends.numpy_executor.executor import compile_graph
from runtime.ops.registry import OPS, load_all
from runtime.tensor.dispatch import attach_methods, op
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import Trace
from runtime.typesys.shapes import Dim
from runtime.typesys.spec import TensorType, type_of_payload
from tests.conformance.references import REFERENCES

attach_methods()
load_all()

MINE = (
    "activations",
    "arithmetic",
    "bitwise",
    "cast",
    "compare",
    "cumulative",
    "elementwise",
    "reduce",
    "rounding",
    "special",
)
# No meaning of their own to compare with: counts of a reduction, and pairs that ldexp undoes.
WITHOUT_REFERENCE = {"count_along", "frexp"}
SAMPLED = [(name, list(o.samples())) for name, o in sorted(OPS.items())]
CASES = [pytest.param(name, i, id=f"{name}-{i}") for name, samples in SAMPLED for i in range(len(samples))]
BY_NAME = dict(SAMPLED)


def results(name, i):
    inputs, attrs = BY_NAME[name][i]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        out = getattr(op, name)(
            *(
                Tensor(np.asarray(x)[()] if np.ndim(x) == 0 and not isinstance(x, np.generic) else x)
                for x in inputs
            ),
            **attrs,
        )
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
    types = [
        type_of_payload(x if isinstance(x, (np.ndarray, np.generic)) else np.asarray(x)[()]) for x in inputs
    ]
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
        if name == "pow" and (
            isinstance(out, complex) or (isinstance(out, float) and expected.dtype.is_integer)
        ):
            continue  # Python's own power of these leaves the type that can be known before
        assert type_of_payload(out) == expected, (numbers, out)
        assert isinstance(expected, TensorType)


ROWS = np.array([[1.0, 3.0, 2.0], [0.5, -1.0, 4.0]])


def test_methods_are_numpys():
    x = Tensor(ROWS)
    for name in ("sum", "mean", "prod", "max", "min", "var", "std", "argmax", "argmin", "cumsum", "cumprod"):
        np.testing.assert_allclose(getattr(x, name)().numpy(), getattr(ROWS, name)())
        np.testing.assert_allclose(getattr(x, name)(axis=1).numpy(), getattr(ROWS, name)(axis=1))
    assert x.any(axis=0).numpy().all()
    assert x.all().numpy()
    np.testing.assert_array_equal(x.clip(0, 2).numpy(), ROWS.clip(0, 2))
    assert x.astype("float32").dtype == "float32"
    assert x.sum(axis=(0, 1), keepdims=True).type.shape == (1, 1)


def test_operators():
    x, y = Tensor(np.array([7, -7], np.int32)), np.array([2, 4], np.int32)
    whole = np.array([7, -7], np.int32)
    for fn in (
        lambda a, b: a + b,
        lambda a, b: b - a,
        lambda a, b: a * 2,
        lambda a, b: 2 / a,
        lambda a, b: a // b,
        lambda a, b: a % b,
        lambda a, b: divmod(a, 3)[1],
        lambda a, b: divmod(9, a)[0],
        lambda a, b: a**2,
        lambda a, b: 2 ** abs(a),
        lambda a, b: a & 3,
        lambda a, b: 1 | a,
        lambda a, b: a ^ b,
        lambda a, b: ~a,
        lambda a, b: a << 1,
        lambda a, b: a >> 1,
        lambda a, b: +a,
        lambda a, b: -a,
        lambda a, b: a >= 7,
        lambda a, b: 7 != a,
    ):
        got, want = fn(x, y), fn(whole, y)
        np.testing.assert_array_equal(got.numpy(), want)
        assert got.dtype == want.dtype
    assert round(Tensor(np.array([0.5, 1.5, -1.2]))).tolist() == [0.0, 2.0, -1.0]
    assert round(Tensor(np.array([1.26])), 1).tolist() == [1.3]
    assert (x == None) is False  # noqa: E711
    assert (x != None) is True  # noqa: E711


def test_bare_numbers_keep_pythons_meaning():
    assert (Tensor(True) + Tensor(True)).item() == 2
    assert (Tensor(7) // Tensor(2)).type.weak
    with pytest.raises(ZeroDivisionError):
        Tensor(1) / Tensor(0)


def test_reductions_of_nothing_are_numpys():
    empty = np.zeros((0, 3))
    assert op.sum(empty, axis=0).tolist() == [0.0, 0.0, 0.0]
    assert op.prod(empty).item() == 1.0
    assert op.all(empty).item() is True
    assert op.logsumexp(empty).item() == -np.inf
    with pytest.raises(ValueError, match="zero-size"):
        op.max(empty)
    assert op.sum(ROWS, axis=()).tolist() == ROWS.tolist()


def test_dtypes_of_reductions():
    small = np.array([1, 2], np.int8)
    assert op.sum(small).dtype == "int64"
    assert op.mean(small).dtype == "float64"
    assert op.sum(np.array([True, True])).numpy() == 2
    assert op.index_of_max(ROWS, axis=1, output_type="int32").dtype == "int32"
    assert op.index_of_max(ROWS).tolist() == [0, 0, 1]
    assert op.count_nonzero(ROWS, axis=0).tolist() == [2, 2, 2]
    assert op.zero_fraction([0.0, 1.0]).dtype == "float32"


def test_error_functions_without_scipy(monkeypatch):
    import scipy.special as sp

    from runtime.ops import special
    from runtime.typesys.errors import UnimplementedError

    monkeypatch.setattr(special, "_scipy", lambda: None)
    x = np.concatenate([np.linspace(-6, 6, 1001), [np.inf, -np.inf, np.nan, 0.0]])
    np.testing.assert_allclose(op.erf(x).numpy(), sp.erf(x), rtol=1e-15, atol=1e-300)
    np.testing.assert_allclose(op.erfc(x).numpy(), sp.erfc(x), rtol=5e-14)
    assert op.erf(Tensor(np.float32(0.5))).dtype == "float32"
    with pytest.raises(UnimplementedError, match=r"autograph\[native\]"):
        op.lgamma(x)


def test_saturation_at_the_ends_of_a_range():
    big = np.array([3e9, -3e9, 1.5, np.nan], np.float32)
    assert op.cast_within_range(big, "int32").tolist() == [2**31 - 1, -(2**31), 1, 0]
    assert op.cast_within_range(np.array([-1, 300]), "uint8").tolist() == [0, 255]
    assert op.cast_within_range(np.array([1e300, -np.inf]), "float32").tolist() == [
        np.finfo("f").max,
        -np.inf,
    ]


def test_values_that_formulas_would_lose():
    extreme = np.array([-1000.0, 1000.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert op.sigmoid(extreme).tolist() == [0.0, 1.0]
        assert op.softplus(extreme).tolist() == [0.0, 1000.0]
        assert op.log_sigmoid(extreme).tolist() == [-1000.0, 0.0]
        np.testing.assert_allclose(op.logsumexp(extreme).numpy(), 1000.0)
        assert op.divide_no_nan(1.0, np.array([0.0])).tolist() == [0.0]
    assert op.crelu(np.array([-1.0, 2.0])).tolist() == [0.0, 2.0, 1.0, 0.0]
