"""Random numbers with state: `Generator`, the global seed, and the functions of `random`.

A generator's state is a tensor box, read and written like a variable, so that staged draws advance it in program
order; the draws themselves are pure operations of `runtime.ops.sampling`. Seeds mean what TensorFlow's do: without an
operation seed a draw takes the next state of the global generator; with one, of a generator of its own that starts
from the global seed and the operation's; `set_seed` starts all of them again.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from runtime.ops.registry import function
from runtime.ops.sampling import mix, state_of_key
from runtime.ops.sizes import split_sizes
from runtime.tensor.dispatch import convert, op
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import STATE, note_write
from runtime.typesys.dtypes import as_dtype
from runtime.typesys.errors import InvalidArgumentError

__all__ = ["Generator", "get_global_generator", "set_global_generator", "set_seed"]


def _put(box: Tensor, value: Tensor) -> None:
    trace = STATE.trace
    if trace is None:
        note_write(box)
        box._value = value._value
    else:
        trace.write(box, trace.operand(value))


def _fresh_key() -> int:
    return int.from_bytes(os.urandom(8), "little")


def _drawn(state: Tensor, what: str, *inputs: Any, **attrs: Any) -> Any:
    """One draw of the primitive `what`, the state moved on."""
    out = getattr(op, what)(state, *inputs, **attrs)
    _put(state, op.random_next(state, count=1))
    return out


def _uniform(draw: Any, shape: Any, minval: Any, maxval: Any, dtype: Any) -> Any:
    dtype = as_dtype(dtype)
    entries, inputs = split_sizes(op, shape)
    if dtype.is_integer:
        if maxval is None:
            raise InvalidArgumentError("random integers need maxval", op="random.uniform")
        return draw("random_integers", minval, maxval, *inputs, shape=entries, dtype=dtype)
    out = draw("random_uniform", *inputs, shape=entries, dtype=dtype)
    maxval = 1 if maxval is None else maxval
    low, high = op.static_value(minval), op.static_value(maxval)
    if isinstance(low, (int, float)) and isinstance(high, (int, float)):
        out = out if high - low == 1 else op.mul(out, high - low)
        return out if low == 0 else op.add(out, low)
    return op.add(op.mul(out, op.sub(_as(maxval, dtype), _as(minval, dtype))), minval)


def _as(x: Any, dtype: Any) -> Any:
    return op.cast(x, dtype=dtype) if isinstance(x, Tensor) else x


def _normal(draw: Any, what: str, shape: Any, mean: Any, stddev: Any, dtype: Any) -> Any:
    entries, inputs = split_sizes(op, shape)
    out = draw(what, *inputs, shape=entries, dtype=as_dtype(dtype))
    if not (isinstance(stddev, (int, float)) and stddev == 1):
        out = op.mul(out, stddev)
    return out if isinstance(mean, (int, float)) and mean == 0 else op.add(out, mean)


def _shuffle(draw: Any, value: Any) -> Any:
    value = op.strong(value)
    kind = op.type_of(value)
    if not kind.shape:
        raise InvalidArgumentError("shuffle needs a tensor with at least one axis", op="random.shuffle")
    size = kind.shape[0]
    sizes = [] if isinstance(size, int) else [op.dim_size(value, axis=0)]
    return op.gather(value, draw("random_permutation", *sizes, shape=(size,)), axis=0)


def _categorical(draw: Any, logits: Any, num_samples: Any, dtype: Any) -> Any:
    entries, inputs = split_sizes(op, [num_samples])
    return draw("random_categorical", convert(logits), *inputs, shape=entries, dtype=as_dtype(dtype or "int64"))


class Generator:
    """A stream of random numbers with its own state.

    >>> g = Generator.from_seed(1)
    >>> g.uniform([2]).shape
    TensorShape([2])
    """

    def __init__(self, copy_from: Generator | None = None, state: Any = None, alg: Any = None) -> None:
        if (copy_from is None) == (state is None):
            raise InvalidArgumentError("Generator takes either copy_from or state; see from_seed")
        if copy_from is not None:
            self._state = Tensor(np.zeros(2, np.int64))
            _put(self._state, op.identity(copy_from._state))
        else:
            self._state = Tensor(np.array(state, np.int64).reshape(-1)[:2].copy())

    @classmethod
    def from_seed(cls, seed: Any, alg: Any = None) -> Generator:
        """A generator that starts from an integer (or several)."""
        return cls(state=state_of_key(mix(*map(int, np.ravel(np.asarray(seed))))))

    @classmethod
    def from_state(cls, state: Any, alg: Any = None) -> Generator:
        """A generator in a state taken from another's `state`."""
        return cls(state=state)

    @classmethod
    def from_key_counter(cls, key: int, counter: Any, alg: Any = None) -> Generator:
        """A generator of a key, at a place in its stream."""
        return cls(state=state_of_key(int(key) & 0xFFFFFFFFFFFFFFFF, int(np.ravel(counter)[0])))

    @classmethod
    def from_non_deterministic_state(cls, alg: Any = None) -> Generator:
        """A generator that starts from the system's entropy."""
        return cls(state=state_of_key(_fresh_key()))

    @property
    def state(self) -> Tensor:
        """The state: (key, number of the next draw), int64."""
        return op.identity(self._state)

    @property
    def key(self) -> Tensor:
        """The key of the stream."""
        return op.get_item(self._state, 0)

    def reset(self, state: Any) -> None:
        """Go to a state."""
        _put(self._state, convert(state, "int64"))

    def reset_from_seed(self, seed: Any) -> None:
        """Start again from a seed."""
        _put(self._state, convert(state_of_key(mix(*map(int, np.ravel(np.asarray(seed)))))))

    def reset_from_key_counter(self, key: int, counter: Any) -> None:
        """Go to a place in the stream of a key."""
        _put(self._state, convert(state_of_key(int(key) & 0xFFFFFFFFFFFFFFFF, int(np.ravel(counter)[0]))))

    def skip(self, delta: int) -> Tensor:
        """Move on by `delta` draws; the state before."""
        before = self.state
        _put(self._state, op.random_next(self._state, count=int(delta)))
        return before

    def split(self, count: int = 1) -> list[Generator]:
        """`count` new generators, independent of this one and of each other."""
        seeds = self.make_seeds(count).numpy()
        return [Generator.from_seed([int(a) for a in seeds[:, i]]) for i in range(count)]

    def make_seeds(self, count: int = 1) -> Tensor:
        """Seeds for the stateless functions: int64 [2, count]."""
        seeds = self._draw("random_seeds", count=int(count), dtype=as_dtype("int64"))
        return op.transpose(seeds, perm=(1, 0))

    def _draw(self, what: str, *inputs: Any, **attrs: Any) -> Any:
        return _drawn(self._state, what, *inputs, **attrs)

    def uniform(
        self, shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = "float32", name: Any = None
    ) -> Tensor:
        """Numbers in [minval, maxval): [0, 1) unless told; integers for an integer dtype."""
        return _uniform(self._draw, shape, minval, maxval, dtype)

    def normal(
        self, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", name: Any = None
    ) -> Tensor:
        """Normally distributed numbers."""
        return _normal(self._draw, "random_normal", shape, mean, stddev, dtype)

    def truncated_normal(
        self, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", name: Any = None
    ) -> Tensor:
        """Normally distributed numbers, those more than two standard deviations off drawn again."""
        return _normal(self._draw, "random_truncated_normal", shape, mean, stddev, dtype)

    def uniform_full_int(self, shape: Any, dtype: Any = "uint64", name: Any = None) -> Tensor:
        """Integers over the whole range of the dtype."""
        dtype = as_dtype(dtype)
        return _uniform(self._draw, shape, int(dtype.min), int(dtype.max) + 1, dtype)

    def shuffle(self, value: Any) -> Tensor:
        """The rows of `value` in a random order."""
        return _shuffle(self._draw, value)


