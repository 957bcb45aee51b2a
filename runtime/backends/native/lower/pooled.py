"""The largest numbers or means of a row of windows that lie inside a picture, with places and steps told by the call.

    ag_pooled_f32x16.HOW.TALL.WIDE.REST(from, to, row, step, channels, windows)
        of `windows` windows of TALL by WIDE places with `channels` numbers each, `step` numbers apart, in rows that are
        `row` numbers apart; HOW is "max" or "mean"; REST is how many numbers the last vector of a place has, 0 where it is
        full

and the same for other types and lengths of vectors. Each is compiled once, by itself, and kept.
"""

from __future__ import annotations

import re

from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.kept import kept
from runtime.backends.native.lower.kernels import Kernel, Vectors
from runtime.backends.native.lower.module import Module
from runtime.backends.native.lower.types import SIZE, is_float, is_signed

__all__ = ["call", "least", "symbol", "text"]

UNROLLED = 16  # places of a window up to which there is no loop over them
_NAME = re.compile(r"ag_pooled_(\w+?)x\d+\.(max|mean)\.(\d+)\.(\d+)\.(\d+)(only)?")
_GIVEN = ("row", "step", "channels", "windows")


def call(
    kernel: Kernel, how: str, window: tuple[int, int], source: str, target: str,
    steps: tuple[Operand, Operand], channels: int, windows: Operand,
) -> None:  # fmt: skip
    """Pool a row of windows; `steps` are those from row to row and from window to window."""
    rest = f"{channels}only" if channels <= kernel.lanes else str(channels % kernel.lanes)
    name = f"ag_pooled_{kernel.kind}x{kernel.lanes}.{how}.{window[0]}.{window[1]}.{rest}"
    kernel.module.declare(f"declare void @{name}(ptr, ptr, i64, i64, i64, i64)", name)
    numbers = ", ".join(f"i64 {x}" for x in (*steps, channels, windows))
    kernel.code.do(f"call void @{name}(ptr {source}, ptr {target}, {numbers})")


def least(kernel: Vectors) -> str:
    """The least number in all lanes."""
    if is_float(kernel.kind):
        return kernel.constant(float("-inf"))
    return kernel.constant(-(2 ** (8 * SIZE[kernel.kind] - 1)) if is_signed(kernel.kind) else 0)


def text(name: str) -> str:
    """The module of a function."""
    found = _NAME.fullmatch(name)
    assert found, name
    mean, rest = found[2] == "mean", int(found[5])
    kernel = Vectors(Module(), found[1])
    code = kernel.code
    channels: Operand = rest if found[6] else "%channels"
    whole = code.sub(channels, rest)
    with kernel.loop(0, "%windows") as j:
        source, to = kernel.at("%from", code.mul(j, "%step")), kernel.at("%to", code.mul(j, channels))
        sizes = int(found[3]), int(found[4]), channels
        if not found[6]:
            with kernel.loop(0, whole, kernel.lanes) as c:
                _window(kernel, mean, sizes, (source, to), c, kernel.lanes)
        if rest:
            _window(kernel, mean, sizes, (source, to), whole, rest)
    return kernel.defined(name, f"ptr noalias %from, ptr noalias %to, {', '.join(f'i64 %{x}' for x in _GIVEN)}")


def _window(
    kernel: Vectors, mean: bool, window: tuple[int, int, Operand], at: tuple[str, str], c: Operand, width: int
) -> None:
    """A vector of the channels of a window."""
    code, channels = kernel.code, window[2]
    (total,) = kernel.variables(1)
    kernel.set(total, kernel.constant(0) if mean else least(kernel))
    first = kernel.at(at[0], c)

    def add(place: str) -> None:
        seen, so_far = kernel.load(place, width), kernel.get(total)
        kernel.set(total, kernel.op("fadd", so_far, seen) if mean else kernel.larger(so_far, seen))

    if window[0] * window[1] <= UNROLLED:
        for u in range(window[0]):
            first = kernel.at(first, "%row") if u else first
            place = first
            for v in range(window[1]):
                place = kernel.at(place, channels) if v else place
                add(place)
    else:
        with kernel.loop(0, window[0]) as i, kernel.loop(0, window[1]) as j:
            add(kernel.at(first, code.add(code.mul(i, "%row"), code.mul(j, channels))))
    found = kernel.get(total)
    if mean:
        found = kernel.op("fdiv", found, kernel.constant(window[0] * window[1]))
    kernel.store(kernel.at(at[1], c), found, width)


symbol = kept(text)
