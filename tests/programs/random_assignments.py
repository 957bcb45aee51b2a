"""Random statements that bind names, or change lists, dictionaries, objects and arrays in place."""

from __future__ import annotations

from tests.programs.random_expressions import KINDS, Expressions, Scope


class Assignments(Expressions):
    """Makes the statements that hold no others, each a line or two."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.lines: list[str] = []

    def emit(self, indent: int, text: str) -> None:
        self.lines.append("    " * indent + text)

    def small(self, text: str) -> str:
        """A float of moderate size."""
        return self.one(f"np.tanh({text})", f"max(-2.0, min(2.0, {text}))", f"({text}) / 2 % 1.5", f"np.sin({text})")

    def assign(self, s: Scope, depth: int, indent: int) -> None:
        pick = {k: self.r.choice(s.write[k]) for k in KINDS if s.write[k]}
        F = self.r.choice(s.write["f"])
        I = self.r.choice(s.write["i"])
        f, i = self.f(s), self.i(s)
        texts = [
            f"{F} = {self.small(f)}",
            f"{F} {self.one('+=', '-=', '*=')} np.tanh({f})",
            f"{I} = ({i}) % 9",
            f"{I} = ({i}) % 9 - 4",
            f"{I} {self.one('+=', '-=', '^=', '|=')} ({i}) % 4",
            f"{I} {self.one('//=', '%=', '>>=', '&=')} {self.one('2', '3')}",
            f"{F} = {self.one('0.5', '-1.25', '1.0')}",
            f"{F}, {I} = {self.small(f)}, ({i}) % 6",
            f"{F}, *_, {I} = {self.small(f)}, 1, ({i}) % 5",
        ]
        if len(s.write["f"]) > 1:
            f1, f2 = self.r.sample(s.write["f"], 2)
            texts += [f"{f1}, {f2} = {f2}, {self.small(f)}", f"{f1} = {f2} = {self.small(f)}"]
        makers = {
            "b": lambda: self.b(s),
            "v": lambda: f"np.tanh({self.v(s)})",
            "w": lambda: f"np.tanh({self.w(s)})",
            "m": lambda: f"np.tanh({self.m(s)})",
            "g": lambda: self.g(s),
            "t": lambda: f"({self.small(f)}, {i} % 8)",
            "o": lambda: self.one("None", f, f),
            "I": lambda: f"[{i} % 9, {self.i(s)} % 7]",
        }
        for kind, maker in makers.items():
            if kind in pick:
                texts.append(f"{pick[kind]} = {maker()}")
        if "o" in pick:
            o = pick["o"]
            texts.append(f"{o} = {f} if {o} is None or {o} < {f} else {o}")
        if "t" in pick and len(s.write["i"]):
            texts.append(f"{F}, {I} = {pick['t']}")
        self.emit(indent, self.r.choice(texts))

    def change(self, s: Scope, depth: int, indent: int) -> None:
        """Change a container in place, or bind it anew."""
        makers = [
            m
            for kind, m in (
                ("F", self.change_list),
                ("R", self.change_rows),
                ("d", self.change_dict),
                ("c", self.change_object),
                ("v", self.change_array),
                ("V", self.change_arrays),
            )
            if s.write[kind]
        ]
        makers += makers[:1]
        if not makers:
            return self.assign(s, depth, indent)
        return self.r.choice(makers)(s, indent)

    def change_list(self, s: Scope, indent: int) -> None:
        xs = self.r.choice([*s.write["F"], *(["c.xs"] if "c" in s.write["c"] else [])])
        f, other = self.small(self.f(s)), self.F(s)
        at = self.index(s, f"len({xs})")
        kind = self.r.randrange(21)
        if kind < 7:
            self.emit(indent, f"if len({xs}) < 9:")
            self.emit(
                indent + 1,
                self.one(
                    f"{xs}.append({f})",
                    f"{xs}.append({f})",
                    f"{xs}.insert({self.i(s, 1)} % 3, {f})",
                    f"{xs}.extend([{f}, 0.5])",
                    f"{xs} += [{f}]",
                    f"{xs} = {xs} + [{f}]",
                    f"{xs}[1:1] = [{f}]",
                ),
            )
        elif kind < 10:
            self.emit(indent, f"if len({xs}) > 1:")
            target = self.r.choice(s.write["f"])
            self.emit(
                indent + 1,
                self.one(
                    f"{target} = {xs}.pop()",
                    f"{target} = {xs}.pop(0)",
                    f"del {xs}[{at}]",
                    f"{target}, *{xs} = {xs}",
                    f"*{xs}, {target} = {xs}",
                    f"{xs}.remove({xs}[{at}])",
                    f"{xs} = {xs}[1:]",
                ),
            )
        elif kind < 17:
            self.emit(
                indent,
                self.one(
                    f"{xs}[{at}] = {f}",
                    f"{xs}[{at}] {self.one('+=', '*=', '-=')} {f}",
                    f"{xs}[0], {xs}[-1] = {xs}[-1], {xs}[0]",
                    f"{xs}[:1] = [{f}]",
                ),
            )
        elif kind < 18:
            self.emit(indent, self.one(f"{xs}.reverse()", f"{xs}.sort()", f"{xs}.sort(key=lambda h: -h)"))
        else:
            values = [f"{other}[:6]", f"[{f}, {self.f(s, 1)}]"] + [name for name in s.write["F"] if "." not in xs]
            self.emit(indent, f"{xs} = {self.r.choice(values)}")

    def change_rows(self, s: Scope, indent: int) -> None:
        rows, f = self.r.choice(s.write["R"]), self.small(self.f(s))
        at = self.index(s, f"len({rows})")
        xs = self.r.choice(s.read["F"])
        text = self.one(
            f"{rows}[{at}].append({f})",
            f"{rows}[{at}][{self.one('0', '-1')}] {self.one('=', '+=')} {f}",
            f"{rows}[{at}] = [{f}, 0.5]",
            f"{rows}[{self.one('0', '-1')}] = {xs}",
            f"{rows} = [[{f}], *{rows}[:3]]",
            f"{rows} = [[h * 0.5 for h in r] for r in {rows}]",
            f"{rows}.reverse()",
            f"{rows}[0], {rows}[-1] = {rows}[-1], {rows}[0]",
        )
        if "append" in text or self.chance(0.2):
            self.emit(indent, f"if len({rows}) < 6 and len({rows}[{at}]) < 6:")
            indent += 1
            text = self.one(text, text, f"{rows}.append([{f}])")
        self.emit(indent, text)

    def change_dict(self, s: Scope, indent: int) -> None:
        d, f = self.r.choice(s.write["d"]), self.small(self.f(s))
        key = self.one('"a"', '"b"')
        self.emit(
            indent,
            self.one(
                f"{d}[{key}] = {f}",
                f"{d}[{key}] {self.one('+=', '*=')} {f}",
                f'{d}["c"] = {f}',
                f"{d} = {{**{d}, {key}: {f}}}",
                f'{self.r.choice(s.write["f"])} = {d}.pop("c", {f})',
                f'{self.r.choice(s.write["f"])} = {d}.setdefault("c", {f})',
                f"{d}.update({{{key}: {f}}})",
                f"{d} = {{h: g * 0.5 for h, g in {d}.items()}}",
            ),
        )

    def change_object(self, s: Scope, indent: int) -> None:
        c, f, i = self.r.choice(s.write["c"]), self.small(self.f(s)), self.i(s)
        self.emit(
            indent,
            self.one(
                f"{c}.a = {f}",
                f"{c}.a {self.one('+=', '*=')} {f}",
                f"{c}.n = ({i}) % 6",
                f"{c}.n += 1",
                f"{self.r.choice(s.write['f'])} = {c}.push({f})",
                f"{c}.push({f}, keep={self.b(s)})",
                f"{c}.push({f}, keep={self.b(s)})",
                f"{c} = {self.one('Acc', 'Sub')}({f}, n={i} % 3)",
                f"{c}.xs = [{f}, *{c}.xs[:4]]",
                f"{c}.xs = {self.r.choice(s.read['F'])}",
            ),
        )

    def change_array(self, s: Scope, indent: int) -> None:
        kind = self.one("v", "v", "m") if s.write["m"] else "v"
        q, f = self.r.choice(s.write[kind]), self.small(self.f(s))
        at = (
            self.index(s, "3")
            if kind == "v"
            else self.one(f"{self.index(s, '3')}, {self.index(s, '3')}", self.index(s, "3"), f":, {self.index(s, '3')}")
        )
        self.emit(
            indent,
            self.one(
                f"{q}[{at}] = {f}", f"{q}[{at}] {self.one('+=', '*=')} {f}", f"{q}[{self.one('1:', ':2', '::2')}] = {f}"
            ),
        )

    def change_arrays(self, s: Scope, indent: int) -> None:
        vs, v = self.r.choice(s.write["V"]), f"np.tanh({self.v(s)})"
        self.emit(
            indent,
            self.one(
                f"{vs}[{self.index(s, f'len({vs})')}] = {v}",
                f"{vs} = [*{vs}[-3:], {v}]",
                f"{vs} = {vs}[:3] + [{v}]",
                f"{vs} = [h * 0.5 for h in {vs}]",
            ),
        )
