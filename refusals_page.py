







import autograph as ag
import numpy as np

@ag.function
def scaled(x):
    return x / x.numpy().max()

try:
    scaled(ag.constant([1.0, 4.0]))
except TypeError as error:
    print(error)
























@ag.function
def scaled(x):
    return x / np.max(x.numpy())

scaled(ag.constant([1.0, 4.0]))



@ag.function
def scaled(x):
    return x / ag.reduce_max(x)

print(scaled(ag.constant([1.0, 4.0])).numpy())
















import heapq

@ag.function
def smallest(x):
    return list(heapq.merge([x[0]], [x[1]]))[0]

smallest(ag.constant([2.0, 1.0]))



@ag.function
def smallest(x):
    return sorted([x[0], x[1]])[0]

print(float(smallest(ag.constant([2.0, 1.0]))))















@ag.function(input_signature=[ag.TensorSpec([None], ag.float32)])
def pairs(x):
    return [*x][0]

pairs(ag.constant([1.0, 4.0]))



@ag.function(input_signature=[ag.TensorSpec([None], ag.float32)])
def pairs(x):
    first, *rest = x
    return first + sum(rest)

print(float(pairs(ag.constant([1.0, 4.0]))))
















@ag.function
def sum_of_large(x):
    total = 0.0
    for item in ag.data.Dataset.from_tensor_slices(x).filter(lambda item: item > 1):
        total += item
    return total

sum_of_large(ag.constant([1.0, 4.0, 5.0]))



@ag.function
def sum_of_large(x):
    total = 0.0
    for item in ag.data.Dataset.from_tensor_slices(x):
        if item > 1:
            total += item
    return total

print(sum_of_large(ag.constant([1.0, 4.0, 5.0])).numpy())















@ag.function
def largest(x):
    return frozenset(v for v in [1.0, 2.0, 3.0] if v <= x)

largest(ag.constant(2.5))



@ag.function
def largest(x):
    *_, last = (v for v in [1.0, 2.0, 3.0] if v <= x)
    return last

print(float(largest(ag.constant(2.5))))














@ag.function(input_signature=[ag.TensorSpec(None, ag.float32)])
def last_size(x):
    return x.shape[-1]

last_size(ag.zeros([2, 3]))



@ag.function(input_signature=[ag.TensorSpec(None, ag.float32)])
def last_size(x):
    return ag.shape(x)[-1]

print(int(last_size(ag.zeros([2, 3]))))














@ag.function
def positive(x):
    if x > 0:
        return x
    return -x

positive(ag.constant([1.0, -2.0]))



@ag.function
def positive(x):
    return ag.where(x > 0, x, -x)

print(positive(ag.constant([1.0, -2.0])).numpy())
















log = []

@ag.autograph.do_not_convert
def remember(x):
    log.append(x)

@ag.function
def double(x):
    remember(x * 2)
    return x * 2

double(ag.constant(3.0))
print(log[0] + 1)



log = []

@ag.function
def double(x):
    log.append(x * 2)
    return x * 2

double(ag.constant(3.0))
print(float(log[0] + 1))

















@ag.autograph.do_not_convert
def weight(sign):
    return 1.0 if sign else 0.0

@ag.function
def positive(x):
    sign = "+" if x > 0 else ""
    return weight(sign)

positive(ag.constant(2.0))



def weight(sign):
    return 1.0 if sign else 0.0

@ag.function
def positive(x):
    sign = "+" if x > 0 else ""
    return weight(sign)

print(float(positive(ag.constant(2.0))))














@ag.function
def spread(x):
    if x > 0:
        y = (x, x)
    else:
        y = x
    return y + 1

spread(ag.constant(2.0))



@ag.function
def spread(x):
    if x > 0:
        y = (x, x)
    else:
        y = (x, 0.0 * x)
    return y[0] + y[1] + 1

print(float(spread(ag.constant(2.0))))














WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]

@ag.function
def spelled(n):
    return WORDS[n]

spelled(ag.constant(3))



WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]

@ag.function
def digit(n):
    return n % 10

print(WORDS[int(digit(ag.constant(3)))])














class Node:
    pass

@ag.function
def ring(x):
    if x > 0:
        node = Node()
        node.next = node
        node.value = x
    else:
        node = Node()
        node.value = -x
    return node.value

