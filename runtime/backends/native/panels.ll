; Panels of matrices with any steps. Begins with gemm.ll.

; Panels of b: words 0 k  1 n  2 b  3 rb  4 cb  5 out
define void @ag_any_$KIND(ptr %job, i64 %lo, i64 %hi) {
entry:
  %k = call i64 @word(ptr %job, i64 0)
  %n = call i64 @word(ptr %job, i64 1)
  %b.i = call i64 @word(ptr %job, i64 2)
  %b = inttoptr i64 %b.i to ptr
  %rb = call i64 @word(ptr %job, i64 3)
  %cb = call i64 @word(ptr %job, i64 4)
  %out.i = call i64 @word(ptr %job, i64 5)
  %out = inttoptr i64 %out.i to ptr
  %size = mul i64 %k, $COLUMNS
  %tall = icmp eq i64 %rb, 1
  br label %panel
panel:
  %j = phi i64 [%lo, %entry], [%j.next, %panel.done]
  %going = icmp slt i64 %j, %hi
  br i1 %going, label %start, label %end
start:
  %col = mul i64 %j, $COLUMNS
  %left = sub i64 %n, %col
  %from.n = mul i64 %col, %cb
  %from = getelementptr $WORD, ptr %b, i64 %from.n
  %to.n = mul i64 %j, %size
  %to = getelementptr $WORD, ptr %out, i64 %to.n
  %none = icmp slt i64 %k, 1
  br i1 %none, label %panel.done, label %turn
turn:
  %turns.0 = icmp sge i64 %left, $COLUMNS
  %turns = and i1 %turns.0, %tall
  %whole.k = and i64 %k, -$LANES
  %whole = select i1 %turns, i64 %whole.k, i64 0
  %any = icmp sgt i64 %whole, 0
  br i1 %any, label %square, label %columns
square: ; as many rows as a vector has numbers
  %sq.y = phi i64 [0, %turn], [%sq.next, %square.done]
  %sq.n = mul i64 %sq.y, $COLUMNS
  %sq.to = getelementptr $WORD, ptr %to, i64 %sq.n
  %sq.from = getelementptr $WORD, ptr %from, i64 %sq.y
  br label %vector
vector:
  %tu = phi i64 [0, %square], [%tu.next, %vector]
  %tu.n = mul i64 %tu, %cb
  %tu.from = getelementptr $WORD, ptr %sq.from, i64 %tu.n
  %tu.to = getelementptr $WORD, ptr %sq.to, i64 %tu
$TURNED
  %tu.next = add i64 %tu, $LANES
  %tu.more = icmp slt i64 %tu.next, $COLUMNS
  br i1 %tu.more, label %vector, label %square.done
square.done:
  %sq.next = add i64 %sq.y, $LANES
  %sq.more = icmp slt i64 %sq.next, %whole
  br i1 %sq.more, label %square, label %columns
columns:
  %over = icmp slt i64 %whole, %k
  br i1 %over, label %column, label %panel.done
column:
  %q = phi i64 [0, %columns], [%q.next, %column.done]
  %inside = icmp slt i64 %q, %left
  %q.n = mul i64 %q, %cb
  %q.from = getelementptr $WORD, ptr %from, i64 %q.n
  %q.to = getelementptr $WORD, ptr %to, i64 %q
  br label %number
number:
  %y = phi i64 [%whole, %column], [%y.next, %written]
  br i1 %inside, label %read, label %written
read:
  %y.n = mul i64 %y, %rb
  %y.from = getelementptr $WORD, ptr %q.from, i64 %y.n
  %x = load $WORD, ptr %y.from
  br label %written
written:
  %value = phi $WORD [0.0, %number], [%x, %read]
  %y.o = mul i64 %y, $COLUMNS
  %y.to = getelementptr $WORD, ptr %q.to, i64 %y.o
  store $WORD %value, ptr %y.to
  %y.next = add i64 %y, 1
  %y.more = icmp slt i64 %y.next, %k
  br i1 %y.more, label %number, label %column.done
column.done:
  %q.next = add i64 %q, 1
  %q.more = icmp slt i64 %q.next, $COLUMNS
  br i1 %q.more, label %column, label %panel.done
panel.done:
  %j.next = add i64 %j, 1
  br label %panel
end:
  ret void
}
