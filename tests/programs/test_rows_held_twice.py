"""Dictionaries, lists and objects in lists whose order only the run knows, and trees whose sides it picks: changed there,
they are changed wherever else they are."""

from dataclasses import dataclass

import numpy as np

import autograph as ag
from tests.programs.harness import Programs

PROGRAMS = Programs()


class Node:
    def __init__(self, k):
        self.k = k
        self.kids = [None, None]


@PROGRAMS.add((np.array([1,5,3,8]), 2))
def kept_rows(v, x):
    rows = [{"v": v[0], "n": 0}, {"v": v[1], "n": 0}, {"v": v[2], "n": 0}]
    kept = [r for r in rows if r["v"] > x]
    for r in kept:
        r["v"] += 1
        r["n"] += 1
    return [r["v"] for r in rows], rows[1]["n"]


@PROGRAMS.add((np.array([1,5,3,8]), 2))
def kept_rows_open(v, x):
    rows = []
    for e in v:
        rows.append({"v": e, "n": 0})
    kept = [r for r in rows if r["v"] > x]
    for r in kept:
        r["v"] += 1
        r["n"] += 1
    return [r["v"] for r in rows], len(kept)


@PROGRAMS.add((np.array([1,5,3,8]), 2))
def sorted_rows(v, x):
    rows = [{"v": e, "n": 0} for e in v]
    best = sorted(rows, key=lambda r: -r["v"])
    for r in best[:2]:
        r["n"] = r["n"] + x
    return [r["n"] for r in rows], [r["v"] for r in best]


@PROGRAMS.add(([1, 5, 3, 8], 2))
def eq_rows(v, x):
    rows = [{"v": e, "n": 0} for e in v]
    k = [r for r in rows if r["v"] > x]
    for r in k:
        r["n"] += x
    return k[0] == rows[1], k[0] is rows[1], k[0] is rows[0], k[0] == {"v": 5, "n": 2}


@PROGRAMS.add(([1, 5, 3, 8], 2))
def copy_rows(v, x):
    rows = [{"v": e, "n": 0} for e in v]
    k = [r for r in rows if r["v"] > x]
    for r in k:
        c = dict(r)
        c["n"] = 100
        r["n"] += x
        d = r.copy()
        d["v"] = 5
        r.update(v=r["v"] + 1)
        r.update({"n": r["n"] + 1})
        e = {**r, "z": 1}
    return rows, k[0].get("q", 4), "v" in k[0], len(k[0]), list(k[0].keys())


@PROGRAMS.add(([1, 5, 3, 8], 2))
def nested_rows(v, x):
    rows = [{"v": e, "tags": [], "pos": {"a": 0, "b": e}} for e in v]
    k = [r for r in rows if r["v"] > x]
    for r in k:
        r["tags"].append(r["v"])
        r["pos"]["a"] += 1
    return [len(r["tags"]) for r in rows], [r["pos"]["a"] for r in rows]


@PROGRAMS.add(([1, 5, 3, 8], 2))
def queue_rows(v, x):
    q = [{"id": i, "left": e} for i, e in enumerate(v)]
    done = []
    t = 0
    while q:
        job = q.pop(0)
        step = min(job["left"], x)
        job["left"] -= step
        t += step
        if job["left"] > 0:
            q.append(job)
        else:
            done.append((job["id"], t))
    return done


@PROGRAMS.add((np.array([1, 5, 3, 8]), 2))
def best_none(v, x):
    rows = [{"v": e, "n": 0} for e in v]
    best = None
    for r in rows:
        if r["v"] > x and (best is None or r["v"] < best["v"]):
            best = r
    if best is not None:
        best["n"] = 9
    return [r["n"] for r in rows], best


@PROGRAMS.add((np.array([1, 5, 3, 8]), 2))
def maker(v, x):
    def make(e):
        return {"v": e, "n": 0}

    rows = [make(e) for e in v]
    big, small = [], []
    for r in rows:
        (big if r["v"] > x else small).append(r)
    for r in big:
        r["n"] = 1
    for r in small:
        r["n"] = -1
    return [r["n"] for r in rows], big


