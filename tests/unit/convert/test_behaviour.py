"""Functions converted with hooks of Python's own meaning behave as the originals.

PYTEST_DONT_REWRITE: the originals must be Python's own.
"""

import copy
import traceback

import pytest

from autograph.convert.converter import Context, Converter
from autograph.convert.pipeline import PASSES, check_order, convert_source, convert_tree
from autograph.errors.catalogue import PassError
from autograph.load.conversion import convert_function
from autograph.source.parse import parse
from autograph.source.printing import unparse
from tests.unit.convert import plain_hooks

COUNTER = 0


def convert(f, shortcuts=True):
    return convert_function(f, plain_hooks, shortcuts=shortcuts)


def bump(step=1):
    global COUNTER
    COUNTER += step
    return COUNTER


def logic(a, b, c):
    log = []
    note = lambda x: log.append(x) or x
    chains = [note(a) < note(b) < note(c) < 9, a is not b in [b], [x for x in [0 < note(a) < note(c)]]]
    return (
        note(a) and note(b) or note(c),
        not a,
        a is b,
        a in (b, c),
        [a if b else c if a else b],
        chains,
        log,
    )


def walrus(a, b, c):
    if a and (n := b):
        return n, "and"
    elif b and (m := c) and not (k := a):
        return m, k, "elif"
    r = (q := 1) if c else (q := 2)
    out = []
    while a or (b > 0 and (t := b - 1)):
        out.append((a, b, locals().get("t")))
        a, b = 0, b - 1
    return r, q, out, [(z := i) for i in range(2)], z, (a and (w := 3), b)


def items(a, b, c):
    x = [[a, b], [c, 0], [1, 2]]
    i = 0
    i, x[i][0] = 1, 7
    x[i], i = [5, 5], 2
    x[0], x[2] = x[2], x[0]
    d = {}
    for d["k"] in range(3):
        x[0][0] += d["k"]
    *d["rest"], d["last"] = x[1:], x[::2]
    d["z"] = e = x[0][:]
    del x[1][0], x[0][:1]
    return x, d, e, i


def order(a, b, c):
    log = []

    def note(x):
        log.append(x)
        return x

    x = {1: 0, 2: {3: 4}}
    x[note(1)] = note(2)
    x[note(2)][note(3)] += note(5)
    y = z = x[note(6)] = note(7)
    return x, y, z, log


def changing_while_updating(a, b, c):
    class Box:
        total = 1

        def step(self):
            self.total += 10
            return 1

    box, x = Box(), [1]

    def step():
        x[0] += 10
        return 1

    x[0] += step()
    box.total += box.step()
    return x, box.total


def comprehensions(a, b, c):
    pairs = [(a, b), (b, c)]
    fs = [lambda: u for u in range(3)]
    return (
        [u + v for u, v in pairs if u if v],
        {u: w for u, (v, *w) in zip("ab", [(1, 2, 3), (4,)])},
        {u for row in pairs for u in row if u},
        sum(u * v for u, v in pairs),
        [f() for f in fs],
        list(u + w for u in range(3) if u for w in range(u)),
        [[u for u in row] for row in pairs],
    )


def annotated(a, b, c):
    """Doc."""
    x: int = a
    if x:
        y: str
        y = "set"
        z: "nonsense" = y  # noqa: F821
        return z
    only: int  # noqa: F842
    return x


def asserting(a, b, c):
    try:
        assert a, f"a is {a}"
        if b:
            raise ValueError(c) from KeyError(a)
        assert c
    except (AssertionError, ValueError) as e:
        return type(e), e.args, repr(e.__cause__)


def nested(a, b, c):
    class Inner:
        values = [i for i in range(3)]
        default = values[0] if values else None

        def __init__(self, v=[1, 2][0]):
            self.__private = v
            self.__private += 1

        def get(self):
            return self.__private if self.values else super().__repr__()

    @lambda f: f
    def g(x=(1, 2)[0], *args, k=a or 3, **kwargs):
        return x, args, k, kwargs

    return Inner(a).get(), g(), g(*[1, 2], **{"k": 1, "m": 2}), (lambda s: s[0] and s[1])([b, c])


