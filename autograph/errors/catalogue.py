"""Every error a user can meet: its type, its id, its words. Imports nothing.

Texts are written here and nowhere else, so that they can be read and reviewed together; `docs/refusals.md` has a
section for each id, with a program that fails and one that works.
"""


class Refusal:
    """One kind of refusal.

    error:    the type of the exception, a name of `autograph.errors`
    sentence: what is wrong; `{fields}` are filled in
    hint:     what to write instead
    """

    def __init__(self, error: str, sentence: str, hint: str) -> None:
        self.error = error
        self.sentence = sentence
        self.hint = hint


_GRAPH = "OperatorNotAllowedInGraphError"
_ARGUMENT = "InvalidArgumentError"
_MISSING = "UnimplementedError"
_STATE = "FailedPreconditionError"

REFUSALS: dict[str, Refusal] = {
    # Python asks for what only the graph will know.
    "tensor-value": Refusal(
        _GRAPH,
        "{what} needs the value of a staged tensor ({type}), which exists only when the graph runs",
        "stay with tensor operations inside the function (ag.sin, not math.sin) and ask for values outside it; where "
        "Python must run at each call, use ag.py_function",
    ),
    "truth-in-python": Refusal(
        _GRAPH,
        "Python tests a staged tensor ({type}) here, in code that is not converted",
        "test it in a function with source, outside generators, async functions and class bodies; hand sorting, heaps and "
        "the like an ag operation, or ag.where(test, a, b)",
    ),
    "unknown-length": Refusal(
        _GRAPH,
        "{what} needs a length that is known only when the graph runs",
        "loop with `for` and use `len()` in converted code, or take ag.shape(x)[0]",
    ),
    "dataset-of-staged": Refusal(
        _GRAPH,
        "the items of this dataset depend on a staged tensor ({type}), and only Python can tell them one by one (a filter, "
        "a shuffle, a generator)",
        "make the dataset outside the function and pass it, or loop over the tensor itself with `for` and `if`",
    ),
    "generator-items": Refusal(
        _GRAPH,
        "which items this generator gives depends on a tensor, and Python itself iterates over it",
        "make it a list comprehension, or loop over it with `for` in converted code",
    ),
    "unknown-rank": Refusal(
        _GRAPH,
        "the rank of this staged tensor is known only when the graph runs, so Python cannot take its shape apart",
        "use ag.shape(x) and ag.rank(x), or give the rank in the input_signature",
    ),
    "truth-of-many": Refusal(
        _ARGUMENT,
        "the truth value of a tensor of shape {shape} is ambiguous: it has more than one element",
        "ag.reduce_any(x) or ag.reduce_all(x) for one answer; for one per element ag.where(test, a, b), ag.minimum(a, b) "
        "for min, ag.maximum(a, b) for max, & for `and`, | for `or`",
    ),
    "leaked-tensor": Refusal(
        _ARGUMENT,
        "a staged tensor ({type}) was used outside the function, branch or loop that made it: it has no value here",
        "return it from the function, or keep it in an ag.Variable; code that is not converted must not store "
        "tensors in lists or attributes",
    ),
    # Values that differ between paths.
    "choice-in-python": Refusal(
        _GRAPH,
        "which value {what} has depends on a tensor, and code that is not converted tests it",
        "test it with `if`, `is None` or `==` in converted code, or give it one type on all paths",
    ),
    "mixed-alternatives": Refusal(
        _GRAPH,
        "{what} is one of ({shown}) depending on a tensor, and is used before it is known which",
        "give it one structure on all paths, or test it first (`is None`, `isinstance`)",
    ),
    "too-many-alternatives": Refusal(
        _MISSING,
        "a value has too many alternatives that depend on tensors: {shown}",
        "give it one structure on all paths: a number, a tensor, or tuples of one length",
    ),
    "self-reference": Refusal(
        _MISSING,
        "a {what} that refers to itself, made in a branch or loop that depends on a tensor, cannot leave it",
        "make the object before the branch or loop and set its attributes inside",
    ),
    "unsettled-loop": Refusal(
        _MISSING,
        "the types of this loop's variables ({names}) keep changing from one iteration to the next",
        "keep each variable's structure the same in every iteration: append to a list instead of nesting tuples",
    ),
    "endless-loop": Refusal(
        _ARGUMENT,
        "this loop never ends: its test is always true, and nothing in it leaves it{what}",
        "change in the loop what its test reads, or leave it by `break` or `return`",
    ),
    "shape-invariant": Refusal(
        _ARGUMENT,
        "'{name}' has shape {have} after one iteration, which does not conform with the shape invariant {want}",
        "leave set_loop_options(shape_invariants=...) out: the loop finds the shapes of its variables; or say None for "
        "the sizes that change",
    ),
    "unsettled-state": Refusal(
        _MISSING,
        "what {function}() changes outside of itself ({names}) is another place, or has another type, each time it is "
        "traced",
        "pass the value to what changes it, or keep it in an attribute: a class made in the function that reads a name "
        "which a staged loop changes must not outlive the call",
    ),
    # Recursion whose depth depends on a tensor.
    "unsettled-recursion": Refusal(
        _MISSING,
        "the types of the arguments or results of {function}() keep changing from one recursive call to the next",
        "give them the same structure at each depth: a tensor that grows, or a list to append to, instead of nested tuples",
    ),
    "endless-recursion": Refusal(
        _GRAPH,
        "{function}() calls itself under a condition that depends on a tensor, and every call differs {what}: tracing it "
        "does not end",
        "pass on what changes as tensors, numbers or structures of them",
    ),
    "recursion-changes": Refusal(
        _GRAPH,
        "{function}() calls itself under a condition that depends on a tensor, and changes a {kind} that is another object "
        "at each call",
        "return the changed one, or pass the same object on",
    ),
    "recursion-writes": Refusal(
        _GRAPH,
        "{function}() calls itself under a condition that depends on a tensor, and writes to items of an argument that is "
        "no tensor, or is passed twice",
        "return the changed tensor",
    ),
    "caught-later": Refusal(
        _GRAPH,
        "this {kind} is caught when the graph runs: its arguments and attributes are not known while the function is traced",
        "take its text, str(error); act on its class, in an `except` clause of its own; raise it again; or catch it outside",
    ),
    # Lists whose length depends on a tensor.
    "list-in-python": Refusal(
        _GRAPH,
        "this list grew or shrank in a staged loop or branch, and code that is not converted uses its items",
        "use it in converted code (indexing, len(), for, append, pop), or make one tensor of it: ag.stack(xs)",
    ),
    "list-argument": Refusal(
        _GRAPH,
        "{name}() is not converted and cannot take a list whose length depends on a tensor",
        "stack the list first: ag.stack(xs)",
    ),
    "list-method": Refusal(
        _GRAPH,
        "list.{name} is not staged, and the length of this list depends on a tensor",
        "use the operator or built-in function that calls the method: `x in xs`, len(xs), xs[i]",
    ),
    "shared-list": Refusal(
        _GRAPH,
        "this is changed, and only the run knows which other list, dictionary or element is the same object",
        'change a copy (dict(row)), or change it where it was taken from (rows[i]["a"] = v), or use a list in its place',
    ),
    "container-in-graph": Refusal(
        _GRAPH,
        "a {what} is changed in a branch or loop of the graph: only the run knows what it then holds",
        "use a list or a dictionary with constant keys, change it outside the branch or loop, or use a tensor as a mask",
    ),
    "iterator-in-graph": Refusal(
        _GRAPH,
        "a {what} gives an item in a branch or loop of the graph: only the run knows whether and how often",
        "take the item before the branch or loop, or take from `iter` of a list of the items",
    ),
    "iterator-from-outside": Refusal(
        _GRAPH,
        "a {what} from outside of the function gives an item, which is gone when the function has to be traced once more",
        "take the item before the call and pass it as an argument",
    ),
    "stack-of-structures": Refusal(
        _GRAPH,
        "a list of {element} cannot become one tensor",
        "stack its parts: ag.stack([x for x, _ in xs])",
    ),
    "empty-list": Refusal(
        _GRAPH,
        "nothing was ever put into this list, so it has no element to take",
        "append to it before the loop or branch that takes from it, or test len() in Python",
    ),
    "sort-of-objects": Refusal(
        _GRAPH,
        "the order of these items depends on tensors, and the items or their keys are neither numbers, tensors nor texts "
        "that the trace knows, nor tuples of them, and there are more than 64",
        "sort by a key of numbers, tensors and plain texts: sorted(items, key=lambda item: (item.size, item.name))",
    ),
    "text-of-tensor": Refusal(
        _GRAPH,
        "the text of a staged tensor leaves the function ({what}) as a plain string, made by code that is not converted",
        "put the text together in converted code: an f-string, format() or str() there can be returned",
    ),
    "characters-of-tensor": Refusal(
        _GRAPH,
        "the text of a staged tensor is looked into ({what}), and its characters exist only when the graph runs",
        "decide by the tensor itself; print, assert and raise take its text; for files and the like use ag.py_function",
    ),
    "number-as-key": Refusal(
        _GRAPH,
        "a staged number is looked up by its hash (a key, a set, a cache), and its value exists only when the graph runs",
        "make the dictionary or set in the function, compare it (`n in (1, 2, 3)`), or index a list or tensor by it",
    ),
    "slice-assignment": Refusal(
        _GRAPH,
        "slices of a list whose length depends on a tensor are assigned lists and tuples, and deleted without a step",
        "assign a list to the slice, or keep the elements that stay by a comprehension",
    ),
    # Python objects by tensors.
    "tensor-key": Refusal(
        _GRAPH,
        "this dictionary was made outside of the function, and cannot get a key there that depends on a tensor",
        "use a plain dictionary of numbers and texts, make it in the function, or give it all its keys (numbers) before",
    ),
    "array-write": Refusal(
        _GRAPH,
        "a NumPy array cannot be written in the graph: its memory is reached in a way that is not seen, or by an argument",
        "write a copy (y = x.copy()), or pass each array once: as an argument, or by a name outside the function",
    ),
    "scalar-iteration": Refusal(
        _GRAPH,
        "a tensor without axes (a scalar) cannot be iterated over",
        "for i in range(n) to count to n; ag.reshape(x, [-1]) to make a vector of it",
    ),
    "range-membership": Refusal(
        _GRAPH,
        "`in` of a range whose {what} depends on a tensor",
        "compare with its bounds: start <= x < stop",
    ),
    "endless-iterator": Refusal(
        _GRAPH,
        "an iterator without end gives items in a branch, a loop or a zip of the graph: only the run knows how many",
        "take them from itertools.count or enumerate(xs, start), or from a generator that yields in its only loop",
    ),
    # NumPy's functions on tensors.
    "numpy-function": Refusal(
        _MISSING,
        "{what} has no counterpart for tensors in a graph or under a tape",
        "use a function of ag, or ag.numpy_function(f, [x], dtype) to call NumPy when the graph runs",
    ),
    "numpy-out": Refusal(
        _MISSING,
        "{what} cannot write from a tensor into an array (out=) under a tape",
        "assign the result: y = np.tanh(x); or write into a tensor, or in a function that ag.function stages",
    ),
    "numpy-arguments": Refusal(
        _MISSING,
        "{what} is not supported for tensors",
        "assign the result, write the argument's work out, or call NumPy by ag.numpy_function when the graph runs",
    ),
    # Functions and their signatures.
    "input-signature": Refusal(
        _ARGUMENT,
        "{name} has {spec} in its input_signature, but was called with {given}",
        "cast or reshape the argument, or widen the signature (None is any size)",
    ),
    "concrete-signature": Refusal(
        _ARGUMENT,
        "{name} was traced for '{argument}' of dtype {dtype} and {shape}, but was called with {given}",
        "cast or reshape the argument, or call the function itself, which is traced again for other types",
    ),
    "no-native-code": Refusal(
        _MISSING,
        "{name} was asked to run as native code (jit_compile=True), but there is none for{missing}",
        "leave jit_compile out, which runs what it can natively, or move these operations out of the function",
    ),
    "generator-function": Refusal(
        _MISSING,
        "generators are not staged on their own: {name}() gives its items one by one, and a graph gives all its results "
        "at once",
        "leave ag.function out: a generator may be looped over in a staged function, which stages it; or return a list",
    ),
    "coroutine-function": Refusal(
        _MISSING,
        "{name}() is a coroutine, which waits between its steps: there is no graph of it",
        "call it as it is, without a graph; or await first, and give what comes to an ag.function of its own",
    ),
    "spec-as-argument": Refusal(
        _ARGUMENT,
        "{name} was called with a TensorSpec where a tensor is needed",
        "call it with a tensor; specs are for get_concrete_function",
    ),
    "variable-created-again": Refusal(
        _STATE,
        "a Variable was created {when}",
        "create variables once: outside the function, in __init__, or guarded by `if self.v is None:`",
    ),
    "variable-initial-value": Refusal(
        _STATE,
        "the initial value of a Variable depends on an argument of the function being traced",
        "create the variable from a value that is known, or outside the function",
    ),
    # What a machine with one device and a library without its extras does not do.
    "one-device": Refusal(
        _MISSING,
        "{what}: there is one device, the processor, which takes memory as it needs it",
        "leave that out: the threads of the processor share each operation",
    ),
    "cache-in-file": Refusal(
        _MISSING,
        "cache() keeps elements in memory only, not in the file '{name}'",
        "leave the file's name out, or write the elements with NumPy and make a dataset of what is read",
    ),
    "gradient-of-factors": Refusal(
        _MISSING,
        "the gradient of {name} is known for {known} only",
        "ask for those; or take the gradient of what the factors are for: ag.linalg.solve, lstsq, eigh, cholesky",
    ),
    "gradient-in-recursion": Refusal(
        _MISSING,
        "{name}() takes the gradient of a call of itself",
        "take the gradient outside of the function, or give the derivative as a function of its own",
    ),
    "needs-scipy": Refusal(
        _MISSING,
        "{name} needs SciPy, which is not installed",
        "pip install 'autograph[native]'",
    ),
}

