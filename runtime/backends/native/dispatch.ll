; quick
; The entry of native code: a function of CPython's fast-call convention that serves every signature by a table.
;
; `self` is a bytes object that holds the table (dispatch.py writes it): words of eight bytes,
;
;   0 run  1 arguments  2 sources  3 outputs  4 mode  5 GIL  6 input slots  7 output slots
;   8 offset of source records  9 offset of output records  10 Tensor  11 offset of a tensor's content
;   12 constants  13 offset of their addresses  14 what makes a Tensor, as PyType_GenericAlloc does
;
;   GIL: 1 is released, 2 is kept but other Python code may run (signals); then the inputs are held
;   mode: 0 takes payloads, gives a list of payloads (None: an argument is not of its type; False: the code refused)
;         1 takes tensors, gives a tensor; 2 gives a tuple of tensors (None: do it another way)
;
; A source record is where an input comes from and what it has to be, eight words:
;
;   0 kind  1 descriptor  2 scalar type  3 rank  4 item size  5 offset of sizes  6 slot  7 object (0: the next argument)
;
;   kind: 0 array, 1 scalar with a dtype, 2 float, 3 int, 4 bool, 5 an argument that must be this object, or the same number or text;
;         6 a NumPy scalar as a bare number, whose code is in place of the descriptor: float64, float32, int8 to int64, uint8
;           (bool too) to uint64, from 0;
;         + 16: it is in a tensor
;   sizes: a number; -1 any; -2 - s: what is in input slot s
;
; An output record, eight words:
;
;   0 kind  1 descriptor  2 scalar type (0: NumPy makes it)  3 rank  4 item size  5 offset of (size or -1, slot) pairs  6 slot  7 -
;
;   kind: 0 array made here, 1 scalar with a dtype, 2 float, 3 int, 4 bool, 5 array in memory that the code took (pool.ll)
;
; Words with a dollar are offsets in CPython's and NumPy's structures, measured before this is compiled.

@PyArray_Type = external global i8
@PyFloat_Type = external global i8
@PyLong_Type = external global i8
@PyUnicode_Type = external global i8
@_Py_TrueStruct = external global i8
@_Py_FalseStruct = external global i8
@_Py_NoneStruct = external global i8
@ag_handler = external global i8

declare void @Py_IncRef(ptr)
declare void @Py_DecRef(ptr)
declare i32 @PyObject_RichCompareBool(ptr, ptr, i32)
declare i64 @PyLong_AsLongLongAndOverflow(ptr, ptr)
declare ptr @PyFloat_FromDouble(double)
declare ptr @PyLong_FromLongLong(i64)
declare ptr @PyBool_FromLong(i64)
declare ptr @PyList_New(i64)
declare i32 @PyList_SetItem(ptr, i64, ptr)
declare ptr @PyTuple_New(i64)
declare i32 @PyTuple_SetItem(ptr, i64, ptr)
declare ptr @_PyObject_New(ptr)
declare ptr @PyEval_SaveThread()
declare void @PyEval_RestoreThread(ptr)
declare ptr @PyArray_NewFromDescr(ptr, ptr, i32, ptr, ptr, ptr, i32, ptr)
declare ptr @PyArray_Scalar(ptr, ptr, ptr)
declare i32 @ag_pending()
declare ptr @ag_take(i64)
declare void @ag_give(ptr)
declare {i64, i1} @llvm.umul.with.overflow.i64(i64, i64)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)

define private i64 @word(ptr %record, i64 %index) alwaysinline {
  %p = getelementptr i64, ptr %record, i64 %index
  %v = load i64, ptr %p
  ret i64 %v
}

define private ptr @pointer(ptr %object, i64 %offset) alwaysinline {
  %p = getelementptr i8, ptr %object, i64 %offset
  %v = load ptr, ptr %p
  ret ptr %v
}

; An item of one, two, four or eight bytes into a slot whose other bytes are zero.
define private void @put(ptr %slot, ptr %from, i64 %size) alwaysinline {
  store i64 0, ptr %slot
  switch i64 %size, label %eight [i64 4, label %four
                                  i64 1, label %one
                                  i64 2, label %two]
eight:
  %v8 = load i64, ptr %from, align 1
  store i64 %v8, ptr %slot
  ret void
four:
  %v4 = load i32, ptr %from, align 1
  store i32 %v4, ptr %slot
  ret void
two:
  %v2 = load i16, ptr %from, align 1
  store i16 %v2, ptr %slot
  ret void
one:
  %v1 = load i8, ptr %from
  store i8 %v1, ptr %slot
  ret void
}

