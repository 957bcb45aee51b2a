"""Slips of a newcomer's whose messages must name what was meant: methods, functions, classes, letters, lines."""

import os
import subprocess
import sys
import traceback
from pathlib import Path

import numpy as np
import pytest

import autograph as ag
from tests.programs.messages import check, collector

CASES, wrong = collector()
ONE = ag.constant(1.0)


@wrong(
    "return x.reduce_mean()", "'Tensor' object has no attribute 'reduce_mean'", "Instead: ag.reduce_mean(x)"
)
def function_as_a_method():
    def f(x):
        return x.reduce_mean()

    f(ag.ones([2]))


@wrong("x.append(3.0)", "no attribute 'append'", "append to a list and take ag.stack(xs)")
def method_of_lists():
    @ag.function
    def f(x):
        x.append(3.0)
        return x

    f(ag.ones([2]))


@wrong("del x[0]", "items cannot be deleted", "Instead: keep the others, x[mask] or ag.concat")
def an_item_deleted():
    @ag.function
    def f(x):
        del x[0]
        return x

    f(ag.ones([2]))


@wrong("with n as m:", "'Tensor' object does not support the context manager protocol")
def no_manager():
    @ag.function
    def f(n):
        with n as m:
            return m

    f(ONE)


@wrong("return ag.cond(x > 0, x, -x)", "true_fn must be callable, not a Tensor", "write lambda: result")
def branches_without_functions():
    @ag.function
    def f(x):
        return ag.cond(x > 0, x, -x)

    f(ONE)


@wrong("return ag.cast(x, list)", "no element type <class 'list'>", "a name such as 'float32'")
def class_for_a_dtype():
    @ag.function
    def f(x):
        return ag.cast(x, list)

    f(ONE)


@wrong('ag.einsum("ij,jk->il", ag.ones([2, 2]), ag.ones([2, 2]))', "its output has 'l' which no operand has")
def invented_letter():
    ag.einsum("ij,jk->il", ag.ones([2, 2]), ag.ones([2, 2]))


@wrong("return ag.reshape(x, [-1, 3])", "of shape (4, 4) to (-1, 3): it has 16 elements, no multiple of 3")
def reshape():
    @ag.function
    def f(x):
        return ag.reshape(x, [-1, 3])

    f(ag.ones([4, 4]))


@wrong(
    "while n > 0:",
    "the types of this loop's variables ('t') keep changing",
    "append to a list instead of nesting tuples",
)
def nested_tuples():
    @ag.function
    def f(n):
        t = (n,)
        while n > 0:
            t = (t, n)
            n = n - 1
        return t

    f(ag.constant(3))


@wrong("return names[int(x)]", "KeyError: 7")
def absent_key():
    names = {0: "zero", 1: "one"}

    @ag.function
    def f(x):
        return names[int(x)]

    f(ag.constant(7))


@wrong('print(x, sepp=",")', "print() got an unexpected keyword argument 'sepp'")
def misspelt_keyword():
    @ag.function
    def f(x):
        print(x, sepp=",")
        return x

    f(ONE)


@wrong("return x.shape[2]", "IndexError: tuple index out of range")
def axis_that_is_not_there():
    def f(x):
        return x.shape[2]

    f(ag.ones([2, 2]))


@wrong("return ag.concat(x, x)", "an axis is an integer, not a tensor of float32[2,2]")
def list_without_brackets():
    @ag.function
    def f(x):
        return ag.concat(x, x)

    f(ag.ones([2, 2]))


@wrong("return np.dot(x, None)", "cannot make a tensor of None (NoneType)")
def nothing_for_an_array():
    def f(x):
        return np.dot(x, None)

    f(ag.ones([2, 2]))


class _Fixed:
    @property
    def size(self):
        return 1


@wrong("fixed.size = x", "has no setter")
def property_set_in_a_branch():
    fixed = _Fixed()

    @ag.function
    def f(x):
        if x > 0:
            fixed.size = x
        return x

    f(ONE)


@wrong("return float(x)", "only tensors of one element can be converted by float(); this one has shape (2,)", "reduce it")
def number_of_a_vector():
    def f(x):
        return float(x)

    f(ag.ones([2]))


