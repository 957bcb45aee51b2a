"""Arguments to measure at: every exponent, the neighbourhoods of 0 and 1, and where functions overflow or vanish."""

import numpy as np


def reduced_up_to(name: str, dtype: type) -> float:
    """Where sin, cos and tan end and libm takes over."""
    return 2.0**20 if dtype == np.float32 and name != "tan" else 2.0**36


EDGES = (0.0, -0.0, 1.0, -1.0, 0.5, 2.0, np.inf, -np.inf, np.nan, 88.722, 88.73, -87.4, -103.97, -104.0, 709.78, 709.79,
         710.47, -708.4, -745.1, -745.2, 127.999, 128.0, -149.0, -150.0, 1024.0, -1075.0, 0.6931, 9.1, 19.1, 26.5, 27.3)


def binary(dtype: type, count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """About 7 * count pairs: anything, moderate ones, powers over the whole range of results, and all pairs of edges."""
    rng = np.random.default_rng(seed)
    bits = np.uint32 if dtype == np.float32 else np.uint64
    anything = rng.integers(0, np.iinfo(bits).max, (2, count), dtype=bits, endpoint=True).view(dtype)
    span = 87 if dtype == np.float32 else 744
    wide = np.exp(rng.uniform(-5, 5, count)).astype(dtype)
    close = (1 + rng.uniform(-0.4, 0.5, count) * 2.0 ** -rng.uniform(0, 22, count)).astype(dtype)
    with np.errstate(all="ignore"):
        exponents = [rng.uniform(-1, 1, count) * span / np.abs(np.log(base.astype(float))) for base in (wide, close)]
        edges = np.array([*EDGES, 3.0, -3.0, 1e-45, -1e-45, 5e-324, 1e38, -1e300, 2.0**53, 2.0**24 + 1]).astype(dtype)
        pairs = [
            anything, (anything[0], rng.integers(-50, 50, count)), rng.uniform(-10, 10, (2, count)),
            (wide, exponents[0]), (close, exponents[1]), rng.integers(-20, 20, (2, count)),
            (rng.uniform(0, 1e6, count), rng.uniform(0, 3, count)), np.array(np.meshgrid(edges, edges)).reshape(2, -1),
        ]
        x, y = (np.concatenate([np.asarray(pair[i]).astype(dtype) for pair in pairs]) for i in (0, 1))
    return x, y


def unary(name: str, dtype: type, count: int, seed: int = 0) -> np.ndarray:
    """About 6 * count arguments in the function's range."""
    rng = np.random.default_rng(seed)
    bits = np.uint32 if dtype == np.float32 else np.uint64
    anything = rng.integers(0, np.iinfo(bits).max, count, dtype=bits, endpoint=True).view(dtype)
    even = rng.uniform(-1, 1, count)
    edges, finite = np.array(EDGES, dtype), np.finfo(dtype)
    x = np.concatenate([
        anything, even.astype(dtype), (even * 10).astype(dtype), (even * 120).astype(dtype), (even * 1100).astype(dtype),
        (1 + even * 2.0 ** -rng.uniform(0, 24, count)).astype(dtype),
        edges, np.nextafter(edges, dtype(0)), np.nextafter(edges, dtype(9e9)),
        np.array([finite.max, finite.min, finite.tiny, finite.smallest_subnormal], dtype),
    ])
    if name in {"sin", "cos", "tan"}:
        limit = reduced_up_to(name, dtype)
        multiples = (np.rint(even * 2.0 ** rng.uniform(0, np.log2(limit), count)) * (np.pi / 2)).astype(dtype)
        x = np.concatenate([x, multiples, np.nextafter(multiples, dtype(np.inf))])
        x = x[~(np.abs(x) > limit)]
    return x
