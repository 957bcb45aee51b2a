"""`ag.autograph`: seeing and steering the conversion, under TensorFlow's names."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

from autograph.api.declare import public
from autograph.staging.function import Function

__all__ = ["do_not_convert", "to_code", "to_graph"]


def _plain(entity: Any) -> Any:
    return entity.python_function if isinstance(entity, Function) else entity


@public("autograph.to_code")
def to_code(
    entity: Callable[..., Any], recursive: bool = True, experimental_optional_features: Any = None
) -> str:
    """The converted source of a function, as text.

    >>> import autograph as ag
    >>> def f(x):
    ...     return x if x > 0 else -x
    >>> "ag__.if_exp" in ag.autograph.to_code(f)
    True
    """
    from autograph.load.conversion import converted_tree  # loads gast
    from autograph.source.printing import unparse

    return unparse(converted_tree(_plain(entity)))


@public("autograph.to_graph")
def to_graph(
    entity: Callable[..., Any], recursive: bool = True, experimental_optional_features: Any = None
) -> Any:
    """The converted function: called in a trace, it stages what depends on tensors.

    Where nothing is traced it runs as it stands.

    >>> ag.autograph.to_graph(lambda x: x if x > 0 else -x)(-2)
    2

    Source of the semantics: TensorFlow's `tf.autograph.to_graph`.
    """
    from autograph.load.conversion import entry_of  # loads gast

    return entry_of(_plain(entity), sys.modules["autograph.operators"])


@public("autograph.experimental.do_not_convert", "autograph.do_not_convert")
def do_not_convert(func: Callable[..., Any] | None = None) -> Any:
    """Call a function as it is: its control flow stays Python's, also in a trace.

    >>> @ag.autograph.experimental.do_not_convert
    ... def plain(x):
    ...     return x + 1
    >>> plain(1)
    2

    Source of the semantics: TensorFlow's `tf.autograph.do_not_convert`.
    """
    if func is None:
        return do_not_convert

    @wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return func(*args, **kwargs)

    wrapper.__autograph_do_not_convert__ = True  # type: ignore[attr-defined]
    return wrapper