def generating(a, b, c):
    def gen():
        x = (yield a) or b
        yield x if x else c
        yield from [u for u in (a, b)]

    return list(gen())


def globally(a, b, c):
    global COUNTER
    COUNTER = 5
    x = {}
    x[COUNTER] = bump()
    x[bump()] = COUNTER
    return x, a < COUNTER < bump(10)


def shadowing(a, b, c):
    slice = lambda *x: "shadow"
    super = lambda: "mine"
    return [1, 2, 3][1:], slice(1), super()


def matching(a, b, c):
    match [a, b]:
        case [0, x] if x or c:
            return x
        case [int(y), *rest]:
            return y and rest


def loops(a, b, c):
    total, d = 0, {}
    for i, (x, y) in enumerate([(a, b), (b, c), (c, a)]):
        if x > 2:
            d[i] = x and y
            continue
        while b > 0:
            b -= 1
            total += x if b % 2 else y
            if total > 5:
                return total, d, [t for t in range(3) if t in d]
        else:
            total += 10
        if not y:
            break
    else:
        d["done"]: int = total
    try:
        if a:
            e = {}[c]
        elif b and (n := c):
            return n
    except KeyError as key:
        return str(key), total, d
    finally:
        total += 1
    return total, d, i, x


PROGRAMS = [
    loops, logic, walrus, items, order, changing_while_updating, comprehensions, annotated, asserting, nested,
    generating, globally, shadowing, matching,
]  # fmt: skip


def outcome(f, arguments):
    global COUNTER
    COUNTER = 0
    try:
        return f(*copy.deepcopy(arguments))
    except Exception as error:  # noqa: BLE001
        lines = [s.lineno for s in traceback.extract_tb(error.__traceback__) if s.filename == __file__]
        return type(error), str(error), lines[-1]


@pytest.mark.parametrize("arguments", [(0, 0, 0), (1, 2, 3), (0, 3, 1), (2, 0, 1), (1, 0, 0), (0, 0, 5)])
@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("shortcuts", [True, False])
def test_same_as_original(shortcuts, program, arguments) -> None:
    assert outcome(convert(program, shortcuts), arguments) == outcome(program, arguments)


def failing(x):
    y = [
        x[0],
        x["a" if x[0] else "b"],
    ]
    return y


def test_tracebacks_have_the_users_lines() -> None:
    with pytest.raises(TypeError) as raised:
        convert(failing)([1])
    entries = [e for e in traceback.extract_tb(raised.value.__traceback__) if e.name == "failing"]
    assert [e.lineno for e in entries] == [failing.__code__.co_firstlineno + 3]
    assert entries[0].line.strip().startswith('x["a"')


def test_convert_source_reads_only() -> None:
    text = "import nowhere\nif 1:\n  def f(x):\n    return [g(y) for y in x]\n"
    text += "class A:\n  class B:\n    def h(self): pass"
    made = convert_source(text, "some.py")
    assert [name for name, _, _ in made] == ["f", "A.B.h"]
    assert "ag__.list_comp(lambda y: ag__.callee(g)(y), x)" in unparse(made[0][1])
    assert "return [g(y) for y in x]" in unparse(made[0][2])
    with pytest.raises(SyntaxError):
        convert_source("def f(:", "some.py")


def test_order_is_checked() -> None:
    import gast

    class Needy(Converter):
        expects_gone = (gast.Break,)

    with pytest.raises(PassError, match="Needy expects Break to be gone"):
        check_order([Needy])
    check_order(PASSES)


def test_promises_are_checked() -> None:
    import gast

    class Lazy(Converter):
        eliminates = (gast.IfExp,)

    tree = parse("def f(a):\n    return a if a else 1").body[0]
    with pytest.raises(PassError, match="Lazy left a IfExp"):
        convert_tree(tree, Context(tree, "f.py"), [Lazy])


def test_dump_after_each_pass() -> None:
    tree = parse("def f(a):\n    return a if a else 1").body[0]
    seen = []
    convert_tree(tree, Context(tree, "f.py"), dump=lambda name, _: seen.append(name))
    assert seen == [p.__name__ for p in PASSES]
