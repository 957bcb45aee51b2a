"""`ag.autograph` and `ag.config`: seeing and steering the conversion, under TensorFlow's names."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from functools import wraps
from typing import Any

from autograph.staging.function import Function, functions_run_eagerly, run_functions_eagerly

__all__ = ["autograph", "config", "do_not_convert", "to_code", "to_graph"]


def _plain(entity: Any) -> Any:
    return entity.python_function if isinstance(entity, Function) else entity


def to_code(entity: Callable[..., Any], recursive: bool = True, experimental_optional_features: Any = None) -> str:
    """The converted source of a function, as text.

    >>> import autograph as ag
    >>> def f(x):
    ...     return x if x > 0 else -x
    >>> "ag__.if_exp" in ag.autograph.to_code(f)
    True
    """
    from autograph.load.conversion import converted_tree  # loads gast
    from autograph.source.parse import unparse

    return unparse(converted_tree(_plain(entity)))


def to_graph(entity: Callable[..., Any], recursive: bool = True, experimental_optional_features: Any = None) -> Any:
    """The converted function: called in a trace, it stages what depends on tensors."""
    from autograph.load.conversion import convert_function  # loads gast

    return convert_function(_plain(entity), sys.modules["autograph.operators"])


def do_not_convert(func: Callable[..., Any] | None = None) -> Any:
    """Call a function as it is: its control flow stays Python's, also in a trace."""
    if func is None:
        return do_not_convert

    @wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return func(*args, **kwargs)

    wrapper.__autograph_do_not_convert__ = True  # type: ignore[attr-defined]
    return wrapper


def _namespace(name: str, doc: str, **names: Any) -> types.ModuleType:
    made = types.ModuleType(f"autograph.{name}", doc)
    made.__dict__.update(names)
    return made


_experimental = _namespace("autograph.experimental", "Names that TensorFlow keeps here.", do_not_convert=do_not_convert)
autograph = _namespace(
    "autograph",
    "The conversion of Python source.",
    to_code=to_code,
    to_graph=to_graph,
    do_not_convert=do_not_convert,
    experimental=_experimental,
)
config = _namespace(
    "config",
    "Settings of the whole process.",
    run_functions_eagerly=run_functions_eagerly,
    functions_run_eagerly=functions_run_eagerly,
)
