"""`ag.<name>`: public names of operations and functions, found in the registry."""

import runtime.tensor.methods  # noqa: F401
from runtime.ops.registry import FUNCTIONS, OPS
from runtime.tensor.dispatch import op


class Public:
    def __getattr__(self, name):
        name = name.removeprefix("_").replace("__", ".")
        for operation in OPS.values():
            public = operation.public if isinstance(operation.public, tuple) else (operation.public,)
            if name in public:
                call = operation.rules.call
                return (lambda *a, **k: call(op, *a, **k)) if call is not None else getattr(op, operation.name)
        for entry in FUNCTIONS.values():
            if name in entry.public:
                return lambda *a, **k: entry.fn(op, *a, **k)
        raise AttributeError(name)


ag = Public()