class _Globals:
    """The global seed, its generator, and the generators of operation seeds."""

    def __init__(self) -> None:
        self.seed: int | None = None
        self.generator: Generator | None = None
        self.stream: Generator | None = None
        self.by_seed: dict[int, Generator] = {}


_GLOBALS = _Globals()
_DEFAULT_SEED = 87654321  # TensorFlow's, for operation seeds without a global one


def _stream(seed: Any) -> Generator:
    """The generator that a call with this operation seed draws from."""
    if seed is None:
        if _GLOBALS.stream is None:
            _GLOBALS.stream = Generator(state=state_of_key(_fresh_key()))
        return _GLOBALS.stream
    seed = int(seed)
    found = _GLOBALS.by_seed.get(seed)
    if found is None:
        found = _GLOBALS.by_seed[seed] = Generator(state=_state_for(seed))
    return found


def _state_for(seed: int) -> Any:
    return state_of_key(mix(_DEFAULT_SEED if _GLOBALS.seed is None else _GLOBALS.seed, seed, 1))


@function("random.set_seed")
def set_random_seed(op: Any, seed: int) -> None:
    """Set the global seed: every draw after it repeats. Graphs that were traced already see it too.

    >>> ag.random.set_seed(1)
    >>> a = ag.random.uniform(())
    >>> ag.random.set_seed(1)
    >>> bool(a == ag.random.uniform(()))
    True

    Source of the semantics: TensorFlow's `tf.random.set_seed`.
    """
    del op
    set_seed(seed)


