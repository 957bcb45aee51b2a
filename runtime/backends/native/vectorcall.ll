; written
; What Python calls for an object with entries: C functions, or functions of Python's, that may do a call (dispatch.ll).
;
; The object keeps, at $CALLS, an object that keeps at $ENTRIES a tuple of triples: an entry, None or a function that gives
; None where the entry still fits, and None or a tuple of places that need not be asked for where all of them hold what they
; held (see `unchanged`). The entries are tried in turn; one that gives None has done nothing. At $NAMED it keeps
; another such, whose entries take all arguments in the order of the parameters: those of calls by keyword, and of calls that
; leave defaults out. That has at $ORDER a tuple of three tuples: names of the parameters (None: not given by name), defaults
; (@ag_nothing: there is none), and the names of those that may be given by position. Where no entry does the call, and while
; @ag_busy is not empty, Python's function does it.
;
; Words with a dollar are offsets in structures, measured before this is compiled.

@PyCFunction_Type = external global i8
@_Py_NoneStruct = external global i8
@ag_busy = external global i8
@ag_general = external global i8
@ag_method = external global i8
@ag_nothing = external global i8
@ag_exception = external global i8
@ag_weakref = external global i8
@PyDict_Type = external global i8
@PyList_Type = external global i8
@PyCell_Type = external global i8

declare void @Py_IncRef(ptr)
declare void @Py_DecRef(ptr)
declare ptr @PyObject_CallNoArgs(ptr)
declare i32 @PyErr_ExceptionMatches(ptr)
declare void @PyErr_Clear()
declare ptr @PyDict_GetItemWithError(ptr, ptr)
declare i32 @PyDict_Next(ptr, ptr, ptr, ptr)
declare i64 @PyDict_Size(ptr)
declare ptr @PyList_GetItem(ptr, i64)
declare i64 @PyList_Size(ptr)
declare i64 @PyLong_AsSsize_t(ptr)
declare ptr @PyObject_GetAttr(ptr, ptr)
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

