"""What Python raises where it makes a value is raised although nobody reads it, and the rest is not worked out."""

import numpy as np
import pytest

import autograph as ag

XS = np.array([1.0, 2.0, 3.0], np.float32)


def item(xs, n):
    xs[n]
    return n


def item_under_a_name(xs, n):
    v = xs[n] * 2 + 1  # noqa: F841
    return n


def item_under_two_names(xs, n):
    v = xs[n]
    w = v  # noqa: F841
    return n


def item_of_a_list(xs, n):
    ys = [x for x in xs if x > 0]
    ys[n]
    return n


def last_of_an_empty_list(xs, n):
    ys = []
    for x in xs:
        if x > 10:
            ys.append(x)
    last = ys[-1]  # noqa: F841
    return n


def in_a_loop(xs, n):
    s = 0
    while s < n:
        xs[s]
        s += 1
    return s


def in_a_branch(xs, n):
    if n > 2:
        v = xs[n]  # noqa: F841
    return n


def in_an_expression(xs, n):
    v = xs[n] if n > 1 else xs[0]  # noqa: F841
    return n


def before_a_loop(xs, n):
    v = xs[n]
    for _ in range(n):
        w = v / 2  # noqa: F841
    return n


def unbound_name(xs, n):
    for x in xs:
        if x > 10:
            found = x
    found  # noqa: B018
    return n


def unbound_name_under_another(xs, n):
    if n > 10:
        found = n
    y = found  # noqa: F841
    return n


def deleted_name(xs, n):
    del xs
    if n < 0:
        xs = 1
    v = xs  # noqa: F841
    return n


def division_by_a_count(xs, n):
    c = len([x for x in xs if x > 10])
    m = 10 // c  # noqa: F841
    return n


def wrong_shape(xs, n):
    m = np.reshape(xs, (n, 2))  # noqa: F841
    return n


def called(xs, n):
    def helper(i):
        return xs[i]

    v = helper(n)  # noqa: F841
    return n


def pop_of_an_empty_list(xs, n):
    ys = [x for x in xs if x > 10]
    ys.pop()
    return n


def pop_in_a_branch(xs, n):
    ys = [x for x in xs if x > 1]
    if n > 5:
        ys.pop(n)
    return n


def pop_in_a_loop(xs, n):
    ys = [x for x in xs if x > 10]
    while len(ys) < 3:
        ys.pop()
        if xs[0] > 5:
            break
    return n


def pop_in_a_recursion(xs, n):
    def drop(ys, k):
        if k > 0:
            ys.pop()
            drop(ys, k - 1)

    drop([x for x in xs if x > 10], n)
    return n


def deleted_item(xs, n):
    ys = [x for x in xs if x > 10]
    del ys[0]
    return n


def assigned_item(xs, n):
    ys = [x for x in xs if x > 10]
    ys[0] = 1.0
    return n


def item_of_an_array(xs, n):
    ys = xs * 0
    ys[n] = 1.0
    return n


def item_of_a_new_array(xs, n):
    made = np.zeros(n - 5)
    made[2] = 1.0
    return n


def part_of_an_array(xs, n):
    ys = xs * 0
    ys[: n - 5] = xs
    return n


def item_of_an_array_in_a_loop(xs, n):
    ys = xs * 0
    for i in range(n):
        ys[i] = 1.0
    return n


def recursion(xs, n):
    def search(i):
        if xs[i] > 10:
            return i
        return search(i + 1)

    found = search(n * 0)  # noqa: F841
    return n


def asked_for_nothing(xs, n):
    if xs[n] > 1:
        pass
    return n


def asked_at_the_end_of_a_turn(xs, n):
    for x in xs:
        if (xs[n] > x) == (x > 2):
            continue
    return n


def put_into_a_dictionary(xs, n):
    for x in xs:
        row = {"a": xs[n], "b": (x, [n])}  # noqa: F841
    return n


PROGRAMS = [
    item, item_under_a_name, item_under_two_names, item_of_a_list, last_of_an_empty_list, in_a_loop, in_a_branch,
    in_an_expression, before_a_loop, unbound_name, unbound_name_under_another, deleted_name, division_by_a_count,
    wrong_shape, called, recursion, pop_of_an_empty_list, pop_in_a_branch, pop_in_a_loop, pop_in_a_recursion,
    deleted_item, assigned_item, item_of_an_array, item_of_a_new_array, part_of_an_array, item_of_an_array_in_a_loop,
    asked_for_nothing, asked_at_the_end_of_a_turn, put_into_a_dictionary,
]  # fmt: skip


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_raises_as_python_does(program, jit_compile) -> None:
    with pytest.raises(Exception) as python:  # noqa: PT011 (whatever it is, the graph has to raise the same)
        program(XS, np.int64(7))
    with pytest.raises(type(python.value)):
        ag.function(program, jit_compile=jit_compile)(ag.constant(XS), ag.constant(7, ag.int64))


UNHARMED = [
    item, item_under_a_name, item_of_a_list, in_a_branch, in_an_expression, called, asked_for_nothing,
    put_into_a_dictionary,
]  # fmt: skip


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("program", UNHARMED)
def test_raises_nothing_where_it_is_there(program, jit_compile) -> None:
    assert ag.function(program, jit_compile=jit_compile)(ag.constant(XS), ag.constant(2, ag.int64)).numpy() == 2


@pytest.mark.parametrize(
    "text", ["v = x * y + 1", "v = x[0]; w = v * 2", "v = f(x)", "x[1]", "v = y[:5] @ x"], ids=lambda text: text
)
def test_what_cannot_raise_is_not_worked_out(text, tmp_path) -> None:
    file = tmp_path / "program.py"
    file.write_text(f"def f(a):\n    return a * 2 + a\n\ndef g(x, y):\n    {text}\n    return x\n")
    space = {}
    exec(compile(file.read_text(), str(file), "exec"), space)
    spec = ag.TensorSpec([3], ag.float32)
    concrete = ag.function(space["g"], jit_compile=False).get_concrete_function(spec, spec)
    assert len(concrete.executable.source.splitlines()) == 2, concrete.executable.source


def test_nothing_is_demanded_of_lists_that_are_read() -> None:
    @ag.function(jit_compile=False)
    def f(n):
        stack, total = [n], 0
        while stack:
            k = stack.pop()
            total += k
            if k > 1:
                stack.append(k - 1)
                stack[0] = k - 2
        return total

    concrete = f.get_concrete_function(ag.TensorSpec([], ag.int64))
    assert "demand" not in concrete.executable.source
    assert f(ag.constant(5, ag.int64)).numpy() == 9


def test_nothing_is_demanded_of_arrays_that_are_read() -> None:
    @ag.function(jit_compile=False)
    def f(xs, n):
        ys = xs * 0
        for i in range(n):
            ys[i] = xs[i] * 2
        return ys

    concrete = f.get_concrete_function(ag.TensorSpec([3]), ag.TensorSpec([], ag.int64))
    assert "demand" not in concrete.executable.source
    assert f(ag.constant(XS), ag.constant(2, ag.int64)).numpy().tolist() == [2.0, 4.0, 0.0]


def test_a_gradient_goes_through() -> None:
    @ag.function
    def f(xs, n):
        with ag.GradientTape() as tape:
            tape.watch(xs)
            total = 0.0
            for i in range(n):
                xs[i]
                total += xs[i] ** 2
        return tape.gradient(total, xs)

    assert f(ag.constant(XS), ag.constant(2)).numpy().tolist() == [2.0, 4.0, 0.0]
    with pytest.raises(IndexError):
        f(ag.constant(XS), ag.constant(4))
