"""Loops over the library's functions, compiled as native code is, and errors in units of the last place."""

import ctypes
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from runtime.backends.native import mathlib, scaling, toolchain

DTYPES = {"f32": np.float32, "f64": np.float64}
LLVM = {"f32": "float", "f64": "double"}


def loop_text(name: str, kind: str) -> str:
    """A module with the loop out[i] = f(x[i], y[i])."""
    text, needed = mathlib.definition(name, kind), mathlib.declarations(name, kind)
    symbol = mathlib.symbol(name, kind)
    llvm = LLVM[kind]
    operands = "xy" if name in mathlib.BINARY else "x"
    loads = "".join(
        f"  %{o}p = getelementptr {llvm}, ptr %{o}s, i64 %i\n  %{o} = load {llvm}, ptr %{o}p\n" for o in operands
    )
    return "\n".join([*sorted(needed), text, f"""
define void @loop(ptr noalias %out, ptr noalias %xs, ptr noalias %ys, i64 %n) {{
entry:
  %empty = icmp eq i64 %n, 0
  br i1 %empty, label %end, label %body
body:
  %i = phi i64 [ 0, %entry ], [ %next, %body ]
{loads}  %value = call {llvm} {symbol}({", ".join(f"{llvm} %{o}" for o in operands)})
  %to = getelementptr {llvm}, ptr %out, i64 %i
  store {llvm} %value, ptr %to
  %next = add nuw i64 %i, 1
  %more = icmp ult i64 %next, %n
  br i1 %more, label %body, label %end
end:
  ret void
}}
"""])


@dataclass
class Loop:
    """A compiled loop; calling it with one or two arrays gives the results."""

    code: toolchain.Loaded
    dtype: type

    def __call__(self, x: np.ndarray, y: np.ndarray | None = None, out: np.ndarray | None = None) -> np.ndarray:
        x = np.ascontiguousarray(x, self.dtype)
        y = x if y is None else np.ascontiguousarray(y, self.dtype)
        out = np.empty_like(x) if out is None else out
        run = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 3, ctypes.c_int64)(self.code.address("loop"))
        run(out.ctypes.data, x.ctypes.data, y.ctypes.data, x.size)
        return out


@lru_cache(maxsize=None)
def compiled(name: str, kind: str, portable: bool = False) -> Loop:
    """The loop of a function as machine code; `portable` code uses nothing that this processor alone has."""
    text = loop_text(name, kind)
    if portable:
        text = (text + scaling.definitions(text, 0, "")).replace(scaling.SYMBOL, "@portable_")
    return Loop(toolchain.compile_text(text, {}, ("loop",)), DTYPES[kind])


def ulps(result: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """|result - exact| in units of the last place of the exact value rounded to result's type.

    `exact` has a wider type. Where the rounded value is infinite or not a number, the error is 0 if the result is the
    same and infinite otherwise.
    """
    dtype = result.dtype.type
    with np.errstate(all="ignore"):
        rounded = exact.astype(dtype)
        spacing = np.spacing(np.abs(rounded)).astype(exact.dtype)
        error = np.abs(result.astype(exact.dtype) - exact) / spacing
    special = ~np.isfinite(rounded)
    same = (result == rounded) | (np.isnan(result) & np.isnan(rounded))
    # The largest float and infinity are neighbours: either is within one unit of a value between them.
    near = np.isinf(rounded) & (np.abs(result) == np.finfo(dtype).max) & np.isfinite(exact)
    return np.where(special, np.where(same, 0.0, np.where(near, 1.0, np.inf)), np.where(np.isfinite(result), error, np.inf))
