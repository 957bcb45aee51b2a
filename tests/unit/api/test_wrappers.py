"""Public functions of operations: parameters, signatures, literals."""

import inspect

import numpy as np
import pytest

import autograph as ag


def test_literals_get_tensorflows_types():
    assert ag.add(1, 2).dtype == ag.int32
    assert ag.add(1.0, 2).dtype == ag.float32
    assert ag.add(1, 2.0).dtype == ag.float32
    assert ag.exp(1.0).dtype == ag.float32
    assert ag.reduce_sum([1.5, 2.5]).dtype == ag.float32
    assert ag.clip_by_value(5, 0, 3).dtype == ag.int32


def test_mixing_is_numpys():
    x = ag.constant([1.0], dtype=ag.float64)
    assert ag.add(x, 1.0).dtype == ag.float64
    assert ag.add(1.0, np.ones(2, "float16")).dtype == ag.float16
    assert ag.multiply(ag.constant([1], dtype=ag.int8), 2).dtype == ag.int8
    assert ag.add(ag.constant(1, dtype=ag.int64), ag.constant(1.0)).dtype == ag.float64


def test_parameters_are_keywords():
    assert ag.add(x=1, y=2).numpy() == 3
    assert ag.nn.relu(features=[-1.0, 2.0]).numpy().tolist() == [0.0, 2.0]
    assert ag.atan2(y=1.0, x=1.0).numpy() == pytest.approx(np.pi / 4)
    assert ag.matmul(a=[[1.0]], b=[[2.0]], transpose_b=True).numpy().tolist() == [[2.0]]
    assert ag.reduce_sum(input_tensor=[[1, 2], [3, 4]], axis=0, keepdims=True).numpy().tolist() == [[4, 6]]
    assert ag.linalg.slogdet(input=[[1.0, 0.0], [0.0, 2.0]])[0].numpy() == 1.0
    assert ag.exp(1.0, name="e").numpy() == pytest.approx(np.e)


def test_wrong_arguments_are_type_errors_that_name_the_function():
    with pytest.raises(TypeError, match=r"add\(\) missing 1 required positional argument: 'y'"):
        ag.add(1)
    with pytest.raises(TypeError, match=r"exp\(\) got an unexpected keyword argument 'axis'"):
        ag.exp(1.0, axis=0)


def test_signatures():
    assert str(inspect.signature(ag.add)) == "(x, y, name=None)"
    assert str(inspect.signature(ag.nn.relu)) == "(features, name=None)"
    assert list(inspect.signature(ag.matmul).parameters)[:3] == ["a", "b", "transpose_a"]
    assert inspect.signature(ag.reduce_sum).parameters["keepdims"].default is False
    assert ag.exp.__name__ == "exp"
    assert ag.exp.__module__ == "autograph"
    assert ag.nn.relu.__module__ == "autograph.nn"
    assert "elementwise" in ag.exp.__doc__


def test_staged_calls_are_the_same():
    @ag.function
    def f(x):
        return ag.add(x=x, y=1), ag.nn.relu(features=-x), ag.add(1, 2)

    a, b, c = f(ag.constant(2.0))
    assert (a.numpy(), b.numpy(), c.numpy()) == (3.0, 0.0, 3)
    assert c.dtype == ag.int32


def test_numbers_beside_literal_lists_stay_weak():
    assert ag.add([1.0], 1).dtype == ag.float32
    assert ag.add(2, [1.0]).dtype == ag.float32
    assert ag.add([1], 1).dtype == ag.int32
    assert ag.add(np.float64(1.0), 2).dtype == ag.float64
    assert ag.add(True, 2.0).dtype == ag.float32
    assert ag.add(1, 2j).dtype == ag.complex128


def test_a_public_function_may_itself_be_staged():
    assert ag.function(ag.matmul)(ag.constant([[2.0]]), ag.constant([[3.0]])).numpy().tolist() == [[6.0]]
    assert ag.function(ag.exp)(ag.constant(0.0)).numpy() == 1.0
