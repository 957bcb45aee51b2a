"""The public names are a list that is reviewed, and each one says what it does."""

import inspect
from pathlib import Path
from types import ModuleType

import pytest

from tests.architecture.sources import ROOT

REVIEWED = Path(__file__).with_name("public_names.txt")

pytestmark = pytest.mark.skipif(
    not (ROOT / "autograph" / "__init__.py").exists(), reason="the package does not exist yet"
)


def public_names() -> list[str]:
    """`autograph`'s names and those of its namespaces (`nn.relu`), sorted."""
    import autograph

    names = []
    for name in exported(autograph):
        names.append(name)
        value = getattr(autograph, name)
        if isinstance(value, ModuleType):
            names += [f"{name}.{inner}" for inner in exported(value)]
    return sorted(names)


def exported(module: ModuleType) -> list[str]:
    """Names a module offers: its `__all__`, and all else without an underscore that is not a file of ours."""
    listed = set(getattr(module, "__all__", ()))
    visible = {name for name, value in vars(module).items() if name[0] != "_" and not hasattr(value, "__file__")}
    return sorted(listed | visible)


def resolve(dotted: str) -> object:
    """The object behind a public name."""
    import autograph

    value: object = autograph
    for part in dotted.split("."):
        value = getattr(value, part)
    return value


def test_public_names_are_those_reviewed() -> None:
    reviewed = REVIEWED.read_text("utf-8").split()
    actual = public_names()
    added, gone = sorted(set(actual) - set(reviewed)), sorted(set(reviewed) - set(actual))
    assert not added, f"new public names; review them, then add them to {REVIEWED.name}: {added}"
    assert not gone, f"public names that vanished: {gone}"
    assert reviewed == sorted(reviewed), f"{REVIEWED.name} is not sorted"


def test_public_functions_and_classes_have_docstrings() -> None:
    def needs_one(value: object) -> bool:
        return inspect.isroutine(value) or (inspect.isclass(value) and not issubclass(value, BaseException))

    bare = [name for name in public_names() if needs_one(resolve(name)) and not inspect.getdoc(resolve(name))]
    assert not bare, f"public, and without a docstring: {bare}"


if __name__ == "__main__":  # python -m tests.architecture.test_exports > tests/architecture/public_names.txt
    print("\n".join(public_names()))


def test_public_functions_and_classes_have_examples() -> None:
    def needs_one(value: object) -> bool:
        return inspect.isroutine(value) or (inspect.isclass(value) and not issubclass(value, BaseException))

    named = [(name, resolve(name)) for name in public_names()]
    bare = [name for name, value in named if needs_one(value) and ">>>" not in (inspect.getdoc(value) or "")]
    assert not bare, f"public, and without an example in the docstring (pytest runs it): {bare}"