; Whether an object is an array of the descriptor and rank of a record, contiguous and aligned.
define private i1 @is_array(ptr %x, ptr %record) alwaysinline {
entry:
  %type = call ptr @pointer(ptr %x, i64 $TYPE)
  %exact = icmp eq ptr %type, @PyArray_Type
  br i1 %exact, label %array, label %no
array:
  %descr = call ptr @pointer(ptr %x, i64 $DESCR)
  %descr.i = ptrtoint ptr %descr to i64
  %wanted = call i64 @word(ptr %record, i64 1)
  %same = icmp eq i64 %descr.i, %wanted
  %nd.p = getelementptr i8, ptr %x, i64 $ND
  %nd = load i32, ptr %nd.p
  %nd64 = sext i32 %nd to i64
  %rank = call i64 @word(ptr %record, i64 3)
  %ranked = icmp eq i64 %nd64, %rank
  %flags.p = getelementptr i8, ptr %x, i64 $FLAGS
  %flags = load i32, ptr %flags.p
  %kept = and i32 %flags, 257
  %laid = icmp eq i32 %kept, 257
  %a = and i1 %same, %ranked
  %b = and i1 %a, %laid
  ret i1 %b
no:
  ret i1 false
}

; The slots of one input; false where the object is not what the record says.
define private i1 @read(ptr %table, ptr %record, ptr %x, ptr %in) alwaysinline {
entry:
  %over = alloca i32
  %kind.full = call i64 @word(ptr %record, i64 0)
  %kind = and i64 %kind.full, 15
  %slot.n = call i64 @word(ptr %record, i64 6)
  %slot = getelementptr i64, ptr %in, i64 %slot.n
  switch i64 %kind, label %no [i64 0, label %array
                               i64 1, label %scalar
                               i64 2, label %float
                               i64 3, label %int
                               i64 4, label %bool
                               i64 6, label %bare]
array:
  %fits = call i1 @is_array(ptr %x, ptr %record)
  br i1 %fits, label %sizes, label %no
sizes:
  %data = call ptr @pointer(ptr %x, i64 $DATA)
  store ptr %data, ptr %slot
  %rank = call i64 @word(ptr %record, i64 3)
  %have = call ptr @pointer(ptr %x, i64 $DIMS)
  %want.n = call i64 @word(ptr %record, i64 5)
  %want = getelementptr i8, ptr %table, i64 %want.n
  br label %size
size:
  %k = phi i64 [0, %sizes], [%k1, %stored]
  %k1 = add i64 %k, 1
  %n = call i64 @word(ptr %have, i64 %k)
  %w = call i64 @word(ptr %want, i64 %k)
  %fixed = icmp sge i64 %w, 0
  br i1 %fixed, label %compare, label %open
open:
  %any = icmp eq i64 %w, -1
  br i1 %any, label %store, label %shared
shared:
  %s = sub i64 -2, %w
  %other = call i64 @word(ptr %in, i64 %s)
  br label %compare
compare:
  %needed = phi i64 [%w, %size], [%other, %shared]
  %equal = icmp eq i64 %n, %needed
  br i1 %equal, label %store, label %no
store:
  %to = getelementptr i64, ptr %slot, i64 %k1
  store i64 %n, ptr %to
  br label %stored
stored:
  %more = icmp slt i64 %k1, %rank
  br i1 %more, label %size, label %yes
scalar:
  %type = call ptr @pointer(ptr %x, i64 $TYPE)
  %type.i = ptrtoint ptr %type to i64
  %class = call i64 @word(ptr %record, i64 2)
  %bytes = call i64 @word(ptr %record, i64 4)
  %generic = icmp eq i64 %type.i, %class
  br i1 %generic, label %inside, label %zero_d
inside:
  %value = getelementptr i8, ptr %x, i64 $SCALAR
  call void @put(ptr %slot, ptr %value, i64 %bytes)
  ret i1 true
zero_d:
  %fits0 = call i1 @is_array(ptr %x, ptr %record)
  br i1 %fits0, label %pointed, label %no
pointed:
  %data0 = call ptr @pointer(ptr %x, i64 $DATA)
  call void @put(ptr %slot, ptr %data0, i64 %bytes)
  ret i1 true
float:
  %ftype = call ptr @pointer(ptr %x, i64 $TYPE)
  %isfloat = icmp eq ptr %ftype, @PyFloat_Type
  br i1 %isfloat, label %number, label %no
number:
  %fvalue.p = getelementptr i8, ptr %x, i64 $FLOAT
  %fvalue = load double, ptr %fvalue.p
  store double %fvalue, ptr %slot
  ret i1 true
int:
  %itype = call ptr @pointer(ptr %x, i64 $TYPE)
  %isint = icmp eq ptr %itype, @PyLong_Type
  br i1 %isint, label %whole, label %no
whole:
  %ivalue = call i64 @PyLong_AsLongLongAndOverflow(ptr %x, ptr %over)
  %outside = load i32, ptr %over
  %inside64 = icmp eq i32 %outside, 0
  store i64 %ivalue, ptr %slot
  ret i1 %inside64
bare:
  %btype = call ptr @pointer(ptr %x, i64 $TYPE)
  %btype.i = ptrtoint ptr %btype to i64
  %bclass = call i64 @word(ptr %record, i64 2)
  %isbare = icmp eq i64 %btype.i, %bclass
  br i1 %isbare, label %convert, label %no
convert:
  %content = getelementptr i8, ptr %x, i64 $SCALAR
  %code = call i64 @word(ptr %record, i64 1)
  switch i64 %code, label %no [i64 0, label %c0
                               i64 1, label %c1
                               i64 2, label %c2
                               i64 3, label %c3
                               i64 4, label %c4
                               i64 5, label %c5
                               i64 6, label %c6
                               i64 7, label %c7
                               i64 8, label %c8
                               i64 9, label %c9]
c0:
  %v0 = load double, ptr %content
  store double %v0, ptr %slot
  ret i1 true
c1:
  %v1 = load float, ptr %content
  %w1 = fpext float %v1 to double
  store double %w1, ptr %slot
  ret i1 true
c2:
  %v2 = load i8, ptr %content
  %w2 = sext i8 %v2 to i64
  store i64 %w2, ptr %slot
  ret i1 true
c3:
  %v3 = load i16, ptr %content
  %w3 = sext i16 %v3 to i64
  store i64 %w3, ptr %slot
  ret i1 true
c4:
  %v4 = load i32, ptr %content
  %w4 = sext i32 %v4 to i64
  store i64 %w4, ptr %slot
  ret i1 true
c5:
  %v5 = load i64, ptr %content
  store i64 %v5, ptr %slot
  ret i1 true
c6:
  %v6 = load i8, ptr %content
  %w6 = zext i8 %v6 to i64
  store i64 %w6, ptr %slot
  ret i1 true
c7:
  %v7 = load i16, ptr %content
  %w7 = zext i16 %v7 to i64
  store i64 %w7, ptr %slot
  ret i1 true
c8:
  %v8 = load i32, ptr %content
  %w8 = zext i32 %v8 to i64
  store i64 %w8, ptr %slot
  ret i1 true
c9:
  %v9 = load i64, ptr %content
  %fits9 = icmp sge i64 %v9, 0
  store i64 %v9, ptr %slot
  ret i1 %fits9
bool:
  %true = icmp eq ptr %x, @_Py_TrueStruct
  %false = icmp eq ptr %x, @_Py_FalseStruct
  %either = or i1 %true, %false
  %bit = zext i1 %true to i64
  store i64 %bit, ptr %slot
  ret i1 %either
yes:
  ret i1 true
no:
  ret i1 false
}

