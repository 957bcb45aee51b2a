"""Runs short programs in every way they can run and compares: plain Python on NumPy values is the reference.

A program is a function and two or more argument lists. `PROGRAMS.add(case, case, ...)` registers it, and
`test_eager, test_staged, test_gradients = PROGRAMS.tests()` makes the tests of a file.

Numbers and arrays among the arguments (also inside tuples, lists, dictionaries) are plain in the reference and tensors
(float64, int64, bool) otherwise; `Py(value)` stays as it is. Arguments are compared after the call too, and what was
printed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograph as ag

STEP = 1e-6


def open_spec(x: Any) -> ag.TensorSpec:
    """The signature of an argument like this one, of any size."""
    return ag.TensorSpec([None] * np.ndim(x), np.asarray(x).dtype)


@dataclasses.dataclass(frozen=True)
class Py:
    """An argument that stays a Python value."""

    value: Any


class Program:
    """A function and the arguments to run it with."""

    def __init__(self, function: Callable[..., Any], cases: tuple[Any, ...], gradients: bool, traces: int) -> None:
        self.function = function
        self.cases = [case if isinstance(case, tuple) else (case,) for case in cases]
        self.gradients = gradients
        self.traces = traces


class Programs:
    """The programs of one file."""

    def __init__(self) -> None:
        self.table: dict[str, Program] = {}

    def add(self, *cases: Any, gradients: bool = True, traces: int = 1) -> Callable[[Any], Any]:
        """Register the decorated function with argument lists (a tuple, or one argument)."""

        def register(function: Callable[..., Any]) -> Callable[..., Any]:
            assert function.__name__ not in self.table
            self.table[function.__name__] = Program(function, cases, gradients, traces)
            return function

        return register

    def tests(self) -> tuple[Any, Any, Any]:
        """The tests of the file: eager, staged, gradients."""
        each = pytest.mark.parametrize("name", self.table)
        smooth = [n for n, p in self.table.items() if p.gradients and any(map(float_leaves, p.cases))]

        @each
        def test_eager(name: str) -> None:
            check_eager(self.table[name])

        @each
        def test_staged(name: str) -> None:
            check_staged(self.table[name])

        @pytest.mark.parametrize("name", smooth)
        def test_gradients(name: str) -> None:
            check_gradients(self.table[name])

        return test_eager, test_staged, test_gradients

    def natively(self) -> Any:
        """One more test of the file: each program in native code."""

        @pytest.mark.parametrize("name", self.table)
        def test_natively(name: str) -> None:
            program = self.table[name]
            staged = ag.function(program.function, jit_compile=True)
            for case in program.cases:
                agree(outcome(staged, tensors(case)), outcome(program.function, plain(case)))

        return test_natively

    def at_open_sizes(self) -> Any:
        """One more test of the file: each program staged once for arguments of all sizes, on NumPy and natively."""

        @pytest.mark.parametrize("jit", [False, True])
        @pytest.mark.parametrize("name", self.table)
        def test_at_open_sizes(name: str, jit: bool) -> None:
            program = self.table[name]
            signature = [walk(argument, open_spec) for argument in program.cases[0]]
            staged = ag.function(program.function, input_signature=signature, jit_compile=jit)
            for case in program.cases:
                agree(outcome(staged, tensors(case)), outcome(program.function, plain(case)))

        return test_at_open_sizes


def walk(x: Any, leaf: Callable[[Any], Any]) -> Any:
    """`x` with its numbers and arrays replaced."""
    if isinstance(x, Py):
        return x.value
    if isinstance(x, tuple):
        parts = [walk(e, leaf) for e in x]
        return type(x)._make(parts) if hasattr(x, "_fields") else tuple(parts)
    if isinstance(x, list):
        return [walk(e, leaf) for e in x]
    if isinstance(x, dict):
        return {k: walk(v, leaf) for k, v in x.items()}
    if dataclasses.is_dataclass(x):
        return dataclasses.replace(x, **{f.name: walk(getattr(x, f.name), leaf) for f in dataclasses.fields(x)})
    return leaf(x)


def plain(case: Any) -> Any:
    """The arguments for plain Python."""
    return walk(case, lambda x: x.copy() if isinstance(x, np.ndarray) else x)


def tensors(case: Any) -> Any:
    """The arguments as tensors."""
    return walk(case, lambda x: ag.constant(np.asarray(x)[()] if not isinstance(x, np.ndarray) else x.copy()))


def float_leaves(case: Any) -> list[Any]:
    """Floating-point numbers and arrays among the arguments."""
    found: list[Any] = []

    def leaf(x: Any) -> Any:
        if isinstance(x, float) or (isinstance(x, np.ndarray) and x.dtype.kind == "f"):
            found.append(x)
        return x

    walk(case, leaf)
    return found


def values(x: Any) -> Any:
    """A result with tensors as NumPy values, in a form that `compare` goes through."""
    if isinstance(x, ag.Tensor):
        return x.numpy()
    if isinstance(x, tuple):
        return tuple(values(e) for e in x)
    if isinstance(x, list):
        return [values(e) for e in x]
    if isinstance(x, (set, frozenset)):
        return sorted(values(e) for e in x)
    if isinstance(x, dict):
        return {k: values(v) for k, v in x.items()}
    if dataclasses.is_dataclass(x) and not isinstance(x, type):
        return {f.name: values(getattr(x, f.name)) for f in dataclasses.fields(x)}
    return x


def compare(got: Any, want: Any, tolerance: float = 1e-9) -> None:
    """Assert that two results are the same, numbers to a relative tolerance."""
    if isinstance(want, (int, float, complex, np.generic, np.ndarray)):
        assert not isinstance(got, (str, list, tuple, dict)) and got is not None, (got, want)
        assert np.shape(got) == np.shape(want), (got, want)
        assert np.asarray(got).dtype.kind == np.asarray(want).dtype.kind, (got, want)
        np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)
        return
    assert type(got) is type(want), (got, want)
    if isinstance(want, (tuple, list)):
        assert len(got) == len(want), (got, want)
        for g, w in zip(got, want, strict=True):
            compare(g, w, tolerance)
    elif isinstance(want, dict):
        assert got.keys() == want.keys()
        for key in want:
            compare(got[key], want[key], tolerance)
    else:
        assert got == want


def outcome(function: Callable[..., Any], arguments: Any) -> tuple[Any, ...]:
    """(result or exception type, arguments afterwards, printed text)."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        try:
            result = values(function(*arguments))
        except Exception as error:
            result = type(error)
            if isinstance(error, (ag.errors.OperatorNotAllowedInGraphError, ag.errors.UnimplementedError)):
                raise
    return result, values(arguments), printed.getvalue()


