"""A generator of random programs whose expressions have types: numbers, flags, vectors and a matrix in two precisions,
lists, lists of lists, tuples, dictionaries, values that may be None, objects with methods, and helper functions, all of
them in one program of statements several levels deep. `x`, `y` are floats, `n`, `k` integers, `v` a float64 and `w` a
float32 vector of 3, `m` a matrix of 3 by 3. Every program ends, most of them without an exception.
"""

from __future__ import annotations

import linecache
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.programs.random_assignments import Assignments
from tests.programs.random_expressions import KINDS, Scope, names

GLOBALS = {"N": 0, "G": 0.25}
HEAD = """\
class Stop(Exception):
    pass


class Late(Stop):
    pass


class Acc:
    scale = 0.5

    def __init__(self, a, n=1):
        self.a = a
        self.n = n
        self.xs = [a]
        self.left = 0

    @property
    def mean(self):
        return sum(self.xs) / len(self.xs)

    def __enter__(self):
        self.n = self.n % 5 + 1
        return self

    def __exit__(self, kind, error, trace):
        self.left += 1
        return kind is not None and issubclass(kind, Late)

    def push(self, value, *, keep=True):
        if keep and len(self.xs) < 8:
            self.xs.append(value)
        elif len(self.xs) > 1:
            return self.xs.pop()
        return value * self.scale


class Sub(Acc):
    scale = -0.75

    def push(self, value, *, keep=True):
        self.a = np.tanh(self.a + value)
        return super().push(value * 0.5, keep=not keep) + self.a


"""
START = """\
    a, b = x * 0.5, y
    i, j = n, 1
    p = True
    q = v * 0.5
    z = w * 2
    u = m + 1.0
    g = w[0]
    xs, ys = [x, 0.5, y], [1.0, -0.5]
    ks = [n, 2, k]
    rows = [[x], [0.5, y], [1.5]]
    vs = [v * 1.0, v * 0.5]
    t = (y, k)
    d = {"a": x, "b": 0.5}
    best = None
    c = Acc(x)
    e = Sub(y, n)
"""


def words(lines: list[str]) -> set[str]:
    """The names in some lines of text."""
    return set(re.findall(r"\w+", "\n".join(lines)))


