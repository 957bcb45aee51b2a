"""The public functions of operations: TensorFlow's parameters, literals under its rules, then one call.

Each is a real function with the parameters of what it calls, compiled from two lines of source when its name is first
used, so that a call binds arguments once and `help`, `inspect.signature` and keyword arguments work.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import FunctionType
from typing import Any

import numpy as np

from runtime.ops.registry import FUNCTIONS, OPS, Op, PublicFunction, load_all
from runtime.tensor.dispatch import apply, convert, op
from runtime.tensor.tensor import Tensor
from runtime.typesys.errors import outward

__all__ = ["late", "wrapper_of"]

_made: dict[tuple[str, str], Callable[..., Any]] = {}


def wrapper_of(kind: str, family: str, key: str) -> Callable[..., Any]:
    """The public function of an "operation", or of a "function" written in operations, that a family's file defines."""
    made = _made.get((kind, key))
    if made is None:
        import_module(family)
        made = _of_operation(OPS[key]) if kind == "operation" else _of_function(FUNCTIONS[key])
        made = _made.setdefault((kind, key), made)
    return made


def late(dotted: str) -> Callable[..., Any] | None:
    """The public function of that name that the index does not know: one defined after it was written."""
    load_all()
    for key, operation in OPS.items():
        if dotted in _as_tuple(operation.public):
            return wrapper_of("operation", type(operation).__module__, key)
    for key, entry in FUNCTIONS.items():
        if dotted in entry.public:
            return wrapper_of("function", entry.fn.__module__, key)
    return None