@wrong("return int(x)", "only tensors of one element can be converted by int(); this one has shape (3, 1)", "index or")
def integer_of_a_matrix():
    def f(x):
        return int(x)

    f(ag.ones([3, 1]))


@wrong("x[0] = ag.ones([2])", "cannot put a value of shape (2,) into a part of shape () of a tensor of shape (3,)")
def vector_for_an_element():
    def f(x):
        x[0] = ag.ones([2])

    f(ag.ones([3]))


@wrong("x[1] = ag.ones([3])", "cannot put a value of shape (3,) into a part of shape (2,) of a tensor of shape (4, 2)")
def row_that_is_too_long():
    def f(x):
        x[1] = ag.ones([3])

    f(ag.ones([4, 2]))


@wrong("v[5].assign(1.0)", "index 5 is out of bounds for axis 0 with size 2")
def part_of_a_variable():
    v = ag.Variable([1.0, 2.0])

    def f():
        v[5].assign(1.0)

    f()


@wrong("return losses(labels, logits)", "labels of shape (3,) do not fit logits of shape (2, 4)", "a tensor of shape (2,)")
def a_label_too_many():
    losses = ag.nn.sparse_softmax_cross_entropy_with_logits

    @ag.function
    def f(labels, logits):
        return losses(labels, logits)

    f(ag.constant([0, 1, 2]), ag.ones([2, 4]))


@wrong("return ag.transpose(x, [0, 2])", "perm (0, 2) is not a permutation of the axes 0 to 1")
def axis_left_out():
    @ag.function
    def f(x):
        return ag.transpose(x, [0, 2])

    f(ag.ones([2, 3]))


@wrong("return x[: x.shape[0] / 2]", "a bound of a slice must be an integer, not 2.0", "n // 2 is one where n / 2 is not")
def half_of_a_length():
    @ag.function
    def f(x):
        return x[: x.shape[0] / 2]

    f(ag.ones([4]))


@wrong("ag.TensorSpec([-1, 2])", "a size is a number from 0 on, or None where it is open, not -1")
def minus_one_for_an_open_size():
    def f():
        return ag.TensorSpec([-1, 2])

    f()


@wrong("return ag.strings.upper(x)", "no attribute 'strings'", "TensorFlow's 'strings' is no part of this package")
def namespace_of_tensorflow():
    @ag.function
    def f(x):
        return ag.strings.upper(x)

    f(ag.constant("a"))


@wrong("return tape.gradient(y, x) + 1.0", "the gradient with respect to 'x' is None", "say tape.watch(x) before")
def tensor_that_no_tape_watches():
    @ag.function
    def f(x):
        with ag.GradientTape() as tape:
            y = x * x
        return tape.gradient(y, x) + 1.0

    f(ONE)


@wrong("return ag.reduce_sum(x, dim=0)", "unexpected keyword argument 'dim'", "It is reduce_sum(input_tensor, axis=None")
def keyword_of_another_library():
    @ag.function
    def f(x):
        return ag.reduce_sum(x, dim=0)

    f(ag.ones([2]))


@wrong("return ag.matmul(x)", "missing 1 required positional argument", "It is matmul(a, b, transpose_a=False")
def operand_left_out():
    @ag.function
    def f(x):
        return ag.matmul(x)

    f(ag.ones([2, 2]))


@wrong("return absolute(x)", "the source of '<lambda>' is not available, and it tests a tensor", "define the function in")
def lambda_of_a_text():
    absolute = eval("lambda x: x if x > 0 else -x")

    @ag.function
    def f(x):
        return absolute(x)

    f(ONE)


@pytest.mark.parametrize(
    "slip",
    [
        lambda: ag.ones([2]).item(),
        lambda: ag.ones([2]).mT,
        lambda: ag.ones([2]).__delitem__(0),
        lambda: ag.Variable([1.0, 2.0])[5],
        lambda: ag.Variable([1.0, 2.0]).scatter_nd_add([[0]], ["a"]),
        lambda: ag.TensorShape([2, None]).assert_is_fully_defined(),
        lambda: ag.TensorShape([2, None]).with_rank(3),
        lambda: ag.TensorShape([2, None]).merge_with([3, 1]),
        lambda: ag.TensorShape([2, None]) + 1,
        lambda: ag.TensorSpec(3),
        lambda: ag.function(lambda x: x).inspect(),
    ],
)
def test_methods_show_no_frames_of_ours(slip):
    with pytest.raises((ValueError, TypeError, IndexError)) as raised:
        slip()
    assert {entry.filename for entry in traceback.extract_tb(raised.value.__traceback__)} == {__file__}


