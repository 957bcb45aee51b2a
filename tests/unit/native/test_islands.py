"""Operations that NumPy runs in the midst of native code."""

import threading

import numpy as np
import pytest

import autograph as ag
from autograph.staging import native_code
from runtime.backends.native import toolchain
from tests.unit.native.both import check, check_gradient, native, same

pytestmark = pytest.mark.skipif(not toolchain.available(), reason="llvmlite is not installed")

X = np.array([3.0, -1.0, 2.0, 0.5], np.float32)


def bent_twice(x):
    y = ag.math.bessel_i1e(x * 2.0)
    return ag.reduce_sum(y * ag.math.bessel_i1e(-y)), y


def test_an_operation_without_a_rule_is_an_island(monkeypatch):
    check(bent_twice, X, monkeypatch=monkeypatch, islands={"bessel_i1e"})


def test_gradients_go_through_islands():
    check_gradient(lambda x: ag.math.bessel_i1e(x) * ag.constant(np.arange(4, dtype=np.float32)), X)


def in_a_loop(x, n):
    for i in range(n):
        x = ag.math.bessel_i1e(-x) + ag.cast(i, "float32")
    return x


def test_in_a_loop_memory_is_used_again(monkeypatch):
    check(in_a_loop, X, np.int64(50), monkeypatch=monkeypatch, islands={"bessel_i1e"})


def in_a_branch(x, c):
    if c:
        y = ag.math.bessel_i1e(x)
    else:
        y = x + 1.0
    return y * 2.0


@pytest.mark.parametrize("c", [True, False])
def test_in_a_branch(c, monkeypatch):
    check(in_a_branch, X, np.bool_(c), monkeypatch=monkeypatch)


def sizes_of_results(x):
    kept = ag.boolean_mask(x, x > 0.0)
    return ag.reduce_sum(kept), kept, ag.unique(ag.cast(x, "int32"))[0]


def test_results_whose_sizes_only_the_run_knows(monkeypatch):
    check(sizes_of_results, X, monkeypatch=monkeypatch)


def of_nothing(x):
    return ag.math.bessel_i1e(x) * 2.0, ag.reduce_sum(ag.math.bessel_i1e(x))


def test_empty_arrays(monkeypatch):
    check(of_nothing, np.zeros(0, np.float32), monkeypatch=monkeypatch)


def complex_numbers(x):
    z = ag.cast(x, "complex64")
    for _ in range(3):
        z = z * z + z
    return ag.abs(z), z


def test_values_that_native_code_has_no_form_for_stay_in_python(monkeypatch):
    check(complex_numbers, X, monkeypatch=monkeypatch)


def carried_complex(x, n):
    z = ag.cast(x, "complex64")
    w = z + 1.0
    for _ in range(n):
        z, w = w, z * 0.5
    return ag.abs(z), ag.abs(w)


def test_they_are_carried_by_loops_and_change_places(monkeypatch):
    check(carried_complex, X, np.int64(5), monkeypatch=monkeypatch)


def nested_lists(n):
    rows = []
    for i in range(n):
        row = []
        for j in range(i):
            row.append(ag.cast(j * i, "float64"))
        rows.append(row)
    total = 0.0
    for row in rows:
        for v in row:
            total = total + v
    return total, len(rows)


@pytest.mark.parametrize("n", [0, 1, 6])
def test_lists_of_lists(n, monkeypatch):
    check(nested_lists, np.int64(n), monkeypatch=monkeypatch)


def changed_in_place(n):
    rows = [[1.0], [2.0]]
    for i in range(n):
        old = rows
        rows[0] = [ag.cast(i, "float64")]
        rows.append(rows[0])
        if i > 2:
            rows.pop()
    return rows[0][0], len(rows), rows[-1][0]


def test_lists_that_are_shared_are_not_changed(monkeypatch):
    check(changed_in_place, np.int64(6), monkeypatch=monkeypatch)


def different_sizes(x, n):
    parts = []
    for i in range(n):
        parts.append(x[: i + 1])
    return ag.concat(parts, 0), parts[-1]


def test_lists_of_arrays_of_different_sizes(monkeypatch):
    check(different_sizes, X, np.int64(4), monkeypatch=monkeypatch)


def random_walk(x):
    generator = ag.random.Generator.from_seed(3)
    return x + generator.normal((4,))


def test_random_numbers_are_the_plans(monkeypatch):
    check(random_walk, X, monkeypatch=monkeypatch, calls=1)


def printing(x, n):
    for i in range(n):
        print("turn", i)
        x = x / 2.0
    return x


