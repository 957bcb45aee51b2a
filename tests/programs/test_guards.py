"""Python state that a trace read and that has changed since: the function is traced again, and never when nothing has."""

import collections
import functools
import gc
import sys
import types
import warnings
import weakref

import numpy as np
import pytest

import autograph as ag

X = ag.constant(np.float64(2.0))
RATE = 3.0
CONFIG = {"rate": 1.0, "deep": {"power": 2}, "other": 0}


def check(f, traces, x=X):
    """Twice as plain Python, after `traces` traces in all."""
    for _ in range(2):
        assert float(f(x)) == float(f.python_function(x))
    assert f.experimental_get_tracing_count() == traces


def scaled(x):
    return x * RATE


def test_global_read_by_a_called_function(monkeypatch):
    f = ag.function(lambda x: scaled(x) + 1)
    check(f, 1)
    monkeypatch.setitem(globals(), "RATE", 4.0)
    check(f, 2)
    monkeypatch.setitem(globals(), "RATE", 3.0)
    check(f, 2)  # the first trace fits again
    monkeypatch.setitem(globals(), "RATE", 3)
    assert f(ag.constant(2)).dtype == ag.int32  # equal, but another type
    monkeypatch.setitem(globals(), "scaled", lambda x: -x)
    check(f, 4)


def test_number_in_a_closure_by_its_bits():
    def make():
        k = 1.0

        def change(value):
            nonlocal k
            k = value

        return ag.function(lambda x: x * k), change

    f, change = make()
    check(f, 1)
    change(float("nan"))
    assert np.isnan(float(f(X)))
    change(float("-nan") * 1)
    assert np.isnan(float(f(X)))
    assert f.experimental_get_tracing_count() == 2
    change(0.0)
    assert str(float(f(X))) == "0.0"
    change(-0.0)
    assert str(float(f(X))) == "-0.0"


class Layer:
    def __init__(self, weight):
        self.weight = weight
        self.training = True
        self.calls = 0

    def __call__(self, x):
        self.calls += 1
        return x * self.weight if self.training else x


class Model:
    kind = "plain"

    def __init__(self):
        self.layers = [Layer(2.0), Layer(3.0)]
        self.activation = abs
        self.settings = types.SimpleNamespace(offset=1.0)

    @property
    def offset(self):
        return self.settings.offset * 2

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        bonus = 10 if self.kind == "plain" else 20
        return self.activation(x) + self.offset + bonus


def weight_of(layer):
    return layer.weight


def test_attributes_wherever_they_are_read(monkeypatch):
    model = Model()
    f = ag.function(lambda x: model.forward(x) + weight_of(model.layers[0]))
    check(f, 1)
    changes = [
        lambda: setattr(model.layers[1], "weight", 7.0),
        lambda: setattr(model.layers[0], "training", False),
        lambda: model.layers.append(Layer(0.5)),
        lambda: model.layers.__setitem__(0, Layer(9.0)),
        lambda: setattr(model, "activation", lambda x: -x),
        lambda: setattr(model.settings, "offset", 5.0),
        lambda: monkeypatch.setattr(Model, "kind", "fancy"),
        lambda: setattr(model, "kind", "odd"),
        lambda: setattr(model, "layers", [Layer(1.0)]),
    ]
    for count, change in enumerate(changes, 2):
        change()
        check(f, count)


def test_toggled_flag_has_two_traces():
    layer = Layer(2.0)

    @ag.function
    def f(x):
        return x * layer.weight if layer.training else x

    for turn in range(6):
        layer.training = turn % 2 == 0
        check(f, min(turn + 1, 2))


@pytest.mark.parametrize("options", [{"reduce_retracing": True}, {"input_signature": [ag.TensorSpec([None], ag.float32)]}])
def test_toggled_flag_with_open_sizes(options):
    layer = Layer(2.0)
    f = ag.function(lambda x: x * layer.weight if layer.training else x, **options)
    for turn in range(12):
        layer.training = turn % 2 == 0
        x = ag.ones([turn + 1])
        assert np.array_equal(f(x), f.python_function(x))
    assert f.experimental_get_tracing_count() <= 4


def test_arguments_are_objects_with_state():
    def double(layer, x):
        return layer(x) + weight_of(layer)

    f = ag.function(double)
    one, two = Layer(2.0), Layer(5.0)
    assert [float(f(one, X)), float(f(two, X)), float(f(one, X))] == [6, 15, 6]
    assert f.experimental_get_tracing_count() == 2
    one.weight = 4.0
    assert [float(f(one, X)), float(f(two, X)), float(f(one, X))] == [12, 15, 12]
    assert f.experimental_get_tracing_count() == 3
    assert (one.calls, two.calls) == (4, 2)


