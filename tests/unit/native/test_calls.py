"""Named functions, which may call themselves, as functions of native code."""

import threading

import numpy as np
import pytest

import autograph as ag
from runtime.backends.native import executable as executable_module
from runtime.backends.native import toolchain
from tests.unit.native.both import check, forbid_plan, native, same

pytestmark = pytest.mark.skipif(not toolchain.available(), reason="llvmlite is not installed")

X = np.array([3.0, -1.0, 2.0], np.float32)


def fibonacci(n):
    if n < 2:
        return n
    return fibonacci(n - 1) + fibonacci(n - 2)


def mccarthy(n):
    if n > 100:
        return n - 10
    return mccarthy(mccarthy(n + 11))


def even(n):
    if n == 0:
        return True
    return odd(n - 1)


def odd(n):
    if n == 0:
        return False
    return even(n - 1)


@pytest.mark.parametrize(("f", "n"), [(fibonacci, 15), (mccarthy, 17), (even, 7), (even, 8)])
def test_scalars(f, n, monkeypatch):
    check(f, np.int64(n), monkeypatch=monkeypatch, islands=())


def halves(x, n):
    if n <= 0:
        return x
    return ag.sin(halves(x * 0.5, n - 1)) + x


def test_arrays_of_known_shape(monkeypatch):
    check(halves, X, np.int64(6), monkeypatch=monkeypatch, islands=())


def doubled(x, n):
    if n <= 0:
        return x
    return ag.concat([x, doubled(x * 2.0, n - 1)], 0)


@pytest.mark.parametrize("n", [0, 1, 4])
def test_arrays_whose_sizes_the_call_tells(n, monkeypatch):
    check(doubled, X, np.int64(n), monkeypatch=monkeypatch)


def split(x, n):
    if n <= 0:
        return x, ag.reduce_sum(x), x > 0.0
    a, s, c = split(x[::-1] + 1.0, n - 1)
    return a * 2.0, s - 1.0, ag.logical_not(c)


def test_several_results(monkeypatch):
    check(split, X, np.int64(3), monkeypatch=monkeypatch)


def collected(xs, n):
    if n <= 0:
        return xs
    xs.append(ag.cast(n, "float64"))
    xs = collected(xs, n - 1)
    xs.append(0.5)
    return xs


def collect(n):
    xs = [1.0]
    ys = collected(xs, n)
    return ag.stack(ys), len(ys)


def kept_list(n):
    xs = [1.0, 2.0]
    total = 0.0
    for i in range(n):
        zs = collected(list(xs), i)
        total = total + zs[-1] + len(zs)
    return total, len(xs), xs[0]


@pytest.mark.parametrize("f", [collect, kept_list])
@pytest.mark.parametrize("n", [0, 5])
def test_lists(f, n, monkeypatch):
    check(f, np.int64(n), monkeypatch=monkeypatch)


def rows(n):
    if n <= 0:
        return [[1.0]]
    below = rows(n - 1)
    below.append([ag.cast(n, "float64"), below[-1][0]])
    return below


def of_rows(n):
    made = rows(n)
    return len(made), made[-1][0], made[0][0]


def test_values_that_python_holds(monkeypatch):
    check(of_rows, np.int64(5), monkeypatch=monkeypatch)


def waves(z, n):
    if n <= 0:
        return z, z
    a, b = waves(z * 0.5, n - 1)
    return b, a + z


def test_they_come_back_from_calls(monkeypatch):
    def f(x, n):
        a, b = waves(ag.cast(x, "complex64"), n)
        return ag.abs(a), ag.abs(b)

    check(f, X, np.int64(4), monkeypatch=monkeypatch)


def bent_down(x, n):
    if n <= 0:
        return x
    return ag.math.bessel_i1e(-bent_down(x, n - 1)) + 1.0


def test_islands_in_functions(monkeypatch):
    check(bent_down, X, np.int64(4), monkeypatch=monkeypatch, islands={"bessel_i1e"})


def in_loops(x, n):
    total = 0.0
    for i in range(n):
        total = total + ag.reduce_sum(halves(x * ag.cast(i, "float32"), i))
    return total


def test_calls_in_loops(monkeypatch):
    check(in_loops, X, np.int64(5), monkeypatch=monkeypatch)


