"""The module under construction: functions, constants, what is declared, metadata; and what `lower` returns."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from runtime.backends.native import mathlib
from runtime.backends.native.islands import Island
from runtime.backends.native.lower.alike import merge_alike
from runtime.backends.native.lower.helpers import helpers_of
from runtime.backends.native.lower.widen import ONE_BY_ONE, OURS
from runtime.ir.graph import Value
from runtime.typesys.late import pattern

__all__ = ["Lowered", "Module"]

_INTRINSICS = """
declare i64 @llvm.smax.i64(i64, i64)
declare i64 @llvm.smin.i64(i64, i64)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
declare ptr @ag_take(i64)
declare void @ag_give(ptr)
declare ptr @ag_reserve(ptr, i64)
declare ptr @ag_grow(ptr, i64, i64)
declare void @ag_drop(ptr)
declare ptr @ag_grow_row(ptr, i64, i64)
declare void @ag_rows_clear(ptr, i64, i64)
declare void @ag_rows_drop(ptr, i64)
declare i1 @ag_rows_copy(ptr, ptr, i64, i64, i64)
declare i1 @ag_row_put(ptr, ptr, i64, i64, i64)
declare ptr @ag_frame(ptr, i64)
declare void @ag_frame_back(ptr, ptr)
declare ptr @llvm.stacksave.p0()
"""
_NAMES = pattern(r"%[\w.]+")
_LABELS = pattern(r"^([\w.]+):", re.MULTILINE)
_TARGETS = pattern(r"label %([\w.]+)")
_GROUPS = pattern(r"(?<=llvm.access.group )!\d+|(?<=llvm.loop )!\d+")
_OPAQUE = pattern(r"  (?:%\S+ = )?(?:notail )?call (?:void|ptr) @(?!llvm\.)")  # a call that LLVM cannot see through
_CALLED = pattern(r"@[\w.]+\(")
_KERNEL = pattern(r" call [^@]*@(?:ag_gemm|ag_pooled|ag_swept|ag_tiles|ag_top|ag_sort|ag_order|cblas)_")  # what takes long
_ADDS = pattern(r"  (?:%\S+ = (?:phi|icmp|add|sub)|br) ")
_ASKED = pattern(r"  br i1 (%\S+), ")
_CARRIED = pattern(r"  (%\S+) = phi (\S+) .*\[ (%\S+), %\S+ \]$")  # what the turn before gives
_COUNTED = pattern(r"  %\S+ = (fadd|fsub|fmul|fdiv|fneg) ")
_STEP = pattern(r"  (%\S+) = (?:add|sub) ")  # of a count
_VECTOR = pattern(r"<\d+ x (?:float|double|i\d+|ptr)>")
OFTEN = 6  # places that call a mathematical function from which on it is not inlined (math_calls.py)
SHORT = 600  # lines of a program that may be of calls only
INLINE_CONSTANT = 4096  # bytes of an array that may stand in the text; larger ones are passed


class Module:
    """Text that all functions share."""

    def __init__(self) -> None:
        self.functions: list[str] = []
        self.globals: list[str] = []
        self.metadata = ['!0 = !{!"branch_weights", i32 2000, i32 1}', '!1 = !{!"branch_weights", i32 1, i32 2000}']
        self.math: dict[str, None] = {}
        self.vectors: dict[tuple[str, str, int], None] = {}  # functions of the mathematical library, by lanes
        self.declared: dict[str, None] = {}
        self.symbols: set[str] = set()
        self.constants: list[np.ndarray[Any, Any]] = []  # passed after the inputs
        self.called: dict[str, int] = {}  # functions of the graph's table, and their numbers
        self.lower_called: Callable[..., bool] | None = None  # (module, functions, where the constants are) -> whether big
        self.islands: list[Island] = []
        self.environment = "%environment"  # words passed after the constants: the islands' callback, bytes of stack
        self.needs_environment = False
        self.records: frozenset[Value] = frozenset()  # values that are records (rules/records.py)
        self.rows = False  # whether lists of lists are native (row_lists.py)
        self.shares = False  # whether loops of the same text are one function
        self.tried: set[Any] = set()  # elementwise operations, by types, that have a native form (rules/elementwise.py)
        self.carried: dict[Any, Any] = {}  # what signs.py has found out about loops
        self._shared: dict[str, str] = {}
        self._kernels: dict[str, str] = {}
        self.items = False  # a loop reads or writes single items
        self._as_written = ""
        self._never_written = ""
        self._unforeseen = ""
        self._four_at_a_time = ""
        self._not_unrolled = ""
        self._in_one_go = ""
        self._interleaved: dict[int, str] = {}

    def needs(self, function: str) -> None:
        """A function of the mathematical library ("exp.f32") is called."""
        self.math[function] = None

    def vector(self, symbol: str, lanes: int) -> None:
        """A function of the mathematical library ("ag_exp_f32") is called for so many elements."""
        name, _, bits = symbol.removeprefix("ag_").rpartition("_f")
        self.vectors[name, f"f{bits}", lanes] = None

    def declare(self, text: str, symbol: str | None = None) -> None:
        """A function from outside is called."""
        self.declared[text] = None
        if symbol:
            self.symbols.add(symbol)

    def function(self, name: str, lower_called: Callable[..., bool]) -> int:
        """A named function is called; its number. What lowers those that are called is the same each time."""
        self.needs_environment = True
        self.lower_called = lower_called
        return self.called.setdefault(name, len(self.called))

    def island(self, island: Island) -> int:
        """An operation for Python to run; its number."""
        self.needs_environment = True
        self.islands.append(island)
        return len(self.islands) - 1

    def node(self, text: str) -> str:
        """A new metadata node."""
        self.metadata.append(f"!{len(self.metadata)} = {text}")
        return f"!{len(self.metadata) - 1}"

    def parallel(self) -> tuple[str, str]:
        """For accesses of a loop whose iterations do not depend on each other: their mark, and the loop's claim."""
        access = self.node("distinct !{}")
        claim = self.node(f'!{{!"llvm.loop.parallel_accesses", {access}}}')
        return f", !llvm.access.group {access}", claim

    def loop(self, *claims: str) -> str:
        """What the end of a loop is marked with."""
        return self.node(f"distinct !{{!{len(self.metadata)}, {', '.join(claims)}}}")

    def interleaved(self, count: int) -> str:
        """The claim of a loop of which so many vectors are to be under way at a time."""
        if count not in self._interleaved:
            self._interleaved[count] = self.node(f'!{{!"llvm.loop.interleave.count", i32 {count}}}')
        return self._interleaved[count]

    def not_unrolled(self) -> str:
        """The claim of a loop that is to stay a loop."""
        self._not_unrolled = self._not_unrolled or self.node('!{!"llvm.loop.unroll.disable"}')
        return self._not_unrolled

    def in_one_go(self) -> str:
        """The claim of a loop of a few vectors that are to stand one after another."""
        if not self._in_one_go:
            after = self.node('!{!"llvm.loop.vectorize.followup_vectorized", !{!"llvm.loop.unroll.full"}}')
            self._in_one_go = after
        return self._in_one_go

    def outline(self, captured: list[tuple[str, str]], allocas: list[str], lines: list[str]) -> str:
        """A function of (what it uses, first, end) for `ag_parallel`; its name."""
        self.threads()
        name = f"@part{len(self.functions)}"
        out = [f"define internal void {name}(ptr %context, i64 %lo, i64 %hi) {{", "entry:"]
        for k, (register, kind) in enumerate(captured):
            out.append(f"  %context{k} = getelementptr i64, ptr %context, i64 {k}")
            out.append(f"  {register} = load {kind}, ptr %context{k}")
        self.functions.append(
            "\n".join([*out, *allocas, "  br label %start", "start:", *lines, "  ret void", "}"])
        )
        return name

    def shared(self, captured: list[tuple[str, str]], allocas: list[str], lines: list[str]) -> str:
        """A function of what some loops use; the same one for all loops that differ in names only."""
        names: dict[str, str] = {}
        body = "\n".join([*allocas, "  br label %start", "start:", *lines])
        groups: dict[str, str] = {}
        text = _NAMES.sub(lambda m: names.setdefault(m.group(), f"%r{len(names)}"), body)
        text = _LABELS.sub(lambda m: names.setdefault(f"%{m.group(1)}", f"%r{len(names)}")[1:] + ":", text)
        text = _GROUPS.sub(lambda m: groups.setdefault(m.group(), f"!#{len(groups)}"), text)
        arguments = ", ".join(f"{kind} {names[register]}" for register, kind in captured)
        key = f"({arguments}) noinline {{\nentry:\n{text}\n  ret void\n}}"
        name = self._shared.get(key)
        if name is None:
            name = self._shared[key] = f"@nest{len(self._shared)}"
            back = {v: k for k, v in groups.items()}
            self.functions.append(f"define internal void {name}" + re.sub(r"!#\d+", lambda m: back[m.group()], key))
        return name

    def kernel(self, lines: list[str]) -> str:
        """A function of (words, first, end); the same one for the same lines."""
        text = "\n".join(lines)
        name = self._kernels.get(text)
        if name is None:
            name = self._kernels[text] = f"@kernel{len(self._kernels)}"
            head = f"define internal void {name}(ptr %words, i64 %lo, i64 %hi) noinline {{"
            self.functions.append(f"{head}\nentry:\n{text}\n}}")
        return name

    def threads(self) -> None:
        """`ag_parallel` is called."""
        self.symbols.add("ag_parallel")
        self.declared["declare void @ag_parallel(ptr, ptr, i64, i64)"] = None

    def four_at_a_time(self) -> str:
        """What the end of a loop is marked with of which four turns are written in a row."""
        if not self._four_at_a_time:
            claim = self.node('!{!"llvm.loop.unroll.count", i32 4}')
            self._four_at_a_time = self.node(f"distinct !{{!{len(self.metadata)}, {claim}}}")
        return self._four_at_a_time

    def as_written(self) -> str:
        """What the end of a loop is marked with that is neither unrolled nor made one of vectors."""
        if not self._as_written:
            plain = [self.node('!{!"llvm.loop.unroll.disable"}'), self.node('!{!"llvm.loop.vectorize.enable", i1 false}')]
            self._as_written = self.node(f"distinct !{{!{len(self.metadata)}, {', '.join(plain)}}}")
        return self._as_written

    def never_written(self) -> str:
        """The mark of a load from memory that nobody writes during a call."""
        if not self._never_written:
            self._never_written = f", !invariant.load {self.node('!{}')}"
        return self._never_written

    def unforeseen(self) -> str:
        """The mark of a branch of which LLVM is to make no branches one after another."""
        if not self._unforeseen:
            self._unforeseen = f", !unpredictable {self.node('!{}')}"
        return self._unforeseen

    def constant(self, array: np.ndarray[Any, Any]) -> str | int:
        """A constant array: the name of a global, or the number among the passed ones."""
        if array.nbytes > INLINE_CONSTANT:
            self.constants.append(np.ascontiguousarray(array))
            return len(self.constants) - 1
        name = f"@constant{len(self.globals)}"
        data = "".join(f"\\{byte:02X}" for byte in np.ascontiguousarray(array).tobytes())
        self.globals.append(
            f'{name} = internal unnamed_addr constant [{max(array.nbytes, 1)} x i8] c"{data or chr(92) + "00"}", align 64'
        )
        return name

    def passed(self, constants_at: int) -> list[str]:
        """Instructions of an entry block that find the constants, and the environment, behind the inputs."""
        lines = []
        for k in range(len(self.constants)):
            lines.append(f"  %constant{k}.place = getelementptr i64, ptr %in, i64 {constants_at + k}")
            lines.append(f"  %constant{k} = load ptr, ptr %constant{k}.place")
        if self.needs_environment:
            at = constants_at + len(self.constants)
            lines.append(f"  %environment.place = getelementptr i64, ptr %in, i64 {at}")
            lines.append("  %environment = load ptr, ptr %environment.place")
        return lines

    def text(self) -> str:
        """The module."""
        unmerged = "\n".join(self.functions)  # what is called often in these is called in all that is left, not inlined
        functions = merge_alike(self.functions, self._shared) if self._shared else self.functions
        body = "\n".join([*self.globals, *functions])
        if self.islands and self._never_written:  # Python may write what it is shown
            body = body.replace(self._never_written, "")
        done: dict[str, str] = {}
        declarations: dict[str, None] = dict.fromkeys(self.declared)
        todo = list(self.math)
        outside: dict[str, str] = {}
        loops = any("llvm.loop.parallel_accesses" in line for line in self.metadata)
        while todo:
            key = todo.pop()
            if key in done:
                continue
            name, code = key.split(".")
            if f"{mathlib.symbol(name, code)}(" not in body:
                continue  # of vectors only
            if unmerged.count(f"{mathlib.symbol(name, code)}(") >= OFTEN:
                done[key] = ""
                outside.update(mathlib.outside(name, code))
                continue
            done[key], declared, elsewhere = (mathlib.in_loops if loops else mathlib.alone)(name, code)
            declarations.update(dict.fromkeys(declared))
            self.symbols.update(symbol.removeprefix("@") for symbol in elsewhere)
            todo += [".".join(other) for other in mathlib.requires(name, code)]
        for name, code, lanes in self.vectors:
            vector = f"{mathlib.symbol(name, code)}_x{lanes}"
            if vector in outside or f" {vector}(" in done.get(f"{name}.{code}", ""):
                continue  # it came with the function of one element
            often = unmerged.count(f"{vector}(") >= OFTEN
            text, declared, elsewhere = mathlib.vector(name, code, lanes, often)
            done[f"{name}.{code}.{lanes}"] = text
            declarations.update(dict.fromkeys(declared))
            self.symbols.update(symbol.removeprefix("@") for symbol in elsewhere)
        for line in _intrinsics_of(body):
            declarations[line] = None
        if outside:
            done["outside"] = mathlib.declared_outside(outside)
            self.symbols.update(name.removeprefix("@") for name in outside)
        head = ["; large"] if self.shares and not self.items else []  # loops are not unrolled: see toolchain.py
        if not self.called:
            left = _left(body)
            head = [left] if left else head  # likewise
        rest = "\n".join([*helpers_of(body), *done.values(), body, *self.metadata, ""])
        for line in _INTRINSICS.strip().splitlines():
            if _CALLED.search(line)[0] in rest:  # type: ignore[index]
                declarations[line] = None
        return "\n".join([*head, *declarations, rest])


