"""What would become of each function of a file: staged, Python, or refused. The file is only read.

A statement is staged if its operands turn out to be tensors. What the converters leave as it is, and tests that no
tensor can reach, stay Python. What is refused whenever its operand is a staged tensor is known by its form.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

import gast

from autograph.convert.converter import holds
from autograph.convert.emitting import turned_inside_out
from autograph.convert.jumps import SUSPENDING
from autograph.convert.naming import Names
from autograph.convert.passes.control_flow import is_static
from autograph.convert.pipeline import convert_source
from autograph.convert.template import copy_tree
from autograph.errors.catalogue import REFUSALS
from autograph.source.parse import Node, parse, parse_ast, walk
from autograph.source.printing import unparse

__all__ = ["PYTHON", "REFUSED", "STAGED", "Finding", "Report", "explain_source"]

STAGED, PYTHON, REFUSED = "staged", "python", "refused"


class Finding(NamedTuple):
    """One construct of a function.

    kind:   STAGED, PYTHON or REFUSED
    syntax: `if`, `for`, `comprehension`, ...
    text:   the part that decides: a test, an iterable, a call
    reason: why it stays Python or is refused; empty where it is staged
    lines:  where it stands
    """

    kind: str
    syntax: str
    text: str
    reason: str
    lines: tuple[int, ...]


class Report(NamedTuple):
    """One function: its qualified name, its line, and what was found, each thing once."""

    name: str
    line: int
    findings: tuple[Finding, ...]


def explain_source(text: str, filename: str = "<unknown>") -> list[Report]:
    """What would be staged, stays Python or would be refused in each function of a file, nested ones included.

    Raises `SyntaxError` as Python does.

    >>> [report] = explain_source("def f(x):\\n  if x > 0: return x\\n  return x.numpy()")
    >>> [(f.kind, f.syntax, f.text, f.lines) for f in report.findings]
    [('staged', 'if', 'x > 0', (2,)), ('refused', 'call', 'x.numpy()', (3,))]
    """
    reports = []
    decorated = frozenset(_decorated(parse_ast(text, filename)))
    for name, made, original in convert_source(text, filename):
        left = {_place(node) for node in walk(made)}
        for inner, function in _functions(original, name):
            found = _Finder(left, decorated).all_of(function)
            reports.append(Report(inner, function.lineno, _once(found)))
    for name, function in _lambdas(parse(text, filename).body):
        found = _Finder(set(), decorated).all_of(function)
        if found:
            reports.append(Report(name, function.lineno, _once(found)))
    return sorted(reports, key=lambda report: report.line)


def _decorated(module: Node) -> Iterator[int]:
    """The lines of the functions that are decorated with `ag.function`, or a call of it."""
    for node in walk(module):
        if isinstance(node, ast.FunctionDef):
            for decorator in node.decorator_list:
                named = decorator.func if isinstance(decorator, ast.Call) else decorator
                if getattr(named, "attr", getattr(named, "id", "")) == "function":
                    yield node.lineno


def _place(node: Node) -> tuple[type, int | None, int | None]:
    return type(node), getattr(node, "lineno", None), getattr(node, "col_offset", None)


def _functions(function: Node, name: str) -> Iterator[tuple[str, Node]]:
    """A function and those in it, with their qualified names; lambdas belong to the function they stand in."""
    yield name, function
    pending = [(name, child) for child in function.body]
    while pending:
        outer, node = pending.pop(0)
        if isinstance(node, (gast.FunctionDef, gast.AsyncFunctionDef)):
            yield from _functions(node, f"{outer}.{node.name}")
        elif isinstance(node, gast.ClassDef):
            pending += [(f"{outer}.{node.name}", child) for child in node.body]
        else:
            pending += [(outer, child) for child in gast.iter_child_nodes(node)]


def _lambdas(statements: list[Node]) -> Iterator[tuple[str, Node]]:
    """The lambdas of a module that stand in no function, with the names that they are assigned to."""
    pending: list[tuple[str, Node]] = [("<lambda>", statement) for statement in statements]
    while pending:
        name, node = pending.pop(0)
        if isinstance(node, gast.Lambda):
            yield name, node
        elif not isinstance(node, (gast.FunctionDef, gast.AsyncFunctionDef)):
            target = node.targets[0] if isinstance(node, gast.Assign) else None
            name = target.id if isinstance(target, gast.Name) else "<lambda>"
            pending += [(name, child) for child in gast.iter_child_nodes(node)]


def _once(findings: list[Finding]) -> tuple[Finding, ...]:
    """Equal findings joined, with all their lines."""
    lines: dict[tuple[str, str, str, str], list[int]] = {}
    for finding in findings:
        lines.setdefault(finding[:4], []).append(finding.lines[0])
    return tuple(Finding(*key, lines=tuple(dict.fromkeys(found))) for key, found in lines.items())


class _Finder:
    """Looks through one function.

    left:      the places of the nodes that converters have left as they were
    decorated: the lines of the functions that are decorated with `ag.function`
    """

    def __init__(self, left: set[tuple[type, int | None, int | None]], decorated: frozenset[int]) -> None:
        self.left = left
        self.decorated = decorated
        self.tests: set[int] = set()  # told with the statement that they decide
        self.found: list[Finding] = []
        self.suspended = ""  # why tests stay Python in the whole function
        self.is_staged_generator = False
        self.emits = False  # a generator: its statements are staged where a staged function loops over it

    def all_of(self, function: Node) -> list[Finding]:
        """Everything in the function's body, in its order."""
        if isinstance(function, gast.Lambda):
            self._visit(function.body, False)
            return self.found
        if isinstance(function, gast.AsyncFunctionDef):
            self.suspended = "async code runs in Python's own event loop"
        self.is_staged_generator = function.lineno in self.decorated and holds(function.body, gast.Yield, gast.YieldFrom)
        if self.is_staged_generator:
            text = gast.Name(function.name, gast.Load(), None, None)
            self._refused("generator-function", "generator", gast.copy_location(text, function), "when it is called")
        self.emits = not self.is_staged_generator and _can_be_looped_over(function)
        guarded = function.name in ("__init__", "build")
        for statement in function.body:
            self._visit(statement, guarded)
        return self.found

    def _visit(self, node: Node, guarded: bool) -> None:
        if isinstance(node, (gast.FunctionDef, gast.AsyncFunctionDef, gast.ClassDef)):
            return  # reported by themselves
        if isinstance(node, gast.AnnAssign):
            children = [node.value] if node.value is not None else []
        else:
            children = list(gast.iter_child_nodes(node))
        look = getattr(self, f"_{type(node).__name__}", None)
        if look is not None:
            look(node, guarded)
        if isinstance(node, gast.If) and _asks_for_none(node.test):
            guarded = True
        for child in children:
            self._visit(child, guarded)

    def _add(self, kind: str, syntax: str, decides: Node, reason: str = "", at: Node | None = None) -> None:
        text = " ".join(unparse(decides).split())
        text = text if len(text) <= 60 else text[:57] + "..."
        self.found.append(Finding(kind, syntax, text, reason, ((at or decides).lineno,)))

    def _refused(self, id: str, syntax: str, decides: Node, when: str) -> None:
        self._add(REFUSED, syntax, decides, f"{when} [{id}]; instead: {REFUSALS[id].hint}")

    def _decision(self, syntax: str, node: Node, test: Node, *, staged: bool = True) -> None:
        """Something that a test or an iterable decides."""
        if id(node) in self.tests:
            return
        self.tests.add(id(test))
        reason = self._why_python(node, test)
        if reason:
            self._add(PYTHON, syntax, test, reason, node)
        elif staged:
            looped = self.emits and holds(node, *SUSPENDING)
            self._add(STAGED, syntax, test, "where a staged function loops over this generator" if looped else "", node)

    def _why_python(self, node: Node, test: Node) -> str:
        left = _place(node) in self.left
        if left and is_static(test):
            return "its test is a literal"
        known = "" if isinstance(test, gast.Constant) else _known(test)
        if known:
            return known
        if not left or not isinstance(node, _GO_AWAY):
            return ""
        if self.suspended:
            return self.suspended
        if self.emits:
            return ""
        if holds(node, *SUSPENDING):
            return "it holds a yield or await, which only works in the function's own frame"
        if isinstance(node, _COMPREHENSIONS):
            return "its element holds a lambda or `:=`, whose names belong to this scope"
        return "it jumps out of a `finally`, or looks at its own frame"

    def _If(self, node: Node, _: bool) -> None:
        self._decision("if", node, node.test)

    def _While(self, node: Node, _: bool) -> None:
        self._decision("while", node, node.test)

    def _For(self, node: Node, _: bool) -> None:
        self._decision("for", node, node.iter)

    def _AsyncFor(self, node: Node, _: bool) -> None:
        self._add(PYTHON, "async for", node.iter, "async code runs in Python's own event loop", node)

    def _Match(self, node: Node, _: bool) -> None:
        self._decision("match", node, node.subject)

    def _Assert(self, node: Node, _: bool) -> None:
        self._decision("assert", node, node.test)

    def _IfExp(self, node: Node, _: bool) -> None:
        self._decision("if-else", node, node.test)

    def _BoolOp(self, node: Node, _: bool) -> None:
        self._decision("and" if isinstance(node.op, gast.And) else "or", node, node)

    def _several(self, node: Node, _: bool) -> None:
        self._decision("comprehension", node, node.generators[0].iter)

    _ListComp = _SetComp = _DictComp = _GeneratorExp = _several

    def _Call(self, node: Node, guarded: bool) -> None:
        function = node.func
        name = function.attr if isinstance(function, gast.Attribute) else getattr(function, "id", "")
        keywords = {keyword.arg for keyword in node.keywords}
        if isinstance(function, gast.Attribute):
            base = function.value.id if isinstance(function.value, gast.Name) else ""
            if name == "numpy" and not base.startswith("np") and not keywords:
                self._refused("tensor-value", "call", node, f"if `{_short(function.value)}` is a tensor")
            elif base == "math" and name in _OF_NUMBERS:
                self._refused("tensor-value", "call", node, "if an argument is a tensor")
            elif base in ("np", "numpy") and "order" in keywords:
                self._refused("numpy-arguments", "call", node, "if an argument is a tensor")
        elif name in ("locals", "eval", "exec", "vars", "dir") and len(node.args) < 2:
            self._add(PYTHON, "call", node, "it looks at the frame that calls it")
        if name == "Variable" and not guarded:
            self._refused("variable-created-again", "call", node, "if this runs in every trace")

    def _Set(self, node: Node, _: bool) -> None:
        for element in node.elts:
            if isinstance(element, gast.Starred) and isinstance(element.ctx, gast.Load) and not _is_literal(element.value):
                when = f"if `{_short(element.value)}` is a tensor of unknown length"
                self._refused("unknown-length", "unpacking", node, when)

    def _Yield(self, node: Node, _: bool) -> None:
        if node.value is not None and not self.is_staged_generator and not self.emits:
            self._add(PYTHON, "yield", node.value, "generators run in Python's own frames")

    def _Try(self, node: Node, _: bool) -> None:
        """Caught is also what fails when the graph runs."""
        types = [gast.Name("", gast.Load(), None, None) if h.type is None else h.type for h in node.handlers]
        if types and not self.suspended and not holds(node, *SUSPENDING):
            text = ", ".join(dict.fromkeys(_short(kind) for kind in types if getattr(kind, "id", "-"))) or "all"
            self.found.append(Finding(STAGED, "try", f"except {text}", "", (node.lineno,)))

    def _Await(self, node: Node, _: bool) -> None:
        self._add(PYTHON, "await", node.value, "async code runs in Python's own event loop")


