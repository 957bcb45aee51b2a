"""Every error a user can meet: its type, its id, its words. Imports nothing.

Texts are written here and nowhere else, so that they can be read and reviewed together.
"""


class AutographError(Exception):
    """The base of all errors of the transpiler.

    `str(error)` is the sentence, the user's place with a caret, and what to do:

    >>> print(ConversionError("`eval` is not converted", file="model.py", line=3, column=4, end_column=8,
    ...                       source_line="    eval('x')", hint="call the function directly"))
    `eval` is not converted [conversion]
      File "model.py", line 3, column 5
        eval('x')
        ^^^^
    Instead: call the function directly
    """

    id = "autograph"
    hint = ""

    def __init__(
        self,
        message: str,
        *,
        file: str | None = None,
        line: int | None = None,
        column: int | None = None,
        end_column: int | None = None,
        source_line: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.file = file
        self.line = line
        self.column = column
        self.end_column = end_column
        self.source_line = source_line
        if hint is not None:
            self.hint = hint

    def __str__(self) -> str:
        parts = [f"{self.message} [{self.id}]", *self._place()]
        if self.hint:
            parts.append(f"Instead: {self.hint}")
        return "\n".join(parts)

    def _place(self) -> list[str]:
        """File, line and the source with a caret below; columns count from 0 here and from 1 for people."""
        if self.file is None:
            return []
        place = f'  File "{self.file}"'
        if self.line is not None:
            place += f", line {self.line}"
        if self.line is not None and self.column is not None:
            place += f", column {self.column + 1}"
        if not self.source_line or not self.source_line.strip():
            return [place]
        text = self.source_line.rstrip()
        indent = len(text) - len(text.lstrip())
        lines = [place, "    " + text[indent:]]
        if self.column is not None and indent <= self.column < len(text):
            end = self.end_column if self.end_column and self.end_column > self.column else self.column + 1
            lines.append("    " + " " * (self.column - indent) + "^" * (min(end, len(text)) - self.column))
        return lines


class SourceUnavailableError(AutographError):
    """The source text of a function can't be found, so that it can't be converted."""

    id = "source-unavailable"
    hint = (
        "define the function in a file or a notebook cell; for text run by `exec`, give `compile` a file "
        "name and put the text into `linecache.cache` under it"
    )

    @classmethod
    def no_text(cls, name: str, file: str, line: int) -> "SourceUnavailableError":
        """The file is not there, or holds nothing."""
        return cls(f"the source of {name!r} is not available", file=file, line=line)

    @classmethod
    def not_python(cls, name: str, file: str, reason: str) -> "SourceUnavailableError":
        """The file does not parse, so it is not what was imported."""
        return cls(
            f"the file of {name!r} does not parse ({reason}): has it changed since it was imported?",
            file=file,
            hint="run the program again",
        )

    @classmethod
    def not_found(cls, name: str, file: str, line: int) -> "SourceUnavailableError":
        """There is a file, but no such function at this line."""
        return cls(
            f"no definition of {name!r} is at this line: has the file changed since it was imported?",
            file=file,
            line=line,
            hint="run the program again; code built by hand (`code.replace`) has no source",
        )


class AmbiguousLambdaError(SourceUnavailableError):
    """Several lambdas of one line fit a code object and nothing tells them apart."""

    id = "ambiguous-lambda"

    @classmethod
    def several(cls, count: int, file: str, line: int) -> "AmbiguousLambdaError":
        """`count` lambdas fit."""
        return cls(
            f"{count} lambdas on this line look the same, and Python kept no columns to tell them apart",
            file=file,
            line=line,
            hint="put each lambda on a line of its own, or run Python without -X no_debug_ranges",
        )


class NotAFunctionError(AutographError, TypeError):
    """What should be converted is not a Python function."""

    id = "not-a-function"

    @classmethod
    def of(cls, what: str) -> "NotAFunctionError":
        """`what` is how the thing prints."""
        return cls(
            f"{what} is not a Python function with source",
            hint="give a function, method or lambda written in Python",
        )


class ConversionError(AutographError):
    """Something in the user's source can't be converted."""

    id = "conversion"


class PassError(AutographError):
    """A converter broke its own promise: our fault, not the user's."""

    id = "internal-pass"
    hint = "this is a bug in autograph: please report it with the function"

    @classmethod
    def order(cls, converter: str, node: str) -> "PassError":
        """The list of converters is in an order that can't work."""
        return cls(f"{converter} expects {node} to be gone; no earlier pass eliminates it")

    @classmethod
    def left_over(
        cls, converter: str, node: str, file: str, line: int | None, source_line: str | None = None
    ) -> "PassError":
        """A node that a converter eliminates is still there after it ran."""
        return cls(
            f"{converter} left a {node} that it should have replaced",
            file=file,
            line=line,
            source_line=source_line,
        )
