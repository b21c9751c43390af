"""Times a bootstrap filter of 10,000 particles over 1,000 observations of a linear Gaussian model in `particles` and JAX on
one thread, as `fathom-bench filters` does: double precision, selection at every step. Then smoothers of `particles`, with the
variance of what they estimate. One JSON object a line.
"""

from peers_common import best, report  # noqa: I001 (sets the environment first)

import time
from importlib.metadata import version

import jax
import jax.numpy as jnp
import numpy as np
import particles
from particles import collectors, distributions, state_space_models

PARTICLES, LENGTH = 10_000, 1000


class Linear(state_space_models.StateSpaceModel):
    """x' = .9 x + .5 xi, y = x + .5 zeta."""

    def PX0(self):
        return distributions.Normal(scale=1.0)

    def PX(self, t, xp):
        return distributions.Normal(loc=0.9 * xp, scale=0.5)

    def PY(self, t, xp, x):
        return distributions.Normal(loc=x, scale=0.5)


def with_particles(y, scheme):
    feynman_kac = state_space_models.Bootstrap(ssm=Linear(), data=y)
    return best(lambda: particles.SMC(fk=feynman_kac, N=PARTICLES, resampling=scheme, ESSrmin=1.0, verbose=False).run())


def with_jax(y, scheme):
    @jax.jit
    def run(key):
        def step(carry, given):
            x, total = carry
            y, key = given
            own, other = jax.random.split(key)
            logs = -2 * (y - x) ** 2
            weights = jnp.exp(logs - logs.max())
            ends = jnp.cumsum(weights)
            if scheme == "systematic":
                pointers = (jnp.arange(PARTICLES) + jax.random.uniform(own)) * ends[-1] / PARTICLES
            else:
                pointers = jax.random.uniform(own, (PARTICLES,)) * ends[-1]
            chosen = x[jnp.minimum(jnp.searchsorted(ends, pointers), PARTICLES - 1)]
            x = 0.9 * chosen + 0.5 * jax.random.normal(other, x.shape)
            return (x, total + logs.max() + jnp.log(ends[-1] / PARTICLES)), None

        first, *keys = jax.random.split(key, LENGTH + 1)
        start = jax.random.normal(first, (PARTICLES,))
        return jax.lax.scan(step, (start, 0.0), (jnp.asarray(y), jnp.stack(keys)))[0][1]

    return best(lambda: run(jax.random.key(1)).block_until_ready())


def observations():
    generator = np.random.default_rng(5)
    x, y = 0.0, []
    for _ in range(LENGTH):
        x = 0.9 * x + 0.5 * generator.standard_normal()
        y.append(x + 0.5 * generator.standard_normal())
    return np.array(y)


class Smoothed(Linear):
    """The same with the sum of x_{t-1} x_t, and the bound of its transitions that PaRIS needs."""

    def add_func(self, t, xp, x):
        return np.zeros_like(x) if xp is None else xp * x

    def upper_bound_log_pt(self, t):
        return -np.log(0.5 * np.sqrt(2 * np.pi))


def smoother(name, collector, runs):
    """Seconds of a run over 50 observations with 100 particles, and moments of the estimate over the runs."""
    y = np.cos(0.3 * np.arange(50))
    values, fastest = [], float("inf")
    for _ in range(runs):
        model = state_space_models.Bootstrap(ssm=Smoothed(), data=y)
        smc = particles.SMC(fk=model, N=100, resampling="multinomial", ESSrmin=1.0, collect=[collector()])
        start = time.perf_counter()
        smc.run()
        fastest = min(fastest, time.perf_counter() - start)
        values.append(float(getattr(smc.summaries, name)[-1]))
    variance = np.var(values, ddof=1)
    fourth = np.mean((np.array(values) - np.mean(values)) ** 4)
    report(
        "smoother",
        method=name,
        peer=f"particles {version('particles')}",
        runs=runs,
        seconds=fastest,
        mean=np.mean(values),
        mean_error=np.sqrt(variance / runs),
        variance=variance,
        variance_error=np.sqrt(max(fourth - variance**2, 0) / runs),
    )


smoother("paris", collectors.Paris, 60)
smoother("online_smooth_ON2", collectors.Online_smooth_ON2, 300)
smoother("online_smooth_naive", collectors.Online_smooth_naive, 300)

for scheme in ("systematic", "multinomial"):
    for peer, time_of in ((f"particles {version('particles')}", with_particles), (f"JAX {jax.__version__}, jit", with_jax)):
        report("filter", scheme=scheme, peer=peer, seconds=time_of(observations(), scheme))