def _can_be_looped_over(function: Node) -> bool:
    """Whether a function is a generator whose statements are staged where a staged function loops over it."""
    if not isinstance(function, gast.FunctionDef) or not holds(function.body, gast.Yield, gast.YieldFrom):
        return False
    names = [getattr(node, "attr", getattr(node, "id", "")) for node in function.decorator_list]
    return "contextmanager" not in names and turned_inside_out(copy_tree(function), Names(function), True) is not None


_COMPREHENSIONS = (gast.ListComp, gast.SetComp, gast.DictComp, gast.GeneratorExp)
_GO_AWAY = (gast.If, gast.While, gast.For, gast.IfExp, gast.BoolOp, gast.Assert, gast.Match, *_COMPREHENSIONS)
_KNOWN_ATTRIBUTES = frozenset({"dtype", "ndim", "__name__", "__class__"})
_OF_NUMBERS = frozenset("comb factorial frexp gamma ldexp modf nextafter perm remainder ulp".split())
"""The functions of `math` that need Python's own numbers."""
_KNOWN_CALLS = frozenset({"hasattr", "issubclass", "callable"})
_LITERALS = (gast.Constant, gast.Tuple, gast.List, gast.Set, gast.Dict, gast.UnaryOp, gast.BinOp, gast.Compare)
_OVER_OTHERS = frozenset({"enumerate", "zip", "reversed", "range", "sorted"})


