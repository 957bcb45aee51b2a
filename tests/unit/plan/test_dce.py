"""Dead code elimination: what goes, what stays."""

from __future__ import annotations

from runtime.backends.numpy_executor.executor import compile_graph
from runtime.ir.graph import Graph
from runtime.ir.walk import clone, substitute, users
from runtime.passes.dce import eliminate_dead_code
from tests.unit.executor.build import INT, F


def ops(graph: Graph) -> list[str]:
    return [node.op.name for node in graph.walk() if node.op.name != "constant"]


def test_unused_nodes_go_and_effects_stay() -> None:
    f = F()
    n = f.input(INT, "n")
    f.mul(n, 3)
    f.print_(f.add(n, 1), template=((0, ""),))
    graph = f.returns(f.sub(n, 1))
    same = clone(graph)
    assert ops(eliminate_dead_code(graph)) == ["add", "print_", "sub"]
    assert "mul" in ops(same)


def test_a_loop_loses_what_only_feeds_itself() -> None:
    f = F()
    n, k = f.input(INT, "n"), f.input(INT, "k")
    out = f.while_loop(
        [0, 0, 1],
        lambda i, s, p: f.less(i, n),
        lambda i, s, p: [f.add(i, 1), f.add(s, i), f.mul(p, k)],
    )
    graph = eliminate_dead_code(f.returns(out[1]))
    assert ops(graph) == ["while_loop", "less", "add", "add"]
    node = next(n for n in graph.nodes if n.op.name == "while_loop")
    assert node.carried == 2
    assert len(node.inputs) == 3
    assert [v.index for v in node.regions[1].inputs] == [0, 1, 2]
    assert compile_graph(graph)(5, 2) == [10]


def test_effects_in_a_loop_keep_what_they_read() -> None:
    f = F()
    n = f.input(INT, "n")

    def body(i, s, t):
        f.assert_(f.less(s, 100), template=(), bare=True)
        return [f.add(s, i), f.add(t, 1)]

    f.for_loop(n, [0, 0], body)
    graph = eliminate_dead_code(f.returns())
    assert ops(graph) == ["for_loop", "less", "assert_", "add"]
    assert compile_graph(graph)(3) == []


def test_branches_lose_unused_results_and_inputs() -> None:
    f = F()
    n, m = f.input(INT, "n"), f.input(INT, "m")
    out = f.cond(f.less(n, 2), lambda: [f.add(n, 1), f.mul(m, 2)], lambda: [n, m])
    graph = eliminate_dead_code(f.returns(out[0]))
    node = graph.nodes[-1]
    assert len(node.outputs) == 1
    assert [v.name for v in node.inputs[1:]] == ["n"]
    assert "mul" not in ops(graph)
    assert compile_graph(graph)(1, 9) == [2]


def test_calls_stay_only_for_results_or_effects() -> None:
    functions: dict = {}
    g = F("pure", functions)
    n = g.input(INT, "n")
    functions["pure"] = g.returns(g.add(n, 1))
    h = F("loud", functions)
    n = h.input(INT, "n")
    h.print_(n, template=())
    functions["loud"] = h.returns(n)
    f = F("main", functions)
    n = f.input(INT, "n")
    f.call("pure", [n], [INT])
    f.call("loud", [n], [INT])
    graph = eliminate_dead_code(f.returns(n))
    assert [node.attrs["function"] for node in graph.nodes] == ["loud"]


def test_substitute_and_users() -> None:
    f = F()
    n = f.input(INT, "n")
    a = f.add(n, 1)
    b = f.add(n, 2)
    c = f.mul(a, a)
    graph = f.returns(c)
    assert users(graph)[a] == [c.node, c.node]
    substitute(graph, {a: b})
    assert c.node.inputs == [b, b]
    assert compile_graph(graph)(1) == [9]


def test_a_value_that_loops_in_loops_and_branches_only_keep_in_step_goes() -> None:
    f = F()
    n = f.input(INT, "n")

    def turn(i, s, p):
        return f.cond(f.less(i, s), lambda: [f.add(s, 1), f.mul(p, s)], lambda: [f.add(s, i), f.add(p, 1)])

    out = f.for_loop(n, [0, 1], lambda i, s, p: f.for_loop(n, [s, p], turn))
    graph = eliminate_dead_code(f.returns(out[0]))
    assert [node.carried for node in graph.walk() if node.op.name == "for_loop"] == [1, 1]
    assert "mul" not in ops(graph)
    assert [len(node.outputs) for node in graph.walk() if node.op.name == "cond"] == [1]
    assert compile_graph(graph)(3) == [compile_graph(clone(f.returns(out[0])))(3)[0]]
