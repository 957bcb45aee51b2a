"""The statement hooks in plain Python, to test converters without tensors.

`PythonHooks` acts as Python does. `StagingHooks` does what tracing does to a program: it runs code
that would not have run and takes it back, undoing writes to the named variables only. A name that
is missing from `names`, or a body that keeps to itself what others read, changes the result.
"""

import contextlib
import types
from collections.abc import Callable, Iterable
from typing import Any

from tests.unit.convert import plain_hooks

UNBOUND = object()
ERRORS = (NameError, TypeError, ValueError, ArithmeticError, RuntimeError, AttributeError, LookupError)


class PythonHooks:
    """if_stmt, while_stmt and for_stmt with Python's meaning; the hooks of expressions are the plain ones."""

    undefined = UNBOUND

    def __getattr__(self, name: str) -> Any:
        return getattr(plain_hooks, name)

    def if_stmt(self, test: Any, body: Callable, orelse: Callable | None, names: tuple[str, ...]) -> None:
        if test:
            body()
        elif orelse is not None:
            orelse()

    def while_stmt(self, test: Callable, body: Callable, names: tuple[str, ...]) -> None:
        while test():
            body()

    def for_stmt(
        self, items: Iterable, body: Callable, names: tuple[str, ...], go_on: Callable | None = None
    ) -> None:
        for item in items:
            body(item)
            if go_on is not None and not go_on():
                break


class Places:
    """The named variables of some functions, read and written through cells and globals."""

    def __init__(self, names: tuple[str, ...], *functions: Callable | None) -> None:
        self.places: dict[str, types.CellType | dict[str, Any]] = {}
        for function in functions:
            if function is None:
                continue
            cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
            for name in names:
                if name in cells:
                    self.places[name] = cells[name]
        for name in names:
            self.places.setdefault(name, functions[0].__globals__)

    def values(self) -> dict[str, Any]:
        return {name: self._get(name, place) for name, place in self.places.items()}

    def restore(self, values: dict[str, Any]) -> None:
        for name, value in values.items():
            place = self.places[name]
            if isinstance(place, types.CellType):
                if value is not UNBOUND:
                    place.cell_contents = value
                elif self._get(name, place) is not UNBOUND:
                    del place.cell_contents
            elif value is not UNBOUND:
                place[name] = value
            else:
                place.pop(name, None)

    @staticmethod
    def _get(name: str, place: Any) -> Any:
        if isinstance(place, dict):
            return place.get(name, UNBOUND)
        try:
            return place.cell_contents
        except ValueError:
            return UNBOUND


class World:
    """What a program does besides its result: what it logged, and how much it may still run."""

    def __init__(self, fuel: int = 300) -> None:
        self.log: list[Any] = []
        self.fuel = fuel

    def record(self, value: Any) -> Any:
        self.log.append(value)
        return value

    def tick(self) -> bool:
        self.fuel -= 1
        return self.fuel > 0


class StagingHooks(PythonHooks):
    """Runs branches not taken and rounds not asked for, and undoes them through the named variables."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.depth = 0

    def if_stmt(self, test, body, orelse, names):
        taken, other = (body, orelse) if test else (orelse, body)
        self._in_vain(Places(names, body, orelse), other)
        if taken is not None:
            taken()

    def while_stmt(self, test, body, names):
        places = Places(names, body, test)
        self._in_vain(places, test)
        while test():
            self._in_vain(places, body)
            body()
            self._through_copy(places)

    def for_stmt(self, items, body, names, go_on=None):
        places = Places(names, body)
        for item in items:
            self._in_vain(places, body, item)
            body(item)
            self._through_copy(places)
            if go_on is not None and not go_on():
                break

    def _through_copy(self, places: Places) -> None:
        values = places.values()
        places.restore(dict.fromkeys(values, UNBOUND))
        places.restore(values)

    def _in_vain(self, places: Places, function: Callable | None, *arguments: Any) -> None:
        """Run a function as tracing would, then undo it."""
        if function is None or self.depth >= 3:  # the cost doubles with each level
            return
        before, length, fuel = places.values(), len(self.world.log), self.world.fuel
        self.world.fuel = min(fuel, 20)
        self.depth += 1
        with contextlib.suppress(*ERRORS):
            function(*arguments)
        self.depth -= 1
        places.restore(before)
        del self.world.log[length:]
        self.world.fuel = fuel
