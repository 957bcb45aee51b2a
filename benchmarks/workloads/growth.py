"""How cost grows: with the size of arrays, the length of loops, the number of nodes, the depth of nesting.

Lines of one family differ in one number, their last; what matters is how they grow.
"""

import math

import numpy as np

from benchmarks.workload import Thunk, Workload


class _Size(Workload):
    """tanh(x) * x + x over a vector."""

    size = 0

    def autograph(self, stage) -> Thunk:
        import autograph as ag

        x = ag.constant(self.vector())
        work = stage(lambda x: ag.tanh(x) * x + x)
        return lambda: work(x)

    def vector(self) -> np.ndarray:
        return np.linspace(-1, 1, self.size, dtype=np.float32)

    def numpy(self) -> Thunk:
        x = self.vector()
        return lambda: np.tanh(x) * x + x

    def jax(self) -> Thunk:
        import jax

        x = jax.numpy.asarray(self.vector())
        work = jax.jit(lambda x: jax.numpy.tanh(x) * x + x)
        return lambda: work(x).block_until_ready()


class _Steps(Workload):
    """A loop whose every step depends on the last."""

    steps = 0
    tolerance = 1e-4

    def autograph(self, stage) -> Thunk:
        import autograph as ag

        @stage
        def work(x, steps):
            for _ in ag.range(steps):
                x = x * 0.999 + 0.001
            return x

        x, steps = ag.constant(self.vector()), ag.constant(self.steps)
        return lambda: work(x, steps)

    def vector(self) -> np.ndarray:
        return np.linspace(-1, 1, 8, dtype=np.float32)

    def numpy(self) -> Thunk:
        def work(x):
            for _ in range(self.steps):
                x = x * np.float32(0.999) + np.float32(0.001)
            return x

        x = self.vector()
        return lambda: work(x)

    def jax(self) -> Thunk:
        import jax

        x = jax.numpy.asarray(self.vector())
        work = jax.jit(lambda x, n: jax.lax.fori_loop(0, n, lambda _, x: x * 0.999 + 0.001, x))
        return lambda: work(x, self.steps).block_until_ready()


class _Nodes(Workload):
    """The first result of a straight line of operations: tracing, optimising, running."""

    kind = "first"
    nodes = 0
    tolerance = 1e-4

    def line(self, x, tanh):
        for k in range(self.nodes // 2):
            x = tanh(x) if k % 2 else x * 0.9
            x = x + 0.1
        return x

    def autograph(self, stage) -> Thunk:
        import autograph as ag

        x = ag.constant(np.float32(0.5))
        work = stage(ag.autograph.experimental.do_not_convert(lambda x: self.line(x, ag.tanh)))
        return lambda: work(x)

    def numpy(self) -> Thunk:
        x = np.float32(0.5)
        return lambda: self.line(x, np.tanh)

    def jax(self) -> Thunk:
        import jax

        x = jax.numpy.float32(0.5)
        work = jax.jit(lambda x: self.line(x, jax.numpy.tanh))
        return lambda: work(x).block_until_ready()


class _Depth(Workload):
    """The first result of loops within loops, two steps each."""

    kind = "first"
    depth = 0

    def source(self, counter: str) -> str:
        lines = ["def nested(x):"]
        for k in range(self.depth):
            lines.append(f"{'    ' * (k + 1)}for i{k} in {counter}(2):")
        return "\n".join([*lines, f"{'    ' * (self.depth + 1)}x = x * 0.99 + 0.01", "    return x", ""])

    def made(self, counter: str, **names: object):
        import linecache

        text, file = self.source(counter), f"<nested {self.depth}>"
        linecache.cache[file] = len(text), None, text.splitlines(True), file
        exec(compile(text, file, "exec"), names)
        return names["nested"]

    def autograph(self, stage) -> Thunk:
        import autograph as ag

        work, x = stage(self.made("ag.range", ag=ag)), ag.constant(np.float32(0.5))
        return lambda: work(x)

    def numpy(self) -> Thunk:
        work, x = self.made("range"), np.float32(0.5)
        return lambda: work(x)


def _family(base: type[Workload], attribute: str, numbers: list[int], what: str, limit: float = math.inf) -> None:
    """One workload for each number, as classes of this module."""
    for number in numbers:
        name = f"{attribute}_{number}"
        values = {"name": name, "what": what.format(number), attribute: number, "__module__": __name__}
        if number > limit:
            values["refused"] = ("jax", "eager")  # minutes
        globals()[name] = type(name, (base,), {**values, "__doc__": base.__doc__})


_family(_Size, "size", [1, 1000, 1_000_000], "tanh(x) * x + x over {} float32")
_family(_Steps, "steps", [10, 1000, 100_000], "{} dependent steps over 8 float32")
_family(_Nodes, "nodes", [10, 100, 1000, 10_000, 100_000], "{} operations in a line: first result", 1000)
_family(_Depth, "depth", [1, 4, 8], "{} loops within each other: first result")
