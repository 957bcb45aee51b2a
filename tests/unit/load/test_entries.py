"""What `to_graph` gives: the function as it stands where nothing is traced, its converted form inside a trace."""

from __future__ import annotations

import inspect
import sys
import traceback
from collections.abc import Callable
from typing import Any

import pytest

import autograph as ag
from autograph.load.cache import is_converted

to_graph = ag.autograph.to_graph


def events_of(function: Callable[..., Any], *args: Any) -> list[tuple[str, str, int]]:
    """What a debugger would see of a call."""
    seen: list[tuple[str, str, int]] = []

    def look(frame: Any, event: str, _: Any) -> Any:
        if frame.f_code.co_filename == __file__:
            seen.append((event, frame.f_code.co_name, frame.f_lineno))
        return look

    before = sys.gettrace()
    sys.settrace(look)
    try:
        function(*args)
    finally:
        sys.settrace(before)
    return seen


def collatz(n: int) -> int:
    """Its turns."""
    turns = 0
    while n != 1:
        if n % 2:
            n = 3 * n + 1
        else:
            n = n // 2
        turns += 1
    return turns


def test_outside_a_trace_the_function_runs_as_it_stands() -> None:
    assert events_of(to_graph(collatz), 6) == events_of(collatz, 6)


def test_inside_a_trace_it_is_converted() -> None:
    made = to_graph(collatz)
    traced = ag.function(lambda n: made(n))
    assert int(traced(ag.constant(6))) == collatz(6)
    assert int(ag.function(made)(ag.constant(7))) == collatz(7)
    assert int(ag.function(lambda n: list(map(made, [n]))[0])(ag.constant(7))) == collatz(7)
    assert to_graph(made) is made
    assert (made.__name__, made.__doc__, inspect.signature(made)) == ("collatz", "Its turns.", inspect.signature(collatz))
    assert inspect.getsource(made) == inspect.getsource(collatz)


def test_from_python_that_is_not_converted_it_stages_too() -> None:
    made = to_graph(collatz)

    @ag.autograph.do_not_convert
    def plain(n: Any) -> Any:
        return made(n)

    assert int(ag.function(lambda n: plain(n))(ag.constant(6))) == collatz(6)


def test_arguments_of_all_kinds() -> None:
    def all_kinds(a: Any, /, b: Any = 2, *rest: Any, k: Any, m: Any = 5, **more: Any) -> Any:
        if b > 2:
            a = a + k
        return a, b, rest, k, m, more

    made = to_graph(all_kinds)
    expected = all_kinds(1, 3, 4, k=6, z=7)
    assert made(1, 3, 4, k=6, z=7) == expected
    traced = ag.function(lambda a: made(a, a + 2, 4, k=6, z=7))(ag.constant(1))
    assert (int(traced[0]), int(traced[1]), *traced[2:]) == expected
    with pytest.raises(TypeError, match=r"all_kinds\(\) missing 1 required keyword-only argument: 'k'"):
        made(1)


class Counter:
    def __init__(self) -> None:
        self.__n = 0

    def add(self, __more: int = 1, *, __twice: int = 0) -> int:
        """Private names in a class."""
        self.__n += __more + __twice
        return self.__n if self.__n < 10 else super().__hash__() * 0

    made = to_graph(add)


def test_methods_and_private_names() -> None:
    counter = Counter()
    assert (counter.made(), counter.made(3), to_graph(counter.add)(1)) == (1, 4, 5)
    assert int(ag.function(lambda x: Counter().made(x))(ag.constant(4))) == 4


def test_cells_are_shared_by_both() -> None:
    def count(x: Any) -> Any:
        nonlocal n
        n = n + 1
        return x + n if x > 0 else x - n

    n = 0
    made = to_graph(count)
    assert made(1) == 2
    assert int(ag.function(lambda x: made(x))(ag.constant(1))) == 3
    assert (made(-1), n) == (-4, 3)


def test_functions_made_outside_are_converted_where_they_are_called() -> None:
    def maker(k: int) -> Any:
        return lambda x: x * k if x > 0 else -x

    inner = to_graph(maker)(3)
    assert not is_converted(inner.__code__)
    assert inner.__qualname__ == maker(3).__qualname__
    assert int(ag.function(lambda x: inner(x))(ag.constant(2))) == 6
    assert int(ag.function(lambda x: to_graph(maker)(3)(x))(ag.constant(-2))) == 2


def test_recursion_by_its_own_name() -> None:
    @to_graph
    def power(x: Any, n: int) -> Any:
        return 1 if n == 0 else x * power(x, n - 1)

    assert power(2, 10) == 1024
    assert int(ag.function(lambda x: power(x, 3))(ag.constant(2))) == 8


def test_lambdas_and_generators() -> None:
    made = to_graph(lambda x, *y, k=2: (x if x > 0 else -x, y, k))
    assert made(-3, 1) == (3, (1,), 2)

    def turns(n: Any) -> Any:
        for i in range(n):
            if i > 1:
                yield i

    begun = to_graph(turns)
    assert list(begun(4)) == [2, 3]
    assert inspect.isgeneratorfunction(begun)


def test_tracebacks_and_callers_have_one_frame() -> None:
    def fails(n: int) -> Any:
        if n:
            raise ValueError(sys._getframe(1).f_code.co_name)
        return n

    with pytest.raises(ValueError, match="test_tracebacks_and_callers") as caught:
        to_graph(fails)(1)
    frames = [f.name for f in traceback.extract_tb(caught.value.__traceback__)]
    assert frames == ["test_tracebacks_and_callers_have_one_frame", "fails"]
