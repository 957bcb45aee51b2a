; quick
; What Python calls for an object with entries: C functions, or functions of Python's, that may do a call (dispatch.ll).
;
; The object keeps, at $CALLS, an object that keeps at $ENTRIES a tuple of pairs: an entry, and None or a function that
; says whether the entry still fits. They are tried in turn; one that gives None has done nothing. Where none does the call,
; where there are keywords, and while @ag_busy is not empty, Python's function does it.
;
; Words with a dollar are offsets in structures, measured before this is compiled.

@PyCFunction_Type = external global i8
@_Py_TrueStruct = external global i8
@_Py_NoneStruct = external global i8
@ag_busy = external global i8
@ag_general = external global i8
@ag_method = external global i8
@ag_nothing = external global i8

declare void @Py_IncRef(ptr)
declare void @Py_DecRef(ptr)
declare ptr @PyObject_CallNoArgs(ptr)
declare ptr @PyObject_Vectorcall(ptr, ptr, i64, ptr)
declare ptr @ag_call(ptr, ptr, i64)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)

define private ptr @at(ptr %object, i64 %offset) alwaysinline {
  %p = getelementptr i8, ptr %object, i64 %offset
  %v = load ptr, ptr %p
  ret ptr %v
}

define private i64 @number(ptr %object, i64 %offset) alwaysinline {
  %p = getelementptr i8, ptr %object, i64 %offset
  %v = load i64, ptr %p
  ret i64 %v
}

; The call as Python does it, with the object as the first argument.
define private ptr @general(ptr %self, ptr %args, i64 %positional, ptr %names) noinline {
entry:
  %none = icmp eq ptr %names, null
  br i1 %none, label %make, label %named
named:
  %more = call i64 @number(ptr %names, i64 $SIZE)
  br label %make
make:
  %keywords = phi i64 [0, %entry], [%more, %named]
  %given = add i64 %positional, %keywords
  %count = add i64 %given, 1
  %all = alloca ptr, i64 %count
  store ptr %self, ptr %all
  %rest = getelementptr ptr, ptr %all, i64 1
  %bytes = mul i64 %given, 8
  call void @llvm.memcpy.p0.p0.i64(ptr %rest, ptr %args, i64 %bytes, i1 false)
  %n = add i64 %positional, 1
  %result = call ptr @PyObject_Vectorcall(ptr @ag_general, ptr %all, i64 %n, ptr %names)
  ret ptr %result
}

; A tuple of entries is held during a call; it is never one of the objects that live for ever.
define private void @hold(ptr %tuple) alwaysinline {
  %n = load i64, ptr %tuple
  %n1 = add i64 %n, 1
  store i64 %n1, ptr %tuple
  ret void
}

define private void @leave(ptr %tuple) alwaysinline {
entry:
  %n = load i64, ptr %tuple
  %last = icmp eq i64 %n, 1
  br i1 %last, label %drop, label %keep
drop:
  call void @Py_DecRef(ptr %tuple)
  ret void
keep:
  %n1 = sub i64 %n, 1
  store i64 %n1, ptr %tuple
  ret void
}

define ptr @ag_vectorcall(ptr %self, ptr %args, i64 %flagged, ptr %names) {
entry:
  %n = and i64 %flagged, 9223372036854775807
  %plain = icmp eq ptr %names, null
  %busy = call i64 @number(ptr @ag_busy, i64 $SIZE)
  %idle = icmp eq i64 %busy, 0
  %short = and i1 %plain, %idle
  br i1 %short, label %look, label %general
look:
  %calls = call ptr @at(ptr %self, i64 $CALLS)
  %made = icmp ne ptr %calls, null
  br i1 %made, label %open, label %general
open:
  %entries = call ptr @at(ptr %calls, i64 $ENTRIES)
  %some = icmp ne ptr %entries, null
  br i1 %some, label %count, label %general
count:
  %number = call i64 @number(ptr %entries, i64 $SIZE)
  %none = icmp eq i64 %number, 0
  br i1 %none, label %general, label %hold
hold:
  call void @hold(ptr %entries)
  br label %each

each:
  %k = phi i64 [0, %hold], [%k1, %next]
  %k1 = add i64 %k, 1
  %place = mul i64 %k, 8
  %item = add i64 %place, $ITEMS
  %pair = call ptr @at(ptr %entries, i64 %item)
  %entry.object = call ptr @at(ptr %pair, i64 $ITEMS)
  %fits.place = getelementptr i8, ptr %pair, i64 8
  %fits = call ptr @at(ptr %fits.place, i64 $ITEMS)
  %always = icmp eq ptr %fits, @_Py_NoneStruct
  br i1 %always, label %run, label %ask
ask:
  %said = call ptr @PyObject_CallNoArgs(ptr %fits)
  %raised = icmp eq ptr %said, null
  br i1 %raised, label %drop, label %heard
heard:
  call void @Py_DecRef(ptr %said)
  %yes = icmp eq ptr %said, @_Py_TrueStruct
  br i1 %yes, label %run, label %next
run:
  %type = call ptr @at(ptr %entry.object, i64 $TYPE)
  %isc = icmp eq ptr %type, @PyCFunction_Type
  br i1 %isc, label %ours, label %other
ours:
  %method = call ptr @at(ptr %entry.object, i64 $METHOD)
  %known = icmp eq ptr %method, @ag_method
  br i1 %known, label %direct, label %other
direct:
  %table = call ptr @at(ptr %entry.object, i64 $SELF)
  %by.code = call ptr @ag_call(ptr %table, ptr %args, i64 %n)
  br label %done
other:
  %by.object = call ptr @PyObject_Vectorcall(ptr %entry.object, ptr %args, i64 %n, ptr null)
  br label %done
done:
  %result = phi ptr [%by.code, %direct], [%by.object, %other]
  %undone = icmp eq ptr %result, @_Py_NoneStruct
  br i1 %undone, label %again, label %final
again:
  call void @Py_DecRef(ptr %result)
  br label %next
next:
  %left = icmp slt i64 %k1, %number
  br i1 %left, label %each, label %give.up
give.up:
  call void @leave(ptr %entries)
  br label %general
final:
  %nothing = icmp eq ptr %result, @ag_nothing
  br i1 %nothing, label %none.result, label %drop
none.result:
  call void @Py_DecRef(ptr %result)
  call void @Py_IncRef(ptr @_Py_NoneStruct)
  br label %drop
drop:
  %answer = phi ptr [null, %ask], [%result, %final], [@_Py_NoneStruct, %none.result]
  call void @leave(ptr %entries)
  ret ptr %answer

general:
  %done.by = call ptr @general(ptr %self, ptr %args, i64 %n, ptr %names)
  ret ptr %done.by
}
