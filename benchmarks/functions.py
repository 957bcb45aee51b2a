"""Nanoseconds an element for each vector function of native code, on one thread within the cache, beside NumPy's.

`python -m benchmarks.functions` prints a table; names after it choose functions.
"""

import ctypes
import sys
import time
from collections.abc import Callable

import numpy as np

from runtime.backends.native import mathlib, toolchain

DTYPES = {"f32": np.float32, "f64": np.float64}
LLVM = {"f32": "float", "f64": "double"}
NUMPY_NAMES = {
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2", "asinh": "arcsinh", "acosh": "arccosh",
    "atanh": "arctanh", "pow": "power",
}
# Where asin, acos and atanh are defined; elsewhere for the others.
UNIT, BEYOND_ONE = (0.1, 0.9), (1.1, 5.0)
SIZE = 4096
REPEATS = 200


def loop_text(name: str, kind: str) -> str:
    """A module with the loop out[i] = f(x[i], y[i])."""
    llvm, operands = LLVM[kind], "xy" if name in mathlib.BINARY else "x"
    loads = "".join(
        f"  %{o}p = getelementptr {llvm}, ptr %{o}s, i64 %i\n  %{o} = load {llvm}, ptr %{o}p\n" for o in operands
    )
    given = ", ".join(f"{llvm} %{o}" for o in operands)
    return "\n".join([*mathlib.declarations(name, kind), mathlib.definition(name, kind), f"""
define void @loop(ptr noalias %out, ptr noalias %xs, ptr noalias %ys, i64 %n) {{
entry:
  br label %body
body:
  %i = phi i64 [ 0, %entry ], [ %next, %body ]
{loads}  %value = call {llvm} {mathlib.symbol(name, kind)}({given})
  %to = getelementptr {llvm}, ptr %out, i64 %i
  store {llvm} %value, ptr %to
  %next = add nuw i64 %i, 1
  %more = icmp ult i64 %next, %n
  br i1 %more, label %body, label %end
end:
  ret void
}}
"""])


def slope(run: Callable[[int], object]) -> float:
    """Nanoseconds an element: the best of many, less what a call costs."""
    best = [float("inf")] * 2
    sizes = (SIZE, SIZE // 4)
    for _ in range(REPEATS):
        for which, size in enumerate(sizes):
            start = time.perf_counter()
            run(size)
            best[which] = min(best[which], time.perf_counter() - start)
    return (best[0] - best[1]) / (sizes[0] - sizes[1]) * 1e9


def measure(name: str, kind: str) -> tuple[float, float]:
    """Nanoseconds an element here and in NumPy; NaN where NumPy has no such function."""
    code = toolchain.compile_text(loop_text(name, kind), {}, ("loop",))
    function = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 3, ctypes.c_int64)(code.address("loop"))
    x = np.linspace(*(UNIT if name in {"asin", "acos", "atanh"} else BEYOND_ONE), SIZE).astype(DTYPES[kind])
    y = np.linspace(3, -1.5, SIZE).astype(DTYPES[kind])
    out = np.empty_like(x)
    pointers = [a.ctypes.data for a in (out, x, y)]
    ours = slope(lambda n: function(*pointers, n))
    ufunc = getattr(np, NUMPY_NAMES.get(name, name), None)
    if ufunc is None:
        return ours, float("nan")
    arguments = (x, y) if name in mathlib.BINARY else (x,)
    with np.errstate(all="ignore"):
        return ours, slope(lambda n: ufunc(*(a[:n] for a in arguments), out=out[:n]))


def main(names: list[str]) -> None:
    """Print the table."""
    print("| function | float32 | NumPy | float64 | NumPy |\n|---|---|---|---|---|")
    for name in names or sorted(mathlib.NAMES | mathlib.BINARY):
        figures = [figure for kind in mathlib.TYPES for figure in measure(name, kind)]
        print(f"| `{name}` | " + " | ".join("" if np.isnan(f) else f"{f:.2f}" for f in figures) + " |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
