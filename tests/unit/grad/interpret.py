"""The slow, obvious meaning of a graph: node by node with the operations' kernels; and graphs from Python callables."""

import numpy as np

from runtime.grad.regions import close_regions
from runtime.ir.graph import Graph
from runtime.ops.registry import get
from runtime.tensor.dispatch import attach_methods
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import STATE, Trace, tracing
from runtime.typesys.spec import TensorType, type_of_payload

attach_methods()

INDEX = TensorType("int64", (), weak=True)


def run(graph, arguments):
    """The outputs of a graph (or region) for these arguments."""
    assert len(arguments) == len(graph.inputs), (graph, len(arguments))
    values = dict(zip(graph.inputs, arguments))
    for node in graph.nodes:
        results = _node(graph, node, [values[v] for v in node.inputs])
        assert len(results) == len(node.outputs), node
        values.update(zip(node.outputs, results))
    return [values[v] for v in graph.outputs]


def _node(graph, node, inputs):
    name = node.op.name
    if name == "cond":
        return run(node.regions[0 if inputs[0] else 1], inputs[1:])
    if name == "while_loop":
        carried, invariant = inputs[: node.carried], inputs[node.carried :]
        while run(node.regions[0], carried + invariant)[0]:
            carried = run(node.regions[1], carried + invariant)
        return carried
    if name == "for_loop":
        count, carried, invariant = inputs[0], inputs[1 : 1 + node.carried], inputs[1 + node.carried :]
        for i in range(int(count)):
            carried = run(node.regions[0], [i, *carried, *invariant])
        return carried
    if name == "call":
        return run(graph.functions[node.attrs["function"]], inputs)
    out = node.op.run(*inputs, **node.attrs)
    if node.op.outputs != 1:
        return list(out)
    weak = type(node.outputs[0].type) is TensorType and node.outputs[0].type.weak
    return [out.item() if weak and isinstance(out, np.generic) else out]


# Building graphs from callables, as the front end does from statements


def build(fn, *examples, name="f", functions=None):
    """The graph of fn(*tensors) -> tensor or list of them; examples give the types."""
    trace = Trace(name, functions)
    boxes = [Tensor(trace.graph.add_input(e if isinstance(e, TensorType) else type_of_payload(e))) for e in examples]
    with tracing(trace):
        result = fn(*boxes)
        result = list(result) if isinstance(result, (tuple, list)) else [result]
        trace.graph.outputs = [trace.operand(r) for r in result]
    assert not trace.captured
    return trace.graph


def _region(fn, types, lead=None):
    builder = STATE.trace.builder
    region = builder.push(Graph(functions=builder.graph.functions))
    inputs = [region.graph.add_input(t) for t in ([lead] if lead else []) + types]
    result = fn(*map(Tensor, inputs))
    result = list(result) if isinstance(result, (tuple, list)) else [result]
    region.graph.outputs = [region.resolve(STATE.trace.operand(r)) for r in result]
    builder.pop()
    return region


def cond(pred, then, orelse):
    """(then() if pred else orelse()): tuples of tensors."""
    regions = [_region(then, []), _region(orelse, [])]
    types = tuple(v.type for v in regions[0].graph.outputs)
    outers = close_regions(regions)
    graphs = tuple(r.graph for r in regions)
    node = STATE.trace.builder.emit(get("cond"), [STATE.trace.operand(pred), *outers], {}, types, graphs)
    return tuple(map(Tensor, node.outputs))


def while_loop(test, body, *carried):
    """while test(*carried): carried = body(*carried)."""
    entry = [STATE.trace.operand(c) for c in carried]
    types = [v.type for v in entry]
    regions = [_region(test, types), _region(body, types)]
    outers = close_regions(regions)
    graphs = tuple(r.graph for r in regions)
    node = STATE.trace.builder.emit(get("while_loop"), [*entry, *outers], {"carried": len(entry)}, tuple(types), graphs)
    return tuple(map(Tensor, node.outputs))


def for_loop(count, body, *carried):
    """for i in range(count): carried = body(i, *carried)."""
    entry = [STATE.trace.operand(c) for c in carried]
    types = [v.type for v in entry]
    region = _region(body, types, INDEX)
    outers = close_regions([region])
    inputs = [STATE.trace.operand(count), *entry, *outers]
    node = STATE.trace.builder.emit(get("for_loop"), inputs, {"carried": len(entry)}, tuple(types), (region.graph,))
    return tuple(map(Tensor, node.outputs))


def call(name, types, *arguments):
    """A call of the function table."""
    values = [STATE.trace.operand(a) for a in arguments]
    node = STATE.trace.builder.emit(get("call"), values, {"function": name}, tuple(types))
    return tuple(map(Tensor, node.outputs))
