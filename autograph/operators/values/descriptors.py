"""Descriptors: the types of the Python values that travel through staged regions, and how two of them join.

    Static     a Python object that is the same on all paths                            no graph value
    Leaf       a tensor or a number                                                     one value
    Struct     tuple, list, dict, namedtuple, dataclass of descriptors                  those of its children
    Sequence   a list whose length is only known at run time                            one graph list per leaf
    Words      a text with tensors in it                                            a string
    Undefined  not looked at before it is set
    OneOf      alternatives that do not join (None, unbound, other structure)     a tag, then those of all alternatives

The lattice is finite in height: a Leaf only loses sizes and widens its dtype, alternatives are bounded in number.
`packing` turns Python values into graph values of a descriptor, and back.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterator
from types import FunctionType, MemberDescriptorType
from typing import Any

import numpy as np

from autograph.errors.refusals import refusal
from autograph.operators.state.births import births_of
from autograph.operators.state.places import UNBOUND, UNDEFINED
from autograph.operators.values.choice import Choice, choice_of
from autograph.operators.values.fields import fields_of, is_frozen
from autograph.operators.values.forms import (
    Descriptor,
    Leaf,
    OneOf,
    Reference,
    Sequence,
    Static,
    Struct,
    Undefined,
    Words,
    same_static,
)
from autograph.operators.values.links import Linked, link, row_of
from autograph.operators.values.listvalue import (
    Contents,
    ListContents,
    ListValue,
    RunTuple,
    Splice,
    has_splices,
    list_of,
)
from autograph.operators.values.shells import filled, is_shell, taken_apart
from runtime.ir.graph import Value
from runtime.tensor.shape import TensorShape
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
    "Reference",
    "Sequence",
    "Static",
    "Struct",
    "Undefined",
    "Words",
    "attributes_of",
    "describe",
    "is_plain_class",
    "value_types",
]

MAX_ALTERNATIVES = 8
MAX_KNOWN = 64  # with those that are known while tracing, which carry nothing
_NUMBERS = (bool, int, float, complex)


def structure_of(x: Any, instances: bool = False) -> tuple[tuple[Any, ...], tuple[Any, ...]] | None:
    """(keys, children) if `x` is a structure that travels by its parts; `instances` of any class are, where one has to."""
    if isinstance(x, Linked):
        return ("row", "table"), row_of(x)
    if type(x) is RunTuple:
        return (), (list_of(x),)
    if isinstance(x, tuple):
        if type(x) is TensorShape and x.rank is None:
            return None  # no sizes to travel by
        return tuple(getattr(x, "_fields", ())), tuple(x)
    if type(x) is list:
        return (), tuple(x)
    if type(x) is ListContents:
        return (), x.items
    if type(x) is dict:
        return tuple(x), tuple(x.values())
    if type(x) is Contents:
        carried = type(x.items) is tuple and (instances or any(isinstance(e, Tensor) for e in x.items))
        return ((x.kind,), x.items) if carried else None
    names = fields_of(type(x))
    if names is not None and (instances or STATE.trace is None or is_frozen(type(x)) or is_born(x)):
        return names, tuple(getattr(x, n, UNBOUND) for n in names)
    if type(x) is FunctionType:
        return made_by(x) if instances or any(isinstance(d, Tensor) for d in x.__defaults__ or ()) else None
    if instances or is_born(x):
        attributes = attributes_of(x)
        if attributes is not None and is_plain_class(type(x)):
            return tuple(attributes), tuple(attributes.values())
    return taken_apart(x)


def attributes_of(x: Any) -> dict[str, Any] | None:
    """What an instance holds: in its dictionary, and in the slots of its classes."""
    held = getattr(x, "__dict__", None)
    slots = [n for c in type(x).__mro__ for n, m in vars(c).items() if type(m) is MemberDescriptorType]
    if not slots or choice_of(x) is not None:  # a choice's slots are its own
        return held if type(held) is dict else None
    return {n: getattr(x, n) for n in slots if hasattr(x, n)} | (held if type(held) is dict else {})


def made_by(f: FunctionType) -> tuple[tuple[Any, ...], tuple[Any, ...]] | None:
    """(what made a function, its defaults): `lambda x, k=k: ...` made in a loop differs by these."""
    return ((Maker(f),), f.__defaults__) if f.__defaults__ else None


class Maker:
    """A function but for the values of its defaults."""

    __slots__ = ("function",)

    def __init__(self, function: FunctionType) -> None:
        self.function = function

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Maker):
            return NotImplemented
        a, b = self.function, other.function
        count = len(a.__defaults__ or ())
        return count == len(b.__defaults__ or ()) and same_static(with_defaults(a, ()), with_defaults(b, ()))

    def __hash__(self) -> int:
        return hash(self.function.__code__)


def with_defaults(f: FunctionType, defaults: tuple[Any, ...]) -> FunctionType:
    """A function as `f` with other defaults."""
    made = FunctionType(f.__code__, f.__globals__, f.__name__, defaults, f.__closure__)
    made.__kwdefaults__ = f.__kwdefaults__
    made.__dict__.update(f.__dict__)
    made.__qualname__, made.__module__ = f.__qualname__, f.__module__
    return made


def is_plain_class(cls: type) -> bool:
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
    """The structures with an identity in `x`, itself included; of a choice, those that travel with it."""
    if type(x) is Choice:
        for alternative in own_alternatives(x):
            yield from mutable_parts(alternative)
        return
    if is_mutable(x):
        yield x
    parts = structure_of(x, instances=is_mutable(x))
    for part in () if parts is None else parts[1]:
        yield from mutable_parts(part)


def own_alternatives(x: Choice) -> list[Any]:
    """The alternatives of a choice that were made for it: the others are values known while tracing."""
    made = zip(x._alternatives, x._descriptor.alternatives, strict=True)
    return [a for a, d in made if isinstance(d, (Struct, Sequence))]


def rebuild(kind: type, keys: tuple[Any, ...], children: list[Any]) -> Any:
    """The structure of `structure_of` with other children."""
    if kind is list:
        return children
    if is_shell(keys):
        return filled(keys, children)
    if kind is Contents:
        return Contents(keys[0], tuple(children))
    if kind is dict:
        return dict(zip(keys, children, strict=True))
    if kind is FunctionType:
        return with_defaults(keys[0].function, tuple(children))
    if issubclass(kind, Linked):
        return link(kind, *children)
    if issubclass(kind, tuple):
        return kind._make(children) if keys else kind(children)  # type: ignore[attr-defined]
    made = object.__new__(kind)
    for name, child in zip(keys, children, strict=True):
        if child is not UNBOUND:
            object.__setattr__(made, name, child)
    if STATE.trace is not None:
        births_of(STATE.trace).add(made, STATE.trace.builder.region.graph)
        return made
    as_python = getattr(kind, "__as_python__", None)  # of a form that stands for a class in C
    return made if as_python is None else as_python(made)


def describe(x: Any) -> Descriptor:
    """The descriptor of a Python value."""
    if x is UNDEFINED:
        return Undefined()
    choice = choice_of(x)
    if choice is not None:
        return _of_choice(choice)
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
    if hasattr(type(x), "__staged_text__"):
        return Words()
    if type(x) is list and STATE.trace is not None and (heap := STATE.trace.notes.get("heap")) is not None:
        referred = heap.of(x)
        if referred is not None or not heap.closing:
            return Static(x) if referred is None else Reference(referred.store)
    parts = structure_of(x)
    if parts is not None:
        kind = list if type(x) is ListContents else type(x)
        if kind is list and has_splices(parts[1]):
            return Sequence(_spliced(parts[1]))
        return Struct(kind, parts[0], _described(x, parts[1]))
    if type(x) is Splice:
        raise refusal("list-in-python")  # Python took it out of its list
    return Static(x)


def _of_choice(choice: Any) -> Descriptor:
    """The descriptor of a choice whose alternatives may have been changed since it was made."""
    d = choice._descriptor
    assert isinstance(d, OneOf)
    now = tuple(map(_as_changed, d.alternatives, choice._alternatives))
    if all(a is b for a, b in zip(now, d.alternatives, strict=True)):
        return d
    return OneOf(now)


def _as_changed(d: Descriptor, x: Any) -> Descriptor:
    """What `d` has become since `x` was made as one: its attributes and items may hold something else."""
    if isinstance(d, Undefined) or (isinstance(d, Static) and x is d.value and not is_born(x)):
        return d
    if not isinstance(d, Struct) or d.kind is Contents or d.kind is FunctionType:
        return describe(x)
    parts = structure_of(x, instances=True)
    if parts is None or type(x) is not d.kind or has_splices(parts[1]):
        return describe(x)
    known = dict(zip(d.keys or range(len(d.children)), d.children, strict=True))
    keys = parts[0] or range(len(parts[1]))
    children = tuple(_as_changed(known[k], c) if k in known else describe(c) for k, c in zip(keys, parts[1], strict=True))
    made = Struct(d.kind, parts[0], children)
    return d if made == d else made


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
                    if isinstance(known, Static) and isinstance(merged, Struct):
                        self.absorb(mine, i)
                    break
            else:
                mine.append(alternative)
        if len(mine) > MAX_KNOWN and sum(map(is_text, mine)) > 1:
            mine = [*(d for d in mine if not is_text(d)), Words()]
        if len(mine) > MAX_KNOWN or sum(type(d) is not Static for d in mine) > MAX_ALTERNATIVES:
            raise refusal("too-many-alternatives", shown=", ".join(map(repr, mine)))
        return mine[0] if len(mine) == 1 else OneOf(tuple(mine))

    def absorb(self, mine: list[Descriptor], i: int) -> None:
        """Join the known objects among alternatives with the one that has become a structure of their class."""
        for d in mine[:]:
            if d is not mine[i] and isinstance(d, Static) and (merged := self.merge(mine[i], d)) is not None:
                j = next(j for j, known in enumerate(mine) if known is d)
                mine[i] = merged
                del mine[j]
                i -= j < i

    def merge(self, a: Descriptor, b: Descriptor) -> Descriptor | None:
        """The join if the two need no tag."""
        if isinstance(a, Undefined):
            return b
        if isinstance(b, Undefined):
            return a
        if isinstance(a, OneOf) or isinstance(b, OneOf):
            return a if a == b else None
        if isinstance(a, Words) or isinstance(b, Words):
            return Words() if is_text(a) and is_text(b) else None
        if isinstance(a, Reference) or isinstance(b, Reference):
            return unified(a, b)
        if isinstance(a, Static) and isinstance(b, Static) and same_static(a.value, b.value):
            return a
        x, y = leaf_type(a), leaf_type(b)
        if x is not None and y is not None:
            return Leaf(self.leaf(x, y))
        a, b = self.opened_for(a, b), self.opened_for(b, a)
        if isinstance(a, Struct) and isinstance(b, Struct) and {a.kind, b.kind} == {tuple, RunTuple}:
            a, b = as_run_tuple(a), as_run_tuple(b)
        if isinstance(a, Static) and isinstance(b, Static) and type(a.value) is type(b.value) is FunctionType:
            a, b = self.opened(a, FunctionType), self.opened(b, FunctionType)
        if isinstance(a, Struct) and isinstance(b, Struct) and a.kind is b.kind is FunctionType and a.keys != b.keys:
            return None
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

    def opened_for(self, d: Descriptor, other: Descriptor) -> Descriptor:
        """`d`, with the known objects in it opened that meet structures of their classes."""
        others = other.alternatives if isinstance(other, OneOf) else (other,)
        if isinstance(d, OneOf):
            mine = [self.opened_for(a, other) for a in d.alternatives]
            return d if all(map(operator.is_, mine, d.alternatives)) else functools.reduce(self, mine)
        if isinstance(d, Static):
            for o in others:
                if isinstance(o, (Struct, Sequence)):
                    made = self.opened(d, o.kind if isinstance(o, Struct) else list)
                    if made is not d:
                        return self.opened_for(made, o)
        if isinstance(d, Struct) and d.children:
            for o in others:
                if isinstance(o, Struct) and o.kind is d.kind and len(o.children) == len(d.children):
                    children = tuple(map(self.opened_for, d.children, o.children))
                    return d if all(map(operator.is_, children, d.children)) else Struct(d.kind, d.keys, children)
        return d

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


def unified(a: Descriptor, b: Descriptor) -> Descriptor | None:
    """The join of references, of which one may be of a list known while tracing."""
    a, b = (describe(d.value) if isinstance(d, Static) and type(d.value) is list else d for d in (a, b))
    if isinstance(a, Reference) and isinstance(b, Reference):
        assert STATE.trace is not None
        return STATE.trace.notes["heap"].unify(a, b)  # type: ignore[no-any-return]
    if is_list(a) or is_list(b) or any(isinstance(d, Static) and type(d.value) is list for d in (a, b)):
        raise refusal("shared-list")
    return None


def with_keys(d: Struct, keys: tuple[Any, ...]) -> Struct:
    """An instance with more attributes, which it lacks."""
    known = dict(zip(d.keys, d.children, strict=True))
    return Struct(d.kind, keys, tuple(known.get(k, Static(UNBOUND)) for k in keys))


def is_text(d: Descriptor) -> bool:
    return isinstance(d, Words) or (isinstance(d, Static) and type(d.value) is str)


def growing_text(d: Descriptor, before: Descriptor) -> Descriptor:
    """`d`, with one text that only the run knows for all its texts if a turn of a loop has added one to several."""
    if not isinstance(d, OneOf) or not isinstance(before, OneOf) or len(d.alternatives) <= len(before.alternatives):
        return d
    others = tuple(a for a in d.alternatives if not is_text(a))
    if len(d.alternatives) - len(others) <= 2:
        return d
    return OneOf((*others, Words())) if others else Words()


def growing_tuple(d: Descriptor, before: Descriptor) -> Descriptor:
    """`d`, with one tuple that only the run knows the length of for all its tuples if turns of a loop make them longer,
    also those in lists and tuples: `beams = [(seq + (tok,), score) ...]`."""
    if isinstance(d, Sequence) and isinstance(before, Sequence) and d.element is not None and before.element is not None:
        items = growing_tuple(d.element, before.element)
        return d if items is d.element else Sequence(items)
    if isinstance(d, Struct) and isinstance(before, Struct) and _form(d) == _form(before):
        children = tuple(map(growing_tuple, d.children, before.children))
        return d if all(map(operator.is_, children, d.children)) else Struct(d.kind, d.keys, children)
    if not isinstance(d, OneOf) or not isinstance(before, OneOf) or len(d.alternatives) <= len(before.alternatives):
        return d
    tuples = [a for a in d.alternatives if isinstance(a, Struct) and a.kind is tuple]
    if len({len(t.children) for t in tuples}) < _GROWN:
        return d
    joiner = Joiner()
    element: Descriptor | None = None
    for t in tuples:
        for child in t.children:
            element = joiner.element(element, loosen(child))
    others = tuple(a for a in d.alternatives if all(a is not t for t in tuples))
    joined: Descriptor = Struct(RunTuple, (), (Sequence(element),))
    for a in others:
        joined = joiner(joined, a)
    return joined


def _form(d: Struct) -> tuple[Any, ...]:
    return d.kind, d.keys, len(d.children)


_GROWN = 4  # lengths of tuples, from one turn to the next


def is_list(d: Descriptor) -> bool:
    return isinstance(d, Sequence) or (isinstance(d, Struct) and d.kind is list)


def as_run_tuple(d: Struct) -> Struct:
    """The type of a tuple as one of whose length only the run knows."""
    return d if d.kind is RunTuple else Struct(RunTuple, (), (Struct(list, (), d.children),))


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
        if isinstance(d, Reference):
            return ("reference", d)
        if isinstance(d, OneOf):
            return ("oneof", tuple(map(form, d.alternatives)))
        return ("words",) if isinstance(d, Words) else ("undefined",)

    return [form(d) for d in descriptors]


def value_types(d: Descriptor) -> list[Any]:
    """Types of the graph values that carry a descriptor."""
    if isinstance(d, Leaf):
        return [d.type]
    if isinstance(d, Reference):
        return [TAG]
    if isinstance(d, Words):
        return [TEXT]
    if isinstance(d, Struct):
        return [t for c in d.children for t in value_types(c)]
    if isinstance(d, Sequence):
        return list_types(d)
    if isinstance(d, OneOf):
        return [TAG, *(t for a in d.alternatives for t in value_types(a))]
    return []


TAG = TensorType("int64", (), weak=True)
TEXT = TensorType("string", ())


def list_types(d: Sequence) -> list[Any]:
    """One graph list per leaf of the element; at least one, which knows the length."""
    leaves = [] if d.element is None else value_types(d.element)
    return [ListType(t) for t in leaves] or [ListType(None if d.element is None else TAG)]
