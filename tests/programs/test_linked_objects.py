"""Chains, trees and rings of objects whose shape only the run knows: lists of nodes, search trees, queues, parents."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import autograph as ag
from tests.programs.harness import Programs

PROGRAMS = Programs()


class Node:
    def __init__(self, key, value=0.0):
        self.key = key
        self.value = value
        self.left = None
        self.right = None


class SearchTree:
    def __init__(self):
        self.root = None
        self.size = 0

    def insert(self, node, key, value):
        if node is None:
            self.size += 1
            return Node(key, value)
        if key < node.key:
            node.left = self.insert(node.left, key, value)
        elif key > node.key:
            node.right = self.insert(node.right, key, value)
        else:
            node.value = value
        return node

    def height(self, node):
        return 0 if node is None else 1 + max(self.height(node.left), self.height(node.right))


@PROGRAMS.add(
    (np.array([4, 2, 6, 2]), np.array([1.0, 2.0, 3.0, 4.0]), 2),
    (np.array([1, 2, 3]), np.array([1.0, 2.0, 3.0]), 9),
)
def search_tree(keys, weights, wanted):
    tree = SearchTree()
    for key, weight in zip(keys, weights):
        tree.root = tree.insert(tree.root, key, weight * weight)
    node = tree.root
    while node is not None and node.key != wanted:
        node = node.left if wanted < node.key else node.right
    return tree.size, tree.height(tree.root), -1.0 if node is None else node.value


class Link:
    def __init__(self, key):
        self.key = key
        self.before = self
        self.after = self


@PROGRAMS.add(np.array([1, 2, 1, 3, 2]), np.array([5]))
def ring(keys):
    end = Link(-1)
    count = 0
    for key in keys:
        link = end.after
        while link is not end and link.key != key:
            link = link.after
        if link is end:
            link = Link(key)
            link.before, link.after = end.before, end
            end.before.after = link
            end.before = link
            count += 1
        else:
            link.before.after = link.after
            link.after.before = link.before
            count -= 1
    out = []
    link = end.after
    while link != end:
        out.append(link.key)
        link = link.after
    return count, out


@dataclass
class Cell:
    head: Any
    tail: Any = None


@PROGRAMS.add(np.array([3, 1, 2]), np.array([1]))
def sorted_and_reversed(xs):
    first = None
    for x in xs:
        if first is None or x < first.head:
            first = Cell(x, first)
            continue
        cell = first
        while cell.tail is not None and cell.tail.head < x:
            cell = cell.tail
        cell.tail = Cell(x, cell.tail)
    back = None
    while first:
        back = Cell(tail=back, head=first.head * 2)
        first = first.tail
    out = []
    while back:
        out.append(back.head)
        back = back.tail
    return out


class Queue:
    def __init__(self):
        self.front = self.back = None

    def put(self, x):
        cell = Cell(x)
        if self.back is None:
            self.front = self.back = cell
        else:
            self.back.tail = cell
            self.back = cell

    def get(self):
        x = self.front.head
        self.front = self.front.tail
        if self.front is None:
            self.back = None
        return x


@PROGRAMS.add(np.array([3, -1, 2, 4, -1, -1, -1]), np.array([1, -1]))
def queue(orders):
    waiting, served = Queue(), []
    for order in orders:
        if order >= 0:
            waiting.put(order)
        else:
            served.append(waiting.get() if waiting.front is not None else order)
    return served, waiting.front is None


class Person:
    def __init__(self, boss):
        self.boss = boss
        self.reports = 0


@PROGRAMS.add((np.array([0, 0, 1, 2]), 3), (np.array([0]), 1))
def bosses(numbers, which):
    people = [Person(None)]
    for number in numbers:
        person = Person(people[number])
        people.append(person)
        while person.boss is not None:
            person = person.boss
            person.reports += 1
    depth, person = 0, people[which]
    while person.boss is not None:
        depth, person = depth + 1, person.boss
    return depth, [p.reports for p in people], person is people[0]


class Step:
    def __init__(self, v, nxt=None):
        self.v, self.nxt = v, nxt

    def __iter__(self):
        step = self
        while step is not None:
            yield step.v
            step = step.nxt


ORDERS = (3, 1, 2), (1, 2, 3), (3, 2, 1), (2, 3, 1), (2, 2, 1)


@PROGRAMS.add(*ORDERS)
def sorted_insertion(a, b, c):
    head = None
    for v in (a, b, c):
        if head is None or v < head.v:
            head = Step(v, head)
        else:
            step = head
            while step.nxt is not None and step.nxt.v < v:
                step = step.nxt
            step.nxt = Step(v, step.nxt)
    return list(head)


@PROGRAMS.add(*ORDERS)
def removed_and_reversed(a, b, c):
    head = Step(a, Step(b, Step(c)))
    before, step = None, head
    while step is not None:
        if step.v != 2:
            before = step
        elif before is None:
            head = step.nxt
        else:
            before.nxt = step.nxt
        step = step.nxt
    if a > b:
        back = None
        while head is not None:
            head.nxt, back, head = back, head, head.nxt
        head = back
    total = 0
    while head is not None:
        total, head = total * 10 + head.v, head.nxt
    return total


@PROGRAMS.add(*ORDERS)
def one_of_three(a, b, c):
    x, y = Step(1), Step(2)
    step = x if a > b else y
    if a > c:
        step = Step(9)
    step.v = step.v + 100
    y.v = y.v + 7
    return x.v, y.v, step.v, step is x, step is y, step is not y


@PROGRAMS.add(*ORDERS)
def ends_changed(a, b, c):
    x, y = Step(a), Step(b)
    first = Step(0, x)
    step = x if a > b else y
    if a > c:
        step = Step(c, y)
    step.nxt = first
    first.v = 5
    return step.nxt.v, x.nxt is None, y.nxt is None, step.v


@PROGRAMS.add(*ORDERS)
def who_is_who(a, b, c):
    x = Step(1)
    step = x
    if a > c:
        step = Step(9)
    other = step
    if b > c:
        other = Step(4)
    return other is step, other is x, step is x, other is not step


@PROGRAMS.add(*ORDERS)
def which_dictionary(a, b, c):
    x = {"v": 1}
    one = x
    if a > c:
        one = {"v": 9}
    other = one
    if b > c:
        other = {"v": 4}
    return other is one, other is x, one is x, other is not one


class Slotted:
    __slots__ = ("following", "value")

    def __init__(self, value, following=None):
        self.value, self.following = value, following


@PROGRAMS.add((np.array([3, 1, 2]), 2), (np.array([5, 6]), 5))
def slotted_list(xs, drop):
    head = None
    for x in xs:
        head = Slotted(x, head)
    before, now = None, head
    while now is not None:
        if now.value != drop:
            before = now
        elif before is None:
            head = now.following
        else:
            before.following = now.following
        now = now.following
    out = []
    while head is not None:
        out.append(head.value)
        head = head.following
    return out


@dataclass(slots=True)
class SlottedTree:
    key: int
    left: "SlottedTree | None" = None
    right: "SlottedTree | None" = None


@PROGRAMS.add((np.array([3, 1, 2, 5]), 2), (np.array([5, 6, 7]), 8))
def slotted_tree(xs, wanted):
    def insert(node, x):
        if node is None:
            return SlottedTree(x)
        if x < node.key:
            node.left = insert(node.left, x)
        else:
            node.right = insert(node.right, x)
        return node

    root, depth = None, 0
    for x in xs:
        root = insert(root, x)
    while root is not None and root.key != wanted:
        root = root.left if wanted < root.key else root.right
        depth += 1
    return depth, root is None


@PROGRAMS.add((np.array([3, 1, 2, 5]), 2), (np.array([5, 6, 7]), 8))
def slotted_in_lists(xs, least):
    nodes = [Slotted(x, 0) for x in xs]
    big = [node for node in nodes if node.value > least]
    for node in big:
        node.following += node.value
    return [node.following for node in nodes], len(big)


test_at_open_sizes = PROGRAMS.at_open_sizes()



def test_gradients():
    keys, weights, wanted = PROGRAMS.table["search_tree"].cases[0]
    x = ag.constant(weights)
    with ag.GradientTape() as tape:
        tape.watch(x)
        y = ag.function(search_tree)(ag.constant(keys), x, ag.constant(wanted))[2]
    assert tape.gradient(y, x).numpy().tolist() == [0.0, 0.0, 0.0, 8.0]


EVERYBODY = []


class Told:
    def __init__(self, x, before):
        EVERYBODY.append(self)
        self.x = x
        self.before = before


@pytest.mark.parametrize("what", ["returned", "kept", "told", "id", "vars", "new attribute"])
def test_what_others_would_have(what):
    kept = []

    def program(xs):
        last = None
        for x in xs:
            cell = Told(x, last) if what == "told" else Cell(x, last)
            if x > 1 or last is None:
                last = cell
            if what == "new attribute":
                last.other = x
        if what == "kept":
            kept.append(last)
        if what == "vars":
            return vars(last)["tail"].head
        return last if what == "returned" else id(last) if what == "id" else 1

    with pytest.raises((ag.errors.OperatorNotAllowedInGraphError, ag.errors.UnimplementedError)):
        ag.function(program, input_signature=[ag.TensorSpec([None], ag.int64)])(ag.constant([1, 2, 3], ag.int64))
    EVERYBODY.clear()
