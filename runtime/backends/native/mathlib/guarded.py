"""Functions whose vector code ends somewhere, made right everywhere.

`@ag_sin_f64` computes one element: by the vector code's formula within its range, by libm beyond. It is not inlined, but
names vector variants of itself (LLVM's vector function ABI), which the loop vectoriser calls instead. A variant computes
all lanes by the formula and, where any lane is out of range, which is rare, all again one by one. So every loop over the
function is a vector loop, and an element's result is the same in any place.
"""

from collections.abc import Callable, Sequence

from runtime.backends.native.mathlib.emitter import LLVM_TYPES, Function, Value, definition

Body = Callable[..., Value]

# Bytes of the vectors that variants are made for.
VECTOR_BYTES = (32, 64)


Text = tuple[str, tuple[str, ...]]  # and what it declares


def guarded(symbol: str, kinds: Sequence[str], fast: Body, beyond: Body, exact: Body) -> Text:
    """The texts of a function of one element and of its vector variants, and what they declare."""
    return _joined(
        definition(f"{symbol}_fast", kinds, fast),
        definition(f"{symbol}_beyond", kinds, beyond, result="i1"),
        definition(f"{symbol}_exact", kinds, exact, pure=False),
        (one_element(symbol, kinds), ()),
        *(variant(symbol, kinds, fast, beyond, count) for count in _lanes(kinds)),
        *((one_by_one(symbol, kinds, count), ()) for count in _lanes(kinds)),
    )


def inlined(symbol: str, kinds: Sequence[str], fast: Body, beyond: Body) -> Text:
    """What a program with loops has of it that calls it in few places: the variants, which are inlined. The rest, which
    runs rarely and would take LLVM longer than the loop, is called where it is (see `called`)."""
    lanes = _lanes(kinds)
    head = declared(symbol, kinds)[symbol]
    types = [_vector(kinds, n) for n in lanes]
    outside = [
        f"declare {v} {_each(symbol, n)}({', '.join([v] * len(kinds))}) {_RARE}" for n, v in zip(lanes, types, strict=True)
    ]
    return _joined(("", (head, *outside)), *(variant(symbol, kinds, fast, beyond, n) for n in lanes))


def vector_alone(symbol: str, kinds: Sequence[str], fast: Body, lanes: int) -> Text:
    """A vector variant of a function without an end of its range, to be inlined."""
    function = Function(lanes)
    arguments = [Value(function, name, kind) for name, kind in zip(("%x", "%y"), kinds, strict=False)]
    value = fast(*arguments)
    head = f'define internal {value.type} {symbol}_x{lanes}({", ".join(map(str, arguments))}) alwaysinline nounwind'
    return "\n".join([f"{head} memory(none) {{", *function.lines, f"  ret {value}", "}", ""]), tuple(function.declarations)


def vector_inlined(symbol: str, kinds: Sequence[str], fast: Body, beyond: Body, lanes: int) -> Text:
    """The same of one with an end; what it does beyond is called."""
    text, needs = variant(symbol, kinds, fast, beyond, lanes)
    v = _vector(kinds, lanes)
    if lanes not in _lanes(kinds):
        alone = (one_by_one(symbol, kinds, lanes, symbol), (declared_alone(symbol, kinds),))
        return _joined((text.replace("define ", "define internal ", 1), needs), alone)
    each = f"declare {v} {_each(symbol, lanes)}({', '.join([v] * len(kinds))}) {_RARE}"
    return text.replace("define ", "define internal ", 1), (*needs, each)


def rare(symbol: str, kinds: Sequence[str]) -> tuple[str, ...]:
    """The symbols that `inlined` calls and does not define."""
    return (symbol, *(_each(symbol, n) for n in _lanes(kinds)))


def _joined(*parts: Text) -> Text:
    needs = dict.fromkeys(line for _, declared in parts for line in declared)
    return "\n".join(text for text, _ in parts if text), tuple(needs)


def called(
    symbol: str, kinds: Sequence[str], fast: Body, beyond: Body | None = None, exact: Body | None = None
) -> tuple[str, tuple[str, ...]]:
    """A module's text of the same function, with or without an end of its range, for programs that call it in many places.

    Neither it nor its vector variants are inlined: a call is a nanosecond more for every vector, and a program of hundreds
    of functions compiles in a fraction of the time. What such a program says of them is `declared`.
    """
    llvm = LLVM_TYPES[kinds[0]]
    arguments = ", ".join(f"{llvm} {name}" for name in ("%x", "%y")[: len(kinds)])
    if beyond is not None and exact is not None:
        text, declared = guarded(symbol, kinds, fast, beyond, exact)
        for lanes in _lanes(kinds):
            head = f"{symbol}_x{lanes}("
            before, _, after = text.partition(f" {head}")
            text = f"{before} {head}" + after.replace("alwaysinline nounwind", "noinline nounwind", 1)
            inside = f"define internal {_vector(kinds, lanes)} {_each(symbol, lanes)}("
            text = text.replace(inside, inside.replace("internal ", ""))
        return text.replace(f" {_variants(symbol, kinds)}", ""), declared
    one, needs = definition(f"{symbol}_fast", kinds, fast)
    texts, declarations = [one], dict.fromkeys(needs)
    texts.append(f"""define {llvm} {symbol}({arguments}) {_PURE} {{
  %value = call {llvm} {symbol}_fast({arguments})
  ret {llvm} %value
}}
""")
    for lanes in _lanes(kinds):
        text, needs = vector_alone(symbol, kinds, fast, lanes)
        texts.append(text.replace("define internal", "define", 1).replace("alwaysinline", "noinline", 1))
        declarations.update(dict.fromkeys(needs))
    return "\n".join(texts), tuple(declarations)


