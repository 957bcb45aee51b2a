"""Names that no turn of a loop or no branch has bound, written into dictionaries and attributes: reading them raises, as in
Python. (An item that is set on some paths only is another thing: its key is not there.)"""

import types

from tests.programs.harness import Programs

PROGRAMS = Programs()
CASES = (0, 1.5), (3, 1.5)


@PROGRAMS.add(*CASES)
def written_out(n, x):
    for j in range(n):
        last = x * j
    return {"n": n, "last": last}


@PROGRAMS.add(*CASES)
def within_another(n, x):
    if n > 2:
        y = x * 2
    return [{"y": {"z": y}}, n]


@PROGRAMS.add(*CASES)
def set_as_an_item(n, x):
    if n > 2:
        y = "large"
    d = {}
    d["y"] = y
    if x > 0:
        d["z"] = x
    return len(d), d


@PROGRAMS.add(*CASES)
def by_methods(n, x):
    if n > 2:
        y = x * 2
    d = {"x": x}
    d.update(y=y)
    d.setdefault("z", y)
    return d


@PROGRAMS.add(*CASES)
def asked_for_its_length(n, x):
    if n > 2:
        y = x
    return len({"y": y}), x


@PROGRAMS.add(*CASES)
def set_as_an_attribute(n, x):
    if n > 2:
        y = x * 2
    o = types.SimpleNamespace(x=x)
    o.y = y
    return hasattr(o, "y"), o.x


@PROGRAMS.add(*CASES)
def chosen(n, x):
    if n > 2:
        y = x * 2
    return {"y": x if n == 1 else y}


@PROGRAMS.add(*CASES)
def caught(n, x):
    if n > 2:
        y = x * 2
    try:
        d = {"x": x}
        d["y"] = y
    except NameError:
        d = {"x": -x}
    return d


@PROGRAMS.add(*CASES)
def item_of_some_paths(n, x):
    d = {"n": n}
    if n > 2:
        d["y"] = x
    e = {"y": -x}
    e.update(d)
    return d, len(d), e


@PROGRAMS.add(*CASES, (-1, 1.5))
def written_after_a_return(n, x):
    if n < 0:
        return n, x
    if n > 2:
        y = x * 2
    return {"y": y, "x": x}


@PROGRAMS.add(*CASES, (-1, 1.5))
def left_by_a_branch(n, x):
    rows = []
    if n >= 0:
        for j in range(n):
            y = x * j
        rows.append({"y": y, "x": x})
    return rows


test_eager, test_staged, test_gradients = PROGRAMS.tests()
test_natively = PROGRAMS.natively()
