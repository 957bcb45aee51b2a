"""`f.inspect(...)`: all that was made of a function for one signature, as text."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from runtime.ir.graph import Graph, Node
from runtime.ir.text import graph_text

if TYPE_CHECKING:
    from autograph.staging.concrete import ConcreteFunction
    from runtime.plan.peak import Peak

__all__ = ["Inspection"]


class Inspection:
    """What a function became for one signature. Each part is made when it is looked at; `str` shows all.

    source           the rewritten Python source that was traced
    graph            the graph as it was traced; optimized_graph after the passes (both print as text)
    plan             the NumPy plan: Python source
    buffers          which arrays the plan reuses, copies and frees; peak: the bytes it has in use at most
    llvm             the LLVM IR; llvm_optimized after LLVM's own passes
    assembly         the machine code, as text
    regions          which operations run natively, and which do not and why
    native_bytes     working memory of the native code of known size, None without native code

    >>> f = ag.function(lambda x: x * 2 + 1)
    >>> print(f.inspect(ag.constant(3.0)).plan)
    def run__lambda_(x):
        return [(x * 2) + 1]
    <BLANKLINE>

    Raises:
      UnimplementedError: llvm and assembly, where an operation has no native code.
      NoCompilerError: llvm_optimized and assembly, without llvmlite.
    """

    def __init__(self, concrete: ConcreteFunction, python_function: Any) -> None:
        self._concrete = concrete
        self._function = python_function

    @cached_property
    def source(self) -> str:
        from autograph.load.conversion import converted_tree
        from autograph.source.printing import unparse

        return unparse(converted_tree(self._function))

    @property
    def graph(self) -> Graph:
        return self._concrete.graph

    @property
    def optimized_graph(self) -> Graph:
        return self._concrete.optimized_graph

    @cached_property
    def plan(self) -> str:
        from runtime.backends.numpy_executor.executor import compile_graph

        return compile_graph(self.optimized_graph, self._concrete.donated).source

    @cached_property
    def buffers(self) -> str:
        from runtime.plan.plan import make_plan

        return str(make_plan(self.optimized_graph, self._concrete.donated))

    @cached_property
    def peak(self) -> Peak:
        from runtime.plan.peak import peak_bytes

        return peak_bytes(self.optimized_graph, self._concrete.donated)

    @cached_property
    def _lowered(self) -> Any:
        from runtime.backends.native.lower import lower

        return lower(self.optimized_graph)

    @property
    def llvm(self) -> str:
        return str(self._lowered.text)

    @cached_property
    def llvm_optimized(self) -> str:
        from runtime.backends.native.toolchain import optimised

        return str(optimised(self.llvm)[0])

    @cached_property
    def assembly(self) -> str:
        from runtime.backends.native.toolchain import optimised

        module, machine = optimised(self.llvm)
        return str(machine.emit_assembly(module))

    @cached_property
    def regions(self) -> str:
        from runtime.backends.native.errors import Unsupported

        count = sum(1 for _ in self.optimized_graph.walk())
        try:
            islands = [i.node for i in self._lowered.islands if i.node is not None]
        except Unsupported as error:
            return f"NumPy plan: all {count} operations; there is no native code for{error.listing}"
        if not islands:
            return f"native: all {count} operations"
        places = "".join(dict.fromkeys(f"\n  {_place(n)}{n.op.name}" for n in islands))
        return f"native: {count - len(set(islands))} of {count} operations; NumPy islands:{places}"

    @property
    def native_bytes(self) -> int | None:
        from runtime.backends.native.errors import Unsupported

        try:
            return int(self._lowered.frame)
        except Unsupported:
            return None

    def __str__(self) -> str:
        parts = {
            "source": self.source,
            "graph": graph_text(self.graph),
            "optimized graph": graph_text(self.optimized_graph),
            "plan": self.plan,
            "buffers": f"{self.buffers}\npeak: {self.peak}",
            "regions": self.regions,
        }
        if self.native_bytes is not None:
            parts["llvm"] = self.llvm
        return "\n".join(f"# {name}\n\n{text.rstrip()}\n" for name, text in parts.items())

    def __repr__(self) -> str:
        return f"<inspection of {self._concrete.pretty_printed_signature()}>"


def _place(node: Node) -> str:
    return "" if node.location is None else f"{node.location}: "
