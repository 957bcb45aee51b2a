"""Attributes that are set by name, by descriptors, and past a class's own `__setattr__`."""

import dataclasses

from tests.programs.harness import Programs

PROGRAMS = Programs()


class Offset:
    """Stores what it is given plus one, under another name."""

    def __set_name__(self, owner, name):
        self.name = "_" + name

    def __get__(self, instance, owner=None):
        return self if instance is None else getattr(instance, self.name, 0)

    def __set__(self, instance, value):
        if value < 0:
            raise ValueError(f"{self.name} is negative")
        setattr(instance, self.name, value + 1)

    def __delete__(self, instance):
        delattr(instance, self.name)


class InDictionary(Offset):
    def __set__(self, instance, value):
        instance.__dict__[self.name] = value + 1


class Cell:
    level = Offset()
    other = InDictionary()


class Limited:
    def __init__(self):
        self.value = 0

    def __setattr__(self, name, value):
        if value > 5:
            value = 5
        super().__setattr__(name, value)


class Counting:
    def __init__(self):
        object.__setattr__(self, "writes", 0)
        self.value = 0

    def __setattr__(self, name, value):
        object.__setattr__(self, name, value + 1)
        object.__setattr__(self, "writes", self.writes + 1)


@dataclasses.dataclass(frozen=True)
class Frozen:
    x: object
    y: object = 0

    def __post_init__(self):
        if self.x > 2:
            object.__setattr__(self, "y", self.x * 2)


@PROGRAMS.add(1, 4)
def by_name(n):
    cell = Cell()
    cell.total = 0
    for i in range(n):
        setattr(cell, "total", cell.total + i)  # noqa: B010 (what is tested)
        if i == 2:
            delattr(cell, "total")
            object.__setattr__(cell, "total", 100)
    return cell.total


@PROGRAMS.add(1, 4)
def by_descriptors(n):
    cell = Cell()
    cell.level = cell.other = n
    for i in range(n):
        cell.level += i
        cell.other = cell.other + cell.level
    return cell.level, cell.other


@PROGRAMS.add(1, 5)
def refused_by_a_descriptor(n):
    cell = Cell()
    try:
        cell.level = n - 3
    except ValueError:
        return -1
    return cell.level


@PROGRAMS.add(1, 3, 8)
def past_a_method(n):
    limited, counting = Limited(), Counting()
    for i in range(n):
        limited.value = limited.value + i
        counting.value += i
        if counting.value > 7:
            counting.value = 0
    return limited.value, counting.value, counting.writes


def given(counting, n):
    counting.value = counting.value + n
    if n > 2:
        counting.value = n
    return counting.value, counting.writes


@PROGRAMS.add(1, 3)
def of_one_given(n):
    counting = Counting()
    return given(counting, n), given(counting, n + 1)


@PROGRAMS.add(1, 4)
def frozen(n):
    one = Frozen(n)
    for i in range(n):
        one = dataclasses.replace(one, x=one.x + i)
    return one.x, one.y


test_eager, test_staged, test_gradients = PROGRAMS.tests()
