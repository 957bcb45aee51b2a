"""Winograd's transforms of rows of tiles (winograd.py), with places and steps told by the call.

    ag_tiles_f32x16.new.REST(from, to, inputs, row, place, tiles)
        of `tiles` tiles of 4 by 4 places with `inputs` numbers each, two places apart, in rows that are `row` numbers
        apart: B' tile B, its 16 places `place` numbers apart
    ag_tiles_f32x16.old.REST.TALL.WIDE.HOW(from, to, bias, block, place, row, across, outputs, tiles)
        of `tiles` tiles of `outputs` numbers each, `block` apart, whose 16 places are `place` apart: A' tile A, of which
        TALL by WIDE results lie in the picture; HOW has "b" where a bias is added, "r" where what is negative becomes zero
    ag_tiles_f32x16.weights(from, to, line, numbers)
        of so many of 3 by 3 taps that are `line` numbers apart: G taps G', whose 16 places are as far apart

and the same for f64 and other lengths of vectors. REST is how many numbers the last vector of a place has, 0 where it is
full. Each is compiled once, by itself, and kept: most of the compile time of a convolution was that of its transforms.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.kept import kept
from runtime.backends.native.lower.kernels import Kernel, Vectors
from runtime.backends.native.lower.module import Module

__all__ = ["both", "from_tiles", "symbol", "text", "to_tiles", "weights"]

_NAME = re.compile(r"ag_tiles_(f32|f64)x\d+\.(\w+)(?:\.(\d+))?(?:\.(\d)\.(\d)\.([br]*))?")
_ARGUMENTS = {
    "new": ("inputs", "row", "place", "tiles"),
    "old": ("bias", "block", "place", "row", "across", "outputs", "tiles"),
    "weights": ("line", "numbers"),
}


def both(x: list[str], size: int, transform: Callable[..., list[str]]) -> list[str]:
    """A transform of each column, then of each row."""
    columns = [transform(*x[k::size]) for k in range(size)]
    rows = list(zip(*columns, strict=True))
    return [v for row in rows for v in transform(*row)]


def to_tiles(
    kernel: Kernel, source: str, target: str, inputs: int, row: Operand, place: Operand, tiles: Operand
) -> None:
    """Transform a row of the source's tiles."""
    _call(kernel, f"new.{inputs % kernel.lanes}", source, target, (inputs, row, place, tiles))


def from_tiles(
    kernel: Kernel, at: tuple[str, str, str], block: int, place: Operand, steps: tuple[Operand, Operand],
    shape: tuple[int, int], outputs: int, tiles: Operand, positive: bool,
) -> None:  # fmt: skip
    """Transform a row of products back; `at` is where they, the results and the bias (or none) are."""
    source, target, bias = at
    how = "b" * bool(bias) + "r" * positive
    name = f"old.{outputs % kernel.lanes}.{shape[0]}.{shape[1]}.{how}"
    _call(kernel, name, source, target, (bias or "null", block, place, *steps, outputs, tiles))


def weights(kernel: Kernel, source: str, target: str, line: Operand, numbers: Operand) -> None:
    """Transform weights, whole vectors of them."""
    _call(kernel, "weights", source, target, (line, numbers))


def _call(kernel: Kernel, name: str, source: str, target: str, given: tuple[Operand, ...]) -> None:
    types = _types(name.split(".", maxsplit=1)[0])
    name = f"ag_tiles_{kernel.kind}x{kernel.lanes}.{name}"
    kernel.module.declare(f"declare void @{name}({', '.join(types)})", name)
    values = ", ".join(f"{t} {x}" for t, x in zip(types, (source, target, *given), strict=True))
    kernel.code.do(f"call void @{name}({values})")


def _types(part: str) -> list[str]:
    return ["ptr", "ptr", *("ptr" if x == "bias" else "i64" for x in _ARGUMENTS[part])]


