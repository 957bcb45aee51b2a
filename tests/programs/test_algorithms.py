"""Numeric algorithms, written plainly."""

import numpy as np

import autograph as ag
from tests.programs.harness import Programs

PROGRAMS = Programs()
V = np.array([3.11, -1.23, 4.37, 1.41, -5.59])
W = np.array([-2.17, 7.29, 1.31, -8.43, 2.57])
S = np.array([[2.0, 0.3, 0.1], [0.3, 1.5, -0.2], [0.1, -0.2, 1.1]])
T = np.array([[1.2, 0.5, 0.0], [0.5, 3.1, 0.4], [0.0, 0.4, 0.7]])


@PROGRAMS.add(2.0, 30.0)
def newton_square_root(a):
    x = a
    while abs(x * x - a) > 1e-12:
        x = 0.5 * (x + a / x)
    return x


@PROGRAMS.add((0.0, 3.0), (-1.0, 2.5), gradients=False)
def bisection(low, high):
    for _ in range(100):
        middle = (low + high) / 2
        value = middle**3 - middle - 2
        if abs(value) < 1e-10:
            return middle
        if value > 0:
            high = middle
        else:
            low = middle
    return low


@PROGRAMS.add((48, 36), (17, 5), (0, 4))
def gcd(a, b):
    while b:
        a, b = b, a % b
    return a


@PROGRAMS.add(27, 1, 97)
def collatz(n):
    steps = 0
    highest = n
    while n != 1:
        if n % 2 == 0:
            n //= 2
        else:
            n = 3 * n + 1
        highest = max(highest, n)
        steps += 1
    return steps, highest


@PROGRAMS.add(S, T)
def power_iteration(m):
    v = np.ones(3)
    value = 0.0
    for _ in range(100):
        w = m @ v
        new = np.sum(w * v) / np.sum(v * v)
        v = w / np.sqrt(np.sum(w * w))
        if abs(new - value) < 1e-12:
            break
        value = new
    return value


@PROGRAMS.add((1.0, 0.5, 40), (0.3, 1.5, 25))
def euler_pendulum(angle, speed, steps):
    path = []
    for _ in range(steps):
        speed = speed - 0.1 * np.sin(angle)
        angle = angle + 0.1 * speed
        path.append(angle)
    return path[-1], ag.stack(path)


@PROGRAMS.add(V, W)
def bubble_sort(xs):
    n = len(xs)
    for i in range(n):
        swapped = False
        for j in range(n - 1 - i):
            if xs[j] > xs[j + 1]:
                xs[j], xs[j + 1] = xs[j + 1], xs[j]
                swapped = True
        if not swapped:
            break
    return xs


@PROGRAMS.add(V, W)
def prefix_sums(xs):
    out = xs * 0
    running = 0.0
    for i, x in enumerate(xs):
        running += x
        out[i] = running
    return out


@PROGRAMS.add((np.array([[0, 1, 0, 0], [0, 1, 0, 0], [0, 1, 0, 1], [0, 0, 0, 1]]), 3),
              (np.array([[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 1]]), 2))  # fmt: skip
def game_of_life(board, steps):
    for _ in range(steps):
        count = board * 0
        for dx in (-1, 0, 1):
            for dy in (-1, 0, 1):
                if dx or dy:
                    count = count + np.roll(np.roll(board, dx, axis=0), dy, axis=1)
        board = np.where((count == 3) | ((board == 1) & (count == 2)), 1, 0)
    return board


@PROGRAMS.add((S, 5), (T, 8))
def matrix_power(m, n):
    result = np.eye(3)
    while n > 0:
        if n % 2 == 1:
            result = result @ m
        m = m @ m
        n //= 2
    return result


@PROGRAMS.add(12, 1, 30)
def sieve(n):
    primes = []
    for k in range(2, n):
        for p in primes:
            if k % p == 0:
                break
        else:
            primes.append(k)
    return primes


@PROGRAMS.add(V, W)
def longest_rising_run(xs):
    best = run = 1
    for i in range(1, len(xs)):
        if xs[i] > xs[i - 1]:
            run += 1
        else:
            run = 1
        if run > best:
            best = run
    return best


@PROGRAMS.add((np.array([0.1, 0.3, 5.0, 5.3, 5.2]), 0.0, 4.0), (np.array([1.0, 2.0, 1.5, 7.0, 9.0]), 1.0, 8.0))
def two_means(points, a, b):
    moved = True
    rounds = 0
    while moved:
        sum_a = sum_b = 0.0
        n_a = n_b = 0
        for p in points:
            if abs(p - a) < abs(p - b):
                sum_a += p
                n_a += 1
            else:
                sum_b += p
                n_b += 1
        new_a = sum_a / n_a if n_a > 0 else a
        new_b = sum_b / n_b if n_b > 0 else b
        moved = abs(new_a - a) + abs(new_b - b) > 1e-9
        a, b = new_a, new_b
        rounds += 1
    return a, b, rounds


