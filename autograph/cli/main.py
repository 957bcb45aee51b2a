"""The `autograph` command: arguments, exit status, messages.

0 all is well; 2 the command can't be done as asked, with one short message on stderr; 130 interrupted.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from autograph.cli.output import CommandError

__all__ = ["main"]

_PIPE_CLOSED = 141  # as a shell reports a program ended by SIGPIPE


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with `arguments` (those of the process by default); returns its exit status."""
    try:
        options = _parser().parse_args(arguments)
        importlib.import_module(options.module).run(options)  # each command loads only what it needs
        sys.stdout.flush()
    except CommandError as error:
        print(f"autograph: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # Nobody reads any more; what is left in the buffer must not complain when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _PIPE_CLOSED
    except KeyboardInterrupt:
        return 130
    return 0


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line."""

    def error(self, message: str) -> NoReturn:
        raise CommandError(f"{message} (try: {self.prog} --help)")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="autograph", description="Look at what autograph makes of Python functions.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND", parser_class=_Parser)

    convert = commands.add_parser(
        "convert",
        help="print the converted source of the functions in a file",
        description="Print the converted source of every function in a file. The file is only read, never run.",
    )
    convert.add_argument("file", metavar="FILE", help="a Python file")
    convert.add_argument("--function", metavar="NAME", help="only this function (`name` or `Class.name`)")
    convert.add_argument("--diff", action="store_true", help="a unified diff against the original")
    convert.add_argument("-o", "--output", metavar="OUT", help="write to this file instead")
    convert.set_defaults(module="autograph.cli.convert")

    explain = commands.add_parser(
        "explain",
        help="tell what of a file would be staged, stays Python, or would be refused",
        description="Tell for each function of a file what would be staged if tensors decide it, what stays Python and "
        "why, and what would be refused. The file is only read, never run.",
    )
    explain.add_argument("file", metavar="FILE", help="a Python file")
    explain.add_argument("--function", metavar="NAME", help="only this function (`name` or `Class.name`)")
    explain.set_defaults(module="autograph.cli.explain")

    graph = commands.add_parser(
        "graph",
        help="trace a function and print or draw its graph",
        description="Import a file, trace one of its functions and print its graph, or draw it.",
        epilog='example: autograph graph model.py:step --arg "float32[batch,3]" --arg 10 --optimized -o step.svg',
    )
    graph.add_argument("target", metavar="FILE:FUNCTION", help="the function, as in model.py:step")
    graph.add_argument(
        "--arg",
        action="append",
        default=[],
        metavar="SPEC",
        help="an argument: dtype[sizes], with None or a name for an unknown size, or a Python literal; "
        "NAME=SPEC passes it by name",
    )
    what = graph.add_mutually_exclusive_group()
    what.add_argument("--plan", action="store_true", help="the NumPy source that runs it")
    what.add_argument("--llvm", action="store_true", help="the LLVM IR of its native code")
    what.add_argument("--asm", action="store_true", help="the machine code")
    graph.add_argument("--optimized", action="store_true", help="the graph, or the LLVM IR, after the passes")
    graph.add_argument("--locations", action="store_true", help="add the source line of each node")
    graph.add_argument("-o", "--output", metavar="OUT", help="draw to a .svg or .html file; text to any other")
    graph.set_defaults(module="autograph.cli.graph")

    cache = commands.add_parser(
        "cache",
        help="show or clear the compiled code on disk",
        description="Show where compiled code is kept and how much it takes. AUTOGRAPH_CACHE names another folder "
        "(or is off), AUTOGRAPH_CACHE_SIZE another limit in bytes.",
    )
    cache.add_argument("--clear", action="store_true", help="remove it")
    cache.set_defaults(module="autograph.cli.cache")
    return parser


if __name__ == "__main__":
    sys.exit(main())
