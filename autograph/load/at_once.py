"""What compiled code does at once, and generated code by a hook: with operands of types that nothing stands in for.

    x[i]            ->  x[i] if ag__.kind(x) in ag__.INDEXED and ag__.kind(i) in ag__.INDICES else ag__.get_item(x, i)
    f(x)            ->  (ag__.at_once.get(ag__.id(f)) or ag__.callee(f))(x)
    xs.append(x)    ->  (xs.append if ag__.id(xs) in ag__.noted else ag__.callee(xs.append))(x)

The tables are in `autograph.operators.values.quick`. Each test comes right before what it is for, when all operands have
their values: what is evaluated in between may change the tables. Operands are names and constants, or kept under a name;
that name is given up at once, since what it holds would live as long as the function runs.
"""

from __future__ import annotations

import ast

from autograph.load.fresh import CHANGING, READING, Fresh, is_ours
from autograph.load.parts import (
    BASE,
    HOOKS,
    INDEX,
    VALUE,
    Visit,
    bind,
    call_of,
    copied,
    given_up,
    hook_of,
    is_atom,
    is_atomic,
    is_member,
    is_of,
    is_slice,
    load,
    loaded,
    located,
    may_call,
    mentions,
    not_of,
    quickly,
    subscript,
)
from autograph.source.parse import walk

__all__ = ["JOINING", "OF_TEXTS", "expression_at_once"]

_WHOLE = "ag__whole"
_GIVEN = "ag__given"  # arguments, with a number
_METHOD = "ag__method"
_BOUND, _MADE = "ag__bound", "ag__made"  # a method that is called, and what is called for its function


def expression_at_once(call: ast.Call, visit: Visit, fresh: Fresh) -> ast.expr | None:
    """What stands for the call of a hook in an expression; None where it stays.

    `visit` shortens operands; `fresh` names what the function itself has made.
    """
    hook = hook_of(call)
    if hook == "unpack" and isinstance(call.args[1], ast.Constant):
        x = call.args[0]
        owner, taken = (x, x) if isinstance(x, ast.Name) else (bind(BASE, visit(x)), given_up())
        return located(call, quickly([is_of(owner, "INDEXED")], taken, call_of("unpack", taken, *call.args[1:])))  # type: ignore[no-any-return]
    if hook == "get_item":
        return _item(call, visit)
    if hook in _COMPARISONS:
        return _comparison(call, hook, visit)
    if hook in ("is_", "is_not"):
        return _identity(call, hook, visit)
    if hook == "dict_of":
        return _dictionary(call, visit)
    if hook == "in_place" and isinstance(call.args[0], ast.Name):
        return located(call, quickly([is_of(call.args[0], "INDICES")], visit(call.args[1]), call))  # type: ignore[no-any-return]
    if hook in ("in_", "not_in"):
        return _membership(call, hook, visit)
    function = call.func.args[0] if isinstance(call.func, ast.Call) and hook_of(call.func) == "callee" else None
    if isinstance(function, ast.Name):
        return _call_of_name(call, function, visit, fresh)
    if isinstance(function, ast.Attribute):
        return _call_of_method(call, function, visit, fresh)
    return None


