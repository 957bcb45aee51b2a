"""`ag.autograph`'s options and directives, under TensorFlow's names: most say what is always so here."""

from __future__ import annotations

import builtins
import enum
import os
from typing import Any

from autograph.api.declare import public
from autograph.operators.values.invariants import note_invariant
from autograph.staging.function import bytes_of
from runtime.tensor.shape import TensorShape
from runtime.tensor.trace import current

__all__ = ["Feature", "set_loop_options", "set_verbosity", "trace"]


@public("autograph.experimental.Feature")
class Feature(enum.Enum):
    """TensorFlow's optional features of the conversion. All are always on here, whatever is asked for.

    >>> import autograph as ag
    >>> ag.autograph.experimental.Feature.LISTS in ag.autograph.experimental.Feature.all()
    True

    Source of the semantics: TensorFlow's `tf.autograph.experimental.Feature`.
    """

    ALL = "ALL"
    AUTO_CONTROL_DEPS = "AUTO_CONTROL_DEPS"
    ASSERT_STATEMENTS = "ASSERT_STATEMENTS"
    BUILTIN_FUNCTIONS = "BUILTIN_FUNCTIONS"
    EQUALITY_OPERATORS = "EQUALITY_OPERATORS"
    LISTS = "LISTS"
    NAME_SCOPES = "NAME_SCOPES"

    @classmethod
    def all(cls) -> tuple[Feature, ...]:
        """Every feature."""
        return tuple(cls)

    @classmethod
    def all_but(cls, exclude: Any) -> tuple[Feature, ...]:
        """Every feature but one, or but those of a collection."""
        left_out = (exclude,) if isinstance(exclude, cls) else tuple(exclude)
        return tuple(f for f in cls if f not in left_out and f is not cls.ALL)


@public("autograph.experimental.set_loop_options")
def set_loop_options(
    parallel_iterations: int | None = None,
    swap_memory: bool | None = None,
    maximum_iterations: int | None = None,
    shape_invariants: Any = None,
    memory_budget: int | None = None,
) -> None:
    """Options of the loop it stands in, as TensorFlow needs them; here the shapes of its state are found.

    Args:
      parallel_iterations: accepted: an iteration runs after the other, as in Python.
      swap_memory: accepted: there is one memory.
      maximum_iterations: not supported, as Python's loop knows no such limit.
      shape_invariants: pairs (tensor, TensorShape): not needed; a staged loop checks them after each iteration.
      memory_budget: bytes that the gradient of this loop, and of those in it, may keep of its steps. Steps run again
        for it instead of being saved: from checkpoints on a binomial schedule. Without it all is saved.

    Raises:
      ValueError: `maximum_iterations` is given, an invariant is not a pair, a tensor does not keep to it, or the budget is
        not a positive number.

    >>> v = ag.constant([0])
    >>> for i in range(2):
    ...     ag.autograph.experimental.set_loop_options(shape_invariants=[(v, ag.TensorShape([None]))])
    ...     v = ag.concat([v, [i]], 0)
    >>> v.numpy()
    array([0, 0, 1], dtype=int32)

    Source of the semantics: TensorFlow's `tf.autograph.experimental.set_loop_options`.
    """
    if maximum_iterations is not None:
        raise ValueError(
            "set_loop_options(maximum_iterations=...) is not supported: count the iterations and say `break`"
        )
    for pair in shape_invariants or ():
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise ValueError(f"shape_invariants must be pairs of a tensor and a TensorShape, got {pair!r}")
        trace = current()
        if trace is not None:
            shape = TensorShape(pair[1])
            note_invariant(trace, pair[0], None if shape.rank is None else tuple(shape.as_list()))
    if memory_budget is not None:
        budget, trace = bytes_of(memory_budget), current()
        options = None if trace is None else trace.notes.get("loop_options")
        if options is not None:
            options["memory_budget"] = budget


@public("autograph.trace")
def trace(*args: Any) -> None:
    """Print at tracing time: once for each signature, not when the graph runs.

    >>> f = ag.function(lambda x: (ag.autograph.trace("traced"), x + 1)[1])
    >>> int(f(ag.constant(1))), int(f(ag.constant(2)))
    traced
    (2, 3)

    Source of the semantics: TensorFlow's `tf.autograph.trace`.
    """
    builtins.print(*args)


@public("autograph.set_verbosity")
def set_verbosity(level: int, alsologtostdout: bool = False) -> None:
    """From 1 on, tracebacks keep the frames of this package; sets AUTOGRAPH_VERBOSITY for this process.

    >>> ag.autograph.set_verbosity(1)
    >>> ag.autograph.set_verbosity(0)

    Source of the semantics: TensorFlow's `tf.autograph.set_verbosity`.
    """
    os.environ["AUTOGRAPH_VERBOSITY"] = str(int(level))
