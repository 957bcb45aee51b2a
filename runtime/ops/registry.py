"""The registry: one class per operation holds all that is known of it.

An operation is a subclass of `Op` (usually of a kind from `runtime.ops.kinds`), registered by being
defined; a *function* (decorated with `function`) is a public name written in terms of operations, the same
eagerly and staged. Both live in family files of this folder, found by listing the folder.

Rules take their target first: `vjp(op, dy, y, x, ...)` and functions get `op`, the namespace whose attributes call
operations on tensors (`op.mul(a, b)`), so family files import nothing but this module and the kinds.
"""

from __future__ import annotations

import importlib
import itertools
import os
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from runtime.ops.catalogue import FUNCTIONS as FUNCTION_FAMILIES
from runtime.ops.catalogue import OPERATIONS
from runtime.typesys.errors import UnimplementedError
from runtime.typesys.spec import ValueType

__all__ = ["FUNCTIONS", "OPS", "Op", "PublicFunction", "function", "get", "load_all", "load_family_of"]

OPS: dict[str, Op] = {}
tensor_of: list[Any] = [lambda value: value]  # one entry: makes the user's tensor of an array; `dispatch` puts its own
FUNCTIONS: dict[str, PublicFunction] = {}
_loaded = False


class Op:
    """Everything about one operation. Instances are singletons, made when the class is defined.

    Inputs are positional, attributes (static: axis, shape, dtype ...) are keywords, in every rule.

      public   names under which users see it ("sin", "math.sin")
      method   names as a Tensor method; dunders such as "__add__" and "__radd__" included
      infer    (*input types, **attributes) -> output type, or a tuple of them if `outputs` is not 1
      numpy    the NumPy meaning: a ufunc's name ("sin"), or a source template ("np.sum({0}, axis={axis})"),
               or None where `kernel(*arrays, **attributes)` (a plain function in the class body) is the meaning
      python   a source template for bare Python numbers ("{0} + {1}"), used where all operands are weak
      scalar   (b, *elements, **attributes) -> the element of the result, by the methods of `b` (ufuncs by NumPy's names,
               `const`, `select`, `cast`), for native code; not needed where `numpy` is a ufunc that it knows
      view     the result may share memory with the first input
      aliases  the result may BE the first input's array
      consumes indices of inputs whose buffer (or list) `in_place` writes to; allowed where a plan owns it and it
               dies here
      in_place a source template ("{0}.append({1})") that turns the first consumed input into the first output;
               of an operation with more outputs it is an expression, whose value is the other outputs
      source, in_place_source   (self, operands' sources, attributes) -> source, where a template is not enough: `numpy`
               and `in_place` as methods; the kernel is called `K`
      effect   None for a pure operation, else the resource whose order it keeps ("print", "random", ...)
      vjp      (op, dy, y, *inputs, **attributes) -> one cotangent per input, None where there is none;
               dy and y are tuples if `outputs` is not 1; then zeros stand for outputs that got no cotangent, or None
               where `sparse_cotangents` says that the rule knows of it
      choosy   the vjp takes `needs`, a flag per input: the others' cotangents are not asked for, and may be None
      parameters   public names of the inputs, where they are not those of the type rule
      call     (op, *public arguments): the public signature, where it is not just the inputs and attributes
      samples  () -> iterable of (inputs, attributes) used by the conformance tests
    """

    name: ClassVar[str] = ""
    public: ClassVar[str | tuple[str, ...]] = ()
    method: ClassVar[str | tuple[str, ...]] = ()
    outputs: ClassVar[int | None] = 1
    numpy: ClassVar[str | None] = None
    python: ClassVar[str | None] = None
    scalar: ClassVar[Any] = None
    view: ClassVar[bool] = False
    aliases: ClassVar[bool] = False
    consumes: ClassVar[tuple[int, ...]] = ()
    in_place: ClassVar[str | None] = None
    source: ClassVar[Any] = None
    in_place_source: ClassVar[Any] = None
    effect: ClassVar[str | None] = None
    kernel: ClassVar[Any] = None
    vjp: ClassVar[Any] = None
    sparse_cotangents: ClassVar[bool] = False
    choosy: ClassVar[bool] = False
    parameters: ClassVar[tuple[str, ...]] = ()
    call: ClassVar[Any] = None
    abstract: ClassVar[bool] = True  # kinds are abstract; a class that names itself or has a meaning is not

    def __init_subclass__(cls, abstract: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.abstract = abstract
        if abstract:
            return
        if "name" not in cls.__dict__:
            cls.name = _snake(cls.__name__)
        if cls.name in OPS:
            other = type(OPS[cls.name]).__module__
            raise ValueError(f"operation {cls.name!r} is defined in both {other} and {cls.__module__}")
        OPS[cls.name] = cls()

    def __init__(self) -> None:
        # Rules are plain functions of the class body: reached through the class they are not bound to the instance.
        self.rules = type(self)
        self.is_ufunc = self.numpy is not None and self.numpy.isidentifier()

    def infer(self, *types: Any, **attrs: Any) -> ValueType | tuple[ValueType, ...]:
        raise NotImplementedError(f"operation {self.name!r} has no type rule")

    @cached_property
    def run(self) -> Callable[..., Any]:
        """The NumPy meaning as a function of (*arrays, **attributes)."""
        return self._make_run()

    @cached_property
    def run_weak(self) -> Callable[..., Any]:
        """The meaning for bare Python numbers: Python's own where there is a template for it."""
        return self.run if self.python is None else compile_template(self.python)

    def _make_run(self) -> Callable[..., Any]:
        if self.numpy is None:
            if self.rules.kernel is None:
                raise UnimplementedError(f"operation {self.name!r} has no NumPy meaning", op=self.name)
            return self.rules.kernel
        if self.is_ufunc:
            return getattr(np, self.numpy)
        return compile_template(self.numpy, self.rules.kernel)

    def samples(self) -> Iterable[tuple[tuple[Any, ...], Mapping[str, Any]]]:
        """Inputs and attributes for the conformance tests; kinds override it."""
        return ()

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return get, (self.name,)


def template_fields(template: str) -> list[str]:
    """Field names of a source template, in order: "0", "1", "axis" ..."""
    import string

    return [field for _, field, _, _ in string.Formatter().parse(template) if field is not None]


def compile_template(template: str, kernel: Any = None) -> Callable[..., Any]:
    """A function of (x0, x1, ..., attributes by keyword) that evaluates a source template."""
    fields = template_fields(template)
    count = max((int(f) + 1 for f in fields if f.isdigit()), default=0)
    names = {str(i): f"x{i}" for i in range(count)}
    keywords = sorted({f for f in fields if not f.isdigit()})
    body = template.format(*(names[str(i)] for i in range(count)), **{k: k for k in keywords})
    parameters = ", ".join([*names.values(), *(["*"] if keywords else []), *keywords, "**_"])
    namespace: dict[str, Any] = {"np": np, "K": kernel}
    # This file's name: its frames are internal ones.
    exec(compile(f"def template({parameters}):\n    return {body}", __file__, "exec"), namespace)
    return namespace["template"]


class PublicFunction:
    """A public name written in terms of operations: `fn(op, *args)`; the first `tensors` parameters are tensors."""

    __slots__ = ("fn", "method", "public", "tensors")

    def __init__(self, fn: Callable[..., Any], public: tuple[str, ...], method: tuple[str, ...], tensors: int) -> None:
        self.fn = fn
        self.public = public
        self.method = method
        self.tensors = tensors


def function(*public: str, method: str | tuple[str, ...] = (), tensors: int = 0) -> Callable[[Any], Any]:
    """Register `fn(op, ...)` under public names; Python numbers among its first `tensors` arguments become tensors.

    It is also reachable as `op.<name of fn>` from every rule.
    """

    def register(fn: Callable[..., Any]) -> Callable[..., Any]:
        key = fn.__name__.rstrip("_")
        if key in FUNCTIONS:
            raise ValueError(f"function {key!r} is defined in both {FUNCTIONS[key].fn.__module__} and {fn.__module__}")
        FUNCTIONS[key] = PublicFunction(fn, public, (method,) if isinstance(method, str) else method, tensors)
        return fn

    return register


def get(name: str) -> Op:
    """The operation of that name; its family file is imported when it is first asked for.

    Raises:
      UnimplementedError: there is none.
    """
    found = OPS.get(name)
    if found is None:
        load_family_of(name)
        found = OPS.get(name)
        if found is None:
            raise UnimplementedError(f"no operation {name!r}", op=name)
    return found


def load_family_of(name: str) -> None:
    """Import the file that defines an operation or a function: the catalogue says which, else all are."""
    families = [table[name] for table in (OPERATIONS, FUNCTION_FAMILIES) if name in table]
    for family in families:
        importlib.import_module(family)
    if not families:
        load_all()


def load_all() -> None:
    """Import every family file of this folder (once)."""
    global _loaded
    if _loaded:
        return
    _loaded = True
    for file in sorted(os.listdir(os.path.dirname(__file__))):
        module, ext = os.path.splitext(file)
        if ext == ".py" and module not in ("__init__", "catalogue", "kinds", "registry"):
            importlib.import_module(f"runtime.ops.{module}")


def _snake(name: str) -> str:
    out = [name[0].lower()]
    for before, c in itertools.pairwise(name):
        if c.isupper() and not before.isupper():
            out.append("_")
        out.append(c.lower())
    return "".join(out)
