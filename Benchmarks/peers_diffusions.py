"""Times steps of a diffusion with the exact score of a kernel mixture in JAX and NumPy on one thread, as `fathom-bench diffusion`
does: double precision, 64 samples side by side. One JSON object a line.
"""

from peers_common import best, report  # noqa: I001 (sets the environment first)

import jax
import jax.numpy as jnp
import numpy as np

BLOCK, STEPS, WIDTH = 64, 60, 0.1


def with_jax(x):
    points, squares = jnp.asarray(x), jnp.asarray((x * x).sum(1))

    @jax.jit
    def run(key):
        def step(carry, key):
            y, t = carry
            spread = 1 / (1 + t * WIDTH**2)
            weights = jax.nn.softmax(spread * (y @ points.T - 0.5 * t * squares), axis=1)
            mean = spread * (weights @ points + WIDTH**2 * y)
            size = 0.3 * t
            return (y + size * mean + jnp.sqrt(size) * jax.random.normal(key, y.shape), t + size), None

        first, *keys = jax.random.split(key, STEPS + 1)
        start = 0.03 * jax.random.normal(first, (BLOCK, points.shape[1]))
        return jax.lax.scan(step, (start, 1e-3), jnp.stack(keys))[0][0]

    return best(lambda: run(jax.random.key(1)).block_until_ready())


def with_numpy(x):
    squares, generator = (x * x).sum(1), np.random.default_rng(1)

    def run():
        y, t = 0.03 * generator.standard_normal((BLOCK, x.shape[1])), 1e-3
        for _ in range(STEPS):
            spread = 1 / (1 + t * WIDTH**2)
            logs = spread * (y @ x.T - 0.5 * t * squares)
            weights = np.exp(logs - logs.max(1, keepdims=True))
            mean = spread * (weights @ x / weights.sum(1, keepdims=True) + WIDTH**2 * y)
            size = 0.3 * t
            y, t = y + size * mean + size**0.5 * generator.standard_normal(y.shape), t + size
        return y

    return best(run)


for points in (180, 1797):
    x = np.random.default_rng(5).standard_normal((points, 64))
    for peer, time_of in ((f"JAX {jax.__version__}, jit", with_jax), (f"NumPy {np.__version__}", with_numpy)):
        report("diffusion", points=points, dimension=64, peer=peer, per_second=BLOCK * STEPS / time_of(x))
