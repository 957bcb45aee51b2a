"""A `Function` that was looked up on an instance."""

from __future__ import annotations

import copy
from collections.abc import Callable
from types import MethodType
from typing import Any, Protocol

from autograph.load.user_traceback import hide_internal_frames
from autograph.staging.concrete import ConcreteFunction
from autograph.staging.inspection import Inspection

__all__ = ["BoundFunction"]


class Method(Protocol):
    """A `Function`, as far as what is bound to it asks."""

    input_signature: Any
    __name__: str
    _name: str
    _python_function: Callable[..., Any]

    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...

    def get_concrete_function(self, *args: Any, **kwargs: Any) -> ConcreteFunction: ...


class BoundFunction:
    """A `Function` looked up on an instance: the instance is its first argument."""

    def __init__(self, function: Method, instance: Any) -> None:
        self._function = function
        self.__self__ = instance
        self.__wrapped__ = function._python_function
        self.__name__ = function._name
        self.__doc__ = function.__doc__
        self.__module__ = function.__module__

    @property
    def __func__(self) -> Method:
        return self._function

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BoundFunction):
            return NotImplemented
        return self._function is other._function and self.__self__ is other.__self__

    def __hash__(self) -> int:
        return hash((id(self.__self__), self._function))

    def __reduce__(self) -> Any:
        return getattr, (self.__self__, self._function.__name__)

    def __copy__(self) -> BoundFunction:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> BoundFunction:
        return BoundFunction(self._function, copy.deepcopy(self.__self__, memo))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return self._function(self.__self__, *args, **kwargs)
        except BaseException as error:
            hide_internal_frames(error)
            raise

    def get_concrete_function(self, *args: Any, **kwargs: Any) -> ConcreteFunction:
        """The traced function for a signature."""
        if self._function.input_signature is not None and not args and not kwargs:
            args = self._function.input_signature
        return self._function.get_concrete_function(self.__self__, *args, **kwargs)

    def inspect(self, *args: Any, **kwargs: Any) -> Inspection:
        """What was made of the method for a signature (see `Function.inspect`)."""
        return Inspection(self.get_concrete_function(*args, **kwargs), self._function._python_function)

    @property
    def python_function(self) -> Any:
        """The method as it was written, bound."""
        return MethodType(self._function._python_function, self.__self__)  # type: ignore[arg-type]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._function, name)

    def __repr__(self) -> str:
        return f"<bound {self._function!r} of {self.__self__!r}>"
