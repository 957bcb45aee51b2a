"""Fenced blocks of a Markdown file, with the HTML comment before each that says how to treat it."""

import re
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^(?P<indent> *)```(?P<language>[\w-]*)\s*$")
MARK = re.compile(r"^ *<!-- *(?P<key>fresh|fails|file|output)(?: *: *(?P<value>.*?))? *-->$")


@dataclass(frozen=True)
class Block:
    """One fenced block.

    Marks, each a comment `<!-- key: value -->` on a line of its own before the fence:

    - `fresh`: starts a new namespace;
    - `fails: text`: raises an error whose type and message contain the text (a command: exits with an
      error and prints it);
    - `file: name.py`: is also written to that file, for commands shown later;
    - `output`: is what the Python block before it prints (`...` stands for anything).
    """

    language: str
    line: int  # of the first line inside the fence, from 1
    text: str
    marks: dict[str, str]


def blocks(path: Path) -> list[Block]:
    """All fenced blocks of a file, in order."""
    found: list[Block] = []
    marks: dict[str, str] = {}
    lines = path.read_text("utf-8").splitlines()
    at = 0
    while at < len(lines):
        if mark := MARK.match(lines[at]):
            marks[mark["key"]] = mark["value"] or ""
        elif fence := FENCE.match(lines[at]):
            start = at + 1
            end = next(i for i in range(start, len(lines)) if lines[i].strip() == "```")
            body = [line.removeprefix(fence["indent"]) for line in lines[start:end]]
            found.append(Block(fence["language"], start + 1, "\n".join(body) + "\n", marks))
            marks, at = {}, end
        elif lines[at].strip():
            marks = {}
        at += 1
    return found
