"""Iterators and generators that several files of programs go over."""


class Countdown:
    """n, n - 1, ..., 1."""

    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return self

    def __next__(self):
        if self.n <= 0:
            raise StopIteration
        self.n -= 1
        return self.n + 1


def fibonacci():
    """Without end."""
    a, b = 0, 1
    while True:
        yield a
        a, b = b, a + b


def up_to(n):
    """0, 1, ..., n - 1."""
    i = 0
    while i < n:
        yield i
        i += 1
