"""`import autograph` stays cheap: what costs time is loaded when it is first used."""

import json
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
