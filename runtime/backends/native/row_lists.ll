
; Lists of lists: {block, capacity, length} each, of which a block has one after another. `depth` is how many levels of lists
; are below the rows of a block: 0 where the rows have numbers, of `item` bytes each.
;
;   ag_grow_row(slot, size, used)                 ag_grow for lists of which there are many: they begin small
;   ag_rows_clear(rows, n, depth)                 give back what n rows own
;   ag_rows_drop(list, depth)                     give back what a list of rows owns; it is empty then
;   ag_rows_copy(to, from, n, item, depth)        n rows like others where there were none; whether there was memory
;   ag_row_put(row, from, n, item, depth)         n items like others in a list, in place of what it had; likewise
;
; The depth of `ag_row_put` is that of the list itself: its items are numbers at 0, rows of depth 0 at 1.

define ptr @ag_grow_row(ptr %slot, i64 %size, i64 %used) {
  %p = call ptr @grown(ptr %slot, i64 %size, i64 %used, i64 64)
  ret ptr %p
}

define void @ag_rows_clear(ptr %rows, i64 %n, i64 %depth) {
entry:
  %below = sub i64 %depth, 1
  %deep = icmp sgt i64 %depth, 0
  br label %look
look:
  %k = phi i64 [0, %entry], [%k1, %flat]
  %more = icmp slt i64 %k, %n
  br i1 %more, label %each, label %end
each:
  %at = mul i64 %k, 3
  %row = getelementptr i64, ptr %rows, i64 %at
  br i1 %deep, label %inner, label %flat
inner:
  %data = load ptr, ptr %row
  %length.p = getelementptr i64, ptr %row, i64 2
  %length = load i64, ptr %length.p
  call void @ag_rows_clear(ptr %data, i64 %length, i64 %below)
  br label %flat
flat:
  call void @ag_drop(ptr %row)
  %k1 = add i64 %k, 1
  br label %look
end:
  ret void
}

define void @ag_rows_drop(ptr %list, i64 %depth) {
  %data = load ptr, ptr %list
  %length.p = getelementptr i64, ptr %list, i64 2
  %length = load i64, ptr %length.p
  call void @ag_rows_clear(ptr %data, i64 %length, i64 %depth)
  call void @ag_drop(ptr %list)
  store {ptr, i64, i64} zeroinitializer, ptr %list
  ret void
}

define i1 @ag_rows_copy(ptr %to, ptr %from, i64 %n, i64 %item, i64 %depth) {
entry:
  br label %look
look:
  %k = phi i64 [0, %entry], [%k1, %each]
  %more = icmp slt i64 %k, %n
  br i1 %more, label %each, label %end
each:
  %at = mul i64 %k, 3
  %k1 = add i64 %k, 1
  %new = getelementptr i64, ptr %to, i64 %at
  %old = getelementptr i64, ptr %from, i64 %at
  store {ptr, i64, i64} zeroinitializer, ptr %new
  %data = load ptr, ptr %old
  %length.p = getelementptr i64, ptr %old, i64 2
  %length = load i64, ptr %length.p
  %done = call i1 @ag_row_put(ptr %new, ptr %data, i64 %length, i64 %item, i64 %depth)
  br i1 %done, label %look, label %failed
failed:
  call void @ag_rows_clear(ptr %to, i64 %k, i64 %depth)
  ret i1 false
end:
  ret i1 true
}

define i1 @ag_row_put(ptr %row, ptr %from, i64 %n, i64 %item, i64 %depth) {
entry:
  %place = getelementptr i64, ptr %row, i64 1
  %length.p = getelementptr i64, ptr %row, i64 2
  %deep = icmp sgt i64 %depth, 0
  br i1 %deep, label %rows, label %numbers
numbers:
  %need = mul i64 %n, %item
  %have = load i64, ptr %place
  %fits = icmp ule i64 %need, %have
  br i1 %fits, label %over, label %more
over:
  %p = load ptr, ptr %row
  call void @llvm.memmove.p0.p0.i64(ptr %p, ptr %from, i64 %need, i1 false)
  store i64 %n, ptr %length.p
  ret i1 true
more:
  %q = call ptr @ag_take(i64 %need)
  %gone = icmp eq ptr %q, null
  br i1 %gone, label %failed, label %fill
fill:
  call void @llvm.memcpy.p0.p0.i64(ptr %q, ptr %from, i64 %need, i1 false)
  call void @ag_drop(ptr %row)
  br label %keep
rows:
  %bytes = mul i64 %n, 24
  %least = call i64 @llvm.smax.i64(i64 %bytes, i64 24)
  %r = call ptr @ag_take(i64 %least)
  %none = icmp eq ptr %r, null
  br i1 %none, label %failed, label %copy
copy:
  %below = sub i64 %depth, 1
  %done = call i1 @ag_rows_copy(ptr %r, ptr %from, i64 %n, i64 %item, i64 %below)
  br i1 %done, label %instead, label %back
instead:
  call void @ag_rows_drop(ptr %row, i64 %below)
  br label %keep
keep:
  %new = phi ptr [%q, %fill], [%r, %instead]
  %header = getelementptr i64, ptr %new, i64 -2
  %capacity = load i64, ptr %header
  store ptr %new, ptr %row
  store i64 %capacity, ptr %place
  store i64 %n, ptr %length.p
  ret i1 true
back:
  call void @ag_give(ptr %r)
  ret i1 false
failed:
  ret i1 false
}
