"""A function in, its converted stand-in out: read, convert, compile, bind; each code object once."""

import types
from collections import ChainMap
from collections.abc import Container, Hashable
from typing import Any

import gast

from autograph.analysis.reads import reads_of_tree
from autograph.convert.converter import Context
from autograph.convert.emitting import manages_once, turned_inside_out
from autograph.convert.nesting import nest_managers
from autograph.convert.pipeline import Dump, convert_tree, new_context
from autograph.convert.resuming import resuming
from autograph.errors.catalogue import SourceUnavailableError
from autograph.load.cache import CodeCache, is_converted, keep_reads, note_tries, reads_of
from autograph.load.depth import deep_trees
from autograph.load.entries import converted_form, has_entry
from autograph.load.loader import compile_entry, compile_function, make_function
from autograph.source.parse import Node, walk
from autograph.source.reader import FunctionSource, read_function

_codes: CodeCache[Any] = CodeCache()


def convert_function(function: Any, hooks: object, options: Hashable = None, shortcuts: bool = True) -> Any:
    """The converted form of a function, method or lambda; what it calls `ag__` is `hooks`.

    A new function at each call (closures differ), over a code object made once for each code
    object and `options`; without `shortcuts` it calls hooks only. A bound method gives a bound method.
    What is converted already comes back as it is. Raises `SourceUnavailableError` and `NotAFunctionError`
    as `read_function`.
    """
    if isinstance(function, types.MethodType):
        return types.MethodType(convert_function(function.__func__, hooks, options, shortcuts), function.__self__)
    if isinstance(function, types.FunctionType) and is_converted(function.__code__):
        return function
    if not isinstance(function, types.FunctionType):
        read_function(function)  # raises the error that says why not
    form = converted_form(function)
    if form is not None:
        return form
    code = _codes.get(function.__code__, (options, shortcuts), lambda: _convert(function, shortcuts))
    return make_function(code, function, hooks)


def entry_of(function: Any, hooks: object) -> Any:
    """A function, method or lambda that runs as it stands where nothing is traced, and converted inside a trace."""
    if isinstance(function, types.MethodType):
        return types.MethodType(entry_of(function.__func__, hooks), function.__self__)
    made = convert_function(function, hooks)
    if made is function or not has_entry(function.__code__):
        return made
    if converted_form(function) is not None:
        return function
    return make_function(_codes.get(function.__code__, "entry", lambda: _entry(function)), function, hooks, made)


def convert_with_tries(function: types.FunctionType, hooks: object) -> types.FunctionType:
    """A converted function, converted in the other way: with its `try` statements as calls of a hook."""
    code = _codes.get(function.__code__, "tries", lambda: _convert(function, shortcuts=True, stage_tries=True))
    return make_function(code, function, hooks)


def convert_manager(function: types.FunctionType, hooks: object, catching: bool) -> types.FunctionType | None:
    """The generator function of a `contextlib.contextmanager`, as `convert_generator`, with its `try` statements as calls of
    a hook. None if it cannot be, and where it is to be `catching` exceptions and does not."""
    code = _codes.get(function.__code__, ("manage", catching), lambda: _convert_manager(function, catching))
    return None if code is None else make_function(code, function, hooks)


def convert_generator(function: types.FunctionType, hooks: object, may_stop: bool) -> types.FunctionType | None:
    """A generator function turned inside out and converted: see `autograph.convert.emitting`. None if it cannot be."""
    code = _codes.get(function.__code__, ("emit", may_stop), lambda: _convert_generator(function, may_stop))
    return None if code is None else make_function(code, function, hooks)


def convert_resuming(function: types.FunctionType, hooks: object) -> types.FunctionType | None:
    """A generator function as one that returns what gives the next item: see `autograph.convert.resuming`. None if it
    cannot be."""
    code = _codes.get(function.__code__, "resume", lambda: _convert_resuming(function))
    return None if code is None else make_function(code, function, hooks)


@deep_trees()
def converted_tree(function: Any, dump: Dump | None = None) -> Node:
    """The converted syntax tree (gast) of a function, for showing it."""
    if isinstance(function, types.MethodType):
        function = function.__func__
    source = read_function(function)
    return convert_tree(source.node, _context(source, function), dump=dump)


@deep_trees()
def _convert(function: types.FunctionType, shortcuts: bool, stage_tries: bool = False) -> types.CodeType:
    source = read_function(function)
    has_tries = not stage_tries and any(isinstance(n, (gast.Try, gast.TryStar, gast.With)) for n in walk(source.node))
    if stage_tries:
        nest_managers(source.node)
    context = _context(source, function, stage_tries)
    code = _finished(function, source, source.node, context, shortcuts)
    if has_tries:
        note_tries(code)
    return code


@deep_trees()
def _entry(function: types.FunctionType) -> types.CodeType:
    source = read_function(function)
    return compile_entry(source.node, function.__code__, source.class_name)


def _finished(
    function: types.FunctionType, source: FunctionSource, tree: Node, context: Context, shortcuts: bool
) -> types.CodeType:
    """The code of a tree of the function's, converted."""
    reads = reads_of_tree(source.node, source.class_name)
    converted = convert_tree(tree, context)
    helpers = context.names.helpers()  # known once the tree is converted
    code = compile_function(converted, function.__code__, source.class_name, helpers, shortcuts)
    for key in (function.__code__, code):
        keep_reads(key, reads)
    return code


@deep_trees()
def analysed(function: types.FunctionType) -> Any:
    """What a function reads (an `analysis.reads.Reads`), converted or not; None where it has no source."""
    known = reads_of(function.__code__)
    if known is None:
        try:
            source = read_function(function)
        except SourceUnavailableError:
            return None
        known = reads_of_tree(source.node, source.class_name)
        keep_reads(function.__code__, known)
    return known


@deep_trees()
def _convert_generator(function: types.FunctionType, may_stop: bool) -> types.CodeType | None:
    source = read_function(function)
    context = _context(source, function)
    tree = turned_inside_out(source.node, context.names, may_stop)
    return None if tree is None else _finished(function, source, tree, context, shortcuts=True)


@deep_trees()
def _convert_resuming(function: types.FunctionType) -> types.CodeType | None:
    source = read_function(function)
    context = _context(source, function)
    tree = resuming(source.node, context.names)
    return None if tree is None else _finished(function, source, tree, context, shortcuts=True)


@deep_trees()
def _convert_manager(function: types.FunctionType, catching: bool) -> types.CodeType | None:
    source = read_function(function)
    if not manages_once(source.node, catching):
        return None
    nest_managers(source.node)
    context = _context(source, function, stage_tries=True)
    tree = turned_inside_out(source.node, context.names, may_stop=False, manages=True)
    return None if tree is None else _finished(function, source, tree, context, shortcuts=True)


def _context(source: FunctionSource, function: types.FunctionType, stage_tries: bool = False) -> Context:
    names: Container[str] = function.__globals__
    if function.__code__.co_freevars:
        names = ChainMap(function.__globals__, dict.fromkeys(function.__code__.co_freevars))
    return new_context(source.node, source.file, source.lines, source.class_name, names, stage_tries)
