"""`ag.debugging`: assertions, eager and staged."""

import pytest

import autograph as ag

D = ag.debugging
GOOD_BAD = {
    "equal": (D.assert_equal, (1, 1), (1, 2)),
    "none_equal": (D.assert_none_equal, (1, 2), (1, 1)),
    "less": (D.assert_less, (1, 2), (2, 2)),
    "less_equal": (D.assert_less_equal, (2, 2), (3, 2)),
    "greater": (D.assert_greater, (3, 2), (2, 2)),
    "greater_equal": (D.assert_greater_equal, (2, 2), (1, 2)),
    "positive": (D.assert_positive, (1,), (0,)),
    "negative": (D.assert_negative, (-1,), (0,)),
    "non_negative": (D.assert_non_negative, (0,), (-1,)),
    "non_positive": (D.assert_non_positive, (0,), (1,)),
    "near": (D.assert_near, (1.0, 1.0000001), (1.0, 1.1)),
    "all_finite": (D.assert_all_finite, (1.0,), (float("inf"),)),
    "numerics": (D.check_numerics, (1.0, "loss"), (float("nan"), "loss")),
}


@pytest.mark.parametrize("name", GOOD_BAD)
@pytest.mark.parametrize("staged", [False, True], ids=["eager", "staged"])
def test_assertions(name, staged):
    check, good, bad = GOOD_BAD[name]

    def f(x, *rest):
        check(x, *rest)
        return x + 1

    call = ag.function(f) if staged else f
    assert call(ag.constant(good[0]), *good[1:]).numpy() == pytest.approx(good[0] + 1)
    with pytest.raises(ag.errors.InvalidArgumentError):
        call(ag.constant(bad[0]), *bad[1:])


def test_messages_hold_values():
    with pytest.raises(ag.errors.InvalidArgumentError, match=r"sizes: x == y .*x = 1; y = 2"):
        D.assert_equal(ag.constant(1), 2, message="sizes")

    @ag.function
    def f(x):
        ag.Assert(x < 3, ["x is", x])
        return x

    with pytest.raises(ag.errors.InvalidArgumentError, match="x is 5"):
        f(ag.constant(5))


def test_static_assertions():
    D.assert_rank(ag.zeros((2, 3)), 2)
    D.assert_shapes([(ag.zeros((2, 3)), ("N", 3)), (ag.zeros((2,)), ("N",)), (ag.zeros((5, 2)), ("*", "N"))])
    for call in (
        lambda: D.assert_rank(ag.zeros(3), 2),
        lambda: D.assert_rank_at_least(ag.zeros(3), 2),
        lambda: D.assert_rank_in(ag.zeros(3), (0, 2)),
        lambda: D.assert_scalar([1]),
        lambda: D.assert_shapes([(ag.zeros((2, 3)), ("N", "N"))]),
        lambda: D.assert_shapes([(ag.zeros((2, 3)), ("N",))]),
        lambda: D.assert_same_float_dtype([ag.constant(1)]),
    ):
        with pytest.raises(ValueError):
            call()
    for call in (
        lambda: D.assert_type(ag.constant(1), ag.float32),
        lambda: D.assert_integer(1.5),
        lambda: D.assert_proper_iterable(ag.constant([1])),
    ):
        with pytest.raises(TypeError):
            call()


def test_nest():
    from collections import OrderedDict, namedtuple

    Point = namedtuple("Point", "x y")
    n = {"b": Point(1, [2]), "a": OrderedDict(z=3)}
    assert ag.nest.flatten(n) == [3, 1, 2]
    assert ag.nest.pack_sequence_as(n, "def") == {"b": Point("e", ["f"]), "a": OrderedDict(z="d")}
    assert ag.nest.flatten(None) == [None]
    assert ag.nest.flatten(ag.constant([1, 2]))[0].shape == (2,)
    assert ag.nest.map_structure(lambda x: x * 2, n)["b"] == Point(2, [4])
    with pytest.raises(ValueError, match="3 leaves, but 1"):
        ag.nest.pack_sequence_as(n, [1])
    with pytest.raises(TypeError):
        ag.nest.assert_same_structure([1], (1,))
    ag.nest.assert_same_structure([1], (1,), check_types=False)
    with pytest.raises(ValueError):
        ag.nest.map_structure(lambda a, b: a, [1], [1, 2])
    with pytest.raises(TypeError, match="other"):
        ag.nest.map_structure(len, [1], other=2)


def test_scopes_and_questions():
    seen = []

    @ag.function
    def f(x):
        seen.append((ag.inside_function(), ag.executing_eagerly(), ag.get_static_value(x)))
        with ag.control_dependencies([x]), ag.device("/CPU:0"), ag.name_scope("s"):
            y = x + 1
        return ag.identity_n([y])[0]

    assert f(ag.constant(1)).numpy() == 2
    assert seen == [(True, False, None)]
    with pytest.raises(ag.errors.InvalidArgumentError, match="GPU:0"), ag.device("/GPU:0"):
        pass
