"""Random expressions by kind: what they may read is in a scope. The statements around them are made in `random_typed`."""

from __future__ import annotations

import random
from collections.abc import Callable

# What a name holds: f float, i integer, b flag, v/w/m arrays, g a float32 number, F/I lists of numbers, R a list of lists of
# floats, V a list of vectors, t a pair (float, integer), d a dictionary, o a float or None, c an object.
KINDS = "f i b v w m g F I R V t d o c".split()


class Scope:
    """What may be read and written in a block, and which ways lead out of it."""

    def __init__(self, read: dict[str, list[str]], write: dict[str, list[str]], out: Callable[[Scope], str] | None) -> None:
        self.read, self.write, self.out = read, write, out
        self.loop = self.guarded = False

    def inner(self, loop: bool | None = None, guarded: bool | None = None, **more: str) -> Scope:
        """The scope of a block within, with names to read, `f="v1 v2"`."""
        read = {k: [*self.read[k], *more.get(k, "").split()] for k in KINDS}
        scope = Scope(read, self.write, self.out)
        scope.loop = self.loop if loop is None else loop
        scope.guarded = self.guarded if guarded is None else guarded
        return scope


def names(**kinds: str) -> dict[str, list[str]]:
    """A table of names, `f="a b"`."""
    return {k: kinds.get(k, "").split() for k in KINDS}