def _left(text: str) -> str:
    """How a text begins by what LLVM is to do about its loops: innermost ones, without calls of what it does not see.

    What is around other loops or such calls is run once for many instructions of theirs: registers instead of memory are
    enough for it. Of a short program that does nothing else, and calls what takes long, even less.
    """
    labels: dict[str, int] = {}
    done: list[int] = []  # where loops begin that are not left
    lines, head = text.splitlines(), "; written"
    left = False  # whether there are loops that do more than call
    for here, line in enumerate(lines):
        if line.startswith("define"):
            labels, done = {}, []
        elif line.endswith(":"):
            labels[line[:-1]] = here
        elif line.startswith("  br "):
            for start in (labels[x] for x in _TARGETS.findall(line) if x in labels):
                around = any(start < inner for inner in done)
                calls = any(_OPAQUE.match(x) for x in lines[start:here])
                left |= not (around or calls)
                if not (around or line.endswith(OURS) or calls):
                    if not (line.endswith(ONE_BY_ONE) or _goes_turn_by_turn(lines[start:here])):
                        return ""
                    head = "; one by one"
                done.append(start)
    if not left and len(lines) < SHORT and _KERNEL.search(text):
        head = "; calls"
    return head


def _goes_turn_by_turn(lines: list[str]) -> bool:
    """Whether the turns of an innermost loop cannot be vectors: it is left where a number overflows, or has vectors."""
    if any(_VECTOR.search(line) for line in lines) or _waits_for_itself(lines):
        return True
    if all(_ADDS.match(line) or line.endswith(":") for line in lines):  # LLVM knows what that comes to without a loop
        return True
    return any("label %failed" in line for line in lines) and not any(" = getelementptr " in line for line in lines)


