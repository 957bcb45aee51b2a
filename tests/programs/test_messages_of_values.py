"""Programs that go wrong over shapes, dtypes, indices and gradients: the line, the reason and the way out."""

import numpy as np
import pytest

import autograph as ag
from tests.programs.messages import check, collector

CASES, wrong = collector()


@wrong("x = x @ w", "inner sizes 3 and 2 differ", "transpose_b=True would fit")
def matmul_in_a_loop():
    @ag.function
    def f(x, w):
        for _ in ag.range(3):
            x = x @ w
        return x

    f(ag.ones([2, 3]), ag.ones([2, 3]))


@wrong("m = ag.concat([m, ag.ones([1, 3])], 0)", "shapes (1, 2), (1, 3): axis 1 differs")
def concat_in_a_loop():
    @ag.function
    def f(n):
        m = ag.zeros([1, 2])
        for _ in range(n):
            m = ag.concat([m, ag.ones([1, 3])], 0)
        return m

    f(ag.constant(2))


@wrong("return (x > 0) - (x < 0)", "sub is not defined for bool and bool", "cast(x, 'int32')")
def difference_of_bools():
    @ag.function
    def f(x):
        return (x > 0) - (x < 0)

    f(ag.constant(1.0))


@wrong("return x & y", "bitwise_and is not defined for float32", "(x > 0) & (y > 0)")
def bits_of_floats():
    @ag.function
    def f(x, y):
        return x & y

    f(ag.constant(1.0), ag.constant(2.0))


@wrong("return last", "cannot access local variable 'last'", "must be defined before the loop")
def set_in_a_loop_only():
    @ag.function
    def f(n):
        for i in range(n):
            last = i
        return last

    f(ag.constant(0))


@wrong("return ag.gather(x, i)", "index 5 is out of bounds for axis 0 with size 3")
def gather_at_run_time():
    @ag.function
    def f(x, i):
        return ag.gather(x, i)

    f(ag.ones([3]), ag.constant([0, 5]))


@wrong("x[i] = 1.0", "index 4 is out of bounds for axis 0 with size 3")
def write_at_run_time():
    @ag.function
    def f(x, i):
        x[i] = 1.0
        return x

    f(ag.ones([3]), ag.constant(4))


@wrong("f(ag.constant([1, 2]))", "was called with a tensor of dtype int32", "cast or reshape the argument")
def signature_dtype():
    @ag.function(input_signature=[ag.TensorSpec([None], ag.float32)])
    def f(x):
        return x

    f(ag.constant([1, 2]))


@wrong("return 0.1 * g", "'float' and 'NoneType'", 'unconnected_gradients="zero"')
def gradient_of_what_does_not_depend():
    x = ag.Variable(1.0)

    @ag.function
    def step():
        with ag.GradientTape() as tape:
            y = ag.constant(2.0) * 3
        g = tape.gradient(y, x)
        return 0.1 * g

    step()


@wrong("return a + tape.gradient(y, x)", "can only be used to compute one set", "GradientTape(persistent=True)")
def tape_used_twice():
    x = ag.Variable(1.0)

    @ag.function
    def step():
        with ag.GradientTape() as tape:
            y = x * x
        a = tape.gradient(y, x)
        return a + tape.gradient(y, x)

    step()


@wrong("y = ag.debugging.check_numerics(ag.math.log(x)", "log of x: tensor has infinities or NaNs", "")
def not_a_number():
    @ag.function
    def f(x):
        y = ag.debugging.check_numerics(ag.math.log(x), "log of x")
        return y

    with np.errstate(all="ignore"):
        f(ag.constant([1.0, -1.0]))


@wrong("return np.ndarray(x[0])", "<Tensor staged>", "stay with tensor operations inside the function")
def shape_of_numpys():
    @ag.function
    def f(x):
        return np.ndarray(x[0])

    f(ag.constant([1, 2]))