def _as_tuple(names: str | tuple[str, ...]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else names


def _literals(*args: Any) -> tuple[Any, ...]:
    """Arguments as they are, or as tensors under the rules for literals if none of them has a type of its own.

    Bare numbers beside a literal list stay weak, so `([1.0], 2)` is float32; among themselves the widest kind wins.
    """
    if not all(map(_is_bare, args)):
        return args
    if any(isinstance(a, (list, tuple, np.generic)) for a in args):
        return tuple(convert(a) if isinstance(a, (list, tuple, np.generic)) else a for a in args)
    kinds = [_kind(a) for a in args]
    widest = max(kinds)
    if not widest:
        return args
    return tuple(
        (convert(a, None if k == widest else _DEFAULTS[widest]) if k else a)
        for a, k in zip(args, kinds, strict=True)
    )


_ORDER = "bifc"
_DEFAULTS = (None, "bool", "int32", "float32", "complex128")


def _kind(x: Any) -> int:
    """1 to 4 for a bare number (or a weak tensor) from bool to complex, 0 for anything else."""
    if isinstance(x, Tensor):
        return _ORDER.find(x.type.dtype.kind) + 1  # 0 for strings
    for i, kind in enumerate((bool, int, float, complex)):
        if isinstance(x, kind):
            return i + 1
    return 0


def _is_bare(x: Any) -> bool:
    """Whether an argument has no element type of its own: a bare number, a literal, a weak tensor."""
    if isinstance(x, Tensor):
        return x.type.weak
    return not isinstance(x, np.ndarray)


def _of_operation(operation: Op) -> Callable[..., Any]:
    public = _as_tuple(operation.public)
    if operation.rules.call is not None:
        return _calling(operation.rules.call, public, type(operation).__doc__)
    inputs = _inputs(operation)
    attributes = _parameters(operation.infer).keywords
    listed = ", ".join([*inputs, *(["*", *attributes] if attributes else []), "name=None"])
    operands = f"({', '.join(inputs)},)"
    passed = "{" + ", ".join(f"{a!r}: {a}" for a in attributes) + "}"
    source = f"def {_name(public)}({listed}):\n{_body(inputs, f'_apply(_operation, {operands}, {passed})')}"
    made = _compile(source, public, _apply=apply, _operation=operation)
    if attributes:
        made.__kwdefaults__ = {
            **(_plain(operation.infer).__kwdefaults__ or {}),
            **(made.__kwdefaults__ or {}),
        }
    made.__doc__ = type(operation).__doc__
    return made


def _inputs(operation: Op) -> tuple[str, ...]:
    """The public names of the inputs: declared, or those of the type rule."""
    declared: tuple[str, ...] = operation.parameters
    return declared or tuple(_parameters(operation.infer).positional)


def _of_function(entry: PublicFunction) -> Callable[..., Any]:
    return _calling(entry.fn, entry.public, entry.fn.__doc__, entry.tensors)


def _calling(
    fn: Callable[..., Any], public: tuple[str, ...], doc: str | None, tensors: int = 0
) -> Callable[..., Any]:
    """A function with the parameters of `fn` but its first, which is `op`."""
    have = _parameters(fn, skip=1)
    listed, passed = list(have.positional), list(have.positional)
    optional = len(fn.__defaults__ or ())
    for i in range(len(listed) - optional, len(listed)):
        listed[i] += "=None"
    if have.star:
        listed.append("*" + have.star)
        passed.append("*" + have.star)
    elif have.keywords:
        listed.append("*")
    listed += [f"{k}=None" for k in have.keywords]
    passed += [f"{k}={k}" for k in have.keywords]
    if have.double_star:
        listed.append("**" + have.double_star)
        passed.append("**" + have.double_star)
    body = _body(have.positional[:tensors], f"_fn(_op, {', '.join(passed)})")
    made = _compile(f"def {_name(public)}({', '.join(listed)}):\n{body}", public, _fn=fn, _op=op)
    made.__defaults__ = fn.__defaults__
    made.__kwdefaults__ = fn.__kwdefaults__
    made.__annotations__ = {k: v for k, v in fn.__annotations__.items() if k != "op"}
    made.__doc__ = doc
    return made


def _body(tensors: Any, call: str) -> str:
    """The source of a public function's body: errors leave it without frames of this package's."""
    leave = "  except BaseException as _error:\n    _outward[0](_error)\n    raise\n"
    return f"  try:\n{_typed(tensors)}    return {call}\n{leave}"


def _typed(names: Any) -> str:
    """Source that gives literals their types; an eager array, the common case, is asked for first."""
    if not names:
        return ""
    one = " or ".join(f"_type({n}) is _Tensor and _type({n}._value) is _ndarray" for n in names)
    return f"    if not ({one}):\n        {', '.join(names)}, = _literals({', '.join(names)})\n"


def _name(public: tuple[str, ...]) -> str:
    return public[0].rpartition(".")[2]


def _compile(source: str, public: tuple[str, ...], **names: Any) -> FunctionType:
    space, _, name = public[0].rpartition(".")
    home = f"autograph.{space}" if space else "autograph"
    scope: dict[str, Any] = {
        "_Tensor": Tensor,
        "_type": type,  # `type` may be a parameter, as of bitcast
        "_ndarray": np.ndarray,
        "_literals": _literals,
        "_outward": outward,
        "__name__": home,
        **names,
    }
    exec(compile(source, __file__, "exec"), scope)  # this file's name: its frames are internal ones
    made: FunctionType = scope[name]
    return made


class _Parameters:
    """The parameters of a plain function, read off its code (`inspect` takes 7 ms to import)."""

    def __init__(self, fn: Any, skip: int) -> None:
        code = fn.__code__
        names = code.co_varnames
        count, keywords = code.co_argcount, code.co_kwonlyargcount
        self.positional = list(names[skip:count])
        self.keywords = list(names[count : count + keywords])
        rest = count + keywords
        self.star = names[rest] if code.co_flags & 0x04 else ""
        self.double_star = names[rest + bool(self.star)] if code.co_flags & 0x08 else ""


def _plain(fn: Any) -> Any:
    return getattr(fn, "__func__", fn)


def _parameters(fn: Any, skip: int | None = None) -> _Parameters:
    plain = _plain(fn)
    return _Parameters(plain, int(plain is not fn) if skip is None else skip)
