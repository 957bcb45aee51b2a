"""Loops within loops over numbers and over small pictures: where calls cost and machine code wins."""

import numpy as np

from benchmarks.workload import Thunk, Workload


class Collatz3000(Workload):
    """The longest Collatz sequence of the numbers below 3000."""

    name = "collatz_3000"
    what = "nested while/if, all n to 3000, int64"
    tolerance = 0.0
    limit = 3000

    def autograph(self, stage) -> Thunk:
        import autograph as ag

        longest = stage(self.plain())
        limit = ag.constant(self.limit, ag.int64)
        return lambda: longest(limit)

    def plain(self):
        def longest(limit):
            best = 0
            for start in range(1, limit):
                n = start
                steps = 0
                while n != 1:
                    n = n // 2 if n % 2 == 0 else 3 * n + 1
                    steps += 1
                best = max(best, steps)
            return best

        return longest

    def numpy(self) -> Thunk:
        longest = self.plain()
        return lambda: longest(self.limit)

    def numba(self) -> Thunk:
        import numba

        longest = numba.njit(self.plain())
        return lambda: longest(self.limit)

    def tensorflow(self, xla: bool) -> Thunk:
        import tensorflow as tf

        @tf.function(jit_compile=xla)
        def longest(limit):
            best = tf.constant(0, tf.int64)
            for start in tf.range(1, limit, dtype=tf.int64):
                n = start
                steps = tf.constant(0, tf.int64)
                while n != 1:
                    if n % 2 == 0:
                        n = n // 2
                    else:
                        n = 3 * n + 1
                    steps += 1
                best = tf.maximum(best, steps)
            return best

        limit = tf.constant(self.limit, tf.int64)
        return lambda: longest(limit)

    def jax(self) -> Thunk:
        import jax
        from jax import numpy as jnp

        jax.config.update("jax_enable_x64", True)

        @jax.jit
        def longest(limit):
            def one(start, best):
                def step(state):
                    n, steps = state
                    return jnp.where(n % 2 == 0, n // 2, 3 * n + 1), steps + 1

                steps = jax.lax.while_loop(lambda s: s[0] != 1, step, (start, jnp.int64(0)))[1]
                return jnp.maximum(best, steps)

            return jax.lax.fori_loop(jnp.int64(1), limit, one, jnp.int64(0))

        limit = jnp.int64(self.limit)
        return lambda: longest(limit).block_until_ready()

    def torch(self) -> Thunk:
        import torch

        @torch.jit.script
        def longest(limit: int) -> int:
            best = 0
            for start in range(1, limit):
                n = start
                steps = 0
                while n != 1:
                    if n % 2 == 0:
                        n = n // 2
                    else:
                        n = 3 * n + 1
                    steps += 1
                best = max(best, steps)
            return best

        return lambda: longest(self.limit)


class Mandelbrot(Workload):
    """How long points stay near zero under z*z + c; the loop ends when all have left."""

    name = "mandelbrot"
    what = "400x300, 100 iterations, early exit"
    tolerance = 1e-3
    width, height, most = 400, 300, 100

    def compared(self, counts):
        """The mean: a point near the edge leaves earlier or later under another rounding."""
        return np.mean(counts)

    def grid(self) -> tuple[np.ndarray, np.ndarray]:
        x = np.linspace(-2.0, 0.8, self.width, dtype=np.float32)
        y = np.linspace(-1.05, 1.05, self.height, dtype=np.float32)
        a, b = np.meshgrid(x, y)
        return a, b

    def autograph(self, stage) -> Thunk:
        import autograph as ag

        @stage
        def escape(a, b, most):
            x, y = ag.zeros_like(a), ag.zeros_like(b)
            inside = ag.ones_like(a, dtype=ag.bool)
            counts = ag.zeros_like(a, dtype=ag.int32)
            step = 0
            while step < most and ag.reduce_any(inside):
                x, y = ag.where(inside, x * x - y * y + a, x), ag.where(inside, 2 * x * y + b, y)
                inside = x * x + y * y < 4.0
                counts += ag.cast(inside, ag.int32)
                step += 1
            return counts

        arguments = [*(ag.constant(p) for p in self.grid()), ag.constant(self.most)]
        return lambda: escape(*arguments)

    def numpy(self) -> Thunk:
        def escape(a, b, most):
            x, y = np.zeros_like(a), np.zeros_like(b)
            inside = np.ones(a.shape, bool)
            counts = np.zeros(a.shape, np.int32)
            for _ in range(most):
                if not inside.any():
                    break
                x, y = np.where(inside, x * x - y * y + a, x), np.where(inside, 2 * x * y + b, y)
                inside = x * x + y * y < 4.0
                counts += inside
            return counts

        a, b = self.grid()
        return lambda: escape(a, b, self.most)

    def numba(self) -> Thunk:
        import numba

        @numba.njit
        def escape(a, b, most):
            counts = np.zeros(a.shape, np.int32)
            for row in range(a.shape[0]):
                for column in range(a.shape[1]):
                    x = y = np.float32(0)
                    for _ in range(most):
                        p, q = a[row, column], b[row, column]
                        x, y = x * x - y * y + p, np.float32(2) * x * y + q
                        if x * x + y * y >= 4:
                            break
                        counts[row, column] += 1
            return counts

        a, b = self.grid()
        return lambda: escape(a, b, self.most)

    def tensorflow(self, xla: bool) -> Thunk:
        import tensorflow as tf

        @tf.function(jit_compile=xla)
        def escape(a, b, most):
            x, y = tf.zeros_like(a), tf.zeros_like(b)
            inside = tf.ones_like(a, tf.bool)
            counts = tf.zeros_like(a, tf.int32)
            step = 0
            while step < most and tf.reduce_any(inside):
                x, y = tf.where(inside, x * x - y * y + a, x), tf.where(inside, 2 * x * y + b, y)
                inside = x * x + y * y < 4.0
                counts += tf.cast(inside, tf.int32)
                step += 1
            return counts

        arguments = [*(tf.constant(p) for p in self.grid()), tf.constant(self.most)]
        return lambda: escape(*arguments)

    def jax(self) -> Thunk:
        import jax
        from jax import numpy as jnp

        @jax.jit
        def escape(a, b):
            def going(state):
                return (state[0] < self.most) & jnp.any(state[3])

            def step(state):
                k, x, y, inside, counts = state
                x, y = jnp.where(inside, x * x - y * y + a, x), jnp.where(inside, 2 * x * y + b, y)
                inside = x * x + y * y < 4.0
                return k + 1, x, y, inside, counts + inside

            zero = jnp.zeros_like(a)
            start = 0, zero, zero, jnp.ones(a.shape, bool), jnp.zeros(a.shape, jnp.int32)
            return jax.lax.while_loop(going, step, start)[4]

        a, b = map(jnp.asarray, self.grid())
        return lambda: escape(a, b).block_until_ready()

    def torch(self) -> Thunk:
        import torch

        def escape(a, b, most):
            x, y = torch.zeros_like(a), torch.zeros_like(b)
            inside = torch.ones_like(a, dtype=torch.bool)
            counts = torch.zeros_like(a, dtype=torch.int32)
            step = 0
            while step < most and inside.any():
                x, y = torch.where(inside, x * x - y * y + a, x), torch.where(inside, 2 * x * y + b, y)
                inside = x * x + y * y < 4.0
                counts += inside
                step += 1
            return counts

        a, b = map(torch.from_numpy, self.grid())
        return lambda: escape(a, b, self.most)
