"""Decisions are numbered one after the other, in their files' names and in their titles."""

from pathlib import Path

DECISIONS = sorted((Path(__file__).parents[2] / "docs" / "decisions").glob("*.md"))


def test_numbers_are_told_once() -> None:
    in_names = [int(page.name[:4]) for page in DECISIONS]
    in_titles = [int(page.read_text("utf-8").split(".", 1)[0].removeprefix("# ")) for page in DECISIONS]
    assert in_names == in_titles == list(range(1, len(DECISIONS) + 1))