@PROGRAMS.add((np.array([1, 5, 3, 8]), 2))
def filt(v, x):
    rows = []
    for e in v:
        rows.append({"v": e, "n": 0})
    for r in filter(lambda r: r["v"] > x, rows):
        r["n"] += 1
    rows.sort(key=lambda r: r["v"], reverse=True)
    rows[0]["n"] += 10
    return rows


@PROGRAMS.add(([1, 5, 3, 8], 2))
def print_list(v, x):
    rows = [{"v": e, "n": 0} for e in v]
    k = [r for r in rows if r["v"] > x]
    for r in k:
        r["n"] += x
    print(k)
    print(rows)
    return len(rows)


@PROGRAMS.add((np.array([4,2,6,1,3,5,7]), 5), (np.array([4,2,6,1,3,5,7]), 8))
def bst_list(v, q):
    root = [v[0], None, None]
    for x in v[1:]:
        cur = root
        while True:
            side = 1 if x < cur[0] else 2
            if cur[side] is None:
                cur[side] = [x, None, None]
                break
            cur = cur[side]
    cur = root
    d = 0
    while cur is not None:
        if cur[0] == q:
            return d
        cur = cur[1] if q < cur[0] else cur[2]
        d += 1
    return -1


@PROGRAMS.add((np.array([4,2,6,1,3,5,7]), 5), (np.array([4,2,6,1,3,5,7]), 8))
def bst_bool(v, q):
    root = None
    for x in v:
        node = [x, [None, None]]
        if root is None:
            root = node
            continue
        cur = root
        while True:
            side = int(x > cur[0])
            nxt = cur[1][side]
            if nxt is None:
                cur[1][side] = node
                break
            cur = nxt
    cur = root
    d = 0
    while cur is not None and cur[0] != q:
        cur = cur[1][int(q > cur[0])]
        d += 1
    return d


@PROGRAMS.add((np.array([0, 1, 1, 0, 1]), np.array([0, 1, 0, 1])))
def trie(bits, q):
    root = [None, None, 0]
    cur = root
    for b in bits:
        if cur[b] is None:
            cur[b] = [None, None, 0]
        cur = cur[b]
        cur[2] += 1
    cur = root
    n = 0
    for b in q:
        if cur[b] is None:
            break
        cur = cur[b]
        n += cur[2]
    return n


@PROGRAMS.add((np.array([[0, 1, 1], [0, 0, 1], [1, 1, 1], [0, 1, 0]]), np.array([0, 1])))
def trie_words(words, q):
    root = {"kids": [None, None], "n": 0}
    for w in words:
        cur = root
        for b in w:
            if cur["kids"][b] is None:
                cur["kids"][b] = {"kids": [None, None], "n": 0}
            cur = cur["kids"][b]
            cur["n"] += 1
    cur = root
    for b in q:
        cur = cur["kids"][b]
        if cur is None:
            return 0
    return cur["n"]


@PROGRAMS.add((np.array([4,2,6,1,3,5,7]), 5), (np.array([4,2,6,1,3,5,7]), 8))
def node_kids(v, q):
    root = Node(v[0])
    for x in v[1:]:
        cur = root
        while True:
            i = 0 if x < cur.k else 1
            if cur.kids[i] is None:
                cur.kids[i] = Node(x)
                break
            cur = cur.kids[i]
    cur = root
    d = 0
    while cur is not None and cur.k != q:
        cur = cur.kids[0 if q < cur.k else 1]
        d += 1
    return d


@PROGRAMS.add((np.array([4,2,6,1,3,5,7]), 5), (np.array([4,2,6,1,3,5,7]), 8))
def dict_side(v, q):
    root = {"k": v[0], "c": [None, None]}
    for x in v[1:]:
        cur = root
        while True:
            i = 0 if x < cur["k"] else 1
            if cur["c"][i] is None:
                cur["c"][i] = {"k": x, "c": [None, None]}
                break
            cur = cur["c"][i]
    def find(n, d):
        if n is None:
            return -1
        if n["k"] == q:
            return d
        return find(n["c"][0 if q < n["k"] else 1], d + 1)
    return find(root, 0)


@PROGRAMS.add((1, 2), (3, 2))
def del_choice(c, k):
    a = {"p": 1, "q": 2}
    b = {"p": 3, "r": 4}
    del (a if c > 2 else b)["p"]
    return sum(a.values()), sum(b.values()), len(a), len(b), "p" in a


