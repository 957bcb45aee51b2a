; final
;
; Products of few columns around the kernels of dots.py. A job is words of eight bytes:
;   0 k  1 a  2 ra  3 b, its columns in one piece  4 from column to column  5 c  6 ldc  7 add

declare $VECTOR @llvm.fma.$V($VECTOR, $VECTOR, $VECTOR)
declare $WORD @llvm.vector.reduce.fadd.$V($WORD, $VECTOR)
declare $VECTOR @llvm.masked.load.$V.p0(ptr, i32, $MASK, $VECTOR)
declare $VECTOR @llvm.masked.gather.$V.v$LANESp0(<$LANES x ptr>, i32, $MASK, $VECTOR)
declare i64 @llvm.smin.i64(i64, i64)
declare i64 @llvm.smax.i64(i64, i64)
declare void @ag_parallel(ptr, ptr, i64, i64)
declare ptr @ag_take(i64)
declare void @ag_give(ptr)

; Which lanes of a vector are among so many.
define private $MASK @inside(i64 %count) alwaysinline {
  %most = call i64 @llvm.smin.i64(i64 %count, i64 $LANES)
  %least = call i64 @llvm.smax.i64(i64 %most, i64 0)
  %n = trunc i64 %least to i32
  %one = insertelement <$LANES x i32> poison, i32 %n, i64 0
  %all = shufflevector <$LANES x i32> %one, <$LANES x i32> poison, <$LANES x i32> zeroinitializer
  %mask = icmp ult <$LANES x i32> $NUMBERED, %all
  ret $MASK %mask
}

$KERNELS

define private i64 @word(ptr %job, i64 %k) alwaysinline {
  %p = getelementptr i64, ptr %job, i64 %k
  %x = load i64, ptr %p
  ret i64 %x
}
define private void @put(ptr %job, i64 %k, i64 %x) alwaysinline {
  %p = getelementptr i64, ptr %job, i64 %k
  store i64 %x, ptr %p
  ret void
}

define private void @part(ptr %job, i64 %lo, i64 %hi) {
entry:
  %k = call i64 @word(ptr %job, i64 0)
  %a.i = call i64 @word(ptr %job, i64 1)
  %a = inttoptr i64 %a.i to ptr
  %ra = call i64 @word(ptr %job, i64 2)
  %b.i = call i64 @word(ptr %job, i64 3)
  %b = inttoptr i64 %b.i to ptr
  %step = call i64 @word(ptr %job, i64 4)
  %c.i = call i64 @word(ptr %job, i64 5)
  %c = inttoptr i64 %c.i to ptr
  %ldc = call i64 @word(ptr %job, i64 6)
  %add = call i64 @word(ptr %job, i64 7)
  br label %row
row:
  %i = phi i64 [%lo, %entry], [%i.several, %several], [%i.next, %single]
  %left = sub i64 %hi, %i
  %a.n = mul i64 %i, %ra
  %a.p = getelementptr $WORD, ptr %a, i64 %a.n
  %c.n = mul i64 %i, %ldc
  %c.p = getelementptr $WORD, ptr %c, i64 %c.n
  %enough = icmp sge i64 %left, $ROWS
  br i1 %enough, label %several, label %few
several:
  call fastcc void @rows$ROWS(i64 %k, ptr %a.p, i64 %ra, ptr %b, i64 %step, ptr %c.p, i64 %ldc, i64 %add)
  %i.several = add i64 %i, $ROWS
  br label %row
few:
  %some = icmp sgt i64 %left, 0
  br i1 %some, label %single, label %end
single:
  call fastcc void @rows1(i64 %k, ptr %a.p, i64 %ra, ptr %b, i64 %step, ptr %c.p, i64 %ldc, i64 %add)
  %i.next = add i64 %i, 1
  br label %row
end:
  ret void
}

