"""Objects that turns of a loop make and put into lists where only the run knows: the next turn makes others."""

import autograph as ag
from tests.programs.harness import Programs

PROGRAMS = Programs()


class Vector:
    def __init__(self, x, y):
        self.x = x
        self.y = y

    def mixed(self, other, share):
        return Vector(self.x * (1 - share) + other.x * share, self.y * (1 - share) + other.y * share)


@PROGRAMS.add((0.5, 1), (1.25, 2), (0.1, 0))
def de_casteljau(t, first):
    points = [Vector(1.0, 3.0), Vector(2.0, 4.0), Vector(1.5, 5.5), Vector(1.0, 5.0)]
    chosen = [points[first + i] for i in range(2)]
    for k in range(first, 3):
        i = k % 2
        chosen[i] = chosen[i].mixed(chosen[1 - i], t)
    return chosen[0].x, chosen[1].y, points[first].x


@PROGRAMS.add((2.0, 3), (0.5, 5))
def replaced(x, n):
    cells = [Vector(1.0, 2.0), Vector(3.0, 4.0), Vector(5.0, 6.0)]
    for i in range(n):
        k = (i * 2) % 3
        cells[k] = Vector(cells[k].x + x, cells[(k + 1) % 3].y)
    return [cell.x for cell in cells], [cell.y for cell in cells]


test_eager, test_staged, test_gradients = PROGRAMS.tests()
test_natively = PROGRAMS.natively()
test_at_open_sizes = PROGRAMS.at_open_sizes()


def test_loops_are_not_traced_until_they_give_up() -> None:
    """Each pass left an object of its own, which the next one took for one more alternative: 40 passes, each longer."""
    traced: list[int] = []

    @ag.autograph.experimental.do_not_convert
    def note() -> None:
        traced.append(0)

    def program(t, first):
        points = [Vector(1.0, 3.0), Vector(2.0, 4.0), Vector(1.5, 5.5), Vector(1.0, 5.0)]
        chosen = [points[first + i] for i in range(2)]
        for k in range(first, 3):
            note()
            i = k % 2
            chosen[i] = chosen[i].mixed(chosen[1 - i], t)
        return chosen[0].x

    got = float(ag.function(program)(ag.constant(0.5), ag.constant(1)))
    count = len(traced)
    assert got == float(program(0.5, 1))
    assert count < 60
