"""What was converted already: code objects by identity, held weakly.

By identity, because Python calls two code objects equal that stand in different files.
"""

import threading
import types
import weakref
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

Made = TypeVar("Made")


class CodeCache(Generic[Made]):
    """A value for each (code object, options), made once; it goes when the code object goes. Thread safe.

    >>> cache = CodeCache()
    >>> cache.get(len.__class__.__call__, None, lambda: 1)
    Traceback (most recent call last):
    TypeError: ...
    >>> def f(): pass
    >>> cache.get(f.__code__, None, lambda: "made"), cache.get(f.__code__, None, lambda: "again")
    ('made', 'made')
    """

    def __init__(self) -> None:
        self._entries: dict[int, tuple[weakref.ref[types.CodeType], dict[Hashable, Made]]] = {}
        # Re-entrant: a finalizer may run in the middle of `get`, in the same thread.
        self._lock = threading.RLock()

    def get(self, code: types.CodeType, options: Hashable, make: Callable[[], Made]) -> Made:
        """The value for (code, options); `make()` makes it the first time, and only one thread does."""
        if not isinstance(code, types.CodeType):
            raise TypeError(f"a code object is needed, not {type(code).__name__}")
        with self._lock:
            entry = self._entries.get(id(code))
            if entry is None:
                entry = self._entries[id(code)] = (weakref.ref(code, self._forget(id(code))), {})
            values = entry[1]
            if options not in values:
                values[options] = make()
            return values[options]

    def find(self, code: types.CodeType) -> Made | None:
        """The value for a code object that was given without options, if any."""
        entry = self._entries.get(id(code))
        return entry[1].get(None) if entry is not None and entry[0]() is code else None

    def __contains__(self, code: types.CodeType) -> bool:
        entry = self._entries.get(id(code))
        return entry is not None and entry[0]() is code

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()

    def __len__(self) -> int:
        return len(self._entries)

    def _forget(self, key: int) -> Callable[[Any], None]:
        entries = self._entries

        def forget(dead: object) -> None:
            # The number may belong to a new code object by now.
            entry = entries.get(key)
            if entry is not None and entry[0] is dead:
                entries.pop(key, None)

        return forget


_converted: CodeCache[bool] = CodeCache()


def register_converted(code: types.CodeType) -> None:
    """Remember that `code`, and the functions defined in it, are results of a conversion."""
    _converted.get(code, None, lambda: True)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            register_converted(constant)


def is_converted(code: types.CodeType) -> bool:
    """Whether a code object is the result of a conversion: it must not be converted again."""
    return code in _converted


_reads: CodeCache[Any] = CodeCache()


def keep_reads(code: types.CodeType, reads: Any) -> None:
    """Remember what a function reads of the world outside it, by its code object."""
    _reads.get(code, None, lambda: reads)


def reads_of(code: types.CodeType) -> Any:
    """What a function reads: an `analysis.reads.Reads`; None where it was never analysed."""
    return _reads.find(code)


_tries: CodeCache[bool] = CodeCache()


def note_tries(code: types.CodeType) -> None:
    """Remember that converted code holds `try` statements with handlers, which stayed Python's."""
    _tries.get(code, None, lambda: True)


def has_tries(code: types.CodeType) -> bool:
    """Whether converted code holds such statements."""
    return code in _tries