def _item(call: ast.Call, visit: Visit) -> ast.expr | None:
    """`x[i]`, where the parts of `i` are names or numbers, or all but one."""
    x, index, *more = call.args
    if more:
        return _item_of_item(call, x, index, more, visit)
    found = subscript(index)
    if found is not None:
        at, checks = found
        owner, taken = (x, x) if isinstance(x, ast.Name) else (bind(BASE, visit(x)), given_up())
        checks = [is_of(owner, "INDEXED"), *checks]
        return located(call, quickly(checks, loaded(taken, at), call_of("get_item", taken, index)))  # type: ignore[no-any-return]
    parts = index.args if is_slice(index) else index.elts if isinstance(index, ast.Tuple) else [index]
    computed = [i for i, part in enumerate(parts) if not is_atom(part)]
    if any(isinstance(parts[i], (ast.Tuple, ast.Starred)) or is_slice(parts[i]) for i in computed):
        return None
    visited = [visit(parts[i]) for i in computed]
    calls = any(map(may_call, visited))
    if any(mentions(part, _WHOLE) for part in visited) or (calls and any(isinstance(p, ast.Name) for p in parts)):
        return None
    names = [INDEX if len(computed) == 1 else f"{INDEX}_{i}" for i in computed]
    if len(computed) > 1 and (calls or any(mentions(part, name) for part in visited for name in names)):
        return None
    parts = [load(names[computed.index(i)]) if i in computed else p for i, p in enumerate(parts)]
    if is_slice(index):
        index = ast.Call(index.func, parts, [])
    else:
        index = ast.Tuple(parts, ast.Load()) if isinstance(index, ast.Tuple) else parts[0]
    found = subscript(index)
    assert found is not None
    at, taken = found[0], x
    bound = [bind(name, part) for name, part in zip(names, visited, strict=True)]
    checks = [is_of(load(name), "INDICES") for name in names]
    if not isinstance(x, ast.Name) or calls:
        bound.insert(0, bind(_WHOLE, visit(x)))
        x, taken = load(_WHOLE), given_up(_WHOLE)
    if len(bound) == 1:
        checks[0] = is_of(bound[0], "INDICES")
    else:  # all are bound before any is looked at: the hook gets them, too
        last = ast.Subscript(ast.Tuple(bound, ast.Load()), ast.Constant(len(bound) - 1), ast.Load())
        checks = [is_of(last, "INDICES"), *checks[:-1]]
    checks += [is_of(x, "INDEXED"), *(is_of(p, "INDICES") for p in parts if isinstance(p, ast.Name) and p.id not in names)]
    return located(call, quickly(checks, loaded(taken, at), call_of("get_item", taken, index)))  # type: ignore[no-any-return]


def _item_of_item(call: ast.Call, x: ast.expr, index: ast.expr, more: list[ast.expr], visit: Visit) -> ast.expr | None:
    """`x[i][j]`, where `x[i]` is Python's; the hook gets all where it is not."""
    first = _item(ast.copy_location(call_of("get_item", x, index), call), visit)
    if not isinstance(first, ast.IfExp) or not isinstance(first.orelse, ast.Call):
        return None
    left = ast.copy_location(call_of("get_item", first.body, *map(copied, more)), call)
    first.orelse.args += more
    return located(call, ast.IfExp(first.test, _item(left, visit) or left, first.orelse))  # type: ignore[no-any-return]


_COMPARISONS: dict[str, type[ast.cmpop]] = {
    "eq": ast.Eq, "not_eq": ast.NotEq, "lt": ast.Lt, "lt_e": ast.LtE, "gt": ast.Gt, "gt_e": ast.GtE,
}  # fmt: skip


def _comparison(call: ast.Call, hook: str, visit: Visit) -> ast.expr:
    """`a == b`, `a < b`, ..., where `a` is a number or text."""
    a, b = call.args[0], visit(call.args[1])
    sign = _COMPARISONS[hook]()
    if isinstance(a, ast.Name):
        return located(call, quickly([is_of(a, "INDICES")], ast.Compare(a, [sign], [b]), call_of(hook, a, b)))  # type: ignore[no-any-return]
    short = ast.Compare(load(BASE), [sign], [b])
    check = is_of(bind(BASE, visit(a)), "INDICES")
    return located(call, quickly([check], short, call_of(hook, given_up(), b)))  # type: ignore[no-any-return]


def _identity(call: ast.Call, hook: str, visit: Visit) -> ast.expr | None:
    """`a is b`, where neither is one thing or another; two may be lists that are one."""
    a, b = call.args
    same = ast.Compare(a, [ast.Is() if hook == "is_" else ast.IsNot()], [b])
    if is_atom(a) and is_atom(b):
        names = [x for x in call.args if isinstance(x, ast.Name)]
        checks = [not_of(x, "ALTERNATIVES") for x in names]
        if len(names) == 2:
            checks[0] = not_of(a, "STANDING_IN")
        return located(call, quickly(checks, same, call))  # type: ignore[no-any-return]
    if not isinstance(b, ast.Constant):
        return None
    same.left = given_up()
    check = not_of(bind(BASE, visit(a)), "ALTERNATIVES")
    return located(call, quickly([check], same, call_of(hook, given_up(), b)))  # type: ignore[no-any-return]


