"""Containers that Python itself changes in a branch or loop of the graph: as in Python, or refused by name."""

import array
import collections
import heapq
import itertools

import numpy as np
import pytest

import autograph as ag


class Listed(list):
    pass


class Mapped(dict):
    pass


def updated_by_union(c):
    d={'a':1}
    if c>0:
        d |= {'b':2}
    return len(d)


def updated_by_union_of_a_known_key(c):
    d={'a':1}
    if c>0:
        d |= {'a':c}
    return d['a']


def counted(c):
    d=collections.Counter()
    if c>0:
        d['a']+=2
    return d['a']


def default_list(c):
    d=collections.defaultdict(list)
    if c>0:
        d['a'].append(2)
    return len(d['a'])


def default_number(c):
    d=collections.defaultdict(int)
    if c>0:
        d['a']+=2
    return d['a']


def default_list_read_outside(c):
    d=collections.defaultdict(list)
    if c>0:
        d['a'].append(2)
    d['a'].append(3)
    return len(d['a']), len(d)


def counted_twice(c):
    d=collections.Counter(a=1)
    if c>0:
        d['b']+=2
    return d['b']+d['a']*10


def ordered(c):
    d=collections.OrderedDict(a=1)
    if c>0:
        d['a']=c
    return d['a']


def dictionary_of_a_subclass(c):
    b=Mapped()
    b['x']=0
    if c>0:
        b['x']=c
    return b['x']


def array_item(c):
    b=np.zeros(3)
    if c>0:
        b[0]=5.
    return b.sum()


def array_in_place(c):
    b=np.zeros(3)
    if c>0:
        b += 5.
    return b.sum()


def pushed_on_a_heap(c):
    h=[3,4]
    if c>0:
        heapq.heappush(h,1)
    return h[0]


def extended(c):
    xs=[1]
    if c>0:
        xs.extend([2,3])
    return len(xs)


def slice_assigned(c):
    xs=[1,2,3]
    if c>0:
        xs[:]=[5]
    return sum(xs)


def repeated_in_place(c):
    xs=[1,2,3]
    if c>0:
        xs *= 2
    return sum(xs)


def extended_in_place_in_a_loop(c):
    xs=[1]
    ys=xs
    while len(xs)<c+5:
        xs+=[2]
    return len(ys)


def key_deleted(c):
    d={'a':1,'b':2}
    if c>0:
        del d['a']
    return len(d)


def key_popped(c):
    d={'a':1,'b':2}
    if c>0:
        d.pop('a')
    return len(d)


def default_set(c):
    d={'a':1,'b':2}
    if c>0:
        d.setdefault('z',[]).append(1)
    return len(d)


def sorted_backwards(c):
    xs=[1,2,3]
    if c>0:
        xs.sort(reverse=True)
    return xs[0]


def reversed_in_place(c):
    xs=[1,2,3]
    if c>0:
        xs.reverse()
    return xs[0]


def cleared(c):
    xs=[1,2,3]
    if c>0:
        xs.clear()
    return len(xs)


def removed(c):
    xs=[1,2,3]
    if c>0:
        xs.remove(2)
    return len(xs)


def rolling_window(c):
    w=collections.deque([0.,0.,0.])
    t=0.
    for i in range(c+2):
        w.append(i*1.)
        w.popleft()
        t=t+sum(w)
    return t


def rolling_window_of_fixed_length(c):
    w=collections.deque([0.,0.,0.],maxlen=3)
    t=0.
    for i in range(c+2):
        w.append(i*1.)
        t=t+w[0]
    return t


def added_to_a_set(c):
    s={1}
    if c>0:
        s.add(2)
    return len(s)


def set_united(c):
    s={1}
    if c>0:
        s |= {2}
    return len(s)


def appended_to_a_deque(c):
    d=collections.deque([1])
    if c>0:
        d.append(2)
    return len(d)


