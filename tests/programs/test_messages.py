"""Programs that a newcomer gets wrong: the error names the line, the reason and the way out."""

import math
import pickle

import numpy as np
import pytest

import autograph as ag
from tests.programs.messages import check, collector

CASES, wrong = collector()


@wrong("s = s + x", "shapes (3,) (2,)", "sizes 3 and 2 differ and neither is 1")
def shape_in_loop():
    @ag.function
    def f(x):
        s = ag.zeros([3])
        for i in ag.range(3):
            s = s + x
        return s

    f(ag.ones([2]))


@wrong("return ag.matmul(x, w)", "shapes (2, 3) and (2, 3)", "inner sizes 3 and 2 differ")
def matmul_shapes():
    @ag.function
    def f(x, w):
        return ag.matmul(x, w)

    f(ag.ones([2, 3]), ag.ones([2, 3]))


@wrong("return x[i]", "must be integer or boolean, not float32", "cast(i, 'int32')")
def float_index():
    @ag.function
    def f(x, i):
        return x[i]

    f(ag.ones([2]), ag.constant(1.0))


@wrong("return x.numpy() + 1", "exists only when the graph runs", "ag.py_function")
def numpy_call():
    @ag.function
    def f(x):
        return x.numpy() + 1

    f(ag.constant(1))


@wrong("return math.frexp(x)", "math.frexp() needs the value of a staged tensor", "ag.sin, not math.sin")
def math_call():
    @ag.function
    def f(x):
        return math.frexp(x)

    f(ag.constant(1.0))


@wrong("return float(x)", "shape (2,)", "index or reduce it")
def float_vector():
    @ag.function
    def f(x):
        return float(x)

    f(ag.ones([2]))


@wrong("if x > 0:", "more than one element", "ag.reduce_any(x) or ag.reduce_all(x)")
def if_vector():
    @ag.function
    def f(x):
        if x > 0:
            return x
        return -x

    f(ag.ones([2]))


@wrong("while x < 3:", "more than one element", "ag.reduce_any(x) or ag.reduce_all(x)")
def while_vector():
    @ag.function
    def f(x):
        while x < 3:
            x = x + 1
        return x

    f(ag.ones([2]))


@wrong("for i in n:", "cannot be iterated over", "for i in range(n)")
def iterate_scalar():
    @ag.function
    def f(n):
        s = 0
        for i in n:
            s += i
        return s

    f(ag.constant(3))


@wrong("return x + undefined_thing", "name 'undefined_thing' is not defined")
def undefined_name():
    @ag.function
    def f(x):
        return x + undefined_thing  # noqa: F821

    f(ag.constant(3))


@wrong("return y", "cannot access local variable 'y'")
def unbound_local():
    @ag.function
    def f(x):
        if x > 0:
            y = x
        return y

    f(ag.constant(-3))


@wrong("f(ag.constant(3), ag.constant(2))", "f() takes 1 positional argument but 2 were given", "it is f(x)")
def too_many_args():
    @ag.function
    def f(x):
        return x

    f(ag.constant(3), ag.constant(2))


@wrong("f(ag.constant(3))", "missing 1 required positional argument: 'y'", "it is f(x, y)")
def missing_arg():
    @ag.function
    def f(x, y):
        return x

    f(ag.constant(3))


@wrong("f(ag.constant(3), scale=2)", "got an unexpected keyword argument 'scale'", "it is f(x)")
def unknown_keyword():
    @ag.function
    def f(x):
        return x

    f(ag.constant(3), scale=2)


@wrong("f(ag.ones([3]))", "called with a tensor of dtype float32 and shape (3,)", "None is any size")
def signature_shape():
    @ag.function(input_signature=[ag.TensorSpec([2], ag.float32)])
    def f(x):
        return x

    f(ag.ones([3]))


