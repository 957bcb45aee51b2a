"""`@ag_scale_f32(x, k)` = x 2^k, which texts may call without defining it: what does it depends on the processor.

Texts do not depend on the processor, so that machine code is found again (cache.py) before LLVM is loaded to ask for it.
"""

SYMBOL = "@ag_scale_"


def symbol(lanes: int = 1) -> str:
    """Its name for one element or for vectors.

    >>> symbol(), symbol(8)
    ('@ag_scale_f32', '@ag_scale_v8f32')
    """
    return f"{SYMBOL}f32" if lanes == 1 else f"{SYMBOL}v{lanes}f32"


def _by_instruction(lanes: int) -> str:
    """One instruction of AVX-512's, which LLVM finds since version 22; 20 calls the C library for each element."""
    vector, number, suffix = ("float", "i32", "") if lanes == 1 else (f"<{lanes} x float>", f"<{lanes} x i32>", f"v{lanes}")
    intrinsic = f"@llvm.ldexp.{suffix}f32.{suffix}i32"
    return f"""
declare {vector} {intrinsic}({vector}, {number})
{_head(lanes)}
  %scaled = call {vector} {intrinsic}({vector} %x, {number} %k)
  ret {vector} %scaled
}}
"""


def _by_products(lanes: int) -> str:
    """By two powers of two, as one may not have the exponent; k is at most twice an exponent's range."""
    vector, number = ("float", "i32") if lanes == 1 else (f"<{lanes} x float>", f"<{lanes} x i32>")

    def whole(n: int) -> str:
        return str(n) if lanes == 1 else f"<{', '.join([f'i32 {n}'] * lanes)}>"

    return f"""
{_head(lanes)}
  %half = ashr {number} %k, {whole(1)}
  %rest = sub {number} %k, %half
  %half_biased = add {number} %half, {whole(127)}
  %rest_biased = add {number} %rest, {whole(127)}
  %half_bits = shl {number} %half_biased, {whole(23)}
  %rest_bits = shl {number} %rest_biased, {whole(23)}
  %first = bitcast {number} %half_bits to {vector}
  %second = bitcast {number} %rest_bits to {vector}
  %once = fmul {vector} %x, %first
  %scaled = fmul {vector} %once, %second
  ret {vector} %scaled
}}
"""


def _head(lanes: int) -> str:
    vector, number = ("float", "i32") if lanes == 1 else (f"<{lanes} x float>", f"<{lanes} x i32>")
    return f"define internal {vector} {symbol(lanes)}({vector} %x, {number} %k) alwaysinline nounwind memory(none) {{"


def definitions(text: str, llvm_version: int, features: str) -> str:
    """The functions that a text calls, for a version of LLVM and a processor's features."""
    if SYMBOL not in text:
        return ""
    write = _by_instruction if llvm_version >= 22 and "+avx512f" in features else _by_products
    return "".join(write(lanes) for lanes in (1, 4, 8, 16) if f"{symbol(lanes)}(" in text)
