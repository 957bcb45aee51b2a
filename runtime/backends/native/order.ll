; Rows of a in order: tile after tile, in each column after column. Begins with gemm.ll.

; Tiles of a in order: those from lo to before hi. Words 4 and 5 are the steps of a, 3 where it begins.
define void @ag_order_$KIND(ptr %job, i64 %lo, i64 %hi) {
entry:
  %k = call i64 @word(ptr %job, i64 2)
  %a.i = call i64 @word(ptr %job, i64 3)
  %a = inttoptr i64 %a.i to ptr
  %ra = call i64 @word(ptr %job, i64 4)
  %ca = call i64 @word(ptr %job, i64 5)
  %each = call i64 @word(ptr %job, i64 16)
  %rest = call i64 @word(ptr %job, i64 17)
  %out.i = call i64 @word(ptr %job, i64 20)
  %out = inttoptr i64 %out.i to ptr
  %down = icmp eq i64 %ra, 1
  %across = icmp eq i64 %ca, 1
  br label %tile
tile:
  %s = phi i64 [%lo, %entry], [%s.next, %tile.done]
  %going = icmp slt i64 %s, %hi
  br i1 %going, label %start, label %end
start:
  %row = call i64 @row(i64 %s, i64 %each, i64 %rest)
  %longer = icmp slt i64 %s, %rest
  %one = zext i1 %longer to i64
  %mr = add i64 %each, %one
  %from.n = mul i64 %row, %ra
  %from = getelementptr $WORD, ptr %a, i64 %from.n
  %to.n = mul i64 %row, %k
  %to = getelementptr $WORD, ptr %out, i64 %to.n
  br i1 %down, label %column, label %other
column:
  %p = phi i64 [0, %start], [%p.next, %column]
  %p.from.n = mul i64 %p, %ca
  %f = getelementptr $WORD, ptr %from, i64 %p.from.n
  %p.to.n = mul i64 %p, %mr
  %t = getelementptr $WORD, ptr %to, i64 %p.to.n
$DOWN
  %p.next = add i64 %p, 1
  %p.more = icmp slt i64 %p.next, %k
  br i1 %p.more, label %column, label %tile.done
other:
  %full = icmp eq i64 %mr, $ROWS
  %turns = and i1 %full, %across
  %vectors = and i64 %k, -$LANES
  %whole = select i1 %turns, i64 %vectors, i64 0
  %any = icmp sgt i64 %whole, 0
  br i1 %any, label %square, label %scalars
square:
  %q = phi i64 [0, %other], [%q.next, %square.done]
  %sq.from = getelementptr $WORD, ptr %from, i64 %q
  %q.to.n = mul i64 %q, $ROWS
  %sq.to = getelementptr $WORD, ptr %to, i64 %q.to.n
  br label %pair
pair:
  %i = phi i64 [0, %square], [%i.next, %pair]
  %i.n = mul i64 %ra, %i
  %sq.p0 = getelementptr $WORD, ptr %sq.from, i64 %i.n
  %sq.p1 = getelementptr $WORD, ptr %sq.p0, i64 %ra
  %i.to = getelementptr $WORD, ptr %sq.to, i64 %i
$PAIR
  %i.next = add i64 %i, 2
  %i.more = icmp slt i64 %i.next, $ROWS
  br i1 %i.more, label %pair, label %square.done
square.done:
  %q.next = add i64 %q, $LANES
  %q.more = icmp slt i64 %q.next, %whole
  br i1 %q.more, label %square, label %scalars
scalars:
  %over = icmp slt i64 %whole, %k
  br i1 %over, label %line, label %tile.done
line:
  %y = phi i64 [%whole, %scalars], [%y.next, %line.done]
  %y.from.n = mul i64 %y, %ca
  %y.from = getelementptr $WORD, ptr %from, i64 %y.from.n
  %y.to.n = mul i64 %y, %mr
  %y.to = getelementptr $WORD, ptr %to, i64 %y.to.n
  br label %number
number:
  %z = phi i64 [0, %line], [%z.next, %number]
  %z.from.n = mul i64 %z, %ra
  %z.from = getelementptr $WORD, ptr %y.from, i64 %z.from.n
  %x = load $WORD, ptr %z.from
  %z.to = getelementptr $WORD, ptr %y.to, i64 %z
  store $WORD %x, ptr %z.to
  %z.next = add i64 %z, 1
  %z.more = icmp slt i64 %z.next, %mr
  br i1 %z.more, label %number, label %line.done
line.done:
  %y.next = add i64 %y, 1
  %y.more = icmp slt i64 %y.next, %k
  br i1 %y.more, label %line, label %tile.done
tile.done:
  %s.next = add i64 %s, 1
  br label %tile
end:
  ret void
}
