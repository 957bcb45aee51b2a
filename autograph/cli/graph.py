"""`autograph graph FILE:FUNCTION`: import a file, trace one function, print or draw its graph."""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import inspect
import os
import re
import sys
import traceback
import types
from typing import Any

from autograph.cli.output import CommandError, located, read_source, show, syntax_message, write_file
from autograph.staging.function import Function, function
from autograph.staging.inspection import Inspection
from runtime.backends.native.errors import NoCompilerError
from runtime.ir.draw import draw_html, draw_svg
from runtime.ir.text import graph_text
from runtime.typesys.dtypes import as_dtype
from runtime.typesys.errors import UnimplementedError
from runtime.typesys.shapes import Dim
from runtime.typesys.spec import TensorSpec, TensorType

__all__ = ["graph", "parse_argument", "run"]

_TEXTS = {
    "plan": ("a plan", "a .py"), "llvm": ("LLVM IR", "a .ll"), "llvm optimized": ("LLVM IR", "a .ll"),
    "asm": ("assembly", "a .s"),
}  # fmt: skip
_SPEC = re.compile(r"\s*([A-Za-z_]\w*)\s*\[(.*)\]\s*$", re.DOTALL)
_BY_NAME = re.compile(r"\s*([A-Za-z_]\w*)\s*=(?!=)(.*)$", re.DOTALL)


def run(options: Any) -> None:
    """The command, from its parsed arguments."""
    form = "plan" if options.plan else "llvm" if options.llvm else "asm" if options.asm else "graph"
    if options.optimized and form in ("plan", "asm"):
        raise CommandError(f"--optimized does not go with --{form}, which is always made of the optimized graph")
    if options.optimized:
        form = {"graph": "optimized", "llvm": "llvm optimized"}[form]
    graph(options.target, options.arg, form, options.locations, options.output)


def graph(target: str, arguments: list[str], form: str, locations: bool, output: str | None) -> None:
    """Print a function's graph, or draw it to `output`.

    Args:
      target: FILE:FUNCTION.
      arguments: what it is traced for.
      form: graph, optimized, plan, llvm, llvm optimized or asm.
      locations: add source lines.
      output: a file to write to.

    Raises:
      CommandError: no such file or function, arguments that do not fit, or a function that can't be traced.
    """
    path, colon, name = target.rpartition(":")
    if not colon or not path or not name:
        raise CommandError(f"{target}: expected FILE:FUNCTION, as in model.py:step")
    kind = os.path.splitext(output or "")[1].lower()
    if form in _TEXTS and kind in (".svg", ".html"):
        name, extension = _TEXTS[form]
        option = form.partition(" ")[0]
        raise CommandError(f"{output}: {name} is text: leave out --{option} to draw the graph, or write to {extension} file")
    if kind in (".png", ".jpg", ".jpeg", ".pdf", ".gif"):
        raise CommandError(f"{output}: graphs are drawn to .svg or .html files")
    sizes: dict[str, Dim] = {}
    args, kwargs = _arguments(arguments, sizes)
    concrete = _traced(_load(path, name), path, name, args, kwargs)
    made = _made(concrete, form, path)
    if kind == ".svg":
        text = draw_svg(made)
    elif kind == ".html":
        text = draw_html(made)
    else:
        text = made if isinstance(made, str) else graph_text(made, locations=locations, short=output is None)
    if output is None:
        show(text, {"llvm": "llvm", "llvm optimized": "llvm", "asm": "gas"}.get(form, "python"))
    else:
        write_file(output, text)


def _made(concrete: Any, form: str, path: str) -> Any:
    """The graph or text that was asked for."""
    seen = Inspection(concrete, None)
    try:
        if form == "llvm optimized":
            return seen.llvm_optimized
        return {
            "graph": lambda: seen.graph, "optimized": lambda: seen.optimized_graph, "plan": lambda: seen.plan,
            "llvm": lambda: seen.llvm, "asm": lambda: seen.assembly,
        }[form]()  # fmt: skip
    except (UnimplementedError, NoCompilerError) as error:
        raise CommandError(f"{path}: {error}") from None


class NamedSpec(TensorSpec):
    """A spec in which an unknown size may have a name: equal names are equal sizes."""

    def __init__(self, shape: Any, dtype: Any, sizes: tuple[Any, ...] | None) -> None:
        super().__init__(shape, dtype)
        self.sizes = sizes

    def to_type(self) -> TensorType:
        """The graph type, with the named sizes."""
        known = super().to_type()
        if self.sizes is None or known.shape is None:
            return known
        return known.with_shape(tuple(s if s is not None else d for s, d in zip(self.sizes, known.shape, strict=True)))


