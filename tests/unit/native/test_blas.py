"""Finding the BLAS that NumPy loaded, and the adapters of those with other calling conventions."""

import ctypes
from pathlib import Path

import numpy as np
import pytest

from runtime.backends.native import blas, toolchain

pytestmark = pytest.mark.skipif(not toolchain.available(), reason="llvmlite is not installed")

E, N, P = ctypes.c_int, ctypes.c_int64, ctypes.c_void_p


def multiply(address, a, b, transpose_a, transpose_b, layout=101):
    scalar = ctypes.c_float if a.dtype == np.float32 else ctypes.c_double
    m, k = a.shape[::-1] if transpose_a else a.shape
    n = b.shape[0] if transpose_b else b.shape[1]
    out = np.full((m, n), 7, a.dtype, order="C" if layout == 101 else "F")
    gemm = ctypes.CFUNCTYPE(None, E, E, E, N, N, N, scalar, P, N, P, N, scalar, P, N)(address)
    leading = [x.shape[1] if layout == 101 else x.shape[0] for x in (a, b, out)]
    gemm(layout, 112 if transpose_a else 111, 112 if transpose_b else 111, m, n, k, 2.0,
         a.ctypes.data, leading[0], b.ctypes.data, leading[1], 0.5, out.ctypes.data, leading[2])
    return out


def libraries():
    found = [pytest.param(blas.find, id="found")]
    scipy = pytest.importorskip("scipy.linalg.cython_blas")
    return [*found, pytest.param(lambda: blas.FortranBlas(scipy.__pyx_capi__), id="scipy's pointers"),
            pytest.param(narrow, id="32-bit sizes")]


def narrow():
    """SciPy's own library, whose sizes have 32 bits."""
    if not Path("/proc/self/maps").exists():
        pytest.skip("no list of the libraries loaded")
    for line in Path("/proc/self/maps").read_text().splitlines():
        path = line.split()[-1]
        if "scipy_openblas-" in path:
            return blas.Blas(ctypes.CDLL(path), "scipy_{}", 32)
    pytest.skip("SciPy's library is not a wheel's")


@pytest.mark.parametrize("layout", [101, 102])
@pytest.mark.parametrize("transposed", [(0, 0), (0, 1), (1, 0), (1, 1)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("library", libraries())
def test_products(library, dtype, transposed, layout):
    rng = np.random.default_rng(0)
    order = "C" if layout == 101 else "F"
    a = np.asarray(rng.normal(size=(5, 3) if transposed[0] else (3, 5)), dtype, order=order)
    b = np.asarray(rng.normal(size=(4, 5) if transposed[1] else (5, 4)), dtype, order=order)
    library = library()
    address = library.address("cblas_sgemm" if dtype == "float32" else "cblas_dgemm")
    result = multiply(address, a, b, *transposed, layout)
    expected = 2 * (a.T if transposed[0] else a) @ (b.T if transposed[1] else b) + 3.5
    np.testing.assert_allclose(result, expected, rtol=2e-6 if dtype == "float32" else 1e-14)


def test_the_width_of_sizes_is_told_apart():
    pytest.importorskip("scipy.linalg.cython_blas")
    library = narrow()
    assert blas._width(library.handle.scipy_cblas_dscal) == 32
    found = blas.find()
    if isinstance(found, blas.Blas) and found.bits == 64:
        assert blas._width(getattr(found.handle, found.pattern.format("cblas_dscal"))) == 64


def test_adapters_of_other_routines():
    pytest.importorskip("scipy.linalg.cython_blas")
    library = narrow()
    x, y = np.arange(3.0), np.arange(3.0) + 1
    dot = ctypes.CFUNCTYPE(ctypes.c_double, N, P, N, P, N)(library.address("cblas_ddot"))
    assert dot(3, x.ctypes.data, 1, y.ctypes.data, 1) == x @ y
    assert library.address("cblas_zherk") is None


def test_threads_can_be_read_and_set():
    library = blas.find()
    before = library.threads
    library.threads = 1
    assert library.threads == 1
    library.threads = before