@pytest.mark.parametrize("jit_compile", [None, False, True])
@pytest.mark.parametrize("rows", [2, None])
def test_labels_that_are_no_row_each_are_refused_in_all_modes(jit_compile, rows):
    signature = [ag.TensorSpec([rows and 3], ag.int32), ag.TensorSpec([rows, 4])]

    @ag.function(jit_compile=jit_compile, input_signature=signature)
    def losses(labels, logits):
        return ag.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)

    for count in (3,) if rows else (1, 3):
        with pytest.raises(ag.errors.InvalidArgumentError, match=rf"labels of shape \({count},\) do not fit logits"):
            losses(ag.zeros([count], ag.int32), ag.ones([2, 4]))


@pytest.mark.parametrize("jit_compile", [None, False, True])
def test_a_variable_made_by_each_call_is_refused_in_all_modes(jit_compile):
    @ag.function(jit_compile=jit_compile)
    def counted(x):
        v = ag.Variable(1.0)
        v.assign_add(x)
        return v

    assert float(counted(ONE)) == 2.0
    for _ in range(2):
        with pytest.raises(ag.errors.FailedPreconditionError, match="a Variable was created by a traced function after"):
            counted(ONE)


def test_a_function_without_source_that_tests_a_tensor_is_one_error():
    with pytest.raises(ag.errors.SourceUnavailableError) as raised:
        lambda_of_a_text()
    assert "Traceback" not in "".join(traceback.format_exception(raised.value)).partition("\n")[2]


def test_a_gradient_of_an_integer_warns_in_a_graph_too():
    @ag.function
    def f(x):
        with ag.GradientTape() as tape:
            tape.watch(x)
            y = x * x
        return tape.gradient(y, x)

    with pytest.warns(UserWarning, match="it holds int32, and only floating numbers have gradients"):
        assert f(ag.constant(3)) is None


@pytest.mark.parametrize("case", CASES, ids=[c[0].__name__ for c in CASES])
def test_message(case):
    check(*case, __file__)


def _product(n):
    return n * _product(n - 1)


def _sum(n):
    return _sum(ag.reduce_sum(n)) + 1


def _part(n):
    return _part(n[0:])


def _one_deeper(program, x):
    return program(x)


@pytest.mark.parametrize("program", [_product, _sum, _part])
def test_recursion_without_end_shows_no_frames_of_ours(program):
    for call in (program, lambda x: program(x), lambda x: _one_deeper(program, x)):
        with pytest.raises(RecursionError) as raised:
            call(ag.ones([3]))
        assert raised.value.__context__ is None
        assert {entry.filename for entry in traceback.extract_tb(raised.value.__traceback__)} == {__file__}


_WARNED = """\
import autograph as ag

def ratio(a, b):
    return a / b

ratio(ag.constant(1.0), ag.constant(0.0))

@ag.function(jit_compile=False)
def logs(x):
    for i in ag.range(2):
        x = ag.math.log(x - x)
    return x

logs(ag.constant([1.0, 2.0]))
import warnings
warnings.warn("the user's own")
"""


def test_warnings_of_numpy_are_shown_at_the_users_line(tmp_path):
    file = tmp_path / "warned.py"
    file.write_text(_WARNED)
    env = {**os.environ, "PYTHONPATH": str(Path(ag.__file__).parent.parent)}
    done = subprocess.run([sys.executable, str(file)], capture_output=True, text=True, check=True, env=env)
    lines = done.stderr.splitlines()
    assert lines[0].startswith(f"{file}:4: RuntimeWarning: divide by zero")
    assert lines[1].strip() == "return a / b"
    assert lines[2].startswith(f"{file}:11: RuntimeWarning: divide by zero")
    assert lines[3].strip() == "x = ag.math.log(x - x)"
    assert lines[-2:] == [f"{file}:16: UserWarning: the user's own", '  warnings.warn("the user\'s own")']
    assert "step" not in done.stderr
