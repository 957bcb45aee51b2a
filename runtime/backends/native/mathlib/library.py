"""The table of functions, and their texts."""

from collections.abc import Mapping
from functools import cache

from runtime.backends.native.mathlib import emitter
from runtime.backends.native.mathlib.guarded import (
    called,
    declared,
    declared_alone,
    guarded,
    inlined,
    rare,
    vector_alone,
    vector_inlined,
)
from runtime.backends.native.mathlib.names import BINARY, SLOW, TYPES, body, slow_bodies, symbol


@cache
def build(name: str, kind: str, often: bool = False) -> tuple[str, tuple[str, ...]]:
    """The text of a function and its declarations."""
    kinds = _kinds(name, kind)
    fast = body(name)
    if name in SLOW:
        return (called if often else guarded)(symbol(name, kind), kinds, fast, *slow_bodies(name))
    return (called if often else emitter.definition)(symbol(name, kind), kinds, fast)


def _kinds(name: str, kind: str) -> tuple[str, ...]:
    if kind not in TYPES:
        raise KeyError(kind)
    return (kind,) * (2 if name in BINARY else 1)


def definition(name: str, kind: str) -> str:
    """The IR of one function. Raises KeyError where there is none.

    Args:
      name: as in `NAMES` and `BINARY`.
      kind: "f32" or "f64".
    """
    return build(name, kind)[0]


def declarations(name: str, kind: str) -> tuple[str, ...]:
    """The `declare` lines of the intrinsics it calls."""
    return build(name, kind)[1]


@cache
def in_loops(name: str, kind: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """What a program with loops contains that calls a function in few places: its text, what that declares, and which of
    that is outside: of functions with a slow path, what is not vectors.

    >>> in_loops("exp", "f64")[2], in_loops("sin", "f64")[2]
    ((), ('@ag_sin_f64', '@ag_sin_f64_each4', '@ag_sin_f64_each8'))
    """
    if name not in SLOW:
        return (*build(name, kind), ())
    kinds = _kinds(name, kind)
    fast = body(name)
    return (*inlined(symbol(name, kind), kinds, fast, slow_bodies(name)[0]), rare(symbol(name, kind), kinds))


def alone(name: str, kind: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """The same of a program without loops, where vectors are of no use."""
    if name not in SLOW:
        return (*build(name, kind), ())
    head = symbol(name, kind)
    return "", (declared_alone(head, _kinds(name, kind)),), (head,)


@cache
def vector(name: str, kind: str, lanes: int, often: bool) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """The same of a program that calls a function for so many elements, `@ag_exp_f32_x16`, in few places or `often`.

    >>> vector("sin", "f32", 16, False)[2], vector("exp", "f32", 16, True)[0]
    (('@ag_sin_f32_each16',), '')
    """
    head, kinds = symbol(name, kind), _kinds(name, kind)
    if often and f"{head}_x{lanes}" in outside(name, kind):
        return "", (outside(name, kind)[f"{head}_x{lanes}"],), (f"{head}_x{lanes}",)
    fast = body(name)
    if name not in SLOW:
        return (*vector_alone(head, kinds, fast, lanes), ())
    each = f"{head}_each{lanes}"
    beyond = each if each in rare(head, kinds) else head
    return (*vector_inlined(head, kinds, fast, slow_bodies(name)[0], lanes), (beyond,))


def exports(name: str, kind: str) -> tuple[str, ...]:
    """The symbols that `module` defines for programs."""
    return tuple(dict.fromkeys((*outside(name, kind), *in_loops(name, kind)[2])))


def outside(name: str, kind: str) -> dict[str, str]:
    """What a program declares that calls the function in many places, by symbol: it and its vector variants.

    >>> list(outside("exp", "f64"))
    ['@ag_exp_f64', '@ag_exp_f64_x4', '@ag_exp_f64_x8']
    """
    return declared(symbol(name, kind), _kinds(name, kind))


def declared_outside(functions: Mapping[str, str]) -> str:
    """The text that declares what `outside` says, of some functions."""
    # Variants are first called when loops have become vectors: until then this keeps them.
    places = ", ".join(f"ptr {name}" for name in functions)
    used = f'@llvm.compiler.used = appending global [{len(functions)} x ptr] [{places}], section "llvm.metadata"'
    return "\n".join([*functions.values(), used])


def module(name: str, kind: str) -> str:
    """The text of a module that defines what `outside` declares."""
    text, needed = build(name, kind, often=True)
    return "\n".join([*needed, text])


def requires(name: str, kind: str) -> tuple[tuple[str, str], ...]:
    """Other functions of the library that it calls: none, each stands alone."""
    build(name, kind)
    return ()


def slow_path(name: str, kind: str) -> str | None:
    """Where a function's vector code ends and libm takes over, inside the function; None where it never does.

    >>> slow_path("exp", "f64") is None
    True
    >>> slow_path("fmod", "f32")
    '|x / y| >= 2**53'
    """
    build(name, kind)
    return SLOW.get(name)
