"""`TensorArray`: TensorFlow's interface, eager and staged, with gradients."""

import numpy as np
import pytest

import autograph as ag


@pytest.fixture(params=[False, True], ids=["eager", "staged"])
def run(request):
    def call(f, *args):
        return (ag.function(f) if request.param else f)(*args)

    return call


def squares(n):
    ta = ag.TensorArray(ag.int32, size=0, dynamic_size=True)
    for i in ag.range(n):
        ta = ta.write(i, i * i)
    return ta.stack()


def test_written_in_a_loop(run):
    assert run(squares, ag.constant(4)).numpy().tolist() == [0, 1, 4, 9]


def test_written_without_assigning(run):
    def f(x):
        ta = ag.TensorArray(ag.float32, size=3)
        for i in ag.range(3):
            ta.write(i, x * ag.cast(i, ag.float32))
        return ta.stack(), ta.size()

    out, size = run(f, ag.constant(2.0))
    assert out.numpy().tolist() == [0, 2, 4]
    assert size.numpy() == 3


def test_fibonacci_reads_what_it_wrote(run):
    def f(n):
        ta = ag.TensorArray(ag.int32, size=0, dynamic_size=True, clear_after_read=False)
        ta = ta.write(0, 0)
        ta = ta.write(1, 1)
        for i in ag.range(2, n):
            ta = ta.write(i, ta.read(i - 1) + ta.read(i - 2))
        return ta.stack()

    assert run(f, ag.constant(8)).numpy().tolist() == [0, 1, 1, 2, 3, 5, 8, 13]


def test_in_while_loop(run):
    def f(n):
        ta = ag.TensorArray(ag.float32, size=n)

        def body(i, ta):
            return i + 1, ta.write(i, ag.cast(i, ag.float32) * 2.0)

        _, ta = ag.while_loop(lambda i, _: i < n, body, (ag.constant(0), ta))
        return ta.stack()

    assert run(f, ag.constant(3)).numpy().tolist() == [0, 2, 4]


def test_unwritten_elements_are_zeros(run):
    def f(x):
        ta = ag.TensorArray(ag.float32, size=4, element_shape=(2,))
        ta = ta.write(1, x)
        return ta.stack(), ta.read(3)

    out, last = run(f, ag.constant([1.0, 2.0]))
    assert out.numpy().tolist() == [[0, 0], [1, 2], [0, 0], [0, 0]]
    assert last.numpy().tolist() == [0, 0]


def test_backwards(run):
    def f(x):
        ta = ag.TensorArray(ag.float32, size=3)
        for i in ag.range(3):
            ta = ta.write(2 - i, x[i])
        return ta.stack()

    assert run(f, ag.constant([1.0, 2.0, 3.0])).numpy().tolist() == [3, 2, 1]


def test_unstack_gather_scatter_split_concat(run):
    def f(x):
        a = ag.TensorArray(ag.float32, size=3).unstack(x)
        b = ag.TensorArray(ag.float32, size=4, element_shape=(2,)).scatter([2, 0], x[:2])
        c = ag.TensorArray(ag.float32, size=2).split(x, [1, 2])
        return a.gather([2, 0]), b.stack(), c.concat(), c.read(1), a.size()

    x = np.arange(6, dtype="float32").reshape(3, 2)
    gathered, scattered, joined, piece, size = run(f, ag.constant(x))
    assert gathered.numpy().tolist() == x[[2, 0]].tolist()
    assert scattered.numpy().tolist() == [[2, 3], [0, 0], [0, 1], [0, 0]]
    assert joined.numpy().tolist() == x.tolist()
    assert piece.numpy().tolist() == x[1:].tolist()
    assert size.numpy() == 3


def test_gradient(run):
    def f(x):
        with ag.GradientTape() as tape:
            tape.watch(x)
            ta = ag.TensorArray(ag.float32, size=0, dynamic_size=True)
            for i in ag.range(3):
                ta = ta.write(i, x * x * ag.cast(i, ag.float32))
            y = ag.reduce_sum(ta.stack())
        return tape.gradient(y, x)

    assert run(f, ag.constant(2.0)).numpy() == pytest.approx(12)


def test_unknown_size():
    @ag.function(input_signature=[ag.TensorSpec([None], "float32")])
    def f(x):
        ta = ag.TensorArray(ag.float32, size=ag.shape(x)[0]).unstack(x)
        out = ag.TensorArray(ag.float32, size=0, dynamic_size=True)
        for i in ag.range(ag.shape(x)[0]):
            out = out.write(i, ta.read(i) + 1.0)
        return out.stack()

    assert f(ag.constant([1.0, 2.0])).numpy().tolist() == [2, 3]


def test_what_the_run_reads_and_nobody_wrote_is_zero():
    @ag.function
    def f(n):
        ta = ag.TensorArray(ag.float32, size=4).write(0, 1.5)
        return ta.read(n), ta.read(n - 2)

    assert [x.numpy() for x in f(ag.constant(2))] == [0, 1.5]


def test_errors():
    ta = ag.TensorArray(ag.float32, size=2)
    with pytest.raises(
        ag.errors.OutOfRangeError, match="cannot write to index 2 of a TensorArray of 2 elements"
    ):
        ta.write(2, 1.0)
    with pytest.raises(ag.errors.OutOfRangeError, match="cannot read index -1"):
        ta.read(-1)
    with pytest.raises(ag.errors.InvalidArgumentError, match="int32 tensor into a TensorArray of float32"):
        ta.write(0, ag.constant(1))
    with pytest.raises(ag.errors.InvalidArgumentError, match="never written"):
        ta.stack()
