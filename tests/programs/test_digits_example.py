"""The digits example: staged and eager agree, it learns, and it shows and writes what it says."""

import numpy as np
import pytest

import autograph as ag
from benchmarks.workloads.digits import load_example


@pytest.fixture(scope="module")
def example():
    pytest.importorskip("rich")
    pytest.importorskip("matplotlib")
    return load_example()


@pytest.fixture(scope="module")
def data(example):
    return example.load()


def run(example, data, train, seed=0, epochs=30, steps=-1, progress=None):
    model = example.Classifier()
    losses, accuracies = train(
        model, *data, seed=ag.constant(seed), epochs=ag.constant(epochs), steps=ag.constant(steps), progress=progress
    )
    return model, losses.numpy(), accuracies.numpy()


def test_a_fifth_is_held_out_and_none_of_it_is_learnt_from(data):
    training, held_out = (part.images.numpy() for part in data)
    assert held_out.shape == (360, 64)
    assert training.shape == (5 * 1437, 64)
    assert not {row.tobytes() for row in held_out} & {row.tobytes() for row in training}


def test_eager_and_staged_are_equal_after_twenty_steps(example, data):
    staged, staged_losses, _ = run(example, data, example.train, steps=20)
    eager, eager_losses, _ = run(example, data, example.train.python_function, steps=20)
    np.testing.assert_allclose(staged_losses, eager_losses, atol=1e-5, rtol=0)
    for one, other in zip(staged.weights, eager.weights, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), atol=1e-5, rtol=0)


def test_eager_and_staged_learn_equally_well(example, data):
    _, _, staged = run(example, data, example.train)
    _, _, eager = run(example, data, example.train.python_function)
    assert staged[-1] >= 0.97
    assert abs(staged[-1] - eager[-1]) <= 0.005


def test_every_seed_reaches_97_percent_and_stops_by_itself(example, data):
    for seed in range(5):
        _, losses, accuracies = run(example, data, example.train, seed)
        assert accuracies[-1] >= 0.97
        assert len(losses) == len(accuracies) < 30


def test_progress_is_reported_while_it_runs(example, data):
    seen = []
    run(example, data, example.train, epochs=2, progress=lambda *state: seen.append([float(x) for x in state]))
    assert [epoch for epoch, _, _ in seen] == [0, 1]
    assert seen[0][1] > seen[1][1] > 0


def test_the_command_prints_a_table_and_writes_a_picture(example, tmp_path, capsys):
    picture = tmp_path / "digits.png"
    example.main(["--seeds", "2", "--epochs", "1", "--output", str(picture)])
    printed = capsys.readouterr().out
    assert all(word in printed for word in ("precision", "recall", "count", "seed 1", "accuracy"))
    assert picture.read_bytes().startswith(b"\x89PNG")
