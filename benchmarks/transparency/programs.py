"""Programs without tensors, whose speed is measured as Python and converted: language.py in small pieces, all real work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["PROGRAMS"]

PROGRAMS: dict[str, Callable[[], Any]] = {}
"""By name; each returns something to compare."""


def program(function: Callable[[], Any]) -> Callable[[], Any]:
    """Enter a program."""
    PROGRAMS[function.__name__] = function
    return function


@program
def collatz() -> int:
    """while, if and integers."""
    longest = 0
    for start in range(1, 300):
        n, steps = start, 0
        while n != 1:
            if n % 2 == 0:
                n //= 2
            else:
                n = 3 * n + 1
            steps += 1
        longest = max(longest, steps)
    return longest


@program
def nbody() -> float:
    """Floats in lists."""
    bodies = [
        [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], 39.47],
        [[4.84, -1.16, -0.10], [0.60, 2.81, -0.02], 0.037],
        [[8.34, 4.12, -0.4], [-1.01, 1.82, 0.008], 0.011],
        [[12.89, -15.11, -0.22], [1.08, 0.86, -0.01], 0.0017],
        [[15.37, -25.9, 0.17], [0.97, 0.59, -0.03], 0.002],
    ]
    for _ in range(60):
        for i, (position, speed, mass) in enumerate(bodies):
            for other, its_speed, its_mass in bodies[i + 1 :]:
                dx = position[0] - other[0]
                dy = position[1] - other[1]
                dz = position[2] - other[2]
                strength = 0.01 / (dx * dx + dy * dy + dz * dz) ** 1.5
                speed[0] -= dx * its_mass * strength
                speed[1] -= dy * its_mass * strength
                speed[2] -= dz * its_mass * strength
                its_speed[0] += dx * mass * strength
                its_speed[1] += dy * mass * strength
                its_speed[2] += dz * mass * strength
        for position, speed, _mass in bodies:
            for k in range(3):
                position[k] += 0.01 * speed[k]
    return sum(position[0] for position, _, _ in bodies)


@program
def fannkuch() -> tuple[int, int]:
    """Items and slices of lists, loops that are left."""
    n = 6
    permutation = list(range(n))
    counts = [0] * n
    flips_most = checksum = 0
    sign, r = 1, n
    while True:
        if permutation[0]:
            flipped = permutation[:]
            flips = 0
            while flipped[0]:
                k = flipped[0]
                flipped[: k + 1] = flipped[k::-1]
                flips += 1
            flips_most = max(flips_most, flips)
            checksum += sign * flips
        if sign == 1:
            permutation[0], permutation[1] = permutation[1], permutation[0]
            sign = -1
            continue
        permutation[1], permutation[2] = permutation[2], permutation[1]
        sign = 1
        for r in range(2, n):
            if counts[r] < r:
                counts[r] += 1
                break
            counts[r] = 0
            if r == n - 1:
                return flips_most, checksum
            permutation[: r + 2] = permutation[1 : r + 2] + permutation[:1]


def fib(n: int) -> int:
    """Itself, twice."""
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)


@program
def recursion() -> int:
    """Calls."""
    return fib(15)


class Packet:
    """What tasks send to each other."""

    def __init__(self, kind: str, data: int) -> None:
        self.kind = kind
        self.data = data


class Task:
    """Takes packets from its queue until there are none."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.queue: list[Packet] = []
        self.handled = 0

    @property
    def waiting(self) -> bool:
        """Whether there is nothing to do."""
        return not self.queue

    def receive(self, packet: Packet) -> None:
        """A packet for later."""
        self.queue.append(packet)

    def run(self, scheduler: Scheduler) -> None:
        """One packet."""
        packet = self.queue.pop(0)
        self.handled += 1
        self.handle(packet, scheduler)

    def handle(self, packet: Packet, scheduler: Scheduler) -> None:
        """What a kind of task does."""
        raise NotImplementedError


