"""Packing: Python values as the graph values that carry them in a descriptor, and back."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from autograph.errors.refusals import refusal
from autograph.operators.state.places import UNBOUND, UNDEFINED
from autograph.operators.state.regions import close
from autograph.operators.values.choice import Choice, choice_of, make_choice
from autograph.operators.values.descriptors import (
    TAG,
    Descriptor,
    Joiner,
    Leaf,
    OneOf,
    Reference,
    Sequence,
    Static,
    Struct,
    Undefined,
    Words,
    describe,
    list_types,
    rebuild,
    structure_of,
    value_types,
)
from autograph.operators.values.forms import same_static
from autograph.operators.values.listvalue import (
    ListContents,
    ListValue,
    RunTuple,
    Splice,
    has_splices,
    new_list,
    run_tuple,
)
from runtime.ir.graph import Value
from runtime.ops.registry import get
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import STATE, Trace
from runtime.typesys.spec import TensorType

__all__ = ["alternative_for", "alternative_of", "as_value", "mapped", "pack", "pack_list", "same_columns", "unpack"]


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
        if have.weak and not want.weak:
            trace.notes.setdefault("joined numbers", set()).add(value)
    return value


def pack(x: Any, d: Descriptor) -> list[Value]:
    """The graph values, in the current region, that carry the Python value `x` as a `d`."""
    if x is UNDEFINED:
        return [_emit("placeholder", [], {"type": t}) for t in value_types(d)]
    if isinstance(d, Leaf):
        return [as_value(x, d.type)]
    if isinstance(d, (Static, Undefined)):
        return []
    if isinstance(d, Reference):
        return [_reference(x)]
    if isinstance(d, Words):
        text = str(x) if choice_of(x) is not None else x
        return [STATE.trace.constant(text) if type(text) is str else text.__staged_text__()]  # type: ignore[union-attr]
    if type(x) is Choice and not isinstance(d, OneOf):  # of objects that another one of their class has made one structure
        return _pack_as_one(x, list(enumerate(x._alternatives)), d)
    if isinstance(d, Struct):
        if d.kind is RunTuple and type(x) is tuple:
            x = run_tuple(list(x))
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


def _reference(x: Any) -> Value:
    """The number of a list's content in its store."""
    trace = STATE.trace
    assert trace is not None
    referred = trace.notes["heap"].of(x) if type(x) is list else None
    if referred is None:
        raise refusal("shared-list")
    return trace.operand(referred.index)


def _pack_choice(x: Any, d: OneOf) -> list[Value]:
    trace = STATE.trace
    assert trace is not None
    choice = choice_of(x)
    if choice is None:
        mapping = [alternative_for(describe(x), d)]
        tag = trace.constant(mapping[0])
    else:
        mapping = [alternative_for(describe(a), d) for a in choice._alternatives]
        tag_tensor: Any = choice._tag
        if mapping != list(range(len(mapping))):
            tag_tensor = mapping[-1]
            for i, k in enumerate(mapping[:-1]):
                tag_tensor = op.where(op.equal(choice._tag, i), k, tag_tensor)
        tag = as_value(tag_tensor, TAG)
    values = [tag]
    for k, alternative in enumerate(d.alternatives):
        mine = [i for i, place in enumerate(mapping) if place == k]
        if not mine:
            values += pack(UNDEFINED, alternative)
        elif choice is None:
            values += pack(x, alternative)
        else:
            values += _pack_as_one(choice, [(i, choice._alternatives[i]) for i in mine], alternative)
    return values


def _pack_as_one(choice: Choice, options: list[tuple[int, Any]], d: Descriptor) -> list[Value]:
    """The values that carry the one taken of `options`, (tag, alternative) each, that have become one of a wider type."""
    trace = STATE.trace
    assert trace is not None
    packed = pack(options[0][1], d)
    for i, other in options[1:]:
        which = op.equal(choice._tag, i)
        packed = [_either(trace, which, b, a) for a, b in zip(packed, pack(other, d), strict=True)]
    return packed