WARNINGS: dict[str, tuple[str, str]] = {
    # What is wrong, and what to write instead.
    "frozen-value": (
        "{name}() is called while the function is traced: every call of the graph has the value of that time",
        "pass it as an argument, or ask for a number: random, np.random and time.time() are asked at each call",
    ),
    "unrolled-loop": (
        "this `for` is unrolled while tracing, {count} turns so far: it could not be made one loop of the graph",
        "make it `for i in ag.range(n)`, which says what stands in the way (i is then a tensor)",
    ),
    "retracing-argument": (
        "{name} was traced {count} times because its argument {what} differs from call to call",
        "pass it as a tensor (ag.constant), or give sizes that vary as None: input_signature, or reduce_retracing=True",
    ),
    "retracing-state": (
        "{name} was traced {count} times because {what}, which it reads, changes between calls",
        "pass it as a tensor, or make it an ag.Variable and assign to it",
    ),
}


def rendered(
    sentence: str,
    id: str,
    hint: str,
    file: str | None = None,
    line: int | None = None,
    column: int | None = None,
    end_column: int | None = None,
    source_line: str | None = None,
) -> str:
    """The text of an error: its sentence and id, the user's place with a caret, what to do instead.

    Columns count from 0 here and from 1 for people.
    """
    parts = [f"{sentence} [{id}]", *_place(file, line, column, end_column, source_line)]
    if hint:
        parts.append(f"Instead: {hint}")
    return "\n".join(parts)


