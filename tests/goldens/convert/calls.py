"""Calls are looked up by a hook; lambdas and nested functions are converted where they stand."""


def apply(f, xs, **options):
    scale = lambda x: x * options.get("scale", 1.0) if x > 0 else x
    return f(*map(scale, xs), **options)


def counter(start):
    n = start

    def step(by=1):
        nonlocal n
        if by > 0:
            n += by
        return n

    return step


# ---------------------------------------- becomes ----------------------------------------


def apply(f, xs, **options):
    scale = lambda x: ag__.if_exp(x > 0, lambda: x * ag__.callee(options.get)('scale', 1.0), lambda: x)
    return ag__.callee(f)(*ag__.spread(ag__.callee(map)(scale, xs), f, 0), **options)


def counter(start):
    n = start
    def step(by=1):
        nonlocal n
        def if_body():
            nonlocal n
            n += ag__.in_place(n, by)
        ag__.if_stmt(by > 0, if_body, None, ('n',))
        return n
    return step
