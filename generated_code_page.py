











import autograph as ag










def f(x, low):
    if x < low:
        y = low
    else:
        y = x
    return y

print(ag.autograph.to_code(f))


















def f(x):
    if x > 0:
        return x
    return -x

print(ag.autograph.to_code(f))





















def f(x, a):
    while abs(x * x - a) > 1e-6:
        step = (x * x - a) / (2 * x)
        x = x - step
    return x

print(ag.autograph.to_code(f))

















def f(pairs):
    total = 0
    for a, b in pairs:
        total += a * b
    return total

print(ag.autograph.to_code(f))




















def f(xs, limit):
    total = 0
    for x in xs:
        if x < 0:
            continue
        if total > limit:
            break
        total += x
    return total

print(ag.autograph.to_code(f))




























def f(xs, wanted):
    for i, x in enumerate(xs):
        if x == wanted:
            return i
    else:
        wanted = 0
    return wanted

print(ag.autograph.to_code(f))
































def f(a, b, xs):
    y = a if a > b else b
    inside = 0 < a < b and not y == 1
    return inside or a is None or b is not None or a in xs or b not in xs

print(ag.autograph.to_code(f))






















class Child(dict):
    def f(self, g, *rest, **options):
        scale = lambda x: g(x, *rest, **options)
        return super().get(scale(len(self)))

print(ag.autograph.to_code(Child.f))















def f(self, x, i, j):
    self.last = x[i, 1:]
    self.count += 1
    x[i][j] = 0.0
    x[i] += self.last[0]
    del x[j], self.temporary
    return x

print(ag.autograph.to_code(f))



















def f(xs, ys):
    a = [x * x for x in xs if x > 0]
    b = {x: y for x in xs for y in ys}
    c = {-x for x in xs}
    return sum(x + y for x, y in zip(a, c))

print(ag.autograph.to_code(f))
















def f(x):
    assert x == x, "not a number"
    if x < 0:
        raise ValueError(f"negative: {x}")
    return x

print(ag.autograph.to_code(f))


















def f(event):
    match event:
        case [first, *rest]:
            return first
        case {"x": x, **others}:
            return x
        case complex(real=r) if r > 0:
            return r
        case 0 | 1:
            return 0

print(ag.autograph.to_code(f))


















































def f(xs):
    for x in xs:
        yield x + len(xs)

print(ag.autograph.to_code(f))



























