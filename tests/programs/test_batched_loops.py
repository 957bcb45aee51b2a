"""Loops whose products move out of them give what they gave: every program staged against the same code eager."""

import numpy as np
import pytest

import autograph as ag

RANDOM = np.random.default_rng(3)


def normal(*shape):
    return ag.constant(RANDOM.standard_normal(shape) * 0.5)


def cell(x, weights, state):
    return ag.tanh(x @ weights[0] + state @ weights[1] + weights[2])


def rnn(xs, weights):
    state = ag.zeros([xs.shape[1], 4], ag.float64)
    out = []
    for x in xs:
        state = cell(x, weights, state)
        out.append(state)
    return ag.stack(out)


def rnn_by_index(xs, weights):
    state = ag.zeros([xs.shape[1], 4], ag.float64)
    out = []
    for t in ag.range(ag.shape(xs)[0]):
        state = cell(xs[t], weights, state)
        out.append(state)
    return ag.stack(out)


def rnn_by_while(xs, weights):
    state = ag.zeros([xs.shape[1], 4], ag.float64)
    t = 0
    while t < ag.shape(xs)[0]:
        state = cell(xs[t], weights, state)
        t += 1
    return state * ag.cast(t, ag.float64)


def rnn_part_of_the_rows(xs, weights):
    state = ag.zeros([xs.shape[1], 4], ag.float64)
    for t in ag.range(ag.shape(xs)[0] - 2):
        state = cell(xs[t], weights, state)
    return state


def rnn_backwards(xs, weights):
    state = ag.zeros([xs.shape[1], 4], ag.float64)
    n = ag.shape(xs)[0]
    for t in ag.range(n):
        state = cell(xs[n - 1 - t], weights, state)
    return state


def rnn_masked_rows(xs, weights):
    state = ag.zeros([xs.shape[1], 4], ag.float64)
    for t in ag.range(ag.shape(xs)[0]):
        x = ag.where(ag.cast(t, ag.float64) < xs[t], xs[t] * 2.0, 0.0)
        state = cell(x, weights, state) + ag.reduce_sum(x, axis=1, keepdims=True)
    return state


def rnn_of_vectors(xs, weights):
    state = ag.zeros([4], ag.float64)
    for x in xs[:, 0]:
        state = ag.tanh(ag.linalg.matvec(weights[0], x, transpose_a=True) + state @ weights[1] + weights[2])
    return state


def two_uses_of_a_weight(xs, weights):
    state = ag.zeros([xs.shape[1], 4], ag.float64)
    for x in xs:
        state = ag.tanh(x @ weights[0] + ag.tanh(state @ weights[1]) @ weights[1])
        state = state + ag.tanh(x * 0.5 @ weights[0]) * weights[2]
    return state


def output_layer(xs, weights):
    state = ag.zeros([xs.shape[1], 4], ag.float64)
    losses = []
    for x in xs:
        state = cell(x, weights, state)
        losses.append(ag.reduce_sum((state @ weights[1] - x[:, :4]) ** 2))
    return ag.stack(losses)


def one_feature(xs, weights):
    state = ag.zeros([xs.shape[1], 4], ag.float64)
    for x in xs:
        state = (
            ag.tanh(x[:, :1] @ weights[0][:1] + state @ weights[1]) + (state @ weights[1][:, :1]) * weights[2]
        )
    return state


def columns(xs, weights):
    state = ag.zeros([4, 1], ag.float64)
    for x in xs:
        state = ag.tanh(ag.transpose(weights[0]) @ ag.transpose(x[:1]) + weights[1] @ state)
    return state


def nested(xs, weights):
    total = ag.zeros([xs.shape[1], 4], ag.float64)
    for t in ag.range(3):
        state = total
        for x in xs:
            state = cell(x, weights, state)
        total = total + state * xs[t][:, :1]
    return total


def in_a_branch(xs, weights):
    state = ag.zeros([xs.shape[1], 4], ag.float64)
    for x in xs:
        if ag.reduce_sum(x) > 0:
            state = cell(x, weights, state)
        else:
            state = state - x @ weights[0]
    return state


def leaves_early(xs, weights):
    state = ag.zeros([xs.shape[1], 4], ag.float64)
    for x in xs:
        state = cell(x, weights, state)
        if ag.reduce_sum(state) > 2:
            break
    return state


def batches_first(xs, weights):
    state = ag.zeros([xs.shape[0], 4] if xs.shape[0] is not None else ag.stack([ag.shape(xs)[0], 4]), ag.float64)
    out = []
    for t in ag.range(ag.shape(xs)[1]):
        state = cell(xs[:, t], weights, state)
        out.append(state)
    return ag.stack(out, axis=1)


def batches_first_known_range(xs, weights):
    state = cell(xs[:, 0], weights, ag.matmul(xs[:, 0], weights[0]))
    for t in ag.range(1, 3):
        state = cell(xs[:, t, :], weights, state) + cell(xs[:, 2 - t], weights, state)
    return state


def batches_first_backwards(xs, weights):
    state = ag.matmul(xs[:, 0], weights[0])
    for t in ag.range(3):
        state = cell(xs[:, 2 - t], weights, state)
    return state


