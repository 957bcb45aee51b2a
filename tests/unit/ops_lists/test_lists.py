"""List operations: Python's meaning, types, plans (in place and not), gradients."""

from __future__ import annotations

import numpy as np
import pytest

from runtime.backends.numpy_executor.executor import compile_graph
from runtime.grad.reverse import gradient_graph
from runtime.ops.registry import get
from runtime.typesys.errors import DTypeError
from runtime.typesys.join import join_types
from runtime.typesys.spec import ListType, TensorType
from tests.unit.executor.build import BOOL, FLOAT, INT, F, array
from tests.unit.executor.interpret import duplicate, interpret, same

A, B, C = (np.arange(3, dtype="d") + k for k in range(3))
LIST = ListType(array(3, dtype="float64"))

CASES = {
    "append": (lambda x: [*x, C], lambda f, x: f.list_append(x, C)),
    "concat": (lambda x: x + x, lambda f, x: f.list_concat(x, x)),
    "insert": (lambda x: [x[0], C, x[1]], lambda f, x: f.list_insert(x, -1, C)),
    "insert far": (lambda x: [*x, C], lambda f, x: f.list_insert(x, 99, C)),
    "get": (lambda x: x[-1], lambda f, x: f.list_get(x, -1)),
    "set": (lambda x: [x[0], C], lambda f, x: f.list_set(x, -1, C)),
    "slice": (lambda x: x[1:], lambda f, x: f.list_slice(x, 1, spec=(True, False, False))),
    "slice by step": (lambda x: x[::-1], lambda f, x: f.list_slice(x, -1, spec=(False, False, True))),
    "len": (len, lambda f, x: f.list_len(x)),
    "reverse": (lambda x: x[::-1], lambda f, x: f.list_reverse(x)),
    "repeat": (lambda x: x * 2, lambda f, x: f.list_repeat(x, 2)),
    "index": (lambda x: 1, lambda f, x: f.list_index(x, B)),
    "contains": (lambda x: False, lambda f, x: f.list_contains(x, C)),
    "count": (lambda x: 1, lambda f, x: f.list_count(x, A)),
    "stack": (np.stack, lambda f, x: f.list_stack(x)),
    "unstack": (list, lambda f, x: f.list_unstack(f.list_stack(x))),
    "concat tensors": (np.concatenate, lambda f, x: f.list_concat_tensors(x, axis=0)),
    "accumulate": (lambda x: [x[0] + C, x[1]], lambda f, x: f.list_accumulate_at(x, 0, C)),
    "pop": (lambda x: x[1], lambda f, x: f.list_pop(x, -1)[1]),
    "cast": (
        lambda x: [e.astype("f") for e in x], lambda f, x: f.list_cast(x, type=array(3, dtype="float32")),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("owned", [False, True])
def test_meaning(name: str, owned: bool) -> None:
    expected, make = CASES[name]
    f = F()
    x = f.input(LIST, "x")
    graph = f.returns(make(f, x))
    given = [A.copy(), B.copy()]
    run = compile_graph(graph, frozenset({0}) if owned else frozenset())
    same(run(duplicate(given)), [expected(given)])
    if not owned:
        run(given)
        same(given, [A, B])
    same(interpret(graph, given), [expected(given)])


def test_owned_lists_are_updated_in_place() -> None:
    f = F()
    n = f.input(INT, "n")
    empty = f.list_new(element=INT)
    filled = f.for_loop(n, [empty], lambda i, xs: f.list_append(xs, f.mul(i, i)), "xs")[0]
    rest, last = f.list_pop(filled, -1)
    run = compile_graph(f.returns(f.list_set(rest, 0, 7), last))
    assert "xs.append(i * i)" in run.source
    assert ".pop(-1)" in run.source
    assert run(4) == [[7, 1, 4], 9]


def test_a_list_that_is_needed_later_is_copied() -> None:
    f = F()
    x = f.list_from(1, 2)
    y = f.list_append(x, 3)
    assert compile_graph(f.returns(x, y))() == [[1, 2], [1, 2, 3]]


def test_an_unowned_list_is_copied_once_for_a_loop() -> None:
    f = F()
    x = f.input(ListType(INT), "x")
    [y] = f.for_loop(3, [x], lambda i, xs: f.list_append(xs, i), "xs")
    run = compile_graph(f.returns(y))
    given = [9]
    assert run(given) == [[9, 0, 1, 2]]
    assert given == [9]
    assert run.source.count(".copy()") == 1


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda f, x: f.list_get(x, 2), IndexError),
        (lambda f, x: f.list_set(x, -3, C), IndexError),
        (lambda f, x: f.list_pop(f.list_new(element=INT), 0)[1], IndexError),
        (lambda f, x: f.list_index(x, C), ValueError),
        (lambda f, x: f.list_place(x, 5), IndexError),
    ],
)
def test_errors(make, error) -> None:
    f = F()
    x = f.input(LIST, "x")
    with pytest.raises(error):
        compile_graph(f.returns(make(f, x)))([A, B])


