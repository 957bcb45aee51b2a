"""What the architecture tests read: source files, their room in the layout, and what they import."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("autograph", "runtime")


@dataclass(frozen=True)
class Source:
    """One Python file of a package."""

    path: Path

    @property
    def name(self) -> str:
        """Path from the top of the repository."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def package(self) -> str:
        """`autograph` or `runtime`."""
        return self.path.relative_to(ROOT).parts[0]

    @property
    def room(self) -> str:
        """The folder of the package it is in, or "" for a file in the package's root."""
        parts = self.path.relative_to(ROOT).parts
        return parts[1] if len(parts) > 2 else ""

    @property
    def subroom(self) -> str:
        """The folder within the room (`backends/llvm` is `llvm`), or ""."""
        parts = self.path.relative_to(ROOT).parts
        return parts[2] if len(parts) > 3 else ""

    @property
    def module(self) -> tuple[str, ...]:
        """Dotted name as a tuple; a package's is its folder's."""
        parts = self.path.relative_to(ROOT).with_suffix("").parts
        return parts[:-1] if parts[-1] == "__init__" else parts

    @property
    def tree(self) -> ast.Module:
        """The parsed file, parsed once."""
        if self.path not in _TREES:
            _TREES[self.path] = ast.parse(self.path.read_text("utf-8"), self.name)
        return _TREES[self.path]

    def imports(self) -> Iterator["Import"]:
        """Every import statement, wherever it stands, as absolute dotted names."""
        inner = {
            id(node)
            for function in ast.walk(self.tree)
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            for node in ast.walk(function)
        }
        typing_only = {
            id(node)
            for branch in ast.walk(self.tree)
            if isinstance(branch, ast.If) and ast.unparse(branch.test).endswith("TYPE_CHECKING")
            for statement in branch.body
            for node in ast.walk(statement)
        }
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                lazy, typing = id(node) in inner, id(node) in typing_only
                for target in self._targets(node):
                    yield Import(self, node.lineno, target, lazy, typing)

    def _targets(self, node: ast.Import | ast.ImportFrom) -> list[str]:
        if isinstance(node, ast.Import):
            return [alias.name for alias in node.names]
        base = (node.module or "").split(".") if node.module else []
        if node.level:
            package = self.module if self.path.name == "__init__.py" else self.module[:-1]
            base = [*package[: len(package) - node.level + 1], *base]
        # `from a import b` may import the module a.b: name it in full, the table only looks at folders.
        return [".".join([*base, alias.name]) for alias in node.names]


@dataclass(frozen=True)
class Import:
    """One imported name: who imports it, where, and whether only when called or only for type checkers."""

    source: Source
    line: int
    target: str
    lazy: bool
    typing: bool

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line} imports {self.target}"


_TREES: dict[Path, ast.Module] = {}


def sources() -> list[Source]:
    """All Python files of the packages, sorted."""
    return [Source(path) for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
