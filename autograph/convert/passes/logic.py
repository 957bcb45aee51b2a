"""`and`, `or`, `not`, chained comparisons, `is` and `in`."""

import gast

from autograph.convert.converter import Context, Converter, Example
from autograph.convert.moving import is_simple, may_become_lambda, may_have_effects
from autograph.convert.orders import Orders
from autograph.convert.template import copy_tree, load, located, store
from autograph.source.parse import Node

_HOOKS = {gast.Is: "is_", gast.IsNot: "is_not", gast.In: "in_", gast.NotIn: "not_in"}
_EQUALITIES = {gast.Eq: "eq", gast.NotEq: "not_eq"}
_ORDERS = {gast.Lt: "lt", gast.LtE: "lt_e", gast.Gt: "gt", gast.GtE: "gt_e"}
_COMPREHENSIONS = (gast.ListComp, gast.SetComp, gast.DictComp, gast.GeneratorExp)


class Logic(Converter):
    """a and b -> ag__.and_(a, lambda: b);  not a -> ag__.not_(a);  x in y -> ag__.in_(x, y)

    A chain is the `and` of its comparisons; what stands between two of them is evaluated once.
    """

    begins = (gast.BoolOp, gast.UnaryOp, gast.Compare)
    eliminates = (gast.BoolOp, gast.Not, *_HOOKS)
    examples = (
        Example("y = a and b and c", "y = ag__.and_(a, lambda: b, lambda: c)"),
        Example("y = not (a or b)", "y = ag__.not_(ag__.or_(a, lambda: b))"),
        Example("y = a < b < 3", "y = ag__.and_(a < b, lambda: b < 3)"),
        Example(
            "y = a < f() <= g() < d",
            "y = ag__.and_(a < (middle := f()), lambda: ag__.and_(middle <= (middle_1 := g()), "
            "lambda: middle_1 < d))",
        ),
        Example("y = x is None", "y = ag__.is_(x, None)"),
        Example("y = a is not b not in c", "y = ag__.and_(ag__.is_not(a, b), lambda: ag__.not_in(b, c))"),
        Example("y = a == b", "y = ag__.eq(a, b)"),
        Example("y = a == 1 or a.b == -c", "y = ag__.or_(a == 1, lambda: a.b == -c)"),
        Example("y = (a, b) < c", "y = ag__.lt((a, b), c)"),
        Example("best = (a, b)\ny = c >= best", "best = (a, b)\ny = ag__.gt_e(c, best)"),
        Example("y = a[i] < b and i < n", "y = ag__.and_(ag__.lt(a[i], b), lambda: i < n)"),
        Example("i = 0\ny = a[i] < b - 1 or a[0] > i", "i = 0\ny = ag__.or_(a[i] < b - 1, lambda: a[0] > i)"),
        Example("f(a and (n := b))", "f(a and (n := b))"),
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._in_iterable = False
        self._orders = Orders()

    def convert(self, tree: Node) -> Node:
        """Convert a function, knowing which of its names may stand for tuples."""
        self._orders = Orders(tree)
        return super().convert(tree)

    def visit_comprehension(self, node: Node) -> Node:
        """In the iterable of a comprehension Python allows no walrus."""
        node.target = self.visit(node.target)
        outside, self._in_iterable = self._in_iterable, True
        node.iter = self.visit(node.iter)
        self._in_iterable = outside
        node.ifs = [self.visit(condition) for condition in node.ifs]
        return node

    def visit_Lambda(self, node: Node) -> Node:
        """In a lambda, it does again."""
        outside, self._in_iterable = self._in_iterable, False
        self.generic_visit(node)
        self._in_iterable = outside
        return node

    def visit_BoolOp(self, node: Node) -> Node:
        """All operands but the first become functions."""
        self.generic_visit(node)
        if self.keeps(node):
            return node
        hook = "and_" if isinstance(node.op, gast.And) else "or_"
        head, *rest = node.values
        return self._joined(hook, node, head, rest)

    def visit_UnaryOp(self, node: Node) -> Node:
        """`not`; other operators are the operands' own."""
        self.generic_visit(node)
        if not isinstance(node.op, gast.Not):
            return node
        return self.quote_expression("ag__.not_(a)", node, a=node.operand)

    def visit_Compare(self, node: Node) -> Node:
        """One comparison, or a chain of them."""
        self.generic_visit(node)
        if len(node.ops) == 1:
            return self._comparison(node, node.left, node.ops[0], node.comparators[0])
        if self.keeps(node):
            return node
        return self._chain(node)

    def keeps(self, node: Node) -> bool:
        """Operands that bind a name, yield or await belong to this function."""
        if isinstance(node, gast.BoolOp):
            later = node.values[1:]
        elif isinstance(node, gast.Compare) and len(node.ops) > 1:
            later = node.comparators[1:]
        else:
            # An operator of a chain that was kept.
            return isinstance(node, tuple(_HOOKS))
        return not all(may_become_lambda(operand, self.context) for operand in later)

    def _chain(self, node: Node) -> Node:
        middles = node.comparators[:-1]
        if all(self._may_repeat(middle, node) for middle in middles):
            operands = [node.left, *node.comparators]
            parts = [
                self._comparison(node, left if i == 0 else copy_tree(left), op, right)
                for i, (left, op, right) in enumerate(zip(operands, node.ops, operands[1:], strict=False))
            ]
            return self._joined("and_", node, parts[0], parts[1:])
        if self._in_iterable:
            # (lambda left, middle: left < middle < c)(a, b), converted.
            left, middle = self.names.fresh("left"), self.names.fresh("middle")
            first = [load(left, node), load(middle, node)]
            text = "(lambda left, middle: chain)(a, b)"
            a, b = node.left, node.comparators[0]
            node.left, node.comparators = first[0], [first[1], *node.comparators[1:]]
            chain = self._chain_by_walrus(node)
            return self.quote_expression(text, node, left=left, middle=middle, chain=chain, a=a, b=b)
        return self._chain_by_walrus(node)

    def _chain_by_walrus(self, node: Node) -> Node:
        """The first comparison, and a function for the rest of the chain."""
        middle = node.comparators[0]
        if len(node.ops) == 1:
            return self._comparison(node, node.left, node.ops[0], middle)
        if self._may_repeat(middle, node):
            again = copy_tree(middle)
        else:
            name = self.names.fresh("middle")
            self.names.temporaries.add(name)
            again = load(name, middle)
            middle = located(gast.NamedExpr(store(name, middle), middle), middle)
        first = self._comparison(node, node.left, node.ops[0], middle)
        rest = located(gast.Compare(again, node.ops[1:], node.comparators[1:]), node)
        return self._joined("and_", node, first, [self._chain_by_walrus(rest)])

    def _may_repeat(self, middle: Node, chain: Node) -> bool:
        """Whether a middle operand may be read twice: a call further right must not change it."""
        distant = isinstance(middle, gast.Name) and middle.id in self.names.distant
        return is_simple(middle) and not (distant and may_have_effects(chain, self.context))

    def _comparison(self, origin: Node, left: Node, op: Node, right: Node) -> Node:
        hook = _HOOKS.get(type(op))
        if type(op) in _EQUALITIES and _may_be_list(left) and _may_be_list(right):
            hook = _EQUALITIES[type(op)]
        elif type(op) in _ORDERS and self._orders.may_be_of_tuples(left, right):
            hook = _ORDERS[type(op)]
        if hook is None:
            return located(gast.Compare(left, [op], [right]), origin)
        return self.quote_expression("ag__.hook(a, b)", origin, hook=hook, a=left, b=right)

    def _joined(self, hook: str, origin: Node, head: Node, rest: list[Node]) -> Node:
        functions = [self.quote_expression("lambda: operand", operand, operand=operand) for operand in rest]
        return self.quote_expression("ag__.hook(head, rest)", origin, hook=hook, head=head, rest=functions)


def _may_be_list(operand: Node) -> bool:
    """Whether an operand of `==` may be a list or tuple: with literals and with most operators' results it is not."""
    if isinstance(operand, gast.BinOp):
        return isinstance(operand.op, (gast.Add, gast.Mult)) and _may_be_list(operand.left) and _may_be_list(operand.right)
    return not isinstance(operand, (gast.Constant, gast.UnaryOp, gast.Compare, gast.JoinedStr, gast.Set))
