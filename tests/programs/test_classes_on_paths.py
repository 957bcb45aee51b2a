"""Values that are of another class on some paths, told apart by `type` and `singledispatch`."""

import functools

from tests.programs.harness import Programs

PROGRAMS = Programs()


class Base:
    def size(self):
        return 1


class Derived(Base):
    def size(self):
        return 2


@functools.singledispatch
def size(x):
    return 1


@size.register
def _(x: list):
    return sum(size(e) for e in x)


@size.register
def _(x: dict):
    return 10 * len(x)


@size.register
def _(x: tuple):
    return 1000 + len(x)


@size.register
def _(x: type(None)):
    return 100


@size.register
def _(x: Base):
    return x.size()


@PROGRAMS.add(2.0, -1.0)
def nested(x):
    items = [x, [x, [x]], {"a": x}]
    if x > 0:
        items.append([x, x])
    return size(items)


@PROGRAMS.add(2.0, -1.0)
def of_two_kinds(x):
    items = [x, x]
    if x > 0:
        items = (x, x)
    return size(items)


@PROGRAMS.add(2.0, -1.0)
def of_none(x):
    items = None
    if x > 0:
        items = {1: x}
    return size(items)


@PROGRAMS.add(2.0, -1.0, -9.0)
def asked_for(x):
    items = None
    if x > 0:
        items = [x]
    elif x < -5:
        items = x
    return type(items) is list, type(items) == list, type(items) is type(None), isinstance(items, list)  # noqa: E721


@PROGRAMS.add(2.0, -1.0)
def each_of_a_list(x):
    items = [[x], x, None]
    if x > 0:
        items.append([x])
    n = 0
    for item in items:
        if type(item) is list:
            n += 1
        elif item is None:
            n += 10
        else:
            n += 100
    return n, [size(item) for item in items]


@PROGRAMS.add(2.0, -1.0)
def of_objects(x):
    one = Base() if x > 0 else Derived()
    return size(one), type(one) is Base, type(one).size(one), {Base: 3, Derived: 4}[type(one)]


test_eager, test_staged, test_gradients = PROGRAMS.tests()
