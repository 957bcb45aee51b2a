"""`ag.distribute`: TensorFlow's strategies on the one device that there is, so that programs written for them run.

Each has one replica: what is distributed stays whole, and what is reduced over replicas is reduced over one.
"""

from __future__ import annotations

import contextvars
import enum
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from autograph.api.datasets import Dataset
from autograph.api.declare import public
from autograph.errors.refusals import refusal
from autograph.operators.functions.calls import callee
from runtime.tensor.dispatch import convert, op
from runtime.tensor.trace import STATE

__all__: list[str] = []


@public("distribute.ReduceOp", raises=False)
class ReduceOp(enum.Enum):
    """How the values of replicas become one.

    >>> ag.distribute.ReduceOp("SUM")
    <ReduceOp.SUM: 'SUM'>
    """

    SUM = "SUM"
    MEAN = "MEAN"


# (strategy, whether a replica of it runs), innermost last
_scopes: contextvars.ContextVar[tuple[tuple[Any, bool], ...]] = contextvars.ContextVar("distribution strategies", default=())


@public("distribute.InputContext", raises=False)
class InputContext:
    """What a function that makes a dataset for each worker is told: there is one.

    >>> ag.distribute.InputContext().get_per_replica_batch_size(8)
    8
    """

    num_input_pipelines = 1
    input_pipeline_id = 0
    num_replicas_in_sync = 1

    def get_per_replica_batch_size(self, global_batch_size: int) -> int:
        """The batch size of one replica: all of it."""
        return global_batch_size


class ValueContext:
    """What a function that makes a value for each replica is told."""

    num_replicas_in_sync = 1
    replica_id_in_sync_group = 0