ring(ag.constant(2.0))



class Node:
    pass

@ag.function
def ring(x):
    node = Node()
    node.next = node
    if x > 0:
        node.value = x
    else:
        node.value = -x
    return node.value

print(float(ring(ag.constant(2.0))))
















@ag.function
def nested(n):
    t = [0]
    for i in ag.range(n):
        t = [t]
    return t

nested(ag.constant(3))



@ag.function
def nested(n):
    t = [0]
    for i in ag.range(n):
        t.append(i)
    return len(t)

print(int(nested(ag.constant(3))))
















@ag.function
def sum_to(n):
    i = 0
    s = 0
    more = ag.constant(True)
    while more:
        s += i
        i += 1
    return s

sum_to(ag.constant(3))



@ag.function
def sum_to(n):
    i = 0
    s = 0
    more = ag.constant(True)
    while more:
        s += i
        i += 1
        more = i <= n
    return s

print(int(sum_to(ag.constant(3))))
















@ag.function
def grow(n):
    v = ag.constant([0])
    for i in ag.range(n):
        ag.autograph.experimental.set_loop_options(shape_invariants=[(v, ag.TensorShape([1]))])
        v = ag.concat([v, [i]], 0)
    return v

grow(ag.constant(3))



@ag.function
def grow(n):
    v = ag.constant([0])
    for i in ag.range(n):
        ag.autograph.experimental.set_loop_options(shape_invariants=[(v, ag.TensorShape([None]))])
        v = ag.concat([v, [i]], 0)
    return v

print(grow(ag.constant(3)).numpy())

















kept = []

@ag.function
def count(n):
    class Counter:
        def __call__(self):
            return i

    i, total = 0, 0
    counter = Counter()
    kept.append(counter)
    while i < n:
        total += counter()
        i += 1
    return total

count(ag.constant(3))



class Counter:
    def __call__(self, i):
        return i

@ag.function
def count(n):
    i, total = 0, 0
    counter = Counter()
    while i < n:
        total += counter(i)
        i += 1
    return total

print(int(count(ag.constant(3))))
















@ag.function
def item(x, i):
    try:
        return x[i]
    except IndexError as error:
        print(str(error))
        return x[0]

item(ag.constant([1.0, 2.0]), ag.constant(5))



@ag.function
def item(x, i):
    try:
        return x[i]
    except IndexError:
        print("no item", i)
        return x[0]

print(float(item(ag.constant([1.0, 2.0]), ag.constant(5))))


















def head(x, *rest):
    return x + 1

@ag.function
def squares(n):
    xs = []
    for i in ag.range(n):
        xs.append(i * i)
    return head(*xs)

squares(ag.constant(3))



@ag.function
def squares(n):
    xs = []
    for i in ag.range(n):
        xs.append(i * i)
    return max([0] + xs)

print(int(squares(ag.constant(3))))














import statistics

@ag.function
def middle(n):
    xs = []
    for i in ag.range(n):
        xs.append((i, i * i))
    return statistics.median(xs)

middle(ag.constant(3))



