"""The BLAS that NumPy itself loaded: addresses of its CBLAS functions, all with 64-bit sizes.

It is found through NumPy's own extension module, whose handle searches the libraries it depends on, so no path is
guessed; where that says nothing (Windows), through the libraries packed beside NumPy, then by known names. SciPy's
exported Fortran pointers are the last resort. Libraries with 32-bit sizes get an adapter in LLVM IR.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from runtime.backends.native.once import MAKING, once
from runtime.backends.native.toolchain import compile_text
from runtime.backends.product_threads import FEW

__all__ = ["Blas", "find", "symbol"]

# How libraries decorate `cblas_dgemm`, and the width of their sizes (None: ask the library).
NAMES: tuple[tuple[str, int | None], ...] = (
    ("scipy_{}64_", 64),  # the wheels of NumPy
    ("{}64_", 64),  # OpenBLAS built with SYMBOLSUFFIX=64_ (distributions)
    ("{}_64", 64),  # MKL and reference CBLAS, both interfaces in one library
    ("{}$NEWLAPACK$ILP64", 64),  # Accelerate
    ("scipy_{}", 32),  # the wheels of SciPy
    ("{}$NEWLAPACK", 32),
    ("{}", None),
)
# Opened by name where NumPy's own handle does not lead to them.
LIBRARIES = (
    "libcblas.so.3", "libopenblas.so.0", "libopenblas64_.so.0", "libmkl_rt.so.2", "libmkl_rt.so.1", "libblis.so.4",
    "/System/Library/Frameworks/Accelerate.framework/Accelerate", "mkl_rt.2.dll", "mkl_rt.1.dll", "libopenblas.dll",
)
THREADS = ("{}_set_num_threads{}", "{}_get_num_threads{}")
_THREAD_NAMES = (("scipy_openblas", "64_"), ("openblas", "64_"), ("openblas", "_64"), ("scipy_openblas", ""),
             ("openblas", ""), ("bli_thread", ""), ("MKL", ""))

# CBLAS signatures: e an enumeration (int), n a size (blasint), s a scalar of the routine's type, p a pointer.
SIGNATURES = {
    "gemm": "eeennnspnpnspn",  # layout, transA, transB, m, n, k, alpha, A, lda, B, ldb, beta, C, ldc
    "gemv": "eennspnpnspn",
    "ger": "ennspnpnpn",
    "dot": "npnpn",
    "axpy": "nspnpn",
    "scal": "nspn",
    "syrk": "eeennspnspn",
    "trsm": "eeeeennspnpn",
}
_LLVM = {"e": "i32", "n": "i64", "p": "ptr"}
_SCALAR = {"s": "float", "d": "double"}


class Blas:
    """A found library: `address(name)` of a CBLAS function with 64-bit sizes; `threads` reads and sets its thread count."""

    def __init__(self, handle: ctypes.CDLL, pattern: str, bits: int) -> None:
        self.handle = handle
        self.pattern = pattern
        self.bits = bits
        self._adapters: dict[str, Any] = {}
        self._get, self._set = _thread_functions(handle)

    def address(self, name: str) -> int | None:
        """Where `name` ("cblas_sgemm") begins; None where the library lacks it."""
        found = _address(self.handle, self.pattern.format(name))
        if found is None or self.bits == 64:
            return found
        with MAKING:
            if name not in self._adapters:
                kind, routine = name.removeprefix("cblas_")[:1], name.removeprefix("cblas_")[1:]
                if kind not in _SCALAR or routine not in SIGNATURES:
                    return None
                text = _narrowing(name, SIGNATURES[routine], kind)
                self._adapters[name] = compile_text(text, {"target": found}, (name,))
            return self._adapters[name].address(name)

    @property
    def threads(self) -> int:
        """How many threads the library uses (1 where it does not say)."""
        return 1 if self._get is None else FEW.chosen() or int(self._get())

    @threads.setter
    def threads(self, count: int) -> None:
        if self._set is not None and not FEW.choose(count):
            self._set(ctypes.c_int(count))

    def __repr__(self) -> str:
        return f"<BLAS {self.pattern.format('cblas_dgemm')}, {self.bits}-bit sizes>"


class FortranBlas:
    """SciPy's exported Fortran pointers, behind CBLAS's matrix product."""

    bits = 32
    threads = 1

    def __init__(self, capsules: dict[str, Any]) -> None:
        self._capsules = capsules
        self._adapters: dict[str, Any] = {}

    def address(self, name: str) -> int | None:
        """Where an adapter of `name` begins: cblas_sgemm and cblas_dgemm."""
        if name not in ("cblas_sgemm", "cblas_dgemm"):
            return None
        with MAKING:
            if name not in self._adapters:
                capsule = self._capsules[name.removeprefix("cblas_")]
                kind = name.removeprefix("cblas_")[0]
                self._adapters[name] = compile_text(_fortran_gemm(name, kind), {"target": _pointer(capsule)}, (name,))
            return self._adapters[name].address(name)


@once
def find() -> Blas | FortranBlas | None:
    """The BLAS to use: NumPy's own where it can be found."""
    for handle in _handles():
        for pattern, bits in NAMES:
            if _address(handle, pattern.format("cblas_dgemm")) is None:
                continue
            width = bits or _width(getattr(handle, pattern.format("cblas_dscal")))
            found = Blas(handle, pattern, width)
            if _multiplies(found.address):
                return found
    try:
        from scipy.linalg import cython_blas
    except ImportError:
        return None
    fallback = FortranBlas(cython_blas.__pyx_capi__)
    return fallback if _multiplies(fallback.address) else None


