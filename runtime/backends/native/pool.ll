; quick
; Memory that is kept when it is given back, for it costs more to get large memory from the system than to fill it.
;
;   ag_take(size)   at least so many bytes, on a boundary of 64; null where there is no memory
;   ag_give(block)  back again; null is nothing
;   ag_empty()      give all that is kept to the system
;
; Programs have slots {pointer, capacity}; what is borrowed has a capacity of 0. And each has one word for its frame, working
; memory that is too small to be kept here: the program keeps it from call to call.
;
;   ag_reserve(slot, size)       memory of at least a size in a slot; what it held is lost
;   ag_grow(slot, size, used)    the same with its first bytes kept; what was borrowed is copied
;   ag_drop(slot)                give back what a slot owns
;   ag_frame(word, size)         the frame, or a new one while another call has it
;   ag_frame_back(word, frame)   back again
;   ag_forget(word)              the program is gone: give back its frame, and all that is kept here
;
; Blocks of less than $LARGE bytes come from malloc and go back to it. Of the others up to 64 are kept, of $BOUND bytes
; together. Before a block stand its size and what malloc gave. Who takes a block out of the table has it alone;
; the sizes in the other table are hints.
;
; The last four are the same as NumPy's allocators have it (NEP 49): arrays own blocks by them.

@blocks = internal global [64 x ptr] zeroinitializer, align 64
@sizes = internal global [64 x i64] zeroinitializer, align 64
@total = internal global i64 0, align 64
@hand = internal global i64 0

declare ptr @malloc(i64)
declare void @free(ptr)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
declare void @llvm.memmove.p0.p0.i64(ptr, ptr, i64, i1)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
declare i64 @llvm.umin.i64(i64, i64)
declare i64 @llvm.smax.i64(i64, i64)
$DECLARE

define private i64 @capacity(ptr %block) alwaysinline {
  %p = getelementptr i64, ptr %block, i64 -2
  %n = load i64, ptr %p
  ret i64 %n
}

define private void @release(ptr %block) {
  %p = getelementptr ptr, ptr %block, i64 -1
  %base = load ptr, ptr %p
  call void @free(ptr %base)
  ret void
}

define private ptr @fresh(i64 %size) {
entry:
  %large = icmp uge i64 %size, $LARGE
  %up = add i64 %size, 4095
  %pages = and i64 %up, -4096
  %capacity = select i1 %large, i64 %pages, i64 %size
  %whole = add i64 %capacity, 80
  %wraps = icmp ult i64 %whole, %size
  br i1 %wraps, label %none, label %get
get:
  %base = call ptr @malloc(i64 %whole)
  %missing = icmp eq ptr %base, null
  br i1 %missing, label %none, label %got
got:
  %at = ptrtoint ptr %base to i64
  %after = add i64 %at, 79
  %aligned = and i64 %after, -64
  %block = inttoptr i64 %aligned to ptr
  %capacity.p = getelementptr i64, ptr %block, i64 -2
  store i64 %capacity, ptr %capacity.p
  %base.p = getelementptr ptr, ptr %block, i64 -1
  store ptr %base, ptr %base.p
  %huge = icmp uge i64 %capacity, 4194304
  br i1 %huge, label %advise, label %done
advise:
  %page = add i64 %aligned, 4095
  %first = and i64 %page, -4096
  %inside = sub i64 %capacity, 4096
  $ADVISE
  br label %done
done:
  ret ptr %block
none:
  ret ptr null
}

