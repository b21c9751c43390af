"""Times NumPy's Cholesky factors, by LAPACK in its OpenBLAS on one thread, and NumPy and JAX making plain draws of random-feature
regression. One JSON object a line.
"""

from peers_common import best, report  # noqa: I001 (sets the environment first)

import time

import numpy as np

SAMPLES, MODES, RIDGE, NOISE = 100, 500, 0.01, 0.1


def quickest(body, total):
    return best(body, total, 1, time.process_time)


for n in (100, 200, 500, 1000, 2000, 4000):
    i = np.arange(n)
    a = 1 / (1.0 + i[:, None] + i)
    a[i, i] = 2
    calls = max(1, 20_000_000 // n**3)
    seconds = quickest(lambda a=a, calls=calls: [np.linalg.cholesky(a) for _ in range(calls)], 0.6) / calls
    report("cholesky", peer=f"NumPy {np.__version__}", n=n, us=1e6 * seconds, gflops=n**3 / 3 / seconds * 1e-9)

index = np.arange(1, MODES + 1)
roots, teacher = index**-0.75, index**-0.9


def plain(xp, solve, x, noise, features):
    """Test and training error with every mode and feature."""
    y = x @ teacher + NOISE**0.5 * noise
    p = x @ features
    n, k = p.shape
    b = solve(p.T @ p + RIDGE * xp.eye(k), p.T @ y) if k < n else p.T @ solve(p @ p.T + RIDGE * xp.eye(n), y)
    w = features @ b
    return ((w - teacher) ** 2).sum() + NOISE, ((y - p @ b) ** 2).mean()


for k in (None, 2000, 50):
    rng = np.random.default_rng(1)

    def draw(rng=rng, k=k):
        f = np.diag(roots) if k is None else roots[:, None] * rng.standard_normal((MODES, k)) / k**0.5
        return plain(np, np.linalg.solve, rng.standard_normal((SAMPLES, MODES)), rng.standard_normal(SAMPLES), f)

    seconds = quickest(draw, 2)
    report("regression", peer=f"NumPy {np.__version__}", n=SAMPLES, modes=MODES, k=k or "infinity", draws_per_second=1 / seconds)

try:
    import jax
except ImportError:
    raise SystemExit from None

import jax.numpy as jnp  # noqa: E402

for k in (None, 2000, 50):

    @jax.jit
    def draw(key, k=k):
        keys = jax.random.split(key, 3)
        f = (
            jnp.diag(jnp.asarray(roots))
            if k is None
            else jnp.asarray(roots)[:, None] * jax.random.normal(keys[0], (MODES, k)) / k**0.5
        )
        x, noise = jax.random.normal(keys[1], (SAMPLES, MODES)), jax.random.normal(keys[2], (SAMPLES,))
        return plain(jnp, jnp.linalg.solve, x, noise, f)

    numbers = iter(range(10**9))
    seconds = quickest(lambda draw=draw, numbers=numbers: jax.block_until_ready(draw(jax.random.key(next(numbers)))), 2)
    report("regression", peer=f"JAX {jax.__version__}", n=SAMPLES, modes=MODES, k=k or "infinity", draws_per_second=1 / seconds)
