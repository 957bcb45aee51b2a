; written
; How tensors are made and freed: those that held plain arrays and numbers are kept for the next ones.
;
; @ag_free_box is the class's tp_dealloc, so it frees what lives in subclasses too. A box keeps its content at $CONTENT, the
; box it is a part of at $PARENT and its weak references at $WEAK. What is kept is not tracked by the garbage collector, has
; no references, still owns its class, and is linked by its content.
;
; Boxes free boxes, parts their wholes for one: from $DEEP on they are put aside, linked by their counts, and freed by the
; outermost.

@ag_box_type = external global i8
@PyArray_Type = external global i8

declare void @Py_DecRef(ptr)
declare ptr @PyType_GenericAlloc(ptr, i64)
declare void @PyObject_GC_Track(ptr)
declare void @PyObject_GC_UnTrack(ptr)
declare void @PyObject_GC_Del(ptr)
declare void @PyObject_ClearWeakRefs(ptr)

@kept = internal global ptr null
@count = internal global i64 0
@depth = internal global i64 0
@later = internal global ptr null

define private ptr @at(ptr %object, i64 %offset) alwaysinline {
  %p = getelementptr i8, ptr %object, i64 %offset
  %v = load ptr, ptr %p
  ret ptr %v
}

define ptr @ag_new_box(ptr %type, i64 %items) {
entry:
  %box = load ptr, ptr @kept
  %some = icmp ne ptr %box, null
  %known = icmp eq ptr %type, @ag_box_type
  %take = and i1 %some, %known
  br i1 %take, label %again, label %make
again:
  %next = call ptr @at(ptr %box, i64 $CONTENT)
  store ptr %next, ptr @kept
  %n = load i64, ptr @count
  %n1 = sub i64 %n, 1
  store i64 %n1, ptr @count
  %content.p = getelementptr i8, ptr %box, i64 $CONTENT
  store ptr null, ptr %content.p
  store i64 1, ptr %box
  call void @PyObject_GC_Track(ptr %box)
  ret ptr %box
make:
  %new = call ptr @PyType_GenericAlloc(ptr %type, i64 %items)
  ret ptr %new
}

; What a box holds, and the box.
define private void @clear(ptr %box) noinline {
entry:
  %weak = call ptr @at(ptr %box, i64 $WEAK)
  %unseen = icmp eq ptr %weak, null
  br i1 %unseen, label %held, label %forget
forget:
  call void @PyObject_ClearWeakRefs(ptr %box)
  br label %held
held:
  %content = call ptr @at(ptr %box, i64 $CONTENT)
  %content.p = getelementptr i8, ptr %box, i64 $CONTENT
  store ptr null, ptr %content.p
  call void @release(ptr %content)
  %parent = call ptr @at(ptr %box, i64 $PARENT)
  %parent.p = getelementptr i8, ptr %box, i64 $PARENT
  store ptr null, ptr %parent.p
  call void @release(ptr %parent)
  %type = call ptr @at(ptr %box, i64 $TYPE)
  call void @PyObject_GC_Del(ptr %box)
  call void @Py_DecRef(ptr %type)
  ret void
}

define private void @release(ptr %x) alwaysinline {
entry:
  %none = icmp eq ptr %x, null
  br i1 %none, label %done, label %drop
drop:
  call void @Py_DecRef(ptr %x)
  br label %done
done:
  ret void
}

define private void @free(ptr %box) noinline {
entry:
  %depth = load i64, ptr @depth
  %deep = icmp sge i64 %depth, $DEEP
  br i1 %deep, label %aside, label %now
aside:
  %others = load ptr, ptr @later
  store ptr %others, ptr %box
  store ptr %box, ptr @later
  ret void
now:
  %d1 = add i64 %depth, 1
  store i64 %d1, ptr @depth
  call void @clear(ptr %box)
  br label %outer
outer:
  %d2 = load i64, ptr @depth
  %outermost = icmp eq i64 %d2, 1
  %first = load ptr, ptr @later
  %left = icmp ne ptr %first, null
  %more = and i1 %outermost, %left
  br i1 %more, label %take, label %done
take:
  %rest = load ptr, ptr %first
  store ptr %rest, ptr @later
  store i64 0, ptr %first
  call void @clear(ptr %first)
  br label %outer
done:
  %d3 = load i64, ptr @depth
  %d4 = sub i64 %d3, 1
  store i64 %d4, ptr @depth
  ret void
}

define void @ag_free_box(ptr %box) {
entry:
  call void @PyObject_GC_UnTrack(ptr %box)
  %type = call ptr @at(ptr %box, i64 $TYPE)
  %exact = icmp eq ptr %type, @ag_box_type
  %weak = call ptr @at(ptr %box, i64 $WEAK)
  %unseen = icmp eq ptr %weak, null
  %parent = call ptr @at(ptr %box, i64 $PARENT)
  %whole = icmp eq ptr %parent, null
  %content = call ptr @at(ptr %box, i64 $CONTENT)
  %filled = icmp ne ptr %content, null
  %n = load i64, ptr @count
  %room = icmp slt i64 %n, $MOST
  %a = and i1 %exact, %unseen
  %b = and i1 %whole, %filled
  %c = and i1 %a, %b
  %usual = and i1 %c, %room
  br i1 %usual, label %look, label %whatever
look:
  %kind = call ptr @at(ptr %content, i64 $TYPE)
  %array = icmp eq ptr %kind, @PyArray_Type
  br i1 %array, label %keep, label %number
number:
  %flags.p = getelementptr i8, ptr %kind, i64 $TYPE_FLAGS
  %flags = load i64, ptr %flags.p
  %collected = and i64 %flags, 16384
  %plain = icmp eq i64 %collected, 0
  br i1 %plain, label %keep, label %whatever
keep:
  %next = load ptr, ptr @kept
  %content.p = getelementptr i8, ptr %box, i64 $CONTENT
  store ptr %next, ptr %content.p
  store ptr %box, ptr @kept
  %n1 = add i64 %n, 1
  store i64 %n1, ptr @count
  call void @Py_DecRef(ptr %content)
  ret void
whatever:
  call void @free(ptr %box)
  ret void
}
