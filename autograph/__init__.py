"""Ordinary Python in, graphs out: TensorFlow 2's names over NumPy."""

import os as _os
import sys as _sys
import warnings as _warnings
from typing import Any as _Any

from autograph import errors as errors
from autograph.api import namespaces as _namespaces
from runtime.ir import build as _build
from runtime.typesys import errors as _runtime_errors
from runtime.typesys.dtypes import as_dtype as _as_dtype

__version__ = "0.1.0"

_build.internal_folders.append(_os.path.dirname(_os.path.abspath(__file__)) + _os.sep)


def _leave(error: BaseException) -> None:
    try:
        from autograph.load.user_traceback import leave_eager_code  # loads what only errors need

        leave_eager_code(error)
    except RecursionError:  # no room is left to look at frames: what it has so far is ours
        error.__traceback__ = None


def _show_at_users_line(*args: _Any, **kwargs: _Any) -> None:
    from autograph.load.user_warnings import show_at_users_line  # loads what only warnings need

    show_at_users_line(_show_before, *args, **kwargs)


_runtime_errors.outward[0] = _leave
_show_before = _warnings.showwarning
_warnings.showwarning = _show_at_users_line  # NumPy warns at the line that calls it, which is ours
newaxis = None
globals().update({name: _as_dtype(name) for name in _namespaces.DTYPES})

# Every other name is found when it is first used: operations and their kin are not loaded before.
__getattr__ = _namespaces.open_namespaces(_sys.modules[__name__])
__all__ = [*_namespaces.names_of(""), *_namespaces.DTYPES, "errors", "newaxis"]  # noqa: PLE0604
__all__.sort()


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
