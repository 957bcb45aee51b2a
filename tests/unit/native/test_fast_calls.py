"""Calls of functions that have native code: when the short way is taken, and when it must not be."""

import gc
import weakref

import numpy as np
import pytest

import autograph as ag
from runtime.backends.native import compile as native_compile
from runtime.backends.native import objects, toolchain
from runtime.tensor.trace import BUSY
from tests.unit.native.lowered import lowered

pytestmark = pytest.mark.skipif(
    not toolchain.available() or objects.offsets() is None, reason="no compiler, or another layout of objects"
)


def constant_code(graph):
    """Native code that gives 77 for every graph, so that what ran can be told."""
    assert all(v.type.shape == () for v in graph.outputs)
    kinds = {"float32": "float", "int32": "i32"}
    name = graph.outputs[0].type.dtype.name if graph.outputs else "float32"
    value = "77.0" if name == "float32" else "77"
    stores = "".join(
        f"  %p{k} = getelementptr i64, ptr %out, i64 {k}\n  store {kinds[name]} {value}, ptr %p{k}\n"
        for k in range(len(graph.outputs))
    )
    text = f"define i64 @ag_run(ptr %in, ptr %out) {{\n{stores}  ret i64 0\n}}"
    return lowered(text, [v.type for v in graph.inputs], [v.type for v in graph.outputs], [None] * len(graph.outputs))


@pytest.fixture(autouse=True)
def native(monkeypatch):
    monkeypatch.setattr(native_compile, "lower", constant_code)
    assert not BUSY
    yield
    assert not BUSY


def entries(f):
    return len(f._fast.entries)


ONE = ag.constant(1.0)


def test_the_second_call_is_short():
    f = ag.function(lambda x: x + 1, jit_compile=True)
    assert float(f(ONE)) == 77 and entries(f) == 1
    assert float(f(ag.constant(5.0))) == 77
    assert type(f(ONE)) is ag.Tensor and f(ONE).dtype == ag.float32
    assert f.experimental_get_tracing_count() == 1


def test_another_signature_gets_its_own():
    f = ag.function(lambda x: x + 1, jit_compile=True)
    for _ in range(2):
        assert f(ONE).dtype == ag.float32 and f(ag.constant(3)).dtype == ag.int32
    assert f.experimental_get_tracing_count() == 2 and entries(f) == 2


def test_arguments_that_are_no_tensors_are_part_of_it():
    f = ag.function(lambda x, flag, name=None: x + 1 if flag else x.dtype.name, jit_compile=True)
    assert float(f(ONE, True)) == 77 and float(f(ONE, True)) == 77
    assert f(ONE, False) == "float32"
    assert float(f(ONE, True, "other")) == 77 and float(f(ONE, flag=True)) == 77
    assert f.experimental_get_tracing_count() == 3


def test_objects_are_told_apart_and_not_kept_alive():
    class Scale:
        def __init__(self, by):
            self.by = by

    f = ag.function(lambda x, s: x * s.by, jit_compile=True)
    scale = Scale(2)
    assert float(f(ONE, scale)) == 77 and entries(f) == 1
    gone = weakref.ref(scale)
    del scale
    gc.collect()
    assert gone() is None and entries(f) == 0


def test_tapes_traces_and_eager_runs_go_the_general_way():
    f = ag.function(lambda x: x + 1, jit_compile=True)
    f(ONE)
    seen = []
    f._fast.entries = ((lambda *a: seen.append(a) or ONE, None, None),)
    f(ONE)
    assert len(seen) == 1
    with ag.GradientTape() as tape:
        f(ONE)
    g = ag.function(lambda x: f(x) * 2, jit_compile=False)
    assert float(g(ONE)) == 4.0
    ag.config.run_functions_eagerly(True)
    try:
        assert float(f(ONE)) == 2.0
    finally:
        ag.config.run_functions_eagerly(False)
    assert len(seen) == 1
    f(ONE)
    assert len(seen) == 2


def test_a_tensor_from_outside_is_read_at_each_call():
    w = ag.constant(2.0)
    f = ag.function(lambda x: x * w, jit_compile=True)
    assert float(f(ONE)) == 77 and entries(f) == 1 and float(f(ONE)) == 77


def test_variables_are_written():
    v = ag.Variable(1.0)

    @ag.function(jit_compile=True)
    def f(x):
        v.assign(x)
        return x

    f(ONE), f(ONE)
    assert entries(f) == 1 and float(v) == 77
    v.assign(3.0)
    assert float(f(ONE)) == 77 and float(v) == 77 and type(v._value) is np.ndarray


def test_what_changes_an_attribute_has_none():
    class Box:
        n = ONE

    box = Box()

    @ag.function(jit_compile=True)
    def f(x):
        box.n = x + 1
        return x

    f(ONE), f(ONE)
    assert entries(f) == 0 and float(box.n) == 77


def test_tuples():
    f = ag.function(lambda x: (x + 1, x + 2), jit_compile=True)
    for _ in range(2):
        a, b = f(ONE)
        assert float(a) == 77 and float(b) == 77
    assert entries(f) == 1
    g = ag.function(lambda x: {"a": x + 1}, jit_compile=True)
    assert float(g(ONE)["a"]) == 77 and float(g(ONE)["a"]) == 77 and entries(g) == 1


def test_one_tensor_twice():
    f = ag.function(lambda x, y: x + y, jit_compile=True)
    other = ag.constant(2.0)
    assert float(f(ONE, other)) == 77
    assert float(f(ONE, ONE)) == 77
    assert f.experimental_get_tracing_count() == 2


def test_with_an_input_signature():
    f = ag.function(lambda x: ag.reduce_sum(x), input_signature=[ag.TensorSpec([None], ag.float32)], jit_compile=True)
    assert float(f([1.0, 2.0])) == 77 and entries(f) == 0  # a list is converted first
    assert float(f(np.ones(3, np.float32))) == 77
    with pytest.raises(ValueError, match="input_signature"):
        f(ag.constant([[1.0]]))


def test_methods_and_arrays():
    class Model:
        @ag.function(jit_compile=True)
        def __call__(self, x):
            return ag.reduce_sum(x)

    m = Model()
    for _ in range(3):
        assert float(m(np.ones(3, np.float32))) == 77
    assert Model.__call__.experimental_get_tracing_count() == 1 and entries(Model.__call__) == 1
    assert float(m(np.ones(6, np.float32)[::2])) == 77


def test_wrong_calls_are_python_errors():
    f = ag.function(lambda x: x + 1, jit_compile=True)
    f(ONE)
    with pytest.raises(TypeError, match="missing|too many"):
        f()
    with pytest.raises(TypeError, match="but 2 were given"):
        f(ONE, ONE)


@pytest.mark.filterwarnings("ignore")  # of a storm of traces
def test_no_more_than_a_few_are_tried():
    f = ag.function(lambda x, k: x + k, jit_compile=True)
    for k in range(12):
        f(ONE, k)
    assert entries(f) == 8 and float(f(ONE, 0)) == 77


def test_state_that_has_changed_is_traced_again():
    class Settings:
        by = 2

    settings = Settings()
    f = ag.function(lambda x: x * settings.by, jit_compile=True)
    f(ONE), f(ONE)
    assert f.experimental_get_tracing_count() == 1 and entries(f) == 1
    settings.by = 3
    f(ONE), f(ONE)
    assert f.experimental_get_tracing_count() == 2 and entries(f) == 2
    settings.by = 2
    f(ONE)
    assert f.experimental_get_tracing_count() == 2
