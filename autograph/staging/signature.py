"""Arguments to a cache key and leaves: tensors by dtype and shape, Python values by (type, value), objects by identity."""

from __future__ import annotations

import dataclasses
import inspect
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from runtime.ir.graph import Value
from runtime.tensor.tensor import Tensor
from runtime.tensor.variable import Variable
from runtime.typesys.spec import TensorSpec, TensorType, type_of_payload

__all__ = [
    "PLAIN", "Parameters", "apart", "containers", "contents", "encode", "encode_all", "is_array_leaf", "leaf_payload",
    "leaf_type", "parts_of", "rebuild", "refill", "same_leaves", "shown", "weak_reference",
]

PLAIN = (str, bytes, int, bool, complex, type(None), type, type(Ellipsis))


_COLLECTING = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


_ANYTHING = inspect.signature(lambda *args, **kwargs: None)


class Parameters:
    """The parameters of a Python function: binds calls to one canonical form."""

    def __init__(self, function: Callable[..., Any]) -> None:
        try:
            self.signature = inspect.signature(function)
        except ValueError:  # `max`: written in C, with more than one form
            self.signature = _ANYTHING
        self.name = getattr(function, "__name__", type(function).__name__)
        self.qualified_name = getattr(function, "__qualname__", self.name)
        kinds = [p.kind for p in self.signature.parameters.values()]
        self.names = list(self.signature.parameters)
        self.simple = all(
            k in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD) for k in kinds
        )
        self.count = len(kinds)
        # For calls by keyword: the name that each may be given by, and its default; positional ones come first.
        keyword = inspect.Parameter.KEYWORD_ONLY
        self._slots = [
            (None if p.kind is inspect.Parameter.POSITIONAL_ONLY else p.name, p.default)
            for p in self.signature.parameters.values()
        ]
        self._positional = sum(k is not keyword for k in kinds)
        self._plain = self.simple or not any(
            k in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD) for k in kinds
        )

    def in_order(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...] | None:
        """All arguments of a call, defaults among them, in the order of the parameters; None where they do not fit."""
        if not self._plain or len(args) > self._positional:
            return None
        out, used = list(args), 0
        for name, default in self._slots[len(args) :]:
            if name in kwargs:
                out.append(kwargs[name])  # type: ignore[index]
                used += 1
            elif default is inspect.Parameter.empty:
                return None
            else:
                out.append(default)
        return tuple(out) if used == len(kwargs) else None

    def order(self, none: object) -> tuple[tuple[Any, ...], ...]:
        """Names and defaults (`none` where there is none) of all parameters, and the names of the positional ones."""
        empty = inspect.Parameter.empty
        names = tuple(name for name, _ in self._slots)
        defaults = tuple(none if default is empty else default for _, default in self._slots)
        return names, defaults, names[: self._positional]

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Arguments with defaults filled in: positional ones, and keyword-only ones in order.

        Raises:
          TypeError: they do not fit the parameters.
        """
        if self.simple and not kwargs and len(args) == self.count:
            return args, kwargs
        ordered = self.in_order(args, kwargs)
        if ordered is not None:
            named = self.names[self._positional :]
            return ordered[: self._positional], dict(zip(named, ordered[self._positional :], strict=True))
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise self._said_by_python(args, kwargs) or error from None
        bound.apply_defaults()
        return bound.args, bound.kwargs

    def described(self, count: int, args: tuple[Any, ...]) -> tuple[int, int]:
        """Which arguments an input signature of `count` entries describes: those after the instance.

        Raises:
          TypeError: there are fewer arguments, or one that is not described has no default.
        """
        names, most = self.names, sum(p.kind is not p.KEYWORD_ONLY for p in self.signature.parameters.values())
        if count > most and not any(p.kind in _COLLECTING for p in self.signature.parameters.values()):
            raise TypeError(f"the input_signature of {self.name} has {count} entries, but it takes {most} arguments")
        first = int(bool(names) and names[0] in ("self", "cls") and len(args) > count)
        if len(args) < first + count:
            raise TypeError(f"{self.name} takes {count} arguments by its input_signature, but {len(args)} were given")
        for name in names[first + count :]:
            parameter = self.signature.parameters[name]
            if parameter.default is parameter.empty and parameter.kind not in _COLLECTING:
                raise TypeError(
                    f"the input_signature of {self.name} says nothing of its argument {name!r}, which has no default: give "
                    f"a TensorSpec for it, or leave input_signature out"
                )
        return first, first + count

    def _said_by_python(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> TypeError | None:
        """Python's own error for a call that does not fit, as the function itself would raise it."""
        plain = [
            p.replace(annotation=p.empty, default=p.empty if p.default is p.empty else None)
            for p in self.signature.parameters.values()
        ]
        bare = self.signature.replace(parameters=plain, return_annotation=self.signature.empty)
        scope: dict[str, Any] = {}
        exec(f"def stand_in{bare}: pass", scope)
        stand_in = scope["stand_in"]
        stand_in.__name__, stand_in.__qualname__ = self.name, self.qualified_name
        try:
            stand_in(*args, **kwargs)
        except TypeError as error:
            return TypeError(f"{error}; it is {self.name}{shown(self.signature)}")
        return None


