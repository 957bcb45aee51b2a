"""Philox 4x32-10 as LLVM text (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011).

`ag_philox` gives four words of (key, number of the draw, number of the block), `ag_philox_words` those of many blocks: the
words that `runtime.ops.sampling.philox` gives.
"""

from __future__ import annotations

__all__ = ["philox"]

_MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
_WEYL = 0x9E3779B9, 0xBB67AE85


def _block() -> str:
    lines = []
    for name in ("key", "draw"):
        lines += [
            f"  %{name}0 = trunc i64 %{name} to i32",
            f"  %{name}high = lshr i64 %{name}, 32",
            f"  %{name}1 = trunc i64 %{name}high to i32",
        ]
    even, odd = ["%block", "%draw0"], ["0", "%draw1"]
    for r in range(10):
        for k in range(2):
            key = f"%key{k}" if r == 0 else f"%key{k}r{r}"
            if r:
                weyl = r * _WEYL[k] & 0xFFFFFFFF
                lines.append(f"  {key} = add i32 %key{k}, {weyl - (weyl >> 31 << 32)}")
            p = f"%p{k}r{r}"
            lines += [
                f"  {p}x = zext i32 {even[k]} to i64",
                f"  {p} = mul nuw i64 {p}x, {_MULTIPLIERS[k]}",
                f"  {p}low = trunc i64 {p} to i32",
                f"  {p}shifted = lshr i64 {p}, 32",
                f"  {p}high = trunc i64 {p}shifted to i32",
            ]
        for k in range(2):
            key = f"%key{k}" if r == 0 else f"%key{k}r{r}"
            lines += [f"  %m{k}r{r} = xor i32 %p{1 - k}r{r}high, {odd[k]}", f"  %e{k}r{r} = xor i32 %m{k}r{r}, {key}"]
        even, odd = [f"%e{k}r{r}" for k in range(2)], [f"%p{1 - k}r{r}low" for k in range(2)]
    vector = "poison"
    for k, word in enumerate((even[0], odd[0], even[1], odd[1])):
        lines.append(f"  %w{k} = insertelement <4 x i32> {vector}, i32 {word}, i32 {k}")
        vector = f"%w{k}"
    return "\n".join(
        [
            "define internal <4 x i32> @ag_philox(i64 %key, i64 %draw, i32 %block) alwaysinline {", "entry:", *lines,
            "  ret <4 x i32> %w3", "}",
        ]
    )


_WORDS = """
; the words of as many blocks
define internal void @ag_philox_words(ptr %out, i64 %blocks, i64 %key, i64 %draw) noinline {
entry:
  %any = icmp sgt i64 %blocks, 0
  br i1 %any, label %each, label %end
each:
  %i = phi i64 [ 0, %entry ], [ %next, %each ]
  %block = trunc i64 %i to i32
  %words = call <4 x i32> @ag_philox(i64 %key, i64 %draw, i32 %block)
  %first = shl nuw i64 %i, 2
  %place = getelementptr i32, ptr %out, i64 %first
  %w0 = extractelement <4 x i32> %words, i32 0
  %w1 = extractelement <4 x i32> %words, i32 1
  %w2 = extractelement <4 x i32> %words, i32 2
  %w3 = extractelement <4 x i32> %words, i32 3
  %place1 = getelementptr i32, ptr %place, i64 1
  %place2 = getelementptr i32, ptr %place, i64 2
  %place3 = getelementptr i32, ptr %place, i64 3
  store i32 %w0, ptr %place
  store i32 %w1, ptr %place1
  store i32 %w2, ptr %place2
  store i32 %w3, ptr %place3
  %next = add nuw i64 %i, 1
  %more = icmp slt i64 %next, %blocks
  br i1 %more, label %each, label %end
end:
  ret void
}
"""


def philox() -> str:
    """The text of both functions, an empty line between them."""
    return f"{_block()}\n{_WORDS}".strip()
