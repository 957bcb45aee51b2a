; What native code has made into the objects of a call's result: the records of outputs, see dispatch.ll.

; A new array; data is what `ag_take` gave, and the array owns it.
define private ptr @new_array(ptr %record, ptr %dims, ptr %data) alwaysinline {
entry:
  %descr.i = call i64 @word(ptr %record, i64 1)
  %descr = inttoptr i64 %descr.i to ptr
  call void @Py_IncRef(ptr %descr)
  %rank = call i64 @word(ptr %record, i64 3)
  %nd = trunc i64 %rank to i32
  %fresh = icmp eq ptr %data, null
  %flags = select i1 %fresh, i32 0, i32 1281
  %array = call ptr @PyArray_NewFromDescr(ptr @PyArray_Type, ptr %descr, i32 %nd, ptr %dims, ptr null, ptr %data,
                                          i32 %flags, ptr null)
  %failed = icmp eq ptr %array, null
  br i1 %fresh, label %done, label %given
given:
  br i1 %failed, label %lost, label %own
lost:
  call void @ag_give(ptr %data)
  br label %done
own:
  call void @Py_IncRef(ptr @ag_handler)
  %handler.p = getelementptr i8, ptr %array, i64 $HANDLER
  store ptr @ag_handler, ptr %handler.p
  %flags.p = getelementptr i8, ptr %array, i64 $FLAGS
  %now = load i32, ptr %flags.p
  %owned = or i32 %now, 4
  store i32 %owned, ptr %flags.p
  br label %done
done:
  ret ptr %array
}

; Memory for an output whose sizes are known before the call.
define private ptr @prepare(ptr %table, ptr %record, ptr %in) alwaysinline {
entry:
  %dims = alloca [64 x i64]
  %rank = call i64 @word(ptr %record, i64 3)
  %pairs.n = call i64 @word(ptr %record, i64 5)
  %pairs = getelementptr i8, ptr %table, i64 %pairs.n
  %item = call i64 @word(ptr %record, i64 4)
  br label %size
size:
  %k = phi i64 [0, %entry], [%k1, %next]
  %bytes = phi i64 [%item, %entry], [%bytes1, %next]
  %wrong = phi i1 [false, %entry], [%wrong1, %next]
  %k1 = add i64 %k, 1
  %k2 = mul i64 %k, 2
  %n = call i64 @word(ptr %pairs, i64 %k2)
  %known = icmp sge i64 %n, 0
  br i1 %known, label %next, label %look
look:
  %k3 = add i64 %k2, 1
  %s = call i64 @word(ptr %pairs, i64 %k3)
  %given = call i64 @word(ptr %in, i64 %s)
  br label %next
next:
  %extent = phi i64 [%n, %size], [%given, %look]
  %to = getelementptr i64, ptr %dims, i64 %k
  store i64 %extent, ptr %to
  %product = call {i64, i1} @llvm.umul.with.overflow.i64(i64 %bytes, i64 %extent)
  %bytes1 = extractvalue {i64, i1} %product, 0
  %over = extractvalue {i64, i1} %product, 1
  %wrong1 = or i1 %wrong, %over
  %more = icmp slt i64 %k1, %rank
  br i1 %more, label %size, label %make
make:
  %large = icmp uge i64 %bytes1, $LARGE
  %right = xor i1 %wrong1, true
  %ours = and i1 %large, %right
  br i1 %ours, label %take, label %leave
take:
  %data = call ptr @ag_take(i64 %bytes1)
  br label %leave
leave:
  %memory = phi ptr [null, %make], [%data, %take]
  %array = call ptr @new_array(ptr %record, ptr %dims, ptr %memory)
  ret ptr %array
}

; The object of an output that was not prepared.
define private ptr @collect(ptr %record, ptr %out) alwaysinline {
entry:
  %kind = call i64 @word(ptr %record, i64 0)
  %slot.n = call i64 @word(ptr %record, i64 6)
  %slot = getelementptr i64, ptr %out, i64 %slot.n
  switch i64 %kind, label %array [i64 1, label %scalar
                                  i64 2, label %float
                                  i64 3, label %int
                                  i64 4, label %bool]
scalar:
  %type.i = call i64 @word(ptr %record, i64 2)
  %known = icmp ne i64 %type.i, 0
  br i1 %known, label %make, label %ask
make:
  %type = inttoptr i64 %type.i to ptr
  %s.new = call ptr @_PyObject_New(ptr %type)
  %unmade = icmp eq ptr %s.new, null
  br i1 %unmade, label %failed, label %fill
fill:
  %value.p = getelementptr i8, ptr %s.new, i64 $SCALAR
  %bytes = call i64 @word(ptr %record, i64 4)
  call void @put(ptr %value.p, ptr %slot, i64 %bytes)
  ret ptr %s.new
failed:
  ret ptr null
ask:
  %descr.i = call i64 @word(ptr %record, i64 1)
  %descr = inttoptr i64 %descr.i to ptr
  %s = call ptr @PyArray_Scalar(ptr %slot, ptr %descr, ptr null)
  ret ptr %s
float:
  %d = load double, ptr %slot
  %f = call ptr @PyFloat_FromDouble(double %d)
  ret ptr %f
int:
  %n = load i64, ptr %slot
  %i = call ptr @PyLong_FromLongLong(i64 %n)
  ret ptr %i
bool:
  %bit = load i8, ptr %slot
  %bit64 = zext i8 %bit to i64
  %b = call ptr @PyBool_FromLong(i64 %bit64)
  ret ptr %b
array:
  %data = load ptr, ptr %slot
  %dims = getelementptr i64, ptr %slot, i64 1
  %a = call ptr @new_array(ptr %record, ptr %dims, ptr %data)
  ret ptr %a
}

define private void @release(ptr %objects, i64 %count) {
entry:
  %some = icmp sgt i64 %count, 0
  br i1 %some, label %each, label %done
each:
  %k = phi i64 [0, %entry], [%k1, %next]
  %k1 = add i64 %k, 1
  %x = call i64 @word(ptr %objects, i64 %k)
  %empty = icmp eq i64 %x, 0
  br i1 %empty, label %next, label %drop
drop:
  %p = inttoptr i64 %x to ptr
  call void @Py_DecRef(ptr %p)
  br label %next
next:
  %more = icmp slt i64 %k1, %count
  br i1 %more, label %each, label %done
done:
  ret void
}

define private ptr @boxed(ptr %table, ptr %payload) alwaysinline {
entry:
  %type.i = call i64 @word(ptr %table, i64 10)
  %type = inttoptr i64 %type.i to ptr
  %make.i = call i64 @word(ptr %table, i64 14)
  %make = inttoptr i64 %make.i to ptr
  %box = call ptr %make(ptr %type, i64 0)
  %failed = icmp eq ptr %box, null
  br i1 %failed, label %drop, label %fill
drop:
  call void @Py_DecRef(ptr %payload)
  ret ptr null
fill:
  %offset = call i64 @word(ptr %table, i64 11)
  %place = getelementptr i8, ptr %box, i64 %offset
  store ptr %payload, ptr %place
  ret ptr %box
}
