"""A value that is one of several alternatives (None, unbound, other structures): its tag, and the check on use."""

from __future__ import annotations

from typing import Any

from runtime.ops.registry import Op
from runtime.typesys.spec import TensorType


class RequireAlternative(Op):
    """Pass if `tag` is `index`; otherwise raise what Python would: `errors` maps other tags to (exception, *arguments)."""

    effect = "check"
    outputs = 0

    def infer(self, tag: TensorType, *, index: int, errors: Any) -> tuple[()]:
        return ()

    @staticmethod
    def kernel(tag: Any, *, index: int, errors: Any) -> tuple[()]:
        if tag != index:
            for other, exception, *arguments in errors:
                if tag == other:
                    raise exception(*arguments)
        return ()