def test_print_in_a_loop(capsys):
    compiled, _ = native(printing, ag.constant(X), ag.constant(3))
    capsys.readouterr()
    compiled(ag.constant(X), ag.constant(3))
    assert capsys.readouterr().out == "turn 0\nturn 1\nturn 2\n"


def print_then_fail(x, n):
    for i in range(n):
        print("turn", i)
        assert x[i] > 0.0, "not positive"
    return x


def test_what_was_printed_before_an_error_is_printed_once(capsys):
    f = ag.function(print_then_fail, jit_compile=True)
    with pytest.raises(AssertionError, match="not positive"):
        f(ag.constant(X), ag.constant(4))
    assert capsys.readouterr().out == "turn 0\nturn 1\n"
    with pytest.raises(AssertionError, match="not positive"):
        f(ag.constant(X), ag.constant(4))
    assert capsys.readouterr().out == "turn 0\nturn 1\n"


def test_python_functions_are_called_once_and_their_errors_come_through():
    calls = []

    def note(v):
        calls.append(float(v))
        if v > 4:
            raise KeyError("too much")
        return v * 2

    def noting(x, n):
        for _ in range(n):
            x = ag.py_function(note, [x], "float64")
            x = ag.ensure_shape(x, ())
        return x

    f = ag.function(noting, jit_compile=True)
    assert float(f(ag.constant(np.float64(1.0)), ag.constant(2))) == 4.0
    assert calls == [1.0, 2.0]
    with pytest.raises(KeyError, match="too much"):
        f(ag.constant(np.float64(2.0)), ag.constant(5))
    assert calls == [1.0, 2.0, 2.0, 4.0, 8.0]


def test_arrays_given_to_python_stay_what_they_were():
    seen = []

    def keep(v):
        seen.append(v)

    def keeping(x, n):
        for _ in range(n):
            x = x + 1.0
            ag.py_function(keep, [x], [])
        return x

    ag.function(keeping, jit_compile=True)(ag.constant(X), ag.constant(3))
    np.testing.assert_array_equal(np.stack(seen), [X + 1, X + 2, X + 3])


def test_an_error_in_an_island_is_the_plans():
    def bad(x, i):
        return ag.linalg.cholesky(x * i)

    f = ag.function(bad, jit_compile=True)
    x = ag.constant(np.eye(2))
    f(x, ag.constant(np.float64(1.0)))
    errors = []
    for jit in (True, False):
        with pytest.raises(Exception) as caught:  # noqa: PT011 (whatever it is, it is the same)
            ag.function(bad, jit_compile=jit)(x, ag.constant(np.float64(-1.0)))
        errors.append(caught.value)
    assert type(errors[0]) is type(errors[1])
    assert str(errors[0]).splitlines()[0] == str(errors[1]).splitlines()[0]


def test_several_threads_in_one_function():
    f = ag.function(in_a_loop, jit_compile=True)
    inputs = [ag.constant(X * k) for k in range(8)]
    want = [np.asarray(f(x, ag.constant(20))) for x in inputs]
    wrong = []

    def work(k):
        for _ in range(20):
            if not np.array_equal(np.asarray(f(inputs[k], ag.constant(20))), want[k]):
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_native_code_that_would_mostly_cross_does_not_pay(monkeypatch):
    monkeypatch.setattr(native_code, "NATIVE_BY_DEFAULT", True)
    monkeypatch.setattr(native_code, "TRIED_CALLS", 1)
    f = ag.function(bent_twice)
    f(ag.constant(X))
    native_code.BACKGROUND.wait()
    assert not f.get_concrete_function(ag.constant(X)).compiled.is_native


def test_the_region_map_names_islands():
    regions = ag.function(bent_twice).inspect(ag.constant(X)).regions
    assert "NumPy islands:" in regions
    assert regions.count("bessel_i1e") == 2
    assert "test_islands.py" in regions


def test_a_function_with_islands_that_only_compute_is_called_by_a_c_function(monkeypatch):
    assert check(bent_twice, X, monkeypatch=monkeypatch)._entry is not None
    executable = check(complex_numbers, X, monkeypatch=monkeypatch)
    assert executable._entry is None  # Python keeps values of the call


def test_an_error_of_an_island_behind_the_c_function_is_the_plans():
    f = ag.function(lambda x: ag.linalg.inv(x) + 1.0, jit_compile=True)
    good, bad = ag.constant(np.eye(2)), ag.constant(np.zeros((2, 2)))
    for _ in range(3):
        same(f(good), np.eye(2, dtype=np.float64) + 1.0)
        with pytest.raises(ag.errors.InvalidArgumentError):
            f(bad)
