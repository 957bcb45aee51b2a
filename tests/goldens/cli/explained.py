"""Everything that `explain` tells apart."""
import itertools
import math

import autograph as ag
import numpy as np


@ag.function
def train(x, steps):
    for i in range(steps):
        if x > 0:
            x = x - 1
    for k in range(3):
        x = x + k
    if x > 0:
        x = -x
    while True:
        if ag.reduce_sum(x) > 10 and steps > 2:
            break
        x = x * 2
    assert x.ndim == 2
    return [v if v > 0 else -v for v in x]


class Model:
    def __init__(self):
        self.v = ag.Variable(1.0)
        self.w = None

    def call(self, x, mask=None):
        if self.w is None:
            self.w = ag.Variable(0.0)
        late = ag.Variable(2.0)
        if mask is not None:
            x = x * mask

        def inner(y):
            return math.sqrt(y) if y > 0 else y.numpy()

        return inner(x) + late


def items(xs):
    for x in xs:
        if x:
            yield x


async def fetch(urls):
    async for url in urls:
        await url


def odd(x, rows):
    first, *rest = x
    rows.sort()
    np.tanh(x, out=x)
    total = [a + b for a in x if a > 0 for b in rows]
    for i, v in zip(itertools.count(1), x):
        total += pow(v, i, 7)
    if hasattr(x, "shape") and __debug__:
        print(locals())
    try:
        for v in x:
            total.append(v)
    finally:
        pass
    return [lambda: v for v in x]


def plain(a):
    return a + 1
