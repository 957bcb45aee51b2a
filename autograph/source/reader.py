"""The source of any function or lambda, found by its code object.

The whole file is parsed, so that lines and columns are the file's own. A `def` is found by name
and first line; a lambda by the columns of its instructions, since several may share a line.
A file is read as it stands on disk, past `linecache`, which belongs to the program and may be replaced by it;
notebook cells, doctests and `exec` with a `linecache` entry come through `linecache`.
"""

import ast
import linecache
import os
import threading
import time
import tokenize
import types
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

from autograph.errors.catalogue import AmbiguousLambdaError, NotAFunctionError, SourceUnavailableError
from autograph.source.changes import futures_of, same_program
from autograph.source.parse import Node, children, compile_quietly, dump, parse_ast, to_gast

Definition: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


class FunctionSource(NamedTuple):
    """What is known of a function's source.

    node:           its gast FunctionDef, AsyncFunctionDef or Lambda; a tree of its own at each reading
    file:           the file name of its code object
    lines:          the lines of that file, each with its newline
    class_name:     the class whose body it stands in (for private names), or None
    free_variables: the names it takes from enclosing functions
    """

    node: Node
    file: str
    lines: tuple[str, ...]
    class_name: str | None
    free_variables: tuple[str, ...]


class _Found(NamedTuple):
    node: Definition
    class_name: str | None


_Stamp: TypeAlias = tuple[int, float] | None  # size, time of the last change


class _File(NamedTuple):
    lines: tuple[str, ...]
    by_place: dict[tuple[str, int], list[_Found]]
    stamp: _Stamp  # of the file it was read from


_STARTED = time.time()
_files: dict[str, _File] = {}
_lock = threading.Lock()


def read_function(function: Any) -> FunctionSource:
    """The source of a function, method or lambda.

    Raises `SourceUnavailableError` where there is no text, `AmbiguousLambdaError` where several
    lambdas fit, `NotAFunctionError` for what has no Python code.

    >>> read_function(read_function).node.name
    'read_function'
    """
    if isinstance(function, types.MethodType):
        function = function.__func__
    if not isinstance(function, types.FunctionType):
        raise NotAFunctionError.of(repr(function))
    code = function.__code__
    name = function.__qualname__
    file = _read_file(code.co_filename, function.__globals__, name, code.co_firstlineno)
    found = _find(file, code, name)
    return FunctionSource(
        to_gast(found.node), code.co_filename, file.lines, found.class_name, code.co_freevars
    )


def _read_file(filename: str, module_globals: dict[str, Any], name: str, line: int) -> _File:
    """The parsed file, from the cache while its text is the same."""
    stamp = _stamp(filename)
    known = _files.get(filename)
    if stamp is not None and known is not None and known.stamp == stamp:
        return known
    lines = _lines(filename, module_globals, stamp)
    if not lines:
        raise SourceUnavailableError.no_text(name, filename, line)
    if known is not None and known.lines == lines:
        _files[filename] = known = known._replace(stamp=stamp)
        return known
    try:
        tree = parse_ast("".join(lines), filename)
    except SyntaxError as error:
        raise SourceUnavailableError.not_python(name, filename, str(error)) from None
    made = _File(lines, {}, stamp)
    for found in _definitions(tree, None):
        made.by_place.setdefault(_place(found.node), []).append(found)
    with _lock:
        _files[filename] = made
    return made


def _stamp(filename: str) -> _Stamp:
    """What tells one state of a file from the next; None for what is no file, or has a text that the program gave."""
    given = linecache.cache.get(filename)
    if given is not None and len(given) == 4 and given[1] is None:
        return None
    try:
        found = os.stat(filename)
    except (OSError, ValueError):
        return None
    return found.st_size, found.st_mtime


def _is_young(file: _File) -> bool:
    """Whether a file was written after this process began."""
    return file.stamp is not None and file.stamp[1] > _STARTED


def _lines(filename: str, module_globals: dict[str, Any], stamp: _Stamp) -> tuple[str, ...]:
    """The lines of a file, each with its newline; none where there is no text."""
    if stamp is not None:
        try:
            with tokenize.open(filename) as file:
                lines = file.readlines()
        except (OSError, UnicodeDecodeError, SyntaxError):
            return ()
        if lines and not lines[-1].endswith("\n"):
            lines[-1] += "\n"
        return tuple(lines)
    linecache.checkcache(filename)
    return tuple(linecache.getlines(filename, module_globals))