def _waits_for_itself(lines: list[str]) -> bool:
    """Whether the turns of a loop that begins with its label are none that can be done side by side.

    Its head asks something else than a count, so that nobody knows how many turns there will be; or a floating-point number
    that comes from itself is used in ways that are no sum, product or extreme of what the turns have.
    """
    head = next((k for k, line in enumerate(lines[1:], 1) if line.endswith(":")), len(lines))
    carried = {m[1]: m for m in map(_CARRIED.match, lines[1:head]) if m}
    asked = _ASKED.match(lines[head - 1])
    needed = {asked[1]} if asked else set()  # for the answer, of what the head makes
    for line in reversed(lines[1:head]):
        found = _NAMES.findall(line)
        if found and found[0] in needed and " = phi " not in line:
            needed.update(found[1:])
    steps = {m[1] for m in map(_STEP.match, lines) if m}
    if any(m[3] not in steps for name, m in carried.items() if name in needed):
        return True
    return any(m[2] in ("float", "double") and _is_used_up(name, m[3], lines) for name, m in carried.items())


def _is_used_up(name: str, given: str, lines: list[str]) -> bool:
    """Whether what a loop carries under a name is used in two operations, or negated or divided, and comes from itself."""
    uses, come = 0, {name}
    for line in lines:
        used = _NAMES.findall(line)
        if not come.isdisjoint(used[1:]):
            come.add(used[0])
        if name in used[1:] and (m := _COUNTED.match(line)):
            uses += 2 if m[1] in ("fneg", "fdiv") else 1
    return uses > 1 and given in come


