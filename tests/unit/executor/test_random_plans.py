"""Random graphs with nested control flow, views, in-place candidates and lists: plans against the obvious executor."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from runtime.backends.numpy_executor.executor import compile_graph
from runtime.ir.graph import Value
from runtime.ir.verify import verify
from runtime.ir.walk import clone
from runtime.passes.dce import eliminate_dead_code
from tests.unit.executor.build import INT, F, array
from tests.unit.executor.interpret import duplicate, interpret, same

SHAPE = (2, 3)


class Maker:
    """Grows a graph from a seed; `arrays` and `numbers` are the values in reach (outer ones are captured)."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.f = F(f"random{seed}")
        self.arrays: list[Value] = [self.f.input(array(*SHAPE), "x"), self.f.input(array(*SHAPE), "y")]
        self.numbers: list[Value] = [self.f.input(INT, "n")]
        self.lists: list[Value] = []
        self.budget = 40

    def array(self) -> Value:
        return self.rng.choice(self.arrays[-4:] if self.rng.random() < 0.7 else self.arrays)

    def number(self) -> Any:
        return self.rng.choice([*self.numbers, 1, 2])

    def step(self, depth: int) -> None:
        self.budget -= 1
        kind = self.rng.random()
        f = self.f
        if kind < 0.45 or self.budget < 0:
            op = self.rng.choice(["add", "sub", "mul", "maximum"])
            other = self.array() if self.rng.random() < 0.7 else self.rng.choice([0.5, -0.25])
            self.arrays.append(getattr(f, op)(self.array(), other))
        elif kind < 0.52:
            self.arrays.append(f.neg(self.array()))
        elif kind < 0.6:
            self.arrays.append(self.view(self.array()))
        elif kind < 0.63:
            where = {"spec": self.rng.choice([(0,), (-1, (None, 2, None)), ((None, None, None), 1)])}
            row = f.index(self.array(), **where)
            self.arrays.append(self.rng.choice([f.index_update, f.index_add])(self.array(), row, **where))
        elif kind < 0.66:
            self.numbers.append(f.mod(f.add(self.number(), self.number()), 5))
        elif kind < 0.78:
            self.list_step()
        elif depth < 3:
            self.rng.choice([self.cond, self.for_loop, self.while_loop])(depth)

    def view(self, x: Value) -> Value:
        f = self.f
        kind = self.rng.randrange(5)
        if kind == 0:
            return f.reshape(f.neg(f.reshape(x, shape=(3, 2))), shape=SHAPE)
        if kind == 1:
            return f.transpose(f.transpose(x, perm=(1, 0)), perm=(1, 0))
        if kind == 2:
            return f.index(x, spec=((None, None, -1),))
        if kind == 3:
            return f.broadcast_to(f.index(x, spec=((0, 1, None),)), shape=SHAPE)
        return self.rng.choice([f.identity, f.real])(x)

    def list_step(self) -> None:
        f, rng = self.f, self.rng
        if not self.lists or rng.random() < 0.2:
            self.lists.append(f.list_from(self.array(), self.array()))
            return
        it = rng.choice(self.lists)
        kind = rng.randrange(6)
        if kind == 0:
            self.lists.append(f.list_append(it, self.array()))
        elif kind == 1:
            self.lists.append(f.list_set(it, rng.choice([0, -1]), self.array()))
        elif kind == 2:
            self.arrays.append(f.list_get(it, rng.choice([0, 1, -1])))
        elif kind == 3:
            self.lists.append(f.list_concat(it, rng.choice(self.lists)))
        elif kind == 4:
            rest, last = f.list_pop(f.list_append(it, self.array()), -1)
            self.lists.append(rest)
            self.arrays.append(last)
        else:
            self.lists.append(f.list_reverse(it))

    def scope(self, depth: int, inputs: tuple[Value, ...], wanted: list[str]) -> list[Value]:
        """A region's body: some steps on what is in reach, then one value of each wanted kind."""
        kept = list(self.arrays), list(self.numbers), list(self.lists)
        for value in inputs:
            self.put(value)
        for _ in range(self.rng.randrange(1, 5)):
            self.step(depth + 1)
        out = [self.pick(kind) for kind in wanted]
        self.arrays, self.numbers, self.lists = kept
        return out

    def put(self, value: Value) -> None:
        room = self.lists if "list" in repr(value.type) else self.numbers if value.type == INT else self.arrays
        room.append(value)

    def pick(self, kind: str) -> Value:
        if kind == "list" and self.lists:
            return self.rng.choice(self.lists[-2:])
        if kind == "number":
            return self.f.value(self.number())
        return self.array()

    def kinds(self) -> list[str]:
        options = ["array", "array", "array", "number"] + (["list"] if self.lists else [])
        return [self.rng.choice(options) for _ in range(self.rng.randrange(1, 4))]

    def cond(self, depth: int) -> None:
        wanted = self.kinds()
        pred = self.f.less(self.number(), self.number())
        out = self.f.cond(pred, lambda: self.scope(depth, (), wanted), lambda: self.scope(depth, (), wanted))
        for value in out:
            self.put(value)

    def for_loop(self, depth: int) -> None:
        wanted = self.kinds()
        count = self.f.mod(self.number(), 4)
        inits = [self.pick(k) for k in wanted]
        for value in self.f.for_loop(count, inits, lambda i, *c: self.scope(depth, (i, *c), wanted)):
            self.put(value)

    def while_loop(self, depth: int) -> None:
        wanted = self.kinds()
        inits = [0, *(self.pick(k) for k in wanted)]
        limit = self.f.mod(self.number(), 4)

        if self.rng.random() < 0.4:
            self.broken_loop(depth, wanted, inits, limit)
            return

        def body(i: Value, *carried: Value) -> list[Value]:
            return [self.f.add(i, 1), *self.scope(depth, (i, *carried), wanted)]

        for value in self.f.while_loop(inits, lambda i, *c: self.f.less(i, limit), body)[1:]:
            self.put(value)

    def broken_loop(self, depth: int, wanted: list[str], inits: list[Any], limit: Value) -> None:
        """A loop with a flag that a branch sets, last in the body or not."""
        f = self.f
        late = self.rng.random() < 0.3

        def test(done: Value, i: Value, *carried: Value) -> Any:
            return f.cond(done, lambda: [False], lambda: [f.less(i, limit)])

        def body(done: Value, i: Value, *carried: Value) -> list[Value]:
            self.put(i)
            leave = f.less(self.number(), self.number())
            self.numbers.remove(i)
            unset = self.rng.choice([False, done])
            out = f.cond(
                leave,
                lambda: [True, i, *carried],
                lambda: [unset, f.add(i, 1), *self.scope(depth, (i, *carried), wanted)],
            )
            return [out[0], f.add(out[1], 1), *out[2:]] if late else list(out)

        for value in f.while_loop([False, *inits], test, body)[2:]:
            self.put(value)

    def finish(self) -> Any:
        for _ in range(self.rng.randrange(3, 12)):
            self.step(0)
        return self.f.returns(*self.rng.sample(self.arrays, 2), *self.numbers[-1:], *self.lists[-1:])


def inputs(seed: int) -> list[Any]:
    rng = np.random.default_rng(seed)
    x, y = (rng.integers(-3, 4, SHAPE).astype("f") for _ in range(2))
    return [x, y, int(rng.integers(0, 5))]


@pytest.mark.parametrize("seed", range(400))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_random_graph(seed: int) -> None:
    graph = Maker(seed).finish()
    given = inputs(seed)
    wanted = interpret(graph, *given)
    kept = duplicate(given)
    smaller = eliminate_dead_code(clone(graph))
    verify(smaller)
    for plan in (compile_graph(graph), compile_graph(smaller)):
        for _ in range(2):
            same(plan(*given), wanted)
            same(given, kept)
    same(interpret(graph, *given), wanted)
    mine = duplicate(given)
    same(compile_graph(graph, frozenset({0}))(*mine), wanted)
    same(mine[1:], kept[1:])