def _definitions(node: ast.AST, class_name: str | None) -> Iterator[_Found]:
    """Every function and lambda below `node`, with the class whose private names it sees."""
    for child in children(node):
        if isinstance(child, Definition):
            yield _Found(child, class_name)
        inner = child.name if isinstance(child, ast.ClassDef) else class_name
        yield from _definitions(child, inner)


def _place(node: Definition) -> tuple[str, int]:
    """Name and first line as the code object has them: a decorator is part of its function."""
    if isinstance(node, ast.Lambda):
        return "<lambda>", node.lineno
    return node.name, min((d.lineno for d in node.decorator_list), default=node.lineno)


def _find(file: _File, code: types.CodeType, name: str) -> _Found:
    """The definition a code object was compiled from."""
    candidates = file.by_place.get((code.co_name, code.co_firstlineno), [])
    fitting = [found for found in candidates if _parameters(found.node) == _arguments(code)]
    if len(fitting) > 1:
        spans = _spans(code)
        fitting = [found for found in fitting if _spans(_compiled(found, code)) == spans]
    if len(fitting) > 1:
        content = _content(code)
        fitting = [found for found in fitting if _content(_compiled(found, code)) == content]
    if not fitting:
        if code.co_filename == "<string>":  # the text of another, kept by `python -c`
            raise SourceUnavailableError.no_text(name, code.co_filename, code.co_firstlineno)
        raise SourceUnavailableError.not_found(name, code.co_filename, code.co_firstlineno)
    if len(fitting) > 1 and len({(dump(found.node), found.class_name) for found in fitting}) > 1:
        raise AmbiguousLambdaError.several(len(fitting), code.co_filename, code.co_firstlineno)
    if _is_young(file) and not _is_unchanged(fitting[0], code):
        raise SourceUnavailableError.not_found(name, code.co_filename, code.co_firstlineno)
    return fitting[0]


def _is_unchanged(found: _Found, code: types.CodeType) -> bool:
    """Whether a definition is still what a code object was compiled from."""
    if "ag__" in code.co_freevars:  # it was converted from the definition when that was looked at first
        return True
    try:
        return same_program(_compiled(found, code, futures_of(code)), code)
    except SyntaxError:  # it needs its surroundings, such as the function that has its `nonlocal` names
        return True


def _parameters(node: Definition) -> tuple[str, ...]:
    arguments = node.args
    names = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    names += [a.arg for a in (arguments.vararg, arguments.kwarg) if a is not None]
    # Inside a class, `__x` is compiled as `_Class__x`: compare without the class.
    return tuple(name.lstrip("_") for name in names)


def _arguments(code: types.CodeType) -> tuple[str, ...]:
    count = code.co_argcount + code.co_kwonlyargcount
    count += bool(code.co_flags & 0x04) + bool(code.co_flags & 0x08)  # *args, **kwargs
    return tuple(_without_class(name) for name in code.co_varnames[:count])


def _without_class(name: str) -> str:
    if name.startswith("_") and "__" in name[1:] and not name.startswith("__"):
        name = name[name.index("__", 1) :]
    return name.lstrip("_")


def _compiled(found: _Found, code: types.CodeType, flags: int = 0) -> types.CodeType:
    """The code object of a candidate, compiled by itself at its own position."""
    statement = ast.Expr(found.node) if isinstance(found.node, ast.Lambda) else found.node
    module = ast.Module([ast.copy_location(statement, found.node)], [])
    made = compile_quietly(module, code.co_filename, flags)
    # Those of lambdas among its default values come before its own; a generic function stands in one of its parameters.
    return [c for c in _nearest(made) if c.co_name == code.co_name][-1]


def _nearest(code: types.CodeType) -> Iterator[types.CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _nearest(constant) if constant.co_name.startswith("<generic parameters") else (constant,)


def _spans(code: types.CodeType) -> set[tuple[int | None, ...]]:
    """Where the instructions come from. The first ones (cells, RESUME) depend on the surroundings."""
    return {span for span in code.co_positions() if span[3]}


def _content(code: types.CodeType) -> tuple[object, ...]:
    """What a code object does, as far as its surroundings do not change it."""
    constants = tuple(_content(c) if isinstance(c, types.CodeType) else repr(c) for c in code.co_consts)
    names = (set(code.co_names) | set(code.co_freevars) | set(code.co_cellvars)) - set(code.co_varnames)
    return constants, code.co_varnames, frozenset(names), len(list(code.co_lines()))
