"""Runs the Python blocks and the `autograph` commands of one Markdown file.

    python -m tests.docs.run_blocks README.md

Run in a folder of its own: files that blocks make end up there. Blocks share one namespace, and a
function in a block has its source in a real file with the line numbers of the Markdown file.
"""

import contextlib
import doctest
import io
import shlex
import subprocess
import sys
import traceback
import types
from pathlib import Path

from tests.docs.markdown import Block, blocks

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
CHECK = doctest.OutputChecker()


class Wrong(Exception):
    """A block does not do what the page says."""


def fresh_namespace() -> dict[str, object]:
    """A new `__main__`, so that pickles and dataclasses find the module they were made in."""
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    return module.__dict__


def run_python(block: Block, source: Path, namespace: dict[str, object]) -> str:
    """Execute a block; returns what it printed."""
    wanted = block.marks.get("fails")
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            if block.text.lstrip().startswith(">>>"):
                run_prompts(block, namespace)
            else:
                code = compile("\n" * (block.line - 1) + block.text, str(source), "exec")
                exec(code, namespace)
    except Wrong:
        raise
    except Exception as error:
        if wanted is None:
            raise
        shown = "".join(traceback.format_exception_only(error))
        if wanted not in shown:
            raise Wrong(f"fails with\n{shown}but the page says it fails with {wanted!r}") from error
    else:
        if wanted is not None:
            raise Wrong(f"does not fail, and the page says it fails with {wanted!r}")
    return printed.getvalue()


def run_prompts(block: Block, namespace: dict[str, object]) -> None:
    """Execute a block written with `>>>` prompts, comparing what it shows."""
    test = doctest.DocTestParser().get_doctest(block.text, {}, "block", None, None)
    test.globs = namespace
    report = io.StringIO()
    result = doctest.DocTestRunner(optionflags=FLAGS).run(test, out=report.write, clear_globs=False)
    if result.failed:
        raise Wrong(report.getvalue())


def run_commands(block: Block) -> None:
    """Run the commands of a `console` or `bash` block that start with `autograph`."""
    commands: list[tuple[str, list[str]]] = []
    for line in block.text.splitlines():
        if block.language == "bash" or line.startswith("$ "):
            commands.append((line.removeprefix("$ "), []))
        elif commands:
            commands[-1][1].append(line)
    for command, shown in commands:
        words = shlex.split(command, comments=True)
        if words[:1] != ["autograph"]:
            continue
        run = subprocess.run(
            [sys.executable, "-m", *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False,
        )
        if (run.returncode != 0) != ("fails" in block.marks):
            raise Wrong(f"`{command}` exits with {run.returncode}:\n{run.stdout}")
        if block.marks.get("fails", "") not in run.stdout:
            raise Wrong(f"`{command}` prints\n{run.stdout}and not {block.marks['fails']!r}")
        compare("\n".join(shown).strip(), run.stdout, command)


def compare(wanted: str, got: str, what: str) -> None:
    """Compare a shown output, if one is shown, with the real one."""
    if wanted.strip() and not CHECK.check_output(wanted.strip() + "\n", got.strip() + "\n", FLAGS):
        raise Wrong(f"{what} prints\n{got}\nand the page shows\n{wanted}")


def run_file(path: Path) -> None:
    """Run all blocks of a page."""
    found = blocks(path)
    # One file with every block at its own lines, so that source is found where tracebacks point.
    lines = [""] * (len(path.read_text("utf-8").splitlines()) + 1)
    for block in found:
        if block.language == "python":
            texts = block.text.splitlines()
            lines[block.line - 1 : block.line - 1 + len(texts)] = texts
    source = Path.cwd() / (path.stem.replace("-", "_") + "_page.py")
    source.write_text("\n".join(lines), "utf-8")
    namespace, printed = fresh_namespace(), ""
    for block in found:
        try:
            if "file" in block.marks:
                Path(block.marks["file"]).write_text(block.text, "utf-8")
            if "output" in block.marks:
                compare(block.text, printed, "the block before")
            elif block.language == "python":
                namespace = fresh_namespace() if "fresh" in block.marks else namespace
                printed = run_python(block, source, namespace)
            elif block.language in {"console", "bash"}:
                run_commands(block)
        except Wrong as wrong:
            raise SystemExit(f"{path.name}:{block.line}: {wrong}") from None
        except Exception:
            print(f"{path.name}:{block.line}: the block raises", file=sys.stderr)
            raise


if __name__ == "__main__":
    sys.path.insert(0, str(Path.cwd()))
    run_file(Path(sys.argv[1]))
