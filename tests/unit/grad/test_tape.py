"""GradientTape, eagerly."""

import numpy as np
import pytest

from runtime.grad.tape import GradientTape
from runtime.tensor.dispatch import attach_methods, op
from runtime.tensor.tensor import Tensor

attach_methods()


def tensor(*values):
    return Tensor(np.array(values, np.float64))


def test_product_and_sharing():
    x = tensor(1.0, 2.0, 3.0)
    with GradientTape() as tape:
        tape.watch(x)
        y = x * x * x + x
    np.testing.assert_allclose(tape.gradient(y, x).numpy(), 3 * x.numpy() ** 2 + 1)


def test_many_uses_accumulate_without_touching_each_other():
    x = tensor(1.0, 2.0)
    with GradientTape() as tape:
        tape.watch(x)
        parts = [x * float(k) for k in range(1, 6)]
        y = parts[0]
        for part in parts[1:]:
            y = y + part
    seed = tensor(1.0, 10.0)
    np.testing.assert_allclose(tape.gradient(y, x, seed).numpy(), [15.0, 150.0])
    np.testing.assert_allclose(seed.numpy(), [1.0, 10.0])


def test_nothing_before_watch_is_recorded():
    x = tensor(2.0)
    with GradientTape() as tape:
        y = x * x
        tape.watch(x)
        z = y + x
    assert tape.gradient(z, x).tolist() == [1.0]


def test_structures():
    a, b = tensor(1.0), tensor(2.0)
    with GradientTape(persistent=True) as tape:
        tape.watch({"a": a, "b": [b]})
        y = a * b
    result = tape.gradient({"y": y}, {"a": a, "b": (b, a)})
    assert result["a"].tolist() == [2.0]
    assert [g.tolist() for g in result["b"]] == [[1.0], [2.0]]


def test_unconnected():
    a, b = tensor(1.0), tensor(2.0)
    with GradientTape(persistent=True) as tape:
        tape.watch([a, b])
        y = a * a
    assert tape.gradient(y, b) is None
    assert tape.gradient(y, [a, Tensor(np.array([3]))])[1] is None
    with pytest.raises(ValueError):
        tape.gradient(y, b, unconnected_gradients="nonsense")


def test_second_use_needs_persistent():
    x = tensor(1.0)
    with GradientTape() as tape:
        tape.watch(x)
        y = x * x
    tape.gradient(y, x)
    with pytest.raises(RuntimeError, match="non-persistent GradientTape can only be used"):
        tape.gradient(y, x)


def test_third_order():
    x = tensor(2.0)
    with GradientTape() as outer:
        outer.watch(x)
        with GradientTape() as middle:
            middle.watch(x)
            with GradientTape() as inner:
                inner.watch(x)
                y = x * x * x * x
            first = inner.gradient(y, x)
        second = middle.gradient(first, x)
    third = outer.gradient(second, x)
    assert (first.item(), second.item(), third.item()) == (32.0, 48.0, 48.0)


def test_second_order_by_one_persistent_tape():
    x = tensor(2.0)
    with GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x * x
        first = tape.gradient(y, x)
    assert tape.gradient(first, x).item() == 12.0


def test_stop_recording_and_reset():
    x = tensor(3.0)
    with GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x
        with tape.stop_recording():
            z = x * x
        w = y + z
        assert tape.gradient(w, x).item() == 6.0
        tape.reset()
        tape.watch(x)
        v = x * 2.0
    assert tape.gradient(v, x).item() == 2.0
    assert tape.gradient(w, x) is None


def test_messages():
    tape = GradientTape()
    with tape, pytest.raises(ValueError, match="Tape is still recording"), tape:
        pass
    with pytest.raises(RuntimeError, match="stop recording"), tape.stop_recording():
        pass
    with pytest.raises(ValueError, match="Passed in object"):
        tape.watch("text")
    with pytest.raises(TypeError, match="received None"):
        tape.gradient(None, tensor(1.0))


def test_intermediate_source_and_target_is_source():
    x = tensor(3.0)
    with GradientTape(persistent=True) as tape:
        tape.watch(x)
        h = x * x
        y = h * x
    assert tape.gradient(y, [h, x])[0].item() == 3.0
    assert tape.gradient(y, [h, x])[1].item() == 27.0
    assert tape.gradient(x, x).item() == 1.0


def test_weak_numbers_are_told_apart():
    x = Tensor(2.0)
    with GradientTape() as tape:
        tape.watch(x)
        y = op.mul(x, 2.0) + tensor(2.0)
    assert tape.gradient(y, x).item() == 2.0


def test_box_change_does_not_change_what_was_recorded():
    x = tensor(3.0)
    with GradientTape() as tape:
        tape.watch(x)
        y = x * x
        source = Tensor(x._value)
        x._value = np.array([100.0])
    assert tape.gradient(y, source).item() == 6.0


def test_integers_cut():
    x = Tensor(np.array([3]))
    z = tensor(2.0)
    with GradientTape() as tape:
        tape.watch([x, z])
        y = x * z
    assert tape.gradient(y, [x, z])[0] is None


class Variable(Tensor):
    __slots__ = ("trainable",)

    def __init__(self, value, trainable=True):
        super().__init__(value)
        self.trainable = trainable


def test_variables_are_watched_when_read():
    v, frozen = Variable(np.array([2.0])), Variable(np.array([3.0]), trainable=False)
    with GradientTape(persistent=True) as tape:
        y = v * frozen
        v._value = np.array([5.0])  # assigned: reads before and after both count
        z = y + v * v
    assert tape.watched_variables() == (v,)
    assert tape.gradient(z, v).item() == 3.0 + 10.0
    assert tape.gradient(z, frozen) is None
    with GradientTape(watch_accessed_variables=False) as tape:
        y = v * v
    assert tape.gradient(y, v) is None


def test_recorded_call():
    x = tensor(3.0)
    with GradientTape() as tape:
        tape.watch(x)
        out = Tensor(x._value**2)
        tape.record_call(lambda dys: [dys[0] * x * 2.0, None], [x._value, 7], [out._value])
        y = out * 2.0
    assert tape.gradient(y, x).item() == 12.0


def test_cotangents_have_the_dtype_of_their_values():
    x, y = Tensor(np.ones(2, np.float32)), Tensor(np.full((3, 2), 2.0))
    with GradientTape() as tape:
        tape.watch([x, y])
        z = x * y
    dx, dy = tape.gradient(z, [x, y])
    assert (dx.dtype, dy.dtype) == ("float32", "float64")
    assert dx.tolist() == [6.0, 6.0]


def test_matmul_gives_only_what_is_asked_for():
    a, b = Tensor(np.ones((2, 3))), Tensor(np.arange(3.0).reshape(3, 1))
    for watched in ([a], [b], [a, b]):
        with GradientTape() as tape:
            tape.watch(watched)
            y = op.matmul(a, b)
        grads = tape.gradient(y, [a, b])
        assert [g is None for g in grads] == [all(x is not w for w in watched) for x in (a, b)]
