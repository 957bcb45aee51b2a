"""Texts with tensors in them as values of the graph: chosen, grown in loops, looked into, kept, returned, caught."""

import contextlib
import io

import numpy as np
import pytest

import autograph as ag
from tests.programs.harness import Programs

PROGRAMS = Programs()
XS = np.array([3, 1, 3, 3, 2, 2])
YS = np.array([5, 5, 5, 5, 5, 7])


@PROGRAMS.add(3, -3, 0)
def chosen(n):
    if n > 0:
        text = f"positive {n}"
    elif n < 0:
        text = f"negative {-n}"
    else:
        text = "zero"
    print(text)
    print("so:", text, f"[{text:>12}]", text + "!", repr(text))
    return text


@PROGRAMS.add(np.array([1, 3, -2, 0]), np.array([0, 2, 5, -1]))
def as_often_as_the_run_says(xs):
    lines = []
    for x in xs:
        bar = "#" * x
        lines.append(f"{x:>3} |{bar:<5}|" if x > 0 else (3 - x) * "-")
    print(" " * xs[1] + "x", len("ab" * xs[0]))
    return "\n".join(lines), "=" * (xs[0] + 1) + "|"


class Told:
    """Says what depends on its number."""

    def __init__(self, x):
        self.x = x

    def __str__(self):
        return "low" if self.x < 1 else "high"

    def __repr__(self):
        return f"Told({self.x})" if self.x < 1 else "Told(big)"

    def __format__(self, spec):
        return "f" + (spec or "none") + ("-" if self.x < 0 else "+")


@PROGRAMS.add(0, 3, -1)
def told_by_methods_that_test(x):
    p, q = Told(x), Told(x - 1)
    print(p, [q], repr(p), str(q))
    return f"{p} {q!r} {p!s:>6} {q:abc}" + str(p), "{} {!r}".format(p, q), "%s" % p


def size_of(x):
    if x > 10:
        return f"large {x:.2f}"
    return "small"


@PROGRAMS.add(30.5, 3.25)
def returned(x):
    text = size_of(x)
    print(text)
    return {"text": text, "x": x, "more": [f"x={x:.1f}", text]}


@PROGRAMS.add(3, 5, 0)
def grown(n):
    text, back = "", "|"
    for i in range(n):
        text += f"{i},"
        back = str(i) + back
    print(text)
    return text, back, text[::-1], text.split(","), text.strip(","), len(text)


@PROGRAMS.add(3, 5, 0)
def collected(n):
    lines = []
    for i in range(n):
        lines.append(f"line {i}: {i * i}")
    print("\n".join(lines))
    print(lines)
    return len(lines), lines


@PROGRAMS.add(3, 5, 0)
def last(n):
    text = None
    for i in range(n):
        text = f"step {i}"
        if i == 3:
            text = "three"
            break
    print(text)
    return text


@PROGRAMS.add(12, 4, 0)
def binary(n):
    digits = ""
    while n > 0:
        digits = str(n % 2) + digits
        n = n // 2
    return digits or "0"


@PROGRAMS.add(1994, 4, 0)
def roman(n):
    out = ""
    for value, letters in [(1000, "M"), (900, "CM"), (100, "C"), (90, "XC"), (10, "X"), (9, "IX"), (5, "V"), (1, "I")]:
        while n >= value:
            out += letters
            n -= value
    return out


@PROGRAMS.add(XS, YS)
def run_lengths(xs):
    out, i = "", 0
    while i < len(xs):
        j = i
        while j < len(xs) and xs[j] == xs[i]:
            j += 1
        out += f"{xs[i]}x{j - i} "
        i = j
    return out.strip(), out.split(), out.count("x")


@PROGRAMS.add(3, 25)
def caesar(k):
    out = ""
    for ch in "Hello, World":
        if ch.isalpha():
            base = ord("A") if ch.isupper() else ord("a")
            out += chr((ord(ch) - base + k) % 26 + base)
        else:
            out += ch
    return out, out.lower(), out[1], len(out), out.upper() == out


@PROGRAMS.add(121, 123, 7)
def palindrome(n):
    s = str(n)
    if s == s[::-1]:
        return "palindrome " + s
    total = 0
    for ch in s:
        total += int(ch)
    return total, int(s[0]) * 2, s.zfill(6), s > "12", s in "91234", s.startswith("12"), "2" in s


