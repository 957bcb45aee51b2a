"""What commands share: their error, reading a file, writing one whole or not at all, colours on a terminal."""

from __future__ import annotations

import io
import os
import sys
import tokenize
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias

from autograph.errors.catalogue import AutographError

__all__ = [
    "CommandError",
    "Line",
    "located",
    "read_source",
    "refused_source",
    "show",
    "show_lines",
    "syntax_message",
    "write_file",
]

Line: TypeAlias = tuple[str, str]
"""A line and its style, in words of rich (`bold`, `red`), or nothing."""


class CommandError(Exception):
    """Why a command can't be done, in words for its user."""


def located(
    file: str, line: int | None, message: str, text: str | None = None, column: int | None = None, hint: str = ""
) -> CommandError:
    """`file:line:column: message`, with the line and a caret, and the way out, where they are known.

    `column` counts from 1.
    """
    place = ":".join(str(part) for part in (file, line, column) if part is not None)
    lines = [f"{place}: {message}"]
    if text and text.strip():
        text = text.rstrip()
        indent = len(text) - len(text.lstrip())
        lines.append("    " + text[indent:])
        if column is not None and indent < column <= len(text) + 1:
            lines.append("    " + " " * (column - 1 - indent) + "^")
    if hint:
        lines.append(f"Instead: {hint}")
    return CommandError("\n".join(lines))


def syntax_message(error: SyntaxError, file: str) -> CommandError:
    """A file that does not parse."""
    column = error.offset if error.offset and error.offset > 0 else None
    return located(error.filename or file, error.lineno, error.msg, error.text, column)


def read_source(path: str) -> str:
    """The text of a Python file, in the encoding it declares.

    Raises:
      CommandError: it is not there, no text, or not readable.
    """
    try:
        with open(path, "rb") as file:
            data = file.read()
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return io.TextIOWrapper(io.BytesIO(data), encoding).read()
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror or error}") from None
    except SyntaxError as error:  # an unknown encoding
        raise CommandError(f"{path}: {error.msg}") from None
    except UnicodeDecodeError as error:
        raise CommandError(f"{path}: not text: byte {error.start} is not {error.encoding}") from None


@contextmanager
def refused_source(path: str) -> Iterator[None]:
    """What conversion raises, as a message for the command's user."""
    try:
        yield
    except SyntaxError as error:
        raise syntax_message(error, path) from None
    except AutographError as error:
        column = None if error.column is None else error.column + 1
        raise located(error.file or path, error.line, error.message, error.source_line, column, error.hint) from None
    except RecursionError:
        raise CommandError(f"{path}: nested too deeply to be converted") from None
    except ValueError as error:  # null bytes, on Python 3.11
        raise CommandError(f"{path}: {error}") from None


def write_file(path: str, text: str) -> None:
    """Write a file whole or not at all: a temporary one beside it takes its place at the end.

    Raises:
      CommandError: the folder is not there or can't be written.
    """
    target = os.path.realpath(path)
    temporary = f"{target}.{os.getpid()}.tmp"
    try:
        try:
            with open(temporary, "x", encoding="utf-8", newline="\n") as file:
                file.write(text)
            if os.path.exists(target):
                if not os.path.isfile(target):
                    raise CommandError(f"{path}: not a file")
                os.chmod(temporary, os.stat(target).st_mode & 0o7777)
            os.replace(temporary, target)
        finally:
            if os.path.lexists(temporary):
                os.unlink(temporary)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror or error}") from None


def show(text: str, language: str) -> None:
    """Print text, with syntax colours on a terminal where rich is installed."""
    if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        try:
            from rich.console import Console
            from rich.syntax import Syntax
        except ImportError:
            sys.stdout.write(text)
            return
        highlighted = Syntax("", language, theme="ansi_dark", background_color="default").highlight(text)
        Console().print(highlighted, soft_wrap=True, end="")
        return
    sys.stdout.write(text)


def show_lines(lines: list[Line]) -> None:
    """Print lines, in their styles on a terminal where rich is installed."""
    if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        try:
            from rich.console import Console
            from rich.text import Text
        except ImportError:
            pass  # without colours, as below
        else:
            console = Console()
            for text, style in lines:
                console.print(Text(text, style=style), soft_wrap=True)
            return
    sys.stdout.write("".join(text + "\n" for text, _ in lines))
