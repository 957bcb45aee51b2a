"""Sizes worked out of known shapes are known when a function is traced."""

import autograph as ag


def test_shapes_made_of_sizes():
    seen = {}

    @ag.function
    def f(x):
        n = ag.shape(x)
        seen["index"] = ag.zeros([n[1], n[0]]).shape
        seen["product"] = ag.reshape(x, [n[0] * n[1], -1]).shape
        seen["stack"] = ag.ones(ag.stack([n[2], 1])).shape
        seen["half"] = ag.range(n[2] // 2).shape
        seen["joined"] = ag.zeros(ag.concat([n[:1], [7]], 0)).shape
        return x

    f(ag.zeros((2, 3, 4)))
    assert {k: tuple(v) for k, v in seen.items()} == {
        "index": (3, 2), "product": (6, 4), "stack": (4, 1), "half": (2,), "joined": (2, 7),
    }  # fmt: skip
