"""Layered layout after Sugiyama: rows by longest path, order by barycentres, places by least squares.

An edge over several rows gets a place of its own in each row between, so that no edge crosses a box.
"""

from __future__ import annotations

from typing import Any

__all__ = ["arrange"]

SEPARATION = 22.0
_SLIM = 10.0  # width of an edge's place in a row
_SWEEPS = 12


class _Slot:
    """A box, or an edge's place, in a row."""

    __slots__ = ("box", "down", "row", "up", "width", "x")

    def __init__(self, row: int, width: float, box: Any = None) -> None:
        self.row = row
        self.width = width
        self.box = box
        self.x = 0.0  # centre
        self.up: list[tuple[_Slot, float, float]] = []  # (slot above, offset of the port there, offset here)
        self.down: list[tuple[_Slot, float, float]] = []


def arrange(boxes: list[Any], edges: list[Any]) -> tuple[int, float]:
    """Set `row` and `x` (left side) of boxes and `xs` of edges; returns (number of rows, width)."""
    _rank(boxes, edges)
    slots = {id(box): _Slot(box.row, box.width, box) for box in boxes}
    rows: list[list[_Slot]] = [[] for _ in range(max((b.row for b in boxes), default=0) + 1)]
    for box in boxes:
        rows[box.row].append(slots[id(box)])
    chains: dict[tuple[int, float], list[_Slot]] = {}
    routes = [(edge, _route(edge, slots, rows, chains)) for edge in edges]
    _order(rows)
    _coordinates(rows)
    left = min((s.x - s.width / 2 for row in rows for s in row), default=0.0)
    right = max((s.x + s.width / 2 for row in rows for s in row), default=0.0)
    for box in boxes:
        box.x = slots[id(box)].x - box.width / 2 - left
    for edge, route in routes:
        edge.xs = [s.x - left for s in route]
    return len(rows), right - left


def _rank(boxes: list[Any], edges: list[Any]) -> None:
    """Rows by longest path; what needs nothing moves down to what uses it, what is returned to the last row."""
    row = {id(b): 0 for b in boxes}
    above: dict[int, list[Any]] = {}
    below: dict[int, list[Any]] = {}
    for edge in edges:
        above.setdefault(id(edge.target), []).append(edge.source)
        below.setdefault(id(edge.source), []).append(edge.target)
    for box in boxes:  # in program order: what is above is done
        if box.family != "input":
            least = 1 if any(b.family == "input" for b in boxes) else 0
            row[id(box)] = max((row[id(s)] + 1 for s in above.get(id(box), ())), default=least)
    for box in reversed(boxes):
        users = below.get(id(box))
        if users and box.family != "input":
            lowest = min(row[id(u)] for u in users) - 1
            slack = lowest - row[id(box)]
            alone = len(above.get(id(box), ())) <= 1 and len(users) == 1
            if slack > 0 and (id(box) not in above or alone):
                row[id(box)] = lowest
    last = max(row.values(), default=0)
    for box in boxes:
        if box.family == "return":
            others = any(row[id(b)] == last for b in boxes if b is not box)
            row[id(box)] = last if row[id(box)] == last else last + others
        box.row = row[id(box)]


def _route(
    edge: Any, slots: dict[int, _Slot], rows: list[list[_Slot]], chains: dict[tuple[int, float], list[_Slot]]
) -> list[_Slot]:
    """The slots of an edge in the rows between its ends; edges of one port share them."""
    source, target = slots[id(edge.source)], slots[id(edge.target)]
    hidden = edge.start < 0
    start = 0.0 if hidden else edge.start - source.width / 2
    end = 0.0 if hidden else edge.end - target.width / 2
    chain = chains.setdefault((id(edge.source), edge.start), [])
    while len(chain) < target.row - source.row - 1:
        slot = _Slot(source.row + len(chain) + 1, _SLIM)
        before, offset = (chain[-1], 0.0) if chain else (source, start)
        _join(before, slot, offset, 0.0)
        rows[slot.row].append(slot)
        chain.append(slot)
    route = chain[: target.row - source.row - 1]
    last, offset = (route[-1], 0.0) if route else (source, start)
    _join(last, target, offset, end)
    return route


