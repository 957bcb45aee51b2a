"""Transparency: converting code that holds no tensors must change nothing.

    python -m benchmarks.transparency                   all modules, a table and totals
    python -m benchmarks.transparency textwrap heapq    some of them, with every difference
    python -m benchmarks.transparency --speed           how fast programs without tensors run, converted and traced

Every function and method of a pure-Python module of the standard library is replaced by its converted form, and
CPython's own tests of that module run: as it is, converted, and converted inside an active trace, where the
rewritten code is what runs. A difference is a test that passes as it is and not converted.
"""
