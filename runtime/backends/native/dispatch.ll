; written
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
