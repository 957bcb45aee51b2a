"""Stand-ins for functions of `statistics`; loaded when one of them is called, since that module takes long to load."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

from autograph.operators.functions import statistics_forms
from autograph.operators.functions.calls import callee
from autograph.operators.functions.standard_forms import unknown
from autograph.operators.state.stand_ins import stand_in
from autograph.operators.values.specials import leads_to_tensor
from runtime.tensor.trace import STATE

__all__: list[str] = []


def _of_statistics(form: Callable[..., Any]) -> None:
    original = getattr(statistics, form.__name__)

    def call(*args: Any, **kwargs: Any) -> Any:
        if STATE.trace is None or not (leads_to_tensor([args, kwargs]) or any(map(unknown, args))):
            return original(*args, **kwargs)
        return callee(form)(*args, **kwargs)

    stand_in(original)(call)


_STATISTICS = "mean fmean geometric_mean harmonic_mean median median_low median_high variance pvariance stdev pstdev mode"
for _name in _STATISTICS.split():
    _of_statistics(getattr(statistics_forms, _name))
