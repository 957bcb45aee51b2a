"""Functions that differ in offsets only -> one that is told them: what a Python loop's turns leave, by their number.

    call void @nest3(ptr %a)    ->  call void @nest3(i64 32, ptr %a)
    call void @nest4(ptr %a)        call void @nest3(i64 64, ptr %a)
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from runtime.typesys.late import pattern

__all__ = ["merge_alike"]

FEWEST = 3  # functions for which one is better that knows less

# Numbers that LLVM makes next to nothing of: what is added to an index, where a row begins, what is compared for a choice.
_OFFSET = pattern(
    r"^(  (%\w+) = (?:add (?:nsw |nuw )*i64 %\w+, |icmp \w+ i64 %\w+, "
    r"|getelementptr (?:inbounds )?\w+, ptr %\w+, i64 ))(-?\d+)$",
    re.MULTILINE,
)
_ASKED = pattern(r"br i1 (%\w+)")  # the end of a loop is no such number
_CALL = pattern(r"call void (@nest\d+)\((?!\))")


def merge_alike(functions: list[str], names: Mapping[str, str]) -> list[str]:
    """Functions, of which those that `names` has, by what they do (with marks in their order), are as few as may be."""
    groups: dict[str, list[tuple[str, list[str]]]] = {}
    for text, name in names.items():
        asked = set(_ASKED.findall(text))
        offsets = [m[3] for m in _OFFSET.finditer(text) if m[2] not in asked]
        groups.setdefault(_with_offsets(text, None), []).append((name, offsets))
    calls: dict[str, str] = {}  # how one begins now, by the name of the function
    left: dict[str, list[str]] = {}  # offsets of those that are left, by name: registers, or numbers
    for alike in groups.values():
        if len(alike) < FEWEST or not alike[0][1]:
            continue
        first, own = alike[0]
        differ = [k for k in range(len(own)) if len({offsets[k] for _, offsets in alike}) > 1]
        left[first] = [f"%told{k}" if k in differ else x for k, x in enumerate(own)]
        for name, offsets in alike:
            calls[name] = f"call void {first}(" + "".join(f"i64 {offsets[k]}, " for k in differ)
    out = []
    for text in functions:
        name = text[: text.index("(")].rpartition(" ")[2]
        function = _CALL.sub(lambda m: calls.get(m[1], m[0]), text)
        if name in left:
            told = "".join(f"i64 {x}, " for x in left[name] if x.startswith("%"))
            out.append(_with_offsets(function, left[name]).replace("(", "(" + told, 1))
        elif name not in calls:
            out.append(function)
    return out


def _with_offsets(text: str, offsets: list[str] | None) -> str:
    asked, given = set(_ASKED.findall(text)), iter(offsets or ())
    return _OFFSET.sub(lambda m: m[0] if m[2] in asked else m[1] + ("#" if offsets is None else next(given)), text)