def set_seed(seed: int) -> None:
    """Set the global seed, and start every generator of an operation seed again."""
    _GLOBALS.seed = int(seed)
    _reset(_stream(None), state_of_key(mix(_GLOBALS.seed)))
    for own, generator in _GLOBALS.by_seed.items():
        _reset(generator, _state_for(own))


def _reset(generator: Generator, state: Any) -> None:
    _put(generator._state, convert(state))


@function("random.get_global_generator")
def get_global_generator_(op: Any) -> Generator:
    """The generator that `set_global_generator` set, or one that starts from the system's entropy.

    >>> type(ag.random.get_global_generator()).__name__
    'Generator'

    Source of the semantics: TensorFlow's `tf.random.get_global_generator`.
    """
    del op
    return get_global_generator()


def get_global_generator() -> Generator:
    """The global generator (made at first use)."""
    if _GLOBALS.generator is None:
        _GLOBALS.generator = (
            Generator.from_non_deterministic_state() if _GLOBALS.seed is None else Generator.from_seed(_GLOBALS.seed)
        )
    return _GLOBALS.generator


@function("random.set_global_generator")
def set_global_generator_(op: Any, generator: Generator) -> None:
    """Make a generator the global one.

    >>> ag.random.set_global_generator(ag.random.Generator.from_seed(1))

    Source of the semantics: TensorFlow's `tf.random.set_global_generator`.
    """
    del op
    set_global_generator(generator)


def set_global_generator(generator: Generator) -> None:
    """Make a generator the global one."""
    _GLOBALS.generator = generator


@function("random.create_rng_state")
def create_rng_state(op: Any, seed: Any, alg: Any = None) -> Any:
    """The state of a generator that starts from a seed.

    >>> ag.random.create_rng_state(1).shape
    (2,)

    Source of the semantics: TensorFlow's `tf.random.create_rng_state`.
    """
    del op
    return state_of_key(mix(*map(int, np.ravel(np.asarray(seed)))))


