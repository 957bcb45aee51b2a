"""assert, and raise under a condition."""


def safe_log(x):
    assert x == x, "not a number"
    if x <= 0:
        raise ValueError(f"no logarithm of {x}")
    return log(x)


# ---------------------------------------- becomes ----------------------------------------


def safe_log(x):
    ag__.assert_stmt(ag__.eq(x, x), lambda: 'not a number')
    def if_body():
        raise ag__.raised(ag__.callee(ValueError)(ag__.text(f'no logarithm of {x}')))
    ag__.if_stmt(x <= 0, if_body, None, ())
    return ag__.callee(log)(x)
