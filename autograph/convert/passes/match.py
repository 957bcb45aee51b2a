"""`match` becomes `if`, `elif`, `else`, so that a value pattern or a guard may be a staged condition."""

from collections.abc import Sequence

import gast

from autograph.analysis.activity import use_of
from autograph.convert.converter import Converter, Example
from autograph.convert.template import copy_tree
from autograph.source.parse import Node


class Match(Converter):
    """match s: case 0: A, case [x, y]: B  ->  if s == 0: A, elif ag__.match_sequence(s, 2): x = s[0]; ...

    Names are bound once the whole pattern has matched, before the guard, as Python does. Which shape
    the subject has (sequence, mapping, class) is decided in Python, by hooks of these names:

        match_sequence(subject, length, star)          is it a sequence of that many items (or more)?
        match_star(subject, before, after)             the list of items between
        match_mapping(subject, keys)                   is it a mapping with these keys?
        match_rest(subject, keys)                      a dictionary of the other items
        match_class(subject, cls, count, attributes)   is it one, with these attributes?
        match_argument(subject, cls, index)            the positional sub-pattern's subject
    """

    begins = (gast.Match,)
    eliminates = (gast.Match,)
    examples = (
        Example(
            """\
match x:
    case 0 | 1:
        f()
    case [y, 2] if y > 3:
        g()
    case None:
        h()
    case _:
        k()
""",
            """\
if x == 0 or x == 1:
    f()
else:
    matched = False
    if ag__.match_sequence(x, 2, False) and x[1] == 2:
        y = x[0]
        matched = y > 3
    if matched:
        g()
    elif x is None:
        h()
    else:
        k()
""",
        ),
        Example(
            """\
match f():
    case Point(x, y=0):
        print(x)
    case {"k": v, **rest}:
        print(v, rest)
""",
            """\
subject = f()
if ag__.match_class(subject, Point, 1, ('y',)) and subject.y == 0:
    x = ag__.match_argument(subject, Point, 0)
    print(x)
elif ag__.match_mapping(subject, ('k',)):
    v = subject['k']
    rest = ag__.match_rest(subject, ('k',))
    print(v, rest)
""",
        ),
    )

    def visit_Match(self, node: Node) -> list[Node]:
        """Lower the statements in the cases, then the cases."""
        self.generic_visit(node)
        made: list[Node] = []
        subject = node.subject
        if not isinstance(subject, gast.Name) or subject.id in use_of(_matching_parts(node)).binds:
            name = self.names.helper("subject")
            made = self.quote("name = value", subject, name=name, value=subject)
            subject = self.quote_expression("name", subject, name=name)
        # The subject occurs many times; each place gets nodes of its own.
        return copy_tree(made + self._chain(subject, node.cases))

    def _chain(self, subject: Node, cases: Sequence[Node]) -> list[Node]:
        """The statements for these cases, the first of which may match."""
        if not cases:
            return []
        case, origin = cases[0], cases[0].pattern
        test, bindings = self._pattern(case.pattern, subject)
        if case.guard is None:
            return self._branch(origin, test, bindings + case.body, subject, cases[1:])
        if not bindings:
            guarded = _joined(self, "a and b", origin, [test, case.guard])
            return self._branch(origin, guarded, case.body, subject, cases[1:])
        if test is None:
            return bindings + self._branch(origin, case.guard, case.body, subject, cases[1:])
        matched = self.names.helper("matched")
        made = self.quote(
            "flag = False\nif test:\n    bindings\n    flag = guard",
            origin, flag=matched, test=test, bindings=bindings, guard=case.guard,
        )  # fmt: skip
        flag = self.quote_expression("flag", origin, flag=matched)
        return made + self._branch(origin, flag, case.body, subject, cases[1:])

    def _branch(
        self, origin: Node, test: Node | None, body: list[Node], subject: Node, others: Sequence[Node]
    ) -> list[Node]:
        if test is None:
            return body
        made = self.quote("if test: body", origin, test=test, body=body)
        made[0].orelse = self._chain(subject, others)
        return made

    def _pattern(self, node: Node, subject: Node) -> tuple[Node | None, list[Node]]:
        """What tests whether `subject` matches (None: it always does), and what binds the pattern's names."""
        method = getattr(self, f"_{type(node).__name__}")
        return method(node, subject)

    def _MatchValue(self, node: Node, subject: Node) -> tuple[Node | None, list[Node]]:
        return self.quote_expression("s == v", node, s=subject, v=node.value), []

    def _MatchSingleton(self, node: Node, subject: Node) -> tuple[Node | None, list[Node]]:
        value = gast.Constant(node.value, None)
        return self.quote_expression("s is v", node, s=subject, v=gast.copy_location(value, node)), []

    def _MatchAs(self, node: Node, subject: Node) -> tuple[Node | None, list[Node]]:
        test, bindings = (None, []) if node.pattern is None else self._pattern(node.pattern, subject)
        if node.name is not None:
            bindings = bindings + self.quote("name = s", node, name=node.name, s=subject)
        return test, bindings

    def _MatchOr(self, node: Node, subject: Node) -> tuple[Node | None, list[Node]]:
        choices = [self._pattern(pattern, subject) for pattern in node.patterns]
        tests = [test for test, _ in choices]
        *others, (_, bindings) = choices
        for test, bound in reversed(others):
            if bound:  # all alternatives bind the same names
                bindings = self.quote("if test: a\nelse: b", node, test=test, a=bound, b=bindings)
        return (None if None in tests else _joined(self, "a or b", node, tests)), bindings

    def _MatchSequence(self, node: Node, subject: Node) -> tuple[Node | None, list[Node]]:
        patterns = node.patterns
        count = len(patterns)
        starred = [i for i, pattern in enumerate(patterns) if isinstance(pattern, gast.MatchStar)]
        star = starred[0] if starred else count
        test = self.quote_expression(
            f"ag__.match_sequence(s, {count - len(starred)}, {bool(starred)})", node, s=subject
        )
        parts: list[tuple[Node, Node]] = []
        bindings: list[Node] = []
        for index, pattern in enumerate(patterns):
            if index == star:
                if pattern.name is not None:
                    text = f"name = ag__.match_star(s, {star}, {count - star - 1})"
                    bindings = self.quote(text, pattern, name=pattern.name, s=subject)
                continue
            position = index if index < star else index - count
            parts.append((pattern, self.quote_expression(f"s[{position}]", pattern, s=subject)))
        return self._all(node, test, parts, bindings)

    def _MatchMapping(self, node: Node, subject: Node) -> tuple[Node | None, list[Node]]:
        keys = gast.copy_location(gast.Tuple(list(node.keys), gast.Load()), node)
        test = self.quote_expression("ag__.match_mapping(s, keys)", node, s=subject, keys=keys)
        parts = [
            (pattern, self.quote_expression("s[key]", pattern, s=subject, key=key))
            for key, pattern in zip(node.keys, node.patterns, strict=True)
        ]
        bindings: list[Node] = []
        if node.rest is not None:
            text = "name = ag__.match_rest(s, keys)"
            bindings = self.quote(text, node, name=node.rest, s=subject, keys=keys)
        return self._all(node, test, parts, bindings)

    def _MatchClass(self, node: Node, subject: Node) -> tuple[Node | None, list[Node]]:
        test = self.quote_expression(
            f"ag__.match_class(s, cls, {len(node.patterns)}, names)",
            node, s=subject, cls=node.cls, names=tuple(node.kwd_attrs),
        )  # fmt: skip
        parts = []
        for index, pattern in enumerate(node.patterns):
            text = f"ag__.match_argument(s, cls, {index})"
            parts.append((pattern, self.quote_expression(text, pattern, s=subject, cls=node.cls)))
        for attribute, pattern in zip(node.kwd_attrs, node.kwd_patterns, strict=True):
            parts.append((pattern, self.quote_expression("s.name", pattern, s=subject, name=attribute)))
        return self._all(node, test, parts, [])

    def _all(
        self, node: Node, test: Node, parts: Sequence[tuple[Node, Node]], last: list[Node]
    ) -> tuple[Node | None, list[Node]]:
        """The shape must fit and every part match its pattern."""
        tests: list[Node | None] = [test]
        bindings: list[Node] = []
        for pattern, part in parts:
            inner, bound = self._pattern(pattern, part)
            tests.append(inner)
            bindings += bound
        return _joined(self, "a and b", node, tests), bindings + last


def _matching_parts(node: Node) -> list[Node]:
    """The patterns and guards of a `match`: what runs while the subject is still needed."""
    return [part for case in node.cases for part in (case.pattern, case.guard) if part is not None]


def _joined(converter: Converter, text: str, origin: Node, tests: Sequence[Node | None]) -> Node | None:
    """The tests joined by the operator of `text`; None where there is none."""
    present = [test for test in tests if test is not None]
    if len(present) < 2:
        return present[0] if present else None
    joined = converter.quote_expression(text, origin)
    values: list[Node] = []
    for test in present:
        # `a and (b and c)` is `a and b and c`.
        same = isinstance(test, gast.BoolOp) and type(test.op) is type(joined.op)
        values += test.values if same else [test]
    joined.values = values
    return joined
