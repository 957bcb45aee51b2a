"""Training steps: a linear model, in and out of the graph, and a perceptron with one hidden layer."""

import numpy as np

from benchmarks.workload import Thunk, Workload

CLASSES = 10


def synthetic(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Images (count, 784) from 0 to 1 and labels (count,) that depend on them."""
    random = np.random.default_rng(0)
    images = random.random((count, 784), dtype=np.float32)
    labels = np.argmax((images - 0.5) @ random.standard_normal((784, CLASSES), dtype=np.float32), axis=1)
    return images, labels.astype(np.int32)


def softmax_gradient(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Turn scores, in place, into the gradient of their mean cross entropy."""
    scores -= scores.max(axis=1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=1, keepdims=True)
    scores[np.arange(len(labels)), labels] -= 1
    scores /= len(labels)
    return scores


class MnistLoop(Workload):
    """A thousand steps of gradient descent, the loop in the graph; returns the weights."""

    name = "mnist_loop"
    what = "784-10, 1000 steps in the graph, batch 200"
    tolerance = 1e-3
    count, batch, steps, rate = 10_000, 200, 1000, 0.1

    def autograph(self, stage) -> Thunk:
        import autograph as ag

        batch, rate = self.batch, self.rate
        data = tuple(map(ag.constant, synthetic(self.count)))
        weights, bias = ag.Variable(ag.zeros([784, CLASSES])), ag.Variable(ag.zeros([CLASSES]))

        @stage
        def train(images, labels, steps):
            weights.assign(ag.zeros([784, CLASSES]))
            bias.assign(ag.zeros([CLASSES]))
            for step in ag.range(steps):
                start = step * batch % images.shape[0]
                with ag.GradientTape() as tape:
                    scores = images[start : start + batch] @ weights + bias
                    loss = ag.reduce_mean(
                        ag.nn.sparse_softmax_cross_entropy_with_logits(labels[start : start + batch], scores)
                    )
                of_weights, of_bias = tape.gradient(loss, [weights, bias])
                weights.assign_sub(rate * of_weights)
                bias.assign_sub(rate * of_bias)
            return ag.identity(weights), ag.identity(bias)

        steps = ag.constant(self.steps)
        return lambda: train(*data, steps)

    def numpy(self) -> Thunk:
        images, labels = synthetic(self.count)

        def train(images, labels, steps):
            weights, bias = np.zeros((784, CLASSES), np.float32), np.zeros(CLASSES, np.float32)
            scores = np.empty((self.batch, CLASSES), np.float32)
            of_weights = np.empty_like(weights)
            for step in range(steps):
                start = step * self.batch % len(images)
                here = slice(start, start + self.batch)
                np.matmul(images[here], weights, out=scores)
                scores += bias
                of_scores = softmax_gradient(scores, labels[here])
                np.matmul(images[here].T, of_scores, out=of_weights)
                of_weights *= self.rate
                weights -= of_weights
                bias -= self.rate * of_scores.sum(axis=0)
            return weights, bias

        return lambda: train(images, labels, self.steps)

    def tensorflow(self, xla: bool) -> Thunk:
        import tensorflow as tf

        data = tuple(map(tf.constant, synthetic(self.count)))
        weights, bias = tf.Variable(tf.zeros([784, CLASSES])), tf.Variable(tf.zeros([CLASSES]))

        @tf.function(jit_compile=xla)
        def train(images, labels, steps):
            weights.assign(tf.zeros([784, CLASSES]))
            bias.assign(tf.zeros([CLASSES]))
            for step in tf.range(steps):
                start = step * self.batch % images.shape[0]
                here = tf.slice(images, [start, 0], [self.batch, 784])
                with tf.GradientTape() as tape:
                    scores = here @ weights + bias
                    loss = tf.reduce_mean(
                        tf.nn.sparse_softmax_cross_entropy_with_logits(
                            tf.slice(labels, [start], [self.batch]), scores
                        )
                    )
                of_weights, of_bias = tape.gradient(loss, [weights, bias])
                weights.assign_sub(self.rate * of_weights)
                bias.assign_sub(self.rate * of_bias)
            return tf.identity(weights), tf.identity(bias)

        steps = tf.constant(self.steps)
        return lambda: train(*data, steps)

    def jax_step(self):
        import jax
        from jax import numpy as jnp

        def loss(parameters, images, labels):
            weights, bias = parameters
            scores = jax.nn.log_softmax(images @ weights + bias)
            return -jnp.mean(jnp.take_along_axis(scores, labels[:, None], axis=1))

        def step(parameters, images, labels):
            gradients = jax.grad(loss)(parameters, images, labels)
            return jax.tree.map(lambda p, g: p - self.rate * g, parameters, gradients)

        return step

    def jax(self) -> Thunk:
        import jax
        from jax import numpy as jnp

        images, labels = map(jnp.asarray, synthetic(self.count))
        step = self.jax_step()

        @jax.jit
        def train(images, labels):
            def body(index, parameters):
                start = index * self.batch % self.count
                part = jax.lax.dynamic_slice_in_dim(images, start, self.batch)
                return step(parameters, part, jax.lax.dynamic_slice_in_dim(labels, start, self.batch))

            zeros = jnp.zeros((784, CLASSES), jnp.float32), jnp.zeros(CLASSES, jnp.float32)
            return jax.lax.fori_loop(0, self.steps, body, zeros)

        return lambda: jax.block_until_ready(train(images, labels))

    def torch(self) -> Thunk:
        import torch

        images, labels = map(torch.from_numpy, synthetic(self.count))
        labels = labels.long()

        def train():
            weights = torch.zeros(784, CLASSES, requires_grad=True)
            bias = torch.zeros(CLASSES, requires_grad=True)
            for step in range(self.steps):
                start = step * self.batch % self.count
                scores = torch.addmm(bias, images[start : start + self.batch], weights)
                loss = torch.nn.functional.cross_entropy(scores, labels[start : start + self.batch])
                of_weights, of_bias = torch.autograd.grad(loss, [weights, bias])
                with torch.no_grad():
                    weights.sub_(of_weights, alpha=self.rate)
                    bias.sub_(of_bias, alpha=self.rate)
            return weights.detach(), bias.detach()

        return train


class MnistStep(MnistLoop):
    """The same thousand steps, each a call from a loop in Python."""

    name = "mnist_step"
    what = "the same, the loop in Python"

    def autograph(self, stage) -> Thunk:
        import autograph as ag

        rate = self.rate
        batches = [
            (ag.constant(x), ag.constant(y))
            for x, y in zip(*(np.split(a, self.count // self.batch) for a in synthetic(self.count)), strict=True)
        ]
        weights, bias = ag.Variable(ag.zeros([784, CLASSES])), ag.Variable(ag.zeros([CLASSES]))

        @stage
        def step(images, labels):
            with ag.GradientTape() as tape:
                scores = images @ weights + bias
                loss = ag.reduce_mean(ag.nn.sparse_softmax_cross_entropy_with_logits(labels, scores))
            of_weights, of_bias = tape.gradient(loss, [weights, bias])
            weights.assign_sub(rate * of_weights)
            bias.assign_sub(rate * of_bias)

        def train():
            weights.assign(ag.zeros([784, CLASSES]))
            bias.assign(ag.zeros([CLASSES]))
            for index in range(self.steps):
                step(*batches[index % len(batches)])
            return ag.identity(weights), ag.identity(bias)

        return train

    def tensorflow(self, xla: bool) -> Thunk:
        import tensorflow as tf

        batches = [
            (tf.constant(x), tf.constant(y))
            for x, y in zip(*(np.split(a, self.count // self.batch) for a in synthetic(self.count)), strict=True)
        ]
        weights, bias = tf.Variable(tf.zeros([784, CLASSES])), tf.Variable(tf.zeros([CLASSES]))

        @tf.function(jit_compile=xla)
        def step(images, labels):
            with tf.GradientTape() as tape:
                scores = images @ weights + bias
                loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, scores))
            of_weights, of_bias = tape.gradient(loss, [weights, bias])
            weights.assign_sub(self.rate * of_weights)
            bias.assign_sub(self.rate * of_bias)

        def train():
            weights.assign(tf.zeros([784, CLASSES]))
            bias.assign(tf.zeros([CLASSES]))
            for index in range(self.steps):
                step(*batches[index % len(batches)])
            return tf.identity(weights), tf.identity(bias)

        return train

    def jax(self) -> Thunk:
        import jax
        from jax import numpy as jnp

        batches = [
            (jnp.asarray(x), jnp.asarray(y))
            for x, y in zip(*(np.split(a, self.count // self.batch) for a in synthetic(self.count)), strict=True)
        ]
        step = jax.jit(self.jax_step(), donate_argnums=0)

        def train():
            parameters = jnp.zeros((784, CLASSES), jnp.float32), jnp.zeros(CLASSES, jnp.float32)
            for index in range(self.steps):
                parameters = step(parameters, *batches[index % len(batches)])
            return jax.block_until_ready(parameters)

        return train
