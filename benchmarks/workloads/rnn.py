"""A recurrent network over sequences of different lengths, and its gradient."""

import numpy as np

from benchmarks.workload import Thunk, Workload

WIDTH = 256


class Rnn64x32(Workload):
    """A tanh cell over time; a sequence that has ended keeps its state and gives zeros."""

    name = "rnn_64x32"
    what = "tanh cell 256 wide, 64 steps, batch 32, lengths vary"
    tolerance = 1e-4
    steps, batch = 64, 32

    def inputs(self) -> list[np.ndarray]:
        """Inputs (time, batch, width), lengths (batch,), and the weights."""
        random = np.random.default_rng(0)
        lengths = random.integers(self.steps // 2, self.steps + 1, self.batch).astype(np.int32)
        lengths[0] = self.steps

        def normal(*shape):
            return random.standard_normal(shape, dtype=np.float32)

        scale = np.float32(0.7 / WIDTH**0.5)
        return [
            normal(self.steps, self.batch, WIDTH), lengths,
            normal(WIDTH, WIDTH) * scale, normal(WIDTH, WIDTH) * scale, normal(WIDTH) * np.float32(0.1),
        ]

    def autograph(self, stage) -> Thunk:
        import autograph as ag

        @stage
        def rnn(inputs, lengths, input_weights, state_weights, bias):
            state = ag.zeros([inputs.shape[1], WIDTH])
            outputs = []
            for time in ag.range(ag.reduce_max(lengths)):
                new = ag.tanh(inputs[time] @ input_weights + state @ state_weights + bias)
                going = ag.expand_dims(time < lengths, 1)
                state = ag.where(going, new, state)
                outputs.append(ag.where(going, new, 0.0))
            return ag.stack(outputs), state

        arguments = [ag.constant(x) for x in self.inputs()]
        return lambda: rnn(*arguments)

    def numpy(self) -> Thunk:
        def rnn(inputs, lengths, input_weights, state_weights, bias):
            steps = lengths.max()
            outputs = (inputs[:steps].reshape(-1, WIDTH) @ input_weights).reshape(steps, -1, WIDTH)
            outputs += bias
            going = np.arange(steps)[:, None, None] < lengths[:, None]
            state = np.zeros((len(lengths), WIDTH), np.float32)
            product = np.empty_like(state)
            for time in range(steps):
                new = outputs[time]
                np.matmul(state, state_weights, out=product)
                new += product
                np.tanh(new, out=new)
                np.copyto(state, new, where=going[time])
                new *= going[time]
            return outputs, state

        arguments = self.inputs()
        return lambda: rnn(*arguments)

    def tensorflow_rnn(self):
        import tensorflow as tf

        def rnn(inputs, lengths, input_weights, state_weights, bias):
            state = tf.zeros([inputs.shape[1], WIDTH])
            steps = tf.reduce_max(lengths)
            outputs = tf.TensorArray(tf.float32, size=self.steps, element_shape=state.shape)
            for time in tf.range(steps):
                new = tf.tanh(inputs[time] @ input_weights + state @ state_weights + bias)
                going = tf.expand_dims(time < lengths, 1)
                state = tf.where(going, new, state)
                outputs = outputs.write(time, tf.where(going, new, 0.0))
            return outputs.stack(), state

        return rnn

    def tensorflow(self, xla: bool) -> Thunk:
        import tensorflow as tf

        rnn = tf.function(self.tensorflow_rnn(), jit_compile=xla)
        arguments = [tf.constant(x) for x in self.inputs()]
        return lambda: rnn(*arguments)

    def jax_rnn(self):
        import jax
        from jax import numpy as jnp

        def rnn(inputs, lengths, input_weights, state_weights, bias):
            def cell(state, of_time):
                projected, time = of_time
                new = jnp.tanh(projected + state @ state_weights)
                going = (time < lengths)[:, None]
                return jnp.where(going, new, state), jnp.where(going, new, 0.0)

            state = jnp.zeros((inputs.shape[1], WIDTH), jnp.float32)
            times = jnp.arange(inputs.shape[0], dtype=jnp.int32)
            state, outputs = jax.lax.scan(cell, state, (inputs @ input_weights + bias, times))
            return outputs, state

        return rnn

    def jax(self) -> Thunk:
        import jax

        rnn = jax.jit(self.jax_rnn())
        arguments = [jax.numpy.asarray(x) for x in self.inputs()]
        return lambda: jax.block_until_ready(rnn(*arguments))

    def torch_rnn(self):
        import torch

        def rnn(inputs, lengths, input_weights, state_weights, bias):
            steps = int(lengths.max())
            projected = inputs[:steps] @ input_weights + bias
            going = (torch.arange(steps)[:, None] < lengths)[:, :, None]
            state = inputs.new_zeros(inputs.shape[1], WIDTH)
            zero = inputs.new_zeros(())
            outputs = []
            for time in range(steps):
                new = torch.tanh(torch.addmm(projected[time], state, state_weights))
                state = torch.where(going[time], new, state)
                outputs.append(torch.where(going[time], new, zero))
            return torch.stack(outputs), state

        return rnn

    def torch(self) -> Thunk:
        import torch

        rnn = self.torch_rnn()
        arguments = [torch.from_numpy(x) for x in self.inputs()]

        def run():
            with torch.no_grad():
                return rnn(*arguments)

        return run


class Rnn64x128(Rnn64x32):
    """The same with more sequences."""

    name = "rnn_64x128"
    what = "batch 128"
    steps, batch = 64, 128


class Rnn128x32(Rnn64x32):
    """The same with longer ones."""

    name = "rnn_128x32"
    what = "128 steps"
    steps, batch = 128, 32


class Rnn128x128(Rnn64x32):
    """The same with both."""

    name = "rnn_128x128"
    what = "128 steps, batch 128"
    steps, batch = 128, 128


class RnnGradient64x32(Rnn64x32):
    """Gradients of half the outputs' square sum with respect to all weights."""

    name = "rnn_grad_64x32"
    what = "gradients of all weights"

    def autograph(self, stage) -> Thunk:
        import autograph as ag

        @stage
        def gradients(inputs, lengths, *weights):
            input_weights, state_weights, bias = weights
            with ag.GradientTape() as tape:
                tape.watch(weights)
                state = ag.zeros([inputs.shape[1], WIDTH])
                outputs = []
                for time in ag.range(ag.reduce_max(lengths)):
                    new = ag.tanh(inputs[time] @ input_weights + state @ state_weights + bias)
                    going = ag.expand_dims(time < lengths, 1)
                    state = ag.where(going, new, state)
                    outputs.append(ag.where(going, new, 0.0))
                loss = ag.reduce_sum(ag.stack(outputs) ** 2) / 2
            return tape.gradient(loss, weights)

        arguments = [ag.constant(x) for x in self.inputs()]
        return lambda: gradients(*arguments)

    def numpy(self) -> Thunk:
        def gradients(inputs, lengths, input_weights, state_weights, bias):
            steps, batch = lengths.max(), len(lengths)
            flat = inputs[:steps].reshape(-1, WIDTH)
            outputs = (flat @ input_weights).reshape(steps, batch, WIDTH)
            outputs += bias
            going = np.arange(steps)[:, None, None] < lengths[:, None]
            states = np.zeros((steps + 1, batch, WIDTH), np.float32)
            product = np.empty((batch, WIDTH), np.float32)
            for time in range(steps):
                new = outputs[time]
                np.matmul(states[time], state_weights, out=product)
                new += product
                np.tanh(new, out=new)
                states[time + 1] = states[time]
                np.copyto(states[time + 1], new, where=going[time])
                new *= going[time]

            back = np.ascontiguousarray(state_weights.T)
            of_state = np.zeros((batch, WIDTH), np.float32)
            of_sums = 1 - outputs**2  # what tanh multiplies by; becomes the gradients of its arguments
            for time in reversed(range(steps)):
                of_new = of_sums[time]
                of_state += outputs[time]
                of_new *= of_state
                of_new *= going[time]
                np.matmul(of_new, back, out=product)
                # Where a sequence has ended its state came from the step before, unchanged.
                np.copyto(of_state, product, where=going[time])
            of_sums = of_sums.reshape(-1, WIDTH)
            return flat.T @ of_sums, states[:-1].reshape(-1, WIDTH).T @ of_sums, of_sums.sum(axis=0)

        arguments = self.inputs()
        return lambda: gradients(*arguments)

    def tensorflow(self, xla: bool) -> Thunk:
        import tensorflow as tf

        rnn = self.tensorflow_rnn()

        @tf.function(jit_compile=xla)
        def gradients(inputs, lengths, *weights):
            with tf.GradientTape() as tape:
                tape.watch(weights)
                outputs, _ = rnn(inputs, lengths, *weights)
                loss = tf.reduce_sum(outputs**2) / 2
            return tape.gradient(loss, weights)

        arguments = [tf.constant(x) for x in self.inputs()]
        return lambda: gradients(*arguments)

    def jax(self) -> Thunk:
        import jax

        rnn = self.jax_rnn()

        def loss(weights, inputs, lengths):
            outputs, _ = rnn(inputs, lengths, *weights)
            return jax.numpy.sum(outputs**2) / 2

        gradients = jax.jit(jax.grad(loss))
        inputs, lengths, *weights = (jax.numpy.asarray(x) for x in self.inputs())
        return lambda: jax.block_until_ready(gradients(weights, inputs, lengths))

    def torch(self) -> Thunk:
        import torch

        rnn = self.torch_rnn()
        inputs, lengths, *weights = (torch.from_numpy(x) for x in self.inputs())
        for weight in weights:
            weight.requires_grad_()

        def gradients():
            outputs, _ = rnn(inputs, lengths, *weights)
            return torch.autograd.grad(torch.sum(outputs**2) / 2, weights)

        return gradients
