"""Replace every function of a module by its converted form, in place, so that all who refer to one see the other."""

import functools
import sys
import types
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any

import autograph as ag
import autograph.operators
from autograph.load.cache import is_converted
from autograph.load.conversion import convert_function


class Replacer:
    """Converts modules, those imported already and those imported later (afresh, too).

    converted: how many functions were replaced
    refused:   (qualified name, error) of those that the conversion refused
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = frozenset(names)
        self.converted = 0
        self.refused: list[tuple[str, str]] = []
        self._made: dict[int, tuple[Any, Any]] = {}  # id -> (original, which keeps the id its own; replacement)

    def install(self) -> None:
        """Convert what is imported already, and see to what will be."""
        for name in sorted(self.names & sys.modules.keys()):
            self.module(sys.modules[name])
        sys.meta_path.insert(0, _Finder(self))

    def module(self, module: types.ModuleType) -> None:
        """Replace the functions that stand anywhere in a module's namespace."""
        self._namespace(module.__dict__, module)

    def _namespace(self, values: dict[Any, Any], module: types.ModuleType) -> None:
        for key, value in list(values.items()):
            made = self._replacement(value, module)
            if made is not value:
                values[key] = made

    def _replacement(self, value: Any, module: types.ModuleType) -> Any:
        if not isinstance(value, _REPLACED):
            return value
        known = self._made.get(id(value))
        if known is not None and known[0] is value:
            return known[1]
        self._made[id(value)] = (value, value)
        made = self._made_from(value, module)
        self._made[id(value)] = (value, made)
        return made

    def _made_from(self, value: Any, module: types.ModuleType) -> Any:
        if isinstance(value, types.FunctionType):
            return self._function(value, module)
        if isinstance(value, type):
            if value.__module__ == module.__name__:
                self._class(value, module)
            return value
        if isinstance(value, dict):
            self._namespace(value, module)
            return value
        if isinstance(value, tuple):
            items = [self._replacement(item, module) for item in value]
            changed = any(new is not old for new, old in zip(items, value, strict=True))
            return tuple(items) if changed and type(value) is tuple else value
        if isinstance(value, list):
            value[:] = [self._replacement(item, module) for item in value]
            return value
        if isinstance(value, (staticmethod, classmethod)):
            inner = self._replacement(value.__func__, module)
            return value if inner is value.__func__ else type(value)(inner)
        if isinstance(value, property):
            return self._property(value, module)
        if isinstance(value, functools.cached_property):
            value.func = self._replacement(value.func, module)
            return value
        return self._cached(value, module)

    def _function(self, function: types.FunctionType, module: types.ModuleType) -> types.FunctionType:
        for cell in function.__closure__ or ():
            self._cell(cell, module)
        wrapped = function.__dict__.get("__wrapped__")
        if wrapped is not None:
            function.__wrapped__ = self._replacement(wrapped, module)  # type: ignore[attr-defined]
        if function.__globals__ is not module.__dict__ or function.__code__.co_filename != module.__file__:
            return function  # another module's, or made by exec without a source
        if is_converted(function.__code__):
            return function
        try:
            made: types.FunctionType = convert_function(function, autograph.operators)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a refusal
            self.refused.append((f"{module.__name__}.{function.__qualname__}", f"{type(error).__name__}: {error}"))
            return function
        self.converted += 1
        return made

    def _cell(self, cell: types.CellType, module: types.ModuleType) -> None:
        try:
            held = cell.cell_contents
        except ValueError:
            return
        if isinstance(held, types.FunctionType):
            cell.cell_contents = self._replacement(held, module)

    def _class(self, cls: type, module: types.ModuleType) -> None:
        for name, value in list(vars(cls).items()):
            if name in ("__dict__", "__class__"):  # properties of the class itself
                continue
            made = self._replacement(value, module)
            if made is not value:
                type.__setattr__(cls, name, made)

    def _property(self, value: property, module: types.ModuleType) -> property:
        parts = [self._replacement(part, module) for part in (value.fget, value.fset, value.fdel)]
        if parts == [value.fget, value.fset, value.fdel]:
            return value
        made = type(value)(*parts, doc=value.__doc__)
        made.__dict__.update(value.__dict__) if hasattr(value, "__dict__") else None
        return made

    def _cached(self, value: Any, module: types.ModuleType) -> Any:
        """`lru_cache` hides its function: cache the converted one alike."""
        inner = self._replacement(value.__wrapped__, module)
        if inner is value.__wrapped__:
            return value
        parameters = value.cache_parameters()
        made = functools.lru_cache(parameters["maxsize"], parameters["typed"])(inner)
        made.cache_parameters = value.cache_parameters  # type: ignore[attr-defined]
        return made


_REPLACED = (
    types.FunctionType, type, dict, list, tuple, staticmethod, classmethod, property,
    functools.cached_property, functools._lru_cache_wrapper,
)


class _Finder(MetaPathFinder):
    """Finds the modules to convert where they are, and converts them after they were loaded."""

    def __init__(self, replacer: Replacer) -> None:
        self.replacer = replacer

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        """The usual specification, with our loader."""
        if fullname not in self.replacer.names:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self.replacer)
        return spec


class _Loader(Loader):
    """The usual loader, and the conversion afterwards; all else is the usual loader's."""

    def __init__(self, inner: Any, replacer: Replacer) -> None:
        self._inner = inner
        self._replacer = replacer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def create_module(self, spec: ModuleSpec) -> types.ModuleType | None:
        """As the usual loader."""
        return self._inner.create_module(spec)  # type: ignore[no-any-return]

    def exec_module(self, module: types.ModuleType) -> None:
        """Load the module, convert its functions: once, whatever is being traced and may be given up."""
        with ag.init_scope():
            self._inner.exec_module(module)
            self._replacer.module(module)
