"""How much memory gradients take: of training steps beside their arguments, and of a long loop within a budget."""

from benchmarks.workload import Thunk, Workload

_NATIVE = """
from runtime.backends.native import pool
call()
gc.collect()
pool.empty()
call()  # its result goes at once: all that it took is kept now
gc.collect()
print(pool.kept() / 2**20)
"""
_ARRAYS = """
import tracemalloc
call()
gc.collect()
tracemalloc.start()
call()
print(tracemalloc.get_traced_memory()[1] / 2**20)
"""
_XLA = """
import jax
real, compiled = jax.jit, []
def jit(f=None, **options):
    if f is None:
        return lambda f: jit(f, **options)
    work = real(f, **options)
    def call(*args):
        if not compiled:
            compiled.append(work.lower(*args).compile().memory_analysis())
        return work(*args)
    return call
jax.jit = jit
"""
_XLA_SIZES = """
call()
m = compiled[0]
print((m.temp_size_in_bytes + m.output_size_in_bytes - m.alias_size_in_bytes) / 2**20)
"""
_LOOP = """
import linecache
text = '''
import autograph as ag
@ag.function(jit_compile=$native, experimental_memory_budget=64 * 2**20)
def slope(x, a, n):
    with ag.GradientTape() as tape:
        tape.watch([x, a])
        y = x
        for _ in ag.range(n):
            y = ag.tanh(y * a + 0.1)
    return tape.gradient(y, [x, a])
'''
linecache.cache["<loop>"] = len(text), None, text.splitlines(True), "<loop>"
exec(compile(text, "<loop>", "exec"))
import numpy as np
def peak():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
x, a = ag.constant(np.linspace(-1, 1, 100)), ag.constant(np.linspace(0.9, 1.1, 100))
slope(x, a, ag.constant(10))
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")  # the peak begins here
before = peak()
slope(x, a, ag.constant(1_000_000))
print(peak() - before)
"""


class _Step(Workload):
    """Megabytes that a call takes beside its arguments.

    What native code takes, all its blocks together; the NumPy arrays that are there at once; by JAX's own analysis of
    what it compiled, the temporaries and the results that do not lie where arguments did.
    """

    kind = "megabytes"
    step = ""

    def script(self, side: str, before: str, after: str) -> Thunk:
        build = f"""
import gc
from benchmarks.workload import SIDES, find_workload
call = find_workload({self.step!r}).build(next(s for s in SIDES if s.name == {side!r}))
"""
        return lambda: before + build + after

    def autograph(self, stage) -> Thunk:
        if stage == "native":
            return self.script("staged", "", _NATIVE)
        return self.script(stage, "", _ARRAYS)

    def numpy(self) -> Thunk:
        return self.script("numpy", "", _ARRAYS)

    def jax(self) -> Thunk:
        return self.script("jax", _XLA, _XLA_SIZES)


class LoopGradient(Workload):
    """How much the resident memory grows at its peak."""

    name = "memory_loop_grad"
    what = "megabytes that the gradient of a million steps over 100 float64 takes, of a budget of 64"
    kind = "megabytes"
    refused = ("eager",)

    def autograph(self, stage) -> Thunk:
        return lambda: _LOOP.replace("$native", str(stage == "native"))


def _of(step: str, *refused: str) -> None:
    name = f"memory_{step}"
    what = f"megabytes that a call takes beside its arguments: {step}"
    values = {"name": name, "what": what, "step": step, "refused": refused, "__module__": __name__}
    globals()[name] = type(name, (_Step,), {**values, "__doc__": _Step.__doc__})


_of("mlp_step")
_of("rnn_grad_64x32")
_of("lstm_grad")
_of("conv_step", "numpy")
_of("attention")
