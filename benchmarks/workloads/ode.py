"""Van der Pol's equation by Dormand and Prince's adaptive method, and how its end depends on the start."""

from benchmarks.workload import Thunk, Workload

MU, END, TOLERANCE = 1.0, 10.0, 1e-6
# Dormand-Prince 5(4): the stages' weights, of the result, and of its difference from the embedded method.
STAGES = (
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
)
RESULT = (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84)
ERROR = (71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)


def field(x, v):
    """Place and speed to their derivatives."""
    return v, MU * (1 - x * x) * v - x


def weighted(weights, values):
    """The sum of products; weights of zero are left out."""
    total = 0.0
    for i in range(len(weights)):
        if weights[i]:
            total = total + weights[i] * values[i]
    return total


def attempt(x, v, h):
    """(place, speed, error squared) after one step: arithmetic on numbers only, whatever they are."""
    dx, dv = field(x, v)
    kx, kv = [dx], [dv]
    for weights in STAGES:
        dx, dv = field(x + h * weighted(weights, kx), v + h * weighted(weights, kv))
        kx.append(dx)
        kv.append(dv)
    nx, nv = x + h * weighted(RESULT, kx), v + h * weighted(RESULT, kv)
    dx, dv = field(nx, nv)
    kx.append(dx)
    kv.append(dv)
    ex, ev = weighted(ERROR, kx), weighted(ERROR, kv)
    return nx, nv, h * h * (ex * ex + ev * ev)


def scale(error, lib_min, lib_max):
    """By how much the next step is longer."""
    return lib_min(lib_max(0.9 * (error / TOLERANCE**2 + 1e-30) ** -0.1, 0.2), 5.0)  # TensorFlow minds the order


def solve_plain(x, v):
    """Place and speed at the end, in plain Python."""
    t, h = 0.0, 0.01
    while t < END:
        h = min(h, END - t)
        nx, nv, error = attempt(x, v, h)
        if error < TOLERANCE**2:
            t, x, v = t + h, nx, nv
        h = h * scale(error, min, max)
    return x, v


class OdeForward(Workload):
    """Place and speed at the end."""

    name = "ode_fwd"
    what = "adaptive Dormand-Prince, van der Pol, float64"
    tolerance = 1e-6

    def solve(self, lib):
        def solve(x, v):
            t, h = 0.0 * x, 0.01 + 0.0 * x
            while t < END:
                h = lib.minimum(h, END - t)
                nx, nv, error = attempt(x, v, h)
                if error < TOLERANCE**2:
                    t, x, v = t + h, nx, nv
                h = h * scale(error, lib.minimum, lib.maximum)
            return x, v

        return solve

    def autograph(self, stage) -> Thunk:
        import autograph as ag

        solve = stage(self.solve(ag))
        start = ag.constant(2.0, ag.float64), ag.constant(0.0, ag.float64)
        return lambda: solve(*start)

    def numpy(self) -> Thunk:
        return lambda: solve_plain(2.0, 0.0)

    def numba(self) -> Thunk:
        import numba

        solve = numba.njit(unrolled())
        return lambda: solve(2.0, 0.0)

    def tensorflow(self, xla: bool) -> Thunk:
        import tensorflow as tf

        solve = tf.function(self.solve(tf), jit_compile=xla)
        start = tf.constant(2.0, tf.float64), tf.constant(0.0, tf.float64)
        return lambda: solve(*start)

    def jax_solve(self):
        import jax
        from jax import numpy as jnp

        jax.config.update("jax_enable_x64", True)

        def solve(x, v):
            def one(state):
                t, h, x, v = state
                h = jnp.minimum(h, END - t)
                nx, nv, error = attempt(x, v, h)
                good = error < TOLERANCE**2
                t, x, v = (jnp.where(good, new, old) for new, old in ((t + h, t), (nx, x), (nv, v)))
                return t, h * scale(error, jnp.minimum, jnp.maximum), x, v

            start = jnp.float64(0.0), jnp.float64(0.01), x, v
            return jax.lax.while_loop(lambda s: s[0] < END, one, start)[2:]

        return solve

    def jax(self) -> Thunk:
        import jax

        solve = jax.jit(self.jax_solve())
        start = jax.numpy.float64(2.0), jax.numpy.float64(0.0)
        return lambda: jax.block_until_ready(solve(*start))

    def torch_solve(self):
        import torch

        def solve(x, v):
            t, h = torch.zeros((), dtype=torch.float64), torch.full((), 0.01, dtype=torch.float64)
            low, high = torch.tensor(0.2, dtype=torch.float64), torch.tensor(5.0, dtype=torch.float64)
            while t < END:
                h = torch.minimum(h, END - t)
                nx, nv, error = attempt(x, v, h)
                if error < TOLERANCE**2:
                    t, x, v = t + h, nx, nv
                h = h * torch.minimum(high, torch.maximum(low, 0.9 * (error / TOLERANCE**2 + 1e-30) ** -0.1))
            return x, v

        return solve

    def torch(self) -> Thunk:
        import torch

        solve = self.torch_solve()
        start = torch.tensor(2.0, dtype=torch.float64), torch.tensor(0.0, dtype=torch.float64)
        return lambda: solve(*start)


