"""Functions that programs share: each is compiled once, by itself, and kept, in the process and on disk.

What is the same for many programs (a block of a product, the transform of a row of tiles) is told its sizes by the call.
"""

from __future__ import annotations

from collections.abc import Callable

from runtime.backends.native.once import once
from runtime.backends.native.toolchain import Loaded, compile_text

__all__ = ["kept"]


def kept(write: Callable[[str], str]) -> Callable[[str], int]:
    """What tells where the function of a name begins; `write` gives the text of its module."""

    @once
    def loaded(name: str) -> Loaded:
        return compile_text(write(name), {}, (name,))

    def symbol(name: str) -> int:
        return loaded(name).address(name)

    return symbol
