"""`Module`: a named container of variables and other modules, found through attributes, lists and dictionaries."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from runtime.tensor.variable import Variable, name_scope

__all__ = ["Module"]


class Module:
    """Base of objects that own variables.

    >>> import autograph as ag
    >>> class Dense(ag.Module):
    ...     def __init__(self):
    ...         super().__init__(name="dense")
    ...         self.w = ag.Variable([1.0])
    ...         self.parts = [ag.Variable(2.0, trainable=False)]
    >>> [v.shape for v in Dense().variables], len(Dense().trainable_variables)
    ([TensorShape([]), TensorShape([1])], 1)

    Source of the semantics: TensorFlow's `tf.Module`.
    """

    def __init__(self, name: str | None = None) -> None:
        if name is None:
            name = _snake(type(self).__name__)
        if not re.fullmatch(r"[A-Za-z_][\w./-]*", name):
            raise ValueError(f"{name!r} is not a valid module name: it must start with a letter and hold no blanks")
        self._name = name

    @property
    def name(self) -> str:
        """The name given, or the class's name in snake case."""
        return getattr(self, "_name", _snake(type(self).__name__))

    @property
    def name_scope(self) -> Any:
        """A context that prefixes the names of variables created in it."""
        return name_scope(self.name)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """All variables of this module and its submodules, each once."""
        return tuple(_find(self, Variable))

    @property
    def trainable_variables(self) -> tuple[Variable, ...]:
        """The variables that tapes watch by themselves."""
        return tuple(v for v in _find(self, Variable) if v.trainable)

    @property
    def non_trainable_variables(self) -> tuple[Variable, ...]:
        """The others."""
        return tuple(v for v in _find(self, Variable) if not v.trainable)

    @property
    def submodules(self) -> tuple[Module, ...]:
        """All modules inside this one, at any depth."""
        return tuple(_find(self, Module))

    @classmethod
    def with_name_scope(cls, method: Callable[..., Any]) -> Callable[..., Any]:
        """Decorate a method so that the variables it creates carry the module's name."""

        @wraps(method)
        def wrapper(self: Module, *args: Any, **kwargs: Any) -> Any:
            with self.name_scope:
                return method(self, *args, **kwargs)

        return wrapper


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _find(module: Module, wanted: type) -> Iterator[Any]:
    """Breadth first over attributes by name, through containers and submodules."""
    seen = {id(module)}
    queue: list[Any] = [module]
    while queue:
        owner = queue.pop(0)
        for _, value in sorted(vars(owner).items()):
            for leaf in _leaves(value):
                if id(leaf) in seen:
                    continue
                seen.add(id(leaf))
                if isinstance(leaf, wanted):
                    yield leaf
                if isinstance(leaf, Module):
                    queue.append(leaf)


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, (Variable, Module)):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, dict):
        for key in sorted(value, key=str):
            yield from _leaves(value[key])