; Columns of b in one piece each, with zeros up to a whole vector.
define private void @columns(i64 %k, ptr %b, i64 %rb, i64 %cb, ptr %out, i64 %step) {
entry:
  %one = insertelement <$LANES x i64> poison, i64 %rb, i64 0
  %all = shufflevector <$LANES x i64> %one, <$LANES x i64> poison, <$LANES x i32> zeroinitializer
  %offsets = mul <$LANES x i64> %all, $NUMBERED64
  br label %column
column:
  %j = phi i64 [0, %entry], [%j.next, %column.done]
  %b.n = mul i64 %j, %cb
  %b.p = getelementptr $WORD, ptr %b, i64 %b.n
  %o.n = mul i64 %j, %step
  %o.p = getelementptr $WORD, ptr %out, i64 %o.n
  br label %piece
piece:
  %p = phi i64 [0, %column], [%p.next, %piece]
  %left = sub i64 %k, %p
  %mask = call $MASK @inside(i64 %left)
  %f.n = mul i64 %p, %rb
  %f.p = getelementptr $WORD, ptr %b.p, i64 %f.n
  %places = getelementptr $WORD, ptr %f.p, <$LANES x i64> %offsets
  %x = call $VECTOR @llvm.masked.gather.$V.v$LANESp0(<$LANES x ptr> %places, i32 $SIZE, $MASK %mask, $VECTOR zeroinitializer)
  %t.p = getelementptr $WORD, ptr %o.p, i64 %p
  store $VECTOR %x, ptr %t.p, align $SIZE
  %p.next = add i64 %p, $LANES
  %more = icmp slt i64 %p.next, %k
  br i1 %more, label %piece, label %column.done
column.done:
  %j.next = add i64 %j, 1
  %again = icmp slt i64 %j.next, $N
  br i1 %again, label %column, label %end
end:
  ret void
}

define i64 @ag_dots_$KIND_$N(i64 %m, i64 %k, ptr %a, i64 %ra, ptr %b, i64 %rb, i64 %cb, ptr %c, i64 %ldc, i64 %add) {
entry:
  %job = alloca [8 x i64]
  %some = icmp sgt i64 %m, 0
  br i1 %some, label %start, label %nothing
start:
  call void @put(ptr %job, i64 0, i64 %k)
  %a.i = ptrtoint ptr %a to i64
  call void @put(ptr %job, i64 1, i64 %a.i)
  call void @put(ptr %job, i64 2, i64 %ra)
  %c.i = ptrtoint ptr %c to i64
  call void @put(ptr %job, i64 5, i64 %c.i)
  call void @put(ptr %job, i64 6, i64 %ldc)
  call void @put(ptr %job, i64 7, i64 %add)
  %over = urem i64 %k, $LANES
  %even = icmp eq i64 %over, 0
  %dense = icmp eq i64 %rb, 1
  %ready = and i1 %even, %dense
  br i1 %ready, label %work, label %pack
pack:
  %up = add i64 %k, $LANES
  %up1 = sub i64 %up, 1
  %rounded = and i64 %up1, -$LANES
  %size = mul i64 %rounded, $N
  %numbers = add i64 %size, $LANES ; a vector of zeros is written where k is 0
  %bytes = mul i64 %numbers, $SIZE
  %buffer = call ptr @ag_take(i64 %bytes)
  %missing = icmp eq ptr %buffer, null
  br i1 %missing, label %failed, label %copy
copy:
  call void @columns(i64 %k, ptr %b, i64 %rb, i64 %cb, ptr %buffer, i64 %rounded)
  br label %work
work:
  %columns = phi ptr [%b, %start], [%buffer, %copy]
  %step = phi i64 [%cb, %start], [%rounded, %copy]
  %mine = phi ptr [null, %start], [%buffer, %copy]
  %columns.i = ptrtoint ptr %columns to i64
  call void @put(ptr %job, i64 3, i64 %columns.i)
  call void @put(ptr %job, i64 4, i64 %step)
  %row = mul i64 %k, $N
  %total = mul i64 %row, %m
  %worth = icmp sge i64 %total, 1500000
  br i1 %worth, label %threads, label %alone
threads:
  %row1 = call i64 @llvm.smax.i64(i64 %row, i64 1)
  %rows = udiv i64 500000, %row1
  %grain = call i64 @llvm.smax.i64(i64 %rows, i64 $ROWS)
  call void @ag_parallel(ptr @part, ptr %job, i64 %m, i64 %grain)
  br label %done
alone:
  call void @part(ptr %job, i64 0, i64 %m)
  br label %done
done:
  call void @ag_give(ptr %mine)
  br label %nothing
nothing:
  ret i64 1
failed:
  ret i64 0
}
