"""One training step of a perceptron with a hidden layer, its weights kept between the calls."""

import numpy as np

from benchmarks.workload import Thunk, Workload, compiled_by_pytensor
from benchmarks.workloads.training import CLASSES, softmax_gradient, synthetic

HIDDEN = 256
RATE = 0.1


class MlpStep(Workload):
    """Forward, backward, update; returns the loss."""

    name = "mlp_step"
    what = "784-256-10, batch 64, one step"
    tolerance = 1e-4
    compared_call = 10

    def inputs(self) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
        """Images, labels, and the weights to start from."""
        random = np.random.default_rng(1)
        first = random.standard_normal((784, HIDDEN), dtype=np.float32) * np.float32((2 / 784) ** 0.5)
        second = random.standard_normal((HIDDEN, CLASSES), dtype=np.float32) * np.float32((2 / HIDDEN) ** 0.5)
        biases = np.zeros(HIDDEN, np.float32), np.zeros(CLASSES, np.float32)
        return *synthetic(64), [first, biases[0], second, biases[1]]

    def autograph(self, stage) -> Thunk:
        import autograph as ag

        images, labels, start = self.inputs()
        images, labels = ag.constant(images), ag.constant(labels)
        weights = [ag.Variable(x) for x in start]

        @stage
        def step(images, labels):
            with ag.GradientTape() as tape:
                hidden = ag.nn.relu(images @ weights[0] + weights[1])
                scores = hidden @ weights[2] + weights[3]
                loss = ag.reduce_mean(ag.nn.sparse_softmax_cross_entropy_with_logits(labels, scores))
            gradients = tape.gradient(loss, weights)
            for weight, gradient in zip(weights, gradients, strict=True):
                weight.assign_sub(RATE * gradient)
            return loss

        return lambda: step(images, labels)

    def numpy(self) -> Thunk:
        images, labels, (first, first_bias, second, second_bias) = self.inputs()
        rows = np.arange(len(labels))
        hidden, of_hidden = (np.empty((len(labels), HIDDEN), np.float32) for _ in range(2))
        of_first, of_second = np.empty_like(first), np.empty_like(second)

        def step():
            np.matmul(images, first, out=hidden)
            np.add(hidden, first_bias, out=hidden)
            np.maximum(hidden, 0, out=hidden)
            scores = hidden @ second
            scores += second_bias
            of_scores = softmax_gradient(scores, labels)
            loss = -np.mean(np.log(of_scores[rows, labels] * len(labels) + 1))  # they are (p - 1) / count

            np.matmul(of_scores, second.T, out=of_hidden)
            np.multiply(of_hidden, hidden > 0, out=of_hidden)
            np.matmul(images.T, of_hidden, out=of_first)
            np.matmul(hidden.T, of_scores, out=of_second)
            for weight, gradient in (
                (first, of_first), (first_bias, of_hidden.sum(axis=0)),
                (second, of_second), (second_bias, of_scores.sum(axis=0)),
            ):
                gradient *= RATE
                weight -= gradient
            return loss

        return step

    def tensorflow(self, xla: bool) -> Thunk:
        import tensorflow as tf

        images, labels, start = self.inputs()
        images, labels = tf.constant(images), tf.constant(labels)
        weights = [tf.Variable(x) for x in start]

        @tf.function(jit_compile=xla)
        def step(images, labels):
            with tf.GradientTape() as tape:
                hidden = tf.nn.relu(images @ weights[0] + weights[1])
                scores = hidden @ weights[2] + weights[3]
                loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, scores))
            gradients = tape.gradient(loss, weights)
            for weight, gradient in zip(weights, gradients, strict=True):
                weight.assign_sub(RATE * gradient)
            return loss

        return lambda: step(images, labels)

    def jax(self) -> Thunk:
        import jax
        from jax import numpy as jnp

        images, labels, start = self.inputs()
        images, labels = jnp.asarray(images), jnp.asarray(labels)
        state = [tuple(jnp.asarray(x) for x in start)]

        def loss_of(weights, images, labels):
            hidden = jax.nn.relu(images @ weights[0] + weights[1])
            scores = jax.nn.log_softmax(hidden @ weights[2] + weights[3])
            return -jnp.mean(jnp.take_along_axis(scores, labels[:, None], axis=1))

        def step(weights, images, labels):
            loss, gradients = jax.value_and_grad(loss_of)(weights, images, labels)
            return jax.tree.map(lambda w, g: w - RATE * g, weights, gradients), loss

        step = jax.jit(step, donate_argnums=0)

        def run():
            state[0], loss = step(state[0], images, labels)
            jax.block_until_ready(state[0])
            return loss

        return run

    def torch(self) -> Thunk:
        import torch

        images, labels, start = self.inputs()
        images, labels = torch.from_numpy(images), torch.from_numpy(labels).long()
        weights = [torch.from_numpy(x).requires_grad_() for x in start]

        def step():
            hidden = torch.relu(torch.addmm(weights[1], images, weights[0]))
            loss = torch.nn.functional.cross_entropy(torch.addmm(weights[3], hidden, weights[2]), labels)
            gradients = torch.autograd.grad(loss, weights)
            with torch.no_grad():
                for weight, gradient in zip(weights, gradients, strict=True):
                    weight.sub_(gradient, alpha=RATE)
            return loss.detach()

        return step

    def pytensor(self) -> Thunk:
        import pytensor
        from pytensor import tensor as pt

        images, labels, start = self.inputs()
        weights = [pytensor.shared(x) for x in start]
        x, y = pt.fmatrix(), pt.lvector()
        hidden = pt.maximum(x @ weights[0] + weights[1], 0)
        scores = pt.special.log_softmax(hidden @ weights[2] + weights[3], axis=1)
        loss = -pt.mean(scores[pt.arange(y.shape[0]), y])
        updates = [(w, w - np.float32(RATE) * g) for w, g in zip(weights, pytensor.grad(loss, weights), strict=True)]
        step, labels = compiled_by_pytensor("numba", [x, y], loss, updates), labels.astype(np.int64)
        return lambda: step(images, labels)
