"""What a graph raises in functions that others called shows all these calls, as Python does, however the graph is run."""

import traceback

import pytest

import autograph as ag

MODES = pytest.mark.parametrize("jit_compile", [False, True])


def check(v, name):
    if v < 0:
        raise ValueError(f"{name} must not be negative, got {v}")
    return v


def steps(v, name):
    for _ in range(3):
        v = check(v - 2, name)
    return v


def pick(xs, i):
    return xs[i]


def total(xs, n):
    s = 0.0
    for i in ag.range(n):
        s += pick(xs, i) * 2
    return s


def higher(n):
    assert n < 20, f"too high: {n}"
    return n if n > 50 else higher(n + 1)


def lookup(d, x):
    if x > 1:
        return d["a"]
    return d["b"]


class Layer:
    def __init__(self, limit):
        self.limit = limit

    def __call__(self, x):
        assert x < self.limit, "too much"
        return x


def raised_by_calls(x):
    return steps(x + 100, "a") + steps(x, "b")


def index_in_a_loop(x):
    if x > 0:
        return total(ag.constant([1.0, 2.0]), ag.cast(x, ag.int32))
    return 0.0


def recursion(x):
    return higher(x)


def key_on_a_path(x):
    return lookup({"b": x}, x)


def layers(x):
    layer = Layer(4.0)
    return ag.map_fn(lambda row: layer(row), ag.stack([x, x]))


def generated(x):
    return sum(check(v, "v") for v in (x, -x))


@ag.function
def inner(x):
    return pick(ag.constant([1.0]), ag.cast(x, ag.int32))


def function_in_function(x):
    return inner(x) + 1


CASES = [
    (raised_by_calls, ["raised_by_calls", "steps", "check"]),
    (index_in_a_loop, ["index_in_a_loop", "total", "pick"]),
    (recursion, ["recursion", "higher", "higher"]),
    (key_on_a_path, ["key_on_a_path", "lookup"]),
    (layers, ["layers", "<lambda>", "__call__"]),
    (generated, ["generated", "check"]),
    (function_in_function, ["function_in_function", "inner", "pick"]),
]


@MODES
@pytest.mark.parametrize(("program", "calls"), CASES, ids=[program.__name__ for program, _ in CASES])
def test_all_calls_are_shown(program, calls, jit_compile) -> None:
    f = ag.function(program, jit_compile=jit_compile)
    for _ in range(2):  # traced, and from the cache
        with pytest.raises(Exception) as raised:  # noqa: PT011 (what they are is tested elsewhere)
            f(ag.constant(5.0))
        entries = traceback.extract_tb(raised.value.__traceback__)[1:]
        assert [entry.name for entry in entries] == calls
        assert {entry.filename for entry in entries} == {__file__}


@MODES
def test_calls_from_two_lines_are_told_apart(jit_compile) -> None:
    def f(x, y):
        first = check(x, "x")
        second = check(y, "y")
        return first + second

    staged = ag.function(f, jit_compile=jit_compile)
    for arguments, line in (((-1.0, 1.0), 'first = check(x, "x")'), ((1.0, -1.0), 'second = check(y, "y")')):
        with pytest.raises(ValueError, match="must not be negative") as raised:
            staged(*map(ag.constant, arguments))
        assert traceback.extract_tb(raised.value.__traceback__)[1].line == line


def test_many_calls_are_cut() -> None:
    def down(x, n):
        if n == 0:
            return check(x, "x")
        return down(x, n - 1)

    with pytest.raises(ValueError, match="must not be negative") as raised:
        ag.function(lambda x: down(x, 100))(ag.constant(-1.0))
    assert len(traceback.extract_tb(raised.value.__traceback__)) == 41