@wrong("f(ag.ones([2]), ag.ones([2]))", "f() takes 1 positional argument but 2 were given", "it is f(x)")
def signature_count():
    @ag.function(input_signature=[ag.TensorSpec([2], ag.float32)])
    def f(x):
        return x

    f(ag.ones([2]), ag.ones([2]))


@wrong("v = ag.Variable(1.0)", "created by a traced function after its first call", "create variables once")
def variable_twice():
    @ag.function
    def f(x):
        v = ag.Variable(1.0)
        return v + x

    f(ag.constant(1.0))
    f(ag.ones([2]))


@wrong("return kept[0] + 1", "used outside the function", "return it from the function")
def leaked_tensor():
    kept = []

    @ag.autograph.do_not_convert
    def keep(x):
        kept.append(x)

    @ag.function
    def f(x):
        keep(x * 2)
        return x

    f(ag.constant(1.0))
    return kept[0] + 1


@wrong("return kept[0].numpy()", "used outside the function", "return it from the function")
def value_of_a_leaked_tensor():
    kept = []

    @ag.autograph.do_not_convert
    def keep(x):
        kept.append(x)

    @ag.function
    def f(x):
        keep(x * 2)
        return x

    f(ag.constant(1.0))
    return kept[0].numpy()


@wrong('assert x > 0, f"x must be positive', "x must be positive, not -1.0")
def assert_fails():
    @ag.function
    def f(x):
        assert x > 0, f"x must be positive, not {x}"
        return x

    f(ag.constant(-1.0))


@wrong("assert x > 0", "AssertionError")
def assert_bare():
    @ag.function
    def f(x):
        assert x > 0
        return x

    f(ag.constant(-1.0))


@wrong("raise ValueError", "negative: -1.0")
def raise_in_branch():
    @ag.function
    def f(x):
        if x < 0:
            raise ValueError(f"negative: {x}")
        return x

    f(ag.constant(-1.0))


@wrong("return x[i]", "index 7 is out of bounds for axis 0 with size 3")
def index_at_run_time():
    @ag.function
    def f(x, i):
        return x[i]

    f(ag.ones([3]), ag.constant(7))


@wrong("return xs[n]", "list index out of range")
def list_index_at_run_time():
    @ag.function
    def f(n):
        xs = []
        for i in ag.range(n):
            xs.append(i)
        return xs[n]

    f(ag.constant(3))


@wrong("return xs.pop()", "pop from empty list")
def pop_empty():
    @ag.function
    def f(n):
        xs = []
        for i in ag.range(n):
            xs.append(i)
        return xs.pop()

    f(ag.constant(0))


@wrong("return x.reshaped(2)", "no attribute 'reshaped'")
def missing_attribute():
    @ag.function
    def f(x):
        return x.reshaped(2)

    f(ag.constant(0))


@wrong("return ag.reduce_summ(x)", "no attribute 'reduce_summ'")
def missing_function():
    @ag.function
    def f(x):
        return ag.reduce_summ(x)

    f(ag.constant(0))


@wrong("return ag.reshape(x, [4, 2])", "cannot reshape a tensor of shape (6,) to (4, 2)")
def bad_reshape():
    @ag.function
    def f(x):
        return ag.reshape(x, [4, 2])

    f(ag.ones([6]))


@wrong("return ag.concat([x, y], 0)", "shapes (2, 3), (2, 4): axis 1 differs")
def bad_concat():
    @ag.function
    def f(x, y):
        return ag.concat([x, y], 0)

    f(ag.ones([2, 3]), ag.ones([2, 4]))


@wrong("return ag.reduce_sum(x, axis=3)", "axis 3 is out of bounds for a tensor of rank 2")
def bad_axis():
    @ag.function
    def f(x):
        return ag.reduce_sum(x, axis=3)

    f(ag.ones([2, 3]))


@wrong("v.assign(x)", "shape (3,) to variable", "of shape (2,)")
def assign_shape():
    v = ag.Variable([1.0, 2.0])

    @ag.function
    def f(x):
        v.assign(x)

    f(ag.ones([3]))


