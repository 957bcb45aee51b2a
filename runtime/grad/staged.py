"""What a tape records of a graph under construction: intervals of nodes, watched values."""

from __future__ import annotations

from typing import Any

from runtime.tensor.trace import Trace
from runtime.typesys.errors import UnimplementedError

__all__ = ["StagedRecording"]


class StagedRecording:
    """Not here yet: gradients inside a traced function."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace

    def resume(self) -> None: ...
    def pause(self) -> None: ...
    def watch(self, value: Any) -> None: ...

    def gradient(self, seeds: Any, sources: Any) -> dict[int, Any]:
        raise UnimplementedError("gradients inside a traced function")