@PROGRAMS.add(XS, YS)
def keys(xs):
    counts, named = {}, {}
    for i, x in enumerate(xs):
        key = "even" if x % 2 == 0 else f"odd{x}"
        counts[key] = counts.get(key, 0) + 1
        named[f"k{i}"] = x
    return len(counts), counts[f"odd{xs[0]}"], named["k1"], "k9" in named


@PROGRAMS.add(3, -2, 0)
def raised(n):
    text = f"bad value {n}" if n <= 0 else "fine"
    if n < 0:
        raise ValueError(text)
    return text


@PROGRAMS.add(3, -2, 0)
def caught(n):
    try:
        if n < 0:
            raise ValueError(f"negative: {n}")
        out = f"good: {n}"
    except ValueError as e:
        out = f"caught {e}"
        print(repr(e))
    print(out)
    return out


class Log:
    def __init__(self):
        self.lines, self.last = [], ""

    def write(self, line):
        self.lines.append(line)
        self.last = line


@PROGRAMS.add(3, 5, 0)
def logged(n):
    log = Log()
    for i in range(n):
        if i % 2 == 0:
            log.write(f"even {i}")
        else:
            log.write("odd")
    print(log.last, len(log.lines))
    return log.lines, log.last


test_eager, test_staged, _ = PROGRAMS.tests()


def plain(x):
    return x.numpy().tolist() if isinstance(x, ag.Tensor) else x.item() if isinstance(x, np.generic) else x


@pytest.mark.parametrize("name", PROGRAMS.table)
def test_native(name):
    program = PROGRAMS.table[name]
    staged = ag.function(program.function, jit_compile=True)
    for (case,) in program.cases:
        outcomes = []
        for f, argument in ((program.function, case), (staged, ag.constant(case))):
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                try:
                    result = str(ag.nest.map_structure(plain, f(argument)))
                except ValueError as error:
                    result = str(error)
            outcomes.append((result, printed.getvalue()))
        assert outcomes[1] == outcomes[0]


def test_an_attribute_of_an_object_outside():
    log = Log()

    @ag.function
    def step(n):
        log.last = f"step {n}" if n > 0 else "none"
        return n

    step(ag.constant(3))
    assert log.last == "step 3"
    step(ag.constant(4))
    assert log.last == "step 4"
    step(ag.constant(-1))
    assert log.last == "none"


def test_containers_that_hold_themselves():
    @ag.function
    def f(n):
        items = [1]
        items.append(items)
        print(items, repr({"a": items}), [n, "x"])
        return n

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        f(ag.constant(3))
    assert printed.getvalue() == "[1, [...]] {'a': [1, [...]]} [3, 'x']\n"


class Weighed:
    def __init__(self, weight):
        self.weight = weight

    def __repr__(self):
        return f"{type(self).__name__}({self.weight})"


class Boxed(Weighed):
    pass


@pytest.mark.parametrize("jit", [False, True])
def test_what_objects_say_of_themselves(jit):
    def program(n):
        one = Weighed(n)
        either = Weighed(n) if n > 0 else Boxed(n * 2)
        said = str(one) if n > 0 else "none"
        print(said, either, f"{either}", str(either), repr(one) + "!")
        names, found = ["zero", "one", "two", "three"], []
        while n > 0:
            found.append(names[n % 4])
            n //= 2
        return said, repr(one), " ".join(found)

    for n in (2, -3, 7):
        outcomes = []
        for f, argument in ((program, n), (ag.function(program, jit_compile=jit), ag.constant(n))):
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                outcomes.append((f(argument), printed.getvalue()))
        assert outcomes[1] == outcomes[0]


@pytest.mark.parametrize("jit", [False, True])
def test_what_chosen_objects_say(jit):
    def program(xs, i):
        boxes = [Weighed(x) for x in xs]
        largest = boxes[0]
        for box in boxes:
            if box.weight > largest.weight:
                largest = box
        print(largest, f"{largest} {boxes[i]!r}", max(boxes, key=lambda box: box.weight), boxes)
        return str(boxes[i]), largest.weight

    for xs, i in (([3, 1, 2], 1), ([1, 4, 2], 2)):
        outcomes = []
        staged = ag.function(program, jit_compile=jit)
        for f, a, b in ((program, xs, i), (staged, ag.constant(xs), ag.constant(i))):
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                outcomes.append((f(a, b), printed.getvalue()))
        assert outcomes[1] == outcomes[0]