class Generator(Assignments):
    """Makes one program from a seed."""

    def __init__(self, seed: int, depth: int = 5, budget: int = 9, size: int = 6) -> None:
        super().__init__(seed)
        self.depth, self.budget, self.size = depth, budget, size
        self.shape = self.r.randrange(4)  # of what is returned early

    def program(self) -> str:
        """The source of a module with a function `f`."""
        main, self.lines = self.lines, []
        for _ in range(self.r.randint(0, 2)):
            self.helper()
        main, self.lines = self.lines, []
        self.lines.append("def f(x, y, n, k, v, w, m):")
        write = names(
            f="a b",
            i="i j",
            b="p",
            v="q",
            w="z",
            m="u",
            g="g",
            F="xs ys",
            I="ks",
            R="rows",
            V="vs",
            t="t",
            d="d",
            o="best",
            c="c e",
        )
        if self.chance(0.3):
            self.emit(1, "global N, G")
            write["i"].append("N")
            write["f"].append("G")
        read = {kind: [*write[kind]] for kind in KINDS}
        for kind, more in (("f", "x y G c.a e.mean"), ("i", "n k N c.n"), ("v", "v"), ("w", "w"), ("m", "m"), ("F", "e.xs")):
            read[kind] += more.split()
        scope = Scope(read, write, self.result)
        goal = len(self.lines) + self.r.randint(self.size, 3 * self.size)
        while len(self.lines) < goal:
            self.statement(scope, self.depth, 1)
        body = self.lines[1:]
        starts, results = [], []
        for line in reversed(START.splitlines()):
            targets = line.partition(" = ")[0].strip().split(", ")
            if set(targets) & words([*starts, *body]):
                starts.insert(0, line)
                results[:0] = [
                    part
                    for name in targets
                    for part in ([f"{name}.{a}" for a in "a n xs left".split()] if name in "ce" else [name])
                ]
        text = "\n".join([*main, self.lines[0], *starts, *body, f"    return ({', '.join(results)},)"]) + "\n"
        return HEAD * bool({"Acc", "Sub", "Stop", "Late"} & words([text])) + text

    def result(self, s: Scope) -> str:
        """What the main function may return early."""
        f, i = self.f(s), self.i(s)
        return self.one(
            "", *((f, f"({f}, {i})"), (i, f"[{f}, {self.f(s)}]"), (self.v(s), "None"), (self.F(s), "None"))[self.shape]
        )

    def block(self, s: Scope, depth: int, indent: int, most: int = 3) -> None:
        for _ in range(self.r.randint(1, most)):
            self.statement(s, depth, indent)
        if depth < self.depth and self.chance(0.1):
            self.emit(indent, self.jump(s))

    def jump(self, s: Scope) -> str:
        kinds = []
        if s.loop:
            kinds += ["break", "continue"] * 2
        if s.out is not None and (not kinds or self.chance(0.3)):
            kinds += [f"return {s.out(s)}".rstrip()]
        if s.guarded or self.chance(0.15) or not kinds:
            kinds += [self.one("raise Stop", "raise Late", 'raise ValueError("v", 1)', "raise KeyError(3)")]
        return self.r.choice(kinds)

    def statement(self, s: Scope, depth: int, indent: int) -> None:
        self.budget -= 1
        kinds: list[tuple[int, Callable[[Scope, int, int], None]]] = [
            (7, self.assign),
            (5, self.change),
            (3 if s.loop else 1, self.way_out),
        ]
        if depth > 0 and self.budget > 0:
            kinds += [
                (6, self.branch),
                (5, self.for_loop),
                (4, self.while_loop),
                (3, self.trial),
                (2, self.context),
                (3, self.choice),
                (2, self.nested),
                (1, self.recursion),
                (2, self.unbound),
            ]
        weights, makers = zip(*kinds, strict=True)
        self.r.choices(makers, weights)[0](s, depth, indent)

    def way_out(self, s: Scope, depth: int, indent: int) -> None:
        if self.chance(0.1):
            return self.emit(
                indent,
                self.one(f'print("at", {self.i(s, 1)})', f'print(f"{{{self.f(s, 2)}:.3f}}")', f"assert {self.b(s)} or True"),
            )
        self.emit(indent, f"if {self.b(s)}:")
        if self.chance(0.4):
            self.assign(s, 0, indent + 1)
        return self.emit(indent + 1, self.jump(s))

    def branch(self, s: Scope, depth: int, indent: int) -> None:
        self.emit(indent, f"if {self.b(s)}:")
        self.block(s, depth - 1, indent + 1)
        while self.chance(0.3):
            self.emit(indent, f"elif {self.b(s)}:")
            self.block(s, depth - 1, indent + 1)
        if self.chance(0.5):
            self.emit(indent, "else:")
            self.block(s, depth - 1, indent + 1)

    def for_loop(self, s: Scope, depth: int, indent: int) -> None:
        p, h = self.fresh("p"), self.fresh("h")
        f, i = (lambda: self.f(s, 1)), (lambda: self.i(s, 1))
        heads: list[tuple[str, dict[str, str]]] = [
            (f"{p} in range({i()} % 4)", {"i": p}),
            (f"{p} in range({i()} % 3, {i()} % 5, {self.one('1', '2')})", {"i": p}),
            (
                f"{p} in range({i()} % 5, {self.one('-1', '0', f'{i()} % 3')}, {self.one('-1', '-2', f'-1 - {i()} % 2')})",
                {"i": p},
            ),
            (f"{p} in {self.I(s)}", {"i": p}),
            (f"{h} in {self.F(s, 1)}[:4]", {"f": h}),
            (f"{p}, {h} in enumerate({self.F(s, 1)}[:3], {i()})", {"i": p, "f": h}),
            (f"{h}, {p} in zip({self.F(s, 1)}, {self.I(s)})", {"i": p, "f": h}),
            (f"{h} in reversed({self.F(s, 2)}[:4])", {"f": h}),
            (f"{h} in ({f()}, {f()})", {"f": h}),
            (f"{p} in reversed(range({i()} % 4))", {"i": p}),
        ]
        if s.read["v"]:
            heads += [(f"{h} in {self.v(s)}", {"f": h}), (f"{p}, {h} in enumerate({self.v(s)})", {"i": p, "f": h})]
        if s.read["R"]:
            heads += [
                (f"{h} in {self.R(s)}[:3]", {"F": h}),
                (f"{p}, {h} in zip(range({i()} % 4), {self.R(s)})", {"i": p, "F": h}),
            ]
        if s.read["d"]:
            heads += [
                (f"{p}, {h} in {self.r.choice(s.read['d'])}.items()", {"f": h}),
                (f"{h} in {self.r.choice(s.read['d'])}.values()", {"f": h}),
            ]
        if s.read["V"]:
            heads += [(f"{h} in {self.r.choice(s.read['V'])}[:3]", {"v": h})]
        if s.read["m"]:
            heads += [(f"{h} in {self.r.choice(s.read['m'])}", {"v": h})]
        head, more = self.r.choice(heads)
        self.emit(indent, f"for {head}:")
        self.block(s.inner(True, **more), depth - 1, indent + 1)
        if self.chance(0.25):
            self.emit(indent, "else:")
            self.block(s, depth - 1, indent + 1, 2)

    def while_loop(self, s: Scope, depth: int, indent: int) -> None:
        c = self.fresh("c")
        self.emit(indent, f"{c} = {self.one('0', f'{self.i(s, 1)} % 3')}")
        inner = s.inner(True, i=c)
        kind = self.r.randrange(4)
        if kind == 0:
            self.emit(indent, "while True:")
            self.emit(indent + 1, f"{c} += 1")
            self.emit(indent + 1, f"if {c} > 3 or {self.b(s)}:")
            self.emit(indent + 2, "break")
        elif kind == 1:
            self.emit(indent, f"while ({c} := {c} + 1) < 5 and {self.b(s)}:")
        elif kind == 2:
            self.emit(indent, f"while {c} < 4 and ({self.b(inner)}):")
            self.emit(indent + 1, f"{c} += 1")
        else:
            self.emit(indent, f"{c} = 3 - {c}")
            self.emit(indent, f"while {c}:")
            self.emit(indent + 1, f"{c} -= 1")
        self.block(inner, depth - 1, indent + 1)
        if self.chance(0.3):
            self.emit(indent, "else:")
            self.block(s, depth - 1, indent + 1, 2)

    def trial(self, s: Scope, depth: int, indent: int) -> None:
        self.emit(indent, "try:")
        caught = self.chance(0.8)
        inner = s.inner(guarded=s.guarded or caught)
        self.block(inner, depth - 1, indent + 1)
        if self.chance(0.7):
            self.way_out(inner, 0, indent + 1)
        if caught:
            if self.chance(0.4):
                self.emit(indent, f"except {self.one('Late', 'KeyError', '(ValueError, IndexError)')}:")
                self.block(s, depth - 1, indent + 1, 2)
            self.emit(indent, f"except {self.one('Exception', '(Stop, ValueError, LookupError)', 'Exception as error')}:")
            self.block(s, depth - 1, indent + 1, 2)
            if self.chance(0.3):
                self.emit(indent, "else:")
                self.block(s, depth - 1, indent + 1, 2)
        if not caught or self.chance(0.4):
            self.emit(indent, "finally:")
            self.block(Scope(s.read, s.write, None), 0, indent + 1, 2)

    def context(self, s: Scope, depth: int, indent: int) -> None:
        c = self.fresh("k")
        maker = self.r.choice([*s.write["c"], f"Acc({self.f(s, 1)})"])
        self.emit(indent, f"with {maker} as {c}:")
        self.block(s.inner(c=c, f=f"{c}.a", i=f"{c}.n"), depth - 1, indent + 1)

    def choice(self, s: Scope, depth: int, indent: int) -> None:
        h, p = self.fresh("h"), self.fresh("p")
        kind = self.r.randrange(4)
        cases: list[tuple[str, dict[str, str]]]
        if kind == 0:
            self.emit(indent, f"match {self.i(s)} % 5:")
            cases = [("0 | 3", {}), (self.one("1", "2 | 4"), {}), (f"{p} if {self.b(s.inner(i=p), 1)}", {"i": p}), ("_", {})]
        elif kind == 1:
            self.emit(indent, f"match ({self.f(s)}, {self.i(s)} % 3):")
            cases = [
                (f"({h}, 0)", {"f": h}),
                (f"({h}, 1 | 2) if {self.b(s.inner(f=h), 1)}", {"f": h}),
                (f"({h}, {p})", {"f": h, "i": p}),
            ]
        elif kind == 2:
            self.emit(indent, f"match {self.F(s)}:")
            cases = [
                (f"[{h}]", {"f": h}),
                (f"[{h}, _]", {"f": h}),
                (f"[{h}, *_] if {self.b(s.inner(f=h), 1)}", {"f": h}),
                ("_", {}),
            ]
        else:
            c = self.r.choice(s.read["c"]) if s.read["c"] else f"({self.i(s)}, 1)"
            self.emit(indent, f"match {c}:")
            cases = [
                (f"Sub(a={h}, n={self.one('1', '2', '0')})", {"f": h}),
                (f"Acc(n={p}) if {self.b(s.inner(i=p), 1)}", {"i": p}),
                (self.one("Sub()", f"({p}, 1)"), {}),
                ("_", {}),
            ]
        for head, more in cases[: self.r.randint(2, 4)]:
            self.emit(indent + 1, f"case {head}:")
            self.block(s.inner(**more), depth - 1, indent + 2, 2)

    def nested(self, s: Scope, depth: int, indent: int) -> None:
        """A nested function that changes names outside, and calls of it."""
        g, h, p = self.fresh("fn"), self.fresh("h"), self.fresh("p")
        local = self.fresh("l")
        outer = [
            name
            for kind in "fib"
            for name in s.write[kind]
            if name not in ("N", "G") and "." not in name and self.chance(0.5)
        ]
        read = {k: [*s.read[k]] for k in KINDS}
        read["f"] += [h, local]
        read["i"].append(p)
        # What it does not declare would be a local name of its own.
        write = {k: [name for name in s.write[k] if name in outer] for k in KINDS}
        write["f"].append(local)
        write["i"].append(p)
        self.emit(indent, f"def {g}({h}, {p}=2):")
        for name in ("N", "G"):
            if name in [*s.write["f"], *s.write["i"]]:
                self.emit(indent + 1, f"global {name}")
        if outer:
            self.emit(indent + 1, f"nonlocal {', '.join(outer)}")
        self.emit(indent + 1, f"{local} = {h} * 0.5")
        inner = Scope(read, write, lambda scope: self.f(scope))
        self.block(inner, min(depth - 1, 2), indent + 1)
        if s.write["F"] and self.chance(0.4):
            xs = self.r.choice(s.write["F"])
            self.emit(indent + 1, f"{xs}[0] = {self.small(self.f(inner))}")
        self.emit(indent + 1, f"return {self.f(inner)}")
        to = self.r.choice(s.write["f"])
        call = f"{g}({self.f(s, 1)}{self.one('', f', {self.i(s, 1)}', f', {p}={self.i(s, 1)} % 3')})"
        if self.chance(0.3):
            self.emit(indent, f"for {self.fresh('r')} in range({self.i(s, 1)} % 3):")
            indent += 1
        self.emit(
            indent,
            self.one(
                f"{to} = np.tanh({call})",
                f"{to} += np.sin({call})",
                f"{to} = np.tanh(sum({g}(h) for h in {self.F(s, 2)}[:3]))",
                call,
            ),
        )

    def recursion(self, s: Scope, depth: int, indent: int) -> None:
        g, to = self.fresh("rec"), self.r.choice(s.write["f"])
        inner = s.inner(f="acc", i="depth")
        inner.loop = False
        kind = self.r.randrange(3)
        counter = self.one(*[name for name in s.write["i"] if name not in ("N",) and "." not in name])
        self.emit(indent, f"def {g}(depth, acc=0.5):")
        if kind == 1:
            self.emit(indent + 1, f"nonlocal {counter}" if counter != "N" else "global N")
            self.emit(indent + 1, f"{counter} += 1")
        self.emit(indent + 1, f"if depth <= 0 or {self.b(inner, 1)}:")
        self.emit(indent + 2, f"return {self.one('acc', self.f(inner, 1))}")
        if kind == 2:
            self.emit(
                indent + 1, f"return np.tanh({g}(depth // 2, {self.small(self.f(inner, 1))}) + {g}(depth - 2, acc * 0.5))"
            )
        else:
            self.emit(
                indent + 1,
                f"return {g}(depth - {self.one('1', '2')}, acc={self.small(self.f(inner, 1))}) * 0.5 + {self.f(inner, 1)}",
            )
        self.emit(indent, f"{to} = np.tanh({g}({self.i(s, 1)} % {self.one('4', '6')}{self.one('', f', {self.f(s, 1)}')}))")

    def unbound(self, s: Scope, depth: int, indent: int) -> None:
        """A name that is bound, or deleted, on some paths."""
        u, to = self.fresh("u"), self.r.choice(s.write["f"])
        kind = self.r.randrange(3)
        if kind == 0:
            self.emit(indent, f"if {self.b(s)}:")
            self.emit(indent + 1, f"{u} = {self.f(s)}")
        elif kind == 1:
            self.emit(indent, f"for {u} in {self.F(s, 1)}[:{self.i(s, 1)} % 3]:")
            self.emit(indent + 1, f"{to} = {self.small(self.f(s.inner(f=u)))}")
        else:
            self.emit(indent, f"{u} = {self.f(s)}")
            self.emit(indent, f"if {self.b(s)}:")
            self.emit(indent + 1, f"del {u}")
        if self.chance(0.5) and depth > 1:
            self.block(s, depth - 2, indent, 2)
        if self.chance(0.1):
            return self.emit(indent, f"{to} = np.tanh({u})")
        self.emit(indent, "try:")
        self.emit(indent + 1, f"{to} = np.tanh({u} + {self.f(s, 1)})")
        self.emit(indent, f"except {self.one('UnboundLocalError', 'NameError')}:")
        return self.emit(indent + 1, f"{to} = {self.small(self.f(s))}")

    def helper(self) -> None:
        """A function of the module: returns early, has parameters with values."""
        g = self.fresh("helper")
        kind = self.one("f", "f", "t", "o")
        read = names(f="p q a G", i="r i N", F="xs")
        write = names(f="a q", i="i", F="xs")

        def out(s: Scope) -> str:
            return {"f": self.f(s), "t": f"({self.f(s)}, {self.i(s)})", "o": self.one("None", self.f(s))}[kind]

        self.emit(0, f"def {g}(p, q=0.5, *, r=2):")
        if self.chance(0.5):
            self.emit(1, "global N")
            self.emit(1, "N += 1")
        for line in ("a, i = p * 0.5, r", "xs = [p, q]"):
            self.emit(1, line)
        spent, self.budget = self.budget, 4
        s = Scope(read, write, out)
        for _ in range(self.r.randint(1, 3)):
            self.statement(s, 2, 1)
        self.budget = spent
        self.emit(1, f"return {out(s)}")
        self.lines += ["", ""]
        self.helpers.append((g, kind))


def compiled(source: str, name: str) -> Any:
    """The function of a program, with its source where tools look for it, and its globals as they are at the start."""
    file = f"<random typed {name}>"
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    space: dict[str, Any] = {"np": np, "__name__": "random_typed", **GLOBALS}
    exec(compile(source, file, "exec"), space)  # noqa: S102
    return space["f"]
