"""Generators, async functions, literal tests: Python's, with what is inside converted."""


def evens(xs):
    for x in xs:
        if x % 2 == 0:
            yield x


async def fetch(urls):
    return [await url for url in urls]


def debugging(x):
    if __debug__:
        print(x)
    return locals()


# ---------------------------------------- becomes ----------------------------------------


def evens(xs):
    for x in xs:
        if x % 2 == 0:
            (yield x)


async def fetch(urls):
    return [await url for url in urls]


def debugging(x):
    if __debug__:
        ag__.callee(print)(x)
    return ag__.callee(locals)()
