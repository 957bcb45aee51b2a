"""Functions that generated code calls: each is in a text only where it is needed, as LLVM takes its time over every one."""

import re

from runtime.backends.native.lower.philox import philox

__all__ = ["helpers_of"]

_TEXT = """
; memory of at least a size in a slot {pointer, capacity}; what it held is lost
define internal ptr @ag_reserve(ptr %slot, i64 %size) {
entry:
  %place = getelementptr i64, ptr %slot, i64 1
  %have = load i64, ptr %place
  %fits = icmp ult i64 %size, %have
  br i1 %fits, label %old, label %new
old:
  %p = load ptr, ptr %slot
  ret ptr %p
new:
  call void @ag_drop(ptr %slot)
  %more = add i64 %size, 1
  %q = call ptr @ag_fill(ptr %slot, i64 %more)
  ret ptr %q
}

; new memory into a slot, whose old memory is somebody else's now
define internal ptr @ag_fill(ptr %slot, i64 %size) {
entry:
  %place = getelementptr i64, ptr %slot, i64 1
  %q = call ptr @ag_take(i64 %size)
  store ptr %q, ptr %slot
  %none = icmp eq ptr %q, null
  br i1 %none, label %failed, label %taken
taken:
  %header = getelementptr i64, ptr %q, i64 -2
  %capacity = load i64, ptr %header
  store i64 %capacity, ptr %place
  ret ptr %q
failed:
  store i64 0, ptr %place
  ret ptr null
}

; memory of at least a size in a slot, with its first bytes kept; what was borrowed is copied
define internal ptr @ag_grow(ptr %slot, i64 %size, i64 %used) noinline cold {
entry:
  %place = getelementptr i64, ptr %slot, i64 1
  %have = load i64, ptr %place
  %before = load ptr, ptr %slot
  %fits = icmp ule i64 %size, %have
  %some = icmp ne i64 %have, 0
  %stay = and i1 %fits, %some
  br i1 %stay, label %old, label %more
old:
  ret ptr %before
more:
  %double = mul i64 %have, 2
  %least = call i64 @llvm.smax.i64(i64 %double, i64 1024)
  %want = call i64 @llvm.smax.i64(i64 %least, i64 %size)
  %q = call ptr @ag_take(i64 %want)
  %gone = icmp eq ptr %q, null
  br i1 %gone, label %failed, label %copy
copy:
  call void @llvm.memcpy.p0.p0.i64(ptr %q, ptr %before, i64 %used, i1 false)
  call void @ag_drop(ptr %slot)
  %header = getelementptr i64, ptr %q, i64 -2
  %capacity = load i64, ptr %header
  store ptr %q, ptr %slot
  store i64 %capacity, ptr %place
  ret ptr %q
failed:
  ret ptr null
}

; give back what a slot owns
define internal void @ag_drop(ptr %slot) noinline {
entry:
  %place = getelementptr i64, ptr %slot, i64 1
  %have = load i64, ptr %place
  %none = icmp eq i64 %have, 0
  br i1 %none, label %end, label %owned
owned:
  %p = load ptr, ptr %slot
  call void @ag_give(ptr %p)
  br label %end
end:
  ret void
}

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

; working memory that is too small for the pool: the code keeps its own from call to call
@ag_frame_kept = internal global ptr null

define internal ptr @ag_frame(i64 %size) {
entry:
  %kept = atomicrmw xchg ptr @ag_frame_kept, ptr null acquire
  %none = icmp eq ptr %kept, null
  br i1 %none, label %new, label %old
old:
  ret ptr %kept
new:
  %p = call ptr @ag_take(i64 %size)
  ret ptr %p
}

define internal void @ag_frame_back(ptr %p) {
entry:
  %before = atomicrmw xchg ptr @ag_frame_kept, ptr %p release
  call void @ag_give(ptr %before)
  ret void
}

define void @ag_forget() {
entry:
  %kept = atomicrmw xchg ptr @ag_frame_kept, ptr null acquire
  call void @ag_give(ptr %kept)
  call void @ag_empty()
  ret void
}
"""
_POOL = ("@ag_take", "@ag_give")
_NAME = re.compile(r"@ag_\w+")
_DEFINED = re.compile(r"^(?:define [^@]*)?(@ag_\w+)", re.MULTILINE)


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

    Code that has to do with the pool's memory comes with `ag_forget`, which gives back what it keeps.
    """
    waiting = set(_NAME.findall(body))
    if not waiting.isdisjoint(_POOL) or not waiting.isdisjoint(_PARTS):
        waiting.add("@ag_forget")
    needed: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in _PARTS and name not in needed:
            needed.add(name)
            waiting |= _PARTS[name][1]
    return [text for name, (text, _) in _PARTS.items() if name in needed]
