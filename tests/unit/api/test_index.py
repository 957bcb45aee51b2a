"""The static index of names is what the registry declares, and names are found by it."""

import inspect
import pickle
import subprocess
import sys

import pytest

import autograph as ag
from autograph.api.generate import contents
from tests.architecture.sources import ROOT


def fresh(code: str) -> str:
    """What a fresh interpreter prints."""
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


def test_the_index_is_what_is_declared():
    # In an interpreter of its own: tests of this process may define operations.
    run = subprocess.run(
        [sys.executable, "-m", "autograph.api.generate", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr + "run `python -m autograph.api.generate`"


def test_the_generator_is_deterministic():
    assert contents() == contents()


def test_importing_loads_no_family_and_no_transpiler():
    loaded = fresh(
        "import numpy, sys; before = set(sys.modules); import autograph;"
        "print(*sorted(m for m in set(sys.modules) - before if isinstance(sys.modules[m].__spec__, object)))"
    ).split()
    families = [m for m in loaded if m.startswith("runtime.ops.")]
    assert set(families) <= {"runtime.ops.registry", "runtime.ops.catalogue"}
    rooms = {m.split(".")[1] for m in loaded if m.startswith("autograph.")}
    assert not rooms & {"source", "analysis", "convert", "load", "operators", "staging"}


def test_a_tensor_has_its_operators_from_the_start():
    assert (
        fresh("import autograph as ag; x = ag.constant([1.0, 2.0]); print((2 * x - x @ x).numpy())")
        == "[-3. -1.]"
    )
    assert fresh("import autograph as ag, numpy as np; print(np.add(ag.constant(1), 2).numpy())") == "3"
    code = "import autograph as ag; v = ag.Variable([3.0]); v.assign_add([1.0]); print((v ** 2)[0].numpy())"
    assert fresh(code) == "16.0"


@pytest.mark.parametrize(
    "statement",
    [
        "import autograph.nn; print(autograph.nn.relu(-1.0).numpy())",
        "from autograph import nn; print(nn.relu(-1.0).numpy())",
        "from autograph.nn import relu; print(relu(-1.0).numpy())",
        "import autograph.random.experimental as e; print(e.stateless_fold_in.__name__ and 0.0)",
        "import sys; from autograph import *; sys.stdout.write(str(nn.relu(-1.0).numpy()))",
    ],
)
def test_namespaces_are_modules(statement):
    assert float(fresh(statement)) == 0.0


def test_every_name_of_the_index_is_there():
    def walk(module):
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.ismodule(value):
                walk(value)

    walk(ag)


def test_dir_lists_what_is_public():
    assert {"exp", "nn", "Variable", "function", "float32", "GradientTape"} <= set(dir(ag))
    assert "relu" in dir(ag.nn)
    assert not [n for n in dir(ag) if n.startswith("_") and not n.startswith("__")]


def test_aliases_are_one_object():
    assert ag.tanh is ag.math.tanh is ag.nn.tanh
    assert ag.reduce_sum is ag.math.reduce_sum


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="'autograph' has no attribute 'expp'"):
        ag.expp  # noqa: B018
    with pytest.raises(AttributeError, match=r"'autograph\.nn' has no attribute 'relo'"):
        ag.nn.relo  # noqa: B018
    assert not hasattr(ag, "__wrapped__")


@pytest.mark.parametrize(
    "name", "exp nn.relu reduce_sum random.stateless_uniform matmul Variable print".split()
)
def test_public_objects_pickle(name):
    value = ag
    for part in name.split("."):
        value = getattr(value, part)
    assert pickle.loads(pickle.dumps(value)) is value


def test_an_operation_defined_later_is_public():
    from runtime.ops.kinds import Unary
    from runtime.ops.registry import OPS

    class LateTwice(Unary):
        """2 x."""

        public = "math.late_twice"
        numpy = "2 * {0}"

    try:
        assert ag.math.late_twice(3.0).numpy() == 6.0
        assert LateTwice.name in OPS
    finally:
        del OPS["late_twice"]
