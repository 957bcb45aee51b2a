"""What compiled code does at once, and generated code by a hook: with operands of types that nothing stands in for.

    x[i]            ->  x[i] if ag__.kind(x) in ag__.INDEXED and ag__.kind(i) in ag__.INDICES else ag__.get_item(x, i)
    x[i] = v        ->  if ag__.id(x) in ag__.noted and ag__.kind(i) in ag__.INDICES: x[i] = v
                        else: ag__.set_item(x, i, v)
    f(x)            ->  (ag__.at_once.get(ag__.id(f)) or ag__.callee(f))(x)
    xs.append(x)    ->  (xs.append if ag__.id(xs) in ag__.noted else ag__.callee(xs.append))(x)

The tables are in `autograph.operators.values.quick`. Each test comes right before what it is for, when all operands have
their values: what is evaluated in between may change the tables. Operands are names and constants, or kept under a name;
that name is given up at once, since what it holds would live as long as the function runs.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeAlias, TypeGuard

from autograph.source.parse import children, walk

__all__ = [
    "HOOKS", "JOINING", "OF_TEXTS", "Fresh", "call_of", "copied", "expression_at_once", "fresh_names", "hook_of", "is_of",
    "load", "located", "quickly", "scope_of", "writing_at_once",
]  # fmt: skip

HOOKS = "ag__"
_BASE, _WHOLE, _INDEX, _VALUE = "ag__base", "ag__whole", "ag__index", "ag__value"
_OWNER = "ag__owner"  # kept while an index is evaluated, which may use the others
Visit: TypeAlias = Callable[[Any], Any]


def expression_at_once(call: ast.Call, visit: Visit, fresh: Fresh) -> ast.expr | None:
    """What stands for the call of a hook in an expression; None where it stays.

    `visit` shortens operands; `fresh` names what the function itself has made.
    """
    hook = hook_of(call)
    if hook == "unpack":
        x = call.args[0]
        owner, taken = (x, x) if isinstance(x, ast.Name) else (_bind(_BASE, visit(x)), _taken())
        return located(call, quickly([is_of(owner, "INDEXED")], taken, call_of("unpack", taken, *call.args[1:])))  # type: ignore[no-any-return]
    if hook == "get_item":
        return _item(call, visit)
    if hook in ("eq", "not_eq"):
        return _equality(call, hook, visit)
    names = [a for a in call.args if isinstance(a, ast.Name)]
    if hook in ("is_", "is_not") and all(map(_is_atom, call.args)) and len(names) < 2:  # two may be lists that are one
        same = ast.Compare(call.args[0], [ast.Is() if hook == "is_" else ast.IsNot()], [call.args[1]])
        return located(call, quickly([_not_of(a, "ALTERNATIVES") for a in names], same, call))  # type: ignore[no-any-return]
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
    x, index = call.args
    found = _subscript(index)
    if found is not None:
        at, checks = found
        owner, taken = (x, x) if isinstance(x, ast.Name) else (_bind(_BASE, visit(x)), _taken())
        checks = [is_of(owner, "INDEXED"), *checks]
        return located(call, quickly(checks, _loaded(taken, at), call_of("get_item", taken, index)))  # type: ignore[no-any-return]
    parts = index.args if _is_slice(index) else [index]
    computed = [i for i, part in enumerate(parts) if not _is_atom(part)]
    if len(computed) != 1 or isinstance(parts[computed[0]], (ast.Tuple, ast.Starred)):
        return None
    part = visit(parts[computed[0]])
    if _mentions(part, _WHOLE) or (_calls(part) and any(isinstance(p, ast.Name) for p in parts)):
        return None
    parts = [load(_INDEX) if i == computed[0] else p for i, p in enumerate(parts)]
    index = ast.Call(index.func, parts, []) if _is_slice(index) else parts[0]
    found = _subscript(index)
    assert found is not None
    at, taken = found[0], x
    if not isinstance(x, ast.Name) or _calls(part):
        part = ast.Subscript(ast.Tuple([_bind(_WHOLE, visit(x)), part], ast.Load()), ast.Constant(1), ast.Load())
        x, taken = load(_WHOLE), _taken(_WHOLE)
    others = [p for i, p in enumerate(parts) if i != computed[0] and isinstance(p, ast.Name)]
    checks = [is_of(_bind(_INDEX, part), "INDICES"), is_of(x, "INDEXED"), *(is_of(p, "INDICES") for p in others)]
    return located(call, quickly(checks, _loaded(taken, at), call_of("get_item", taken, index)))  # type: ignore[no-any-return]


def _is_slice(index: ast.expr) -> TypeGuard[ast.Call]:
    """Whether an index is a slice: the conversion calls it by that name only where it is the built-in one."""
    if not isinstance(index, ast.Call) or index.keywords:
        return False
    return hook_of(index) == "slice" or (isinstance(index.func, ast.Name) and index.func.id == "slice")


def _loaded(x: ast.expr, at: ast.expr) -> ast.expr:
    return ast.Subscript(x, at, ast.Load())


def _subscript(index: ast.expr) -> tuple[ast.expr, list[ast.expr]] | None:
    """A subscript of names and numbers, and what is to be checked of them."""
    parts, at = [index], index
    if isinstance(index, ast.Call):
        if not _is_slice(index):
            return None
        parts = list(index.args)
        bounds = [None if isinstance(p, ast.Constant) and p.value is None else p for p in parts]
        at = ast.Slice(*(bounds if len(bounds) > 1 else [None, *bounds]))  # type: ignore[assignment]
    if not all(map(_is_atom, parts)):
        return None
    return at, [is_of(p, "INDICES") for p in parts if isinstance(p, ast.Name)]


def _equality(call: ast.Call, hook: str, visit: Visit) -> ast.expr:
    """`a == b`, where `a` is a number or text."""
    a, b = call.args[0], visit(call.args[1])
    sign = ast.Eq() if hook == "eq" else ast.NotEq()
    if isinstance(a, ast.Name):
        return located(call, quickly([is_of(a, "INDICES")], ast.Compare(a, [sign], [b]), call_of(hook, a, b)))  # type: ignore[no-any-return]
    short = ast.Compare(load(_BASE), [sign], [b])
    check = is_of(_bind(_BASE, visit(a)), "INDICES")
    return located(call, quickly([check], short, call_of(hook, _taken(), b)))  # type: ignore[no-any-return]


def _membership(call: ast.Call, hook: str, visit: Visit) -> ast.expr | None:
    """`x in container`, where `x` is a number or text."""
    x, container = call.args
    items = container.elts if isinstance(container, (ast.Tuple, ast.List, ast.Set)) else [container]
    is_constant = all(isinstance(item, ast.Constant) for item in items)
    if not is_constant:
        container = visit(container)
    is_simple = is_constant or isinstance(container, ast.Name)
    shown, within = x, container
    checks: list[ast.expr]
    if isinstance(x, ast.Constant) or (isinstance(x, ast.Name) and (is_simple or not _calls(container))):
        checks = [] if isinstance(x, ast.Constant) else [is_of(x, "INDICES")]
    elif _mentions(container, _INDEX):
        return None
    else:  # what is called for the container may give the name to something else
        bound = _bind(_INDEX, visit(x))
        x, shown = load(_INDEX), _taken(_INDEX)
        checks = [is_of(bound if is_simple else x, "INDICES")]
        if not is_simple:
            container = ast.Subscript(ast.Tuple([bound, container], ast.Load()), ast.Constant(1), ast.Load())
    if isinstance(container, ast.Name):
        checks.append(is_of(container, "HOLDERS"))
    elif not is_constant:
        checks.insert(0, is_of(_bind(_BASE, container), "HOLDERS"))
        within = _taken()
    test = ast.Compare(x, [ast.In() if hook == "in_" else ast.NotIn()], [within])
    return located(call, quickly(checks, test, call_of(hook, shown, within)))  # type: ignore[no-any-return]


_CALLED = {"len": "INDEXED", "isinstance": "ALTERNATIVES"}
_OF_NUMBERS = frozenset("abs bool chr divmod float hex int max min ord range repr round str".split())


def _call_of_name(call: ast.Call, function: ast.Name, visit: Visit, fresh: Fresh) -> ast.expr:
    """`f(...)`."""
    call.args = [visit(a) for a in call.args]
    call.keywords = [visit(k) for k in call.keywords]
    found: ast.expr = ast.Call(
        ast.Attribute(ast.Attribute(load(HOOKS), "at_once", ast.Load()), "get", ast.Load()), [call_of("id", function)], []
    )
    known: ast.expr = ast.BoolOp(ast.Or(), [found, call.func])
    own = ast.Compare(function, [ast.Is()], [ast.Attribute(load(HOOKS), function.id, ast.Load())])
    first = call.args[0] if call.args else None
    if function.id in fresh.methods:
        known = quickly([_is_member("list", "FRESH")], function, known)
    elif function.id in _CALLED and len(call.args) == 1 + (function.id == "isinstance") and not call.keywords:
        is_what = _not_of if function.id == "isinstance" else is_of
        if isinstance(first, ast.Name):
            known = quickly([is_what(first, _CALLED[function.id]), own], function, known)
        elif first is not None and not isinstance(first, ast.Starred):
            known = quickly([is_what(_bind(_BASE, first), _CALLED[function.id]), own], function, known)
            call.args[0] = _taken()
    elif function.id in _OF_NUMBERS and call.args and not call.keywords and all(map(_is_atom, call.args)):
        checks = [is_of(a, "NUMBERS") for a in call.args if isinstance(a, ast.Name)]
        known = quickly([*checks, own], function, known)
    call.func = known
    return located(call, call)  # type: ignore[no-any-return]


_CHANGING = frozenset("append clear popitem reverse setdefault update".split())
"""Methods that change lists or dictionaries, whatever their arguments are."""
_READING = frozenset("get items keys values".split())
JOINING = frozenset(("format", "format_map", "join"))
"""Methods of texts that make one of what they are given, whatever its text is."""
OF_TEXTS = JOINING | frozenset(
    "count endswith find index partition removeprefix removesuffix replace rfind rindex rpartition rsplit split "
    "startswith".split()
)
"""Methods of texts that are given other texts."""
_PLAINS = (bool, int, float, complex, str, bytes, tuple, frozenset)
_OWN = frozenset(name for kind in _PLAINS for name in dir(kind) if not name.startswith("_"))


def _call_of_method(call: ast.Call, function: ast.Attribute, visit: Visit, fresh: Fresh) -> ast.expr | None:
    """`x.method(...)`."""
    name, x = function.attr, function.value
    checks: list[ast.expr] = []
    changes = name in _CHANGING or (name in ("pop", "extend") and len(call.args) < 3 and all(map(_is_atom, call.args)))
    if name in ("pop", "extend"):
        checks = [is_of(a, "INDICES" if name == "pop" else "INDEXED") for a in call.args if isinstance(a, ast.Name)]
    if not changes and name not in _READING and name not in _OWN:
        return None
    call.args = [visit(a) for a in call.args]
    call.keywords = [visit(k) for k in call.keywords]
    if name in OF_TEXTS:
        if name in JOINING or call.keywords or not all(map(_is_atom, call.args)):
            call.func = call_of("callee", ast.Attribute(visit(x), name, ast.Load()))
            return located(call, call)  # type: ignore[no-any-return]
        checks = [is_of(a, "METHODS") for a in call.args if isinstance(a, ast.Name)]
    simple = isinstance(x, (ast.Name, ast.Constant))
    owner = x if simple else _bind(_BASE, visit(x))
    taken = x if simple else _taken()
    method = ast.Attribute(taken, name, ast.Load())
    check = _is_ours(owner, fresh) if changes else is_of(owner, "READ" if name in _READING else "METHODS")
    call.func = quickly([check, *checks], method, call_of("callee", method))
    return located(call, call)  # type: ignore[no-any-return]


# Writes


def writing_at_once(statement: ast.stmt, visit: Visit, fresh: Fresh) -> list[ast.stmt] | None:
    """What stands for a statement that calls a hook to write; None where it stays."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not isinstance(call, ast.Call):
        return None
    hook = hook_of(call)
    made = _Writing(call, visit, fresh)
    if hook == "set_item":
        if len(call.args) == 3:
            return made.item(*call.args)
        return made.item_of_item(*call.args) if len(call.args) == 4 else None
    if hook == "aug_item" and len(call.args) == 4:
        return made.changed_item(*call.args)
    if hook == "del_item":
        return made.deleted_item(*call.args)
    if hook == "set_attr":
        return made.attribute(*call.args)
    if hook == "aug_attr":
        return made.changed_attribute(*call.args)
    return None


