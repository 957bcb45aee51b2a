"""Functions of files of all kinds, cells, prompts, archives and texts: staged, or refused by name."""

import doctest
import functools
import importlib
import linecache
import os
import py_compile
import subprocess
import sys
import time
import zipfile

import pytest

import autograph as ag
from autograph.errors.catalogue import SourceUnavailableError

BODY = "import autograph as ag\ndef f(x):\n    if x > 0:\n        return x + 1\n    return -x\n"
DEEP = BODY.replace("x + 1", "x + len([" + ", ".join(["1"] * 2000) + "]) - 1999" + " + 0" * 400)
GENERIC = "type N = int\ndef f[T: (int, float)](x: T) -> T:\n    if x > 0:\n        return x + 1\n    return -x\n"
QUOTES = """def f(x):
    d = {'a': 1}
    s = f"{d["a"]} {f"{d['a']}"}"
    if x > 0:
        return x + len(s) - 2
    return -x
"""
TEXTS = {
    "plain": BODY,
    "crlf": BODY.replace("\n", "\r\n"),
    "tabs": BODY.replace("    ", "\t"),
    "bom": "\ufeff" + BODY,
    "form_feed": BODY.replace("def f", "\x0cdef f"),
    "no_end_of_line": BODY.rstrip(),
    "deep_and_long": DEEP,
    "future": "from __future__ import annotations\n" + BODY.replace("def f(x)", "def f(x: Nobody) -> Nothing"),
    "continued": BODY.replace("x > 0", "x \\\n   > 0"),
    "one_line": "def f(x):\n  if x > 0: y = x; y = y + 1; return y\n  return -x\n",
    "wide_characters": "s = 'äöü€'; g = lambda é: é; f = lambda x: (x + 1 if x > 0 else -x)\n",
    "over_lines": "def h(f):\n    return f\nf = h(lambda x: (\n  x + 1\n  if x > 0\n  else -x),\n)\n",
    "in_a_decorator": "def to(g):\n    return lambda f: g\n@to(lambda x: x + 1 if x > 0 else -x)\ndef f(x):\n    return x\n",
    "in_a_default": "def f(x, g=lambda x: x + 1 if x > 0 else -x, *, h=lambda x: x):\n    return h(g(x))\n",
    "lambda_in_lambda": "f = (lambda k: lambda x: x + k if x > 0 else -x)(1)\n",
    "one_of_two": "if 1:\n    def f(x): return x + 1 if x > 0 else -x\nelse:\n    def f(x): return x\n",
    "replaced": "def f(x): return x + 1 if x > 0 else -x\nkept = f\ndef f(x): return x\nf = kept\n",
}
NEW = {"generic": GENERIC, "quotes_in_quotes": QUOTES} if sys.version_info >= (3, 12) else {}
HARD = '''from __future__ import annotations
import contextlib
class K:
    __p = 1
    def f(self, x: int, *a: int, k: int = 1, **kw: str) -> int:
        "doc"
        def g(y: int) -> int:
            nonlocal x
            x = x + y
            return x
        class Z:
            q = k
            def m(self): return super().__repr__
        with contextlib.suppress(ValueError):
            t = [i for i in range(3) if i] + [f"{k!r:>3}"]
            while len(t) > 2: t.pop()
        g(0)
        h = lambda v, w=1: v + w + self.__p - self.__p - 1
        match k:
            case 1 | 2: pass
            case _: pass
        if x > 0: return h(x) + self.__p
        return -x
f = K().f
'''


def stages(f):
    staged = ag.function(f)
    return int(staged(ag.constant(1))) == 2 and int(staged(ag.constant(-2))) == 2


@pytest.fixture
def load(tmp_path, monkeypatch, request):
    """Write a module with a name of its own, and import it."""
    monkeypatch.syspath_prepend(str(tmp_path))
    made = []

    def load(text):
        name = f"made_for_{request.node.name.translate({ord(c): '_' for c in '[]-. '})}_{len(made)}"
        made.append(name)
        data = text if isinstance(text, bytes) else text.encode()
        (tmp_path / f"{name}.py").write_bytes(data)
        importlib.invalidate_caches()
        return importlib.import_module(name)

    yield load
    for name in made:
        sys.modules.pop(name, None)


def rewrite(module, text):
    """Change a module's file after its import."""
    with open(module.__file__, "w") as file:
        file.write(text)
    later = time.time() + 50
    os.utime(module.__file__, (later, later))