def test_items_of_containers_by_constant_keys():
    config = {"rate": 1.0, "deep": {"power": 2}, "other": 0}
    names = {"a", "b"}

    @ag.function
    def f(x):
        x = x * config["rate"] + config.get("bonus", 0)
        if "a" in names:
            x = x + 1
        return x ** config["deep"]["power"]

    check(f, 1)
    config["other"] = 1
    check(f, 1)  # it is not read
    config["rate"] = 2.0
    check(f, 2)
    config["deep"]["power"] = 3
    check(f, 3)
    config["bonus"] = 100
    check(f, 4)
    names.remove("a")
    check(f, 5)
    config["deep"] = {"power": 3}
    check(f, 5)  # another object with the same content


def test_other_containers_and_imports(monkeypatch):
    module = types.ModuleType("settings_of_guards")
    module.gain = 1.0
    monkeypatch.setitem(sys.modules, module.__name__, module)
    Point = collections.namedtuple("Point", "a b")
    box = types.SimpleNamespace(point=Point(1.0, 2.0), queue=collections.deque([1.0, 2.0]), array=np.array([1.0, 2.0]))
    table = collections.defaultdict(float, a=2.0)
    ordered = collections.OrderedDict(x=1.0)

    @ag.function
    def f(x):
        from settings_of_guards import gain

        x = x * gain * box.point.a + box.point[1] + box.queue[0] + table["a"] + sum(ordered.values())
        return x if box.array[0] > 0 else -x

    check(f, 1)
    changes = [
        lambda: setattr(module, "gain", 3.0),
        lambda: setattr(box, "point", Point(1.0, 5.0)),
        lambda: setattr(box, "point", box.point._replace(a=7.0)),
        lambda: box.queue.appendleft(8.0),
        lambda: table.__setitem__("a", 9.0),
        lambda: ordered.__setitem__("y", 2.0),
        lambda: box.array.__setitem__(0, -1.0),
    ]
    for count, change in enumerate(changes, 2):
        change()
        check(f, count)


def test_array_content_is_read_and_rebound_arrays_are_seen():
    layer = Layer(np.ones(2))

    @ag.function
    def f(x):
        return ag.reduce_sum(x * layer.weight)

    check(f, 1)
    layer.weight[0] = 5.0
    check(f, 1)
    layer.weight = np.zeros(2)
    check(f, 2)
    layer.weight = np.ones(3)
    check(f, 3)
    layer.weight = ag.constant(np.ones(3) * 2)
    check(f, 4)


def test_what_the_function_itself_changes_is_no_reason():
    memo = {}

    def factorial(n):
        if n in memo:
            return memo[n]
        memo[n] = 1 if n < 2 else n * factorial(n - 1)
        return memo[n]

    class Counted:
        def __init__(self):
            self.steps = 0
            self.log = []

        @ag.function
        def step(self, x):
            self.steps += 1
            self.log.append(self.steps)
            return x * factorial(4) + self.steps

    c = Counted()
    assert [float(c.step(X)) for _ in range(4)] == [49, 50, 51, 52]
    assert (c.steps, len(c.log)) == (4, 4)
    assert Counted.step.experimental_get_tracing_count() == 2  # from the second call on `memo` has its keys


def test_flag_set_by_the_first_call():
    class Lazy:
        def __init__(self):
            self.first = True
            self.calls = 0

        @ag.function
        def __call__(self, x):
            self.calls += 1
            if self.first:
                self.first = False
                return x * 100
            return x

    lazy = Lazy()
    assert [float(lazy(X)) for _ in range(4)] == [200, 2, 2, 2]
    assert lazy.calls == 4
    assert Lazy.__call__.experimental_get_tracing_count() == 2


def test_attribute_that_appears_and_goes():
    settings = types.SimpleNamespace()

    @ag.function
    def f(x):
        return x * getattr(settings, "gain", 5) + (1 if hasattr(settings, "bias") else 0)

    check(f, 1)
    settings.gain = 7
    check(f, 2)
    settings.bias = True
    check(f, 3)
    del settings.gain, settings.bias
    check(f, 3)


def test_attribute_with_a_computed_name():
    layer = Layer(2.0)

    @ag.function
    def f(x):
        for name in ("weight", "training"):
            x = x * getattr(layer, name)
        return x

    check(f, 1)
    layer.weight = 5.0
    check(f, 2)
    layer.training = False
    check(f, 3)


