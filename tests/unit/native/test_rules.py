"""Every operation's samples natively: the results of the NumPy plan, with sizes known beforehand and not.

It compiles each sample by itself: `python -m pytest tests/unit/native/test_rules.py -m slow`.
"""

import warnings

import numpy as np
import pytest

from runtime.backends.native import toolchain
from runtime.backends.native.compile import compile_native
from runtime.backends.numpy_executor.executor import compile_graph
from runtime.ir.graph import Graph
from runtime.ops.registry import OPS, load_all
from runtime.typesys.shapes import Dim
from runtime.typesys.spec import TensorType, type_of_payload

load_all()
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not toolchain.available(), reason="llvmlite is not installed")]
NAMES = sorted(name for name, op in OPS.items() if not op.effect)


def type_of(x, dynamic):
    kind = type_of_payload(x)
    return TensorType(kind.dtype, tuple(Dim() for _ in kind.shape)) if dynamic and kind.shape else kind


def graphs(op, dynamic):
    """A graph of the operation alone for each sample of arrays, and the sample's arrays."""
    for inputs, attrs in op.samples():
        if any(isinstance(x, list) for x in inputs):
            continue
        graph = Graph(op.name)
        types = [type_of(x, dynamic) for x in inputs]
        made = op.infer(*types, **attrs)
        given = [graph.add_input(t) for t in types]
        node = graph.add_node(op, given, dict(attrs), made if isinstance(made, tuple) else (made,))
        graph.outputs = list(node.outputs)
        yield graph, inputs


def copies(inputs):
    return [x.copy() if isinstance(x, np.ndarray) else x for x in inputs]


@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_samples(name, dynamic):
    for graph, inputs in graphs(OPS[name], dynamic):
        plan = compile_graph(graph)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            want = plan(*copies(inputs))
            got = compile_native(graph, plan)(*copies(inputs))
        for a, b in zip(got, want, strict=True):
            if isinstance(b, list):
                continue
            x, y = np.asarray(a), np.asarray(b)
            assert (x.dtype, x.shape) == (y.dtype, y.shape)
            tolerance = 1e-5 if x.dtype in (np.float32, np.complex64) else 1e-11
            np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance)