def symbol(name: str) -> int | None:
    """The address of a CBLAS function ("cblas_sgemm") that takes 64-bit sizes, or None."""
    library = find()
    return None if library is None else library.address(name)


def _handles() -> Iterator[ctypes.CDLL]:
    extension = importlib.import_module("numpy._core._multiarray_umath")

    beside = os.path.dirname(np.__file__)
    folders = os.path.join(os.path.dirname(beside), "numpy.libs"), os.path.join(beside, ".dylibs")
    packed = [(d, name) for d in folders if os.path.isdir(d) for name in sorted(os.listdir(d))]
    found = (os.path.join(d, name) for d, name in packed if "blas" in name or "mkl" in name)
    names = [str(extension.__file__), *found, *LIBRARIES]
    places = os.path.join(sys.prefix, "lib"), os.path.join(sys.prefix, "Library", "bin")  # conda
    for name in names:
        for path in (name, *(p for p in (os.path.join(d, name) for d in places) if os.path.isfile(p))):
            try:
                yield ctypes.CDLL(path)
            except OSError:
                continue


def _address(handle: ctypes.CDLL, name: str) -> int | None:
    try:
        return ctypes.cast(getattr(handle, name), ctypes.c_void_p).value
    except AttributeError:
        return None


def _width(dscal: Any) -> int:
    """Bits of a library's sizes: a stride that is negative in 64 bits and 1 in 32 scales nothing, or one number."""
    x = np.ones(1)
    dscal.argtypes = [ctypes.c_int64, ctypes.c_double, ctypes.c_void_p, ctypes.c_int64]
    dscal.restype = None
    dscal(1, 2.0, x.ctypes.data, 1 - (1 << 33))
    return 32 if x[0] == 2.0 else 64


def _multiplies(address: Callable[[str], int | None]) -> bool:
    """Whether what was found computes A @ B for a product whose three sizes differ."""
    a, b, c = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4), np.zeros((2, 4))
    where = address("cblas_dgemm")
    if where is None:
        return False
    e, n, p, d = ctypes.c_int, ctypes.c_int64, ctypes.c_void_p, ctypes.c_double
    gemm = ctypes.CFUNCTYPE(None, e, e, e, n, n, n, d, p, n, p, n, d, p, n)(where)
    gemm(101, 111, 111, 2, 4, 3, 1.0, a.ctypes.data, 3, b.ctypes.data, 4, 0.0, c.ctypes.data, 4)
    return bool(np.array_equal(c, a @ b))


