"""What only the run can refuse is refused alike: eagerly, while tracing, by the NumPy plan and in native code."""

import pytest

import autograph as ag
from autograph.errors import InvalidArgumentError, OutOfRangeError, ShapeError

MATRIX = ag.TensorSpec([None, None])
VECTOR = ag.TensorSpec([None])
CUBE = ag.TensorSpec([None, None, None])
IMAGES = ag.TensorSpec([None, None, None, None])
INT = ag.TensorSpec([], ag.int32)
INTS = ag.TensorSpec([None], ag.int32)
TWO = ag.ones([2, 3]), ag.ones([4, 5])
KEPT = ag.Variable(ag.ones([3]))


def number(n):
    return ag.constant(n)


def written(x, i):
    x = x + 0
    x[i] = 5.0
    return x


def sliced(x, y):
    x = x + 0
    x[:] = y
    return x


def assigned(x):
    KEPT.assign(x)
    return KEPT + 0


def times(n, s):
    total = 0
    for _ in range(0, n, s):
        total += 1
    return total


# fmt: off
CASES = {
    "matmul": (lambda x, y: x @ y, TWO, [MATRIX] * 2, ShapeError, "inner sizes 3 and 4 differ"),
    "batches": (lambda x, y: x @ y, (ag.ones([2, 3, 4]), ag.ones([3, 4, 5])), [CUBE] * 2, ShapeError, "do not broadcast"),
    "add": (lambda x, y: x + y, (ag.ones([2, 3]), ag.ones([4])), [MATRIX, VECTOR], ShapeError, "sizes 3 and 4"),
    "nested": (lambda x, y: ag.exp(x @ y) * 2, TWO, [MATRIX] * 2, ShapeError, "matmul of shapes"),
    "reshape": (lambda x, n: ag.reshape(x, [n, 2]), (ag.ones([6]), number(4)), [VECTOR, INT], ShapeError, "reshape"),
    "concat": (lambda x, y: ag.concat([x, y], 0), (ag.ones([2, 3]), ag.ones([2, 4])), [MATRIX] * 2, ShapeError, "axis 1"),
    "stack": (lambda x, y: ag.stack([x, y]), (ag.ones([3]), ag.ones([4])), [VECTOR] * 2, ShapeError, "axis 0"),
    "einsum": (lambda x, y: ag.einsum("ij,jk->ik", x, y), TWO, [MATRIX] * 2, ShapeError, "'j' is"),
    "squeeze": (lambda x: ag.squeeze(x, 0), (ag.ones([5]),), [VECTOR], ShapeError, "its size is not 1"),
    "split": (lambda x: ag.split(x, 2)[0], (ag.ones([5]),), [VECTOR], InvalidArgumentError, "size 5 into 2"),
    "parts": (lambda x: ag.split(x, [2, 2])[0], (ag.ones([5]),), [VECTOR], InvalidArgumentError, "add up to"),
    "slice": (lambda x, n: ag.slice(x, [n], [2]), (ag.ones([3]), number(2)), [VECTOR, INT], InvalidArgumentError, "from 2"),
    "before": (lambda x, n: ag.slice(x, [n], [2]), (ag.ones([3]), number(-2)), [VECTOR, INT], InvalidArgumentError, "-2"),
    "index": (lambda x, i: x[i], (ag.ones([3]), number(7)), [VECTOR, INT], OutOfRangeError, "index 7 is out of bounds"),
    "gather": (ag.gather, (ag.ones([3]), ag.range(4)), [VECTOR, INTS], OutOfRangeError, "index 3 is out"),
    "write": (written, (ag.ones([3]), number(7)), [VECTOR, INT], OutOfRangeError, "index 7 is out of bounds"),
    "slice assignment": (sliced, (ag.ones([3]), ag.ones([4])), [VECTOR] * 2, ShapeError, "(4,)"),
    "assign": (assigned, (ag.ones([4]),), [VECTOR], InvalidArgumentError, "of shape (4,)"),
    "one_hot": (lambda n: ag.one_hot([1], n), (number(-1),), [INT], InvalidArgumentError, "must not be negative"),
    "top_k": (lambda x: ag.math.top_k(x, 3)[0], (TWO[0][0, :2],), [VECTOR], InvalidArgumentError, "2 elements"),
    "zeros": (lambda n: ag.zeros([n]), (number(-3),), [INT], InvalidArgumentError, "negative sizes are not allowed"),
    "range": (lambda s: ag.range(0, 5, s), (number(0),), [INT], InvalidArgumentError, "delta"),
    "steps": (times, (number(5), number(0)), [INT, INT], ValueError, "range() arg 3 must not be zero"),
    "conv2d": (lambda x, k: ag.nn.conv2d(x, k, 1, "SAME"), (ag.ones([1, 4, 4, 3]), ag.ones([3, 3, 4, 8])), [IMAGES] * 2,
               ShapeError, "the 3 channels of the last axis"),
}
# fmt: on


@pytest.mark.parametrize("mode", ["eager", "traced", "plan", "native"])
@pytest.mark.parametrize("name", CASES)
def test_refused(name, mode):
    program, args, signature, error, words = CASES[name]
    if mode == "traced":
        program = ag.function(program, jit_compile=False)
    elif mode != "eager":
        program = ag.function(program, input_signature=signature, jit_compile=mode == "native")
    if (name, mode) == ("steps", "eager"):
        args = [int(a) for a in args]
    with pytest.raises(error) as raised:
        program(*args)
    assert words in str(raised.value)


@pytest.mark.parametrize("mode", ["plan", "native"])
@pytest.mark.parametrize(
    ("program", "args", "signature", "expected"),
    [
        (lambda x: ag.split(x, 2)[1], (ag.range(6),), [INTS], [3, 4, 5]),
        (lambda x: ag.split(x, [1, -1])[1], (ag.range(4),), [INTS], [1, 2, 3]),
        (lambda x: ag.split(x, [1, 3])[1], (ag.range(4),), [INTS], [1, 2, 3]),
        (lambda x, n: ag.slice(x, [n], [2]), (ag.range(4), number(2)), [INTS, INT], [2, 3]),
        (lambda n: ag.one_hot([1], n)[0], (number(2),), [INT], [0.0, 1.0]),
        (lambda x: ag.math.top_k(x, 2)[0], (ag.constant([1, 3]),), [INTS], [3, 1]),
        (assigned, (ag.constant([1.0, 2.0, 3.0]),), [VECTOR], [1.0, 2.0, 3.0]),
        (lambda x: ag.ensure_shape(x, [3]) + 1, (ag.range(3),), [INTS], [1, 2, 3]),
    ],
)
def test_what_fits_is_not(program, args, signature, expected, mode):
    staged = ag.function(program, input_signature=signature, jit_compile=mode == "native")
    assert staged(*args).numpy().tolist() == expected
