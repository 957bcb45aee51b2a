"""An assignment expression stays in the test of its statement, which the function itself evaluates."""


def halve(n):
    if (h := n // 2) > 1:
        return h
    return n


# ---------------------------------------- becomes ----------------------------------------


def halve(n):
    return_value: ag__.local
    def if_body():
        nonlocal return_value
        return_value = h
    def else_body():
        nonlocal return_value
        return_value = n
    ag__.if_stmt((h := (n // 2)) > 1, if_body, else_body, ('return_value',))
    return return_value
