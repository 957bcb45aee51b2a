"""break and continue become flags, or plain branches where that is enough."""


def first_negative(xs):
    found = -1
    for i in range(len(xs)):
        if xs[i] < 0:
            found = i
            break
    return found


def odd_sum(xs, limit):
    total = 0
    for x in xs:
        if x % 2 == 0:
            continue
        total += x
        if total > limit:
            break
    return total


# ---------------------------------------- becomes ----------------------------------------


def first_negative(xs):
    found = -1
    did_break = False
    def loop_body(i):
        nonlocal found, did_break
        def if_body():
            nonlocal found, did_break
            found = i
            did_break = True
        ag__.if_stmt(ag__.get_item(xs, i) < 0, if_body, None, ('found', 'did_break'))
    ag__.for_stmt(ag__.callee(range)(ag__.callee(len)(xs)), loop_body, ('found', 'did_break'), lambda: ag__.not_(did_break))
    return found


def odd_sum(xs, limit):
    total = 0
    did_break = False
    def loop_body(x):
        nonlocal total, did_break
        def if_body():
            pass
        def else_body():
            nonlocal total, did_break
            total += x
            def if_body():
                nonlocal did_break
                did_break = True
            ag__.if_stmt(total > limit, if_body, None, ('did_break',))
        ag__.if_stmt(x % 2 == 0, if_body, else_body, ('total', 'did_break'))
    ag__.for_stmt(xs, loop_body, ('total', 'did_break'), lambda: ag__.not_(did_break))
    return total
