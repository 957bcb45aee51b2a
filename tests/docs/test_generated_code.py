"""The page on generated code names every hook and every name that can appear in it."""

import re
from pathlib import Path

import pytest

from autograph import operators

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "generated_code.md").read_text("utf-8")
PASSES = [*(ROOT / "autograph" / "convert").rglob("*.py")]


@pytest.mark.parametrize("hook", operators.__all__)
def test_every_hook_is_explained(hook: str) -> None:
    assert re.search(rf"ag__\.{hook}\b", PAGE)


def test_every_generated_name_is_explained() -> None:
    names = {name for path in PASSES for name in re.findall(r"(?:fresh|helper|flag)\(\"(\w+)\"\)", path.read_text("utf-8"))}
    assert len(names) > 8
    assert not [name for name in names if f"`{name}`" not in PAGE]