@function("random.uniform")
def uniform_numbers(
    op: Any, shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = "float32", seed: Any = None, name: Any = None
) -> Any:
    """Numbers in [minval, maxval): [0, 1) unless told; integers for an integer dtype.

    >>> bool(ag.reduce_all(ag.random.uniform((9,), 1.0, 2.0) >= 1.0))
    True

    Source of the semantics: TensorFlow's `tf.random.uniform`.
    """
    return _uniform(_stream(seed)._draw, shape, minval, maxval, dtype)


@function("random.normal")
def normal_numbers(
    op: Any, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", seed: Any = None, name: Any = None
) -> Any:
    """Normally distributed numbers.

    >>> ag.random.normal((2, 3)).shape
    TensorShape([2, 3])

    Source of the semantics: TensorFlow's `tf.random.normal`.
    """
    return _normal(_stream(seed)._draw, "random_normal", shape, mean, stddev, dtype)


@function("random.truncated_normal")
def truncated_normal_numbers(
    op: Any, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", seed: Any = None, name: Any = None
) -> Any:
    """Normally distributed numbers, those more than two standard deviations off drawn again.

    >>> bool(ag.reduce_all(ag.abs(ag.random.truncated_normal((9,))) < 2))
    True

    Source of the semantics: TensorFlow's `tf.random.truncated_normal`.
    """
    return _normal(_stream(seed)._draw, "random_truncated_normal", shape, mean, stddev, dtype)


@function("random.shuffle")
def shuffled(op: Any, value: Any, seed: Any = None, name: Any = None) -> Any:
    """The rows of `value` (its first axis) in a random order.

    >>> sorted(ag.random.shuffle([1, 2, 3]).numpy().tolist())
    [1, 2, 3]

    Source of the semantics: TensorFlow's `tf.random.shuffle`.
    """
    return _shuffle(_stream(seed)._draw, value)


@function("random.categorical")
def categorical_samples(
    op: Any, logits: Any, num_samples: Any, dtype: Any = None, seed: Any = None, name: Any = None
) -> Any:
    """Classes drawn for each row of unnormalised log probabilities [rows, classes]: int64 [rows, num_samples].

    >>> ag.random.categorical([[0.0, -1e9]], 3).numpy()
    array([[0, 0, 0]])

    Source of the semantics: TensorFlow's `tf.random.categorical`.
    """
    return _categorical(_stream(seed)._draw, logits, num_samples, dtype)


def _stateless(seed: Any) -> Any:
    """A drawing function from a seed of two integers."""
    state = op.random_state(convert(seed))
    return lambda what, *inputs, **attrs: getattr(op, what)(state, *inputs, **attrs)


@function("random.stateless_uniform")
def stateless_uniform(
    op: Any,
    shape: Any,
    seed: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = "float32",
    name: Any = None,
    alg: Any = None,
) -> Any:
    """As `random.uniform`, a pure function of `seed`, two integers.

    >>> bool(ag.random.stateless_uniform((), seed=[1, 2]) == ag.random.stateless_uniform((), seed=[1, 2]))
    True

    Source of the semantics: TensorFlow's `tf.random.stateless_uniform`.
    """
    return _uniform(_stateless(seed), shape, minval, maxval, dtype)


@function("random.stateless_normal")
def stateless_normal(
    op: Any,
    shape: Any,
    seed: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = "float32",
    name: Any = None,
    alg: Any = None,
) -> Any:
    """As `random.normal`, a pure function of `seed`, two integers.

    >>> ag.random.stateless_normal((2,), seed=[1, 2]).shape
    TensorShape([2])

    Source of the semantics: TensorFlow's `tf.random.stateless_normal`.
    """
    return _normal(_stateless(seed), "random_normal", shape, mean, stddev, dtype)