def shown(signature: inspect.Signature) -> str:
    """The parameters with their defaults, without annotations."""
    plain = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    return str(signature.replace(parameters=plain, return_annotation=signature.empty))


def is_array_leaf(x: Any) -> bool:
    """Whether an argument becomes an input of the graph."""
    if isinstance(x, Tensor):
        return not isinstance(x, Variable)
    return (isinstance(x, np.ndarray) and x.dtype.kind != "O") or isinstance(x, np.generic)


def leaf_payload(x: Any) -> Any:
    """What the executable gets for an argument: NumPy scalars are weak, as bare numbers."""
    if isinstance(x, Tensor):
        return x._value
    return x.item() if isinstance(x, np.generic) else x


def encode(x: Any, leaves: list[Any], pinned: list[Any]) -> Any:
    """The hashable key of an argument; its array leaves are appended to `leaves`.

    Objects are told apart by identity: those go to `pinned`, whose life the cache entry follows.
    """
    kind = type(x)
    if kind is Tensor:
        leaves.append(x)
        payload = x._value
        if isinstance(payload, np.ndarray):
            return payload.dtype, payload.shape
        return tensor_key(payload)
    if kind is np.ndarray and x.dtype.kind != "O":
        leaves.append(x)
        return x.dtype, x.shape
    if kind is float:
        return float, x.hex()
    if kind in PLAIN:
        return kind, x
    if isinstance(x, np.generic):
        leaves.append(x)
        return tensor_key(x.item())
    if kind is tuple or kind is list:
        return kind, tuple([encode(e, leaves, pinned) for e in x])
    if kind is dict:
        return dict, tuple([(k, encode(v, leaves, pinned)) for k, v in x.items()])
    if isinstance(x, TensorSpec):
        leaves.append(x)
        return "spec", x
    if isinstance(x, Variable):
        pinned.append(x)
        return "object", id(x)
    if isinstance(x, Tensor):
        leaves.append(x)
        return tensor_key(x._value)
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return kind, tuple([encode(e, leaves, pinned) for e in x])
    if dataclasses.is_dataclass(x) and not isinstance(x, type) and holds_leaf(x):
        return kind, tuple([(f.name, encode(getattr(x, f.name), leaves, pinned)) for f in dataclasses.fields(x)])
    if hasattr(kind, "__attrs_attrs__") and holds_leaf(x):
        return kind, tuple([(a.name, encode(getattr(x, a.name), leaves, pinned)) for a in kind.__attrs_attrs__])
    if isinstance(x, (slice, range, frozenset)):
        return kind, repr(x)
    pinned.append(x)
    return "object", id(x)


def encode_all(args: tuple[Any, ...], kwargs: dict[str, Any], leaves: list[Any], pinned: list[Any]) -> Any:
    """The key of a call's arguments, as `encode` gives it for each; tensors, which most are, without a call for each."""
    keys = []
    for x in args:
        if type(x) is Tensor and type(payload := x._value) is np.ndarray:
            leaves.append(x)
            keys.append((payload.dtype, payload.shape))
        else:
            keys.append(encode(x, leaves, pinned))
    key = tuple(keys)
    return (key, tuple([(k, encode(v, leaves, pinned)) for k, v in kwargs.items()])) if kwargs else key


