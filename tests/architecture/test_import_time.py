"""`import autograph` stays cheap: what costs time is loaded when it is first used."""

import json
import resource
import statistics
import subprocess
import sys

import pytest

from tests.architecture.sources import ROOT

LATE = (
    "gast", "astunparse", "optree", "rich", "matplotlib", "llvmlite", "scipy",
    "dataclasses", "inspect", "argparse", "jax", "onnx", "torch", "tensorflow",
)

pytestmark = pytest.mark.skipif(
    not (ROOT / "autograph" / "__init__.py").exists(), reason="the package does not exist yet"
)


def loaded_by(statement: str) -> set[str]:
    """Names of the modules in a fresh interpreter after a statement."""
    code = f"{statement}\nimport sys, json; print(json.dumps(sorted(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(json.loads(run.stdout.splitlines()[-1]))


def test_nothing_heavy_is_loaded() -> None:
    # NumPy may load some of these itself; those cost us nothing.
    added = loaded_by("import numpy, autograph") - loaded_by("import numpy")
    early = sorted(set(LATE) & added)
    assert not early, f"`import autograph` loads {early}: import them where they are used"


def test_importing_says_nothing_and_warns_of_nothing() -> None:
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", "import autograph"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )
    assert run.stdout == run.stderr == ""


def processor_seconds(statement: str) -> float:
    """User and system time of a fresh interpreter that runs a statement: what other processes do does not count."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", statement], cwd=ROOT, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_importing_costs_little_more_than_numpy() -> None:
    runs = [(processor_seconds("import numpy"), processor_seconds("import autograph")) for _ in range(9)]
    numpy_alone, ours = (statistics.median(column) for column in zip(*runs))
    assert ours - numpy_alone < 0.045, f"import autograph costs {ours - numpy_alone:.3f} s over import numpy"
