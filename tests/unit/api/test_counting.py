"""Counting, monotony and initial values."""

import numpy as np
import pytest

import autograph as ag


@pytest.mark.parametrize("staged", [False, True], ids=["eager", "staged"])
def test_counting(staged):
    run = ag.function if staged else lambda f: f
    x = np.array([3, 1, 1, 0, 3, 3])
    assert run(ag.math.bincount)(ag.constant(x)).numpy().tolist() == np.bincount(x).tolist()
    assert run(lambda v: ag.math.bincount(v, minlength=6))(ag.constant(x)).numpy().tolist() == [
        1,
        2,
        0,
        3,
        0,
        0,
    ]
    assert run(lambda v: ag.math.bincount(v, maxlength=2))(ag.constant(x)).numpy().tolist() == [1, 2]
    matrix = run(lambda a, b: ag.math.confusion_matrix(a, b, num_classes=3))(
        ag.constant([0, 2, 2]), ag.constant([0, 2, 1])
    )
    assert matrix.numpy().tolist() == [[1, 0, 0], [0, 0, 0], [0, 1, 1]]
    free = run(lambda a, b: ag.math.confusion_matrix(a, b))(ag.constant([0, 1]), ag.constant([1, 1]))
    assert free.numpy().tolist() == [[0, 1], [0, 1]]
    histogram = run(lambda v: ag.histogram_fixed_width(v, [0.0, 5.0], nbins=5))(
        ag.constant([-1.0, 0.0, 1.5, 2.0, 5.0, 15.0])
    )
    assert histogram.numpy().tolist() == [2, 1, 1, 0, 2]
    assert run(ag.math.is_non_decreasing)(ag.constant([1, 1, 2])).numpy()
    assert not run(ag.math.is_strictly_increasing)(ag.constant([1, 1, 2])).numpy()
    assert ag.math.is_strictly_increasing(ag.zeros(0)).numpy()
    assert ag.math.bincount(ag.constant([], dtype=ag.int32)).shape == (0,)


def test_initial_values():
    assert ag.constant_initializer([1, 2, 3, 4])((2, 2)).numpy().tolist() == [[1, 2], [3, 4]]
    assert ag.zeros_initializer()((2,), dtype=ag.int32).dtype == ag.int32
    assert abs(ag.random_normal_initializer(5.0, 0.1, seed=1)((100,)).numpy().mean() - 5) < 0.1
    uniform = ag.random_uniform_initializer(2.0, 3.0)((100,)).numpy()
    assert uniform.min() >= 2
    assert uniform.max() < 3
