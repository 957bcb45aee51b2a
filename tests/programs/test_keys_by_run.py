"""Sets and ordered dictionaries that branches of the graph change at keys which the trace knows."""

from collections import OrderedDict

import numpy as np

from tests.programs.harness import Programs

PROGRAMS = Programs()
V = np.array([1.5, -2.5, 1.0, 4.0])
W = np.array([-1.5, 2.5, -1.0, 0.5])
LAND = np.array([[1, 1, 0, 1], [0, 1, 0, 1], [1, 0, 0, 1]])


@PROGRAMS.add((V,), (W,))
def words(xs):
    seen, names = {1, 2}, set()
    if xs[0] > 0:
        seen.add(5)
        names.add("a")
    elif xs[1] > 0:
        seen |= {7, 1}
        names.update(["b", "c"])
    return sorted(seen), "a" in names, "b" in names, len(names), 5 in seen


@PROGRAMS.add((V,), (W,))
def in_a_loop(xs):
    seen = set()
    for i in range(len(xs)):
        if xs[i] > 0:
            seen.add(i % 3)
        elif i in seen:
            seen.discard(i)
    return len(seen), sorted(seen), 1 in seen


@PROGRAMS.add((LAND,), (np.zeros((3, 4), int),))
def islands(grid):
    seen, sizes = set(), []
    for i in range(len(grid)):
        for j in range(len(grid[0])):
            if grid[i][j] == 0 or (i, j) in seen:
                continue
            todo, size = [(i, j)], 0
            seen.add((i, j))
            while todo:
                a, b = todo.pop()
                size += 1
                for x, y in ((a, b + 1), (a + 1, b), (a, b - 1), (a - 1, b)):
                    if 0 <= x < 3 and 0 <= y < 4 and grid[x][y] and (x, y) not in seen:
                        seen.add((x, y))
                        todo.append((x, y))
            sizes.append(size)
    return sizes, len(seen)


@PROGRAMS.add((V,), (W,))
def moved_to_the_end(xs):
    d = OrderedDict(a=1.0, b=2.0)
    if xs[0] > 0:
        d.move_to_end("a")
    return list(d.keys()), list(d.values())


@PROGRAMS.add((V,), (W,))
def moved_in_a_loop(xs):
    d = OrderedDict(a=1, b=2, c=3)
    for x in xs:
        d.move_to_end("a" if x > 0 else "b")
    first = d.popitem(last=False)
    return first, list(d.keys()), list(d.values())


@PROGRAMS.add((V,), (W,))
def taken_and_put(xs):
    d = OrderedDict(a=1, b=2)
    if xs[0] > 0:
        d["c"] = d.pop("a")
    return list(d.keys()), list(d.values())


test_eager, test_staged, test_gradients = PROGRAMS.tests()
