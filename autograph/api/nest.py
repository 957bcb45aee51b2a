"""`ag.nest`: nested structures of lists, tuples, dictionaries and their kin, as TensorFlow's `tf.nest`.

Dictionaries are flattened in the order of their sorted keys; None is a leaf; a tensor's shape is a leaf.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from autograph.api.declare import public

__all__ = ["assert_same_structure", "flatten", "is_nested", "map_structure", "pack_sequence_as"]


def _tree() -> Any:
    import optree  # takes 19 ms: loaded when a structure is first flattened

    return optree


@public("nest.is_nested")
def is_nested(structure: Any) -> bool:
    """Whether it is a list, tuple, namedtuple or dictionary (or of another kind that is flattened).

    >>> import autograph as ag
    >>> ag.nest.is_nested([1]), ag.nest.is_nested({}), ag.nest.is_nested("text"), ag.nest.is_nested(ag.constant([1]))
    (True, True, False, False)

    Source of the semantics: TensorFlow's `tf.nest.is_nested`.
    """
    return not bool(_tree().tree_is_leaf(structure, none_is_leaf=True))


@public("nest.flatten")
def flatten(structure: Any, expand_composites: bool = False) -> list[Any]:
    """The leaves of a structure, dictionaries by sorted key; of a leaf, a list of it.

    >>> import autograph as ag
    >>> ag.nest.flatten({"b": [1, (2, None)], "a": 3})
    [3, 1, 2, None]

    Source of the semantics: TensorFlow's `tf.nest.flatten`.
    """
    leaves: list[Any] = _tree().tree_leaves(structure, none_is_leaf=True)
    return leaves


@public("nest.pack_sequence_as")
def pack_sequence_as(structure: Any, flat_sequence: Iterable[Any], expand_composites: bool = False) -> Any:
    """A structure like the given one, with other leaves, in the order of `flatten`.

    Raises:
      ValueError: the numbers of leaves differ.

    >>> import autograph as ag
    >>> ag.nest.pack_sequence_as({"b": 0, "a": (0, 0)}, [1, 2, 3])
    {'b': 3, 'a': (1, 2)}

    Source of the semantics: TensorFlow's `tf.nest.pack_sequence_as`.
    """
    leaves = list(flat_sequence)
    tree = _tree().tree_structure(structure, none_is_leaf=True)
    if tree.num_leaves != len(leaves):
        raise ValueError(
            f"the structure has {tree.num_leaves} leaves, but {len(leaves)} were given: {structure!r}"
        )
    return tree.unflatten(leaves)


@public("nest.map_structure")
def map_structure(func: Callable[..., Any], *structure: Any, **kwargs: Any) -> Any:
    """`func` of corresponding leaves of structures that are alike, in a structure like the first.

    Args:
      func: takes one leaf of each structure.
      structure: one or more structures of the same form.
      check_types: whether a list beside a tuple is an error (it is unless False).

    Raises:
      ValueError: the structures differ in form.
      TypeError: they differ in kind, `func` is no function, or another keyword was given.

    >>> import autograph as ag
    >>> ag.nest.map_structure(lambda x, y: x + y, {"a": 1, "b": [2]}, {"a": 10, "b": [20]})
    {'a': 11, 'b': [22]}

    Source of the semantics: TensorFlow's `tf.nest.map_structure`.
    """
    from autograph.operators.functions.calls import callee

    check_types = bool(kwargs.pop("check_types", True))
    kwargs.pop("expand_composites", None)
    if kwargs:
        raise TypeError(f"map_structure() got an unexpected keyword argument {next(iter(kwargs))!r}")
    if not callable(func):
        raise TypeError(f"func must be callable, got {func!r}")
    if not structure:
        raise ValueError("map_structure() needs at least one structure")
    for other in structure[1:]:
        assert_same_structure(structure[0], other, check_types)
    func = callee(func)
    columns = [flatten(s) for s in structure]
    return pack_sequence_as(structure[0], [func(*leaves) for leaves in zip(*columns, strict=True)])


@public("nest.assert_same_structure")
def assert_same_structure(
    nest1: Any, nest2: Any, check_types: bool = True, expand_composites: bool = False
) -> None:
    """Raise unless two structures have the same form (and, if asked for, the same kinds of sequences).

    Raises:
      ValueError: another number of parts, other keys, or a leaf beside a structure.
      TypeError: sequences of different kinds, if `check_types`.

    >>> import autograph as ag
    >>> ag.nest.assert_same_structure([1, (2, 3)], [4, (5, 6)])
    >>> ag.nest.assert_same_structure([1, 2], [1, [2]])
    Traceback (most recent call last):
        ...
    ValueError: the structures differ at [1]: 2 and [2]

    Source of the semantics: TensorFlow's `tf.nest.assert_same_structure`.
    """
    _compare(nest1, nest2, check_types, "")


def _compare(a: Any, b: Any, check_types: bool, path: str) -> None:
    if is_nested(a) != is_nested(b):
        raise ValueError(f"the structures differ{path and ' at ' + path}: {a!r} and {b!r}")
    if not is_nested(a):
        return
    mappings = isinstance(a, dict), isinstance(b, dict)
    if check_types and type(a) is not type(b) and not all(mappings):
        raise TypeError(
            f"the structures differ in kind{path and ' at ' + path}: {type(a).__name__} and {type(b).__name__}"
        )
    if any(mappings):
        if not all(mappings) or a.keys() != b.keys():
            raise ValueError(f"the structures differ{path and ' at ' + path}: {a!r} and {b!r}")
        for key in a:
            _compare(a[key], b[key], check_types, f"{path}[{key!r}]")
        return
    if len(a) != len(b):
        raise ValueError(f"the structures differ{path and ' at ' + path}: {len(a)} and {len(b)} parts")
    for i, (x, y) in enumerate(zip(a, b, strict=True)):
        _compare(x, y, check_types, f"{path}[{i}]")
