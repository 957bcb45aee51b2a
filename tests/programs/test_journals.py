"""What a region does to things outside is seen, also where Python calls it: property setters, lists that are popped."""

import numpy as np

import autograph as ag


class Stack:
    def __init__(self):
        self.items = []
        self.peak = 0
        self._top = 0.0

    @property
    def top(self):
        return self._top

    @top.setter
    def top(self, value):
        self._top = value if value > 1 else -value

    def push(self, value):
        self.items.append(value)
        self.top = value
        if len(self.items) > self.peak:
            self.peak = len(self.items)


def run(values):
    stack, total = Stack(), 0.0
    for value in values:
        if value > 0:
            stack.push(value)
        else:
            total += stack.items.pop()
    return total, stack.peak, len(stack.items), stack.top


def test_a_stack_in_a_staged_loop():
    values = np.array([0.5, -1.0, 2.0, 3.0, -1.0])
    expected = run(values)
    for result in (run(ag.constant(values)), ag.function(run)(ag.constant(values))):
        assert [float(x) for x in result] == [float(x) for x in expected]