@function("random.stateless_truncated_normal")
def stateless_truncated_normal(
    op: Any,
    shape: Any,
    seed: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = "float32",
    name: Any = None,
    alg: Any = None,
) -> Any:
    """As `random.truncated_normal`, a pure function of `seed`, two integers.

    >>> bool(ag.reduce_all(ag.abs(ag.random.stateless_truncated_normal((9,), seed=[1, 2])) < 2))
    True

    Source of the semantics: TensorFlow's `tf.random.stateless_truncated_normal`.
    """
    return _normal(_stateless(seed), "random_truncated_normal", shape, mean, stddev, dtype)


@function("random.stateless_categorical")
def stateless_categorical(
    op: Any, logits: Any, num_samples: Any, seed: Any, dtype: Any = None, name: Any = None
) -> Any:
    """As `random.categorical`, a pure function of `seed`, two integers.

    >>> ag.random.stateless_categorical([[0.0, -1e9]], 3, seed=[1, 2]).numpy()
    array([[0, 0, 0]])

    Source of the semantics: TensorFlow's `tf.random.stateless_categorical`.
    """
    return _categorical(_stateless(seed), logits, num_samples, dtype)


@function("random.experimental.stateless_shuffle", "random.stateless_shuffle")
def stateless_shuffle(op: Any, value: Any, seed: Any, alg: Any = None, name: Any = None) -> Any:
    """As `random.shuffle`, a pure function of `seed`, two integers.

    >>> sorted(ag.random.stateless_shuffle([1, 2, 3], seed=[1, 2]).numpy().tolist())
    [1, 2, 3]

    Source of the semantics: TensorFlow's `tf.random.stateless_shuffle`.
    """
    return _shuffle(_stateless(seed), value)


@function("random.split", "random.experimental.stateless_split")
def split_seed(op: Any, seed: Any, num: int = 2, alg: Any = None) -> Any:
    """`num` new seeds from one, as rows.

    >>> ag.random.split([1, 2], 3).shape
    TensorShape([3, 2])

    Source of the semantics: TensorFlow's `tf.random.split`.
    """
    seed = convert(seed)
    return op.random_seeds(op.random_state(seed), count=int(num), dtype=op.type_of(seed).dtype)


@function("random.fold_in", "random.experimental.stateless_fold_in")
def fold_in(op: Any, seed: Any, data: Any, alg: Any = None) -> Any:
    """A new seed from a seed and an integer.

    >>> ag.random.fold_in([1, 2], 3).shape
    TensorShape([2])

    Source of the semantics: TensorFlow's `tf.random.fold_in`.
    """
    seed = convert(seed)
    joint = op.concat(
        [
            op.cast(seed, dtype=as_dtype("int64")),
            op.reshape(op.cast(convert(data), dtype=as_dtype("int64")), shape=(1,)),
        ],
        0,
    )
    return op.get_item(op.random_seeds(op.random_state(joint), count=1, dtype=op.type_of(seed).dtype), 0)


@function("nn.dropout")
def dropout(op: Any, x: Any, rate: Any, noise_shape: Any = None, seed: Any = None, name: Any = None) -> Any:
    """`x` with elements set to zero with probability `rate`, the others divided by 1 - rate.

    >>> sorted(set(ag.nn.dropout(ag.ones(100), 0.5).numpy().tolist()))
    [0.0, 2.0]

    Source of the semantics: TensorFlow's `tf.nn.dropout`.
    """
    x = op.strong(x)
    kind = op.type_of(x)
    if isinstance(rate, (int, float)):
        if not 0 <= rate < 1:
            raise InvalidArgumentError(f"dropout needs a rate in [0, 1), not {rate}", op="dropout")
        if rate == 0:
            return x
    shape = noise_shape
    if shape is None:
        shape = [d if isinstance(d, int) else op.dim_size(x, axis=i) for i, d in enumerate(kind.shape)]
    kept = op.greater_equal(_uniform(_stream(seed)._draw, shape, 0, None, kind.dtype), rate)
    scale = 1 / (1 - rate) if isinstance(rate, (int, float)) else op.div(1, op.sub(1, rate))
    return op.where(kept, op.mul(x, scale), 0)
