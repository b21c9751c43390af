"""Times the peers on one core and prints one JSON object a line.

- NumPy: standard normals, double, into a given array, for the generators SFC64, PCG64 and Philox.
- JAX (jit, double, threefry): standard normals; ReLU networks with every weight drawn (vmap over a batch, scan over
  layers); and the same law drawn conditionally, a layer from the Cholesky factor of its covariance.

Each time is the best of several repetitions, after compilation.
"""

import json
import os
import time

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

jax.config.update("jax_enable_x64", True)


def best(body, total=1.5, least=3):
    """Best seconds of one call, over at least `total` seconds and `least` calls."""
    body()
    result, spent, calls = float("inf"), 0.0, 0
    while spent < total or calls < least:
        start = time.perf_counter()
        body()
        seconds = time.perf_counter() - start
        result, spent, calls = min(result, seconds), spent + seconds, calls + 1
    return result


def report(name, **fields):
    print(json.dumps({"name": name, **fields}), flush=True)


def normals():
    out = np.empty(4096)
    for kind in (np.random.SFC64, np.random.PCG64, np.random.Philox):
        rng = np.random.Generator(kind(1))
        seconds = best(lambda rng=rng: [rng.standard_normal(out=out) for _ in range(100)])
        report("normals", peer=f"NumPy {np.__version__} {kind.__name__}", ns=seconds / 409600 * 1e9)
    draw = jax.jit(lambda key: jax.random.normal(key, (1 << 20,), dtype=jnp.float64))
    key = jax.random.key(1)
    seconds = best(lambda: draw(key).block_until_ready())
    report("normals", peer=f"JAX {jax.__version__} threefry", ns=seconds / (1 << 20) * 1e9)


def inputs(m, rho=0.3):
    gram = np.full((m, m), rho)
    np.fill_diagonal(gram, 1)
    return jnp.asarray(np.linalg.cholesky(gram))


def weights_network(n, d, m):
    """V after d ReLU layers, c = 2, every weight drawn."""
    x = jnp.zeros((n, m)).at[:m, :].set(inputs(m).T)

    def one(key):
        def layer(h, k):
            w = jax.random.normal(k, (n, n), dtype=jnp.float64)
            return jnp.maximum(w @ h, 0) * jnp.sqrt(2 / n), None

        h, _ = jax.lax.scan(layer, x, jax.random.split(key, d))
        return h.T @ h

    return one


def conditional_network(n, d, m):
    """The same law from n independent rows of covariance V a layer."""

    def one(key):
        def layer(lower, k):
            g = jax.random.normal(k, (n, m), dtype=jnp.float64)
            h = jnp.maximum(g @ lower.T, 0) * jnp.sqrt(2 / n)
            return jnp.linalg.cholesky(h.T @ h), None

        lower, _ = jax.lax.scan(layer, inputs(m), jax.random.split(key, d))
        return lower @ lower.T

    return one


def networks():
    for n, batch_weights, batch_conditional in ((128, 16, 64), (1024, 1, 4)):
        for sampler, make, batch in (
            ("weights", weights_network, batch_weights),
            ("conditional", conditional_network, batch_conditional),
        ):
            draw = jax.jit(jax.vmap(make(n, n, 2)))
            keys = jax.random.split(jax.random.key(1), batch)
            slow = sampler == "weights" and n == 1024
            seconds = best(lambda draw=draw, keys=keys: draw(keys).block_until_ready(), total=0 if slow else 2, least=1)
            report("network", peer=f"JAX {jax.__version__}", sampler=sampler, n=n, d=n, m=2, ms=seconds / batch * 1e3)


normals()
networks()
