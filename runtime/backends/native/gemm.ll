$HOW
;
; Matrix products around the kernels of gemm.py: what all their texts begin with. Each of the others is compiled when a
; product needs it: tiles.ll shares a product out, edges.ll, panels.ll and order.ll put operands in order, blocks.ll cuts them. Those that go
; over many numbers are compiled well, the others quickly.
;
; A job is words of eight bytes:
;   0 m  1 n  2 k  3 a  4 ra  5 ca  6 b  7 rb  8 from panel to panel of b  9 c  10 ldc  11 add  12 tiles of a block
;   13 parts of a block of rows  14 panels  15 the last panel, packed, if it has less columns than a tile
;   16 the least rows of a tile  17 tiles with one more  18 tiles, one above the other  19 whether a was put in order
;   20 where it is put  21 whether b was put into panels just now, some by each thread
;
; In order, tile after tile of a lies in one piece, and in it column after column.

declare i64 @llvm.smin.i64(i64, i64)
declare i64 @llvm.smax.i64(i64, i64)
declare void @ag_parallel(ptr, ptr, i64, i64)
declare ptr @ag_take(i64)
declare void @ag_give(ptr)
declare $VECTOR @llvm.masked.load.$V.p0(ptr, i32, $MASK, $VECTOR)
declare void @llvm.masked.store.$V.p0($VECTOR, ptr, i32, $MASK)

; Where the kernels are, by the rows of a tile, less one: those of whole panels, those of half ones; then what packs rows in
; one piece, what finishes edges, what packs columns with any steps, what puts rows of a in order. A place is filled when a
; product that needs it is compiled.
@ag_places = external global [$PLACES x ptr]

define private ptr @place(i64 %k) alwaysinline {
  %p = getelementptr ptr, ptr @ag_places, i64 %k
  %x = load ptr, ptr %p
  ret ptr %x
}
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

; The first row of a tile.
define private i64 @row(i64 %s, i64 %each, i64 %rest) alwaysinline {
  %rows = mul i64 %s, %each
  %more = call i64 @llvm.smin.i64(i64 %s, i64 %rest)
  %row = add i64 %rows, %more
  ret i64 %row
}

; How the rows of a result are divided: words 12 and 16 to 18 of a job, from 0 and 2.
define private void @divide(ptr %job) {
  %m = call i64 @word(ptr %job, i64 0)
  %k = call i64 @word(ptr %job, i64 2)
  %row = call i64 @llvm.smax.i64(i64 %k, i64 1)
  %fit = udiv i64 262144, %row ; bytes of the rows of a that stay in the cache
  %fit.n = udiv i64 %fit, $SIZE
  %fit.tiles = udiv i64 %fit.n, $ROWS
  %block = call i64 @llvm.smax.i64(i64 %fit.tiles, i64 1)
  %up = add i64 %m, $ROWS
  %up1 = sub i64 %up, 1
  %tiles = udiv i64 %up1, $ROWS
  %each = udiv i64 %m, %tiles
  %rest = urem i64 %m, %tiles
  call void @put(ptr %job, i64 12, i64 %block)
  call void @put(ptr %job, i64 16, i64 %each)
  call void @put(ptr %job, i64 17, i64 %rest)
  call void @put(ptr %job, i64 18, i64 %tiles)
  ret void
}

define private void @fill(ptr %job, i64 %m, i64 %n, i64 %k, ptr %a, i64 %ra, i64 %ca, ptr %c, i64 %ldc, i64 %add) {
  call void @put(ptr %job, i64 0, i64 %m)
  call void @put(ptr %job, i64 1, i64 %n)
  call void @put(ptr %job, i64 2, i64 %k)
  %a.i = ptrtoint ptr %a to i64
  call void @put(ptr %job, i64 3, i64 %a.i)
  call void @put(ptr %job, i64 4, i64 %ra)
  call void @put(ptr %job, i64 5, i64 %ca)
  %c.i = ptrtoint ptr %c to i64
  call void @put(ptr %job, i64 9, i64 %c.i)
  call void @put(ptr %job, i64 10, i64 %ldc)
  call void @put(ptr %job, i64 11, i64 %add)
  %up = add i64 %n, $COLUMNS
  %up1 = sub i64 %up, 1
  %panels = udiv i64 %up1, $COLUMNS
  call void @put(ptr %job, i64 14, i64 %panels)
  call void @put(ptr %job, i64 19, i64 0)
  call void @put(ptr %job, i64 21, i64 0)
  call void @divide(ptr %job)
  ret void
}

define private void @packed(ptr %job, ptr %b, i64 %ps) {
  %b.i = ptrtoint ptr %b to i64
  call void @put(ptr %job, i64 6, i64 %b.i)
  call void @put(ptr %job, i64 7, i64 $COLUMNS)
  call void @put(ptr %job, i64 8, i64 %ps)
  %panels = call i64 @word(ptr %job, i64 14)
  %before = sub i64 %panels, 1
  %skip = mul i64 %before, %ps
  %last = getelementptr $WORD, ptr %b, i64 %skip
  %last.i = ptrtoint ptr %last to i64
  call void @put(ptr %job, i64 15, i64 %last.i)
  ret void
}

; Memory of `room` bytes where that is enough, or a block of the pool.
define private ptr @space(i64 %size, ptr %own, i64 %room) {
  %fits = icmp ule i64 %size, %room
  %given = icmp ne ptr %own, null
  %there = and i1 %fits, %given
  br i1 %there, label %mine, label %take
mine:
  ret ptr %own
take:
  %block = call ptr @ag_take(i64 %size)
  ret ptr %block
}
define private void @unspace(ptr %block, ptr %own) {
  %mine = icmp eq ptr %block, %own
  br i1 %mine, label %done, label %give
give:
  call void @ag_give(ptr %block)
  ret void
done:
  ret void
}
