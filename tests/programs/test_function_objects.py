"""A decorated function is to `inspect`, `pickle`, `copy`, `functools` and their like what the function itself is."""

import asyncio
import copy
import doctest
import functools
import inspect
import pickle
import sys
import types
import typing
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import autograph as ag


def plain(a: int, b: "list[int]" = [3], /, *c: int, d: int = 4, **e: Any) -> float:  # noqa: B006
    """Documented.

    >>> 1
    1
    """
    return a if a > 0 else -a


staged = ag.function(plain)
graph = ag.autograph.to_graph(plain)


@ag.function
def decorated(x: Any, y: int = 2) -> Any:
    """The sum.

    >>> int(decorated(ag.constant(1)))
    3
    """
    return x + y


class Scaled:
    def __init__(self, scale: int = 2) -> None:
        self.scale = scale

    @ag.function
    def method(self, x: Any) -> Any:
        """Scaled."""
        return x * self.scale

    @classmethod
    @ag.function
    def of_class(cls, x: Any) -> Any:
        return x + 1

    @staticmethod
    @ag.function
    def static(x: Any) -> Any:
        return x + 2


@pytest.mark.parametrize("made", [staged, graph], ids=["function", "to_graph"])
@pytest.mark.parametrize(
    "look",
    [
        inspect.signature, inspect.getfullargspec, inspect.getdoc, inspect.getcomments, inspect.getsource,
        inspect.getsourcelines, inspect.getmodule, inspect.isroutine, inspect.iscoroutinefunction,
        inspect.isgeneratorfunction, inspect.isasyncgenfunction, typing.get_type_hints, callable,
    ],
)  # fmt: skip
def test_inspect_sees_the_function(look: Callable[[Any], Any], made: Any) -> None:
    assert look(made) == look(plain)


@pytest.mark.parametrize("made", [staged, graph], ids=["function", "to_graph"])
@pytest.mark.parametrize(
    "name",
    ["__doc__", "__name__", "__qualname__", "__module__", "__annotations__", "__defaults__", "__kwdefaults__"],
)
def test_the_attributes_are_those_of_the_function(name: str, made: Any) -> None:
    assert getattr(made, name) == getattr(plain, name)


def test_the_function_is_found_behind_it() -> None:
    assert staged.__wrapped__ is plain
    assert inspect.unwrap(staged) is plain
    assert staged.__code__ is plain.__code__
    assert staged.__globals__ is plain.__globals__
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        staged.nothing


def test_what_a_decorator_replaced_pickles_by_name() -> None:
    assert pickle.loads(pickle.dumps(decorated)) is decorated
    assert pickle.loads(pickle.dumps(Scaled.method)) is Scaled.method
    assert pickle.loads(pickle.dumps(Scaled.static)) is Scaled.static
    assert pickle.loads(pickle.dumps(Scaled)) is Scaled
    assert decorated(ag.constant(1)).numpy() == 3  # traced: no difference
    assert pickle.loads(pickle.dumps({"f": decorated}))["f"] is decorated


def test_another_function_pickles_with_its_function_and_options() -> None:
    made = ag.function(halve, input_signature=[ag.TensorSpec([], ag.int32)] * 2, jit_compile=False, name="named")
    again = pickle.loads(pickle.dumps(made))
    assert again.python_function is halve
    assert again.input_signature == made.input_signature
    assert again._jit_compile is False
    assert again._name == "named"
    assert again(ag.constant(13), ag.constant(3)).numpy() == 3


def test_bound_ones_pickle_with_their_instance() -> None:
    again = pickle.loads(pickle.dumps(Scaled(5).method))
    assert again.__self__.scale == 5
    assert again(ag.constant(2)).numpy() == 10
    assert pickle.loads(pickle.dumps(Scaled.of_class))(ag.constant(2)).numpy() == 3


def test_a_local_function_is_refused_by_pickle_as_ever() -> None:
    with pytest.raises((pickle.PicklingError, AttributeError), match="Can't pickle|Can't get local"):
        pickle.dumps(ag.function(lambda x: x))


def test_copies() -> None:
    assert copy.copy(decorated) is decorated
    assert copy.deepcopy(decorated) is decorated
    holder = types.SimpleNamespace(f=decorated, bound=Scaled(3).method)
    copied = copy.deepcopy(holder)
    assert copied.f is decorated
    assert copied.bound.__self__ is not holder.bound.__self__
    assert copied.bound(ag.constant(2)).numpy() == 6
    scaled = Scaled(4)
    of_bound = copy.deepcopy(ag.function(types.MethodType(Scaled.method.python_function, scaled)))
    assert of_bound.python_function.__self__ is not scaled
    assert of_bound(ag.constant(2)).numpy() == 8


def test_bound_ones_compare_and_tell_as_methods_do() -> None:
    scaled = Scaled()
    assert scaled.method == scaled.method
    assert hash(scaled.method) == hash(scaled.method)
    assert scaled.method != Scaled().method
    assert scaled.method.__func__ is Scaled.method
    assert (scaled.method.__doc__, scaled.method.__module__) == ("Scaled.", __name__)
    assert weakref.ref(decorated)() is decorated


