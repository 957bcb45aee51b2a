"""Every Python block and every `autograph` command in README.md and docs/ does what the page says."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.markdown import blocks

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
RUN = {"python", "console", "bash"}


def run_page(page: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a page's blocks in a process and a folder of their own: they may register operations and write."""
    (folder / "examples").symlink_to(ROOT / "examples")
    return subprocess.run(
        [sys.executable, "-m", "tests.docs.run_blocks", str(page)],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        stdin=subprocess.DEVNULL, check=False,
    )


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if any(block.language in RUN for block in blocks(page))],
    ids=lambda page: page.relative_to(ROOT).as_posix(),
)
def test_page(page: Path, tmp_path: Path) -> None:
    run = run_page(page, tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr


GOOD = """
```python
x = 1
def f():
    return x
```
<!-- fails: ZeroDivisionError: division by zero -->
```python
x / 0
```
```python
import inspect
print(inspect.getsource(f).splitlines()[0], f.__code__.co_firstlineno)
```
<!-- output -->
```text
def f(): 4
```
```python
>>> f() + 1
2
```
<!-- fresh -->
<!-- fails: NameError -->
```python
f
```
"""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (GOOD, None),
        ("```python\n1 / 0\n```\n", "page.md:2: the block raises"),
        ("<!-- fails: KeyError -->\n```python\n1 / 0\n```\n", "page.md:3: fails with"),
        ("<!-- fails: KeyError -->\n```python\n1\n```\n", "page.md:3: does not fail"),
        ("```python\n>>> 1 + 1\n3\n```\n", "Expected:"),
        ("```python\nprint(2)\n```\n<!-- output -->\n```\n3\n```\n", "page.md:6: the block before prints"),
        ("```bash\nautograph no-such-command\n```\n", "exits with"),
        ("```bash\npip install something\n```\n", None),
    ],
)
def test_the_driver_finds_what_is_wrong(text: str, says: str | None, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(text, "utf-8")
    run = run_page(page, tmp_path)
    assert (run.returncode == 0) == (says is None), run.stderr
    assert says is None or says in run.stderr
