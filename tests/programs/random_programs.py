"""A generator of random programs: nested if, while, for, break, continue and return over numbers, lists,
arrays, dictionaries, objects, closures, None and names that may be unbound. `x` and `y` are numbers, `n` is
an integer, `xs` has three items.
"""

from __future__ import annotations

import linecache
import random
from typing import Any

import numpy as np

HEAD = """\
def f(x, y, n, xs):
    a = x * 1.0
    b = y
    w = xs * 1.0
    u = w
    items = [x]
    table = {"p": x, "q": 0.5}
    box = Box(y)
    best = None
"""


class Box:
    """An object with state."""

    def __init__(self, value: Any) -> None:
        self.value = value
        self.count = 0

    def add(self, x: Any) -> Any:
        self.value = self.value * 0.5 + x
        self.count += 1
        return self.value


class Generator:
    """Makes one program from a seed."""

    def __init__(self, seed: int, depth: int = 3) -> None:
        self.random = random.Random(seed)
        self.names = 0
        self.depth = depth
        self.lines: list[str] = []

    def program(self) -> str:
        """The source of a function `f`."""
        self.block(["x", "y", "a", "b"], self.depth, False, 1)
        last = self.random.choice(["a + b", "(a, b, sum(items))", "a + w[0] + u[2]", "a * box.value + box.count"])
        return HEAD + "\n".join([*self.lines, f"    return {last}"]) + "\n"

    def fresh(self, stem: str) -> str:
        self.names += 1
        return f"{stem}{self.names}"

    def emit(self, indent: int, text: str) -> None:
        self.lines.append("    " * indent + text)

    def expression(self, known: list[str], depth: int = 0) -> str:
        r = self.random
        k = r.random()
        if depth > 2 or k < 0.3:
            return r.choice(known)
        if k < 0.42:
            return f"{r.uniform(-2, 2):.3f}"
        if k < 0.72:
            return f"({self.expression(known, depth + 1)} {r.choice('+-*')} {self.expression(known, depth + 1)})"
        if k < 0.8:
            return f"np.tanh({self.expression(known, depth + 1)})"
        if k < 0.9:
            return r.choice(
                ["w[0]", "u[1]", "w[n % 3]", "items[0]", "items[-1]", "sum(items)", 'table["p"]', "box.value", "len(items)"]
            )
        parts = self.expression(known, depth + 1), self.condition(known, depth + 1), self.expression(known, depth + 1)
        return "({} if {} else {})".format(*parts)

    def condition(self, known: list[str], depth: int = 0) -> str:
        r = self.random
        k = r.random()
        one = f"{self.expression(known, depth + 1)} {r.choice(['<', '>', '<=', '>='])} {self.expression(known, depth + 1)}"
        if depth > 1 or k < 0.65:
            return one
        if k < 0.9:
            return f"({one} {r.choice(['and', 'or'])} {self.condition(known, depth + 1)})"
        if k < 0.95:
            return f"-0.7 < {self.expression(known, depth + 1)} < 0.8"
        return f"not ({one})"

    def block(self, known: list[str], depth: int, in_loop: bool, indent: int) -> None:
        known = list(known)
        for _ in range(self.random.randint(1, 3)):
            self.statement(known, depth, in_loop, indent)

    def statement(self, known: list[str], depth: int, in_loop: bool, indent: int) -> None:
        k = self.random.random()
        if depth <= 0 or k < 0.2:
            self.assignment(known, indent)
        elif k < 0.4:
            self.state_change(known, indent)
        elif k < 0.6:
            self.branch(known, depth, in_loop, indent)
        elif k < 0.72:
            self.for_loop(known, depth, in_loop, indent)
        elif k < 0.8:
            self.while_loop(known, depth, in_loop, indent)
        elif k < 0.85:
            self.function(known, depth, indent)
        elif k < 0.92 and in_loop:
            self.emit(indent, f"if {self.condition(known)}:")
            self.emit(indent + 1, self.random.choice(["break", "continue"]))
        elif k < 0.97:
            self.emit(indent, f"if {self.condition(known)}:")
            self.emit(indent + 1, self.ending(known))
        else:
            self.emit(indent, "pass")

    def ending(self, known: list[str]) -> str:
        e = self.expression(known)
        return self.random.choice([f"return {e}", f"return {e}", f"return ({e}, 1.0)", "return", f"return [{e}, {e}]"])

    def assignment(self, known: list[str], indent: int) -> None:
        r = self.random
        e = self.expression(known)
        k = r.random()
        if k < 0.15:
            self.emit(indent, f"a, b = b, np.tanh({e})")
            return
        if k < 0.25:
            self.emit(indent, f"if best is None or {e} > best:")
            self.emit(indent + 1, f"best = np.tanh({self.expression(known)})")
            return
        name = r.choice("abcde")
        if name in known and r.random() < 0.3:
            self.emit(indent, f"{name} {r.choice(['+=', '-=', '*='])} np.tanh({e})")
        else:
            self.emit(indent, f"{name} = np.tanh({e}) * 2")
        if name not in known:
            known.append(name)

    def state_change(self, known: list[str], indent: int) -> None:
        e = f"np.tanh({self.expression(known)})"
        text = self.random.choice(
            [
                "items.append({})",
                "items[0] = {}",
                "items[-1] += {}",
                "items = [{}, 0.25]",
                "w[0] = {}",
                "u[n % 3] += {}",
                "w[1] *= {}",
                'table["p"] = {}',
                'table["q"] += {}',
                "box.value = {}",
                "box.value += {}",
                "box.count += 1",
                "a = box.add({})",
                "box = Box({})",
            ]
        )
        self.emit(indent, text.format(e))

    def branch(self, known: list[str], depth: int, in_loop: bool, indent: int) -> None:
        self.emit(indent, f"if {self.condition(known)}:")
        self.block(known, depth - 1, in_loop, indent + 1)
        if self.random.random() < 0.25:
            self.emit(indent, f"elif {self.condition(known)}:")
            self.block(known, depth - 1, in_loop, indent + 1)
        if self.random.random() < 0.6:
            self.emit(indent, "else:")
            self.block(known, depth - 1, in_loop, indent + 1)
        if self.random.random() < 0.1 and any(line.lstrip().startswith("e = ") for line in self.lines):
            known.append("e")  # perhaps bound by now: where not, both have to say so

    def for_loop(self, known: list[str], depth: int, in_loop: bool, indent: int) -> None:
        r = self.random
        name = self.fresh("i")
        over = r.choice(
            [f"range({r.randint(0, 4)})", "range(n)", "range(n + 1)", "range(n, 0, -1)", "xs", "reversed(xs)", "list(items)"]
        )
        if r.random() < 0.2:
            other = self.fresh("v")
            self.emit(indent, f"for {name}, {other} in {r.choice(['enumerate(xs)', 'zip(xs, w)'])}:")
            inner = [*known, name, other]
        else:
            self.emit(indent, f"for {name} in {over}:")
            inner = [*known, name]
        self.block(inner, depth - 1, True, indent + 1)
        self.otherwise(known, depth, in_loop, indent)

    def while_loop(self, known: list[str], depth: int, in_loop: bool, indent: int) -> None:
        name = self.fresh("k")
        self.emit(indent, f"{name} = 0")
        self.emit(indent, f"while {name} < {self.random.choice(['n', '3'])} and {self.condition(known)}:")
        self.emit(indent + 1, f"{name} += 1")
        self.block([*known, name], depth - 1, True, indent + 1)
        self.otherwise(known, depth, in_loop, indent)

    def otherwise(self, known: list[str], depth: int, in_loop: bool, indent: int) -> None:
        if self.random.random() < 0.2:
            self.emit(indent, "else:")
            self.block(known, depth - 1, in_loop, indent + 1)

    def function(self, known: list[str], depth: int, indent: int) -> None:
        name, parameter = self.fresh("g"), self.fresh("t")
        self.emit(indent, f"def {name}({parameter}):")
        inner = [v for v in known if v not in ("a", "b", "c", "d", "e")]
        if self.random.random() < 0.5:
            self.emit(indent + 1, "nonlocal a")
            self.emit(indent + 1, f"a = np.tanh(a + {parameter})")
        self.emit(indent + 1, f"if {self.condition([*inner, parameter])}:")
        self.emit(indent + 2, f"return {self.expression([*inner, parameter])}")
        self.emit(indent + 1, f"return {parameter} * 0.5")
        self.emit(indent, f"b = {name}({self.expression(known)})")


def compiled(source: str, name: str) -> Any:
    """The function of a program, with its source where tools look for it."""
    file = f"<random program {name}>"
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    space = {"np": np, "Box": Box}
    exec(compile(source, file, "exec"), space)  # noqa: S102
    return space["f"]
