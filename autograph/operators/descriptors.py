"""Descriptors: the types of the Python values that travel through staged regions, and how two of them join.

    Static     a Python object that is the same on all paths                            no graph value
    Leaf       a tensor or a number                                                     one value
    Struct     tuple, list, dict, namedtuple, dataclass of descriptors                  those of its children
    Sequence   a list whose length is only known at run time                            one graph list per leaf
    Undefined  not looked at before it is set
    OneOf      alternatives that do not join (None, unbound, other structure)     a tag, then those of all alternatives

The lattice is finite in height: a Leaf only loses sizes and widens its dtype, alternatives are bounded in number.
`pack` turns a Python value into graph values of a descriptor, `unpack` builds the Python value back.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograph.errors.refusals import refusal
from autograph.operators.births import births_of
from autograph.operators.choice import choice_of, make_choice
from autograph.operators.listvalue import ListContents, ListValue, Splice, has_splices, new_list
from autograph.operators.places import UNBOUND, UNDEFINED
from autograph.operators.regions import close
from runtime.ir.graph import Value
from runtime.ops.registry import get
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import STATE
from runtime.typesys.dtypes import dtype_of_python, promote
from runtime.typesys.shapes import Dim, Shape, same_size
from runtime.typesys.spec import ListType, TensorType, type_of_payload

__all__ = [
    "Descriptor",
    "Joiner",
    "Leaf",
    "OneOf",
    "Sequence",
    "Static",
    "Struct",
    "Undefined",
    "describe",
    "pack",
    "unpack",
    "value_types",
]

MAX_ALTERNATIVES = 8
_NUMBERS = (bool, int, float, complex)


class Descriptor:
    """Base of descriptors; they compare by value."""

    __slots__ = ()


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Static(Descriptor):
    """A Python object known while tracing."""

    value: Any

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Static) and same_static(self.value, other.value)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self.value)


@dataclasses.dataclass(frozen=True, slots=True)
class Leaf(Descriptor):
    """A tensor or number of a type."""

    type: TensorType

    def __repr__(self) -> str:
        return repr(self.type)


@dataclasses.dataclass(frozen=True, slots=True)
class Struct(Descriptor):
    """A Python structure of a fixed tree; `kind` is its class, `keys` its dict keys or field names."""

    kind: type
    keys: tuple[Any, ...]
    children: tuple[Descriptor, ...]

    def __repr__(self) -> str:
        return f"{self.kind.__name__}({', '.join(map(repr, self.children))})"


@dataclasses.dataclass(frozen=True, slots=True)
class Sequence(Descriptor):
    """A list of run-time length; `element` is None while nothing was put in."""

    element: Descriptor | None

    def __repr__(self) -> str:
        return f"list of {self.element}"


@dataclasses.dataclass(frozen=True, slots=True)
class Undefined(Descriptor):
    """Joins with anything."""


@dataclasses.dataclass(frozen=True, slots=True)
class OneOf(Descriptor):
    """One of several alternatives, by a tag."""

    alternatives: tuple[Descriptor, ...]

    def __repr__(self) -> str:
        return " or ".join(map(repr, self.alternatives))


_SIMPLE = (str, bytes, int, float, complex, bool, type(None), type(Ellipsis))


def same_static(a: Any, b: Any) -> bool:
    """Whether two Python values are interchangeable in a graph."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if type(a) is float:
        return a.hex() == b.hex()
    if isinstance(a, (*_SIMPLE, slice, range, frozenset, np.dtype)):
        return bool(a == b)
    return False


def structure_of(x: Any, instances: bool = False) -> tuple[tuple[Any, ...], tuple[Any, ...]] | None:
    """(keys, children) if `x` is a structure that travels by its parts; `instances` of any class are, where one has to."""
    if isinstance(x, tuple):
        return tuple(getattr(x, "_fields", ())), tuple(x)
    if type(x) is list:
        return (), tuple(x)
    if type(x) is ListContents:
        return (), tuple(x.items)
    if type(x) is dict:
        return tuple(x), tuple(x.values())
    if dataclasses.is_dataclass(x) and not isinstance(x, type):
        names = tuple(f.name for f in dataclasses.fields(x))
        return names, tuple(getattr(x, n, UNBOUND) for n in names)
    if hasattr(type(x), "__attrs_attrs__"):
        names = tuple(a.name for a in type(x).__attrs_attrs__)
        return names, tuple(getattr(x, n, UNBOUND) for n in names)
    if instances or is_born(x):
        attributes = getattr(x, "__dict__", None)
        if type(attributes) is dict and _is_plain_class(type(x)):
            return tuple(attributes), tuple(attributes.values())
    return None