def depth(n):
    if n <= 0:
        return 0
    return depth(n - 1) * 2 % 1001 + 1


def deep_sum(x, n):
    if n <= 0:
        return x
    return x * 0.5 + deep_sum(x, n - 1) / 2.0


@pytest.mark.parametrize("n", [100, 10_000, 200_000])
def test_deep_recursion(n, monkeypatch):
    compiled, executable = native(depth, ag.constant(np.int64(n)))
    forbid_plan(executable, monkeypatch)
    want = 0
    for _ in range(n):
        want = want * 2 % 1001 + 1
    assert int(compiled(ag.constant(np.int64(n)))) == want


def test_deep_recursion_over_arrays(monkeypatch):
    x, n = ag.constant(np.arange(100, dtype=np.float64)), ag.constant(np.int64(10_000))
    compiled, executable = native(deep_sum, x, n)
    forbid_plan(executable, monkeypatch)
    want = np.arange(100.0)
    for _ in range(100):  # it has converged by then
        want = np.arange(100) * 0.5 + want / 2.0
    np.testing.assert_allclose(np.asarray(compiled(x, n)), want)


def endless(n):
    if n < 0:
        return 0
    return endless(n + 1) + n % 3


def test_endless_recursion_is_the_plans_error(monkeypatch):
    monkeypatch.setattr(executable_module, "DEEP", 2**22)
    compiled, executable = native(endless, ag.constant(np.int64(1)))
    asked = []

    def plan(*arrays):
        asked.append(arrays)
        raise RecursionError("too deep")

    monkeypatch.setattr(executable, "plan", plan)
    with pytest.raises(RecursionError, match="too deep"):
        compiled(ag.constant(np.int64(1)))
    assert len(asked) == 1


def loud(n):
    print("at", n)
    if n <= 0:
        return 0
    return loud(n - 1) * 2 % 1001 + 1


def test_what_was_printed_before_the_stack_ended_is_printed_once(capsys, monkeypatch):
    compiled, executable = native(loud, ag.constant(np.int64(3000)))
    forbid_plan(executable, monkeypatch)
    capsys.readouterr()
    compiled(ag.constant(np.int64(3000)))
    assert capsys.readouterr().out == "".join(f"at {k}\n" for k in range(3000, -1, -1))


def checked(x, n):
    assert n != 3, "three"
    if n <= 0:
        return x
    return checked(x + 1.0, n - 1)


def test_errors_come_out_of_functions():
    f = ag.function(checked, jit_compile=True)
    with pytest.raises(AssertionError, match="three"):
        f(ag.constant(X), ag.constant(5))
    np.testing.assert_array_equal(np.asarray(f(ag.constant(X), ag.constant(2))), X + 2)