def _place(
    file: str | None, line: int | None, column: int | None, end_column: int | None, source_line: str | None
) -> list[str]:
    if file is None:
        return []
    place = f'  File "{file}"'
    if line is not None:
        place += f", line {line}"
    if line is not None and column is not None:
        place += f", column {column + 1}"
    if not source_line or not source_line.strip():
        return [place]
    text = source_line.rstrip()
    indent = len(text) - len(text.lstrip())
    lines = [place, "    " + text[indent:]]
    if column is not None and indent <= column < len(text):
        end = end_column if end_column and end_column > column else column + 1
        lines.append("    " + " " * (column - indent) + "^" * (min(end, len(text)) - column))
    return lines


class AutographError(Exception):
    """The base of all errors of the transpiler.

    `str(error)` is the sentence, the user's place with a caret, and what to do:

    >>> print(PassError("`eval` was left over", file="model.py", line=3, column=4, end_column=8,
    ...                 source_line="    eval('x')"))
    `eval` was left over [internal-pass]
      File "model.py", line 3, column 5
        eval('x')
        ^^^^
    Instead: this is a bug in autograph: please report it with the function
    """

    id = "autograph"
    hint = ""

    def __init__(
        self,
        message: str,
        *,
        file: str | None = None,
        line: int | None = None,
        column: int | None = None,
        end_column: int | None = None,
        source_line: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.file = file
        self.line = line
        self.column = column
        self.end_column = end_column
        self.source_line = source_line
        if hint is not None:
            self.hint = hint

    def __str__(self) -> str:
        place = self.file, self.line, self.column, self.end_column, self.source_line
        return rendered(self.message, self.id, self.hint, *place)


class SourceUnavailableError(AutographError):
    """The source text of a function can't be found, so that it can't be converted."""

    id = "source-unavailable"
    hint = (
        "define the function in a file or a notebook cell; for text run by `exec`, give `compile` a file "
        "name and put the text into `linecache.cache` under it"
    )

    @classmethod
    def no_text(cls, name: str, file: str, line: int, asked: bool = False) -> "SourceUnavailableError":
        """The file is not there, or holds nothing; `asked` says that the function has tested a staged tensor."""
        missing = not file.startswith("<")
        needed = ", and it tests a tensor or asks for its value, which only converted code can" if asked else ""
        return cls(
            f"the source of {name!r} is not available{needed}"
            + (": this file is gone, or was never there" if missing else ""),
            file=file,
            line=line,
            hint="keep the .py file beside what is compiled (a .pyc alone holds no source), or call the function outside "
            "of converted code"
            if missing
            else None,
        )

    @classmethod
    def not_python(cls, name: str, file: str, reason: str) -> "SourceUnavailableError":
        """The file does not parse, so it is not what was imported."""
        return cls(
            f"the file of {name!r} does not parse ({reason}): has it changed since it was imported?",
            file=file,
            hint="run the program again",
        )

    @classmethod
    def not_found(cls, name: str, file: str, line: int) -> "SourceUnavailableError":
        """There is a file, but no such function at this line."""
        return cls(
            f"the definition of {name!r} is not at this line: has the file changed since it was imported?",
            file=file,
            line=line,
            hint="run the program again; code built by hand (`code.replace`) has no source",
        )


class AmbiguousLambdaError(SourceUnavailableError):
    """Several lambdas of one line fit a code object and nothing tells them apart."""

    id = "ambiguous-lambda"

    @classmethod
    def several(cls, count: int, file: str, line: int) -> "AmbiguousLambdaError":
        """`count` lambdas fit."""
        return cls(
            f"{count} lambdas on this line look the same, and Python kept no columns to tell them apart",
            file=file,
            line=line,
            hint="put each lambda on a line of its own, or run Python without -X no_debug_ranges",
        )


class NotAFunctionError(AutographError, TypeError):
    """What should be converted is not a Python function."""

    id = "not-a-function"

    @classmethod
    def of(cls, what: str) -> "NotAFunctionError":
        """`what` is how the thing prints."""
        return cls(
            f"{what} is not a Python function with source",
            hint="give a function, method or lambda written in Python",
        )


class PassError(AutographError):
    """A converter broke its own promise: our fault, not the user's."""

    id = "internal-pass"
    hint = "this is a bug in autograph: please report it with the function"

    @classmethod
    def order(cls, converter: str, node: str) -> "PassError":
        """The list of converters is in an order that can't work."""
        return cls(f"{converter} expects {node} to be gone; no earlier pass eliminates it")

    @classmethod
    def left_over(
        cls, converter: str, node: str, file: str, line: int | None, source_line: str | None = None
    ) -> "PassError":
        """A node that a converter eliminates is still there after it ran."""
        return cls(
            f"{converter} left a {node} that it should have replaced",
            file=file,
            line=line,
            source_line=source_line,
        )


for _error in (AutographError, SourceUnavailableError, AmbiguousLambdaError, NotAFunctionError, PassError):
    _error.__module__ = "autograph.errors"  # a traceback names the place that an `except` clause can name, too
