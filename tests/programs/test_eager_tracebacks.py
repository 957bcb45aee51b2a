"""Errors of eager code: the interpreter's traceback ends at the user's line, with a reason, and holds no frame of ours."""

import os
import subprocess
import sys
import traceback

import numpy as np
import pytest

import autograph as ag

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
INTERNAL = tuple(os.path.join(ROOT, folder) + os.sep for folder in ("autograph", "runtime"))
X = ag.ones([2, 3])
V = ag.Variable([1, 2])


def used_twice():
    w = ag.Variable(2.0)
    with ag.GradientTape() as tape:
        y = w * w
    tape.gradient(y, w)
    tape.gradient(y, w)


def wrong_row_of_a_dataset():
    for row in ag.data.Dataset.from_tensor_slices(X).map(lambda r: r + ag.ones([4])):
        print(row)


def set_outside():
    x = ag.ones([3])
    x[3] = 1.0


CASES = {
    "operator": (lambda: X + ag.ones([2]), "sizes 3 and 2 differ"),
    "reflected operator": (lambda: np.ones([2]) + X, "sizes 2 and 3 differ"),
    "matmul": (lambda: X @ X, "inner sizes 3 and 2 differ"),
    "function": (lambda: ag.matmul(X, X), "inner sizes 3 and 2 differ"),
    "keyword": (lambda: ag.reduce_sum(X, axis=2), "axis 2 is out of bounds"),
    "item": (lambda: X[5], "index 5 is out of bounds for axis 0 with size 2"),
    "setting an item": (set_outside, "index 3 is out of bounds"),
    "truth": (lambda: bool(X), "Instead: ag.reduce_any"),
    "number": (lambda: float(X), "only"),
    "iteration": (lambda: list(ag.constant(3)), "for i in range(n)"),
    "length": (lambda: len(ag.constant(3)), "without axes"),
    "assign": (lambda: V.assign([1.5, 2.5]), "it would lose its fraction; use cast"),
    "assign_add": (lambda: V.assign_add([1, 2, 3]), "shape"),
    "new variable": (lambda: ag.Variable(None), "needs an initial value"),
    "tape": (used_twice, "GradientTape(persistent=True)"),
    "bool arithmetic": (lambda: (X > 0) - (X < 0), "logical_xor"),
    "bits of floats": (lambda: X & X, "compare first"),
    "strings": (lambda: ag.constant("a") + 1, "add is not defined for string"),
    "assertion": (lambda: ag.debugging.assert_positive(-X), "does not hold"),
    "check_numerics": (lambda: ag.debugging.check_numerics(X / 0.0, "the loss"), "the loss: tensor has infinities"),
    "cond": (lambda: ag.cond(True, 3, 4), "true_fn must be callable"),
    "mapped function": (lambda: ag.map_fn(lambda r: r + ag.ones([4]), X), "sizes 3 and 4 differ"),
    "dataset": (wrong_row_of_a_dataset, "sizes 3 and 4 differ"),
    "structure": (lambda: ag.nest.pack_sequence_as([0, 0], [1]), "1"),
    "TensorArray": (lambda: ag.TensorArray(ag.float32, 2).read(5), "5"),
    "method": (lambda: X.reshape([4, 4]), "cannot reshape"),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("case", CASES)
def test_no_frame_of_ours(case):
    program, reason = CASES[case]
    with pytest.raises(Exception) as caught:  # noqa: PT011 (what it says is looked at below)
        program()
    files = [f.filename for f in traceback.extract_tb(caught.tb)]
    assert not [f for f in files if f.startswith(INTERNAL)]
    assert files[-1] == __file__
    assert reason in str(caught.value)


def test_all_frames_where_they_are_asked_for(monkeypatch):
    monkeypatch.setenv("AUTOGRAPH_VERBOSITY", "1")
    with pytest.raises(ValueError, match="inner sizes") as caught:
        ag.matmul(X, X)
    assert any(f.filename.startswith(INTERNAL) for f in traceback.extract_tb(caught.tb))


def test_as_the_interpreter_prints_it(tmp_path):
    file = tmp_path / "layer.py"
    file.write_text("import autograph as ag\n\ndef layer(x):\n    return x @ x\n\nlayer(ag.ones([2, 3]))\n", "utf-8")
    environment = {**os.environ, "PYTHONPATH": ROOT, "AUTOGRAPH_VERBOSITY": ""}
    ran = subprocess.run([sys.executable, str(file)], capture_output=True, text=True, env=environment)
    lines = ran.stderr.splitlines()
    assert [line.strip() for line in lines if line.startswith("  File")] == [
        f'File "{file}", line 6, in <module>',
        f'File "{file}", line 4, in layer',
    ]
    assert lines[-2].strip() == "~~^~~"
    reason = "matmul of shapes (2, 3) and (2, 3): the inner sizes 3 and 2 differ; transpose_b=True would fit"
    assert lines[-1].endswith(reason)


def test_values_in_what_a_staged_function_raises():
    class Overdrawn(Exception):
        pass

    @ag.function
    def spend(fuel):
        while fuel > 0:
            fuel -= 2
        if fuel < 0:
            raise Overdrawn("by", fuel, f"of {fuel}")
        return fuel

    with pytest.raises(Overdrawn) as caught:
        spend(ag.constant(3))
    words, fuel, text = caught.value.args
    assert (words, int(fuel), text) == ("by", -1, "of -1")


def test_values_in_a_message_of_several_parts():
    @ag.function
    def ordered(x, y):
        assert ag.reduce_all(x < y), ("x must be below y", x, y)
        return x

    with pytest.raises(AssertionError) as caught:
        ordered(ag.constant([1, 5]), ag.constant([2, 3]))
    assert str(caught.value) == "('x must be below y', [1 5], [2 3])"


def test_a_staged_tensor_in_a_message_of_pythons_is_explained():
    @ag.function
    def zeros(x):
        return np.ndarray(x[0])

    with pytest.raises(TypeError) as caught:
        zeros(ag.constant([1, 2]))
    assert "".join(caught.value.__notes__).startswith("A staged tensor has its value only when the graph runs.\nInstead: ")


def test_a_method_of_a_function_hides_its_frames():
    class Layer:
        @ag.function
        def __call__(self, x):
            return self.weight * x

    with pytest.raises(AttributeError, match="weight") as caught:
        Layer()(X)
    assert {f.filename for f in traceback.extract_tb(caught.tb)} == {__file__}
