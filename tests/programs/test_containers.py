"""Lists, dictionaries, tuples, named tuples and dataclasses as state of branches and loops."""

import collections
import dataclasses

import numpy as np
import pytest

import autograph as ag
from tests.programs.harness import Programs, Py, compare, values

PROGRAMS = Programs()
V = np.array([3.11, -1.23, 4.37, 1.41, -5.59])
W = np.array([-2.17, 7.29, 1.31, -8.43, 2.57])

Point = collections.namedtuple("Point", "x y")


@dataclasses.dataclass
class Ball:
    height: float
    speed: float
    bounces: int = 0


@PROGRAMS.add((V, 3), (W, 4))
def append_and_stack(xs, n):
    out = []
    for i in range(n):
        out.append(xs[i] * i)
    return ag.stack(out)


@PROGRAMS.add(V, W)
def filter_by_hand(xs):
    kept = []
    for x in xs:
        if x > 0:
            kept.append(x)
    return kept


@PROGRAMS.add(V, W)
def running_sums_as_list(xs):
    sums = [0.0]
    for x in xs:
        sums.append(sums[-1] + x)
    return sums[1:]


@PROGRAMS.add((V, 2), (W, 5))
def pop_from_list(xs, n):
    stack = []
    for x in xs:
        stack.append(x)
    s = 0.0
    for i in range(n):
        s += stack.pop() * (i + 1)
    return s, len(stack)


@PROGRAMS.add(V, W)
def insert_in_order(xs):
    out = []
    for x in xs:
        i = 0
        while i < len(out) and out[i] < x:
            i += 1
        out.insert(i, x)
    return out


@PROGRAMS.add((V, 3), (W, 1))
def list_index_assignment(xs, n):
    counts = [0.0, 0.0, 0.0]
    for x in xs:
        k = 0 if x < 0 else 1
        counts[k] = counts[k] + x
    counts[2] = xs[n]
    return counts


@PROGRAMS.add((V, 2), (W, 0))
def list_item_at_tensor_index(xs, n):
    items = [xs[0], xs[1] * 2, xs[2]]
    items[n] += 10.0
    return items[n], items


@PROGRAMS.add((V, True), (W, False))
def extend_in_branch(xs, more):
    out = [xs[0]]
    if more:
        out.extend([xs[1], xs[2]])
    else:
        out += [xs[3]]
    return len(out), out[-1]


@PROGRAMS.add((V, 3), (W, 4))
def rows_of_lists(xs, n):
    rows = []
    for i in range(n):
        row = []
        for j in range(3):
            row.append(xs[i] * j)
        rows.append(ag.stack(row))
    return ag.stack(rows)


@PROGRAMS.add((V, 3), (W, 2), gradients=False)
def list_of_lists_indexed(xs, n):
    grid = [[0.0, 0.0], [0.0, 0.0]]
    for i in range(n):
        grid[i % 2][0] += xs[i]
        grid[1][i % 2] -= 1.0
    return grid


@PROGRAMS.add((V, 3), (W, 0))
def concatenated_lists(xs, n):
    out = []
    for i in range(n):
        out = out + [xs[i], -xs[i]]
    return [xs[4]] + out


@PROGRAMS.add((V, 4), (W, 2))
def iterate_over_grown_list(xs, n):
    todo = []
    for i in range(n):
        todo.append(xs[i])
    s = 0.0
    for k, t in enumerate(todo):
        s += k * t
    for t in reversed(todo):
        s = s * 0.5 + t
    return s


@PROGRAMS.add((V, 2), (W, 3))
def queue_of_tensors(xs, n):
    queue = [xs[0], xs[1]]
    s = 0.0
    while len(queue) > 0:
        x = queue.pop(0)
        s += x
        if n > 0:
            queue.append(x * 0.5)
            n -= 1
    return s


@PROGRAMS.add((V, 2.0), (W, -2.0))
def dictionary_of_sums(xs, y):
    sums = {"up": 0.0, "down": 0.0}
    for x in xs:
        if x > y:
            sums["up"] += x
        else:
            sums["down"] -= x
    sums["all"] = sums["up"] - sums["down"]
    return sums


@PROGRAMS.add((V, 1.0), (V, -1.0))
def key_first_set_in_branch(xs, y):
    d = {}
    if y > 0:
        d["a"] = xs[0]
        d["b"] = y
    else:
        d["a"] = xs[1]
        d["b"] = -y * 2
    return d["a"] * d["b"]


@PROGRAMS.add((1.5, 3), (0.5, 1))
def key_first_set_in_loop(x, n):
    d = {}
    for i in range(n):
        d["last"] = x * i
        d["count"] = i
    return d["last"], d["count"]


@PROGRAMS.add((1.5, True), (0.5, False))
def key_maybe_there(x, more):
    d = {"a": x}
    if more:
        d["b"] = x * 2
    if "b" in d:
        return d["b"] * 3
    return d["a"]


@PROGRAMS.add((1.5, True), (0.5, False))
def get_with_default(x, more):
    d = {"a": x}
    if more:
        d["a"] = x * 3
        d.update(c=x)
    else:
        d.setdefault("c", x - 1)
    return d.get("a") + d.get("b", 1.0) + d["c"]


