"""A training step of a small convolutional network."""

import numpy as np

from benchmarks.workload import Thunk, Workload

BATCH, SIZE, CLASSES, RATE = 32, 28, 10, 0.1


class ConvStep(Workload):
    """Two convolutions of 3 by 3 with relu and pooling, one dense layer, cross entropy; the weights after a step."""

    name = "conv_step"
    what = "28x28x1, conv 16, pool, conv 32, pool, dense 10; batch 32: SGD step"
    tolerance = 1e-3

    def inputs(self) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
        """Pictures, labels, weights."""
        random = np.random.default_rng(0)
        shapes = [(3, 3, 1, 16), (16,), (3, 3, 16, 32), (32,), (7 * 7 * 32, CLASSES), (CLASSES,)]

        def weight(shape):
            spread = (2 / max(np.prod(shape[:-1]), 1)) ** 0.5 if len(shape) > 1 else 0.1
            return (random.standard_normal(shape) * spread).astype(np.float32)

        pictures = random.standard_normal((BATCH, SIZE, SIZE, 1), dtype=np.float32)
        return pictures, random.integers(0, CLASSES, BATCH).astype(np.int32), [weight(s) for s in shapes]

    def with_tape(self, lib, stage) -> Thunk:
        def logits(x, a, b, c, d, e, f):
            x = lib.nn.relu(lib.nn.conv2d(x, a, 1, "SAME") + b)
            x = lib.nn.max_pool2d(x, 2, 2, "VALID")
            x = lib.nn.relu(lib.nn.conv2d(x, c, 1, "SAME") + d)
            x = lib.nn.max_pool2d(x, 2, 2, "VALID")
            return lib.reshape(x, [BATCH, 7 * 7 * 32]) @ e + f

        @stage
        def step(x, labels, *weights):
            with lib.GradientTape() as tape:
                tape.watch(weights)
                losses = lib.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits(x, *weights))
                loss = lib.reduce_mean(losses)
            slopes = tape.gradient(loss, weights)
            return [w - RATE * s for w, s in zip(weights, slopes)]  # noqa: B905 - TensorFlow's zip

        x, labels, weights = self.inputs()
        arguments = [lib.constant(a) for a in (x, labels, *weights)]
        return lambda: step(*arguments)

    def autograph(self, stage) -> Thunk:
        import autograph as ag

        return self.with_tape(ag, stage)

    def tensorflow(self, xla: bool) -> Thunk:
        import tensorflow as tf

        return self.with_tape(tf, lambda f: tf.function(f, jit_compile=xla))

    def jax(self) -> Thunk:
        import jax
        from jax import lax
        from jax import numpy as jnp

        def layer(x, filters, bias):
            x = lax.conv_general_dilated(x, filters, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
            return lax.reduce_window(jax.nn.relu(x + bias), -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")

        def loss(weights, x, labels):
            a, b, c, d, e, f = weights
            logits = layer(layer(x, a, b), c, d).reshape(BATCH, -1) @ e + f
            return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], axis=1))

        @jax.jit
        def step(weights, x, labels):
            return [w - RATE * s for w, s in zip(weights, jax.grad(loss)(weights, x, labels), strict=True)]

        x, labels, weights = self.inputs()
        x, labels, weights = jnp.asarray(x), jnp.asarray(labels), [jnp.asarray(w) for w in weights]
        return lambda: jax.block_until_ready(step(weights, x, labels))

    def torch(self) -> Thunk:
        import torch
        from torch.nn import functional

        pictures, labels, weights = self.inputs()
        x = torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)))
        labels = torch.from_numpy(labels).long()
        # Its order of axes: filters (out, in, height, width), and channels before places in front of the dense layer.
        weights[4] = weights[4].reshape(7, 7, 32, CLASSES).transpose(2, 0, 1, 3).reshape(-1, CLASSES)
        weights = [np.ascontiguousarray(w.transpose(3, 2, 0, 1) if w.ndim == 4 else w) for w in weights]
        weights = [torch.from_numpy(w).requires_grad_() for w in weights]

        def step():
            a, b, c, d, e, f = weights
            y = functional.max_pool2d(torch.relu(functional.conv2d(x, a, b, padding=1)), 2)
            y = functional.max_pool2d(torch.relu(functional.conv2d(y, c, d, padding=1)), 2)
            loss = functional.cross_entropy(y.flatten(1) @ e + f, labels)
            slopes = torch.autograd.grad(loss, weights)
            with torch.no_grad():
                return [w - RATE * s for w, s in zip(weights, slopes, strict=True)]

        return step

    def compared(self, weights):
        """Every weight's sum and sum of squares: the order of axes differs."""
        return tuple(np.array([np.sum(w, dtype=np.float64), np.sum(w.astype(np.float64) ** 2)]) for w in weights)
