"""Whether the text found for a function is what it was compiled from: a file may have changed since it was imported.

Only asked of files that are younger than this process, as it compiles the text once more.
"""

import __future__

import dis
import types

__all__ = ["futures_of", "same_program"]

_FUTURES = sum({getattr(__future__, name).compiler_flag for name in __future__.all_feature_names})
# Where a name is kept depends on the surroundings, which the text compiled by itself does not have.
_KEEPING = ("LOAD_", "STORE_", "DELETE_", "PUSH_NULL", "COPY", "MAKE_CELL", "RESUME", "NOP", "CACHE", "SWAP", "EXTENDED_ARG")
_JUMPING = ("JUMP", "FOR_ITER", "SEND", "END_FOR")


def same_program(one: types.CodeType, other: types.CodeType) -> bool:
    """Whether two code objects do the same, as far as that does not depend on where their functions stand."""
    return _gist(one) == _gist(other)


def futures_of(code: types.CodeType) -> int:
    """The `__future__` features that code was compiled with."""
    return code.co_flags & _FUTURES


def _gist(code: types.CodeType) -> tuple[object, ...]:
    constants = [_gist(c) if isinstance(c, types.CodeType) else repr(c).rpartition(".<locals>.")[2] for c in code.co_consts]
    names = {*code.co_names, *code.co_freevars, *code.co_cellvars, *code.co_varnames}
    steps = [
        (i.opname, "" if any(word in i.opname for word in _JUMPING) else _detail(i))
        for i in dis.get_instructions(code)
        if not i.opname.startswith(_KEEPING)
    ]
    plain = frozenset(_public(name) for name in names if name != "__class__" and not name.startswith((".", "@")))
    return constants, plain, steps


def _detail(instruction: dis.Instruction) -> str:
    return "code" if isinstance(instruction.argval, types.CodeType) else _public(str(instruction.argrepr))


def _public(name: str) -> str:
    """A name without the class that a private one is written out with."""
    at = name.find("__", 1)
    return name[at:] if name.startswith("_") and not name.startswith("__") and at > 0 else name
