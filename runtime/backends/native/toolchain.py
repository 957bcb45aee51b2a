"""LLVM IR text to machine code in memory. LLVM is loaded when the first text is compiled."""

from __future__ import annotations

import ctypes
import importlib.util
import itertools
import os
import re
import sys
import threading
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any

from runtime.backends.native import elf, llvm, scaling
from runtime.backends.native.cache import cache, digest
from runtime.backends.native.cache import identity as cheap_identity
from runtime.backends.native.errors import NoCompilerError
from runtime.typesys.late import pattern

__all__ = [
    "Loaded", "available", "compile_text", "emit", "identity", "load", "make", "on_hand", "optimised", "process_symbol",
    "require", "require_installed",
]

_VERSION = 7  # of how texts are compiled: passes, options, what scaling.py chooses

# Processors with 512-bit vectors that lower their clock for them. On the others they are 1.6 to 1.75 times as fast as
# 256-bit ones in loops of fused multiply-adds within the cache, and the same in loops bound by memory; LLVM's default
# is 256 bits for all.
SLOWED_BY_WIDE_VECTORS = frozenset(("skylake-avx512", "cascadelake", "cooperlake", "cannonlake"))

_serial = itertools.count()
_lock = threading.Lock()
_made: dict[str, bytes] = {}  # object files that nobody has loaded yet, by key
_unused: deque[Callable[[], Any]] = deque()


class Loaded:
    """Machine code in memory; it is freed when this object is gone, so whoever calls it keeps it."""

    __slots__ = ("__weakref__", "_addresses", "code")

    def __init__(self, addresses: Mapping[str, int], unload: Callable[[], Any], code: bytes) -> None:
        self._addresses = dict(addresses)
        self.code = code  # the object file it was loaded from
        # What else dies with it may still call it: it is freed when the next code is loaded.
        self.before_it_goes(partial(_unused.append, unload))

    def before_it_goes(self, work: Callable[[], Any]) -> None:
        """Do something when this object is gone and the code still there."""
        # Not a method of an object it has: in a cycle of garbage that may be finalised before it.
        weakref.finalize(self, work).atexit = False

    def address(self, name: str) -> int:
        """Where a function that the text defines begins.

        Raises:
          KeyError: it was not asked for when the code was loaded.
        """
        return self._addresses[name]


def _drain() -> None:
    while True:
        try:
            unload = _unused.popleft()
        except IndexError:
            return
        unload()


@lru_cache(maxsize=1)
def reason_unavailable() -> str | None:
    """Why nothing can be compiled here, or None where it can be."""
    try:
        llvm.initialise()
    except NoCompilerError as error:
        return str(error)
    except (ImportError, OSError) as error:
        return f"llvmlite cannot be loaded ({error})"
    return None


def available() -> bool:
    """Whether native code can be made: llvmlite is installed and the system lets code be made in memory."""
    return reason_unavailable() is None


def require_installed() -> None:
    """Raise where llvmlite is not installed; does not import it, for it may not be needed (cache.py).

    Raises:
      NoCompilerError: it is not.
    """
    if "llvmlite" not in sys.modules and importlib.util.find_spec("llvmlite") is None:
        raise NoCompilerError("llvmlite is not installed")
    if sys.modules.get("llvmlite", sys) is None:
        raise NoCompilerError("llvmlite cannot be imported")


def require() -> None:
    """Load LLVM.

    Raises:
      NoCompilerError: it is not there, or cannot run.
    """
    reason = reason_unavailable()
    if reason is not None:
        raise NoCompilerError(reason)


@lru_cache(maxsize=1)
def host() -> tuple[str, str, str]:
    """Triple, processor and features that code is made for: kept on disk, so that LLVM is not loaded to ask for them.

    Raises:
      NoCompilerError: there is no compiler that knows.
    """
    told = cheap_identity()
    key = "" if told is None else digest(f"host {_VERSION}\n{told}".encode()).hex()
    kept = (cache().read(key) or b"").decode().split("\n") if key else []
    if len(kept) == 3:
        return kept[0], kept[1], kept[2]
    found = _asked_host()
    if key:
        cache().write(key, "\n".join(found).encode())
    return found


def _asked_host() -> tuple[str, str, str]:
    require()
    features, cpu = llvm.features(), llvm.processor()
    if "+avx512vl" in features and cpu not in SLOWED_BY_WIDE_VECTORS:
        features += ",-prefer-256-bit"
    return llvm.triple(), cpu, features


def identity() -> str:
    """What compiled code depends on besides its text: compiler, processor, features."""
    import llvmlite

    require()
    return "|".join([llvmlite.__version__, ".".join(map(str, llvm.version())), *host()])


class _Machines(threading.local):
    """Target machines by level: each thread's own, as they keep what they found out of functions."""

    def __init__(self) -> None:
        self.made: dict[int, llvm.Machine] = {}


_machines = _Machines()


def _machine(level: int) -> llvm.Machine:
    if level not in _machines.made:
        _machines.made[level] = llvm.Machine(*host(), level)
    return _machines.made[level]


QUICK = "; quick"
"""How a text begins that is code between other code: memory, threads. It runs as fast by whatever passes."""
WRITTEN = "; written"
"""How a text begins that needs to be cleaned only: its loops are in vectors, or it has none that take long."""
ONE_BY_ONE = "; one by one"
"""How a text begins of which the loops that are left to LLVM go turn by turn: there are no vectors to be made."""
CALLS = "; calls"
"""How a text begins that calls what takes the time, and does little more."""
_UNROLLED = "llvm.loop.unroll.count"
LONG = 4000
"""Lines without a label from which on code is generated quickly rather than well."""
_LABEL = pattern(r"^[\w.]+:", re.MULTILINE)


