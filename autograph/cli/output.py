"""What commands share: their error, reading a file, writing one whole or not at all, colours on a terminal."""

from __future__ import annotations

import io
import os
import sys
import tokenize

__all__ = ["CommandError", "located", "read_source", "show", "syntax_message", "write_file"]


class CommandError(Exception):
    """Why a command can't be done, in words for its user."""


def located(
    file: str, line: int | None, message: str, text: str | None = None, column: int | None = None
) -> CommandError:
    """`file:line:column: message`, with the line and a caret where they are known. `column` counts from 1."""
    place = ":".join(str(part) for part in (file, line, column) if part is not None)
    lines = [f"{place}: {message}"]
    if text and text.strip():
        text = text.rstrip()
        indent = len(text) - len(text.lstrip())
        lines.append("    " + text[indent:])
        if column is not None and indent < column <= len(text) + 1:
            lines.append("    " + " " * (column - 1 - indent) + "^")
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