@PROGRAMS.add((1, 2), (3, 2))
def del_choice2(c, k):
    a = {"p": 1, "q": 2}
    b = {"p": 3, "q": 4}
    d = a if c > 2 else b
    del d["p"]
    x = (b if c > 2 else a).pop("q")
    return a, b, x


@PROGRAMS.add((1, 2), (3, 2))
def set_choice_k(c, k):
    a = {1: 1, 2: 2}
    b = {2: 3, 5: 4}
    d = a if c > 2 else b
    d[k] = 7
    d[k + 1] = 8
    return a, b, k in d


@PROGRAMS.add((1, 2), (3, 2))
def del_then_use(c, k):
    a = {"p": 1, "q": 2}
    b = {"p": 3, "r": 4}
    d = a if c > 2 else b
    del d["p"]
    d["z"] = 5
    return a, b, list(d), sum(d.values())


@PROGRAMS.add((np.array([1, 2, 3, 4]), 2))
def best_key_open(v, k):
    rows = [{"x": x} for x in v]
    best = max(rows, key=lambda r: r["x"] % 3)
    best["won"] = k
    return [r.get("won", 0) for r in rows], [r["x"] for r in rows]


@PROGRAMS.add((0, 1))
def s1(b, d):
    r = [None, None, 0]
    r[b] = [None, None, 0]
    c = r[b]
    c[d] = [None, None, 0]
    e = c[d]
    e[2] += 1
    return r[0][1][2], c[1][2], e[2]


@PROGRAMS.add((0, 1))
def u5(b, d):
    r = [[[0,1], 0], 0]
    c = r[b]
    e = c[b]
    e[1] = 5
    return r[0][0][1]


@PROGRAMS.add((0, np.array([1, 2, 3])), (1, np.array([1, 2, 3])))
def v3(b, v):
    rows = []
    for x in v:
        rows.append(([x], x))
    if b > 0:
        t = rows[b]
        u = (t, 1)
    else:
        u = (rows[0], 2)
    u[0][0].append(9)
    return rows


test_at_open_sizes = PROGRAMS.at_open_sizes()
_, test_staged, _ = PROGRAMS.tests()
test_natively = PROGRAMS.natively()


@dataclass
class Account:
    balance: float
    touched: int = 0


def bonus(balances, limit):
    accounts = [Account(b) for b in balances]
    rich = [a for a in accounts if a.balance > limit]
    for a in rich:
        a.balance = a.balance * a.balance
        a.touched += 1
    return accounts, rich


def test_objects_leave_as_themselves():
    staged = ag.function(bonus, input_signature=[ag.TensorSpec([None], ag.float64), ag.TensorSpec([], ag.float64)])
    accounts, rich = staged(ag.constant([1.0, 5.0, 3.0], ag.float64), ag.constant(2.0, ag.float64))
    assert [type(a) for a in (*accounts, *rich)] == [Account] * 5
    assert [(float(a.balance), int(a.touched)) for a in accounts] == [(1, 0), (25, 1), (9, 1)]
    assert [float(a.balance) for a in rich] == [25, 9]


def test_gradients_of_kept_rows():
    def program(v, x):
        rows = [{"v": e, "w": 0.0} for e in v]
        for r in [r for r in rows if r["v"] > x]:
            r["w"] = r["v"] ** 3
        return sum(r["w"] for r in rows)

    v = ag.constant([1.0, 5.0, 3.0])
    with ag.GradientTape() as tape:
        tape.watch(v)
        y = ag.function(program)(v, ag.constant(2.0))
    assert tape.gradient(y, v).numpy().tolist() == [0.0, 75.0, 27.0]


def test_an_attribute_takes_rows():
    class Store:
        rows = []

    @ag.function
    def program(v, x):
        rows = [{"v": e, "n": 0} for e in v]
        kept = [r for r in rows if r["v"] > x]
        for r in kept:
            r["n"] += 1
        Store.rows = kept
        return len(kept)

    assert int(program(ag.constant([1, 5, 3]), ag.constant(2))) == 2
    assert [{k: int(v) for k, v in r.items()} for r in Store.rows] == [{"v": 5, "n": 1}, {"v": 3, "n": 1}]
