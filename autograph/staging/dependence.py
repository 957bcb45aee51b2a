"""On which Python state a trace depends: what the functions it called read of globals, closures, objects and containers.

Found after the trace, by following the paths that the called functions read from the values they begin at. Values that
begin at a local name are not known any more: paths from those are followed from every object that was found, where they
lead to something. So more may be guarded than was read, never what no called function has a word for.
"""

from __future__ import annotations

import sys
import weakref
from collections import deque
from collections.abc import Iterator
from functools import partial
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from autograph.load.cache import reads_of
from autograph.operators.functions.unconverted import is_unconverted_module
from autograph.operators.state.places import UNBOUND, CellPlace
from autograph.operators.values.specials import undispatched
from runtime.ir.graph import Value
from runtime.tensor.tensor import Tensor

__all__ = ["CONTENT_LIMIT", "Dependence", "Node", "is_plain"]

CONTENT_LIMIT = 1000
"""Items of a list, tuple or dictionary that are compared at each call; of a longer one only the length is."""
DEPTH = 6  # containers in containers that are followed
NODES = 20000  # places that are followed for one trace

_PLAIN = frozenset((bool, int, float, complex, str, bytes, type(None), type(Ellipsis), range, slice))
_CONTAINERS = (list, tuple, dict, set, frozenset, deque)
_CHANGES = frozenset(("append", "extend", "insert", "add", "update", "setdefault", "clear", "discard", "remove"))
_OF_SHAPES = frozenset(("shape", "dtype", "ndim", "size"))
_SLOTS = ("member_descriptor", "_tuplegetter", "getset_descriptor")


class Node:
    """A value that was read, and how it is reached from another.

    source: ('global', namespace), ('cell', cell), ('object', value) for what a path begins at; else its last step
    checks: what must still be so: ('equal', value), ('same', object), ('bytes', of an array), ('type', type), ('length', n),
      ('keys', keys), ('items', values), ('others', (keys left out, keys)), ('absent', None)
    """

    __slots__ = ("checks", "children", "label", "source", "value")

    def __init__(self, source: tuple[str, Any], label: str, value: Any) -> None:
        self.source = source
        self.label = label
        self.value = value
        self.checks: list[tuple[str, Any]] = []
        self.children: dict[Any, Node] = {}


def is_plain(x: Any) -> bool:
    """Whether a value is compared by type and value: numbers, strings, None, and tuples and frozen sets of those."""
    kind = type(x)
    if kind in _PLAIN or isinstance(x, (np.generic, np.dtype)):
        return True
    return (kind is tuple or kind is frozenset) and len(x) <= CONTENT_LIMIT and all(map(is_plain, x))