def bytes_joined(c):
    b=bytearray(b'a')
    if c>0:
        b += b'c'
    return len(b)


def byte_appended(c):
    b=bytearray(b'a')
    if c>0:
        b.append(3)
    return len(b)


def appended_to_an_array(c):
    b=array.array('i',[1])
    if c>0:
        b.append(3)
    return len(b)


def appended_to_a_list_of_a_subclass(c):
    b=Listed([1])
    if c>0:
        b.append(3)
    return len(b)


def item_taken_from_an_iterator(c):
    i=iter([1,2,3])
    if c>0:
        next(i)
    return next(i)


def item_taken_from_an_iterator_in_c(c):
    i=itertools.chain([1,2,3])
    if c>0:
        next(i)
    return next(i)


def added_to_a_set_in_a_loop(c):
    s=set()
    for i in range(c+3):
        s.add(5)
    return len(s)


def joined_to_an_item(c):
    d, rows = {"a": [1]}, [[1], [2]]
    if c > 0:
        d["a"] += [2]
        rows[0] += [3, 4]
    return len(d["a"]) + 10 * len(rows[0])


def joined_to_an_attribute(c):
    box = Listed()
    box.items = [1]
    if c > 0:
        box.items += [2]
    return len(box.items)


WORK = [
    item_taken_from_an_iterator,
    appended_to_a_deque,
    joined_to_an_item,
    joined_to_an_attribute,
    updated_by_union,
    updated_by_union_of_a_known_key,
    counted,
    default_list,
    default_number,
    default_list_read_outside,
    counted_twice,
    ordered,
    dictionary_of_a_subclass,
    array_item,
    array_in_place,
    pushed_on_a_heap,
    extended,
    slice_assigned,
    repeated_in_place,
    extended_in_place_in_a_loop,
    key_deleted,
    key_popped,
    default_set,
    sorted_backwards,
    reversed_in_place,
    cleared,
    removed,
    rolling_window,
    rolling_window_of_fixed_length,
    added_to_a_set,
]
REFUSED = [
    bytes_joined,
    byte_appended,
    appended_to_an_array,
    appended_to_a_list_of_a_subclass,
]


@pytest.mark.parametrize("c", [1, -1])
@pytest.mark.parametrize("program", WORK, ids=lambda f: f.__name__)
def test_as_python(program, c):
    np.testing.assert_array_equal(ag.function(program)(ag.constant(c)), program(c))


@pytest.mark.parametrize("program", REFUSED, ids=lambda f: f.__name__)
def test_refused_by_name(program):
    with pytest.raises(ag.errors.OperatorNotAllowedInGraphError, match="container-in-graph"):
        ag.function(program)(ag.constant(1))


def test_an_iterator_that_advances():
    staged = ag.function(item_taken_from_an_iterator_in_c)
    for c in (1, -1):
        assert int(staged(ag.constant(c))) == item_taken_from_an_iterator_in_c(c)


def test_what_a_branch_makes_for_itself_is_its_own():
    def program(c):
        total = 0
        if c > 0:
            seen, items = set(), iter([1, 2])
            seen.add(next(items))
            seen |= {7}
            total = total + sum(seen)
        return total

    staged = ag.function(program)
    assert [int(staged(ag.constant(c))) for c in (1, -1)] == [8, 0]


def test_a_refusal_leaves_the_container_as_it_was():
    seen = bytearray(b"1")

    def program(c):
        if c > 0:
            seen.append(50)
        return c

    with pytest.raises(ag.errors.OperatorNotAllowedInGraphError, match="a bytearray is changed"):
        ag.function(program)(ag.constant(1))
    assert seen == b"1"


def test_the_name_of_an_item_stays_beside_a_copy_of_it():
    def program(words):
        kept = []
        for word in words:
            first = word
            while word:
                word = word[1:]
            kept.append((first, word))
        return kept

    assert ag.autograph.to_graph(program)(["ab", "c"]) == program(["ab", "c"])
