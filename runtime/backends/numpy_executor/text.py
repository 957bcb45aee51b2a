"""Pieces of generated source: expressions that remember which graph node each part came from, and source templates."""

from __future__ import annotations

import itertools
import re
from functools import lru_cache
from typing import Any

from runtime.ir.graph import Node
from runtime.typesys.late import pattern

__all__ = ["Expr", "Template", "join", "operator_template", "overlapping", "parse_template"]

_NAME = pattern(r"[A-Za-z_]\w*")


class Expr:
    """Source of an expression. `atom`: needs no parentheses; `spans`: (start, end, node) of the calls inside it."""

    __slots__ = ("atom", "spans", "text")

    def __init__(self, text: str, atom: bool = True, spans: tuple[tuple[int, int, Node], ...] = ()) -> None:
        self.text = text
        self.atom = atom
        self.spans = spans

    @property
    def is_name(self) -> bool:
        return self.text.isidentifier()

    @property
    def names(self) -> set[str]:
        """The words in the text: the variables it reads, and more."""
        return set(_NAME.findall(self.text))

    def of(self, node: Node) -> Expr:
        """This expression, all of it the doing of `node`."""
        return Expr(self.text, self.atom, (*self.spans, (0, len(self.text), node)))

    def __repr__(self) -> str:
        return self.text


def join(parts: list[str | Expr]) -> Expr:
    """Strings and expressions, one after the other."""
    text = ""
    spans: list[tuple[int, int, Node]] = []
    for part in parts:
        if isinstance(part, Expr):
            start = len(text)
            spans += [(start + a, start + b, node) for a, b, node in part.spans]
            text += part.text
        else:
            text += part
    return Expr(text, False, tuple(spans))


def overlapping(names: list[str], exprs: list[Expr]) -> bool:
    """Whether a name assigned earlier is read by a later expression."""
    assigned: set[str] = set()
    for name, expr in zip(names, exprs, strict=True):
        if assigned & expr.names:
            return True
        assigned.add(name)
    return False


class Template:
    """A parsed source template: literal text alternating with fields.

    `ordered`: every operand appears once, in order, so operands may be expressions evaluated where they stand.
    """

    __slots__ = ("atom", "fields", "literals", "ordered")

    def __init__(self, literals: list[str], fields: list[tuple[str, bool]], arity: int, atom: bool) -> None:
        self.literals = literals
        self.fields = fields
        self.atom = atom
        self.ordered = [f for f, _ in fields if f.isdigit()] == [str(i) for i in range(arity)]

    def fill(self, operands: list[Expr], attrs: dict[str, str]) -> Expr:
        """The source with operands and attributes put in."""
        parts: list[str | Expr] = [self.literals[0]]
        for (field, bare), after in zip(self.fields, self.literals[1:], strict=True):
            if field.isdigit():
                operand = operands[int(field)]
                parts += [operand] if bare or operand.atom else ["(", operand, ")"]
            else:
                parts.append(attrs[field])
            parts.append(after)
        out = join(parts)
        return Expr(out.text, self.atom, out.spans)


_CALL = pattern(r"[A-Za-z_][\w.]*\(.*\)|\{0\}\.\w+\(.*\)|\{0\}\[[^\[\]]*\]|\{0\}\.\w+", re.DOTALL)


@lru_cache(maxsize=4096)
def parse_template(template: str) -> Template:
    """Split a source template at its fields.

    >>> parse_template("{0} + {1}").fields
    [('0', False), ('1', False)]
    """
    from string import Formatter

    literals = [""]
    fields: list[tuple[str, bool]] = []
    for literal, field, _, _ in Formatter().parse(template):
        literals[-1] += literal
        if field is not None:
            fields.append((field, False))
            literals.append("")
    ends = itertools.pairwise(literals)
    bare = [before.endswith(("(", ", ")) and after.startswith((")", ",")) for before, after in ends]
    fields = [(f, b) for (f, _), b in zip(fields, bare, strict=True)]
    arity = max((int(f) + 1 for f, _ in fields if f.isdigit()), default=0)
    return Template(literals, fields, arity, bool(_CALL.fullmatch(template)) and _one_call(template))


def _one_call(template: str) -> bool:
    """Whether the first parenthesis closes at the very end: `f(a)` and not `f(a) + g(b)`."""
    depth = 0
    for k, c in enumerate(template):
        depth += (c == "(") - (c == ")")
        if c == ")" and depth == 0:
            return k == len(template) - 1
    return True


_OPERATORS = pattern(r"\{0\} (\+|-|\*|/|//|%|&|\||\^|<|<=|>|>=|==|!=) \{1\}|[-~]\{0\}")


def operator_template(python: str | None) -> bool:
    """Whether a `python` template is one operator: NumPy's scalars give it the ufunc's meaning, ten times as fast."""
    return python is not None and _OPERATORS.fullmatch(python) is not None


def literal(value: Any) -> str | None:
    """Source of a small constant, or None where it has to be bound to a name."""
    kind = type(value)
    if value is None or kind in (bool, int, str, bytes):
        return repr(value)
    if kind is float:
        return repr(value) if value - value == 0.0 else None
    if kind in (tuple, list):
        items = [literal(v) for v in value]
        if any(i is None for i in items):
            return None
        inner = ", ".join(i for i in items if i is not None)
        return f"[{inner}]" if kind is list else f"({inner},)" if len(items) == 1 else f"({inner})"
    if kind is slice:
        parts = [literal(v) for v in (value.start, value.stop, value.step)]
        return None if any(p is None for p in parts) else f"slice({', '.join(p for p in parts if p is not None)})"
    if value is Ellipsis:
        return "..."
    return None