def _dictionary(call: ast.Call, visit: Visit) -> ast.expr | None:
    """`{}`, or a dictionary with constant keys."""
    pairs = call.args
    if not all(isinstance(p, ast.Tuple) and len(p.elts) == 2 and isinstance(p.elts[0], ast.Constant) for p in pairs):
        return None
    keys, values = [p.elts[0] for p in pairs], [visit(p.elts[1]) for p in pairs]  # type: ignore[attr-defined]
    kept = call_of("dict_of", *(ast.Tuple([k, v], ast.Load()) for k, v in zip(keys, values, strict=True)))
    return located(call, quickly([is_member("dict", "FRESH")], ast.Dict(list(keys), values), kept))  # type: ignore[no-any-return]


def _membership(call: ast.Call, hook: str, visit: Visit) -> ast.expr | None:
    """`x in container`, where `x` is a number, a text, a class or a function."""
    x, container = call.args
    items = container.elts if isinstance(container, (ast.Tuple, ast.List, ast.Set)) else [container]
    is_constant = all(isinstance(item, ast.Constant) for item in items)
    if isinstance(x, ast.Name) and isinstance(container, ast.Tuple) and len(items) <= _FEW and all(map(is_atom, items)):
        names = [item for item in items if isinstance(item, ast.Name)]
        test = ast.Compare(x, [ast.In() if hook == "in_" else ast.NotIn()], [container])
        return located(call, quickly([is_of(name, "KEYS") for name in (x, *names)], test, call))  # type: ignore[no-any-return]
    if not is_constant:
        container = visit(container)
    is_simple = is_constant or isinstance(container, ast.Name)
    shown, within = x, container
    checks: list[ast.expr]
    if isinstance(x, ast.Constant) or (isinstance(x, ast.Name) and (is_simple or not may_call(container))):
        checks = [] if isinstance(x, ast.Constant) else [is_of(x, "KEYS")]
    elif mentions(container, INDEX):
        return None
    else:  # what is called for the container may give the name to something else
        bound = bind(INDEX, visit(x))
        x, shown = load(INDEX), given_up(INDEX)
        checks = [is_of(bound if is_simple else x, "KEYS")]
        if not is_simple:
            container = ast.Subscript(ast.Tuple([bound, container], ast.Load()), ast.Constant(1), ast.Load())
    if isinstance(container, ast.Name):
        checks.append(is_of(container, "HOLDERS"))
    elif not is_constant:
        checks.insert(0, is_of(bind(BASE, container), "HOLDERS"))
        within = given_up()
    test = ast.Compare(x, [ast.In() if hook == "in_" else ast.NotIn()], [within])
    return located(call, quickly(checks, test, call_of(hook, shown, within)))  # type: ignore[no-any-return]


_FEW = 4  # names in a tuple that is looked through
_CALLED = {"len": "INDEXED", "isinstance": "ALTERNATIVES", "type": "POSING", "id": "POSING"}
_OF_NUMBERS = frozenset("abs bool chr divmod float hex int max min ord range repr round str".split())


def _call_of_name(call: ast.Call, function: ast.Name, visit: Visit, fresh: Fresh) -> ast.expr:
    """`f(...)`."""
    call.args = [visit(a) for a in call.args]
    call.keywords = [visit(k) for k in call.keywords]
    known: ast.expr = ast.BoolOp(ast.Or(), [*_lookups(function), call.func])
    own = ast.Compare(function, [ast.Is()], [ast.Attribute(load(HOOKS), function.id, ast.Load())])
    first = call.args[0] if call.args else None
    if function.id in fresh.methods:
        known = quickly([is_member("list", "FRESH")], function, known)
    elif function.id in _CALLED and len(call.args) == 1 + (function.id == "isinstance") and not call.keywords:
        is_what = is_of if function.id == "len" else not_of
        if isinstance(first, ast.Name):
            known = quickly([is_what(first, _CALLED[function.id]), own], function, known)
        elif first is not None and not isinstance(first, ast.Starred):
            known = quickly([is_what(bind(BASE, first), _CALLED[function.id]), own], function, known)
            call.args[0] = given_up()
    elif function.id in _OF_NUMBERS and call.args and not call.keywords and (given := _given(call.args, "NUMBERS")):
        checks, call.args = given
        known = quickly([*checks, own], function, known)
    call.func = known
    return located(call, call)  # type: ignore[no-any-return]


