"""Matrix products by our own kernels: every shape, step and number of threads gives NumPy's product."""

import ctypes
import itertools

import numpy as np
import pytest

import autograph as ag
from runtime.backends.native import dots, gemm, pool, threads, toolchain
from tests.unit.native.both import forbid_plan

pytestmark = pytest.mark.skipif(
    not toolchain.available() or gemm.tile("f32") is None, reason="no compiler, or a processor without kernels"
)
INT, PTR = ctypes.c_int64, ctypes.c_void_p
TYPES = {"f32": np.float32, "f64": np.float64}
HOST = [(kind, gemm.tile(kind)) for kind in TYPES] if toolchain.available() else []
ROOM = np.empty(1 << 21)
TILES = [*HOST, ("f32", gemm.Tile(8, 2, 6)), ("f64", gemm.Tile(4, 2, 6)), ("f32", gemm.Tile(4, 3, 2))]


@pytest.fixture(scope="module", params=TILES, ids=str)
def kernels(request):
    kind, tile = request.param
    made = gemm.Products(kind, tile)
    kinds = [
        (INT, INT, INT, INT, PTR, INT, INT, PTR, INT, INT, PTR, INT, INT, PTR, INT),
        (None, INT, INT, INT, PTR, INT, INT, PTR, PTR, INT, INT),
        (None, INT, INT, PTR, INT, INT, PTR),
    ]
    names = "ag_gemm", "ag_gemm_packed", "ag_pack"
    plain, packed, pack = (ctypes.CFUNCTYPE(*k)(made.address(n)) for k, n in zip(kinds, names, strict=True))
    plain.keep = made
    return TYPES[kind], tile, plain, packed, pack


def guarded(shape, dtype, random):
    """An array with known numbers around it, which must stay."""
    whole = np.full(int(np.prod(shape)) + 128, 7, dtype)
    inner = whole[64:-64].reshape(shape)
    inner[...] = random.standard_normal(shape)
    return whole, inner


