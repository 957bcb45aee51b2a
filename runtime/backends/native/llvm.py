"""The functions of LLVM that compiling takes, called in llvmlite's library: importing llvmlite's own Python for them
takes five times as long as loading the library.

Modules lie in contexts of their own, and nothing here is locked: several threads compile side by side.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from ctypes import byref, c_bool, c_char_p, c_int, c_size_t, c_uint, c_void_p
from functools import lru_cache
from typing import Any

from runtime.backends.native.errors import NoCompilerError

__all__ = ["Machine", "Module", "Passes", "features", "initialise", "processor", "triple", "version"]

# Of these versions of llvmlite the declarations below are known to be right; those of others are compared with its own.
_KNOWN = frozenset(("0.45", "0.46", "0.47", "0.48", "0.49", "0.50"))
_INTERNAL = 8  # LLVMInternalLinkage

_TEXT = ctypes.POINTER(c_char_p)
_FUNCTIONS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "GetVersionInfo": (c_uint, ()),
    "GetProcessTriple": (None, (_TEXT,)),
    "GetHostCPUName": (None, (_TEXT,)),
    "GetHostCPUFeatures": (c_int, (_TEXT,)),
    "InitializeNativeTarget": (None, ()),
    "InitializeNativeAsmPrinter": (None, ()),
    "InitializeNativeAsmParser": (None, ()),
    "TryAllocateExecutableMemory": (c_int, ()),
    "DisposeString": (None, (c_void_p,)),
    "ContextCreate": (c_void_p, ()),
    "ContextDispose": (None, (c_void_p,)),
    "ParseAssembly": (c_void_p, (c_void_p, c_char_p, _TEXT)),
    "VerifyModule": (c_bool, (c_void_p, _TEXT)),
    "PrintModuleToString": (None, (c_void_p, _TEXT)),
    "DisposeModule": (None, (c_void_p,)),
    "ModuleFunctionsIter": (c_void_p, (c_void_p,)),
    "FunctionsIterNext": (c_void_p, (c_void_p,)),
    "DisposeFunctionsIter": (None, (c_void_p,)),
    "IsDeclaration": (c_int, (c_void_p,)),
    "SetLinkage": (None, (c_void_p, c_int)),
    "FunctionAttributesIter": (c_void_p, (c_void_p,)),
    "AttributeListIterNext": (c_void_p, (c_void_p,)),
    "DisposeAttributeListIter": (None, (c_void_p,)),
    "GetTargetFromTriple": (c_void_p, (c_char_p, _TEXT)),
    "CreateTargetMachine": (
        c_void_p,
        (c_void_p, c_char_p, c_char_p, c_char_p, c_int, c_char_p, c_char_p, c_int, c_int, c_char_p),
    ),
    "DisposeTargetMachine": (None, (c_void_p,)),
    "TargetMachineEmitToMemory": (c_void_p, (c_void_p, c_void_p, c_int, _TEXT)),
    "GetBufferStart": (c_void_p, (c_void_p,)),
    "GetBufferSize": (c_size_t, (c_void_p,)),
    "DisposeMemoryBuffer": (None, (c_void_p,)),
    "CreatePipelineTuningOptions": (c_void_p, ()),
    "PTOSetLoopInterleaving": (None, (c_void_p, c_bool)),
    "PTOSetLoopVectorization": (None, (c_void_p, c_bool)),
    "PTOSetSLPVectorization": (None, (c_void_p, c_bool)),
    "PTOSetLoopUnrolling": (None, (c_void_p, c_bool)),
    "DisposePipelineTuningOptions": (None, (c_void_p,)),
    "CreatePassBuilder": (c_void_p, (c_void_p, c_void_p)),
    "DisposePassBuilder": (None, (c_void_p,)),
    # A level for size follows until 0.47, which later versions do not look at.
    "buildPerModuleDefaultPipeline": (c_void_p, (c_void_p, c_int, c_int)),
    "buildFunctionSimplificationPipeline": (c_void_p, (c_void_p, c_int, c_int)),
    "CreateNewModulePassManager": (c_void_p, ()),
    "RunNewModulePassManager": (None, (c_void_p, c_void_p, c_void_p)),
    "DisposeNewModulePassManger": (None, (c_void_p,)),
    "CreateNewFunctionPassManager": (c_void_p, ()),
    "RunNewFunctionPassManager": (None, (c_void_p, c_void_p, c_void_p)),
    "DisposeNewFunctionPassManger": (None, (c_void_p,)),
    "module_AddAlwaysInlinerPass": (None, (c_void_p,)),
    "module_AddGlobalDCEPass": (None, (c_void_p,)),
    "module_AddSROAPass": (None, (c_void_p,)),
    "module_AddInstCombinePass": (None, (c_void_p,)),
    "module_AddSimplifyCFGPass": (None, (c_void_p,)),
    "function_AddLoopUnrollPass": (None, (c_void_p,)),
    "function_AddInstCombinePass": (None, (c_void_p,)),
    "function_AddSimplifyCFGPass": (None, (c_void_p,)),
}


class _Library:
    """The functions by name."""

    def __init__(self, handle: ctypes.CDLL) -> None:
        for name, (result, given) in _FUNCTIONS.items():
            found = getattr(handle, f"LLVMPY_{name}")
            found.restype, found.argtypes = result, given
            setattr(self, name, found)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


@lru_cache(maxsize=1)
def _library() -> _Library:
    """llvmlite's library.

    Raises:
      ImportError: llvmlite is not installed.
      OSError: the library cannot be loaded.
      NoCompilerError: it is not what was declared above.
    """
    import llvmlite
    from llvmlite.utils import get_library_name

    name = os.path.join(os.path.dirname(llvmlite.__file__), "binding", get_library_name())
    release: str = llvmlite.__version__
    try:
        found = _Library(ctypes.CDLL(name))
    except AttributeError as error:
        raise NoCompilerError(f"llvmlite {release} is too old, or too new ({error}); 0.45 and later are known") from error
    if ".".join(release.split(".")[:2]) not in _KNOWN:
        _compare(release)
    return found


def _compare(release: str) -> None:
    """Raise where llvmlite itself declares a function otherwise."""
    import llvmlite.binding.ffi as theirs

    for name, (_, given) in _FUNCTIONS.items():
        declared = getattr(theirs.lib, f"LLVMPY_{name}").argtypes
        levels = name.startswith("build") and len(given) - 1
        if declared is not None and len(declared) not in (len(given), levels):
            raise NoCompilerError(f"{name} of llvmlite {release} takes other arguments than before")


def _said(function: Any, *given: Any) -> str:
    """What a function says in its last argument."""
    text = c_char_p()
    function(*given, byref(text))
    return _taken(text)


def _taken(text: c_char_p) -> str:
    """A text that LLVM made, which is freed."""
    said = (text.value or b"").decode("utf-8", "replace")
    if text:
        _library().DisposeString(text)
    return said


def initialise() -> None:
    """Load LLVM and let it make code for this processor.

    Raises:
      ImportError, NoCompilerError: as above.
      OSError: the library cannot be loaded, or no code may be made in memory.
    """
    lib = _library()
    lib.InitializeNativeTarget()
    lib.InitializeNativeAsmPrinter()
    lib.InitializeNativeAsmParser()
    refused = lib.TryAllocateExecutableMemory()
    if refused:
        raise OSError(refused, "no memory for code may be had")


def version() -> tuple[int, ...]:
    """LLVM's."""
    packed = _library().GetVersionInfo()
    return tuple(packed >> shift & 255 for shift in (16, 8, 0))