def _given(args: list[ast.expr], types: str) -> tuple[list[ast.expr], list[ast.expr]] | None:
    """Checks of the types of arguments, and what is passed for them: those that are computed get names first.

    None where one may change what another is.
    """
    computed = [i for i, a in enumerate(args) if not is_atom(a)]
    checks = [is_of(a, types) for a in args if isinstance(a, ast.Name)]
    if not computed:
        return checks, args
    later = args[computed[0] :]
    if any(isinstance(a, ast.Starred) for a in args) or (
        any(isinstance(a, ast.Name) for a in args[: computed[-1]]) and any(map(may_call, later))
    ):
        return None
    used = {node.id for a in later for node in walk(a) if isinstance(node, ast.Name)}
    first = 0
    while any(f"{_GIVEN}_{first + n}" in used for n in range(len(computed))):
        first += 1
    names = {i: f"{_GIVEN}_{first + n}" for n, i in enumerate(computed)}
    bound: ast.expr = bind(names[computed[-1]], args[computed[-1]])
    if len(computed) > 1:  # all are bound before any is looked at
        all_bound = ast.Tuple([bind(names[i], args[i]) for i in computed], ast.Load())
        bound = ast.Subscript(all_bound, ast.Constant(len(computed) - 1), ast.Load())
    checks = [is_of(bound, types), *(is_of(load(names[i]), types) for i in computed[:-1]), *checks]
    return checks, [given_up(names[i]) if i in names else a for i, a in enumerate(args)]


JOINING = frozenset(("format", "format_map", "join"))
"""Methods of texts that make one of what they are given, whatever its text is."""
OF_TEXTS = JOINING | frozenset(
    "count endswith find index partition removeprefix removesuffix replace rfind rindex rpartition rsplit split "
    "startswith".split()
)
"""Methods of texts that are given other texts."""
_OF_SETS = frozenset(
    "add appendleft difference_update discard extendleft intersection_update popleft rotate "
    "symmetric_difference_update".split()
)
"""Methods that change sets or deques, whatever their arguments are."""
_OF_CONTAINERS = _OF_SETS | frozenset(
    "end finditer fullmatch group groupdict groups match most_common search span start sub write".split()
)
"""Methods of classes in C that texts have not."""
_PLAINS = (bool, int, float, complex, str, bytes, tuple, frozenset)
_OWN = frozenset(name for kind in _PLAINS for name in dir(kind) if not name.startswith("_"))


def _call_of_method(call: ast.Call, function: ast.Attribute, visit: Visit, fresh: Fresh) -> ast.expr | None:
    """`x.method(...)`."""
    name, x = function.attr, function.value
    checks: list[ast.expr] = []
    if name == "extend" and isinstance(x, ast.Name) and x.id in fresh.containers and not all(map(is_atom, call.args)):
        is_plain = x.id not in fresh.makers and len(call.args) == 1 and not call.keywords
        return _extension(call, x, visit) if is_plain else None
    changes = name in CHANGING or (name in ("pop", "extend") and len(call.args) < 3 and all(map(is_atom, call.args)))
    if name in ("pop", "extend"):
        checks = [is_of(a, "INDICES" if name == "pop" else "INDEXED") for a in call.args if isinstance(a, ast.Name)]
    if not changes and name not in READING and name not in _OWN and name not in _OF_CONTAINERS:
        return _call_of_own_method(call, function, visit)
    given = call.args[1] if name == "setdefault" and len(call.args) == 2 else None
    is_made = isinstance(given, ast.List) or (isinstance(given, ast.Call) and hook_of(given) == "dict_of")
    call.args = [visit(a) for a in call.args]
    call.keywords = [visit(k) for k in call.keywords]
    if is_made:
        call.args[1] = call_of("owned", call.args[1])
    if name in OF_TEXTS:
        if name in JOINING or call.keywords or not all(map(is_atom, call.args)):
            call.func = call_of("callee", ast.Attribute(visit(x), name, ast.Load()))
            return located(call, call)  # type: ignore[no-any-return]
        checks = [is_of(a, "METHODS") for a in call.args if isinstance(a, ast.Name)]
    simple = isinstance(x, (ast.Name, ast.Constant))
    owner = x if simple else bind(BASE, visit(x))
    taken = x if simple else given_up()
    method = ast.Attribute(taken, name, ast.Load())
    if changes or name in _OF_SETS:
        check = is_ours(owner, fresh)
    else:
        check = is_of(owner, "READ" if name in READING else "METHODS" if name in _OWN else "outright")
    checks.insert(0, check)
    otherwise = _found(taken, name) if name in _ALSO_OWN else call_of("callee", method)
    if is_atomic(call):  # written twice: Python makes no method of what it calls at once
        short = ast.Call(method, call.args, call.keywords)
        return located(call, quickly(checks, short, ast.Call(otherwise, call.args, call.keywords)))  # type: ignore[no-any-return]
    call.func = quickly(checks, method, otherwise)
    return located(call, call)  # type: ignore[no-any-return]


