"""An exception that is raised again after others have been caught is the one that its handler caught, not the last one."""

import collections
import contextlib
import types

import pytest

import autograph as ag
from tests.programs.harness import Programs

PROGRAMS = Programs()
FOUR = [([1.0, 2.0, 3.0], k) for k in (1, 3, 4, 0)]


class Bad(Exception):
    def __init__(self, value):
        super().__init__("bad")
        self.value = value


@PROGRAMS.add(*FOUR)
def finally_that_tries(v, k):
    try:
        if k > 2:
            raise KeyError("a")
    finally:
        try:
            if k % 3 == 0:
                raise ValueError("low")
        except ValueError:
            pass
    return k


@PROGRAMS.add(*FOUR)
def item_before_a_finally_that_tries(v, k):
    try:
        with contextlib.suppress(ValueError):
            try:
                x = v[k]
            finally:
                try:
                    if k % 3 == 0:
                        raise ValueError("low")
                except ValueError:
                    pass
    except IndexError as error:
        return str(error), 0.0
    return "none", x


@PROGRAMS.add(*FOUR)
def handler_that_tries(v, k):
    try:
        try:
            if k > 2:
                raise Bad(v[0] * k)
        except Bad:
            try:
                v[k]
            except IndexError:
                k += 1
            raise
    except Bad as bad:
        return bad.value + k
    return k * 1.0


@PROGRAMS.add(*FOUR)
def handlers_in_loops(v, k):
    try:
        for q in v:
            try:
                if q > k:
                    raise Bad(q)
            except Bad as bad:
                for r in v:
                    try:
                        if r > q * 0.5:
                            raise Bad(r)
                    except Bad:
                        k += 1
                raise bad
    except Bad as bad:
        return bad.value + k
    return k * 1.0


@PROGRAMS.add(*FOUR)
def kept_for_later(v, k):
    saved = None
    try:
        v[k]
    except IndexError as error:
        saved = error
    try:
        if k > 3:
            raise KeyError(k)
    except KeyError:
        k += 1
    if saved is not None:
        raise saved
    return k


@PROGRAMS.add(*FOUR)
def recursion_in_a_handler(v, k):
    def descend(depth):
        try:
            if depth < k:
                raise Bad(depth)
        except Bad:
            if depth + 1 < 6:
                try:
                    descend(depth + 1)
                except Bad:
                    pass
            raise
        return 1

    try:
        return descend(0)
    except Bad as bad:
        return bad.value


test_eager, test_staged, _ = PROGRAMS.tests()
test_natively = PROGRAMS.natively()


@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_cause_is_the_one_that_was_caught(jit_compile):
    @ag.function(jit_compile=jit_compile)
    def program(v, k):
        try:
            return v[k]
        except IndexError as error:
            try:
                if k % 2 == 1:
                    raise ValueError("odd")
            except ValueError:
                pass
            raise RuntimeError("again") from error

    with pytest.raises(RuntimeError) as caught:
        program(ag.constant([1.0, 2.0]), ag.constant(3))
    assert isinstance(caught.value.__cause__, IndexError)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_what_python_shows_holds_values(jit_compile, capsys):
    def program(x, k):
        try:
            if k > 2:
                raise LookupError("at", k, x)
        except LookupError as error:
            print("caught", error, [error])
            return str(error), repr(error)
        window = collections.deque([k, k + 1], maxlen=3)
        print(window, types.SimpleNamespace(k=k), f"{ValueError(k, x)!r}")
        return "none", str(window)

    staged = ag.function(program, jit_compile=jit_compile)
    for k in (1, 3):
        want = program(2.5, k), capsys.readouterr().out
        got = staged(ag.constant(2.5), ag.constant(k))
        texts = tuple(text.numpy() if isinstance(text, ag.Tensor) else text for text in got)
        assert (texts, capsys.readouterr().out) == want