def triple() -> str:
    """What system and kind of processor this process is for."""
    return _said(_library().GetProcessTriple)


def processor() -> str:
    """The name LLVM has for this machine's processor."""
    return _said(_library().GetHostCPUName)


def features() -> str:
    """What it can and cannot ("+avx2,-avx512f"), in the order of the names; "" where LLVM cannot tell."""
    return ",".join(sorted(_said(_library().GetHostCPUFeatures).split(","), key=lambda feature: feature[1:]))


class Module:
    """The module of a text.

    Raises:
      RuntimeError: the text is not valid IR.
    """

    def __init__(self, text: str) -> None:
        lib = self._lib = _library()
        self._context = lib.ContextCreate()
        self.pointer = 0
        wrong = c_char_p()
        self.pointer = lib.ParseAssembly(self._context, text.encode(), byref(wrong)) or 0
        if wrong:
            raise RuntimeError(f"LLVM IR parsing error\n{_taken(wrong)}")
        if lib.VerifyModule(self.pointer, byref(wrong)):
            raise RuntimeError(_taken(wrong))
        if wrong:
            lib.DisposeString(wrong)

    def __del__(self) -> None:
        if self.pointer:
            self._lib.DisposeModule(self.pointer)
        self._lib.ContextDispose(self._context)

    def __str__(self) -> str:
        return _said(self._lib.PrintModuleToString, self.pointer)

    def functions(self) -> Iterator[int]:
        """Those that are defined, not only declared."""
        lib = self._lib
        steps = lib.ModuleFunctionsIter(self.pointer)
        try:
            while function := lib.FunctionsIterNext(steps):
                if not lib.IsDeclaration(function):
                    yield function
        finally:
            lib.DisposeFunctionsIter(steps)

    def attributes(self, function: int) -> str:
        """What is said about a function."""
        lib, said = self._lib, ""
        steps = lib.FunctionAttributesIter(function)
        while text := lib.AttributeListIterNext(steps):
            said += f"{_taken(c_char_p(text))} "
        lib.DisposeAttributeListIter(steps)
        return said

    def keep_inside(self, function: int) -> None:
        """Let nobody outside of the module see a function."""
        self._lib.SetLinkage(function, _INTERNAL)