@wrong('return "x = " + x', "can only concatenate str")
def string_plus_tensor():
    @ag.function
    def f(x):
        return "x = " + x

    f(ag.constant(1))


@wrong("return y + 1", "'y' is None here, on the path that was taken", "a tensor is needed")
def none_plus():
    @ag.function
    def f(x):
        y = None
        if x > 0:
            y = x
        return y + 1

    f(ag.constant(-1))


@wrong("items = iter(y)", "'y' is one of", "give it one structure on all paths")
def mixed_structures():
    @ag.function
    def f(x):
        if x > 0:
            y = (x, x)
        else:
            y = (v for v in [x])
        items = iter(y)
        return next(items) + sum(items)

    f(ag.constant(1))


@wrong("return ag.stack(xs)", "cannot stack tensors of different shapes", "pad them to one shape")
def stack_different_shapes():
    @ag.function
    def f(n):
        xs = []
        for i in ag.range(n):
            xs.append(ag.zeros([i]))
        return ag.stack(xs)

    f(ag.constant(3))


@wrong("a, b = x", "too many values to unpack (expected 2)")
def unpack_wrong():
    @ag.function
    def f(x):
        a, b = x
        return a

    f(ag.ones([3]))


@wrong("return x(1)", "'Tensor' object is not callable")
def not_callable():
    @ag.function
    def f(x):
        return x(1)

    f(ag.ones([3]))


@wrong("return tape.gradient(y, x) + 1", "A target must be a tensor, not 3.0")
def gradient_of_a_number():
    @ag.function
    def f(x):
        with ag.GradientTape() as tape:
            tape.watch(x)
            y = 3.0
        return tape.gradient(y, x) + 1

    f(ag.ones([3]))


@wrong("return ag.constant(2**40) + x", "does not fit int32", "dtype='int64'")
def too_big_literal():
    @ag.function
    def f(x):
        return ag.constant(2**40) + x

    f(ag.constant(1))


@wrong("d[x] = 1", "cannot get a key there that depends on a tensor", "make it in the function")
def tensor_as_a_new_key():
    d = {"a": []}

    @ag.function
    def f(x):
        d[x] = 1

    f(ag.constant(1))


@wrong("f(a, ag.constant(1))", "NumPy array cannot be written in the graph", "pass each array once")
def item_of_an_array():
    a = np.array([0.0, 0.0, 0.0])

    @ag.function
    def f(b, i):
        a[i] = 1.0
        return b + a

    f(a, ag.constant(1))


@wrong("for i in range(x):", "cannot be interpreted as an integer", "int(x)")
def range_float():
    @ag.function
    def f(x):
        s = 0
        for i in range(x):
            s += i
        return s

    f(ag.constant(2.5))



@pytest.mark.parametrize(("program", "line", "reason", "way_out"), CASES, ids=lambda x: getattr(x, "__name__", ""))
def test_the_message_says_where_why_and_what_to_do(program, line, reason, way_out):
    check(program, line, reason, way_out, __file__)


def test_there_are_enough_of_them():
    assert len(CASES) >= 30


def test_a_refusal_shows_its_place_even_without_a_traceback():
    @ag.function
    def f(x):
        return 1 + x.numpy()

    with pytest.raises(TypeError) as raised:
        f(ag.constant(1.0))
    shown = str(raised.value).splitlines()
    assert shown[1].startswith(f'  File "{__file__}", line ')
    assert shown[2:4] == ["    return 1 + x.numpy()", "               ^^^^^^^^^"]
    assert shown[4].startswith("Instead: ")
    assert raised.value.id == "tensor-value"


def test_refusals_survive_pickling():


    error = pickle.loads(pickle.dumps(ag.errors.OperatorNotAllowedInGraphError("words", id="array-write", hint="do")))
    assert (error.id, error.hint, str(error)) == ("array-write", "do", "words [array-write]\nInstead: do")
