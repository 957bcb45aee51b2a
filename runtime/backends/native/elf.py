"""Loading object files of Linux on x86-64: sections into memory, relocations applied, code made executable.

LLVM has a loader of its own (toolchain.py uses it on other systems), but to import LLVM takes longer than all the rest
of a start from the cache. Pages are never writable and executable at once.
"""

from __future__ import annotations

import ctypes
import mmap
import platform
import struct
import sys
from collections.abc import Callable
from typing import Any

__all__ = ["Image", "LoadError", "UnknownFormatError", "can_load", "load_image"]

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_RELOCATION = struct.Struct("<QQq")

_SYMTAB, _RELA, _NOBITS = 2, 4, 8
_WRITE, _ALLOC, _EXEC = 1, 2, 4
_UNDEFINED, _ABSOLUTE = 0, 0xFFF1
_WEAK = 2

# R_X86_64_*: absolute, relative to the place, through a table of addresses, through a stub that jumps
_ABS64, _PC32, _PLT32, _PC64 = 1, 2, 4, 24
_GOT = (9, 41, 42)
_STUB = b"\xff\x25\x02\x00\x00\x00\x0f\x0b"  # jmp *2(%rip); ud2; the address follows


class LoadError(RuntimeError):
    """An object file names what nobody has."""


class UnknownFormatError(LoadError):
    """An object file that this loader does not understand."""


class Image:
    """Loaded code: `symbols` are the addresses of what it defines. It stays until `unmap` is called."""

    __slots__ = ("_base", "_size", "symbols")

    def __init__(self, base: int, size: int) -> None:
        self._base = base
        self._size = size
        self.symbols: dict[str, int] = {}

    def unmap(self) -> None:
        """Give the memory back; nothing of the code must run any more."""
        _libc.munmap(self._base, self._size)


def can_load() -> bool:
    """Whether this is the system that the loader is for."""
    return sys.platform == "linux" and platform.machine() == "x86_64" and ctypes.sizeof(ctypes.c_void_p) == 8


def _system() -> Any:
    if not can_load():
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
    libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    return libc


_libc = _system()


class _Section:
    __slots__ = ("address", "align", "data", "flags", "info", "kind", "link", "name", "size")

    def __init__(self, fields: tuple[int, ...], code: bytes) -> None:
        self.name, self.kind, self.flags, _, offset, self.size, self.link, self.info, align, _ = fields
        self.align = max(align, 1)
        self.data = b"" if self.kind == _NOBITS else code[offset : offset + self.size]
        self.address = 0


def load_image(code: bytes, find: Callable[[str], int | None]) -> Image:
    """Load an object file.

    Args:
      code: the file, as LLVM wrote it for position-independent code of the small model.
      find: gives the addresses of what it does not define.

    Raises:
      LoadError: `find` does not know a name.
      UnknownFormatError: the file is of another kind.
      OSError: the system does not give executable memory.
    """
    sections = _sections(code)
    table = next((s for s in sections if s.kind == _SYMTAB), None)
    if table is None:
        raise UnknownFormatError("an object file without symbols")
    names = sections[table.link].data
    symbols = [_SYMBOL.unpack_from(table.data, at) for at in range(0, len(table.data), _SYMBOL.size)]
    relocations = [
        (sections[s.info], _RELOCATION.unpack_from(s.data, at))
        for s in sections
        if s.kind == _RELA and sections[s.info].flags & _ALLOC and not _is_unwinding(sections[s.info], sections, code)
        for at in range(0, len(s.data), _RELOCATION.size)
    ]
    wanted = {i >> 32 for _, (_, i, _) in relocations}
    given = {k: _outside(symbols[k], _text(names, symbols[k][0]), find) for k in wanted if _is_outside(symbols[k])}
    stubs, slots = {k: 16 * n for n, k in enumerate(given)}, {k: 8 * n for n, k in enumerate(sorted(wanted))}
    return _place(sections, symbols, names, relocations, given, stubs, slots)


def _sections(code: bytes) -> list[_Section]:
    if len(code) < _HEADER.size:
        raise UnknownFormatError("not an object file")
    head = _HEADER.unpack_from(code)
    if head[0][:6] != b"\x7fELF\x02\x01" or head[1] != 1 or head[2] != 62:
        raise UnknownFormatError("not an object file of x86-64")
    start, entry, count = head[6], head[11], head[12]
    return [_Section(_SECTION.unpack_from(code, start + k * entry), code) for k in range(count)]


