"""Times the peers of the particle systems on one core and prints one JSON object a line.

NumPy (SFC64), JAX (jit, scan over steps, double) and BlackJAX (jit, vmap over chains, scan, double). Samplers run with the
step sizes and trajectory lengths of fathom; effective samples come from the chains of each, by ArviZ's estimator (mean over
the coordinates of the bulk effective sample size of x).

python peers_particles.py FATHOM FOLDER
"""

import os
import subprocess
import sys
import warnings
from pathlib import Path

from peers_common import best, report  # noqa: I001 (sets the environment first)

warnings.simplefilter("ignore")
import arviz as az  # noqa: E402
import blackjax  # noqa: E402
import h5py  # noqa: E402
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

NUMPY, JAX, BLACKJAX = f"NumPy {np.__version__}", f"JAX {jax.__version__}", f"BlackJAX {blackjax.__version__}"


def double_well():
    n, h, theta, steps = 100_000, 0.01, 1.0, 20
    rng = np.random.Generator(np.random.SFC64(1))
    x, noise = rng.standard_normal(n), np.empty(n)

    def numpy_steps():
        nonlocal x
        for _ in range(steps):
            rng.standard_normal(out=noise)
            x = x - h * (x * (x * x - 1) + theta * (x - x.mean())) + np.sqrt(2 * h) * noise

    label = "lmc, double well, N = 1e5"
    report("particles", label=label, peer=NUMPY, seconds=best(numpy_steps) / steps)

    @jax.jit
    def jax_steps(x, key):
        def step(x, k):
            noise = jax.random.normal(k, (n,), dtype=jnp.float64)
            return x - h * (x * (x * x - 1) + theta * (x - x.mean())) + jnp.sqrt(2 * h) * noise, None

        return jax.lax.scan(step, x, jax.random.split(key, steps))[0]

    start, key = jnp.asarray(rng.standard_normal(n)), jax.random.key(1)
    report("particles", label=label, peer=JAX, seconds=best(lambda: jax_steps(start, key).block_until_ready()) / steps)


def two_layer():
    n, features, examples, h, lam, temperature, steps = 1024, 64, 360, 0.1, 1e-3, 1e-4, 5
    rng = np.random.Generator(np.random.SFC64(1))
    z = np.concatenate([rng.choice([-1.0, 1.0], (examples, features)), np.ones((examples, 1))], axis=1)
    y = z[:, :3].prod(axis=1)
    for unit in ("tanh", "relu"):
        label = f"two-layer, {unit}, N = 1024, 64 features, 360 examples"
        a, w = rng.standard_normal(n), rng.standard_normal((n, features + 1))

        def numpy_steps(unit=unit):
            nonlocal a, w
            for _ in range(steps):
                s = w @ z.T
                t = np.tanh(s) if unit == "tanh" else np.maximum(s, 0)
                c = -y / (1 + np.exp(y * (a @ t) / n)) / examples
                slope = (1 - t * t) if unit == "tanh" else (s > 0)
                ga, gw = t @ c, (a[:, None] * slope * c) @ z
                noise = np.sqrt(2 * h * temperature)
                a = a - h * (ga + lam * a) + noise * rng.standard_normal(n)
                w = w - h * (gw + lam * w) + noise * rng.standard_normal(w.shape)

        report("particles", label=label, peer=NUMPY, seconds=best(numpy_steps) / steps)
        zj, yj = jnp.asarray(z), jnp.asarray(y)

        @jax.jit
        def jax_steps(a, w, key, unit=unit, zj=zj, yj=yj):
            def step(state, k):
                a, w = state
                s = w @ zj.T
                t = jnp.tanh(s) if unit == "tanh" else jnp.maximum(s, 0)
                c = -yj / (1 + jnp.exp(yj * (a @ t) / n)) / examples
                slope = (1 - t * t) if unit == "tanh" else (s > 0)
                ga, gw = t @ c, (a[:, None] * slope * c) @ zj
                k1, k2 = jax.random.split(k)
                noise = jnp.sqrt(2 * h * temperature)
                a = a - h * (ga + lam * a) + noise * jax.random.normal(k1, a.shape, dtype=jnp.float64)
                w = w - h * (gw + lam * w) + noise * jax.random.normal(k2, w.shape, dtype=jnp.float64)
                return (a, w), None

            return jax.lax.scan(step, (a, w), jax.random.split(key, steps))[0]

        a0, w0, key = jnp.asarray(a), jnp.asarray(w), jax.random.key(1)
        seconds = best(lambda f=jax_steps, a0=a0, w0=w0, key=key: jax.block_until_ready(f(a0, w0, key)))
        report("particles", label=label, peer=JAX, seconds=seconds / steps)


def effective(chains):
    """Bulk effective sample size, mean over coordinates, a chain and a step; chains x draws x coordinates."""
    data = az.convert_to_inference_data({"x": chains})
    return float(az.ess(data)["x"].mean()) / chains.shape[0] / chains.shape[1]


