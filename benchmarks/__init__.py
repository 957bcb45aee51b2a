"""Benchmarks: the same work eagerly, staged, by hand in NumPy, and by other libraries.

    python -m benchmarks                              eager, staged and NumPy
    python -m benchmarks --peers all --json out.json  and every peer that is installed
    python -m benchmarks --only 'rnn*' --repeats 15

`workload.py` says what a workload is: adding one is one class in one file of `workloads/`.
"""
