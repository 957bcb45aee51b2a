"""Context managers see what fails when the graph runs: their `__exit__` runs after it, and may take it back."""

import contextlib

import numpy as np

from tests.programs.harness import Programs

PROGRAMS = Programs()


class Counting:
    """Swallows exceptions of some classes, and keeps account."""

    def __init__(self, *kinds):
        self.kinds = kinds
        self.entered = 0
        self.swallowed = 0
        self.failed = 0

    def __enter__(self):
        self.entered += 1
        return self

    def __exit__(self, kind, value, traceback):
        if kind is None:
            return False
        self.failed += 1
        if issubclass(kind, self.kinds):
            self.swallowed += 1
            return True
        return False


@PROGRAMS.add((2.0, 5.0), (7.0, 5.0))
def an_object_swallows(x, limit):
    seen = Counting(ValueError)
    y = x * 3.0
    with seen:
        y = x * 2.0
        if x > limit:
            raise ValueError("over")
        y = x * x
    return y, seen.entered, seen.swallowed


@PROGRAMS.add((np.array([1, 2, 3]), 1), (np.array([1, 2, 3]), 9), (np.array([1, 2, 3]), -7))
def by_the_class_of_an_index(xs, i):
    seen = Counting(KeyError, IndexError)
    out = -1
    with seen:
        out = xs[i] * 10
    return out, seen.swallowed


@PROGRAMS.add((3,), (-3,), (0,))
def passes_what_it_does_not_know(n):
    seen = Counting(KeyError)
    try:
        with seen as s:
            s.entered += 10
            if n < 0:
                raise KeyError(n)
            if n == 0:
                raise ValueError("zero")
    except ValueError as e:
        return str(e), seen.entered, seen.failed, seen.swallowed
    return "", seen.entered, seen.failed, seen.swallowed


class Transaction:
    """Puts back what was there before a failure, which goes on."""

    def __init__(self, account):
        self.account = account

    def __enter__(self):
        self.before = self.account["balance"]

    def __exit__(self, kind, value, traceback):
        if kind is not None:
            self.account["balance"] = self.before


@PROGRAMS.add((5.0, 3.0), (5.0, 30.0))
def puts_back(balance, amount):
    account = {"balance": balance}
    for part in (0.5, 1.0):
        try:
            with Transaction(account):
                account["balance"] -= amount * part
                if account["balance"] < 0.0:
                    raise RuntimeError("overdrawn")
        except RuntimeError:
            account["balance"] += 0.25
    return account["balance"]


class Telling:
    def __init__(self, name):
        self.name = name

    def __enter__(self):
        print("enter", self.name)
        return len(self.name)

    def __exit__(self, kind, value, traceback):
        print("leave", self.name, kind is None)


@PROGRAMS.add((3,), (-3,), (0,), (9,))
def jumps_out_of_bodies(n):
    total = 0
    for i in range(4):
        with Telling("a") as one, Counting(ValueError) as seen, Telling("bcd") as three:
            if n == i:
                continue
            if n < i:
                raise ValueError(i)
            if n > 8:
                break
            total += one * three + i
        total += 100 * seen.swallowed
    return total


@PROGRAMS.add((3,), (-3,), (0,))
def returns_out_of_bodies(n):
    with Counting(ValueError):
        if n < 0:
            raise ValueError("negative")
        with Telling("inner"):
            if n == 0:
                return -1
            n = n * 2
        return n
    return 100


@contextlib.contextmanager
def caught(log, *kinds):
    print("begin")
    log.append(1)
    try:
        yield len(kinds)
    except kinds as e:
        print("caught", e)
        log.append(2)
    else:
        log.append(3)
    finally:
        print("end")


@PROGRAMS.add((2.0,), (7.0,))
def a_generator_catches(x):
    log = []
    y = x
    with caught(log, KeyError, ValueError) as count:
        y = x * count
        if x > 5.0:
            raise ValueError(f"big {x}")
        y = y * x
    return y, sum(log)


@PROGRAMS.add((np.array([4, 5]), 1), (np.array([4, 5]), 2))
def a_generator_passes_it_on(xs, i):
    log = []
    try:
        with caught(log, ValueError):
            y = xs[i]
    except IndexError:
        y = -1
    return y, log


@contextlib.contextmanager
def translated():
    try:
        yield
    except IndexError as e:
        raise LookupError("translated") from e


@PROGRAMS.add((np.array([4, 5]), 1), (np.array([4, 5]), 2))
def a_generator_raises_another(xs, i):
    with contextlib.suppress(LookupError), translated():
        return xs[i]
    return -1


@PROGRAMS.add((np.array([4, 5]), 1), (np.array([4, 5]), 2))
def suppresses_by_a_name(xs, i):
    kinds = (KeyError, IndexError)
    quiet = contextlib.suppress(*kinds)
    total = 0
    for k in range(3):
        with quiet:
            total += xs[i - k]
            total += 10
    return total


@PROGRAMS.add((np.array([1.0, -2.0, 3.0]),), (np.array([-1.0, -2.0]),), traces=2)
def in_a_staged_loop(xs):
    seen = Counting(ArithmeticError)
    total = 0.0
    for x in xs:
        with seen:
            if x < 0.0:
                raise ArithmeticError
            total += x * x
    return total, seen.swallowed


class Gate:
    """Whether it swallows depends on a tensor."""

    def __init__(self, is_open):
        self.is_open = is_open

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return self.is_open > 0


@PROGRAMS.add((1, 5), (0, 5), (0, -5), (1, -5))
def by_a_tensor(is_open, n):
    out = 7
    try:
        with Gate(is_open):
            if n < 0:
                raise ValueError("n")
            out = n
    except ValueError:
        out = -7
    return out


@PROGRAMS.add((np.array([4, 5]), 1), (np.array([4, 5]), 2))
def classes_of_what_was_caught(xs, i):
    try:
        y = xs[i]
    except LookupError as e:
        print(type(e).__name__ in ("IndexError", "OutOfRangeError"), isinstance(e, IndexError), isinstance(e, KeyError))
        y = -1
    return y


@PROGRAMS.add((1,), (5,))
def a_stack_calls(n):
    def tell(x, limit):
        if x > limit:
            print("over", x)
        else:
            print("under", x)

    with contextlib.ExitStack() as stack:
        stack.callback(tell, n, limit=3)
        stack.callback(print, "second", n)
        print("body")
        n = n * 2
    return n


test_eager, test_staged, test_gradients = PROGRAMS.tests()
