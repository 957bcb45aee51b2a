"""Loops over the library's functions, compiled as native code is, and errors in units of the last place."""

import ctypes
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pytest

from runtime.backends.native import mathlib

binding = pytest.importorskip("llvmlite.binding")

DTYPES = {"f32": np.float32, "f64": np.float64}
LLVM = {"f32": "float", "f64": "double"}
EXACT = "exact"


@lru_cache(maxsize=None)
def target_machine() -> "binding.TargetMachine":
    """The host's machine, to ask."""
    return new_target_machine()


def new_target_machine() -> "binding.TargetMachine":
    """The host, with all its features. An execution engine takes possession of its own."""
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    features = binding.get_host_cpu_features().flatten()
    target = binding.Target.from_default_triple()
    return target.create_target_machine(cpu=binding.get_host_cpu_name(), features=features, opt=3, jit=True)


def loop_text(name: str, kind: str, variant: str = "") -> str:
    """A module with the loop out[i] = f(x[i], y[i]); `variant` is "" or "exact"."""
    texts, needed, symbol = [mathlib.definition(name, kind)], {*mathlib.declarations(name, kind)}, mathlib.symbol(name, kind)
    if variant == EXACT:
        slow = mathlib.slow_path(name, kind)
        assert slow is not None
        texts, needed, symbol = list(slow.texts), {*slow.declarations}, slow.exact
    llvm = LLVM[kind]
    operands = "xy" if name in mathlib.BINARY else "x"
    loads = "".join(
        f"  %{o}p = getelementptr {llvm}, ptr %{o}s, i64 %i\n  %{o} = load {llvm}, ptr %{o}p\n" for o in operands
    )
    return "\n".join([*sorted(needed), *texts, f"""
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


def optimised(text: str, width: str = "512") -> "binding.ModuleRef":
    """The module after LLVM's pipeline at O3."""
    module = binding.parse_assembly(text.replace("i64 %n) {", f'i64 %n) "prefer-vector-width"="{width}" {{'))
    module.triple = target_machine().triple
    module.data_layout = str(target_machine().target_data)
    module.verify()
    options = binding.PipelineTuningOptions(speed_level=3)
    options.loop_vectorization = options.slp_vectorization = options.loop_interleaving = options.loop_unrolling = True
    builder = binding.create_pass_builder(target_machine(), options)
    builder.getModulePassManager().run(module, builder)
    return module


@dataclass
class Loop:
    """A compiled loop; calling it with one or two arrays gives the results."""

    engine: "binding.ExecutionEngine"
    address: int
    dtype: type

    def __call__(self, x: np.ndarray, y: np.ndarray | None = None, out: np.ndarray | None = None) -> np.ndarray:
        x = np.ascontiguousarray(x, self.dtype)
        y = x if y is None else np.ascontiguousarray(y, self.dtype)
        out = np.empty_like(x) if out is None else out
        run = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 3, ctypes.c_int64)(self.address)
        run(out.ctypes.data, x.ctypes.data, y.ctypes.data, x.size)
        return out


@lru_cache(maxsize=None)
def compiled(name: str, kind: str, variant: str = "", width: str = "512") -> Loop:
    """The loop of a function as machine code."""
    engine = binding.create_mcjit_compiler(optimised(loop_text(name, kind, variant), width), new_target_machine())
    engine.finalize_object()
    return Loop(engine, engine.get_function_address("loop"), DTYPES[kind])


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
