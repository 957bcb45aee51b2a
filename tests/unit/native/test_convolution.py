"""Convolution and pooling in native code against the operations' NumPy meaning: shapes, strides, dilations, paddings."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograph as ag
from runtime.backends.native.lower import processor as processor_module
from runtime.ops.convolution import Conv2d, Conv2dFilterGrad, Conv2dInputGrad
from runtime.ops.pooling import AvgPool2d, AvgPool2dGrad, MaxPool2d, MaxPool2dGrad, MaxPool2dPick
from runtime.typesys.errors import ShapeError

TOLERANCE = {"float32": 2e-4, "float64": 1e-11}
FEW = settings(max_examples=25, deadline=None)


def natively(f, *args, specs=None):
    """What compiled code gives, which neither asks Python nor gives up."""
    compiled = ag.function(f, jit_compile=True, input_signature=specs)
    args = [ag.constant(a) for a in args]
    executable = compiled.get_concrete_function(*(() if specs else args)).executable
    assert [i.name for i in executable.lowered.islands] == []

    def plan(*arrays):
        raise AssertionError("native code gave up")

    executable.plan = plan
    first, again = compiled(*args), compiled(*args)
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    return [y.numpy() for y in first]


def close(found, wanted):
    assert found.dtype == wanted.dtype
    scale = max(float(np.max(np.abs(wanted[np.isfinite(wanted)]), initial=0.0)), 1.0)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=scale * TOLERANCE[str(wanted.dtype)])


def numbers(draw, shape, dtype):
    return np.random.default_rng(draw(st.integers(0, 99))).standard_normal(shape).astype(dtype)


pads = st.one_of(
    st.sampled_from(["SAME", "VALID"]), st.tuples(*[st.tuples(st.integers(0, 3), st.integers(0, 3))] * 2)
)
twos = st.tuples(st.integers(1, 3), st.integers(1, 3))


@st.composite
def convolutions(draw):
    groups = draw(st.sampled_from([1, 1, 1, 2, 3]))
    inner, outer = draw(st.integers(1, 19)), draw(st.integers(1, 40))
    if draw(st.sampled_from([False, False, True])):  # each channel by itself
        groups, inner, outer = draw(st.sampled_from([2, 7, 16, 19, 33])), 1, draw(st.sampled_from([1, 1, 2]))
    window = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    space = draw(st.tuples(st.integers(1, 17), st.integers(1, 19)))
    dtype = draw(st.sampled_from(["float32", "float64"]))
    x = numbers(draw, (draw(st.integers(0, 3)), *space, inner * groups), dtype)
    filters = numbers(draw, (*window, inner, outer * groups), dtype)
    return x, filters, {"strides": draw(twos), "padding": draw(pads), "dilations": draw(twos)}


def explicit(padding):
    return padding if isinstance(padding, str) else [(0, 0), *padding, (0, 0)]


def convolved(attrs):
    """A function of pictures, filters and cotangents: the convolution, and both gradients."""

    def f(x, filters, dy):
        with ag.GradientTape() as tape:
            tape.watch((x, filters))
            y = ag.nn.conv2d(x, filters, attrs["strides"], explicit(attrs["padding"]), dilations=attrs["dilations"])
            total = ag.reduce_sum(y * dy)
        return y, *tape.gradient(total, (x, filters))

    return f


@FEW
@given(convolutions())
def test_convolution_and_its_gradients_equal_the_meaning(case):
    x, filters, attrs = case
    try:
        y = Conv2d.kernel(x, filters, **attrs)
    except ShapeError:
        return
    dy = np.random.default_rng(1).standard_normal(y.shape).astype(x.dtype)
    found = natively(convolved(attrs), x, filters, dy)
    close(found[0], y)
    close(found[1], Conv2dInputGrad.kernel(dy, filters, x, **attrs))
    close(found[2], Conv2dFilterGrad.kernel(dy, x, filters, **attrs))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("batch", [3, None])
@pytest.mark.parametrize(
    "shape", [(14, 14, 32, 40), (37, 5, 9, 70), (7, 7, 64, 33), (2, 90, 16, 24), (1, 3, 8, 17), (61, 64, 40, 8)]
)
@pytest.mark.parametrize("padding", ["SAME", ((0, 1), (2, 3))])
def test_windows_of_three_by_three(shape, padding, batch, dtype):
    height, width, inner, outer = shape
    random = np.random.default_rng(0)
    x = random.standard_normal((3, height, width, inner)).astype(dtype)
    filters = random.standard_normal((3, 3, inner, outer)).astype(dtype)
    attrs = {"strides": (1, 1), "padding": padding, "dilations": (1, 1)}
    try:
        y = Conv2d.kernel(x, filters, **attrs)
    except ShapeError:
        return
    dy = random.standard_normal(y.shape).astype(dtype)
    specs = [ag.TensorSpec([batch, *a.shape[1:]], dtype) for a in (x, dy)]
    specs.insert(1, ag.TensorSpec(filters.shape, dtype))
    found = natively(convolved(attrs), x, filters, dy, specs=specs)
    close(found[0], y)
    close(found[1], Conv2dInputGrad.kernel(dy, filters, x, **attrs))
    close(found[2], Conv2dFilterGrad.kernel(dy, x, filters, **attrs))


@pytest.mark.parametrize("shape", [(7,), (1, 1, 1, 7), (2, 5, 6, 7), (6, 1)])
@pytest.mark.parametrize("also", [False, True])
def test_bias_and_relu_that_follow(shape, also):
    def f(x, filters, bias):
        y = ag.nn.conv2d(x, filters, 1, "SAME")
        z = bias + y if shape == (7,) else y + bias
        return (ag.nn.relu(z), z, ag.nn.relu(y)) if also else (ag.nn.relu(z),)

    random = np.random.default_rng(0)
    x, filters, bias = (random.standard_normal(s).astype("float32") for s in ((2, 5, 6, 3), (3, 3, 3, 7), shape))
    x[0, 0, 0, 0] = np.nan
    found = natively(f, x, filters, bias)
    y = Conv2d.kernel(x, filters, strides=(1, 1), padding="SAME", dilations=(1, 1))
    for a, b in zip(found, (np.maximum(y + bias, 0), y + bias, np.maximum(y, 0)), strict=False):
        close(a, b)


@pytest.mark.parametrize("padding", ["SAME", "VALID", ((1, 2), (0, 1))])
@pytest.mark.parametrize("strides", [(1, 1), (2, 1)])
@pytest.mark.parametrize("sizes", [(None, 9, 8), (None, None, None), (2, None, 8)])
def test_sizes_that_only_the_run_knows(padding, strides, sizes):
    attrs = {"strides": strides, "padding": padding, "dilations": (1, 1)}
    whole = padding == "SAME" and strides != (1, 1) and None in sizes[1:]

    def f(x, filters):
        y = ag.nn.conv2d(x, filters, strides, explicit(padding))
        if whole:
            return (y,)
        with ag.GradientTape() as tape:
            tape.watch((x, filters))
            total = ag.reduce_sum(ag.nn.conv2d(x, filters, strides, explicit(padding)))
        return y, *tape.gradient(total, (x, filters))

    specs = [ag.TensorSpec([*sizes, 5], ag.float32), ag.TensorSpec([3, 2, 5, 7], ag.float32)]
    for space in ((9, 8),) if sizes[2] == 8 and sizes[1] else ((9, 8), (3, 8)) if sizes[1] is None else ():
        x = np.random.default_rng(0).standard_normal((2, *space, 5)).astype("float32")
        filters = np.random.default_rng(1).standard_normal((3, 2, 5, 7)).astype("float32")
        found = natively(f, x, filters, specs=specs)
        y = Conv2d.kernel(x, filters, **attrs)
        close(found[0], y)
        if not whole:
            close(found[1], Conv2dInputGrad.kernel(np.ones_like(y), filters, x, **attrs))
            close(found[2], Conv2dFilterGrad.kernel(np.ones_like(y), x, filters, **attrs))


def test_a_picture_smaller_than_the_strides():
    x, filters = np.ones((1, 1, 1, 1), "float32"), np.ones((2, 2, 1, 1), "float32")
    attrs = {"strides": (1, 2), "padding": "SAME", "dilations": (1, 1)}
    found = natively(convolved(attrs), x, filters, x)
    for y in found[:2]:
        np.testing.assert_array_equal(y, x)
    np.testing.assert_array_equal(found[2], [[[[1]], [[0]]], [[[0]], [[0]]]])


def test_a_window_that_does_not_fit_is_an_error_as_ever():
    specs = [ag.TensorSpec([1, None, None, 1], ag.float32)]
    f = ag.function(
        lambda x: ag.nn.conv2d(x, ag.ones([3, 3, 1, 1]), 1, "VALID"), jit_compile=True, input_signature=specs
    )
    assert f(ag.ones([1, 3, 4, 1])).shape == [1, 1, 2, 1]
    with pytest.raises(ShapeError):
        f(ag.ones([1, 2, 4, 1]))


@pytest.mark.parametrize("processor", [(16, 16), (16, 32), (32, 16), (64, 32)])
@pytest.mark.parametrize("shape", [(9, 10, 5, 21), (12, 12, 16, 24)])
def test_every_length_of_vectors(processor, shape, monkeypatch):
    monkeypatch.setattr(processor_module, "_processor", lambda: processor)
    height, width, inner, outer = shape
    random = np.random.default_rng(0)
    x = random.standard_normal((2, height, width, inner)).astype("float32")
    filters = random.standard_normal((3, 3, inner, outer)).astype("float32")
    for strides in ((1, 1), (2, 1)):
        attrs = {"strides": strides, "padding": "SAME", "dilations": (1, 1)}
        y = Conv2d.kernel(x, filters, **attrs)
        dy = random.standard_normal(y.shape).astype("float32")
        found = natively(convolved(attrs), x, filters, dy)
        close(found[0], y)
        close(found[1], Conv2dInputGrad.kernel(dy, filters, x, **attrs))
        close(found[2], Conv2dFilterGrad.kernel(dy, x, filters, **attrs))


@pytest.mark.parametrize("shape", [(1, 60, 64, 24, 40), (2, 130, 33, 16, 32), (1, 40, 40, 64, 24)])
@pytest.mark.parametrize("window", [(3, 3), (5, 2)])
def test_few_large_pictures(shape, window):
    random = np.random.default_rng(0)
    x = random.standard_normal(shape[:4]).astype("float32")
    filters = random.standard_normal((*window, *shape[3:])).astype("float32")
    attrs = {"strides": (1, 1), "padding": "SAME", "dilations": (1, 1)}
    dy = random.standard_normal((*shape[:3], shape[4])).astype("float32")
    found = natively(convolved(attrs), x, filters, dy)
    close(found[0], Conv2d.kernel(x, filters, **attrs))
    close(found[1], Conv2dInputGrad.kernel(dy, filters, x, **attrs))
    close(found[2], Conv2dFilterGrad.kernel(dy, x, filters, **attrs))


def test_sums_do_not_depend_on_the_number_of_threads():
    x = np.random.default_rng(0).standard_normal((16, 24, 24, 16)).astype("float32")
    filters = np.random.default_rng(1).standard_normal((3, 3, 16, 32)).astype("float32")
    dy = np.random.default_rng(2).standard_normal((16, 24, 24, 32)).astype("float32")
    f = convolved({"strides": (1, 1), "padding": "SAME", "dilations": (1, 1)})
    threads = ag.config.threading
    before = threads.get_intra_op_parallelism_threads()
    found = []
    try:
        for count in (1, 2, 3):
            threads.set_intra_op_parallelism_threads(count)
            found.append(natively(f, x, filters, dy))
    finally:
        threads.set_intra_op_parallelism_threads(before)
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


@st.composite
def pools(draw):
    dtype = draw(st.sampled_from(["float32", "float64"]))
    shape = (draw(st.integers(0, 3)), draw(st.integers(1, 13)), draw(st.integers(1, 12)), draw(st.integers(1, 20)))
    x = np.random.default_rng(draw(st.integers(0, 99))).integers(-4, 5, shape).astype(dtype)  # with equal numbers
    if draw(st.booleans()) and x.size:
        x.flat[draw(st.integers(0, x.size - 1))] = draw(st.sampled_from([np.nan, -np.inf, np.inf]))
    window = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    return x, {"window": window, "strides": draw(twos), "padding": draw(pads)}


@FEW
@given(pools())
@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")
def test_pooling_and_its_gradients_equal_the_meaning(case):
    x, attrs = case
    args = attrs["window"], attrs["strides"], explicit(attrs["padding"])
    try:
        largest, mean = MaxPool2d.kernel(x, **attrs), AvgPool2d.kernel(x, **attrs)
    except ShapeError:
        return
    dy = np.random.default_rng(1).standard_normal(largest.shape).astype(x.dtype)
    v = np.random.default_rng(2).standard_normal(x.shape).astype(x.dtype)

    def f(x, dy, v):
        with ag.GradientTape() as outer:
            outer.watch(dy)
            with ag.GradientTape(persistent=True) as tape:
                tape.watch(x)
                y, z = ag.nn.max_pool2d(x, *args), ag.nn.avg_pool2d(x, *args)
                first, second = ag.reduce_sum(y * dy), ag.reduce_sum(z * dy)
            dx = tape.gradient(first, x)
            total = ag.reduce_sum(dx * v)
        return y, z, dx, tape.gradient(second, x), outer.gradient(total, dy)

    found = natively(f, x, dy, v)
    wanted = (
        largest,
        mean,
        MaxPool2dGrad.kernel(dy, x, largest, **attrs),
        AvgPool2dGrad.kernel(dy, x, **attrs),
        MaxPool2dPick.kernel(v, x, largest, **attrs),
    )
    for a, b in zip(found, wanted, strict=True):
        close(a, b)


@pytest.mark.parametrize("dtype", ["int32", "uint8", "int64"])
def test_pooling_of_integers(dtype):
    x = np.random.default_rng(0).integers(0, 200, (2, 7, 6, 5)).astype(dtype)
    (found,) = natively(lambda x: (ag.nn.max_pool2d(x, 3, 2, "SAME"),), x)
    np.testing.assert_array_equal(found, MaxPool2d.kernel(x, window=(3, 3), strides=(2, 2), padding="SAME"))


@pytest.mark.parametrize("padding", ["SAME", "VALID", ((1, 0), (0, 2))])
@pytest.mark.parametrize("sizes", [(None, 9, 7), (None, None, None)])
def test_pooling_of_sizes_that_only_the_run_knows(sizes, padding):
    attrs = {"window": (3, 2), "strides": (2, 2), "padding": padding}
    args = attrs["window"], attrs["strides"], explicit(padding)

    def f(x):
        with ag.GradientTape(persistent=True) as tape:
            tape.watch(x)
            y, z = ag.nn.max_pool2d(x, *args), ag.nn.avg_pool2d(x, *args)
        return y, z, tape.gradient(y, x), tape.gradient(z, x)

    x = np.random.default_rng(0).standard_normal((2, 9, 7, 19)).astype("float32")
    y, z = MaxPool2d.kernel(x, **attrs), AvgPool2d.kernel(x, **attrs)
    found = natively(f, x, specs=[ag.TensorSpec([*sizes, 19], ag.float32)])
    ones = np.ones_like(y)
    wanted = y, z, MaxPool2dGrad.kernel(ones, x, y, **attrs), AvgPool2dGrad.kernel(ones, x, **attrs)
    for a, b in zip(found, wanted, strict=True):
        close(a, b)


def test_convolutions_of_other_sizes_share_their_blocks():
    def blocks(*shape):
        window = ag.TensorSpec((3, 3, shape[-1], 8), "float32")
        compiled = ag.function(lambda x, f: ag.nn.conv2d(x, f, 1, "SAME"), jit_compile=True)
        lowered = compiled.get_concrete_function(ag.TensorSpec(shape, "float32"), window).executable.lowered
        return {name for name in lowered.symbols if name.startswith("ag_swept_")}

    assert blocks(4, 16, 16, 3) == blocks(2, 16, 16, 5) != set()


@pytest.mark.parametrize("processor", [(16, 16), (32, 16), (64, 32)])
@pytest.mark.parametrize("channels", [1, 3, 8, 16, 21])
def test_windows_inside_pictures_by_every_length_of_vectors(processor, channels, monkeypatch):
    monkeypatch.setattr(processor_module, "_processor", lambda: processor)
    random = np.random.default_rng(0)
    for dtype in ("float32", "float64", "int32", "uint8"):
        x = (random.standard_normal((2, 9, 11, channels)) * 50 + 128).astype(dtype)
        for window, strides in (((2, 2), (2, 2)), ((3, 1), (1, 2)), ((5, 5), (2, 3))):
            attrs = {"window": window, "strides": strides, "padding": "VALID"}
            found = natively(lambda x, attrs=attrs: [ag.nn.max_pool2d(x, *attrs.values())], x)
            np.testing.assert_array_equal(found[0], MaxPool2d.kernel(x, **attrs))
            if dtype.startswith("float"):
                found = natively(lambda x, attrs=attrs: [ag.nn.avg_pool2d(x, *attrs.values())], x)
                close(found[0], AvgPool2d.kernel(x, **attrs))


def test_convolutions_and_pooling_only_call_what_is_kept():
    x, filters = ag.ones([2, 28, 28, 16]), ag.ones([3, 3, 16, 32])
    f = ag.function(lambda x, w: ag.nn.max_pool2d(ag.nn.conv2d(x, w, 1, "SAME"), 2, 2, "VALID"), jit_compile=True)
    text = f.get_concrete_function(x, filters).executable.lowered.text
    assert text.startswith("; calls")
    assert all(name in text for name in ("ag_tiles_", "ag_pooled_", "ag_swept_"))
