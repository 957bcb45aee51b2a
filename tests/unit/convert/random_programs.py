"""Random Python functions full of control flow, over small integers."""

import random

VARIABLES = ("a", "b", "c", "d", "e")
INDENT = "    "


class Programs:
    """One random program per seed; it ends, and it says what it does through `record`."""

    def __init__(self, seed: int, *, depth: int = 3, size: int = 4) -> None:
        self.random = random.Random(seed)
        self.depth = depth
        self.size = size
        self.functions = 0
        self.declared_global = self.random.random() < 0.2

    def function(self) -> str:
        lines = ["def f(a, b):"]
        if self.declared_global:
            lines += ["    global e"]
        if self.random.random() < 0.7:
            lines += ["    c = 1", "    d = 2"]
        if self.random.random() < 0.5:
            lines += ["    e = 3"]
        lines += self.block(self.depth, in_loop=False, in_finally=False)
        if self.random.random() < 0.7:
            lines += [f"{INDENT}return {self.expression()}"]
        return "\n".join(lines) + "\n"

    def name(self) -> str:
        return self.random.choice(VARIABLES)

    def expression(self) -> str:
        choice = self.random.random()
        if choice < 0.35:
            return self.name()
        if choice < 0.5:
            return str(self.random.randint(-3, 5))
        if choice < 0.9:
            return f"{self.name()} {self.random.choice('+-*')} {self.random.choice([self.name(), '1', '2'])}"
        return f"({self.name()} := {self.name()} + 1)"

    def test(self) -> str:
        left = f"({self.expression()}) % {self.random.randint(2, 4)}"
        test = f"{left} {self.random.choice(['==', '<', '>', '!='])} {self.random.randint(0, 2)}"
        if self.random.random() < 0.15:
            test = f"{test} {self.random.choice(['and', 'or'])} {self.name()} > {self.random.randint(0, 4)}"
        return test

    def block(self, depth: int, *, in_loop: bool, in_finally: bool) -> list[str]:
        lines: list[str] = []
        for _ in range(self.random.randint(1, self.size)):
            lines += self.statement(depth, in_loop=in_loop, in_finally=in_finally)
        return [INDENT + line for line in lines]

    def statement(self, depth: int, *, in_loop: bool, in_finally: bool) -> list[str]:
        choice = self.random.random()
        inside = {"in_loop": in_loop, "in_finally": in_finally}
        if depth == 0 or choice < 0.42:
            return self.simple(**inside)
        if choice < 0.47:
            return self.match(depth, **inside)
        if choice < 0.64:
            lines = [f"if {self.test()}:", *self.block(depth - 1, **inside)]
            while self.random.random() < 0.25:
                lines += [f"elif {self.test()}:", *self.block(depth - 1, **inside)]
            if self.random.random() < 0.5:
                lines += ["else:", *self.block(depth - 1, **inside)]
            return lines
        if choice < 0.82:
            return self.loop(depth, **inside)
        if choice < 0.92:
            return self.attempt(depth, **inside)
        if choice < 0.96:
            manager = self.random.choice(["plain()", f"plain() as {self.name()}", "suppress(ValueError)"])
            return [f"with {manager}:", *self.block(depth - 1, **inside)]
        self.functions += 1
        return self.nested(f"g{self.functions}")

    def loop(self, depth: int, *, in_loop: bool, in_finally: bool) -> list[str]:
        choice = self.random.random()
        if choice < 0.25:
            head = "while True:"
        elif choice < 0.5:
            head = f"while {self.test()}:"
        elif choice < 0.6:
            head = f"for {self.name()}, {self.name()} in ((1, 2), (3, 1)):"
        else:
            head = f"for {self.name()} in range({self.random.randint(0, 4)}):"
        body = self.block(depth - 1, in_loop=True, in_finally=False)
        if head.startswith("while"):
            body = [f"{INDENT}tick()", *body]
        if head == "while True:":
            body.append(f"{INDENT}if {self.test()}: {self.random.choice(['break', 'break', 'return b'])}")
        lines = [head, *body]
        if self.random.random() < 0.25:
            lines += ["else:", *self.block(depth - 1, in_loop=in_loop, in_finally=in_finally)]
        return lines

    def match(self, depth: int, *, in_loop: bool, in_finally: bool) -> list[str]:
        subjects = [
            "a",
            "(a, b)",
            "[a, (b, c)]",
            "{'k': a, 'm': [b]}",
            "Point(a, b)",
            "f'{a}'",
            "(1, 2, a, b)",
        ]
        heads: list[str] = []
        for _ in range(self.random.randint(1, 4)):
            guard = f" if {self.test()}" if self.random.random() < 0.3 else ""
            heads.append(f"case {self.pattern(2)}{guard}:")
        trial = ["match 0:", *(f" {head} pass" for head in heads)]
        try:
            compile("\n".join(trial), "<trial>", "exec")
        except SyntaxError:  # a name bound twice, or a case that can't be reached
            return self.match(depth, in_loop=in_loop, in_finally=in_finally)
        lines = [f"match {self.random.choice(subjects)}:"]
        for head in heads:
            body = self.block(depth - 1, in_loop=in_loop, in_finally=in_finally)
            lines += [INDENT + head, *(INDENT + line for line in body)]
        return lines

    def pattern(self, depth: int) -> str:
        choice = self.random.random()
        if depth == 0 or choice < 0.5:
            return self.random.choice(
                [*VARIABLES, "_", "0", "1", "2", "None", "-1", "int()", "str(a)", "int(b)"]
            )
        inner = [self.pattern(depth - 1) for _ in range(self.random.randint(1, 3))]
        if choice < 0.65:
            return f"({inner[0]}) as {self.name()}"
        if choice < 0.75:
            return f"({' | '.join(inner)})"
        if choice < 0.9:
            star = self.random.choice(["", "", f", *{self.name()}", ", *_"])
            inner.insert(1, inner[0] + star)
            return f"[{', '.join(inner[1:])}]"
        if choice < 0.95:
            rest = f", **{self.name()}" if self.random.random() < 0.5 else ""
            return f"{{'k': {inner[0]}{rest}}}"
        return self.random.choice(
            [f"Point({inner[0]})", f"Point({inner[0]}, y={inner[-1]})", f"Point(y={inner[0]})"]
        )

    def attempt(self, depth: int, *, in_loop: bool, in_finally: bool) -> list[str]:
        inside = {"in_loop": in_loop, "in_finally": in_finally}
        lines = ["try:", *self.block(depth - 1, **inside)]
        handled = self.random.random() < 0.7
        if handled:
            caught = self.random.choice(
                ["except ValueError:", f"except (ValueError, NameError) as {self.name()}:"]
            )
            lines += [caught, *self.block(depth - 1, **inside)]
            if self.random.random() < 0.3:
                lines += ["else:", *self.block(depth - 1, **inside)]
        if not handled or self.random.random() < 0.4:
            jumps = self.random.random() < 0.1  # a jump in `finally` swallows the exception
            lines += ["finally:", *self.block(depth - 1, in_loop=in_loop and jumps, in_finally=not jumps)]
        return lines

    def nested(self, name: str) -> list[str]:
        variable = self.name()
        if self.random.random() < 0.4 and not (variable == "e" and self.declared_global):
            # `nonlocal` needs the variable bound in the function, so bind it here.
            body = [f"nonlocal {variable}", f"{variable} = {variable} + 1", f"return {variable}"]
            define = [f"{variable} = 1", f"def {name}():", *(INDENT + line for line in body)]
        else:
            define = [f"def {name}(): return {variable} + 1"]
        if self.random.random() < 0.3:
            define = [f"{name} = lambda: {variable} * 2"]
        return [*define, f"record({name}())"]

    def simple(self, *, in_loop: bool, in_finally: bool) -> list[str]:
        choice = self.random.random()
        if choice < 0.4:
            return [f"{self.name()} = {self.expression()}"]
        if choice < 0.5:
            return [f"{self.name()} += {self.random.randint(1, 3)}"]
        if choice < 0.64:
            return [f"record({self.expression()})"]
        if choice < 0.66:
            return [f"del {self.name()}"]
        if choice < 0.69:
            return [f"raise ValueError({self.random.randint(0, 9)})"]
        if choice < 0.72:
            return [f"{self.name()}, {self.name()} = {self.name()}, {self.expression()}"]
        if choice < 0.74:
            return [f"{self.random.choice('abcd')}: int = {self.expression()}"]
        if choice < 0.76:
            return [f"record([{self.name()} + i for i in range(2)])"]
        if in_loop and choice < 0.92:
            return [self.random.choice(["break", "continue"])]
        if choice < 0.97 and not in_finally:
            return [self.random.choice([f"return {self.expression()}", "return 7", "return"])]
        return [f"record({self.name()})"]
