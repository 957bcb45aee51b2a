"""Generators turned inside out: a function that calls `emit` where the generator would yield.

    def positive(xs):                 def positive(emit, xs, /):
        for x in xs:                      for x in xs:
            if x > 0:           ->            if x > 0:
                yield x                           emit(x)

A consumer that may stop before the end (its loop has a `break`) has `emit` return whether to go on no more:
`if emit(x): return`. What comes out is converted like any function.
"""

import gast

from autograph.convert.converter import holds
from autograph.convert.jumps import blocks_of, has_jump
from autograph.convert.naming import Names
from autograph.convert.template import load, quote, quote_expression
from autograph.source.parse import Node

__all__ = ["manages_once", "turned_inside_out"]

_YIELDS = (gast.Yield, gast.YieldFrom)


def turned_inside_out(function: Node, names: Names, may_stop: bool, manages: bool = False) -> Node | None:
    """The function (changed in place) with one parameter more, its first; None where a yield stands in a place for which
    there is no such form: inside an expression, or where an `except` would see errors of the consumer.

    One that `manages` a context is to see these errors.

    >>> from autograph.source.parse import parse
    >>> from autograph.source.printing import unparse
    >>> tree = parse("def f(xs):\\n    for x in xs:\\n        yield x\\n    yield from xs").body[0]
    >>> print(unparse(turned_inside_out(tree, Names(tree), False)))
    def f(emit, /, xs):
        for x in xs:
            emit(x)
        for item in xs:
            emit(item)
    """
    if not isinstance(function, gast.FunctionDef):
        return None
    turning = _Turning(names, may_stop, manages)
    function.body = turning.block(function.body)
    if turning.failed or any(holds(statement, *_YIELDS) for statement in function.body):
        return None
    parameter = gast.Name(turning.emit, gast.Param(), None, None)
    function.args.posonlyargs.insert(0, gast.copy_location(parameter, function))
    if not gast.get_docstring(function, clean=False):
        return function
    function.body = function.body[1:] or quote("pass", function)
    return function


def manages_once(function: Node, catching: bool) -> bool:
    """Whether control surely comes to one yield, unless an exception ends the function before; and, where `catching` is
    asked for, whether exceptions raised there may be caught."""
    block, catches = function.body, False
    while True:
        found = [statement for statement in block if holds(statement, *_YIELDS)]
        if len(found) != 1 or has_jump(block[: block.index(found[0])], gast.Return):
            return False
        (statement,) = found
        if isinstance(statement, (gast.Expr, gast.Assign)):
            return isinstance(statement.value, gast.Yield) and (catches or not catching)
        if not isinstance(statement, (gast.Try, gast.With)) or not holds(statement.body, *_YIELDS):
            return False
        if any(holds(part, *_YIELDS) for part in blocks_of(statement) if part is not statement.body):
            return False
        block = statement.body
        catches = catches or isinstance(statement, gast.With) or bool(statement.handlers)


class _Turning(gast.NodeTransformer):
    def __init__(self, names: Names, may_stop: bool, manages: bool) -> None:
        self.names = names
        self.may_stop = may_stop
        self.manages = manages
        self.emit = names.fresh("emit")
        names.bound.add(self.emit)
        self.failed = False

    def block(self, statements: list[Node]) -> list[Node]:
        made: list[Node] = []
        for statement in statements:
            result = self.visit(statement)
            made += result if isinstance(result, list) else [result]
        return made

    def visit_FunctionDef(self, node: Node) -> Node:
        return node

    visit_AsyncFunctionDef = visit_ClassDef = visit_Lambda = visit_FunctionDef

    def visit_Try(self, node: Node) -> Node:
        if node.handlers and not self.manages and holds(node.body, *_YIELDS):
            self.failed = True
        return self.generic_visit(node)

    visit_TryStar = visit_Try

    def visit_Return(self, node: Node) -> Node | list[Node]:
        """What a generator returns, a loop over it does not see."""
        if node.value is None or isinstance(node.value, gast.Constant):
            node.value = None
            return node
        return [*quote("value", node, value=node.value), *quote("return", node)]

    def visit_Expr(self, node: Node) -> Node | list[Node]:
        value = node.value
        if isinstance(value, gast.Yield):
            return self._emitted(value.value, node)
        if isinstance(value, gast.YieldFrom):
            item = self.names.fresh("item")
            body = self._emitted(load(item, node), node)
            return quote("for item in items:\n    body", node, item=item, items=value.value, body=body)
        return node

    def visit_Assign(self, node: Node) -> Node | list[Node]:
        """`x = yield y`: a loop sends nothing."""
        if not isinstance(node.value, gast.Yield):
            return node
        emitted = self._emitted(node.value.value, node)
        node.value = gast.copy_location(gast.Constant(None, None), node)
        return [*emitted, node]

    def _emitted(self, value: Node | None, origin: Node) -> list[Node]:
        call = quote_expression("emit(value)", origin, emit=self.emit, value=value or gast.Constant(None, None))
        if self.may_stop:
            return quote("if call:\n    return", origin, call=call)
        return quote("call", origin, call=call)