def _is_unwinding(section: _Section, sections: list[_Section], code: bytes) -> bool:
    """Tables for exceptions, which native code has none of."""
    names = sections[_HEADER.unpack_from(code)[13]].data
    return _text(names, section.name) == ".eh_frame"


def _text(names: bytes, at: int) -> str:
    return names[at : names.index(b"\0", at)].decode()


def _is_outside(symbol: tuple[int, ...]) -> bool:
    return symbol[3] == _UNDEFINED


def _outside(symbol: tuple[int, ...], name: str, find: Callable[[str], int | None]) -> int:
    address = find(name)
    if address is None:
        if symbol[1] >> 4 == _WEAK:
            return 0
        raise LoadError(f"no symbol {name}")
    return address


def _place(
    sections: list[_Section],
    symbols: list[Any],
    names: bytes,
    relocations: list[Any],
    given: dict[int, int],
    stubs: dict[int, int],
    slots: dict[int, int],
) -> Image:
    """Lay out code with its stubs, then what is only read with the table of addresses, then what is written; relocate."""
    page = mmap.PAGESIZE
    groups: list[list[_Section]] = [[], [], []]
    for s in sections:
        if s.flags & _ALLOC:
            groups[0 if s.flags & _EXEC else 2 if s.flags & _WRITE else 1].append(s)
    starts, extra, at = [], [0, 0], 0
    for k, group in enumerate(groups):
        starts.append(at)
        for s in group:
            at = s.address = -(-at // s.align) * s.align
            at += s.size
        if k < 2:
            at = extra[k] = -(-at // 16) * 16
            at += 16 * len(stubs) if k == 0 else 8 * len(slots)
        at = -(-at // page) * page
    size = max(at, page)
    private = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    base = _libc.mmap(None, size, mmap.PROT_READ | mmap.PROT_WRITE, private, -1, 0)
    if base is None or base == ctypes.c_void_p(-1).value:
        raise OSError(ctypes.get_errno(), "no memory for code")
    image = Image(base, size)
    try:
        memory: Any = memoryview((ctypes.c_char * size).from_address(base)).cast("B")
        for s in (s for group in groups for s in group):
            memory[s.address : s.address + len(s.data)] = s.data
        addresses = [given.get(k, 0) if _is_outside(s) else _address(s, sections, base) for k, s in enumerate(symbols)]
        for k, offset in stubs.items():
            memory[extra[0] + offset : extra[0] + offset + 16] = _STUB + struct.pack("<Q", given[k])
        for k, offset in slots.items():
            struct.pack_into("<Q", memory, extra[1] + offset, addresses[k])
        for section, (offset, info, addend) in relocations:
            k, where = info >> 32, section.address + offset
            jump = base + extra[0] + stubs[k] if k in stubs else addresses[k]
            _relocate(memory, base, where, info & 0xFFFFFFFF, (addresses[k], jump, base + extra[1] + slots[k]), addend)
        _protect(base, starts[0], starts[1], mmap.PROT_READ | mmap.PROT_EXEC)
        _protect(base, starts[1], starts[2], mmap.PROT_READ)
        for k, s in enumerate(symbols):
            if s[0] and not _is_outside(s):
                image.symbols[_text(names, s[0])] = addresses[k]
    except BaseException:
        image.unmap()
        raise
    return image


def _address(symbol: tuple[int, ...], sections: list[_Section], base: int) -> int:
    index, value = symbol[3], symbol[4]
    if index == _ABSOLUTE:
        return value
    if index >= len(sections):
        raise UnknownFormatError("a symbol in no section")
    return base + sections[index].address + value


def _relocate(memory: Any, base: int, where: int, kind: int, to: tuple[int, int, int], addend: int) -> None:
    """Write one address; `to` are those of the symbol, of a stub that jumps to it, and of a word that holds it."""
    target, jump, slot = to
    here = base + where
    if kind == _ABS64:
        struct.pack_into("<Q", memory, where, (target + addend) & 0xFFFFFFFFFFFFFFFF)
        return
    if kind == _PC64:
        struct.pack_into("<q", memory, where, target + addend - here)
        return
    distance = {_PC32: target, _PLT32: jump}.get(kind, slot if kind in _GOT else None)
    if distance is None:
        raise UnknownFormatError(f"a relocation of kind {kind}")
    distance += addend - here
    if not -(1 << 31) <= distance < 1 << 31:
        raise UnknownFormatError("a symbol out of reach")
    struct.pack_into("<i", memory, where, distance)


def _protect(base: int, start: int, end: int, what: int) -> None:
    if end > start and _libc.mprotect(base + start, end - start, what):
        raise OSError(ctypes.get_errno(), "the system does not let code be made in memory")
