"""Each converter does what its examples say, and does not touch what it has made."""

import pytest

from autograph.convert.converter import Context, Converter, Example
from autograph.convert.pipeline import PASSES
from autograph.source.parse import dump, parse
from autograph.source.printing import unparse

EXAMPLES = [pytest.param(p, e, id=f"{p.__name__}-{i}") for p in PASSES for i, e in enumerate(p.examples)]


def function_of(text: str):
    """The example as a function: itself, or its statements as the body of one."""
    body = parse(text).body
    if len(body) == 1 and type(body[0]).__name__ == "FunctionDef":
        return body[0]
    holder = parse("def example():\n    pass").body[0]
    holder.body = body
    return holder


@pytest.mark.parametrize(("converter", "example"), EXAMPLES)
def test_example(converter: type[Converter], example: Example) -> None:
    function = function_of(example.before)
    converted = converter(Context(function, "example.py")).convert(function)
    assert dump(converted) == dump(function_of(example.after)), "\n" + unparse(converted)


@pytest.mark.parametrize("converter", PASSES)
def test_converter_has_docstring(converter: type[Converter]) -> None:
    assert converter.__doc__
    assert converter.examples
