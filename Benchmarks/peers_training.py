"""Times training in NumPy, JAX and PyTorch on one thread, by processor time, at the shapes of `fathom-bench training`, whose
output is read from standard input: gradient descent of one ReLU network and of 32 at once, ensembles of small networks to the
end of their runs, and runs that train every weight of what fathom reduces. One JSON object a line.
"""

import peers_common  # noqa: I001 (sets the environment first)

import json
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
import torch

torch.set_num_threads(1)
MANY = 32
NUMPY, JAX, TORCH = (
    f"{m} {v.split('+')[0]}" for m, v in (("NumPy", np.__version__), ("JAX", jax.__version__), ("PyTorch", torch.__version__))
)


def best(body, total=0.5, calls=3):
    """Of the processor."""
    return peers_common.best(body, total, calls, time.process_time)


def report(row, peer, rate):
    print(json.dumps({**row, "peer": peer, "per_second": rate}), flush=True)


# Networks of any depth: hidden weights, then the readout, with as many multiplications as fathom makes.


def draw(sizes, generator, dtype):
    hidden = [generator.standard_normal((a, b)) / a**0.5 for a, b in zip(sizes, sizes[1:], strict=False)]
    return [w.astype(dtype) for w in [*hidden, generator.standard_normal(sizes[-1]) / sizes[-1] ** 0.5]]


def numpy_descend(w, x, y, rate, steps):
    for _ in range(steps):
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
            a -= rate * g


def network(relu, mean):
    def loss(w, x, y):
        h = x
        for m in w[:-1]:
            h = relu(h @ m)
        return 0.5 * mean((h @ w[-1] - y) ** 2)

    return loss


jax_loss = network(jax.nn.relu, jnp.mean)
torch_loss = network(torch.relu, torch.mean)


def jax_descend(w, x, y, rate, steps, loss=jax_loss):
    def step(_, w):
        return [a - rate * g for a, g in zip(w, jax.grad(loss)(w, x, y), strict=True)]

    return jax.lax.fori_loop(0, steps, step, w)


def torch_descend(w, x, y, rate, steps, loss=torch_loss):
    for _ in range(steps):
        for a, g in zip(w, torch.autograd.grad(loss(w, x, y), w), strict=True):
            a.data.add_(g, alpha=-rate)


torch_many = torch.func.vmap(torch.func.grad(lambda w, x, y: torch_loss(w, x, y)), in_dims=(0, None, None))
torch_many_sets = torch.func.vmap(torch.func.grad(lambda w, x, y: torch_loss(w, x, y)))


def torch_descend_many(w, x, y, rate, steps, gradient=torch_many):
    for _ in range(steps):
        for a, g in zip(w, gradient(w, x, y), strict=True):
            a.add_(g, alpha=-rate)


def leaves(w):
    return [torch.tensor(a).requires_grad_() for a in w]