def _is_plain_class(cls: type) -> bool:
    """Whether instances are nothing but their attributes: no part of the class is built in."""
    return all(c is object or c.__flags__ & _HEAP_TYPE for c in cls.__mro__) and not issubclass(cls, (Tensor, type))


_HEAP_TYPE = 1 << 9


def is_born(x: Any) -> bool:
    """Whether `x` is an instance made in a region that is closed: here it exists by its attributes only."""
    trace = STATE.trace
    return trace is not None and births_of(trace).left(x, trace)


def is_mutable(x: Any) -> bool:
    """Whether a structure has an identity: who else holds it sees what is written to it."""
    return type(x) in (list, dict) or (STATE.trace is not None and x in births_of(STATE.trace))


def mutable_parts(x: Any) -> Iterator[Any]:
    """The structures with an identity in `x`, itself included."""
    if is_mutable(x):
        yield x
    parts = structure_of(x, instances=is_mutable(x))
    for part in () if parts is None else parts[1]:
        yield from mutable_parts(part)


def rebuild(kind: type, keys: tuple[Any, ...], children: list[Any]) -> Any:
    """The structure of `structure_of` with other children."""
    if kind is list:
        return children
    if kind is dict:
        return dict(zip(keys, children, strict=True))
    if issubclass(kind, tuple):
        return kind._make(children) if keys else kind(children)  # type: ignore[attr-defined]
    made = object.__new__(kind)
    for name, child in zip(keys, children, strict=True):
        if child is not UNBOUND:
            object.__setattr__(made, name, child)
    if STATE.trace is not None:
        births_of(STATE.trace).add(made, STATE.trace.builder.region.graph)
    return made


def describe(x: Any) -> Descriptor:
    """The descriptor of a Python value."""
    if x is UNDEFINED:
        return Undefined()
    choice = choice_of(x)
    if choice is not None:
        return choice._descriptor  # type: ignore[no-any-return]
    if type(x) is ListValue:
        return Sequence(x.element)
    if isinstance(x, Tensor):
        if getattr(x, "trainable", None) is not None:
            return Static(x)  # a Variable is a place of its own
        return Leaf(x.type)
    if type(x) is Value:
        return Leaf(x.tensor_type)
    if isinstance(x, np.ndarray) and x.dtype != object:
        return Leaf(type_of_payload(x))
    if isinstance(x, np.generic):
        return Static(x.item())
    parts = structure_of(x)
    if parts is not None:
        kind = list if type(x) is ListContents else type(x)
        if kind is list and has_splices(parts[1]):
            return Sequence(_spliced(parts[1]))
        return Struct(kind, parts[0], _described(x, parts[1]))
    return Static(x)


def _spliced(items: tuple[Any, ...]) -> Descriptor | None:
    """The element of a list some of whose items are known only at run time."""
    joiner = Joiner()
    element: Descriptor | None = None
    for item in items:
        element = joiner.element(element, item.value.element if type(item) is Splice else loosen(describe(item)))
    return element


def _described(x: Any, parts: tuple[Any, ...]) -> tuple[Descriptor, ...]:
    trace = STATE.trace
    if trace is None:
        return tuple(map(describe, parts))
    opened = births_of(trace).opened
    if id(x) in opened:
        raise refusal("self-reference", what=type(x).__name__)
    opened.add(id(x))
    try:
        return tuple(map(describe, parts))
    finally:
        opened.discard(id(x))


