"""The package's names, found when they are first used: `ag.exp`, `ag.math`, `ag.nn.relu`, by the static index."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

from autograph.api.index import FUNCTIONS, OBJECTS, OPERATIONS
from autograph.api.missing import MissingNameError
from runtime.typesys.errors import outward

__all__ = ["DTYPES", "names_of", "open_namespaces"]

DTYPES = (
    "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 complex64 complex128 double half string"
).split()

Place = tuple[str, str, str]  # module, key, "operation", "function" or "object"

_DOCS = {
    "autograph": "Seeing and steering the conversion of Python source, under TensorFlow's names.",
    "config": "Settings of the whole process.",
    "config.experimental": "Settings of devices, under the names they had first.",
    "config.threading": "How many threads work on one operation.",
    "data": "Input pipelines: datasets that loops go over, eagerly and staged.",
    "debugging": "Assertions about tensors.",
    "distribute": "TensorFlow's strategies, on the one device that there is.",
    "nest": "Nested structures of lists, tuples, dictionaries and their kin: flattened, packed, mapped.",
    "random": "Random numbers: from the global generator, from your own, and stateless.",
}


def _places() -> dict[str, dict[str, Place]]:
    """Namespace ("" is the root) -> name -> where it comes from."""
    tree: dict[str, dict[str, Place]] = {"": {}}
    for kind, table in (("operation", OPERATIONS), ("function", FUNCTIONS), ("object", OBJECTS)):
        for module, words in table.items():
            for word in words.split():
                key, _, names = word.partition("=")
                for dotted in (names or key).split(","):
                    space, _, name = dotted.rpartition(".")
                    tree.setdefault(space, {})[name] = (module, key, kind)
    return tree


_TREE = _places()


def names_of(space: str) -> list[str]:
    """The public names of a namespace, those of inner namespaces included, sorted."""
    prefix = space + "." if space else ""
    inner = {s[len(prefix) :].partition(".")[0] for s in _TREE if s.startswith(prefix) and s != space}
    return sorted({*_TREE.get(space, ()), *inner})


def open_namespaces(root: ModuleType) -> Callable[[str], Any]:
    """Make `math`, `nn`, ... (importable, too) and the root's `__getattr__`."""
    for space in sorted(_TREE):
        owner, path = root, ""
        for part in filter(None, space.split(".")):
            path = f"{path}.{part}" if path else part
            inner = owner.__dict__.get(part)
            if inner is None:
                inner = _namespace(root.__name__, path)
                setattr(owner, part, inner)
            owner = inner
    return _finder(root, "")


def _namespace(root: str, path: str) -> ModuleType:
    doc = _DOCS.get(path, f"Functions of `{path}`, under TensorFlow's names.")
    made = ModuleType(f"{root}.{path}", doc)
    names = names_of(path)
    made.__dict__.update(
        __all__=names,
        __getattr__=_finder(made, path),
        __dir__=lambda: names,
        __path__=[],
        __package__=made.__name__,
    )
    sys.modules[made.__name__] = made
    return made


def _finder(module: ModuleType, space: str) -> Callable[[str], Any]:
    """`__getattr__` of a namespace: find the name, keep it."""
    places = _TREE.get(space, {})

    def find(name: str) -> Any:
        place = places.get(name)
        if place is None:
            if not name.startswith("__"):
                found = _late(f"{space}.{name}" if space else name)
                if found is not None:
                    return found
            if name[:2] == "__":  # what protocols probe for
                raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}", name=name, obj=module)
            try:
                known = [*names_of(space), *(DTYPES if not space else ())]
                raise MissingNameError(module.__name__, name, known, _elsewhere(name))
            except MissingNameError as error:
                outward[0](error)
                raise
        home, key, kind = place
        value = (
            getattr(import_module(home), key) if kind == "object" else _wrappers().wrapper_of(kind, home, key)
        )
        setattr(module, name, value)
        return value

    return find


def _elsewhere(name: str) -> str:
    """The shortest dotted name that ends in `name`, if there is one."""
    found = [f"ag.{space}.{name}" if space else f"ag.{name}" for space, places in _TREE.items() if name in places]
    return min(found, key=lambda dotted: (dotted.count("."), dotted), default="")


def _wrappers() -> Any:
    return import_module("autograph.api.wrappers")


def _late(dotted: str) -> Any:
    """An operation that was defined after the index was written, such as a user's own."""
    return _wrappers().late(dotted)
