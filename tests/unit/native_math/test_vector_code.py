"""Loops over the functions become vector instructions without calls."""

import re

import pytest

pytest.importorskip("llvmlite")

from runtime.backends.native import mathlib, toolchain  # noqa: E402
from tests.unit.native_math.harness import loop_text  # noqa: E402

CALL = re.compile(r"call [^@]*@([\w.]+)")
LANES = {"f32": re.compile(r"<(4|8|16) x float>"), "f64": re.compile(r"<(2|4|8) x double>")}
INTRINSICS = ("llvm.fma", "llvm.fabs", "llvm.sqrt", "llvm.copysign", "llvm.floor", "llvm.trunc", "llvm.smax", "llvm.smin",
              "llvm.umax", "llvm.umin", "llvm.fshl", "llvm.assume", "llvm.is.fpclass", "llvm.experimental.noalias")


@pytest.mark.parametrize("kind", mathlib.TYPES)
@pytest.mark.parametrize("name", sorted(mathlib.NAMES | mathlib.BINARY))
def test_the_loop_is_vectorised(name: str, kind: str) -> None:
    module, machine = toolchain.optimised(loop_text(name, kind))
    text = str(next(f for f in module.functions if f.name == "loop"))
    assert LANES[kind].search(text)
    assert all(called.startswith(INTRINSICS) for called in CALL.findall(text))
    assembly = machine.emit_assembly(module)
    called = re.findall(r"^\s+(?:call|callq|bl)\s+(\S+)", assembly, re.MULTILINE)
    assert not called


@pytest.mark.parametrize("kind", mathlib.TYPES)
@pytest.mark.parametrize("name", sorted(mathlib.NAMES | mathlib.BINARY))
def test_a_definition_stands_alone(name: str, kind: str) -> None:
    text = mathlib.definition(name, kind)
    assert text.startswith(f"define internal {'float' if kind == 'f32' else 'double'} {mathlib.symbol(name, kind)}(")
    assert text.count("define") == 1
    assert mathlib.requires(name, kind) == ()
    toolchain.optimised("\n".join([*mathlib.declarations(name, kind), text]))  # it verifies


def test_unknown_names_and_types_are_refused() -> None:
    for name, kind in (("gamma", "f32"), ("exp", "f16")):
        with pytest.raises(KeyError):
            mathlib.definition(name, kind)


def test_the_slow_path_s_test_is_vectorised_with_the_function() -> None:
    slow = mathlib.slow_path("sin", "f64")
    assert slow is not None
    text = "\n".join([*{*mathlib.declarations("sin", "f64"), *slow.declarations}, mathlib.definition("sin", "f64"),
                      slow.texts[0], f"""
define i1 @loop(ptr noalias %out, ptr noalias %xs, i64 %n) {{
entry:
  br label %body
body:
  %i = phi i64 [ 0, %entry ], [ %next, %body ]
  %any = phi i1 [ false, %entry ], [ %either, %body ]
  %xp = getelementptr double, ptr %xs, i64 %i
  %x = load double, ptr %xp
  %value = call double @ag_sin_f64(double %x)
  %far = call i1 {slow.test}(double %x)
  %either = or i1 %any, %far
  %to = getelementptr double, ptr %out, i64 %i
  store double %value, ptr %to
  %next = add nuw i64 %i, 1
  %more = icmp ult i64 %next, %n
  br i1 %more, label %body, label %end
end:
  ret i1 %either
}}
"""])
    loop = str(next(f for f in toolchain.optimised(text)[0].functions if f.name == "loop"))
    assert LANES["f64"].search(loop)
    assert "call double @sin" not in loop
