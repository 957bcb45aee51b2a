"""What is made when it is first used, because making it takes time that most programs need not spend."""

from __future__ import annotations

import re
from typing import Any, cast

__all__ = ["pattern"]


class _Late:
    """A regular expression that is compiled when something of it is first asked for."""

    def __init__(self, source: str, flags: int) -> None:
        self._made = source, flags

    def __getattr__(self, name: str) -> Any:
        found = self.__dict__[name] = getattr(re.compile(*self._made), name)
        return found


def pattern(source: str, flags: int = 0) -> re.Pattern[str]:
    """`re.compile(source, flags)`, for names of modules: a tenth of a millisecond each is much of a first call."""
    return cast("re.Pattern[str]", _Late(source, flags))
