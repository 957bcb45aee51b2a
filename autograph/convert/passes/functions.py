"""The function itself: its decorators go, annotated locals become plain, `super()` says what it means."""

import gast

from autograph.convert.converter import HOOKS, Context, Converter, Example
from autograph.convert.naming import bound_names
from autograph.convert.template import load
from autograph.source.parse import Node


class Functions(Converter):
    """x: int = 1  ->  x = 1;   super()  ->  super(__class__, self)

    The decorators of the outermost function have run already: they are dropped. Locals lose their
    annotations, which Python never evaluates and does not allow for what becomes `nonlocal`.
    `super()` looks at its caller's frame, which may become a helper function: its arguments are
    written out. Generators and async functions stay what they are; nested functions and methods
    of nested classes are converted where they stand.
    """

    examples = (
        Example("@deco\ndef f():\n    x: int = 1\n    y: int", "def f():\n    y: ag__.local\n    x = 1"),
        Example(
            "class C(B):\n    def f(self, a):\n        return super().f(a)",
            "class C(B):\n    def f(self, a):\n        return super(__class__, self).f(a)",
        ),
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._first_parameters: list[str | None] = []
        self._declared: list[dict[str, Node]] = []

    def convert(self, tree: Node) -> Node:
        """Drop the decorators, then convert as everywhere."""
        if not isinstance(tree, gast.Lambda):
            tree.decorator_list = []
        return self.visit(tree)

    def visit_FunctionDef(self, node: Node) -> Node:
        """Convert the body; a local that was only annotated is declared at its beginning."""
        declared: dict[str, Node] = {}
        self._declared.append(declared)
        self._visit_scope(node)
        self._declared.pop()
        missing = [name for name in declared if name not in bound_names(node)]
        position = 1 if gast.get_docstring(node, clean=False) is not None else 0
        for name in missing:
            declaration = self.quote(f"name: {HOOKS}.local", declared[name], name=name)
            node.body[position:position] = declaration
        return node

    def visit_AsyncFunctionDef(self, node: Node) -> Node:
        """As for a plain function."""
        return self.visit_FunctionDef(node)

    def visit_Lambda(self, node: Node) -> Node:
        """A scope with parameters of its own."""
        return self._visit_scope(node)

    def visit_AnnAssign(self, node: Node) -> Node | None:
        """Drop the annotation; with no value there is nothing left but the declaration."""
        self.generic_visit(node)
        if node.value is not None:
            return self.quote("target = value", node, target=node.target, value=node.value)[0]
        if not isinstance(node.target, gast.Name):
            return node
        self._declared[-1][node.target.id] = node
        return None

    def visit_Call(self, node: Node) -> Node:
        """Write the arguments of `super()` out."""
        self.generic_visit(node)
        is_super = isinstance(node.func, gast.Name) and node.func.id == "super"
        if not is_super or node.args or node.keywords or not self.context.is_builtin("super"):
            return node
        first = self._first_parameters[-1]
        if first is not None:
            node.args = [load("__class__", node), load(first, node)]
        return node

    def _visit_scope(self, node: Node) -> Node:
        parameters = [*node.args.posonlyargs, *node.args.args]
        self._first_parameters.append(parameters[0].id if parameters else None)
        self.generic_visit(node)
        self._first_parameters.pop()
        return node