def declared_alone(symbol: str, kinds: Sequence[str]) -> str:
    """What a program without vectors declares that calls the function."""
    llvm = LLVM_TYPES[kinds[0]]
    return f"declare {llvm} {symbol}({', '.join([llvm] * len(kinds))}) {_PURE}"


def declared(symbol: str, kinds: Sequence[str]) -> dict[str, str]:
    """The function and its vector variants: what a program declares that calls the function, by name."""
    llvm = LLVM_TYPES[kinds[0]]
    found = {symbol: f"{declared_alone(symbol, kinds)} {_variants(symbol, kinds)}"}
    for lanes in _lanes(kinds):
        vectors = ", ".join([f"<{lanes} x {llvm}>"] * len(kinds))
        found[f"{symbol}_x{lanes}"] = f"declare <{lanes} x {llvm}> {symbol}_x{lanes}({vectors}) {_PURE}"
    return found


_PURE = "noinline nounwind willreturn memory(none)"
_RARE = "noinline cold nounwind willreturn memory(none)"


def _each(symbol: str, lanes: int) -> str:
    return f"{symbol}_each{lanes}"


def _vector(kinds: Sequence[str], lanes: int) -> str:
    return f"<{lanes} x {LLVM_TYPES[kinds[0]]}>"


def _lanes(kinds: Sequence[str]) -> list[int]:
    return [count // (4 if kinds[0] == "f32" else 8) for count in VECTOR_BYTES]


def _variants(symbol: str, kinds: Sequence[str]) -> str:
    name = symbol.removeprefix("@")
    variants = ",".join(f"_ZGV_LLVM_N{count}{'v' * len(kinds)}_{name}({name}_x{count})" for count in _lanes(kinds))
    return f'"vector-function-abi-variant"="{variants}"'


def one_element(symbol: str, kinds: Sequence[str]) -> str:
    """The function of one element, and the same with the list of its variants.

    They are two: variants call the first for their lanes, which LLVM would gather into a call of the variant again. The
    second is not internal, or LLVM would take a parameter away that is the same constant in all calls.
    """
    llvm = LLVM_TYPES[kinds[0]]
    names = ("%x", "%y")[: len(kinds)]
    arguments = ", ".join(f"{llvm} {name}" for name in names)
    return f"""define internal {llvm} {symbol}_one({arguments}) {_PURE} {{
  %far = call i1 {symbol}_beyond({arguments})
  br i1 %far, label %slow, label %near, !prof !{{!"branch_weights", i32 1, i32 1000}}
slow:
  %rare = call {llvm} {symbol}_exact({arguments})
  ret {llvm} %rare
near:
  %usual = call {llvm} {symbol}_fast({arguments})
  ret {llvm} %usual
}}

define {llvm} {symbol}({arguments}) {_PURE} {_variants(symbol, kinds)} {{
  %value = call {llvm} {symbol}_one({arguments})
  ret {llvm} %value
}}
"""


def variant(symbol: str, kinds: Sequence[str], fast: Body, beyond: Body, lanes: int) -> Text:
    """The function of several elements. It is not internal: nothing calls it until loops have been made vectors."""
    function = Function(lanes)
    arguments = [Value(function, name, kind) for name, kind in zip(("%x", "%y"), kinds, strict=False)]
    value, far = fast(*arguments), beyond(*arguments)
    given = ", ".join(map(str, arguments))
    reduction = f"i1 @llvm.vector.reduce.or.v{lanes}i1({far.type}"
    lines = [
        f"define {value.type} {symbol}_x{lanes}({given}) alwaysinline nounwind memory(none) {{",
        *function.lines,
        f"  %any = call {reduction} {far.text})",
        '  br i1 %any, label %slow, label %near, !prof !{!"branch_weights", i32 1, i32 1000}',
        "slow:",
        f"  %rare = call {value.type} {_each(symbol, lanes)}({given})",
        f"  ret {value.type} %rare",
        "near:",
        f"  ret {value}",
        "}",
        "",
    ]
    return "\n".join(lines), (*function.declarations, f"declare {reduction})")


def one_by_one(symbol: str, kinds: Sequence[str], lanes: int, one_element: str = "") -> str:
    """The function that does several elements one by one, by another function."""
    vector, one = _vector(kinds, lanes), LLVM_TYPES[kinds[0]]
    names = ("%x", "%y")[: len(kinds)]
    size = lanes * (4 if one == "float" else 8)
    arguments = ", ".join(f"{vector} {name}" for name in names)
    lines = [f"define internal {vector} {_each(symbol, lanes)}({arguments}) {_RARE} {{", "start:"]
    for name in names:
        lines.append(f"  {name}s = alloca {vector}, align {size}")
        lines.append(f"  store {vector} {name}, ptr {name}s")
    lines += [f"  %results = alloca {vector}, align {size}", "  br label %lane", "lane:",
              "  %i = phi i64 [ 0, %start ], [ %next, %lane ]"]
    for name in names:
        lines.append(f"  {name}p = getelementptr {one}, ptr {name}s, i64 %i")
        lines.append(f"  {name}i = load {one}, ptr {name}p")
    lines += [
        f"  %r = call {one} {one_element or f'{symbol}_one'}({', '.join(f'{one} {name}i' for name in names)})",
        f"  %rp = getelementptr {one}, ptr %results, i64 %i",
        f"  store {one} %r, ptr %rp",
        "  %next = add i64 %i, 1",
        f"  %more = icmp ult i64 %next, {lanes}",
        "  br i1 %more, label %lane, label %end",
        "end:",
        f"  %all = load {vector}, ptr %results",
        f"  ret {vector} %all",
        "}",
        "",
    ]
    return "\n".join(lines)
