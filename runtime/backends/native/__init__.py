"""Graphs as machine code, made with LLVM; what the NumPy plan does, in one call."""
