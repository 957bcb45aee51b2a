"""What a handler of a staged `try` tells apart: the exceptions that its body's graph may raise."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import numpy as np

from runtime.ir.graph import Graph, Node
from runtime.ir.safety import may_fail
from runtime.ops.attempts import Kind, Known, Sited
from runtime.ops.effects import exception_of
from runtime.ops.kinds import Elementwise
from runtime.tensor.trace import Trace
from runtime.typesys.errors import OpError
from runtime.typesys.spec import TensorType

__all__ = ["class_of", "flat", "raised_in"]


def class_of(error: BaseException) -> type[BaseException]:
    """The class of an exception; of what stands for one of the run, the one that it stands for."""
    kind = type(error)
    return kind.__bases__[0] if kind.__dict__.get("__stands_in__") else kind


def flat(types: Any) -> list[type[BaseException]]:
    """The classes that an `except` names."""
    return [kind for part in types for kind in flat(part)] if isinstance(types, tuple) else [types]


def raised_in(
    trace: Trace,
    carried: Container[int],
    graph: Graph,
    kind: type[BaseException],
    sites: dict[Sited, dict[str, Any]],
) -> list[tuple[Kind, int | None]]:
    """What a handler for a class tells apart of what a graph may raise: the exceptions of which all is known, those of which
    all is noted (by the sites that are `carried`; their attributes are put into `sites`), and the classes of the others,
    with the number of their arguments: none, their text, or None where that is unknown."""
    known: dict[Known | Sited, None] = {}
    others = False
    classes: dict[type[BaseException], set[int | None]] = {}
    lengths: set[int | None] = set()  # of the arguments of those that are none of `classes`
    vague = kind not in _OF_TEXTS  # others may have any arguments
    again: set[str | None] = set()  # who has caught what is raised again
    pending, seen = [graph], {graph.name}
    while pending:
        for node in pending.pop().walk():
            name = node.attrs.get("function")
            if type(name) is str and name in trace.graph.functions and name not in seen:
                seen.add(name)
                pending.append(trace.graph.functions[name])
            if node.op.name == "raise_":
                exception, site = node.attrs["exception"], node.attrs.get("site")
                is_new = isinstance(exception, type)
                if site and not is_new:  # raised once more, as it was
                    exception = site.exception if type(site) is Known else trace.notes["sites"][site][0]
                if not isinstance(exception, type):
                    again.add(node.attrs.get("caught_by"))
                elif issubclass(exception, kind):
                    made: Known | Sited | None
                    if type(site) is Known:
                        made = site
                    elif site and (not is_new or not node.inputs or site in carried):
                        made = Sited(exception, site)
                        if is_new:
                            sites[made] = {**node.attrs, "slots": len(node.inputs)}
                    else:
                        made = _known(exception, node)
                    if made is None:
                        others = vague = True
                    else:
                        known[made] = None
            elif may_fail(node.op, node.inputs) and node.op.name not in ("attempt", "call", "note"):
                length = _arguments_of(node)
                is_pythons = kind.__module__ == "builtins" and not issubclass(kind, BaseExceptionGroup)
                is_pythons = is_pythons and (kind is not KeyError or length is None)  # no index, shape or number raises one
                raised = _raised_by(node)
                others = others or is_pythons or issubclass(kind, OpError) or node.op.effect == "py" or kind in raised
                for each in raised:
                    if each is not kind and issubclass(each, kind):
                        classes.setdefault(each, set()).add(length)
                if (node.op.name == "assert_") == (kind is AssertionError):
                    lengths.add(length)
    if not again <= seen:  # it was raised elsewhere
        others = vague = True
    if len(known) > _MOST_KNOWN:
        known, others, vague = {}, True, True
    of_classes = [*classes.items(), *([(kind, lengths)] if others else ())]
    told = [(c, None if vague or len(n) > 1 else min(n, default=None)) for c, n in of_classes]
    return [*((k, None) for k in known), *told]


_MOST_KNOWN = 8  # for each the handler is traced

_OF_TEXTS = frozenset(
    (BaseException, Exception, ArithmeticError, AssertionError, IndexError, LookupError, ValueError, ZeroDivisionError)
)  # what operations raise of these has one argument, its text
_OF_THEIR_OWN = frozenset("fold numpy_function pow pow_modular py_function require_alternative to_python".split())


def _arguments_of(node: Node) -> int | None:
    """How many arguments has what an operation raises, where they are its text or none; Python's has as many."""
    if node.op.name == "assert_":
        return 0 if node.attrs.get("bare") else 1
    if isinstance(node.op, Elementwise) and not all(isinstance(v.type, TensorType) for v in node.inputs):
        return None
    return None if node.op.effect == "py" or node.op.name in _OF_THEIR_OWN else 1


def _known(exception: type[BaseException], node: Node) -> Known | None:
    """What a `raise` makes, if nothing of it depends on the run."""
    if node.inputs:
        return None
    attrs = node.attrs
    made = exception_of((), exception, attrs["arguments"], attrs["template"], attrs.get("state"))
    known = Known(exception, made.args, tuple(made.__dict__.items()))
    try:
        hash(known)
    except TypeError:
        return None
    return known


_INDICES = frozenset("gather gather_nd index index_update list_get list_pop list_set".split())
_MATRICES = frozenset("cholesky eigh inv solve svd".split())
_DIVISIONS = frozenset("div floordiv mod fmod reciprocal".split())


def _raised_by(node: Node) -> tuple[type[Exception], ...]:
    """Python's and NumPy's classes of what an operation raises, the commonest."""
    name = node.op.name
    if name in _INDICES:
        return (IndexError,)
    if name in _MATRICES:
        return (np.linalg.LinAlgError,)
    if name == "assert_":
        return (AssertionError,)
    if isinstance(node.op, Elementwise) and all(getattr(v.type, "weak", False) for v in node.inputs):
        return (ZeroDivisionError,) if name in _DIVISIONS else (ZeroDivisionError, OverflowError) if name == "pow" else ()
    return () if node.op.effect == "py" else (ValueError,)
