"""What a compilation loads: the rules of its graph's operations, and no others."""

import subprocess
import sys

from runtime.backends.native.lower.catalogue import HOMES
from runtime.backends.native.lower.function import rule_of
from tests.architecture.sources import ROOT

RULES = "runtime.backends.native.lower.rules."


def loaded(program: str) -> set[str]:
    """Files of rules that are there after a program in a fresh interpreter."""
    told = f"print(*(m for m in sys.modules if m.startswith({RULES!r})))"
    code = f"import sys, numpy as np, autograph as ag\n{program}\n{told}"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return {name.removeprefix(RULES) for name in run.stdout.splitlines()[-1].split()}


def test_every_rule_is_where_the_catalogue_says():
    for name, home in HOMES.items():
        found = rule_of(name)
        assert found is not None, name
        assert found.__module__ == home


def test_a_sum_loads_no_loops_and_no_products():
    program = "f = ag.function(eval('lambda x: x + 1'), jit_compile=True, autograph=False); f(np.ones(3))"
    assert loaded(program) == {"elementwise", "latest"}


def test_a_product_loads_no_convolutions():
    program = "f = ag.function(eval('lambda x: x @ x'), jit_compile=True, autograph=False); f(np.ones((3, 3)))"
    found = loaded(program)
    assert "products" in found
    assert not found & {"convolution", "pooling", "loops", "sorting", "random"}
