"""Ordinary Python in, graphs out: TensorFlow 2's names over NumPy."""

import os as _os
import sys as _sys

from autograph import errors as errors
from autograph.api import namespaces as _namespaces
from runtime.ir import build as _build
from runtime.typesys import errors as _runtime_errors
from runtime.typesys.dtypes import as_dtype as _as_dtype

__version__ = "0.1.0"

_build.internal_folders.append(_os.path.dirname(_os.path.abspath(__file__)) + _os.sep)


def _leave(error: BaseException) -> None:
    from autograph.load.user_traceback import leave_eager_code  # loads what only errors need

    leave_eager_code(error)


_runtime_errors.outward[0] = _leave
newaxis = None
globals().update({name: _as_dtype(name) for name in _namespaces.DTYPES})

# Every other name is found when it is first used: operations and their kin are not loaded before.
__getattr__ = _namespaces.open_namespaces(_sys.modules[__name__])
__all__ = [*_namespaces.names_of(""), *_namespaces.DTYPES, "errors", "newaxis"]  # noqa: PLE0604
__all__.sort()


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