def parse_argument(text: str, sizes: dict[str, Dim]) -> Any:
    """The argument that `text` describes: a TensorSpec (`float32[n,3]`) or a Python literal.

    Raises:
      CommandError: it is neither.
    """
    match = _SPEC.match(text)
    if match is not None:
        word, inside = match.groups()
        try:
            dtype = as_dtype(word)
        except TypeError:
            raise CommandError(f"--arg {text!r}: {word!r} is no element type (float32, int64, bool ...)") from None
        if inside.strip() == "?":
            return TensorSpec(None, dtype)
        entries = [_size(part.strip(), text, sizes) for part in inside.split(",")] if inside.strip() else []
        return NamedSpec([e if isinstance(e, int) else None for e in entries], dtype, tuple(entries))
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        raise CommandError(
            f"--arg {text!r}: expected dtype[sizes], as in float32[None,3], or a Python literal"
        ) from None


def _size(text: str, argument: str, sizes: dict[str, Dim]) -> Any:
    if text in ("None", "?"):
        return None
    if text.isidentifier():
        return sizes.setdefault(text, Dim(text))
    if text.isdecimal():
        return int(text)
    raise CommandError(f"--arg {argument!r}: {text!r} is no size: expected a number, None or a name")


def _arguments(texts: list[str], sizes: dict[str, Dim]) -> tuple[list[Any], dict[str, Any]]:
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    for text in texts:
        named = _BY_NAME.match(text)
        if named is None:
            args.append(parse_argument(text, sizes))
        else:
            kwargs[named[1]] = parse_argument(named[2], sizes)
    return args, kwargs


def _load(path: str, name: str) -> Any:
    """The function `name` (dots reach into classes) of the file at `path`, which is imported."""
    text = read_source(path)
    try:
        compile(text, path, "exec", dont_inherit=True)
    except SyntaxError as error:
        raise syntax_message(error, path) from None
    except ValueError as error:
        raise CommandError(f"{path}: {error}") from None
    stem = os.path.splitext(os.path.basename(path))[0]
    spec = importlib.util.spec_from_file_location(stem, os.path.abspath(path))
    if spec is None or spec.loader is None:
        raise CommandError(f"{path}: expected a Python file (.py)")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    sys.modules.setdefault(stem, module)
    try:
        with contextlib.redirect_stdout(sys.stderr):  # stdout is for the graph
            spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise _failed(error, path, "importing the file") from error
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part, None)
        if found is None:
            names = ", ".join(_functions(module, stem)) or "none"
            raise CommandError(f"{path}: there is no function {name!r}; there are: {names}")
    if not isinstance(found, (Function, types.FunctionType, types.MethodType)) and not callable(found):
        raise CommandError(f"{path}: {name} is a {type(found).__name__}, not a function")
    return found


def _functions(module: Any, stem: str) -> list[str]:
    """Names of the functions that a module defines itself."""
    return [
        name
        for name, value in vars(module).items()
        if isinstance(value, (Function, types.FunctionType)) and getattr(value, "__module__", stem) == stem
    ]


def _traced(found: Any, path: str, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """The concrete function for the arguments."""
    staged = found if isinstance(found, Function) else function(found)
    if staged.input_signature is None or args or kwargs:
        signature = inspect.signature(staged.python_function)
        try:
            signature.bind(*args, **kwargs)
        except TypeError as error:
            problem = f"{name}{signature} does not fit the arguments: {error} (give them by --arg)"
            if "." in name and next(iter(signature.parameters), None) == "self":
                problem = f"{name} is a method: write a function that makes the instance and calls it, and name that one"
            raise CommandError(f"{path}: {problem}") from None
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return staged.get_concrete_function(*args, **kwargs)
    except Exception as error:
        raise _failed(error, path, f"tracing {name}") from error


def _failed(error: BaseException, path: str, doing: str) -> CommandError:
    """What the user's code raised, at the last line of it that took part."""
    if isinstance(error, SyntaxError):
        return syntax_message(error, path)
    message = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    message = f"{message.splitlines()[0]} (while {doing})"
    hint: str = getattr(error, "hint", "")
    here = os.path.abspath(path)
    frames = [f for f in traceback.extract_tb(error.__traceback__) if os.path.abspath(f.filename) == here]
    if not frames:
        return located(path, None, message, hint=hint)
    last = frames[-1]
    column = None if last.colno is None else last.colno + 1
    return located(path, last.lineno, message, _line(last.filename, last.lineno), column, hint)


def _line(file: str, number: int | None) -> str | None:
    import linecache

    return linecache.getline(file, number) if number else None
