"""Self-attention and the gradients of its weights."""

import numpy as np

from benchmarks.workload import Thunk, Workload

BATCH, LENGTH, WIDTH, HEADS = 8, 128, 256, 8


class Attention(Workload):
    """Gradients of half the output's square sum with respect to the four weights."""

    name = "attention"
    what = "8 x 128 x 256, 8 heads, forward and gradient"
    tolerance = 1e-3

    def inputs(self) -> list[np.ndarray]:
        """The sequence, and weights of queries, keys, values and output."""
        random = np.random.default_rng(0)
        x = random.standard_normal((BATCH, LENGTH, WIDTH), dtype=np.float32)
        weights = random.standard_normal((4, WIDTH, WIDTH), dtype=np.float32) / np.float32(WIDTH**0.5)
        return [x, *weights]

    def loss(self, lib, softmax, transpose, total):
        """The same for all; `transpose(x)` swaps the two axes in the middle, `x @ y` multiplies the last two."""
        size = WIDTH // HEADS

        def heads(x):
            return transpose(lib.reshape(x, (BATCH, LENGTH, HEADS, size)), (0, 2, 1, 3))

        def loss(x, of_queries, of_keys, of_values, of_output):
            queries, keys, values = heads(x @ of_queries), heads(x @ of_keys), heads(x @ of_values)
            scores = queries @ transpose(keys, (0, 1, 3, 2)) * (1 / size**0.5)
            mixed = transpose(softmax(scores) @ values, (0, 2, 1, 3))
            return total((lib.reshape(mixed, (BATCH, LENGTH, WIDTH)) @ of_output) ** 2) / 2

        return loss

    def autograph(self, stage) -> Thunk:
        import autograph as ag

        return self.with_tape(ag, stage)

    def tensorflow(self, xla: bool) -> Thunk:
        import tensorflow as tf

        return self.with_tape(tf, lambda f: tf.function(f, jit_compile=xla))

    def with_tape(self, lib, stage) -> Thunk:
        loss = self.loss(lib, lib.nn.softmax, lib.transpose, lib.reduce_sum)

        @stage
        def gradients(x, *weights):
            with lib.GradientTape() as tape:
                tape.watch(weights)
                value = loss(x, *weights)
            return tape.gradient(value, weights)

        arguments = [lib.constant(x) for x in self.inputs()]
        return lambda: gradients(*arguments)

    def numpy(self) -> Thunk:
        size = WIDTH // HEADS

        def heads(x):
            return x.reshape(BATCH, LENGTH, HEADS, size).transpose(0, 2, 1, 3)

        def rows(x):
            return x.transpose(0, 2, 1, 3).reshape(-1, WIDTH)

        def gradients(x, of_queries, of_keys, of_values, of_output):
            flat = x.reshape(-1, WIDTH)
            queries, keys, values = heads(flat @ of_queries), heads(flat @ of_keys), heads(flat @ of_values)
            scale = np.float32(1 / size**0.5)
            weights = queries @ keys.transpose(0, 1, 3, 2)
            weights *= scale
            weights -= weights.max(axis=-1, keepdims=True)
            np.exp(weights, out=weights)
            weights /= weights.sum(axis=-1, keepdims=True)
            mixed = rows(weights @ values)
            out = mixed @ of_output  # its own gradient
            of_mixed = heads(out @ of_output.T)
            slopes = of_mixed @ values.transpose(0, 1, 3, 2)
            slopes -= (slopes * weights).sum(axis=-1, keepdims=True)
            slopes *= weights
            slopes *= scale
            d_queries, d_keys = rows(slopes @ keys), rows(slopes.transpose(0, 1, 3, 2) @ queries)
            d_values = rows(weights.transpose(0, 1, 3, 2) @ of_mixed)
            return flat.T @ d_queries, flat.T @ d_keys, flat.T @ d_values, mixed.T @ out

        arguments = self.inputs()
        return lambda: gradients(*arguments)

    def jax(self) -> Thunk:
        import jax
        from jax import numpy as jnp

        loss = self.loss(jnp, jax.nn.softmax, jnp.transpose, jnp.sum)
        gradients = jax.jit(jax.grad(loss, argnums=(1, 2, 3, 4)))
        arguments = [jnp.asarray(x) for x in self.inputs()]
        return lambda: jax.block_until_ready(gradients(*arguments))

    def torch(self) -> Thunk:
        import torch

        loss = self.loss(torch, lambda x: torch.softmax(x, dim=-1), torch.permute, torch.sum)
        x, *weights = map(torch.from_numpy, self.inputs())
        for weight in weights:
            weight.requires_grad_()
        return lambda: torch.autograd.grad(loss(x, *weights), weights)