def test_slots_class_methods_decorators_and_partials():
    class Slotted:
        __slots__ = ("gain",)
        unit = 1.0

        def __init__(self):
            self.gain = 2.0

        @classmethod
        def in_units(cls, x):
            return x * cls.unit

        @functools.lru_cache  # noqa: B019
        def cached(self):
            return self.gain

    def add(offset, x):
        return x + offset.gain

    s = Slotted()
    shifted = functools.partial(add, s)

    @ag.function
    def f(x):
        return shifted(Slotted.in_units(x) * s.gain)

    check(f, 1)
    s.gain = 3.0
    check(f, 2)
    Slotted.unit = 4.0
    check(f, 3)


def test_functions_of_functions(monkeypatch):
    inner = ag.function(lambda x: x * RATE)
    outer = ag.function(lambda x: inner(x) + 1)
    table = {"inner": inner, "scaled": scaled}
    both = ag.function(lambda x: table["inner"](x) + table["scaled"](x))
    check(both, 1)
    check(outer, 1)
    monkeypatch.setitem(globals(), "RATE", 8.0)
    check(outer, 2)
    check(both, 2)


def test_guards_keep_nobody_alive():
    class Holder:
        def __init__(self):
            self.me = self
            self.rate = 2.0
            self.parts = [Layer(1.0)]

    def f(holder, x):
        return x * holder.rate + holder.parts[0].weight

    f = ag.function(f)
    holder = Holder()
    f(holder, X)
    f(holder, X)
    gone = weakref.ref(holder)
    del holder
    gc.collect()
    assert gone() is None


def test_storms_are_named_once():
    layer = Layer(0)
    reads = ag.function(lambda x: x * layer.weight)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        for k in range(20):
            layer.weight = k
            assert float(reads(X)) == 2 * k
    assert [w.filename for w in seen] == [__file__]
    assert "layer.weight, which it reads, changes between calls [retracing-state]" in str(seen[0].message)

    def power(x, n):
        return x**n

    power = ag.function(power)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        for k in range(20):
            power(X, k)
    assert ["its argument n differs from call to call [retracing-argument]" in str(w.message) for w in seen] == [True]


def test_traces_of_one_signature_are_bounded():
    from autograph.staging.function import MAX_STATES

    layer = Layer(0)
    f = ag.function(lambda x: x * layer.weight)

    def many_states():
        for k in range(3 * MAX_STATES):
            layer.weight = k
            f(X)

    with pytest.warns(UserWarning, match="layer.weight"):
        many_states()
    assert [len(traces) for traces in f._traces.values()] == [MAX_STATES]


class Namespace:
    """Functions that find each other through it, as a program written against several libraries has."""

    tanh = ag.tanh


def through_namespace(cell, state, xs, weights, collect):
    if collect:
        states = []
        for x in xs:
            state = cell(Namespace, state, x, weights)
            states.append(state)
        return ag.stack(states)
    array = ag.TensorArray(ag.as_dtype(xs.dtype), size=xs.shape[0])
    for t in ag.range(xs.shape[0]):
        array = array.write(t, cell(Namespace, state, xs[t], weights))
    return array.stack()


Namespace.loop = staticmethod(through_namespace)


def test_reads_through_what_functions_are_handed():
    def cell(lib, state, x, weights):
        first, second, bias = weights
        return lib.tanh(x @ first + state @ second + bias)

    def whole(lib, xs, state, *weights):
        return lib.loop(cell, state, xs, weights, collect=True)

    f = ag.function(lambda *a: whole(Namespace, *a))
    two = ag.ones([2, 2])
    assert f(ag.ones([3, 2, 2]), two, two, two, ag.ones([2])).shape == (3, 2, 2)


def test_what_python_reads_of_an_array_is_noticed():
    table = np.arange(3.0)

    @ag.function
    def f(x):
        doubled = table * 2
        total = x * doubled[1] + table.sum()
        for v in table:
            total = total * v
        return total

    def plain(x):
        return (x * 2 * table[1] + table.sum()) * table.prod()

    for values in ([1.0, 2.0, 3.0], [2.0, 2.0, 2.0], [1.0, 2.0, 3.0]):
        table[:] = values
        assert float(f(ag.constant(2.0, ag.float64))) == plain(2.0)
    assert f.experimental_get_tracing_count() == 2


def test_an_array_that_the_graph_reads_is_no_guard():
    weights = np.ones(3)

    @ag.function
    def f(x):
        return ag.reduce_sum(x * weights) * len(weights) + weights.shape[0]

    for k in (1.0, 2.0, 3.0):
        weights[:] = k
        assert float(f(ag.ones([3], ag.float64))) == 9 * k + 3
    assert f.experimental_get_tracing_count() == 1