class Joiner:
    """Joins descriptors; sizes that differ in the same way get the same new name."""

    def __init__(self) -> None:
        self.sizes: dict[tuple[Any, Any], Dim] = {}

    def size(self, a: Any, b: Any) -> Any:
        if same_size(a, b):
            return a
        return self.sizes.setdefault((a, b), Dim())

    def shape(self, a: Shape, b: Shape) -> Shape:
        if a is None or b is None or len(a) != len(b):
            return None
        return tuple(map(self.size, a, b))

    def leaf(self, a: TensorType, b: TensorType) -> TensorType:
        if a == b:
            return a
        dtype, weak = (
            (a.dtype, a.weak and b.weak)
            if a.dtype == b.dtype
            else promote((a.dtype, a.weak), (b.dtype, b.weak))
        )
        shape = self.shape(a.shape, b.shape)
        return TensorType(dtype, shape, weak and shape == ())

    def __call__(self, a: Descriptor, b: Descriptor) -> Descriptor:
        """The least descriptor that both fit."""
        joined = self.merge(a, b)
        if joined is not None:
            return joined
        mine = list(a.alternatives if isinstance(a, OneOf) else (a,))
        for alternative in b.alternatives if isinstance(b, OneOf) else (b,):
            for i, known in enumerate(mine):
                merged = self.merge(known, alternative)
                if merged is not None:
                    mine[i] = merged
                    break
            else:
                mine.append(alternative)
        if len(mine) > MAX_ALTERNATIVES:
            raise refusal("too-many-alternatives", shown=", ".join(map(repr, mine)))
        return mine[0] if len(mine) == 1 else OneOf(tuple(mine))

    def merge(self, a: Descriptor, b: Descriptor) -> Descriptor | None:
        """The join if the two need no tag."""
        if isinstance(a, Undefined):
            return b
        if isinstance(b, Undefined):
            return a
        if isinstance(a, OneOf) or isinstance(b, OneOf):
            return a if a == b else None
        if isinstance(a, Static) and isinstance(b, Static) and same_static(a.value, b.value):
            return a
        x, y = leaf_type(a), leaf_type(b)
        if x is not None and y is not None:
            return Leaf(self.leaf(x, y))
        if isinstance(a, Static) and isinstance(b, (Struct, Sequence)):
            a = self.opened(a, b.kind if isinstance(b, Struct) else list)
        elif isinstance(b, Static) and isinstance(a, (Struct, Sequence)):
            b = self.opened(b, a.kind if isinstance(a, Struct) else list)
        if isinstance(a, Struct) and isinstance(b, Struct) and a.kind is b.kind:
            if a.kind is dict and a.keys != b.keys and set(a.keys) == set(b.keys):
                b = Struct(b.kind, a.keys, tuple(b.children[b.keys.index(k)] for k in a.keys))
            elif a.keys != b.keys and a.kind is not dict:  # instances: an attribute may be missing
                keys = tuple(dict.fromkeys((*a.keys, *b.keys)))
                a, b = with_keys(a, keys), with_keys(b, keys)
            if a.keys == b.keys and len(a.children) == len(b.children):
                return Struct(a.kind, a.keys, tuple(map(self, a.children, b.children)))
            if a.kind is list:
                return Sequence(self.element(self.element_of(a), self.element_of(b)))
        if is_list(a) and is_list(b):
            return Sequence(self.element(self.element_of(a), self.element_of(b)))
        return None

    def opened(self, d: Static, kind: type) -> Descriptor:
        """An object known while tracing as the structure it has to become: it joins one of another object."""
        parts = structure_of(d.value, instances=True) if type(d.value) is kind else None
        if parts is not None and kind is list and has_splices(parts[1]):
            return describe(d.value)
        return d if parts is None else Struct(kind, parts[0], tuple(loosen(describe(c)) for c in parts[1]))

    def element(self, a: Descriptor | None, b: Descriptor | None) -> Descriptor | None:
        return b if a is None else a if b is None else self(a, b)

    def element_of(self, d: Descriptor) -> Descriptor | None:
        """The join of a list's elements; numbers among them become leaves."""
        if isinstance(d, Sequence):
            return d.element
        assert isinstance(d, Struct)
        element: Descriptor | None = None
        for child in d.children:
            element = self.element(element, loosen(child))
        return element


def with_keys(d: Struct, keys: tuple[Any, ...]) -> Struct:
    """An instance with more attributes, which it lacks."""
    known = dict(zip(d.keys, d.children, strict=True))
    return Struct(d.kind, keys, tuple(known.get(k, Static(UNBOUND)) for k in keys))


def is_list(d: Descriptor) -> bool:
    return isinstance(d, Sequence) or (isinstance(d, Struct) and d.kind is list)


def leaf_type(d: Descriptor) -> TensorType | None:
    """The type of a leaf, or of a Python number seen as one."""
    if isinstance(d, Leaf):
        return d.type
    if isinstance(d, Static) and type(d.value) in _NUMBERS:
        return TensorType(dtype_of_python(d.value), (), weak=True)
    return None


def loosen(d: Descriptor) -> Descriptor:
    """The descriptor with its Python numbers as leaves: what a loop variable starts as."""
    if isinstance(d, Static):
        kind = leaf_type(d)
        return d if kind is None else Leaf(kind)
    if isinstance(d, Struct):
        return Struct(d.kind, d.keys, tuple(map(loosen, d.children)))
    return d


