"""Fresh names that read well, and what one function does with the names it has."""

from collections.abc import Iterator

import gast

from autograph.source.parse import Node, children, walk

_SCOPES = (gast.FunctionDef, gast.AsyncFunctionDef, gast.Lambda, gast.ClassDef)
_COMPREHENSIONS = (gast.ListComp, gast.SetComp, gast.DictComp, gast.GeneratorExp)


class Names:
    """The names of one function, as the user wrote it.

    used:    every name that occurs in it, nested functions included
    bound:   the names that are locals of the function itself
    distant: names another function may rebind while this one runs: not bound here, or declared
             `global`/`nonlocal` somewhere inside. A call may change what these stand for.

    >>> from autograph.source.parse import parse
    >>> names = Names(parse("def f(a):\\n    item = a + n").body[0])
    >>> sorted(names.used), sorted(names.bound), sorted(names.distant)
    (['a', 'f', 'item', 'n'], ['a', 'item'], ['f', 'n'])
    >>> names.fresh("item"), names.fresh("item"), names.helper("loop_body"), names.helper("loop_body")
    ('item_1', 'item_2', 'loop_body', 'loop_body')
    """

    def __init__(self, function: Node) -> None:
        self.used: set[str] = names_in(function)
        self.bound: set[str] = bound_names(function)
        self.distant: set[str] = (self.used - self.bound) | _declared(function)
        self.temporaries: set[str] = set()  # bound by a generated expression and read in it only
        self.flags: dict[tuple[str, int], str] = {}
        self._helpers: dict[str, str] = {}

    def fresh(self, base: str) -> str:
        """A name nobody uses yet: `base`, or `base_1`, `base_2`, ... where that is taken."""
        name, number = base, 0
        while name in self.used:
            number += 1
            name = f"{base}_{number}"
        self.used.add(name)
        return name

    def helper(self, base: str) -> str:
        """The one name for helpers called `base`: the same at each call, never a name of the user's.

        For functions that are used in the statement after their definition and nowhere else, so
        that the next one may take the name over.
        """
        if base not in self._helpers:
            self._helpers[base] = self.fresh(base)
        return self._helpers[base]

    def helpers(self) -> frozenset[str]:
        """The names of all helpers."""
        return frozenset(self._helpers.values())

    def flag(self, base: str, level: int = 0) -> str:
        """The one flag called `base` for jumps at this depth of nested loops: loops side by side share it."""
        if (base, level) not in self.flags:
            self.flags[base, level] = self.fresh(base)
        return self.flags[base, level]

    def flags_of(self, base: str) -> frozenset[str]:
        """The flags called `base`, of every depth."""
        return frozenset(name for (of, _), name in self.flags.items() if of == base)


def names_in(node: Node) -> set[str]:
    """Every identifier that stands for a variable anywhere in `node`."""
    found: set[str] = set()
    for child in walk(node):
        found.update(_identifiers(child))
    return found


def bound_names(function: Node) -> set[str]:
    """The local variables of a function or lambda: parameters and what its own statements bind."""
    bound = {name.id for name in walk(function.args) if _is_parameter(name)}
    elsewhere: set[str] = set()
    pending = list(function.body) if isinstance(function.body, list) else [function.body]
    while pending:
        node = pending.pop()
        if isinstance(node, (gast.Global, gast.Nonlocal)):
            elsewhere.update(node.names)
        elif isinstance(node, _COMPREHENSIONS):
            # A comprehension's targets are its own; a walrus in it binds in the function.
            bound.update(n.target.id for n in walk(node) if isinstance(n, gast.NamedExpr))
        elif isinstance(node, _SCOPES):
            if not isinstance(node, gast.Lambda):
                bound.add(node.name)
        else:
            if not isinstance(node, gast.Name) or isinstance(node.ctx, (gast.Store, gast.Del)):
                bound.update(_identifiers(node))
            pending.extend(children(node))
    return bound - elsewhere


def _is_parameter(node: Node) -> bool:
    return isinstance(node, gast.Name) and isinstance(node.ctx, gast.Param)


def _declared(function: Node) -> set[str]:
    declarations = (n for n in walk(function) if isinstance(n, (gast.Global, gast.Nonlocal)))
    return {name for declaration in declarations for name in declaration.names}


def _identifiers(node: Node) -> list[str]:
    """The variables a node names itself (not through its children)."""
    if isinstance(node, gast.Name):
        return [node.id]
    if isinstance(node, (gast.FunctionDef, gast.AsyncFunctionDef, gast.ClassDef)):
        return [node.name]
    if isinstance(node, (gast.Global, gast.Nonlocal)):
        return list(node.names)
    if isinstance(node, gast.alias):
        return [(node.asname or node.name).split(".")[0]]
    if isinstance(node, (gast.MatchAs, gast.MatchStar)) and node.name:
        return [node.name]
    if isinstance(node, gast.MatchMapping) and node.rest:
        return [node.rest]
    return []


def bindings(tree: Node) -> Iterator[tuple[str, Node | None]]:
    """(name, what it is bound to, or None where that is not one expression), of all scopes in a function together."""
    simple: set[int] = set()
    for node in walk(tree):
        if isinstance(node, gast.Assign):
            for target in node.targets:
                if isinstance(target, gast.Name):
                    simple.add(id(target))
                    yield target.id, node.value
        elif isinstance(node, (gast.AugAssign, gast.AnnAssign, gast.NamedExpr)) and isinstance(node.target, gast.Name):
            simple.add(id(node.target))
            if not isinstance(node, gast.AugAssign) and node.value is not None:
                yield node.target.id, node.value  # (what a number becomes by `op=` is no container either)
        elif isinstance(node, gast.Name) and isinstance(node.ctx, (gast.Store, gast.Param)) and id(node) not in simple:
            yield node.id, None
