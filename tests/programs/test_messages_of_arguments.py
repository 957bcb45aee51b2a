"""Arguments of the wrong kind: each is named, with what belongs there, eagerly and staged, and none is cut to fit."""

import collections
import json
import logging
import math
import random

import numpy as np
import pytest

import autograph as ag
from autograph.errors import DTypeError, InvalidArgumentError, OutOfRangeError, ShapeError
from tests.programs.messages import check, collector

CASES, wrong = collector()
X = ag.ones([2, 3])


@wrong("ag.reduce_sum(X, axis='rows')", "an axis is an integer, or a list of them, not 'rows'")
def axis_by_name():
    ag.reduce_sum(X, axis='rows')


@wrong("return ag.concat([x, x], axis='rows')", "an axis is an integer, not 'rows'")
def axis_by_name_in_a_function():
    @ag.function
    def joined(x):
        return ag.concat([x, x], axis='rows')

    joined(X)


@wrong("ag.function(abs, jit_compile='yes')", "jit_compile is True, False or None (the library chooses), not 'yes'")
def jit_compile():
    ag.function(abs, jit_compile='yes')


@wrong("@ag.function(input_signature=ag.TensorSpec([None]))", "a list with a TensorSpec for each argument", "write [...]")
def signature_no_list():
    @ag.function(input_signature=ag.TensorSpec([None]))
    def f(x):
        return x


@wrong('@ag.function(input_signature=["float32"])', "holds 'float32' where a TensorSpec belongs", "ag.TensorSpec([")
def signature_of_names():
    @ag.function(input_signature=["float32"])
    def f(x):
        return x


@wrong("f(X)", "the input_signature of f has 2 entries, but it takes 1 arguments")
def signature_too_long():
    @ag.function(input_signature=[ag.TensorSpec([None, 3])] * 2)
    def f(x):
        return x

    f(X)


@wrong("f([1.5])", "but was called with [1.5] [input-signature]", "cast or reshape")
def signature_of_integers():
    @ag.function(input_signature=[ag.TensorSpec([None], ag.int32)])
    def f(x):
        return x

    f([1.5])


@wrong("items = iter(parts(x))", "what the function returned is one of ((int32[], int32[]), <generator")
def returned_structures():
    def parts(x):
        if x > 0:
            return x, x
        return (v for v in [x])

    @ag.function
    def total(x):
        items = iter(parts(x))
        return next(items) + next(items)

    total(ag.constant(1))


@wrong("return walk(x + 1, (path, x))", "argument 'path' (first tuple(tuple(), int32[]), then tuple(tuple(")
def recursion_that_nests():
    def walk(x, path):
        if x < 10:
            return walk(x + 1, (path, x))
        return x

    ag.function(lambda x: walk(x, ()))(ag.constant(4))


@wrong("tape.watch(2.0)", "Passed in object 2.0", "make it one first, by ag.constant or ag.Variable")
def watched_number():
    with ag.GradientTape() as tape:
        tape.watch(2.0)


@wrong("ag.custom_gradient(3)", "custom_gradient decorates a function, not 3")
def gradient_of_a_number():
    ag.custom_gradient(3)


@wrong("return json.dumps({'loss': x})", "Object of type Tensor is not JSON serializable", "use ag.py_function")
def json_of_a_tensor():
    @ag.function
    def dumped(x):
        return json.dumps({'loss': x})

    dumped(ag.constant(1.0))


@wrong("return random.sample([1, 2, 3], n)", "random.sample() needs the value of a staged tensor (int32[])", "py_function")
def sample_of_a_staged_number():
    @ag.function
    def f(n):
        return random.sample([1, 2, 3], n)

    f(ag.constant(2))


@wrong("x[i] = [1.0, 2.0, 3.0]", "cannot put a value of shape (3,) into a part of shape (2,)")
def row_of_another_length():
    @ag.function
    def f(n):
        x = ag.zeros([3, 2])
        for i in range(n):
            x[i] = [1.0, 2.0, 3.0]
        return x

    f(ag.constant(2))


@wrong("return hex(x)", "hex() needs the value of a staged tensor (int32[])", "use ag.py_function")
def character_of_a_tensor():
    @ag.function
    def f(x):
        return hex(x)

    f(ag.constant(65))


@wrong("return math.gamma(x) + 1", "math.gamma() needs the value of a staged tensor (float32[])", "ag.sin, not math.sin")
def function_of_math():
    @ag.function
    def f(x):
        return math.gamma(x) + 1

    f(ag.constant(3.0))


@wrong('raise "too big"', "exceptions must derive from BaseException")
def raised_text():
    @ag.function
    def f(x):
        if x > 2:
            raise "too big"
        return x

    f(ag.constant(3))


