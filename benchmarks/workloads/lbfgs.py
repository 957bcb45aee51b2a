"""Minimising Rosenbrock's function of 100 numbers by L-BFGS with a backtracking line search."""

import numpy as np

from benchmarks.workload import Thunk, Workload

SIZE, MEMORY, ITERATIONS = 100, 5, 200


class Lbfgs(Workload):
    """Two-loop recursion over the last five steps; Armijo's rule; the gradient by the library where it has one."""

    name = "lbfgs"
    what = "Rosenbrock of 100 numbers, 200 iterations, float64"
    tolerance = 0.03

    def compared(self, result):
        """The point's norm: roundings grow over two hundred line searches."""
        return np.linalg.norm(result)

    def minimize(self, lib, value_and_gradient, stack):
        """The same for libraries with TensorFlow's names."""

        def minimize(x):
            value, gradient = value_and_gradient(x)
            steps, turns = lib.zeros([MEMORY, SIZE], lib.float64), lib.zeros([MEMORY, SIZE], lib.float64)
            for _ in lib.range(ITERATIONS):
                q = gradient
                weights = []
                for k in range(MEMORY - 1, -1, -1):
                    curve = lib.reduce_sum(steps[k] * turns[k])
                    weight = lib.where(curve > 0.0, lib.reduce_sum(steps[k] * q) / (curve + 1e-300), 0.0)
                    q = q - weight * turns[k]
                    weights.append(weight)
                last = lib.reduce_sum(turns[MEMORY - 1] * turns[MEMORY - 1])
                curve = lib.reduce_sum(steps[MEMORY - 1] * turns[MEMORY - 1])
                q = q * lib.where(last > 0.0, curve / (last + 1e-300), 1.0)
                for k in range(MEMORY):
                    curve = lib.reduce_sum(steps[k] * turns[k])
                    back = lib.where(curve > 0.0, lib.reduce_sum(turns[k] * q) / (curve + 1e-300), 0.0)
                    q = q + (weights[MEMORY - 1 - k] - back) * steps[k]
                slope = lib.reduce_sum(q * gradient)
                rate = lib.ones([], lib.float64)
                new, new_gradient = value_and_gradient(x - rate * q)
                while new > value - 1e-4 * rate * slope and rate > 1e-10:
                    rate = rate * 0.5
                    new, new_gradient = value_and_gradient(x - rate * q)
                steps = stack([steps[1:], (-rate * q)[None]])
                turns = stack([turns[1:], (new_gradient - gradient)[None]])
                x, value, gradient = x - rate * q, new, new_gradient
            return x

        return minimize

    def autograph(self, stage) -> Thunk:
        import autograph as ag

        def value_and_gradient(x):
            with ag.GradientTape() as tape:
                tape.watch(x)
                value = ag.reduce_sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)
            return value, tape.gradient(value, x)

        minimize = stage(self.minimize(ag, value_and_gradient, lambda parts: ag.concat(parts, axis=0)))
        start = ag.constant(np.zeros(SIZE))
        return lambda: minimize(start)

    def plain(self):
        def rosenbrock(x):
            off = x[1:] - x[:-1] ** 2
            value = np.sum(100.0 * off**2 + (1.0 - x[:-1]) ** 2)
            gradient = np.zeros_like(x)
            gradient[1:] = 200.0 * off
            gradient[:-1] += -400.0 * off * x[:-1] - 2.0 * (1.0 - x[:-1])
            return value, gradient

        return rosenbrock

    def by_hand(self, compiled=lambda f: f):
        rosenbrock = compiled(self.plain())

        def minimize(x):
            value, gradient = rosenbrock(x)
            steps, turns, curves = np.zeros((MEMORY, x.size)), np.zeros((MEMORY, x.size)), np.zeros(MEMORY)
            weights = np.zeros(MEMORY)
            for _ in range(ITERATIONS):
                q = gradient.copy()
                for k in range(MEMORY - 1, -1, -1):
                    if curves[k] > 0:
                        weights[k] = np.sum(steps[k] * q) / curves[k]
                        q -= weights[k] * turns[k]
                last = np.sum(turns[MEMORY - 1] * turns[MEMORY - 1])
                if last > 0:
                    q *= curves[MEMORY - 1] / last
                for k in range(MEMORY):
                    if curves[k] > 0:
                        q += (weights[k] - np.sum(turns[k] * q) / curves[k]) * steps[k]
                slope, rate = np.sum(q * gradient), 1.0
                new, new_gradient = rosenbrock(x - q)
                while new > value - 1e-4 * rate * slope and rate > 1e-10:
                    rate *= 0.5
                    new, new_gradient = rosenbrock(x - rate * q)
                for k in range(MEMORY - 1):
                    steps[k], turns[k], curves[k] = steps[k + 1], turns[k + 1], curves[k + 1]
                steps[MEMORY - 1], turns[MEMORY - 1] = -rate * q, new_gradient - gradient
                curves[MEMORY - 1] = np.sum(steps[MEMORY - 1] * turns[MEMORY - 1])
                x, value, gradient = x - rate * q, new, new_gradient
            return x

        return compiled(minimize)

    def numpy(self) -> Thunk:
        minimize = self.by_hand()
        return lambda: minimize(np.zeros(SIZE))

    def numba(self) -> Thunk:
        import numba

        minimize = self.by_hand(numba.njit)
        return lambda: minimize(np.zeros(SIZE))

    def tensorflow(self, xla: bool) -> Thunk:
        import tensorflow as tf

        def value_and_gradient(x):
            with tf.GradientTape() as tape:
                tape.watch(x)
                value = tf.reduce_sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)
            return value, tape.gradient(value, x)

        minimize = self.minimize(tf, value_and_gradient, lambda parts: tf.ensure_shape(tf.concat(parts, 0), [MEMORY, SIZE]))
        minimize = tf.function(minimize, jit_compile=xla)
        start = tf.constant(np.zeros(SIZE))
        return lambda: minimize(start)

    def jax(self) -> Thunk:
        import jax
        from jax import numpy as jnp

        jax.config.update("jax_enable_x64", True)
        value_and_gradient = jax.value_and_grad(
            lambda x: jnp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)
        )

        def one(_, carried):
            x, value, gradient, steps, turns = carried
            curves = jnp.sum(steps * turns, axis=1)
            q, weights = gradient, [None] * MEMORY
            for k in reversed(range(MEMORY)):
                weights[k] = jnp.where(curves[k] > 0, steps[k] @ q / (curves[k] + 1e-300), 0.0)
                q = q - weights[k] * turns[k]
            last = turns[-1] @ turns[-1]
            q = q * jnp.where(last > 0, curves[-1] / (last + 1e-300), 1.0)
            for k in range(MEMORY):
                q = q + (weights[k] - jnp.where(curves[k] > 0, turns[k] @ q / (curves[k] + 1e-300), 0.0)) * steps[k]
            slope = q @ gradient

            def too_long(state):
                rate, new, _ = state
                return (new > value - 1e-4 * rate * slope) & (rate > 1e-10)

            def shorter(state):
                rate = state[0] * 0.5
                return rate, *value_and_gradient(x - rate * q)

            start = jnp.float64(1.0), *value_and_gradient(x - q)
            rate, new, new_gradient = jax.lax.while_loop(too_long, shorter, start)
            steps = jnp.concatenate([steps[1:], (-rate * q)[None]])
            turns = jnp.concatenate([turns[1:], (new_gradient - gradient)[None]])
            return x - rate * q, new, new_gradient, steps, turns

        @jax.jit
        def minimize(x):
            zero = jnp.zeros((MEMORY, SIZE))
            return jax.lax.fori_loop(0, ITERATIONS, one, (x, *value_and_gradient(x), zero, zero))[0]

        start = jnp.zeros(SIZE)
        return lambda: minimize(start).block_until_ready()

    def torch(self) -> Thunk:
        import torch

        rosenbrock = self.plain_torch()

        def minimize(x):
            value, gradient = rosenbrock(x)
            steps, turns, curves = [], [], []
            for _ in range(ITERATIONS):
                q, weights = gradient, []
                for s, y, c in zip(reversed(steps), reversed(turns), reversed(curves), strict=True):
                    weights.append(s @ q / c if c > 0 else 0.0)
                    q = q - weights[-1] * y
                if turns:
                    q = q * (curves[-1] / (turns[-1] @ turns[-1]))
                for s, y, c, w in zip(steps, turns, curves, reversed(weights), strict=True):
                    if c > 0:
                        q = q + (w - y @ q / c) * s
                slope, rate = float(q @ gradient), 1.0
                new, new_gradient = rosenbrock(x - q)
                while new > value - 1e-4 * rate * slope and rate > 1e-10:
                    rate *= 0.5
                    new, new_gradient = rosenbrock(x - rate * q)
                steps, turns = [*steps, -rate * q][-MEMORY:], [*turns, new_gradient - gradient][-MEMORY:]
                curves = [*curves, float(steps[-1] @ turns[-1])][-MEMORY:]
                x, value, gradient = x - rate * q, new, new_gradient
            return x

        start = torch.zeros(SIZE, dtype=torch.float64)
        return lambda: minimize(start)

    def plain_torch(self):
        import torch

        def rosenbrock(x):
            x = x.detach().requires_grad_()
            value = torch.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)
            return float(value), torch.autograd.grad(value, x)[0]

        return rosenbrock