; Whether two objects are the same number or text: of one type, floats by their bits.
define private i1 @same_value(ptr %x, ptr %y) {
entry:
  %x.type = call ptr @pointer(ptr %x, i64 $TYPE)
  %y.type = call ptr @pointer(ptr %y, i64 $TYPE)
  %alike = icmp eq ptr %x.type, %y.type
  br i1 %alike, label %which, label %no
which:
  %isfloat = icmp eq ptr %x.type, @PyFloat_Type
  br i1 %isfloat, label %bits, label %others
bits:
  %x.bits = call ptr @pointer(ptr %x, i64 $FLOAT)
  %y.bits = call ptr @pointer(ptr %y, i64 $FLOAT)
  %equal = icmp eq ptr %x.bits, %y.bits
  ret i1 %equal
others:
  %isint = icmp eq ptr %x.type, @PyLong_Type
  %istext = icmp eq ptr %x.type, @PyUnicode_Type
  %plain = or i1 %isint, %istext
  br i1 %plain, label %compare, label %no
compare:
  %c = call i32 @PyObject_RichCompareBool(ptr %x, ptr %y, i32 2)
  %same = icmp eq i32 %c, 1
  ret i1 %same
no:
  ret i1 false
}

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

; Whether an argument is also an earlier one: what is written to one box is written to both.
define private i1 @repeated(ptr %args, i64 %index) alwaysinline {
entry:
  %x = call i64 @word(ptr %args, i64 %index)
  br label %test
test:
  %k = phi i64 [0, %entry], [%k1, %look]
  %more = icmp slt i64 %k, %index
  br i1 %more, label %look, label %no
look:
  %k1 = add i64 %k, 1
  %y = call i64 @word(ptr %args, i64 %k)
  %same = icmp eq i64 %x, %y
  br i1 %same, label %yes, label %test
yes:
  ret i1 true
no:
  ret i1 false
}

