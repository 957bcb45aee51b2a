"""Fourier's transform along the last axis."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from runtime.ops.registry import Op
from runtime.typesys.errors import DTypeError
from runtime.typesys.spec import TensorType


class FourierTransform(Op):
    """The discrete transform along the last axis, or with `inverse` its inverse; `scaled` divides by their number."""

    def infer(self, x: TensorType, *, inverse: bool, scaled: bool) -> TensorType:
        if x.dtype.kind != "c":
            raise DTypeError(f"a transform of complex numbers is given {x.dtype}", op=self.name)
        return x

    @staticmethod
    def kernel(x: Any, *, inverse: bool, scaled: bool) -> Any:
        transform = np.fft.ifft if inverse else np.fft.fft
        return transform(x, norm="backward" if inverse is scaled else "forward").astype(x.dtype, copy=False)

    vjp = lambda op, dy, y, x, inverse, scaled: (op.fourier_transform(dy, inverse=not inverse, scaled=scaled),)

    def samples(self) -> Iterable[Any]:
        x = np.array([[1.0 + 2.0j, -0.5j, 3.0], [0.25, 1.0j, -1.0]])
        for inverse in (False, True):
            for scaled in (False, True):
                yield (x,), {"inverse": inverse, "scaled": scaled}
