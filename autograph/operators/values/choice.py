"""Values that are one of several alternatives on different paths: None or unbound or a tensor, one string or another.

A staged `Choice` is a tag (a staged integer) and the alternatives. Tests (`is None`) read the tag. A use needs the one
alternative that is neither None nor unbound: it leaves a check in the graph that raises Python's own error at run time.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any
from weakref import ref

from autograph.errors.refusals import refusal
from autograph.operators.state.nesting import is_open
from autograph.operators.state.places import UNBOUND, Label
from runtime.tensor import trace as trace_module
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import STATE
from runtime.typesys.errors import (
    OperatorNotAllowedInGraphError,
    OpError,
    UnboundVariableError,
    UnimplementedError,
)
from runtime.typesys.late import pattern

__all__ = [
    "CHOICES",
    "Choice",
    "MaybeTensor",
    "alternatives_of",
    "bound",
    "is_mixed",
    "is_read",
    "make_choice",
    "resolve",
    "select",
    "select_any",
    "select_of",
    "tag_of",
]


class Choice:
    """One of `alternatives` (Python values that may hold staged tensors), by the staged integer `tag`."""

    __slots__ = ("__weakref__", "_alternatives", "_checked", "_descriptor", "_left", "_name", "_tag")
    __hash__ = object.__hash__

    def __init__(self, descriptor: Any, tag: Tensor, alternatives: list[Any], name: str = "") -> None:
        self._descriptor = descriptor
        self._tag = tag
        self._alternatives = alternatives
        self._name = name
        self._checked: list[Any] = []
        self._left: list[tuple[Any, frozenset[int]]] = []  # (graph of a branch, what the branch's test leaves of the tags)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name not in _READABLE:
            raise AttributeError(name)
        return select(self, lambda value: getattr(value, name))

    def __getitem__(self, index: Any) -> Any:
        return select(self, lambda value: value[index])

    def __iter__(self) -> Any:
        count = _common_length(self)
        return iter(resolve(self) if count is None else [self[i] for i in range(count)])

    def __len__(self) -> int:
        count = _common_length(self)
        return len(resolve(self)) if count is None else count

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return select(self, lambda value: value(*args, **kwargs))

    def __tensor__(self) -> Any:
        """As a tensor: that of the alternative that is taken, where all have one type."""
        made = select(self, op.convert)
        return resolve(made) if type(made) is Choice else made

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        at = next(i for i, x in enumerate(inputs) if x is self)
        call = getattr(ufunc, method)
        return select(self, lambda value: call(*inputs[:at], value, *inputs[at + 1 :], **kwargs))

    def __bool__(self) -> bool:
        raise refusal("choice-in-python", what=self._name or f"<one of {self._alternatives}>")

    def __eq__(self, other: Any) -> Any:
        return equals(self, other)

    def __ne__(self, other: Any) -> Any:
        return op.logical_not(equals(self, other))

    def __repr__(self) -> str:
        return f"<one of {self._alternatives}>" if STATE.trace is None else text_hook(self, repr)

    def __str__(self) -> str:
        return f"<one of {self._alternatives}>" if STATE.trace is None else text_hook(self, str)

    def __format__(self, spec: str) -> str:
        return text_hook(self, lambda value: format(value, spec), spec)


text_hook: Any = None  # the text of a choice, as a token in the text around it; put here by `printing`
_READABLE = frozenset(("__name__", "__qualname__", "__module__", "__doc__"))


def _common_length(choice: Choice) -> int | None:
    """How many items each of several alternatives has, where all have as many; else None."""
    usable = [a for _, a in usable_of(choice)]
    if len(usable) == 1 or any(type(a) not in (str, tuple, list) for a in usable):
        return None
    lengths = set(map(len, usable))
    return lengths.pop() if len(lengths) == 1 else None


def _delegate(apply: Callable[..., Any], reflected: bool = False) -> Any:
    def method(self: Choice, *args: Any) -> Any:
        return select(self, lambda value: apply(*args, value) if reflected else apply(value, *args))

    return method


for _n in "add sub mul truediv floordiv mod pow matmul and or xor lt le gt ge".split():
    _apply = getattr(operator, f"{_n}_" if _n in ("and", "or") else _n)
    setattr(Choice, f"__{_n}__", _delegate(_apply))
    if _n not in ("lt", "le", "gt", "ge"):
        setattr(Choice, f"__r{_n}__", _delegate(_apply, reflected=True))
for _n in ("neg", "pos", "abs", "invert", "contains"):
    setattr(Choice, f"__{_n}__", _delegate(getattr(operator, _n)))
for _n in ("enter", "exit"):
    setattr(Choice, f"__{_n}__", _delegate(lambda value, *args, _n=_n: getattr(type(value), f"__{_n}__")(value, *args)))


class MaybeTensor(Tensor):
    """A tensor that may be None or unbound on the path taken; using it, other than by == and !=, checks that it is there."""

    __slots__ = ("_inner", "choice")

    def __init__(self, choice: Choice, inner: Tensor) -> None:
        self.choice = choice
        self._inner = inner

    @property
    def _value(self) -> Any:
        resolve(self.choice)
        return self._inner._value

    @_value.setter
    def _value(self, value: Any) -> None:
        self._inner._value = value

    @property
    def type(self) -> Any:
        return self._inner.type

    @property
    def dtype(self) -> Any:
        return self._inner.dtype

    def __eq__(self, other: Any) -> Any:
        return _equal_or_absent(self, other)

    def __ne__(self, other: Any) -> Any:
        equal = _equal_or_absent(self, other)
        return op.logical_not(equal) if isinstance(equal, Tensor) else not equal

    __hash__ = Tensor.__hash__

    def __str__(self) -> str:
        return str(self.choice)

    def __format__(self, spec: str) -> str:
        return format(self.choice, spec)

    def __repr__(self) -> str:
        return f"<Tensor staged {self._inner.type}, or {self.choice._name or 'it'} is not set>"


CHOICES = (MaybeTensor, Choice)


def make_choice(descriptor: Any, tag: Tensor, alternatives: list[Any], name: str = "") -> Any:
    """A `MaybeTensor` where one alternative is a tensor and the others are absences; else a `Choice`."""
    choice = Choice(descriptor, tag, alternatives, name)
    if STATE.trace is not None:
        STATE.trace.notes["choices"] = True
        trace_module.unusual(STATE.trace)
    present = [a for a in alternatives if a is not None and a is not UNBOUND]
    if len(present) == 1 and isinstance(present[0], Tensor):
        return MaybeTensor(choice, present[0])
    if len(present) > 1 and STATE.trace is not None:
        STATE.trace.notes["mixed"] = True
    return choice


def is_mixed(x: Any) -> bool:
    """Whether `x` is a choice of which several alternatives can be used."""
    return type(x) is Choice and len(usable_of(x)) > 1


def choice_of(x: Any) -> Choice | None:
    """The choice behind `x`, if it is one."""
    kind = type(x)
    if kind is MaybeTensor:
        return x.choice  # type: ignore[no-any-return]
    return x if kind is Choice else None


def alternatives_of(x: Any) -> list[Any]:
    """What `x` may be: its alternatives, or itself."""
    choice = choice_of(x)
    return [x] if choice is None else choice._alternatives


def tag_of(choice: Choice) -> Tensor:
    """The staged integer that tells which alternative it is."""
    return choice._tag


def options_of(choice: Choice) -> list[tuple[int, Any]]:
    """(tag, alternative) of those that the tests of the branches around leave."""
    options = list(enumerate(choice._alternatives))
    if choice._left and STATE.trace is not None:
        for graph, tags in choice._left:
            if is_open(STATE.trace, graph):
                options = [(i, a) for i, a in options if i in tags] or options  # none: nobody comes here
    return options


_TOLD = "alternatives told"  # a note: staged truths, with what they tell of choices


Fact = tuple[Choice, frozenset[int], frozenset[int]]
"""What a truth tells of a choice: its tags where it is true, and where it is false."""


def tags_of(choice: Choice) -> frozenset[int]:
    """All tags of a choice."""
    return frozenset(range(len(choice._alternatives)))


def tell(truth: Any, *facts: Fact) -> Any:
    """`truth`, a staged one, of which it is noted what it tells of choices."""
    if facts and STATE.trace is not None and isinstance(truth, Tensor):
        noted = tuple((ref(choice), if_true, if_false) for choice, if_true, if_false in facts)  # it holds none of them
        STATE.trace.notes.setdefault(_TOLD, {})[truth._value] = noted
    return truth


def told_by(truth: Tensor) -> tuple[Fact, ...]:
    """What a staged truth tells of choices."""
    table = None if STATE.trace is None else STATE.trace.notes.get(_TOLD)
    if table is None:
        return ()
    noted = ((known(), if_true, if_false) for known, if_true, if_false in table.get(truth._value, ()))
    return tuple(fact for fact in noted if fact[0] is not None)


def knowing(truth: Tensor, when: bool, thunk: Callable[[], Any]) -> Callable[[], Any]:
    """`thunk`, to be traced where `truth` is `when`: the choices it tells of have fewer alternatives there."""
    facts = told_by(truth)
    if not facts:
        return thunk

    def known() -> Any:
        assert STATE.trace is not None
        for choice, if_true, if_false in facts:
            choice._left.append((STATE.trace.builder.region.graph, if_true if when else if_false))
        return thunk()

    return known


def left_in(graph: Any, x: Any) -> Any:
    """The one alternative of `x` that the test of the branch of this graph leaves; else `x` itself."""
    choice = choice_of(x)
    if choice is None or not choice._left:
        return x
    for branch, tags in choice._left:
        if branch is graph and len(tags) == 1:
            return choice._alternatives[next(iter(tags))]
    return x


def resolve(x: Any) -> Any:
    """The one alternative that can be used, checked at run time; `x` itself if it is no choice.

    Raises:
      OperatorNotAllowedInGraphError: two alternatives could be used, of different structure.
    """
    if type(x) not in CHOICES:
        return x
    choice = choice_of(x)
    assert choice is not None
    usable = usable_of(choice)
    if len(usable) != 1:
        shown = ", ".join(_show(a) for _, a in options_of(choice))
        raise refusal("mixed-alternatives", what=_called(choice), shown=shown)
    require_usable(choice)
    return usable[0][1]


def usable_of(choice: Choice) -> list[tuple[int, Any]]:
    """(tag, alternative) of those that are neither None nor unbound."""
    return [(i, a) for i, a in options_of(choice) if a is not None and a is not UNBOUND]


def require_usable(choice: Choice) -> None:
    """Leave a check in the graph: Python's own error where the choice is None or unbound."""
    trace = STATE.trace
    options, usable = options_of(choice), usable_of(choice)
    if trace is None or len(usable) == len(options) or _is_checked(choice):
        return
    choice._checked.append(trace.builder.region.graph)
    errors: list[tuple[Any, ...]] = []
    for i, a in options:
        if a is UNBOUND:
            errors.append((i, *_error_of_unbound(choice)))
        elif a is None:
            errors.append((i, TypeError, f"{_called(choice)} is None here, on the path that was taken; a tensor is needed"))
    index = usable[0][0] if len(usable) == 1 else -1
    op.require_alternative(choice._tag, index=index, errors=tuple(errors))


