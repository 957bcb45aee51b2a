"""The texts of lists, dictionaries and sets that only the run knows, printed and raised."""

import collections
import contextlib
import io

import pytest

import autograph as ag

Point = collections.namedtuple("Point", "x y")  # noqa: PYI024


def pairs(n):
    xs = []
    for i in range(n):
        xs.append((i, i * 2.5))
    print(xs, f"in {xs}", "%s!" % xs, str(xs))  # noqa: UP031


def structures(n):
    xs, ys, zs, ws = [], [], [], []
    for i in range(n):
        xs.append([i, i + 1])
        ys.append(None if i % 2 else i)
        zs.append({"a": i, "b": (i,)})
        ws.append(Point(i, "odd" if i % 2 else "even"))
    print(xs, ys, zs, ws)
    print([1, *ys, 2], xs + [[5]])


def keys(n):
    d, s, c, o = {}, set(), collections.Counter(), collections.OrderedDict()
    for i in range(n):
        d[i % 3] = i
        s.add(i % 3)
        c[i % 3] += 1
        o[i, 1] = i
    print(d, s, c)
    print(f"{d} and {s}", len(o))


def changed_elements(n):
    rows = []
    for i in range(n):
        rows.append([i])
    row = rows[1]
    row.append(7)
    print(f"{rows}")


def raised(n):
    xs = []
    for i in range(n):
        xs.append((i, 2 * i))
    raise ValueError(f"bad {xs} of {n}")


def printed(f, *args):
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        try:
            f(*args)
        except ValueError as error:
            print(error)
    return text.getvalue()


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("program", [pairs, structures, keys, raised])
def test_texts(program, jit_compile):
    staged = ag.function(program, jit_compile=jit_compile)
    for n in (4, 2):
        assert printed(staged, ag.constant(n)) == printed(program, n)


def test_a_text_of_changed_elements_is_right_or_refused():
    shown = refused = ""
    try:
        shown = printed(ag.function(changed_elements), ag.constant(3))
    except ag.errors.OperatorNotAllowedInGraphError as error:
        refused = error.id
    assert refused in ("shared-list", "characters-of-tensor") or shown == "[[0], [1, 7], [2]]\n"
