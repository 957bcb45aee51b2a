; quick
; A pool of threads that share the iterations of a loop.
;
;   ag_parallel(fn, ctx, n, grain)   fn(ctx, lo, hi) over pieces of [0, n), none shorter than `grain` but the last;
;                                    returns when all are done
;   ag_threads(count)                how many threads take part, the caller among them
;   ag_forked()                      in a new process: its copy of the pool has no threads
;
; One caller has the pool at a time. Another, and one that is itself a piece of such a loop, runs its loop alone.
; A job is open while @open holds its number. Workers count themselves in, look whether it is still open, and take
; pieces; the caller takes pieces, too, closes the job, and waits for those inside: never for one that sleeps.
; The caller and every other worker take pieces from the first on, the rest from the last on, so that in loops over the
; same memory each finds in its own cache what it had before.
; A worker without work looks for some time, then sleeps on the condition. To wake it costs more than little work gains:
; it is done for much work, and for little that comes soon after other work, as in loops. It leaves the processor on which the caller
; was seen: systems that put threads together to save power, or in a virtual machine, would let them take turns there.

@wanted = internal global i64 1
@workers = internal global i64 0
@generation = internal global i64 0
@function = internal global ptr null
@context = internal global ptr null
@count = internal global i64 0
@piece = internal global i64 0
@busy = internal global i64 0, align 64
@open = internal global i64 0, align 64
@inside = internal global i64 0, align 64
@sleepers = internal global i64 0, align 64
@taken = internal global i64 0, align 64 ; pieces from the first on, and from the last on times 2^32
@ended = internal global i64 0 ; when the last job was done
@place = internal global i32 -1, align 64 ; the caller's processor
@mutex = internal global [32 x i64] zeroinitializer, align 64
@condition = internal global [32 x i64] zeroinitializer, align 64

declare i32 @pthread_create(ptr, ptr, ptr, ptr)
declare i32 @pthread_detach(ptr)
declare i32 @pthread_mutex_init(ptr, ptr)
declare i32 @pthread_mutex_lock(ptr)
declare i32 @pthread_mutex_unlock(ptr)
declare i32 @pthread_cond_init(ptr, ptr)
declare i32 @pthread_cond_wait(ptr, ptr)
declare i32 @pthread_cond_broadcast(ptr)
declare i32 @pthread_sigmask(i32, ptr, ptr)
declare i32 @sigfillset(ptr)
declare i32 @sched_yield()

declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
$PLACES
define private i64 @now() alwaysinline {
  %now = $NOW
  ret i64 %now
}
declare i64 @llvm.readcyclecounter()
define private void @pause() alwaysinline {
  $PAUSE
  ret void
}

; Take pieces until there are none: from the last on if the number of the thread is odd.
define private void @share(ptr %fn, ptr %ctx, i64 %n, i64 %piece, i64 %number) {
entry:
  %odd = and i64 %number, 1
  %back = icmp ne i64 %odd, 0
  %mine = select i1 %back, i64 4294967296, i64 1
  %up = add i64 %n, %piece
  %up1 = sub i64 %up, 1
  %pieces = sdiv i64 %up1, %piece
  br label %take
take:
  %old = atomicrmw add ptr @taken, i64 %mine seq_cst
  %first = and i64 %old, 4294967295
  %last = lshr i64 %old, 32
  %both = add i64 %first, %last
  %some = icmp slt i64 %both, %pieces
  br i1 %some, label %work, label %done
work:
  %end.k = sub i64 %pieces, %last
  %last.k = sub i64 %end.k, 1
  %k = select i1 %back, i64 %last.k, i64 %first
  %lo = mul i64 %k, %piece
  %end = add i64 %lo, %piece
  %hi = call i64 @llvm.smin.i64(i64 %end, i64 %n)
  call void %fn(ptr %ctx, i64 %lo, i64 %hi)
  br label %take
done:
  ret void
}
declare i64 @llvm.smin.i64(i64, i64)
declare i64 @llvm.smax.i64(i64, i64)