def check(kernels, m, k, n, turned, pitch, add):
    dtype, tile, plain, packed, pack = kernels
    random = np.random.default_rng(m * 7 + k * 3 + n)
    a = random.standard_normal((k, m) if turned else (m, k)).astype(dtype)
    b = np.full((k, n + pitch), np.nan, dtype)
    b[:, :n] = random.standard_normal((k, n))
    left = a.T if turned else a
    steps = (1, m) if turned else (k, 1)
    want = left.astype(np.float64) @ b[:, :n].astype(np.float64)
    close = {"rtol": 1e-4, "atol": 1e-4} if dtype == np.float32 else {"rtol": 1e-11, "atol": 1e-11}
    down = np.ascontiguousarray(b[:, :n].T).T  # columns in one piece
    for by_panels, source in ((False, b), (False, down), (True, down if pitch else b[:, :n])):
        whole, c = guarded((m, n), dtype, random)
        before = c.copy()
        rows_and_columns = source.strides[0] // b.itemsize, source.strides[1] // b.itemsize
        if by_panels:
            panels = np.full(-(-n // tile.columns) * tile.columns * k + 16, np.nan, dtype)
            at = panels.ctypes.data
            pack(k, n, source.ctypes.data, *rows_and_columns, at)
            assert np.isnan(panels[-16:]).all()
            packed(m, n, k, a.ctypes.data, *steps, at, c.ctypes.data, n, add)
        else:
            given = m, n, k, a.ctypes.data, *steps, source.ctypes.data, *rows_and_columns, c.ctypes.data, n, add
            assert plain(*given, None, 0) == 1
            first = c.copy()
            c[...] = before
            assert plain(*given, ROOM.ctypes.data, ROOM.nbytes) == 1
            np.testing.assert_array_equal(c, first)
        np.testing.assert_allclose(c, want + before * add, **close)
        assert (whole[:64] == 7).all() and (whole[-64:] == 7).all()


def test_small(kernels):
    sizes = itertools.product((1, 2, 11, 12, 13, 40), (1, 3, 64), (1, 5, 16, 31, 32, 33, 70))
    for (m, k, n), turned, pitch, add in itertools.product(sizes, (False, True), (0, 3), (0, 1)):
        check(kernels, m, k, n, turned, pitch, add)


@pytest.mark.parametrize(
    ("m", "k", "n"), [(300, 700, 90), (70, 400, 512), (260, 385, 1100), (257, 384, 33), (1000, 20, 64), (64, 300, 1024),
     (1003, 70, 100), (150, 1030, 260), (1540, 390, 520), (130, 600, 257)]
)
def test_large(kernels, m, k, n):
    for turned, add in itertools.product((False, True), (0, 1)):
        check(kernels, m, k, n, turned, 0, add)


@pytest.mark.parametrize("kind", [kind for kind, _ in HOST])
@pytest.mark.parametrize(
    ("m", "k", "n"), [(300, 700, 90), (128, 512, 1024), (512, 128, 1024), (192, 320, 512), (64, 300, 1030), (1540, 390, 520)]
)
def test_what_is_put_in_order_fits_into_the_room_that_is_planned(kind, m, k, n):
    plain = ctypes.CFUNCTYPE(INT, INT, INT, INT, PTR, INT, INT, PTR, INT, INT, PTR, INT, INT, PTR, INT)(
        gemm.symbol(f"ag_gemm_{kind}")
    )
    random = np.random.default_rng(m)
    for turned, down in itertools.product((False, True), (False, True)):
        a, b = random.standard_normal((m, k)).astype(TYPES[kind]), random.standard_normal((k, n)).astype(TYPES[kind])
        steps, others = (1, m) if turned else (k, 1), (1, k) if down else (n, 1)
        left, right = a.T.copy() if turned else a, b.T.copy() if down else b
        size = gemm.room(kind, (m, n, k), steps, others)
        own, inner = guarded((size // a.itemsize,), TYPES[kind], random)
        c = np.empty((m, n), TYPES[kind])
        pool.empty()
        places = left.ctypes.data, *steps, right.ctypes.data, *others, c.ctypes.data, n, 0, inner.ctypes.data, size
        assert plain(m, n, k, *places) == 1
        assert pool.kept() == 0  # none was taken beside it
        assert (own[:64] == 7).all() and (own[-64:] == 7).all()
        np.testing.assert_allclose(c, a @ b, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(("kind", "tile"), HOST, ids=str)
@pytest.mark.parametrize(
    ("m", "k", "n", "way", "most"),
    [(24, 100, 128, "plain", 1), (100, 100, 100, "plain", 6), (64, 784, 10, "plain", 5), (37, 60, 64, "plain", 2),
     (300, 700, 90, "copied", 6), (1540, 390, 520, "copied", 9), (200, 1100, 300, "ordered", 7), (None, 64, None, "", 28)],
)
def test_only_what_sizes_need_is_compiled(kind, tile, m, k, n, way, most):
    """And it is enough: places that are not filled are not called."""
    whole = ctypes.CFUNCTYPE(INT, INT, INT, INT, PTR, INT, INT, PTR, INT, INT, PTR, INT, INT, PTR, INT)
    name = gemm.of_sizes(kind, (m, n, k), (k, 1), (n, 1))
    assert name.startswith(f"ag_gemm_{kind}.{way}.")
    made = gemm.Products(kind, tile)
    assert made.symbol(name) != 0
    assert 1 <= sum(place is not None for place in made.places) <= most
    random = np.random.default_rng(0)
    for rows, columns in [(m, n)] if m else [(1, 3), (50, 70), (1601, 33)]:
        a, b = (random.standard_normal(shape).astype(TYPES[kind]) for shape in ((rows, k), (k, columns)))
        c, all_of_it = np.empty((2, rows, columns), TYPES[kind])
        for function, out in ((made.symbol(name), c), (gemm.symbol(f"ag_gemm_{kind}"), all_of_it)):
            given = a.ctypes.data, k, 1, b.ctypes.data, columns, 1, out.ctypes.data, columns, 0, None, 0
            assert whole(function)(rows, columns, k, *given) == 1
        np.testing.assert_array_equal(c, all_of_it)


def test_nothing(kernels):
    for m, k, n in ((0, 4, 4), (4, 4, 0), (4, 0, 4), (0, 0, 0)):
        for add in (0, 1):
            check(kernels, m, k, n, False, 0, add)


@pytest.mark.parametrize("count", [2, 3])
def test_threads_change_nothing(kernels, count):
    dtype, _, plain, _, _ = kernels
    random = np.random.default_rng(0)
    try:
        for m, k, n in ((32, 256, 256), (64, 784, 256), (500, 300, 100), (2048, 64, 64)):
            a, b = random.standard_normal((m, k)).astype(dtype), random.standard_normal((k, n)).astype(dtype)
            made = []
            for threads_now in (1, count):
                threads.set_count(threads_now)
                c = np.empty((m, n), dtype)
                plain(m, n, k, a.ctypes.data, k, 1, b.ctypes.data, n, 1, c.ctypes.data, n, 0, None, 0)
                made.append(c)
            np.testing.assert_array_equal(*made)
    finally:
        threads.set_count(0)


def both(f, *arguments, tolerance=1e-4):
    """Native results equal the plan's; the native text."""
    arguments = [ag.constant(x) for x in arguments]
    native = ag.function(f, jit_compile=True)
    concrete = native.get_concrete_function(*arguments)
    forbid_plan(concrete.executable, pytest.MonkeyPatch())
    got, want = native(*arguments), ag.function(f, jit_compile=False)(*arguments)
    for x, y in zip(ag.nest.flatten(got), ag.nest.flatten(want), strict=True):
        np.testing.assert_allclose(x.numpy(), y.numpy(), rtol=tolerance, atol=tolerance)
    return concrete.executable.lowered.text


X = np.random.default_rng(1).standard_normal((9, 24, 64)).astype(np.float32)
W = np.random.default_rng(2).standard_normal((64, 64)).astype(np.float32) / 8


def test_a_loop_packs_its_weights_once():
    def f(x, w):
        s = ag.zeros_like(x[0])
        for t in ag.range(9):
            s = ag.tanh(x[t] + s @ w)
        return s

    text = both(f, X, W)
    assert text.count("call void @ag_pack_f32") == 1 and text.count("call void @ag_gemm_packed_f32") == 1
    both(f, X.astype(np.float64), W.astype(np.float64), tolerance=1e-10)


def test_transposed_weights_and_gradients():
    def f(x, w):
        with ag.GradientTape() as tape:
            tape.watch(w)
            s = ag.zeros_like(x[0])
            for t in ag.range(9):
                s = ag.tanh(x[t] + ag.matmul(s, w, transpose_b=True)) + s @ w
            loss = ag.reduce_sum(s * s)
        return loss, tape.gradient(loss, w)

    text = both(f, X, W * np.float32(0.3), tolerance=1e-3)
    assert "ag_gemm_packed_f32" in text


def test_weights_of_nested_loops_and_branches():
    def f(x, w):
        s = x[0]
        for t in ag.range(9):
            for _ in ag.range(t % 3):
                s = ag.tanh(s @ w)
            if ag.reduce_sum(s) > 0:
                s = s - x[t] @ w
            else:
                s = s + s @ w
        return s

    text = both(f, X, W)
    assert text.count("call void @ag_pack_f32") == 1 and text.count("call void @ag_gemm_packed_f32") >= 3


def test_weights_that_a_loop_changes_are_not_packed():
    def f(x, w):
        s = x[0]
        for t in ag.range(9):
            s = ag.tanh(s @ w)
            w = w * 0.9 + 0.01 * ag.matmul(s, x[t], transpose_a=True)
        return s, w

    assert "call void @ag_pack_f32" not in both(f, X, W)


def test_weights_that_only_start_an_inner_loop_are_not_packed_for_it():
    def f(x, w):
        s = x[0]
        for t in ag.range(4):
            v = w
            for _ in ag.range(3):
                s = ag.tanh(s @ v + x[t])
                v = v * 0.5
        return s

    assert "call void @ag_pack_f32" not in both(f, X, W)


def test_loops_of_no_steps_and_of_unknown_rows():
    def f(x, w, n):
        s = x[0]
        for t in ag.range(n):
            s = ag.tanh(x[t] + s @ w)
        return s

    for n in (0, 1, 9):
        both(f, X, W, np.int32(n))
    native = ag.function(f, jit_compile=True, input_signature=[
        ag.TensorSpec([None, None, 64], ag.float32), ag.TensorSpec([64, 64], ag.float32), ag.TensorSpec([], ag.int32)])
    plan = ag.function(f, jit_compile=False)
    for rows in (1, 3, 24, 0):
        x = ag.constant(X[:, :rows])
        got, want = native(x, ag.constant(W), ag.constant(9)), plan(x, ag.constant(W), ag.constant(9))
        np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-4, atol=1e-5)


def test_products_outside_of_loops():
    x, w = np.random.default_rng(0).standard_normal((2, 150, 150)).astype(np.float32)
    text = both(lambda x, w: ag.nn.relu(x @ w) @ ag.transpose(x), x, w, tolerance=1e-3)
    assert "ag_gemm_f32" in text
    both(lambda x, w: ag.matmul(x, w, transpose_a=True), x.astype(np.float64), w.astype(np.float64), tolerance=1e-10)
    both(lambda x, w: ag.stack([x, w]) @ w, x, w, tolerance=1e-3)


@pytest.mark.parametrize(("kind", "tile"), TILES, ids=str)
@pytest.mark.parametrize("columns", [2, 5, 10])
def test_few_columns(kind, tile, columns):
    dtype, name = TYPES[kind], f"ag_dots_{kind}_{columns}"
    symbols = pool.addresses() | {"ag_parallel": threads.parallel_address()}
    loaded = toolchain.compile_text(dots.text(kind, tile, columns), symbols, (name,))
    run = ctypes.CFUNCTYPE(INT, INT, INT, PTR, INT, PTR, INT, INT, PTR, INT, INT)(loaded.address(name))
    close = {"rtol": 1e-4, "atol": 1e-4} if dtype == np.float32 else {"rtol": 1e-11, "atol": 1e-11}
    random = np.random.default_rng(columns)
    try:
        for m, k in itertools.product((0, 1, 2, 3, 7, 300), (0, 1, 15, 16, 33, 64, 500)):
            for turned, add, count in itertools.product((False, True), (0, 1), (1, 3)):
                threads.set_count(count)
                a = np.full((m, k + 3), np.nan, dtype)  # what is beside the rows must not be read
                a[:, :k] = random.standard_normal((m, k))
                b = random.standard_normal((columns, k) if turned else (k, columns)).astype(dtype)
                steps = (1, k) if turned else (columns, 1)
                whole, c = guarded((m, columns), dtype, random)
                before = c.copy()
                assert run(m, k, a.ctypes.data, k + 3, b.ctypes.data, *steps, c.ctypes.data, columns, add) == 1
                np.testing.assert_allclose(c, a[:, :k] @ (b.T if turned else b) + before * add, **close)
                assert (whole[:64] == 7).all() and (whole[-64:] == 7).all()
    finally:
        threads.set_count(0)


def test_steps_of_a_linear_model():
    def train(x, y, steps):
        w = ag.zeros([1200, 10])
        for i in ag.range(steps):
            start = i * 50 % 200
            rows = x[start : start + 50]
            with ag.GradientTape() as tape:
                tape.watch(w)
                loss = ag.reduce_sum((rows @ w - y[start : start + 50]) ** 2)
            w = w - 1e-4 * tape.gradient(loss, w)
        return w, ag.transpose(w) + 1

    random = np.random.default_rng(0)
    x, y = random.standard_normal((200, 1200)).astype(np.float32), random.standard_normal((200, 10)).astype(np.float32)
    text = both(train, x, y, np.int32(9))
    assert "call i64 @ag_dots_f32_10" in text and "cblas" not in text


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_product_made_as_its_transpose(dtype):
    random = np.random.default_rng(0)
    x, d = random.standard_normal((300, 700)).astype(dtype), random.standard_normal((300, 9)).astype(dtype)

    def f(x, d):
        g = ag.matmul(x, d, transpose_a=True)
        h = ag.matmul(x, d + 1, transpose_a=True)  # a result, in C order
        return g * 2 + ag.reduce_sum(g, axis=0), g @ ag.transpose(g), ag.reshape(g, [-1])[:50], h

    tolerance = 1e-2 if dtype == np.float32 else 1e-9
    both(f, x, d, tolerance=tolerance)


def test_batches_by_packed_weights():
    def f(x, w):
        s = ag.zeros([8, 100, 64])
        for t in ag.range(3):
            s = ag.tanh(s + ag.matmul(x, w, transpose_a=True) * ag.cast(t, ag.float32))
            s = s + ag.matmul(s, w) + ag.matmul(s, w, transpose_b=True)
            x = x * 0.9 + ag.transpose(s, [0, 2, 1]) * 0.1
        return s

    x = np.random.default_rng(3).standard_normal((8, 64, 100)).astype(np.float32)
    text = both(f, x, W, tolerance=1e-3)
    assert text.count("call void @ag_pack_f32") == 2


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize(("rows", "inner", "columns"), [(64, 300, 60), (257, 129, 77), (512, 256, 256), (70, 1000, 40)])
def test_products_by_a_transpose(kind, rows, inner, columns):
    rng = np.random.default_rng(rows)
    x, w = rng.normal(size=(rows, inner)).astype(kind), rng.normal(size=(columns, inner)).astype(kind)

    @ag.function(jit_compile=True)
    def product(x, w):
        return ag.nn.relu(x) @ ag.transpose(w) + 1.0

    given = ag.constant(x), ag.constant(w)
    product(*given)
    assert f"call i64 @ag_gemm_{'f32' if kind == 'float32' else 'f64'}." in product.inspect(*given).llvm
    tolerance = {"float32": 2e-4, "float64": 1e-10}[kind]
    np.testing.assert_allclose(product(*given), np.maximum(x, 0) @ w.T + 1, rtol=tolerance, atol=tolerance * 10)
