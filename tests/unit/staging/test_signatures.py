"""One trace per signature; specs, structures and sizes left open."""

import numpy as np
import pytest

import autograph as ag


def test_one_trace_per_dtype_and_shape() -> None:
    @ag.function
    def double(x):
        return x * 2

    for value in (1.0, 2.0):
        assert float(double(ag.constant(value))) == 2 * value
    assert double.experimental_get_tracing_count() == 1
    double(ag.constant(1))
    double(ag.constant([1.0]))
    assert double.experimental_get_tracing_count() == 3


def test_python_values_are_part_of_the_signature() -> None:
    @ag.function
    def power(x, n):
        return x**n

    assert [float(power(ag.constant(2.0), n)) for n in (2, 3, 2)] == [4.0, 8.0, 4.0]
    assert power.experimental_get_tracing_count() == 2


def test_input_signature_is_one_trace() -> None:
    @ag.function(input_signature=[ag.TensorSpec([None, 3], ag.float32)])
    def total(x):
        s = ag.zeros([3])
        for i in range(x.shape[0]):
            s = s + x[i]
        return s

    for rows in (1, 4):
        assert np.array_equal(total(np.ones((rows, 3), np.float32)), [rows] * 3)
    assert total.experimental_get_tracing_count() == 1
    assert total.get_concrete_function() is total.get_concrete_function(ag.TensorSpec([None, 3], ag.float32))
    with pytest.raises(ag.errors.InvalidArgumentError, match="input_signature"):
        total(ag.ones([5, 2]))


def test_input_signature_of_structures() -> None:
    signature = [{"a": ag.TensorSpec([], ag.float32), "b": [ag.TensorSpec([None], ag.int32)]}]

    @ag.function(input_signature=signature)
    def parts(d):
        return d["a"], d["b"][0] + 1

    for n in (1, 3):
        a, b = parts({"a": 1.5, "b": [[7] * n]})
        assert float(a) == 1.5
        assert b.numpy().tolist() == [8] * n
    assert parts.experimental_get_tracing_count() == 1


def test_reduce_retracing_leaves_open_what_differs() -> None:
    @ag.function(reduce_retracing=True)
    def total(x):
        return ag.reduce_sum(x)

    for n in range(1, 8):
        assert float(total(ag.ones([n, 2]))) == 2 * n
    assert total.experimental_get_tracing_count() == 2


def test_a_dead_object_takes_its_traces_along() -> None:
    class Box:
        def __init__(self, value: float) -> None:
            self.value = value

    @ag.function
    def scaled(box, x):
        return x * box.value

    box = Box(3.0)
    assert float(scaled(box, ag.constant(2.0))) == 6.0
    assert len(scaled._traces) == 1
    del box
    assert len(scaled._traces) == 0


def test_one_tensor_given_twice_says_nothing_of_other_calls() -> None:
    f = ag.function(lambda x, y: x - y)
    x, other = ag.constant([1.0, 2.0]), ag.constant([3.0, 5.0])
    concrete = f.get_concrete_function(x, x)
    assert concrete(x, other).numpy().tolist() == f(x, other).numpy().tolist() == [-2.0, -3.0]
    assert f(x, x).numpy().tolist() == [0.0, 0.0]


def test_a_trace_with_open_sizes_for_one_tensor_given_twice_serves_no_two() -> None:
    f = ag.function(lambda x, y, z: x - y + ag.reduce_sum(z), reduce_retracing=True)
    x, other = ag.constant([1.0, 2.0]), ag.constant([3.0, 5.0])
    for size in (1, 2, 3):
        assert f(x, x, ag.zeros([size])).numpy().tolist() == [0.0, 0.0]
    assert f.experimental_get_tracing_count() == 2
    assert f(x, other, ag.zeros([4])).numpy().tolist() == [-2.0, -3.0]


def test_a_concrete_function_takes_its_arguments_by_name() -> None:
    @ag.function
    def f(x, y, n=2):
        return x - y * n

    x, y = ag.constant([1.0, 2.0]), ag.constant([10.0, 20.0])
    concrete = f.get_concrete_function(ag.TensorSpec([2]), ag.TensorSpec([2]), 3)
    for result in (concrete(x, y), concrete(x, y=y), concrete(y=y, x=x), concrete(n=3, y=y, x=x), concrete(x, y, 3)):
        assert result.numpy().tolist() == [-29.0, -58.0]
    assert concrete([1.0, 2.0], [10.0, 20.0]).numpy().tolist() == [-29.0, -58.0]


def test_python_arguments_of_a_concrete_function_may_be_left_out() -> None:
    class Model:
        @ag.function
        def call(self, first, xs):
            return xs[0] if first else xs[0] + xs[1]

    spec = ag.TensorSpec([])
    model, xs = Model(), [ag.constant(1.0), ag.constant(2.0)]
    concrete = model.call.get_concrete_function(False, [spec, spec])
    assert float(concrete(xs)) == float(concrete(model, False, xs)) == float(concrete(xs=xs)) == 3.0


@pytest.mark.parametrize(
    ("args", "kwargs", "said"),
    [
        (([1.0, 2.0, 3.0], [1.0, 2.0]), {}, r"'x' of dtype float32 and shape \(2,\), but was called with .* shape \(3,\)"),
        ((np.array([1, 2]), [1.0, 2.0]), {}, "'x' of dtype float32 .* but was called with a tensor of dtype int64"),
        (([1.0, 2.0], "ab"), {}, "'y' of dtype float32 .* but was called with 'ab'"),
        (([1.0, 2.0],), {}, "f takes 2 tensors, but 1 were given: 'y' is missing"),
        (([1.0, 2.0], [1.0, 2.0], 5), {}, "f was traced for n=3, but was called with 5"),
        (([1.0, 2.0], [1.0, 2.0]), {"m": 1}, r"f\(\) got an unexpected keyword argument 'm'"),
        (([1.0, 2.0], [1.0, 2.0]), {"x": 1}, r"f\(\) got multiple values for argument 'x'"),
    ],
)
def test_a_concrete_function_refuses_what_it_was_not_traced_for(args, kwargs, said) -> None:
    @ag.function
    def f(x, y, n=2):
        return x - y * n

    concrete = f.get_concrete_function(ag.TensorSpec([2]), ag.TensorSpec([2]), 3)
    with pytest.raises((ValueError, TypeError), match=said) as raised:
        concrete(*args, **kwargs)
    assert [entry.path for entry in raised.traceback if "/autograph/" in str(entry.path)] == []
