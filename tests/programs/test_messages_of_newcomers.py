"""More programs that a newcomer gets wrong: slips of names, signatures, loops without end, gradients of nothing."""

import warnings

import pytest

import autograph as ag
from tests.programs.messages import check, collector

CASES, wrong = collector()
ONE = ag.constant(1)


@wrong("ag.reduce_summ([1, 2])", "module 'autograph' has no attribute 'reduce_summ'", "Did you mean 'reduce_sum'?")
def misspelt_name():
    ag.reduce_summ([1, 2])


@wrong("ag.nn.Relu([1.0])", "module 'autograph.nn' has no attribute 'Relu'", "Did you mean 'relu'?")
def misspelt_name_of_a_namespace():
    ag.nn.Relu([1.0])


@wrong("ag.keras.layers.Dense(3)", "no attribute 'keras'", "make layers of ag.Module and ag.Variable")
def keras():
    ag.keras.layers.Dense(3)


@wrong("ag.compat.v1.placeholder(ag.float32)", "no attribute 'compat'", "call an ag.function with tensors")
def first_version():
    ag.compat.v1.placeholder(ag.float32)


@wrong("ag.image.resize(ag.ones([2, 2, 3]), [4, 4])", "no attribute 'image'", "it has tensors, functions, gradients")
def outside_of_the_core():
    ag.image.resize(ag.ones([2, 2, 3]), [4, 4])


@wrong("ag.array([1, 2])", "no attribute 'array'", "ag.constant makes a tensor")
def name_of_numpy():
    ag.array([1, 2])


@wrong("return ag.reduce_summ(x)", "no attribute 'reduce_summ'", "Did you mean 'reduce_sum'?")
def misspelt_in_a_function():
    @ag.function
    def step(x):
        return ag.reduce_summ(x)

    step(ONE)


@wrong("made(ag.ones([2, 2]), ag.ones([2, 2]))", "says nothing of its argument 'b'", "give a TensorSpec for it")
def signature_of_fewer():
    made = ag.function(ag.matmul, input_signature=[ag.TensorSpec([2, 2])])
    made(ag.ones([2, 2]), ag.ones([2, 2]))


@wrong("f(ONE)", "it is f(x, y=2, *, z)", "missing 1 required keyword-only argument: 'z'")
def missing_argument():
    @ag.function
    def f(x: ag.Tensor, y: int = 2, *, z: float) -> ag.Tensor:
        return x * y * z

    f(ONE)


@wrong("while x > 0:", "this loop never ends", "change in the loop what its test reads")
def forgotten_step():
    @ag.function
    def f(x):
        s = x
        while x > 0:
            s = s + 1
        return s

    f(ONE)


@wrong("while going:", "this loop never ends", "condition of while loop started as non-Tensor, then changed to Tensor")
def true_again_at_each_turn():
    @ag.function
    def f(x):
        going = True
        while going:
            going = ag.constant(True)
        return x  # which needs no turn: the loop was left out, and the call returned

    f(ONE)


@wrong("while x > 3:", "this loop never ends", "nothing in the loop makes it false")
def the_same_number_at_each_turn():
    @ag.function
    def f(x):
        turns = 0
        while x > 3:
            x = ag.constant(7)
            turns += 1
        return turns

    assert f(ag.constant(3)) == 0
    f(ag.constant(4))


@wrong("while more:", "'s' has dtype int32 before the loop, but dtype float32 after", "leave it by `break` or `return`")
def always_true():
    @ag.function
    def f(x):
        more = ag.constant(True)
        s = x
        while more:
            s = ag.constant(0.5)
        return s

    f(ONE)


@wrong("return y", "cannot access local variable 'y'", "must also be initialized in the else branch, or before the `if`")
def set_in_one_branch():
    @ag.function
    def f(x):
        if x > 5:
            y = x
        return y + 1

    f(ONE)


@wrong("return y", "'y' must also be initialized after the `if`", "both of its branches delete it")
def deleted_in_both_branches():
    @ag.function
    def f(x):
        y = x
        if x > 5:
            del y
        else:
            del y
        return y

    f(ONE)


@wrong("return last", "the loop must iterate at least once to initialize 'last'", "must be defined before the loop")
def loop_without_turns():
    @ag.function
    def f(n):
        for i in ag.range(n):
            last = i
        return last + 1

    f(ag.constant(0))


@wrong("return s", "'s' must be defined before the branch or loop", "before anything has set it")
def read_before_set():
    @ag.function
    def f(n):
        for i in ag.range(n):
            s = s + i  # noqa: F821, F841
        return s

    f(ag.constant(3))


