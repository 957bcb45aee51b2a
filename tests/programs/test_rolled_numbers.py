"""Long Python ranges whose index is used as only a Python number can be, and iterators over them."""

import functools

import numpy as np
import pytest

import autograph as ag
from autograph.errors import catalogue


class Things:
    pass


def by_class(x):
    for i in range(300):
        if isinstance(i, int) and type(i) is int:
            x = x + 1
        match i:
            case 0:
                x = x - 5
            case int():
                x = x + 2
    return x


def by_text(x):
    for i in range(300):
        x = x + len(str(i)) + int(f"{i:03d}"[0])
    return x


def by_name(x):
    things = Things()
    for i in range(300):
        setattr(things, f"a{i}", x + i)
    return things.a299, things.a0


def by_new_key(x):
    table = {}
    for i in range(300):
        table[i] = x * i
    for i in range(300):
        table[f"k{i}"] = x + i
    return table[299], table["k7"], len(table)


def by_key_with_default(x):
    table = {i: i * 2 for i in range(0, 300, 3)}
    seen = set()
    for i in range(300):
        x = x + table.get(i, -1)
        seen.add(i % 7)
    return x, len(seen)


@functools.lru_cache(maxsize=None)
def squared(i):
    return i * i


def by_cache(x):
    for i in range(300):
        x = x + squared(i)
    return x


def backwards(x):
    for i in reversed(range(1000)):
        x = x * 0.5 + i
    return x, i


def counted(x):
    for k, i in enumerate(reversed(range(1000)), 5):
        if k % 2 == 0:
            x = x * 0.5 + k - i
        else:
            x = x + 1
    return x, k, i


def counted_until(x):
    for k, i in enumerate(range(10, 1000), start=2):
        x = x * 1.01 + 0.1
        if x > 50:
            break
    return x, k, i


def counted_until_known(x):
    for k, i in enumerate(range(1000)):
        x = x + i
        if k == 990:
            break
    return x, k, i


def two_loops_over_one(x):
    numbers = iter(range(500))
    for i in numbers:
        x = x + i
        if i == 100:
            break
    n = 0
    for i in numbers:
        n = n + 1
        x = x - i
    return x, n


def two_counts_over_one(x):
    numbers = enumerate(range(500))
    for k, i in numbers:
        x = x + i
        if i == 100:
            break
    for k, i in numbers:
        x = x - i
    return x, k


def advanced_inside(x):
    numbers = iter(range(500))
    for k, i in enumerate(numbers):
        x = x + i
        if k == 200:
            next(numbers)
    return x, k, i


ROLLED = [backwards, counted, counted_until, counted_until_known]
OTHERS = [by_class, by_text, by_name, by_new_key, by_key_with_default, by_cache]
HELD = [two_loops_over_one, two_counts_over_one, advanced_inside]


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("f", [*ROLLED, *OTHERS, *HELD])
def test_is_what_python_computes(f, jit_compile):
    got = ag.function(f, jit_compile=jit_compile)(ag.constant(1.5, ag.float64))
    np.testing.assert_allclose(np.array(got, dtype=float), np.array(f(1.5), dtype=float), rtol=1e-12)


@pytest.mark.parametrize("f", ROLLED[:3])
def test_is_rolled(f):
    graph = ag.function(f).get_concrete_function(ag.constant(1.5, ag.float64)).graph
    assert sum(1 for _ in graph.walk()) < 50


def test_iterators_outside_are_seen_to_go_on():
    numbers = iter(range(300))

    @ag.function
    def f(x):
        for i in numbers:
            x = x + i
        return x

    assert float(f(ag.constant(0.0))) == sum(range(300))
    assert list(numbers) == []


@pytest.mark.parametrize(
    "f",
    [
        lambda x: len(f"{x}"),
        lambda x: 1 if f"{x}" == "1.5" else 2,
        lambda x: {"1.5": 2}.get(str(x), 7),
        lambda x: str(x).count("1"),
        lambda x: ("value " + str(x)).startswith("v"),
        lambda x: len(f"x is {x}"),
        lambda x: "5" in str(x),
        lambda x: [c for c in str(x)],
        lambda x: str(x) > "0",
        lambda x: f"{str(x):>8}",
        lambda x: 1 if f"x is {x}" == "x is 1.5" else 2,
        lambda x: f"x is {x}" != "x is 1.5",
        lambda x: {"x1.5": 2}.get(f"x{x}", 7),
        lambda x: f"x{x}" in {"x1.5": 2},
        lambda x: {f"x{x}", "x1.5"},
        lambda x: "1.5" in f"x{x}",
        lambda x: f"x{x}" in "an x1.5",
        lambda x: f"x{x}".startswith("x1"),
        lambda x: "x-1.5".endswith(str(x)),
        lambda x: "x-1.5".upper().split(f"-{x}"),
        lambda x: "x%s" % x == "x1.5",
        lambda x: "x%s" % f"a{x}" == "xa1.5",
        lambda x: "%5s|" % x,
        lambda x: "%-6s|%8r" % (x, f"a{x}"),
        lambda x: int(f"{x:.0f}") + 1,
        lambda x: float("%s" % x) + 1,
        lambda x: {"x1.5": 2}[f"x{x}"],
        lambda x: "x{}".format(x) == "x1.5",
        lambda x: "".join(["x", f"{x}"]) == "x1.5",
        lambda x: f"x{x}".strip() == "x1.5",
        lambda x: str(f"{str(x)}") == "1.5",
        lambda x: repr(f"x{x}") == "'x1.5'",
        lambda x: 2 * f"x{x}" == "x1.5x1.5",
    ],
)
def test_texts_are_looked_into_when_the_graph_runs(f):
    made = ag.function(f)(ag.constant(1.5))
    assert ag.nest.map_structure(lambda x: x.numpy().item() if isinstance(x, ag.Tensor) else x, made) == f(1.5)


