"""Times gradient descent of one ReLU network in double precision, and of 32 at once, in JAX and NumPy on one thread, at the
shapes of `fathom-bench training`, whose output is read from standard input. One JSON object a line.
"""

import json
import os
import sys
import time

os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

jax.config.update("jax_enable_x64", True)
RATE = 1e-4


def best(body, total=2.0):
    """Best seconds of one call."""
    body()
    start, result = time.perf_counter(), float("inf")
    while time.perf_counter() - start < total:
        first = time.perf_counter()
        body()
        result = min(result, time.perf_counter() - first)
    return result


def sizes(row):
    return [row["features"]] + row["layers"] * [row["width"]]


def weights(row, generator):
    """Hidden weights, then the readout; as many multiplications as fathom makes."""
    s = sizes(row)
    hidden = [generator.standard_normal((a, b)) / a**0.5 for a, b in zip(s, s[1:], strict=False)]
    return [*hidden, generator.standard_normal(s[-1]) / s[-1] ** 0.5]


def loss(w, x, y):
    h = x
    for m in w[:-1]:
        h = jax.nn.relu(h @ m)
    return 0.5 * jnp.mean((h @ w[-1] - y) ** 2)


def descend(steps):
    def run(w, x, y):
        def step(_, w):
            return [a - RATE * g for a, g in zip(w, jax.grad(loss)(w, x, y), strict=True)]

        return jax.lax.fori_loop(0, steps, step, w)

    return run


def numpy_step(w, x, y):
    hs = [x]
    for m in w[:-1]:
        hs.append(np.maximum(hs[-1] @ m, 0))
    r = (hs[-1] @ w[-1] - y) / len(y)
    gradients = [hs[-1].T @ r]
    delta = np.outer(r, w[-1])
    for i in range(len(w) - 2, -1, -1):
        delta *= hs[i + 1] > 0
        gradients.append(hs[i].T @ delta)
        if i:
            delta = delta @ w[i].T
    for a, g in zip(w, reversed(gradients), strict=True):
        a -= RATE * g


for row in map(json.loads, sys.stdin):
    if row["name"] != "training":
        continue
    generator = np.random.default_rng(1)
    x = generator.standard_normal((row["batch"], row["features"]))
    y = x[:, 0].copy()
    work = sum(a * b for a, b in zip(sizes(row), sizes(row)[1:], strict=False)) * row["batch"]
    steps = max(1, 200_000_000 // work)

    def report(peer, rate, row=row):
        print(json.dumps({**row, "peer": peer, "steps_per_second": rate}), flush=True)

    w = weights(row, generator)
    seconds = best(lambda: [numpy_step(w, x, y) for _ in range(steps)])  # noqa: B023
    report("NumPy " + np.__version__, steps / seconds)

    single = jax.jit(descend(steps))
    start = [jnp.asarray(a) for a in weights(row, generator)]
    seconds = best(lambda: jax.block_until_ready(single(start, x, y)))  # noqa: B023
    report("JAX " + jax.__version__ + " jit", steps / seconds)

    many = [jnp.stack(ws) for ws in zip(*[weights(row, generator) for _ in range(32)], strict=True)]
    few = max(1, steps // 32)
    together = jax.jit(jax.vmap(descend(few), in_axes=(0, None, None)))
    seconds = best(lambda: jax.block_until_ready(together(many, x, y)))  # noqa: B023
    report("JAX " + jax.__version__ + " vmap of 32", 32 * few / seconds)
