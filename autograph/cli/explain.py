"""`autograph explain FILE`: what of each function would be staged, stays Python or would be refused."""

from __future__ import annotations

from typing import Any

from autograph.cli.output import CommandError, Line, read_source, refused_source, show_lines
from autograph.convert.explain import PYTHON, REFUSED, STAGED, Report, explain_source

__all__ = ["explain", "run"]

_TITLES = {
    STAGED: ("staged, if a tensor decides", "green"),
    PYTHON: ("stays Python", "yellow"),
    REFUSED: ("would be refused", "red"),
}
_INSTEAD = "instead: "


def run(options: Any) -> None:
    """The command, from its parsed arguments."""
    explain(options.file, options.function)


def explain(path: str, name: str | None) -> None:
    """Print the report of a file's functions, or of those called `name`.

    Raises:
      CommandError: the file can't be read or converted, or has no function of that name.
    """
    text = read_source(path)
    with refused_source(path):
        reports = explain_source(text, path)
    if not reports:
        raise CommandError(f"{path}: there are no functions in this file")
    if name is not None:
        chosen = [r for r in reports if r.name == name or r.name.startswith(f"{name}.")]
        chosen = chosen or [r for r in reports if r.name.rpartition(".")[2] == name]
        if not chosen:
            names = ", ".join(dict.fromkeys(r.name for r in reports))
            raise CommandError(f"{path}: there is no function {name!r}; there are: {names}")
        reports = chosen
    lines: list[Line] = []
    ways_out: dict[str, str] = {}
    for report in reports:
        lines += [*_report(report, path, ways_out), ("", "")]
    if ways_out:
        lines += [("what to write instead", "bold"), *((f"  {id}: {text}", "") for id, text in ways_out.items()), ("", "")]
    show_lines([*lines, (_summary(reports), "bold")])


def _report(report: Report, path: str, ways_out: dict[str, str]) -> list[Line]:
    """What is known of one function; `ways_out` gets what to write instead, once for each kind of refusal."""
    lines = [(f"{path}:{report.line}: {report.name}", "bold")]
    for kind, (title, style) in _TITLES.items():
        rows = [finding for finding in report.findings if finding.kind == kind]
        if not rows:
            continue
        lines.append((f"  {title}", style))
        for row in rows:
            where = f"line {row.lines[0]}" if len(row.lines) == 1 else f"lines {', '.join(map(str, row.lines))}"
            syntax = "" if row.syntax in ("and", "or") else f"{row.syntax} "  # these stand in the text
            lines.append((f"    {where}: {syntax}{row.text}", ""))
            for part in row.reason.split("; ", 1):
                id = lines[-1][0].rpartition(" ")[2]
                if part.startswith(_INSTEAD) and id.endswith("]"):
                    ways_out[id] = part.removeprefix(_INSTEAD)
                elif part:
                    lines.append((f"      {part}", "dim"))
    if not report.findings:
        lines.append(("  nothing that a tensor could decide", ""))
    return lines


def _summary(reports: list[Report]) -> str:
    counts = {kind: sum(f.kind == kind for r in reports for f in r.findings) for kind in _TITLES}
    functions = f"{len(reports)} function" + ("" if len(reports) == 1 else "s")
    return f"{functions}: {counts[STAGED]} staged, {counts[PYTHON]} Python, {counts[REFUSED]} refused"