def agree(got: tuple[Any, ...], want: tuple[Any, ...]) -> None:
    """Compare two outcomes; an error has to be of the same family."""
    if isinstance(want[0], type) and issubclass(want[0], Exception):
        assert isinstance(got[0], type) and issubclass(got[0], want[0]), (got[0], want[0])
    else:
        compare(got[0], want[0])
        compare(got[1], want[1])
    assert got[2] == want[2]


def check_eager(program: Program) -> None:
    """The undecorated function on tensors does what it does on NumPy values."""
    for case in program.cases:
        agree(outcome(program.function, tensors(case)), outcome(program.function, plain(case)))


def check_staged(program: Program) -> None:
    """One trace serves all argument lists, also a second time."""
    staged = ag.function(program.function)
    for case in [*program.cases, program.cases[0]]:
        agree(outcome(staged, tensors(case)), outcome(program.function, plain(case)))
    assert staged.experimental_get_tracing_count() == program.traces


def total(x: Any) -> Any:
    """The sum of all floating-point numbers in a result."""
    if isinstance(x, (list, tuple)):
        parts: list[Any] = [total(e) for e in x]
    elif isinstance(x, dict):
        parts = [total(e) for e in x.values()]
    elif dataclasses.is_dataclass(x):
        parts = [total(getattr(x, f.name)) for f in dataclasses.fields(x)]
    elif isinstance(x, ag.Tensor):
        return ag.reduce_sum(x) if x.dtype.is_floating else 0.0
    else:
        return float(np.sum(x)) if isinstance(x, (float, np.floating, np.ndarray)) else 0.0
    result = 0.0
    for part in parts:
        result = result + part
    return result


def central_differences(function: Callable[..., Any], case: Any) -> list[Any]:
    """The derivative of `total(function(*case))` by each floating-point number of the arguments."""
    leaves = float_leaves(case)

    def at(k: int, position: int, change: float) -> Any:
        count = iter(range(len(leaves)))

        def moved(x: Any) -> Any:
            if not (isinstance(x, float) or (isinstance(x, np.ndarray) and x.dtype.kind == "f")):
                return x
            if next(count) != k:
                return x.copy() if isinstance(x, np.ndarray) else x
            if isinstance(x, float):
                return x + change
            changed = x.copy()
            changed.reshape(-1)[position] += change
            return changed

        with contextlib.redirect_stdout(io.StringIO()):
            return float(total(function(*walk(case, moved))))

    return [
        np.reshape([(at(k, i, STEP) - at(k, i, -STEP)) / (2 * STEP) for i in range(np.size(leaf))], np.shape(leaf))
        for k, leaf in enumerate(leaves)
    ]


def gradients(function: Callable[..., Any], arguments: Any) -> list[Any]:
    """The same by a tape."""
    sources: list[Any] = []
    walk(arguments, lambda x: sources.append(x) if isinstance(x, ag.Tensor) and x.dtype.is_floating else None)
    with ag.GradientTape() as tape:
        for source in sources:
            tape.watch(source)
        # Copies: a program may write into its arguments, and derivatives are by what they held before.
        loss = total(function(*walk(arguments, lambda x: ag.identity(x) if isinstance(x, ag.Tensor) else x)))
    if not isinstance(loss, ag.Tensor):
        return [ag.zeros_like(s) for s in sources]
    return tape.gradient(loss, sources, unconnected_gradients="zero")


def check_gradients(program: Program) -> None:
    """Tape around the eager function, around the staged one, and inside a staged one, against central differences."""
    staged = ag.function(program.function)
    inside = ag.function(lambda *arguments: gradients(program.function, arguments))
    for case in program.cases:
        try:
            want = central_differences(program.function, case)
        except Exception:
            continue  # a case that raises has no derivative
        for way in (
            lambda arguments: gradients(program.function, arguments),
            lambda arguments: gradients(staged, arguments),
            lambda arguments: inside(*arguments),
        ):
            with contextlib.redirect_stdout(io.StringIO()):
                got = way(tensors(case))
            for g, w in zip(got, want, strict=True):
                compare(g.numpy(), w, 1e-4)
