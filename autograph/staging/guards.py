"""Guards: whether the Python state that a trace read is still as it was, as one small function made for the purpose.

Its text is made when the trace is, and compiled when it is first needed: `if RATE is not k0 and differs(RATE, k0): return
'RATE'`. It runs with the globals of the user's function as its own, so that reading them costs what it costs the user.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import is_
from types import FunctionType, ModuleType
from typing import Any
from weakref import ref

import numpy as np

from autograph.operators.state.places import UNBOUND
from autograph.staging.dependence import CONTENT_LIMIT, Dependence, Node, is_plain, weak

__all__ = ["Guards", "guards_of"]


def differs(a: Any, b: Any) -> bool:
    """Whether a value is another than it was: by type and value, numbers by their bits."""
    if type(a) is not type(b):
        return True
    if isinstance(b, (float, complex)):
        return repr(a) != repr(b)
    if type(b) is tuple:
        return len(a) != len(b) or any(map(differs, a, b))
    if isinstance(b, np.generic):
        return bool(a.dtype != b.dtype or a.tobytes() != b.tobytes())
    return bool(a != b)


def differ(a: Any, b: Sequence[Any]) -> bool:
    """Whether items are others than they were."""
    values = a.values() if isinstance(a, dict) else a
    return not all(map(is_, values, b)) and any(map(differs, values, b))


class _Writer:
    """The text of the function that checks the roots of one namespace."""

    def __init__(self) -> None:
        self.lines = [""]
        self.labels = [""]  # by line
        self.constants: dict[str, Any] = {"ag_differs": differs, "ag_differ": differ}
        self.number = 0

    def line(self, text: str, depth: int, label: str) -> None:
        self.lines.append(" " * depth + text)
        self.labels.append(label)

    def constant(self, x: Any) -> str:
        name = f"ag_k{len(self.constants)}"
        self.constants[name] = x
        return name

    def root(self, node: Node) -> None:
        """A node and all below it."""
        how, where = node.source
        if how == "global":
            self.node(node, node.label, 1)
        elif how == "cell":
            self.node(node, f"{self.constant(where)}.cell_contents", 1)
        else:
            reference = weak(where)
            if reference is None:
                self.node(node, self.constant(where), 1)
            elif _counts(node):
                name = self.variable()
                self.line(f"{name} = {self.constant(reference)}()", 1, node.label)
                self.line(f"if {name} is not None:", 1, node.label)  # nobody can call with it any more
                self.node(node, name, 2)

    def variable(self) -> str:
        self.number += 1
        return f"ag_{self.number}"

    def node(self, node: Node, expression: str, depth: int) -> None:
        if not _counts(node):
            return
        name = self.variable()
        self.line(f"{name} = {expression}", depth, node.label)
        for check in node.checks:
            self.line(f"if {self.failure(name, *check)}: return {node.label!r}", depth, node.label)
        for child in node.children.values():
            how, key = child.source
            attribute = how == "." and key.isidentifier()
            item = repr(key) if type(key) in (int, str) else self.constant(key)
            if child.checks and child.checks[0][0] == "absent":
                test = f"hasattr({name}, {key!r})" if how == "." else f"{item} in {name}"
                self.line(f"if {test}: return {child.label!r}", depth, child.label)
            else:
                access = f"{name}.{key}" if attribute else f"getattr({name}, {key!r})" if how == "." else f"{name}[{item}]"
                self.node(child, access, depth)

    def failure(self, name: str, how: str, what: Any) -> str:
        """The condition that a check fails."""
        if how == "equal":
            k = self.constant(what)
            return f"{name} is not {k} and ag_differs({name}, {k})"
        if how == "same":
            reference = weak(what)
            if reference is None:
                return f"{name} is not {self.constant(what)}"
            return f"{name} is None or {name} is not {self.constant(reference)}()"
        if how == "type":
            return f"type({name}) is not {self.constant(what)}"
        if how == "bytes":
            return f"{name}.tobytes() != {self.constant(what)}"
        if how == "length":
            return f"len({name}) != {what}"
        if how == "keys":
            return f"list({name}) != {self.constant(what)}"
        if how == "others":
            left_out, keys = map(self.constant, what)
            return f"[k for k in {name} if k not in {left_out}] != {keys}"
        assert how == "items", how
        return f"ag_differ({name}, {self.constant(what)})"

    def compile(self, namespace: dict[str, Any]) -> Callable[[], str | None]:
        """The function, over the namespace."""
        self.lines[0] = f"def changed({', '.join(self.constants)}):"
        code = compile("\n".join(self.lines), "<guards>", "exec")
        inner = next(c for c in code.co_consts if hasattr(c, "co_code"))
        return FunctionType(inner, namespace, "changed", tuple(self.constants.values()))


def _counts(node: Node) -> bool:
    """Whether anything is checked at a node or below."""
    return bool(node.checks) or any(map(_counts, node.children.values()))


_KEPT = (list, tuple, dict)


def _is_position(key: Any) -> bool:
    """Whether a key is the number of an item, counted from the beginning."""
    return type(key) is int and 0 <= key <= CONTENT_LIMIT


class _Places:
    """The places that checks are about, where each is that one object is still where it was."""

    def __init__(self) -> None:
        self.found: list[tuple[Any, Any, Any]] = []

    def root(self, node: Node) -> bool:
        """Add a root and all below it; False where they ask for more."""
        how, where = node.source
        if not _counts(node):
            return True
        if how == "global":
            return type(where) is dict and self.node(node, where, node.label)
        if how == "cell":
            return self.node(node, where, None)
        return not node.checks and self.below(node, weak(where))

    def node(self, node: Node, where: Any, key: Any) -> bool:
        """What a place must hold, and what is read of that."""
        how, what = node.checks[0] if len(node.checks) == 1 else ("", None)
        if how == "equal":
            self.found.append((where, key, what))
            return not any(map(_counts, node.children.values()))
        if type(node.value) in _KEPT and node.checks and node.checks[0][0] == "type":
            self.found.append((where, key, node.value))
            return self.content(node)
        reference = weak(node.value) if how == "same" or (not node.checks and type(node.value) is ModuleType) else None
        if reference is None:
            return False
        self.found.append((where, key, reference))
        return self.below(node, reference)

    def content(self, node: Node) -> bool:
        """What is read of a container that is still the same one.

        Places keep what they hold alive: only numbers, texts and such, and containers of them.
        """
        x = node.value
        if len(x) > CONTENT_LIMIT:
            return False
        children = [c for c in node.children.values() if _counts(c)]
        if any(c.source[0] != "[" or c.source[1] is None or c.value is UNBOUND for c in children):
            return False
        items = [y for pair in x.items() for y in pair] if type(x) is dict else list(x)
        if type(x) is tuple or any(how != "type" for how, _ in node.checks):  # all of it
            if not all(is_plain(y) or type(y) in _KEPT for y in items):
                return False
            if type(x) is not tuple:
                self.found.append((x, None, tuple(items)))
            return all(is_plain(c.value) or (type(c.value) in _KEPT and self.content(c)) for c in children)
        return all((type(x) is dict or _is_position(c.source[1])) and self.node(c, x, c.source[1]) for c in children)

    def below(self, node: Node, reference: Any) -> bool:
        """The attributes that are read of an object."""
        children = [c for c in node.children.values() if _counts(c)]
        return not children or (
            type(reference) is ref
            and all(c.source[0] == "." and type(c.source[1]) is str for c in children)
            and all(self.node(c, reference, c.source[1]) for c in children)
        )


class Guards:
    """The checks of one trace.

    places: what `vectorcall.ll` compares before it asks `changed`: (dictionary, key, object), (list, number, object), (cell,
      None, object) or (weak reference, attribute, object), with weak references in place of objects that are told apart by
      identity; (list, None, its items) and (dictionary, None, its keys and values in turn); None where the checks are not
      only that these are still there
    """

    def __init__(self, roots: list[Node]) -> None:
        self._writers: list[tuple[_Writer, dict[str, Any]]] = []
        self._functions: list[tuple[Callable[[], str | None], list[str]]] | None = None
        groups: dict[int, tuple[_Writer, dict[str, Any]]] = {}
        for root in roots:
            namespace = root.source[1] if root.source[0] == "global" else {}
            key = id(namespace) if root.source[0] == "global" else 0
            writer, _ = groups.setdefault(key, (_Writer(), namespace))
            writer.root(root)
        simple = _Places()
        self.places = tuple(simple.found) if all(simple.root(root) for root in roots) else None
        self._writers = [(w, n) for w, n in groups.values() if len(w.lines) > 1]

    def __bool__(self) -> bool:
        return bool(self._writers)

    @property
    def text(self) -> str:
        """What is checked, as Python source."""
        return "\n\n".join("def changed():\n" + "\n".join(w.lines[1:]) for w, _ in self._writers)

    @property
    def single(self) -> Callable[[], str | None] | None:
        """The one function that says what has changed, where there is only one; what it raises is also a change."""
        functions = self._compiled()
        return functions[0][0] if len(functions) == 1 else None

    def _compiled(self) -> list[tuple[Callable[[], str | None], list[str]]]:
        if self._functions is None:
            self._functions = [(w.compile(namespace), w.labels) for w, namespace in self._writers]
        return self._functions

    def changed(self) -> str | None:
        """What has changed since the trace, as the user would write it; None if nothing has."""
        for function, labels in self._compiled():
            try:
                what = function()
            except Exception as error:  # noqa: BLE001 (what cannot be read any more has changed)
                inner = error.__traceback__.tb_next if error.__traceback__ is not None else None
                return labels[inner.tb_lineno - 1] if inner is not None else "state"
            if what is not None:
                return what
        return None


def guards_of(
    called: dict[int, Any],
    named: dict[tuple[int, str], Any],
    originals: dict[Any, Any],
    state: set[Any],
    born: Callable[[Any], bool],
    function: Any,
    arguments: dict[str, Any],
) -> Guards | None:
    """The guards of a trace; None if it read nothing that could change."""
    return Guards(Dependence(called, originals, state, born).collect(function, arguments, named)) or None
