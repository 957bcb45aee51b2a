"""Programs that beginners get wrong inside functions and loops: the line, the reason and the way out are there."""

import json
import struct

import pytest

import autograph as ag
from tests.programs.messages import check, collector

CASES, wrong = collector()
ONE = ag.constant(1.0)
XS = ag.constant([1.0, 2.0, 3.0])


@wrong("return struct.pack", "required argument is not a float", "A staged tensor has its value only when the graph runs")
def function_in_c():
    @ag.function
    def f(x):
        return struct.pack("f", x)

    f(ONE)


@wrong("return ag.zeros", "no element type: a tensor or array stands where one is needed", "x.dtype")
def tensor_for_its_dtype():
    @ag.function
    def f(x):
        return ag.zeros([2, 2], dtype=x)

    f(ONE)


@wrong("return ag.stack(rows)", "cannot stack tensors of different shapes: (0,), (1,), (2,)", "pad them to one shape")
def rows_of_different_lengths():
    @ag.function
    def f(xs, n):
        rows = []
        for i in range(n):
            rows.append(xs[:i])
        return ag.stack(rows)

    f(XS, ag.constant(3))


@wrong("for i in range(n):", "a Variable was created in a loop of the graph", "create variables once")
def variable_in_a_loop():
    @ag.function
    def f(x, n):
        for i in range(n):  # noqa: B007
            v = ag.Variable(0.0)
            v.assign_add(x)
        return v

    f(ONE, ag.constant(3))


@wrong('return "value: " + x', 'can only concatenate str (not "Tensor") to str', 'f"{x}"')
def tensor_behind_a_text():
    @ag.function
    def f(x):
        return "value: " + x

    f(ONE)


@wrong("ys.append(x, 1)", "list.append() takes exactly one argument (2 given)")
def two_items_at_once():
    @ag.function
    def f(xs):
        ys = []
        for x in xs:
            if x > 1:
                ys.append(x)
        for x in xs:
            ys.append(x, 1)
        return ys

    f(XS)


@wrong('return ", ".join(xs)', "expected str instance, Tensor found", "str(x)")
def tensors_joined():
    @ag.function
    def f(xs):
        return ", ".join(xs)

    f(XS)


@wrong("x.shape = [3, 1]", "the shape of a tensor cannot be set", "x = ag.reshape(x, shape)")
def shape_that_is_set():
    @ag.function
    def f(x):
        x.shape = [3, 1]
        return x

    f(XS)


@wrong("return tape.jacobian(ys, x)", "A target must be a tensor, not a list", "ag.stack(ys)")
def jacobian_of_a_list():
    @ag.function
    def f(x):
        with ag.GradientTape() as tape:
            tape.watch(x)
            ys = [v * 2 for v in x]
        return tape.jacobian(ys, x)

    f(XS)


@wrong("return y", "cannot access local variable 'y'", "the main branch of an `if` deletes 'y'")
def deleted_in_a_branch():
    @ag.function
    def f(x):
        y = x * 2
        if x > 0:
            del y
        return y

    f(ONE)


def grown(xs, n):
    """A list that holds some of its own lists twice, which takes a second way of tracing."""
    rows = [[0.0], [1.0]]
    for i in range(n):
        rows.append(rows[i % 2])
        rows[-1].append(xs[0])
    return rows


@wrong("xs.numpy()", "numpy() needs the value of a staged tensor", "stay with tensor operations")
def value_after_shared_lists():
    @ag.function
    def f(xs, n):
        rows = grown(xs, n)
        xs.numpy()
        return len(rows)

    f(XS, ag.constant(3))


@wrong("return json.dumps(rows)", "dumps() is not converted and cannot take a list", "ag.stack(xs)")
def shared_lists_as_json():
    @ag.function
    def f(xs, n):
        rows = grown(xs, n)
        return json.dumps(rows)

    f(XS, ag.constant(3))


@wrong("return xs[rows]", "a list of a list cannot become one tensor", "stack its parts")
def shared_lists_as_an_index():
    @ag.function
    def f(xs, n):
        rows = grown(xs, n)
        return xs[rows]

    f(XS, ag.constant(3))


@pytest.mark.parametrize(("program", "line", "reason", "way_out"), CASES, ids=[case[0].__name__ for case in CASES])
def test_the_message_is_complete(program, line, reason, way_out) -> None:
    check(program, line, reason, way_out, __file__)


def test_texts_of_c_that_have_to_do_with_no_tensor_stay() -> None:
    @ag.function
    def f(x):
        return struct.pack("f", "abc") + struct.pack("f", x)

    with pytest.raises(struct.error) as raised:
        f(ONE)
    assert not hasattr(raised.value, "__notes__")
