"""Loops over scalars, whose length is known only when they end."""

import numpy as np

from benchmarks.workload import Thunk, Workload, compiled_by_pytensor


class Collatz97(Workload):
    """How long the Collatz sequence of 97 is."""

    name = "collatz_97"
    what = "while/if, 118 steps, int64"
    tolerance = 0.0

    def autograph(self, stage) -> Thunk:
        import autograph as ag

        collatz = stage(self.plain())
        n = ag.constant(97, ag.int64)
        return lambda: collatz(n)

    def plain(self):
        def collatz(n):
            steps = 0
            while n != 1:
                if n % 2 == 0:
                    n = n // 2
                else:
                    n = 3 * n + 1
                steps += 1
            return steps

        return collatz

    def numpy(self) -> Thunk:
        collatz = self.plain()
        return lambda: collatz(97)

    def numba(self) -> Thunk:
        import numba

        collatz = numba.njit(self.plain())
        return lambda: collatz(97)

    def tensorflow(self, xla: bool) -> Thunk:
        import tensorflow as tf

        @tf.function(jit_compile=xla)
        def collatz(n):
            steps = tf.constant(0, tf.int64)
            while n != 1:
                if n % 2 == 0:
                    n = n // 2
                else:
                    n = 3 * n + 1
                steps += 1
            return steps

        n = tf.constant(97, tf.int64)
        return lambda: collatz(n)

    def jax(self) -> Thunk:
        import jax

        jax.config.update("jax_enable_x64", True)

        @jax.jit
        def collatz(n):
            def step(state):
                n, steps = state
                return jax.numpy.where(n % 2 == 0, n // 2, 3 * n + 1), steps + 1

            return jax.lax.while_loop(lambda state: state[0] != 1, step, (n, jax.numpy.int64(0)))[1]

        n = jax.numpy.int64(97)
        return lambda: collatz(n).block_until_ready()

    def torch(self) -> Thunk:
        import torch

        @torch.jit.script
        def collatz(n: int) -> int:
            steps = 0
            while n != 1:
                if n % 2 == 0:
                    n = n // 2
                else:
                    n = 3 * n + 1
                steps += 1
            return steps

        return lambda: collatz(97)


class NewtonForward(Workload):
    """A cube root by Newton's method."""

    name = "newton_fwd"
    what = "scalar while to convergence, float64"

    def autograph(self, stage) -> Thunk:
        import autograph as ag

        cube_root = stage(self.plain())
        a = ag.constant(2.0, ag.float64)
        return lambda: cube_root(a)

    def plain(self):
        def cube_root(a):
            x = a
            while abs(x * x * x - a) > 1e-10:
                x = x - (x * x * x - a) / (3.0 * x * x)
            return x

        return cube_root

    def numpy(self) -> Thunk:
        cube_root = self.plain()
        return lambda: cube_root(2.0)

    def numba(self) -> Thunk:
        import numba

        cube_root = numba.njit(self.plain())
        return lambda: cube_root(2.0)

    def tensorflow(self, xla: bool) -> Thunk:
        import tensorflow as tf

        cube_root = tf.function(self.plain(), jit_compile=xla)
        a = tf.constant(2.0, tf.float64)
        return lambda: cube_root(a)

    def jax_cube_root(self):
        import jax

        jax.config.update("jax_enable_x64", True)

        def cube_root(a):
            def off(x):
                return abs(x * x * x - a) > 1e-10

            return jax.lax.while_loop(off, lambda x: x - (x * x * x - a) / (3.0 * x * x), a)

        return cube_root

    def jax(self) -> Thunk:
        import jax

        cube_root = jax.jit(self.jax_cube_root())
        a = jax.numpy.float64(2.0)
        return lambda: cube_root(a).block_until_ready()

    def torch(self) -> Thunk:
        import torch

        cube_root = self.plain()
        a = torch.tensor(2.0, dtype=torch.float64)
        return lambda: cube_root(a)

    def pytensor_cube_root(self):
        from pytensor import scan
        from pytensor import tensor as pt
        from pytensor.scan import until

        def step(x, a):
            x = x - (x * x * x - a) / (3.0 * x * x)
            return x, until(abs(x * x * x - a) <= 1e-10)

        a = pt.dscalar()
        xs = scan(step, outputs_info=[a], non_sequences=[a], n_steps=1000, return_updates=False)
        return a, xs[-1]

    def pytensor(self) -> Thunk:
        a, x = self.pytensor_cube_root()
        cube_root, value = compiled_by_pytensor("numba", [a], x), np.asarray(2.0)
        return lambda: cube_root(value)


class NewtonGradient(NewtonForward):
    """The derivative of that cube root, through the loop."""

    name = "newton_grad"
    what = "its derivative (jax: forward mode, it has no reverse)"
    refused = ("numba", "tensorflow+xla")

    def autograph(self, stage) -> Thunk:
        import autograph as ag

        cube_root = self.plain()

        @stage
        def slope(a):
            with ag.GradientTape() as tape:
                tape.watch(a)
                x = cube_root(a)
            return tape.gradient(x, a)

        a = ag.constant(2.0, ag.float64)
        return lambda: slope(a)

    def numpy(self) -> Thunk:
        def slope(a):
            x, trail = a, []
            while abs(x * x * x - a) > 1e-10:
                trail.append(x)
                x = x - (x * x * x - a) / (3.0 * x * x)
            of_x, of_a = 1.0, 0.0
            for x in reversed(trail):  # the step is x * 2/3 + a / (3 x^2)
                of_a += of_x / (3.0 * x * x)
                of_x *= 2.0 / 3.0 * (1.0 - a / (x * x * x))
            return of_a + of_x

        return lambda: slope(2.0)

    def tensorflow(self, xla: bool) -> Thunk:
        import tensorflow as tf

        cube_root = self.plain()

        @tf.function(jit_compile=xla)
        def slope(a):
            with tf.GradientTape() as tape:
                tape.watch(a)
                x = cube_root(a)
            return tape.gradient(x, a)

        a = tf.constant(2.0, tf.float64)
        return lambda: slope(a)

    def jax(self) -> Thunk:
        import jax

        slope = jax.jit(jax.jacfwd(self.jax_cube_root()))
        a = jax.numpy.float64(2.0)
        return lambda: slope(a).block_until_ready()

    def torch(self) -> Thunk:
        import torch

        cube_root = self.plain()
        a = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
        return lambda: torch.autograd.grad(cube_root(a), a)[0]

    def pytensor(self) -> Thunk:
        import pytensor

        a, x = self.pytensor_cube_root()
        slope, value = compiled_by_pytensor("numba", [a], pytensor.grad(x, a)), np.asarray(2.0)
        return lambda: slope(value)
