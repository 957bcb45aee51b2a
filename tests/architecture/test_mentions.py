"""The repository stands alone: no machine's paths, no trackers' numbers, no hosts, nobody's working notes."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT

FORBIDDEN = {
    "an absolute path of a machine": r"(?<![\w.~-])/(work|root|home/\w+)(?=[/\s'\"`]|$)",
    "a number in a tracker": r"\b(issue|pull request|PR) ?#?\d+\b|(?<![\w&'\"(])#\d+\b(?!;)",
    "a working session": r"\b(this|previous|next|another|in a) session\b|\bsessions? (log|id)\b",
    "a registry's host": r"\b(pypi\.org|files\.pythonhosted\.org|conda\.anaconda\.org|registry\.npmjs)",
}
PATTERNS = {what: re.compile(pattern, re.IGNORECASE) for what, pattern in FORBIDDEN.items()}
TEXT = {".py", ".pyi", ".md", ".toml", ".txt", ".cfg", ".yml", ".yaml", ".sh", ""}


def tracked_files() -> list[str]:
    """Files under version control, or all files of the source tree where there is no git."""
    found = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )
    if found.returncode == 0:
        return found.stdout.splitlines()
    folders = ("autograph", "runtime", "tests", "benchmarks", "examples", "docs", ".ci")
    inside = [path for folder in folders for path in (ROOT / folder).rglob("*")]
    files = [path for path in [*ROOT.glob("*.*"), *inside] if path.is_file()]
    return [path.relative_to(ROOT).as_posix() for path in files if "__pycache__" not in path.parts]


@pytest.mark.parametrize("what", FORBIDDEN)
def test_nothing_mentions(what: str) -> None:
    found = []
    for name in tracked_files():
        path = ROOT / name
        if path.suffix not in TEXT or not path.is_file() or path == Path(__file__):
            continue
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if match := PATTERNS[what].search(line):
                found.append(f"{name}:{number}: {match[0]!r}")
    assert not found, f"mentions {what}:\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("what", "text", "mentioned"),
    [
        ("an absolute path of a machine", "see /work/notes", True),
        ("an absolute path of a machine", "'/root'", True),
        ("an absolute path of a machine", "home/work/x and a/work of art", False),
        ("a number in a tracker", "fixes issue 12", True),
        ("a number in a tracker", "colour '#a1b2c3' and &#10;", False),
        ("a working session", "a TensorFlow Session", False),
    ],
)
def test_the_patterns_find_what_they_mean(what: str, text: str, mentioned: bool) -> None:
    assert bool(PATTERNS[what].search(text)) == mentioned
