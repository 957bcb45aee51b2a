"""Comprehensions that compiled code goes through as Python does, as long as the trace relies on it that it meets no tensor.

    ag__.list_comp(lambda x: e, xs, lambda x: c)
    ->
    ([e for x in ag__over if c], (ag__over := None))[0]
    if ag__.passing(ag__over := xs) and ag__.calm
    else ag__.list_comp(lambda x: e, (ag__over, (ag__over := None))[0], lambda x: c)

Where items are taken apart, `for item in ag__over for a, b in (ag__.unpack(item, 2),)`; a comprehension inside one that is
`flat` is another `for`, over `ag__.inner(ys)`. Of the two the first is shortened as statements are; the hook has the other
as it is shown, so that the size grows with the depth of nesting only. A generator goes on while the function does something
else: nothing in it may give a name to what is computed, which calls hooks instead.
"""

from __future__ import annotations

import ast
from typing import Any

from autograph.load.parts import (
    HOOKS,
    Visit,
    bind,
    call_of,
    copied,
    given_up,
    hook_of,
    is_of,
    load,
    located,
    quickly,
)
from autograph.source.parse import dump, walk

__all__ = ["comprehension_at_once"]

_OVER = "ag__over"
_KINDS: dict[str, Any] = {
    "list_comp": ast.ListComp, "set_comp": ast.SetComp, "dict_comp": ast.DictComp, "generator_exp": ast.GeneratorExp,
}  # fmt: skip


def comprehension_at_once(call: ast.Call, visit: Visit, kept: Visit) -> ast.expr | None:
    """What stands for the call of a comprehension's hook; None where it stays.

    `visit` shortens what Python goes through, `kept` what is left to the hook.
    """
    hook = hook_of(call)
    if hook not in _KINDS or any(_gives_names(part) for part in (call.args[0], *call.args[2:])):
        return None
    loops: list[ast.comprehension] = []
    element = _loops(call, load(_OVER), loops, visit, hook == "generator_exp")
    if element is None:
        return None
    made: ast.expr
    if hook == "dict_comp":
        if not isinstance(element, ast.Tuple):
            return None
        key, value = (visit(copied(part)) for part in element.elts)
        made = ast.DictComp(key, value, loops)
    elif hook == "generator_exp":
        given = visit(copied(element))
        if _gives_names(given) and not call.keywords:
            return None
        made = ast.GeneratorExp(copied(element) if _gives_names(given) else given, loops)
    else:
        made = _KINDS[hook](visit(copied(element)), loops)
    gone = ast.Tuple([made, bind(_OVER, ast.Constant(None))], ast.Load())
    short = ast.Subscript(gone, ast.Constant(0), ast.Load())
    source = visit(copied(call.args[1]))
    first, *rest = [kept(f) for f in (call.args[0], *call.args[2:])]
    long = ast.Call(copied(call.func), [first, given_up(_OVER), *rest], copied(call.keywords))
    calm = ast.Attribute(load(HOOKS), "calm", ast.Load())
    return located(call, quickly([call_of("passing", bind(_OVER, source)), calm], short, long))  # type: ignore[no-any-return]


def _loops(
    call: ast.Call, source: ast.expr, loops: list[ast.comprehension], visit: Visit, is_lazy: bool
) -> ast.expr | None:
    """Add the loops of a comprehension, the first over `source`; returns what is computed for an item, None if that is not
    told."""
    parts = [_part(f) for f in (call.args[0], *call.args[2:]) if isinstance(f, ast.Lambda)]
    if len(parts) != len(call.args) - 1:
        return None
    name, taken, element = parts[0]
    if any((other, _shown(way)) != (name, _shown(taken)) for other, way, _ in parts[1:]):
        return None
    loops.append(ast.comprehension(ast.Name(name, ast.Store()), source, [], 0))
    if taken is not None:
        target, value = taken
        loops.append(ast.comprehension(copied(target), ast.Tuple([_whole(value)], ast.Load()), [], 0))
    loops[-1].ifs = [visit(copied(test)) for _, _, test in parts[1:]]
    if is_lazy and any(map(_gives_names, loops[-1].ifs)):
        loops[-1].ifs = [copied(test) for _, _, test in parts[1:]]
    if not call.keywords:
        return element
    if not isinstance(element, ast.Call) or hook_of(element) not in _KINDS:
        return None
    inner = visit(copied(element.args[1]))
    if _gives_names(inner):  # Python takes none in what a comprehension goes over
        inner = copied(element.args[1])
    return _loops(element, call_of("inner", inner), loops, visit, is_lazy)


def _gives_names(x: ast.expr) -> bool:
    return any(isinstance(node, ast.NamedExpr) for node in walk(x))


def _part(function: ast.Lambda) -> tuple[str, tuple[ast.expr, ast.expr] | None, ast.expr]:
    """(the name of an item, how it is taken apart, what is computed of it) in a function for an item."""
    name, body = function.args.args[0].arg, function.body
    if isinstance(body, ast.Subscript) and isinstance(body.value, ast.ListComp):
        generator = body.value.generators[0]
        value = generator.iter.elts[0] if isinstance(generator.iter, ast.Tuple) and len(generator.iter.elts) == 1 else None
        if isinstance(generator.target, ast.Tuple) and value is not None and _is_item(value, name):
            return name, (generator.target, value), body.value.elt
    return name, None, body


def _is_item(value: ast.expr, name: str) -> bool:
    """Whether it is the item, or what is unpacked of it."""
    if isinstance(value, ast.Call) and hook_of(value) == "unpack":
        value = value.args[0]
    return isinstance(value, ast.Name) and value.id == name


def _whole(value: ast.expr) -> ast.expr:
    """The item that is taken apart."""
    if not isinstance(value, ast.Call):
        return copied(value)  # type: ignore[no-any-return]
    item = value.args[0]
    return quickly([is_of(item, "INDEXED")], item, value) if isinstance(value.args[1], ast.Constant) else copied(value)


def _shown(taken: tuple[ast.expr, ast.expr] | None) -> str:
    """How an item is taken apart, as a text."""
    return "" if taken is None else dump(taken[0]) + dump(taken[1])
