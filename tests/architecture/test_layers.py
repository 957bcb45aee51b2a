"""Data flows one way: a folder imports only itself and folders to its left. Function-level imports count."""

import ast
import sys
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.architecture.sources import ROOT, Import, Source, sources

# Left to right; names in one group are siblings that never import each other.
LAYERS: dict[str, list[tuple[str, ...]]] = {
    "autograph": [
        ("errors",), ("source",), ("analysis",), ("convert",), ("load",), ("operators",), ("staging",),
        ("api",), ("cli",),
    ],
    "runtime": [
        ("typesys",), ("ops",), ("ir",), ("tensor",), ("grad", "passes"), ("plan",), ("backends",),
    ],
}
# The folders of these rooms are siblings, too; files beside them are shared.
SIBLING_ROOMS = {"backends"}
# The folders of this room have a direction of their own; files beside them are right of all.
OPERATORS = ("state", "values", "containers", "statements", "functions", "items", "expressions")
# Packages a package may import besides itself.
BELOW = {"autograph": {"runtime"}, "runtime": set()}

CORE = {"numpy", "gast", "astunparse", "optree"}
# Not installed by the core: imported only inside functions, when used.
EXTRAS = {
    "attr", "dask", "jax", "keras", "llvmlite", "matplotlib", "mpi4py", "onnx", "onnxruntime", "rich",
    "scipy", "tensorboard", "tensorflow", "torch",
}
# Imported inside a function to keep `import autograph` fast; any other such import hides a cycle.
HEAVY = EXTRAS | {
    "gast", "astunparse", "optree",
    "argparse", "ast", "asyncio", "concurrent", "copy", "ctypes", "dataclasses", "difflib", "doctest",
    "hashlib", "html", "importlib", "inspect", "json", "linecache", "logging", "pathlib", "pdb", "pickle",
    "platform", "pprint", "random", "shutil", "string", "subprocess", "symtable", "tempfile", "textwrap", "tokenize",
    "traceback", "typing", "uuid", "warnings",
}
# (importing file, imported folder): why it may look up, or look late. Starts empty and is best kept so.
EXCEPTIONS: dict[tuple[str, str], str] = {
    ("runtime/tensor/methods.py", "tensor"): "NumPy's protocols are a table over all of NumPy: loaded at their first call",
}

IMPORTS = [found for source in sources() for found in source.imports()]


def position(package: str, room: str) -> int:
    """Column of a room in its package's line; a file in the package's root is right of everything."""
    for column, rooms in enumerate(LAYERS[package]):
        if room in rooms:
            return column
    return len(LAYERS[package])


def room_of(target: str) -> str:
    """The room an import of our own packages names: `runtime.ops.kinds` is in `ops`."""
    parts = target.split(".")
    known = {room for group in LAYERS[parts[0]] for room in group}
    return parts[1] if len(parts) > 1 and parts[1] in known else ""


def allowed(found: Import) -> bool:
    """The rule itself."""
    importer, target = found.source, found.target
    package = target.split(".", 1)[0]
    if importer.package != package:
        return package in BELOW[importer.package]
    here, there = position(package, importer.room), position(package, room_of(target))
    if importer.room == room_of(target):
        return not crosses_siblings(importer, target)
    return there < here


def crosses_siblings(importer: Source, target: str) -> bool:
    """Whether an import goes from one sibling folder of a room into another."""
    parts = target.split(".")
    if importer.room not in SIBLING_ROOMS or not importer.subroom or len(parts) < 3:
        return False
    names_a_folder = (ROOT / parts[0] / parts[1] / parts[2]).is_dir()
    return names_a_folder and parts[2] != importer.subroom


def test_the_table_knows_every_folder() -> None:
    known = {(package, room) for package, line in LAYERS.items() for group in line for room in group}
    unknown = {(s.package, s.room) for s in sources() if s.room} - known
    assert not unknown, f"folders without a place in the layout: {unknown}"


def test_imports_go_left() -> None:
    ours = [found for found in IMPORTS if found.target.split(".", 1)[0] in LAYERS]
    wrong = [
        str(found)
        for found in ours
        if not allowed(found) and (found.source.name, room_of(found.target)) not in EXCEPTIONS
    ]
    assert not wrong, "imports against the direction of the layout:\n" + "\n".join(wrong)


def test_the_rooms_of_the_operators_import_to_the_left() -> None:
    def order(room: str) -> int:
        return OPERATORS.index(room) if room in OPERATORS else len(OPERATORS)

    folders = {f.name for f in (ROOT / "autograph" / "operators").iterdir() if (f / "__init__.py").exists()}
    assert folders == set(OPERATORS)
    ours = [f for f in IMPORTS if f.source.room == "operators" and f.target.startswith("autograph.operators.")]
    wrong = [str(f) for f in ours if order(f.target.split(".")[2]) > order(f.source.subroom)]
    assert len(ours) > 100
    assert not wrong, "\n".join(wrong)


def test_function_level_imports_are_of_heavy_packages() -> None:
    def hides(found: Import) -> bool:
        top = found.target.split(".", 1)[0]
        if top in HEAVY or not found.source.room:
            return False
        if top not in LAYERS:
            return (found.source.name, top) not in EXCEPTIONS
        # A late step to the left keeps `import autograph` cheap; one inside a room hides a cycle.
        inside = (found.source.package, found.source.room) == (top, room_of(found.target))
        return inside and (found.source.name, room_of(found.target)) not in EXCEPTIONS

    wrong = [str(found) for found in IMPORTS if found.lazy and hides(found)]
    assert not wrong, "function-level imports of what is not heavy:\n" + "\n".join(wrong)


def test_no_module_imports_itself_by_a_detour() -> None:
    modules = {".".join(source.module): source for source in sources()}
    graph: dict[str, set[str]] = {name: set() for name in modules}
    for found in IMPORTS:
        if found.lazy:
            continue  # those for type checkers count: who reads one file of a circle has to read the other
        target = found.target if found.target in modules else found.target.rpartition(".")[0]
        me = ".".join(found.source.module)
        if target in modules and target != me:
            graph[me].add(target)
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_third_parties_are_declared() -> None:
    tops = {(found.target.split(".", 1)[0], str(found)) for found in IMPORTS}
    known = CORE | EXTRAS | set(LAYERS) | set(sys.stdlib_module_names)
    assert not [text for top, text in tops if top not in known]


def test_extras_are_imported_when_used() -> None:
    early = [
        str(found)
        for found in IMPORTS
        if found.target.split(".", 1)[0] in EXTRAS and not found.lazy and not found.typing
    ]
    assert not early, "the core install lacks these; import them inside a function:\n" + "\n".join(early)


@pytest.mark.parametrize("source", sources(), ids=lambda source: source.name)
def test_every_folder_is_a_package_and_every_file_says_what_it_is(source: Source) -> None:
    assert (source.path.parent / "__init__.py").exists(), f"{source.path.parent} has no __init__.py"
    assert ast.get_docstring(source.tree) is not None, f"{source.name} has no docstring"