def _join(upper: _Slot, lower: _Slot, out: float, into: float) -> None:
    upper.down.append((lower, into, out))
    lower.up.append((upper, out, into))


def _order(rows: list[list[_Slot]]) -> None:
    """Order each row by the barycentres of its neighbours; keep the order with the fewest crossings."""
    best, fewest = [list(r) for r in rows], _crossings(rows)
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        downwards = sweep % 2 == 0
        for row in rows[1:] if downwards else rows[-2::-1]:
            neighbours = rows[row[0].row + (-1 if downwards else 1)] if row else []
            place = _places(neighbours)
            keys = {}
            for k, slot in enumerate(row):
                ends = slot.up if downwards else slot.down
                known = [place[id(s)] + offset / 1e4 for s, offset, _ in ends if id(s) in place]
                keys[id(slot)] = sum(known) / len(known) if known else float(k)
            row.sort(key=lambda s, keys=keys: keys[id(s)])  # type: ignore[misc]
        crossings = _crossings(rows)
        if crossings < fewest:
            best, fewest = [list(r) for r in rows], crossings
    for row, order in zip(rows, best, strict=True):
        row[:] = order


def _places(row: list[_Slot]) -> dict[int, float]:
    return {id(s): float(k) for k, s in enumerate(row)}


def _crossings(rows: list[list[_Slot]]) -> int:
    """How many pairs of edges cross between neighbouring rows."""
    total = 0
    for row in rows[1:]:
        place = {id(s): k for k, s in enumerate(rows[row[0].row - 1])} if row else {}
        ends = [
            (place[id(upper)], out)
            for slot in row
            for upper, out, _ in sorted(slot.up, key=lambda e: e[2])
            if id(upper) in place
        ]
        if len(ends) <= 400:
            total += sum(a > b for k, a in enumerate(ends) for b in ends[k + 1 :])
    return total


def _coordinates(rows: list[list[_Slot]]) -> None:
    """Move every row towards its neighbours, as near as order and widths allow."""
    for row in rows:
        x = 0.0
        for slot in row:
            slot.x = x + slot.width / 2
            x += slot.width + SEPARATION
    for sweep in range(2 * _SWEEPS):
        downwards = sweep % 2 == 0
        for row in rows if downwards else reversed(rows):
            wishes = []
            for slot in row:
                ends = slot.up if downwards else slot.down
                ends = ends or (slot.down if downwards else slot.up)
                aims = [other.x + offset - mine for other, offset, mine in ends]
                weight = 1.0 + 4.0 * (slot.box is None) + len(aims) * 0.5
                wishes.append((sum(aims) / len(aims) if aims else slot.x, weight if aims else 0.1))
            _fit(row, wishes)


def _fit(row: list[_Slot], wishes: list[tuple[float, float]]) -> None:
    """The places nearest to the wishes (least squares) that keep order and distance: pooling adjacent violators."""
    pools: list[list[float]] = []  # [sum of weight * place, weight, count]; places are less the room to the left
    room = 0.0
    rooms = []
    for k, (slot, (wish, weight)) in enumerate(zip(row, wishes, strict=True)):
        if k:
            before = row[k - 1]
            gap = SEPARATION if slot.box is not None and before.box is not None else SEPARATION * 0.7
            room += (before.width + slot.width) / 2 + gap
        rooms.append(room)
        pools.append([(wish - room) * weight, weight, 1])
        while len(pools) > 1 and pools[-2][0] / pools[-2][1] > pools[-1][0] / pools[-1][1]:
            total, heavy, count = pools.pop()
            pools[-1][0] += total
            pools[-1][1] += heavy
            pools[-1][2] += count
    k = 0
    for total, heavy, count in pools:
        for _ in range(int(count)):
            row[k].x = total / heavy + rooms[k]
            k += 1
