"""Loops over datasets: the same items eagerly and staged, by index and by a running iterator."""

import numpy as np
import pytest

import autograph as ag

Dataset = ag.data.Dataset


def total(ds):
    s = ag.constant(0, ag.int64)
    for x in ds:
        s = s * 10 + x
    return s


def stops_early(ds):
    s = ag.constant(0, ag.int64)
    for x in ds:
        if x > 3:
            break
        s += x
    return s


def last(ds):
    found = ag.constant(-1, ag.int64)
    for x in ds:
        if x % 2 == 0:
            continue
        found = x
    return found


def twice_nested(ds):
    s = ag.constant(0, ag.int64)
    for x in ds:
        for y in ds:
            s += x * y
    return s


def numbered(ds):
    s = ag.constant(0, ag.int64)
    for i, x in enumerate(ds):
        s += i * x
    return s


def first_then_rest(ds):
    items = iter(ds)
    head = next(items)
    s = ag.constant(0, ag.int64)
    for x in items:
        s += x
        if s > 4:
            break
    for x in items:
        s = s * 10 + x
    return head, s


def one_of_each(ds):
    items = iter(ds)
    s = ag.constant(0, ag.int64)
    for x in items:
        s = s * 10 + x
        break
    for x in items:
        s = s * 10 + x
        break
    return s


def first_large(ds):
    for x in ds:
        if x > 2:
            return x
    return ag.constant(0, ag.int64)


PROGRAMS = [total, stops_early, last, twice_nested, numbered, first_then_rest, one_of_each, first_large]
SOURCES = {
    "range": lambda: Dataset.range(1, 7),
    "slices": lambda: Dataset.from_tensor_slices(np.arange(1, 7)),
    "map": lambda: Dataset.range(6).map(lambda x: x + 1),
    "skip, take, shard": lambda: Dataset.range(20).skip(1).take(12).shard(2, 0),
    "repeat": lambda: Dataset.range(1, 4).repeat(2),
    "concatenate": lambda: Dataset.range(1, 4).concatenate(Dataset.range(4, 7)),
    "filter": lambda: Dataset.range(13).filter(lambda x: x % 2 == 1),
    "take_while": lambda: Dataset.range(1, 100).take_while(lambda x: x < 7),
    "map of filter": lambda: Dataset.range(9).filter(lambda x: x != 4).map(lambda x: x + 1),
    "flat_map": lambda: Dataset.range(1, 4).flat_map(lambda x: Dataset.range(x, x + 2)),
    "unbatch": lambda: Dataset.from_tensor_slices(np.arange(1, 7).reshape(3, 2)).unbatch(),
    "cache": lambda: Dataset.range(1, 7).cache(),
    "scan": lambda: Dataset.range(1, 7).scan(ag.constant(0, ag.int64), lambda s, x: (s + x, s + x)),
    "generator": lambda: Dataset.from_generator(lambda: iter(range(1, 7)), output_signature=ag.TensorSpec((), ag.int64)),
}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("program", PROGRAMS)
def test_staged_as_eager(program, source):
    eager = program(SOURCES[source]())
    staged = ag.function(program)(SOURCES[source]())
    assert ag.nest.map_structure(int, eager) == ag.nest.map_structure(int, staged)


@pytest.mark.parametrize("source", SOURCES)
def test_an_iterator_goes_on_from_call_to_call(source):
    @ag.function
    def take_one(items):
        return next(items)

    items = iter(SOURCES[source]())
    want = [int(x) for x in SOURCES[source]()]
    got = [int(take_one(items)) for _ in range(3)]
    assert got + [int(x) for x in items] == want
    with pytest.raises(ag.errors.OutOfRangeError, match="end of sequence"):
        take_one(items)
    assert take_one.experimental_get_tracing_count() == 1


def test_batches_of_structures():
    xs, ys = np.arange(10, dtype=np.float32).reshape(5, 2), np.arange(5)

    def program():
        n, s = 0, 0.0
        for batch in Dataset.from_tensor_slices({"x": xs, "y": ys}).batch(2):
            n += 1
            s += ag.reduce_sum(batch["x"]) * ag.cast(batch["y"][0], ag.float32)
        return n, s

    n, s = ag.function(program)()
    assert (int(n), float(s)) == (3, float(program()[1]))
    shapes = [x.shape[0] for x in Dataset.range(7).batch(3, drop_remainder=True)]
    assert shapes == [3, 3]


@pytest.mark.parametrize("ds", ["by index", "running"])
def test_batches_of_mapped_items(ds):
    made = Dataset.range(7) if ds == "by index" else Dataset.range(9).filter(lambda x: x < 7)
    made = made.map(lambda x: (x, ag.cast(x, ag.float32) / 2)).batch(3)

    @ag.function
    def program(made):
        s, sizes = 0.0, 0
        for x, half in made:
            s += ag.reduce_sum(half)
            sizes = sizes * 10 + ag.shape(x)[0]
        return s, sizes

    s, sizes = program(made)
    assert (float(s), int(sizes)) == (10.5, 331)


