; The arguments of a call into the slots of native code: the records of sources, see dispatch.ll.

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