def _error_of_unbound(choice: Choice) -> tuple[Any, ...]:
    """Python's error, and its arguments, for reading the place where it holds nothing."""
    name = choice._name
    if isinstance(name, Label):
        return name.error  # type: ignore[attr-defined,no-any-return]
    return UnboundVariableError, name or "value", "it must be initialized on each path, or before the branch or loop"


def select(x: Any, use: Callable[[Any], Any]) -> Any:
    """`use(alternative)` of the alternative taken: each on its own path, where there are several."""
    choice = choice_of(x)
    if choice is None:
        return use(x)
    usable = usable_of(choice)
    if len(usable) == 1 or STATE.trace is None:
        return use(resolve(x))
    require_usable(choice)
    return select_of(choice, usable, use)


def select_any(x: Any, use: Callable[[Any], Any]) -> Any:
    """As `select`, where None is as good as any other."""
    choice = choice_of(x)
    return use(x) if choice is None else select_of(choice, require_bound(choice), use)


def select_of(choice: Choice, options: list[tuple[int, Any]], use: Callable[[Any], Any]) -> Any:
    """`use(alternative)` of the one taken of `options`, (tag, alternative) each: it is one of them."""
    if len(options) == 1:
        try:
            return use(options[0][1])
        except (*_OWN, OpError) as error:
            if isinstance(error, (OperatorNotAllowedInGraphError, UnimplementedError)):
                raise
            raise raised_hook(error) from None
    half = len(options) // 2
    first, rest = options[:half], options[half:]
    test = op.equal(choice._tag, first[0][0]) if half == 1 else op.less(choice._tag, rest[0][0])
    return branch_hook(test, lambda: select_of(choice, first, use), lambda: select_of(choice, rest, use))