def apart(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments with another tensor for one that is there a second time: a signature does not say that two are one."""
    seen: set[int] = set()

    def leaf(x: Any) -> Any:
        again = id(x) in seen
        seen.add(id(x))
        return Tensor(x._value) if again and isinstance(x, Tensor) else x

    return tuple(rebuild(a, leaf) for a in args), {k: rebuild(v, leaf) for k, v in kwargs.items()}


def same_leaves(leaves: list[Any]) -> tuple[int, ...]:
    """For each leaf the number of the first that is the same object: what is written to one is written to both."""
    first: dict[int, int] = {}
    return tuple([first.setdefault(id(x), i) for i, x in enumerate(leaves)])


def holds_leaf(x: Any) -> bool:
    """Whether a dataclass or attrs instance holds tensors: then it travels by its parts."""
    return (
        any(is_array_leaf(v) or isinstance(v, (list, tuple, dict)) for v in vars(x).values())
        if hasattr(x, "__dict__")
        else True
    )


def tensor_key(payload: Any) -> Any:
    """dtype, shape and weak flag as a key."""
    if type(payload) is Value:
        return payload.type
    kind = type_of_payload(payload)
    return (kind.dtype.dtype, kind.shape, "weak") if kind.weak else (kind.dtype.dtype, kind.shape)


def leaf_type(x: Any) -> TensorType:
    """The graph type of an argument leaf."""
    if isinstance(x, TensorSpec):
        return x.to_type()
    if isinstance(x, Tensor):
        return x.type
    return type_of_payload(x.item() if isinstance(x, np.generic) else x)


def rebuild(x: Any, next_leaf: Callable[[Any], Any]) -> Any:
    """The argument with its array leaves replaced, in the order of `encode`."""
    kind = type(x)
    if is_array_leaf(x) or isinstance(x, TensorSpec):
        return next_leaf(x)
    if kind is tuple or kind is list:
        return kind(rebuild(e, next_leaf) for e in x)
    if kind is dict:
        return {k: rebuild(v, next_leaf) for k, v in x.items()}
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return kind._make(rebuild(e, next_leaf) for e in x)  # type: ignore[attr-defined]
    names = parts_of(x)
    if names is None:
        return x
    made = kind.__new__(kind)  # type: ignore[call-overload]
    for name in names:
        object.__setattr__(made, name, rebuild(getattr(x, name), next_leaf))
    return made


def containers(x: Any) -> Iterator[Any]:
    """The structures in an argument that can be changed in place, in the order of `rebuild`."""
    kind = type(x)
    if is_array_leaf(x) or isinstance(x, TensorSpec):
        return
    names = None
    if (
        kind is not tuple
        and kind is not list
        and kind is not dict
        and not (isinstance(x, tuple) and hasattr(x, "_fields"))
    ):
        names = parts_of(x)
        if names is None:
            return
    if not isinstance(x, tuple):
        yield x
    parts = x.values() if kind is dict else x if names is None else [getattr(x, n) for n in names]
    for part in parts:
        yield from containers(part)


def contents(holder: Any) -> tuple[Any, ...]:
    """What a container holds: its keys or field names, then its items."""
    if type(holder) is list:
        return tuple(holder)
    if type(holder) is dict:
        return (*holder, *holder.values())
    names = parts_of(holder) or ()
    return tuple(getattr(holder, n) for n in names)


def refill(holder: Any, source: Any) -> None:
    """Make a container hold what another of its kind holds."""
    if type(holder) is list:
        holder[:] = source
    elif type(holder) is dict:
        holder.clear()
        holder.update(source)
    else:
        for name in parts_of(holder) or ():
            object.__setattr__(holder, name, getattr(source, name))


def parts_of(x: Any) -> list[str] | None:
    """Names of the fields of a dataclass or attrs instance that travels by its parts."""
    kind = type(x)
    if dataclasses.is_dataclass(x) and not isinstance(x, type) and holds_leaf(x):
        return [f.name for f in dataclasses.fields(x)]
    if hasattr(kind, "__attrs_attrs__") and holds_leaf(x):
        return [a.name for a in kind.__attrs_attrs__]  # type: ignore[attr-defined]
    return None


def weak_reference(x: Any, callback: Callable[[Any], None]) -> Any:
    """A weak reference where the object allows it, else the object itself (kept alive)."""
    try:
        return weakref.ref(x, callback)
    except TypeError:
        return x