@public("distribute.ReplicaContext", raises=False)
class ReplicaContext:
    """The place of a replica among its like, inside `Strategy.run`.

    >>> context = ag.distribute.get_replica_context()
    >>> context.num_replicas_in_sync, float(context.all_reduce("SUM", ag.constant(2.0)))
    (1, 2.0)
    """

    num_replicas_in_sync = 1
    replica_id_in_sync_group = 0

    @property
    def strategy(self) -> Any:
        """The strategy that runs the replica."""
        return get_strategy()

    def all_reduce(self, reduce_op: Any, value: Any, options: Any = None) -> Any:
        """The value, as it is the only one."""
        _reduction(reduce_op)
        return value

    def all_gather(self, value: Any, axis: int, options: Any = None) -> Any:
        """The value, as it is the only one."""
        return value

    def merge_call(self, merge_fn: Callable[..., Any], args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        """`merge_fn(strategy, *args, **kwargs)`."""
        with _in_scope(self.strategy):
            return _call(merge_fn, (self.strategy, *args), kwargs)


@public("distribute.Strategy", raises=False)
class Strategy:
    """Training on one device: the base of the strategies, and the one in force where none was chosen.

    >>> strategy = ag.distribute.MirroredStrategy()
    >>> with strategy.scope():
    ...     v = ag.Variable(1.0)
    >>> data = strategy.experimental_distribute_dataset(ag.data.Dataset.range(4).batch(2))
    >>> [int(strategy.reduce("SUM", batch, axis=0)) for batch in data]
    [1, 5]

    Source of the semantics: TensorFlow's `tf.distribute.Strategy`.
    """

    num_replicas_in_sync = 1

    def scope(self) -> Any:
        """A context in which this strategy is the one that `get_strategy` gives."""
        return _in_scope(self)

    def run(self, fn: Callable[..., Any], args: Any = (), kwargs: Any = None, options: Any = None) -> Any:
        """`fn(*args, **kwargs)`, in this strategy's scope."""
        with _in_scope(self, replica=True):
            return _call(fn, args, kwargs)

    def reduce(self, reduce_op: Any, value: Any, axis: int | None = None) -> Any:
        """The value of the one replica, with `axis` summed or averaged over if it is given.

        Raises:
          ValueError: `reduce_op` is neither SUM nor MEAN.
        """
        mean = _reduction(reduce_op) is ReduceOp.MEAN
        if axis is None:
            return convert(value)
        return (op.mean if mean else op.sum)(convert(value), axis=axis)

    def gather(self, value: Any, axis: int) -> Any:
        """The values of all replicas along an axis: the value of the one."""
        return convert(value)

    def experimental_distribute_dataset(self, dataset: Any, options: Any = None) -> Any:
        """A dataset whose items are shared between replicas: the dataset itself.

        Raises:
          TypeError: it is no dataset.
        """
        if not isinstance(dataset, Dataset):
            raise TypeError(f"a dataset is needed, not {type(dataset).__name__}")
        return dataset

    def distribute_datasets_from_function(self, dataset_fn: Callable[[InputContext], Any], options: Any = None) -> Any:
        """The dataset that the function makes for the one worker."""
        return dataset_fn(InputContext())

    def experimental_distribute_values_from_function(self, value_fn: Callable[[ValueContext], Any]) -> Any:
        """The value that the function makes for the one replica."""
        return value_fn(ValueContext())

    def experimental_local_results(self, value: Any) -> tuple[Any, ...]:
        """The values of all replicas of this process, as a tuple."""
        return (value,)


@public("distribute.OneDeviceStrategy", raises=False)
class OneDeviceStrategy(Strategy):
    """Everything on one device, which is the processor whatever its name.

    >>> ag.distribute.OneDeviceStrategy("/cpu:0").run(lambda x: x + 1, (ag.constant(1),)).numpy()
    np.int32(2)

    Source of the semantics: TensorFlow's `tf.distribute.OneDeviceStrategy`.
    """

    def __init__(self, device: str = "/cpu:0") -> None:
        self.device = device


@public("distribute.MirroredStrategy")
class MirroredStrategy(Strategy):
    """Variables mirrored on the devices of this machine: here there is one.

    Args:
      devices: names of devices; at most one.
      cross_device_ops: accepted: there is nothing to reduce across.

    Raises:
      UnimplementedError: several devices are given.

    >>> ag.distribute.MirroredStrategy().num_replicas_in_sync
    1

    Source of the semantics: TensorFlow's `tf.distribute.MirroredStrategy`.
    """

    def __init__(self, devices: Any = None, cross_device_ops: Any = None) -> None:
        if devices is not None and not isinstance(devices, str) and len(devices) > 1:
            raise refusal("one-device", what=f"a strategy cannot run on {len(devices)} devices")


@public("distribute.get_strategy", raises=False)
def get_strategy() -> Strategy:
    """The strategy in whose scope this is asked, or one that stands for none.

    >>> type(ag.distribute.get_strategy()).__name__
    'Strategy'
    """
    scopes = _scopes.get()
    return scopes[-1][0] if scopes else _DEFAULT


@public("distribute.has_strategy", raises=False)
def has_strategy() -> bool:
    """Whether this is in the scope of a strategy.

    >>> ag.distribute.has_strategy()
    False
    """
    return bool(_scopes.get())


@public("distribute.get_replica_context", raises=False)
def get_replica_context() -> ReplicaContext | None:
    """The context of the one replica; None in the scope of a strategy, outside of what it runs.

    >>> ag.distribute.get_replica_context().replica_id_in_sync_group
    0
    """
    return None if in_cross_replica_context() else ReplicaContext()


@public("distribute.in_cross_replica_context", raises=False)
def in_cross_replica_context() -> bool:
    """Whether this is outside of replicas: in the scope of a strategy, but not in what it runs.

    >>> with ag.distribute.MirroredStrategy().scope():
    ...     ag.distribute.in_cross_replica_context()
    True
    """
    scopes = _scopes.get()
    return bool(scopes) and not scopes[-1][1]


_DEFAULT = Strategy()


@contextmanager
def _in_scope(strategy: Strategy, replica: bool = False) -> Iterator[Strategy]:
    token = _scopes.set((*_scopes.get(), (strategy, replica)))
    try:
        yield strategy
    finally:
        _scopes.reset(token)


def _reduction(reduce_op: Any) -> ReduceOp:
    text = str(getattr(reduce_op, "value", reduce_op)).upper()
    if text not in ReduceOp.__members__:
        raise ValueError(f"reduce_op must be SUM or MEAN, not {reduce_op!r}")
    return ReduceOp(text)


def _call(fn: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    return (fn if STATE.trace is None else callee(fn))(*args, **(kwargs or {}))