define ptr @ag_take(i64 %size) {
entry:
  %small = icmp ult i64 %size, $LARGE
  br i1 %small, label %new, label %look
look:
  %twice = mul i64 %size, 2
  br label %each
each:
  %i = phi i64 [0, %look], [%i1, %next]
  %best = phi i64 [-1, %look], [%best1, %next]
  %least = phi i64 [%twice, %look], [%least1, %next]
  %p = getelementptr ptr, ptr @blocks, i64 %i
  %block = load atomic ptr, ptr %p monotonic, align 8
  %some = icmp ne ptr %block, null
  %s = getelementptr i64, ptr @sizes, i64 %i
  %n = load atomic i64, ptr %s monotonic, align 8
  %enough = icmp uge i64 %n, %size
  %less = icmp ult i64 %n, %least
  %fits = and i1 %enough, %less
  %better = and i1 %some, %fits
  br label %next
next:
  %best1 = select i1 %better, i64 %i, i64 %best
  %least1 = select i1 %better, i64 %n, i64 %least
  %i1 = add i64 %i, 1
  %more = icmp ult i64 %i1, 64
  br i1 %more, label %each, label %chosen
chosen:
  %found = icmp sge i64 %best1, 0
  br i1 %found, label %grab, label %new
grab:
  %b.p = getelementptr ptr, ptr @blocks, i64 %best1
  %mine = atomicrmw xchg ptr %b.p, ptr null acq_rel
  %gone = icmp eq ptr %mine, null
  br i1 %gone, label %new, label %check
check:
  %capacity = call i64 @capacity(ptr %mine)
  %before = atomicrmw sub ptr @total, i64 %capacity monotonic
  %holds = icmp uge i64 %capacity, %size
  br i1 %holds, label %old, label %back
old:
  ret ptr %mine
back:
  call void @ag_give(ptr %mine)
  br label %new
new:
  %made = call ptr @fresh(i64 %size)
  ret ptr %made
}

; A list that gives away its first elements lets its block begin behind them, with a new pair of words before it: this is
; the block as it was taken.
define private ptr @whole(ptr %part) {
  %base.p = getelementptr ptr, ptr %part, i64 -1
  %base = load ptr, ptr %base.p
  %at = ptrtoint ptr %base to i64
  %after = add i64 %at, 79
  %aligned = and i64 %after, -64
  %block = inttoptr i64 %aligned to ptr
  %here = ptrtoint ptr %part to i64
  %gone = sub i64 %here, %aligned
  %rest = call i64 @capacity(ptr %part)
  %capacity = add i64 %rest, %gone
  %capacity.q = getelementptr i64, ptr %block, i64 -2
  store i64 %capacity, ptr %capacity.q
  %base.q = getelementptr ptr, ptr %block, i64 -1
  store ptr %base, ptr %base.q
  ret ptr %block
}

define void @ag_give(ptr %part) {
entry:
  %nothing = icmp eq ptr %part, null
  br i1 %nothing, label %end, label %some
some:
  %block = call ptr @whole(ptr %part)
  %capacity = call i64 @capacity(ptr %block)
  %small = icmp ult i64 %capacity, $LARGE
  %huge = icmp ugt i64 %capacity, $BOUND
  %never = or i1 %small, %huge
  br i1 %never, label %drop, label %each
each:
  %i = phi i64 [0, %some], [%i1, %full]
  %p = getelementptr ptr, ptr @blocks, i64 %i
  %there = load atomic ptr, ptr %p monotonic, align 8
  %free = icmp eq ptr %there, null
  br i1 %free, label %try, label %full
try:
  %s = getelementptr i64, ptr @sizes, i64 %i
  %done = cmpxchg ptr %p, ptr null, ptr %block acq_rel monotonic
  %ok = extractvalue {ptr, i1} %done, 1
  br i1 %ok, label %kept, label %full
full:
  %i1 = add i64 %i, 1
  %more = icmp ult i64 %i1, 64
  br i1 %more, label %each, label %drop
kept:
  store atomic i64 %capacity, ptr %s monotonic, align 8
  %before = atomicrmw add ptr @total, i64 %capacity monotonic
  br label %trim
trim:
  %turn = phi i64 [0, %kept], [%turn1, %trimmed]
  %now = load atomic i64, ptr @total monotonic, align 8
  %over = icmp sgt i64 %now, $BOUND
  %left = icmp ult i64 %turn, 64
  %again = and i1 %over, %left
  br i1 %again, label %evict, label %end
evict:
  %turn1 = add i64 %turn, 1
  %at = atomicrmw add ptr @hand, i64 1 monotonic
  %slot = and i64 %at, 63
  %q = getelementptr ptr, ptr @blocks, i64 %slot
  %other = atomicrmw xchg ptr %q, ptr null acq_rel
  %none = icmp eq ptr %other, null
  br i1 %none, label %trimmed, label %out
out:
  %size = call i64 @capacity(ptr %other)
  %was = atomicrmw sub ptr @total, i64 %size monotonic
  call void @release(ptr %other)
  br label %trimmed
trimmed:
  br label %trim
drop:
  call void @release(ptr %block)
  br label %end
end:
  ret void
}

