"""Hand-written native code in the form that code generation gives it."""

from types import SimpleNamespace

from runtime.backends.native import pool, toolchain
from runtime.backends.native.executable import NativeExecutable
from runtime.typesys.spec import TensorType


def lowered(text, inputs, outputs, out_dims, symbols=(), big=False):
    return SimpleNamespace(
        text=text, inputs=inputs, outputs=outputs, out_dims=out_dims, symbols=list(symbols), constants=[], big=big,
        islands=[], needs_environment=False, pays=True, calls=False,
    )


def executable(text, inputs, outputs, out_dims, plan, symbols=None, big=False):
    made = lowered(text, inputs, outputs, out_dims, symbols or (), big)
    return NativeExecutable(made, toolchain.compile_text(text, pool.addresses() | (symbols or {})), plan)


def tensor(dtype, *shape):
    return TensorType(dtype, shape)


def weak(dtype):
    return TensorType(dtype, (), weak=True)


ADD_ONE = """
define i64 @ag_run(ptr %in, ptr %out) {
  %x = load float, ptr %in
  %y = fadd float %x, 1.0
  store float %y, ptr %out
  ret i64 0
}
"""

# int64 vectors of one length: the sum into memory of the caller; a negative first number is refused
SUM = """
define i64 @ag_run(ptr %in, ptr %out) {
entry:
  %a = load ptr, ptr %in
  %np = getelementptr i64, ptr %in, i64 1
  %n = load i64, ptr %np
  %bp = getelementptr i64, ptr %in, i64 2
  %b = load ptr, ptr %bp
  %o = load ptr, ptr %out
  %some = icmp sgt i64 %n, 0
  br i1 %some, label %check, label %done
check:
  %first = load i64, ptr %a
  %bad = icmp slt i64 %first, 0
  br i1 %bad, label %refused, label %loop
loop:
  %i = phi i64 [0, %check], [%next, %loop]
  %pa = getelementptr i64, ptr %a, i64 %i
  %pb = getelementptr i64, ptr %b, i64 %i
  %po = getelementptr i64, ptr %o, i64 %i
  %x = load i64, ptr %pa
  %y = load i64, ptr %pb
  %s = add i64 %x, %y
  store i64 %s, ptr %po
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %n
  br i1 %more, label %loop, label %done
done:
  ret i64 0
refused:
  ret i64 1
}
"""

# weak n, weak x, weak flag -> n + 1, x * 2, not flag
WEAK = """
define i64 @ag_run(ptr %in, ptr %out) {
  %n = load i64, ptr %in
  %p1 = getelementptr i64, ptr %in, i64 1
  %x = load double, ptr %p1
  %p2 = getelementptr i64, ptr %in, i64 2
  %b = load i8, ptr %p2
  %n1 = call {i64, i1} @llvm.sadd.with.overflow.i64(i64 %n, i64 1)
  %sum = extractvalue {i64, i1} %n1, 0
  %over = extractvalue {i64, i1} %n1, 1
  store i64 %sum, ptr %out
  %x2 = fmul double %x, 2.0
  %q1 = getelementptr i64, ptr %out, i64 1
  store double %x2, ptr %q1
  %nb = xor i8 %b, 1
  %q2 = getelementptr i64, ptr %out, i64 2
  store i8 %nb, ptr %q2
  %status = zext i1 %over to i64
  ret i64 %status
}
declare {i64, i1} @llvm.sadd.with.overflow.i64(i64, i64)
"""

# int64 n -> the n by 2 array of its row numbers, in memory of the callee
ROWS = """
declare ptr @ag_take(i64)
define i64 @ag_run(ptr %in, ptr %out) {
entry:
  %n = load i64, ptr %in
  %bytes = mul i64 %n, 16
  %m = call ptr @ag_take(i64 %bytes)
  store ptr %m, ptr %out
  %q1 = getelementptr i64, ptr %out, i64 1
  store i64 %n, ptr %q1
  %q2 = getelementptr i64, ptr %out, i64 2
  store i64 2, ptr %q2
  %some = icmp sgt i64 %n, 0
  br i1 %some, label %loop, label %done
loop:
  %i = phi i64 [0, %entry], [%next, %loop]
  %k = mul i64 %i, 2
  %p = getelementptr i64, ptr %m, i64 %k
  store i64 %i, ptr %p
  %p2 = getelementptr i64, ptr %p, i64 1
  store i64 %i, ptr %p2
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %n
  br i1 %more, label %loop, label %done
done:
  ret i64 0
}
"""
