"""Functions of floats as LLVM IR that the loop vectoriser can widen.

Each is an `alwaysinline` function without branches, loads or calls of libraries: `definition("exp", "f32")` is the text of
`@ag_exp_f32`. Periodic functions and remainders have a range (`slow_path`) and come with vector variants that leave it
(guarded.py). docs/native_math.md has the measured errors.

>>> print(definition("rsqrt", "f32"))
define internal float @ag_rsqrt_f32(float %x) alwaysinline nounwind memory(none) {
  %v0 = call float @llvm.sqrt.f32(float %x)
  %v1 = fdiv float 0x3FF0000000000000, %v0
  ret float %v1
}
<BLANKLINE>
>>> declarations("rsqrt", "f32")
('declare float @llvm.sqrt.f32(float)',)
"""

from runtime.backends.native.mathlib.library import (
    alone,
    declarations,
    declared_outside,
    definition,
    exports,
    in_loops,
    module,
    outside,
    requires,
    slow_path,
    vector,
)
from runtime.backends.native.mathlib.names import BINARY, NAMES, TYPES, symbol

__all__ = [
    "BINARY", "NAMES", "TYPES", "alone", "declarations", "declared_outside", "definition", "exports", "in_loops", "module",
    "outside", "requires", "slow_path", "symbol", "vector",
]
