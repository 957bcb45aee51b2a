"""Chains and trees of dictionaries, tuples and lists that are written out, of a size that only the run knows."""

import numpy as np
import pytest

import autograph as ag
from tests.programs.harness import Programs

PROGRAMS = Programs()
NUMBERS = (np.array([1.0, 2.0, 3.0]), np.array([4.0, 0.25, 1.5]))
KEYS = ((np.array([5, 2, 8, 1, 9]), 8), (np.array([3, 4, 5, 6, 7]), 1))


@PROGRAMS.add(*NUMBERS)
def reversed_dictionaries(xs):
    head = None
    for x in xs:
        head = {"v": x, "next": head}
    prev = None
    while head is not None:
        nxt = head["next"]
        head["next"] = prev
        prev, head = head, nxt
    total, k = 0.0, 1
    while prev is not None:
        total = total + prev["v"] * k
        k += 1
        prev = prev["next"]
    return total


@PROGRAMS.add(*NUMBERS)
def pairs_put_on_a_stack(xs):
    stack = None
    for x in xs:
        if x > 0.5:
            stack = (x, stack)
    total, k = 0.0, 1
    while stack is not None:
        v, stack = stack
        total = total + v * k
        k += 1
    return total


@PROGRAMS.add(*NUMBERS)
def pairs_down_to_nothing(xs):
    stack = ()
    for x in xs:
        stack = (x, stack)
    total, k = 0.0, 1
    while stack:
        total = total + stack[0] * k
        stack = stack[1]
        k += 1
    return total


def depth_of(cur, q):
    depth = 0
    while cur is not None:
        if cur["key"] == q:
            return depth
        cur = cur["left"] if q < cur["key"] else cur["right"]
        depth += 1
    return -1


@PROGRAMS.add(*KEYS)
def a_search_tree_of_dictionaries(keys, q):
    root = None
    for k in keys:
        node = {"key": k, "left": None, "right": None}
        if root is None:
            root = node
            continue
        cur = root
        while True:
            if k < cur["key"]:
                if cur["left"] is None:
                    cur["left"] = node
                    break
                cur = cur["left"]
            else:
                if cur["right"] is None:
                    cur["right"] = node
                    break
                cur = cur["right"]
    return depth_of(root, q)


@PROGRAMS.add(*KEYS)
def by_a_side_that_the_run_knows(keys, q):
    root = {"key": keys[0], "left": None, "right": None}
    for k in keys[1:]:
        cur = root
        while cur is not None:
            side = "left" if k < cur["key"] else "right"
            nxt = cur[side]
            if nxt is None:
                cur[side] = {"key": k, "left": None, "right": None}
            cur = nxt
    return depth_of(root, q)


@PROGRAMS.add(*NUMBERS)
def cells_that_are_lists(xs):
    head = None
    for x in xs:
        head = [x, head]
    total, k = 0.0, 1
    cur = head
    while cur is not None:
        total = total + cur[0] * k
        cur[0] = 0.0
        k += 1
        cur = cur[1]
    return total


@PROGRAMS.add(*KEYS)
def a_search_tree_of_lists(keys, q):
    root = [keys[0], None, None]
    for k in keys[1:]:
        cur = root
        while True:
            if k < cur[0]:
                if cur[1] is None:
                    cur[1] = [k, None, None]
                    break
                cur = cur[1]
            else:
                if cur[2] is None:
                    cur[2] = [k, None, None]
                    break
                cur = cur[2]
    depth = 0
    cur = root
    while cur is not None:
        if cur[0] == q:
            return depth
        cur = cur[1] if q < cur[0] else cur[2]
        depth += 1
    return -1


@PROGRAMS.add(*NUMBERS)
def matched_as_a_sequence(xs):
    stack = None
    for x in xs:
        stack = (x, stack)
    total = 0.0
    while stack is not None:
        match stack:
            case (v, rest):
                total = total * 2 + v
                stack = rest
            case _:
                total = -100.0
                break
    return total


@PROGRAMS.add(*NUMBERS)
def matched_as_a_mapping(xs):
    stack = None
    for x in xs:
        stack = {"v": x, "n": stack}
    total = 0.0
    while stack is not None:
        match stack:
            case {"v": v, "n": rest}:
                total = total * 2 + v
                stack = rest
            case _:
                total = -100.0
                break
    return total


@PROGRAMS.add(*NUMBERS)
def matched_as_a_class(xs):
    stack = None
    for x in xs:
        stack = (x, stack)
    total = 0.0
    while True:
        match stack:
            case tuple():
                total = total * 2 + stack[0]
                stack = stack[1]
            case None:
                break
    return total


@PROGRAMS.add(*NUMBERS)
def told_by_its_class(xs):
    stack = None
    for x in xs:
        stack = (x, stack)
    total = 0.0
    while isinstance(stack, tuple):
        total = total * 2 + stack[0]
        stack = stack[1]
    return total


@PROGRAMS.add(*NUMBERS)
def copied_with_changes(xs):
    stack = None
    for x in xs:
        stack = {"v": x, "n": stack}
    total = 0.0
    while stack is not None:
        other = {**stack, "v": stack["v"] * 2}
        third = dict(stack)
        third["v"] = 3.0
        total = total * 2 + other["v"] + stack["v"] + third["v"]
        stack = other["n"]
    return total


@PROGRAMS.add(*NUMBERS)
def beside_other_dictionaries(xs):
    best = {"v": None, "at": None}
    head = None
    for i in range(len(xs)):
        head = (i, head)
        if best["v"] is None or xs[i] > best["v"]:
            best["v"] = xs[i]
            best["at"] = head
    t = 0
    cur = best["at"]
    while cur is not None:
        t = t + cur[0]
        cur = cur[1]
    return t, best["v"]


@PROGRAMS.add(*NUMBERS)
def asked_for_keys(xs):
    stack = None
    for x in xs:
        stack = {"v": x, "n": stack}
    total = 0.0
    while stack is not None:
        if "v" in stack and "w" not in stack:
            total = total * 2 + stack.get("v") + stack.get("w", 1.0) + len(stack)
        stack = stack["n"]
    return total


test_eager, test_staged, test_gradients = PROGRAMS.tests()


def any_number(body):
    return ag.function(body, input_signature=[ag.TensorSpec([None], ag.float64)])


@pytest.mark.parametrize("name", [n for n in PROGRAMS.table if "tree" not in n and "side" not in n])
def test_of_any_size(name):
    program = PROGRAMS.table[name].function
    staged = any_number(program)
    for xs in ([1.0, 2.0, 3.0], [5.0], list(range(1, 40))):
        given = np.array(xs, dtype=np.float64)
        np.testing.assert_allclose(np.hstack(ag.nest.flatten(staged(given))), np.hstack(ag.nest.flatten(program(given))))


@pytest.mark.parametrize("use", ["return stack", "print(stack)", "return stack == (1.0, None)", "return stack + (1.0,)"])
def test_what_only_all_of_it_would_tell_is_refused(use, tmp_path):
    file = tmp_path / "chain.py"
    start = "def f(xs):\n    stack = None\n    for x in xs:\n        stack = (x, stack)\n"
    file.write_text(f"{start}    {use}\n    return 1.0\n")
    made: dict = {}
    exec(compile(file.read_text(), str(file), "exec"), made)
    with pytest.raises(ag.errors.UnimplementedError, match="keep changing"):
        any_number(made["f"])(np.array([1.0, 2.0]))
