"""What `statistics` does, as functions that are converted where tensors are about: Python's add fractions of integers."""

from __future__ import annotations

import math
from statistics import StatisticsError
from typing import Any

__all__: list[str] = []

__name__ = "python_forms.statistics"  # functions of this package's own modules are called as they are


def mean(data: Any) -> Any:
    xs = list(data)
    if len(xs) < 1:
        raise StatisticsError("mean requires at least one data point")
    return sum(xs) / len(xs)


def fmean(data: Any, weights: Any = None) -> Any:
    xs = list(data)
    if len(xs) < 1:
        raise StatisticsError("fmean requires at least one data point")
    if weights is None:
        return sum(float(x) for x in xs) / len(xs)
    return sum(float(x) * float(w) for x, w in zip(xs, weights, strict=True)) / sum(float(w) for w in weights)


def geometric_mean(data: Any) -> Any:
    return math.exp(mean([math.log(x) for x in data]))


def harmonic_mean(data: Any) -> Any:
    return 1 / mean([1 / x for x in data])


def median(data: Any) -> Any:
    xs = sorted(data)
    n = len(xs)
    if n < 1:
        raise StatisticsError("no median for empty data")
    middle = n // 2
    if n % 2 == 1:
        found = xs[middle]
    else:
        found = (xs[middle - 1] + xs[middle]) / 2
    return found


def median_low(data: Any) -> Any:
    xs = sorted(data)
    if len(xs) < 1:
        raise StatisticsError("no median for empty data")
    return xs[(len(xs) - 1) // 2]


def median_high(data: Any) -> Any:
    xs = sorted(data)
    if len(xs) < 1:
        raise StatisticsError("no median for empty data")
    return xs[len(xs) // 2]


def _squares(xs: Any, center: Any) -> Any:
    c = mean(xs) if center is None else center
    return sum((x - c) ** 2 for x in xs)


def variance(data: Any, xbar: Any = None) -> Any:
    xs = list(data)
    if len(xs) < 2:
        raise StatisticsError("variance requires at least two data points")
    return _squares(xs, xbar) / (len(xs) - 1)


def pvariance(data: Any, mu: Any = None) -> Any:
    xs = list(data)
    if len(xs) < 1:
        raise StatisticsError("pvariance requires at least one data point")
    return _squares(xs, mu) / len(xs)


def stdev(data: Any, xbar: Any = None) -> Any:
    return variance(data, xbar) ** 0.5


def pstdev(data: Any, mu: Any = None) -> Any:
    return pvariance(data, mu) ** 0.5


def mode(data: Any) -> Any:
    xs = list(data)
    if len(xs) < 1:
        raise StatisticsError("no mode for empty data")
    best = xs[0]
    most = 0
    for x in xs:
        count = sum(1 for y in xs if y == x)
        if count > most:
            best = x
            most = count
    return best
