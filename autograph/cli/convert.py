"""`autograph convert FILE`: the converted source of the functions of a file, which is only read."""

from __future__ import annotations

import difflib
from typing import Any

from autograph.cli.output import CommandError, read_source, refused_source, show, write_file
from autograph.convert.pipeline import convert_source
from autograph.source.comments import comments_ahead
from autograph.source.printing import unparse

__all__ = ["convert", "run"]


def run(options: Any) -> None:
    """The command, from its parsed arguments."""
    convert(options.file, options.function, options.diff, options.output)


def convert(path: str, name: str | None, diff: bool, output: str | None) -> None:
    """Print, or write to `output`, the converted functions of a file.

    Raises:
      CommandError: the file can't be read or converted, or has no function of that name.
    """
    text = read_source(path)
    with refused_source(path):
        functions = convert_source(text, path)
        chosen = functions if name is None else _named(functions, name, path)
        parts = [_diff(path, text, *each) if diff else _source(text, *each) for each in chosen]
    if not functions:
        raise CommandError(f"{path}: there are no functions in this file")
    made = "".join(parts) if diff else "\n\n".join(parts)
    if output is None:
        show(made, "diff" if diff else "python")
    else:
        write_file(output, made)


def _named(functions: list[Any], name: str, path: str) -> list[Any]:
    """The functions called `name`, by their qualified name or the last part of it."""
    found = [f for f in functions if f[0] == name] or [f for f in functions if f[0].rpartition(".")[2] == name]
    if not found:
        names = ", ".join(dict.fromkeys(f[0] for f in functions)) or "none"
        raise CommandError(f"{path}: there is no function {name!r}; there are: {names}")
    return found


def _source(text: str, name: str, made: Any, original: Any) -> str:
    heading = f"# {name}\n" if "." in name else ""
    return f"{heading}{unparse(made, comments_ahead(text, original))}\n"


def _diff(path: str, text: str, name: str, made: Any, original: Any) -> str:
    """The difference between the original and the converted function, both printed the same way."""
    printed = (unparse(tree, comments_ahead(text, original)) for tree in (original, made))
    before, after = (lines.splitlines(keepends=True) for lines in printed)
    lines = difflib.unified_diff([*before], [*after], f"{path}:{name}", f"{path}:{name} (converted)")
    return "".join(line if line.endswith("\n") else line + "\n" for line in lines)
