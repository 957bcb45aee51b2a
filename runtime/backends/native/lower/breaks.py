"""What ends a loop: tests that some element of a mask is so, and the `break` of a turn in which none is."""

from __future__ import annotations

from runtime.ir.graph import Graph, Node, Value

__all__ = ["Break", "find_break", "no_element", "some_element"]

_SOME = (("greater", 0), ("not_equal", 0), ("greater_equal", 1))  # what a count of trues compares with if there is one
_NONE = (("equal", 0), ("less", 1), ("less_equal", 0))
_FLIPPED = {"less": "greater", "greater": "less", "less_equal": "greater_equal", "greater_equal": "less_equal"}


class Break:
    """A `break` where no element of a mask is live.

    flag  which carried value says that there was one
    node  the `cond` that does the rest of the turn where there is none
    on    its region for that; off is the other
    mask  a value of the body; live what it says of elements that may change yet
    """

    def __init__(self, flag: int, node: Node, on: Graph, off: Graph, mask: Value, live: bool) -> None:
        self.flag = flag
        self.node = node
        self.on = on
        self.off = off
        self.mask = mask
        self.live = live


def find_break(loop: Node, tests: list[Value]) -> Break | None:
    """The `break` of a `while_loop`, all of whose tests must hold for another turn."""
    body = loop.regions[-1]
    for test in tests:
        asked = test.node.inputs[0] if test.node is not None and test.node.op.name == "logical_not" else None
        if asked is None or asked.node is not None or asked.index >= loop.carried:
            continue
        found = _of_flag(body, asked.index)
        if found is not None:
            return found
    return None


def _of_flag(body: Graph, flag: int) -> Break | None:
    out = body.outputs[flag]
    node = out.node
    if node is None or node.op.name != "cond":
        return None
    for k, on in enumerate(node.regions):
        off = node.regions[1 - k]
        stays = on.outputs[out.index]
        same = stays.node is None and node.inputs[1 + stays.index] is body.inputs[flag]
        if _truth(off.outputs[out.index]) is True and (same or _truth(stays) is False):
            mask = (no_element if k else some_element)(node.inputs[0])
            return None if mask is None else Break(flag, node, on, off, *mask)
    return None


def _truth(value: Value) -> bool | None:
    node = value.node
    return bool(node.attrs["value"]) if node is not None and node.op.name == "constant" else None


def some_element(value: Value) -> tuple[Value, bool] | None:
    """The mask of which a value says that some element is true, or false."""
    node = value.node
    if node is None:
        return None
    name = node.op.name
    if name in ("cast", "identity"):
        return some_element(node.inputs[0]) if _dtype(value) == "bool" else None
    if name == "reduce_any" and _is_whole(node):
        return node.inputs[0], True
    if name == "logical_not":
        return no_element(node.inputs[0])
    return _counted(node, _SOME)


def no_element(value: Value) -> tuple[Value, bool] | None:
    """The mask of which a value says that no element is true, or false."""
    node = value.node
    if node is None:
        return None
    name = node.op.name
    if name in ("cast", "identity"):
        return no_element(node.inputs[0]) if _dtype(value) == "bool" else None
    if name == "reduce_all" and _is_whole(node):
        return node.inputs[0], False
    if name == "logical_not":
        return some_element(node.inputs[0])
    return _counted(node, _NONE)


def _is_whole(node: Node) -> bool:
    """Whether a reduction is one of truths, over all axes."""
    return _dtype(node.inputs[0]) == "bool" and _over_all(node)


def _counted(node: Node, wanted: tuple[tuple[str, int], ...]) -> tuple[Value, bool] | None:
    """The mask whose trues, counted or the largest of them as numbers, a comparison asks for."""
    if len(node.inputs) != 2:
        return None
    name, (count, least) = node.op.name, node.inputs
    if count.node is not None and count.node.op.name == "constant":
        name, count, least = _FLIPPED.get(name, name), least, count
    if least.node is None or least.node.op.name != "constant" or least.tensor_type.shape != ():
        return None
    if (name, least.node.attrs["value"]) not in wanted:
        return None
    made = count.node
    if made is None or made.op.name not in ("reduce_sum", "reduce_max") or not _over_all(made):
        return None
    counted = made.inputs[0]
    if counted.node is not None and counted.node.op.name == "cast" and _dtype(counted) in _NUMBERS:
        counted = counted.node.inputs[0]
    return (counted, True) if _dtype(counted) == "bool" else None


_NUMBERS = ("int32", "int64", "float32", "float64")


def _over_all(node: Node) -> bool:
    return node.attrs.get("axis") is None and not node.attrs.get("keepdims") and len(node.inputs) == 1


def _dtype(value: Value) -> str:
    return value.tensor_type.dtype.name
