"""What comes before the first result: importing, tracing, compiling."""

import numpy as np

from benchmarks.workload import Script, Thunk, Workload
from benchmarks.workloads.rnn import Rnn64x32


class ImportTime(Script):
    """Importing the package in a fresh process; NumPy, which most import too, is there already."""

    name = "import"
    what = "fresh process, over import numpy (numpy: its own)"
    kind = "script"

    def script(self, package: str) -> Thunk:
        lines = [
            "import time" if package == "numpy" else "import time, numpy",
            "start = time.perf_counter()",
            f"import {package}",
            "print(time.perf_counter() - start)",
        ]
        return lambda: "\n".join(lines)


class FirstRnn(Rnn64x32):
    """The recurrent network's first result in a fresh process, its library imported."""

    name = "first_rnn"
    what = "rnn_64x32: trace, compile and run once"
    kind = "first"


class FirstStraight(Workload):
    """The first result of a long function without control flow."""

    name = "first_200_ops"
    what = "200 operations in a straight line: trace, compile and run once"
    kind = "first"
    tolerance = 1e-4

    def autograph(self, stage) -> Thunk:
        import autograph as ag

        @stage
        def straight(x):
            return straight_line(ag, x)

        x = ag.constant(start())
        return lambda: straight(x)

    def numpy(self) -> Thunk:
        x = start()
        return lambda: straight_line(np, x)

    def numba(self) -> Thunk:
        import numba

        line = numba.njit(straight_line_numpy())
        x = start()
        return lambda: line(x)

    def tensorflow(self, xla: bool) -> Thunk:
        import tensorflow as tf

        @tf.function(jit_compile=xla)
        def straight(x):
            return straight_line(tf, x)

        x = tf.constant(start())
        return lambda: straight(x)

    def jax(self) -> Thunk:
        import jax

        straight = jax.jit(lambda x: straight_line(jax.numpy, x))
        x = jax.numpy.asarray(start())
        return lambda: straight(x).block_until_ready()

    def torch(self) -> Thunk:
        import torch

        x = torch.from_numpy(start())
        return lambda: straight_line(torch, x)


def start() -> np.ndarray:
    """A thousand numbers."""
    return np.linspace(-2, 2, 1000, dtype=np.float32)


def straight_line_numpy():
    """`straight_line` with NumPy for its library: Numba takes no module as an argument."""
    import inspect

    source = inspect.getsource(straight_line).replace("(lib, x)", "(x)")
    names = {"lib": np}
    exec(source, names)
    return names["straight_line"]


def straight_line(lib, x):
    """Two hundred operations, five a line, each on the result of the one before."""
    x = lib.tanh(lib.sin(x) * 1.5 + 0.1) - 0.2
    x = lib.cos(x * 0.9 + 0.4) * 1.2 - 0.1
    x = lib.sqrt(x * x + 0.5) * 0.8 - 0.6
    x = lib.exp(lib.sin(x) * 0.7) - x * 0.3
    x = lib.sin(lib.exp(x * 0.5) - 1.1) + 0.3
    x = lib.tanh(lib.sin(x) * 1.5 + 0.1) - 0.2
    x = lib.cos(x * 0.9 + 0.4) * 1.2 - 0.1
    x = lib.sqrt(x * x + 0.5) * 0.8 - 0.6
    x = lib.exp(lib.sin(x) * 0.7) - x * 0.3
    x = lib.sin(lib.exp(x * 0.5) - 1.1) + 0.3
    x = lib.tanh(lib.sin(x) * 1.5 + 0.1) - 0.2
    x = lib.cos(x * 0.9 + 0.4) * 1.2 - 0.1
    x = lib.sqrt(x * x + 0.5) * 0.8 - 0.6
    x = lib.exp(lib.sin(x) * 0.7) - x * 0.3
    x = lib.sin(lib.exp(x * 0.5) - 1.1) + 0.3
    x = lib.tanh(lib.sin(x) * 1.5 + 0.1) - 0.2
    x = lib.cos(x * 0.9 + 0.4) * 1.2 - 0.1
    x = lib.sqrt(x * x + 0.5) * 0.8 - 0.6
    x = lib.exp(lib.sin(x) * 0.7) - x * 0.3
    x = lib.sin(lib.exp(x * 0.5) - 1.1) + 0.3
    x = lib.tanh(lib.sin(x) * 1.5 + 0.1) - 0.2
    x = lib.cos(x * 0.9 + 0.4) * 1.2 - 0.1
    x = lib.sqrt(x * x + 0.5) * 0.8 - 0.6
    x = lib.exp(lib.sin(x) * 0.7) - x * 0.3
    x = lib.sin(lib.exp(x * 0.5) - 1.1) + 0.3
    x = lib.tanh(lib.sin(x) * 1.5 + 0.1) - 0.2
    x = lib.cos(x * 0.9 + 0.4) * 1.2 - 0.1
    x = lib.sqrt(x * x + 0.5) * 0.8 - 0.6
    x = lib.exp(lib.sin(x) * 0.7) - x * 0.3
    x = lib.sin(lib.exp(x * 0.5) - 1.1) + 0.3
    x = lib.tanh(lib.sin(x) * 1.5 + 0.1) - 0.2
    x = lib.cos(x * 0.9 + 0.4) * 1.2 - 0.1
    x = lib.sqrt(x * x + 0.5) * 0.8 - 0.6
    x = lib.exp(lib.sin(x) * 0.7) - x * 0.3
    x = lib.sin(lib.exp(x * 0.5) - 1.1) + 0.3
    x = lib.tanh(lib.sin(x) * 1.5 + 0.1) - 0.2
    x = lib.cos(x * 0.9 + 0.4) * 1.2 - 0.1
    x = lib.sqrt(x * x + 0.5) * 0.8 - 0.6
    x = lib.exp(lib.sin(x) * 0.7) - x * 0.3
    return lib.sin(lib.exp(x * 0.5) - 1.1) + 0.3
