"""Compiled object files on disk, by the hash of their text, the compiler and the processor.

The folder must belong to the user and be closed to others, since what is in it is executed; where it is not, nothing is
kept. A file begins with the hash of its content, which is checked before it is used. Files are written aside and renamed,
so that processes may share the folder. Those that were used longest ago are removed when all together are too large.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import platform
import stat
import sys
import threading
import time
from functools import lru_cache

try:
    from _blake2 import blake2b  # `hashlib` loads OpenSSL, which takes as long as reading what is kept
except ImportError:
    from hashlib import blake2b

__all__ = ["Cache", "cache", "chosen_folder", "digest", "identity"]

_MAGIC = b"autograph native 2\n"
_LIMIT = 256 * 2**20
_TOUCH = 3600.0  # seconds after which a use is noted


def digest(data: bytes) -> bytes:
    """The hash of some bytes, 32 long."""
    return blake2b(data, digest_size=32).digest()


class Cache:
    """Object files in a folder; every method does nothing where the folder cannot be used.

    folder   where they are, or None
    limit    bytes that they may take together
    """

    def __init__(self, folder: str | os.PathLike[str] | None, limit: int = _LIMIT) -> None:
        self.limit = limit
        self.folder = os.fspath(folder) if folder is not None and _private(os.fspath(folder)) else None

    def read(self, key: str) -> bytes | None:
        """The object file of a key, if it is there and whole."""
        if self.folder is None:
            return None
        path = os.path.join(self.folder, f"{key}.o")
        try:
            with open(path, "rb") as file:
                data = file.read()
            if time.time() - os.stat(path).st_mtime > _TOUCH:
                os.utime(path)
        except OSError:
            return None
        head = len(_MAGIC) + 32
        code = data[head:]
        if data[: len(_MAGIC)] != _MAGIC or digest(code) != data[len(_MAGIC) : head]:
            self._remove(path)
            return None
        return code

    def holds(self, key: str) -> bool:
        """Whether there is an object file of a key; whether it is whole, `read` says."""
        return self.folder is not None and os.path.exists(os.path.join(self.folder, f"{key}.o"))

    def write(self, key: str, code: bytes) -> None:
        """Keep the object file of a key."""
        if self.folder is None:
            return
        aside = os.path.join(self.folder, f"{key}.{os.getpid()}.{threading.get_ident()}.new")
        try:
            file = open(aside, "xb", opener=_closed_to_others)  # noqa: SIM115 (a full or read-only disk fails here)
        except OSError:
            return
        try:
            with file:
                file.write(_MAGIC + digest(code) + code)
            os.replace(aside, os.path.join(self.folder, f"{key}.o"))
        except OSError:
            self._remove(aside)
            return
        self._evict()

    def entries(self) -> list[tuple[str, int, float]]:
        """(file, bytes, time of its last use) of all object files, the one used longest ago first."""
        found = []
        if self.folder is not None:
            for entry in os.scandir(self.folder):
                if entry.name.endswith((".o", ".new")):
                    try:
                        facts = entry.stat()
                    except OSError:  # another process has removed it
                        continue
                    found.append((entry.path, facts.st_size, facts.st_mtime))
        return sorted(found, key=lambda e: e[2])

    def clear(self) -> int:
        """Remove all; how many there were."""
        return sum(self._remove(path) for path, _, _ in self.entries())

    def _evict(self) -> None:
        entries = self.entries()
        total = sum(size for _, size, _ in entries)
        for path, size, used in entries:
            if total <= self.limit and not (path.endswith(".new") and time.time() - used > _TOUCH):
                continue
            self._remove(path)
            total -= size

    @staticmethod
    def _remove(path: str) -> bool:
        try:
            os.unlink(path)
        except OSError:
            return False
        return True


def _closed_to_others(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _private(folder: str) -> bool:
    """Make the folder; whether it is the user's alone."""
    try:
        os.makedirs(os.path.dirname(folder) or ".", exist_ok=True)
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder, 0o700)
        facts = os.lstat(folder)
    except OSError:
        return False
    if not stat.S_ISDIR(facts.st_mode):
        return False
    if sys.platform == "win32":
        return True  # a user's profile is closed to others
    return facts.st_uid == os.geteuid() and not facts.st_mode & 0o077


def chosen_folder() -> str | None:
    """The folder that the environment names, None where it says that there shall be none."""
    given = os.environ.get("AUTOGRAPH_CACHE")
    if given is not None:
        return given if given not in ("", "0", "off") else None
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "autograph", "native") if base and os.path.isabs(base) else None


@lru_cache(maxsize=1)
def cache() -> Cache:
    """The cache of this process: AUTOGRAPH_CACHE names its folder ("off": none), AUTOGRAPH_CACHE_SIZE its bytes."""
    size = os.environ.get("AUTOGRAPH_CACHE_SIZE", "")
    return Cache(chosen_folder(), int(size) if size.isdigit() else _LIMIT)


@lru_cache(maxsize=1)
def identity() -> str | None:
    """What code depends on besides its text: compiler, system, processor; None where that takes the compiler to tell.

    The compiler is told by its files and the processor by the system's description, so that neither is loaded.
    """
    found = importlib.util.find_spec("llvmlite") if sys.platform == "linux" else None
    if found is None or found.origin is None:
        return None
    parts = [platform.machine(), *(str(x) for x in sys.version_info[:2])]
    try:
        binding = os.path.join(os.path.dirname(found.origin), "binding")
        for name in sorted(n for n in os.listdir(binding) if "llvmlite" in n):
            facts = os.stat(os.path.join(binding, name))
            parts.append(f"{name} {facts.st_size} {facts.st_mtime_ns}")
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as processors:
            described = processors.read(1 << 14).partition("\n\n")[0]
    except OSError:
        return None
    told = ("vendor_id", "cpu family", "model", "stepping", "flags", "CPU", "Features")
    lines = [line for line in described.splitlines() if line.startswith(told)]
    return "\n".join([*parts, *lines]) if lines else None
