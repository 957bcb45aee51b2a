"""The short ways through generated code: what is Python's calls no hook, what is not calls the same one as without."""

import linecache
from typing import Any

import pytest

import autograph as ag
from autograph.load.conversion import convert_function
from tests.unit.convert import plain_hooks


class Recording:
    """The plain hooks; notes which hooks of conditions were called."""

    def __init__(self) -> None:
        self.called: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name in ("if_stmt", "if_exp", "and_", "or_", "not_"):
            self.called.append(name)
        return getattr(plain_hooks, name)

    def truth_of(self, x: Any) -> Any:
        """Like a staged tensor, `Odd` has no truth that Python knows."""
        return x if isinstance(x, Odd) else bool(x)


class Odd:
    def __init__(self, truth: bool) -> None:
        self.truth = truth

    def __bool__(self) -> bool:
        return self.truth


def branches(c: Any, d: Any) -> Any:
    if c:
        y = 1
        if d:
            z = y + 1
        else:
            z = y - 1
        y = z
    elif d:
        y = 5
    return y if c else not d


def comprehended(c: Any, d: Any) -> Any:
    if c:
        k = 1
        c = k + 1
    return c, [k for k in range(3)], {k: d for k, _ in [(1, 2)]}


def operands(c: Any, d: Any) -> Any:
    both = c and d and [c]
    either = c or d or [d]
    return both, either, not c, not (c and not d), (1 if c and d else 2 if c or d else 3)


def nested(c: Any, d: Any) -> Any:
    total, last = 0, None
    for x in range(4):
        if x == 3:
            step = 2 if c else 1

            def scaled(y: int) -> int:
                return y * step if d else -y

            total += scaled(x)
            continue
        if not d:
            last = x
            if c and x > 1:
                break
        total += x
    else:
        total = -total
    return total, last


class Private:
    __value = 3

    def method(self, c: Any, d: Any) -> Any:
        if c:
            __local = self.__value
        else:
            __local = -self.__value
        if d:
            __local += 1
        return __local, [x for x in (1, 2, 3) if x != 2 or not d]


def raising(c: Any, d: Any) -> Any:
    if c:
        value = 1
    if d:
        del value
    return value


PROGRAMS = [branches, comprehended, operands, nested, Private().method, raising]


def outcome(f: Any, *arguments: Any) -> Any:
    try:
        return f(*arguments)
    except UnboundLocalError as error:
        return "unbound", str(error).split("'")[1]


@pytest.mark.parametrize("d", [False, True])
@pytest.mark.parametrize("c", [False, True])
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_python_condition_calls_no_hook(program: Any, c: bool, d: bool) -> None:
    hooks = Recording()
    made = convert_function(program, hooks)
    assert outcome(made, c, d) == outcome(program, c, d)
    assert not hooks.called


@pytest.mark.parametrize("d", [False, True])
@pytest.mark.parametrize("c", [False, True])
@pytest.mark.parametrize("program", [branches, nested, Private().method])
def test_any_other_condition_calls_the_hooks(program: Any, c: bool, d: bool) -> None:
    with_short_ways, without = Recording(), Recording()
    made = convert_function(program, with_short_ways)
    plainly = convert_function(program, without, shortcuts=False)
    assert made(Odd(c), Odd(d)) == plainly(Odd(c), Odd(d)) == program(Odd(c), Odd(d))
    assert with_short_ways.called
    assert set(with_short_ways.called) <= set(without.called)


def test_what_is_shown_has_none() -> None:
    assert "ag__test" not in ag.autograph.to_code(branches)
    assert "ag__test" not in convert_function(branches, plain_hooks, shortcuts=False).__code__.co_varnames


def test_locals_are_the_users() -> None:
    def f(c: bool) -> Any:
        if c and not isinstance(c, int):
            y = 1
        else:
            y = 2
        return sorted(locals()), y

    assert ag.autograph.to_graph(f)(True) == (["c", "y"], 2)


def test_tensors_take_the_hooks() -> None:
    f = ag.function(branches)
    for c in (False, True):
        for d in (False, True):
            expected = outcome(branches, c, d)
            assert f(ag.constant(c), d).numpy() == expected
            assert f(c, ag.constant(d)) == expected


def defined(*lines: str) -> Any:
    """The function `f` of some lines."""
    text, namespace = "\n".join(lines), dict[str, Any]()
    file = f"<{len(text)} characters>"
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    exec(compile(text, file, "exec"), namespace)
    return namespace["f"]


def size(code: Any) -> int:
    return len(code.co_code) + sum(size(c) for c in code.co_consts if hasattr(c, "co_code"))


class Falling:
    def __init__(self, height: Any) -> None:
        self.height = height

    @property
    def aloft(self) -> Any:
        return self.height > 0


def last_to_land(heights: Any) -> Any:
    bodies = [Falling(h) for h in heights]
    turns = 0
    while any(body.aloft for body in bodies) and turns < 9:
        for body in bodies:
            body.height = body.height - 1
        turns += 1
    return turns


def test_a_test_may_name_what_only_it_knows() -> None:
    """The objects whose attributes it reads are not the function's: they had no value, or another, where it looked."""
    assert convert_function(last_to_land, hooks=plain_hooks)([3, 1]) == 3
    staged = ag.function(last_to_land)
    assert staged([3, 1]) == 3  # nothing of it is a tensor's
    assert int(staged(ag.constant([3, 1]))) == 3


def test_the_size_grows_with_depth_only() -> None:
    depth = 12
    branches = ["    " * i + f"if x > {i}:" for i in range(1, depth)]
    f = defined("def f(x):", *branches, "    " * depth + "x = 0", "    return x")
    made = convert_function(f, plain_hooks)
    assert made(100) == 0
    assert made(3) == 3
    plainly = convert_function(f, plain_hooks, shortcuts=False)
    assert size(made.__code__) < depth * size(plainly.__code__)


def test_the_size_of_long_chains_grows_with_their_length() -> None:
    sizes = []
    for count in (30, 60):
        tests = [f"    elif x == {i}: x = x + {i}" for i in range(1, count)]
        f = defined("def f(x):", "    if x < 0: x = 1", *tests, "    return x")
        made = convert_function(f, plain_hooks)
        assert [made(x) for x in (-2, 1, 7, count - 1, count)] == [1, 2, 14, 2 * count - 2, count]
        sizes.append(size(made.__code__))
    assert sizes[1] < 2.5 * sizes[0]  # 3.6 where each test keeps all that follows it twice
