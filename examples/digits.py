"""Train a classifier of handwritten digits; the whole training is one graph.

    python examples/digits.py                # one seed, a progress bar, a table, a picture
    python examples/digits.py --seeds 5      # five seeds
    python examples/digits.py --eager        # the same function, run by Python line by line

`train` is plain Python over tensors: its loops run over epochs and minibatches, its `while` lowers the
learning rate, its `break`s stop early, its list collects the accuracies. `@ag.function` makes one graph
of all of it.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

import autograph as ag

DATA = Path(__file__).parent / "data" / "digits.npz"
BATCH = 64
RATE = 0.2  # the learning rate at the start,
DECAY = 0.8  # lowered by this factor
RATE_PER_LOSS = 2.0  # while it is above so many times the loss
MOMENTUM = 0.9
PATIENCE = 2  # stop when the loss has fallen by less than a twentieth for so many epochs


class Digits(NamedTuple):
    """Images, float32 of shape (count, 64) from 0 to 1, and their labels, int32 of shape (count,)."""

    images: ag.Tensor
    labels: ag.Tensor


class Classifier(ag.Module):
    """A perceptron with one hidden layer: 64 pixels in, 10 scores out."""

    def __init__(self, hidden: int = 384) -> None:
        super().__init__()
        shapes = (64, hidden), (hidden,), (hidden, 10), (10,)
        self.weights = [ag.Variable(ag.zeros(shape)) for shape in shapes]
        self.velocities = [ag.Variable(ag.zeros(shape), trainable=False) for shape in shapes]

    def reset(self, seed: ag.Tensor) -> None:
        """Start again, from the random weights of a seed."""
        for index, (weight, velocity) in enumerate(zip(self.weights, self.velocities, strict=True)):
            velocity.assign(ag.zeros_like(velocity))
            weight.assign(ag.zeros_like(weight))
            if len(weight.shape) == 2:  # a matrix; biases start at zero
                scale = (2.0 / weight.shape[0]) ** 0.5
                weight.assign(scale * ag.random.stateless_normal(weight.shape, seed=[seed, -1 - index]))

    def __call__(self, images: ag.Tensor) -> ag.Tensor:
        """Scores of shape (count, 10) for images of shape (count, 64)."""
        into_hidden, hidden_bias, into_scores, scores_bias = self.weights
        return ag.nn.relu(images @ into_hidden + hidden_bias) @ into_scores + scores_bias

    def descend(self, gradients: list[ag.Tensor], rate: ag.Tensor) -> None:
        """One step of gradient descent with momentum."""
        for weight, velocity, gradient in zip(self.weights, self.velocities, gradients, strict=True):
            velocity.assign(MOMENTUM * velocity + gradient)
            weight.assign_sub(rate * velocity)


@ag.function
def train(
    model: Classifier,
    digits: Digits,
    held_out: Digits,
    *,
    seed: ag.Tensor,
    epochs: ag.Tensor,
    steps: ag.Tensor,
    progress: Callable[..., None] | None = None,
) -> tuple[ag.Tensor, ag.Tensor]:
    """Train the model; return the loss and the accuracy on the held-out digits after each epoch.

    Stops after `epochs`, after `steps` minibatches, or when the loss stays where it is.
    """
    model.reset(seed)
    count = digits.images.shape[0]
    losses, accuracies = [], []
    rate, best, waited, step = RATE, 1e9, 0, 0

    for epoch in ag.range(epochs):
        order = ag.argsort(ag.random.stateless_uniform([count], seed=[seed, epoch]))
        total, batches = 0.0, 0.0
        for rows in ag.reshape(order[: count // BATCH * BATCH], [-1, BATCH]):
            with ag.GradientTape() as tape:
                scores = model(ag.gather(digits.images, rows))
                loss = ag.reduce_mean(
                    ag.nn.sparse_softmax_cross_entropy_with_logits(ag.gather(digits.labels, rows), scores)
                )
            model.descend(tape.gradient(loss, model.weights), rate)
            total, batches, step = total + loss, batches + 1.0, step + 1
            if step == steps:
                break

        loss = total / batches
        hits = ag.argmax(model(held_out.images), axis=1, output_type=ag.int32) == held_out.labels
        accuracy = ag.reduce_mean(ag.cast(hits, ag.float32))
        losses.append(loss)
        accuracies.append(accuracy)
        if progress is not None:
            ag.py_function(progress, [epoch, loss, accuracy], [])

        while rate > RATE_PER_LOSS * loss:  # smaller steps as the loss falls
            rate *= DECAY
        waited = waited + 1 if loss > 0.95 * best else 0
        best = ag.minimum(loss, best)
        if waited == PATIENCE or step == steps:
            break

    return ag.stack(losses), ag.stack(accuracies)


def load() -> tuple[Digits, Digits]:
    """The digits to learn from, each also moved by a pixel four ways, and those held out: every fifth."""
    with np.load(DATA) as data:
        images, labels = data["images"].astype(np.float32) / 16, data["labels"].astype(np.int32)
    held_out = np.arange(len(labels)) % 5 == 0
    framed = np.pad(images[~held_out], ((0, 0), (1, 1), (1, 1)))
    moved = [framed[:, y : y + 8, x : x + 8] for y, x in ((1, 1), (0, 1), (2, 1), (1, 0), (1, 2))]
    training = np.concatenate(moved), np.tile(labels[~held_out], 5)
    testing = images[held_out], labels[held_out]
    return tuple(Digits(ag.constant(x.reshape(-1, 64)), ag.constant(y)) for x, y in (training, testing))


def progress_bar(console: Console) -> Progress:
    """A bar that counts epochs and shows the latest loss and accuracy."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("epoch {task.completed}, loss {task.fields[loss]:.4f}"),
        TextColumn("accuracy {task.fields[accuracy]:.1%}"),
        TimeElapsedColumn(),
        console=console,
    )


