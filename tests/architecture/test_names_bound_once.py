"""A module binds each of its names once: a second constant of the same name changes what the first one's readers see."""

import ast
from collections.abc import Iterator

from tests.architecture.sources import sources


def bound(statement: ast.stmt) -> Iterator[str]:
    """Names that an assignment at the top of a module binds; ruff sees to functions."""
    if isinstance(statement, ast.Assign):
        yield from (target.id for target in statement.targets if isinstance(target, ast.Name))
    elif isinstance(statement, ast.AnnAssign) and statement.value and isinstance(statement.target, ast.Name):
        yield statement.target.id


def test_constants_are_bound_once() -> None:
    twice = []
    for source in sources():
        seen: set[str] = set()
        for name in (name for statement in source.tree.body for name in bound(statement)):
            if name in seen:
                twice.append(f"{source.name}: {name}")
            seen.add(name)
    assert not twice, f"bound a second time: {twice}"
