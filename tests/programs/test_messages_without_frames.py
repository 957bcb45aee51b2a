"""Wrong programs whose tracebacks hold the user's frames only, eagerly and in graphs: line, reason and way out are there."""

import os
import subprocess
import sys
import traceback

import numpy as np
import pytest

import autograph as ag
from tests.programs.messages import check, collector

CASES, wrong = collector()
ROOT = os.path.dirname(os.path.dirname(ag.__file__))
ONE = ag.constant(1)
TEXT = ag.constant("abc")


@wrong("ag.Session()", "no attribute 'Session'", "call an ag.function with tensors")
def session():
    ag.Session()


@wrong("ag.contrib.layers", "no attribute 'contrib'", "call an ag.function with tensors")
def contrib():
    ag.contrib.layers.fully_connected(3)


@wrong("ag.train.Checkpoint(v=ONE)", "no attribute 'train'", "np.savez")
def checkpoint():
    ag.train.Checkpoint(v=ONE)


@wrong("ag.log(2.0)", "no attribute 'log'", "Did you mean 'ag.math.log'?")
def name_of_another_namespace():
    ag.log(2.0)


@wrong("ag.matrix_inverse([[1.0]])", "no attribute 'matrix_inverse'", "ag.linalg.inv")
def name_of_the_first_version():
    ag.matrix_inverse([[1.0]])


@wrong("print(ag.flaot32)", "no attribute 'flaot32'", "Did you mean 'float32'?")
def misspelt_dtype():
    print(ag.flaot32)


@wrong("ONE.view(-1)", "'Tensor' object has no attribute 'view'", "Instead: ag.reshape(x, shape)")
def method_of_other_tensors():
    ONE.view(-1)


@wrong("return x.detach()", "'Tensor' object has no attribute 'detach'", "Instead: ag.stop_gradient(x)")
def method_of_other_tensors_staged():
    @ag.function
    def f(x):
        return x.detach()

    f(ONE)


@wrong('ag.cast([1, 2], "flot32")', "no element type 'flot32'", "a name such as 'float32'")
def misspelt_name_of_a_dtype():
    ag.cast([1, 2], "flot32")


@wrong("TEXT + 1", "add is not defined for string and int64", "strings take part in no arithmetic")
def sum_of_text_and_number():
    TEXT + 1


@wrong("ONE + TEXT", "add is not defined for int32 and string")
def sum_of_number_and_text():
    ONE + TEXT


@wrong("ag.sqrt('four')", "sqrt is not defined for string", "strings take part in no arithmetic")
def root_of_text():
    ag.sqrt('four')


@wrong("ag.matmul([[1, 2]], ag.constant([['a'], ['b']]))", "matmul is not defined for string")
def product_of_texts():
    ag.matmul([[1, 2]], ag.constant([['a'], ['b']]))


@wrong("ag.reduce_sum(ag.constant(['a', 'b']))", "sum is not defined for string")
def reduction_of_texts():
    ag.reduce_sum(ag.constant(['a', 'b']))


@wrong("return ag.reduce_max(x)", "max is not defined for string")
def reduction_of_texts_staged():
    @ag.function
    def f(x):
        return ag.reduce_max(x)

    f(ag.constant(["a", "b"]))


@wrong("ag.cast(TEXT, ag.float32)", "cast does not make float32 of string", "convert in Python")
def cast_of_text():
    ag.cast(TEXT, ag.float32)


@wrong("ag.constant([1, 'a', 2.0])", "it mixes texts with numbers")
def mixed_literal():
    ag.constant([1, 'a', 2.0])


@wrong("ag.zeros([2.5])", "a shape is made of integers, not 2.5", "n // 2")
def size_with_a_fraction():
    ag.zeros([2.5])


@wrong("return ag.reshape(x, [x.shape[0] / 2, 2])", "a shape is made of integers, not 2.0", "n // 2")
def divided_size():
    @ag.function
    def f(x):
        return ag.reshape(x, [x.shape[0] / 2, 2])

    f(ag.ones([4]))


@wrong("return ag.zeros([n / 2])", "a shape is made of integers, not a float64 tensor", "n // 2")
def divided_staged_size():
    @ag.function
    def f(n):
        return ag.zeros([n / 2])

    f(ONE)


@wrong("ag.one_hot([0, 1], depth=-1)", "depth must not be negative")
def negative_depth():
    ag.one_hot([0, 1], depth=-1)


@wrong("return ag.one_hot([0, 1], n)", "depth must not be negative, but is -1")
def negative_staged_depth():
    @ag.function
    def f(n):
        return ag.one_hot([0, 1], n)

    f(-ONE)


@wrong("ag.math.top_k([1.0, 2.0], k=3)", "there are 2 elements along the last axis, which is less than k=3")
def more_than_there_are():
    ag.math.top_k([1.0, 2.0], k=3)


