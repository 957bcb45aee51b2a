"""A part of a matrix product is the product of parts, where it is known which."""

import numpy as np
import pytest

import autograph as ag

PARTS = [
    (slice(None), slice(2, 5)),
    (slice(1, 4),),
    (slice(1, 4), slice(None, -3)),
    (slice(-2, None), slice(-4, None)),
    (slice(4, 2), slice(1, None)),
]
WHOLES = [(2,), (slice(None, None, 2), slice(1, None))]


@pytest.mark.parametrize("part", [*PARTS, *WHOLES], ids=str)
@pytest.mark.parametrize("turned", [(False, False), (True, False), (False, True), (True, True)], ids=str)
def test_a_part_of_a_product_is_a_product_of_parts(turned, part):
    random = np.random.default_rng(5)
    a, b = random.random((6, 7)), random.random((7, 9))
    given = [ag.constant(x.T if t else x) for x, t in zip((a, b), turned, strict=True)]

    @ag.function(jit_compile=False)
    def cut(a, b):
        return ag.matmul(a, b, transpose_a=turned[0], transpose_b=turned[1])[part]

    np.testing.assert_allclose(cut(*given).numpy(), (a @ b)[part], rtol=1e-12)
    nodes = cut.get_concrete_function(*given).optimized_graph.nodes
    assert (nodes[-1].op.name == "matmul") == (part in PARTS)


def test_a_product_that_is_used_as_a_whole_is_computed_once():
    @ag.function(jit_compile=False)
    def both(a, b):
        product = ag.matmul(a, b)
        return product[:, 1:], product[1:]

    x = ag.ones([3, 3])
    left, right = both(x, x)
    assert left.numpy().tolist() == [[3, 3]] * 3
    assert right.numpy().tolist() == [[3, 3, 3]] * 2
    names = [node.op.name for node in both.get_concrete_function(x, x).optimized_graph.nodes]
    assert names.count("matmul") == 1