class _Writing:
    """The statements for one write: operands, a test, the write, the hook."""

    def __init__(self, call: ast.Call, visit: Visit, fresh: Fresh) -> None:
        self.call = call
        self.visit = visit
        self.fresh = fresh
        self.before: list[ast.stmt] = []
        self.kept: list[str] = []

    def item(self, x: ast.expr, index: ast.expr, value: ast.expr) -> list[ast.stmt]:
        """`x[index] = value`."""
        value = self._operand(_VALUE, value)
        x, at, checks, index = self._place(x, index)
        write = ast.Assign([ast.Subscript(x, at, ast.Store())], value)
        return self._made([_is_ours(x, self.fresh), *checks], [write], call_of("set_item", x, index, value))

    def item_of_item(self, x: ast.expr, first: ast.expr, index: ast.expr, value: ast.expr) -> list[ast.stmt] | None:
        """`x[first][index] = value`."""
        found, following = _subscript(first), _subscript(index)
        if not isinstance(x, ast.Name) or found is None or following is None:
            return None
        value = self._operand(_VALUE, value)
        inner = _bind(_BASE, ast.Subscript(x, found[0], ast.Load()))
        self.kept.append(_BASE)
        write = ast.Assign([ast.Subscript(load(_BASE), following[0], ast.Store())], value)
        checks = [is_of(x, "INDEXED"), *found[1], *following[1], _is_in(inner, "noted")]
        return self._made(checks, [write], call_of("set_item", x, first, index, value))

    def changed_item(self, x: ast.expr, index: ast.expr, sign: ast.expr, value: ast.expr) -> list[ast.stmt]:
        """`x[index] op= value`, where the item is a number or text."""
        value = self._operand(_VALUE, value)
        x, at, checks, index = self._place(x, index)
        old = ast.Subscript(x, at, ast.Load())
        write = ast.AugAssign(ast.Subscript(x, at, ast.Store()), _operator(sign), value)
        checks = [_is_ours(x, self.fresh), *checks, is_of(old, "INDICES")]
        return self._made(checks, [write], call_of("aug_item", x, index, sign, value))

    def deleted_item(self, x: ast.expr, index: ast.expr) -> list[ast.stmt]:
        """`del x[index]`."""
        x, at, checks, index = self._place(x, index)
        write = ast.Delete([ast.Subscript(x, at, ast.Del())])
        return self._made([_is_ours(x, self.fresh), *checks], [write], call_of("del_item", x, index))

    def attribute(self, owner: ast.expr, name: Any, value: ast.expr) -> list[ast.stmt]:
        """`owner.name = value`."""
        value = self._operand(_VALUE, value)
        owner = self._operand(_BASE, owner)
        write = ast.Assign([ast.Attribute(owner, name.value, ast.Store())], value)
        return self._made([_is_in(owner, "born")], [write], call_of("set_attr", owner, name, value))

    def changed_attribute(self, owner: ast.expr, name: Any, sign: ast.expr, value: ast.expr) -> list[ast.stmt]:
        """`owner.name op= value`."""
        value = self._operand(_VALUE, value)
        owner = self._operand(_BASE, owner)
        self.kept.append(_INDEX)
        old = ast.Assign([ast.Name(_INDEX, ast.Store())], ast.Attribute(owner, name.value, ast.Load()))
        noted = call_of("in_place", load(_INDEX), value)
        change = ast.AugAssign(
            ast.Name(_INDEX, ast.Store()), _operator(sign), quickly([is_of(load(_INDEX), "INDICES")], value, noted)
        )
        write = ast.Assign([ast.Attribute(owner, name.value, ast.Store())], load(_INDEX))
        hook = call_of("aug_attr", owner, name, sign, value)
        return self._made([_is_in(owner, "born")], [old, change, write], hook)

    def _operand(self, name: str, value: ast.expr) -> ast.expr:
        """A name or constant for an operand."""
        value = self.visit(value)
        if isinstance(value, (ast.Name, ast.Constant)):
            return value
        self.before.append(ast.Assign([ast.Name(name, ast.Store())], value))
        self.kept.append(name)
        return load(name)

    def _place(self, x: ast.expr, index: ast.expr) -> tuple[ast.expr, ast.expr, list[ast.expr], ast.expr]:
        """What is written to, the subscript, what is to be checked of it, and what the hook gets for it."""
        found = _subscript(index)
        if found is not None:
            return self._operand(_BASE, x), *found, index
        if _calls(index) and isinstance(x, ast.Name):  # what is called may give the name to something else
            self.before.append(ast.Assign([ast.Name(_OWNER, ast.Store())], x))
            self.kept.append(_OWNER)
            x = load(_OWNER)
        else:
            x = self._operand(_OWNER, x)
        at = self._operand(_INDEX, index)
        return x, at, [is_of(at, "INDICES")], at

    def _made(self, checks: list[ast.expr], write: list[ast.stmt], hook: ast.expr) -> list[ast.stmt]:
        test = checks[0] if len(checks) == 1 else ast.BoolOp(ast.And(), checks)
        made = [*self.before, ast.If(test, write, [ast.Expr(hook)])]
        if self.kept:
            made.append(ast.Assign([ast.Name(name, ast.Store()) for name in self.kept], ast.Constant(None)))
        return [located(self.call, copied(statement)) for statement in made]


