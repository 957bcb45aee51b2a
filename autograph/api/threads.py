"""`ag.config.threading`: how many threads work on one operation."""

from __future__ import annotations

from autograph.api.declare import public

__all__ = [
    "get_inter_op_parallelism_threads",
    "get_intra_op_parallelism_threads",
    "set_inter_op_parallelism_threads",
    "set_intra_op_parallelism_threads",
]

_inter = [0]


@public("config.threading.set_intra_op_parallelism_threads")
def set_intra_op_parallelism_threads(num_threads: int) -> None:
    """How many threads share the large loops of native code and the matrix products of BLAS; 0 lets the library choose.

    Args:
      num_threads: a number of threads. 0 is the processors that the process may use, or OMP_NUM_THREADS.

    Raises:
      ValueError: it is negative.

    >>> ag.config.threading.set_intra_op_parallelism_threads(1)
    >>> ag.config.threading.get_intra_op_parallelism_threads()
    1
    >>> ag.config.threading.set_intra_op_parallelism_threads(0)

    Source of the semantics: TensorFlow's `tf.config.threading`, which only allows it before the first operation.
    """
    from runtime.backends.native.threads import set_count

    set_count(int(num_threads))


@public("config.threading.get_intra_op_parallelism_threads")
def get_intra_op_parallelism_threads() -> int:
    """The number that was set, 0 where the library chooses.

    >>> ag.config.threading.get_intra_op_parallelism_threads()
    0
    """
    from runtime.backends.native.threads import chosen

    return chosen()


@public("config.threading.set_inter_op_parallelism_threads")
def set_inter_op_parallelism_threads(num_threads: int) -> None:
    """Kept for programs that set it: operations of one function run one after another.

    >>> ag.config.threading.set_inter_op_parallelism_threads(2)
    >>> ag.config.threading.get_inter_op_parallelism_threads()
    2
    >>> ag.config.threading.set_inter_op_parallelism_threads(0)
    """
    if num_threads < 0:
        raise ValueError(f"a number of threads must not be negative, but is {num_threads}")
    _inter[0] = int(num_threads)


@public("config.threading.get_inter_op_parallelism_threads")
def get_inter_op_parallelism_threads() -> int:
    """The number that was set; see `set_inter_op_parallelism_threads`.

    >>> ag.config.threading.get_inter_op_parallelism_threads()
    0
    """
    return _inter[0]