def test_doctests_are_found_and_run() -> None:
    found = doctest.DocTestFinder().find(sys.modules[__name__])
    assert {"decorated": 1, "plain": 1}.items() <= {t.name.rpartition(".")[2]: len(t.examples) for t in found}.items()
    runner = doctest.DocTestRunner(verbose=False)
    for test in found:
        runner.run(test)
    assert runner.failures == 0


def test_functions_of_functools_take_it() -> None:
    @functools.wraps(decorated)
    def wrapper(*args: Any) -> Any:
        return decorated(*args)

    assert wrapper.__name__ == "decorated"
    assert inspect.signature(wrapper) == inspect.signature(decorated)
    cached = functools.lru_cache(ag.function(lambda n: n + 1))
    assert (cached(3), cached(3), cached.cache_info().hits) == (4, 4, 1)

    class Doubled:
        @ag.function
        def method(self, a: Any, b: Any) -> Any:
            return a * b

        double = functools.partialmethod(method, 2)

    assert Doubled().double(ag.constant(4)).numpy() == 8


# What functools and contextlib have wrapped is converted


def halve(x: Any, least: int) -> Any:
    while x > least:
        x = x // 2
    return x


@functools.lru_cache
def cached_halve(x: Any) -> Any:
    return halve(x, 3)


@functools.singledispatch
def dispatched(x: Any) -> Any:
    if x > 0:
        return x
    return -x


@dispatched.register
def _(x: int) -> int:
    return 100 + x


class Dispatching:
    @functools.singledispatchmethod
    def method(self, x: Any) -> Any:
        if x > 0:
            return x
        return -x

    @method.register
    def _(self, x: int) -> int:
        return 100 + x


@contextmanager
def clipped(x: Any) -> Iterator[Any]:
    if x > 10:
        x = ag.constant(10)
    yield x


@pytest.mark.parametrize(
    ("wrapped", "expected"),
    [
        (functools.partial(halve, least=3), 3),
        (functools.partial(functools.partial(halve), least=1), 1),
        (cached_halve, 3),
        (functools.partial(cached_halve), 3),
        (dispatched, 13),
        (functools.partial(dispatched), 13),
        (lambda x: cached_halve(x), 3),
        (lambda x: dispatched(x) + dispatched(1), 114),
        (lambda x: Dispatching().method(x) + Dispatching().method(2), 115),
    ],
)
def test_wrapped_functions_are_converted(wrapped: Callable[..., Any], expected: int) -> None:
    made = ag.function(wrapped)
    for _ in range(2):
        assert made(ag.constant(13)).numpy() == expected
    assert made.experimental_get_tracing_count() == 1


def test_context_managers_are_converted() -> None:
    @ag.function
    def f(x: Any) -> Any:
        with clipped(x) as y:
            return y + 1

    assert f(ag.constant(4)).numpy() == 5
    assert f(ag.constant(40)).numpy() == 11


def test_a_cache_keeps_no_staged_tensor() -> None:
    @functools.lru_cache
    def ones(n: int) -> Any:
        return ag.ones([n])

    f = ag.function(lambda x: x + ones(2))
    assert f(ag.constant([1.0, 2.0])).numpy().tolist() == [2, 3]
    assert f(ag.constant([[1.0, 2.0]])).numpy().tolist() == [[2, 3]]  # traced again
    assert ones(2).numpy().tolist() == [1, 1]


def test_a_cache_still_caches_calls_without_tensors() -> None:
    calls = []

    @functools.lru_cache
    def size(n: int) -> int:
        calls.append(n)
        return n + 1

    f = ag.function(lambda x: x + size(2) + size(2))
    assert f(ag.constant(1)).numpy() == 7
    assert (calls, size.cache_info().hits) == ([2], 1)


# Functions whose calls run nothing


def test_generator_functions_are_staged_where_they_are_looped_over() -> None:
    @ag.function
    def counted(x: Any) -> Iterator[Any]:
        for i in range(3):
            yield x + i

    with pytest.raises(NotImplementedError, match=r"generators are not staged on their own: counted\(\)"):
        counted(ag.constant(3))
    ag.config.run_functions_eagerly(True)
    try:
        assert [int(y) for y in counted(ag.constant(3))] == [3, 4, 5]
    finally:
        ag.config.run_functions_eagerly(False)
    assert inspect.isgeneratorfunction(counted)
    total = ag.function(lambda x: sum(counted(x)))
    assert total(ag.constant(3)).numpy() == 12


def test_async_functions_run_as_they_are() -> None:
    async def more(x: Any) -> Any:
        await asyncio.sleep(0)
        return x + 1

    @ag.function
    async def f(x: Any) -> Any:
        if x > 0:
            x = await more(x)
        return x

    @ag.function
    async def several(x: Any) -> AsyncIterator[Any]:
        yield x
        yield x + 1

    async def collected() -> list[int]:
        return [int(y) async for y in several(ag.constant(1))]

    assert inspect.iscoroutinefunction(f)
    assert inspect.isasyncgenfunction(several)
    for _ in range(2):
        assert asyncio.run(f(ag.constant(1))).numpy() == 2
        assert asyncio.run(f(-1)) == -1
        assert asyncio.run(collected()) == [1, 2]
