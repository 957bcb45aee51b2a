"""return inside a loop leaves both."""


def index_of(xs, wanted):
    for i, x in enumerate(xs):
        if x == wanted:
            return i
    return -1


# ---------------------------------------- becomes ----------------------------------------


def index_of(xs, wanted):
    did_return = False
    return_value = ag__.undefined
    def loop_body(item):
        nonlocal return_value, did_return
        i, x = item
        def if_body():
            nonlocal return_value, did_return
            return_value = i
            did_return = True
        ag__.if_stmt(ag__.eq(x, wanted), if_body, None, ('return_value', 'did_return'))
    ag__.for_stmt(ag__.callee(enumerate)(xs), loop_body, ('return_value', 'did_return'), lambda: ag__.not_(did_return))
    def if_body():
        nonlocal return_value
        return_value = -1
    ag__.if_stmt(ag__.not_(did_return), if_body, None, ('return_value',))
    return return_value
