"""Functions of the mathematical library that programs call in many places: each compiled once, by itself.

Programs declare them and their vector variants (`mathlib.outside`); they are in a program's text only where it calls them
in few places, and are inlined there.
"""

from __future__ import annotations

from runtime.backends.native import mathlib
from runtime.backends.native.once import once
from runtime.backends.native.toolchain import Loaded, compile_text

__all__ = ["symbol"]


def symbol(name: str) -> int | None:
    """Where `ag_exp_f32` or a variant, `ag_exp_f32_x16`, begins; None where the library has no such function.

    >>> symbol("ag_exponent_f32") is None
    True
    """
    function, _, rest = name.removeprefix("ag_").rpartition("_f")
    kind = "f" + rest.partition("_")[0]
    if (function not in mathlib.NAMES and function not in mathlib.BINARY) or kind not in mathlib.TYPES:
        return None
    return _loaded(function, kind).address(name)


@once
def _loaded(name: str, kind: str) -> Loaded:
    exports = tuple(s.removeprefix("@") for s in mathlib.exports(name, kind))
    return compile_text(mathlib.module(name, kind), {}, exports)
