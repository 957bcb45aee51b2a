"""Lists that guard what is read of them: `while stack and stack[-1] < x`."""

import numpy as np
import pytest

import autograph as ag


def next_greater(xs):
    found = [-1 for _ in xs]
    stack = []
    for i, x in enumerate(xs):
        while stack and xs[stack[-1]] < x:
            found[stack.pop()] = x
        stack.append(i)
    return found


def runs(xs):
    found = []
    for x in xs:
        if found and found[-1][0] == x:
            found[-1][1] += 1
        else:
            found.append([x, 1])
    return [a * 10 + b for a, b in found]


@pytest.mark.parametrize("program", [next_greater, runs])
@pytest.mark.parametrize("jit_compile", [False, True])
def test_of_unknown_length(program, jit_compile):
    compiled = ag.function(program, input_signature=[ag.TensorSpec([None], "int64")], jit_compile=jit_compile)
    for xs in (np.array([2, 7, 1, 8]), np.array([1, 1, 2, 3, 3, 3])):
        assert [int(v) for v in compiled(xs)] == program(xs)