class Machine:
    """What makes machine code, for a processor, at a level of effort (0 to 3)."""

    def __init__(self, triple: str, cpu: str, features: str, level: int) -> None:
        lib = self._lib = _library()
        self.pointer = 0
        wrong = c_char_p()
        target = lib.GetTargetFromTriple(triple.encode(), byref(wrong))
        if not target:
            raise RuntimeError(_taken(wrong))
        texts = [text.encode() for text in (triple, cpu, features)]
        self.pointer = lib.CreateTargetMachine(target, *texts, level, b"pic", b"small", 0, 1, b"") or 0
        if not self.pointer:
            raise RuntimeError(f"LLVM makes no code for {triple}, {cpu}")

    def __del__(self) -> None:
        if self.pointer:
            self._lib.DisposeTargetMachine(self.pointer)

    def emit_object(self, module: Module) -> bytes:
        """A module's object file."""
        return self._emit(module, 1)

    def emit_assembly(self, module: Module) -> str:
        """A module as assembly."""
        return self._emit(module, 0).decode()

    def _emit(self, module: Module, as_object: int) -> bytes:
        lib, wrong = self._lib, c_char_p()
        made = lib.TargetMachineEmitToMemory(self.pointer, module.pointer, as_object, byref(wrong))
        if not made:
            raise RuntimeError(_taken(wrong))
        try:
            return ctypes.string_at(lib.GetBufferStart(made), lib.GetBufferSize(made))
        finally:
            lib.DisposeMemoryBuffer(made)


class Passes:
    """LLVM's passes over a module.

    slp       whether numbers that lie side by side become vectors
    unrolls   whether turns of loops are written one after the other
    """

    def __init__(self, module: Module, machine: Machine, *, slp: bool, unrolls: bool) -> None:
        lib = self._lib = _library()
        self._module, self._machine = module, machine
        options = lib.CreatePipelineTuningOptions()
        lib.PTOSetLoopVectorization(options, True)
        lib.PTOSetLoopInterleaving(options, True)
        lib.PTOSetSLPVectorization(options, slp)
        lib.PTOSetLoopUnrolling(options, unrolls)
        self._builder = lib.CreatePassBuilder(machine.pointer, options)
        lib.DisposePipelineTuningOptions(options)

    def __del__(self) -> None:
        self._lib.DisposePassBuilder(self._builder)

    def all(self) -> None:
        """All of O3."""
        self._over_module(self._lib.buildPerModuleDefaultPipeline(self._builder, 3, 0))

    def of_functions(self) -> None:
        """What O3 does to each function before it comes to vectors."""
        self._over_functions(self._lib.buildFunctionSimplificationPipeline(self._builder, 3, 0))

    def unroll(self) -> None:
        """Turns of loops in a row, and what that leaves to be cleaned up."""
        lib = self._lib
        passes = lib.CreateNewFunctionPassManager()
        lib.function_AddLoopUnrollPass(passes)
        lib.function_AddInstCombinePass(passes)
        lib.function_AddSimplifyCFGPass(passes)
        self._over_functions(passes)

    def _over_functions(self, passes: int) -> None:
        for function in self._module.functions():
            self._lib.RunNewFunctionPassManager(passes, function, self._builder)
        self._lib.DisposeNewFunctionPassManger(passes)

    def named(self, *names: str) -> None:
        """Passes over the module, by what llvmlite calls them: "SROA"."""
        passes = self._lib.CreateNewModulePassManager()
        for name in names:
            getattr(self._lib, f"module_Add{name}Pass")(passes)
        self._over_module(passes)

    def _over_module(self, passes: int) -> None:
        self._lib.RunNewModulePassManager(passes, self._module.pointer, self._builder)
        self._lib.DisposeNewModulePassManger(passes)