def _known(test: Node) -> str:
    """Why no tensor can decide `test`; empty where one can."""
    if isinstance(test, gast.Name) and is_static(test):
        return f"{test.id} is a constant"
    if isinstance(test, gast.BoolOp):
        reasons = [_known(value) for value in test.values]
        return "; ".join(dict.fromkeys(reasons)) if all(reasons) else ""
    if _is_literal(test):
        return "it is made of literals: no tensor is in it"
    if isinstance(test, gast.UnaryOp) and isinstance(test.op, gast.Not):
        return _known(test.operand)
    if isinstance(test, gast.Call) and isinstance(test.func, gast.Name):
        if test.func.id in _KNOWN_CALLS:
            return f"{test.func.id}() is known while tracing"
        if test.func.id in _OVER_OTHERS and test.args and all(_is_literal(argument) for argument in test.args):
            return "it is made of literals: no tensor is in it"
    if isinstance(test, gast.Compare):
        operands = map(_measured, (test.left, *test.comparators))
        known = [operand for operand in operands if not _is_literal(operand)]
        names = [operand.attr for operand in known if isinstance(operand, gast.Attribute)]
        if len(names) == len(known) and set(names) <= _KNOWN_ATTRIBUTES:
            return f"{names[0]} is known while tracing"
    return ""


def _measured(node: Node) -> Node:
    """`x.shape` for `len(x.shape)`, which is x.ndim."""
    is_length = isinstance(node, gast.Call) and getattr(node.func, "id", "") == "len" and len(node.args) == 1
    if is_length and getattr(node.args[0], "attr", "") == "shape":
        return gast.Attribute(node.args[0].value, "ndim", gast.Load())
    return node


def _is_literal(node: Node) -> bool:
    """Whether an expression holds nothing but literals."""
    if isinstance(node, gast.expr) and not isinstance(node, _LITERALS):
        return False
    return all(_is_literal(child) for child in gast.iter_child_nodes(node))


def _asks_for_none(test: Node) -> bool:
    """Whether a test is how people guard what is to happen once: `self.v is None`, `not self.built`."""
    return any(isinstance(node, (gast.Is, gast.Not)) for node in walk(test))


def _short(node: Node) -> str:
    text = unparse(node)
    return text if len(text) <= 30 else text[:27] + "..."