@ag.function
def middle(n):
    xs = []
    for i in ag.range(n):
        xs.append(i * i)
    xs = ag.sort(ag.stack(xs))
    return xs[len(xs) // 2]

print(int(middle(ag.constant(3))))














@ag.function
def second(n):
    xs = []
    for i in ag.range(n):
        xs.append(i)
    return xs.__getitem__(1)

second(ag.constant(4))



@ag.function
def second(n):
    xs = []
    for i in ag.range(n):
        xs.append(i)
    return xs[1]

print(int(second(ag.constant(4))))















@ag.function
def rows(n):
    xs = []
    for i in ag.range(n):
        xs.append({"a": i})
    kept = [x for x in xs if x["a"] > 1]
    kept[0]["a"] = n
    return kept[0]["a"]

rows(ag.constant(3))



@ag.function
def rows(n):
    xs = []
    for i in ag.range(n):
        xs.append([i])
    kept = [x for x in xs if x[0] > 1]
    kept[0][0] = n
    return kept[0][0]

print(int(rows(ag.constant(3))))
















@ag.function
def visited(x):
    seen = {0}
    if x > 0:
        seen.add(1)
    return len(seen)

visited(ag.constant(2.0))



@ag.function
def visited(x):
    seen = [0]
    if x > 0:
        seen.append(1)
    return len(seen)

print(int(visited(ag.constant(2.0))))














@ag.function
def following(x):
    items = iter([1.0, 2.0, 3.0])
    if x > 0:
        next(items)
    return next(items)

following(ag.constant(2.0))



@ag.function
def following(x):
    items = [1.0, 2.0, 3.0]
    i = 0
    if x > 0:
        i += 1
    return items[i]

print(float(following(ag.constant(2.0))))














@ag.function
def table(n):
    rows = []
    for i in ag.range(n):
        rows.append((i, 0.5))
    return ag.stack(rows)

table(ag.constant(3))



@ag.function
def table(n):
    rows = []
    for i in ag.range(n):
        rows.append((i, 0.5))
    return ag.stack([i for i, _ in rows]), ag.stack([x for _, x in rows])

numbers, halves = table(ag.constant(3))
print(numbers.numpy(), halves.numpy())














@ag.function
def last(n):
    xs = []
    for i in ag.range(n):
        xs.clear()
    return xs[n]

last(ag.constant(3))



@ag.function
def last(n):
    xs = [-1]
    for i in ag.range(n):
        xs.append(i)
    return xs[n]

print(int(last(ag.constant(3))))















@ag.function
def by_score(x):
    return sorted(["a", "b"], key=lambda name: {"a": x[0], "b": x[1]}[name])

by_score(ag.constant([2.0, 1.0]))



@ag.function
def order(x):
    return ag.argsort(x), sorted([(x[0], 0), (x[1], 1)])[0][1]

indices, first = order(ag.constant([2.0, 1.0]))
print([["a", "b"][int(i)] for i in indices], int(first))















@ag.function
def shown(x):
    return f"{x:.2f}"

shown(ag.constant(1.0))



@ag.function
def halved(x):
    print(f"got {x:.2f}")
    return x / 2

print(f"{halved(ag.constant(1.0)):.2f}")

















@ag.function
def describe(x):
    label = f"{x}"
    if label.startswith("-"):
        return -x
    return x

describe(ag.constant(-3))



@ag.function
def describe(x):
    if x < 0:
        return -x
    return x

print(int(describe(ag.constant(-3))))
















seen = set()

@ag.function
def distinct(words):
    for w in words:
        seen.add(w)
    return len(seen)

distinct(ag.constant([3, 5, 3]))



@ag.function
def distinct(words):
    seen = set()
    for w in words:
        seen.add(w)
    return len(seen)

print(int(distinct(ag.constant([3, 5, 3]))))














@ag.function
def blanked(n):
    xs = []
    for i in ag.range(n):
        xs.append(i)
    xs[::2] = [0, 0]
    return ag.stack(xs)

blanked(ag.constant(4))



@ag.function
def blanked(n):
    xs = []
    for i in ag.range(n):
        xs.append(i)
    xs[1:3] = [0, 0]
    return ag.stack(xs)

print(blanked(ag.constant(4)).numpy())

















counts = {}

@ag.function
def count(words):
    for w in words:
        counts[w] = 1

count(ag.constant([3, 5, 3]))



@ag.function
def count(words):
    counts = {}
    for w in words:
        counts[w] = counts.get(w, 0) + 1
    return counts

print({int(word): int(n) for word, n in count(ag.constant([3, 5, 3])).items()})
















x = np.array([0.0, 0.0, 0.0])

@ag.function
def marked(i):
    x[i] = 1.0
    return x

marked(ag.constant(1))



@ag.function
def marked(i):
    y = x.copy()
    y[i] = 1.0
    return y

print(marked(ag.constant(1)).numpy())














@ag.function
def total(n):
    s = 0
    for i in n:
        s += i
    return s

total(ag.constant(4))



@ag.function
def total(n):
    s = 0
    for i in range(n):
        s += i
    return s

print(int(total(ag.constant(4))))














@ag.function
def inside(x, step):
    return x in range(0, 10, step)

inside(ag.constant(4), ag.constant(2))



@ag.function
def inside(x, step):
    return 0 <= x < 10 and x % step == 0

print(bool(inside(ag.constant(4), ag.constant(2))))















import itertools

def naturals():
    n = 0
    while True:
        yield n
        n += 1

@ag.function
def weighted(x):
    s = 0.0
    for i, v in zip(naturals(), [v for v in x if v > 0]):
        s += i * v
    return s

weighted(ag.constant([1.0, 2.0]))



@ag.function
def weighted(x):
    s = 0.0
    for i, v in zip(itertools.count(), [v for v in x if v > 0]):
        s += i * v
    return s

print(float(weighted(ag.constant([1.0, 2.0]))))

















@ag.function
def factorial(n):
    def go(n, after):
        return after(n) if n == 0 else go(n - 1, lambda v: after(v) * n)

    return go(n, lambda v: v + 1)

factorial(ag.constant(4))



@ag.function
def factorial(n):
    def go(n, product):
        return product if n == 0 else go(n - 1, product * n)

    return go(n, 1)

print(int(factorial(ag.constant(4))))















@ag.function
def nested(n):
    def go(n):
        return (n, go(n - 1)) if n > 0 else (n, n)

    return go(n)

nested(ag.constant(3))



@ag.function
def nested(n):
    def go(n):
        return [n] + go(n - 1) if n > 0 else [n]

    return ag.stack(go(n))

print(nested(ag.constant(3)).numpy())














@ag.function
def listed(n):
    def go(n, done):
        if n == 0:
            return n
        done.append(n)
        return go(n - 1, [n, n])

    return go(n, [n])

listed(ag.constant(3))



@ag.function
def listed(n):
    def go(n, done):
        if n == 0:
            return done
        return go(n - 1, done + [n])

    return ag.stack(go(n, [n]))

print(listed(ag.constant(3)).numpy())














@ag.function
def filled(x, n):
    def go(a, b, n):
        if n > 0:
            a[n] = 1.0
            go(a, b, n - 1)

    go(x, x, n)
    return x

filled(ag.zeros([4]), ag.constant(3))



@ag.function
def filled(x, n):
    def go(a, n):
        if n > 0:
            a[n] = 1.0
            go(a, n - 1)

    go(x, n)
    return x

print(filled(ag.zeros([4]), ag.constant(3)).numpy())
















@ag.function
def line(x):
    return np.polyfit(np.arange(3.0), x, 1)

line(ag.constant([1.0, 3.0, 5.0]))



@ag.function
def line(x):
    return ag.numpy_function(lambda y: np.polyfit(np.arange(3.0), y, 1).round(3), [x], ag.float64)

print(line(ag.constant([1.0, 3.0, 5.0])).numpy())














@ag.function
def squashed(x):
    np.tanh(x, out=x)
    return x

squashed(ag.constant([0.0, 1.0]))



@ag.function
def squashed(x):
    x = np.tanh(x)
    return x

print(squashed(ag.constant([0.0, 1.0])).numpy())














@ag.function
def rows(x):
    return np.reshape(x, (2, 2), order="F")

rows(ag.constant([1.0, 2.0, 3.0, 4.0]))



@ag.function
def rows(x):
    return np.reshape(x, (2, 2)).T

print(rows(ag.constant([1.0, 2.0, 3.0, 4.0])).numpy().tolist())
















@ag.function(input_signature=[ag.TensorSpec([3], ag.float32)])
def total(x):
    return ag.reduce_sum(x)

total(ag.constant([1.0, 2.0]))



@ag.function(input_signature=[ag.TensorSpec([None], ag.float32)])
def total(x):
    return ag.reduce_sum(x)

print(float(total(ag.constant([1.0, 2.0]))))























@ag.function
def halves(n):
    while n > 1:
        n = n // 2
        yield n

list(halves(ag.constant(9)))



def halves(n):
    while n > 1:
        n = n // 2
        yield n

@ag.function
def listed(n):
    return ag.stack([h for h in halves(n)])

print(listed(ag.constant(9)).numpy())














@ag.function
def double(x):
    return x * 2

concrete = double.get_concrete_function(ag.TensorSpec([], ag.float32))
concrete(ag.TensorSpec([], ag.float32))



@ag.function
def double(x):
    return x * 2

concrete = double.get_concrete_function(ag.TensorSpec([], ag.float32))
print(float(concrete(ag.constant(2.0))))














@ag.function
def counted(x):
    count = ag.Variable(0.0)
    count.assign_add(1.0)
    return x + count

counted(ag.constant(1.0))
counted(ag.constant([1.0, 2.0]))



count = ag.Variable(0.0)

@ag.function
def counted(x):
    count.assign_add(1.0)
    return x + count

print(float(counted(ag.constant(1.0))), counted(ag.constant([1.0, 2.0])).numpy())














class Cell:
    def __init__(self):
        self.v = None

    @ag.function
    def start(self, x):
        if self.v is None:
            self.v = ag.Variable(x)
        return self.v + x

Cell().start(ag.constant(1.0))



class Cell:
    def __init__(self):
        self.v = ag.Variable(0.0)

    @ag.function
    def start(self, x):
        self.v.assign(x)
        return self.v + x

print(float(Cell().start(ag.constant(1.0))))

















ag.distribute.MirroredStrategy(["/cpu:0", "/cpu:1"])



print(ag.distribute.MirroredStrategy().num_replicas_in_sync)














ag.data.Dataset.range(3).cache("numbers")



print([int(x) for x in ag.data.Dataset.range(3).cache()])















x = ag.constant([[3.0, 0.0], [0.0, 4.0]])
with ag.GradientTape() as tape:
    tape.watch(x)
    s, u, v = ag.linalg.svd(x)
tape.gradient(u, x)



x = ag.constant([[3.0, 0.0], [0.0, 4.0]])
with ag.GradientTape() as tape:
    tape.watch(x)
    largest = ag.linalg.svd(x, compute_uv=False)[0]
print(tape.gradient(largest, x).numpy().tolist())














@ag.function
def grown(x):
    if x > 10.0:
        return x
    with ag.GradientTape() as tape:
        tape.watch(x)
        y = grown(x * 2.0)
    return tape.gradient(y, x)

grown(ag.constant(3.0))



@ag.function
def grown(x):
    if x > 10.0:
        return x
    return grown(x * 2.0)

x = ag.constant(3.0)
with ag.GradientTape() as tape:
    tape.watch(x)
    y = grown(x)
print(float(tape.gradient(y, x)))






















namespace = {}
exec("def double(x): return x * 2", namespace)
ag.function(namespace["double"])(ag.constant(1.0))



import linecache

text = "def double(x): return x * 2"
linecache.cache["<double>"] = (len(text), None, [text], "<double>")
namespace = {}
exec(compile(text, "<double>", "exec"), namespace)
print(float(ag.function(namespace["double"])(ag.constant(1.0))))














double, triple = ag.function(lambda x: x * 2), ag.function(lambda x: x * 3)
print(float(double(ag.constant(1.0))), float(triple(ag.constant(1.0))))














ag.autograph.to_code(len)



def size(x):
    return len(x)

print(ag.autograph.to_code(size))


























import datetime
import random
import time
import warnings

@ag.function
def stamped(x):
    return x, datetime.datetime.now()

with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    stamped(ag.constant(1.0))
print(str(seen[0].message).splitlines()[0])

@ag.function
def noisy(x):
    return x + random.gauss(0.0, 1.0), time.time()

print(noisy(ag.constant(1.0))[0] != noisy(ag.constant(1.0))[0])















@ag.function
def power(x, n):
    return x ** n

with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    for n in range(10):
        power(ag.constant(2.0), n)
print(seen[0].message)
for n in range(10):
    power(ag.constant(2.0), ag.constant(n))















class Schedule:
    rate = 1.0

schedule = Schedule()
step = ag.function(lambda x: x * schedule.rate)
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    for k in range(10):
        schedule.rate = 1.0 / (k + 1)
        step(ag.constant(2.0))
print(seen[0].message)

schedule.rate = ag.Variable(1.0)
for k in range(10):
    schedule.rate.assign(1.0 / (k + 1))
    step(ag.constant(2.0))















weights = {f"w{i}": float(i) for i in range(1200)}

@ag.function
def by_name(x):
    for i in range(1200):
        x = x + weights[f"w{i}"]
    return x

with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    by_name(ag.constant(0.0))
print(seen[0].message)

values = ag.constant(list(weights.values()))

@ag.function
def by_index(x):
    for i in ag.range(1200):
        x = x + values[i]
    return x

print(float(by_index(ag.constant(0.0))))







