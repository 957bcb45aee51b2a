"""if, elif, else: names bound in some branches, and early returns."""


def clamp(x, low, high):
    # Below.
    if x < low:
        y = low
    # Above.
    elif x > high:
        y = high
    else:
        y = x
    return y


def sign(x):
    if x > 0:
        return 1
    if x < 0:
        return -1
    return 0


def logged(x, verbose):
    if verbose:
        print("x is", x)
    return x


# ---------------------------------------- becomes ----------------------------------------


def clamp(x, low, high):
    y: ag__.local
    # Below.
    def if_body():
        nonlocal y
        y = low
    def else_body():
        nonlocal y
        # Above.
        def if_body():
            nonlocal y
            y = high
        def else_body():
            nonlocal y
            y = x
        ag__.if_stmt(x > high, if_body, else_body, ('y',))
    ag__.if_stmt(x < low, if_body, else_body, ('y',))
    return y


def sign(x):
    return_value: ag__.local
    def if_body():
        nonlocal return_value
        return_value = 1
    def else_body():
        nonlocal return_value
        def if_body():
            nonlocal return_value
            return_value = -1
        def else_body():
            nonlocal return_value
            return_value = 0
        ag__.if_stmt(x < 0, if_body, else_body, ('return_value',))
    ag__.if_stmt(x > 0, if_body, else_body, ('return_value',))
    return return_value


def logged(x, verbose):
    def if_body():
        ag__.callee(print)('x is', x)
    ag__.if_stmt(verbose, if_body, None, ())
    return x