@wrong("return ag.math.top_k(x, k=3)", "there are 2 elements along the last axis, which is less than k=3")
def more_than_there_are_in_the_run():
    @ag.function(input_signature=[ag.TensorSpec([None])])
    def f(x):
        return ag.math.top_k(x, k=3)

    f(ag.ones([2]))


@wrong("ag.linalg.band_part(ag.ones([3]), 1, 0)", "needs at least two axes, not shape (3,)")
def band_of_a_vector():
    ag.linalg.band_part(ag.ones([3]), 1, 0)


@wrong("ag.expand_dims(ag.ones([2, 3]), axis=5)", "axis 5 of a tensor of rank 2 is none of -3 to 2")
def new_axis_too_far():
    ag.expand_dims(ag.ones([2, 3]), axis=5)


@wrong("ag.reduce_sum(ag.ones([2, 3]), axis=2)", "axis 2 is out of bounds", "it has axes 0 to 1, or -2 to -1")
def axis_too_far():
    ag.reduce_sum(ag.ones([2, 3]), axis=2)


@wrong("ag.ones([2, 3, 4]) @ ag.ones([3, 4, 5])", "matmul of shapes (2, 3, 4) and", "(2,) and (3,), do not broadcast")
def batches_that_differ():
    ag.ones([2, 3, 4]) @ ag.ones([3, 4, 5])


@wrong("ag.ones([4]) + ag.ones([2, 3])", "shapes (4,) (2, 3): sizes 4 and 3 differ")
def shapes_in_their_order():
    ag.ones([4]) + ag.ones([2, 3])


@wrong("ag.tensordot(ag.ones([2, 3]), ag.ones([4, 5]), axes=1)", "of shapes (2, 3) and (4, 5): sizes 3 and 4")
def paired_axes():
    ag.tensordot(ag.ones([2, 3]), ag.ones([4, 5]), axes=1)


@wrong("return ag.nn.conv2d(x, k, 1, 'SAME')", "conv2d of shapes (1, 8, 8, 3) and (3, 3, 4, 8)", "the 3 channels")
def channels():
    @ag.function
    def f(x, k):
        return ag.nn.conv2d(x, k, 1, 'SAME')

    f(ag.ones([1, 8, 8, 3]), ag.ones([3, 3, 4, 8]))


@wrong("labels=[0, 5], logits=", "label 5 is outside the 3 classes, which are 0 to 2")
def label():
    ag.nn.sparse_softmax_cross_entropy_with_logits(labels=[0, 5], logits=ag.ones([2, 3]))


@wrong("ag.pad(ag.ones([2, 3]), [[1, 1]])", "1 [before, after] pairs for the 2 axes of shape (2, 3)")
def pairs():
    ag.pad(ag.ones([2, 3]), [[1, 1]])


@wrong("ag.gather(ag.constant([1, 2, 3]), [0, 5])", "OutOfRangeError: index 5 is out of bounds for axis 0 with size 3")
def gathered_too_far():
    ag.gather(ag.constant([1, 2, 3]), [0, 5])


@wrong("ag.ones([3])[0, 1]", "too many indices: 2 for a tensor of shape (3,)")
def indices():
    ag.ones([3])[0, 1]


@wrong("ag.ones([3])['a']", "an index must be integer or boolean, not string", "a tensor has no names")
def named_index():
    ag.ones([3])['a']


@wrong("return x[0:1.5]", "a bound of a slice must be an integer, not 1.5")
def bound():
    @ag.function
    def f(x):
        return x[0:1.5]

    f(ag.ones([3]))


@wrong("range(ag.constant(3.0))", "TypeError: 'float32' tensor cannot be interpreted as an integer; say int(x)")
def range_of_a_fraction():
    range(ag.constant(3.0))


@wrong("for i in range(0, n, s):", "ValueError: range() arg 3 must not be zero")
def range_without_steps():
    @ag.function
    def f(n, s):
        total = 0
        for i in range(0, n, s):
            total += i
        return total

    f(ONE, ONE - 1)


@wrong("return ag.stack(xs)", "ShapeError: cannot stack tensors of different shapes", "pad them")
def stack_of_a_grown_list():
    @ag.function
    def f(n):
        xs = []
        for i in ag.range(n):
            xs.append(ag.ones([i]))
        return ag.stack(xs)

    f(ag.constant(3))


@wrong("return a + b", "with shapes (2,) (4,): sizes 2 and 4 differ and neither is 1")
def shapes_of_the_run():
    @ag.function(input_signature=[ag.TensorSpec([None]), ag.TensorSpec([None])])
    def f(a, b):
        return a + b

    f(ag.ones([2]), ag.ones([4]))


@wrong("raise KeyError('gone')", "KeyError: 'gone'")
def called_back():
    def fail(x):
        raise KeyError('gone')

    @ag.function
    def f(x):
        return ag.py_function(fail, [x], ag.float32)

    f(ONE)


