"""Functional control flow under TensorFlow's names: `ag.cond`, `ag.while_loop`, `ag.map_fn`, ...

Written with the hooks that converted code calls, so that each is Python's own control flow eagerly and the same node of
the graph as the statement in a trace.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograph.api.debugging import check
from autograph.api.declare import public
from autograph.api.nest import flatten, map_structure, pack_sequence_as
from autograph.operators.containers.lists import dynamic_of, stacked
from autograph.operators.functions.calls import callee
from autograph.operators.items.for_loops import for_stmt
from autograph.operators.statements.branches import and_, if_exp
from autograph.operators.statements.iterables import StagedRange
from autograph.operators.statements.while_loops import while_stmt
from autograph.operators.values.descriptors import Struct, value_types
from autograph.operators.values.listvalue import ListValue
from runtime.ops.registry import get
from runtime.tensor.dispatch import convert, op
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import STATE
from runtime.typesys.errors import InvalidArgumentError
from runtime.typesys.spec import TensorSpec

__all__ = ["case", "cond", "foldl", "foldr", "map_fn", "scan", "switch_case", "vectorized_map", "while_loop"]


def _called(fn: Any) -> str:
    """What messages call something that is no function."""
    return "None" if fn is None else f"a {type(fn).__name__}"


@public("cond")
def cond(
    pred: Any,
    true_fn: Callable[[], Any] | None = None,
    false_fn: Callable[[], Any] | None = None,
    name: Any = None,
) -> Any:
    """`true_fn()` if `pred` is true, else `false_fn()`: only one of them runs.

    Args:
      pred: a bool, or a boolean tensor without axes.
      true_fn: called without arguments.
      false_fn: the same; both return the same structure of tensors where `pred` is staged.

    Raises:
      TypeError: a function is missing or cannot be called.

    >>> import autograph as ag
    >>> x = ag.constant(-3.0)
    >>> ag.cond(x > 0, lambda: x, lambda: -x).numpy()
    np.float32(3.0)

    Source of the semantics: TensorFlow's `tf.cond`.
    """
    for what, fn in (("true_fn", true_fn), ("false_fn", false_fn)):
        if not callable(fn):
            raise TypeError(f"{what} must be callable, not {_called(fn)}; write lambda: result")
    assert true_fn is not None
    assert false_fn is not None
    return if_exp(pred, lambda: callee(true_fn)(), lambda: callee(false_fn)())


@public("case")
def case(
    pred_fn_pairs: Any,
    default: Callable[[], Any] | None = None,
    exclusive: bool = False,
    strict: bool = False,
    name: Any = None,
) -> Any:
    """The result of the first function whose predicate is true, else of `default`.

    Args:
      pred_fn_pairs: a list of (boolean scalar, function without arguments).
      default: called if no predicate is true.
      exclusive: whether it is an error that more than one predicate is true.

    Raises:
      InvalidArgumentError: no predicate is true and there is no default, or more than one is and `exclusive`.

    >>> import autograph as ag
    >>> x = ag.constant(5)
    >>> ag.case([(x < 3, lambda: "small"), (x < 10, lambda: "middle")], default=lambda: "large")
    'middle'

    Source of the semantics: TensorFlow's `tf.case`.
    """
    pairs = list(pred_fn_pairs)
    if not pairs and default is None:
        raise ValueError("case() needs pairs or a default")
    if exclusive and pairs:
        count = op.sum(op.stack([op.cast(convert(p), dtype=_INT32) for p, _ in pairs], axis=0))
        check(
            op.less_equal(count, 1), lambda: "case(): more than one predicate is true, though exclusive=True"
        )
    if default is None:
        *pairs, (predicate, last) = pairs
        taken = [p for p, _ in pairs]

        def default() -> Any:
            check(
                predicate,
                lambda: f"case(): none of {len(taken) + 1} predicates is true, and there is no default",
            )
            return callee(last)()

    def choose(rest: list[Any]) -> Any:
        if not rest:
            return callee(default)()
        return if_exp(rest[0][0], lambda: callee(rest[0][1])(), lambda: choose(rest[1:]))

    return choose(pairs)


@public("switch_case")
def switch_case(
    branch_index: Any, branch_fns: Any, default: Callable[[], Any] | None = None, name: Any = None
) -> Any:
    """The result of the function with that index; of `default`, or the last one, where there is none.

    Args:
      branch_index: an integer, or an integer tensor without axes.
      branch_fns: a list of functions without arguments, a dictionary from int, or a list of (int, function).
      default: called for any other index; by default the function of the largest index.

    >>> import autograph as ag
    >>> ag.switch_case(ag.constant(1), [lambda: "a", lambda: "b", lambda: "c"])
    'b'
    >>> ag.switch_case(ag.constant(9), {1: lambda: "one", 2: lambda: "two"})
    'two'

    Source of the semantics: TensorFlow's `tf.switch_case`.
    """
    if isinstance(branch_fns, dict):
        pairs = sorted(branch_fns.items())
    elif branch_fns and isinstance(branch_fns[0], (tuple, list)):
        pairs = sorted((int(i), f) for i, f in branch_fns)
    else:
        pairs = list(enumerate(branch_fns))
    if not pairs:
        raise ValueError("switch_case() needs at least one branch")
    for _, fn in pairs:
        if not callable(fn):
            raise TypeError(f"the branches of switch_case() must be callable, not {_called(fn)}; write lambda: result")
    if default is None:
        default = pairs[-1][1]
    tests = [(op.equal(convert(branch_index), i), f) for i, f in pairs]
    return case(tests, default)


@public("while_loop")
def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    shape_invariants: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    maximum_iterations: Any = None,
    name: Any = None,
) -> Any:
    """Run `body` while `cond` is true; both take the loop variables, `body` returns their new values.

    Shapes and dtypes may change from one iteration to the next: their common type is found, so `shape_invariants` is
    not needed and not looked at; nor are `parallel_iterations`, `back_prop` and `swap_memory`.

    Args:
      cond: (*loop_vars) -> boolean scalar.
      body: (*loop_vars) -> a list or tuple of as many values (of one variable, it may be the value itself).
      loop_vars: a list, tuple or namedtuple of tensors, numbers, TensorArrays or structures of them.
      maximum_iterations: stop after so many.

    Returns:
      The final values, in a structure like `loop_vars`.

    Raises:
      ValueError: `body` returns another number of values.

    >>> import autograph as ag
    >>> i, total = ag.while_loop(lambda i, t: i < 5, lambda i, t: (i + 1, t + i), (0, 0))
    >>> total.numpy()
    np.int32(10)

    Source of the semantics: TensorFlow's `tf.while_loop`.
    """
    for what, fn in (("cond", cond), ("body", body)):
        if not callable(fn):
            raise TypeError(f"{what} must be callable, not {_called(fn)}; write lambda i, x: result")
    single = not isinstance(loop_vars, (list, tuple))
    first = [loop_vars] if single else loop_vars
    if not first:
        raise ValueError("while_loop() needs loop variables")
    state: Any = tuple(_tensors(v) for v in first)
    count: Any = 0

    def loop_test() -> Any:
        go_on = callee(cond)(*state)
        return (
            go_on if maximum_iterations is None else and_(op.less(count, maximum_iterations), lambda: go_on)
        )

    def loop_body() -> None:
        nonlocal state, count
        new = callee(body)(*state)
        if not isinstance(new, (list, tuple)) or (len(state) == 1 and len(new) != 1):
            new = (new,)
        if len(new) != len(state):
            raise ValueError(
                f"the body of while_loop() returned {len(new)} values for {len(state)} loop variables"
            )
        new = tuple(_tensors(v) for v in new)
        for i, (before, after) in enumerate(zip(state, new, strict=True)):
            if isinstance(before, Tensor) and isinstance(after, (list, tuple, dict)):
                kind = type(after).__name__
                raise ValueError(f"loop variable {i} of while_loop() is a tensor before the body, and a {kind} after it")
        state = new
        if maximum_iterations is not None:
            count = count + 1

    while_stmt(loop_test, loop_body, ("state", "count"))
    if single or (type(loop_vars) is list and len(loop_vars) == 1):
        return state[0] if single else [state[0]]
    if hasattr(loop_vars, "_make"):
        return loop_vars._make(state)
    return list(state) if isinstance(loop_vars, list) else state


def _tensors(x: Any) -> Any:
    """A loop variable with its numbers and arrays as tensors."""
    if isinstance(x, Tensor):
        return x
    if isinstance(x, (bool, int, float, complex, np.ndarray, np.generic)):
        return convert(x)
    return map_structure(_tensors, x) if isinstance(x, (list, tuple, dict)) else x


@public("map_fn")
def map_fn(
    fn: Callable[..., Any],
    elems: Any,
    dtype: Any = None,
    parallel_iterations: int | None = None,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    name: Any = None,
    fn_output_signature: Any = None,
) -> Any:
    """`fn` of each element of the first axis, the results stacked.

    Args:
      fn: takes one element: of a structure of tensors, a structure of their elements.
      elems: a tensor, or a structure of tensors with first axes of one size.
      fn_output_signature: dtype (or `TensorSpec`, or a structure) of the results; needed where there are no elements.

    Returns:
      A tensor, or a structure of tensors, with the same first axis.

    >>> import autograph as ag
    >>> ag.map_fn(lambda x: x * x, ag.constant([1, 2, 3])).numpy()
    array([1, 4, 9], dtype=int32)
    >>> sums, products = ag.map_fn(lambda p: (p[0] + p[1], p[0] * p[1]), (ag.constant([1, 2]), ag.constant([3, 4])),
    ...                            fn_output_signature=(ag.int32, ag.int32))
    >>> sums.numpy(), products.numpy()
    (array([4, 6], dtype=int32), array([3, 8], dtype=int32))

    Source of the semantics: TensorFlow's `tf.map_fn`.
    """
    elems = map_structure(convert, elems)
    out: list[Any] = []

    def loop_body(i: Any) -> None:
        result = callee(fn)(_element(elems, i))
        callee(out.append)(_outputs(result, dtype if fn_output_signature is None else fn_output_signature))

    count = _count(elems)
    for_stmt(_range(count), loop_body, ())
    return _stacked(out, elems, dtype if fn_output_signature is None else fn_output_signature)


@public("vectorized_map")
def vectorized_map(
    fn: Callable[..., Any],
    elems: Any,
    fallback_to_while_loop: bool = True,
    warn: bool = True,
    name: Any = None,
) -> Any:
    """`fn` of each element of the first axis, the results stacked: as `map_fn`; elements are not taken at once.

    >>> import autograph as ag
    >>> ag.vectorized_map(lambda x: ag.reduce_sum(x), ag.constant([[1.0, 2.0], [3.0, 4.0]])).numpy()
    array([3., 7.], dtype=float32)

    Source of the semantics: TensorFlow's `tf.vectorized_map`.
    """
    return map_fn(fn, elems)


@public("foldl")
def foldl(
    fn: Callable[..., Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: Any = None,
) -> Any:
    """`fn(... fn(fn(initializer, elems[0]), elems[1]) ...)`; without an initializer the first element is it.

    Args:
      fn: (accumulated, element) -> accumulated.
      elems: a tensor, or a structure of tensors with first axes of one size.
      initializer: a tensor or a structure of tensors.

    Raises:
      InvalidArgumentError: there are neither elements nor an initializer.

    >>> import autograph as ag
    >>> ag.foldl(lambda a, x: 10 * a + x, ag.constant([1, 2, 3])).numpy()
    np.int32(123)

    Source of the semantics: TensorFlow's `tf.foldl`.
    """
    return _fold(fn, elems, initializer, backwards=False)


@public("foldr")
def foldr(
    fn: Callable[..., Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: Any = None,
) -> Any:
    """As `foldl`, from the last element to the first.

    >>> import autograph as ag
    >>> ag.foldr(lambda a, x: 10 * a + x, ag.constant([1, 2, 3])).numpy()
    np.int32(321)

    Source of the semantics: TensorFlow's `tf.foldr`.
    """
    return _fold(fn, elems, initializer, backwards=True)


def _fold(fn: Callable[..., Any], elems: Any, initializer: Any, backwards: bool) -> Any:
    elems = map_structure(convert, elems)
    count = _count(elems)
    start = 0
    if initializer is None:
        if isinstance(count, int) and count == 0:
            raise InvalidArgumentError("a fold of no elements needs an initializer")
        start = 1
        accumulated = _element(elems, count - 1 if backwards else 0)
    else:
        accumulated = map_structure(_tensors, initializer)

    def loop_body(i: Any) -> None:
        nonlocal accumulated
        accumulated = callee(fn)(accumulated, _element(elems, count - 1 - i if backwards else i))

    for_stmt(_range(count, start), loop_body, ("accumulated",))
    return accumulated


@public("scan")
def scan(
    fn: Callable[..., Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    reverse: bool = False,
    name: Any = None,
) -> Any:
    """What `foldl` accumulates, after each element, stacked; with `reverse`, from the last element to the first.

    Args:
      fn: (accumulated, element) -> accumulated.
      elems: a tensor, or a structure of tensors with first axes of one size.
      initializer: a tensor or a structure of tensors; without one the first element is it, and the first result.

    >>> import autograph as ag
    >>> ag.scan(lambda a, x: a + x, ag.constant([1, 2, 3])).numpy()
    array([1, 3, 6], dtype=int32)
    >>> ag.scan(lambda a, x: a + x, ag.constant([1, 2, 3]), reverse=True).numpy()
    array([6, 5, 3], dtype=int32)

    Source of the semantics: TensorFlow's `tf.scan`.
    """
    elems = map_structure(convert, elems)
    count = _count(elems)
    out: list[Any] = []
    start = 0
    if initializer is None:
        if isinstance(count, int) and count == 0:
            raise InvalidArgumentError("scan() of no elements needs an initializer")
        start = 1
        accumulated = _element(elems, count - 1 if reverse else 0)
        out.append(accumulated)
    else:
        accumulated = map_structure(_tensors, initializer)

    def loop_body(i: Any) -> None:
        nonlocal accumulated
        made = callee(fn)(accumulated, _element(elems, count - 1 - i if reverse else i))
        if len(flatten(made)) != len(flatten(accumulated)):
            raise ValueError(
                f"the function of scan() gave {len(flatten(made))} tensors where {len(flatten(accumulated))} are "
                f"accumulated: it gives what it takes first; initializer= says what that is"
            )
        accumulated = made
        callee(out.append)(accumulated)

    first = accumulated
    for_stmt(_range(count, start), loop_body, ("accumulated",))
    results = _stacked(out, first, None, of_initializer=initializer is not None)
    return map_structure(lambda t: op.reverse(t, axis=(0,)), results) if reverse else results


_INT32 = convert(0).dtype


def _count(elems: Any) -> Any:
    """The size of the first axes: an int where it is known."""
    leaves = flatten(elems)
    if not leaves:
        raise ValueError("there are no tensors to take elements of")
    return leaves[0].shape[0]


def _range(count: Any, start: int = 0) -> Any:
    """The indices, staged in a trace: one body in the graph, however many elements there are."""
    return range(start, count) if STATE.trace is None else StagedRange(start, count)


def _element(elems: Any, i: Any) -> Any:
    return map_structure(lambda t: op.get_item(t, i), elems)


def _outputs(result: Any, signature: Any) -> Any:
    """A result of `fn` as tensors, of the dtypes asked for."""
    result = map_structure(_tensors, result)
    if signature is None:
        return result
    wanted = flatten(signature)
    leaves = flatten(result)
    if len(wanted) != len(leaves):
        raise ValueError(f"fn returned {len(leaves)} tensors; fn_output_signature names {len(wanted)}")
    pairs = zip(leaves, wanted, strict=True)
    return pack_sequence_as(
        result, [convert(t, w.dtype if isinstance(w, TensorSpec) else w) for t, w in pairs]
    )


def _stacked(out: list[Any], like: Any, signature: Any, of_initializer: bool = False) -> Any:
    """The results of the iterations, stacked leaf by leaf."""
    value = dynamic_of(out)
    if value is not None:
        return _columns(value)
    if out:
        return pack_sequence_as(
            out[0], [op.stack(list(column), axis=0) for column in zip(*map(flatten, out), strict=True)]
        )
    if signature is not None:
        return map_structure(_none_of, signature)
    return map_structure(lambda t: _zeros((0, *(t.shape if of_initializer else t.shape[1:])), t.dtype), like)


def _none_of(wanted: Any) -> Any:
    spec = wanted if isinstance(wanted, TensorSpec) else TensorSpec((), wanted)
    return _zeros((0, *(spec.shape or ())), spec.dtype)


def _zeros(shape: Any, dtype: Any) -> Any:
    return get("zeros").rules.call(op, shape, dtype)


def _columns(value: ListValue) -> Any:
    """A staged list of structures as a structure of stacked tensors."""
    element = value.element
    if not isinstance(element, Struct):
        return stacked(value)
    parts, at = [], 0
    for child in element.children:
        width = len(value_types(child))
        parts.append(_columns(ListValue(child, value.values[at : at + width])))
        at += width
    if issubclass(element.kind, dict):
        return dict(zip(element.keys, parts, strict=True))
    if issubclass(element.kind, tuple):
        return element.kind._make(parts) if element.keys else tuple(parts)  # type: ignore[attr-defined]
    return parts
