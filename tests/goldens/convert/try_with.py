"""try and with stay Python's; what is inside is converted."""


def load(path, default):
    try:
        with open(path) as file:
            for line in file:
                if line.startswith("#"):
                    continue
                return float(line)
    except OSError:
        return default
    finally:
        print("done")
    return default


# ---------------------------------------- becomes ----------------------------------------


def load(path, default):
    did_return = False
    return_value = ag__.undefined
    try:
        with ag__.callee(open)(path) as file:
            def loop_body(line):
                nonlocal return_value, did_return
                def if_body():
                    pass
                def else_body():
                    nonlocal return_value, did_return
                    return_value = ag__.callee(float)(line)
                    did_return = True
                ag__.if_stmt(ag__.callee(line.startswith)('#'), if_body, else_body, ('return_value', 'did_return'))
            ag__.for_stmt(file, loop_body, ('return_value', 'did_return'), lambda: ag__.not_(did_return))
    except OSError:
        did_return = False
        return_value = default
        did_return = True
    finally:
        ag__.callee(print)('done')
    def if_body():
        nonlocal return_value
        return_value = default
    ag__.if_stmt(ag__.not_(did_return), if_body, None, ('return_value',))
    return return_value
