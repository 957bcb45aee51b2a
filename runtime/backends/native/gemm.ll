; final
;
; Matrix products around the kernels of gemm.py: panels, blocks that fit into the caches, threads.
;
; A job is words of eight bytes:
;   0 m  1 n  2 k  3 a  4 ra  5 ca  6 b  7 rb  8 from panel to panel of b  9 c  10 ldc  11 add  12 tiles of a block
;   13 parts of a block of rows  14 panels  15 the last panel, packed, if it has less columns than a tile
;   16 the least rows of a tile  17 tiles with one more  18 tiles, one above the other  19 whether a was put in order
;   20 where it is put  21 whether b was put into panels just now, some by each thread
;
; In order, tile after tile of a lies in one piece, and in it column after column.

declare $VECTOR $FMA($VECTOR, $VECTOR, $VECTOR)
declare i64 @llvm.smin.i64(i64, i64)
declare i64 @llvm.smax.i64(i64, i64)
declare void @ag_parallel(ptr, ptr, i64, i64)
declare void @llvm.prefetch.p0(ptr, i32, i32, i32)
declare ptr @ag_take(i64)
declare void @ag_give(ptr)
declare $VECTOR @llvm.masked.load.$V.p0(ptr, i32, $MASK, $VECTOR)
declare void @llvm.masked.store.$V.p0($VECTOR, ptr, i32, $MASK)

$KERNELS

; by the rows of a tile, less one
@wholes = private unnamed_addr constant [$ROWS x ptr] [$WHOLES]
@halves = private unnamed_addr constant [$ROWS x ptr] [$HALVES]

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