@wrong("return ag.constant(float('nan'), dtype=ag.int32) + x", "cannot make int32 of nan")
def integer_of_nan():
    @ag.function
    def f(x):
        return ag.constant(float('nan'), dtype=ag.int32) + x

    f(ag.constant(3))


@wrong("return ag.scan(lambda a, v: (a, v), x)", "scan() gave 2 tensors where 1 are accumulated", "initializer=")
def scan_of_pairs():
    @ag.function
    def scanned(x):
        return ag.scan(lambda a, v: (a, v), x)

    scanned(ag.ones([3]))


@wrong("tape.jacobian(3.0, x)", "A target must be a tensor, not 3.0", "compute it from tensors or variables under the tape")
def jacobian_of_a_number():
    x = ag.Variable([1.0])
    with ag.GradientTape() as tape:
        pass
    tape.jacobian(3.0, x)


@wrong("tape.gradient(y, x, ag.ones([3]))", "output_gradients have shape (3,), and their target has shape (2,)")
def seeds_of_another_shape():
    x = ag.Variable([1.0, 2.0])
    with ag.GradientTape() as tape:
        y = x * x
    tape.gradient(y, x, ag.ones([3]))


@pytest.mark.parametrize(("program", "line", "reason", "way_out"), CASES, ids=lambda x: getattr(x, "__name__", ""))
def test_the_message_says_where_why_and_what_to_do(program, line, reason, way_out):
    check(program, line, reason, way_out, __file__)


NO_INTEGERS = {
    "expand_dims": (lambda: ag.expand_dims(X, 1.5), "an axis is an integer, not 1.5"),
    "stack": (lambda: ag.stack([X, X], axis="a"), "an axis is an integer"),
    "squeeze": (lambda: ag.squeeze(X, "a"), "an axis is an integer"),
    "split": (lambda: ag.split(X, 3, axis="a"), "an axis is an integer"),
    "gather": (lambda: ag.gather(X, [0], axis="a"), "an axis is an integer"),
    "transpose": (lambda: ag.transpose(X, [0.0, 1.0]), "an axis is an integer, not 0.0"),
    "softmax": (lambda: ag.nn.softmax(X, "a"), "an axis is an integer"),
    "sort": (lambda: ag.sort(X, axis="a"), "an axis is an integer"),
    "roll": (lambda: ag.roll(X, 1, "a"), "an axis is an integer"),
    "bool": (lambda: ag.reduce_sum(X, axis=True), "an axis is an integer, or a list of them, not True"),
    "linspace": (lambda: ag.linspace(0.0, 1.0, 2.5), "a number of points is an integer, not 2.5"),
    "spec": (lambda: ag.TensorSpec(2), "a list of sizes, such as \\[None, 3\\], not 2"),
    "ensure_shape": (lambda: ag.ensure_shape(X, "a"), "a size is an integer, not 'a'"),
    "pad": (lambda: ag.pad(X, 1), "a pair \\[before, after\\] for each axis, not 1"),
    "einsum": (lambda: ag.einsum(X, "ij"), "takes its equation first"),
    "reshape": (lambda: ag.reshape(X, None), "cannot make a tensor of None"),
    "no number": (lambda: ag.numpy_function(lambda a: None, [X], ag.float32), "gave None; float32"),
    "text": (lambda: ag.py_function(lambda a: "abc", [X], ag.float32), "gave 'abc'; float32"),
}


@pytest.mark.parametrize("name", NO_INTEGERS)
def test_an_argument_of_the_wrong_kind(name):
    call, words = NO_INTEGERS[name]
    with pytest.raises(InvalidArgumentError, match=words):
        call()
    with pytest.raises(InvalidArgumentError, match=words):
        ag.function(call)()


@pytest.mark.parametrize(("call", "words"), [
    (lambda: ag.range("a"), "strings take part in no arithmetic"),
    (lambda: ag.nn.relu("a"), "strings take part in no arithmetic"),
    (lambda: ag.zeros("a"), "a shape is made of integers, not 'a'$"),
    (lambda: ag.zeros([2.5]), "not 2.5; n // 2 is one where n / 2 is not"),
    (lambda: ag.gather(X, 1.5), "gather needs integer indices, not float64"),
    (lambda: ag.where("a", X, X), "where is not defined for string"),
])
def test_an_element_type_that_does_not_do(call, words):
    with pytest.raises(DTypeError, match=words):
        call()


def test_conditions_of_where_may_be_numbers():
    assert ag.where([1, 0], 1.0, 2.0).numpy().tolist() == [1.0, 2.0]
    assert ag.where(ag.constant([0.0, 3.0]), 1, 2).numpy().tolist() == [2, 1]