def _thread_functions(handle: ctypes.CDLL) -> tuple[Any, Any]:
    for prefix, suffix in _THREAD_NAMES:
        set_name, get_name = (pattern.format(prefix, suffix) for pattern in THREADS)
        if prefix == "MKL":
            set_name, get_name = "MKL_Set_Num_Threads", "MKL_Get_Max_Threads"
        if _address(handle, set_name) is not None and _address(handle, get_name) is not None:
            return getattr(handle, get_name), getattr(handle, set_name)
    return None, None


def _pointer(capsule: Any) -> int:
    api: Any = ctypes.pythonapi
    api.PyCapsule_GetName.restype = ctypes.c_char_p
    api.PyCapsule_GetName.argtypes = [ctypes.py_object]
    api.PyCapsule_GetPointer.restype = ctypes.c_void_p
    api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    return int(api.PyCapsule_GetPointer(capsule, api.PyCapsule_GetName(capsule)))


def _narrowing(name: str, signature: str, kind: str) -> str:
    """IR of a function with 64-bit sizes that calls `target`, whose sizes have 32 bits."""
    result = _SCALAR[kind] if name.endswith("dot") else "void"
    scalar = _SCALAR[kind]
    types = [_LLVM.get(c, scalar) for c in signature]
    takes = ", ".join(f"{t} %a{k}" for k, t in enumerate(types))
    lines = [f"  %n{k} = trunc i64 %a{k} to i32" for k, c in enumerate(signature) if c == "n"]
    gives = ", ".join(f"i32 %n{k}" if c == "n" else f"{types[k]} %a{k}" for k, c in enumerate(signature))
    target = ", ".join("i32" if c == "n" else t for c, t in zip(signature, types, strict=True))
    call = f"call {result} @target({gives})"
    end = [f"  {call}", "  ret void"] if result == "void" else [f"  %r = {call}", f"  ret {result} %r"]
    return "\n".join([f"declare {result} @target({target})", f"define {result} @{name}({takes}) {{", *lines, *end, "}"])


def _fortran_gemm(name: str, kind: str) -> str:
    """IR of CBLAS's gemm over Fortran's: a row-major product is the column-major product of the operands exchanged."""
    t = _SCALAR[kind]
    sizes = "".join(
        f"  %p{k} = alloca i32\n  %t{k} = trunc i64 %{k} to i32\n  store i32 %t{k}, ptr %p{k}\n"
        for k in ("m", "n", "k", "lda", "ldb", "ldc")
    )
    letters = "".join(
        f"  %p{k} = alloca i8\n  %is{k} = icmp eq i32 %{k}, 111\n"
        f"  %l{k} = select i1 %is{k}, i8 78, i8 84\n  store i8 %l{k}, ptr %p{k}\n"
        for k in ("ta", "tb")
    )
    scalars = "".join(f"  %p{k} = alloca {t}\n  store {t} %{k}, ptr %p{k}\n" for k in ("alpha", "beta"))
    swapped = "".join(
        f"  %{new} = select i1 %row, ptr %{second}, ptr %{first}\n"
        for new, first, second in (
            ("x", "a", "b"), ("y", "b", "a"), ("tx", "pta", "ptb"), ("ty", "ptb", "pta"),
            ("lx", "plda", "pldb"), ("ly", "pldb", "plda"), ("mx", "pm", "pn"), ("nx", "pn", "pm"),
        )
    )
    pointers = ", ".join(["ptr"] * 13)
    return (
        f"declare void @target({pointers})\n"
        f"define void @{name}(i32 %layout, i32 %ta, i32 %tb, i64 %m, i64 %n, i64 %k, {t} %alpha, ptr %a, i64 %lda, "
        f"ptr %b, i64 %ldb, {t} %beta, ptr %c, i64 %ldc) {{\n{sizes}{letters}{scalars}"
        f"  %row = icmp eq i32 %layout, 101\n{swapped}"
        "  call void @target(ptr %tx, ptr %ty, ptr %mx, ptr %nx, ptr %pk, ptr %palpha, ptr %x, ptr %lx, ptr %y, "
        "ptr %ly, ptr %pbeta, ptr %c, ptr %pldc)\n  ret void\n}\n"
    )