_OWN = (AttributeError, TypeError, IndexError, KeyError, ValueError)
"""What Python raises of a value that is not what it has to be: here only on the path on which it is."""
raised_hook: Any = None  # makes an exception one of the path; put here by `asserts`
branch_hook: Any = None  # stages two thunks under a test; put here by the module that can


def without_unbound(x: Any) -> Any:
    """`x` where it is known to be bound."""
    choice = choice_of(x)
    assert choice is not None
    bound = [a for a in choice._alternatives if a is not UNBOUND]
    if len(bound) == 1:
        return bound[0]
    assert STATE.trace is not None
    choice._checked.append(STATE.trace.builder.region.graph)
    return x


def require_bound(choice: Choice) -> list[tuple[int, Any]]:
    """(tag, alternative) of those that a read of the name can give: it raises UnboundLocalError where nothing is bound."""
    options = options_of(choice)
    bound = [(i, a) for i, a in options if a is not UNBOUND]
    if len(bound) < len(options) and STATE.trace is not None and not _is_checked(choice):
        error = _error_of_unbound(choice)
        errors = tuple((i, *error) for i, a in options if a is UNBOUND)
        op.require_alternative(choice._tag, index=-1, errors=errors)
    return bound


def bound(x: Any) -> Any:
    """What is written somewhere, which Python would have read before: a name that nothing is bound to raises. (That an item
    or an attribute is unbound says that it is not there.)"""
    return without_unbound(x) if is_read(x) else x


