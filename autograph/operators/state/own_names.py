"""Python's own functions under the names that this package's modules use: what a program puts in their place is its own."""

from __future__ import annotations

from types import ModuleType
from typing import Any

__all__ = ["OWN", "keep_own"]

OWN: dict[str, Any] = {}  # filled when the hooks are loaded, before any program of theirs runs


def keep_own(module: ModuleType) -> None:
    """Let a module of this package mean Python's functions for good."""
    for name, original in OWN.items():
        module.__dict__.setdefault(name, original)
