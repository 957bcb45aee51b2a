"""Comprehensions: the element and the condition become lambdas."""


def positive_squares(xs):
    return [x * x for x in xs if x > 0]


def table(rows, columns):
    return [r * c for r in rows for c in columns]


def total(xs):
    return sum(x + 1 for x in xs)


def named(pairs):
    return {name: 2 * value for name, value in pairs}


# ---------------------------------------- becomes ----------------------------------------


def positive_squares(xs):
    return ag__.list_comp(lambda x: x * x, xs, lambda x: x > 0)


def table(rows, columns):
    return ag__.list_comp(lambda r: ag__.list_comp(lambda c: r * c, columns), rows, flat=True)


def total(xs):
    return ag__.callee(sum)(ag__.generator_exp(lambda x: x + 1, xs))


def named(pairs):
    return ag__.dict_comp(lambda item: [(name, 2 * value) for name, value in (ag__.unpack(item, 2),)][0], pairs)
