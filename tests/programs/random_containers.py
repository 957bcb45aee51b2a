"""A generator of random programs over containers that are shared: lists, lists of lists, a dictionary, a tuple, an object,
their rows under other names, copies, swaps, and lists that grow in staged loops. `n` is an integer.
"""

from __future__ import annotations

import random
from typing import Any

HEAD = """\
def f(n):
    xs, ys = [1, 2], [3]
    rows = [[4], [5, 6]]
    d = {"a": [7], "b": xs}
    k = Box()
    k.put(n)
    t = ([8], ys)
    row = rows[0]
    more = [[9]]
    grown = []
    for i in range(n + 1):
        grown.append([i])
    def change(a, b, v):
        a.append(v)
        b[0] = v
"""
LAST = "    return xs, ys, rows, d, k.items, k.count, t, row, more, grown\n"
LISTS = ["xs", "ys", "rows[0]", "rows[1]", 'd["a"]', 'd["b"]', "k.items", "t[0]", "row", "rows[n % 2]"]
NUMBERS = ["n", "1", "2", "n + 1", "len(xs)", "3", "k.count", "xs[0]", "rows[0][0]"]
CHANGES = [
    "{a}.append({e})",
    "{a}.append({e})",
    "{a}[0] = {e}",
    "{a}[-1] += {e}",
    "{a}.insert(0, {e})",
    "if len({a}) > 1: {a}.pop()",
    "{a}.extend([{e}, {e}])",
    "xs, ys = ys, xs",
    "row = rows[0]",
    "row = rows[n % 2]",
    "row = xs",
    "row = {a}[:]",
    "rows[0] = rows[1]",
    "rows[0] = ys[:]",
    "rows[0], rows[1] = rows[1], rows[0]",
    "rows.append([{e}])",
    "rows.append(row)",
    "rows = rows + [[{e}]]",
    'd["a"] = row',
    "k.put({e})",
    "change({a}, {b}, {e})",
    "more = rows[:]",
    "more[0].append({e})",
    "more = grown[1:] + rows",
    "more = grown + grown[:1]",
    "t = (row, ys)",
    "ys = xs",
    "grown.append([{e}])",
    "grown[0].append({e})",
    "grown[-1][0] = {e}",
    "row = grown[0]",
    "grown.append(grown[0])",
    "grown[0] = row",
]


class Box:
    """An object with a list."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self.count = 0

    def put(self, x: Any) -> None:
        self.items.append(x)
        self.count += 1


class Generator:
    """Makes one program from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.names = 0

    def program(self) -> str:
        """The source of a function `f`."""
        lines = [*self.block(2, 1), *self.block(2, 1), *self.block(1, 1)]
        return HEAD + "\n".join(lines) + "\n" + LAST

    def block(self, depth: int, indent: int) -> list[str]:
        return [line for _ in range(self.random.randint(1, 3)) for line in self.statement(depth, indent)]

    def number(self) -> str:
        return self.random.choice(NUMBERS)

    def statement(self, depth: int, indent: int) -> list[str]:
        r, space = self.random, "    " * indent
        kind = r.random()
        if depth <= 0 or kind < 0.5:
            text = r.choice(CHANGES).format(a=r.choice(LISTS), b=r.choice(LISTS), e=self.number())
            return [space + text]
        if kind < 0.7:
            lines = [f"{space}if {self.number()} {r.choice(['<', '>', '<=', '!='])} {self.number()}:"]
            lines += self.block(depth - 1, indent + 1)
            if r.random() < 0.5:
                lines += [space + "else:", *self.block(depth - 1, indent + 1)]
            return lines
        if kind < 0.9:
            head = f"{space}for i in {r.choice(['range(n)', 'range(2)', 'range(n - 1)'])}:"
        elif kind < 0.95:
            head = f"{space}for row in {r.choice(['rows', 'rows[1:]', 'grown', 'more'])}:"
        else:
            self.names += 1
            name = f"w{self.names}"
            body = [f"{space}    {name} += 1", *self.block(depth - 1, indent + 1)]
            return [f"{space}{name} = 0", f"{space}while {name} < n and len(xs) < 9:", *body]
        return [head, *self.block(depth - 1, indent + 1)]
