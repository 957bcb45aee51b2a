"""Optimised graphs give, bit for bit, what the graphs gave before; every pass leaves a graph that obeys the rules."""

import importlib.util
import pathlib
import warnings

import numpy as np
import pytest

from runtime.backends.numpy_executor.executor import compile_graph
from runtime.ir.compare import difference
from runtime.ir.parse import parse_graph
from runtime.ir.text import graph_text
from runtime.ir.verify import verify
from runtime.ir.walk import clone
from runtime.passes.manager import run_passes
from runtime.passes.pipeline import PASSES

_spec = importlib.util.spec_from_file_location("random_graphs", pathlib.Path(__file__).with_name("random_graphs.py"))
random_graphs = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(random_graphs)


def bits(x):
    array = np.asarray(x)
    return type(x).__name__ if isinstance(x, (bool, int, float)) else "", array.dtype.str, array.shape, array.tobytes()


def run(graph, arrays):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return [bits(x) for x in compile_graph(graph)(*(np.copy(a)[()] for a in arrays))]
        except (ArithmeticError, ValueError) as error:
            return type(error)


@pytest.mark.parametrize("block", range(20))
def test_results_stay_the_same_bit_for_bit(block):
    for seed in range(block * 15, block * 15 + 15):
        graph, arrays = random_graphs.random_graph(seed)
        verify(graph)
        before = graph_text(graph)
        optimized = run_passes(clone(graph), PASSES, check=True)
        assert graph_text(graph) == before, "the original changed"
        expected, found = run(graph, arrays), run(optimized, arrays)
        if isinstance(expected, type):  # dead code that raised may be gone
            continue
        assert found == expected, f"seed {seed}\n{before}\n{graph_text(optimized)}"


@pytest.mark.parametrize("seed", range(0, 200, 5))
def test_texts_of_random_graphs_read_back(seed):
    graph, _ = random_graphs.random_graph(seed)
    text = graph_text(graph)
    again = parse_graph(text)
    assert difference(graph, again) is None
    assert graph_text(again) == text
