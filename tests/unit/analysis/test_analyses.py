"""Activity and liveness on small functions, one for each rule of Python's scopes and jumps."""

import gast
import pytest

from autograph.analysis.activity import Activity, use_of
from autograph.analysis.facts import Facts
from autograph.analysis.liveness import Liveness
from autograph.source.parse import Node, parse


def function(body: str, parameters: str = "a, b") -> Node:
    lines = "".join(f"    {line}\n" for line in body.strip("\n").split("\n"))
    return parse(f"def f({parameters}):\n{lines}").body[0]


@pytest.mark.parametrize(
    ("code", "reads", "binds"),
    [
        ("x = y", "y", "x"),
        ("x += y", "x y", "x"),
        ("x[i] = y", "y x i", ""),
        ("x, *z = y", "y", "x z"),
        ("[x for x in y if z]", "y z", ""),
        ("[(w := x) for x in y]", "y", "w"),
        ("lambda x, d=e: x + y", "e", ""),
        ("import p.q, r as s", "", "p s"),
        ("from p import q as r", "", "r"),
        ("with c as x: pass", "c", "x"),
        ("try: pass\nexcept E as e: pass", "E", "e"),
        ("def g(x=d) -> t: return y", "d t", "g"),
        ("class C(B):\n  x = y\n  def m(self): return z", "B y", "C"),
        ("match s:\n  case {'k': x, **r} if x: pass\n  case C(y=[p, *q]) | (p, q): pass", "s x C", "x r p q"),
        ("x: t = y", "y", "x"),
        ("x: t", "", ""),
        ("del x", "x", ""),
    ],
)
def test_reads_and_binds(code: str, reads: str, binds: str) -> None:
    use = use_of(parse(code).body)
    assert " ".join(use.reads) == reads
    assert " ".join(use.binds) == binds


@pytest.mark.parametrize(
    ("code", "captures", "rebinds"),
    [
        ("lambda x: x + y", "y", ""),
        ("def g():\n  nonlocal x\n  x = y", "y x", "x"),
        ("def g():\n  global x\n  x = y", "y", ""),
        ("def g():\n  def h(): nonlocal x; x = y\n  x = 1", "y", ""),
        ("class C:\n  def m(self): return z", "z", ""),
        ("(x + y for x in z)", "y", ""),
        ("[lambda: x + y for x in z]", "y", ""),
    ],
)
def test_captures(code: str, captures: str, rebinds: str) -> None:
    use = use_of(parse(code).body)
    assert " ".join(use.captures) == captures
    assert " ".join(use.rebinds) == rebinds


@pytest.mark.parametrize(
    ("code", "exposed", "sure"),
    [
        ("x = 1\ny = x", "", "x y"),
        ("if c: x = 1\ny = x", "c x", "y"),
        ("if c: x = 1\nelse: x = 2\ny = x", "c", "x y"),
        ("(n := f()) + n", "f", "n"),
        ("c and (n := f())\nn", "c f n", ""),
        ("{k: (n := 1), n: 2}", "k", "n"),
        ("for x in y: z = x\nz", "y z", ""),
    ],
)
def test_order_of_evaluation(code: str, exposed: str, sure: str) -> None:
    use = use_of(parse(code).body)
    assert " ".join(use.exposed) == exposed
    assert " ".join(use.sure) == sure


def test_scopes_of_a_function() -> None:
    activity = Facts().get(
        Activity,
        function("global g\nx = g\ndef h():\n    nonlocal x\n    x = a\ng = [i for i in b]", "a, *b"),
    )
    assert activity.locals == {"a", "b", "x", "h"}
    assert activity.captured == {"a", "x"}
    assert activity.rebound == {"x"}
    assert activity.globals == {"g"}


def marked(body: str) -> tuple[Liveness, Node]:
    """The analysis of a function and the statement before which `MARK` stands."""
    tree = function(body)
    for node in gast.walk(tree):
        if isinstance(node, gast.Expr) and isinstance(node.value, gast.Name) and node.value.id == "MARK":
            return Facts().get(Liveness, tree), node
    raise AssertionError("no mark")


@pytest.mark.parametrize(
    ("body", "live"),
    [
        ("MARK\nx = a\nreturn x", "a"),
        ("MARK\nif a: x = 1\nreturn x", "a x"),
        ("for i in a:\n    MARK\n    b = b + i\nreturn a", "a b i"),
        ("for i in a:\n    x = i\n    MARK\nreturn x", "x"),
        ("while True:\n    MARK\n    if a: break\n    x = 1\nreturn b", "a b"),
        ("for i in a:\n    if i: continue\n    MARK\n    x = 1\nreturn b", "b"),
        ("try:\n    MARK\n    x = a\n    x = b\nexcept E:\n    return x", "a b x E"),
        ("try:\n    MARK\n    return a\nfinally:\n    print(b)", "a b print"),
        ("try:\n    MARK\n    x = 1\nfinally:\n    print(b)\nreturn x", "b x print"),
        ("try:\n    pass\nexcept E as e:\n    MARK\n    print(e)\nreturn a", "e a print"),
        ("with a:\n    MARK\n    x = 1\nreturn x", "x"),
        ("MARK\nraise a\nreturn b", "a"),
        ("x = 1\nMARK\nf = lambda: x\nreturn 1", "x"),
        ("global x\nMARK\nx = 1", "x"),
        ("MARK\ndel a\na = 1\nreturn a", "a"),
        ("MARK\nmatch a:\n    case [x, y]: return x\nreturn y", "a y"),
        ("MARK\nfor x in a: pass\nelse: return b", "a b"),
    ],
)
def test_live_variables(body: str, live: str) -> None:
    liveness, statement = marked(body)
    assert liveness.after(statement) - {"MARK"} == set(live.split())


def test_a_fact_is_forgotten() -> None:
    tree, facts = function("return a"), Facts()
    first = facts.get(Activity, tree)
    assert facts.get(Activity, tree) is first
    facts.forget()
    assert facts.get(Activity, tree) is not first
