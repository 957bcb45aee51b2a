"""Prices of options by Black and Scholes' formula, and how they depend on the price of the share."""

import math

import numpy as np

from benchmarks.workload import Thunk, Workload

RATE, VOLATILITY = 0.02, 0.3


def formula(lib, erf, spot, strike, years):
    """Price of a call; `lib` has log, sqrt and exp."""
    spread = VOLATILITY * lib.sqrt(years)
    d1 = (lib.log(spot / strike) + (RATE + 0.5 * VOLATILITY**2) * years) / spread
    d2 = d1 - spread
    scale = 1 / math.sqrt(2)
    below1, below2 = 0.5 * (1 + erf(d1 * scale)), 0.5 * (1 + erf(d2 * scale))
    return spot * below1 - strike * lib.exp(-RATE * years) * below2


class BlackScholes(Workload):
    """Elementwise work with transcendental functions."""

    name = "black_scholes"
    what = "call prices of 1e6 options, float32"
    tolerance = 1e-4
    count = 1_000_000

    def inputs(self) -> list[np.ndarray]:
        """Share prices, strikes, years."""
        random = np.random.default_rng(0)
        return [
            random.uniform(low, high, self.count).astype(np.float32) for low, high in ((80, 120), (80, 120), (0.2, 2))
        ]

    def autograph(self, stage) -> Thunk:
        import autograph as ag

        class Lib:
            sqrt, log, exp = ag.sqrt, ag.math.log, ag.exp

        @stage
        def price(*options):
            return formula(Lib, ag.math.erf, *options)

        options = [ag.constant(x) for x in self.inputs()]
        return lambda: price(*options)

    def numpy(self) -> Thunk:
        erf = erf_by_hand()
        options = self.inputs()
        return lambda: formula(np, erf, *options)

    def tensorflow(self, xla: bool) -> Thunk:
        import tensorflow as tf

        class Lib:
            sqrt, log, exp = tf.sqrt, tf.math.log, tf.exp

        price = tf.function(lambda *options: formula(Lib, tf.math.erf, *options), jit_compile=xla)
        options = [tf.constant(x) for x in self.inputs()]
        return lambda: price(*options)

    def jax(self) -> Thunk:
        import jax

        price = jax.jit(lambda *options: formula(jax.numpy, jax.lax.erf, *options))
        options = [jax.numpy.asarray(x) for x in self.inputs()]
        return lambda: price(*options).block_until_ready()

    def torch(self) -> Thunk:
        import torch

        options = [torch.from_numpy(x) for x in self.inputs()]
        return lambda: formula(torch, torch.erf, *options)


class BlackScholesGradient(BlackScholes):
    """The derivatives of the prices with respect to the share prices."""

    name = "black_scholes_grad"
    what = "d sum of prices / d share prices"

    def autograph(self, stage) -> Thunk:
        import autograph as ag

        class Lib:
            sqrt, log, exp = ag.sqrt, ag.math.log, ag.exp

        @stage
        def delta(spot, strike, years):
            with ag.GradientTape() as tape:
                tape.watch(spot)
                total = ag.reduce_sum(formula(Lib, ag.math.erf, spot, strike, years))
            return tape.gradient(total, spot)

        options = [ag.constant(x) for x in self.inputs()]
        return lambda: delta(*options)

    def numpy(self) -> Thunk:
        erf = erf_by_hand()

        def delta(spot, strike, years):
            spread = VOLATILITY * np.sqrt(years)
            d1 = (np.log(spot / strike) + (RATE + 0.5 * VOLATILITY**2) * years) / spread
            return 0.5 * (1 + erf(d1 * np.float32(1 / math.sqrt(2))))  # the other terms cancel

        options = self.inputs()
        return lambda: delta(*options)

    def tensorflow(self, xla: bool) -> Thunk:
        import tensorflow as tf

        class Lib:
            sqrt, log, exp = tf.sqrt, tf.math.log, tf.exp

        @tf.function(jit_compile=xla)
        def delta(spot, strike, years):
            with tf.GradientTape() as tape:
                tape.watch(spot)
                total = tf.reduce_sum(formula(Lib, tf.math.erf, spot, strike, years))
            return tape.gradient(total, spot)

        options = [tf.constant(x) for x in self.inputs()]
        return lambda: delta(*options)

    def jax(self) -> Thunk:
        import jax

        delta = jax.jit(jax.grad(lambda *options: jax.numpy.sum(formula(jax.numpy, jax.lax.erf, *options))))
        options = [jax.numpy.asarray(x) for x in self.inputs()]
        return lambda: delta(*options).block_until_ready()

    def torch(self) -> Thunk:
        import torch

        spot, *others = (torch.from_numpy(x) for x in self.inputs())
        spot.requires_grad_()
        return lambda: torch.autograd.grad(torch.sum(formula(torch, torch.erf, spot, *others)), spot)[0]


def erf_by_hand():
    """SciPy's error function where it is installed, else Abramowitz and Stegun's 7.1.26."""
    try:
        from scipy.special import erf
    except ImportError:
        def erf(x):
            t = 1 / (1 + np.float32(0.3275911) * np.abs(x))
            terms = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)
            poly = np.zeros_like(x)
            for c in reversed(terms):
                poly = (poly + np.float32(c)) * t
            return np.sign(x) * (1 - poly * np.exp(-x * x))

    return erf