_ALSO_OWN = frozenset("add append clear extend get items keys pop popleft update values".split())
"""Names of methods of containers that users' classes have, too."""


def _call_of_own_method(call: ast.Call, function: ast.Attribute, visit: Visit) -> ast.expr:
    """`x.method(...)`, of a user's class: what is called for its function is called with `x`.

    What is given is evaluated after the method was looked up; where it is nothing but names it is written twice.
    """
    call.args = [visit(a) for a in call.args]
    call.keywords = [visit(k) for k in call.keywords]
    x = visit(function.value)
    checks, taken = _checked(x, function.attr)
    if is_atomic(call):
        short = ast.Call(load(_MADE), [taken, *call.args], call.keywords)
        return located(call, quickly(checks, short, ast.Call(_unbound(), call.args, call.keywords)))  # type: ignore[no-any-return]
    call.func = _found(x, function.attr)
    return located(call, call)  # type: ignore[no-any-return]


def _found(x: ast.expr, name: str) -> ast.expr:
    """What is called for `x.name`."""
    checks, taken = _checked(x, name)
    return quickly(checks, call_of("METHOD", load(_MADE), taken), _unbound())


def _unbound() -> ast.expr:
    """What is called for what is no method of a known class."""
    return ast.BoolOp(ast.Or(), [_lookups(load(_BOUND))[0], call_of("callee", given_up(_BOUND))])


def _checked(x: ast.expr, name: str) -> tuple[list[ast.expr], ast.expr]:
    """Whether `x.name` is a method of which it is known what is called for its function, and whose it is."""
    function = ast.Attribute(load(_BOUND), "__func__", ast.Load())
    owner: ast.expr = ast.Attribute(load(_BOUND), "__self__", ast.Load())
    kind = call_of("kind", bind(_BOUND, ast.Attribute(x, name, ast.Load())))
    made = bind(_MADE, ast.BoolOp(ast.Or(), _lookups(function)))
    checks: list[ast.expr] = [
        ast.Compare(kind, [ast.Is()], [ast.Attribute(load(HOOKS), "METHOD", ast.Load())]),
        ast.Compare(made, [ast.IsNot()], [ast.Constant(None)]),
    ]
    if not isinstance(x, ast.Name):
        return [*checks, is_of(owner, "met")], ast.Attribute(given_up(_BOUND), "__self__", ast.Load())
    checks += [
        ast.Compare(owner, [ast.Is()], [x]),
        is_of(x, "met"),
        ast.Compare(bind(_BOUND, ast.Constant(None)), [ast.Is()], [ast.Constant(None)]),
    ]
    return checks, x


def _lookups(f: ast.expr) -> list[ast.expr]:
    """What is called for a function, where that is always the same: by one of these, the others are None."""
    tables = [ast.Attribute(load(HOOKS), name, ast.Load()) for name in ("at_once", "watched")]
    return [ast.Call(ast.Attribute(table, "get", ast.Load()), [call_of("id", f)], []) for table in tables]


def _extension(call: ast.Call, x: ast.Name, visit: Visit) -> ast.expr:
    """`xs.extend(ys)` of a list that the function has made, with something computed."""
    given = visit(call.args[0])
    method = ast.Attribute(x, "extend", ast.Load())
    if isinstance(given, ast.Starred) or mentions(given, _METHOD) or mentions(given, VALUE):
        return located(call, ast.Call(call_of("callee", method), [given], []))  # type: ignore[no-any-return]
    both = ast.Tuple([bind(_METHOD, method), bind(VALUE, given)], ast.Load())
    taken = ast.Subscript(both, ast.Constant(1), ast.Load())
    owner = ast.Attribute(load(_METHOD), "__self__", ast.Load())
    found = given_up(_METHOD)
    known = quickly([is_of(taken, "INDEXED"), is_of(owner, "FRESH")], found, call_of("callee", found))
    return located(call, ast.Call(known, [given_up(VALUE)], []))  # type: ignore[no-any-return]