PROGRAMS = [
    batches_first, batches_first_known_range, batches_first_backwards,
    rnn, rnn_by_index, rnn_by_while, rnn_part_of_the_rows, rnn_backwards, rnn_masked_rows, rnn_of_vectors,
    two_uses_of_a_weight, output_layer, one_feature, columns, nested, in_a_branch, leaves_early,
]  # fmt: skip
SIZES = {"known": None, "steps": [None, 3, 5], "all": [None, None, 5]}


CASES = [
    (p, sizes)
    for p in PROGRAMS
    for sizes in SIZES
    if sizes != "all" or p in (rnn, rnn_by_index, rnn_by_while, batches_first, batches_first_backwards)
]


@pytest.mark.parametrize(("program", "sizes"), CASES, ids=lambda p: getattr(p, "__name__", p))
def test_values_and_gradients_are_those_of_eager(program, sizes):
    xs, weights = normal(6, 3, 5), [normal(5, 4), normal(4, 4), normal(4)]

    def both(xs, *weights):
        with ag.GradientTape() as tape:
            tape.watch([xs, *weights])
            out = program(xs, weights)
            loss = ag.reduce_sum(out * out)
        return out, tape.gradient(loss, [xs, *weights])

    ag.config.run_functions_eagerly(True)
    try:
        expected = both(xs, *weights)
    finally:
        ag.config.run_functions_eagerly(False)
    spec = None if SIZES[sizes] is None else [
        ag.TensorSpec(SIZES[sizes], ag.float64), *(ag.TensorSpec(w.shape, ag.float64) for w in weights),
    ]  # fmt: skip
    staged = ag.function(both, input_signature=spec)
    for found, wanted in zip(ag.nest.flatten(staged(xs, *weights)), ag.nest.flatten(expected), strict=True):
        assert (found is None) == (wanted is None)
        if wanted is not None:
            np.testing.assert_allclose(found.numpy(), wanted.numpy(), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_native_code_gives_what_the_plan_gives(program):
    pytest.importorskip("llvmlite")
    xs, weights = normal(6, 3, 5), [normal(5, 4), normal(4, 4), normal(4)]

    def both(xs, *weights):
        with ag.GradientTape() as tape:
            tape.watch([xs, *weights])
            out = program(xs, weights)
            loss = ag.reduce_sum(out * out)
        return out, tape.gradient(loss, [xs, *weights])

    found, wanted = (
        ag.nest.flatten(ag.function(both, jit_compile=native)(xs, *weights)) for native in (True, False)
    )
    for mine, plans in zip(found, wanted, strict=True):
        assert (mine is None) == (plans is None)
        if plans is not None:
            np.testing.assert_allclose(mine.numpy(), plans.numpy(), rtol=1e-9, atol=1e-9)


def masked_by_list(xs, weights, lengths):
    state = ag.zeros([xs.shape[1], 4], ag.float64)
    out = []
    for t in ag.range(ag.reduce_max(lengths)):
        new = cell(xs[t], weights, state)
        going = (t < lengths)[:, None]
        state = ag.where(going, new, state)
        out.append(ag.where(going, new, ag.zeros_like(new)))
    return ag.stack(out)


def masked_by_array(xs, weights, lengths):
    count = ag.reduce_max(lengths)
    state = ag.zeros([xs.shape[1], 4], ag.float64)
    out = ag.TensorArray(ag.float64, size=count)
    t = ag.constant(0)
    while t < count:
        new = cell(xs[t], weights, state)
        going = ag.expand_dims(t < lengths, 1)
        state = ag.where(going, new, state)
        out = out.write(t, ag.where(going, new, 0.0))
        t += 1
    return out.stack()


@pytest.mark.parametrize("program", [masked_by_list, masked_by_array])
@pytest.mark.parametrize("lengths", [[3, 5, 1], [2, 2, 2], [1, 1, 1]])
def test_masked_steps(program, lengths):
    """Masks of all steps are made before the loop, with their negation; zeros are not made; the inputs are not collected."""

    def gradients(xs, weights, lengths):
        with ag.GradientTape() as tape:
            tape.watch(weights)
            loss = ag.reduce_sum(program(xs, weights, lengths) ** 2)
        return tape.gradient(loss, weights)

    xs, lengths = normal(5, 3, 6), ag.constant(lengths)
    weights = [normal(6, 4), normal(4, 4), normal(4)]
    forward, backward = (ag.function(f, jit_compile=False) for f in (program, gradients))
    np.testing.assert_allclose(forward(xs, weights, lengths), program(xs, weights, lengths), rtol=1e-12)
    for a, b in zip(backward(xs, weights, lengths), gradients(xs, weights, lengths), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9)
    source = forward.get_concrete_function(xs, weights, lengths).executable.source
    turn = source[source.index("for i in range") : source.index("return")]
    assert "logical_not" not in turn and "zeros" not in turn and ".append(" not in turn, source
    source = backward.get_concrete_function(xs, weights, lengths).executable.source
    turn = source[source.index("for i in range") : source.index("for i_2 in range")]
    assert "xs[" not in turn and turn.count(".append(") == 2, source  # the mask, and what tanh gave