@PROGRAMS.add((np.array([[0.11, 0.67, 0.22], [0.52, 0.13, 0.35], [0.29, 0.31, 0.4]]), 4),
              (np.array([[0.57, 0.31, 0.12], [0.21, 0.18, 0.61], [0.1, 0.77, 0.13]]), 3))  # fmt: skip
def beam_search(step, length):
    beams = [(0.0, 0)]
    for _ in range(length):
        grown = []
        for score, last in beams:
            for k in range(3):
                grown.append((score + np.log(step[last, k]), k))
        first = max(grown, key=lambda b: b[0])
        second = max([b for b in grown if b[0] < first[0]], key=lambda b: b[0])
        beams = [first, second]
    return beams[0][0], beams[0][1], beams[1][0]


@PROGRAMS.add((3.2, 1.7), (-0.4, 2.9))
def gradient_noise(x, y):
    i, j = int(np.floor(x)), int(np.floor(y))
    total = 0.0
    for di in (0, 1):
        for dj in (0, 1):
            h = ((i + di) * 73 + (j + dj) * 179) % 8
            angle = h * np.pi / 4
            dx, dy = x - (i + di), y - (j + dj)
            fall = 0.5 - dx * dx - dy * dy
            if fall > 0:
                total += fall**4 * (np.cos(angle) * dx + np.sin(angle) * dy)
    return total


@PROGRAMS.add((V, 0.3), (W, 0.7))
def exponential_smoothing(xs, alpha):
    level = None
    smoothed = []
    for x in xs:
        level = x if level is None else alpha * x + (1 - alpha) * level
        smoothed.append(level)
    return smoothed


@PROGRAMS.add((0.2, 0.3, 50), (-0.7, 0.9, 50), (2.0, 2.0, 50), gradients=False)
def mandelbrot(x, y, limit):
    a = b = 0.0
    for i in range(limit):
        a, b = a * a - b * b + x, 2 * a * b + y
        if a * a + b * b > 4:
            return i
    return limit


@PROGRAMS.add((np.array([3, 1, 4, 1, 5]), 4), (np.array([2, 7, 1, 8, 2]), 9))
def binary_search(ns, wanted):
    ns = np.sort(ns)
    low, high = 0, len(ns) - 1
    while low <= high:
        middle = (low + high) // 2
        if ns[middle] == wanted:
            return middle
        if ns[middle] < wanted:
            low = middle + 1
        else:
            high = middle - 1
    return -1


@PROGRAMS.add((S, V[:3]), (T, W[:3]))
def gaussian_elimination(m, b):
    n = len(b)
    for k in range(n):
        for i in range(k + 1, n):
            factor = m[i, k] / m[k, k]
            m[i] = m[i] - factor * m[k]
            b[i] -= factor * b[k]
    x = b * 0
    for i in reversed(range(n)):
        s = b[i]
        for j in range(i + 1, n):
            s = s - m[i, j] * x[j]
        x[i] = s / m[i, i]
    return x


@PROGRAMS.add((V, 0.1, 20), (W, 0.05, 30))
def gradient_descent_by_hand(target, rate, steps):
    x = target * 0
    losses = []
    for _ in range(steps):
        error = x - target
        loss = np.sum(error * error)
        losses.append(loss)
        if loss < 1.0:
            break
        x = x - rate * 2 * error
    return x, losses[-1], len(losses)


@PROGRAMS.add((np.array([2, 3, 7]), 13), (np.array([5, 8, 9]), 12))
def coin_change(coins, amount):
    ways = [1] + [0] * 20
    for c in coins:
        for a in range(c, amount + 1):
            ways[a] += ways[a - c]
    return ways[amount]


@PROGRAMS.add((V, W), (W, V))
def edit_distance_like(xs, ys):
    row = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    for i in range(len(xs)):
        above = row
        row = [i + 1.0]
        for j in range(len(ys)):
            cost = 0.0 if xs[i] * ys[j] > 0 else abs(xs[i] - ys[j])
            row.append(min(above[j] + cost, above[j + 1] + 1.0, row[j] + 1.5))
    return row[-1]


test_eager, test_staged, test_gradients = PROGRAMS.tests()
