"""Learning to learn: the gradient of a loss after steps of gradient descent, through those steps."""

import numpy as np

from benchmarks.workload import Thunk, Workload

RATE, HIDDEN, SHOTS = 0.05, 40, 10


class Maml1(Workload):
    """Gradients of all weights of a 1-40-40-1 network, after one inner step on a task of ten points."""

    name = "maml_1"
    what = "second-order meta-gradient through 1 inner step, 1-40-40-1 network"
    tolerance = 1e-4
    inner = 1

    def inputs(self) -> list[np.ndarray]:
        """Points and values to learn from and to be judged by; weights."""
        random = np.random.default_rng(0)
        x, y = random.uniform(-3, 3, (2, SHOTS, 1)).astype(np.float32)
        sizes = [(1, HIDDEN), (HIDDEN,), (HIDDEN, HIDDEN), (HIDDEN,), (HIDDEN, 1), (1,)]
        weights = [(random.standard_normal(s) / max(s[0] if len(s) > 1 else 1, 1) ** 0.5).astype(np.float32) for s in sizes]
        return [x, np.sin(x), y, np.sin(y), *weights]

    def loss(self, tanh, mean):
        def loss(weights, x, y):
            a, b, c, d, e, f = weights
            out = tanh(tanh(x @ a + b) @ c + d) @ e + f
            return mean((out - y) ** 2)

        return loss

    def autograph(self, stage) -> Thunk:
        import autograph as ag

        return self.with_tapes(ag, stage)

    def tensorflow(self, xla: bool) -> Thunk:
        import tensorflow as tf

        return self.with_tapes(tf, lambda f: tf.function(f, jit_compile=xla))

    def with_tapes(self, lib, stage) -> Thunk:
        loss, inner = self.loss(lib.tanh, lib.reduce_mean), self.inner

        @stage
        def meta(x, y, held_x, held_y, *weights):
            with lib.GradientTape() as outer:
                outer.watch(weights)
                fast = list(weights)
                for _ in range(inner):
                    with lib.GradientTape() as tape:
                        tape.watch(fast)
                        value = loss(fast, x, y)
                    slopes = tape.gradient(value, fast)
                    fast = [w - RATE * s for w, s in zip(fast, slopes)]  # noqa: B905 - TensorFlow's zip
                value = loss(fast, held_x, held_y)
            return outer.gradient(value, weights)

        arguments = [lib.constant(x) for x in self.inputs()]
        return lambda: meta(*arguments)

    def jax(self) -> Thunk:
        import jax
        from jax import numpy as jnp

        loss = self.loss(jnp.tanh, jnp.mean)

        def adapted(weights, x, y, held_x, held_y):
            for _ in range(self.inner):
                weights = [w - RATE * s for w, s in zip(weights, jax.grad(loss)(weights, x, y), strict=True)]
            return loss(weights, held_x, held_y)

        meta = jax.jit(jax.grad(adapted))
        x, y, held_x, held_y, *weights = map(jnp.asarray, self.inputs())
        return lambda: jax.block_until_ready(meta(weights, x, y, held_x, held_y))

    def torch(self) -> Thunk:
        import torch

        loss = self.loss(torch.tanh, torch.mean)
        x, y, held_x, held_y, *weights = map(torch.from_numpy, self.inputs())
        for weight in weights:
            weight.requires_grad_()

        def meta():
            fast = weights
            for _ in range(self.inner):
                slopes = torch.autograd.grad(loss(fast, x, y), fast, create_graph=True)
                fast = [w - RATE * s for w, s in zip(fast, slopes, strict=True)]
            return torch.autograd.grad(loss(fast, held_x, held_y), weights)

        return meta


class Maml5(Maml1):
    """The same through five steps."""

    name = "maml_5"
    what = "5 inner steps"
    inner = 5
