"""Conditional and boolean expressions, comparisons, tests for None and membership."""


def pick(a, b, c):
    x = a if a > b else b
    inside = 0 < x < c and not x == b
    missing = a is None or b not in (c, x)
    return x if inside or missing else c


# ---------------------------------------- becomes ----------------------------------------


def pick(a, b, c):
    x = ag__.if_exp(a > b, lambda: a, lambda: b)
    inside = ag__.and_(ag__.and_(0 < x, lambda: ag__.lt(x, c)), lambda: ag__.not_(ag__.eq(x, b)))
    missing = ag__.or_(ag__.is_(a, None), lambda: ag__.not_in(b, (c, x)))
    return ag__.if_exp(ag__.or_(inside, lambda: missing), lambda: x, lambda: c)
