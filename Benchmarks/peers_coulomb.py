"""Times the peers of Coulomb gases on one core and prints one JSON object a line.

DPPy draws the Ginibre ensemble by the eigenvalues of a matrix; a draw is independent. JAX (jit, scan, double) runs
Hamiltonian Monte Carlo of the plane at beta = 4 with the steps and trajectories of fathom;
effective samples of sum r^2 by ArviZ's estimator.

python peers_coulomb.py
"""

from peers_common import best, report  # noqa: I001 (sets the environment first)

from importlib.metadata import version

import arviz as az
import jax
import jax.numpy as jnp
import numpy as np
from dppy.beta_ensembles import GinibreEnsemble

DPPY, JAX = f"DPPy {version('dppy')}", f"JAX {jax.__version__}"


def ginibre():
    for n in (64, 256):
        ensemble = GinibreEnsemble()
        seconds = best(lambda n=n, e=ensemble: e.sample_full_model(size_N=n))
        report(name="coulomb-draw", peer=DPPY, label="Ginibre", number=n, seconds=seconds, effective=1.0)


def hmc(n: int, beta: float = 4.0, step: float = 0.2, longest: int = 11, trajectories: int = 2000):
    upper = jnp.triu_indices(n, 1)

    def energy(x):
        d = x[upper[0]] - x[upper[1]]
        return beta * (0.5 * n * jnp.sum(x * x) - 0.5 * jnp.sum(jnp.log(jnp.sum(d * d, axis=1))))

    slope = jax.grad(energy)
    h0 = step / np.sqrt(beta * n)

    def move(carry, key):
        x, u, g = carry
        k = jax.random.split(key, 4)
        v = jax.random.normal(k[0], x.shape)
        h = h0 * jax.random.uniform(k[1], minval=0.8, maxval=1.2)
        count = jax.random.randint(k[2], (), 1, longest + 1)

        def leap(_, state):
            y, w, f = state
            w = w - 0.5 * h * f
            y = y + h * w
            f = slope(y)
            return y, w - 0.5 * h * f, f

        y, w, f = jax.lax.fori_loop(0, count, leap, (x, v, g))
        new = energy(y)
        accepted = jnp.log(jax.random.uniform(k[3])) < u - new + 0.5 * (jnp.sum(v * v) - jnp.sum(w * w))
        carry = jax.tree.map(lambda a, b: jnp.where(accepted, a, b), (y, new, f), (x, u, g))
        return carry, jnp.sum(carry[0] ** 2)

    run = jax.jit(lambda carry, key: jax.lax.scan(move, carry, jax.random.split(key, trajectories)))
    x = jax.random.normal(jax.random.key(1), (n, 2)) * 0.5
    carry, _ = run((x, energy(x), slope(x)), jax.random.key(2))
    _, sums = run(carry, jax.random.key(3))
    effective = float(az.ess(np.asarray(sums)[None])) / trajectories
    seconds = best(lambda: jax.block_until_ready(run(carry, jax.random.key(4)))) / trajectories
    report(name="coulomb-draw", peer=JAX, label="hmc, beta = 4", number=n, seconds=seconds, effective=effective)


if __name__ == "__main__":
    ginibre()
    for size in (64, 256):
        hmc(size)
