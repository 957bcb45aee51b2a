"""What a workload is, whose versions of it there are, and the list of all of them."""

import importlib
import importlib.util
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

Thunk = Callable[[], object]


@dataclass(frozen=True)
class Side:
    """Somebody whose version of the workloads is timed: one column of the table."""

    name: str
    package: str  # what must be installed
    method: str  # of the workload, which builds the version
    options: tuple[object, ...] = ()


SIDES = (
    Side("staged", "autograph", "autograph", ("native",)),
    Side("plan", "autograph", "autograph", ("plan",)),
    Side("eager", "autograph", "autograph", ("eager",)),
    Side("numpy", "numpy", "numpy"),
    Side("numba", "numba", "numba"),
    Side("tensorflow", "tensorflow", "tensorflow", (False,)),
    Side("tensorflow+xla", "tensorflow", "tensorflow", (True,)),
    Side("jax", "jax", "jax"),
    Side("torch", "torch", "torch"),
    Side("pytensor", "pytensor", "pytensor"),
)
PEERS = tuple(dict.fromkeys(side.package for side in SIDES if side.package != "autograph"))


class Workload:
    """One line of the table.

    A subclass has a `name`, says in one line `what` it is, and has a method for every side that can do
    it. A method imports its library, makes the inputs, and returns a function without arguments that
    does the work once and returns numbers or arrays (tuples, lists of them), all of it finished:

        autograph(stage)   `stage` is `ag.function` (native, or on the NumPy plan), or does nothing: eager
        numpy()            by hand: plain Python and NumPy, as somebody who knows them would write it
        tensorflow(xla)    `xla` is given to `tf.function(jit_compile=...)`
        numba(), jax(), torch(), pytensor()

    The results of all sides are compared (the result of call number `compared_call`, for work that
    changes its state) before anything is timed.
    """

    name = ""
    what = ""
    tolerance = 1e-5  # of the largest element
    compared_call = 1
    refused: tuple[str, ...] = ()  # sides that can't do it although they have the method
    # "call": seconds of a call. "first": of building and the first call, in a fresh process each time.
    # "script": methods return the source of a program that prints seconds; "megabytes": that prints those.
    kind = "call"

    def sides(self) -> tuple[Side, ...]:
        """The sides that have a version of this workload."""
        unlike = ("plan",) if self.kind == "script" else ()  # the same program as staged
        return tuple(s for s in SIDES if hasattr(self, s.method) and s.name not in (*self.refused, *unlike))

    def compared(self, result: object) -> object:
        """What of a result is compared: all of it, unless rounding decides parts of it."""
        return result

    def build(self, side: Side) -> Thunk:
        """The version of a side; its library is imported here (by a script, when that runs)."""
        options = side.options
        if side.package == "autograph" and self.kind in ("call", "first"):
            import autograph as ag

            choice = None if self.kind == "first" else True  # the first result does not wait for native code
            stages = {
                "native": ag.function(jit_compile=choice),
                "plan": ag.function(jit_compile=False),
                "eager": lambda function: function,
            }
            options = (stages[str(side.options[0])],)
        return getattr(self, side.method)(*options)


def compiled_by_pytensor(linker: str, inputs: list, outputs: object, updates: object = None) -> Callable[..., object]:
    """A PyTensor function by one of its linkers: "cvm" (C++) enters functions fastest, "numba" has the BLAS of SciPy."""
    import pytensor

    mode = pytensor.compile.mode.Mode(linker=linker, optimizer="fast_run")
    function = pytensor.function(inputs, outputs, updates=updates, mode=mode)
    function.trust_input = True  # arrays of the right type, unchecked
    return function


class Script(Workload):
    """A line whose versions differ by the name of the package alone: `script` makes the source of the program."""

    refused = ("eager", "tensorflow+xla")

    def script(self, package: str) -> Thunk:
        raise NotImplementedError

    def autograph(self, stage) -> Thunk:
        return self.script("autograph")

    def numpy(self) -> Thunk:
        return self.script("numpy")

    def numba(self) -> Thunk:
        return self.script("numba")

    def tensorflow(self, xla: bool) -> Thunk:
        return self.script("tensorflow")

    def jax(self) -> Thunk:
        return self.script("jax")

    def torch(self) -> Thunk:
        return self.script("torch")

    def pytensor(self) -> Thunk:
        return self.script("pytensor")


def all_workloads() -> list[Workload]:
    """One of every named workload, in the order of `workloads.ORDER` and of the files."""
    from benchmarks import workloads

    files = [module.name for module in pkgutil.iter_modules(workloads.__path__)]
    files.sort(key=lambda name: (workloads.ORDER.index(name) if name in workloads.ORDER else 99, name))
    found = []
    for name in files:
        module = importlib.import_module(f"benchmarks.workloads.{name}")
        found += [
            value() for value in vars(module).values()
            if isinstance(value, type) and issubclass(value, Workload)
            and value.__module__ == module.__name__ and "name" in vars(value)
        ]
    return found


def find_workload(name: str) -> Workload:
    """The workload of that name."""
    return next(workload for workload in all_workloads() if workload.name == name)


def installed(package: str) -> bool:
    """Whether a package can be imported, without importing it."""
    return importlib.util.find_spec(package) is not None
