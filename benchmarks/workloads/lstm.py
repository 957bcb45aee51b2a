"""The gradient of an LSTM: four gates a step, all weights."""

import numpy as np

from benchmarks.workload import Thunk, Workload

WIDTH = 256


class LstmGradient(Workload):
    """Gradients of half the last state's square sum with respect to all weights."""

    name = "lstm_grad"
    what = "LSTM 256 wide, 64 steps, batch 32, gradients of all weights"
    tolerance = 1e-4
    steps, batch = 64, 32

    def inputs(self) -> list[np.ndarray]:
        """Inputs (time, batch, width); weights of inputs and states (width, 4 * width), bias."""
        random = np.random.default_rng(0)

        def normal(*shape):
            return random.standard_normal(shape, dtype=np.float32)

        scale = np.float32(0.5 / WIDTH**0.5)
        return [
            normal(self.steps, self.batch, WIDTH), normal(WIDTH, 4 * WIDTH) * scale,
            normal(WIDTH, 4 * WIDTH) * scale, normal(4 * WIDTH) * np.float32(0.1),
        ]

    def autograph(self, stage) -> Thunk:
        import autograph as ag

        @stage
        def gradients(inputs, *weights):
            input_weights, state_weights, bias = weights
            with ag.GradientTape() as tape:
                tape.watch(weights)
                state = ag.zeros([inputs.shape[1], WIDTH])
                memory = ag.zeros([inputs.shape[1], WIDTH])
                for x in inputs:
                    gates = x @ input_weights + state @ state_weights + bias
                    take, forget, new, give = ag.split(gates, 4, axis=1)
                    memory = ag.sigmoid(forget) * memory + ag.sigmoid(take) * ag.tanh(new)
                    state = ag.sigmoid(give) * ag.tanh(memory)
                loss = ag.reduce_sum(state**2) / 2
            return tape.gradient(loss, weights)

        arguments = [ag.constant(x) for x in self.inputs()]
        return lambda: gradients(*arguments)

    def numpy(self) -> Thunk:
        def sigmoid(x):
            return 1 / (1 + np.exp(-x))

        def gradients(inputs, input_weights, state_weights, bias):
            steps, batch, _ = inputs.shape
            flat = inputs.reshape(-1, WIDTH)
            projected = (flat @ input_weights + bias).reshape(steps, batch, -1)
            states = np.zeros((steps + 1, batch, WIDTH), np.float32)
            memories = np.zeros_like(states)
            saved = []
            for time in range(steps):
                gates = projected[time]
                gates += states[time] @ state_weights
                take, forget, new, give = np.split(gates, 4, axis=1)
                take, forget, new, give = sigmoid(take), sigmoid(forget), np.tanh(new), sigmoid(give)
                memories[time + 1] = forget * memories[time] + take * new
                shown = np.tanh(memories[time + 1])
                states[time + 1] = give * shown
                saved.append((take, forget, new, give, shown))

            back = np.ascontiguousarray(state_weights.T)
            of_gates = projected  # every step's are overwritten when they have been used
            of_state, of_memory = states[-1].copy(), np.zeros((batch, WIDTH), np.float32)
            for time in reversed(range(steps)):
                take, forget, new, give, shown = saved[time]
                of_memory += of_state * give * (1 - shown * shown)
                parts = np.split(of_gates[time], 4, axis=1)
                parts[0][:] = of_memory * new * take * (1 - take)
                parts[1][:] = of_memory * memories[time] * forget * (1 - forget)
                parts[2][:] = of_memory * take * (1 - new * new)
                parts[3][:] = of_state * shown * give * (1 - give)
                of_memory *= forget
                of_state = of_gates[time] @ back
            of_gates = of_gates.reshape(-1, 4 * WIDTH)
            return flat.T @ of_gates, states[:-1].reshape(-1, WIDTH).T @ of_gates, of_gates.sum(axis=0)

        arguments = self.inputs()
        return lambda: gradients(*arguments)

    def tensorflow(self, xla: bool) -> Thunk:
        import tensorflow as tf

        @tf.function(jit_compile=xla)
        def gradients(inputs, *weights):
            input_weights, state_weights, bias = weights
            with tf.GradientTape() as tape:
                tape.watch(weights)
                state = tf.zeros([inputs.shape[1], WIDTH])
                memory = tf.zeros([inputs.shape[1], WIDTH])
                for time in tf.range(self.steps):
                    gates = inputs[time] @ input_weights + state @ state_weights + bias
                    take, forget, new, give = tf.split(gates, 4, axis=1)
                    memory = tf.sigmoid(forget) * memory + tf.sigmoid(take) * tf.tanh(new)
                    state = tf.sigmoid(give) * tf.tanh(memory)
                loss = tf.reduce_sum(state**2) / 2
            return tape.gradient(loss, weights)

        arguments = [tf.constant(x) for x in self.inputs()]
        return lambda: gradients(*arguments)

    def jax(self) -> Thunk:
        import jax
        from jax import numpy as jnp

        def loss(weights, inputs):
            input_weights, state_weights, bias = weights

            def cell(carried, projected):
                state, memory = carried
                take, forget, new, give = jnp.split(projected + state @ state_weights, 4, axis=1)
                memory = jax.nn.sigmoid(forget) * memory + jax.nn.sigmoid(take) * jnp.tanh(new)
                return (jax.nn.sigmoid(give) * jnp.tanh(memory), memory), None

            zero = jnp.zeros((inputs.shape[1], WIDTH), jnp.float32)
            (state, _), _ = jax.lax.scan(cell, (zero, zero), inputs @ input_weights + bias)
            return jnp.sum(state**2) / 2

        gradients = jax.jit(jax.grad(loss))
        inputs, *weights = map(jnp.asarray, self.inputs())
        return lambda: jax.block_until_ready(gradients(weights, inputs))

    def torch(self) -> Thunk:
        import torch

        inputs, *weights = map(torch.from_numpy, self.inputs())
        for weight in weights:
            weight.requires_grad_()
        input_weights, state_weights, bias = weights

        def gradients():
            state = memory = inputs.new_zeros(inputs.shape[1], WIDTH)
            for projected in inputs @ input_weights + bias:
                take, forget, new, give = torch.addmm(projected, state, state_weights).chunk(4, dim=1)
                memory = torch.sigmoid(forget) * memory + torch.sigmoid(take) * torch.tanh(new)
                state = torch.sigmoid(give) * torch.tanh(memory)
            return torch.autograd.grad(torch.sum(state**2) / 2, weights)

        return gradients
