"""The else of a loop runs where it was not left by break."""


def is_prime(n):
    d = 2
    while d * d <= n:
        if n % d == 0:
            prime = False
            break
        d += 1
    else:
        prime = n > 1
    return prime


# ---------------------------------------- becomes ----------------------------------------


def is_prime(n):
    prime: ag__.local
    d = 2
    did_break = False
    def loop_test():
        return ag__.and_(ag__.not_(did_break), lambda: d * d <= n)
    def loop_body():
        nonlocal prime, did_break, d
        def if_body():
            nonlocal prime, did_break
            prime = False
            did_break = True
        def else_body():
            nonlocal d
            d += 1
        ag__.if_stmt(n % d == 0, if_body, else_body, ('prime', 'did_break', 'd'))
    ag__.while_stmt(loop_test, loop_body, ('prime', 'did_break', 'd'))
    def if_body():
        nonlocal prime
        prime = n > 1
    ag__.if_stmt(ag__.not_(did_break), if_body, None, ('prime',))
    return prime
