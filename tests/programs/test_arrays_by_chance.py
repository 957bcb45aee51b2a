"""Arrays that a name holds by chance, exchanged and kept in loops: a write to one is seen in the one that it is."""

import numpy as np
import pytest

import autograph as ag

W = np.array([-2.1, 7.2, 1.3, -8.4, 2.5])


def kept(w, hold, n):
    u = w * 1.0
    held = w
    for _ in range(n):
        if hold:
            held = u
    held[2] = 4.0
    return u, held


def exchanged(w, hold, n):
    u = w * 1.0
    v = w * 2.0
    held = w
    for i in range(n):
        v[0] = 0.5 * u[0] + i
        if hold:
            held = u
        u, v = v, u
        u[1] += 0.25
    held[2] = 4.0
    return u, v, held


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("hold", [True, False])
@pytest.mark.parametrize("turns", [40, ag.constant(40)], ids=["known", "staged"])
@pytest.mark.parametrize("f", [kept, exchanged])
def test_a_write_is_seen(f, turns, hold, native):
    array, tensor = W.copy(), ag.constant(W)
    wanted = f(array, hold, 40)
    got = ag.function(f, jit_compile=native)(tensor, ag.constant(hold), turns)
    for a, b in zip(got, wanted, strict=True):
        np.testing.assert_allclose(a, b)
    np.testing.assert_allclose(tensor, array)