; The life of a worker; its number counts from 1.
define private ptr @worker(ptr %number.p) {
entry:
  %signals = alloca [32 x i64], align 16
  %filled = call i32 @sigfillset(ptr %signals)
  %masked = call i32 @pthread_sigmask(i32 $SIG_BLOCK, ptr %signals, ptr null)
  %number = ptrtoint ptr %number.p to i64
  %processors = alloca [16 x i64], align 16
  call void @llvm.memset.p0.i64(ptr %processors, i8 0, i64 128, i1 false)
  call void @processors(ptr %processors)
  br label %rest
rest:
  %last = phi i64 [0, %entry], [%last, %late], [%g, %finish]
  %avoided = phi i32 [-1, %entry], [%place, %late], [%place, %finish]
  %place = load atomic i32, ptr @place monotonic, align 4
  %met = icmp ne i32 %place, %avoided
  br i1 %met, label %depart, label %watch
depart:
  call void @avoid(ptr %processors, i32 %place)
  br label %watch
watch:
  br label %look
look:
  %turn = phi i64 [0, %watch], [%turn1, %again]
  %g = load atomic i64, ptr @open seq_cst, align 8
  %closed = icmp eq i64 %g, 0
  %old = icmp eq i64 %g, %last
  %idle = or i1 %closed, %old
  br i1 %idle, label %wait, label %invited
invited:
  %wanted = load atomic i64, ptr @wanted monotonic, align 8
  %mine = icmp slt i64 %number, %wanted
  br i1 %mine, label %enter, label %wait
wait:
  %turn1 = add i64 %turn, 1
  %long = icmp sgt i64 %turn, $TURNS
  br i1 %long, label %sleep, label %spin
spin:
  call void @pause()
  br label %again
again:
  br label %look
sleep:
  %locked = call i32 @pthread_mutex_lock(ptr @mutex)
  %before = atomicrmw add ptr @sleepers, i64 1 seq_cst
  br label %check
check:
  %g2 = load atomic i64, ptr @open seq_cst, align 8
  %closed2 = icmp eq i64 %g2, 0
  %old2 = icmp eq i64 %g2, %last
  %idle2 = or i1 %closed2, %old2
  %wanted2 = load atomic i64, ptr @wanted monotonic, align 8
  %spare = icmp sge i64 %number, %wanted2
  %stay = or i1 %idle2, %spare
  br i1 %stay, label %lie, label %rise
lie:
  %woken = call i32 @pthread_cond_wait(ptr @condition, ptr @mutex)
  br label %check
rise:
  %after = atomicrmw sub ptr @sleepers, i64 1 seq_cst
  %unlocked = call i32 @pthread_mutex_unlock(ptr @mutex)
  br label %late
enter:
  %entered = atomicrmw add ptr @inside, i64 1 seq_cst
  %still = load atomic i64, ptr @open seq_cst, align 8
  %same = icmp eq i64 %still, %g
  br i1 %same, label %run, label %leave
leave:
  %left = atomicrmw sub ptr @inside, i64 1 seq_cst
  br label %late
late:
  br label %rest
run:
  %fn = load ptr, ptr @function
  %ctx = load ptr, ptr @context
  %n = load i64, ptr @count
  %piece = load i64, ptr @piece
  call void @share(ptr %fn, ptr %ctx, i64 %n, i64 %piece, i64 %number)
  %gone = atomicrmw sub ptr @inside, i64 1 seq_cst
  br label %finish
finish:
  br label %rest
}

; Make the workers that are missing. The caller has the pool.
define private void @hire(i64 %threads) {
entry:
  %thread = alloca [4 x i64], align 16
  %have = load i64, ptr @workers
  %first = icmp eq i64 %have, 0
  br i1 %first, label %start, label %test
start:
  %m = call i32 @pthread_mutex_init(ptr @mutex, ptr null)
  %c = call i32 @pthread_cond_init(ptr @condition, ptr null)
  br label %test
test:
  %k = phi i64 [%have, %entry], [%have, %start], [%k1, %made]
  %k1 = add i64 %k, 1
  %enough = icmp sge i64 %k1, %threads
  br i1 %enough, label %done, label %make
make:
  %number = inttoptr i64 %k1 to ptr
  %failed = call i32 @pthread_create(ptr %thread, ptr null, ptr @worker, ptr %number)
  %ok = icmp eq i32 %failed, 0
  br i1 %ok, label %made, label %done
made:
  store i64 %k1, ptr @workers
  %id = load ptr, ptr %thread
  %detached = call i32 @pthread_detach(ptr %id)
  br label %test
done:
  ret void
}

