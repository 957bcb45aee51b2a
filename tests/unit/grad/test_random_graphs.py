"""Random programs of nested branches and loops: gradients equal to differences, executor equal to interpreter."""

import random

import numpy as np
import pytest

from runtime.backends.numpy_executor.executor import compile_graph
from runtime.ir.walk import clone
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from tests.unit.grad.checks import check, floating, gradient_function
from tests.unit.grad.interpret import build, cond, for_loop, run, while_loop

VECTOR = np.array([0.3, -0.8])


class Program:
    """A function of two scalars, a vector and a count, from random statements; the same for the same seed."""

    def __init__(self, seed):
        self.seed = seed

    def __call__(self, x, y, v, n):
        self.rng = random.Random(self.seed)
        self.n = n
        scalars, vectors = [x, y], [v]
        self.block(scalars, vectors, depth=3, length=4)
        total = op.sum(vectors[-1]) + op.sum(vectors[0] * vectors[-1])
        for s in scalars[-3:]:
            total = total + s * s
        return total

    def block(self, scalars, vectors, depth, length):
        for _ in range(self.rng.randint(1, length)):
            flow = ["cond", "for", "while", "list"] if depth else []
            kind = self.rng.choice(["scalar", "scalar", "vector", *flow])
            getattr(self, kind)(scalars, vectors, depth)

    def pick(self, values):
        return self.rng.choice(values[-4:])

    def scalar(self, scalars, vectors, depth):
        a, b = self.pick(scalars), self.pick(scalars)
        choice = self.rng.randrange(6)
        if choice == 0:
            new = op.tanh(a * b)
        elif choice == 1:
            new = op.sin(a) + b * 0.5
        elif choice == 2:
            new = op.tanh(op.sum(self.pick(vectors) * a))
        elif choice == 3:
            new = a * 0.5 - b
        elif choice == 4:
            new = op.exp(op.tanh(a)) * 0.3 + op.stop_gradient(0.1) * b
        else:
            new = op.tanh(b)
        scalars.append(new)

    def vector(self, scalars, vectors, depth):
        a, s = self.pick(vectors), self.pick(scalars)
        vectors.append(op.tanh(a * s + self.pick(vectors)) if self.rng.random() < 0.7 else a * 0.5 - s)

    def nested(self, scalars, vectors, depth):
        """A block on copies of the names; its last scalar and vector."""
        inner_scalars, inner_vectors = list(scalars), list(vectors)
        self.block(inner_scalars, inner_vectors, depth - 1, 3)
        return inner_scalars[-1], inner_vectors[-1]

    def cond(self, scalars, vectors, depth):
        test = op.less(self.pick(scalars), self.rng.uniform(-0.5, 0.5))
        s, v = cond(test, lambda: self.nested(scalars, vectors, depth), lambda: self.nested(scalars, vectors, depth))
        scalars.append(s)
        vectors.append(v)

    def body(self, scalars, vectors, depth, s, v):
        return self.nested([*scalars, s], [*vectors, v], depth)

    def count(self):
        return self.rng.choice([0, 1, 2, 3]) if self.rng.random() < 0.6 else self.n

    def start(self, scalars, vectors):
        s = self.pick(scalars)
        return (1.0 + s * 0.0 if self.rng.random() < 0.3 else s), self.pick(vectors)

    def keep(self, scalars, vectors, results):
        s, v = results
        scalars.append(op.tanh(s))
        vectors.append(op.tanh(v))

    def for_(self, scalars, vectors, depth):
        unused = self.rng.random() < 0.3

        def body(i, s, v, k):
            s, v = self.body(scalars, vectors, depth, s + op.cast(i, dtype=s.dtype) * 0.1, v)
            return s, v, (k if unused else k + 1)

        start = self.start(scalars, vectors)
        s, v, k = for_loop(self.count(), body, *start, 0)
        self.keep(scalars, vectors, (s + op.cast(k, dtype=s.dtype) * 0.01, v))

    def while_(self, scalars, vectors, depth):
        limit = self.rng.uniform(0.0, 2.0)

        def body(s, v, grows):
            s, v = self.body(scalars, vectors, depth, s, v)
            return s, v, grows + 0.4 + s * s * 0.1

        s, v = self.start(scalars, vectors)
        s, v, grows = while_loop(lambda s, v, g: op.less(g, limit), body, s, v, s * 0.2)
        self.keep(scalars, vectors, (s + grows, v))

    def list(self, scalars, vectors, depth):
        x = self.pick(scalars)
        empty = Tensor(op.list_new(element=x.type)._value)
        count = self.count()

        def fill(i, s, items):
            s, _ = self.body(scalars, vectors, depth, s, vectors[-1])
            return s, op.list_append(items, s)

        s, items = for_loop(count, fill, x, empty)
        s = for_loop(op.list_len(items), lambda i, s: op.tanh(s + op.list_get(items, i)), s)[0]
        scalars.append(s)

    def __getattr__(self, name):
        return getattr(self, name + "_") if not name.endswith("_") else super().__getattribute__(name)


@pytest.mark.parametrize("seed", range(60))
def test_random(seed):
    program = Program(seed)
    arguments = (np.float64(0.7), np.float64(-0.4), VECTOR, 2)
    check(program, *arguments, orders=2 if seed % 4 == 0 else 1, tolerance=1e-5)
    graph = build(gradient_function(program, floating(arguments)), *arguments)
    for got, want in zip(compile_graph(clone(graph))(*arguments), run(graph, arguments)):
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-12)
