"""Deques that staged loops and branches change: queues of searches, windows, simulations."""

from collections import deque

import numpy as np

from tests.programs.harness import Programs

PROGRAMS = Programs()
V = np.array([4.0, -2.0, 7.0, -1.0, 9.0])
W = np.array([0.5, 3.5, -8.0, 6.0, -3.0])


@PROGRAMS.add((V, 3), (W, 1))
def window(xs, k):
    q = deque()
    out = []
    s = 0.0
    for x in xs:
        q.append(x)
        s += x
        if len(q) > k:
            s -= q.popleft()
        out.append(s / len(q))
    return (
        out,
        sum(q),
        [v * 2 for v in q],
        list(q),
        q[0],
        max(q),
        sorted(q),
        [i * v for i, v in enumerate(q)],
        list(reversed(q)),
        isinstance(q, deque),
    )


@PROGRAMS.add(
    (np.array([[0, 1, 0], [0, 0, 1], [0, 0, 0]]), 0, 2), (np.array([[0, 0, 1], [1, 0, 0], [0, 0, 0]]), 0, 1)
)
def bfs(adj, s, t):
    n = len(adj)
    dist = [-1] * n
    dist[s] = 0
    q = deque([s])
    while q:
        u = q.popleft()
        if u == t:
            return dist[u]
        for v in range(n):
            if adj[u][v] and dist[v] < 0:
                dist[v] = dist[u] + 1
                q.append(v)
    return -1


@PROGRAMS.add(
    (np.array([[0, 1, 0], [0, 0, 1], [0, 0, 0]]), 0, 2), (np.array([[0, 0, 1], [1, 0, 0], [0, 0, 0]]), 0, 1)
)
def bfs_tuples(adj, s, t):
    n = len(adj)
    seen = np.zeros(n, dtype=bool)
    q = deque([(s, 0)])
    while len(q) > 0:
        u, d = q.popleft()
        if u == t:
            return d
        if seen[u]:
            continue
        seen[u] = True
        for v in range(n):
            if adj[u, v]:
                q.append((v, d + 1))
    return None


@PROGRAMS.add((V,), (W,))
def maxlen(xs):
    q = deque(maxlen=2)
    for x in xs:
        q.append(x)
    q.appendleft(1.0)
    q.rotate(1)
    t = 0.0
    for v in q:
        t = t * 0.5 + v
    return t, len(q), q.maxlen


@PROGRAMS.add((V,), (W,))
def ret(xs):
    q = deque()
    for x in xs:
        if x > 3:
            q.append(x)
    return q


@PROGRAMS.add((V, 2), (W, 3))
def sliding_max(xs, k):
    q = deque()
    out = []
    for i, x in enumerate(xs):
        while q and q[-1][1] <= x:
            q.pop()
        q.append((i, x))
        if q[0][0] <= i - k:
            q.popleft()
        if i >= k - 1:
            out.append(q[0][1])
    return out


class Sim:
    def __init__(self):
        self.q = deque()
        self.done = 0

    def step(self, x):
        if x > 0:
            self.q.append(x)
        elif self.q:
            self.done += self.q.popleft()


@PROGRAMS.add((V,), (W,))
def sim(xs):
    s = Sim()
    for x in xs:
        s.step(x)
    return s.done, len(s.q), list(s.q)


@PROGRAMS.add((np.array([3, 1, 2]),), (np.array([5, 6, 7]),))
def josephus(xs):
    q = deque(xs)
    while len(q) > 1:
        q.rotate(-1)
        q.popleft()
    return q[0]


@PROGRAMS.add((3,), (0,))
def empty_pop(n):
    q = deque([1, 2])
    for i in range(n):
        q.popleft()
    return len(q)


@PROGRAMS.add((3,), (0,))
def joined(n):
    if n > 1:
        q = deque([1, 2])
    else:
        q = deque([3])
    q.append(n)
    return list(q), len(q)


test_eager, test_staged, test_gradients = PROGRAMS.tests()