define ptr @ag_call(ptr %self, ptr %args, i64 %nargs) {
entry:
  %table = getelementptr i8, ptr %self, i64 $BYTES
  %expected = call i64 @word(ptr %table, i64 1)
  %count = call i64 @word(ptr %table, i64 2)
  %outputs = call i64 @word(ptr %table, i64 3)
  %mode = call i64 @word(ptr %table, i64 4)
  %big.w = call i64 @word(ptr %table, i64 5)
  %big.bit = and i64 %big.w, 1
  %big = icmp ne i64 %big.bit, 0
  %holds = icmp ne i64 %big.w, 0
  %in.n = call i64 @word(ptr %table, i64 6)
  %out.n = call i64 @word(ptr %table, i64 7)
  %sources.n = call i64 @word(ptr %table, i64 8)
  %sources = getelementptr i8, ptr %table, i64 %sources.n
  %results.n = call i64 @word(ptr %table, i64 9)
  %results = getelementptr i8, ptr %table, i64 %results.n
  %constants = call i64 @word(ptr %table, i64 12)
  %constants.n = call i64 @word(ptr %table, i64 13)
  %addresses = getelementptr i8, ptr %table, i64 %constants.n
  %right = icmp eq i64 %nargs, %expected
  br i1 %right, label %frame, label %misfit
frame:
  %in.all = add i64 %in.n, %constants
  %in = alloca i64, i64 %in.all, align 16
  %out = alloca i64, i64 %out.n, align 16
  %made.n = add i64 %outputs, 1
  %made = alloca i64, i64 %made.n, align 16
  %held.n = select i1 %holds, i64 %count, i64 0
  %held = alloca i64, i64 %held.n, align 16
  store i64 0, ptr %made
  %usual.o = icmp ule i64 %outputs, 1
  %usual.c = icmp eq i64 %constants, 0
  %usual.h = xor i1 %holds, true
  %usual.oc = and i1 %usual.o, %usual.c
  %usual = and i1 %usual.oc, %usual.h
  br i1 %usual, label %begin, label %clear
clear:
  %in.end = getelementptr i64, ptr %in, i64 %in.n
  %constants.bytes = mul i64 %constants, 8
  call void @llvm.memcpy.p0.p0.i64(ptr %in.end, ptr %addresses, i64 %constants.bytes, i1 false)
  %made.bytes = mul i64 %outputs, 8
  call void @llvm.memset.p0.i64(ptr %made, i8 0, i64 %made.bytes, i1 false)
  %held.bytes = mul i64 %held.n, 8
  call void @llvm.memset.p0.i64(ptr %held, i8 0, i64 %held.bytes, i1 false)
  br label %begin
begin:
  %none = icmp eq i64 %count, 0
  br i1 %none, label %prepare, label %source

source:
  %i = phi i64 [0, %begin], [%i1, %taken]
  %arg = phi i64 [0, %begin], [%arg1, %taken]
  %i1 = add i64 %i, 1
  %r.n = mul i64 %i, 8
  %record = getelementptr i64, ptr %sources, i64 %r.n
  %kind = call i64 @word(ptr %record, i64 0)
  %fixed.i = call i64 @word(ptr %record, i64 7)
  %constant = icmp eq i64 %kind, 5
  br i1 %constant, label %identity, label %find
identity:
  %here = call i64 @word(ptr %args, i64 %arg)
  %identical = icmp eq i64 %here, %fixed.i
  %arg.id = add i64 %arg, 1
  br i1 %identical, label %taken, label %other
other:
  %here.p = inttoptr i64 %here to ptr
  %fixed.p = inttoptr i64 %fixed.i to ptr
  %alike = call i1 @same_value(ptr %here.p, ptr %fixed.p)
  br i1 %alike, label %taken, label %misfit.held
find:
  %isarg = icmp eq i64 %fixed.i, 0
  br i1 %isarg, label %argument, label %outside
argument:
  %given.i = call i64 @word(ptr %args, i64 %arg)
  %arg.next = add i64 %arg, 1
  br label %found
outside:
  br label %found
found:
  %object.i = phi i64 [%given.i, %argument], [%fixed.i, %outside]
  %arg.after = phi i64 [%arg.next, %argument], [%arg, %outside]
  %object = inttoptr i64 %object.i to ptr
  %wrapped.b = and i64 %kind, 16
  %wrapped = icmp ne i64 %wrapped.b, 0
  br i1 %wrapped, label %box, label %bare
box:
  br i1 %isarg, label %check, label %open
check:
  %type = call ptr @pointer(ptr %object, i64 $TYPE)
  %type.i = ptrtoint ptr %type to i64
  %tensor = call i64 @word(ptr %table, i64 10)
  %istensor = icmp eq i64 %type.i, %tensor
  br i1 %istensor, label %unique, label %misfit.held
unique:
  %twice = call i1 @repeated(ptr %args, i64 %arg)
  br i1 %twice, label %misfit.held, label %open
open:
  %offset = call i64 @word(ptr %table, i64 11)
  %content = call ptr @pointer(ptr %object, i64 %offset)
  %unset = icmp eq ptr %content, null
  br i1 %unset, label %misfit.held, label %payload
bare:
  br label %payload
payload:
  %x = phi ptr [%content, %open], [%object, %bare]
  %ok = call i1 @read(ptr %table, ptr %record, ptr %x, ptr %in)
  br i1 %ok, label %hold, label %misfit.held
hold:
  br i1 %holds, label %keep, label %taken
keep:
  call void @Py_IncRef(ptr %x)
  %place = getelementptr ptr, ptr %held, i64 %i
  store ptr %x, ptr %place
  br label %taken
taken:
  %arg1 = phi i64 [%arg.id, %identity], [%arg.id, %other], [%arg.after, %hold], [%arg.after, %keep]
  %more = icmp slt i64 %i1, %count
  br i1 %more, label %source, label %prepare

prepare:
  %no.outputs = icmp eq i64 %outputs, 0
  br i1 %no.outputs, label %run, label %each
each:
  %k = phi i64 [0, %prepare], [%k1, %prepared]
  %k1 = add i64 %k, 1
  %o.n = mul i64 %k, 8
  %o = getelementptr i64, ptr %results, i64 %o.n
  %okind = call i64 @word(ptr %o, i64 0)
  %ours = icmp eq i64 %okind, 0
  br i1 %ours, label %allocate, label %prepared
allocate:
  %array = call ptr @prepare(ptr %table, ptr %o, ptr %in)
  %failed = icmp eq ptr %array, null
  br i1 %failed, label %error, label %placed
placed:
  %m.p = getelementptr ptr, ptr %made, i64 %k
  store ptr %array, ptr %m.p
  %o.slot = call i64 @word(ptr %o, i64 6)
  %o.p = getelementptr i64, ptr %out, i64 %o.slot
  %o.data = call ptr @pointer(ptr %array, i64 $DATA)
  store ptr %o.data, ptr %o.p
  br label %prepared
prepared:
  %again = icmp slt i64 %k1, %outputs
  br i1 %again, label %each, label %run

run:
  %code.i = call i64 @word(ptr %table, i64 0)
  %code = inttoptr i64 %code.i to ptr
  br i1 %big, label %alone, label %with
alone:
  %thread = call ptr @PyEval_SaveThread()
  %status.a = call i64 %code(ptr %in, ptr %out)
  call void @PyEval_RestoreThread(ptr %thread)
  br label %ran
with:
  %status.w = call i64 %code(ptr %in, ptr %out)
  br label %ran
ran:
  %status = phi i64 [%status.a, %alone], [%status.w, %with]
  call void @release(ptr %held, i64 %held.n)
  %good = icmp eq i64 %status, 0
  br i1 %good, label %gather, label %bad
bad:
  call void @release(ptr %made, i64 %outputs)
  %pending = call i32 @ag_pending()
  %raised = icmp ne i32 %pending, 0
  br i1 %raised, label %raise, label %refused
refused:
  %plain = icmp eq i64 %mode, 0
  br i1 %plain, label %false, label %misfit
false:
  call void @Py_IncRef(ptr @_Py_FalseStruct)
  ret ptr @_Py_FalseStruct

gather:
  br i1 %no.outputs, label %deliver, label %item
item:
  %j = phi i64 [0, %gather], [%j1, %gathered]
  %j1 = add i64 %j, 1
  %p.n = mul i64 %j, 8
  %p = getelementptr i64, ptr %results, i64 %p.n
  %g.p = getelementptr ptr, ptr %made, i64 %j
  %have = load ptr, ptr %g.p
  %missing = icmp eq ptr %have, null
  br i1 %missing, label %collect, label %wrap
collect:
  %new = call ptr @collect(ptr %p, ptr %out)
  %lost = icmp eq ptr %new, null
  br i1 %lost, label %error.made, label %wrap
wrap:
  %result = phi ptr [%have, %item], [%new, %collect]
  %unboxed = icmp eq i64 %mode, 0
  br i1 %unboxed, label %gathered, label %tensor.new
tensor.new:
  store ptr null, ptr %g.p
  %b = call ptr @boxed(ptr %table, ptr %result)
  %unmade = icmp eq ptr %b, null
  br i1 %unmade, label %error.made, label %gathered
gathered:
  %final = phi ptr [%result, %wrap], [%b, %tensor.new]
  store ptr %final, ptr %g.p
  %rest = icmp slt i64 %j1, %outputs
  br i1 %rest, label %item, label %deliver

deliver:
  switch i64 %mode, label %tuple [i64 0, label %list
                                  i64 1, label %single]
single:
  %only = load ptr, ptr %made
  ret ptr %only
list:
  %l = call ptr @PyList_New(i64 %outputs)
  %l.failed = icmp eq ptr %l, null
  br i1 %l.failed, label %error.made, label %fill
tuple:
  %t = call ptr @PyTuple_New(i64 %outputs)
  %t.failed = icmp eq ptr %t, null
  br i1 %t.failed, label %error.made, label %fill
fill:
  %holder = phi ptr [%l, %list], [%t, %tuple]
  br i1 %no.outputs, label %finished, label %put
put:
  %q = phi i64 [0, %fill], [%q1, %next]
  %q1 = add i64 %q, 1
  %h.p = getelementptr ptr, ptr %made, i64 %q
  %h = load ptr, ptr %h.p
  %islist = icmp eq i64 %mode, 0
  br i1 %islist, label %into.list, label %into.tuple
into.list:
  %ignored.l = call i32 @PyList_SetItem(ptr %holder, i64 %q, ptr %h)
  br label %next
into.tuple:
  %ignored.t = call i32 @PyTuple_SetItem(ptr %holder, i64 %q, ptr %h)
  br label %next
next:
  %left = icmp slt i64 %q1, %outputs
  br i1 %left, label %put, label %finished
finished:
  ret ptr %holder

misfit.held:
  call void @release(ptr %held, i64 %held.n)
  br label %misfit
misfit:
  call void @Py_IncRef(ptr @_Py_NoneStruct)
  ret ptr @_Py_NoneStruct
error:
  call void @release(ptr %held, i64 %held.n)
  br label %error.made
error.made:
  call void @release(ptr %made, i64 %outputs)
  br label %raise
raise:
  ret ptr null
}