; Parts of the result: part t is a block of rows, or one panel of it.
define private void @parts(ptr %job, i64 %lo, i64 %hi) {
entry:
  %tmp = alloca [$NUMBERS x $WORD], align 64
  %m = call i64 @word(ptr %job, i64 0)
  %n = call i64 @word(ptr %job, i64 1)
  %kc = call i64 @word(ptr %job, i64 2)
  %a.i = call i64 @word(ptr %job, i64 3)
  %a = inttoptr i64 %a.i to ptr
  %ra = call i64 @word(ptr %job, i64 4)
  %ca = call i64 @word(ptr %job, i64 5)
  %b.i = call i64 @word(ptr %job, i64 6)
  %b = inttoptr i64 %b.i to ptr
  %rb = call i64 @word(ptr %job, i64 7)
  %ps = call i64 @word(ptr %job, i64 8)
  %c.i = call i64 @word(ptr %job, i64 9)
  %c = inttoptr i64 %c.i to ptr
  %ldc = call i64 @word(ptr %job, i64 10)
  %add = call i64 @word(ptr %job, i64 11)
  %block = call i64 @word(ptr %job, i64 12)
  %each = call i64 @word(ptr %job, i64 16)
  %rest = call i64 @word(ptr %job, i64 17)
  %tiles = call i64 @word(ptr %job, i64 18)
  %ordered.i = call i64 @word(ptr %job, i64 19)
  %ordered = icmp ne i64 %ordered.i, 0
  %a.pitch = select i1 %ordered, i64 %kc, i64 %ra
  %ra.tile = select i1 %ordered, i64 1, i64 %ra
  %split = call i64 @word(ptr %job, i64 13)
  %panels = call i64 @word(ptr %job, i64 14)
  %last.i = call i64 @word(ptr %job, i64 15)
  %last = inttoptr i64 %last.i to ptr
  %whole = icmp eq i64 %split, 1
  %adds = icmp ne i64 %add, 0
  br label %part
part:
  %t = phi i64 [%lo, %entry], [%t.next, %part.done]
  %going = icmp slt i64 %t, %hi
  br i1 %going, label %rows, label %end
rows:
  %r = sdiv i64 %t, %split
  %g = srem i64 %t, %split
  %s.first = mul i64 %r, %block
  %s.last = add i64 %s.first, %block
  %s.end = call i64 @llvm.smin.i64(i64 %s.last, i64 %tiles)
  %g1 = add i64 %g, 1
  %j.end = select i1 %whole, i64 %panels, i64 %g1
  br label %panel
panel:
  %j = phi i64 [%g, %rows], [%j.next, %panel.done]
  %col = mul i64 %j, $COLUMNS
  %left = sub i64 %n, %col
  %edge = icmp slt i64 %left, $COLUMNS
  %narrow = icmp sle i64 %left, $LANES
  %kernels = select i1 %narrow, ptr @halves, ptr @wholes
  %b.step = mul i64 %j, %ps
  %b.at = getelementptr $WORD, ptr %b, i64 %b.step
  %b.panel = select i1 %edge, ptr %last, ptr %b.at
  %rb.panel = select i1 %edge, i64 $COLUMNS, i64 %rb
  %ldc.tile = select i1 %edge, i64 $COLUMNS, i64 %ldc
  %add.tile = select i1 %edge, i64 0, i64 %add
  br label %tile
tile:
  %s = phi i64 [%s.first, %panel], [%s.next, %tile.end]
  %row = call i64 @row(i64 %s, i64 %each, i64 %rest)
  %longer = icmp slt i64 %s, %rest
  %one = zext i1 %longer to i64
  %mr = add i64 %each, %one
  %ca.tile = select i1 %ordered, i64 %mr, i64 %ca
  %a.step = mul i64 %row, %a.pitch
  %a.tile = getelementptr $WORD, ptr %a, i64 %a.step
  %c.row = mul i64 %row, %ldc
  %c.step = add i64 %c.row, %col
  %c.at = getelementptr $WORD, ptr %c, i64 %c.step
  %c.tile = select i1 %edge, ptr %tmp, ptr %c.at
  %rows.less = sub i64 %mr, 1
  %kernel.at = getelementptr ptr, ptr %kernels, i64 %rows.less
  %kernel = load ptr, ptr %kernel.at
  call fastcc void %kernel(i64 %kc, ptr %a.tile, i64 %ra.tile, i64 %ca.tile, ptr %b.panel, i64 %rb.panel, ptr %c.tile,
                           i64 %ldc.tile, i64 %add.tile)
  br i1 %edge, label %copy, label %tile.end
copy:
  br label %copy.row
copy.row:
  %x = phi i64 [0, %copy], [%x.next, %copy.next]
  %to.row = mul i64 %x, %ldc
  %from.row = mul i64 %x, $COLUMNS
  br label %copy.one
copy.one:
  %y = phi i64 [0, %copy.row], [%y.next, %copy.done]
  %from.n = add i64 %from.row, %y
  %from = getelementptr $WORD, ptr %tmp, i64 %from.n
  %to.n = add i64 %to.row, %y
  %to = getelementptr $WORD, ptr %c.at, i64 %to.n
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
  br i1 %x.more, label %copy.row, label %tile.end
tile.end:
  %s.next = add i64 %s, 1
  %s.more = icmp slt i64 %s.next, %s.end
  br i1 %s.more, label %tile, label %panel.done
panel.done:
  %j.next = add i64 %j, 1
  %j.more = icmp slt i64 %j.next, %j.end
  br i1 %j.more, label %panel, label %part.done
part.done:
  %t.next = add i64 %t, 1
  br label %part
end:
  ret void
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

; A job whose words 0 to 11 and 14 to 19 are set: all its parts, by threads if they are worth it.
define private void @run(ptr %job) {
entry:
  %m = call i64 @word(ptr %job, i64 0)
  %n = call i64 @word(ptr %job, i64 1)
  %k = call i64 @word(ptr %job, i64 2)
  %panels = call i64 @word(ptr %job, i64 14)
  %most = call i64 @word(ptr %job, i64 12)
  %tiles = call i64 @word(ptr %job, i64 18)
  ; two blocks at least, where a cache has room for all of b: a thread then has rows of its own, which it makes and reads
  %half.up = add i64 %tiles, 1
  %half = udiv i64 %half.up, 2
  %kn = mul i64 %k, %n
  %small = icmp sle i64 %kn, $NEAR
  %high = icmp sge i64 %tiles, 4
  %fresh = call i64 @word(ptr %job, i64 21)
  %settled = icmp eq i64 %fresh, 0
  %small.settled = and i1 %small, %settled
  %two = and i1 %small.settled, %high
  %fewer = call i64 @llvm.smin.i64(i64 %half, i64 %most)
  %block = select i1 %two, i64 %fewer, i64 %most
  call void @put(ptr %job, i64 12, i64 %block)
  %up = add i64 %tiles, %block
  %up1 = sub i64 %up, 1
  %blocks = udiv i64 %up1, %block
  %few = icmp slt i64 %blocks, 16
  %split = select i1 %few, i64 %panels, i64 1
  call void @put(ptr %job, i64 13, i64 %split)
  %parts = mul i64 %blocks, %split
  %mn = mul i64 %m, %n
  %work = mul i64 %mn, %k
  ; the result may be needed by one processor: it costs as much to bring it there as some more products for each number
  %short = icmp slt i64 %k, 100
  %worth.from = select i1 %short, i64 $MORE, i64 $SHARED
  %worth = icmp sge i64 %work, %worth.from
  br i1 %worth, label %threads, label %alone
threads:
  %part = udiv i64 %work, %parts
  %part1 = call i64 @llvm.smax.i64(i64 %part, i64 1)
  %grain = udiv i64 $GRAIN, %part1
  %grain1 = call i64 @llvm.smax.i64(i64 %grain, i64 1)
  call void @ag_parallel(ptr @parts, ptr %job, i64 %parts, i64 %grain1)
  ret void
alone:
  call void @parts(ptr %job, i64 0, i64 %parts)
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

define void @ag_gemm_packed_$KIND(i64 %m, i64 %n, i64 %k, ptr %a, i64 %ra, i64 %ca, ptr %b, ptr %c, i64 %ldc, i64 %add) {
entry:
  %job = alloca [22 x i64]
  %rows = icmp sgt i64 %m, 0
  %columns = icmp sgt i64 %n, 0
  %some = and i1 %rows, %columns
  br i1 %some, label %work, label %done
work:
  %ps = mul i64 %k, $COLUMNS
  %deep = icmp sgt i64 %k, 512
  %several = icmp sge i64 %m, 128
  %wide = icmp sge i64 %n, 256
  %large.0 = and i1 %deep, %several
  %large = and i1 %large.0, %wide
  br i1 %large, label %take, label %whole
take:
  %mc = call i64 @llvm.smin.i64(i64 %m, i64 1536)
  %size = mul i64 %mc, 256
  %bytes = mul i64 %size, $SIZE
  %buffer = call ptr @ag_take(i64 %bytes)
  %missing = icmp eq ptr %buffer, null
  br i1 %missing, label %whole, label %inner
whole:
  call void @fill(ptr %job, i64 %m, i64 %n, i64 %k, ptr %a, i64 %ra, i64 %ca, ptr %c, i64 %ldc, i64 %add)
  call void @packed(ptr %job, ptr %b, i64 %ps)
  call void @run(ptr %job)
  ret void
inner: ; blocks of k whose rows of a are put in order
  %p = phi i64 [0, %take], [%p.next, %inner.done]
  %p.left = sub i64 %k, %p
  %p.count = call i64 @llvm.smin.i64(i64 %p.left, i64 256)
  %first = icmp eq i64 %p, 0
  %add.now = select i1 %first, i64 %add, i64 1
  %a.n = mul i64 %p, %ca
  %a.at = getelementptr $WORD, ptr %a, i64 %a.n
  %b.n = mul i64 %p, $COLUMNS
  %b.at = getelementptr $WORD, ptr %b, i64 %b.n
  br label %outer
outer:
  %i = phi i64 [0, %inner], [%i.next, %outer]
  %i.left = sub i64 %m, %i
  %i.count = call i64 @llvm.smin.i64(i64 %i.left, i64 %mc)
  %a.i = mul i64 %i, %ra
  %a.part = getelementptr $WORD, ptr %a.at, i64 %a.i
  %c.i = mul i64 %i, %ldc
  %c.at = getelementptr $WORD, ptr %c, i64 %c.i
  call void @fill(ptr %job, i64 %i.count, i64 %n, i64 %p.count, ptr %a.part, i64 %ra, i64 %ca, ptr %c.at, i64 %ldc,
                  i64 %add.now)
  call void @packed(ptr %job, ptr %b.at, i64 %ps)
  call void @order(ptr %job, ptr %buffer)
  call void @run(ptr %job)
  %i.next = add i64 %i, %mc
  %i.more = icmp slt i64 %i.next, %m
  br i1 %i.more, label %outer, label %inner.done
inner.done:
  %p.next = add i64 %p, 256
  %p.more = icmp slt i64 %p.next, %k
  br i1 %p.more, label %inner, label %give
give:
  call void @ag_give(ptr %buffer)
  ret void
done:
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

; 1, or 0 where there is no memory
define i64 @ag_gemm_$KIND(i64 %m, i64 %n, i64 %k, ptr %a, i64 %ra, i64 %ca, ptr %b, i64 %rb, i64 %cb, ptr %c, i64 %ldc,
                            i64 %add, ptr %own, i64 %room) {
entry:
  %job = alloca [22 x i64]
  %rows = icmp sgt i64 %m, 0
  %columns = icmp sgt i64 %n, 0
  %some = and i1 %rows, %columns
  br i1 %some, label %work, label %done
work:
  call void @fill(ptr %job, i64 %m, i64 %n, i64 %k, ptr %a, i64 %ra, i64 %ca, ptr %c, i64 %ldc, i64 %add)
  ; rows of b that lie a multiple of 2048 bytes apart share few places of the cache
  %bytes = mul i64 %rb, $SIZE
  %low = and i64 %bytes, 2047
  %apart = icmp eq i64 %low, 0
  %k.many = icmp sge i64 %k, 512
  %least = select i1 %k.many, i64 32, i64 64
  %several = icmp sge i64 %m, %least
  %clash = and i1 %apart, %several
  %n.many = icmp sge i64 %n, 384
  %kn.some = and i1 %k.many, %n.many
  %k.most = icmp sgt i64 %k, 1024
  %kn.many = or i1 %kn.some, %k.most
  %from.shallow = select i1 %k.many, i64 256, i64 600
  %from.m = select i1 %kn.many, i64 96, i64 %from.shallow
  %many = icmp sge i64 %m, %from.m
  ; columns of a that lie far apart are on a page each; so are rows, where a tile's are at the same places of the cache
  %a.down = icmp ne i64 %ca, 1
  %a.some = icmp sge i64 %m, 128
  %a.wide = icmp sge i64 %n, 96
  %a.high = icmp sge i64 %m, 1000
  %a.high.wide = and i1 %a.high, %a.wide
  %a.400 = icmp sge i64 %n, 400
  %a.200 = icmp sge i64 %k, 200
  %a.large.0 = and i1 %a.400, %a.200
  %a.large = and i1 %a.large.0, %a.some
  %a.repays = or i1 %a.high.wide, %a.large
  %a.turned = and i1 %a.down, %a.repays
  %a.long = icmp sge i64 %n, $FAR
  %a.deep = icmp sgt i64 %k, 1024
  %a.half = icmp sge i64 %n, 256
  %a.both = and i1 %a.deep, %a.half
  %a.either = or i1 %a.long, %a.both
  %a.rows.0 = and i1 %a.some, %a.either
  %a.far = icmp sgt i64 %ra, 384
  %a.rows = and i1 %a.rows.0, %a.far
  %ordered = or i1 %a.turned, %a.rows
  %pack.0 = or i1 %clash, %many
  %pack.1 = or i1 %pack.0, %ordered
  %b.down = icmp ne i64 %cb, 1
  %pack = or i1 %pack.1, %b.down
  br i1 %pack, label %copies, label %plain

plain:
  %b.i = ptrtoint ptr %b to i64
  call void @put(ptr %job, i64 6, i64 %b.i)
  call void @put(ptr %job, i64 7, i64 %rb)
  call void @put(ptr %job, i64 8, i64 $COLUMNS)
  %over = urem i64 %n, $COLUMNS
  %even = icmp eq i64 %over, 0
  br i1 %even, label %plain.run, label %edge
edge:
  %e.size = mul i64 %k, $COLUMNS
  %e.bytes = mul i64 %e.size, $SIZE
  %e = call ptr @space(i64 %e.bytes, ptr %own, i64 %room)
  %e.none = icmp eq ptr %e, null
  br i1 %e.none, label %failed, label %edge.pack
edge.pack:
  %e.col = sub i64 %n, %over
  %e.from = getelementptr $WORD, ptr %b, i64 %e.col
  call void @ag_pack_$KIND(i64 %k, i64 %over, ptr %e.from, i64 %rb, i64 1, ptr %e)
  br label %plain.run
plain.run:
  %last = phi ptr [null, %plain], [%e, %edge.pack]
  %last.i = ptrtoint ptr %last to i64
  call void @put(ptr %job, i64 15, i64 %last.i)
  call void @run(ptr %job)
  call void @unspace(ptr %last, ptr %own)
  ret i64 1

copies:
  %short = icmp sle i64 %k, 384
  %kc = select i1 %short, i64 %k, i64 256
  %nc = call i64 @llvm.smin.i64(i64 %n, i64 1024)
  %nc.more = add i64 %nc, $COLUMNS
  %nc.less = sub i64 %nc.more, 1
  %nc.panels = udiv i64 %nc.less, $COLUMNS
  %nc.up = mul i64 %nc.panels, $COLUMNS
  %size = mul i64 %nc.up, %kc
  %mc.most = call i64 @llvm.smin.i64(i64 %m, i64 1536)
  %mc = select i1 %ordered, i64 %mc.most, i64 %m
  %a.size.0 = mul i64 %mc.most, %kc
  %a.size = select i1 %ordered, i64 %a.size.0, i64 0
  %sizes = add i64 %size, %a.size
  %size.bytes = mul i64 %sizes, $SIZE
  %buffer = call ptr @space(i64 %size.bytes, ptr %own, i64 %room)
  %a.buffer = getelementptr $WORD, ptr %buffer, i64 %size
  %missing = icmp eq ptr %buffer, null
  br i1 %missing, label %failed, label %inner
inner:
  %p = phi i64 [0, %copies], [%p.next, %outer.done]
  %p.left = sub i64 %k, %p
  %p.count = call i64 @llvm.smin.i64(i64 %p.left, i64 %kc)
  %first = icmp eq i64 %p, 0
  %add.now = select i1 %first, i64 %add, i64 1
  %a.n = mul i64 %p, %ca
  %a.at = getelementptr $WORD, ptr %a, i64 %a.n
  %b.n = mul i64 %p, %rb
  %b.row = getelementptr $WORD, ptr %b, i64 %b.n
  br label %outer
outer:
  %j = phi i64 [0, %inner], [%j.next, %rows.done]
  %j.left = sub i64 %n, %j
  %j.count = call i64 @llvm.smin.i64(i64 %j.left, i64 %nc)
  %b.j = mul i64 %j, %cb
  %b.at = getelementptr $WORD, ptr %b.row, i64 %b.j
  call void @ag_pack_$KIND(i64 %p.count, i64 %j.count, ptr %b.at, i64 %rb, i64 %cb, ptr %buffer)
  br label %rows.part
rows.part:
  %i = phi i64 [0, %outer], [%i.next, %multiply]
  %i.left = sub i64 %m, %i
  %i.count = call i64 @llvm.smin.i64(i64 %i.left, i64 %mc)
  %a.i = mul i64 %i, %ra
  %a.part = getelementptr $WORD, ptr %a.at, i64 %a.i
  %c.i = mul i64 %i, %ldc
  %c.n = add i64 %c.i, %j
  %c.at = getelementptr $WORD, ptr %c, i64 %c.n
  call void @fill(ptr %job, i64 %i.count, i64 %j.count, i64 %p.count, ptr %a.part, i64 %ra, i64 %ca, ptr %c.at,
                  i64 %ldc, i64 %add.now)
  %ps = mul i64 %p.count, $COLUMNS
  call void @packed(ptr %job, ptr %buffer, i64 %ps)
  call void @put(ptr %job, i64 21, i64 1)
  br i1 %ordered, label %in.order, label %multiply
in.order:
  call void @order(ptr %job, ptr %a.buffer)
  br label %multiply
multiply:
  call void @run(ptr %job)
  %i.next = add i64 %i, %mc
  %i.more = icmp slt i64 %i.next, %m
  br i1 %i.more, label %rows.part, label %rows.done
rows.done:
  %j.next = add i64 %j, %nc
  %j.more = icmp slt i64 %j.next, %n
  br i1 %j.more, label %outer, label %outer.done
outer.done:
  %p.next = add i64 %p, %kc
  %p.more = icmp slt i64 %p.next, %k
  br i1 %p.more, label %inner, label %give
give:
  call void @unspace(ptr %buffer, ptr %own)
  ret i64 1
done:
  ret i64 1
failed:
  ret i64 0
}
