"""Convolution and pooling against loops over every place, TensorFlow's padding, data formats, unknown sizes."""

import itertools

import numpy as np
import pytest

import autograph as ag

RANDOM = np.random.default_rng(0)


def padded(x, window, strides, dilations, padding, value=0.0):
    if padding == "VALID":
        return x
    if padding == "SAME":
        padding = [(0, 0)]
        for k in (0, 1):
            size = x.shape[1 + k]
            missing = max(
                (-(-size // strides[k]) - 1) * strides[k] + (window[k] - 1) * dilations[k] + 1 - size, 0
            )
            padding.append((missing // 2, missing - missing // 2))
        padding.append((0, 0))
    return np.pad(x, padding, constant_values=value)


def windows(x, window, strides, dilations):
    """((row, column), the window there) of a padded picture."""
    spans = [(w - 1) * d + 1 for w, d in zip(window, dilations, strict=True)]
    rows, columns = ((x.shape[1 + k] - spans[k]) // strides[k] + 1 for k in (0, 1))
    for i, j in itertools.product(range(rows), range(columns)):
        top, left = i * strides[0], j * strides[1]
        yield (i, j), x[:, top : top + spans[0] : dilations[0], left : left + spans[1] : dilations[1]]


def convolved(x, filters, strides, dilations, padding):
    x = padded(x, filters.shape[:2], strides, dilations, padding)
    found = {
        place: np.tensordot(part, filters, axes=((1, 2, 3), (0, 1, 2)))
        for place, part in windows(x, filters.shape[:2], strides, dilations)
    }
    rows, columns = (1 + max(p[k] for p in found) for k in (0, 1))
    return np.stack([np.stack([found[i, j] for j in range(columns)], 1) for i in range(rows)], 1)


CASES = [
    (space, window, strides, dilations, padding)
    for space in ((7, 6), (5, 8))
    for window in ((3, 3), (2, 3), (1, 1))
    for strides, dilations in (((1, 1), (1, 1)), ((2, 1), (1, 1)), ((2, 2), (1, 1)), ((1, 1), (2, 2)))
    for padding in ("SAME", "VALID", [(0, 0), (1, 2), (0, 1), (0, 0)])
]


@pytest.mark.parametrize(("space", "window", "strides", "dilations", "padding"), CASES)
def test_convolution_is_the_sum_over_every_window(space, window, strides, dilations, padding):
    x, filters = RANDOM.standard_normal((2, *space, 3)), RANDOM.standard_normal((*window, 3, 4))
    expected = convolved(x, filters, strides, dilations, padding)
    found = ag.nn.conv2d(ag.constant(x), ag.constant(filters), strides, padding, dilations=dilations)
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-12)
    filters, picture = ag.constant(filters), ag.constant(x.transpose(0, 3, 1, 2))
    if not isinstance(padding, str):
        padding = [padding[0], padding[3], padding[1], padding[2]]
    found = ag.nn.conv2d(picture, filters, strides, padding, data_format="NCHW", dilations=dilations)
    np.testing.assert_allclose(found.numpy().transpose(0, 2, 3, 1), expected, atol=1e-12)


def test_groups_are_convolutions_of_their_channels():
    x, filters = RANDOM.standard_normal((2, 5, 5, 4)), RANDOM.standard_normal((3, 3, 2, 6))
    found = ag.nn.conv2d(ag.constant(x), ag.constant(filters), 1, "SAME").numpy()
    parts = [
        convolved(x[..., 2 * g : 2 * g + 2], filters[..., 3 * g : 3 * g + 3], (1, 1), (1, 1), "SAME")
        for g in (0, 1)
    ]
    np.testing.assert_allclose(found, np.concatenate(parts, axis=3), atol=1e-12)


def test_depthwise_is_each_channel_by_itself():
    x, filters = RANDOM.standard_normal((1, 4, 5, 3)), RANDOM.standard_normal((2, 2, 3, 2))
    found = ag.nn.depthwise_conv2d(ag.constant(x), ag.constant(filters), [1, 1, 1, 1], "VALID").numpy()
    parts = [
        convolved(x[..., c : c + 1], filters[:, :, c : c + 1], (1, 1), (1, 1), "VALID") for c in range(3)
    ]
    np.testing.assert_allclose(found, np.concatenate(parts, axis=3), atol=1e-12)


@pytest.mark.parametrize(
    ("strides", "padding", "size"), [(1, "SAME", 5), (2, "SAME", 9), (2, "SAME", 10), (2, "VALID", 11)]
)
def test_the_transpose_is_the_adjoint(strides, padding, size):
    filters = ag.constant(RANDOM.standard_normal((3, 3, 2, 4)))
    x, y = (ag.constant(RANDOM.standard_normal(s)) for s in ((1, size, size, 2), (1, 5, 5, 4)))
    there = ag.reduce_sum(ag.nn.conv2d(x, filters, strides, padding) * y)
    back = ag.reduce_sum(ag.nn.conv2d_transpose(y, filters, x.shape, strides, padding) * x)
    np.testing.assert_allclose(there.numpy(), back.numpy())


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize(("window", "strides"), [((2, 2), (2, 2)), ((3, 2), (1, 2)), ((3, 3), (2, 1))])
def test_pooling_is_of_every_window(window, strides, padding):
    x = RANDOM.standard_normal((2, 7, 6, 3))
    for pool, reduce, edge in ((ag.nn.max_pool2d, np.max, -np.inf), (ag.nn.avg_pool2d, np.nanmean, np.nan)):
        found = pool(ag.constant(x), window, strides, padding).numpy()
        for (i, j), part in windows(
            padded(x, window, strides, (1, 1), padding, edge), window, strides, (1, 1)
        ):
            np.testing.assert_allclose(found[:, i, j], reduce(part, axis=(1, 2)))


def test_ties_give_the_gradient_to_the_first_place():
    x = ag.ones([1, 2, 2, 1])
    with ag.GradientTape() as tape:
        tape.watch(x)
        y = ag.nn.max_pool2d(x, 2, 2, "VALID")
    assert tape.gradient(y, x).numpy().ravel().tolist() == [1, 0, 0, 0]


@pytest.mark.parametrize("data_format", ["NWC", "NCW"])
def test_series_are_pictures_of_one_row(data_format):
    x, filters = RANDOM.standard_normal((2, 7, 3)), RANDOM.standard_normal((3, 3, 4))
    wanted = convolved(x[:, None], filters[None], (1, 2), (1, 1), "SAME")[:, 0]
    series = ag.constant(x if data_format == "NWC" else x.transpose(0, 2, 1))
    found = ag.nn.conv1d(series, ag.constant(filters), 2, "SAME", data_format=data_format).numpy()
    np.testing.assert_allclose(
        found if data_format == "NWC" else found.transpose(0, 2, 1), wanted, atol=1e-12
    )
    pooled = ag.nn.max_pool1d(series, 2, 2, "VALID", data_format=data_format).numpy()
    pooled = pooled if data_format == "NWC" else pooled.transpose(0, 2, 1)
    np.testing.assert_allclose(pooled, x[:, :6].reshape(2, 3, 2, 3).max(axis=2))


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_unknown_sizes(padding):
    @ag.function(
        input_signature=[
            ag.TensorSpec([None, None, None, 2], ag.float64),
            ag.TensorSpec([3, 3, 2, 4], ag.float64),
        ]
    )
    def slopes(x, filters):
        with ag.GradientTape() as tape:
            tape.watch([x, filters])
            y = ag.nn.avg_pool2d(
                ag.nn.max_pool2d(ag.nn.conv2d(x, filters, 2, padding), 2, 1, "SAME"), 2, 1, padding
            )
            loss = ag.reduce_sum(y * y)
        return tape.gradient(loss, [x, filters])

    for space in ((9, 7), (8, 12)):
        arguments = [ag.constant(RANDOM.standard_normal(s)) for s in ((2, *space, 2), (3, 3, 2, 4))]
        for found, wanted in zip(slopes(*arguments), slopes.python_function(*arguments), strict=True):
            np.testing.assert_allclose(found.numpy(), wanted.numpy(), atol=1e-10)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda x, f: ag.nn.conv2d(x[0], f, 1, "SAME"), "both need four axes"),
        (lambda x, f: ag.nn.conv2d(x, f[:, :, :2], 1, "SAME"), "no multiple of the 2 that the filters"),
        (lambda x, f: ag.nn.conv2d(x, f, 1, "LARGE"), "'SAME', 'VALID' or four pairs"),
        (lambda x, f: ag.nn.conv2d(x, f, [2, 1, 1, 1], "SAME"), "over the batch or the channels must be 1"),
        (lambda x, f: ag.nn.conv2d(x[:, :2], f, 1, "VALID"), "a window of 3 does not fit into 2"),
        (lambda x, f: ag.nn.conv2d(x, f, 1, "SAME", data_format="HWCN"), "'NHWC' or 'NCHW'"),
        (lambda x, f: ag.nn.avg_pool2d(ag.cast(x, ag.int32), 2, 2, "SAME"), "needs floating-point numbers"),
    ],
)
def test_errors_say_what_is_wrong(call, said):
    with pytest.raises(Exception, match=said):
        call(ag.ones([1, 4, 4, 3]), ag.ones([3, 3, 3, 2]))