def canonical(descriptors: list[Descriptor]) -> Any:
    """A comparable form in which new names of sizes do not matter, only which are equal."""
    names: dict[Dim, int] = {}

    def shape(s: Shape) -> Any:
        return (
            None
            if s is None
            else tuple(("n", names.setdefault(d, len(names))) if isinstance(d, Dim) else d for d in s)
        )

    def form(d: Any) -> Any:
        if isinstance(d, Leaf):
            return ("leaf", d.type.dtype, shape(d.type.shape), d.type.weak)
        if isinstance(d, Static):
            return ("static", d)
        if isinstance(d, Struct):
            return ("struct", d.kind, d.keys, tuple(map(form, d.children)))
        if isinstance(d, Sequence):
            return ("sequence", None if d.element is None else form(d.element))
        if isinstance(d, OneOf):
            return ("oneof", tuple(map(form, d.alternatives)))
        return ("undefined",)

    return [form(d) for d in descriptors]


def value_types(d: Descriptor) -> list[Any]:
    """Types of the graph values that carry a descriptor."""
    if isinstance(d, Leaf):
        return [d.type]
    if isinstance(d, Struct):
        return [t for c in d.children for t in value_types(c)]
    if isinstance(d, Sequence):
        return list_types(d)
    if isinstance(d, OneOf):
        return [TAG, *(t for a in d.alternatives for t in value_types(a))]
    return []


TAG = TensorType("int64", (), weak=True)


def list_types(d: Sequence) -> list[Any]:
    """One graph list per leaf of the element; at least one, which knows the length."""
    leaves = [] if d.element is None else value_types(d.element)
    return [ListType(t) for t in leaves] or [ListType(None if d.element is None else TAG)]


def _emit(name: str, inputs: list[Value], attrs: dict[str, Any], types: tuple[Any, ...] | None = None) -> Value:
    trace = STATE.trace
    assert trace is not None
    return trace.builder.emit(get(name), inputs, attrs, types).outputs[0]


def as_value(x: Any, want: TensorType) -> Value:
    """A tensor or number as a graph value of the wanted dtype (its shape is taken as it is)."""
    trace = STATE.trace
    assert trace is not None
    value = trace.operand(x)
    have = value.tensor_type
    if have.dtype != want.dtype or have.weak != want.weak:
        value = _emit("cast", [value], {"dtype": want.dtype}, (TensorType(want.dtype, have.shape, want.weak),))
    return value


def pack(x: Any, d: Descriptor) -> list[Value]:
    """The graph values, in the current region, that carry the Python value `x` as a `d`."""
    if x is UNDEFINED:
        return [_emit("placeholder", [], {"type": t}) for t in value_types(d)]
    if isinstance(d, Leaf):
        return [as_value(x, d.type)]
    if isinstance(d, (Static, Undefined)):
        return []
    if isinstance(d, Struct):
        parts = structure_of(x, instances=True)
        assert parts is not None, (x, d)
        children = parts[1]
        if parts[0] != d.keys:
            named = dict(zip(*parts, strict=True))
            children = tuple(named.get(k, UNBOUND) for k in d.keys)
        return [v for child, c in zip(children, d.children, strict=True) for v in pack(child, c)]
    if isinstance(d, Sequence):
        return pack_list(x, d)
    assert isinstance(d, OneOf)
    return _pack_choice(x, d)


def _pack_choice(x: Any, d: OneOf) -> list[Value]:
    trace = STATE.trace
    assert trace is not None
    choice = choice_of(x)
    if choice is None:
        k = _alternative_for(describe(x), d)
        tag = trace.constant(k)
        parts = [(k, x)]
    else:
        mapping = [_alternative_for(describe(a), d) for a in choice._alternatives]
        tag_tensor: Any = choice._tag
        if mapping != list(range(len(mapping))):
            tag_tensor = mapping[-1]
            for i, k in enumerate(mapping[:-1]):
                tag_tensor = op.where(op.equal(choice._tag, i), k, tag_tensor)
        tag = as_value(tag_tensor, TAG)
        parts = []
        for k, a in zip(mapping, choice._alternatives, strict=True):
            parts.append((k, a))
    values = [tag]
    for k, alternative in enumerate(d.alternatives):
        mine = [a for i, a in parts if i == k]
        if not mine:
            values += pack(UNDEFINED, alternative)
            continue
        packed = pack(mine[0], alternative)
        for other in mine[1:]:  # two of the value's alternatives became one of the wider type
            assert choice is not None
            which = op.equal(choice._tag, next(i for i, a in enumerate(choice._alternatives) if a is other))
            more = pack(other, alternative)
            packed = [trace.operand(op.where(which, Tensor(b), Tensor(a))) for a, b in zip(packed, more, strict=True)]
        values += packed
    return values