_OPERATORS = {
    "+=": ast.Add, "-=": ast.Sub, "*=": ast.Mult, "/=": ast.Div, "//=": ast.FloorDiv, "%=": ast.Mod, "**=": ast.Pow,
    "@=": ast.MatMult, "&=": ast.BitAnd, "|=": ast.BitOr, "^=": ast.BitXor, "<<=": ast.LShift, ">>=": ast.RShift,
}  # fmt: skip


def _operator(sign: Any) -> ast.operator:
    return _OPERATORS[sign.value]()  # type: ignore[no-any-return]


def _calls(x: ast.expr) -> bool:
    return any(isinstance(node, (ast.Call, ast.Attribute, ast.NamedExpr)) for node in walk(x))


def _mentions(x: ast.expr, name: str) -> bool:
    return any(isinstance(node, ast.Name) and node.id == name for node in walk(x))


# What a function has made itself


class Fresh(NamedTuple):
    """What a function has made itself, by local names that hold nothing else."""

    containers: frozenset[str] = frozenset()
    methods: frozenset[str] = frozenset()  # of its containers: `append = xs.append`


def fresh_names(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Fresh:
    """The local names that only ever hold lists and dictionaries made by the function itself, or what is no container.

    Such a container was made in the region in which the function's own statements run: nobody sees from outside what they
    do to it. A generator may go on in another region than it began in.
    """
    made: dict[str, set[str]] = {}  # name -> names whose containers it may hold
    methods: dict[str, set[str]] = {}  # name -> names whose methods it may hold
    other = {a.arg for a in walk(function.args) if isinstance(a, ast.arg)}
    other.update(*(node.names for node in scope_of(function.body) if isinstance(node, (ast.Global, ast.Nonlocal))))
    pending: list[ast.AST] = list(function.body)
    while pending:
        node = pending.pop()
        if isinstance(node, (ast.Yield, ast.YieldFrom, ast.Await)):
            return Fresh()
        if isinstance(node, ast.Assign):
            for target in node.targets:
                _assigned(target, node.value, made, methods, other)
            pending.append(node.value)
            pending += [t for t in node.targets if not isinstance(t, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            if node.value is not None:
                _assigned(node.target, node.value, made, methods, other)
                pending.append(node.value)
        else:
            other.update(_otherwise_bound(node))
            pending += children(node)
    while True:
        unsure = {name for name, sources in made.items() if name in other or not sources <= made.keys()}
        if not unsure:
            bound = [name for name, owners in methods.items() if name not in other | made.keys() and owners <= made.keys()]
            return Fresh(frozenset(made), frozenset(bound))
        for name in unsure:
            del made[name]


def _assigned(
    target: ast.expr, value: ast.expr, made: dict[str, set[str]], methods: dict[str, set[str]], other: set[str]
) -> None:
    if not isinstance(target, ast.Name):
        return  # the names in it are met as such
    if isinstance(value, (ast.List, ast.Dict, ast.Constant)) or (
        isinstance(value, ast.Call) and hook_of(value) in ("list_comp", "dict_comp")
    ):
        made.setdefault(target.id, set())
    elif isinstance(value, ast.Name):
        made.setdefault(target.id, set()).add(value.id)
    elif isinstance(value, ast.Attribute) and isinstance(value.value, ast.Name) and value.attr in _CHANGING | _READING:
        methods.setdefault(target.id, set()).add(value.value.id)
    else:
        other.add(target.id)


def _otherwise_bound(node: ast.AST) -> Iterable[str]:
    """The names that a node binds, but for assignments."""
    if isinstance(node, ast.Name):
        return () if isinstance(node.ctx, (ast.Load, ast.Del)) else (node.id,)
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return (node.name,)
    if isinstance(node, ast.arg):
        return (node.arg,)
    if isinstance(node, ast.alias):
        return ((node.asname or node.name).partition(".")[0],)
    if isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
        return (node.name,) if node.name else ()
    if isinstance(node, ast.MatchMapping):
        return (node.rest,) if node.rest else ()
    return node.names if isinstance(node, ast.Global) else ()


def scope_of(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """The nodes of a function's own scope."""
    for node in nodes:
        yield node
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            continue
        yield from scope_of(children(node))


# Parts


def load(name: str) -> ast.expr:
    """A name that is read."""
    return ast.Name(name, ast.Load())


def _bind(name: str, value: ast.expr) -> ast.expr:
    return ast.NamedExpr(ast.Name(name, ast.Store()), value)


def _taken(name: str = _BASE) -> ast.expr:
    """What the name for an operand holds, which it then holds no more."""
    both = ast.Tuple([load(name), _bind(name, ast.Constant(None))], ast.Load())
    return ast.Subscript(both, ast.Constant(0), ast.Load())


def hook_of(call: ast.Call) -> str:
    """The name of the hook that a call calls, or an empty string."""
    f = call.func
    return f.attr if isinstance(f, ast.Attribute) and isinstance(f.value, ast.Name) and f.value.id == HOOKS else ""


def call_of(hook: str, *args: ast.expr) -> ast.Call:
    """A call of a hook."""
    return ast.Call(ast.Attribute(ast.Name(HOOKS, ast.Load()), hook, ast.Load()), list(args), [])


def _is_atom(x: ast.expr) -> bool:
    """Whether an operand is a name or a number, and asked for twice is the same."""
    if isinstance(x, ast.UnaryOp) and isinstance(x.op, ast.USub):
        x = x.operand
        return isinstance(x, ast.Constant)
    return isinstance(x, (ast.Name, ast.Constant)) and getattr(x, "value", None) is not ...


def is_of(x: ast.expr, types: str) -> ast.expr:
    """Whether the type of an operand is in a table."""
    return ast.Compare(call_of("kind", x), [ast.In()], [ast.Attribute(load(HOOKS), types, ast.Load())])


def _not_of(x: ast.expr, types: str) -> ast.expr:
    return ast.Compare(call_of("kind", x), [ast.NotIn()], [ast.Attribute(load(HOOKS), types, ast.Load())])


def _is_ours(x: ast.expr, fresh: Fresh) -> ast.expr:
    """Whether a list or dictionary is changed without a note."""
    return is_of(x, "FRESH") if isinstance(x, ast.Name) and x.id in fresh.containers else _is_in(x, "noted")


def _is_member(kind: str, table: str) -> ast.expr:
    kinds = ast.Attribute(load(HOOKS), table, ast.Load())
    return ast.Compare(ast.Attribute(load(HOOKS), kind, ast.Load()), [ast.In()], [kinds])


def _is_in(x: ast.expr, table: str) -> ast.expr:
    return ast.Compare(call_of("id", x), [ast.In()], [ast.Attribute(load(HOOKS), table, ast.Load())])


def quickly(checks: list[ast.expr], short: ast.expr, long: ast.expr) -> ast.expr:
    """`short` where all is as it mostly is."""
    if not checks:
        return copied(short)  # type: ignore[no-any-return]
    test = checks[0] if len(checks) == 1 else ast.BoolOp(ast.And(), checks)
    return ast.IfExp(copied(test), copied(short), copied(long))


def located(origin: ast.AST, made: Any) -> Any:
    """New nodes get the place of the call that they stand for; those that were moved have their own."""
    pending = [made]
    while pending:
        node = pending.pop()
        if "lineno" in node._attributes and not hasattr(node, "lineno"):
            ast.copy_location(node, origin)
        elif node is not made and hasattr(node, "lineno"):
            continue
        pending += children(node)
    return made


def copied(node: Any) -> Any:
    """A tree, or a list of them, that shares nothing with the first but contexts; `copy.deepcopy` takes much longer."""
    if type(node) is list:
        return [copied(part) for part in node]
    if not isinstance(node, ast.AST) or isinstance(node, ast.expr_context):
        return node
    kind = type(node)
    made = kind.__new__(kind)
    parts = made.__dict__
    for name, value in node.__dict__.items():
        parts[name] = copied(value) if type(value) is list or isinstance(value, ast.AST) else value
    return made
