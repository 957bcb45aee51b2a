"""`@ag_scale_f32(x, k)` = x 2^k, which texts may call without defining it: what does it depends on the processor.

Texts do not depend on the processor, so that machine code is found again (cache.py) before LLVM is loaded to ask for it.
"""

SYMBOL = "@ag_scale_f32"

_HEAD = f"define internal float {SYMBOL}(float %x, i32 %k) alwaysinline nounwind memory(none) {{"

# One instruction of AVX-512's, which LLVM finds since version 20.
BY_INSTRUCTION = f"""
declare float @llvm.ldexp.f32.i32(float, i32)
{_HEAD}
  %scaled = call float @llvm.ldexp.f32.i32(float %x, i32 %k)
  ret float %scaled
}}
"""

# By two powers of two, as one may not have the exponent; k is at most twice an exponent's range.
BY_PRODUCTS = f"""
{_HEAD}
  %half = ashr i32 %k, 1
  %rest = sub i32 %k, %half
  %half_biased = add i32 %half, 127
  %rest_biased = add i32 %rest, 127
  %half_bits = shl i32 %half_biased, 23
  %rest_bits = shl i32 %rest_biased, 23
  %first = bitcast i32 %half_bits to float
  %second = bitcast i32 %rest_bits to float
  %once = fmul float %x, %first
  %scaled = fmul float %once, %second
  ret float %scaled
}}
"""


def definition(llvm_version: int, features: str) -> str:
    """The function for a version of LLVM and a processor's features."""
    return BY_INSTRUCTION if llvm_version >= 20 and "+avx512f" in features else BY_PRODUCTS
