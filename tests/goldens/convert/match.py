"""match becomes a chain of tests."""


def area(shape):
    match shape:
        case ("circle", r):
            return 3.14 * r * r
        case ("box", w, h) if w > 0:
            return w * h
        case _:
            return 0.0


# ---------------------------------------- becomes ----------------------------------------


def area(shape):
    return_value: ag__.local
    w: ag__.local
    h: ag__.local
    def if_body():
        nonlocal return_value
        r = ag__.get_item(shape, 1)
        return_value = 3.14 * r * r
    def else_body():
        nonlocal w, h, return_value
        matched = False
        def if_body():
            nonlocal w, h, matched
            w = ag__.get_item(shape, 1)
            h = ag__.get_item(shape, 2)
            matched = w > 0
        ag__.if_stmt(ag__.and_(ag__.match_sequence(shape, 3, False), lambda: ag__.get_item(shape, 0) == 'box'), if_body, None, ('w', 'h', 'matched'))
        def if_body():
            nonlocal return_value
            return_value = w * h
        def else_body():
            nonlocal return_value
            return_value = 0.0
        ag__.if_stmt(matched, if_body, else_body, ('return_value',))
    ag__.if_stmt(ag__.and_(ag__.match_sequence(shape, 2, False), lambda: ag__.get_item(shape, 0) == 'circle'), if_body, else_body, ('return_value', 'w', 'h'))
    return return_value
