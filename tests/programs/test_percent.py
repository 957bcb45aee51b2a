"""Texts by `%` with staged numbers, and dictionaries read by a key that is another on some paths."""

from tests.programs.harness import Programs

PROGRAMS = Programs()


@PROGRAMS.add((7, 2.5), (-3, 0.125))
def printed(n, x):
    print("%d items, %s" % (n, "ten"), "%d" % n, "%i|%5d|%-4d|%+d|%03d|%x|%%" % (n, n, n, n, n, abs(n)))
    print("%.2f %8.3e %g %d %5.1f%%" % (x, x, x, x * 10, n / 2), "%(a)s %(b)04d %(c).1f" % {"a": 1, "b": n, "c": x})
    print("%s and %d" % ("no", 3), "%5s" % "a")
    return n


@PROGRAMS.add(1, 7)
def raised(n):
    if n > 5:
        raise ValueError("got %d of %s, not %05.1f" % (n, "many", n / 2))
    assert n < 3, "n is %d" % n
    return n


@PROGRAMS.add(1, 4, 8)
def by_kind(n):
    kind = "small" if n < 4 else "medium" if n < 6 else "large"
    if kind == "small":
        return 1
    return {"medium": 2, "large": 3}[kind]


@PROGRAMS.add(1, 4)
def without_the_key(n):
    kind = "small" if n < 4 else "medium"
    try:
        return {"medium": n}[kind]
    except KeyError:
        return -1


test_eager, test_staged, _ = PROGRAMS.tests()
