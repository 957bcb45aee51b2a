"""What TensorFlow's programs say to its AutoGraph: options, directives, old names of arguments."""

import traceback

import pytest

import autograph as ag

Feature = ag.autograph.experimental.Feature


def test_function_takes_the_names_that_tensorflows_callers_give():
    @ag.function(
        experimental_implements="mine",
        experimental_autograph_options=(Feature.LISTS, Feature.EQUALITY_OPERATORS),
        experimental_compile=False,
        experimental_follow_type_hints=True,
    )
    def double(x):
        return x * 2

    assert int(double(ag.constant(3))) == 6


def test_all_features_but_some():
    assert Feature.LISTS not in Feature.all_but(Feature.LISTS)
    assert Feature.NAME_SCOPES in Feature.all_but([Feature.LISTS, Feature.ASSERT_STATEMENTS])


@pytest.mark.parametrize("staged", [False, True])
def test_shape_invariants_are_accepted_and_not_needed(staged):
    def rows(n):
        m = ag.constant([[0, 0]])
        for i in range(n):
            ag.autograph.experimental.set_loop_options(
                shape_invariants=[(m, ag.TensorShape([None, 2]))], parallel_iterations=1
            )
            m = ag.concat([m, [[i, i]]], 0)
        return m

    run = ag.function(rows) if staged else rows
    assert run(ag.constant(3)).numpy().tolist() == [[0, 0], [0, 0], [1, 1], [2, 2]]


def test_a_limit_of_iterations_is_refused_with_the_way_out():
    @ag.function
    def f(n):
        while n > 0:
            ag.autograph.experimental.set_loop_options(maximum_iterations=3)
            n -= 1
        return n

    with pytest.raises(ValueError, match="count the iterations and say `break`"):
        f(ag.constant(5))


def test_invariants_must_be_pairs():
    with pytest.raises(ValueError, match="must be pairs"):
        ag.autograph.experimental.set_loop_options(shape_invariants=[ag.constant(1)])


def test_trace_prints_while_tracing_only(capsys):
    @ag.function
    def f(x):
        ag.autograph.trace("tracing", x.dtype.name)
        return x + 1

    f(ag.constant(1))
    f(ag.constant(2))
    assert capsys.readouterr().out == "tracing int32\n"


def test_verbosity_keeps_internal_frames(monkeypatch):
    monkeypatch.setenv("AUTOGRAPH_VERBOSITY", "0")  # put back afterwards

    @ag.function
    def f(x):
        return ag.matmul(x, x)

    def files():
        try:
            f(ag.ones([2, 3]))
        except ValueError as error:
            return {entry.filename for entry in traceback.extract_tb(error.__traceback__)}

    hidden = files()
    ag.autograph.set_verbosity(1)
    shown = files()
    assert len(shown) > len(hidden) == 1


def test_an_invariant_that_does_not_hold_is_said_also_where_every_turn_could_be_written_out():
    @ag.function
    def f(rows):
        m = ag.constant([1])
        for n in rows:
            ag.autograph.experimental.set_loop_options(shape_invariants=[(m, ag.TensorShape([1]))])
            m = ag.range(n)
        return m

    with pytest.raises(ValueError, match="shape"):
        f(ag.constant([1, 2, 3]))
