"""The training of examples/digits.py, beside the same training written by hand.

Everybody shuffles with random numbers of their own, so the accuracies differ by an image or two; that the
hand-written steps are the example's is tested in tests/unit/benchmarks/test_digits.py.
"""

import ast
import importlib.util
import sys
import tempfile
from pathlib import Path
from types import ModuleType

import numpy as np

from benchmarks.workload import Thunk, Workload

ROOT = Path(__file__).parents[2]
EPOCHS = 6  # early stopping comes later for every seed: all do the same work


class DigitsTraining(Workload):
    """Six epochs; returns the accuracy on the held-out digits."""

    name = "digits"
    what = "examples/digits.py, 6 epochs of 112 minibatches of 64"
    tolerance = 0.02
    refused = ("tensorflow+xla",)

    def autograph(self, stage) -> Thunk:
        import autograph as ag

        example = load_example()
        train = stage(example.train.python_function)
        model, data = example.Classifier(), example.load()
        limits = {"epochs": ag.constant(EPOCHS), "steps": ag.constant(-1)}
        seed = ag.constant(0)
        return lambda: train(model, *data, seed=seed, **limits)[1][-1]

    def numpy(self) -> Thunk:
        data = arrays()

        def train():
            random = np.random.default_rng(0)
            orders = (random.permutation(len(data[0])) for _ in range(EPOCHS))
            return train_by_hand(start(random), *data, orders)[1][-1]

        return train

    def tensorflow(self, xla: bool) -> Thunk:
        """The example's own source: but for two lists, which TensorFlow wants as TensorArrays, it is TF's."""
        import tensorflow as tf

        source = (ROOT / "examples" / "digits.py").read_text("utf-8")
        array = "ag.TensorArray(ag.float32, 0, True)"
        for old, new in (
            ("losses, accuracies = [], []", f"losses, accuracies = {array}, {array}"),
            ("losses.append(loss)", "losses = losses.write(epoch, loss)"),
            ("accuracies.append(accuracy)", "accuracies = accuracies.write(epoch, accuracy)"),
            ("return ag.stack(losses), ag.stack(accuracies)", "return losses.stack(), accuracies.stack()"),
        ):
            if source.count(old) != 1:
                raise ValueError(f"the example no longer says {old!r} once: adapt this list")
            source = source.replace(old, new)
        source = source.replace("Path(__file__).parent", f"Path({str(ROOT / 'examples')!r})")
        # A file of its own, as AutoGraph reads the source of what it converts from there.
        self.folder = tempfile.TemporaryDirectory()
        copy = Path(self.folder.name) / "digits.py"
        copy.write_text(source, encoding="utf-8")
        sys.modules["autograph"] = tf
        example = load_module(copy)
        model, data = example.Classifier(), example.load()
        limits = {"epochs": tf.constant(EPOCHS), "steps": tf.constant(-1)}
        return lambda: example.train(model, *data, seed=tf.constant(0), **limits)[1][-1]

    def torch(self) -> Thunk:
        import torch

        images, labels, held_images, held_labels = (torch.from_numpy(a) for a in arrays())
        labels, held_labels = labels.long(), held_labels.long()
        settings = settings_of_example()

        def train():
            torch.manual_seed(0)
            weights = [torch.from_numpy(w).requires_grad_() for w in start(np.random.default_rng(0))]
            rate, best, waited = settings["RATE"], 1e9, 0
            optimizer = torch.optim.SGD(weights, lr=rate, momentum=settings["MOMENTUM"])

            def model(x):
                hidden = torch.relu(torch.addmm(weights[1], x, weights[0]))
                return torch.addmm(weights[3], hidden, weights[2])

            batch = settings["BATCH"]
            for _ in range(EPOCHS):
                order = torch.randperm(len(images))
                losses = []
                for rows in order[: len(order) // batch * batch].reshape(-1, batch):
                    loss = torch.nn.functional.cross_entropy(model(images[rows]), labels[rows])
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                    losses.append(loss.detach())
                mean = float(torch.stack(losses).mean())
                with torch.no_grad():
                    accuracy = (model(held_images).argmax(dim=1) == held_labels).float().mean()
                while rate > settings["RATE_PER_LOSS"] * mean:
                    rate *= settings["DECAY"]
                optimizer.param_groups[0]["lr"] = rate
                waited = waited + 1 if mean > 0.95 * best else 0
                best = min(mean, best)
                if waited == settings["PATIENCE"]:
                    break
            return accuracy

        return train


def train_by_hand(
    weights: list[np.ndarray],
    images: np.ndarray,
    labels: np.ndarray,
    held_images: np.ndarray,
    held_labels: np.ndarray,
    orders,
    steps: int = -1,
) -> tuple[list[float], list[float]]:
    """Train the weights in place, an epoch for every order of the images; return losses and accuracies."""
    settings = settings_of_example()
    batch, rate = settings["BATCH"], settings["RATE"]
    into_hidden, hidden_bias, into_scores, scores_bias = weights
    velocities = [np.zeros_like(weight) for weight in weights]
    gradients = [np.empty_like(weight) for weight in weights]
    of_into_hidden, of_hidden_bias, of_into_scores, of_scores_bias = gradients
    x = np.empty((batch, images.shape[1]), np.float32)
    hidden, of_hidden = (np.empty((batch, len(hidden_bias)), np.float32) for _ in range(2))
    scores = np.empty((batch, len(scores_bias)), np.float32)
    index = np.arange(batch)
    losses, accuracies = [], []
    best, waited, step = np.inf, 0, 0

    for order in orders:
        total, batches = 0.0, 0
        for rows in order[: len(order) // batch * batch].reshape(-1, batch):
            y = labels[rows]
            np.take(images, rows, axis=0, out=x, mode="clip")  # the default mode copies once more
            np.matmul(x, into_hidden, out=hidden)
            hidden += hidden_bias
            np.maximum(hidden, 0, out=hidden)
            np.matmul(hidden, into_scores, out=scores)
            scores += scores_bias

            scores -= scores.max(axis=1, keepdims=True)
            at_label = scores[index, y]
            np.exp(scores, out=scores)
            sums = scores.sum(axis=1, keepdims=True)
            loss = np.mean(np.log(sums[:, 0]) - at_label)
            scores /= sums
            scores[index, y] -= 1
            scores /= batch

            np.matmul(hidden.T, scores, out=of_into_scores)
            np.sum(scores, axis=0, out=of_scores_bias)
            np.matmul(scores, into_scores.T, out=of_hidden)
            of_hidden *= hidden > 0
            np.matmul(x.T, of_hidden, out=of_into_hidden)
            np.sum(of_hidden, axis=0, out=of_hidden_bias)

            for weight, velocity, gradient in zip(weights, velocities, gradients, strict=True):
                velocity *= settings["MOMENTUM"]
                velocity += gradient
                np.multiply(velocity, rate, out=gradient)  # done with: it takes the step
                weight -= gradient
            total, batches, step = total + loss, batches + 1, step + 1
            if step == steps:
                break

        loss = total / batches
        held_hidden = held_images @ into_hidden
        held_hidden += hidden_bias
        np.maximum(held_hidden, 0, out=held_hidden)
        held_scores = held_hidden @ into_scores
        held_scores += scores_bias
        losses.append(loss)
        accuracies.append(np.mean(held_scores.argmax(axis=1) == held_labels))
        while rate > settings["RATE_PER_LOSS"] * loss:
            rate *= settings["DECAY"]
        waited = waited + 1 if loss > 0.95 * best else 0
        best = min(loss, best)
        if waited == settings["PATIENCE"] or step == steps:
            break

    return losses, accuracies


def start(random: np.random.Generator, hidden: int = 384) -> list[np.ndarray]:
    """Random weights to start from, scaled as the example's."""
    def matrix(rows, columns):
        return random.standard_normal((rows, columns), dtype=np.float32) * np.float32((2 / rows) ** 0.5)

    return [matrix(64, hidden), np.zeros(hidden, np.float32), matrix(hidden, 10), np.zeros(10, np.float32)]


def arrays() -> list[np.ndarray]:
    """The example's data (images and labels, then those held out), without importing autograph."""
    with np.load(ROOT / "examples" / "data" / "digits.npz") as data:
        images, labels = data["images"].astype(np.float32) / 16, data["labels"].astype(np.int32)
    held_out = np.arange(len(labels)) % 5 == 0
    framed = np.pad(images[~held_out], ((0, 0), (1, 1), (1, 1)))
    moved = [framed[:, y : y + 8, x : x + 8] for y, x in ((1, 1), (0, 1), (2, 1), (1, 0), (1, 2))]
    training = np.concatenate(moved).reshape(-1, 64), np.tile(labels[~held_out], 5)
    return [*training, images[held_out].reshape(-1, 64), labels[held_out]]


def settings_of_example() -> dict[str, float]:
    """The numbers in capitals at the top of the example, read from its text."""
    tree = ast.parse((ROOT / "examples" / "digits.py").read_text("utf-8"))
    settings = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            settings[node.targets[0].id] = node.value.value
    return settings


def load_example() -> ModuleType:
    """The example as a module."""
    return load_module(ROOT / "examples" / "digits.py")


def load_module(path: Path) -> ModuleType:
    """A module from its file, wherever that is."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