@wrong("return ta.read(n)", "were never written", "element_shape=...")
def read_before_write():
    @ag.function
    def f(n):
        ta = ag.TensorArray(ag.float32, size=2)
        return ta.read(n)

    f(ag.constant(1))


@wrong("return n if n < 0 else f(n + 1)", "maximum recursion depth exceeded")
def endless_recursion():
    @ag.function
    def f(n):
        return n if n < 0 else f(n + 1)

    f(ag.constant(1))


@pytest.mark.parametrize(("program", "line", "reason", "way_out"), CASES, ids=lambda x: getattr(x, "__name__", ""))
def test_the_message_says_where_why_and_what_to_do(program, line, reason, way_out):
    check(program, line, reason, way_out, __file__)


def test_an_index_at_run_time_fails_with_the_type_it_has_eagerly():
    f = ag.function(lambda x, i: x[i])
    for run in (lambda: f(ag.ones([3]), ag.constant(7)), lambda: ag.ones([3])[7]):
        with pytest.raises(ag.errors.OutOfRangeError, match="index 7 is out of bounds for axis 0 with size 3"):
            run()


def test_code_without_its_file_says_what_to_keep(tmp_path, monkeypatch):
    file = tmp_path / "steps_of_a_module.py"
    file.write_text("def step(x):\n    if x > 0:\n        return x\n    return -x\n", "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    import steps_of_a_module

    file.unlink()
    with pytest.raises(Exception, match="source-unavailable") as caught:
        ag.function(steps_of_a_module.step)(ag.constant(1))
    assert f'File "{file}", line 1' in str(caught.value)
    assert "keep the .py file beside what is compiled" in str(caught.value)


def test_code_that_never_had_a_file_says_how_to_give_it_one():
    space = {}
    exec("def step(x):\n    if x > 0:\n        return x\n    return -x\n", space)
    with pytest.raises(Exception, match="source-unavailable") as caught:
        ag.function(space["step"])(ag.constant(1))
    assert "linecache.cache" in str(caught.value)


class Box:
    pass


def unset_item(x):
    d = {}
    if x > 0:
        d["k"] = x
    return d["k"]


def unset_attribute(x):
    box = Box()
    if x > 0:
        box.width = x
    return box.width


def unset_in_a_loop(x):
    d = {}
    while x > 0:
        d["last"] = x
        x -= 1
    return d["last"]


@pytest.mark.parametrize("program", [unset_item, unset_attribute, unset_in_a_loop])
def test_what_no_path_has_set_fails_as_in_python(program):
    staged = ag.function(program)
    assert int(staged(ag.constant(3))) == program(3)
    with pytest.raises((KeyError, AttributeError)) as plain:
        program(-3)
    with pytest.raises(plain.type) as caught:
        staged(ag.constant(-3))
    assert str(caught.value) == str(plain.value)


ANY = ag.TensorSpec([None], ag.float32)
ANY2 = ag.TensorSpec([None, None], ag.float32)


@pytest.mark.parametrize(
    ("signature", "program", "args", "words"),
    [
        ([ANY, ANY], lambda x, y: x + y, [ag.ones([6]), ag.ones([4])], r"broadcast together with shapes \(6,\) \(4,\)"),
        ([ANY], lambda x: ag.reshape(x, [2, 2]), [ag.ones([6])], "cannot reshape"),
        ([ANY2, ANY2], lambda x, y: x @ y, [ag.ones([6, 2]), ag.ones([4, 3])], "inner sizes 2 and 4 differ"),
    ],
)
def test_shapes_known_at_run_time_fail_with_the_type_they_have_eagerly(signature, program, args, words):
    with pytest.raises(ag.errors.InvalidArgumentError, match=words):
        ag.function(program, input_signature=signature, jit_compile=False)(*args)


def test_a_staged_value_in_a_text_that_python_needs_is_explained():
    @ag.function
    def read(x):
        return open(f"missing {x}.txt")

    with pytest.raises(ag.errors.OperatorNotAllowedInGraphError, match=r"only when the graph runs \[characters-of-tensor\]"):
        read(ag.constant(1))