define void @ag_empty() {
entry:
  br label %each
each:
  %i = phi i64 [0, %entry], [%i1, %next]
  %p = getelementptr ptr, ptr @blocks, i64 %i
  %block = atomicrmw xchg ptr %p, ptr null acq_rel
  %none = icmp eq ptr %block, null
  br i1 %none, label %next, label %out
out:
  %size = call i64 @capacity(ptr %block)
  %was = atomicrmw sub ptr @total, i64 %size monotonic
  call void @release(ptr %block)
  br label %next
next:
  %i1 = add i64 %i, 1
  %more = icmp ult i64 %i1, 64
  br i1 %more, label %each, label %end
end:
  ret void
}

define ptr @ag_reserve(ptr %slot, i64 %size) {
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
  %q = call ptr @filled(ptr %slot, i64 %more)
  ret ptr %q
}

define private ptr @filled(ptr %slot, i64 %size) {
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

define ptr @ag_grow(ptr %slot, i64 %size, i64 %used) {
  %p = call ptr @grown(ptr %slot, i64 %size, i64 %used, i64 1024)
  ret ptr %p
}

define private ptr @grown(ptr %slot, i64 %size, i64 %used, i64 %least.size) {
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
  %least = call i64 @llvm.smax.i64(i64 %double, i64 %least.size)
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

define void @ag_drop(ptr %slot) {
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

define ptr @ag_frame(ptr %word, i64 %size) {
entry:
  %kept = atomicrmw xchg ptr %word, ptr null acquire
  %none = icmp eq ptr %kept, null
  br i1 %none, label %new, label %old
old:
  ret ptr %kept
new:
  %p = call ptr @ag_take(i64 %size)
  ret ptr %p
}

define void @ag_frame_back(ptr %word, ptr %p) {
entry:
  %before = atomicrmw xchg ptr %word, ptr %p release
  call void @ag_give(ptr %before)
  ret void
}

define void @ag_forget(ptr %word) {
entry:
  %kept = atomicrmw xchg ptr %word, ptr null acquire
  call void @ag_give(ptr %kept)
  call void @ag_empty()
  ret void
}

define i64 @ag_kept() {
  %now = load atomic i64, ptr @total monotonic, align 8
  ret i64 %now
}

define ptr @ag_numpy_malloc(ptr %context, i64 %size) {
  %p = call ptr @ag_take(i64 %size)
  ret ptr %p
}

define ptr @ag_numpy_calloc(ptr %context, i64 %count, i64 %each) {
entry:
  %size = mul i64 %count, %each
  %p = call ptr @ag_take(i64 %size)
  %none = icmp eq ptr %p, null
  br i1 %none, label %end, label %clear
clear:
  call void @llvm.memset.p0.i64(ptr %p, i8 0, i64 %size, i1 false)
  br label %end
end:
  ret ptr %p
}

define ptr @ag_numpy_realloc(ptr %context, ptr %block, i64 %size) {
entry:
  %p = call ptr @ag_take(i64 %size)
  %none = icmp eq ptr %p, null
  br i1 %none, label %end, label %look
look:
  %some = icmp ne ptr %block, null
  br i1 %some, label %copy, label %end
copy:
  %have = call i64 @capacity(ptr %block)
  %n = call i64 @llvm.umin.i64(i64 %have, i64 %size)
  call void @llvm.memcpy.p0.p0.i64(ptr %p, ptr %block, i64 %n, i1 false)
  call void @ag_give(ptr %block)
  br label %end
end:
  ret ptr %p
}

define void @ag_numpy_free(ptr %context, ptr %block, i64 %size) {
  call void @ag_give(ptr %block)
  ret void
}
