; What products need whose columns do not fill tiles, or that are made from panels. Begins with gemm.ll.

; The last columns of a result: those of a tile aside, to where they belong, or added to what is there.
define void @ag_edge_$KIND(ptr %tmp, ptr %c, i64 %ldc, i64 %mr, i64 %left, i64 %add) {
entry:
  %adds = icmp ne i64 %add, 0
  br label %copy.row
copy.row:
  %x = phi i64 [0, %entry], [%x.next, %copy.next]
  %to.row = mul i64 %x, %ldc
  %from.row = mul i64 %x, $COLUMNS
  br label %copy.one
copy.one:
  %y = phi i64 [0, %copy.row], [%y.next, %copy.done]
  %from.n = add i64 %from.row, %y
  %from = getelementptr $WORD, ptr %tmp, i64 %from.n
  %to.n = add i64 %to.row, %y
  %to = getelementptr $WORD, ptr %c, i64 %to.n
  %new = load $VECTOR, ptr %from
  %y.left = sub i64 %left, %y
  %mask = call $MASK @inside(i64 %y.left)
  br i1 %adds, label %copy.add, label %copy.only
copy.add:
  %old = call $VECTOR @llvm.masked.load.$V.p0(ptr %to, i32 $SIZE, $MASK %mask, $VECTOR zeroinitializer)
  %both = fadd $VECTOR %old, %new
  call void @llvm.masked.store.$V.p0($VECTOR %both, ptr %to, i32 $SIZE, $MASK %mask)
  br label %copy.done
copy.only:
  call void @llvm.masked.store.$V.p0($VECTOR %new, ptr %to, i32 $SIZE, $MASK %mask)
  br label %copy.done
copy.done:
  %y.next = add i64 %y, $LANES
  %y.more = icmp slt i64 %y.next, %left
  br i1 %y.more, label %copy.one, label %copy.next
copy.next:
  %x.next = add i64 %x, 1
  %x.more = icmp slt i64 %x.next, %mr
  br i1 %x.more, label %copy.row, label %end
end:
  ret void
}

; Panels of b, whose rows lie in one piece: words 0 k  1 n  2 b  3 rb  5 out
define void @ag_dense_$KIND(ptr %job, i64 %lo, i64 %hi) {
entry:
  %k = call i64 @word(ptr %job, i64 0)
  %n = call i64 @word(ptr %job, i64 1)
  %b.i = call i64 @word(ptr %job, i64 2)
  %b = inttoptr i64 %b.i to ptr
  %rb = call i64 @word(ptr %job, i64 3)
  %out.i = call i64 @word(ptr %job, i64 5)
  %out = inttoptr i64 %out.i to ptr
  %size = mul i64 %k, $COLUMNS
  br label %panel
panel:
  %j = phi i64 [%lo, %entry], [%j.next, %panel.done]
  %going = icmp slt i64 %j, %hi
  br i1 %going, label %start, label %end
start:
  %col = mul i64 %j, $COLUMNS
  %left = sub i64 %n, %col
  %from = getelementptr $WORD, ptr %b, i64 %col
  %to.n = mul i64 %j, %size
  %to = getelementptr $WORD, ptr %out, i64 %to.n
  %none = icmp slt i64 %k, 1
  br i1 %none, label %panel.done, label %row
row:
  %p = phi i64 [0, %start], [%p.next, %row]
  %f.n = mul i64 %p, %rb
  %f = getelementptr $WORD, ptr %from, i64 %f.n
  %t.n = mul i64 %p, $COLUMNS
  %t = getelementptr $WORD, ptr %to, i64 %t.n
$LINES
  %p.next = add i64 %p, 1
  %p.more = icmp slt i64 %p.next, %k
  br i1 %p.more, label %row, label %panel.done
panel.done:
  %j.next = add i64 %j, 1
  br label %panel
end:
  ret void
}