@pytest.mark.parametrize("text", [*TEXTS.values(), *NEW.values()], ids=[*TEXTS, *NEW])
def test_files(load, text):
    assert stages(load(text).f)


def test_a_file_with_an_encoding_of_its_own(load):
    text = "# -*- coding: latin-1 -*-\n" + BODY.replace("x + 1", "x + len('\xe9')")
    assert stages(load(text.encode("latin-1")).f)


def test_several_lambdas_of_a_line(load):
    module = load("a, b = [lambda x: x + 1 if x > 0 else x, lambda x: x + 2 if x > 0 else x]; c = lambda x: x - 1\n")
    assert [int(ag.function(f)(ag.constant(1))) for f in (module.a, module.b, module.c)] == [2, 3, 0]


@pytest.mark.parametrize("name", ["<ipython-input-3-0123456789ab>", "/tmp/ipykernel_12/345.py", "<python-input-7>"])
def test_cells_and_prompts_that_linecache_knows(name):
    linecache.cache[name] = (len(BODY), None, BODY.splitlines(True), name)
    space = {}
    exec(compile(BODY, name, "exec"), space)
    assert stages(space["f"])


@pytest.mark.parametrize("where", ["exec", "pyc", "gone"])
def test_what_has_no_text_is_refused_by_name(load, where):
    if where == "exec":
        f = {}
        exec(BODY, f)
        f = f["f"]
    elif where == "gone":
        module = load(BODY)
        os.remove(module.__file__)
        f = module.f
    else:
        module = load(BODY)
        compiled = module.__file__ + "c"
        py_compile.compile(module.__file__, cfile=compiled)
        os.remove(module.__file__)
        spec = importlib.util.spec_from_file_location("only_compiled", compiled)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        f = module.f
    linecache.checkcache()
    with pytest.raises(SourceUnavailableError, match=r"the source of 'f' is not available"):
        stages(f)


def test_archives(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "some.zip", "w") as archive:
        archive.writestr("made_in_a_zip.py", BODY)
    monkeypatch.syspath_prepend(str(tmp_path / "some.zip"))
    assert stages(importlib.import_module("made_in_a_zip").f)


def test_doctests(load):
    example = BODY.splitlines()
    shown = "\n".join("    " + (">>> " if not line.startswith(" ") else "... ") + line for line in example[1:])
    tail = "\n    >>> int(ag.function(f)(ag.constant(1)))\n    2\n"
    module = load(f'def g():\n    """\n    >>> import autograph as ag\n{shown}{tail}    """\n')
    assert doctest.testmod(module) == (0, 3)


def test_wrapped_and_partial():
    def quiet(f):
        @functools.wraps(f)
        def call(*args, **kwargs):
            return f(*args, **kwargs)

        return call

    @quiet
    @quiet
    def f(x, k):
        if x > 0:
            return x + k
        return -x

    assert stages(functools.partial(functools.partial(f), k=1))


@pytest.mark.parametrize("new", [BODY.replace("x + 1", "x + 900"), BODY.replace("x + 1", "x - 1"), "\n\n" + BODY])
def test_a_file_that_has_changed_since_is_not_taken_for_the_old_one(load, new):
    module = load(BODY)
    rewrite(module, new)
    with pytest.raises(SourceUnavailableError, match="has the file changed since it was imported"):
        stages(module.f)
    importlib.reload(module)
    assert int(ag.function(module.f)(ag.constant(1))) == (901 if "900" in new else 0 if "x - 1" in new else 2)


@pytest.mark.parametrize("text", [HARD, *NEW.values()], ids=["hard", *NEW])
def test_a_file_that_was_only_touched_is_the_same(load, text):
    module = load(text)
    rewrite(module, text)
    assert stages(module.f)


@pytest.mark.parametrize("arguments", [["-c", "{}"], ["-"]], ids=["command", "standard_input"])
def test_commands(arguments):
    program = BODY + "print(int(ag.function(f)(ag.constant(1))))\n"
    done = subprocess.run(
        [sys.executable, *(a.format(program) for a in arguments)], input=program, capture_output=True, text=True, timeout=100
    )
    if sys.version_info >= (3, 13) and arguments[0] == "-c":
        assert done.stdout == "2\n", done.stderr
    else:
        assert done.stdout == "2\n" or "the source of 'f' is not available" in done.stderr