class Dependence:
    """The roots of all that a trace read.

    called: the trace's record of the functions it called: id of code -> (code, globals)
    originals: what places held before the trace that it wrote to, by key
    state: keys of places that enter the graph as inputs; born: whether an object was made by the trace
    """

    def __init__(self, called: dict[int, Any], originals: dict[Any, Any], state: set[Any], born: Any) -> None:
        self.roots: dict[Any, Node] = {}
        self._originals = originals
        self._state = state
        self._born = born
        self._written = {key[1] for key in originals if key[0] in ("list", "item", "contents")}
        self._called = {id(r): (r, g) for code, g in called.values() if (r := reads_of(code)) is not None}
        self._visited: set[Any] = set()
        self._seen: set[int] = set()  # ids of the reads that were visited
        self._objects: dict[int, Node] = {}
        self._unknown: set[Any] = set()
        self._names: dict[str, Node] = {}  # the arguments of the function itself
        self._count = 0

    def collect(self, function: Any, arguments: dict[str, Any], named: dict[tuple[int, str], Any]) -> list[Node]:
        """The roots, given the function that was traced, its arguments by name, and objects read by computed names."""
        self._names = {n: self._root(("object", x), n, x) for n, x in arguments.items() if self._is_object(x)}
        for name, x in arguments.items():
            self._pool_of(x, name, DEPTH)
        self._enter(function, None, forced=True)
        self._names = {}
        for (_, name), owner in named.items():
            if self._is_object(owner) or isinstance(owner, ModuleType):
                self._follow(self._root(("object", owner), type(owner).__name__, owner), ((".", name),), strict=True)
        self._settle()
        for reads, namespace in self._called.values():
            if id(reads) not in self._seen:
                self._globals(reads, namespace)
        self._settle()
        return list(self.roots.values())

    def _settle(self) -> None:
        """Follow the paths of unknown beginning from all objects, and enter their methods, until nothing is new."""
        done = None
        while done != (len(self._objects), len(self._unknown), len(self._visited)) and self._count < NODES:
            done = len(self._objects), len(self._unknown), len(self._visited)
            for node in list(self._objects.values()):
                for fn in _methods(node.value):
                    self._enter(fn, node)
                for path in tuple(self._unknown):  # what is followed may bring more
                    self._follow(node, path, strict=False)

    # Functions

    def _enter(self, fn: Any, receiver: Node | None, forced: bool = False) -> None:
        """Follow what a function reads, if the trace called it."""
        for _ in range(20):
            if type(fn) is MethodType:
                receiver, fn = self._root(("object", fn.__self__), "self", fn.__self__), fn.__func__
            elif type(fn) is partial:
                for x in (*fn.args, *fn.keywords.values()):
                    self._pool_of(x, "an argument of a partial", DEPTH)
                fn = fn.func
            elif type(fn) is not FunctionType and _wraps(fn):
                fn = fn.__wrapped__
            else:
                break
        fn = undispatched(fn)
        if type(fn) is not FunctionType:
            call = type(fn).__call__
            if forced and type(call) is FunctionType:
                self._enter(call, self._root(("object", fn), "self", fn), forced=True)
            return
        reads = reads_of(fn.__code__)
        if reads is None or not (forced or id(reads) in self._called):
            return
        key = id(fn), None if receiver is None else id(receiver.value)
        if key in self._visited:
            return
        self._visited.add(key)
        self._seen.add(id(reads))
        free = fn.__code__.co_freevars
        for name, paths in reads.names.items():
            if name in free:
                assert fn.__closure__ is not None
                self._follow_all(self._cell(fn.__closure__[free.index(name)], name), paths)
            elif name == reads.receiver and receiver is not None:
                self._follow_all(receiver, paths)
            elif name in reads.bound:
                self._follow_all(self._names.get(name), paths)
                self._unknown |= paths
            else:
                self._follow_all(self._global(fn.__globals__, name), paths)
        self._unknown |= reads.unknown
        for module, name in reads.imports:
            found = sys.modules.get(module)
            if found is not None:
                self._follow(self._root(("object", found), module, found), ((".", name),), strict=True)

    def _globals(self, reads: Any, namespace: dict[str, Any]) -> None:
        """Follow what a function reads of which only its code was seen."""
        self._unknown |= reads.unknown
        for name, paths in reads.names.items():
            if name in reads.bound or name not in namespace:
                self._unknown |= paths
            else:
                self._follow_all(self._global(namespace, name), paths)

    # Beginnings of paths

    def _root(self, source: tuple[str, Any], label: str, value: Any) -> Node:
        known = self._objects.get(id(value)) if source[0] == "object" else None
        key = (source[0], id(source[1]), label if source[0] == "global" else "")
        node = known or self.roots.get(key)
        if node is None:
            node = self.roots[key] = Node(source, label, value)
            if source[0] == "object":
                self._objects[id(value)] = node
        return node

    def _global(self, namespace: dict[str, Any], name: str) -> Node | None:
        key = ("global", id(namespace), name)
        value = self._originals.get(key, namespace.get(name, UNBOUND))
        if value is UNBOUND or key in self._state:
            return None
        return self._checked(self._root(("global", namespace), name, value))

    def _cell(self, cell: Any, name: str) -> Node | None:
        key = ("cell", id(cell))
        value = self._originals.get(key, CellPlace(cell, name).read())
        if value is UNBOUND or key in self._state:
            return None
        return self._checked(self._root(("cell", cell), name, value))

    # Paths

    def _follow_all(self, node: Node | None, paths: Any) -> None:
        if node is not None:
            for path in sorted(paths, key=repr):
                self._follow(node, path, strict=True)

    def _follow(self, node: Node, path: Any, strict: bool) -> None:
        """Guard what a path leads through; if not `strict`, only where it leads to something."""
        for step in path:
            following = self._step(node, step, strict)
            if following is None:
                return
            node = following
        self._content(node, DEPTH)

    def _step(self, node: Node, step: Any, strict: bool) -> Node | None:
        how, name = step
        x = node.value
        if ("outside", id(x)) in self._state:
            return None  # what is in it is read at each call
        if how == ".":
            return self._attribute(node, x, name, strict)
        if isinstance(x, dict):
            key = ("item", id(x), name)
            value = self._originals.get(key, x.get(name, UNBOUND))
            if value is UNBOUND and not strict:
                return None
            return None if key in self._state else self._child(node, ("[", name), f"{node.label}[{name!r}]", value)
        if is_plain(x):
            return None
        if how == "[" and isinstance(x, (list, tuple, deque)) and type(name) is int and -len(x) <= name < len(x):
            return None if id(x) in self._written else self._child(node, step, f"{node.label}[{name}]", x[name])
        if how == "[" and isinstance(x, np.ndarray) and type(name) is int and x.ndim and -len(x) <= name < len(x):
            # A number taken from an array is a number; a row is seen through the array.
            return self._child(node, step, f"{node.label}[{name}]", x[name]) if isinstance(x[name], np.generic) else None
        if isinstance(x, _CONTAINERS) and strict:
            self._content(node, DEPTH)
        return None

    def _attribute(self, node: Node, x: Any, name: str, strict: bool) -> Node | None:
        if isinstance(x, ModuleType):
            if is_unconverted_module(x.__name__) or name not in vars(x):
                return None
            key = ("global", id(vars(x)), name)
            return None if key in self._state else self._child(node, (".", name), f"{node.label}.{name}", vars(x)[name])
        if isinstance(x, _CONTAINERS):
            if type(_of_class(type(x), name)).__name__ not in _SLOTS and name not in getattr(x, "__dict__", ()):
                if strict and name not in _CHANGES:
                    self._content(node, DEPTH)
                return None
        elif isinstance(x, np.ndarray):
            if name not in _OF_SHAPES:
                self._numbers(node)
            return None
        elif is_plain(x) or isinstance(x, Tensor) or not self._is_object(x):
            return None
        key = ("attribute", id(x), name)
        found = (self._originals[key],) if key in self._originals else self._read(node, x, name)
        if found is None:
            return None
        value = found[0]
        if key in self._state or (value is UNBOUND and not strict):
            return None
        return self._child(node, (".", name), f"{node.label}.{name}", value)

    def _read(self, node: Node, x: Any, name: str) -> tuple[Any] | None:
        """An attribute's value, in a tuple, without running code of the user's; None where it is made at each reading."""
        kind = type(x)
        found = _of_class(x if isinstance(x, type) else kind, name)
        if type(found) is property:
            self._enter_getter(found.fget, node)
            return None
        if type(found).__name__ in _SLOTS:
            if isinstance(x, type):
                return None
            try:
                return (found.__get__(x, kind),)
            except AttributeError:
                return (UNBOUND,)
        own = getattr(x, "__dict__", {}) if not isinstance(x, type) else {}
        if name in own:
            return (own[name],)
        if found is UNBOUND:
            dynamic = hasattr(kind, "__getattr__") or type(kind.__getattribute__) is FunctionType
            return None if dynamic or isinstance(x, type) else (UNBOUND,)
        if hasattr(type(found), "__get__"):
            self._enter(found, node)
            return None
        return (found,)

    def _enter_getter(self, getter: Any, node: Node) -> None:
        getter = undispatched(getter)
        if type(getter) is FunctionType and not is_unconverted_module(getter.__module__):
            from autograph.load.conversion import analysed  # loads gast

            if analysed(getter) is not None:
                self._enter(getter, node, forced=True)

    def _child(self, node: Node, step: Any, label: str, value: Any) -> Node | None:
        key = *step, type(step[1])
        child = node.children.get(key)
        if child is None:
            self._count += 1
            child = Node(step, label, value)
            if self._checked(child) is None:
                return None
            node.children[key] = child
        return None if child.value is UNBOUND else child

    # Values

    def _checked(self, node: Node) -> Node | None:
        """The node, with what must stay so noted; None for what is not guarded."""
        x = node.value
        if node.checks:
            return node
        if x is UNBOUND:
            node.checks.append(("absent", None))
        elif is_plain(x):
            node.checks.append(("equal", x))
        elif isinstance(x, _CONTAINERS):  # what the trace writes is written to this one
            node.checks.append(("same", x) if id(x) in self._written else ("type", type(x)))
        elif isinstance(x, ModuleType):
            pass
        elif (isinstance(x, Tensor) and type(x._value) is Value) or self._born(x):
            return None
        else:
            node.checks.append(("same", x))
            self._enter(x, None)
            if self._is_object(x):
                self._objects.setdefault(id(x), node)
        return node

    def _numbers(self, node: Node) -> None:
        """Guard what an array holds that only Python has read: what the graph reads, it reads at each call."""
        x = node.value
        known = ("captured", id(x)) in self._state or ("outside", id(x)) in self._state
        if not known and x.size <= CONTENT_LIMIT and not x.dtype.hasobject and all(how != "bytes" for how, _ in node.checks):
            node.checks.append(("bytes", x.tobytes()))

    def _content(self, node: Node, depth: int) -> None:
        """Guard all that a container holds."""
        x = node.value
        if isinstance(x, np.ndarray):
            self._numbers(node)
        if not isinstance(x, _CONTAINERS) or is_plain(x) or depth == 0 or ("outside", id(x)) in self._state:
            return
        if id(x) in self._written:
            self._others(node, depth)
            return
        if any(how not in ("type", "equal") for how, _ in node.checks) or self._count > NODES:
            return
        if isinstance(x, (set, frozenset)):
            if len(x) <= CONTENT_LIMIT and all(map(is_plain, x)):
                node.checks.append(("equal", frozenset(x) if type(x) is frozenset else set(x)))
            return
        if len(x) > CONTENT_LIMIT:
            node.checks.append(("length", len(x)))
            return
        values = list(x.values()) if isinstance(x, dict) else list(x)
        node.checks.append(("keys", list(x)) if isinstance(x, dict) else ("length", len(x)))
        if all(map(is_plain, values)):
            node.checks.append(("items", tuple(values)))
            return
        for key, value in x.items() if isinstance(x, dict) else enumerate(x):
            child = self._child(node, ("[", key), f"{node.label}[{key!r}]", value)
            if child is not None:
                self._content(child, depth - 1)

    def _others(self, node: Node, depth: int) -> None:
        """Guard the items of a dictionary that the trace did not write."""
        x = node.value
        if not isinstance(x, dict) or any(how == "others" for how, _ in node.checks) or len(x) > CONTENT_LIMIT:
            return
        written = frozenset(key[2] for key in (*self._originals, *self._state) if key[0] == "item" and key[1] == id(x))
        others = [key for key in x if key not in written]
        node.checks.append(("others", (written, others)))
        for key in others:
            child = self._child(node, ("[", key), f"{node.label}[{key!r}]", x[key])
            if child is not None:
                self._content(child, depth - 1)

    def _pool_of(self, x: Any, label: str, depth: int) -> None:
        """Note the objects in an argument."""
        if isinstance(x, _CONTAINERS) and depth and len(x) <= CONTENT_LIMIT:
            for part in x.values() if isinstance(x, dict) else x:
                self._pool_of(part, label, depth - 1)
        elif self._is_object(x):
            self._root(("object", x), label, x)
            self._enter(x, None)

    def _is_object(self, x: Any) -> bool:
        """Whether attributes of a value may be guarded."""
        if is_plain(x) or isinstance(x, (*_CONTAINERS, Tensor, np.ndarray, ModuleType)) or self._born(x):
            return False
        return not (isinstance(x, type) and is_unconverted_module(x.__module__))


def _of_class(kind: type, name: str) -> Any:
    for base in kind.__mro__:
        if name in base.__dict__:
            return base.__dict__[name]
    return UNBOUND


def _methods(x: Any) -> Iterator[Any]:
    """The functions in the classes of an object."""
    for base in type(x).__mro__:
        if not is_unconverted_module(base.__module__):
            for found in base.__dict__.values():
                if type(found) is FunctionType or _wraps(found):
                    yield found


def _wraps(x: Any) -> bool:
    """Whether something that is called stands for a function that it holds."""
    return type(x) in (staticmethod, classmethod) or "__wrapped__" in getattr(x, "__dict__", ())


def weak(x: Any) -> Any:
    """A weak reference to an object, or None where it has none."""
    try:
        return weakref.ref(x)
    except TypeError:
        return None