def is_long(text: str) -> bool:
    """Whether a program has so long a straight line that LLVM's register allocation, which takes the square of it, would
    take seconds: it is run once a call, so what it loses is little."""
    return text.count("\n") > LONG and max(part.count("\n") for part in _LABEL.split(text)) > LONG


def optimised(text: str) -> tuple[llvm.Module, llvm.Machine]:
    """The module of a text after LLVM's O3 passes, and the target machine it is for.

    Raises:
      RuntimeError: the text is not valid LLVM IR.
    """
    require()
    text += scaling.definitions(text, llvm.version()[0], host()[2])
    module = llvm.Module(text)
    quick = text.startswith((QUICK, CALLS))
    machine = _machine(0 if quick or is_long(text) else 3)
    # Numbers alone are put into vectors and taken out again, while each waits for the one before. Unrolling takes most of
    # the time of large programs.
    passes = llvm.Passes(module, machine, slp="parallel_accesses" in text, unrolls=not text.startswith("; large"))
    inlines = "alwaysinline" in text or "vector-function-abi" in text
    if quick or text.startswith(WRITTEN):
        # What makes registers of memory and leaves out what nobody needs: a tenth of the time of LLVM's least pipeline.
        passes.named("AlwaysInliner", "SROA", "InstCombine", "SimplifyCFG")
    elif text.startswith(ONE_BY_ONE):
        if inlines:
            passes.named("AlwaysInliner")
        passes.of_functions()
        # A loop that became a formula has left its mark behind nowhere: unrolling took the loop around it, to no use.
        if _UNROLLED in text and _UNROLLED in str(module):
            passes.unroll()
    elif not text.startswith("; final"):  # written as it is to be: it would cost the most and change nothing
        passes.all()
    if inlines:
        _inline_the_rest(module, passes)
    return module, machine


def _inline_the_rest(module: llvm.Module, passes: llvm.Passes) -> None:
    """What the loop vectoriser put in (vector variants of functions) comes after the pipeline's inliner. They and the
    functions that name them were kept as they are for it."""
    for function in module.functions():
        attributes = module.attributes(function)
        if "alwaysinline" in attributes or "vector-function-abi" in attributes:
            module.keep_inside(function)
    passes.named("AlwaysInliner", "GlobalDCE")


def emit(text: str) -> bytes:
    """The object file of a text."""
    module, machine = optimised(text)
    return machine.emit_object(module)


def load(code: bytes, symbols: Mapping[str, int], exports: tuple[str, ...] = ("ag_run",)) -> Loaded:
    """Put an object file into memory, with the addresses of what it names and does not define.

    Raises:
      RuntimeError: a symbol that neither `symbols` nor the process knows.
      NoCompilerError: the system does not let code be made in memory.
    """
    _drain()
    if elf.can_load():
        try:
            image = elf.load_image(code, lambda name: symbols.get(name) or process_symbol(name))
        except OSError as error:
            raise NoCompilerError(str(error)) from error
        except elf.UnknownFormatError:
            return _load_by_llvm(code, symbols, exports)
        return Loaded({name: image.symbols[name] for name in exports}, image.unmap, code)
    return _load_by_llvm(code, symbols, exports)


def process_symbol(name: str) -> int | None:
    """The address of a function of libc, libm or another library that is loaded for all."""
    try:
        return ctypes.cast(getattr(_process(), name), ctypes.c_void_p).value
    except AttributeError:
        return None


@lru_cache(maxsize=1)
def _process() -> ctypes.CDLL:
    return ctypes.CDLL("ucrtbase" if os.name == "nt" else None)


@lru_cache(maxsize=1)
def _jit() -> Any:
    import llvmlite.binding as theirs

    require()
    triple, cpu, features = host()
    machine = theirs.Target.from_triple(triple).create_target_machine(
        cpu=cpu, features=features, opt=3, reloc="pic", codemodel="small", jit=True
    )
    return theirs.create_lljit_compiler(machine, suppress_errors=True)


def _load_by_llvm(code: bytes, symbols: Mapping[str, int], exports: tuple[str, ...]) -> Loaded:
    import llvmlite.binding as theirs

    builder = theirs.JITLibraryBuilder().add_object_img(code).add_current_process()
    for name, address in symbols.items():
        builder.import_symbol(name, address)
    for name in exports:
        builder.export_symbol(name)
    with _lock:
        tracker = builder.link(_jit(), f"ag{next(_serial)}")
    return Loaded({name: tracker[name] for name in exports}, tracker.close, code)


def compile_text(text: str, symbols: Mapping[str, int], exports: tuple[str, ...] = ("ag_run",)) -> Loaded:
    """Compile LLVM IR for this machine and load it. The object file is kept on disk, and taken from there (cache.py).

    Args:
      text: LLVM IR. What it declares is found among `symbols`, then in the process (libc and libm).
      symbols: addresses by name.
      exports: functions it defines whose addresses are wanted.

    Raises:
      NoCompilerError: there is no compiler.
      RuntimeError: the text is not valid IR, or a symbol is unknown.
    """
    key = _key(text)
    code = _made.pop(key, None) or cache().read(key)
    if code is None:
        code = emit(text)
        cache().write(key, code)
    return load(code, symbols, exports)


def on_hand(text: str) -> bool:
    """Whether loading a text takes no compiling."""
    key = _key(text)
    return key in _made or cache().holds(key)


def make(text: str) -> None:
    """Compile a text that is to be loaded later, if that is not done."""
    if not on_hand(text):
        key, code = _key(text), emit(text)
        cache().write(key, code)
        _made[key] = code


def _key(text: str) -> str:
    told = cheap_identity() or identity()
    return digest(f"{_VERSION}\n{told}\n{text}".encode()).hex()