class Worker(Task):
    """Halves."""

    def handle(self, packet: Packet, scheduler: Scheduler) -> None:
        """Send half of it on."""
        if packet.data > 1:
            scheduler.send(self.number + 1, Packet("work", packet.data // 2))


class Counter(Task):
    """Counts down."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.total = 0

    def handle(self, packet: Packet, scheduler: Scheduler) -> None:
        """Send one less on."""
        self.total += packet.data
        if packet.kind == "work" and packet.data > 0:
            scheduler.send(self.number + 3, Packet("count", packet.data - 1))


class Scheduler:
    """Runs tasks in turn."""

    def __init__(self) -> None:
        self.tasks: list[Task] = []

    def add(self, task: Task) -> None:
        """One more."""
        self.tasks.append(task)

    def send(self, number: int, packet: Packet) -> None:
        """To the task of that number."""
        self.tasks[number % len(self.tasks)].receive(packet)

    def run(self) -> int:
        """Until all wait."""
        busy = True
        while busy:
            busy = False
            for task in self.tasks:
                if not task.waiting:
                    task.run(self)
                    busy = True
        return sum(task.handled for task in self.tasks)


@program
def scheduler() -> int:
    """Classes, attributes, properties, methods, super(): the kind of Richards."""
    made = Scheduler()
    for i in range(6):
        made.add(Worker(i) if i % 2 else Counter(i))
    for i in range(60):
        made.send(i, Packet("work", i * 7))
    return made.run()


@program
def comprehensions() -> tuple[int, int, int]:
    """Of lists, sets and dictionaries, nested, filtered; generator expressions."""
    n = 14
    a = [[i * j + 1 for j in range(n)] for i in range(n)]
    product = [[sum(x * y for x, y in zip(row, column, strict=True)) for column in zip(*a, strict=True)] for row in a]
    squares = {i: i * i for i in range(200) if i % 3}
    rests = {v % 17 for v in squares.values() if v > 40}
    flat = [v for row in product for v in row if v % 2]
    return sum(flat), len(rests), max(squares[k] for k in squares)


@program
def text() -> int:
    """Strings: characters, +=, join, format, methods."""
    message = "The quick brown fox jumps over the lazy dog, again and again. " * 4
    shifted = ""
    for c in message:
        if c.isupper():
            shifted += chr((ord(c) - 65 + 3) % 26 + 65)
        elif c.islower():
            shifted += chr((ord(c) - 97 + 3) % 26 + 97)
        else:
            shifted += c
    words = [f"{i}:{word.strip(',.')!s:>8}" for i, word in enumerate(shifted.split())]
    return len(" ".join(words)) + sum(1 for w in words if w.endswith("q"))


@program
def dictionaries() -> int:
    """Counts, groups, inversions, sorted by keys."""
    words = ("a b c aa bb cc ab bc ca abc bca cab a b a " * 12).split()
    counts: dict[str, int] = {}
    groups: dict[int, list[str]] = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
        groups.setdefault(len(word), []).append(word)
        if word in counts and counts[word] > 10:
            del counts[word]
    inverse: dict[int, set[str]] = {}
    for word, count in counts.items():
        inverse.setdefault(count, set()).add(word)
    ordered = sorted(counts, key=lambda w: (-counts[w], w))
    return sum(len(g) for g in groups.values()) + len(inverse) + len(ordered)


@program
def sieve() -> int:
    """A list written by index."""
    n = 2500
    prime = [True] * (n + 1)
    prime[0] = prime[1] = False
    i = 2
    while i * i <= n:
        if prime[i]:
            for k in range(i * i, n + 1, i):
                prime[k] = False
        i += 1
    return sum(prime)


def placements(n: int, row: int, columns: list[int]) -> Iterator[list[int]]:
    """Queens that do not attack each other."""
    if row == n:
        yield columns
        return
    for column in range(n):
        if all(column != c and abs(column - c) != row - r for r, c in enumerate(columns)):
            yield from placements(n, row + 1, [*columns, column])


@program
def queens() -> int:
    """Generators."""
    return sum(1 for _ in placements(5, 0, []))


@program
def mandelbrot() -> int:
    """Complex numbers, break, for-else."""
    inside = 0
    for y in range(-8, 9):
        for x in range(-15, 6):
            c, z = complex(x / 10, y / 8), 0j
            for _ in range(25):
                z = z * z + c
                if abs(z) > 2:
                    break
            else:
                inside += 1
    return inside


@program
def exceptions() -> int:
    """try, except, finally, with what is raised and what is not."""
    total = 0
    for item in [*range(150), "x", None, *"0123456789", 2.5] * 2:
        try:
            total += int(item) if item is not None else 1
        except (TypeError, ValueError) as error:
            total += len(str(error))
        finally:
            total -= 1
    return total


@program
def records() -> tuple[int, str]:
    """Attributes, comparisons of strings, calls of small functions: the kind of Pystone."""

    class Record:
        def __init__(self) -> None:
            self.next: Any = None
            self.kind = "first"
            self.number = 0
            self.text = ""

    def choose(one: str, other: str) -> str:
        return max(other, one)

    def update(record: Record, i: int) -> Record:
        if record.next is None:
            record.next = Record()
        record.next.number = record.number + i
        record.next.kind = "first" if i % 3 == 0 and record.kind != "last" else "last"
        record.text = choose(record.text, f"text {i % 7}")
        return record if i % 2 else record.next

    record = first = Record()
    table = [0] * 51
    for i in range(300):
        record = update(record, i)
        table[i % 51] += record.number % 5
        if record.kind == "last":
            record = first
    return sum(table), first.text


@program
def functions() -> int:
    """Closures, lambdas, map, filter, *args, keywords, default values."""

    def counter(step: int = 1) -> Callable[..., int]:
        count = 0

        def add(*amounts: int, times: int = 1, **options: bool) -> int:
            nonlocal count
            for amount in amounts:
                count += amount * step * times
            return -count if options.get("negative", False) else count

        return add

    add = counter(step=2)
    total = 0
    for i in range(150):
        total += add(i, i + 1, times=2)
        total += add(negative=True)
        total += sum(map(lambda x, y: x * y, filter(lambda x: x % 2, range(6)), range(i, i + 3)))
    return total