def _either(trace: Trace, which: Any, a: Value, b: Value) -> Value:
    """One of two values of a type; of texts and lists by a branch, which the others need none for."""
    if isinstance(a.type, TensorType) and a.type.dtype.kind in "biufc":
        return trace.operand(op.where(which, Tensor(a), Tensor(b)))
    regions = []
    for value in (a, b):
        region = trace.builder.push()
        region.graph.outputs = [region.resolve(value)]
        trace.builder.pop()
        regions.append(region)
    inputs = [trace.operand(which), *close(trace, regions)]
    return trace.builder.emit(get("cond"), inputs, {}, (a.type,), tuple(r.graph for r in regions)).outputs[0]


def alternative_for(have: Descriptor, d: OneOf) -> int:
    """Index of the alternative that a value joins."""
    found = alternative_of(have, d)
    if found is None:  # an object in it is another one at the end of the path than where the paths were joined
        raise refusal("shared-list")
    return found


def alternative_of(have: Descriptor, d: OneOf) -> int | None:
    """As `alternative_for`; None where a value joins none."""
    joiner = Joiner()
    for i, alternative in enumerate(d.alternatives):
        if isinstance(have, Static) and isinstance(alternative, Static):
            if same_static(have.value, alternative.value):
                return i
        elif joiner.merge(alternative, have) is not None:
            return i
    return None


def unpack(d: Descriptor, values: Iterator[Value], name: str = "", make: Callable[[Value], Any] = Tensor) -> Any:
    """The Python value of a descriptor, of graph values taken from `values`."""
    if isinstance(d, Leaf):
        return make(next(values))
    if isinstance(d, Static):
        return d.value
    if isinstance(d, Undefined):
        return UNDEFINED
    if isinstance(d, Words):
        return text_hook(next(values))
    if isinstance(d, Reference):
        assert STATE.trace is not None
        return STATE.trace.notes["heap"].view(d, Tensor(next(values)))
    if isinstance(d, Struct):
        return rebuild(d.kind, d.keys, [unpack(c, values, name, make) for c in d.children])
    if isinstance(d, Sequence):
        value = ListValue(d.element, [next(values) for _ in list_types(d)])
        return new_list(value)
    assert isinstance(d, OneOf)
    tag = make(next(values))
    return make_choice(d, tag, [unpack(a, values, name, make) for a in d.alternatives], name)


text_hook: Any = None  # the text that a string is; put here by `printing`


def pack_list(x: Any, d: Sequence) -> list[Value]:
    """A Python list, or a staged one, as graph lists: one per leaf of the element type."""
    types = list_types(d)
    items = x.items if type(x) is ListContents else x
    if type(x) in (list, ListContents) and has_splices(items):
        return _pack_spliced(items, d, types)
    if type(x) is ListValue:
        if x.element == d.element:
            return list(x.values)
        if x.element is not None and (len(x.values) != len(types) or not same_columns(x.element, d.element)):
            return mapped(x, d, lambda item: item)
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


def _pack_spliced(items: list[Any] | tuple[Any, ...], d: Sequence, types: list[Any]) -> list[Value]:
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


def mapped(x: ListValue, d: Sequence, change: Callable[[Any], Any]) -> list[Value]:
    """The graph lists, as of a `d`, of what `change` makes of the items of a list: item by item, in a loop."""
    types = list_types(d)
    trace = STATE.trace
    assert trace is not None
    assert x.element is not None
    count = _emit("list_len", [x.values[0]], {})
    empty = [_emit("list_from", [], {"element": t.element}, (t,)) for t in types]
    region = trace.builder.push()
    index = region.graph.add_input(TAG, "i")
    grown = [region.graph.add_input(t) for t in types]
    old = zip(x.values, value_types(x.element), strict=False)
    item = change(unpack(x.element, iter([_emit("list_get", [v, index], {}, (t,)) for v, t in old])))
    leaves = pack(item, d.element) if d.element is not None else []
    appended = zip(grown, leaves or [as_value(0, TAG)], types, strict=True)
    outputs = [_emit("list_append", [v, leaf], {}, (t,)) for v, leaf, t in appended]
    region.graph.outputs = [region.resolve(v) for v in outputs]
    trace.builder.pop()
    outers = close(trace, [region])
    inputs = [count, *empty, *outers]
    return trace.builder.emit(get("for_loop"), inputs, {"carried": len(types)}, tuple(types), (region.graph,)).outputs