def is_read(x: Any) -> bool:
    """Whether a value is what a name holds that may be unbound, which Python would have read: it raises there."""
    choice = choice_of(x)
    if choice is None or not any(a is UNBOUND for a in choice._alternatives):
        return False
    name = choice._name
    if not (issubclass(name.error[0], NameError) if isinstance(name, Label) else name):  # type: ignore[attr-defined]
        return False
    require_bound(choice)
    if STATE.trace is not None:
        choice._checked.append(STATE.trace.builder.region.graph)
    return True


def _is_checked(choice: Choice) -> bool:
    """Whether a check of this choice stands on the path that led here."""
    assert STATE.trace is not None
    return any(is_open(STATE.trace, graph) for graph in choice._checked)


def _called(choice: Choice) -> str:
    name = choice._name
    return "what the function returned" if name == "return_value" else f"'{name}'" if name else "this value"


def _show(a: Any) -> str:
    """An alternative in a message, where tensors are their types: `(float32[], 'a')`."""
    return "unbound" if a is UNBOUND else _STAGED.sub(r"\1", repr(a))


_STAGED = pattern("<Tensor staged ([^>]*)>")


def _never(alternative: Any) -> bool:
    return False


def is_alternative(choice: Choice, test: Callable[[Any], Any], there: Callable[[Any], bool] = _never) -> Any:
    """Staged (or Python) truth of "the alternative taken passes `test`", whose answers may be staged, too."""
    bound = require_bound(choice)
    return truth_among(choice, bound, test, len(bound), there)


def truth_among(
    choice: Choice,
    options: list[tuple[int, Any]],
    test: Callable[[Any], Any],
    all_of: int,
    there: Callable[[Any], bool] = _never,
) -> Any:
    """Staged (or Python) truth of "it is one of `options`, (tag, alternative) each, that passes `test`".

    If `all_of` of them pass, it is true in Python. What `there` is true of can be asked only where it is there.
    """
    result: Any = False
    passing, failing = set(), set()
    for i, alternative in options:
        hit = op.equal(choice._tag, i)
        answer = branch_hook(hit, lambda: test(alternative), lambda: False) if there(alternative) else test(alternative)
        if not isinstance(answer, Tensor):
            answer = bool(answer)
        if answer is not True:
            failing.add(i)
        if answer is False:
            continue
        passing.add(i)
        if answer is not True:
            hit = op.logical_and(hit, answer)
        result = hit if result is False else op.logical_or(result, hit)
    if not failing and len(passing) == all_of:
        return True
    return tell(result, (choice, frozenset(passing), frozenset(failing)))


def _equal_or_absent(maybe: MaybeTensor, other: Any) -> Any:
    """`maybe == other`: where it is None, whether the other is None, too."""
    choice = maybe.choice
    options = require_bound(choice)
    if STATE.trace is None or all(a is not None for _, a in options):
        return maybe._inner == other
    if choice_of(other) is not None:
        return select_any(other, lambda b: _equal_or_absent(maybe, b))
    if maybe.type.shape != ():
        return select_any(maybe, lambda a: a == other)
    is_there = op.equal(choice._tag, next((i for i, a in options if a is not None), -1))
    if other is None:
        return op.logical_not(is_there)
    equal = maybe._inner == other
    return op.logical_and(is_there, equal) if isinstance(equal, Tensor) else equal


equal_hook: Callable[[Any, Any], Any] = operator.eq  # of tuples and lists by their items; put here by `comparisons`


def equals(choice: Choice, other: Any) -> Any:
    """`choice == other`: of alternatives that Python itself can compare by the tag alone."""
    if isinstance(other, Tensor) or any(isinstance(a, (Tensor, tuple, list, dict)) for a in choice._alternatives):
        return select_any(choice, lambda a: equal_hook(a, other))

    def test(a: Any) -> Any:
        found = a is not UNBOUND and a == other
        return found if isinstance(found, Tensor) else bool(found)  # staged where the other is a choice, too

    return is_alternative(choice, test)
