"""`repr` of staged tensors in texts, and prints of the items of lists that only the run knows."""

import pytest

import autograph as ag


def test_representations_in_texts(capsys):
    @ag.function
    def shown(x, n):
        print(f"{x!r} {n!r} {[x, n]} {(x,)}", "%r" % n, "{!r}".format(x), repr(x), repr([n]))
        for i in range(n):
            print(f"{i!r}{x=}")

    shown(ag.constant(1.5), ag.constant(2))
    shown(ag.constant(2.5), ag.constant(1))
    first = "1.5 2 [1.5, 2] (1.5,) 2 1.5 1.5 [2]\n0x=1.5\n1x=1.5\n"
    assert capsys.readouterr().out == first + "2.5 1 [2.5, 1] (2.5,) 1 2.5 2.5 [1]\n0x=2.5\n"


def test_representations_in_errors():
    @ag.function
    def checked(x):
        if x > 1:
            raise ValueError(f"too large: {x!r}")
        assert x > 0, f"{x!r} of {[x]}"
        return x

    with pytest.raises(ValueError, match=r"^too large: 3\.5$"):
        checked(ag.constant(3.5))
    with pytest.raises(AssertionError, match=r"^-2\.5 of \[-2\.5\]"):
        checked(ag.constant(-2.5))


def test_types_for_who_looks_at_the_trace():
    seen = []

    def look(x):
        seen.append(repr(x))

    ag.function(lambda x: ag.autograph.do_not_convert(look)(x) or x)(ag.constant(1.0))
    assert seen == ["<Tensor staged float32[]>"]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_items_of_lists_printed(capsys, count):
    def listed(n):
        xs = []
        for i in range(n):
            xs.append(i * 2)
        print(*xs)
        print(*xs, sep=", ", end=";\n")
        print("a", *xs, "b", *xs, sep="-")
        print(*xs, "c", *xs)
        print(*xs, *xs, sep="+")
        names = []
        for i in range(n):
            names.append(("x", i))
        print(*names)

    listed(count)
    want = capsys.readouterr().out
    ag.function(listed)(ag.constant(count))
    assert capsys.readouterr().out == want