define private ptr @item(ptr %tuple, i64 %index) alwaysinline {
  %bytes = mul i64 %index, 8
  %offset = add i64 %bytes, $ITEMS
  %v = call ptr @at(ptr %tuple, i64 %offset)
  ret ptr %v
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

; What a weak reference refers to: None where that is gone.
define private ptr @referent(ptr %weak) alwaysinline {
  %x = call ptr @at(ptr %weak, i64 $REFERENT)
  ret ptr %x
}

; Whether a list holds the objects of a tuple, and no more.
define private i1 @holds(ptr %list, ptr %tuple) {
entry:
  %now = call i64 @PyList_Size(ptr %list)
  %count = call i64 @number(ptr %tuple, i64 $SIZE)
  %as.many = icmp eq i64 %now, %count
  br i1 %as.many, label %each, label %no
each:
  %k = phi i64 [0, %entry], [%k1, %look]
  %more = icmp slt i64 %k, %count
  br i1 %more, label %look, label %yes
look:
  %k1 = add i64 %k, 1
  %x = call ptr @PyList_GetItem(ptr %list, i64 %k)
  %wanted = call ptr @item(ptr %tuple, i64 %k)
  %same = icmp eq ptr %x, %wanted
  br i1 %same, label %each, label %no
yes:
  ret i1 true
no:
  ret i1 false
}

; Whether a dictionary's keys and values, in turn and in their order, are the objects of a tuple, and no more.
define private i1 @pairs(ptr %dict, ptr %tuple) {
entry:
  %position = alloca i64
  %key.p = alloca ptr
  %value.p = alloca ptr
  store i64 0, ptr %position
  %now = call i64 @PyDict_Size(ptr %dict)
  %both = mul i64 %now, 2
  %count = call i64 @number(ptr %tuple, i64 $SIZE)
  %as.many = icmp eq i64 %both, %count
  br i1 %as.many, label %each, label %no
each:
  %k = phi i64 [0, %entry], [%k2, %look]
  %more = icmp slt i64 %k, %count
  br i1 %more, label %look, label %yes
look:
  %k1 = add i64 %k, 1
  %k2 = add i64 %k, 2
  %some = call i32 @PyDict_Next(ptr %dict, ptr %position, ptr %key.p, ptr %value.p)
  %any = icmp ne i32 %some, 0
  %key = load ptr, ptr %key.p
  %value = load ptr, ptr %value.p
  %wanted.key = call ptr @item(ptr %tuple, i64 %k)
  %wanted.value = call ptr @item(ptr %tuple, i64 %k1)
  %same.key = icmp eq ptr %key, %wanted.key
  %same.value = icmp eq ptr %value, %wanted.value
  %same = and i1 %same.key, %same.value
  %right = and i1 %same, %any
  br i1 %right, label %each, label %no
yes:
  ret i1 true
no:
  ret i1 false
}

; Whether places hold what they held: triples of a dictionary and a key, a list and a number, a cell and None, or a weak
; reference to an object and the name of an attribute; and the object that must be there, or a weak reference to it. With
; None for its key, a dictionary or a list must hold just what a tuple holds. A place that is of another kind, or cannot be
; read, counts as changed.
define private i1 @unchanged(ptr %places) noinline {
entry:
  %count = call i64 @number(ptr %places, i64 $SIZE)
  br label %each
each:
  %k = phi i64 [0, %entry], [%k1, %right]
  %more = icmp slt i64 %k, %count
  br i1 %more, label %look, label %yes
look:
  %k1 = add i64 %k, 1
  %place = call ptr @item(ptr %places, i64 %k)
  %where = call ptr @item(ptr %place, i64 0)
  %key = call ptr @item(ptr %place, i64 1)
  %wanted = call ptr @item(ptr %place, i64 2)
  %wanted.type = call ptr @at(ptr %wanted, i64 $TYPE)
  %weak = icmp eq ptr %wanted.type, @ag_weakref
  br i1 %weak, label %follow, label %find
follow:
  %target = call ptr @referent(ptr %wanted)
  %gone = icmp eq ptr %target, @_Py_NoneStruct
  br i1 %gone, label %no, label %find
find:
  %expected = phi ptr [%wanted, %look], [%target, %follow]
  %type = call ptr @at(ptr %where, i64 $TYPE)
  %isdict = icmp eq ptr %type, @PyDict_Type
  br i1 %isdict, label %dict, label %other
dict:
  %all.pairs = icmp eq ptr %key, @_Py_NoneStruct
  br i1 %all.pairs, label %compare.pairs, label %look.up
compare.pairs:
  %same.pairs = call i1 @pairs(ptr %where, ptr %expected)
  br i1 %same.pairs, label %right, label %no
look.up:
  %value = call ptr @PyDict_GetItemWithError(ptr %where, ptr %key)
  %missing = icmp eq ptr %value, null
  br i1 %missing, label %unreadable, label %compare
other:
  %islist = icmp eq ptr %type, @PyList_Type
  br i1 %islist, label %list, label %single
list:
  %all.items = icmp eq ptr %key, @_Py_NoneStruct
  br i1 %all.items, label %compare.items, label %numbered
compare.items:
  %same.items = call i1 @holds(ptr %where, ptr %expected)
  br i1 %same.items, label %right, label %no
numbered:
  %number = call i64 @PyLong_AsSsize_t(ptr %key)
  %item = call ptr @PyList_GetItem(ptr %where, i64 %number)
  %outside = icmp eq ptr %item, null
  br i1 %outside, label %unreadable, label %compare
single:
  %iscell = icmp eq ptr %type, @PyCell_Type
  br i1 %iscell, label %cell, label %maybe
cell:
  %content = call ptr @at(ptr %where, i64 $CONTENT)
  br label %compare
maybe:
  %isweak = icmp eq ptr %type, @ag_weakref
  br i1 %isweak, label %attribute, label %no
attribute:
  %owner = call ptr @referent(ptr %where)
  %dead = icmp eq ptr %owner, @_Py_NoneStruct
  br i1 %dead, label %no, label %get
get:
  call void @Py_IncRef(ptr %owner)
  %found = call ptr @PyObject_GetAttr(ptr %owner, ptr %key)
  call void @Py_DecRef(ptr %owner)
  %unread = icmp eq ptr %found, null
  br i1 %unread, label %unreadable, label %got
got:
  call void @Py_DecRef(ptr %found)
  br label %compare
unreadable:
  call void @PyErr_Clear()
  br label %no
compare:
  %now = phi ptr [%value, %look.up], [%item, %numbered], [%content, %cell], [%found, %got]
  %same = icmp eq ptr %now, %expected
  br i1 %same, label %right, label %no
right:
  br label %each
yes:
  ret i1 true
no:
  ret i1 false
}

; What an entry gives, or 1 where none of a holder's does the call.
define private ptr @tried(ptr %calls, ptr %args, i64 %n) alwaysinline {
entry:
  %made = icmp ne ptr %calls, null
  br i1 %made, label %open, label %undone
open:
  %entries = call ptr @at(ptr %calls, i64 $ENTRIES)
  %some = icmp ne ptr %entries, null
  br i1 %some, label %count, label %undone
count:
  %number = call i64 @number(ptr %entries, i64 $SIZE)
  %none = icmp eq i64 %number, 0
  br i1 %none, label %undone, label %hold
hold:
  call void @hold(ptr %entries)
  br label %each

each:
  %k = phi i64 [0, %hold], [%k1, %next]
  %k1 = add i64 %k, 1
  %pair = call ptr @item(ptr %entries, i64 %k)
  %object = call ptr @item(ptr %pair, i64 0)
  %fits = call ptr @item(ptr %pair, i64 1)
  %always = icmp eq ptr %fits, @_Py_NoneStruct
  br i1 %always, label %run, label %glance
glance:
  %places = call ptr @item(ptr %pair, i64 2)
  %simple = icmp ne ptr %places, @_Py_NoneStruct
  br i1 %simple, label %compare, label %ask
compare:
  %unchanged = call i1 @unchanged(ptr %places)
  br i1 %unchanged, label %run, label %ask
ask:
  %said = call ptr @PyObject_CallNoArgs(ptr %fits)
  %raised = icmp eq ptr %said, null
  br i1 %raised, label %unreadable, label %heard
unreadable:
  %usual = call i32 @PyErr_ExceptionMatches(ptr @ag_exception)
  %other.error = icmp eq i32 %usual, 0
  br i1 %other.error, label %drop, label %forget
forget:
  call void @PyErr_Clear()
  br label %next
heard:
  call void @Py_DecRef(ptr %said)
  %yes = icmp eq ptr %said, @_Py_NoneStruct
  br i1 %yes, label %run, label %next
run:
  %type = call ptr @at(ptr %object, i64 $TYPE)
  %isc = icmp eq ptr %type, @PyCFunction_Type
  br i1 %isc, label %ours, label %other
ours:
  %method = call ptr @at(ptr %object, i64 $METHOD)
  %known = icmp eq ptr %method, @ag_method
  br i1 %known, label %direct, label %other
direct:
  %table = call ptr @at(ptr %object, i64 $SELF)
  %by.code = call ptr @ag_call(ptr %table, ptr %args, i64 %n)
  br label %done
other:
  %by.object = call ptr @PyObject_Vectorcall(ptr %object, ptr %args, i64 %n, ptr null)
  br label %done
done:
  %result = phi ptr [%by.code, %direct], [%by.object, %other]
  %again = icmp eq ptr %result, @_Py_NoneStruct
  br i1 %again, label %back, label %final
back:
  call void @Py_DecRef(ptr %result)
  br label %next
next:
  %left = icmp slt i64 %k1, %number
  br i1 %left, label %each, label %give.up
give.up:
  call void @leave(ptr %entries)
  br label %undone
final:
  %nothing = icmp eq ptr %result, @ag_nothing
  br i1 %nothing, label %none.result, label %drop
none.result:
  call void @Py_DecRef(ptr %result)
  call void @Py_IncRef(ptr @_Py_NoneStruct)
  br label %drop
drop:
  %answer = phi ptr [null, %unreadable], [%result, %final], [@_Py_NoneStruct, %none.result]
  call void @leave(ptr %entries)
  ret ptr %answer
undone:
  ret ptr inttoptr (i64 1 to ptr)
}

; The same with all arguments in the order of the parameters.
define private ptr @in_order(ptr %calls, ptr %args, i64 %n, ptr %names) noinline {
entry:
  %made = icmp ne ptr %calls, null
  br i1 %made, label %open, label %undone
open:
  %order = call ptr @at(ptr %calls, i64 $ORDER)
  %known = icmp ne ptr %order, null
  br i1 %known, label %begin, label %undone
begin:
  %parameters = call ptr @item(ptr %order, i64 0)
  %defaults = call ptr @item(ptr %order, i64 1)
  %positional = call ptr @item(ptr %order, i64 2)
  %most = call i64 @number(ptr %positional, i64 $SIZE)
  %total = call i64 @number(ptr %parameters, i64 $SIZE)
  %few = icmp sle i64 %n, %most
  br i1 %few, label %keywords, label %undone
keywords:
  %plain = icmp eq ptr %names, null
  br i1 %plain, label %copy, label %named
named:
  %given = call i64 @number(ptr %names, i64 $SIZE)
  br label %copy
copy:
  %count = phi i64 [0, %keywords], [%given, %named]
  %all = alloca ptr, i64 %total
  %bytes = mul i64 %n, 8
  call void @llvm.memcpy.p0.p0.i64(ptr %all, ptr %args, i64 %bytes, i1 false)
  br label %parameter
parameter:
  %j = phi i64 [%n, %copy], [%j1, %found]
  %used = phi i64 [0, %copy], [%used1, %found]
  %more = icmp slt i64 %j, %total
  br i1 %more, label %search, label %complete
search:
  %j1 = add i64 %j, 1
  %wanted = call ptr @item(ptr %parameters, i64 %j)
  br label %name
name:
  %q = phi i64 [0, %search], [%q1, %look]
  %another = icmp slt i64 %q, %count
  br i1 %another, label %look, label %default
look:
  %q1 = add i64 %q, 1
  %called = call ptr @item(ptr %names, i64 %q)
  %this = icmp eq ptr %called, %wanted
  br i1 %this, label %take, label %name
take:
  %place = add i64 %n, %q
  %value.p = getelementptr ptr, ptr %args, i64 %place
  %value = load ptr, ptr %value.p
  %used.now = add i64 %used, 1
  br label %found
default:
  %usual = call ptr @item(ptr %defaults, i64 %j)
  %missing = icmp eq ptr %usual, @ag_nothing
  br i1 %missing, label %undone, label %found
found:
  %x = phi ptr [%value, %take], [%usual, %default]
  %used1 = phi i64 [%used.now, %take], [%used, %default]
  %to = getelementptr ptr, ptr %all, i64 %j
  store ptr %x, ptr %to
  br label %parameter
complete:
  %right = icmp eq i64 %used, %count
  br i1 %right, label %try, label %undone
try:
  %result = call ptr @tried(ptr %calls, ptr %all, i64 %total)
  ret ptr %result
undone:
  ret ptr inttoptr (i64 1 to ptr)
}

define ptr @ag_vectorcall(ptr %self, ptr %args, i64 %flagged, ptr %names) {
entry:
  %n = and i64 %flagged, 9223372036854775807
  %busy = call i64 @number(ptr @ag_busy, i64 $SIZE)
  %idle = icmp eq i64 %busy, 0
  br i1 %idle, label %short, label %general
short:
  %plain = icmp eq ptr %names, null
  br i1 %plain, label %by.position, label %by.name
by.position:
  %calls = call ptr @at(ptr %self, i64 $CALLS)
  %result = call ptr @tried(ptr %calls, ptr %args, i64 %n)
  %done = icmp ne ptr %result, inttoptr (i64 1 to ptr)
  br i1 %done, label %leave, label %by.name
leave:
  ret ptr %result
by.name:
  %named = call ptr @at(ptr %self, i64 $NAMED)
  %made = call ptr @in_order(ptr %named, ptr %args, i64 %n, ptr %names)
  %known = icmp ne ptr %made, inttoptr (i64 1 to ptr)
  br i1 %known, label %finish, label %general
finish:
  ret ptr %made
general:
  %done.by = call ptr @general(ptr %self, ptr %args, i64 %n, ptr %names)
  ret ptr %done.by
}
