"""Building graphs: a stack of open regions, with outside values captured as inputs of the region that uses them."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from runtime.ir.graph import Calling, Graph, Location, Node, Value
from runtime.ops.registry import Op
from runtime.typesys.errors import leaked_tensor
from runtime.typesys.spec import ValueType

__all__ = ["Builder", "Region", "calling", "emit", "internal_folders", "user_location", "users_frame"]

_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
internal_folders: list[str] = [_HERE + os.sep]  # the front end adds its own folder


_ours: dict[str, bool] = {}  # by name of a file
_RESUMED = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR  # frames that have many callers


def _is_ours(file: str) -> bool:
    found = _ours.get(file)
    if found is None:
        found = _ours[file] = file.startswith(tuple(internal_folders))
    return found


def users_frame(frame: FrameType | None) -> FrameType | None:
    """The nearest frame outside this package."""
    while frame is not None and _is_ours(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def user_location(root: int = 0) -> Location | None:
    """File, line and function of the nearest frame outside this package, and the calls between it and the frame `root`."""
    frame = users_frame(sys._getframe(1))
    if frame is None:
        return None
    code = frame.f_code
    callers = calling(frame, root) if root and id(frame) != root else None
    return Location(code.co_filename, frame.f_lineno, code.co_name, code, frame.f_lasti, callers)


def calling(frame: FrameType, root: int) -> Calling | None:
    """The calls of the user's that led to a frame from the one with the id `root`.

    They stay the same while it runs, so it keeps them itself, in the one place that frames have for others (unless a
    debugger uses it): to walk the stack for each node would cost more than to make the node.
    """
    pending: list[FrameType] = []
    caller: FrameType | None = frame
    known: Any = None
    while caller is not None and id(caller) != root:
        known = caller.f_trace
        if type(known) is Calling:
            break
        known = None
        pending.append(caller)
        caller = users_frame(caller.f_back)
    else:
        caller = None
    calls = known or Calling()
    keep = sys.gettrace() is None
    for inner in reversed(pending):
        if caller is not None:
            calls = Calling(caller.f_code, caller.f_lasti, calls)
        if keep and not inner.f_code.co_flags & _RESUMED:
            inner.f_trace = calls
        caller = inner
    return calls if calls.code is not None else None


class Region:
    """A graph under construction inside another; `captures` maps outside values to the inputs that stand for them."""

    __slots__ = ("captures", "graph", "parent")

    def __init__(self, graph: Graph, parent: Region | None) -> None:
        self.graph = graph
        self.parent = parent
        self.captures: dict[Value, Value] = {}

    def resolve(self, value: Value) -> Value:
        """`value` as seen from this region: itself, or the input it is captured as.

        Raises:
          InvalidArgumentError: the value belongs to no region on this stack (it leaked out of a closed one).
        """
        if value.graph is self.graph:
            return value
        known = self.captures.get(value)
        if known is None:
            if self.parent is None:
                raise leaked_tensor(value.type)
            outer = self.parent.resolve(value)
            known = self.captures.get(outer)
            if known is None:
                known = self.captures[outer] = self.graph.add_input(outer.type, outer.name)
            if outer is not value:
                self.captures[value] = known
        return known

    def captured(self) -> list[tuple[Value, Value]]:
        """(value of the parent region, input) for every capture."""
        assert self.parent is not None
        return [(outer, inner) for outer, inner in self.captures.items() if outer.graph is self.parent.graph]


class Builder:
    """Builds one function's graph; `region` is where nodes go now."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.region = Region(graph, None)
        self.emitted = 0  # nodes, in all regions
        # Is told of each operation, with its inputs and attributes, before its node is added.
        self.watcher: Callable[[Op, list[Value], dict[str, Any]], None] | None = None
        self.location: Location | None = None  # of nodes that no line of the user's asks for
        # The frame in which all this begins: while it lasts, nobody else has its id. Without one, calls are not kept.
        frame = users_frame(sys._getframe(1))
        self.root = 0 if frame is None else id(frame)

    def push(self, graph: Graph | None = None) -> Region:
        """Open a region inside the current one."""
        self.region = Region(graph or Graph(functions=self.graph.functions), self.region)
        return self.region

    def pop(self) -> Region:
        """Close the current region."""
        region = self.region
        assert region.parent is not None
        self.region = region.parent
        return region

    def emit(
        self,
        op: Op,
        inputs: list[Value],
        attrs: dict[str, Any],
        output_types: tuple[ValueType, ...] | None = None,
        regions: tuple[Graph, ...] = (),
        location: Location | None = None,
    ) -> Node:
        """Add a node to the current region; the operation's own rule gives the output types unless they are given."""
        if self.watcher is not None:
            self.watcher(op, inputs, attrs)
        self.emitted += 1
        resolve = self.region.resolve
        inputs = [resolve(v) for v in inputs]
        location = location or self.location or user_location(self.root)
        return emit(self.region.graph, op, inputs, attrs, output_types, regions, location)


def emit(
    graph: Graph,
    op: Op,
    inputs: list[Value],
    attrs: dict[str, Any],
    output_types: tuple[ValueType, ...] | None = None,
    regions: tuple[Graph, ...] = (),
    location: Location | None = None,
) -> Node:
    """Add a node to `graph`, typed by the operation's rule unless `output_types` are given."""
    if output_types is None:
        types = op.infer(*(v.type for v in inputs), **attrs)
        output_types = types if isinstance(types, tuple) else (types,)
    return graph.add_node(op, inputs, attrs, output_types, regions, location)
