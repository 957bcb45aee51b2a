"""BLAS's threads during a plan of products that are soon done: one, and afterwards as before."""

import os
import threading

import numpy as np
import pytest

import autograph as ag
from runtime.backends import product_threads
from runtime.backends.native import blas
from runtime.backends.product_threads import FEW

SMALL, MIDDLE, LARGE = np.ones((8, 8)), np.ones((100, 100)), np.ones((400, 400))


class Library:
    """A BLAS that says what it is told."""

    def __init__(self, count=4):
        self.count = count
        self.told = []

    def get(self):
        return self.count

    def set(self, count):
        self.told.append(count)
        self.count = count


@pytest.fixture
def library(monkeypatch):
    made = Library()
    monkeypatch.setattr(product_threads, "_functions", lambda: (made.get, made.set))
    return made


@pytest.fixture
def seen(library, monkeypatch):
    """The number of threads at each product of plans made from now on."""
    counts = []

    def matmul(*args):
        counts.append(library.count)
        return original(*args)

    original = np.matmul
    monkeypatch.setattr(np, "matmul", matmul)
    return counts


def plan(f, *args, **options):
    made = ag.function(f, jit_compile=False, **options)
    got = made(*(ag.constant(a) for a in args))
    return got, made


def test_middling_products_are_on_one_thread(library, seen):
    got, _ = plan(lambda a, b: (a @ a, b @ b), MIDDLE, SMALL)
    assert set(seen) == {1} and library.count == 4 and library.told == [1, 4]
    np.testing.assert_array_equal(got[0].numpy(), MIDDLE @ MIDDLE)


def test_beside_large_ones_or_of_unknown_size_they_are_left_alone(library, seen):
    plan(lambda a, b: (a @ a, b @ b), MIDDLE, LARGE)
    spec = [ag.TensorSpec([None, None], ag.float64)]
    ag.function(lambda a: a @ a, jit_compile=False, input_signature=spec)(ag.constant(MIDDLE))
    assert not library.told


def test_what_blas_does_on_one_thread_anyway_is_left_alone(library, seen):
    plan(lambda a: a @ a, SMALL)
    plan(lambda a: a @ a, LARGE)
    plan(lambda a: a + a, LARGE)
    plan(lambda a: ag.linalg.inv(a @ a + ag.eye(100, dtype=ag.float64)), MIDDLE)  # LAPACK decides for itself
    assert not library.told


def test_one_thread_stays_one(library, seen):
    library.count = 1
    plan(lambda a, b: (a @ a, b @ b), MIDDLE, SMALL)
    assert not library.told and set(seen) == {1}


def test_after_an_error_all_is_as_before(library, seen):
    def f(a, i):
        b = a @ a
        return b[i]

    made = ag.function(f, jit_compile=False)
    with pytest.raises(IndexError):
        made(ag.constant(MIDDLE), ag.constant(1000))
    assert seen == [1] and library.count == 4


def test_loops_and_called_functions(library, seen):
    def power(a, n):
        if n <= 0:
            return a
        return power(a, n - 1) @ a

    got, _ = plan(power, MIDDLE / 100, np.int32(3))
    assert set(seen) == {1} and len(seen) == 3 and library.count == 4
    np.testing.assert_allclose(got.numpy(), MIDDLE / 100)


def test_several_threads(library, monkeypatch):
    inside, leave, counts = threading.Barrier(3), threading.Event(), []

    def work():
        with FEW:
            inside.wait()
            leave.wait()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for t in threads:
        t.start()
    inside.wait()
    assert library.count == 1
    with FEW:
        counts.append(library.count)
    counts.append(library.count)
    leave.set()
    for t in threads:
        t.join()
    assert counts == [1, 1] and library.count == 4


def test_the_users_choice_in_the_meantime_stays(library):
    with FEW:
        assert FEW.chosen() == 4
        assert FEW.choose(3)
        assert library.count == 1
    assert library.count == 3 and not FEW.choose(2) and FEW.chosen() == 0
    with FEW:
        library.count = 2  # by somebody who does not ask us
    assert library.count == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_new_process_has_what_was_chosen(library):
    with FEW:
        child = os.fork()
        if child == 0:
            os._exit(library.count)
        _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 4


def test_the_real_library():
    found = blas.find()
    functions = product_threads._functions()
    if functions is None or found is None:
        pytest.skip("NumPy's BLAS is no OpenBLAS")
    before = functions[0]()
    try:
        functions[1](2)
        assert functions[0]() == found.threads == 2
        with FEW:
            assert functions[0]() == 1 and found.threads == 2
            found.threads = 3
            assert functions[0]() == 1 and found.threads == 3
        assert functions[0]() == found.threads == 3
    finally:
        functions[1](before)
