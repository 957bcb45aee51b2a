"""Functions that generated code calls: each is in a text only where it is needed, as LLVM takes its time over every one."""

import re

from runtime.backends.native import pool
from runtime.backends.native.lower.philox import philox
from runtime.typesys.late import pattern

__all__ = ["helpers_of"]

_TEXT = """
; so many bytes of the memory of a call, which is {block, bytes of it in use}; a block begins with the one before it
define internal ptr @ag_arena(ptr %arena, i64 %size) {
entry:
  %place = getelementptr i64, ptr %arena, i64 1
  %used = load i64, ptr %place
  %block = load ptr, ptr %arena
  %end = add i64 %used, %size
  %none = icmp eq ptr %block, null
  br i1 %none, label %new, label %look
look:
  %header = getelementptr i64, ptr %block, i64 -2
  %capacity = load i64, ptr %header
  %fits = icmp ule i64 %end, %capacity
  br i1 %fits, label %old, label %new
old:
  store i64 %end, ptr %place
  %p = getelementptr i8, ptr %block, i64 %used
  ret ptr %p
new:
  %least = add i64 %size, 64
  %want = call i64 @llvm.smax.i64(i64 %least, i64 262144)
  %q = call ptr @ag_take(i64 %want)
  %gone = icmp eq ptr %q, null
  br i1 %gone, label %failed, label %taken
taken:
  store ptr %block, ptr %q
  store ptr %q, ptr %arena
  store i64 %least, ptr %place
  %first = getelementptr i8, ptr %q, i64 64
  ret ptr %first
failed:
  ret ptr null
}

; the memory of a call as it was when so much of a block was in use
define internal void @ag_arena_back(ptr %arena, ptr %block, i64 %used) {
entry:
  br label %look
look:
  %now = load ptr, ptr %arena
  %same = icmp eq ptr %now, %block
  br i1 %same, label %end, label %drop
drop:
  %before = load ptr, ptr %now
  call void @ag_give(ptr %now)
  store ptr %before, ptr %arena
  br label %look
end:
  %place = getelementptr i64, ptr %arena, i64 1
  store i64 %used, ptr %place
  ret void
}

; the greatest common divisor: of odd numbers, that of the smaller one and what their difference is without its twos
define internal i64 @ag_gcd(i64 %x, i64 %y) memory(none) {
entry:
  %a = call i64 @llvm.abs.i64(i64 %x, i1 false)
  %b = call i64 @llvm.abs.i64(i64 %y, i1 false)
  %both = or i64 %a, %b
  %no_a = icmp eq i64 %a, 0
  %no_b = icmp eq i64 %b, 0
  %none = or i1 %no_a, %no_b
  br i1 %none, label %one, label %begin
one:
  ret i64 %both
begin:
  %twos = call i64 @llvm.cttz.i64(i64 %both, i1 true)
  %twos_a = call i64 @llvm.cttz.i64(i64 %a, i1 true)
  %twos_b = call i64 @llvm.cttz.i64(i64 %b, i1 true)
  %first = lshr i64 %a, %twos_a
  %second = lshr i64 %b, %twos_b
  br label %look
look:
  %m = phi i64 [ %first, %begin ], [ %least, %next ]
  %n = phi i64 [ %second, %begin ], [ %odd, %next ]
  %rest = sub i64 %m, %n
  %done = icmp eq i64 %rest, 0
  br i1 %done, label %end, label %next
next:
  %back = sub i64 %n, %m
  %more = icmp ugt i64 %m, %n
  %apart = select i1 %more, i64 %rest, i64 %back
  %least = select i1 %more, i64 %n, i64 %m
  %twos_rest = call i64 @llvm.cttz.i64(i64 %rest, i1 true)
  %odd = lshr i64 %apart, %twos_rest
  br label %look
end:
  %result = shl i64 %m, %twos
  ret i64 %result
}

; a power of an integer, and whether it is one of 64 bits
define internal {i64, i1} @ag_power(i64 %x, i64 %n) memory(none) {
entry:
  %negative = icmp slt i64 %n, 0
  br i1 %negative, label %failed, label %look
look:
  %base = phi i64 [ %x, %entry ], [ %squared, %next ]
  %left = phi i64 [ %n, %entry ], [ %half, %next ]
  %so_far = phi i64 [ 1, %entry ], [ %result, %next ]
  %too_large = phi i1 [ false, %entry ], [ %square_too_large, %next ]
  %done = icmp eq i64 %left, 0
  br i1 %done, label %end, label %go
go:
  %odd = trunc i64 %left to i1
  %product = call {i64, i1} @llvm.smul.with.overflow.i64(i64 %so_far, i64 %base)
  %value = extractvalue {i64, i1} %product, 0
  %over = extractvalue {i64, i1} %product, 1
  %any = or i1 %over, %too_large
  %bad = and i1 %any, %odd
  %result = select i1 %odd, i64 %value, i64 %so_far
  br i1 %bad, label %failed, label %next
next:
  %square = call {i64, i1} @llvm.smul.with.overflow.i64(i64 %base, i64 %base)
  %squared = extractvalue {i64, i1} %square, 0
  %square_over = extractvalue {i64, i1} %square, 1
  %square_too_large = or i1 %square_over, %too_large
  %half = lshr i64 %left, 1
  br label %look
end:
  %first = insertvalue {i64, i1} poison, i64 %so_far, 0
  %fine = insertvalue {i64, i1} %first, i1 true, 1
  ret {i64, i1} %fine
failed:
  %nothing = insertvalue {i64, i1} poison, i64 0, 0
  %not = insertvalue {i64, i1} %nothing, i1 false, 1
  ret {i64, i1} %not
}
"""
_POOL = frozenset(f"@{name}" for name in pool.PROGRAMS)
_NAME = pattern(r"@ag_\w+")
_DEFINED = pattern(r"^(?:define [^@]*)?(@ag_\w+)", re.MULTILINE)


def _parts() -> dict[str, tuple[str, frozenset[str]]]:
    """By name: the text, and the names in it."""
    out = {}
    for part in (*_TEXT.strip().split("\n\n"), *philox().split("\n\n")):
        defined = _DEFINED.search(part)
        assert defined is not None, part
        out[defined.group(1)] = part, frozenset(_NAME.findall(part))
    return out


_PARTS = _parts()


def helpers_of(body: str) -> list[str]:
    """The texts of the helpers that some functions call, and of those that these call.

    Code that has to do with the pool's memory comes with the word where it keeps its frame.
    """
    waiting = set(_NAME.findall(body))
    needed: set[str] = set()
    pooled = not waiting.isdisjoint(_POOL)
    while waiting:
        name = waiting.pop()
        if name in _PARTS and name not in needed:
            needed.add(name)
            waiting |= _PARTS[name][1]
            pooled |= not _PARTS[name][1].isdisjoint(_POOL)
    word = [f"@{pool.KEPT} = global ptr null"] if pooled else []
    return [*word, *(text for name, (text, _) in _PARTS.items() if name in needed)]
