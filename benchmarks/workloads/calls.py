"""What a call costs when there is next to nothing to do."""

import numpy as np

from benchmarks.workload import Thunk, Workload, compiled_by_pytensor


class CallScalar(Workload):
    """The smallest function there is."""

    name = "call_scalar"
    what = "x + 1, float32"

    def autograph(self, stage) -> Thunk:
        import autograph as ag

        @stage
        def add_one(x):
            return x + 1

        x = ag.constant(2.5)
        return lambda: add_one(x)

    def numpy(self) -> Thunk:
        def add_one(x):
            return x + 1

        x = np.float32(2.5)
        return lambda: add_one(x)

    def numba(self) -> Thunk:
        import numba

        @numba.njit
        def add_one(x):
            return x + 1

        x = np.float32(2.5)
        return lambda: add_one(x)

    def tensorflow(self, xla: bool) -> Thunk:
        import tensorflow as tf

        @tf.function(jit_compile=xla)
        def add_one(x):
            return x + 1

        x = tf.constant(2.5)
        return lambda: add_one(x)

    def jax(self) -> Thunk:
        import jax

        @jax.jit
        def add_one(x):
            return x + 1

        x = jax.numpy.float32(2.5)
        return lambda: add_one(x).block_until_ready()

    def torch(self) -> Thunk:
        import torch

        x = torch.tensor(2.5)
        return lambda: x + 1

    def pytensor(self) -> Thunk:
        from pytensor import tensor as pt

        x = pt.fscalar()
        add_one, value = compiled_by_pytensor("cvm", [x], x + 1), np.asarray(2.5, np.float32)
        return lambda: add_one(value)


class Call3Vec8(Workload):
    """Three small arguments."""

    name = "call_3vec8"
    what = "a * b + c, float32 (8,)"

    def inputs(self) -> list[np.ndarray]:
        return [np.linspace(start, start + 1, 8, dtype=np.float32) for start in range(3)]

    def autograph(self, stage) -> Thunk:
        import autograph as ag

        @stage
        def multiply_add(a, b, c):
            return a * b + c

        a, b, c = map(ag.constant, self.inputs())
        return lambda: multiply_add(a, b, c)

    def numpy(self) -> Thunk:
        def multiply_add(a, b, c):
            return a * b + c

        a, b, c = self.inputs()
        return lambda: multiply_add(a, b, c)

    def numba(self) -> Thunk:
        import numba

        @numba.njit
        def multiply_add(a, b, c):
            return a * b + c

        a, b, c = self.inputs()
        return lambda: multiply_add(a, b, c)

    def tensorflow(self, xla: bool) -> Thunk:
        import tensorflow as tf

        @tf.function(jit_compile=xla)
        def multiply_add(a, b, c):
            return a * b + c

        a, b, c = map(tf.constant, self.inputs())
        return lambda: multiply_add(a, b, c)

    def jax(self) -> Thunk:
        import jax

        @jax.jit
        def multiply_add(a, b, c):
            return a * b + c

        a, b, c = map(jax.numpy.asarray, self.inputs())
        return lambda: multiply_add(a, b, c).block_until_ready()

    def torch(self) -> Thunk:
        import torch

        a, b, c = map(torch.from_numpy, self.inputs())
        return lambda: torch.addcmul(c, a, b)

    def pytensor(self) -> Thunk:
        from pytensor import tensor as pt

        a, b, c = pt.fvectors(3)
        multiply_add, given = compiled_by_pytensor("cvm", [a, b, c], a * b + c), self.inputs()
        return lambda: multiply_add(*given)
