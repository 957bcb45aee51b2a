; final
;
; Kernels of products, which gemm.py writes: those that are needed.

declare $VECTOR @llvm.fma.$V($VECTOR, $VECTOR, $VECTOR)
declare void @llvm.prefetch.p0(ptr, i32, i32, i32)