def steps_per_second(row):
    sizes = [row["features"]] + row["layers"] * [row["width"]]
    dtype, rate = {"double": np.float64, "single": np.float32}[row["precision"]], 1e-4
    generator = np.random.default_rng(1)
    x = generator.standard_normal((row["batch"], row["features"])).astype(dtype)
    y = x[:, 0].copy()
    steps = max(1, 100_000_000 // (row["batch"] * sum(a * b for a, b in zip(sizes, sizes[1:], strict=False))))
    few = max(1, steps // MANY)

    w = draw(sizes, generator, dtype)
    report(row, NUMPY, steps / best(lambda: numpy_descend(w, x, y, rate, steps)))

    many = [np.stack(ws) for ws in zip(*[draw(sizes, generator, dtype) for _ in range(MANY)], strict=True)]
    one = jax.jit(lambda w: jax_descend(w, jnp.asarray(x), jnp.asarray(y), rate, steps))
    start = [jnp.asarray(a) for a in w]
    report(row, JAX + " jit", steps / best(lambda: jax.block_until_ready(one(start))))
    together = jax.jit(jax.vmap(lambda w: jax_descend(w, jnp.asarray(x), jnp.asarray(y), rate, few)))
    starts = [jnp.asarray(a) for a in many]
    report(row, f"{JAX} vmap of {MANY}", MANY * few / best(lambda: jax.block_until_ready(together(starts))))

    tx, ty, tw = torch.tensor(x), torch.tensor(y), leaves(w)
    report(row, TORCH, steps / best(lambda: torch_descend(tw, tx, ty, rate, steps)))
    ts = [torch.tensor(a) for a in many]
    report(row, f"{TORCH} vmap of {MANY}", MANY * few / best(lambda: torch_descend_many(ts, tx, ty, rate, few)))


# Ensembles: whole runs with data and weights of their own, 64-64 networks on 64 examples with 16 features and a linear teacher.


def ensemble(row, sizes=(16, 64, 64), examples=64, steps=100, rate=0.1):
    dtype = {"double": np.float64, "single": np.float32}[row["precision"]]
    generator = np.random.default_rng(1)

    def sets():
        x = generator.standard_normal((examples, sizes[0])).astype(dtype)
        return x, x @ generator.standard_normal(sizes[0]).astype(dtype) / sizes[0] ** 0.5

    def numpy_run():
        x, y = sets()
        numpy_descend(draw(sizes, generator, dtype), x, y, rate, steps)

    report(row, NUMPY + " loop", 1 / best(numpy_run, calls=20))

    def jax_run(key):
        keys = jax.random.split(key, len(sizes) + 2)
        x = jax.random.normal(keys[-1], (examples, sizes[0]), dtype)
        y = x @ jax.random.normal(keys[-2], (sizes[0],), dtype) / sizes[0] ** 0.5
        hidden = [jax.random.normal(k, (a, b), dtype) / a**0.5 for k, a, b in zip(keys, sizes, sizes[1:], strict=False)]
        w = [*hidden, jax.random.normal(keys[-3], (sizes[-1],), dtype) / sizes[-1] ** 0.5]
        return jax_loss(jax_descend(w, x, y, rate, steps), x, y)

    keys = jax.random.split(jax.random.key(1), MANY)
    one, together = jax.jit(jax_run), jax.jit(jax.vmap(jax_run))
    report(row, JAX + " jit, loop", MANY / best(lambda: [one(k).block_until_ready() for k in keys]))
    report(row, f"{JAX} vmap of {MANY}", MANY / best(lambda: together(keys).block_until_ready()))

    def torch_run():
        x, y = map(torch.tensor, sets())
        torch_descend(leaves(draw(sizes, generator, dtype)), x, y, rate, steps)

    report(row, TORCH + " loop", 1 / best(torch_run, calls=10))

    def torch_runs():
        x, y = (torch.tensor(np.stack(a)) for a in zip(*[sets() for _ in range(MANY)], strict=True))
        w = [torch.tensor(np.stack(a)) for a in zip(*[draw(sizes, generator, dtype) for _ in range(MANY)], strict=True)]
        torch_descend_many(w, x, y, rate, steps, torch_many_sets)

    report(row, f"{TORCH} vmap of {MANY}", MANY / best(torch_runs))


# What fathom reduces, every weight trained.


def two_layer_linear(row, d=8, n=4096, examples=16, steps=50, rate=0.05):
    def loss(w, x, y):
        f = (x @ w[0]) @ w[1] / n
        return 0.5 * ((f - y) ** 2).mean()

    def run(key):
        keys = jax.random.split(key, 4)
        x = jax.random.normal(keys[0], (examples, d))
        y = x @ jax.random.normal(keys[1], (d,)) / d**0.5
        w = [jax.random.normal(keys[2], (d, n)), jax.random.normal(keys[3], (n,))]
        return loss(jax_descend(w, x, y, rate * n, steps, loss), x, y)

    keys = jax.random.split(jax.random.key(1), MANY)
    one, together = jax.jit(run), jax.jit(jax.vmap(run))
    report(row, JAX + " jit, loop", MANY / best(lambda: [one(k).block_until_ready() for k in keys]))
    report(row, f"{JAX} vmap of {MANY}", MANY / best(lambda: together(keys).block_until_ready()))

    generator = np.random.default_rng(1)

    def numpy_run():
        x = generator.standard_normal((examples, d))
        y = x @ generator.standard_normal(d) / d**0.5
        u, v = generator.standard_normal((d, n)), generator.standard_normal(n)
        for _ in range(steps):
            h = x @ u
            r = (h @ v / n - y) / examples
            u, v = u - rate * np.outer(x.T @ r, v), v - rate * (h.T @ r)

    report(row, NUMPY + " loop", 1 / best(numpy_run, calls=10))

    def torch_run():
        x = torch.randn(examples, d, dtype=torch.float64)
        y = x @ torch.randn(d, dtype=torch.float64) / d**0.5
        w = [torch.randn(d, n, dtype=torch.float64).requires_grad_(), torch.randn(n, dtype=torch.float64).requires_grad_()]
        torch_descend(w, x, y, rate * n, steps, loss)

    report(row, TORCH + " loop", 1 / best(torch_run, calls=10))


def xor_clusters(row, p=20_000, mu=24.0, examples=200, n=200, steps=30, rate=0.005):
    """Only the first layer is trained."""
    generator = np.random.default_rng(1)
    readout = np.where(np.arange(n) % 2 == 0, 1, -1) / n**0.5

    def sets():
        truth, sign = (generator.choice([1.0, -1.0], 2 * examples) for _ in range(2))
        x = generator.standard_normal((2 * examples, p))
        x[np.arange(2 * examples), np.where(truth > 0, 0, 1)] += mu * sign
        y = np.where(generator.random(examples) < 0.1, -truth[:examples], truth[:examples])
        return x[:examples], y, x[examples:], 1e-7 * generator.standard_normal((p, n))

    def numpy_run():
        x, y, test, w = sets()
        for _ in range(steps):
            h = x @ w
            slope = -y / (1 + np.exp(y * (np.maximum(h, 0) @ readout))) / examples
            w -= rate * (x.T @ (np.outer(slope, readout) * (h > 0)))
        return np.maximum(test @ w, 0) @ readout

    report(row, NUMPY + " loop", 1 / best(numpy_run, total=0, calls=1))

    def loss(w, x, y, softplus, relu, v):
        return softplus(-y * (relu(x @ w[0]) @ v)).mean()

    def jax_loss_of(w, x, y):
        return loss(w, x, y, jax.nn.softplus, jax.nn.relu, jnp.asarray(readout))

    one = jax.jit(lambda w, x, y: jax_descend([w], x, y, rate, steps, jax_loss_of))

    def jax_run():
        x, y, test, w = sets()
        jax.block_until_ready(jax.nn.relu(test @ one(w, x, y)[0]) @ readout)

    report(row, JAX + " jit, loop", 1 / best(jax_run, total=0, calls=1))

    v = torch.tensor(readout)

    def torch_run():
        x, y, test, w = map(torch.tensor, sets())
        w.requires_grad_()
        torch_descend([w], x, y, rate, steps, lambda w, x, y: loss(w, x, y, torch.nn.functional.softplus, torch.relu, v))
        return torch.relu(test @ w) @ v

    report(row, TORCH + " loop", 1 / best(torch_run, total=0, calls=1))


KINDS = {"training": steps_per_second, "ensemble": ensemble, "R1": two_layer_linear, "R3": xor_clusters}
for row in map(json.loads, sys.stdin):
    if row["name"] in KINDS:
        KINDS[row["name"]]({k: v for k, v in row.items() if k != "per_second"})
