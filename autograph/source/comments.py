"""The comments of a source text, for printing them ahead of the statements they belong to."""

import ast
import io
import tokenize
from functools import lru_cache

from autograph.source.printing import Ahead

__all__ = ["comments_ahead"]


def comments_ahead(text: str, tree: ast.AST) -> Ahead:
    """For `unparse`: the comments ahead of each statement of `tree`, which is (a rewritten form of) a function of `text`.

    A comment goes ahead of the first statement printed that begins at or after its line; one at the end of a
    statement's line goes ahead of that statement. Each is given once. What follows the last statement is left out.

    >>> from autograph.source.parse import parse_ast
    >>> from autograph.source.printing import unparse
    >>> text = "def f(x):\\n    # twice\\n    y = x * 2  # so much\\n    return y\\n"
    >>> print(unparse(parse_ast(text), comments_ahead(text, parse_ast(text).body[0])))
    def f(x):
        # twice
        # so much
        y = x * 2
        return y
    """
    first = min((d.lineno for d in getattr(tree, "decorator_list", ())), default=getattr(tree, "lineno", 1))
    last = getattr(tree, "end_lineno", None) or text.count("\n") + 1
    comments = _comments(text)
    pending = [(line, comments[line]) for line in range(first, last + 1) if line in comments]

    def ahead(statement: ast.stmt) -> list[str]:
        if isinstance(statement, (ast.Nonlocal, ast.Global)) or _only_declares(statement):
            return []  # generated, at the line of something else
        if statement.lineno == getattr(tree, "lineno", 0) and getattr(statement, "name", "") == getattr(tree, "name", None):
            return []  # inside it is a better place for what stands beside its parameters
        line = statement.lineno
        if not hasattr(statement, "body"):
            line = max(line, statement.end_lineno or line)
        count = 0
        while count < len(pending) and pending[count][0] <= line:
            count += 1
        made = [comment for _, comment in pending[:count]]
        del pending[:count]
        return made

    return ahead


def _only_declares(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.AnnAssign) and statement.value is None


@lru_cache(maxsize=1)
def _comments(text: str) -> dict[int, str]:
    """The comments of a file, by line."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    try:
        return {token.start[0]: token.string for token in tokens if token.type == tokenize.COMMENT}
    except (tokenize.TokenError, SyntaxError):
        return {}  # what ast takes and tokenize does not: a form feed in an indentation, say
