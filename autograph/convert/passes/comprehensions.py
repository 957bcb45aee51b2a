"""List, set and dict comprehensions, and generator expressions."""

import gast

from autograph.convert.converter import Context, Converter, Example
from autograph.convert.moving import looks_at_frame
from autograph.convert.taking_apart import sizes_of_item
from autograph.convert.template import constant, copy_tree
from autograph.source.parse import Node, walk

_STAYS = (gast.Yield, gast.YieldFrom, gast.Await, gast.NamedExpr)
_RANKING = ("max", "min", "sorted")  # what calls its `key` before it returns
_HOOKS = {
    gast.ListComp: "list_comp",
    gast.SetComp: "set_comp",
    gast.DictComp: "dict_comp",
    gast.GeneratorExp: "generator_exp",
}


class Comprehensions(Converter):
    """[e for x in it if c]  ->  ag__.list_comp(lambda x: e, it, lambda x: c)

    Left as they are: asynchronous ones; those that bind, yield or await inside; those whose
    element makes a function or a generator that may outlive the step, since it would see its own
    `x` instead of the last one. A tuple target is unpacked as Python does it, by a comprehension
    over one item.
    """

    begins = (gast.ListComp, gast.SetComp, gast.DictComp, gast.GeneratorExp)
    eliminates = (gast.ListComp, gast.SetComp, gast.DictComp, gast.GeneratorExp)
    examples = (
        Example("y = [f(x) for x in a]", "y = ag__.list_comp(lambda x: f(x), a)"),
        Example("y = {x for x in a if x if z}", "y = ag__.set_comp(lambda x: x, a, lambda x: x and z)"),
        Example("y = {k: 1 for k in a}", "y = ag__.dict_comp(lambda k: (k, 1), a)"),
        Example("y = sum(x for x in a)", "y = sum(ag__.generator_exp(lambda x: x, a))"),
        Example(
            "y = [u * v for u, v in zip(a, b)]",
            "y = ag__.list_comp(lambda item: [u * v for u, v in (item,)][0], zip(a, b))",
        ),
        Example("y = [u for u, v in a]", "y = ag__.list_comp(lambda item: [u for u, v in (ag__.unpack(item, 2),)][0], a)"),
        Example(
            "y = [x + z for x in a if x for z in x]",
            "y = ag__.list_comp(lambda x: ag__.list_comp(lambda z: x + z, x), a, lambda x: x, flat=True)",
        ),
        Example(
            "y = {x: z for x in a for z in x}",
            "y = ag__.dict_comp(lambda x: ag__.list_comp(lambda z: (x, z), x), a, flat=True)",
        ),
        Example("y = [lambda: x for x in a]", "y = [lambda: x for x in a]"),
        Example(
            "y = [max(x, key=lambda v: v[z]) for x in a]",
            "y = ag__.list_comp(lambda x: max(x, key=lambda v: v[z]), a)",
        ),
        Example("y = [(n := x) for x in a]", "y = [(n := x) for x in a]"),
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._kept: set[int] = set()

    def visit_ListComp(self, node: Node) -> Node:
        """Convert the inside first; then the comprehension, if it may be."""
        stays = self._must_stay(node)
        self.generic_visit(node)
        if stays:
            self._kept.add(id(node))
            return node
        return self._converted(_HOOKS[type(node)], node, node.generators)

    def visit_SetComp(self, node: Node) -> Node:
        """As a list's."""
        return self.visit_ListComp(node)

    def visit_DictComp(self, node: Node) -> Node:
        """As a list's; the element is a pair."""
        return self.visit_ListComp(node)

    def visit_GeneratorExp(self, node: Node) -> Node:
        """As a list's; its first iterable is evaluated at once, too."""
        return self.visit_ListComp(node)

    def keeps(self, node: Node) -> bool:
        """Those that must stay, and the one-item ones that unpack."""
        return id(node) in self._kept

    def _must_stay(self, node: Node) -> bool:
        inside = [node.key, node.value] if isinstance(node, gast.DictComp) else [node.elt]
        for position, generator in enumerate(node.generators):
            inside += [generator.target, *generator.ifs, *([generator.iter] if position else [])]
            if generator.is_async or not _is_plain_target(generator.target):
                return True
        targets = {n.id for g in node.generators for n in walk(g.target) if isinstance(n, gast.Name)}
        return any(
            _has_any(part, _STAYS)
            or _leaks_function(part, targets)
            or _leaks_generator(part)
            or looks_at_frame(part, self.context)
            for part in inside
        )

    def _converted(self, hook: str, node: Node, generators: list[Node]) -> Node:
        first, *rest = generators
        if rest:
            # The inner ones only list what the outermost makes its set or dict of.
            inner = hook if hook == "generator_exp" else "list_comp"
            element = self._converted(inner, node, rest)
        elif isinstance(node, gast.DictComp):
            element = self.quote_expression("(k, v)", node, k=node.key, v=node.value)
        else:
            element = node.elt
        arguments = [self._function(first, element), first.iter]
        if first.ifs:
            condition = first.ifs[0]
            if len(first.ifs) > 1:
                condition = gast.BoolOp(gast.And(), first.ifs)
            arguments.append(self._function(first, condition))
        made = self.quote_expression("ag__.hook(arguments)", node, hook=hook, arguments=arguments)
        if rest:
            made.keywords = [gast.keyword("flat", constant(True, node))]
        return made

    def _function(self, generator: Node, body: Node) -> Node:
        """`lambda target: body`; `body` and the generator's target may be used again."""
        target = generator.target
        if isinstance(target, gast.Name):
            return self.quote_expression("lambda x: body", body, x=target.id, body=body)
        item = self.names.helper("item")
        sizes = sizes_of_item(target, generator.iter)
        value = "item" if sizes is None else "ag__.unpack(item, sizes)"
        text = f"lambda item: [body for target in ({value},)][0]"
        made = self.quote_expression(text, body, item=item, body=body, target=copy_tree(target), sizes=sizes or [])
        self._kept.add(id(made.body.value))
        return made


def _is_plain_target(target: Node) -> bool:
    """Names, and tuples of them: nothing that is written to by assigning."""
    return not _has_any(target, (gast.Attribute, gast.Subscript))


def _has_any(node: Node, types: tuple[type, ...]) -> bool:
    return any(isinstance(child, types) for child in walk(node))


def _leaks_function(node: Node, targets: set[str]) -> bool:
    """Whether a lambda in `node` may be kept with one of the comprehension's names, of which Python has one for all items:
    all may but those called at once, and keys of calls by name."""
    calls = [child for child in gast.walk(node) if isinstance(child, gast.Call)]
    used_up = {id(call.func) for call in calls}
    used_up |= {id(k.value) for call in calls if getattr(call.func, "id", "") in _RANKING for k in call.keywords}
    return any(
        isinstance(child, gast.Lambda) and id(child) not in used_up and _names(child) & targets for child in gast.walk(node)
    )


def _names(node: Node) -> set[str]:
    return {child.id for child in gast.walk(node) if isinstance(child, gast.Name)}


def _leaks_generator(node: Node) -> bool:
    """Whether a generator expression in `node` is anything but the argument of a call."""
    nodes = walk(node)
    consumed = {id(argument) for call in nodes if isinstance(call, gast.Call) for argument in call.args}
    return any(isinstance(child, gast.GeneratorExp) and id(child) not in consumed for child in nodes)
