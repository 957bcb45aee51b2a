"""A generator of random programs that are nothing but control flow over numbers, many levels deep: exceptions raised,
caught, passed on and cleaned up after, context managers, patterns with guards, generators, nested functions that rebind
names outside, recursion with accumulators, loops over everything that has items. `x`, `y` are floats, `n`, `k` integers.
"""

from __future__ import annotations

import contextlib
import functools
import linecache
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

GLOBALS = {"G": 0.5, "H": 1}


class Stop(Exception):
    """An exception of the programs' own."""


class Special(Stop):
    """One of a subclass."""


class Guard:
    """A context manager that counts how often it was left."""

    def __init__(self, start: Any) -> None:
        self.value = start
        self.left = 0

    def __enter__(self) -> Guard:
        self.value = self.value * 0.5
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self.left += 1


class Pair:
    """An object for class patterns."""

    __match_args__ = ("p", "q")

    def __init__(self, p: Any, q: Any) -> None:
        self.p = p
        self.q = q


@contextlib.contextmanager
def scope(log: list[Any], value: Any) -> Iterator[Any]:
    """A context manager made of a generator."""
    log.append(value)
    try:
        yield value * 0.5
    finally:
        log.append(0.25)


SPACE = {
    "np": np,
    "contextlib": contextlib,
    "functools": functools,
    "Stop": Stop,
    "Special": Special,
    "Guard": Guard,
    "Pair": Pair,
    "scope": scope,
}
RAISED = ("ValueError", "KeyError", "Stop", "Special", "ZeroDivisionError")
CAUGHT = ("ValueError", "(ValueError, KeyError)", "Stop", "Exception", "LookupError", "Special", "ArithmeticError")


class Names:
    """What a block may read and write, and which jumps it may make."""

    def __init__(self, floats: list[str], ints: list[str], to_floats: list[str], to_ints: list[str]) -> None:
        self.floats, self.ints, self.to_floats, self.to_ints = floats, ints, to_floats, to_ints
        self.loop = False
        self.result: Callable[[Names], str] | None = None
        self.generator = False

    def inner(self, floats: tuple[str, ...] = (), ints: tuple[str, ...] = (), loop: bool | None = None) -> Names:
        """The names of a block within."""
        names = Names([*self.floats, *floats], [*self.ints, *ints], self.to_floats, self.to_ints)
        names.loop = self.loop if loop is None else loop
        names.result, names.generator = self.result, self.generator
        return names


