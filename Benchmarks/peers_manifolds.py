"""The moves of `fathom-bench manifolds` in NumPy and, where it is installed, in jitted JAX (double precision, one thread).

Rings of 4,096 spins, K = 2. Heat bath: even spins together, then odd ones, by the same rules (inversion for k = 3, Wood's
rejection otherwise; JAX has the inversion only). One JSON object a line: seconds for a new place of one spin, and the mean cosine
of neighbours that came out, which is -A_k(2).
"""

import peers_common  # noqa: I001 (sets the environment first)

import time

import numpy as np

SPINS, BETA, STEP = 4096, 4.0, 0.05
WARM_UP, SWEEPS = 100, 100


def unit(v):
    return v / np.linalg.norm(v, axis=1, keepdims=True)


def von_mises_fisher(rng, mean, kappa):
    """One point for each row of means of length 1."""
    n, k = mean.shape
    if k == 3:
        y = unit(rng.standard_normal((n, 3)))
        z = np.einsum("ij,ij->i", y, mean)
        u = 0.5 * (1 + z)
        w = 1 + np.log(u + (1 - u) * np.exp(-2 * kappa)) / kappa
        across = np.sqrt(np.maximum(1 - w * w, 0) / np.maximum(1 - z * z, 1e-300))
        return w[:, None] * mean + across[:, None] * (y - z[:, None] * mean)
    d = k - 1
    b = d / (2 * kappa + np.sqrt(4 * kappa * kappa + d * d))
    centre, spread = (1 - b) / (1 + b), 4 * b / (1 + b) ** 2
    x = np.empty_like(mean)
    left = np.arange(n)
    while len(left):
        m, c, s, f = mean[left], centre[left], spread[left], kappa[left]
        y = unit(rng.standard_normal((len(left), k)))
        z = np.einsum("ij,ij->i", y, m)
        t = 1 + c * z
        taken = f * z * s / t - d * np.log(t) >= -rng.standard_exponential(len(left))
        new = ((c + z) / t)[:, None] * m + (np.sqrt(s) / t)[:, None] * (y - z[:, None] * m)
        x[left[taken]] = new[taken]
        left = left[~taken]
    return x


def heat_bath(rng, v):
    for parity in (0, 1):
        field = 0.5 * (np.roll(v, 1, axis=0) + np.roll(v, -1, axis=0))[parity::2]
        length = np.linalg.norm(field, axis=1)
        v[parity::2] = von_mises_fisher(rng, -field / length[:, None], BETA * length)
    return v


def langevin(rng, v):
    u = -STEP * 0.5 * (np.roll(v, 1, axis=0) + np.roll(v, -1, axis=0)) + np.sqrt(2 * STEP / BETA) * rng.standard_normal(v.shape)
    u -= np.einsum("ij,ij->i", u, v)[:, None] * v
    r = np.linalg.norm(u, axis=1, keepdims=True)
    return unit(np.cos(r) * v + np.sinc(r / np.pi) * u)


def report(peer, move, rank, step, v):
    """Times of the processor, best of the sweeps."""
    for _ in range(WARM_UP):
        v = step(v)
    best, cosine = float("inf"), 0.0
    for _ in range(SWEEPS):
        start = time.process_time()
        v = step(v)
        best = min(best, time.process_time() - start)
        x = np.asarray(v)
        cosine += float(np.mean(np.sum(x * np.roll(x, 1, axis=0), axis=1))) / SWEEPS
    peers_common.report("manifold", peer=peer, move=move, rank=rank, seconds=best / SPINS, cosine=cosine)


def numpy_times():
    rng = np.random.default_rng(1)
    for move, rule in (("heat-bath", heat_bath), ("langevin", langevin)):
        for rank in (2, 3, 4, 16):
            report(
                f"NumPy {np.__version__}", move, rank, lambda v, rule=rule: rule(rng, v), unit(rng.standard_normal((SPINS, rank)))
            )


def jax_times():
    try:
        import jax
        import jax.numpy as jnp
    except ImportError:
        return

    def normalise(v):
        return v / jnp.linalg.norm(v, axis=1, keepdims=True)

    @jax.jit
    def move(key, v):
        key, own = jax.random.split(key)
        u = -STEP * 0.5 * (jnp.roll(v, 1, axis=0) + jnp.roll(v, -1, axis=0)) + jnp.sqrt(2 * STEP / BETA) * jax.random.normal(
            own, v.shape
        )
        u -= jnp.sum(u * v, axis=1, keepdims=True) * v
        r = jnp.linalg.norm(u, axis=1, keepdims=True)
        return key, normalise(jnp.cos(r) * v + jnp.sinc(r / jnp.pi) * u)

    @jax.jit
    def sweep(key, v):
        for parity in (0, 1):
            key, own = jax.random.split(key)
            field = 0.5 * (jnp.roll(v, 1, axis=0) + jnp.roll(v, -1, axis=0))[parity::2]
            length = jnp.linalg.norm(field, axis=1)
            mean, kappa = -field / length[:, None], BETA * length
            y = normalise(jax.random.normal(own, mean.shape))
            z = jnp.sum(y * mean, axis=1)
            u = 0.5 * (1 + z)
            w = 1 + jnp.log(u + (1 - u) * jnp.exp(-2 * kappa)) / kappa
            across = jnp.sqrt(jnp.maximum(1 - w * w, 0) / jnp.maximum(1 - z * z, 1e-300))
            v = v.at[parity::2].set(w[:, None] * mean + across[:, None] * (y - z[:, None] * mean))
        return key, v

    for name, rule, ranks in (("heat-bath", sweep, (3,)), ("langevin", move, (2, 3, 4, 16))):
        for rank in ranks:
            state = [jax.random.key(1)]

            def step(v, rule=rule, state=state):
                state[0], v = rule(state[0], v)
                return v.block_until_ready()

            report(f"JAX {jax.__version__}", name, rank, step, normalise(jax.random.normal(jax.random.key(2), (SPINS, rank))))


numpy_times()
jax_times()
