"""Helper functions of generated code (bodies of branches and loops, operands) are parts of the user's function.

Their code objects have the name of the function they are part of, and so have the frames that run them: whoever
walks the stack, such as `logging`, sees one function, if more than once. `logical_frames` sees it once.
"""

import types
from collections.abc import Collection, Iterator
from typing import Any

from autograph.load.cache import CodeCache
from autograph.load.user_traceback import HELPERS, is_internal

_users_names: CodeCache[frozenset[str]] = CodeCache()
Start = tuple[int, int]


def settle(code: types.CodeType, original: types.CodeType, helpers: Collection[str]) -> types.CodeType:
    """The code of a converted function with the qualified names of the original everywhere; its helpers are registered.

    `helpers` are the names of its helper functions; lambdas that stand nowhere in the original are helpers, too.
    """
    lambdas = {_start(inner) for inner in _codes_in(original) if inner.co_name == "<lambda>"}
    names = frozenset(name for inner in _codes_in(original) for name in _names(inner))

    def is_own(inner: types.CodeType) -> bool:
        return _start(inner) not in lambdas if inner.co_name == "<lambda>" else inner.co_name in helpers

    def settled(made: types.CodeType, name: str, qualified: str) -> types.CodeType:
        constants: list[Any] = []
        for constant in made.co_consts:
            if isinstance(constant, types.CodeType):
                if is_own(constant):
                    constants.append(settled(constant, name, qualified))
                    HELPERS.get(constants[-1], None, lambda: True)
                else:
                    inner = constant.co_qualname.removeprefix(made.co_qualname)
                    inner = inner if inner == constant.co_qualname else qualified + inner
                    constants.append(settled(constant, constant.co_name, inner))
            elif isinstance(constant, str) and constant == made.co_qualname and "__qualname__" in made.co_names:
                constants.append(qualified)  # a class body tells its class
            else:
                constants.append(constant)
        done = made.replace(co_consts=tuple(constants), co_name=name, co_qualname=qualified)
        _users_names.get(done, None, lambda: names)
        return done

    return settled(code, original.co_name, original.co_qualname)


def is_helper(code: types.CodeType) -> bool:
    """Whether a code object is part of a user's function and not one of its own."""
    return code in HELPERS


def users_names(code: types.CodeType) -> frozenset[str] | None:
    """The variables of the user's in converted code; None for code that was not converted."""
    return _users_names.find(code)


def logical_frames(frame: types.FrameType | None) -> Iterator[list[types.FrameType]]:
    """The stack as the user wrote it: for each function the frames that run it, innermost first; ours are left out."""
    parts: list[types.FrameType] = []
    while frame is not None:
        if not is_internal(frame.f_code.co_filename):
            parts.append(frame)
            if not is_helper(frame.f_code):
                yield parts
                parts = []
        frame = frame.f_back


def _codes_in(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes_in(constant)


def _start(code: types.CodeType) -> Start:
    """Where the body of a lambda begins: line and column."""
    return min(((line, column) for line, _, column, _ in code.co_positions() if line and column), default=(0, 0))


def _names(code: types.CodeType) -> tuple[str, ...]:
    return (*code.co_varnames, *code.co_cellvars, *code.co_freevars)