def text(name: str) -> str:
    """The module of a function."""
    found = _NAME.fullmatch(name)
    assert found, name
    kind, part = found[1], found[2]
    kernel = Vectors(Module(), kind)
    rest = int(found[3] or 0)
    if part == "new":
        _write_new(kernel, rest)
    elif part == "old":
        _write_old(kernel, rest, (int(found[4]), int(found[5])), found[6])
    else:
        _write_weights(kernel)
    names = ("noalias %from", "noalias %to", *(f"%{x}" for x in _ARGUMENTS[part]))
    given = ", ".join(f"{t} {x}" for t, x in zip(_types(part), names, strict=True))
    return kernel.defined(name, given)


def _in_vectors(kernel: Vectors, count: str, rest: int, body: Callable[[Operand, int], None]) -> None:
    """`body` for the place of each vector of so many numbers, with how many of them it has."""
    whole = kernel.code.sub(count, rest)
    with kernel.loop(0, whole, kernel.lanes) as c:
        body(c, kernel.lanes)
    if rest:
        body(whole, rest)


def _write_new(kernel: Vectors, rest: int) -> None:
    code = kernel.code
    across = code.mul("%inputs", 2)

    def along(a: str, b: str, c: str, e: str) -> list[str]:
        return [
            kernel.op("fsub", a, c), kernel.op("fadd", b, c), kernel.op("fsub", c, b), kernel.op("fsub", b, e)
        ]  # fmt: skip

    with kernel.loop(0, "%tiles") as j:
        tile, goal = kernel.at("%from", code.mul(j, across)), kernel.at("%to", code.mul(j, "%inputs"))

        def transform(c: Operand, width: int) -> None:
            seen = []
            line = kernel.at(tile, c)
            for u in range(4):
                line = kernel.at(line, "%row") if u else line
                place = line
                for v in range(4):
                    place = kernel.at(place, "%inputs") if v else place
                    seen.append(kernel.load(place, width))
            to = kernel.at(goal, c)
            for k, x in enumerate(both(seen, 4, along)):
                to = kernel.at(to, "%place") if k else to
                kernel.store(to, x, width)

        _in_vectors(kernel, "%inputs", rest, transform)


def _write_old(kernel: Vectors, rest: int, shape: tuple[int, int], how: str) -> None:
    code, lanes = kernel.code, kernel.lanes
    tall, wide = shape
    step = code.mul("%across", 2)

    def along(a: str, b: str, c: str, d: str) -> list[str]:
        first = kernel.op("fadd", kernel.op("fadd", a, b), c)
        return [first, kernel.op("fsub", kernel.op("fsub", b, c), d)]

    with kernel.loop(0, "%tiles") as j:
        tile, goal = kernel.at("%from", code.mul(j, "%block")), kernel.at("%to", code.mul(j, step))

        def transform(c: Operand, width: int) -> None:
            seen = []
            place = kernel.at(tile, c)
            for k in range(16):
                place = kernel.at(place, "%place") if k else place
                seen.append(kernel.load(place, lanes))
            found = both(seen, 4, along)
            more = kernel.load(kernel.at("%bias", c), width) if "b" in how else ""
            line = kernel.at(goal, c)
            for u in range(tall):
                line = kernel.at(line, "%row") if u else line
                for v in range(wide):
                    y = found[2 * u + v]
                    y = kernel.op("fadd", y, more) if more else y
                    y = kernel.larger(y, "zeroinitializer") if "r" in how else y
                    kernel.store(kernel.at(line, "%across") if v else line, y, width)

        _in_vectors(kernel, "%outputs", rest, transform)


def _write_weights(kernel: Vectors) -> None:
    half = kernel.constant(0.5)

    def along(a: str, b: str, c: str) -> list[str]:
        ends, middle = kernel.op("fmul", kernel.op("fadd", a, c), half), kernel.op("fmul", b, half)
        return [a, kernel.op("fadd", ends, middle), kernel.op("fsub", ends, middle), c]

    with kernel.loop(0, "%numbers", kernel.lanes) as k:
        taps = []
        place, to = kernel.at("%from", k), kernel.at("%to", k)
        for t in range(9):
            place = kernel.at(place, "%line") if t else place
            taps.append(kernel.load(place, kernel.lanes))
        for t, x in enumerate(both(taps, 3, along)):
            to = kernel.at(to, "%line") if t else to
            kernel.store(to, x, kernel.lanes)


symbol = kept(text)