@pytest.mark.parametrize("staged", [False, True])
@pytest.mark.parametrize("change", [
    lambda v: v.assign(ag.constant([0.5, 1.5])),
    lambda v: v.assign_sub(ag.constant([0.5, 1.5])),
    lambda v: v.assign_add(ag.constant(0.5)),
])
def test_fractions_are_not_cut_off_for_a_variable_of_integers(change, staged):
    v = ag.Variable([10, 20], name="counts")
    with pytest.raises(DTypeError, match="cannot assign float32 values to variable 'counts:0' of int32: cast them"):
        ag.function(lambda: change(v))() if staged else change(v)
    assert v.numpy().tolist() == [10, 20]
    v.assign(ag.cast(ag.constant([0.5, 1.5]), ag.int32))
    assert v.numpy().tolist() == [0, 1]


@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_tensor_array_does_not_grow_by_itself(jit_compile):
    def filled(n, dynamic):
        ta = ag.TensorArray(ag.float32, size=3, dynamic_size=dynamic)
        for i in ag.range(n):
            ta = ta.write(i, 1.0)
        return ta.stack()

    f = ag.function(filled, jit_compile=jit_compile)
    assert f(ag.constant(3), False).shape == (3,) and f(ag.constant(5), True).shape == (5,)
    with pytest.raises(OutOfRangeError, match="of 3 elements was written behind its end: give it a larger size"):
        f(ag.constant(5), False)
    with pytest.raises(OutOfRangeError, match="index 3 of a TensorArray of 3 elements: give it a larger size"):
        filled(5, False)


def test_elements_of_a_tensor_array_have_its_shape():
    ta = ag.TensorArray(ag.float32, size=2, element_shape=[2])
    with pytest.raises(InvalidArgumentError, match=r"shape \(3,\) into a TensorArray whose element_shape is \(2,\)"):
        ta.write(0, [1.0, 2.0, 3.0])
    with pytest.raises(OutOfRangeError, match="nothing was written into"):
        ag.function(lambda i: ag.TensorArray(ag.float32, size=0, dynamic_size=True).read(i))(ag.constant(0))


def test_a_deque_takes_lengths_for_its_length():
    kept = ag.function(lambda n: len(collections.deque([1, 2, 3, 4], maxlen=n)))
    assert [int(kept(ag.constant(n))) for n in (0, 3, 9)] == [0, 3, 4]
    with pytest.raises(ValueError, match="maxlen must be non-negative"):
        kept(ag.constant(-1))
    with pytest.raises(TypeError, match="cannot be interpreted as an integer"):
        kept(ag.constant(1.5))


def test_builtin_functions_of_several_forms_are_functions():
    assert int(ag.function(max)(3, ag.constant(2))) == 3
    assert float(ag.function(np.linalg.norm)(ag.constant([3.0, 4.0]))) == 5.0


@pytest.mark.parametrize("staged", [False, True])
def test_gradients_have_the_shapes_of_their_arguments(staged):
    @ag.custom_gradient
    def double(x):
        return x * 2, lambda dy: ag.ones([5])

    def slope(x):
        with ag.GradientTape() as tape:
            tape.watch(x)
            y = double(x)
        return tape.gradient(y, x)

    with pytest.raises(ShapeError, match=r"gave shape \(5,\) for argument 0, whose shape is \(2,\)"):
        (ag.function(slope) if staged else slope)(ag.ones([2]))


def test_one_hot_takes_integers():
    with pytest.raises(DTypeError, match="one_hot needs integer indices, not float32"):
        ag.one_hot(ag.constant([1.5]), 3)
    assert ag.one_hot(1, 2).numpy().tolist() == [0.0, 1.0]


def test_a_log_tells_the_types_of_staged_tensors(caplog):
    @ag.function
    def f(x):
        logging.getLogger("words").warning("%s: loss %.3f", "train", x)
        return x

    f(ag.constant(3.0))
    assert [r.getMessage() for r in caplog.records] == ["train: loss <Tensor staged float32[]>"]


def test_what_a_library_asks_is_shown_at_the_users_line():
    special = pytest.importorskip("scipy.optimize")

    @ag.function
    def root(x):
        return special.brentq(lambda v: v * v - x, 0.0, 3.0)

    with pytest.raises(TypeError) as raised:
        root(ag.constant(2.0))
    assert __file__ in str(raised.value)
    assert "return special.brentq(lambda v: v * v - x, 0.0, 3.0)" in str(raised.value)


def test_indices_outside_are_named():
    with pytest.raises(OutOfRangeError, match=r"scatter: the index \[5\] lies outside the shape \(2,\)"):
        ag.tensor_scatter_nd_update([1.0, 2.0], [[0], [5]], [1.0, 1.0])