def test_several_threads_go_deep():
    f = ag.function(depth, jit_compile=True)
    want = int(f(ag.constant(np.int64(20_000))))
    results = []
    work = lambda: results.append(int(f(ag.constant(np.int64(20_000)))))
    threads = [threading.Thread(target=work) for _ in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert results == [want] * 6


def test_gradients_of_recursion():
    def gradient(x, n):
        with ag.GradientTape() as tape:
            tape.watch(x)
            y = ag.reduce_sum(halves(x, n))
        return tape.gradient(y, x)

    x, n = ag.constant(X), ag.constant(4)
    got = ag.function(gradient, jit_compile=True)(x, n)
    np.testing.assert_allclose(np.asarray(got), np.asarray(ag.function(gradient, jit_compile=False)(x, n)), rtol=1e-5)


def never_ends(n):
    return never_ends(n + 1) * 2 if n > 0 else never_ends(n - 1) + 1


def test_recursion_without_any_end_is_no_loop():
    with pytest.raises(RecursionError):
        ag.function(never_ends, jit_compile=True)(ag.constant(1))


def tree(node, x, left, right, w):
    if node < 3:
        return ag.tanh(x[node] * w)
    a = tree(left[node - 3], x, left, right, w)
    b = tree(right[node - 3], x, left, right, w)
    return ag.tanh(a * w + b) + ag.reduce_sum(a) * 0.1


def tree_gradient(x, left, right, w):
    with ag.GradientTape() as tape:
        tape.watch([x, w])
        loss = ag.constant(0.0, "float64")
        for i in ag.range(3):
            loss += ag.reduce_sum(tree(ag.constant(4) - i, x, left, right, w) ** 2.0)
    return tape.gradient(loss, [x, w])


TREE = np.random.default_rng(0).standard_normal((3, 4)), np.array([0, 3], np.int32), np.array([1, 2], np.int32)


def test_gradients_of_recursion_over_index_tensors(monkeypatch):
    check(tree_gradient, *TREE, np.linspace(0.5, 1.0, 4), monkeypatch=monkeypatch, islands=())


def training(x, left, right, w):
    for _ in ag.range(40):
        dw = tree_gradient(x, left, right, w)[1]
        w = w - 0.05 * dw
    return w


def test_records_in_a_loop_of_steps(monkeypatch):
    executable = check(training, *TREE, np.linspace(0.5, 1.0, 4), monkeypatch=monkeypatch, islands=())
    assert "call void @ag_arena_back" in executable.lowered.text


def test_records_of_sizes_that_only_the_run_knows():
    x = ag.TensorSpec((3, None), "float64")
    places, w = ag.TensorSpec((None,), "int32"), ag.TensorSpec((None,), "float64")
    compiled = ag.function(tree_gradient, jit_compile=True, input_signature=[x, places, places, w])
    plain = ag.function(tree_gradient, jit_compile=False, input_signature=[x, places, places, w])
    for n in (4, 1, 0, 7):
        args = np.ones((3, n)), TREE[1], TREE[2], np.linspace(0.1, 1.0, n)
        same(compiled(*map(ag.constant, args)), plain(*map(ag.constant, args)))


def grown(x, n):
    if n <= 0:
        return x
    parts = []
    for i in ag.range(n):
        parts.append(x * ag.cast(i + 1, "float64"))
    return grown(ag.reduce_sum(ag.stack(parts), axis=0) * 0.1, n - 1) + x


def test_records_that_hold_lists(monkeypatch):
    def f(x, n):
        with ag.GradientTape() as tape:
            tape.watch(x)
            y = ag.reduce_sum(grown(x * x, n) ** 2.0)
        return tape.gradient(y, x)

    check(f, np.array([0.5, -1.0, 2.0]), np.int64(3), monkeypatch=monkeypatch)


def test_second_derivatives_of_recursion(monkeypatch):
    def f(x, n):
        with ag.GradientTape() as outer:
            outer.watch(x)
            with ag.GradientTape() as tape:
                tape.watch(x)
                y = ag.reduce_sum(ag.sin(halves(x, n)))
            dx = ag.reduce_sum(tape.gradient(y, x) ** 2.0)
        return outer.gradient(dx, x)

    check(f, np.array([0.5, -1.0, 2.0]), np.int64(3), monkeypatch=monkeypatch)


def test_an_eager_tape_over_recursion():
    results = []
    for jit in (True, False):
        f = ag.function(lambda x, l, r, w: ag.reduce_sum(tree(ag.constant(4), x, l, r, w)), jit_compile=jit)
        x = ag.constant(TREE[0])
        with ag.GradientTape() as tape:
            tape.watch(x)
            y = f(x, ag.constant(TREE[1]), ag.constant(TREE[2]), ag.constant(np.linspace(0.5, 1.0, 4)))
        results.append(tape.gradient(y, x))
    same(*results)


def halved(n, x, w, b):
    if n <= 0:
        return 0.5 * ag.linalg.matvec(w, x) + b
    z = halved(n - 1, ag.tanh(ag.linalg.matvec(w, ag.linalg.matvec(w, x))), w, b)
    return ag.tanh(z + z)


def test_results_do_not_lie_where_arguments_are():
    def gradients(n, x, w, b):
        with ag.GradientTape() as tape:
            tape.watch([x, w, b])
            y = ag.reduce_sum(halved(n, x, w, b) ** 2)
        return tape.gradient(y, [x, w, b])  # b's is the cotangent itself, given back by every call

    random = np.random.default_rng(0)
    xs = [ag.constant(random.standard_normal(shape) * 0.5) for shape in ((8,), (8, 8), (8,))]
    n = ag.constant(3)
    for got, want in zip(ag.function(gradients, jit_compile=True)(n, *xs), gradients(n, *xs), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-12)