class Generator:
    """Makes one program from a seed."""

    def __init__(self, seed: int, depth: int = 5) -> None:
        self.random = random.Random(seed)
        self.depth = depth
        self.count = 0
        self.lines: list[str] = []
        self.budget = 14

    def program(self) -> str:
        """The source of a function `f`."""
        self.emit(0, "def f(x, y, n, k):")
        for line in ("a = x * 0.5", "b = y", "i = n", "j = 1", "log = []", "best = None"):
            self.emit(1, line)
        names = Names(["x", "y", "a", "b"], ["n", "k", "i", "j"], ["a", "b"], ["i", "j"])
        names.result = self.result
        if self.random.random() < 0.3:
            self.emit(1, "global G, H")
            names.to_floats, names.to_ints = [*names.to_floats, "G"], [*names.to_ints, "H"]
        names.floats, names.ints = [*names.floats, "G"], [*names.ints, "H"]
        for _ in range(self.random.randint(2, 4)):
            self.statement(names, self.depth, 1)
        self.emit(1, "return a, b, i, j, best, log")
        return "\n".join(self.lines) + "\n"

    def emit(self, indent: int, text: str) -> None:
        self.lines.append("    " * indent + text)

    def fresh(self, stem: str) -> str:
        self.count += 1
        return f"{stem}{self.count}"

    def chance(self, p: float) -> bool:
        return self.random.random() < p

    def one(self, *texts: str) -> str:
        return self.random.choice(texts)

    # Expressions

    def number(self, names: Names, depth: int = 0) -> str:
        """A float."""
        r = self.random
        if depth > 1 or self.chance(0.4):
            return r.choice(names.floats)
        f = functools.partial(self.number, names, depth + 1)
        i = functools.partial(self.whole, names, depth + 1)
        kind = r.randrange(15)
        if kind < 3:
            return f"{r.uniform(-2, 2):.2f}"
        if kind < 6:
            return f"({f()} {self.one('+', '-', '*')} {f()})"
        if kind == 6:
            return f"({f()} if {self.test(names, depth + 1)} else {f()})"
        if kind == 7:
            return f"{self.one('max', 'min')}({f()}, {f()})"
        if kind == 8:
            u = self.fresh("u")
            items = f"({f()}, {f()}, {f()})"
            return f"sum([{u} * {i()} for {u} in {items} if {self.test(names.inner((u,)), depth + 1)}]) * 0.1"
        if kind == 9:
            u = self.fresh("u")
            return f"sum({u} * {f()} for {u} in range({r.randint(1, 4)}) if {u} {self.one('<', '!=', '>=')} {i()}) * 0.2"
        if kind == 10:
            return f"(lambda u, v=0.5: u * v + {f()})({f()})"
        if kind == 11:
            return f"abs({f()})"
        if kind == 12:
            return f"({i()} * 0.25)"
        if kind == 13:
            return f"functools.reduce(lambda u, v: u * 0.5 + v, [{f()}, {f()}, {f()}])"
        return f"({f()} {self.one('and', 'or')} {f()})"

    def whole(self, names: Names, depth: int = 0) -> str:
        """An integer of moderate size."""
        r = self.random
        if depth > 1 or self.chance(0.45):
            return r.choice(names.ints)
        i = functools.partial(self.whole, names, depth + 1)
        kind = r.randrange(11)
        if kind < 3:
            return str(r.randint(-3, 5))
        if kind < 5:
            return f"({i()} {self.one('+', '-', '*')} {i()})"
        if kind == 5:
            return f"({i()} {self.one('//', '%')} {self.one('2', '3', '-2')})"
        if kind == 6:
            return f"({i()} if {self.test(names, depth + 1)} else {i()})"
        if kind == 7:
            return f"divmod({i()}, {self.one('2', '3')})[{self.one('0', '1')}]"
        if kind == 8:
            return f"({i()} {self.one('&', '|', '^')} {i()})"
        if kind == 9:
            return f"len([u for u in range({self.bound(names)}) if u % 2 {self.one('==', '<')} {i()}])"
        return f"int({self.number(names, depth + 1)})"

    def bound(self, names: Names) -> str:
        """How often a loop runs: few times."""
        return self.one("3", "2", f"{self.whole(names, 1)} % 4", f"{self.whole(names, 1)} % 3")

    def test(self, names: Names, depth: int = 0) -> str:
        """A condition."""
        f = functools.partial(self.number, names, depth + 1)
        i = functools.partial(self.whole, names, depth + 1)
        if depth > 1:
            return f"{f()} < {f()}"
        t = functools.partial(self.test, names, depth + 1)
        kind = self.random.randrange(12)
        if kind < 3:
            return f"{f()} {self.one('<', '>', '<=')} {f()}"
        if kind < 5:
            return f"{i()} {self.one('<', '>', '==', '!=', '>=')} {i()}"
        if kind == 5:
            return f"{f()} < {f()} {self.one('<', '<=')} {f()}"
        if kind == 6:
            return f"({t()} {self.one('and', 'or')} {t()})"
        if kind == 7:
            return f"not {t()}" if self.chance(0.5) else f"not ({t()})"
        if kind == 8:
            return f"{i()} {self.one('in', 'not in')} ({i()}, {i()}, 2)"
        if kind == 9:
            u = self.fresh("u")
            return f"{self.one('any', 'all')}({u} > {f()} for {u} in ({f()}, {f()}))"
        if kind == 10:
            return f"{i()} % 2"
        return f"-1 < {i()} < {i()} != 3"

    def result(self, names: Names) -> str:
        """What the main function may return early."""
        f, i = self.number(names), self.whole(names)
        return self.one("None", f, f"({f}, {i})", f"[{f}, {i}, None]", f'{{"r": {f}}}', f"(({f},), {i})", i, "")

    # Statements

    def block(self, names: Names, depth: int, indent: int, most: int = 3) -> None:
        """Some statements, at least one."""
        for _ in range(self.random.randint(1, most)):
            self.statement(names, depth, indent)
        if depth < self.depth and self.chance(0.12):
            self.emit(indent, self.jump(names))

    def jump(self, names: Names) -> str:
        """A way out."""
        r = self.random
        kinds = ["raise"]
        if names.loop:
            kinds += ["break", "continue"] * 2
        if names.result is not None:
            kinds += ["return"] * 2
        kind = r.choice(kinds)
        if kind == "return":
            assert names.result is not None
            return f"return {names.result(names)}".rstrip()
        if kind == "raise":
            raised = r.choice(RAISED)
            return f"raise {raised}" if self.chance(0.4) else f'raise {raised}("{raised}", {r.randint(1, 3)})'
        return kind

    def statement(self, names: Names, depth: int, indent: int) -> None:
        self.budget -= 1
        simple = depth <= 0 or self.budget < 0
        kinds: list[tuple[int, Callable[[Names, int, int], None]]] = [(5, self.assignment), (3, self.way_out)]
        if not simple:
            kinds += [
                (5, self.branch),
                (4, self.for_loop),
                (3, self.while_loop),
                (4, self.trial),
                (2, self.context),
                (3, self.choice),
                (2, self.function),
                (1, self.recursion),
            ]
            if not names.generator:
                kinds.append((2, self.stream))
        weights, makers = zip(*kinds, strict=True)
        self.random.choices(makers, weights)[0](names, depth, indent)

    def assignment(self, names: Names, depth: int, indent: int) -> None:
        r = self.random
        f, i = self.number(names), self.whole(names)
        to_f, to_i = r.choice(names.to_floats), r.choice(names.to_ints)
        main = "best" in self.lines[5] and not names.generator and names.result is not None and names.result == self.result
        texts = [
            f"{to_f} = np.tanh({f})",
            f"{to_f} {self.one('+=', '-=', '*=')} np.tanh({f})",
            f"{to_i} = {i} % 7",
            f"{to_i} += {i} % 3",
            f"{names.to_floats[0]}, {names.to_floats[1]} = {names.to_floats[1]}, np.tanh({f})",
            f"{names.to_floats[0]} = {names.to_floats[1]} = np.tanh({f})",
            f"({names.to_floats[0]}, *_), {to_i} = ({f} * 0.1, 1, 2), {i} % 5",
            f"{to_f} = {self.one('1.5', '-0.5')} if ({to_i} := {i} % 4) > 1 else np.tanh({to_i} + {f})",
        ]
        if main:
            texts += [f"log.append({self.one(f, i)})", f"best = {f} if best is None or best < {f} else best", "best = None"]
        self.emit(indent, r.choice(texts))
        if main and self.chance(0.06):
            name = self.fresh("d")
            self.emit(indent, f"{name} = {f}")
            self.emit(indent, f"if {self.test(names)}:")
            self.emit(indent + 1, f"del {name}")
            self.emit(indent, f"else:\n{'    ' * (indent + 1)}{to_f} = {name}")
            if self.chance(0.2):
                self.emit(indent, f"{to_f} = np.tanh({name})")

    def way_out(self, names: Names, depth: int, indent: int) -> None:
        if self.chance(0.07):
            self.emit(indent, f"assert {self.test(names)}, 'said'")
            return
        self.emit(indent, f"if {self.test(names)}:")
        if self.chance(0.3):
            self.assignment(names, 0, indent + 1)
        self.emit(indent + 1, self.jump(names))

    def branch(self, names: Names, depth: int, indent: int) -> None:
        self.emit(indent, f"if {self.test(names)}:")
        self.block(names, depth - 1, indent + 1)
        while self.chance(0.3):
            self.emit(indent, f"elif {self.test(names)}:")
            self.block(names, depth - 1, indent + 1)
        if self.chance(0.5):
            self.emit(indent, "else:")
            self.block(names, depth - 1, indent + 1)

    def for_loop(self, names: Names, depth: int, indent: int) -> None:
        i, v = self.fresh("p"), self.fresh("v")
        f = functools.partial(self.number, names, 1)
        w = functools.partial(self.whole, names, 1)
        b = self.bound(names)
        head, floats, ints = self.random.choice(
            [
                (f"{i} in range({b})", (), (i,)),
                (f"{i} in range({w()} % 4, {self.one('-1', '0', '-2')}, {self.one('-1', '-2')})", (), (i,)),
                (f"{i} in reversed(range({b}))", (), (i,)),
                (f"{v} in ({f()}, {f()}, 0.5)", (v,), ()),
                (f"{v} in [{f()}, {f()}]", (v,), ()),
                (f"{i}, {v} in enumerate([{f()}, {f()}], {w()})", (v,), (i,)),
                (f"{i}, {v} in zip(range({b}), ({f()}, 1.0, {f()}))", (v,), (i,)),
                (f'{i}, {v} in {{1: {f()}, 2: {f()}}}.items()', (v,), (i,)),
                (f'{v} in {{"a": {f()}, "b": 0.75}}.values()', (v,), ()),
                (f"({v}, {i}), *_ in [(({f()}, 1), 0), (({f()}, {w()}), 2, 3)]", (v,), (i,)),
                (f"{v} in sorted([{f()}, {f()}, {f()}])", (v,), ()),
                (f"{v} in map(lambda u: u * {f()}, ({f()}, {f()}))", (v,), ()),
                (f"{v} in filter(lambda u: u > {f()}, ({f()}, {f()}))", (v,), ()),
                (f"{i} in [u for u in range({b}) if u != {w()}]", (), (i,)),
                (f'{i} in map(len, "a bb ccc".split()[: {self.random.randint(1, 3)}])', (), (i,)),
            ]
        )
        self.emit(indent, f"for {head}:")
        self.block(names.inner(floats, ints, True), depth - 1, indent + 1)
        if self.chance(0.25):
            self.emit(indent, "else:")
            self.block(names, depth - 1, indent + 1)

    def while_loop(self, names: Names, depth: int, indent: int) -> None:
        t = self.fresh("t")
        start = self.one("0", f"{self.whole(names, 1)} % 3")
        kind = self.random.randrange(4)
        self.emit(indent, f"{t} = {start}")
        if kind == 0:
            self.emit(indent, "while True:")
            self.emit(indent + 1, f"{t} += 1")
            self.emit(indent + 1, f"if {t} > {self.one('3', '2')}:")
            self.emit(indent + 2, "return None" if names.result == self.result and self.chance(0.3) else "break")
        elif kind == 1:
            self.emit(indent, f"while ({t} := {t} + 1) < 4 and {self.test(names)}:")
        elif kind == 2:
            self.emit(indent, f"while {t} < {self.one('3', '2')}:")
            self.emit(indent + 1, f"{t} += 1")
        else:
            self.emit(indent, f"while {t} < 4 and ({self.test(names.inner((), (t,)))}):")
            self.emit(indent + 1, f"{t} += {self.one('1', '2')}")
        self.block(names.inner((), (t,), True), depth - 1, indent + 1)
        if self.chance(0.25):
            self.emit(indent, "else:")
            self.block(names, depth - 1, indent + 1)

    def trial(self, names: Names, depth: int, indent: int) -> None:
        self.emit(indent, "try:")
        self.block(names, depth - 1, indent + 1)
        if self.chance(0.6):
            self.emit(indent + 1, f"if {self.test(names)}:")
            self.emit(indent + 2, f"raise {self.random.choice(RAISED)}")
        clauses = self.random.sample(CAUGHT, self.random.randint(0, 2))
        for clause in clauses:
            e = self.fresh("e")
            named = self.chance(0.05)
            self.emit(indent, f"except {clause} as {e}:" if named else f"except {clause}:")
            if named:
                self.emit(indent + 1, f"{names.to_ints[0]} = len({e}.args)")
            self.block(names, depth - 1, indent + 1, 2)
            if self.chance(0.15):
                self.emit(indent + 1, f"if {self.test(names)}:")
                again = f"raise Stop(1) from {e}" if named else "raise"
                self.emit(indent + 2, self.one("raise", again, "raise KeyError(5) from None"))
        if clauses and self.chance(0.3):
            self.emit(indent, "else:")
            self.block(names, depth - 1, indent + 1, 2)
        if not clauses or self.chance(0.3):
            self.emit(indent, "finally:")
            quiet = names.inner(loop=False)
            if self.chance(0.85):
                quiet.result = None
                self.assignment(quiet, 0, indent + 1)
                if self.chance(0.4):
                    self.emit(indent + 1, f"if {self.test(names)}:")
                    self.assignment(quiet, 0, indent + 2)
            else:
                self.block(quiet, depth - 1, indent + 1, 1)

    def context(self, names: Names, depth: int, indent: int) -> None:
        g, main = self.fresh("g"), names.result == self.result
        f = self.number(names, 1)
        kind = self.random.randrange(4)
        if kind == 0 and main:
            self.emit(indent, f"with scope(log, {f}) as {g}:")
            inner = names.inner((g,))
        elif kind == 1:
            self.emit(indent, f"with contextlib.suppress({self.one('ValueError', 'Stop', 'KeyError, ValueError')}):")
            inner = names.inner()
        elif kind == 2:
            other = self.fresh("g")
            self.emit(indent, f"with Guard({f}) as {g}, Guard({g}.value) as {other}:")
            inner = names.inner((f"{g}.value", f"{other}.value"), (f"{g}.left",))
        else:
            self.emit(indent, f"with Guard({f}) as {g}:")
            inner = names.inner((f"{g}.value",))
        self.block(inner, depth - 1, indent + 1)

    def choice(self, names: Names, depth: int, indent: int) -> None:
        f, i = self.number(names, 1), self.whole(names, 1)
        m, c = self.fresh("m"), self.fresh("c")
        guard = self.test(names.inner((), (c,)), 1)
        way = self.one('"up"', '"down"')
        subject, cases = self.random.choice(
            [
                (
                    f"{i} % 5",
                    [("0", (), ()), ("1 | 2", (), ()), (f"{c} if {guard}", (), (c,)), (f"3 as {c}", (), (c,))],
                ),
                (
                    f"({i} % 3, {f})",
                    [
                        (f"(0, {m})", (m,), ()),
                        (f"(1 | 2 as {c}, {m}) if {m} > 0.1", (m,), (c,)),
                        (f"({c}, _) if {guard}", (), (c,)),
                    ],
                ),
                (
                    f"Pair({f}, {i} % 3)",
                    [
                        (f"Pair({m}, 1)", (m,), ()),
                        (f"Pair(q={c}, p={m}) if {c} < 2", (m,), (c,)),
                        (f"Pair({m}, 0 | 2)", (m,), ()),
                    ],
                ),
                (
                    f"[{f}, {i}, {i}]",
                    [(f"[{m}, 1, _]", (m,), ()), (f"[{m}, *_, {c}] if {m} < 0.5", (m,), (c,)), ("[_]", (), ())],
                ),
                (
                    f'{{"kind": {way}, "by": {f}}}',
                    [
                        (f'{{"kind": "up", "by": {m}}}', (m,), ()),
                        (f'{{"kind": "down", "by": {m}}} if {m} > 0', (m,), ()),
                        ("{}", (), ()),
                    ],
                ),
                (f"None if {self.test(names)} else {f}", [("None", (), ()), (f"{m} if {m} > 0.2", (m,), ())]),
            ]
        )
        self.emit(indent, f"match {subject}:")
        for pattern, floats, ints in self.random.sample(cases, self.random.randint(1, len(cases))):
            self.emit(indent + 1, f"case {pattern}:")
            self.block(names.inner(floats, ints), depth - 1, indent + 2, 2)
        if self.chance(0.6):
            self.emit(indent + 1, "case _:")
            self.block(names, depth - 1, indent + 2, 2)

    def function(self, names: Names, depth: int, indent: int) -> None:
        """A function within, which may rebind names outside, and a call of it."""
        g, u, v = self.fresh("h"), self.fresh("u"), self.fresh("v")
        r = self.random
        local, counter = self.fresh("l"), self.fresh("c")
        outer = [name for name in names.to_floats if name in ("a", "b")]
        whole = [name for name in names.to_ints if name in ("i", "j")]
        inner = Names([*names.floats, u, local], [*names.ints, counter], [local, u], [counter])
        inner.generator = names.generator
        kind = r.randrange(4)
        inner.result = {
            0: lambda scope: self.number(scope),
            1: lambda scope: self.one("None", "", self.number(scope)),
            2: lambda scope: f"({self.number(scope)}, {self.whole(scope)} % 5)",
            3: lambda scope: self.one(f"({self.number(scope)}, 1)", "None", self.number(scope)),
        }[kind]
        self.emit(indent, f"def {g}({u}, {v}=0.5, *{self.fresh('r')}, {counter}=1):")
        if outer and whole and self.chance(0.5) and not names.generator:
            self.emit(indent + 1, f"nonlocal {outer[0]}, {whole[0]}")
            inner.to_floats, inner.to_ints = [*inner.to_floats, outer[0]], [*inner.to_ints, whole[0]]
        self.emit(indent + 1, f"{local} = {v} * {u}")
        self.block(inner, min(depth - 1, 2), indent + 1)
        self.emit(indent + 1, f"return {inner.result(inner)}".rstrip())
        out, f = self.fresh("o"), self.number(names, 1)
        self.emit(indent, f"{out} = {g}({f}, {self.number(names, 1)}, {counter}={self.whole(names, 1)} % 4)")
        to_f, to_i = r.choice(names.to_floats), r.choice(names.to_ints)
        if kind == 0:
            self.emit(indent, f"{to_f} = np.tanh({out}) + {g}({f}) * 0.5")
        elif kind == 1:
            self.emit(indent, f"if {out} is not None{self.one('', f' and {out} > 0.1')}:")
            self.emit(indent + 1, f"{to_f} = np.tanh({out})")
        elif kind == 2:
            self.emit(indent, f"{to_f}, {to_i} = {out}")
        else:
            self.emit(indent, f"if isinstance({out}, tuple):")
            self.emit(indent + 1, f"{to_f}, {to_i} = {out}")
            self.emit(indent, f"elif {out} is None:")
            self.emit(indent + 1, f"{to_f} = -0.5")
            self.emit(indent, "else:")
            self.emit(indent + 1, f"{to_f} = np.tanh({out})")

    def recursion(self, names: Names, depth: int, indent: int) -> None:
        """A function that calls itself, or two that call each other, with something to collect in."""
        g, h = self.fresh("rec"), self.fresh("other")
        inner = names.inner(("acc",), ("d",), False)
        kind = self.random.randrange(4)
        f = functools.partial(self.number, inner, 1)
        to_f, start = self.random.choice(names.to_floats), f"{self.whole(names, 1)} % 5"
        self.emit(indent, f"def {g}(d, acc):")
        self.emit(indent + 1, "if d <= 0:")
        self.emit(indent + 2, f"return {'(acc, 0)' if kind == 1 else 'acc'}")
        if kind == 0:
            self.emit(indent + 1, f"if {self.test(inner)}:")
            self.emit(indent + 2, f"return {g}(d - 1, np.tanh({f()}))")
            self.emit(indent + 1, f"return {g}(d - 2, acc * 0.5) + {f()}")
        elif kind == 1:
            self.emit(indent + 1, f"value, count = {g}(d - 1, np.tanh({f()}))")
            self.emit(indent + 1, f"return value * 0.5 + d, count + ({self.whole(inner, 1)} % 3)")
        elif kind == 2:
            self.emit(indent + 1, f"return {h}(d - 1, np.tanh(acc + {f()}))")
            self.emit(indent, f"def {h}(d, acc):")
            self.emit(indent + 1, f"if d <= 0 or {self.test(inner)}:")
            self.emit(indent + 2, "return acc * 0.5")
            self.emit(indent + 1, f"return {g}(d - 1, acc) - {f()}")
        else:
            self.emit(indent + 1, f"for t in range({self.one('2', 'd')}):")
            self.emit(indent + 2, f"if {self.test(inner.inner((), ('t',)))}:")
            self.emit(indent + 3, f"{self.one('continue', 'break', 'return acc')}")
            self.emit(indent + 2, f"acc = np.tanh({g}(d - {self.one('2', '3')}, acc) + t)")
            self.emit(indent + 1, "return acc")
        self.emit(indent, f"{to_f} = {f'{g}({start}, {self.number(names, 1)})'}{'[0]' if kind == 1 else ''}")

    def stream(self, names: Names, depth: int, indent: int) -> None:
        """A generator function and something that goes over it."""
        g, u, v = self.fresh("gen"), self.fresh("u"), self.fresh("v")
        local, counter = self.fresh("l"), self.fresh("c")
        inner = Names([*names.floats, u, local], [*names.ints, counter], [local, u], [counter])
        inner.generator = True
        inner.result = lambda scope: ""
        self.emit(indent, f"def {g}({u}, {counter}=2):")
        self.emit(indent + 1, f"{local} = {u} * 0.5")
        over = self.one(f"range({counter})", f"({u}, {local}, 0.25)", f"range({self.bound(names)})")
        self.emit(indent + 1, f"for {v} in {over}:")
        loop = inner.inner((v,), (), True)
        if self.chance(0.6):
            self.emit(indent + 2, f"if {self.test(loop)}:")
            self.emit(indent + 3, self.one("continue", "break", "return", f"yield {self.number(loop)}"))
        if self.chance(0.4):
            self.assignment(loop, 0, indent + 2)
        self.emit(indent + 2, f"yield np.tanh({self.number(loop)})")
        if self.chance(0.4):
            self.emit(indent + 1, self.one(f"yield {local}", f"yield from ({u}, {local})", f"yield from [{local}] * 2"))
        to_f, call = self.random.choice(names.to_floats), f"{g}({self.number(names, 1)})"
        kind = self.random.randrange(7)
        if kind < 3:
            item = self.fresh("v")
            self.emit(indent, f"for {item} in {call}:")
            self.block(names.inner((item,), (), True), depth - 1, indent + 1)
            if self.chance(0.3):
                self.emit(indent, "else:")
                self.block(names, depth - 1, indent + 1, 1)
        elif kind == 3:
            self.emit(indent, f"{to_f} = np.tanh(sum({call}))")
        elif kind == 4:
            self.emit(indent, f"{to_f} = {self.one('max', 'min')}({call}, default=0.5)")
        elif kind == 5:
            self.emit(indent, f"{to_f} = sum([u * 0.5 for u in {call} if u > {self.number(names, 1)}])")
        else:
            self.emit(indent, f"{to_f} = next((u for u in {call} if u < {self.number(names, 1)}), 0.75)")


def compiled(source: str, name: str) -> Any:
    """The function of a program, with its source where tools look for it, and its globals as they are at the start."""
    file = f"<random control flow {name}>"
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    space = {**SPACE, **GLOBALS}
    exec(compile(source, file, "exec"), space)  # noqa: S102
    return space["f"]