def sgld():
    """Batches of logistic regression with replacement, one for every chain; the same step, dimension and data."""
    n, features, chains, h, steps = 1000, 64, 1024, 1e-3, 5
    rng = np.random.Generator(np.random.SFC64(1))
    z = np.concatenate([rng.choice([-1.0, 1.0], (n, features)), np.ones((n, 1))], axis=1)
    y = z[:, 0].copy()
    d = features + 1
    data, signs = jnp.asarray(z), jnp.asarray(y)
    for b in (1, 10, 100):
        label = f"sgld, logistic regression, d = 65, 1024 chains, b = {b}"
        w = np.zeros((chains, d))

        def numpy_steps(w=w, b=b):
            for _ in range(steps):
                picks = rng.integers(n, size=(chains, b))
                own, sign = z[picks], y[picks]
                slope = -sign / (1 + np.exp(sign * (own @ w[:, :, None])[:, :, 0]))
                gradient = w + n / b * (slope[:, None, :] @ own)[:, 0, :]
                w += np.sqrt(2 * h) * rng.standard_normal((chains, d)) - h * gradient

        report("particles", label=label, peer=NUMPY, seconds=best(numpy_steps) / steps)

        def step(w, key, b=b):
            first, second = jax.random.split(key)
            picks = jax.random.randint(first, (chains, b), 0, n)
            own, sign = data[picks], signs[picks]
            slope = -sign / (1 + jnp.exp(sign * jnp.einsum("cbd,cd->cb", own, w)))
            gradient = w + n / b * jnp.einsum("cb,cbd->cd", slope, own)
            return w - h * gradient + jnp.sqrt(2 * h) * jax.random.normal(second, (chains, d), dtype=jnp.float64), None

        run = jax.jit(lambda w, key, step=step: jax.lax.scan(step, w, jax.random.split(key, steps))[0])
        start, key = jnp.zeros((chains, d)), jax.random.key(1)
        report(
            "particles",
            label=label,
            peer=JAX,
            seconds=best(lambda run=run, start=start, key=key: run(start, key).block_until_ready()) / steps,
        )


def samplers(fathom, folder):
    d, chains, steps = 100, 64, 400
    curvature = jnp.asarray(10.0 ** (np.arange(d) / (d - 1)))

    def log_density(x):
        return -0.5 * jnp.sum(curvature * x * x)

    for name, h, kernel in (
        # BlackJAX's MALA moves by step_size grad + sqrt(2 step_size) noise, as fathom does.
        ("mala", 0.15, blackjax.mala(log_density, 0.15)),
        ("hmc", 0.3, blackjax.hmc(log_density, 0.3, jnp.ones(d), 10)),
    ):
        label = f"{name}, Gaussian, d = 100, 64 chains"

        @jax.jit
        def sample(states, key, kernel=kernel):
            def step(states, k):
                states, _ = jax.vmap(kernel.step)(jax.random.split(k, chains), states)
                return states, states.position

            return jax.lax.scan(step, states, jax.random.split(key, steps))

        @jax.jit
        def advance(states, key, kernel=kernel):
            def step(states, k):
                return jax.vmap(kernel.step)(jax.random.split(k, chains), states)[0], None

            return jax.lax.scan(step, states, jax.random.split(key, steps))[0]

        rng = np.random.default_rng(1)
        start = jnp.asarray(rng.standard_normal((chains, d)) / np.sqrt(curvature))
        states = jax.vmap(kernel.init)(start)
        seconds = best(lambda f=advance, s=states: jax.block_until_ready(f(s, jax.random.key(1)).position))
        theirs = effective(np.asarray(sample(states, jax.random.key(2))[1]).transpose(1, 0, 2))
        job = Path(folder) / f"{name}.toml"
        job.write_text(
            f'seed = 1\n[particles]\nsystem = "gaussian"\ndimension = {d}\ncondition = 10\nnumber = {chains}\n'
            f'integrator = "{name}"\nstep = {h}\nwarm_up = 200\nsteps = {steps}\nreplicas = 1\nframe_every = 1\n'
            + ("leapfrog_steps = 10\n" if name == "hmc" else "")
        )
        out = Path(folder) / f"{name}.h5"
        subprocess.run([fathom, "run", job, "-o", out], check=True, capture_output=True)
        with h5py.File(out) as file:
            ours = effective(file["posterior/x"][:])
        report("particles", label=label, peer=BLACKJAX, seconds=seconds / steps, ess=theirs, own_ess=ours)


if __name__ == "__main__":
    os.environ.setdefault("OMPI_ALLOW_RUN_AS_ROOT", "1")
    os.environ.setdefault("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1")
    double_well()
    two_layer()
    sgld()
    samplers(*sys.argv[1:3])