def _intrinsics_of(text: str) -> list[str]:
    """Declarations of the intrinsics that are called in a text."""
    out = {}
    for result, name, args in re.findall(
        r"call (?:[a-z]+ )*?(\S+|\{[^}]*\}) @(llvm\.[\w.]+)\(([^)]*)\)", text
    ):
        if "<" in args:  # declared where it is called
            continue
        types = [a.split()[0] for a in args.split(",") if a]
        if name.startswith("llvm.memmove"):
            out[name] = "declare void @llvm.memmove.p0.p0.i64(ptr, ptr, i64, i1)"
            continue
        if name.startswith(("llvm.stacksave", "llvm.memcpy", "llvm.memset", "llvm.smax.i64", "llvm.smin.i64")):
            continue
        out[name] = f"declare {result} @{name}({', '.join(types)})"
    return list(out.values())


class Lowered:
    """A graph as LLVM IR.

    text       the module; the entry point is `i64 @ag_run(ptr in, ptr out)`, 0 where all went well
    inputs     types of the inputs; `in` holds 8 bytes for a scalar, pointer and sizes for an array
    outputs    types of the outputs, laid out likewise
    out_dims   for every output None (the callee allocates), or sizes that the caller knows: ints or (input, axis)
    constants  arrays passed after the inputs, by pointer only
    symbols    names from outside that the text declares
    big        whether a call may take long
    frame      bytes of working memory of known size
    calls      whether it calls functions, which need stack
    pays       whether it is likely to be faster than the plan: a crossing to Python costs what several operations cost there
    islands    operations that Python runs; then the address of words follows the constants: the callback, bytes of stack
    """

    def __init__(self, text: str, inputs: list[Any], outputs: list[Any]) -> None:
        self.text = text
        self.inputs = inputs
        self.outputs = outputs
        self.out_dims: list[Any] = []
        self.constants: list[np.ndarray[Any, Any]] = []
        self.symbols: set[str] = set()
        self.big = False
        self.frame = 0
        self.islands: list[Island] = []
        self.needs_environment = False
        self.pays = True
        self.calls = False
        self.pays = True
        self.calls = False
