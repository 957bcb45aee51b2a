"""Exceptions raised and caught on one path of a staged program, and `for` loops that always break."""

import pytest

import autograph as ag


class Refused(Exception):
    pass


def fail(x):
    raise Refused(f"no {x}")


def caught_on_one_path(x):
    result = x
    if x > 0:
        try:
            fail(x)
        except ValueError:
            result = x + 1
        except Refused:
            result = x + 2
        finally:
            result *= 10
    return result


def returned_after_failing(x):
    if x > 0:
        return x
    try:
        return fail(x)
    except Refused:
        pass
    return x - 1


def caught_in_a_loop(x):
    n = 0
    while x > 0:
        try:
            x -= 1
            fail(x)
        except Refused:
            n += 1
    return n


def raised_from_a_handler(x):
    if x > 0:
        try:
            fail(x)
        except Refused as error:
            raise ValueError(f"again {x}") from error
    return x


def never(x):
    if x > 0:
        assert x is None, f"got {x}"
    return x


@pytest.mark.parametrize("program", [caught_on_one_path, returned_after_failing, caught_in_a_loop])
@pytest.mark.parametrize("x", [-2, 3])
def test_caught_as_in_python(program, x):
    assert int(ag.function(program)(ag.constant(x))) == program(x)


@pytest.mark.parametrize(("program", "kind"), [(raised_from_a_handler, ValueError), (never, AssertionError)])
def test_raised_when_the_path_is_taken(program, kind):
    staged = ag.function(program)
    assert int(staged(ag.constant(-2))) == -2
    with pytest.raises(kind) as error:
        staged(ag.constant(3))
    with pytest.raises(kind) as plain:
        program(3)
    assert str(error.value) == str(plain.value).splitlines()[0]  # pytest adds to what asserts say


def first_item(xs):
    s = 0
    for x in xs:
        s += x
        break
    return s


def first_pair(rows):
    s = 0
    for row in rows:
        for x in row:
            s = s * 10 + x
            break
        else:
            s = -1
    return s


def test_a_loop_that_always_breaks_takes_one_item():
    assert int(ag.function(first_item)(ag.constant([5, 6]))) == 5
    assert int(ag.function(first_item)(ag.zeros([0], ag.int32))) == 0
    assert int(ag.function(first_pair)(ag.constant([[1, 2], [3, 4]]))) == 13
    assert int(ag.function(first_pair)(ag.zeros([2, 0], ag.int32))) == -1


def a_missing_key(x, n):
    table = {"a": 1.0}
    try:
        if x > n:
            return table["b"]
        y = [1.0][0 if x > 0 else 1]
    except KeyError:
        return -1.0
    except IndexError:
        return -2.0
    return y


def a_name_that_is_not_there(x, n):
    try:
        if x > n:
            return missing  # noqa: F821 (this is the point)
    except Exception:
        if n > 0:
            return -1.0
    return 3.0


def none_in_a_loop(x, n):
    try:
        for k in range(n):
            if k > 1:
                x = x + None
    except TypeError:
        return -1.0
    return x


@pytest.mark.parametrize("program", [a_missing_key, a_name_that_is_not_there, none_in_a_loop])
@pytest.mark.parametrize("x", [1.0, 4.0, -6.0])
@pytest.mark.parametrize("n", [-1, 1, 3])
def test_what_fails_while_it_is_traced_is_caught_on_its_path_only(program, x, n):
    assert float(ag.function(program)(ag.constant(x), ag.constant(n))) == program(x, n)