def test_staged_numbers_are_looked_for_in_sets_and_dictionaries_outside():
    seen, prices = {1}, {1: 2}

    @ag.function
    def sold(n):
        seen.add(int(n))
        return prices.pop(int(n), 0)

    assert [int(sold(ag.constant(n))) for n in (1, 3, 1)] == [2, 0, 0]
    assert {int(n) for n in seen} == {1, 3}
    assert prices == {}


def test_texts_still_go_into_prints_and_errors(capsys):
    @ag.function
    def f(x, n):
        label = "x=" + str(x)
        print(f"<{label}>", f"{x:.2f}".strip(), "{} {}".format(x, 1), " ".join([f"{x}", "b"]))
        for i in range(n):
            print("turn", i)
        if x > 1:
            raise ValueError(label)
        return x

    with pytest.raises(ValueError, match="x=1.5"):
        f(ag.constant(1.5), ag.constant(2))
    assert capsys.readouterr().out == "<x=1.5> 1.50 1.5 1 1.5 b\nturn 0\nturn 1\n"


def matched_by_its_text(x):
    match f"a{x}":
        case "a1.5":
            return 1
        case _:
            return 0


def counted_up_to_a_text(x):
    made = ""
    for i in range(3):
        made += f"{i}:{x} "
    return 1 if made == "0:1.5 1:1.5 2:1.5 " else 0


@pytest.mark.parametrize("f", [matched_by_its_text, counted_up_to_a_text])
def test_texts_of_parts_are_compared_when_the_graph_runs(f):
    assert int(ag.function(f)(ag.constant(1.5))) == f(1.5) == 1
    assert int(ag.function(f)(ag.constant(2.5))) == f(2.5) == 0


def test_texts_of_parts_are_shown(capsys):
    @ag.function
    def f(x):
        label = f"x={x}"
        "a".upper()
        print([f"a {x}"], (str(x),), {"k": f"{x}!"}, f"{label!r}", str(label))
        print("%s|%s" % (x, 1), "%s" % label, label % (), "%d" % 3, "%(a)s!" % {"a": x}, "{a}!".format(a=x))
        print(f"{x:.3f}|{x!s}|{1}", f"{f'{x}a'}b", label * 2, ("-" + label).join("12"), f"{3}" == "3", f"n{3}" in {"n3"})
        return x

    f(ag.constant(1.5))
    assert capsys.readouterr().out == (
        "['a 1.5'] ('1.5',) {'k': '1.5!'} 'x=1.5' x=1.5\n"
        "1.5|1 x=1.5 x=1.5 3 1.5! 1.5!\n"
        "1.500|1.5|1 1.5ab x=1.5x=1.5 1-x=1.52 True True\n"
    )


def classes_in_a_staged_range(n):
    count = 0
    for i in range(2, n):
        if isinstance(i, int) and type(i) is int and not isinstance(i, (bool, float)):
            count = count + i
    return count


def truths_of_numbers(n):
    x = ag.stack([n, n - 2, n * 0])
    return any(x), all(x), any(x[:2]), all(x[:2])


def chosen_by_a_truth(n):
    return [10, 20][n > 3], (n, -n)[n > 3], {True: 5, False: 6}[bool(n > 3)]


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("f", [classes_in_a_staged_range, truths_of_numbers, chosen_by_a_truth])
def test_staged_integers(f, jit_compile):
    staged = ag.function(f, jit_compile=jit_compile)
    for n in (0, 2, 3, 7):
        want = [int(e) for e in np.atleast_1d(f(n))]
        assert [int(e) for e in np.atleast_1d(staged(ag.constant(n)))] == want


def test_the_refusals_are_in_the_catalogue():
    assert {"characters-of-tensor", "number-as-key"} <= set(catalogue.REFUSALS)
