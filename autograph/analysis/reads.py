"""What a function reads that may stand outside it: names, and the attributes and items reached from them.

Asked after a trace, to see which Python values it depends on. A path stops where it is computed: of `a.layers[i].rate`
the path is `a.layers`, and `.rate` is read of something unknown.
"""

from collections.abc import Iterator
from typing import Any, TypeAlias

import gast

from autograph.analysis.names import mangled
from autograph.source.parse import Node, children, walk

__all__ = ["Path", "Reads", "reads_of_tree"]

Step: TypeAlias = tuple[str, Any]
"""('.', name): an attribute; ('[', key): an item by a constant; ('in', key): whether there is one."""
Path: TypeAlias = tuple[Step, ...]


class Reads:
    """What one function reads, functions inside it included.

    names:    for each name that is read, the paths from it (the empty path is the name itself)
    unknown:  paths from values that have no name
    bound:    names that the function or one inside it binds: their values are known only while it runs
    receiver: its first parameter
    imports:  (module, name) of `from module import name` in it

    >>> from autograph.source.parse import parse
    >>> reads = reads_of_tree(parse("def f(self, x):\\n    c = self.cfg['rate']\\n    return g(x).a + K * c").body[0])
    >>> reads.names["self"], reads.names["K"]
    ({(('.', 'cfg'), ('[', 'rate'))}, {()})
    >>> reads.unknown, sorted(reads.bound), reads.receiver
    ({(('.', 'a'),)}, ['c', 'self', 'x'], 'self')
    """

    __slots__ = ("bound", "imports", "names", "receiver", "unknown")

    def __init__(self) -> None:
        self.names: dict[str, set[Path]] = {}
        self.unknown: set[Path] = set()
        self.bound: set[str] = set()
        self.receiver: str | None = None
        self.imports: list[tuple[str, str]] = []


def reads_of_tree(function: Node, class_name: str | None = None) -> Reads:
    """The reads of a function as the user wrote it (a gast tree); private names as `class_name` has them."""
    reads = Reads()
    parameters = [*function.args.posonlyargs, *function.args.args]
    reads.receiver = parameters[0].id if parameters else None
    reads.bound = _bound(function)
    pending = list(function.body) if isinstance(function.body, list) else [function.body]
    while pending:
        node = pending.pop()
        if isinstance(node, gast.AugAssign):
            pending.append(_loaded(node.target))  # it is read, too
        if isinstance(node, gast.ImportFrom) and node.module and not node.level:
            reads.imports += [(node.module, alias.name) for alias in node.names]
        if not _is_step(node):
            pending.extend(children(node))
            continue
        root, path = _path(node, class_name, pending)
        if isinstance(root, gast.Name):
            reads.names.setdefault(mangled(root.id, class_name), set()).add(path)
        else:
            pending.append(root)
            reads.unknown.add(path)
    return reads


def _is_step(node: Node) -> bool:
    """Whether a node is a name that is read, or something reached from one."""
    if isinstance(node, gast.Name):
        return isinstance(node.ctx, gast.Load)
    return next(_step(node, None), None) is not None


def _path(node: Node, class_name: str | None, pending: list[Node]) -> tuple[Node, Path]:
    """Where an expression begins and the steps from there; what else it holds goes to `pending`."""
    steps: list[Step] = []
    while True:
        found = next(_step(node, class_name), None)
        if found is None:
            return node, tuple(reversed(steps))
        step, node, others = found
        steps.append(step)
        pending += others


def _step(node: Node, class_name: str | None) -> Iterator[tuple[Step, Node, list[Node]]]:
    """The last step of an expression, what it is taken from, and what else the expression holds."""
    if isinstance(node, gast.Attribute) and isinstance(node.ctx, gast.Load):
        yield (".", mangled(node.attr, class_name)), node.value, []
    elif isinstance(node, gast.Subscript) and isinstance(node.ctx, gast.Load):
        key = _constant(node.slice)
        if key is not None:
            yield ("[", key[0]), node.value, []
    elif isinstance(node, gast.Call) and node.args and not node.keywords:
        function, first = node.func, node.args[0]
        if isinstance(function, gast.Attribute) and function.attr == "get" and len(node.args) <= 2:
            key = _constant(first)
            if key is not None:
                yield ("[", key[0]), function.value, node.args[1:]
        elif isinstance(function, gast.Name) and function.id in ("getattr", "hasattr") and len(node.args) >= 2:
            key = _constant(node.args[1])
            if key is not None and isinstance(key[0], str):
                yield (".", key[0]), first, node.args[2:]
    elif isinstance(node, gast.Compare) and isinstance(node.ops[0], (gast.In, gast.NotIn)) and len(node.ops) == 1:
        key = _constant(node.left)
        if key is not None:
            yield ("in", key[0]), node.comparators[0], []


def _constant(node: Node) -> tuple[Any] | None:
    """The value of a constant that can be a key, in a tuple."""
    if isinstance(node, gast.Constant) and isinstance(node.value, (str, int, float, bytes, type(None))):
        return (node.value,)
    if isinstance(node, gast.UnaryOp) and isinstance(node.op, gast.USub) and isinstance(node.operand, gast.Constant):
        return (-node.operand.value,) if isinstance(node.operand.value, (int, float)) else None
    return None


def _loaded(target: Node) -> Node:
    """The target of `+=` as what is read before."""
    if isinstance(target, gast.Name):
        return gast.Name(target.id, gast.Load(), None, None)
    if isinstance(target, gast.Attribute):
        return gast.Attribute(target.value, target.attr, gast.Load())
    return gast.Subscript(target.value, target.slice, gast.Load())


def _bound(function: Node) -> set[str]:
    bound: set[str] = set()
    elsewhere: set[str] = set()
    for node in walk(function):
        if isinstance(node, gast.Name):
            if not isinstance(node.ctx, gast.Load):
                bound.add(node.id)
        elif isinstance(node, gast.Global):
            elsewhere.update(node.names)
        elif isinstance(node, (gast.FunctionDef, gast.AsyncFunctionDef, gast.ClassDef)) and node is not function:
            bound.add(node.name)
        elif isinstance(node, gast.alias):
            bound.add(node.asname or node.name.partition(".")[0])
        elif isinstance(node, (gast.MatchAs, gast.MatchStar)) and node.name:
            bound.add(node.name)
        elif isinstance(node, gast.MatchMapping) and node.rest:
            bound.add(node.rest)
    return bound - elsewhere
