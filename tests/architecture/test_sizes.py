"""No source file, Python or LLVM text, is longer than 600 lines: one that reaches 500 is split by family, not `_part2`."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
LIMIT = 600
FOLDERS = ("autograph", "runtime", "tests", "benchmarks", "examples")

# File -> why it may be longer. An entry that is no longer needed is an error, too.
EXCEPTIONS: dict[str, str] = {}


def sizes() -> dict[str, int]:
    files = (path for folder in FOLDERS for kind in ("*.py", "*.ll") for path in (ROOT / folder).rglob(kind))
    return {str(path.relative_to(ROOT)): path.read_text("utf-8").count("\n") for path in files}


def test_no_file_is_too_long() -> None:
    too_long = {name: n for name, n in sizes().items() if n > LIMIT and name not in EXCEPTIONS}
    assert not too_long, f"longer than {LIMIT} lines: {too_long}"


def test_exceptions_are_needed() -> None:
    measured = sizes()
    needless = [name for name in EXCEPTIONS if measured.get(name, 0) <= LIMIT]
    assert not needless, f"short enough: take off the list: {needless}"
