; A product in tiles: shared out, and as it is where its operands lie well. Begins with gemm.ll.

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
  %put.edge = call ptr @place(i64 $EDGE)
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
  %kernels = select i1 %narrow, i64 $ROWS, i64 0
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
  %kernel.one = add i64 %kernels, %mr
  %kernel.n = sub i64 %kernel.one, 1
  %kernel.at = getelementptr ptr, ptr @ag_places, i64 %kernel.n
  %kernel = load ptr, ptr %kernel.at
  call fastcc void %kernel(i64 %kc, ptr %a.tile, i64 %ra.tile, i64 %ca.tile, ptr %b.panel, i64 %rb.panel, ptr %c.tile,
                           i64 %ldc.tile, i64 %add.tile)
  br i1 %edge, label %copy, label %tile.end
copy:
  call void %put.edge(ptr %tmp, ptr %c.at, i64 %ldc, i64 %mr, i64 %left, i64 %add)
  br label %tile.end
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

; A job whose words 0 to 11 and 14 to 19 are set: all its parts, by threads if they are worth it.
define void @ag_share_$KIND(ptr %job) {
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

; b in panels.
define void @ag_pack_$KIND(i64 %k, i64 %n, ptr %b, i64 %rb, i64 %cb, ptr %out) {
entry:
  %job = alloca [6 x i64]
  call void @put(ptr %job, i64 0, i64 %k)
  call void @put(ptr %job, i64 1, i64 %n)
  %b.i = ptrtoint ptr %b to i64
  call void @put(ptr %job, i64 2, i64 %b.i)
  call void @put(ptr %job, i64 3, i64 %rb)
  call void @put(ptr %job, i64 4, i64 %cb)
  %out.i = ptrtoint ptr %out to i64
  call void @put(ptr %job, i64 5, i64 %out.i)
  %lies = icmp eq i64 %cb, 1
  %place = select i1 %lies, i64 $DENSE, i64 $ANY
  %panels.of = call ptr @place(i64 %place)
  %up = add i64 %n, $COLUMNS
  %up1 = sub i64 %up, 1
  %panels = udiv i64 %up1, $COLUMNS
  %work = mul i64 %panels, %k
  %worth = icmp sge i64 %work, 3072
  br i1 %worth, label %threads, label %alone
threads:
  %row = call i64 @llvm.smax.i64(i64 %k, i64 1)
  %grain = udiv i64 768, %row
  %grain1 = call i64 @llvm.smax.i64(i64 %grain, i64 1)
  call void @ag_parallel(ptr %panels.of, ptr %job, i64 %panels, i64 %grain1)
  ret void
alone:
  call void %panels.of(ptr %job, i64 0, i64 %panels)
  ret void
}

; Where b lies as it can be read, row after row: 1, or 0 where there is no memory
define i64 @ag_gemm_plain_$KIND(i64 %m, i64 %n, i64 %k, ptr %a, i64 %ra, i64 %ca, ptr %b, i64 %rb, i64 %cb, ptr %c, i64 %ldc,
                            i64 %add, ptr %own, i64 %room) {
entry:
  %job = alloca [22 x i64]
  %rows = icmp sgt i64 %m, 0
  %columns = icmp sgt i64 %n, 0
  %some = and i1 %rows, %columns
  br i1 %some, label %work, label %done
work:
  call void @fill(ptr %job, i64 %m, i64 %n, i64 %k, ptr %a, i64 %ra, i64 %ca, ptr %c, i64 %ldc, i64 %add)
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
  %last = phi ptr [null, %work], [%e, %edge.pack]
  %last.i = ptrtoint ptr %last to i64
  call void @put(ptr %job, i64 15, i64 %last.i)
  call void @ag_share_$KIND(ptr %job)
  call void @unspace(ptr %last, ptr %own)
  ret i64 1
done:
  ret i64 1
failed:
  ret i64 0
}