@wrong("return i", "'i' is used before assignment", "set it on each path")
def never_set_in_python():
    @ag.function
    def f(x, n):
        for i in range(n):  # noqa: B007
            x = x + 1
        return i

    f(ONE, 0)


@wrong("return f(n - 1) + 1", "maximum recursion depth exceeded", "test what changes from call to call")
def recursion_without_end():
    @ag.function
    def f(n):
        return f(n - 1) + 1

    f(ONE)


@wrong("return half(x) + 1", "what the function returned is None here", "a tensor is needed")
def missing_return():
    def half(x):
        if x > 5:
            return x / 2

    @ag.function
    def f(x):
        return half(x) + 1

    f(ONE)


@wrong("counted(ONE)", "generators are not staged on their own: counted()", "or return a list")
def generator():
    @ag.function
    def counted(n):
        for i in range(3):
            yield i + n

    counted(ONE)


@wrong("v.assign(ag.constant(['a']))", "a tensor of dtype string is given where one of dtype float32 is needed")
def text_into_a_number():
    v = ag.Variable([1.0])
    v.assign(ag.constant(['a']))


@wrong('ag.Variable(1.0) * "a"', "unsupported operand type(s) for *: a float32 tensor and 'str'")
def number_times_text():
    ag.Variable(1.0) * "a"


@wrong("ag.constant(2**40)", "1099511627776 does not fit int32", "ask for dtype='int64'")
def large_number():
    ag.constant(2**40)


@wrong("ag.distribute.MirroredStrategy", "a strategy cannot run on 2 devices: there is one device", "leave that out")
def several_devices():
    ag.distribute.MirroredStrategy(["/cpu:0", "/cpu:1"])


@wrong('raise ValueError(f"negative: {x}")', "ValueError: negative: -1")
def raised_under_a_tensor():
    @ag.function
    def f(x):
        if x < 0:
            raise ValueError(f"negative: {x}")
        return x

    f(ag.constant(-1))


@pytest.mark.parametrize(("program", "line", "reason", "way_out"), CASES, ids=lambda x: getattr(x, "__name__", ""))
def test_the_message_says_where_why_and_what_to_do(program, line, reason, way_out):
    check(program, line, reason, way_out, __file__)


def test_a_missing_name_is_an_attribute_error_like_others():
    assert not hasattr(ag, "reduce_summ")
    assert getattr(ag.math, "summ", None) is None
    with pytest.raises(AttributeError, match="no attribute 'xyzzy'$"):
        _ = ag.xyzzy


def of_nothing():
    x, w = ag.Variable(2.0, name="x"), ag.Variable(3.0, name="w")
    with ag.GradientTape() as tape:
        y = x * 2
    return tape.gradient(y, w)


def of_integers():
    x = ag.Variable(2)
    with ag.GradientTape() as tape:
        y = x * x
    return tape.gradient(y, x)


def of_what_was_not_watched():
    x = ag.constant([2.0])
    with ag.GradientTape() as tape:
        y = x * x
    return tape.gradient(y, x)


@pytest.mark.parametrize(
    ("program", "reason", "way_out"),
    [
        (of_nothing, "with respect to 'w:0' is None: the target does not depend on it", 'unconnected_gradients="zero"'),
        (of_integers, "holds int32, and only floating numbers have gradients", "ag.Variable"),
        (of_what_was_not_watched, "a float32 tensor of shape (1,) is None", "tape.watch(x)"),
    ],
)
def test_a_gradient_that_is_none_is_told_at_its_line_once(program, reason, way_out):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        assert program() is None
        assert program() is None
    texts = [(str(w.message), w.filename) for w in caught]
    assert len(texts) == 1
    assert reason in texts[0][0]
    assert way_out in texts[0][0]
    assert texts[0][1] == __file__


def test_a_warning_of_numpy_shows_the_users_line():
    @ag.function(jit_compile=False)
    def f(x):
        y = x * 2.0
        return ag.math.log(y)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        f(ag.constant([0.0, 1.0]))
    assert len(caught) == 1
    assert "divide by zero" in str(caught[0].message)
    assert f"of f ({__file__})" in caught[0].filename
    shown = warnings.formatwarning(caught[0].message, caught[0].category, caught[0].filename, caught[0].lineno)
    assert shown.rstrip().endswith(": return ag.math.log(y)")


def test_the_signature_describes_what_has_no_default():
    made = ag.function(lambda x, scale=2.0: x * scale, input_signature=[ag.TensorSpec([None])])
    assert made([1.0, 2.0]).numpy().tolist() == [2.0, 4.0]
    assert made([1.0], 3.0).numpy().tolist() == [3.0]
    assert made([1.0, 2.0, 3.0]).numpy().tolist() == [2.0, 4.0, 6.0]
    assert made.experimental_get_tracing_count() == 2
