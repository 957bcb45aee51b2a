"""A loop in a loop: helper functions nest as the loops do."""


def matrix_product(a, b, c, n):
    for i in range(n):
        for j in range(n):
            s = 0.0
            for k in range(n):
                s += a[i, k] * b[k, j]
            c[i, j] = s
    return c


# ---------------------------------------- becomes ----------------------------------------


def matrix_product(a, b, c, n):
    def loop_body(i):
        def loop_body(j):
            s = 0.0
            def loop_body(k):
                nonlocal s
                s += ag__.get_item(a, (i, k)) * ag__.get_item(b, (k, j))
            ag__.for_stmt(ag__.callee(range)(n), loop_body, ('s',))
            ag__.set_item(c, (i, j), s)
        ag__.for_stmt(ag__.callee(range)(n), loop_body, ())
    ag__.for_stmt(ag__.callee(range)(n), loop_body, ())
    return c