def test_an_empty_list_stacks_to_no_rows() -> None:
    f = F()
    x = f.input(LIST, "x")
    out = compile_graph(f.returns(f.list_stack(x, element=LIST.element)))([])[0]
    assert out.shape == (0, 3)
    assert out.dtype == np.float64


def test_numbers_stack_as_literals_do() -> None:
    f = F()
    out = compile_graph(f.returns(f.list_stack(f.list_from(1.0, 2.0))))()[0]
    assert out.dtype == np.float32


def test_joins() -> None:
    f4, f8 = TensorType("float32", (2, 3)), TensorType("float64", (2, 5))
    joined = join_types(f4, f8)
    assert joined.dtype == "float64"
    assert joined.shape[0] == 2
    assert not isinstance(joined.shape[1], int)
    assert join_types(INT, FLOAT) == FLOAT
    assert join_types(BOOL, INT) == INT
    assert join_types(f4, TensorType("float32", (2,))).shape is None
    assert join_types(ListType(None), ListType(INT)) == ListType(INT)
    assert get("list_append").infer(ListType(None), f4) == ListType(f4)
    with pytest.raises(DTypeError):
        join_types(f4, ListType(None))


def weigh(f: F, xs):
    """A scalar that depends on every element of a list, each in its own way."""
    count = f.list_len(xs)
    zero = f.reduce_sum(f.mul(np.zeros(3), np.zeros(3)), axis=None, keepdims=False)
    [total] = f.for_loop(
        count,
        [zero],
        lambda i, t: f.add(
            t, f.mul(f.reduce_sum(f.square(f.list_get(xs, i)), axis=None, keepdims=False), f.add(i, 1.5))
        ),
    )
    return total


PROGRAMS = {
    "append": lambda f, a, b: f.list_append(f.list_from(a, b), f.mul(a, b)),
    "set": lambda f, a, b: f.list_set(f.list_from(a, b, a), 1, f.sin(a)),
    "pop": lambda f, a, b: f.list_pop(f.list_from(a, b, f.mul(a, b)), -2)[0],
    "popped": lambda f, a, b: f.list_from(f.list_pop(f.list_from(a, b), 0)[1]),
    "insert": lambda f, a, b: f.list_insert(f.list_from(a, b), -1, f.mul(a, b)),
    "concat": lambda f, a, b: f.list_concat(f.list_from(a, b), f.list_from(b, f.sin(a))),
    "slice": lambda f, a, b: f.list_slice(f.list_from(a, b, a), 1, 3, spec=(True, True, False)),
    "reverse": lambda f, a, b: f.list_reverse(f.list_from(a, b)),
    "repeat": lambda f, a, b: f.list_repeat(f.list_from(a, b), 3),
    "stack": lambda f, a, b: f.list_unstack(f.square(f.list_stack(f.list_from(a, b)))),
    "concat tensors": lambda f, a, b: f.list_from(
        f.index(f.list_concat_tensors(f.list_from(a, b), axis=0), spec=((1, 4, None),))
    ),
    "accumulate": lambda f, a, b: f.list_accumulate_at(f.list_from(a, b), -1, f.mul(a, b)),
    "loop": lambda f, a, b: f.for_loop(3, [f.list_new(element=LIST.element), a], lambda i, xs, y: [
        f.list_append(xs, f.mul(y, b)), f.sin(y)])[0],
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_gradients(name: str) -> None:
    f = F(name.replace(" ", "_"))
    a, b = f.input(LIST.element, "a"), f.input(LIST.element, "b")
    graph = f.returns(weigh(f, PROGRAMS[name](f, a, b)))
    forward = compile_graph(graph)
    backward = gradient_graph(graph, [0, 1], [0])
    given = [np.array([0.3, -0.7, 1.1]), np.array([0.9, 0.2, -0.4])]
    got = compile_graph(backward)(*given, np.float64(1))
    same(got, interpret(backward, *given, np.float64(1)))
    for k in range(2):
        wanted = np.zeros(3)
        for j in range(3):
            steps = [duplicate(given), duplicate(given)]
            steps[0][k][j] += 1e-6
            steps[1][k][j] -= 1e-6
            wanted[j] = (forward(*steps[0])[0] - forward(*steps[1])[0]) / 2e-6
        np.testing.assert_allclose(got[k], wanted, rtol=1e-6, atol=1e-8)
