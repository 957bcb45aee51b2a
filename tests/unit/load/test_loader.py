"""What a converted function keeps of its original."""

import functools
import gc
import inspect
import sys
import threading

import pytest

from autograph.errors.catalogue import NotAFunctionError, SourceUnavailableError
from autograph.load.cache import CodeCache, is_converted
from autograph.load.conversion import convert_function
from tests.unit.convert import plain_hooks


def convert(f):
    return convert_function(f, plain_hooks)


def fib(n: int, *, low: "int" = 2) -> int:
    """Doc."""
    return n if n < low else fib(n - 1) + fib(n - 2)


fib.note = "kept"


def test_metadata() -> None:
    made = convert(fib)
    assert made(10) == 55
    for name in ("__name__", "__qualname__", "__module__", "__doc__", "__defaults__", "__kwdefaults__",
                 "__annotations__", "__dict__", "__globals__"):  # fmt: skip
        assert getattr(made, name) == getattr(fib, name), name
    code, original = made.__code__, fib.__code__
    assert (code.co_filename, code.co_firstlineno, code.co_name, code.co_qualname) == (
        original.co_filename, original.co_firstlineno, original.co_name, original.co_qualname,
    )  # fmt: skip
    assert inspect.signature(made) == inspect.signature(fib)


def test_cells_are_shared() -> None:
    def counter():
        nonlocal count
        count += later()
        return count

    made = convert(counter)
    count = 1
    later = lambda: 2  # bound after the conversion
    assert made() == 3
    assert count == 3
    assert counter() == 5


def test_recursive_closure() -> None:
    def down(n):
        return 0 if n == 0 else down(n - 1)

    assert convert(down)(3) == 0


class Base:
    def who(self):
        return "base"


class _Derived(Base):
    made = 0

    def who(self):
        _Derived.made += 1
        return "derived of " + super().who()

    def kind(self):
        return __class__, [super(_Derived, self).who() for _ in range(1)]

    def __secret(self, __key=1):
        self.__hidden = __key
        return self.__hidden + __key

    @classmethod
    def build(cls):
        return cls.made if cls else None

    pick = lambda self: self._Derived__secret() and self.__hidden


def test_methods_super_and_private_names() -> None:
    d = _Derived()
    before = _Derived.made
    assert convert(d.who)() == "derived of base"
    assert _Derived.made == before + 1
    assert convert(_Derived.who)(d) == "derived of base"
    assert convert(d.kind)() == (_Derived, ["base"])
    assert convert(d._Derived__secret)() == 2
    assert d._Derived__hidden == 1
    assert convert(_Derived.build)() == _Derived.made
    assert convert(d.pick)() == 1


def twice(f):
    @functools.wraps(f)
    def wrapper(*args):
        return f(*args) * 2

    return wrapper


@twice
@twice
def decorated(x):
    return x + 1


def test_decorators_of_the_outermost_are_dropped() -> None:
    inner = decorated.__wrapped__.__wrapped__
    assert convert(inner)(1) == 2
    assert convert(inner).__code__.co_firstlineno == inner.__code__.co_firstlineno
    assert convert(decorated)(1) == 8
    assert convert(decorated).__wrapped__ is decorated.__wrapped__


def test_lambdas() -> None:
    a = 5
    fs = [lambda x: x if a else 0, lambda x, *y, k=2: (x, y, k)]
    assert convert(fs[0])(3) == 3
    assert convert(fs[1])(1, 2, 3) == (1, (2, 3), 2)
    assert convert(fs[0]).__name__ == "<lambda>"


def test_generators_and_coroutines_stay_what_they_are() -> None:
    def gen(n):
        for i in range(n):
            yield i if i else -1

    async def co(x):
        return x and await co(0)

    assert list(convert(gen)(3)) == [-1, 1, 2]
    assert inspect.isgeneratorfunction(convert(gen))
    assert inspect.iscoroutinefunction(convert(co))
    with pytest.raises(StopIteration, match="0"):
        convert(co)(1).send(None)


def test_converted_code_is_known_and_not_converted_again() -> None:
    def outer():
        def inner():
            return 1

        return inner

    made = convert(outer)
    inner = made()
    assert is_converted(made.__code__)
    assert is_converted(inner.__code__)
    assert inner.__qualname__ == outer().__qualname__
    assert not is_converted(outer.__code__)
    assert convert(made) is made
    assert convert(inner) is inner
    assert convert(outer).__code__ is made.__code__


def test_future_annotations_hold() -> None:
    text = "from __future__ import annotations\ndef f():\n    def g(x: nowhere): return x\n    return g\n"
    import linecache

    linecache.cache["<future>"] = (len(text), None, text.splitlines(keepends=True), "<future>")
    space: dict = {}
    exec(compile(text, "<future>", "exec"), space)
    assert convert(space["f"])().__annotations__ == {"x": "nowhere"}


def test_what_can_not_be_converted() -> None:
    space: dict = {}
    exec(compile("def f(): return 1", "<made>", "exec"), space)
    with pytest.raises(SourceUnavailableError, match="'f' is not available"):
        convert(space["f"])
    with pytest.raises(NotAFunctionError):
        convert(len)


def test_cache_is_weak_and_thread_safe() -> None:
    cache: CodeCache[object] = CodeCache()
    made = []

    def make():
        made.append(1)
        return object()

    f = lambda: 0
    code = f.__code__.replace(co_name="copy")
    threads = [threading.Thread(target=cache.get, args=(code, "options", make)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert cache.get(code, "other", make) is not cache.get(code, "options", make)
    assert len(cache) == 1
    del code, threads, thread
    gc.collect()
    assert len(cache) == 0


@pytest.mark.skipif(sys.version_info < (3, 12), reason="type parameters came with Python 3.12")
def test_type_parameters() -> None:
    import linecache

    text = "def f[T](x: T) -> T:\n    def g[U](y: U): return y\n    return T, g(x)\n"
    linecache.cache["<generic>"] = (len(text), None, text.splitlines(keepends=True), "<generic>")
    space: dict = {}
    exec(compile(text, "<generic>", "exec"), space)
    f = space["f"]
    assert convert(f)(1) == (f.__type_params__[0], 1)
    assert convert(f).__type_params__ == f.__type_params__
