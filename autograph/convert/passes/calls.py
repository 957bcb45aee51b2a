"""Calls: the hook picks what is called, the call itself stays where it is and adds no frame."""

import gast

from autograph.convert.converter import HOOKS, Context, Converter, Example
from autograph.convert.moving import is_hook
from autograph.convert.template import load, located
from autograph.source.parse import Node

# What looks at the very frame that calls it; and `slice`, which only keeps its arguments: subscripts are full of it.
_LEFT_ALONE = frozenset({"super", "globals", "breakpoint", "slice"})

_EVALUATE = frozenset({"eval", "exec"})  # with namespaces of their own they need nobody's frame, and show in tracebacks


class Calls(Converter):
    """f(a, *b, k=c)  ->  ag__.callee(f)(a, *b, k=c);   @deco def g(): ...  ->  @ag__.callee(deco) def g(): ...

    The decorators of functions in functions are called, too; those of methods are not.
    Left alone: `super`, `globals`, `breakpoint`, `slice`, `eval` and `exec` with namespaces, and the hooks.
    """

    begins = (gast.Call,)
    examples = (
        Example("f(a, *b, k=c)", "ag__.callee(f)(a, *b, k=c)"),
        Example("x.m(g(1))", "ag__.callee(x.m)(ag__.callee(g)(1))"),
        Example("super(__class__, self).f(a)", "ag__.callee(super(__class__, self).f)(a)"),
        Example("locals()", "ag__.callee(locals)()"),
        Example("eval(text, names)", "eval(text, names)"),
        Example("ag__.not_(a)", "ag__.not_(a)"),
        Example(
            "def f():\n    @deco(1)\n    def g():\n        pass",
            "def f():\n\n    @ag__.callee(ag__.callee(deco)(1))\n    def g():\n        pass",
        ),
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._in_class = False

    def visit_Call(self, node: Node) -> Node:
        """Wrap the function that is called."""
        self.generic_visit(node)
        if not self._is_left_alone(node):
            node.func = _picked(node.func)
        return node

    def visit_FunctionDef(self, node: Node) -> Node:
        """Wrap the decorators."""
        if not self._in_class:
            node.decorator_list = [_picked(self.visit(decorator)) for decorator in node.decorator_list]
        return self._visit_inside(node, in_class=False)

    def visit_AsyncFunctionDef(self, node: Node) -> Node:
        """As of a plain function."""
        return self.visit_FunctionDef(node)

    def visit_ClassDef(self, node: Node) -> Node:
        """Leave the decorators of methods alone."""
        return self._visit_inside(node, in_class=True)

    def _visit_inside(self, node: Node, in_class: bool) -> Node:
        before, self._in_class = self._in_class, in_class
        self.generic_visit(node)
        self._in_class = before
        return node

    def _is_left_alone(self, call: Node) -> bool:
        function = call.func
        if isinstance(function, gast.Name):
            alone = function.id in _LEFT_ALONE or (function.id in _EVALUATE and len(call.args) > 1)
            return alone and self.context.is_builtin(function.id)
        return is_hook(function) or isinstance(function, gast.Lambda)


def _picked(function: Node) -> Node:
    """`function`, as the hook picks it."""
    hook = located(gast.Attribute(load(HOOKS, function), "callee", gast.Load()), function)
    return located(gast.Call(hook, [function], []), function)