class Expressions:
    """Makes expressions: a method for each kind."""

    def __init__(self, seed: int) -> None:
        self.r = random.Random(seed)
        self.count = 0
        self.helpers: list[tuple[str, str]] = []  # functions that may be called, and the kinds of what they return

    def fresh(self, stem: str) -> str:
        self.count += 1
        return f"{stem}{self.count}"

    def chance(self, p: float) -> bool:
        return self.r.random() < p

    def one(self, *texts: str) -> str:
        return self.r.choice(texts)

    def f(self, s: Scope, depth: int = 0) -> str:
        if depth > 1 or self.chance(0.35):
            return self.r.choice(s.read["f"]) if self.chance(0.85) else f"{self.r.uniform(-2, 2):.2f}"
        d = depth + 1
        f, i, b = (lambda: self.f(s, d)), (lambda: self.i(s, d)), (lambda: self.b(s, d))
        w = self.fresh("h")
        sw = s.inner(f=w)
        texts: list[Callable[[], str]] = [
            lambda: f"({f()} {self.one('+', '-', '*')} {f()})",
            lambda: f"({f()} {self.one('+', '-', '*')} {f()})",
            lambda: f"({f()} / (1.5 + abs({f()})))",
            lambda: f"({f()} {self.one('%', '//')} {self.one('0.7', '-1.3', '2')})",
            lambda: f"({f()} if {b()} else {f()})",
            lambda: f"({f()} {self.one('and', 'or')} {f()})",
            lambda: f"{self.one('max', 'min')}({f()}, {f()}, {f()})",
            lambda: f"{self.one('abs', '-', '+')}({f()})",
            lambda: f"np.{self.one('tanh', 'sin', 'cos', 'abs', 'arctan')}({f()})",
            lambda: f"({i()} / {self.one('4', '3', '-2')})",
            lambda: f"(abs({f()}) + 0.1) ** {self.one('2', '0.5', '3')}",
            lambda: f"{self.one('min', 'max', 'sum')}({w} {'*-'[d % 2]} {self.f(sw, d)} for {w} in {self.F(s, d)}) / 3",
            lambda: f"sum([{self.f(sw, d)} for {w} in {self.F(s, d)} if {self.b(sw, d)}]) * 0.25",
            lambda: f"sum({self.f(s.inner(F=w), d)} * {w}[0] for {w} in {self.R(s)}) * 0.2" if s.read["R"] else f(),
            lambda: f"{self.item(s, 'F')}",
            lambda: f"{self.item(s, 'F')}",
            lambda: f"{self.item(s, 'R')}[{self.one('0', '-1')}]" if s.read["R"] else f(),
            lambda: f"{self.v(s, d)}[{self.index(s, '3')}]" if s.read["v"] else f(),
            lambda: f"np.{self.one('sum', 'mean', 'max', 'min')}({self.v(s, d)})" if s.read["v"] else f(),
            lambda: f"np.dot({self.v(s, d)}, {self.v(s, d)})" if s.read["v"] else f(),
            lambda: f"{self.r.choice(s.read['m'])}[{self.index(s, '3')}, {self.index(s, '3')}]" if s.read["m"] else f(),
            lambda: f"{self.r.choice(s.read['t'])}[0]" if s.read["t"] else f(),
            lambda: f'{self.r.choice(s.read["d"])}["{self.one("a", "b")}"]' if s.read["d"] else f(),
            lambda: f'{self.r.choice(s.read["d"])}.get("{self.one("c", "a")}", {f()})' if s.read["d"] else f(),
            lambda: self.optional(s, f()),
            lambda: f"{self.r.choice(s.read['c'])}.{self.one('a', 'mean')}" if s.read["c"] else f(),
            lambda: f"round({f()}, 2)",
            lambda: f"(lambda {w}, o=0.5: {w} * o + {f()})({f()})",
        ]
        if self.helpers:
            texts += [lambda: self.call(s, d)] * 3
        return self.r.choice(texts)()

    def call(self, s: Scope, d: int) -> str:
        """A call of a helper function."""
        name, kind = self.r.choice(self.helpers)
        more = self.one(
            "", f", {self.f(s, d)}", f", r={self.i(s, d)}", f", q={self.f(s, d)}", f", r={self.i(s, d)}, q={self.f(s, d)}"
        )
        text = f"{name}({self.f(s, d)}{more})"
        return text if kind == "f" else f"{text}[0]" if kind == "t" else f"({text} or 0.5)"

    def optional(self, s: Scope, other: str) -> str:
        if not s.read["o"]:
            return other
        name = self.r.choice(s.read["o"])
        return self.one(
            f"({other} if {name} is None else {name})",
            f"({name} if {name} is not None else {other})",
            f"({name} or {other})",
        )

    def i(self, s: Scope, depth: int = 0) -> str:
        if depth > 1 or self.chance(0.4):
            return self.r.choice(s.read["i"]) if self.chance(0.8) else str(self.r.randint(-4, 6))
        d = depth + 1
        i, f = (lambda: self.i(s, d)), (lambda: self.f(s, d))
        w = self.fresh("h")
        sw = s.inner(i=w)
        texts: list[Callable[[], str]] = [
            lambda: f"({i()} {self.one('+', '-', '*')} {i()})",
            lambda: f"({i()} {self.one('//', '%')} {self.one('2', '3', '-3', '-1', '7')})",
            lambda: f"({i()} {self.one('//', '%')} ({i()} or {self.one('2', '-5')}))",
            lambda: f"({i()} {self.one('&', '|', '^')} {i()})",
            lambda: f"({i()} {self.one('<<', '>>')} ({i()} & {self.one('3', '7')}))",
            lambda: f"({i()} % 5) ** ({i()} % 3)",
            lambda: f"({i()} if {self.b(s, d)} else {i()})",
            lambda: f"{self.one('max', 'min')}({i()}, {i()})",
            lambda: f"{self.one('abs', '-', '~')}({i()})",
            lambda: f"{self.one('int', 'round')}({f()})",
            lambda: f"(({w} := {i()}) {self.one('+', '*', '-')} {w} % 3)" if not depth else i(),
            lambda: f"divmod({i()}, {self.one('3', '-4')})[{self.one('0', '1')}]",
            lambda: f"len({self.r.choice(s.read[self.one('F', 'I')] or s.read['F'])})" if s.read["F"] else i(),
            lambda: self.item(s, "I") if s.read["I"] else i(),
            lambda: f"sum({w} {self.one('%', '*', '+')} 3 for {w} in {self.I(s, d)} if {self.b(sw, d)})",
            lambda: f"len([{w} for {w} in {self.I(s, d)} if {self.b(sw, d)}])",
            lambda: f"({self.b(s, d)}) + {i()}",
            lambda: f"{self.r.choice(s.read['t'])}[1]" if s.read["t"] else i(),
            lambda: f"{self.one('max', 'min')}({w} * {i()} for {w} in {self.I(s, d)})",
            lambda: f"{self.r.choice(s.read['c'])}.n" if s.read["c"] else i(),
            lambda: f"pow({i()} % 6, 2, 7)",
            lambda: f"int(np.{self.one('argmax', 'argmin')}({self.v(s, d)}))" if s.read["v"] else i(),
        ]
        return self.r.choice(texts)()

    def b(self, s: Scope, depth: int = 0) -> str:
        d = depth + 1
        f, i, b = (lambda: self.f(s, d)), (lambda: self.i(s, d)), (lambda: self.b(s, d))
        if depth > 1:
            return self.one(f"{f()} < {f()}", f"{i()} > {i()}", *s.read["b"])
        w = self.fresh("h")
        sw = s.inner(f=w)
        texts: list[Callable[[], str]] = [
            lambda: f"{f()} {self.one('<', '>', '<=', '>=')} {f()}",
            lambda: f"{i()} {self.one('<', '>', '==', '!=', '>=')} {i()}",
            lambda: f"{i()} {self.one('<', '<=')} {i()} {self.one('<', '!=', '>')} {i()}",
            lambda: f"{f()} < {f()} {self.one('<', '<=', '>')} {f()}",
            lambda: f"({b()} {self.one('and', 'or')} {b()})",
            lambda: f"(not {b()})",
            lambda: f"{i()} % 2 == {self.one('0', '1')}",
            lambda: f"({w} := {f()}) > 0.2 and {w} < 1.5" if not depth else b(),
            lambda: f"{self.one('any', 'all')}({w} > {f()} for {w} in {self.F(s, d)})",
            lambda: f"{self.one('any', 'all')}([{self.b(sw, d)} for {w} in {self.F(s, d)}])",
            lambda: f"{i()} {self.one('in', 'not in')} {self.I(s, d)}",
            lambda: f"np.{self.one('any', 'all')}({self.v(s, d)} > {f()})" if s.read["v"] else b(),
            lambda: f"{self.r.choice(s.read['o'])} {self.one('is', 'is not')} None" if s.read["o"] else b(),
            lambda: f'"c" {self.one("in", "not in")} {self.r.choice(s.read["d"])}' if s.read["d"] else b(),
            lambda: self.r.choice(s.read["b"]) if s.read["b"] else b(),
            lambda: f"bool({self.one(f(), i())})",
            lambda: f"({i()}, {f()}) {self.one('<', '>=')} ({i()}, {f()})",
            lambda: f"isinstance({self.one(*s.read['c'])}, Sub)" if s.read["c"] else b(),
            lambda: f"({b()}) {self.one('!=', '==', '^')} ({b()})",
        ]
        return self.r.choice(texts)()

    def v(self, s: Scope, depth: int = 0) -> str:
        """A new float64 vector of 3."""
        v, f = (lambda: self.v(s, depth + 1)), (lambda: self.f(s, depth + 1))
        if not s.read["v"]:
            return f"np.array([{f()}, {f()}, 0.5])"
        name = self.r.choice(s.read["v"])
        if depth > 1:
            return f"({name} * {self.one('1.0', '0.5')})"
        texts: list[Callable[[], str]] = [
            lambda: f"({v()} {self.one('+', '-', '*')} {f()})",
            lambda: f"({v()} {self.one('+', '-', '*')} {v()})",
            lambda: f"np.{self.one('tanh', 'sin', 'abs')}({v()})",
            lambda: f"np.where({v()} > {f()}, {v()}, {f()})",
            lambda: f"np.{self.one('maximum', 'minimum')}({v()}, {f()})",
            lambda: f"np.tanh({self.r.choice(s.read['m'])} @ {v()})" if s.read["m"] else v(),
            lambda: f"(np.array([{f()}, {f()}, {f()}]) + {v()})",
            lambda: f"({v()} if {self.b(s, depth + 1)} else {v()})",
            lambda: f"({v()}[::-1] * 1.0)",
            lambda: f"({self.w(s, depth + 1)} * {v()})" if s.read["w"] else v(),
            lambda: f"({self.r.choice(s.read['m'])}[{self.index(s, '3')}] + {v()})" if s.read["m"] else v(),
            lambda: f"(sum({self.r.choice(s.read['V'])}) * 0.3)" if s.read["V"] else v(),
            lambda: f"({self.item(s, 'V')} * 1.0)" if s.read["V"] else v(),
            lambda: f"np.cumsum({v()})",
        ]
        return self.r.choice(texts)()

    def w(self, s: Scope, depth: int = 0) -> str:
        """A new float32 vector of 3."""
        name = self.r.choice(s.read["w"])
        if depth > 1:
            return f"({name} * 2)"
        w, g = (lambda: self.w(s, depth + 1)), (lambda: self.g(s))
        i, f = self.i(s, 1), self.f(s, 1)
        return self.one(
            f"({w()} + {g()})",
            f"({w()} * {w()} * 0.5)",
            f"np.tanh({w()})",
            f"({w()} * np.float32(0.75))",
            f"({w()} - np.float32(1.5))",
            f"np.where({w()} > {g()}, {w()}, {g()})",
            f"({w()} / 2)",
        )

    def g(self, s: Scope) -> str:
        """A float32 number."""
        name, w = self.r.choice(s.read["g"]), self.r.choice(s.read["w"])
        return self.one(
            name,
            f"np.tanh({name} * 0.5 + 1)",
            f"np.max({w})",
            f"np.sum({w}) * 0.2",
            f"{w}[{self.index(s, '3')}]",
            f"({name} if {self.b(s, 2)} else {w}[1])",
        )

    def m(self, s: Scope) -> str:
        m = self.r.choice(s.read["m"])
        return self.one(
            f"np.tanh({m} @ {m})",
            f"({m} * {self.f(s, 1)})",
            f"({m}.T + {self.v(s, 1)})",
            f"np.outer({self.v(s, 1)}, {self.v(s, 2)})",
            f"np.where({m} > {self.f(s, 1)}, {m}, 0.5)",
            f"({m} - np.mean({m}, axis=0))",
        )

    def F(self, s: Scope, depth: int = 0) -> str:
        """A list of floats, never empty."""
        f = lambda: self.f(s, 1 + depth)
        w = self.fresh("h")
        sw = s.inner(f=w)
        name = self.r.choice(s.read["F"]) if s.read["F"] else f"[{f()}, {f()}]"
        if depth > 1:
            return name
        return self.one(
            name,
            name,
            f"[{f()}, {f()}]",
            f"{name}[::-1]",
            f"({name}[1:] or [{f()}])",
            f"({name} + [{f()}])",
            f"sorted({name})",
            f"[{self.f(sw, 1 + depth)} for {w} in {name}]",
            f"([{w} for {w} in {name} if {self.b(sw, 1 + depth)}] or [{f()}])",
            f"({name}[:{self.i(s, 1)} % 3 + 1])",
            f"[{f()}, *{name}]",
            f"list(reversed({name}))",
        )

    def I(self, s: Scope, depth: int = 0) -> str:  # noqa: E743
        """A list, tuple or range of integers, never empty."""
        i = lambda: self.i(s, 1 + depth)
        w = self.fresh("h")
        sw = s.inner(i=w)
        name = self.r.choice(s.read["I"]) if s.read["I"] else f"[{i()}, {i()}]"
        if depth > 1:
            return name
        return self.one(
            name,
            f"[{i()}, {i()}, 2]",
            f"({i()}, {i()})",
            f"range({i()} % 3 + 1)",
            f"range({i()} % 4 + 1, -1, {self.one('-1', '-2')})",
            f"[{self.i(sw, 1 + depth)} % 9 for {w} in {name}]",
            f"({name}[1:] or [{i()}])",
            f"sorted({name})",
            f"{name}[::-1]",
        )

    def R(self, s: Scope) -> str:
        name = self.r.choice(s.read["R"])
        return self.one(name, name, f"{name}[::-1]", f"({name}[1:] or [[{self.f(s, 2)}]])")

    def index(self, s: Scope, length: str) -> str:
        return self.one(
            self.one("0", "-1", "1" if length == "3" else "0"),
            f"{self.i(s, 1)} % {length}",
            f"-1 - {self.i(s, 1)} % {length}",
        )

    def item(self, s: Scope, kind: str) -> str:
        if not s.read[kind]:
            return f"[{self.f(s, 2)}][0]"
        name = self.r.choice(s.read[kind])
        return f"{name}[{self.index(s, f'len({name})')}]"
