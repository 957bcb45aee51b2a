"""Which expressions may be evaluated somewhere else, later, or twice."""

import gast

from autograph.convert.converter import HOOKS, Context
from autograph.source.parse import Node, walk

FRAME_BUILTINS = frozenset({"locals", "vars", "dir", "eval", "exec", "super"})
"""Builtins that look at the frame that calls them."""

_PURE_BUILTINS = frozenset({
    "abs", "bool", "bytes", "complex", "dict", "divmod", "enumerate", "float", "frozenset", "int",
    "isinstance", "len", "list", "max", "min", "ord", "pow", "range", "reversed", "round", "set", "slice",
    "sorted", "str", "sum", "tuple", "type", "zip",
})  # fmt: skip
_BELONGS_TO_ITS_FUNCTION = (gast.NamedExpr, gast.Yield, gast.YieldFrom, gast.Await)


def may_become_lambda(node: Node, context: Context) -> bool:
    """Whether `lambda: node` means the same: no walrus, yield or await, nobody looks at its frame.

    A walrus of our own, for the middle of a chain of comparisons, is read in the same chain only.
    """
    belongs = any(
        isinstance(child, _BELONGS_TO_ITS_FUNCTION)
        and not (isinstance(child, gast.NamedExpr) and child.target.id in context.names.temporaries)
        for child in walk(node)
    )
    return not belongs and not looks_at_frame(node, context)


def looks_at_frame(node: Node, context: Context) -> bool:
    """Whether `locals()` and its like are called in `node`."""
    return any(
        isinstance(child, gast.Call)
        and isinstance(child.func, gast.Name)
        and child.func.id in FRAME_BUILTINS
        and len(child.args) < (1 if child.func.id in {"locals", "vars", "dir"} else 2)
        and context.is_builtin(child.func.id)
        for child in walk(node)
    )


def is_simple(node: Node) -> bool:
    """A name or a literal, or slices and tuples of them: reading it twice is reading it once."""
    if isinstance(node, (gast.Name, gast.Constant)):
        return True
    if isinstance(node, gast.UnaryOp):
        return isinstance(node.operand, gast.Constant)
    if isinstance(node, gast.Tuple):
        return all(is_simple(element) for element in node.elts)
    if isinstance(node, gast.Slice):
        return all(part is None or is_simple(part) for part in (node.lower, node.upper, node.step))
    return False


def may_have_effects(node: Node, context: Context) -> bool:
    """Whether evaluating `node` may run code that changes something: calls, but for a few builtins and hooks.

    Operators, attributes and subscripts are taken to be free of effects.
    """
    return any(
        isinstance(child, _BELONGS_TO_ITS_FUNCTION)
        or (isinstance(child, gast.Call) and not _is_pure_call(child, context))
        for child in walk(node)
    )


def _is_pure_call(node: Node, context: Context) -> bool:
    if is_hook(node.func):
        return node.func.attr not in {"callee", "list_comp", "set_comp", "dict_comp", "generator_exp"}
    name = node.func.id if isinstance(node.func, gast.Name) else ""
    return name in _PURE_BUILTINS and context.is_builtin(name)


def is_hook(node: Node) -> bool:
    """Whether an expression is `ag__.something`."""
    return isinstance(node, gast.Attribute) and isinstance(node.value, gast.Name) and node.value.id == HOOKS