@PROGRAMS.add((2.5, 3), (0.5, 5))
def dictionary_loop_over_items(x, n):
    weights = {"one": 1.0, "two": 2.0}
    s = 0.0
    for i in range(n):
        for name, w in weights.items():
            s += w * x * i
            weights[name] = w + 1
    return s, weights


def number_keys(k, x):
    table = {0: 1.0, 2: 5.0, 7: 7.0}
    table[k] += x
    return table[k], table[0]


@PROGRAMS.add((1.5, 3), (0.5, 1))
def named_tuple_state(x, n):
    p = Point(x, 0.0)
    for i in range(n):
        p = Point(p.y + i, p.x * 2)
        if p.x > p.y:
            p = p._replace(y=p.x)
    return p


@PROGRAMS.add((10.0, 30), (3.0, 12))
def dataclass_state(h, n):
    ball = Ball(h, 0.0)
    for _ in range(n):
        ball.speed -= 0.51
        ball.height += ball.speed
        if ball.height < 0:
            ball.height = -ball.height
            ball.speed = -0.9 * ball.speed
            ball.bounces += 1
    return ball


@PROGRAMS.add((Point(1.0, 2.0), True), (Point(-1.0, 4.0), False))
def named_tuple_argument(p, flip):
    if flip:
        p = Point(p.y, p.x)
    return p.x - 2 * p.y


@PROGRAMS.add(({"w": V, "b": 1.5}, 2), ({"w": W, "b": -0.5}, 3))
def dictionary_argument(params, n):
    y = params["b"]
    for _ in range(n):
        y = np.tanh(np.sum(params["w"] * y))
    return y


@PROGRAMS.add(([V, W], 2.5), ([W, V], -1.0))
def list_argument(parts, y):
    s = 0.0
    for part in parts:
        for x in part:
            if x > y:
                s += x
    return s


@PROGRAMS.add(([1.5, 2.5], 1.0), ([0.5, -2.5], 3.0))
def list_argument_changed(parts, y):
    parts.append(y)
    parts[0] = parts[0] * 2
    return len(parts)


@PROGRAMS.add(({"a": 1.5}, 1.0), ({"a": 0.5}, -3.0))
def dictionary_argument_changed(d, y):
    if y > 0:
        d["a"] += y
    else:
        d["a"] = d["a"] * y
    d["new"] = y
    return d["a"]


@PROGRAMS.add((Ball(1.5, 2.0, Py(0)), 1.0), (Ball(0.5, 3.0, Py(0)), -3.0))
def dataclass_argument_changed(ball, y):
    if y > 0:
        ball.height += y
    ball.speed = ball.height * y
    return ball.speed


@PROGRAMS.add((1.5, 3), (2.5, 4))
def tuples_in_loop(x, n):
    state = (x, (0.0, 1))
    for i in range(n):
        a, (b, c) = state
        state = (a * 0.5, (b + a, c * 2))
    return state


@PROGRAMS.add((V, 2), (W, 3))
def starred_targets(xs, n):
    first, *rest = [xs[0], xs[1], xs[2]]
    for i in range(n):
        first, *rest = [*rest, first * 2]
    return first, rest


@PROGRAMS.add((1.5, True), (2.5, False))
def list_chosen(x, c):
    values = [x, 2.0] if c else [0.0, x * x]
    values[0] = values[0] + 1
    return values


@PROGRAMS.add((V, 3), (W, 0))
def list_alias(xs, n):
    a = []
    b = a
    for i in range(n):
        a.append(xs[i])
        if len(b) > 1:
            b[0] = b[0] + 1
    return len(b), a


@PROGRAMS.add((V, 2), (W, 3))
def list_born_in_loop(xs, n):
    s = 0.0
    for i in range(n):
        pair = []
        pair.append(xs[i])
        pair.append(xs[i + 1])
        pair.reverse()
        s += pair[0] * 2 + pair[1]
    return s


@PROGRAMS.add((V, 2), (W, 4))
def slices_of_lists(xs, n):
    items = [x for x in xs]
    head, tail = items[:n], items[n:]
    return len(head), sum(head) * 2 - sum(tail)


@PROGRAMS.add((V, 4.37), (W, 100.0))
def member_of_list(xs, y):
    seen = []
    hits = 0
    for x in xs:
        seen.append(x)
        if y in seen:
            hits += 1
    return hits


@PROGRAMS.add((V, 3), (W, 5))
def deque_like(xs, n):
    window = []
    best = -100.0
    for i in range(n):
        window.append(xs[i])
        if len(window) > 2:
            del window[0]
        total = sum(window)
        if total > best:
            best = total
    return best


def test_a_staged_number_as_key():
    """Only staged: an eager tensor is no key."""
    staged = ag.function(number_keys)
    for k, x in ((2, 10.0), (7, 20.0)):
        compare(values(staged(ag.constant(k), ag.constant(np.float64(x)))), number_keys(k, x))
    with pytest.raises(KeyError):
        staged(ag.constant(3), ag.constant(np.float64(1.0)))


test_eager, test_staged, test_gradients = PROGRAMS.tests()
