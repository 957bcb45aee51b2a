"""`cond`, `while_loop`, `map_fn` and their kin: as TensorFlow's, eager and staged, with gradients."""

import numpy as np
import pytest

import autograph as ag


@pytest.fixture(params=[False, True], ids=["eager", "staged"])
def run(request):
    def call(f, *args):
        return (ag.function(f) if request.param else f)(*args)

    return call


def test_cond(run):
    def f(x):
        return ag.cond(x > 0, lambda: x * 2, lambda: -x)

    assert run(f, ag.constant(3.0)).numpy() == 6
    assert run(f, ag.constant(-3.0)).numpy() == 3
    with pytest.raises(TypeError, match="true_fn must be callable"):
        ag.cond(True, 1, 2)


def test_case_and_switch_case(run):
    def f(x):
        return ag.case([(x < 0, lambda: x - 1), (x < 10, lambda: x * 2)], default=lambda: x)

    assert [run(f, ag.constant(v)).numpy() for v in (-1, 4, 20)] == [-2, 8, 20]

    def g(i):
        return ag.switch_case(i, [lambda: i + 10, lambda: i + 20, lambda: i + 30])

    assert [run(g, ag.constant(v)).numpy() for v in (0, 1, 2, 7, -1)] == [10, 21, 32, 37, 29]

    def exclusive(x):
        return ag.case([(x < 5, lambda: x), (x < 10, lambda: x)], exclusive=True)

    with pytest.raises(ag.errors.InvalidArgumentError, match="more than one"):
        run(exclusive, ag.constant(1))
    with pytest.raises(ag.errors.InvalidArgumentError, match="none of 2"):
        run(lambda x: ag.case([(x < 5, lambda: x), (x < 6, lambda: x)]), ag.constant(9))


def test_while_loop(run):
    def f(n):
        i = ag.constant(0)
        return ag.while_loop(lambda i, t: i < n, lambda i, t: [i + 1, t + i], [i, ag.constant(0)])

    result = run(f, ag.constant(5))
    assert isinstance(result, list)
    assert [r.numpy() for r in result] == [5, 10]
    capped = run(
        lambda n: ag.while_loop(lambda i: i < n, lambda i: i + 1, [0], maximum_iterations=3), ag.constant(9)
    )
    assert capped[0].numpy() == 3


def test_while_loop_may_grow_a_shape(run):
    def f(n):
        _, x = ag.while_loop(
            lambda i, x: i < n, lambda i, x: (i + 1, ag.concat([x, x], 0)), (0, ag.constant([1.0]))
        )
        return x

    assert run(f, ag.constant(3)).shape == (8,)


def test_while_loop_carries_structures(run):
    def f(n):
        def body(i, state):
            return i + 1, {"a": state["b"], "b": state["a"] + state["b"]}

        return ag.while_loop(lambda i, s: i < n, body, (0, {"a": 0, "b": 1}))[1]["a"]

    assert run(f, ag.constant(10)).numpy() == 55


def test_gradient_through_while_loop(run):
    def f(x):
        with ag.GradientTape() as tape:
            tape.watch(x)
            _, y = ag.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * x), (ag.constant(0), x))
        return tape.gradient(y, x)

    assert run(f, ag.constant(2.0)).numpy() == pytest.approx(32)


def test_converted_bodies(run):
    """What is passed to the functions is converted, so that it may branch on tensors itself."""

    def body(i, t):
        if i % 2 == 0:
            t = t + i
        return i + 1, t

    def f(n):
        return ag.while_loop(lambda i, t: i < n, body, (ag.constant(0), ag.constant(0)))[1]

    assert run(f, ag.constant(7)).numpy() == 12


def test_map_fn(run):
    x = ag.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    assert run(lambda x: ag.map_fn(lambda r: ag.reduce_sum(r), x), x).numpy().tolist() == [3, 7, 11]
    a, b = run(lambda x: ag.map_fn(lambda r: (r * 2, r[0]), x), x)
    assert a.numpy().tolist() == (x.numpy() * 2).tolist()
    assert b.numpy().tolist() == [1, 3, 5]
    out = run(lambda x: ag.map_fn(lambda d: {"s": d["a"] + d["b"]}, {"a": x, "b": x}), x)
    assert out["s"].numpy().tolist() == (x.numpy() * 2).tolist()
    typed = run(lambda x: ag.map_fn(lambda r: r[0], x, fn_output_signature=ag.float64), x)
    assert typed.dtype == ag.float64
    assert (
        run(lambda x: ag.vectorized_map(lambda r: r + 1, x), x).numpy().tolist() == (x.numpy() + 1).tolist()
    )


def test_map_fn_of_nothing():
    assert ag.map_fn(lambda x: x, ag.zeros((0, 2))).shape == (0, 2)
    assert (
        ag.map_fn(lambda x: x[0], ag.zeros((0, 2)), fn_output_signature=ag.TensorSpec((), "int32")).dtype
        == ag.int32
    )


def test_map_fn_of_unknown_size():
    @ag.function(input_signature=[ag.TensorSpec([None], "float32")])
    def f(x):
        return ag.map_fn(lambda v: v * v, x)

    assert f(ag.constant([1.0, 2.0])).numpy().tolist() == [1, 4]
    assert f(ag.constant([3.0])).numpy().tolist() == [9]


def test_folds_and_scan(run):
    x = ag.constant([1, 2, 3, 4])
    assert run(lambda x: ag.foldl(lambda a, v: 10 * a + v, x), x).numpy() == 1234
    assert run(lambda x: ag.foldr(lambda a, v: 10 * a + v, x), x).numpy() == 4321
    assert run(lambda x: ag.foldl(lambda a, v: a - v, x, initializer=0), x).numpy() == -10
    assert run(lambda x: ag.scan(lambda a, v: a + v, x), x).numpy().tolist() == [1, 3, 6, 10]
    assert run(lambda x: ag.scan(lambda a, v: a + v, x, initializer=10), x).numpy().tolist() == [
        11,
        13,
        16,
        20,
    ]
    assert run(lambda x: ag.scan(lambda a, v: a + v, x, reverse=True), x).numpy().tolist() == [10, 9, 7, 4]
    fib = run(lambda x: ag.scan(lambda a, _: (a[1], a[0] + a[1]), x, initializer=(0, 1)), x)
    assert [t.numpy().tolist() for t in fib] == [[1, 1, 2, 3], [1, 2, 3, 5]]


def test_gradient_through_map_and_scan(run):
    def f(x):
        with ag.GradientTape() as tape:
            tape.watch(x)
            y = ag.reduce_sum(ag.map_fn(lambda v: v * v, x)) + ag.reduce_sum(ag.scan(lambda a, v: a * v, x))
        return tape.gradient(y, x)

    # d/dx of sum x^2 + (x0 + x0 x1 + x0 x1 x2)
    expected = np.array([2 + 1 + 2 + 6, 4 + 1 + 3, 6 + 2])
    assert run(f, ag.constant([1.0, 2.0, 3.0])).numpy() == pytest.approx(expected)
