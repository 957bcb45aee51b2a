"""The LLVM IR that is written by hand, in files beside this one."""

from __future__ import annotations

import os

__all__ = ["text_of"]


def text_of(*names: str) -> str:
    """The contents of some files, one after another."""
    folder = os.path.dirname(__file__)
    parts = []
    for name in names:
        with open(os.path.join(folder, f"{name}.ll"), encoding="utf-8") as file:
            parts.append(file.read())
    return "\n".join(parts)