define void @ag_parallel(ptr %fn, ptr %ctx, i64 %n, i64 %grain) {
entry:
  %threads = load atomic i64, ptr @wanted monotonic, align 8
  %one = icmp sle i64 %threads, 1
  %small = icmp sle i64 %n, %grain
  %serial = or i1 %one, %small
  br i1 %serial, label %alone, label %try
try:
  %pair = cmpxchg ptr @busy, i64 0, i64 1 seq_cst seq_cst
  %mine = extractvalue { i64, i1 } %pair, 1
  br i1 %mine, label %ours, label %alone
alone:
  %any = icmp sgt i64 %n, 0
  br i1 %any, label %whole, label %nothing
whole:
  call void %fn(ptr %ctx, i64 0, i64 %n)
  br label %nothing
nothing:
  ret void
ours:
  %have = load i64, ptr @workers
  %with = add i64 %have, 1
  %few = icmp slt i64 %with, %threads
  br i1 %few, label %more, label %open
more:
  call void @hire(i64 %threads)
  br label %open
open:
  %parts = mul i64 %threads, 4
  %up = add i64 %n, %parts
  %up1 = sub i64 %up, 1
  %even = sdiv i64 %up1, %parts
  %piece = call i64 @llvm.smax.i64(i64 %even, i64 %grain)
  store ptr %fn, ptr @function
  store ptr %ctx, ptr @context
  store i64 %n, ptr @count
  store i64 %piece, ptr @piece
  store atomic i64 0, ptr @taken seq_cst, align 8
  %place = call i32 @here()
  store atomic i32 %place, ptr @place monotonic, align 4
  %g = load i64, ptr @generation
  %g1 = add i64 %g, 1
  store i64 %g1, ptr @generation
  store atomic i64 %g1, ptr @open seq_cst, align 8
  %asleep = load atomic i64, ptr @sleepers seq_cst, align 8
  %nobody = icmp eq i64 %asleep, 0
  br i1 %nobody, label %work, label %judge
judge:
  %now = call i64 @now()
  %then = load i64, ptr @ended
  %since = sub i64 %now, %then
  %soon = icmp ult i64 %since, $SOON
  %much.n = mul i64 %grain, $MUCH
  %much = icmp sge i64 %n, %much.n
  %worth = or i1 %soon, %much
  br i1 %worth, label %wake, label %work
wake:
  %locked = call i32 @pthread_mutex_lock(ptr @mutex)
  %told = call i32 @pthread_cond_broadcast(ptr @condition)
  %unlocked = call i32 @pthread_mutex_unlock(ptr @mutex)
  br label %work
work:
  call void @share(ptr %fn, ptr %ctx, i64 %n, i64 %piece, i64 0)
  store atomic i64 0, ptr @open seq_cst, align 8
  br label %await
await:
  %turn = phi i64 [0, %work], [%turn1, %stay]
  %turn1 = add i64 %turn, 1
  %in = load atomic i64, ptr @inside seq_cst, align 8
  %empty = icmp eq i64 %in, 0
  br i1 %empty, label %close, label %hold
hold:
  %patient = icmp slt i64 %turn, 1000
  br i1 %patient, label %spin, label %yield
spin:
  call void @pause()
  br label %stay
yield:
  %yielded = call i32 @sched_yield()
  br label %stay
stay:
  br label %await
close:
  %end = call i64 @now()
  store i64 %end, ptr @ended
  store atomic i64 0, ptr @busy seq_cst, align 8
  ret void
}

define void @ag_threads(i64 %count) {
  %n = call i64 @llvm.smax.i64(i64 %count, i64 1)
  store atomic i64 %n, ptr @wanted seq_cst, align 8
  ret void
}

define void @ag_forked() {
  store i64 0, ptr @workers
  store i64 0, ptr @busy
  store i64 0, ptr @open
  store i64 0, ptr @inside
  store i64 0, ptr @sleepers
  ret void
}
