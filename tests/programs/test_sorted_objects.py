"""Sorting what tensors decide about: by tuples and texts; objects, dictionaries and lists, which stay who they are."""

import numpy as np

from tests.programs.harness import Programs

PROGRAMS = Programs()


class Player:
    def __init__(self, name, score):
        self.name = name
        self.score = score


@PROGRAMS.add((np.array([3, 1, 2]),), (np.array([8, 8, 1]),), (np.array([5, 6, 4]),))
def by_tuples(xs):
    nested = sorted(xs, key=lambda v: (v % 2, (v % 3, v)), reverse=True)
    items = list(xs)
    items.sort(key=lambda v: (-(v % 2), v))
    return sorted(xs, key=lambda v: (v % 2, -v)), nested, items


@PROGRAMS.add((3, 1, 2), (5, 5, 5), (0, 9, 9))
def words(a, b, c):
    counts = {"pear": a, "apple": b, "fig": c}
    top = sorted(counts.items(), key=lambda kv: (-kv[1], kv[0]))
    print(", ".join(f"{k}={n}" for k, n in top))
    return [k for k, _ in top], sorted(counts, key=counts.get), max(counts, key=lambda k: counts[k]), top[0][1]


@PROGRAMS.add((3.5, 1.0), (2.0, 4.5))
def records(a, b):
    rows = sorted([{"name": "x", "v": a}, {"name": "y", "v": b}], key=lambda r: r["v"])
    return rows[0]["v"], rows[0]["name"]


@PROGRAMS.add((3, 1, 2), (5, 5, 5))
def changed_objects(a, b, c):
    players = [Player("a", a), Player("b", b), Player("c", c)]
    ranked = sorted(players, key=lambda p: p.score)
    ranked[0].score += 100
    players.sort(key=lambda p: p.score)
    return [p.score for p in players], [p.score for p in ranked], [p.name for p in ranked]


@PROGRAMS.add((3, 1, 2), (5, 5, 5))
def changed_dictionaries(a, b, c):
    rows = [{"v": a}, {"v": b}, {"v": c}]
    ranked = sorted(rows, key=lambda r: r["v"])
    ranked[0]["v"] += 100
    ranked.append(rows[0])
    same = [ranked[0] is r for r in rows]
    return [r["v"] for r in rows], [r["v"] for r in ranked], same, ranked[0] is not rows[1]


@PROGRAMS.add((3, 1, 2), (5, 5, 5))
def changed_lists(a, b, c):
    rows = [[a, "x"], [b, "y"], [c, "z"]]
    rows.sort(key=lambda r: r[0], reverse=True)
    for i, row in enumerate(rows):
        row.append(i)
    return rows


@PROGRAMS.add((0,), (1,), (2,))
def which_dictionary(i):
    rows = [{"v": 1}, {"v": 2}, {"v": 3}]
    chosen = rows[i]
    other = rows[0] if i == 0 else rows[1]
    return [chosen is r for r in rows], [other is r for r in rows], chosen is not rows[0]


test_eager, test_staged, test_gradients = PROGRAMS.tests()
