"""What native code generation says when a graph has operations without a native rule."""

from __future__ import annotations

from collections.abc import Sequence

from runtime.ir.graph import Location
from runtime.typesys.errors import UnimplementedError

__all__ = ["NoCompilerError", "Unsupported"]


class Unsupported(UnimplementedError):
    """A graph cannot run natively.

    missing  (what, where in the user's source) for each operation without a native rule
    """

    def __init__(self, missing: Sequence[tuple[str, Location | None]]) -> None:
        self.missing = list(missing)
        super().__init__(f"no native code for:{self.listing}")

    @property
    def listing(self) -> str:
        """A line for each thing that is missing, with its place."""
        return "".join(dict.fromkeys(f"\n  {_place(location)}{what}" for what, location in self.missing))


class NoCompilerError(RuntimeError):
    """llvmlite is not installed, or cannot be used here."""


def _place(location: Location | None) -> str:
    return "" if location is None else f"{location.file}:{location.line}: "
