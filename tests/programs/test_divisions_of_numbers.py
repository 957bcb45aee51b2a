"""A Python number on the path that was taken raises where it is divided by zero; tensors give NumPy's values."""

import warnings

import numpy as np
import pytest

import autograph as ag

VECTORS = [np.array(v, np.float32) for v in ([-1.0, -2.0], [1.0, -2.0, 4.0], [], [20.0, 1.0])]


def mean_of_a_list(xs):
    ys = []
    for x in xs:
        if x > 0:
            ys.append(x)
    return sum(ys) / len(ys)


def mean_of_a_comprehension(xs):
    ys = [x for x in xs if x > 0]
    return sum(ys) / len(ys)


def mean_by_a_counter(xs):
    n = 0
    s = 0.0
    for x in xs:
        if x > 0:
            n += 1
            s += x
    return s / n


def twice_the_mean(xs):
    n = 0
    s = 0.0
    for x in xs:
        if x > 0:
            n += 1
            s += x
    return 2 * s / n


def sum_of_all_by_a_counter(xs):
    n = 0
    s = 0.0
    for x in xs:
        s += x
        if x > 10:
            n += 1
    return s / n


def while_loop(xs):
    i = 0
    n = 0
    s = 0.0
    while i < len(xs):
        if xs[i] > 0:
            s = s + xs[i]
            n += 1
        i += 1
    return s / n


def division_in_a_loop(xs):
    out = xs[:1].sum()
    for t in xs:
        n = 0
        s = 0
        for x in xs:
            if x >= t:
                s += x
                n += 1
        out += s / (n - 1)
    return out


def chosen(xs):
    n = len([x for x in xs if x > 0])
    if n > 5:
        s = xs[0]
    else:
        s = 1.0
    return s // n


def remainder(xs):
    n = len([x for x in xs if x > 0])
    s = 5
    for x in xs:
        if x > 0:
            s += x
    return s % n


def from_a_tensor(xs):
    n = 0
    s = np.float32(0) if isinstance(xs, np.ndarray) else ag.constant(0.0)
    for x in xs:
        if x > 0:
            n += 1
            s += x
    return s / n


def guarded(xs):
    ys = [x for x in xs if x > 0]
    return sum(ys) / len(ys) if ys else xs.sum()


PROGRAMS = [
    mean_of_a_list, mean_of_a_comprehension, mean_by_a_counter, twice_the_mean, sum_of_all_by_a_counter, while_loop,
    division_in_a_loop, chosen, remainder, from_a_tensor, guarded,
]  # fmt: skip


FORMS = [{"jit_compile": False}, {"jit_compile": True}, {"input_signature": [ag.TensorSpec([None])]}]


def outcome(f, xs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return np.float32(f(xs))
        except ZeroDivisionError as error:
            return str(error)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_as_python(program, form) -> None:
    staged = ag.function(program, **form)
    for xs in VECTORS:
        expected, found = outcome(program, xs), outcome(staged, ag.constant(xs))
        assert type(expected) is type(found), (xs, expected, found)
        if isinstance(expected, str):
            assert expected == found
        else:
            np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_long_chains() -> None:
    def f(xs):
        s = 0.0
        for k in range(3000):
            s = s + xs[0] * float(k % 7)
        return s / len([x for x in xs if x > 10])

    assert np.isinf(ag.function(f)(ag.constant([1.0, 2.0])).numpy())


@pytest.mark.parametrize("jit_compile", [False, True])
def test_gradients(jit_compile) -> None:
    @ag.function(jit_compile=jit_compile)
    def f(xs):
        with ag.GradientTape() as tape:
            tape.watch(xs)
            y = mean_by_a_counter(xs)
        return tape.gradient(y, xs)

    assert f(ag.constant(VECTORS[1])).numpy().tolist() == [0.5, 0.0, 0.5]
    with pytest.raises(ZeroDivisionError):
        f(ag.constant([-1.0, -2.0, -3.0]))


def test_the_line_is_the_users() -> None:
    with pytest.raises(ZeroDivisionError) as raised:
        ag.function(mean_by_a_counter)(ag.constant(VECTORS[0]))
    entry = raised.traceback[-1]
    assert str(entry.statement).strip() == "return s / n"
