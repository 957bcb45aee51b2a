"""Loops over the functions become vector instructions without calls."""

import re

import pytest

pytest.importorskip("llvmlite")

from runtime.backends.native import llvm, mathlib, toolchain  # noqa: E402
from tests.unit.native_math.harness import loop_text  # noqa: E402

CALL = re.compile(r"call [^@]*@([\w.]+)")
LANES = {"f32": re.compile(r"<(4|8|16) x float>"), "f64": re.compile(r"<(2|4|8) x double>")}
INTRINSICS = ("llvm.fma", "llvm.fabs", "llvm.sqrt", "llvm.copysign", "llvm.floor", "llvm.trunc", "llvm.smax", "llvm.smin",
              "llvm.umax",
              "llvm.umin", "llvm.fshl", "llvm.assume", "llvm.is.fpclass", "llvm.ldexp", "llvm.experimental.noalias")


def function(module: llvm.Module, name: str) -> str:
    """The text of one of a module's functions."""
    return re.search(rf"^define [^\n]*@{name}\(.*?^}}", str(module), re.DOTALL | re.MULTILINE)[0]


@pytest.mark.parametrize("kind", mathlib.TYPES)
@pytest.mark.parametrize("name", sorted(mathlib.NAMES | mathlib.BINARY))
def test_the_loop_is_vectorised(name: str, kind: str) -> None:
    module, machine = toolchain.optimised(loop_text(name, kind))
    text = function(module, "loop")
    assert LANES[kind].search(text)
    others = {called for called in CALL.findall(text) if not called.startswith(INTRINSICS)}
    if mathlib.slow_path(name, kind) is not None:
        # In the remainder of the loop, and where a vector holds an element beyond the range.
        assert all(re.fullmatch(rf"ag_{name}_{kind}(_one|_each\d+)?", called) for called in others)
        return
    assert not others
    assembly = machine.emit_assembly(module)
    assert not re.findall(r"^\s+(?:call|callq|bl)\s+(\S+)", assembly, re.MULTILINE)


@pytest.mark.parametrize("kind", mathlib.TYPES)
@pytest.mark.parametrize("name", sorted(mathlib.NAMES | mathlib.BINARY))
def test_a_definition_stands_alone(name: str, kind: str) -> None:
    text = mathlib.definition(name, kind)
    internal = "internal " if mathlib.slow_path(name, kind) is None else ""
    assert f"define {internal}{'float' if kind == 'f32' else 'double'} {mathlib.symbol(name, kind)}(" in text
    if mathlib.slow_path(name, kind) is None:
        assert text.count("define") == 1
    assert mathlib.requires(name, kind) == ()
    toolchain.optimised("\n".join([*mathlib.declarations(name, kind), text]))  # it verifies


def test_unknown_names_and_types_are_refused() -> None:
    for name, kind in (("gamma", "f32"), ("exp", "f16")):
        with pytest.raises(KeyError):
            mathlib.definition(name, kind)


@pytest.mark.parametrize("kind", mathlib.TYPES)
@pytest.mark.parametrize("name", ["fmod", "remainder", "floor_divide", "pow"])
def test_loops_over_one_argument_are_vectorised(name: str, kind: str) -> None:
    llvm = "float" if kind == "f32" else "double"
    text = loop_text(name, kind).replace(f"{llvm} %y)\n  %to", f"{llvm} 0.75)\n  %to")
    assert text != loop_text(name, kind)
    assert LANES[kind].search(function(toolchain.optimised(text)[0], "loop"))


@pytest.mark.parametrize("kind", mathlib.TYPES)
@pytest.mark.parametrize("name", ["sin", "fmod"])
def test_variants_leave_no_trace_where_nothing_is_a_loop(name: str, kind: str) -> None:
    operands = "xy" if name in mathlib.BINARY else "x"
    llvm = "float" if kind == "f32" else "double"
    given = ", ".join(f"{llvm} %{o}" for o in operands)
    text = "\n".join([
        *mathlib.declarations(name, kind), mathlib.definition(name, kind),
        f"define {llvm} @once({given}) {{\n  %v = call {llvm} {mathlib.symbol(name, kind)}({given})\n  ret {llvm} %v\n}}",
    ])
    module, _ = toolchain.optimised(text)
    assert "<" not in function(module, "once")
