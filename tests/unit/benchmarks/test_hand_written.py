"""What is written by hand in the benchmarks does what the tensor programs beside it do."""

import subprocess
import sys

import numpy as np
import pytest

import autograph as ag
from benchmarks.harness import disagreement
from benchmarks.worker import as_arrays
from benchmarks.workload import SIDES, find_workload
from benchmarks.workloads import digits
from benchmarks.workloads.perceptron import MlpStep
from tests.architecture.sources import ROOT


def test_the_digits_training_by_hand_takes_the_examples_steps():
    pytest.importorskip("rich")
    pytest.importorskip("matplotlib")
    example = digits.load_example()
    data, model, steps = example.load(), example.Classifier(), 20
    seed = ag.constant(3)
    model.reset(seed)
    weights = [weight.numpy().copy() for weight in model.weights]
    order = ag.argsort(ag.random.stateless_uniform([len(data[0].labels)], seed=[seed, 0])).numpy()

    train = example.train.python_function
    expected, _ = train(model, *data, seed=seed, epochs=ag.constant(1), steps=ag.constant(steps))
    losses, _ = digits.train_by_hand(weights, *digits.arrays(), [order], steps)
    np.testing.assert_allclose(losses, expected.numpy(), atol=1e-5)
    for ours, theirs in zip(weights, model.weights, strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-5)


def test_the_settings_are_read_from_the_example():
    assert digits.settings_of_example()["BATCH"] == 64


def test_the_perceptron_by_hand_takes_the_same_steps():
    eager, by_hand = MlpStep().autograph(lambda function: function), MlpStep().numpy()
    for _ in range(5):
        np.testing.assert_allclose(eager().numpy(), by_hand(), rtol=1e-5)


@pytest.mark.parametrize("name", ["lstm_grad", "treelstm", "beam_search", "ode_fwd", "attention", "collatz_3000"])
def test_what_is_written_by_hand_gives_what_the_staged_program_gives(name):
    work = find_workload(name)
    staged, by_hand = (as_arrays(work.build(side)()) for side in SIDES if side.name in ("staged", "numpy"))
    assert disagreement(staged, by_hand, work.tolerance) == ""


def test_the_command_runs():
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--only", "call_scalar", "--repeats", "1"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.splitlines()[2].startswith("| call_scalar")