@wrong("v = ag.Variable(0.0)", "was created by a traced function after its first call", "create variables once")
def variable_of_each_call():
    @ag.function
    def f(x):
        v = ag.Variable(0.0)
        v.assign_add(x)
        return v + 0

    assert f(ag.constant(1.0)) == 1.0
    f(ag.constant(1.0))


@wrong("f(ag.TensorSpec([2]))", "f was called with a TensorSpec", "specs are for get_concrete_function")
def spec():
    @ag.function
    def f(x):
        return x

    f(ag.TensorSpec([2]))


@wrong("ag.function(3)", "function needs a callable, not 3", "function(jit_compile=True)")
def no_function():
    ag.function(3)


@wrong("f.get_concrete_function()", "f() missing 1 required positional argument: 'x'; it is f(x)")
def concrete():
    @ag.function
    def f(x):
        return x

    f.get_concrete_function()


@wrong("list(f(ONE))", "generators are not staged on their own", "leave ag.function out")
def generator():
    @ag.function
    def f(x):
        yield x

    list(f(ONE))


@wrong("double(ONE)", "a function with custom_gradient returns (result, gradient function)", "double() does not")
def gradient_without_function():
    @ag.custom_gradient
    def double(x):
        return x * 2

    double(ONE)


@wrong('with ag.device("/GPU:0"):', "there is no device '/GPU:0'", "this machine's processor")
def device():
    with ag.device("/GPU:0"):
        pass


@wrong("len(ag.data.Dataset.range(3).repeat())", "the dataset has no end", "take(n)")
def endless_dataset():
    len(ag.data.Dataset.range(3).repeat())


@wrong("for _ in items:", "the elements of a batch must have one shape", "pad them in map()")
def uneven_batch():
    signature = ag.TensorSpec([None], ag.int32)
    items = ag.data.Dataset.from_generator(lambda: iter([[1], [1, 2]]), output_signature=signature).batch(2)
    for _ in items:
        pass


@wrong("ag.while_loop(", "loop variable 0 of while_loop() is a tensor before the body, and a tuple after it")
def structure_of_a_loop():
    ag.while_loop(lambda i: i < 3, lambda i: (i, i), [ONE])


@wrong("ag.switch_case(ONE, [ONE])", "the branches of switch_case() must be callable", "write lambda: result")
def branches_that_are_none():
    ag.switch_case(ONE, [ONE])


@wrong("return np.linalg.eig(x)", "np.linalg.eig has no counterpart", "ag.numpy_function")
def function_of_linear_algebra():
    @ag.function
    def f(x):
        return np.linalg.eig(x)

    f(ag.ones([2, 2]))


@wrong("return min(x, 3)", "the truth value of a tensor of shape (2,) is ambiguous", "ag.minimum(a, b)")
def smaller_of_vectors():
    @ag.function
    def f(x):
        return min(x, 3)

    f(ag.constant([1, 2]))


@pytest.mark.parametrize(("program", "line", "reason", "way_out"), CASES, ids=lambda case: getattr(case, "__name__", ""))
def test_message(program, line, reason, way_out):
    check(program, line, reason, way_out, __file__)
    with pytest.raises(Exception) as raised:  # noqa: PT011 (looked at above)
        program()
    entries = traceback.extract_tb(raised.value.__traceback__)
    assert {entry.filename for entry in entries} == {__file__}


@pytest.mark.parametrize("jit_compile", [False, True])
def test_steps_of_zero_in_native_code(jit_compile):
    def count(n, s):
        total = 0
        for _ in range(0, n, s):
            total += 1
        return total

    staged = ag.function(count, jit_compile=jit_compile)
    assert staged(ag.constant(7), ag.constant(2)) == 4
    with pytest.raises(ValueError, match="range\\(\\) arg 3 must not be zero"):
        staged(ag.constant(7), ag.constant(0))


def test_mutual_recursion_without_end_fits_a_screen():
    @ag.function
    def f(x):
        return g(x)

    def g(x):
        return f(x) + 1

    with pytest.raises(RecursionError) as raised:
        f(ONE)
    assert len(traceback.extract_tb(raised.value.__traceback__)) < 50


def test_errors_say_where_their_classes_are():
    with pytest.raises(ag.errors.ShapeError) as raised:
        ag.ones([2, 3]) @ ag.ones([2, 3])
    assert traceback.format_exception_only(raised.value)[0].startswith("autograph.errors.ShapeError: ")
    assert issubclass(ag.errors.SourceUnavailableError, ag.errors.AutographError)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        ag.errors.nothing  # noqa: B018


def test_a_comparison_with_a_literal_is_warned_of_once(tmp_path):
    program = tmp_path / "literal.py"
    program.write_text(
        "import autograph as ag\n\n@ag.function\ndef f(x):\n    return 1 if x is 3 else 0\n\nprint(int(f(ag.constant(3))))\n"
    )
    here = {**os.environ, "PYTHONPATH": ROOT}
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, check=True, env=here)
    assert done.stderr.count("SyntaxWarning") == 1
    assert done.stdout == "0\n"