def per_class(predicted: np.ndarray, labels: np.ndarray) -> Table:
    """Precision (how many of those called a 3 are one), recall (how many 3s are found) and count."""
    table = Table("digit", "precision", "recall", "count", title="Held-out digits")
    for column in table.columns[1:]:
        column.justify = "right"
    for digit in range(10):
        called, true = predicted == digit, labels == digit
        found = np.sum(called & true)
        precision, recall = found / max(np.sum(called), 1), found / np.sum(true)
        table.add_row(str(digit), f"{precision:.1%}", f"{recall:.1%}", str(np.sum(true)))
    return table


def draw(path: Path, curves: list[np.ndarray], held_out: Digits, predicted: np.ndarray) -> None:
    """Write a picture: the learning curves above, some held-out digits with their predictions below."""
    images, labels = held_out.images.numpy(), held_out.labels.numpy()
    mpl.use("agg")
    from matplotlib import pyplot as plt

    figure = plt.figure(figsize=(8, 9), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=(2, 3))
    axes = above.subplots()
    for seed, accuracies in enumerate(curves):
        axes.plot(np.arange(1, len(accuracies) + 1), 100 * accuracies, marker=".", label=f"seed {seed}")
    axes.set(xlabel="epoch", ylabel="held-out accuracy, %", title="Learning curve")
    axes.grid(alpha=0.3)
    axes.legend()
    wrong_first = np.argsort(predicted == labels, kind="stable")[:40]
    for axes, index in zip(below.subplots(5, 8).flat, wrong_first, strict=True):
        right = predicted[index] == labels[index]
        axes.imshow(images[index].reshape(8, 8), cmap="gray_r")
        axes.set_title(
            f"{predicted[index]}" if right else f"{predicted[index]}, is {labels[index]}",
            color="tab:green" if right else "tab:red", fontsize=9,
        )
        axes.set_axis_off()
    below.suptitle("Held-out digits and predictions (mistakes first)")
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Train a classifier of handwritten digits as one graph.")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="train with seeds 0 to N-1")
    parser.add_argument("--epochs", type=int, default=30, metavar="N", help="at most so many epochs")
    parser.add_argument("--steps", type=int, default=-1, metavar="N", help="stop after so many minibatches")
    parser.add_argument("--eager", action="store_true", help="run the function as plain Python")
    parser.add_argument("--output", type=Path, default=Path("digits.png"), help="where to write the picture")
    options = parser.parse_args(arguments)

    console = Console()
    digits, held_out = load()
    model = Classifier()
    run = train.python_function if options.eager else train
    limits = {"epochs": ag.constant(options.epochs), "steps": ag.constant(options.steps)}
    curves = []
    with progress_bar(console) as bar:

        def progress(epoch: ag.Tensor, loss: ag.Tensor, accuracy: ag.Tensor) -> None:
            bar.update(bar.task_ids[-1], completed=int(epoch) + 1, loss=float(loss), accuracy=float(accuracy))

        for seed in range(options.seeds):
            task = bar.add_task(f"seed {seed}", total=options.epochs, loss=float("nan"), accuracy=0.0)
            _, accuracies = run(
                model, digits, held_out, seed=ag.constant(seed), **limits, progress=progress
            )
            curves.append(accuracies.numpy())
            bar.update(task, total=len(curves[-1]))  # it stopped by itself: that is all there was to do

    predicted = ag.argmax(model(held_out.images), axis=1).numpy()
    console.print(per_class(predicted, held_out.labels.numpy()))
    draw(options.output, curves, held_out, predicted)
    final = [float(curve[-1]) for curve in curves]
    console.print(f"accuracy {', '.join(f'{value:.1%}' for value in final)}; picture in {options.output}")


if __name__ == "__main__":
    main()
