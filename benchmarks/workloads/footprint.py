"""What work takes beside time: megabytes of memory at the peak, and on the disk."""

from benchmarks.workload import Script, Thunk, Workload


class PeakMemory(Workload):
    """Resident megabytes at the peak of a process that computes the recurrent network's gradient three times."""

    name = "peak_memory"
    what = "megabytes resident at the peak: rnn_grad_64x32, three calls"
    kind = "megabytes"

    def script(self, side: str) -> Thunk:
        lines = [
            "from benchmarks.workload import SIDES, find_workload",
            f"side = next(s for s in SIDES if s.name == {side!r})",
            "call = find_workload('rnn_grad_64x32').build(side)",
            "for _ in range(3): call()",
            # Not getrusage's maxrss: that starts from what the parent had at the fork.
            "lines = open('/proc/self/status').read().splitlines()",
            "print(next(int(line.split()[1]) for line in lines if line.startswith('VmHWM')) / 1024)",
        ]
        return lambda: "\n".join(lines)

    def autograph(self, stage) -> Thunk:
        return self.script("staged" if stage else "eager")

    def numpy(self) -> Thunk:
        return self.script("numpy")

    def tensorflow(self, xla: bool) -> Thunk:
        return self.script("tensorflow+xla" if xla else "tensorflow")

    def jax(self) -> Thunk:
        return self.script("jax")

    def torch(self) -> Thunk:
        return self.script("torch")


class InstalledSize(Script):
    """Megabytes on the disk of a package and all that it requires (of ours: with llvmlite)."""

    name = "installed"
    what = "megabytes on the disk, with dependencies"
    kind = "megabytes"

    def script(self, package: str) -> Thunk:
        here = package == "autograph"
        packages = ("numpy", "gast", "astunparse", "optree", "llvmlite") if here else (package,)
        source = f"""
import importlib.util, pathlib, re
from importlib import metadata

def size(name, seen):
    name = re.sub(r"[-_.]+", "-", name).lower()
    if name in seen:
        return 0
    seen.add(name)
    try:
        found = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return 0
    total = sum(p.stat().st_size for f in found.files or () if (p := pathlib.Path(f.locate())).is_file())
    for line in found.requires or ():
        if "extra ==" not in line:
            total += size(re.match(r"[A-Za-z0-9._-]+", line)[0], seen)
    return total

seen = set()
total = sum(size(name, seen) for name in {packages!r})
if {here!r}:
    root = pathlib.Path(importlib.util.find_spec("autograph").origin).parents[1]
    total += sum(p.stat().st_size for part in ("autograph", "runtime") for p in (root / part).rglob("*.*")
                 if "__pycache__" not in p.parts and p.is_file())
print(total / 2**20)
"""
        return lambda: source
