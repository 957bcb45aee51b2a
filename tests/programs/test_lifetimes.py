"""Inside a trace objects die when they would without one, and nothing of a program is asked that Python would not ask."""

import builtins
import gc
import linecache
import sys
import weakref
from types import ModuleType
from unittest import mock

import numpy as np
import pytest

import autograph as ag
from autograph.load.conversion import convert_function


class Node:
    def __init__(self, value):
        self.value = value
        self.seen = 0

    def look(self):
        self.seen += 1
        return self.value


class Slots:
    __slots__ = ("value",)

    def __init__(self, value):
        self.value = value


def traced(f):
    """What a function gives inside a trace; a list to which it appends is asked, since the trace undoes other writes."""
    found = []

    @ag.function
    def staged(x):
        found.append(f())
        return x

    staged(np.float32(1.0))
    return found[-1]


class Delegate:
    def look(self):
        return 1


class Lazy:
    """A descriptor that makes something each time it is asked."""

    asked = 0

    def __get__(self, instance, owner=None):
        Lazy.asked += 1
        return Delegate()


class WithLazy:
    part = Lazy()


def test_an_object_dies_though_a_method_of_its_class_was_replaced():
    @ag.autograph.do_not_convert
    def made():
        return Delegate()

    def work():
        one = made()
        one.look = len
        reference = weakref.ref(one)
        one = None
        return reference() is None

    assert work()
    assert traced(work)


def test_setting_attributes_asks_no_descriptor_that_only_reads():
    class Child(WithLazy):
        pass

    def work():
        one = Child()
        one.part = 1
        Child.part = Lazy()
        del Child.part, one.part
        return Lazy.asked

    assert work() == 0
    assert traced(work) == 0


def test_a_static_method_of_a_class_comes_back_as_one():
    class Tools:
        @staticmethod
        def twice(x):
            return 2 * x

    own = Tools.__dict__["twice"]

    @ag.function
    def f(x):
        Tools.twice = staticmethod(abs)
        del Tools.twice
        Tools.twice = own
        return x + Tools.twice(3)

    assert float(f(np.float32(1.0))) == 7.0
    assert Tools.__dict__["twice"] is own
    assert Tools().twice(4) == 8


def test_an_object_dies_with_its_last_name():
    def work():
        node = Node(3)
        node.look()
        node.extra = 4
        reference = weakref.ref(node)
        node = None
        return reference() is None

    assert work()
    assert traced(work)


def test_an_object_that_was_made_by_python_dies_too():
    def make():
        return Node(3)

    make.__module__ = "unittest.case"  # called as it is

    def work():
        node = make()
        node.other = 5
        reference = weakref.ref(node)
        node = None
        return reference() is None

    assert traced(work)


def test_what_dies_makes_room_for_another_of_its_id():
    def work():
        total = 0
        for i in range(2000):
            node = Node(i)
            node.extra = i
            total += node.look() + node.seen
        return total

    assert traced(work) == work()


def test_a_function_that_only_notes_held_is_collected():
    def work():
        def inner():
            return 1

        inner.mark = 2
        inner.other = 3
        reference = weakref.ref(inner)
        inner = None
        gc.collect()
        return reference() is None

    assert traced(work)


def test_objects_without_weak_references_keep_their_state():
    @ag.function
    def staged(x):
        kept = [Slots(i) for i in range(5)]
        for i in range(5):
            if x > i:
                kept[i].value = kept[i].value + x
        return kept[0].value, kept[4].value

    assert [float(v) for v in staged(np.float32(3.0))] == [3.0, 4.0]


def test_writes_to_an_object_in_a_staged_loop_are_seen():
    @ag.function
    def staged(x):
        node = Node(x)
        other = Node(x * 2.0)
        while node.value < 10.0:
            node.value = node.value + other.value
            fresh = Node(node.value)
            fresh.value = fresh.value + 1.0
            other = fresh
        return node.value, other.value

    def plain(x):
        return staged.python_function(np.float64(x))

    assert [float(v) for v in staged(np.float64(1.0))] == [float(v) for v in plain(1.0)]


def test_a_callable_is_not_asked_for_its_hash():
    def work(m):
        m(1)
        m.send(2)

    m = mock.MagicMock()
    traced(lambda: work(m))
    assert m.mock_calls
    assert all(call in (mock.call(1), mock.call.send(2)) for call in m.mock_calls)


def test_a_builtin_that_the_program_replaced_is_its_own(monkeypatch: pytest.MonkeyPatch):
    callers = set()
    plainly = builtins.len

    def noting(x):
        callers.add(sys._getframe(1).f_code.co_filename)
        return plainly(x)

    def work():
        kept, xs = {}, []
        for i in range(3):
            kept[i] = xs
            xs.append(i)
        return [*kept, *xs]

    with monkeypatch.context() as patched:
        patched.setattr(builtins, "len", noting)
        result = traced(work)
    assert result == work()
    assert callers
    assert not [file for file in callers if "autograph/operators" in file.replace("\\", "/")]


def test_the_source_is_read_past_linecache(tmp_path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "read_me.py"
    path.write_text("def double(x):\n    if x > 0:\n        return x * 2\n    return x\n")
    module = ModuleType("read_me")
    exec(compile(path.read_text(), str(path), "exec"), vars(module))

    def broken(*args, **kwargs):
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(linecache, "updatecache", broken)
        patched.setattr(linecache, "getlines", broken)
        converted = convert_function(module.double, ag.operators)
    assert converted(4) == 8
    assert str(path) not in linecache.cache


class Box:
    def __init__(self):
        self.items = []
        self.count = 0

    def put(self, x):
        self.items.append(x)
        self.count += 1


def test_what_python_makes_in_a_trace_and_keeps_is_no_state_of_the_function():
    class Converted(Box):
        __init__ = convert_function(Box.__init__, ag.operators)
        put = convert_function(Box.put, ag.operators)

    kept = []

    def make():
        box = Converted()
        box.itself = box
        box.put(1)
        box.put(2)
        kept.append(box)

    make.__module__ = "unittest.case"  # called as it is

    @ag.function
    def staged(x):
        make()
        return x + 1.0

    assert float(staged(np.float32(1.0))) == 2.0
    assert kept[-1].items == [1, 2]
    assert kept[-1].count == 2
    assert float(staged(np.float32(3.0))) == 4.0
    assert kept[-1].items == [1, 2]


def test_what_a_function_counts_in_its_own_objects_goes_on():
    box = Box()

    @ag.function
    def staged(x):
        box.put(x)
        return x + box.count

    assert [float(staged(np.float32(1.0))) for _ in range(3)] == [2.0, 3.0, 4.0]
    assert [float(x) for x in box.items] == [1.0, 1.0, 1.0]


def test_what_python_makes_and_refers_to_itself_is_no_state_either():
    class Group(Box):
        def __init__(self, parent):
            self.parent = parent
            self.children = []

        __init__ = convert_function(__init__, ag.operators)

        def grow(self):
            child = type(self)(self)
            self.children.append(child)
            self.first = child
            return child

        grow = convert_function(grow, ag.operators)

    kept = []

    def make():
        top = Group(None)
        top.grow().grow()
        kept.append(top)

    make.__module__ = "unittest.case"  # called as it is

    @ag.function
    def staged(x):
        make()
        return x + 1.0

    assert float(staged(np.float32(1.0))) == 2.0
    assert kept[-1].first.parent is kept[-1]
    assert len(kept[-1].children) == 1
