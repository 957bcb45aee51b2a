; final
;
; Products of small matrices. Some rows of the result at a time are in registers, a vector of columns each, while the rows of b
; go by. Where there are fewer rows, the last one is made several times, which takes no longer than waiting for its sums.

declare i64 @llvm.smin.i64(i64, i64)
$DECLARED

; c[m, n] = a[m, k] @ b[k, n]; rows of c lie in one piece, and so do those of b, or it has at most $ROOM numbers
define void @ag_little_$KIND(i64 %m, i64 %n, i64 %k, ptr %a, i64 %ra, i64 %ca, ptr %b, i64 %rb, i64 %cb, ptr %c, i64 %ldc) {
entry:
  %room = alloca [$ROOM x $WORD], align 64
  %plain = icmp eq i64 %cb, 1
  br i1 %plain, label %start, label %turn
turn:
  %tj = phi i64 [0, %entry], [%tj.next, %turned]
  %tj.at = mul i64 %tj, %cb
  %from = getelementptr $WORD, ptr %b, i64 %tj.at
  %to = getelementptr $WORD, ptr %room, i64 %tj
  br label %copy
copy:
  %tk = phi i64 [0, %turn], [%tk.next, %copy]
  %tk.at = mul i64 %tk, %rb
  %tk.from = getelementptr $WORD, ptr %from, i64 %tk.at
  %x = load $WORD, ptr %tk.from
  %tk.place = mul i64 %tk, %n
  %tk.to = getelementptr $WORD, ptr %to, i64 %tk.place
  store $WORD %x, ptr %tk.to
  %tk.next = add i64 %tk, 1
  %tk.more = icmp slt i64 %tk.next, %k
  br i1 %tk.more, label %copy, label %turned
turned:
  %tj.next = add i64 %tj, 1
  %tj.more = icmp slt i64 %tj.next, %n
  br i1 %tj.more, label %turn, label %start
start:
  %bp = phi ptr [%b, %entry], [%room, %turned]
  %step = phi i64 [%rb, %entry], [%n, %turned]
  br label %rows
rows:
  %left = phi i64 [%m, %start], [%left.next, %below]
  %ap = phi ptr [%a, %start], [%ap.next, %below]
  %cp = phi ptr [%c, %start], [%cp.next, %below]
  %many = icmp sgt i64 %left, $FEW
  br i1 %many, label %many.rows, label %few.rows
$BLOCKS
below:
  %ap.step = mul i64 %ra, $ROWS
  %cp.step = mul i64 %ldc, $ROWS
  %ap.next = getelementptr $WORD, ptr %ap, i64 %ap.step
  %cp.next = getelementptr $WORD, ptr %cp, i64 %cp.step
  %left.next = sub i64 %left, $ROWS
  %more = icmp sgt i64 %left.next, 0
  br i1 %more, label %rows, label %end
end:
  ret void
}
