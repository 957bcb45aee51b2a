; Products whose operands are cut into blocks and put in order. Begins with gemm.ll.

declare void @ag_share_$KIND(ptr)
declare void @ag_pack_$KIND(i64, i64, ptr, i64, i64, ptr)
declare i64 @ag_gemm_plain_$KIND(i64, i64, i64, ptr, i64, i64, ptr, i64, i64, ptr, i64, i64, ptr, i64)

; Put a of a job in order, into memory for it.
define private void @order(ptr %job, ptr %out) {
entry:
  %of.tiles = call ptr @place(i64 $ORDER)
  %out.i = ptrtoint ptr %out to i64
  call void @put(ptr %job, i64 20, i64 %out.i)
  %m = call i64 @word(ptr %job, i64 0)
  %k = call i64 @word(ptr %job, i64 2)
  %tiles = call i64 @word(ptr %job, i64 18)
  %work = mul i64 %m, %k
  %worth = icmp sge i64 %work, 49152
  br i1 %worth, label %threads, label %alone
threads:
  %tile = mul i64 %k, $ROWS
  %grain = udiv i64 16384, %tile
  %grain1 = call i64 @llvm.smax.i64(i64 %grain, i64 1)
  call void @ag_parallel(ptr %of.tiles, ptr %job, i64 %tiles, i64 %grain1)
  br label %done
alone:
  call void %of.tiles(ptr %job, i64 0, i64 %tiles)
  br label %done
done:
  call void @put(ptr %job, i64 3, i64 %out.i)
  call void @put(ptr %job, i64 19, i64 1)
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
  %mc = call i64 @llvm.smin.i64(i64 %m, i64 $BLOCK)
  %size = mul i64 %mc, 256
  %bytes = mul i64 %size, $SIZE
  %buffer = call ptr @ag_take(i64 %bytes)
  %missing = icmp eq ptr %buffer, null
  br i1 %missing, label %whole, label %inner
whole:
  call void @fill(ptr %job, i64 %m, i64 %n, i64 %k, ptr %a, i64 %ra, i64 %ca, ptr %c, i64 %ldc, i64 %add)
  call void @packed(ptr %job, ptr %b, i64 %ps)
  call void @ag_share_$KIND(ptr %job)
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
  call void @ag_share_$KIND(ptr %job)
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

; In blocks that fit into the caches, with b in panels, and rows of a in order where `ordered`.
define private i64 @copies(i64 %m, i64 %n, i64 %k, ptr %a, i64 %ra, i64 %ca, ptr %b, i64 %rb, i64 %cb, ptr %c, i64 %ldc,
                           i64 %add, ptr %own, i64 %room, i1 %ordered) {
entry:
  %job = alloca [22 x i64]
  %rows = icmp sgt i64 %m, 0
  %columns = icmp sgt i64 %n, 0
  %some = and i1 %rows, %columns
  br i1 %some, label %copies, label %done
copies:
  %short = icmp sle i64 %k, 384
  %kc = select i1 %short, i64 %k, i64 256
  %nc = call i64 @llvm.smin.i64(i64 %n, i64 1024)
  %nc.more = add i64 %nc, $COLUMNS
  %nc.less = sub i64 %nc.more, 1
  %nc.panels = udiv i64 %nc.less, $COLUMNS
  %nc.up = mul i64 %nc.panels, $COLUMNS
  %size = mul i64 %nc.up, %kc
  %mc.most = call i64 @llvm.smin.i64(i64 %m, i64 $BLOCK)
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
  call void @ag_share_$KIND(ptr %job)
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

define i64 @ag_gemm_copied_$KIND(i64 %m, i64 %n, i64 %k, ptr %a, i64 %ra, i64 %ca, ptr %b, i64 %rb, i64 %cb, ptr %c, i64 %ldc,
                            i64 %add, ptr %own, i64 %room) {
  %done = call i64 @copies(i64 %m, i64 %n, i64 %k, ptr %a, i64 %ra, i64 %ca, ptr %b, i64 %rb, i64 %cb, ptr %c, i64 %ldc,
                           i64 %add, ptr %own, i64 %room, i1 0)
  ret i64 %done
}
define i64 @ag_gemm_ordered_$KIND(i64 %m, i64 %n, i64 %k, ptr %a, i64 %ra, i64 %ca, ptr %b, i64 %rb, i64 %cb, ptr %c, i64 %ldc,
                            i64 %add, ptr %own, i64 %room) {
  %done = call i64 @copies(i64 %m, i64 %n, i64 %k, ptr %a, i64 %ra, i64 %ca, ptr %b, i64 %rb, i64 %cb, ptr %c, i64 %ldc,
                           i64 %add, ptr %own, i64 %room, i1 1)
  ret i64 %done
}

; As it is found out here: 1, or 0 where there is no memory
define i64 @ag_gemm_$KIND(i64 %m, i64 %n, i64 %k, ptr %a, i64 %ra, i64 %ca, ptr %b, i64 %rb, i64 %cb, ptr %c, i64 %ldc,
                            i64 %add, ptr %own, i64 %room) {
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
  %plain.done = call i64 @ag_gemm_plain_$KIND(i64 %m, i64 %n, i64 %k, ptr %a, i64 %ra, i64 %ca, ptr %b, i64 %rb, i64 %cb,
                                              ptr %c, i64 %ldc, i64 %add, ptr %own, i64 %room)
  ret i64 %plain.done
copies:
  %copies.done = call i64 @copies(i64 %m, i64 %n, i64 %k, ptr %a, i64 %ra, i64 %ca, ptr %b, i64 %rb, i64 %cb, ptr %c,
                                  i64 %ldc, i64 %add, ptr %own, i64 %room, i1 %ordered)
  ret i64 %copies.done
}
