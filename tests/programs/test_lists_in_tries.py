"""Lists that the body of a `try` puts into lists that are references: what it had done when it failed is kept."""

from tests.programs.harness import Programs

PROGRAMS = Programs()


@PROGRAMS.add((0.5, 1, [3.0, 1.0]), (0.5, 4, [3.0, 1.0]), (-0.5, 0, [3.0, 1.0]))
def returns_another_kind(x, i, xs):
    rows = [[], []]
    try:
        rows.append([x])
        if xs[i] > 2:
            return sum(sorted(xs))
    except IndexError:
        rows[0].append(x * 2)
    finally:
        rows[-1].append(x)
    return sum(len(row) * sum(row) for row in rows)


@PROGRAMS.add((0.5, 1, [3.0, 1.0]), (0.5, 4, [3.0, 1.0]), (-0.5, 0, [3.0, 1.0]))
def row_put_in_before_it_fails(x, i, xs):
    rows = [[x], [1.0]]
    row = rows[0]
    for j in range(len(xs)):
        try:
            if xs[j] > 2:
                row = rows[j]
            rows.append([x, x])
            row.append(xs[i + j])
            rows.append([xs[j]])
        except IndexError:
            row.append(x * 2)
    return rows, row


@PROGRAMS.add(([1, 2, 3], 1), ([3, 4, 7], 4), ([2, 2, 5], 5))
def rows_around_a_try(ks, n):
    rows = [[n]]
    for k in ks:
        if k > 2:
            rows.append([k])
        rows[-1].append(k)
        try:
            assert k % 2 == 1, "even"
        except AssertionError:
            n -= 1
    return rows, n


test_eager, test_staged, test_gradients = PROGRAMS.tests()
test_natively = PROGRAMS.natively()
