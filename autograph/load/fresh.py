"""What a function has made itself: local names that hold nothing but its own containers, and their methods.

    xs = []                ->  `xs` is fresh: `xs.append(x)` is no change that anybody sees
    append = xs.append     ->  so is `append`
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from autograph.load.parts import call_of, hook_of, is_in, is_of, load
from autograph.source.parse import children, walk

__all__ = ["CHANGING", "READING", "VIEWS", "Fresh", "fresh_names", "is_ours", "otherwise_bound", "scope_of"]

CHANGING = frozenset("append clear popitem reverse setdefault update".split())
"""Methods that change lists or dictionaries, whatever their arguments are."""
VIEWS = frozenset(("items", "keys", "values"))
"""Methods of dictionaries that show what is in them."""
READING = VIEWS | {"get"}


class Fresh(NamedTuple):
    """What a function has made itself, by local names that hold nothing else."""

    containers: frozenset[str] = frozenset()
    methods: frozenset[str] = frozenset()  # of its containers: `append = xs.append`
    makers: Mapping[str, str] = {}  # for containers that a call makes: the name of their class, `set`


def fresh_names(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Fresh:
    """The local names that only ever hold containers made by the function itself, or what is no container.

    Such a container was made in the region in which the function's own statements run: nobody sees from outside what they
    do to it. A generator may go on in another region than it began in.
    """
    made: dict[str, set[str]] = {}  # name -> names whose containers it may hold
    methods: dict[str, set[str]] = {}  # name -> names whose methods it may hold
    makers: dict[str, set[str]] = {}  # name -> what is called for all that it holds
    other = {a.arg for a in walk(function.args) if isinstance(a, ast.arg)}
    other.update(*(node.names for node in scope_of(function.body) if isinstance(node, (ast.Global, ast.Nonlocal))))
    pending: list[ast.AST] = list(function.body)
    while pending:
        node = pending.pop()
        if isinstance(node, (ast.Yield, ast.YieldFrom, ast.Await)):
            return Fresh()
        if isinstance(node, ast.Assign):
            for target in node.targets:
                _assigned(target, node.value, made, methods, makers, other)
            pending.append(node.value)
            pending += [t for t in node.targets if not isinstance(t, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            if node.value is not None:
                _assigned(node.target, node.value, made, methods, makers, other)
                pending.append(node.value)
        else:
            other.update(otherwise_bound(node))
            pending += children(node)
    other.update(makers.keys() & (made.keys() | methods.keys()))
    sure = {name: next(iter(found)) for name, found in makers.items() if len(found) == 1 and name not in other}
    while True:
        unsure = {name for name, sources in made.items() if name in other or not sources <= made.keys()}
        if not unsure:
            bound = [name for name, owners in methods.items() if name not in other | made.keys() and owners <= made.keys()]
            return Fresh(frozenset((*made, *sure)), frozenset(bound), sure)
        for name in unsure:
            del made[name]


def _assigned(
    target: ast.expr,
    value: ast.expr,
    made: dict[str, set[str]],
    methods: dict[str, set[str]],
    makers: dict[str, set[str]],
    other: set[str],
) -> None:
    if not isinstance(target, ast.Name):
        return  # the names in it are met as such
    if isinstance(value, (ast.List, ast.Dict, ast.Constant)) or (
        isinstance(value, ast.Call) and hook_of(value) in ("list_comp", "dict_comp", "dict_of", "set_comp", "set_of")
    ):
        made.setdefault(target.id, set())
    elif isinstance(value, ast.Name):
        made.setdefault(target.id, set()).add(value.id)
    elif isinstance(value, ast.Attribute) and isinstance(value.value, ast.Name) and value.attr in CHANGING | READING:
        methods.setdefault(target.id, set()).add(value.value.id)
    elif (maker := _maker(value)) is not None:
        makers.setdefault(target.id, set()).add(maker)
    else:
        other.add(target.id)


_MAKERS = frozenset(("deque", "dict", "list", "set"))


def _maker(value: ast.expr) -> str | None:
    """The name of the class that an expression calls, if it is one whose instances are containers."""
    called = value.func if isinstance(value, ast.Call) else None
    function = called.args[0] if isinstance(called, ast.Call) and hook_of(called) == "callee" else None
    return function.id if isinstance(function, ast.Name) and function.id in _MAKERS else None


def otherwise_bound(node: ast.AST) -> Iterable[str]:
    """The names that a node binds, but for assignments."""
    if isinstance(node, ast.Name):
        return () if isinstance(node.ctx, (ast.Load, ast.Del)) else (node.id,)
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return (node.name,)
    if isinstance(node, ast.arg):
        return (node.arg,)
    if isinstance(node, ast.alias):
        return ((node.asname or node.name).partition(".")[0],)
    if isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
        return (node.name,) if node.name else ()
    if isinstance(node, ast.MatchMapping):
        return (node.rest,) if node.rest else ()
    return node.names if isinstance(node, ast.Global) else ()


def scope_of(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """The nodes of a function's own scope."""
    for node in nodes:
        yield node
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            continue
        yield from scope_of(children(node))


def is_ours(x: ast.expr, fresh: Fresh) -> ast.expr:
    """Whether a container is changed without a note."""
    if not isinstance(x, ast.Name) or x.id not in fresh.containers:
        return is_in(x, "noted")
    maker = fresh.makers.get(x.id)
    if maker is None:
        return is_of(x, "FRESH")
    # It is of the class that the name means: that is what was called.
    return ast.BoolOp(ast.And(), [is_of(x, "FRESH"), ast.Compare(call_of("kind", x), [ast.Is()], [load(maker)])])