class OdeGradient(OdeForward):
    """The derivatives of the place at the end with respect to the start, through the steps and their lengths."""

    name = "ode_grad"
    what = "reverse mode through that loop (numpy: central differences)"
    refused = ("numba", "tensorflow+xla", "jax")
    tolerance = 1e-3

    def autograph(self, stage) -> Thunk:
        import autograph as ag

        solve = self.solve(ag)

        @stage
        def slopes(x, v):
            with ag.GradientTape() as tape:
                tape.watch([x, v])
                place, _ = solve(x, v)
            return tape.gradient(place, [x, v])

        start = ag.constant(2.0, ag.float64), ag.constant(0.0, ag.float64)
        return lambda: slopes(*start)

    def numpy(self) -> Thunk:
        def slopes(x, v, d=1e-6):
            ahead, behind = solve_plain(x + d, v)[0], solve_plain(x - d, v)[0]
            left, right = solve_plain(x, v + d)[0], solve_plain(x, v - d)[0]
            return (ahead - behind) / (2 * d), (left - right) / (2 * d)

        return lambda: slopes(2.0, 0.0)

    def tensorflow(self, xla: bool) -> Thunk:
        import tensorflow as tf

        solve = self.solve(tf)

        @tf.function(jit_compile=xla)
        def slopes(x, v):
            with tf.GradientTape() as tape:
                tape.watch([x, v])
                place, _ = solve(x, v)
            return tape.gradient(place, [x, v])

        start = tf.constant(2.0, tf.float64), tf.constant(0.0, tf.float64)
        return lambda: slopes(*start)

    def torch(self) -> Thunk:
        import torch

        solve = self.torch_solve()
        start = [torch.tensor(s, dtype=torch.float64, requires_grad=True) for s in (2.0, 0.0)]
        return lambda: torch.autograd.grad(solve(*start)[0], start)


def unrolled():
    """`solve_plain` as Numba takes it: the sums over stages written out."""

    def total(weights, name):
        return " + ".join(f"{w!r} * {name}{i}" for i, w in enumerate(weights) if w)

    lines = ["def solve(x, v):", "    t, h = 0.0, 0.01", f"    while t < {END}:", f"        h = min(h, {END} - t)"]

    def stage(i, px, pv):
        return [
            f"        px{i}, pv{i} = {px}, {pv}",
            f"        a{i}, b{i} = pv{i}, {MU} * (1 - px{i} * px{i}) * pv{i} - px{i}",
        ]

    lines += stage(0, "x", "v")
    for i, weights in enumerate(STAGES, 1):
        lines += stage(i, f"x + h * ({total(weights, 'a')})", f"v + h * ({total(weights, 'b')})")
    lines += stage(6, f"x + h * ({total(RESULT, 'a')})", f"v + h * ({total(RESULT, 'b')})")
    lines += [
        f"        ex, ev = {total(ERROR, 'a')}, {total(ERROR, 'b')}",
        "        error = h * h * (ex * ex + ev * ev)",
        f"        if error < {TOLERANCE**2!r}:",
        "            t, x, v = t + h, px6, pv6",
        f"        h *= min(5.0, max(0.2, 0.9 * (error / {TOLERANCE**2!r} + 1e-30) ** -0.1))",
        "    return x, v",
    ]
    names: dict[str, object] = {}
    exec("\n".join(lines), names)
    return names["solve"]
