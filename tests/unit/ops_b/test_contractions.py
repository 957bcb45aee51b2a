"""Einsums of one and two operands are products, sums and transpositions, with NumPy's results and gradients."""

import numpy as np
import pytest

import autograph as ag

SIZES = {"a": 2, "b": 3, "c": 4, "d": 5, "e": 1}
EQUATIONS = """ab->ba ab-> ab->b abc->ca ab,bc->ac ab,bc->ca ba,bc->ac ab,cb->ac ba,cb->ca abc,acd->abd abc,adc->abd
    abcd,abd->abc ab,b->a a,ab->b ab->ab a,b->ba ab,ab-> ab,ab->a ab,ab->ba abc,cd->abd abc,bcd->ad abc,bc->a
    ab,cd->abcd ab,cd->bd abc,bd->ad abe,eb->a e,e-> ab,e->ab abcd,cbd->a dab,dbc->dac adb,bcd->dac ,ab->ba""".split()


def _operands(equation, dtype="float32"):
    random = np.random.default_rng(len(equation))
    terms = equation.split("->")[0].split(",")
    return terms, [random.normal(size=[SIZES[c] for c in t]).astype(dtype) for t in terms]


@pytest.mark.parametrize("equation", EQUATIONS)
def test_values_and_gradients(equation):
    terms, xs = _operands(equation)
    right = equation.split("->")[1]

    def f(*xs):
        with ag.GradientTape() as tape:
            tape.watch(list(xs))
            y = ag.einsum(equation, *xs)
            total = ag.reduce_sum(ag.sin(y))
        return y, tape.gradient(total, list(xs))

    want = np.einsum(equation, *xs)
    slope = np.cos(want)
    for g in (f, ag.function(f, jit_compile=False), ag.function(f, jit_compile=True)):
        y, found = g(*map(ag.constant, xs))
        np.testing.assert_allclose(y.numpy(), want, rtol=1e-4, atol=1e-5)
        for k, (x, term) in enumerate(zip(xs, terms, strict=True)):
            others = [j for j in range(len(xs)) if j != k]
            seen = set(right).union(*(terms[j] for j in others))
            kept = "".join(c for c in term if c in seen)
            part = np.einsum(",".join([right, *(terms[j] for j in others)]) + "->" + kept, slope, *(xs[j] for j in others))
            spread = np.einsum(f"{kept},{term}->{term}", part, np.ones_like(x))
            np.testing.assert_allclose(found[k].numpy(), spread, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("equation", [e for e in EQUATIONS if e != "ab->ab"])
def test_no_einsum_is_left(equation):
    _, xs = _operands(equation)
    specs = [ag.TensorSpec(x.shape) for x in xs]
    graph = ag.function(lambda *xs: ag.einsum(equation, *xs)).get_concrete_function(*specs).graph
    assert {n.op.name for n in graph.nodes} & {"einsum"} == set()


def test_sizes_of_one_broadcast_and_integers_keep_their_type():
    a, b = np.ones((2, 1), np.float32), np.arange(12, dtype=np.float32).reshape(3, 4)
    np.testing.assert_array_equal(ag.einsum("ab,bc->ac", a, b).numpy(), np.einsum("ab,bc->ac", a, b))
    small = np.arange(6, dtype=np.int8).reshape(2, 3)
    assert ag.einsum("ab->a", small).dtype.name == "int8"
    truths = np.array([[True, False], [False, False]])
    assert ag.einsum("ab->a", truths).numpy().tolist() == np.einsum("ab->a", truths).tolist()


def test_unknown_sizes():
    f = ag.function(lambda a, b: ag.einsum("abc,bcd->ad", a, b), jit_compile=True)
    f = f.get_concrete_function(ag.TensorSpec([None, 3, None]), ag.TensorSpec([3, None, 5]))
    a, b = np.ones((2, 3, 4), np.float32), np.ones((3, 4, 5), np.float32)
    np.testing.assert_array_equal(f(ag.constant(a), ag.constant(b)).numpy(), np.einsum("abc,bcd->ad", a, b))
