"""for: over tensors, ranges and pairs."""


def dot(a, b):
    total = 0.0
    for x, y in zip(a, b):
        total += x * y
    return total


def running(xs):
    sums = []
    s = 0
    for i, x in enumerate(xs):
        s = s + i * x
        sums.append(s)
    return sums


# ---------------------------------------- becomes ----------------------------------------


def dot(a, b):
    total = 0.0
    def loop_body(item):
        nonlocal total
        x, y = item
        total += x * y
    ag__.for_stmt(ag__.callee(zip)(a, b), loop_body, ('total',))
    return total


def running(xs):
    sums = []
    s = 0
    def loop_body(item):
        nonlocal s
        i, x = item
        s = s + i * x
        ag__.callee(sums.append)(s)
    ag__.for_stmt(ag__.callee(enumerate)(xs), loop_body, ('s',))
    return sums
