"""`f.inspect()`: every stage of one signature, as text."""

import pytest

import autograph as ag
from autograph.cli.main import main
from runtime.backends.native import toolchain
from runtime.backends.native.errors import Unsupported
from runtime.ir.parse import parse_graph
from runtime.plan.peak import peak_bytes

needs_llvm = pytest.mark.skipif(not toolchain.available(), reason="llvmlite is not installed")


@ag.function
def halve(n):
    while n > 1:
        n = n // 2
    return n


def test_every_part_is_there():
    seen = halve.inspect(ag.constant(40))
    assert "ag__.while_stmt" in seen.source and seen.source.startswith("def halve(n):")
    assert [n.op.name for n in seen.graph.nodes] == ["while_loop"]
    assert "while n > 1:" in seen.plan and "while_loop" in seen.buffers
    assert "define i64 @ag_run" in seen.llvm and seen.native_bytes is not None
    assert seen.regions == "native: all 5 operations"
    text = str(seen)
    assert all(f"# {part}\n" in text for part in ("source", "graph", "optimized graph", "plan", "buffers", "llvm"))
    assert "halve(n: int32[])" in repr(seen)


@needs_llvm
def test_what_llvm_makes():
    seen = halve.inspect(ag.TensorSpec([], ag.int64))
    assert "define" in seen.llvm_optimized and "ag_run" in seen.llvm_optimized and "ag_run" in seen.assembly
    assert seen.llvm_optimized != seen.llvm


def test_what_has_no_native_code_is_told(monkeypatch):
    def looked_up(x):
        return ag.sort(x) * 2

    def lower(graph):
        raise Unsupported([(n.op.name, n.location) for n in graph.nodes if n.op.name == "sort_along"])

    monkeypatch.setattr("runtime.backends.native.lower.lower", lower)

    seen = ag.function(looked_up).inspect(ag.constant([1.0, 2.0]))
    line = looked_up.__code__.co_firstlineno + 1
    assert seen.regions.startswith("NumPy plan: all") and f"{__file__}:{line}: " in seen.regions
    assert seen.native_bytes is None and "llvm" not in str(seen).partition("# regions")[2]
    with pytest.raises(ag.errors.UnimplementedError):
        seen.llvm


def test_without_arguments_it_is_the_last_signature():
    f = ag.function(lambda x: x + 1)
    f(ag.constant(1.0)), f(ag.constant(1))
    assert "int32[]" in repr(f.inspect())

    class Model:
        @ag.function
        def step(self, x):
            return x + 1

    assert "x + 1" in Model().step.inspect(ag.constant(1.0)).plan


PEAKS = {
    # two arrays of 400 bytes: the second is made in the first's place
    "graph f(x: float32[100]):\n  %0: float32[100] = exp(x)\n  %1: float32[100] = log(%0)\n  return %1\n": 400,
    # both live at the end
    "graph f(x: float32[100]):\n  %0: float32[100] = exp(x)\n  %1: float32[100] = log(%0)\n  return %0, %1\n": 800,
    # of what is returned only a number is left; the input is not counted
    "graph f(x: float32[100]):\n  %0: float32[100] = exp(x)\n  %1: float32[] = reduce_sum(%0, axis=None, keepdims=False)\n"
    "  return %1\n": 400,
    "graph f(x: float32[100]):\n  return x\n": 0,
}


@pytest.mark.parametrize("text", PEAKS, ids=range(len(PEAKS)))
def test_peaks(text):
    peak = peak_bytes(parse_graph(text))
    assert peak.bytes == PEAKS[text] and peak.complete


def test_the_peak_of_a_loop_is_inside_it():
    @ag.function
    def f(x):
        for _ in ag.range(10):
            y = ag.exp(x)
            z = ag.exp(y) @ ag.exp(x)
            x = y + z
        return x

    peak = f.inspect(ag.TensorSpec([16, 16], ag.float64)).peak
    assert peak.complete and 3 * 2048 <= peak.bytes <= 5 * 2048


def test_unknown_sizes_are_left_out():
    peak = ag.function(lambda x: ag.exp(x) + 1).inspect(ag.TensorSpec([None], ag.float32)).peak
    assert not peak.complete and str(peak).startswith("at least")


def test_the_command(tmp_path, capsys, monkeypatch):
    file = tmp_path / "program.py"
    file.write_text("def twice(x):\n    return x * 2\n")

    def run(*arguments):
        status = main(["graph", f"{file}:twice", "--arg", "float32[8]", *arguments])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    assert "define i64 @ag_run" in run("--llvm")[1]
    status, _, error = run("--asm", "-o", str(tmp_path / "x.svg"))
    assert status == 2 and "assembly is text" in error
    assert run("--plan", "--optimized")[0] == 2
    if toolchain.available():
        assert "ag_run" in run("--llvm", "--optimized")[1] and "ag_run:" in run("--asm")[1]
    file.write_text("import autograph as ag\ndef twice(x):\n    return ag.sort(x)\n")

    def lower(graph):
        raise Unsupported([(n.op.name, n.location) for n in graph.nodes])

    monkeypatch.setattr("runtime.backends.native.lower.lower", lower)
    status, _, error = run("--llvm")
    assert status == 2 and f"{file}:3" in error
