"""The shape tests of `match` statements. They answer in Python, but for what is of several structures, for the length of
a list that only the run knows, and for keys that are there on some paths only."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from autograph.operators.containers.lists import dynamic_of, get_slice, length
from autograph.operators.state.numbers import is_number, python_type
from autograph.operators.values.choice import CHOICES, choice_of, is_alternative, select
from autograph.operators.values.listvalue import new_list
from autograph.operators.values.maybe import has_maybe_keys, is_set
from runtime.tensor.dispatch import op

# Classes whose one positional sub-pattern is the subject itself (Python's language reference, 8.6.4.9).
_ITSELF = (bool, bytearray, bytes, dict, float, frozenset, int, list, set, str, tuple)


def match_sequence(subject: Any, count: int, star: bool) -> Any:
    """Whether `subject` is a sequence, not a string, of `count` items; with `star`, of at least so many.

    >>> match_sequence((1, 2), 2, False), match_sequence([1, 2, 3], 2, True), match_sequence("ab", 2, False)
    (True, True, False)
    """
    if type(subject) in CHOICES:
        return _of_alternatives(subject, lambda each: match_sequence(each, count, star))
    dynamic = dynamic_of(subject)
    if dynamic is not None:
        return (op.greater_equal if star else op.equal)(length(dynamic), count)
    if not isinstance(subject, Sequence) or isinstance(subject, (str, bytes, bytearray)):
        return False
    return len(subject) >= count if star else len(subject) == count


def match_star(subject: Any, before: int, after: int) -> Any:
    """The items for `*name`, with `before` items in front of them and `after` behind.

    >>> match_star((1, 2, 3, 4), 1, 1)
    [2, 3]
    """
    if type(subject) in CHOICES:
        return select(subject, lambda each: match_star(each, before, after))
    dynamic = dynamic_of(subject)
    if dynamic is not None:
        return new_list(get_slice(dynamic, slice(before, -after or None)))
    items = list(subject)
    return items[before : len(items) - after]


def match_mapping(subject: Any, keys: tuple[object, ...]) -> Any:
    """Whether `subject` is a mapping that has all the keys; raises `ValueError` for a key given twice.

    >>> match_mapping({"a": 1, "b": 2}, ("a",)), match_mapping({}, ("a",)), match_mapping([], ())
    (True, False, False)
    """
    if type(subject) in CHOICES:
        return _of_alternatives(subject, lambda each: match_mapping(each, keys))
    if not isinstance(subject, Mapping):
        return False
    for position, key in enumerate(keys):
        if key in keys[:position]:
            raise ValueError(f"mapping pattern checks duplicate key ({key!r})")
    if type(subject) is dict and has_maybe_keys(subject):
        if not all(key in subject for key in keys):
            return False
        staged = [test for test in (is_set(subject[key]) for key in keys) if test is not True]
        return functools.reduce(op.logical_and, staged) if staged else True
    missing = object()
    return all(subject.get(key, missing) is not missing for key in keys)


def match_rest(subject: Any, keys: tuple[object, ...]) -> Any:
    """The items for `**name`: those of other keys.

    >>> match_rest({"a": 1, "b": 2}, ("a",))
    {'b': 2}
    """
    if type(subject) in CHOICES:
        return select(subject, lambda each: match_rest(each, keys))
    rest = dict(subject)
    for key in keys:
        del rest[key]
    return rest


def match_class(subject: Any, cls: type, count: int, attributes: tuple[str, ...]) -> Any:
    """Whether `subject` is an instance of `cls` with what `count` positional and these named patterns need.

    Raises `TypeError` where `cls` is no class or takes fewer positional patterns.

    >>> match_class(1.5, float, 1, ()), match_class(1, str, 0, ()), match_class(1, int, 0, ("real", "nope"))
    (True, False, False)
    """
    if not isinstance(cls, type):
        raise TypeError("called match pattern must be a class")
    if type(subject) in CHOICES:
        return _of_alternatives(subject, lambda each: match_class(each, cls, count, attributes))
    stood_for = python_type(subject) if is_number(subject) else getattr(type(subject), "__python_class__", object)
    if not (isinstance(subject, cls) or issubclass(stood_for, cls)):
        return False
    names = _positional(cls)
    allowed = 1 if names is None else len(names)
    if count > allowed:
        plural = "" if allowed == 1 else "s"
        raise TypeError(f"{cls.__name__}() accepts {allowed} positional sub-pattern{plural} ({count} given)")
    positional = () if names is None else names[:count]
    for name in attributes:
        if name in positional:
            raise TypeError(f"{cls.__name__}() got multiple sub-patterns for attribute {name!r}")
    return all(hasattr(subject, name) for name in (*positional, *attributes))


def _of_alternatives(subject: Any, test: Callable[[Any], Any]) -> Any:
    """The truth of a test of what is of one structure or another, as only the run knows."""
    choice = choice_of(subject)
    assert choice is not None
    return is_alternative(choice, test, lambda each: dynamic_of(each) is not None)


def match_argument(subject: object, cls: type, index: int) -> Any:
    """What the positional pattern at `index` of `cls(...)` is matched against.

    >>> match_argument(1.5, float, 0)
    1.5
    """
    names = _positional(cls)
    return subject if names is None else getattr(subject, names[index])


def _positional(cls: type) -> tuple[str, ...] | None:
    """The attributes for positional patterns, or None where the pattern is for the subject itself."""
    if not hasattr(cls, "__match_args__") and issubclass(cls, _ITSELF):
        return None
    names = getattr(cls, "__match_args__", ())
    if not isinstance(names, tuple):
        raise TypeError(f"{cls.__name__}.__match_args__ must be a tuple (got {type(names).__name__})")
    return names
