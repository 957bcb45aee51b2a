"""Every refusal goes through the catalogue, and every entry of it is used and has a section in the documentation."""

import ast
import pathlib
import re

import pytest

from autograph.errors import catalogue, refusals
from autograph.errors.catalogue import REFUSALS, WARNINGS
from runtime.typesys import errors as runtime_errors

ROOT = pathlib.Path(__file__).parents[3]
ROOMS = ("operators", "staging", "convert", "load", "source")
TYPES = {"OperatorNotAllowedInGraphError", "UnimplementedError", "InvalidArgumentError", "FailedPreconditionError"}
FILES = sorted(path for room in ROOMS for path in (ROOT / "autograph" / room).rglob("*.py"))
WITHOUT_EXAMPLE = {
    "ambiguous-lambda",  # needs a Python without columns
    "internal-pass",  # a bug of ours
    "needs-scipy",  # it is installed where the examples run
    "no-native-code",  # needs a machine without a BLAS library
}
API = sorted((ROOT / "autograph" / "api").rglob("*.py"))  # what its functions say of a wrong argument is their own
RUNTIME = sorted((ROOT / "runtime").rglob("*.py"))


def calls(path: pathlib.Path) -> list[tuple[str, ast.Call]]:
    """(name, call) of the calls of plain names in a file."""
    nodes = ast.walk(ast.parse(path.read_text("utf-8")))
    return [(n.func.id, n) for n in nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)]


def ids_in_use() -> set[str]:
    """The ids that the two packages raise."""
    used = set()
    for path in (*FILES, *API, *RUNTIME):
        for name, call in calls(path):
            if name == "refusal":
                assert isinstance(call.args[0], ast.Constant), f"{path}:{call.lineno}: give the id as a literal"
                used.add(call.args[0].value)
            used |= {k.value.value for k in call.keywords if k.arg == "id" and isinstance(k.value, ast.Constant)}
    for path in RUNTIME:  # there, an id may be the default of a parameter
        strings = (n.value for n in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(n, ast.Constant))
        used |= {value for value in strings if isinstance(value, str) and value in REFUSALS}
    return used


def other_ids() -> set[str]:
    """Ids of the errors that have classes of their own."""
    classes = [c for c in vars(catalogue).values() if isinstance(c, type) and issubclass(c, catalogue.AutographError)]
    return {c.id for c in classes} - {"autograph"}


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_refusals_go_through_the_catalogue(path: pathlib.Path) -> None:
    direct = [f"{path.name}:{call.lineno}: {name}" for name, call in calls(path) if name in TYPES]
    assert not direct, f'say `raise refusal("some-id", ...)` and put the words into the catalogue: {direct}'


@pytest.mark.parametrize("path", API, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_what_the_api_does_not_do_goes_through_it_too(path: pathlib.Path) -> None:
    direct = [f"{path.name}:{call.lineno}" for name, call in calls(path) if name == "UnimplementedError"]
    assert not direct, f'say `raise refusal("some-id", ...)` and put the words into the catalogue: {direct}'


def test_ids_are_known_and_used() -> None:
    assert ids_in_use() - other_ids() == set(REFUSALS)


@pytest.mark.parametrize("id", sorted(REFUSALS))
def test_an_entry_is_complete(id: str) -> None:
    entry = REFUSALS[id]
    assert issubclass(getattr(runtime_errors, entry.error), runtime_errors.OpError)
    assert "\n" not in entry.sentence
    assert not entry.sentence.endswith(".")
    assert entry.hint
    fields = dict.fromkeys(re.findall(r"{(\w+)}", entry.sentence), "it")
    error = refusals.refusal(id, **fields)
    assert isinstance(error, getattr(runtime_errors, entry.error))
    assert str(error) == f"{entry.sentence.format(**fields)} [{id}]\nInstead: {entry.hint}"


def test_every_id_has_a_section() -> None:
    page = (ROOT / "docs" / "refusals.md").read_text("utf-8")
    sections = re.findall(r"^### `([\w-]+)`", page, re.MULTILINE)
    assert sorted(sections) == sorted({*REFUSALS, *other_ids()})


def test_each_section_fails_with_its_own_id() -> None:
    page = (ROOT / "docs" / "refusals.md").read_text("utf-8")
    for section in re.split(r"^### ", page, flags=re.MULTILINE)[1:]:
        id = section.split("`")[1]
        shown = re.findall(r"<!-- fails: \[([\w-]+)\] -->", section)
        assert shown == [id] or id in WITHOUT_EXAMPLE, id


def test_warnings_are_used_and_have_sections() -> None:
    page = (ROOT / "docs" / "refusals.md").read_text("utf-8")
    assert sorted(re.findall(r"^#### `([\w-]+)`", page, re.MULTILINE)) == sorted(WARNINGS)
    text = "".join(path.read_text("utf-8") for path in FILES)
    assert [id for id in WARNINGS if f'"{id}"' not in text] == []