def _alternative_for(have: Descriptor, d: OneOf) -> int:
    """Index of the alternative that a value joins."""
    joiner = Joiner()
    for i, alternative in enumerate(d.alternatives):
        if isinstance(have, Static) and isinstance(alternative, Static):
            if same_static(have.value, alternative.value):
                return i
        elif joiner.merge(alternative, have) is not None:
            return i
    raise AssertionError(f"{have} fits none of {d}")


def unpack(d: Descriptor, values: Iterator[Value], name: str = "", make: Callable[[Value], Any] = Tensor) -> Any:
    """The Python value of a descriptor, of graph values taken from `values`."""
    if isinstance(d, Leaf):
        return make(next(values))
    if isinstance(d, Static):
        return d.value
    if isinstance(d, Undefined):
        return UNDEFINED
    if isinstance(d, Struct):
        return rebuild(d.kind, d.keys, [unpack(c, values, name, make) for c in d.children])
    if isinstance(d, Sequence):
        value = ListValue(d.element, [next(values) for _ in list_types(d)])
        return new_list(value)
    assert isinstance(d, OneOf)
    tag = make(next(values))
    return make_choice(d, tag, [unpack(a, values, name, make) for a in d.alternatives], name)


def pack_list(x: Any, d: Sequence) -> list[Value]:
    """A Python list, or a staged one, as graph lists: one per leaf of the element type."""
    types = list_types(d)
    items = x.items if type(x) is ListContents else x
    if type(items) is list and has_splices(items):
        return _pack_spliced(items, d, types)
    if type(x) is ListValue:
        if x.element == d.element:
            return list(x.values)
        if x.element is not None and not same_columns(x.element, d.element):
            return _recast(x, d, types)
        values = x.values if x.element is not None else [x.values[0]] * len(types)
        return [
            _emit("list_cast", [v], {"type": t.element}, (t,)) if v.type != t else v
            for v, t in zip(values, types, strict=True)
        ]
    columns: list[list[Value]] = [[] for _ in types]
    for item in items:
        leaves = [] if d.element is None else pack(item, d.element)
        for column, leaf in zip(columns, leaves or [as_value(0, TAG)], strict=True):
            column.append(leaf)
    return [_emit("list_from", column, {"element": t.element}, (t,)) for column, t in zip(columns, types, strict=True)]


def _pack_spliced(items: list[Any], d: Sequence, types: list[Any]) -> list[Value]:
    """Graph lists of Python items and spliced ones, in their order."""
    columns: list[Value] | None = None
    for spliced, group in itertools.groupby(items, lambda item: type(item) is Splice):
        for part in [item.value for item in group] if spliced else [list(group)]:
            packed = pack_list(part, d)
            columns = packed if columns is None else [
                _emit("list_concat", [a, b], {}, (t,)) for a, b, t in zip(columns, packed, types, strict=True)
            ]  # fmt: skip
    assert columns is not None
    return columns


def same_columns(a: Descriptor | None, b: Descriptor | None) -> bool:
    """Whether lists of `a` and of `b` have one graph list per leaf in the same order."""
    if a is None or b is None:
        return True
    if isinstance(a, Struct) and isinstance(b, Struct):
        fits = a.kind is b.kind and a.keys == b.keys and len(a.children) == len(b.children)
        return fits and all(map(same_columns, a.children, b.children))
    if isinstance(a, Sequence) and isinstance(b, Sequence):
        return same_columns(a.element, b.element)
    if isinstance(a, Leaf) and isinstance(b, Leaf):
        return True
    return a == b


def _recast(x: ListValue, d: Sequence, types: list[Any]) -> list[Value]:
    """A list whose elements take another form (a pair becomes a list of any length): item by item, in a loop."""
    trace = STATE.trace
    assert trace is not None and x.element is not None
    count = _emit("list_len", [x.values[0]], {})
    empty = [_emit("list_from", [], {"element": t.element}, (t,)) for t in types]
    region = trace.builder.push()
    index = region.graph.add_input(TAG, "i")
    grown = [region.graph.add_input(t) for t in types]
    old = zip(x.values, value_types(x.element), strict=False)
    item = unpack(x.element, iter([_emit("list_get", [v, index], {}, (t,)) for v, t in old]))
    leaves = pack(item, d.element) if d.element is not None else []
    appended = zip(grown, leaves or [as_value(0, TAG)], types, strict=True)
    outputs = [_emit("list_append", [v, leaf], {}, (t,)) for v, leaf, t in appended]
    region.graph.outputs = [region.resolve(v) for v in outputs]
    trace.builder.pop()
    outers = close(trace, [region])
    inputs = [count, *empty, *outers]
    return trace.builder.emit(get("for_loop"), inputs, {"carried": len(types)}, tuple(types), (region.graph,)).outputs