def test_gradients_flow_through_items_taken_by_index():
    x = ag.constant([1.0, 2.0, 3.0])

    @ag.function
    def loss(x):
        s = 0.0
        for row in Dataset.from_tensor_slices(x).map(lambda r: r * r):
            s += row
        return s

    with ag.GradientTape() as tape:
        tape.watch(x)
        y = loss(x)
    assert tape.gradient(y, x).numpy().tolist() == [2.0, 4.0, 6.0]


def test_a_range_with_a_staged_bound():
    f = ag.function(lambda n: total(Dataset.range(n)))
    assert int(f(ag.constant(4))) == 123
    assert int(f(ag.constant(6))) == 12345
    assert f.experimental_get_tracing_count() == 1


def test_reduce_eager_and_staged():
    def program(n):
        return Dataset.range(5).reduce(n, lambda s, x: s + x if x > 1 else s)

    assert int(program(ag.constant(0, ag.int64))) == int(ag.function(program)(ag.constant(0, ag.int64))) == 9


def test_a_shuffle_gives_every_item_once_a_pass():
    ds = Dataset.range(20).shuffle(7, seed=3)
    first, second = ([int(x) for x in ds] for _ in range(2))
    assert sorted(first) == sorted(second) == list(range(20))
    assert first != second
    fixed = Dataset.range(20).shuffle(20, seed=3, reshuffle_each_iteration=False)
    assert [int(x) for x in fixed] == [int(x) for x in fixed] != list(range(20))


def test_padded_batches():
    ds = Dataset.range(1, 5).map(lambda n: ag.fill([n], n)).padded_batch(2, padding_values=ag.constant(-1, ag.int64))
    assert [b.numpy().tolist() for b in ds] == [[[1, -1], [2, 2]], [[3, 3, 3, -1], [4, 4, 4, 4]]]


def test_interleaved_and_zipped():
    ds = Dataset.range(2).interleave(lambda x: Dataset.from_tensors(x).repeat(2), cycle_length=2)
    assert [int(x) for x in ds] == [0, 1, 0, 1]
    pairs = Dataset.zip((Dataset.range(3), Dataset.range(5, 9)))
    assert [(int(a), int(b)) for a, b in pairs] == [(0, 5), (1, 6), (2, 7)]
    assert [k for k in Dataset.zip({"a": Dataset.range(1)}).element_spec] == ["a"]


def test_lengths():
    assert len(Dataset.range(7).batch(2)) == 4
    assert int(Dataset.range(3).repeat().cardinality()) == -1
    assert int(Dataset.range(3).filter(lambda x: x > 1).cardinality()) == -2
    with pytest.raises(TypeError, match=r"say take\(n\)"):
        len(Dataset.range(3).repeat())
    assert [int(x) for x in Dataset.range(3).repeat().take(5)] == [0, 1, 2, 0, 1]


def test_what_only_python_can_tell_must_not_depend_on_staged_tensors():
    @ag.function
    def f(x):
        s = 0.0
        for row in Dataset.from_tensor_slices(x).filter(lambda r: r > 1.0):
            s += row
        return s

    with pytest.raises(ag.errors.OperatorNotAllowedInGraphError, match="dataset-of-staged") as error:
        f(ag.constant([1.0, 2.0]))
    assert "for row in Dataset" in str(error.value)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Dataset.from_tensor_slices(3.0), "a scalar has none"),
        (lambda: Dataset.from_tensor_slices(([1, 2], [1])), "must have one size"),
        (lambda: Dataset.range(3).batch(0), "needs a batch_size of 1 or more"),
        (lambda: list(Dataset.range(1, 3).map(lambda n: ag.fill([n], n)).batch(2)), "must have one shape"),
        (lambda: Dataset.from_generator(lambda: [1]), "needs output_signature"),
        (lambda: Dataset.range(3).get_single_element(), "more than one element"),
        (lambda: list(Dataset.range(2).flat_map(lambda x: x)), "need a function that gives a Dataset"),
    ],
)
def test_wrong_uses_say_why(make, words):
    with pytest.raises((ValueError, TypeError), match=words):
        make()


@pytest.mark.parametrize("of_python", [True, False])
def test_next_in_a_staged_loop_takes_the_datasets_items(of_python):
    @ag.function
    def first(items, n):
        iterator = iter(items)
        s = 0
        for _ in range(n) if of_python else ag.range(n):
            s = s * 10 + next(iterator)
        return s

    assert int(first(ag.data.Dataset.range(1, 9), 3 if of_python else ag.constant(3))) == 123
